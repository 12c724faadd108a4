# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Generate C++ from a NESTML model: run in a process of its own, since NESTML keeps its state in globals.

``python -m amat.toolchain.generate REQUEST.json`` writes the code into the request's ``target`` folder, and the
propagators, as ODE-toolbox found them, into ``propagators.json`` beside it. What NESTML finds wrong with a model
goes to standard error, one message a line, and the exit status is 1.
"""

import io
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from amat.toolchain.errors import UNSUPPORTED

__all__ = ["main"]


def main(request_file: str) -> int:
    """Carry out the request in a JSON file, and return the exit status."""
    request: dict[str, Any] = json.loads(Path(request_file).read_text())
    # Expressions that ODE-toolbox writes are nested deeper than Python's default limit.
    sys.setrecursionlimit(10000)
    chatter = io.StringIO()
    from nestml_optimised import UnsupportedModelError

    try:
        with redirect_stdout(chatter):
            problems = _generate(request)
    except UnsupportedModelError as reason:
        print(reason, file=sys.stderr)
        return UNSUPPORTED
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


def _generate(request: dict[str, Any]) -> list[str]:
    """Generate the code; return NESTML's error messages."""
    from nestml_optimised import CheckedNESTCodeGenerator, OptimisedNESTCodeGenerator, replace_transformers
    from pynestml.cocos.co_cos_manager import CoCosManager
    from pynestml.codegeneration.nest_code_generator import NESTCodeGenerator
    from pynestml.frontend import pynestml_frontend as frontend
    from pynestml.frontend.frontend_configuration import FrontendConfiguration
    from pynestml.utils.logger import Logger, LoggingLevel

    def errors() -> list[str]:
        entries = [entry for entry in Logger.get_log().values() if entry[2] is LoggingLevel.ERROR]
        return [f"{position or request['source']}: {text}" for *_, position, text in entries]

    frontend.configure_front_end(
        request["source"],
        "NEST",
        target_path=request["target"],
        logging_level="ERROR",
        module_name=request["module"],
        suffix=request["suffix"],
        codegen_opts=request["options"],
    )
    options = FrontendConfiguration.get_codegen_opts()
    transformers, unknown = frontend.transformers_from_target_name("NEST", options=dict(options))
    generators = {
        "nestml": NESTCodeGenerator,
        "nestml-checked": CheckedNESTCodeGenerator,
        "optimised": OptimisedNESTCodeGenerator,
    }
    codegen = request["codegen"]
    generator = generators[codegen]({"nest_version": f"v{request['nest_version']}"})
    try:
        unused = generator.set_options(unknown)
    except ValueError as error:
        return [str(error)]
    if unused:
        return [f"NESTML does not know the option {key!r}" for key in unused]

    models = frontend.get_parsed_models()
    for model in models:
        if not Logger.has_errors(model):
            CoCosManager.check_cocos(model)
    if found := errors():
        return found
    if not models:
        return [f"{request['source']}: NESTML could not parse the file"]

    if codegen != "nestml":
        transformers = replace_transformers(transformers, matrices=codegen == "optimised")
    models, metadata = frontend.transform_models(transformers, models)
    frontend.generate_code(generator, models, metadata)
    propagators = {
        model.get_name(): (metadata[model.get_name()].get("analytic_solver") or {}).get("propagators", {})
        for model in models
    }
    (Path(request["target"]) / "propagators.json").write_text(json.dumps(propagators, indent=1))
    return errors()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
