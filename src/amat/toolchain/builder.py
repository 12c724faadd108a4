# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Build a model's NEST module once, and keep it as long as nothing that matters has changed."""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nestml_optimised
from filelock import FileLock

from amat import paths
from amat.files import write_json
from amat.toolchain.catalogue import AMAT, FAST_ANALYTIC, Model, find_model
from amat.toolchain.errors import UNSUPPORTED, ToolchainError, UnsupportedError
from amat.toolchain.nest_installation import compiler, find_nest

__all__ = ["Module", "Progress", "build"]

#: Called with the name of each stage as it begins.
Progress = Callable[[str], None]

_RECORD = "module.json"
_GENERATED = "generated"


@dataclass(frozen=True)
class Module:
    """A compiled NEST module.

    Attributes
    ----------
    model : str
        The model's name in NEST.
    key : str
        SHA-256 over all that the module was made from.
    library : pathlib.Path
        The shared object that NEST loads.
    sha256 : str
        The SHA-256 of the shared object.
    seconds : float
        What generation and compilation took when the module was made.
    cached : bool
        Whether it was there already.
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
        """Return the closed-form propagators that NESTML generated, as expressions by name."""
        found: dict[str, dict[str, str]] = json.loads((self.generated / "propagators.json").read_text())
        return found[self.model]


def build(model: str | Model = AMAT, *, progress: Progress | None = None) -> Module:
    """Return a model's module for NEST, built if it is not in the cache.

    Parameters
    ----------
    model : str or Model
        A name from `amat.toolchain.MODELS`, the path of a NESTML file, or a model of your own.
    progress : callable, optional
        Called with the name of each stage as it begins.

    Returns
    -------
    Module

    Raises
    ------
    ToolchainError
        If the model is unknown or rejected by NESTML, a compiler or header is missing, compilation fails, or
        the cache cannot be written. Nothing is left in the cache then.
    """
    if isinstance(model, str):
        model = find_model(model)
    request = _request(model)
    key = _digest(request)
    entry = f"{model.name}-{key[:16]}"
    folder = paths.module_cache() / entry
    for place in filter(None, (paths.prebuilt_modules(), folder.parent)):
        if module := _cached(model.name, key, place / entry):
            return module
    report = progress or (lambda stage: None)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            # Another process may have built it while this one waited.
            if module := _cached(model.name, key, folder):
                return module
            if folder.exists():
                report("replacing a damaged module")
                shutil.rmtree(folder)
            return _build(model, request, key, folder, report)
    except OSError as error:
        raise ToolchainError(_explain(error, folder.parent)) from error


def _request(model: Model) -> dict[str, Any]:
    """Gather all that a module depends on, as JSON."""
    nest = find_nest()
    return {
        "model": model.name,
        "source_text": model.read(),
        "suffix": model.suffix,
        "codegen": model.codegen,
        "fallback": model.fallback,
        "options": model.options,
        "nest_version": nest.version,
        "nest_build": nest.build_id,
        "compile_flags": nest.compile_flags,
        "compiler": _compiler_version(),
        "packages": {name: version(name) for name in ("nestml", "odetoolbox", "sympy")},
        "generator": _generator_digest(),
    }


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


@cache
def _generator_digest() -> str:
    """Return a digest of this package's own part in the generation."""
    package = Path(nestml_optimised.__file__).parent
    files = sorted(p for p in package.rglob("*") if p.suffix in {".py", ".jinja2", ".h"})
    texts = [[str(p.relative_to(package)), p.read_text(encoding="utf-8")] for p in files]
    return _digest([*texts, Path(__file__).with_name("generate.py").read_text(encoding="utf-8")])


@cache
def _compiler_version() -> str:
    output = subprocess.run([compiler(), "--version"], check=True, capture_output=True, text=True)
    return output.stdout.splitlines()[0]


def _cached(name: str, key: str, folder: Path) -> Module | None:
    """Return the module in a folder of the cache, or None if it is not there or not whole."""
    try:
        record = json.loads((folder / _RECORD).read_text())
        library = folder / record["library"]
        content = library.read_bytes()
        if record["key"] != key or record["sha256"] != hashlib.sha256(content).hexdigest():
            return None
        return Module(name, key, library, record["sha256"], record["seconds"], cached=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _build(model: Model, request: dict[str, Any], key: str, folder: Path, report: Progress) -> Module:
    """Generate and compile beside the cache entry, and move the result into its place at the end."""
    start = time.monotonic()
    _check_tools()
    work = folder.with_name(f".{folder.name}")
    shutil.rmtree(work, ignore_errors=True)  # what a killed build left
    try:
        generated = work / _GENERATED
        generated.mkdir(parents=True)
        # NEST derives a module's name from its file, and two modules may not share one.
        module_name = f"{model.name}module"
        report("generating C++ from NESTML")
        _generate(model, request, work, generated, module_name, report)
        report("configuring")
        config = find_nest().write_config(work)
        _run(["cmake", f"-Dwith-nest={config}", "-S", str(generated), "-B", str(work / "build")], "cmake")
        report("compiling")
        jobs = str(len(os.sched_getaffinity(0)))
        environment = {**os.environ, "CPLUS_INCLUDE_PATH": find_nest().include_path}
        _run(["cmake", "--build", str(work / "build"), "--parallel", jobs], "the compiler", env=environment)
        library = work / f"{module_name}.so"
        (work / "build" / library.name).rename(library)
        for leftover in ("build", "bin", "report"):
            shutil.rmtree(work / leftover)
        sha256 = hashlib.sha256(library.read_bytes()).hexdigest()
        module = Module(model.name, key, folder / library.name, sha256, time.monotonic() - start, cached=False)
        # The record comes last: an entry without one is not an entry.
        record = asdict(module) | {"library": library.name, "request": request}
        write_json(work / _RECORD, record)
        work.rename(folder)
        return module
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _generate(
    model: Model, request: dict[str, Any], work: Path, generated: Path, module_name: str, report: Progress
) -> None:
    # A copy: the source that is compiled is the one that was hashed.
    source = generated / model.source.name
    source.write_text(request["source_text"], encoding="utf-8")
    request_file = work / "request.json"
    command = [sys.executable, "-m", "amat.toolchain.generate", str(request_file)]
    environment = {**os.environ, "PYNEST_QUIET": "1"}
    for codegen, options in _attempts(model):
        order: dict[str, Any] = {"source": str(source), "target": str(generated), "module": module_name}
        order |= {"codegen": codegen, "options": options}
        request_file.write_text(json.dumps(request | order))
        try:
            _run(command, f"NESTML, on {model.source},", env=environment)
            break
        except UnsupportedError as error:
            if not model.fallback:
                raise ToolchainError(f"{error}\n  --fallback builds it with nestml-checked.") from None
            report(f"falling back to the code generator nestml-checked: {error}")
    request_file.unlink()
    if not (generated / f"{model.name}.cpp").is_file():
        raise ToolchainError(
            f"NESTML made no code for {model.name} out of {model.source}: "
            f"the model in the file must be named {model.source.stem}."
        )


def _attempts(model: Model) -> list[tuple[str, dict[str, Any]]]:
    """Return the code generators to try, with their options."""
    attempts: list[tuple[str, dict[str, Any]]] = [(model.codegen, model.options)]
    if model.fallback:
        attempts.append(("nestml-checked", FAST_ANALYTIC))
    return attempts


def _run(command: list[str], who: str, env: dict[str, str] | None = None) -> None:
    """Run a command; where it fails raise an error that shows what it said."""
    result = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=env)
    if result.returncode == UNSUPPORTED:
        raise UnsupportedError(result.stdout.strip())
    if result.returncode != 0:
        lines = result.stdout.strip().splitlines()
        # The first error is the cause; what a compiler says after it seldom helps.
        first = next((i for i, line in enumerate(lines) if "error" in line.lower()), max(0, len(lines) - 20))
        shown = "\n  ".join(lines[first : first + 20])
        raise ToolchainError(f"{who} failed with status {result.returncode}:\n  {shown}")


#: Headers of other projects that NEST's headers and the generated code include, with Debian's packages.
_HEADERS = {
    "gsl/gsl_odeiv.h": "libgsl-dev",
    "boost/type_index.hpp": "libboost-dev",
    "ltdl.h": "libltdl-dev",
}


def _check_tools() -> None:
    """Find out what is missing before any work is done."""
    for tool in ("cmake", "make"):
        if shutil.which(tool) is None:
            raise ToolchainError(f"{tool} is missing: install it (Debian and Ubuntu: apt-get install {tool}).")
    for header, package in _HEADERS.items():
        command = [compiler(), "-E", "-x", "c++", "-"]
        probe = subprocess.run(command, check=False, input=f"#include <{header}>", capture_output=True, text=True)
        if probe.returncode != 0:
            raise ToolchainError(
                f"The C++ header {header} is missing: install it (Debian and Ubuntu: apt-get install {package})."
            )


def _explain(error: OSError, cache_folder: Path) -> str:
    if error.errno == errno.ENOSPC:
        remedy = "the disk is full: make room there"
    elif error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
        remedy = "it cannot be written: mend its permissions"
    else:
        remedy = str(error)
    return f"The cache of modules, {cache_folder}: {remedy}, or name another folder in AMAT_CACHE."
