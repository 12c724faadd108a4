# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Code generation in a separate process, because NESTML keeps its state in globals.

``python -m amat.toolchain.generate REQUEST.json`` writes the code of the request's ``source`` into its ``target``
folder. For the platform NEST that includes the propagators that ODE-toolbox found, as ``propagators.json``. Errors go
to standard error, and the exit status is `REJECTED`, or `UNSUPPORTED` if the optimised generator does not support the
model. Warnings about a model are stored as ``warnings.json``.
"""

import contextlib
import io
import json
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

from amat.toolchain.errors import REJECTED, UNSUPPORTED

__all__ = ["main"]


def main(request_file: str) -> int:
    """Carry out the request in a JSON file, and return the exit status."""
    request: dict[str, Any] = json.loads(Path(request_file).read_text(encoding="utf-8"))
    generate = _generate_for_nest if request["platform"] == "NEST" else _generate_for_other
    return generate(request)


def _generate_for_nest(request: dict[str, Any]) -> int:
    from nestml_optimised import ModelWarning, NestmlOptimisedError, UnsupportedModelError, generate

    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            propagators = generate(
                request["source"],
                request["target"],
                module_name=request["module"],
                suffix=request["suffix"],
                codegen=request["codegen"],
                codegen_opts=request["options"],
            )
    except UnsupportedModelError as error:
        print(error, file=sys.stderr)
        return UNSUPPORTED
    except NestmlOptimisedError as error:
        print(error, file=sys.stderr)
        return REJECTED
    texts = [str(warning.message) for warning in caught if warning.category is ModelWarning]
    (Path(request["target"]) / "propagators.json").write_text(json.dumps(propagators, indent=1))
    (Path(request["target"]) / "warnings.json").write_text(json.dumps(texts, indent=1))
    return 0


def _generate_for_other(request: dict[str, Any]) -> int:
    from pynestml.frontend.pynestml_frontend import generate_target

    # Expressions that ODE-toolbox writes are nested deeper than Python's default limit.
    sys.setrecursionlimit(10000)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            generate_target(
                request["source"],
                request["platform"],
                target_path=request["target"],
                module_name="nestmlmodule",
                codegen_opts=request["options"],
            )
    except Exception as error:  # any exception is a result: some targets of NESTML fail
        print("".join(traceback.format_exception_only(error)).strip(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
