# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The files that images are built from; ``./amat test images`` builds and runs the images."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from amat import paths, toolchain
from amat.release import sbom

ROOT = Path(__file__).parents[2]
DEFINITION = (ROOT / "apptainer.def").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
LOCK = (ROOT / "containers" / "requirements.lock").read_text()
#: Parts of a clone that an image does not have.
LEFT_OUT = {".ci", ".dockerignore", ".github", ".gitignore"}


def section(name: str) -> str:
    found = re.search(rf"^%{name}\n(.*?)(?=^%|\Z)", DEFINITION, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[1]


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def docker_inputs() -> dict[str, str]:
    """Return the paths in the image of all that the Dockerfile copies, by the paths in the checkout."""
    found = {}
    for line in re.findall(r"^COPY (.+)$", DOCKERFILE, re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            found[source] = f"{target}{Path(source).name}" if target.endswith("/") else target
    # Docker mounts the certificates during the build; Apptainer copies and removes them.
    for mount in set(re.findall(r"--mount=type=bind,source=(\S+),target=(\S+)", DOCKERFILE)):
        found[mount[0]] = mount[1]
    return found


# --- the two files ----------------------------------------------------------------------------------------------------


def test_both_files_have_the_same_base_and_arguments():
    arguments = dict(re.findall(r"^\s+(\w+)=(\S+)$", section("arguments"), re.MULTILINE))
    assert {name.upper(): value for name, value in arguments.items()} == dict(
        re.findall(r"^ARG (\w+)=(\S+)$", DOCKERFILE, re.MULTILINE)
    )
    assert arguments["base"] == "debian:bookworm-slim"
    assert "\nFrom: {{ base }}\n" in DEFINITION
    assert "\nFROM ${BASE}\n" in DOCKERFILE


@pytest.mark.usefixtures("clone")
def test_both_files_copy_the_same():
    copied = dict(line.split() for line in section("files").splitlines() if line.strip())
    assert copied == docker_inputs()
    assert all((ROOT / source).exists() for source in copied)


def test_all_tracked_files_are_copied(clone):
    tracked = subprocess.run(["git", "-C", clone, "ls-files"], check=True, capture_output=True, text=True)
    copied = docker_inputs()
    missing = [
        path
        for path in tracked.stdout.splitlines()
        if not any(path == source or path.startswith(f"{source}/") for source in copied)
        and Path(path).parts[0] not in LEFT_OUT
    ]
    assert not missing


@pytest.mark.usefixtures("clone")
def test_files_that_git_ignores_are_in_no_image():
    """Docker leaves them out by .dockerignore; containers/install removes those that Apptainer has copied."""
    ignored = {line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line.startswith("/")} - {
        "containers/certificates/*.crt"
    }
    script = (ROOT / "containers" / "install").read_text()
    removed = next(line for line in script.splitlines() if line.strip().startswith("rm -rf .venv")).split()
    docker = (ROOT / ".dockerignore").read_text().split()
    copied = docker_inputs()
    for name in ignored:
        inside = any(name.startswith(f"{source}/") for source in copied)
        assert not inside or (name in docker and name in removed), name


def test_both_files_install_and_start_the_same():
    commands = re.findall(r"/opt/amat/containers/install \w+", section("post"))
    assert commands == re.findall(r"/opt/amat/containers/install \w+", DOCKERFILE)
    assert commands == [f"/opt/amat/containers/install {part}" for part in ("base", "jupyter", "bill")]
    (entry,) = re.findall(r"^ENTRYPOINT (.+)$", DOCKERFILE, re.MULTILINE)
    assert section("runscript").split()[:2] == ["exec", *json.loads(entry)]


def test_both_files_have_the_labels_of_the_project():
    labels = dict(line.split(maxsplit=1) for line in section("labels").splitlines() if line.strip())
    docker = dict(re.findall(r'(org\.opencontainers\.image\.\w+)="([^"]*)"', DOCKERFILE))
    assert labels.pop("org.opencontainers.image.revision") == "{{ commit }}"
    assert docker.pop("org.opencontainers.image.revision") == "${COMMIT}"
    assert labels == docker
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert labels["org.opencontainers.image.version"] == project["version"]
    assert labels["org.opencontainers.image.licenses"] == project["license"]


@pytest.mark.parametrize("name", ["install", "entrypoint", "make-lock"])
def test_scripts_are_executable_and_parse(name):
    path = ROOT / "containers" / name
    assert os.access(path, os.X_OK)
    subprocess.run(["bash", "-n", path], check=True)


# --- the lock ---------------------------------------------------------------------------------------------------------


def test_every_locked_package_has_hashes_and_no_address():
    entries = re.split(r"\n(?=[a-z0-9])", re.sub(r"^#.*\n", "", LOCK, flags=re.MULTILINE).strip())
    assert len(entries) > 100
    for entry in entries:
        first, *others = entry.splitlines()
        assert re.match(r"[a-z0-9][a-z0-9.-]*==\S+( ; .*)? \\$", first), first
        assert others
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line) for line in others), entry
    assert "://" not in LOCK


def test_required_packages_are_in_no_optional_group():
    """The package, its pipeline and its tests need them, directly or through others: they stay in an image."""
    groups = {
        line.split()[0]: set(line.split()[1:])
        for line in (ROOT / "containers" / "optional.txt").read_text().splitlines()
        if not line.startswith("#")
    }
    assert set(groups) == {"jupyter", "release"}
    locked = set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", LOCK, re.MULTILINE))
    assert set.union(*groups.values()) <= locked
    needed: set[str] = set()
    waiting = [("amat", frozenset({"book", "test", "archive", "nix", "microcircuit"}))]
    seen = set(waiting)
    while waiting:
        name, extras = waiting.pop()
        for text in importlib.metadata.requires(name) or []:
            requirement = Requirement(text)
            environments = [{"extra": extra} for extra in extras or {""}]
            if requirement.marker and not any(requirement.marker.evaluate(given) for given in environments):
                continue
            found = canonical(requirement.name)
            needed.add(found)
            if (step := (found, frozenset(requirement.extras))) not in seen:
                seen.add(step)
                waiting.append(step)
    assert needed > {"nest-simulator", "pytest", "snakemake"}
    assert not needed & set.union(*groups.values())


# --- prebuilt modules -------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_prebuilt_modules_are_used_and_nothing_is_written(amat_module, tmp_path, monkeypatch):
    monkeypatch.setenv("AMAT_PREBUILT", str(amat_module.library.parents[1]))
    monkeypatch.setenv("AMAT_CACHE", str(tmp_path / "cache"))
    assert paths.prebuilt_modules() == amat_module.library.parents[1]
    found = toolchain.build(toolchain.AMAT)
    assert (found.cached, found.library) == (True, amat_module.library)
    assert not (tmp_path / "cache").exists()


# --- the bill of materials --------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_bill_of_materials_lists_all_packages_with_versions_and_licences(tmp_path):
    path = sbom.write_sbom(tmp_path / "sbom.json", system=True)
    document = json.loads(path.read_text())
    assert document["bomFormat"] == "CycloneDX"
    python = {c["name"]: c for c in document["components"] if c.get("purl", "").startswith("pkg:pypi/")}
    installed = {
        canonical(found.metadata["Name"]): found.version
        for found in importlib.metadata.distributions(path=[str(Path(importlib.metadata.__file__).parent), *sys.path])
        if found.metadata["Name"] not in {"amat", "nestml-optimised"}
    }
    assert {canonical(name): component["version"] for name, component in python.items()} == installed
    debian = {c["name"] for c in document["components"] if c.get("purl", "").startswith("pkg:deb/")}
    assert {"bash", "libc6"} <= debian
    unlicensed = {component["name"] for component in document["components"] if not component.get("licenses")}
    # Packages of other vendors may lack the copyright file that Debian requires.
    assert not {name for name in unlicensed if name in python or Path("/usr/share/doc", name, "copyright").exists()}
    assert str(ROOT) not in path.read_text()
