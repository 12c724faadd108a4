# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The software bill of materials (SBOM): which packages an environment is made of, and under which licences."""

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
    """Write the packages of the running Python's environment as a CycloneDX document.

    The same packages give the same bytes.

    Parameters
    ----------
    path : pathlib.Path
        The file to write, in JSON.
    system : bool
        Whether Debian's installed packages are listed as well, with the licences that their copyright files name.

    Returns
    -------
    pathlib.Path
        `path`

    Raises
    ------
    AmatError
        If the tool that lists Python's packages is not installed, or fails; or there is no dpkg for those of Debian.

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
    """Return what the maintained tool says of this environment."""
    tool = Path(sys.executable).with_name("cyclonedx-py")
    if not tool.is_file():
        raise AmatError("The tool that lists packages, cyclonedx-bom, is not installed: `pip install cyclonedx-bom`.")
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "sbom.json"
        words = [
            "environment",
            "--no-validate",  # of what the tool has made itself, at twenty times the cost
            "--output-reproducible",
            "--of",
            "JSON",
            "--output-file",
            str(output),
            sys.executable,
        ]
        done = subprocess.run([str(tool), *words], check=False, capture_output=True, text=True)
        if done.returncode:
            raise AmatError(f"cyclonedx-py failed with status {done.returncode}:\n{done.stderr.strip()[-2000:]}")
        document: dict[str, Any] = json.loads(output.read_text())
    for component in document["components"]:
        # Where the project itself lies on this machine is nobody's business.
        component.pop("externalReferences", None)
        if not component.get("licenses"):
            component["licenses"] = _stated_licence(component["name"])
    document["components"].sort(key=lambda component: component["bom-ref"])
    return document


def _stated_licence(name: str) -> list[dict[str, Any]]:
    """Return the licence of a package that names it in free words, or brings its text alone."""
    package = importlib.metadata.distribution(name)
    lines = (package.metadata["License"] or "").strip().splitlines()
    texts = [file.name for file in package.files or () if re.match(r"(?i)licen[cs]e|copying", file.name)]
    named = lines[0] if lines else f"see the package's file {texts[0]}" if texts else ""
    return [{"license": {"name": named}}] if named else []


def _debian_packages() -> list[dict[str, Any]]:
    if shutil.which("dpkg-query") is None:
        raise AmatError("Packages of the system are listed on Debian and Ubuntu only: there is no dpkg-query here.")
    form = "${db:Status-Abbrev}\t${Package}\t${Version}\t${Architecture}\t${source:Package}\n"
    shown = subprocess.run(["dpkg-query", "--show", f"--showformat={form}"], check=True, capture_output=True, text=True)
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
    """Return the short names of licences in a package's copyright file; Debian's own form, or free text."""
    file = _COPYRIGHT / package / "copyright"
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    names = {name.strip() for name in re.findall(r"^License:[ \t]*(\S.*)$", text, re.MULTILINE)}
    names |= set(re.findall(r"/usr/share/common-licenses/([\w.+-]*\w)", text)) if not names else set()
    return sorted(names) or ["see the package's copyright file"]
