# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The installed NEST: its headers, its C++ ABI, and a correct ``nest-config`` for it."""

import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from nestml_optimised.errors import InstallationError

__all__ = ["SUPPORTED_VERSION", "NestInstallation", "compiler", "find_nest"]

#: The release of NEST for whose headers code is generated, and against which it is tested.
SUPPORTED_VERSION = "3.10.0"


@dataclass(frozen=True)
class NestInstallation:
    """An installed NEST, as far as it matters for building a module.

    Attributes
    ----------
    prefix : pathlib.Path
        The folder that holds ``include/nest``.
    library : pathlib.Path
        NEST's kernel, as Python loads it.
    version : str
        NEST's version.
    new_abi : bool
        Whether the kernel's C++ strings follow the ABI of GCC 5 and later.
    has_mpi : bool
        Whether NEST was built with MPI.
    """

    prefix: Path
    library: Path
    version: str
    new_abi: bool
    has_mpi: bool

    @property
    def build_id(self) -> str:
        """The SHA-256 of the kernel library."""
        return _sha256(self.library)

    @property
    def include_flags(self) -> list[str]:
        """Compiler flags that find NEST's headers, and MPI's where NEST uses it."""
        flags = [f"-I{self.prefix / 'include' / 'nest'}"]
        if self.has_mpi:
            flags += shlex.split(_output("mpicxx", "--showme:compile"))
        return flags

    @property
    def include_path(self) -> str:
        """The same folders as a value of ``CPLUS_INCLUDE_PATH``.

        NESTML's CMake file splits the flags at blanks, so that they fail where a folder's name has one.
        """
        folders = [flag.removeprefix("-I") for flag in self.include_flags if flag.startswith("-I")]
        return os.pathsep.join(filter(None, [*folders, os.environ.get("CPLUS_INCLUDE_PATH")]))

    @property
    def compile_flags(self) -> list[str]:
        """Compiler flags that make a module fit NEST's kernel."""
        abi = f"-D_GLIBCXX_USE_CXX11_ABI={int(self.new_abi)}"
        return ["-std=c++20", "-O3", "-DNDEBUG", "-fopenmp", abi]

    def write_config(self, folder: Path) -> Path:
        """Write a ``nest-config`` for this NEST, and return its path.

        A wheel's own ``nest-config`` names folders of the machine that built the wheel.

        Parameters
        ----------
        folder : pathlib.Path
            The folder that will hold ``bin/nest-config``.
        """
        # Keep folder names out of the module, so that it does not depend on where it is built.
        anonymous = [f"-ffile-prefix-map={folder}=.", f"-ffile-prefix-map={self.prefix}=nest"]
        answers = {
            "--version": self.version,
            "--prefix": str(self.prefix),
            "--exec-prefix": str(self.prefix),
            "--compiler": compiler(),
            "--compiler-name": "GNU",
            "--includes": shlex.join(self.include_flags),
            "--cflags": shlex.join([*self.compile_flags, *anonymous]),
            "--libs": "",  # Python has NEST's symbols loaded before any module
            "--static-libraries": "OFF",
            "--docdir": "share/doc/nest",
            "--datadir": "share/nest",
            "--libdir": "lib",
        }
        cases = "\n".join(f"  {key}) echo {shlex.quote(answer)} ;;" for key, answer in answers.items())
        script = folder / "bin" / "nest-config"
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(f'#!/bin/sh\ncase "$1" in\n{cases}\n  *) exit 1 ;;\nesac\n')
        script.chmod(0o755)
        return script


def compiler() -> str:
    """Return the path of the C++ compiler.

    Raises
    ------
    InstallationError
        If there is none.
    """
    path = shutil.which("g++")
    if path is None:
        raise InstallationError("g++ is missing: install a C++ compiler (Debian and Ubuntu: apt-get install g++).")
    return path


@cache
def find_nest() -> NestInstallation:
    """Find the NEST that Python would import, without importing it.

    Raises
    ------
    InstallationError
        If NEST is missing, lacks its headers, or is not of the supported release.
    """
    spec = importlib.util.find_spec("nest")
    if spec is None or spec.origin is None:
        raise InstallationError(f"NEST is not installed: pip install nest-simulator=={SUPPORTED_VERSION}.")
    package = Path(spec.origin).parent
    library = package / "nestkernel_api.so"
    prefixes = [package, *package.parents]
    prefix = next((p for p in prefixes if (p / "include" / "nest" / "config.h").is_file()), None)
    if prefix is None or not library.is_file():
        raise InstallationError(f"NEST in {package} lacks its headers or its kernel library: reinstall it.")
    config = (prefix / "include" / "nest" / "config.h").read_text()
    version = re.search(r'#define NEST_VERSION "([^"]+)"', config)
    found = version.group(1) if version else "unknown"
    if found.split(".")[:2] != SUPPORTED_VERSION.split(".")[:2]:
        raise InstallationError(
            f"NEST {found} is installed, but generated code needs NEST {SUPPORTED_VERSION}: "
            f"pip install nest-simulator=={SUPPORTED_VERSION}."
        )
    return NestInstallation(
        prefix=prefix,
        library=library,
        version=found,
        new_abi=_uses_new_abi(library),
        has_mpi=re.search(r"^#define HAVE_MPI\b", config, re.MULTILINE) is not None,
    )


def _uses_new_abi(library: Path) -> bool:
    """Return whether a library uses the new C++ ABI, from mangled names of functions that take a string first."""
    names = re.findall(rb"_ZN4nest\w+?E(Ss|NSt7__cxx1112basic_string)", library.read_bytes())
    new: int = sum(name != b"Ss" for name in names)
    if not names or 0 < new < len(names):
        raise InstallationError(f"The C++ ABI of {library} cannot be determined from its symbols: reinstall NEST.")
    return new > 0


@cache
def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstallationError(f"{shlex.join(command)} failed ({error}): install MPI's compiler wrapper.") from error
