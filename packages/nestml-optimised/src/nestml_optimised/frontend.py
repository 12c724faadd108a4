# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NESTML's front end with a choice of code generators: parse, check, transform, generate and build.

NESTML keeps its configuration, its log and its symbols in globals of the process. The functions here may be called
repeatedly, like NESTML's, but not by two threads at once. A program that needs NESTML for other things at the same
time should call them in a process of their own.
"""

import io
import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import Any, Literal

from pynestml.cocos.co_cos_manager import CoCosManager
from pynestml.codegeneration.nest_builder import add_libraries_to_sli
from pynestml.codegeneration.nest_code_generator import NESTCodeGenerator
from pynestml.frontend import pynestml_frontend
from pynestml.frontend.frontend_configuration import FrontendConfiguration
from pynestml.utils.logger import Logger, LoggingLevel
from pynestml.utils.model_parser import ModelParser

from nestml_optimised.checked import CheckedNESTCodeGenerator
from nestml_optimised.errors import ModelError, ModelWarning, OptionError
from nestml_optimised.messages import SYNTAX, find_syntax_error, find_unknown_unit, format_message, is_follow_up
from nestml_optimised.mistakes import find_duplicates, find_mistakes
from nestml_optimised.nest_installation import find_nest
from nestml_optimised.optimised import OptimisedNESTCodeGenerator
from nestml_optimised.ports import check_ports, find_unread_ports
from nestml_optimised.transformer import replace_transformers
from nestml_optimised.units import conversion_in_nest_units

__all__ = ["Codegen", "generate", "generate_nest_target", "parse_models"]

#: The code generators: NESTML's unmodified one, the same with checks of parameters, the optimised one.
Codegen = Literal["nestml", "nestml-checked", "optimised"]

_GENERATORS: dict[str, type[NESTCodeGenerator]] = {
    "nestml": NESTCodeGenerator,
    "nestml-checked": CheckedNESTCodeGenerator,
    "optimised": OptimisedNESTCodeGenerator,
}

_Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]


def generate_nest_target(
    input_path: _Paths,
    target_path: str | os.PathLike[str] | None = None,
    install_path: str | os.PathLike[str] | None = None,
    logging_level: str = "ERROR",
    module_name: str | None = None,
    store_log: bool = False,
    suffix: str = "",
    dev: bool = False,
    codegen_opts: Mapping[str, Any] | None = None,
) -> None:
    """Generate optimised code for NEST, compile it and install the module.

    This replaces ``pynestml.frontend.pynestml_frontend.generate_nest_target``: parameters mean the same. Unlike that
    function, it raises an error if any model has one, and it finds a NEST that was installed as a Python wheel.

    Parameters
    ----------
    input_path : path or sequence of paths
        NESTML files, or folders that are searched for them.
    target_path : path, optional
        The folder for the generated code; by default ``target`` in the current folder. Its parent must exist.
    install_path : path, optional
        The folder for the compiled module; by default ``lib/nest`` in NEST's folder.
    logging_level : {"DEBUG", "INFO", "WARNING", "ERROR", "NO"}
        Which of NESTML's messages are printed.
    module_name : str, optional
        The name for ``nest.Install``, which ends in ``module``; by default ``nestmlmodule``.
    store_log : bool
        Whether NESTML's messages are stored in the folder ``report`` next to the target folder.
    suffix : str
        Appended to the name of each model.
    dev : bool
        NESTML's development mode, which writes more information into the code.
    codegen_opts : mapping, optional
        Options of NESTML, and those of `OptimisedNESTCodeGenerator`. Without ``nest_path``, the NEST that Python
        would import is used, and a ``nest-config`` for it is written into the target folder.

    Raises
    ------
    ModelError
        If NESTML rejects a model.
    UnsupportedModelError
        If the optimised code generator does not support a model.
    OptionError
        If an option is unknown, or cannot have the value that is given.
    InstallationError
        If ``nest_path`` is not given, and no supported NEST or no compiler is found.
    pynestml.exceptions.generated_code_build_exception.GeneratedCodeBuildException
        If the code cannot be compiled or installed.

    Notes
    -----
    ``nest.Install(module_name)`` finds the module in this process. In others, NEST looks into its own library folder
    and those in ``LD_LIBRARY_PATH``; it also accepts the module's full path.
    """
    options = dict(codegen_opts or {})
    FrontendConfiguration.install_path = None  # NESTML would keep that of an earlier call
    pynestml_frontend.configure_front_end(
        _as_text(input_path),
        "NEST",
        target_path=target_path,
        install_path=install_path,
        logging_level=logging_level,
        module_name=module_name,
        store_log=store_log,
        suffix=suffix,
        dev=dev,
    )
    if not options.get("nest_path"):
        nest = find_nest()
        folder = Path(FrontendConfiguration.get_target_path())
        nest.write_config(folder)
        options |= {"nest_path": str(folder), "nest_version": options.get("nest_version") or f"v{nest.version}"}
        if install_path is None:
            add_libraries_to_sli(str(nest.prefix / "lib" / "nest"))
    FrontendConfiguration.set_codegen_opts(options)
    builder, unknown = pynestml_frontend.builder_from_target_name("NEST", options=options)
    _process("optimised", unknown)
    builder.build()


def generate(
    input_path: _Paths,
    target_path: str | os.PathLike[str],
    *,
    module_name: str,
    suffix: str = "",
    codegen: Codegen = "optimised",
    codegen_opts: Mapping[str, Any] | None = None,
) -> dict[str, dict[str, str]]:
    """Generate code for NEST, without compiling it.

    Parameters
    ----------
    input_path : path or sequence of paths
        NESTML files, or folders that are searched for them.
    target_path : path
        The folder for the generated code. Its parent must exist.
    module_name : str
        The name for ``nest.Install``, which ends in ``module``.
    suffix : str
        Appended to the name of each model.
    codegen : {"nestml", "nestml-checked", "optimised"}
        NESTML's unmodified generator and transformers; `CheckedNESTCodeGenerator` with convolutions in a fixed order;
        or `OptimisedNESTCodeGenerator`.
    codegen_opts : mapping, optional
        Options of the code generator, and of NESTML's transformers.

    Returns
    -------
    dict of str to dict of str to str
        By the name of each model, the closed-form propagators that ODE-toolbox found: expressions by name.

    Raises
    ------
    ModelError
        If NESTML rejects a model.
    UnsupportedModelError
        If the optimised code generator does not support a model.
    OptionError
        If an option is unknown, or cannot have the value that is given.
    InstallationError
        If no supported NEST is found, and the options do not give ``nest_version``.
    """
    if codegen not in _GENERATORS:
        raise OptionError(f"codegen must be one of {', '.join(map(repr, _GENERATORS))}, got {codegen!r}.")
    options = dict(codegen_opts or {})
    options["nest_version"] = options.get("nest_version") or f"v{find_nest().version}"
    with redirect_stdout(io.StringIO()):  # the messages are in the error
        pynestml_frontend.configure_front_end(
            _as_text(input_path),
            "NEST",
            target_path=target_path,
            module_name=module_name,
            suffix=suffix,
            codegen_opts=options,
        )
        return _process(codegen, options)


def parse_models(input_path: _Paths, target_path: str | os.PathLike[str], *, platform: str = "NONE") -> list[Any]:
    """Parse models and check them, for use with NESTML's transformers and other code generators.

    Parameters
    ----------
    input_path : path or sequence of paths
        NESTML files, or folders that are searched for them.
    target_path : path
        The folder for the files of NESTML and its code generators.
    platform : str
        NESTML's name of the target platform.

    Returns
    -------
    list of pynestml.meta_model.ast_model.ASTModel

    Raises
    ------
    ModelError
        If NESTML rejects a model, or finds none.
    """
    with redirect_stdout(io.StringIO()):  # the messages are in the error
        pynestml_frontend.configure_front_end(_as_text(input_path), platform, target_path=target_path)
        with conversion_in_nest_units():
            return _parse()


def _as_text(paths: _Paths) -> str | list[str]:
    return os.fspath(paths) if isinstance(paths, str | os.PathLike) else [os.fspath(path) for path in paths]


def _process(codegen: str, unknown_to_builder: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Generate code as NESTML is configured; return propagators by model."""
    # Expressions that ODE-toolbox writes are nested deeper than Python's default limit.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 10000))
    options = FrontendConfiguration.get_codegen_opts()
    transformers, unknown = pynestml_frontend.transformers_from_target_name("NEST", options=dict(options))
    version = {name: value for name, value in options.items() if name == "nest_version"}
    generator = _GENERATORS[codegen](version)
    unknown = set(unknown) & set(generator.set_options(options)) & set(unknown_to_builder)
    if unknown:
        raise OptionError(f"There is no option {', '.join(map(repr, sorted(unknown)))} of NESTML or its generators.")
    if codegen != "nestml":
        transformers = replace_transformers(transformers, matrices=codegen == "optimised")

    with nullcontext() if codegen == "nestml" else conversion_in_nest_units():
        parsed = _parse()
        if codegen != "optimised":
            for model in parsed:
                check_ports(model)
        models, metadata = pynestml_frontend.transform_models(transformers, parsed)
    pynestml_frontend.generate_code(generator, models, metadata)
    _raise_errors()
    if FrontendConfiguration.store_log:
        pynestml_frontend.store_log_to_file()
    return {
        model.get_name(): (metadata[model.get_name()].get("analytic_solver") or {}).get("propagators", {})
        for model in models
    }


def _parse() -> list[Any]:
    """Return the models that NESTML is configured for, once they pass its checks.

    All files are checked before an error is raised. NESTML's warnings become warnings of Python.
    """
    pynestml_frontend.create_report_dir()
    pynestml_frontend.init_predefined()
    models: list[Any] = []
    problems: list[str] = []
    for file in FrontendConfiguration.get_files():
        begin = len(Logger.get_log())
        found, failure = _parse_file(file)
        models += found
        entries = list(Logger.get_log().values())[begin:]
        errors = list(dict.fromkeys(_find_errors(file, found, [e for e in entries if e[2] is LoggingLevel.ERROR])))
        if failure and not errors:
            errors = [_describe_failure(file, failure)]
        problems += errors
        for entry in entries:
            if entry[2] is LoggingLevel.WARNING and not errors:
                warnings.warn(_describe(file, entry), ModelWarning, stacklevel=2)
        for name in [name for model in found if not errors for name in find_unread_ports(model)]:
            text = f"{file}: the input port {name} is never read, so that input to it has no effect"
            warnings.warn(text, ModelWarning, stacklevel=2)
    if problems:
        raise ModelError("\n".join(problems))
    CoCosManager.check_no_duplicate_compilation_unit_names(models)
    _raise_errors()
    if not models:
        raise ModelError(f"{_sources()}: there is no model that NESTML can parse")
    return models


def _parse_file(file: str) -> tuple[list[Any], str]:
    """Return the models of a file after NESTML's checks, and the exception that ended them, or ""."""
    models: list[Any] = []
    try:
        unit = ModelParser.parse_file(file)
        if unit:
            CoCosManager.check_model_names_unique(unit)
            models = unit.get_model_list()
        for model in models:
            if not Logger.has_errors(model):
                CoCosManager.check_cocos(model)
    except Exception as error:  # NESTML's checks assume that earlier ones have passed
        return models, f"{type(error).__name__}: {error}"
    finally:
        Logger.set_current_node(None)
    return models, ""


def _find_errors(file: str, models: Sequence[Any], entries: Sequence[Any]) -> Iterator[str]:
    """Yield the messages of a file's errors, without those that follow from others.

    Those are all others of a file that cannot be read, those about a name that is declared twice, and those about the
    type of an expression with another error in its line.
    """
    if syntax := [entry for entry in entries if entry[-1].startswith(SYNTAX)]:
        yield _describe(file, syntax[0])
        return
    duplicates = dict(duplicate for model in models for duplicate in find_duplicates(model))
    yield from (format_message(file, *mistake) for mistake in duplicates.values())
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    about = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, duplicates))})(?!\w)" if duplicates else "(?!)")
    shown: set[int] = set()
    for entry in sorted(entries, key=lambda entry: is_follow_up(entry[-1])):
        line = entry[-2].start_line if entry[-2] else 0
        source = lines[line - 1] if 0 < line <= len(lines) else ""
        if not (about.search(source) or (line in shown and is_follow_up(entry[-1]))):
            yield _describe(file, entry)
        shown.add(line)
    if not entries and not duplicates:
        yield from (format_message(file, *mistake) for model in models for mistake in find_mistakes(model))


def _describe_failure(file: str, failure: str) -> str:
    """Return the message about an exception of NESTML."""
    if not (unit := find_unknown_unit(file)):
        return f"{file}: NESTML failed with {failure}"
    line, column, name = unit
    return format_message(file, line, column, f'NESTML takes "{name}" for a unit')


def _describe(file: str, entry: Any) -> str:
    """Return a message of NESTML's log about a file."""
    *_, position, text = entry
    syntax = text.startswith(SYNTAX)
    first = find_syntax_error(file) if syntax else None
    if first:
        return format_message(file, *first, "NESTML cannot read this line", syntax=True)
    line, column = (position.start_line, position.start_column) if position else (0, 0)
    return format_message(file, line, column, text)


def _raise_errors() -> None:
    """Raise an error if NESTML's log has any."""
    entries = [entry for entry in Logger.get_log().values() if entry[2] is LoggingLevel.ERROR]
    if entries:
        raise ModelError("\n".join(f"{position or _sources()}: {text}" for *_, position, text in entries))


def _sources() -> str:
    return ", ".join(FrontendConfiguration.get_files())
