# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat build``: compile models into modules that NEST loads."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

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
        typer.Option(
            "--fallback",
            help="Build models that the optimised generator does not support with nestml-checked, under the name that "
            "they have there.",
        ),
    ] = False,
    options: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="NAME=VALUE", help="An option of the code generator. May be repeated."),
    ] = None,
    upgrade: Annotated[
        bool,
        typer.Option(
            "--upgrade",
            help="First give units without a number, as NESTML 8 allowed them, the number 1. The files are replaced; "
            "their former texts get the ending .orig.",
        ),
    ] = False,
    record: Annotated[
        Path | None, typer.Option(help="Write the keys and hashes of the compiled modules to this JSON file.")
    ] = None,
) -> None:
    """Compile models into modules that NEST loads. Modules in the cache are not rebuilt."""
    if upgrade:
        _upgrade(models or [])
    prepare_outputs(record, inputs=[Path(name) for name in models or []])
    if models:
        chosen = [toolchain.find_model(name, codegen) for name in models]
    elif codegen:
        chosen = [model for model in toolchain.SHIPPED_MODELS.values() if model.codegen == codegen]
    else:
        chosen = [toolchain.SHIPPED_MODELS[name] for name in toolchain.DEFAULT_MODELS]
    if fallback and not any(model.codegen == "optimised" for model in chosen):
        raise AmatError("--fallback has no effect: no model is built by the optimised generator. Leave it out.")
    settings = _parse_options(options or [])
    modules = _build_all([model.with_options(settings) for model in chosen], fallback=fallback)
    table = make_table("model in NEST", "built in", "key", caption=f"in {shorten(paths.module_cache())}")
    for module in modules:
        table.add_row(module.model, "cached" if module.cached else f"{module.seconds:.0f} s", module.key[:16])
    console.print(table)
    if record:
        write_json(record, {m.model: {"key": m.key, "sha256": m.sha256} for m in modules})


def _parse_options(texts: list[str]) -> dict[str, Any]:
    """Return the values of options by name."""
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals):
            raise typer.BadParameter(f"expected NAME=VALUE, got {text!r}", param_hint="--option")
        if name in values:
            raise AmatError(f"--option {text}: {name} is already set to {values[name]}. Set each option once.")
        values[name] = {"true": True, "false": False}.get(value.lower(), value)
    return values


def _upgrade(models: Sequence[str]) -> None:
    """Correct the syntax of NESTML files."""
    sources = [Path(name) for name in models]
    if not sources or not all(source.is_file() for source in sources):
        raise AmatError(f"--upgrade is for NESTML files, got {' '.join(models) or 'none'}.")
    for source in sources:
        count = toolchain.upgrade_syntax(source)
        note(f"{source}: {f'{count} units have a number now' if count else 'there is nothing to correct'}")


def _build_all(models: Sequence[toolchain.Model], *, fallback: bool) -> list[toolchain.Module]:
    """Build models, two at a time, and show the stage of each. The error names the problems of all models."""
    with progress_bars() as progress, ThreadPoolExecutor(max_workers=2) as pool:

        def build_one(model: toolchain.Model) -> toolchain.Module:
            task = progress.add_task(model.name, total=None)

            def show(stage: str) -> None:
                message = f"{model.name}: {stage}"
                progress.update(task, description=message)
                if not messages.is_terminal or stage.startswith("warning"):
                    note(message)

            try:
                return toolchain.build(model, progress=show)
            except toolchain.UnsupportedError as error:
                if not fallback:
                    raise
                show(f"falling back to nestml-checked: {str(error).splitlines()[0]}")
                return toolchain.build(toolchain.find_fallback(model), progress=show)
            finally:
                progress.remove_task(task)

        futures = [pool.submit(build_one, model) for model in models]
        errors = [error for future in futures if (error := future.exception())]
    for error in errors:
        if not isinstance(error, AmatError):
            raise error
    if errors:
        raise AmatError("\n".join(dict.fromkeys(map(str, errors))))
    return [future.result() for future in futures]
