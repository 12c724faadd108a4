# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Software bill of materials (SBOM): the packages of an environment with their versions and licences."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from amat.errors import AmatError
from amat.files import write_json

__all__ = ["write_sbom"]

_COPYRIGHT = Path("/usr/share/doc")


def write_sbom(path: Path, *, system: bool = False) -> Path:
    """Write a CycloneDX document that lists the packages of the current Python environment.

    Equal packages give equal bytes.

    Parameters
    ----------
    path : pathlib.Path
        The JSON file to write.
    system : bool
        Also list the installed Debian packages, with the licences in their copyright files.

    Returns
    -------
    pathlib.Path
        `path`

    Raises
    ------
    AmatError
        If cyclonedx-bom is not installed or fails, or `system` is true and there is no dpkg.

    References
    ----------
    CycloneDX 1.6, ECMA-424.
    """
    document = _python_packages()
    if system:
        document["components"] += _debian_packages()
    write_json(path, document)
    return path


def _python_packages() -> dict[str, Any]:
    """Return the CycloneDX document of this Python environment, by cyclonedx-bom."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    if not tool.is_file():
        raise AmatError("cyclonedx-bom, which lists the packages, is not installed: run `pip install cyclonedx-bom`.")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "sbom.json"
        arguments = [
            "environment",
            "--no-validate",  # validating its output takes the tool 20 times as long
            "--output-reproducible",
            "--of",
            "JSON",
            "--output-file",
            str(output),
            sys.executable,
        ]
        done = subprocess.run([str(tool), *arguments], check=False, capture_output=True, text=True)
        if done.returncode:
            raise AmatError(f"cyclonedx-py failed with status {done.returncode}:\n{done.stderr.strip()[-2000:]}")
        document: dict[str, Any] = json.loads(output.read_text())
    for component in document["components"]:
        # These contain the path of the project on this machine.
        component.pop("externalReferences", None)
        if not component.get("licenses"):
            component["licenses"] = _stated_licence(component["name"])
    document["components"].sort(key=lambda component: component["bom-ref"])
    return document


def _stated_licence(name: str) -> list[dict[str, Any]]:
    """Return the licence of a package from its metadata's free text, or else the name of its licence file."""
    package = importlib.metadata.distribution(name)
    lines = (package.metadata["License"] or "").strip().splitlines()
    texts = [file.name for file in package.files or () if re.match(r"(?i)licen[cs]e|copying", file.name)]
    named = lines[0] if lines else f"see the package's file {texts[0]}" if texts else ""
    return [{"license": {"name": named}}] if named else []


def _debian_packages() -> list[dict[str, Any]]:
    if shutil.which("dpkg-query") is None:
        raise AmatError("There is no dpkg-query: --system works only on Debian and Ubuntu.")
    columns = "--showformat=${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\n"
    shown = subprocess.run(["dpkg-query", "--show", columns], check=True, capture_output=True, text=True)
    release = _release()
    components = []
    for line in sorted(shown.stdout.splitlines()):
        status, name, version, architecture, source = line.split("\t")
        if not status.startswith("ii"):
            continue
        address = f"pkg:deb/{release['ID']}/{name}@{version}?arch={architecture}&distro={release['VERSION_CODENAME']}"
        component = {
            "type": "library",
            "bom-ref": address,
            "name": name,
            "version": version,
            "purl": address.replace("+", "%2B"),
            "properties": [{"name": "debian:source", "value": source}],
            "licenses": [{"license": {"name": licence}} for licence in _debian_licences(name)],
        }
        components.append(component)
    return components


def _release() -> dict[str, str]:
    lines = Path("/etc/os-release").read_text().splitlines()
    release = dict(line.split("=", 1) for line in lines if "=" in line)
    return {name: release.get(name, "").strip('"') for name in ("ID", "VERSION_CODENAME")}


def _debian_licences(package: str) -> list[str]:
    """Return the short names of licences in a package's copyright file, which is in Debian's format or free text."""
    file = _COPYRIGHT / package / "copyright"
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    names = {name.strip() for name in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)}
    names |= set(re.findall(r"/usr/share/common-licenses/([\w.+-]*\w)", text)) if not names else set()
    return sorted(names) or ["see the package's copyright file"]
