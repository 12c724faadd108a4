# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Programs and headers that building needs, with the packages of Debian and Ubuntu that have them."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

__all__ = ["extract_error", "find_missing", "format_missing", "read_headers"]


def read_headers() -> dict[str, str]:
    """Return the packages of the C and C++ headers that NEST's headers and generated code include, by header.

    The launcher ``./amat`` reads the same file.
    """
    lines = Path(__file__).with_name("headers.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split() for line in lines if line and not line.startswith("#"))


def find_missing(commands: Mapping[str, str]) -> dict[str, str]:
    """Return the packages of the missing commands and headers, by command or header.

    Parameters
    ----------
    commands : mapping of str to str
        The packages of the commands to look for, by command.
    """
    missing = {command: package for command, package in commands.items() if shutil.which(command) is None}
    return missing | {header: package for header, package in read_headers().items() if not _has_header(header)}


def format_missing(missing: Mapping[str, str]) -> str:
    """Return the part of an error message that names missing commands and headers, and how to install them."""
    packages = " ".join(sorted(set(missing.values())))
    return f"{', '.join(missing)}. On Debian and Ubuntu: apt-get install --no-install-recommends {packages}"


def extract_error(output: str) -> str:
    """Return the lines of a program's output that show the cause of its failure.

    They start with the first error, because later messages of a compiler seldom help, or are the last 20 lines.
    """
    lines = output.strip().splitlines()
    first = next(
        (i for i, line in enumerate(lines) if re.search(r"\berror\b(:| at )", line, re.I)), max(0, len(lines) - 20)
    )
    return "\n".join(f"  {line}" for line in lines[first : first + 20])


def _has_header(header: str) -> bool:
    compiler = shutil.which("g++")
    if compiler is None:
        return Path("/usr/include", header).is_file()
    command = [compiler, "-E", "-x", "c++", "-"]
    probe = subprocess.run(command, check=False, input=f"#include <{header}>".encode(), capture_output=True)
    return probe.returncode == 0
