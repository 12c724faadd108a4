# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat build``: compile models into modules that NEST loads."""

import dataclasses
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from amat import paths, toolchain
from amat.cli.common import console, make_table, messages, note, prepare_outputs, progress_bars, shorten
from amat.errors import AmatError
from amat.files import write_json

__all__ = ["build"]


def build(
    models: Annotated[
        list[str] | None,
        typer.Argument(help="Model names in NEST, or paths of NESTML files. Default: all models of this project."),
    ] = None,
    codegen: Annotated[
        toolchain.Codegen | None,
        typer.Option(help="Code generator. Default: the generator that the model's name implies, else nestml-checked."),
    ] = None,
    fallback: Annotated[
        bool,
        typer.Option("--fallback", help="Use nestml-checked for models that the optimised generator does not support."),
    ] = False,
    record: Annotated[
        Path | None, typer.Option(help="Write the keys and hashes of the compiled modules to this JSON file.")
    ] = None,
) -> None:
    """Compile models into modules that NEST loads. Modules in the cache are not rebuilt."""
    prepare_outputs(record)
    if models:
        chosen = [toolchain.find_model(name, codegen) for name in models]
    elif codegen:
        chosen = [model for model in toolchain.MODELS.values() if model.codegen == codegen]
    else:
        chosen = [toolchain.MODELS[name] for name in toolchain.DEFAULT_MODELS]
    if fallback and not any(model.codegen == "optimised" for model in chosen):
        raise AmatError("--fallback has no effect: no model is built by the optimised generator. Leave it out.")
    if fallback:
        chosen = [dataclasses.replace(model, fallback=True) for model in chosen]
    modules = _build_all(chosen)
    table = make_table("model in NEST", "built in", "key", caption=f"in {shorten(paths.module_cache())}")
    for module in modules:
        table.add_row(module.model, "cached" if module.cached else f"{module.seconds:.0f} s", module.key[:16])
    console.print(table)
    if record:
        write_json(record, {m.model: {"key": m.key, "sha256": m.sha256} for m in modules})


def _build_all(models: Sequence[toolchain.Model]) -> list[toolchain.Module]:
    """Build models, two at a time, and show the stage of each."""
    with progress_bars() as progress, ThreadPoolExecutor(max_workers=2) as pool:

        def build_one(model: toolchain.Model) -> toolchain.Module:
            task = progress.add_task(model.name, total=None)

            def show(stage: str) -> None:
                message = f"{model.name}: {stage}"
                progress.update(task, description=message)
                if not messages.is_terminal:
                    note(message)

            module = toolchain.build(model, progress=show)
            progress.remove_task(task)
            return module

        return list(pool.map(build_one, models))
