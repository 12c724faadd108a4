# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Compiled NEST modules of models, built once and cached until anything that they depend on changes."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nestml_optimised
from nestml_optimised import ModelWarning, NestmlOptimisedError
from nestml_optimised.nest_installation import compiler, find_nest

from amat import paths
from amat.toolchain.cache import compute_digest, find_or_build
from amat.toolchain.catalogue import AMAT, SHIPPED_MODELS, Model, find_model
from amat.toolchain.errors import REJECTED, UNSUPPORTED, ToolchainError, UnsupportedError
from amat.toolchain.system import extract_error, find_missing, format_missing

__all__ = [
    "Module",
    "Progress",
    "build",
    "build_together",
    "check_compiler",
    "check_nest",
    "describe_generation",
    "run_nestml",
]

#: Called with the name of each stage as it begins.
Progress = Callable[[str], None]

_GENERATED = "generated"

#: Replacement of NEST's header ``nest_impl.h``, which has no include guard; all files are compiled as one.
_GUARDED = """
#pragma once
#ifndef NEST_EXTENSION_INTERFACE_H  // this header includes it
#include_next "nest_impl.h"
#endif
"""


@dataclass(frozen=True)
class Module:
    """A compiled NEST module.

    Attributes
    ----------
    model : str
        The model's name in NEST, or the name given to several models.
    key : str
        SHA-256 of everything that the module depends on.
    library : pathlib.Path
        The shared object that NEST loads.
    sha256 : str
        The SHA-256 of the shared object.
    seconds : float
        The time that generation and compilation took.
    cached : bool
        Whether the module was in the cache already.
    """

    model: str
    key: str
    library: Path
    sha256: str
    seconds: float
    cached: bool

    @property
    def generated(self) -> Path:
        """The folder of the generated C++ code."""
        return self.library.parent / _GENERATED

    def propagators(self) -> dict[str, str]:
        """Return the closed-form propagators that ODE-toolbox found, as expressions by name."""
        found: dict[str, dict[str, str]] = json.loads((self.generated / "propagators.json").read_text())
        return found[self.model]

    def warnings(self) -> list[str]:
        """Return the warnings about the model."""
        found: list[str] = json.loads((self.generated / "warnings.json").read_text())
        return found


def build(model: str | os.PathLike[str] | Model = AMAT, *, progress: Progress | None = None) -> Module:
    """Return a model's module for NEST, built if it is not in the cache.

    Parameters
    ----------
    model : str, path-like or Model
        A name from `amat.toolchain.SHIPPED_MODELS`, the path of a NESTML file, or a model of your own.
    progress : callable, optional
        Called with the name of each stage as it begins, and with each warning about a model of your own. Without it,
        these are warnings of Python.

    Returns
    -------
    Module

    Raises
    ------
    UnsupportedError
        If the optimised code generator does not support the model.
    ToolchainError
        If the model is unknown or rejected by NESTML, a compiler or header is missing, compilation fails, or
        the cache cannot be written. Nothing is left in the cache then.
    """
    if not isinstance(model, Model):
        model = find_model(model)
    module = _find_or_build(model.name, [model], progress or (lambda stage: None))
    own = model.source not in {known.source for known in SHIPPED_MODELS.values()}  # those of the project are known
    for text in module.warnings() if own else []:
        message = text.replace(_source_name(model), str(model.source))
        if progress:
            progress(f"warning: {message}")
        else:
            warnings.warn(message, ModelWarning, stacklevel=2)
    return module


def build_together(name: str, models: Sequence[Model], *, progress: Progress | None = None) -> Module:
    """Return a module that holds several models, built if it is not in the cache.

    This takes much less time than modules of their own, because much of it is for NEST's headers.

    Parameters
    ----------
    name : str
        A name for the module.
    models : sequence of Model
        Models in different files, with the same suffix, code generator and options.
    progress : callable, optional
        Called with the name of each stage as it begins.

    Raises
    ------
    UnsupportedError
        If the optimised code generator does not support one of the models.
    ToolchainError
        As `build` does, if any of the models cannot be built.
    """
    return _find_or_build(name, models, progress or (lambda stage: None))


def _find_or_build(name: str, models: Sequence[Model], report: Progress) -> Module:
    library = f"{name}module.so"
    try:
        texts = [model.read() for model in models]
        entry = find_or_build(
            paths.module_cache(),
            name,
            _describe(models, texts),
            lambda work: _build(name, models, texts, work, report),
            prebuilt=paths.prebuilt_modules(),
            progress=report,
        )
    except NestmlOptimisedError as error:
        raise ToolchainError(str(error)) from error
    return Module(name, entry.key, entry.folder / library, entry.files[library], entry.seconds, cached=entry.cached)


def describe_generation() -> dict[str, Any]:
    """Return everything that generated code depends on besides the model and its options, as JSON."""
    return {
        "packages": {name: version(name) for name in ("nestml", "odetoolbox", "sympy")},
        "generator": _generator_digest(),
    }


def run_nestml(request_file: Path, request: dict[str, Any], **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run `amat.toolchain.generate` in a process of its own.

    Parameters
    ----------
    request_file : pathlib.Path
        A file for the request, which is removed at the end.
    request : dict
        See `amat.toolchain.generate`.
    **settings
        Passed to `subprocess.run`.
    """
    request_file.write_text(json.dumps(request), encoding="utf-8")
    command = [sys.executable, "-m", "amat.toolchain.generate", str(request_file)]
    settings["env"] = {**os.environ, "PYNEST_QUIET": "1", **settings.get("env", {})}
    try:
        return subprocess.run(command, check=False, capture_output=True, text=True, **settings)
    finally:
        request_file.unlink()


def check_nest() -> str:
    """Return the version of NEST that Python would import, without importing it.

    Raises
    ------
    ToolchainError
        If NEST is missing, incomplete, or not of the supported release; the message names both versions and the fix.
    """
    try:
        return find_nest().version
    except NestmlOptimisedError as error:
        raise ToolchainError(str(error)) from error


def _describe(models: Sequence[Model], texts: Sequence[str]) -> dict[str, Any]:
    """Return everything that a module depends on, as JSON."""
    nest = find_nest()
    model = models[0]
    several = {"models": {model.name: text for model, text in zip(models, texts, strict=True)}}
    return {
        **({"model": model.name, "source_text": texts[0]} if len(models) == 1 else several),
        "suffix": model.suffix,
        "codegen": model.codegen,
        "options": model.options,
        "nest_version": nest.version,
        "nest_build": nest.build_id,
        "compile_flags": nest.compile_flags,
        "compiler": _compiler_version(),
        **describe_generation(),
    }


@cache
def _generator_digest() -> str:
    """Return a digest of this project's part in the generation of code."""
    package = Path(nestml_optimised.__file__).parent
    files = sorted(p for p in package.rglob("*") if p.suffix in {".py", ".jinja2", ".h"})
    texts = [[str(p.relative_to(package)), p.read_text(encoding="utf-8")] for p in files]
    return compute_digest([*texts, Path(__file__).with_name("generate.py").read_text(encoding="utf-8")])


@cache
def _compiler_version() -> str:
    output = subprocess.run([compiler(), "--version"], check=True, capture_output=True, text=True)
    return output.stdout.splitlines()[0]


def check_compiler() -> None:
    """Raise `ToolchainError` if the compiler, a tool or a header that compiling a model needs is missing."""
    if missing := find_missing({tool: tool for tool in ("g++", "cmake", "make")}):
        raise ToolchainError(f"Compiling a model needs {format_missing(missing)}")


def _build(name: str, models: Sequence[Model], texts: Sequence[str], work: Path, report: Progress) -> None:
    """Generate and compile in a folder, and leave the library and the generated code there."""
    check_compiler()
    nest = find_nest()
    generated = work / _GENERATED
    generated.mkdir()
    # NEST derives a module's name from its file, and two modules may not share one.
    module_name = f"{name}module"
    report("generating C++ from NESTML")
    _generate(models, texts, generated, module_name)
    report("configuring")
    config = nest.write_config(work)
    options = [f"-Dwith-nest={config}", *_compile_as_one(work / "build" / "guarded")]
    _run(["cmake", *options, "-S", str(generated), "-B", str(work / "build")], "cmake", work)
    report("compiling")
    environment = {**os.environ, "CPLUS_INCLUDE_PATH": nest.include_path}
    command = ["cmake", "--build", str(work / "build")]
    _run(command, f"the compiler, on the C++ code of {_names(models)},", work, env=environment)
    (work / "build" / f"{module_name}.so").rename(work / f"{module_name}.so")
    for leftover in ("build", "bin", "report"):
        shutil.rmtree(work / leftover)


def _compile_as_one(folder: Path) -> list[str]:
    """Return settings of CMake with which all files are compiled as one, and write a header that this needs.

    Neuron and module include the same headers of NEST, which take about 6 s of processor time. They are not
    precompiled: with precompiled headers, GCC 12 does not vectorise the loops over lanes.
    """
    folder.mkdir(parents=True)
    (folder / "nest_impl.h").write_text(_GUARDED)
    flags = f"-DCMAKE_CXX_FLAGS={shlex.join(['-iquote', str(folder)])}"
    return ["-DCMAKE_UNITY_BUILD=ON", "-DCMAKE_UNITY_BUILD_BATCH_SIZE=0", flags]


def _generate(models: Sequence[Model], texts: Sequence[str], generated: Path, module_name: str) -> None:
    # Copies, so that the sources that are compiled are those that were hashed.
    sources = {str(generated / _source_name(model)): model for model in models}
    for source, text in zip(sources, texts, strict=True):
        Path(source).write_text(text, encoding="utf-8")
    model = models[0]
    request: dict[str, Any] = {"platform": "NEST", "target": str(generated), "module": module_name}
    request["source"] = list(sources) if len(models) > 1 else next(iter(sources))
    request |= {"suffix": model.suffix, "codegen": model.codegen, "options": model.options}
    result = run_nestml(generated.with_name("request.json"), request)
    output = result.stderr.strip()
    for source, model in sources.items():
        output = output.replace(source, str(model.source))
    if result.returncode == UNSUPPORTED:
        raise UnsupportedError("\n".join([output, *(_remedies(model) for model in models if len(models) == 1)]))
    if result.returncode == REJECTED:
        raise ToolchainError(output)
    _check(result, f"NESTML, on {_names(models)},", output)
    stored = generated / "warnings.json"
    stored.write_text(stored.read_text().replace(f"{generated}/", ""))  # the folder is renamed


def _names(models: Sequence[Model]) -> str:
    return str(models[0].source) if len(models) == 1 else f"{len(models)} models"


def _source_name(model: Model) -> str:
    """Return the file name of a copy of a model: that of the model, whose file may have any name."""
    return re.sub(r"\W", "_", model.name.removesuffix(model.suffix), flags=re.ASCII) + ".nestml"


def _remedies(model: Model) -> str:
    """Return commands that build a model that the optimised code generator does not support."""
    return "\n".join(
        [
            "Build it with NESTML's templates:",
            f"  amat build {shlex.quote(str(model.source))} --codegen nestml-checked",
            f'  amat.install({str(model.source)!r}, codegen="nestml-checked")',
        ]
    )


def _run(command: list[str], who: str, work: Path, env: dict[str, str] | None = None) -> None:
    """Run a command in a temporary folder, whose path its error does not contain."""
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    _check(result, who, result.stdout.replace(f"{work}/", ""))


def _check(result: subprocess.CompletedProcess[str], who: str, output: str) -> None:
    """Raise an error that shows the output of a command that failed."""
    if result.returncode:
        raise ToolchainError(f"{who} failed with status {result.returncode}:\n{extract_error(output)}")
