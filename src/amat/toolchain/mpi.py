# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NEST with MPI: built from its source package, kept in a cache, laid over the environment that has NEST without.

NEST's wheels have threads, but no MPI. What is built here holds only the models that the project uses, which cuts the
time to a sixth. The result is an *overlay*: a folder with ``nest`` in it and nothing else. Where it stands in
``PYTHONPATH`` it comes before the environment's own NEST, and everything else is the environment's.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from amat import paths
from amat.files import check_writable, write_json
from amat.toolchain.errors import ToolchainError
from amat.toolchain.nest_installation import SUPPORTED_VERSION, compiler

__all__ = ["NEST_MODELS", "NestBuild", "build_nest", "install_nest", "missing_packages"]

#: NEST's own models that the project's simulations create.
NEST_MODELS = (
    "ac_generator",
    "amat2_psc_exp",
    "dc_generator",
    "iaf_psc_alpha",
    "iaf_psc_exp",
    "inhomogeneous_poisson_generator",
    "izhikevich",
    "mat2_psc_exp",
    "multimeter",
    "noise_generator",
    "parrot_neuron",
    "poisson_generator",
    "sinusoidal_poisson_generator",
    "spike_generator",
    "spike_recorder",
    "static_synapse",
    "stdp_synapse",
    "step_current_generator",
)

_OPTIONS = {"with-mpi": "ON", "with-hdf5": "OFF", "with-models": ";".join(NEST_MODELS)}
_REQUIREMENT = "nest-simulator"
_RECORD = "nest-mpi.json"

#: What building takes, with Debian's packages: commands, and headers of C and C++.
_COMMANDS = {
    "g++": "g++",
    "cmake": "cmake",
    "make": "make",
    "pkg-config": "pkg-config",
    "mpicxx": "libopenmpi-dev",
    "mpirun": "openmpi-bin",
}
_HEADERS = {
    "gsl/gsl_odeiv.h": "libgsl-dev",
    "ltdl.h": "libltdl-dev",
    "boost/type_index.hpp": "libboost-dev",
}


@dataclass(frozen=True)
class NestBuild:
    """A wheel of NEST with MPI.

    Attributes
    ----------
    wheel : pathlib.Path
    key : str
        SHA-256 over all that it was made from.
    seconds : float
        What building took when it was made.
    cached : bool
        Whether it was there already.
    """

    wheel: Path
    key: str
    seconds: float
    cached: bool


def missing_packages() -> dict[str, str]:
    """Return what building NEST with MPI lacks on this machine, with Debian's package for each."""
    missing = {command: package for command, package in _COMMANDS.items() if shutil.which(command) is None}
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        missing["Python.h"] = "python3-dev"
    for header, package in _HEADERS.items():
        if "g++" in missing:
            found = Path("/usr/include", header).is_file()
        else:
            words = [compiler(), "-E", "-x", "c++", "-"]
            probe = subprocess.run(words, check=False, input=f"#include <{header}>", capture_output=True, text=True)
            found = probe.returncode == 0
        if not found:
            missing[header] = package
    return missing


def build_nest(*, progress: Callable[[str], None] | None = None) -> NestBuild:
    """Return a wheel of NEST with MPI, built if it is not in the cache; about five minutes on two cores.

    The source package is the one whose hash stands in the project's lock.

    Parameters
    ----------
    progress : callable, optional
        Called with a line of text at each step.

    Returns
    -------
    NestBuild

    Raises
    ------
    ToolchainError
        If a compiler, MPI or a header is missing, or building fails.
    """
    report = progress or (lambda line: None)
    entry = _locked_requirement()
    if missing := missing_packages():
        raise ToolchainError(
            f"Building NEST with MPI lacks {', '.join(missing)}. On Debian and Ubuntu: "
            f"apt-get install --no-install-recommends {' '.join(sorted(set(missing.values())))}"
        )
    request = _request(entry)
    key = hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()
    folder = paths.nest_cache() / key[:16]
    check_writable(folder.parent)
    with FileLock(folder.with_suffix(".lock")):
        if found := _cached(folder, key):
            return found
        return _build(folder, entry, request, key, report)


def install_nest(build: NestBuild, folder: Path) -> None:
    """Lay NEST with MPI into a folder, whole; what is there already is left as it is.

    Parameters
    ----------
    build : NestBuild
    folder : pathlib.Path
        Empty, missing, or with another build of `build_nest` in it, which is replaced.

    Raises
    ------
    ToolchainError
        If the folder holds something else, or the wheel cannot be installed.
    """
    if folder.is_dir() and any(folder.iterdir()):
        try:
            present = json.loads((folder / _RECORD).read_text())["key"]
        except (OSError, ValueError, KeyError, TypeError):
            raise ToolchainError(f"{folder} holds something else than NEST with MPI: name another folder.") from None
        if present == build.key:
            return
    check_writable(folder.absolute().parent)
    work = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        words = [*_PIP, "install", "--quiet", "--no-deps", "--no-index", "--target", str(work), str(build.wheel)]
        result = subprocess.run(words, check=False, capture_output=True, text=True, env=_environment())
        if result.returncode:
            raise ToolchainError(f"{build.wheel.name} could not be installed into {folder}:\n{_end(result.stderr)}")
        # Its nest-config names folders that are gone; the one that counts is written for each module.
        shutil.rmtree(work / "bin", ignore_errors=True)
        write_json(work / _RECORD, {"key": build.key})
        shutil.rmtree(folder, ignore_errors=True)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")


def _locked_requirement() -> str:
    """Return the lock's entry of NEST, with its hashes."""
    if paths.ROOT is None:
        raise ToolchainError(
            "Building NEST with MPI needs the project's lock: clone the project, and use ./amat there."
        )
    lock = paths.ROOT / "containers" / "requirements.lock"
    entry = re.search(rf"^{_REQUIREMENT}==(\S+) \\\n(?:    --hash=.*\n?)+", lock.read_text(), re.MULTILINE)
    if entry is None or entry.group(1) != SUPPORTED_VERSION:
        found = entry.group(1) if entry else "no version"
        raise ToolchainError(f"{lock} has {found} of {_REQUIREMENT}, and not {SUPPORTED_VERSION}: make it again.")
    return entry.group(0).rstrip()


def _request(entry: str) -> dict[str, object]:
    """Gather all that the wheel depends on, as JSON."""
    return {
        "requirement": entry,
        "options": _OPTIONS,
        "compiler": _first_line(compiler(), "--version"),
        "mpi": _first_line("mpirun", "--version"),
        "python": [sysconfig.get_config_var("SOABI"), sysconfig.get_platform()],
    }


def _first_line(*command: str) -> str:
    try:
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolchainError(f"{' '.join(command)} failed: {error}. Install it again.") from error
    return output.splitlines()[0] if output else ""


def _cached(folder: Path, key: str) -> NestBuild | None:
    """Return the wheel in a folder of the cache, or None if it is not there or not whole."""
    try:
        record = json.loads((folder / _RECORD).read_text())
        wheel = folder / record["wheel"]
        if record["key"] != key or record["sha256"] != _sha256(wheel):
            return None
        return NestBuild(wheel, key, float(record["seconds"]), cached=True)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _build(
    folder: Path, entry: str, request: Mapping[str, object], key: str, report: Callable[[str], None]
) -> NestBuild:
    """Build beside the cache entry, and move the result into its place at the end."""
    start = time.monotonic()
    work = folder.with_name(f".{folder.name}")
    shutil.rmtree(work, ignore_errors=True)  # what a killed build left
    shutil.rmtree(folder, ignore_errors=True)  # a damaged one
    try:
        work.mkdir()
        # In two steps: pip checks the hashes of what a file of requirements lists, but reads settings of a build there
        # since 23.1 only, which Debian 12 does not have. On the command line they hold for what that names.
        requirements = work / "requirements.txt"
        requirements.write_text(entry + "\n")
        report("fetching the source package of NEST")
        words = [*_PIP, "download", "--no-cache-dir", "--no-deps", "--require-hashes", "--no-binary", _REQUIREMENT]
        _run([*words, "--requirement", str(requirements), "--dest", str(work)], report)
        (source,) = work.glob("*.tar.gz")
        words = [*_PIP, "wheel", "--verbose", "--no-cache-dir", "--no-deps", "--wheel-dir", str(work)]
        words += [f"--config-settings=cmake.define.{name}={value}" for name, value in _OPTIONS.items()]
        said = _run([*words, str(source)], report)
        if not any(re.search(r"Use MPI\s*:\s*Yes", line) for line in said):
            raise ToolchainError(f"NEST was built without MPI, though MPI was asked for:\n{_end(''.join(said))}")
        (wheel,) = work.glob("*.whl")
        requirements.unlink()
        source.unlink()
        seconds = time.monotonic() - start
        # The record comes last: an entry without one is not an entry.
        record = {"key": key, "wheel": wheel.name, "sha256": _sha256(wheel), "seconds": seconds, "request": request}
        write_json(work / _RECORD, record)
        work.rename(folder)
        return NestBuild(folder / wheel.name, key, seconds, cached=False)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(words: list[str], report: Callable[[str], None]) -> list[str]:
    """Run pip, tell how far the compiler is, in tenths, and return the lines that pip said."""
    said: list[str] = []
    told = -1
    environment = _environment() | {"CMAKE_BUILD_PARALLEL_LEVEL": str(len(os.sched_getaffinity(0)))}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            said.append(line)
            if step := re.match(r"\s*\[(\d+)/(\d+)\]", line):
                tenth = 10 * int(step[1]) // int(step[2])
                if tenth > told:
                    told = tenth
                    report(f"compiling NEST with MPI: {10 * tenth} %")
    if process.returncode:
        raise ToolchainError(f"NEST with MPI could not be built:\n{_end(''.join(said))}")
    return said


def _environment() -> dict[str, str]:
    """Return the environment without what would lead pip to another Python's packages."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PIP_TARGET"}}


def _end(text: str) -> str:
    lines = text.strip().splitlines()
    first = next((i for i, line in enumerate(lines) if "error:" in line.lower()), max(0, len(lines) - 20))
    return "\n".join(f"  {line}" for line in lines[first : first + 20])


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
