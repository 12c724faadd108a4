# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NEST with MPI: built from its source package, cached, and installed into a folder of its own.

NEST's wheels have threads, but no MPI. The build here holds only the models that the project uses, which cuts its time
to a sixth. It is installed as an *overlay*: a folder that holds ``nest`` and nothing else. With that folder in
``PYTHONPATH``, Python finds it before the environment's NEST, and everything else in the environment.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from nestml_optimised.nest_installation import SUPPORTED_VERSION

from amat import paths
from amat.files import check_outputs, make_folder, write_json
from amat.toolchain.cache import find_or_build
from amat.toolchain.errors import ToolchainError
from amat.toolchain.system import extract_error, find_missing, format_missing

__all__ = ["BUILTIN_MODELS", "NestBuild", "build_nest", "install_nest", "missing_packages"]

#: NEST's built-in models that the project's simulations create.
BUILTIN_MODELS = (
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

_OPTIONS = {"with-mpi": "ON", "with-hdf5": "OFF", "with-models": ";".join(BUILTIN_MODELS)}
_REQUIREMENT = "nest-simulator"
_RECORD = "nest-mpi.json"

#: Commands that building needs, with Debian's packages.
_COMMANDS = {
    "g++": "g++",
    "cmake": "cmake",
    "make": "make",
    "pkg-config": "pkg-config",
    "mpicxx": "libopenmpi-dev",
    "mpirun": "openmpi-bin",
}


@dataclass(frozen=True)
class NestBuild:
    """A wheel of NEST with MPI.

    Attributes
    ----------
    wheel : pathlib.Path
    key : str
        SHA-256 of everything that the wheel depends on.
    seconds : float
        The time that building took.
    cached : bool
        Whether the wheel was in the cache already.
    """

    wheel: Path
    key: str
    seconds: float
    cached: bool


def missing_packages() -> dict[str, str]:
    """Return the Debian packages that a build of NEST with MPI needs and this machine lacks, by command or header."""
    missing = find_missing(_COMMANDS)
    if not (Path(sysconfig.get_paths()["include"]) / "Python.h").is_file():
        missing["Python.h"] = "python3-dev"
    return missing


def build_nest(*, progress: Callable[[str], None] | None = None) -> NestBuild:
    """Return a wheel of NEST with MPI, built if it is not in the cache; about five minutes on two cores.

    The source package is the one whose hash is in the project's lock.

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
    requirement = _locked_requirement()
    if missing := missing_packages():
        raise ToolchainError(f"Building NEST with MPI needs {format_missing(missing)}")
    request = {
        "requirement": requirement,
        "options": _OPTIONS,
        "compiler": _first_line("g++", "--version"),
        "mpi": _first_line("mpirun", "--version"),
        "python": [sysconfig.get_config_var("SOABI"), sysconfig.get_platform()],
    }
    entry = find_or_build(
        paths.nest_cache(), "nest", request, lambda work: _build(work, requirement, report), progress=report
    )
    (wheel,) = (name for name in entry.files if name.endswith(".whl"))
    return NestBuild(entry.folder / wheel, entry.key, entry.seconds, entry.cached)


def install_nest(build: NestBuild, folder: Path) -> None:
    """Install NEST with MPI into a folder, unless it is there already.

    Parameters
    ----------
    build : NestBuild
    folder : pathlib.Path
        Empty, missing, or with another build from `build_nest` in it, which is replaced.

    Raises
    ------
    ToolchainError
        If the folder holds anything else, or the wheel cannot be installed.
    """
    folder = Path(os.path.realpath(folder))
    check_outputs(folders=[folder])
    if folder.is_dir() and any(folder.iterdir()):
        try:
            present = json.loads((folder / _RECORD).read_text())["key"]
        except (OSError, ValueError, KeyError, TypeError):
            raise ToolchainError(f"{folder} holds something other than NEST with MPI: name another folder.") from None
        if present == build.key:
            return
    work = folder.with_name(f".{folder.name}.{os.getpid()}")
    with make_folder(folder.parent):
        try:
            command = [*_PIP, "install", "--quiet", "--no-deps", "--no-index", "--target", str(work), str(build.wheel)]
            result = subprocess.run(command, check=False, capture_output=True, text=True, env=_environment())
            if result.returncode:
                raise ToolchainError(
                    f"{build.wheel.name} could not be installed into {folder}:\n{extract_error(result.stderr)}"
                )
            # Its nest-config names folders that are gone; modules are built with one that is written for each.
            shutil.rmtree(work / "bin", ignore_errors=True)
            write_json(work / _RECORD, {"key": build.key})
            shutil.rmtree(folder, ignore_errors=True)
            work.rename(folder)
        finally:
            shutil.rmtree(work, ignore_errors=True)


_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")


def _locked_requirement() -> str:
    """Return the entry of NEST in the project's lock, with its hashes."""
    lock = paths.require_checkout("Building NEST with MPI") / "containers" / "requirements.lock"
    entry = re.search(rf"^{_REQUIREMENT}==(\S+) \\\n(?:    --hash=.*\n?)+", lock.read_text(), re.MULTILINE)
    if entry is None or entry.group(1) != SUPPORTED_VERSION:
        found = entry.group(1) if entry else "no version"
        raise ToolchainError(f"{lock} has {found} of {_REQUIREMENT}, not {SUPPORTED_VERSION}: regenerate it.")
    return entry.group(0).rstrip()


def _first_line(*command: str) -> str:
    try:
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise ToolchainError(f"{' '.join(command)} failed ({error}): reinstall it.") from error
    return output.splitlines()[0] if output else ""


def _build(work: Path, requirement: str, report: Callable[[str], None]) -> None:
    """Build the wheel in a folder, and leave nothing else there."""
    # In two steps, because only requirements files have hashes, and pip reads build settings there since 23.1 only,
    # which Debian 12 lacks. On the command line the settings apply to the packages that it names.
    requirements = work / "requirements.txt"
    requirements.write_text(requirement + "\n")
    report("fetching the source package of NEST")
    command = [*_PIP, "download", "--no-cache-dir", "--no-deps", "--require-hashes", "--no-binary", _REQUIREMENT]
    _run([*command, "--requirement", str(requirements), "--dest", str(work)], report)
    (source,) = work.glob("*.tar.gz")
    command = [*_PIP, "wheel", "--verbose", "--no-cache-dir", "--no-deps", "--wheel-dir", str(work)]
    command += [f"--config-settings=cmake.define.{name}={value}" for name, value in _OPTIONS.items()]
    output = _run([*command, str(source)], report)
    if not any(re.search(r"Use MPI\s*:\s*Yes", line) for line in output):
        raise ToolchainError(
            f"NEST was built without MPI, although it was requested:\n{extract_error(''.join(output))}"
        )
    requirements.unlink()
    source.unlink()


def _run(command: list[str], report: Callable[[str], None]) -> list[str]:
    """Run pip, report the compiler's progress in tenths, and return the lines of pip's output."""
    output: list[str] = []
    reported = -1
    environment = _environment() | {"CMAKE_BUILD_PARALLEL_LEVEL": str(len(os.sched_getaffinity(0)))}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            output.append(line)
            if step := re.match(r"\s*\[(\d+)/(\d+)\]", line):
                tenth = 10 * int(step[1]) // int(step[2])
                if tenth > reported:
                    reported = tenth
                    report(f"compiling NEST with MPI: {10 * tenth} %")
    if process.returncode:
        raise ToolchainError(f"NEST with MPI could not be built:\n{extract_error(''.join(output))}")
    return output


def _environment() -> dict[str, str]:
    """Return the environment without variables that would point pip to another Python's packages."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PIP_TARGET"}}
