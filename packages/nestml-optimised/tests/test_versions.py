# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The check of NESTML's version, and the version in the C++ namespace."""

import re
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import nestml_optimised
import pytest
from nestml_optimised import NestmlOptimisedError, UnsupportedVersionError, versions

INCLUDE = Path(nestml_optimised.__file__).parent / "include"
PROJECT = Path(__file__).parents[1] / "pyproject.toml"


def test_installed_versions_are_supported():
    versions.check_versions()


@pytest.mark.parametrize(
    ("distribution", "installed"), [("nestml", "8.1.0"), ("nestml", "9.1.0"), ("odetoolbox", "2.5.9"), ("nestml", None)]
)
def test_another_version_is_refused_by_name(monkeypatch, distribution, installed):
    def version(name):
        if name != distribution:
            return versions.SUPPORTED[name] + ".0"
        if installed is None:
            raise PackageNotFoundError(name)
        return installed

    monkeypatch.setattr(versions, "version", version)
    with pytest.raises(
        UnsupportedVersionError, match=f"{distribution} .*{installed or 'no version'}.* pip install"
    ) as e:
        versions.check_versions()
    assert isinstance(e.value, NestmlOptimisedError)


def test_headers_have_the_version_in_their_namespace():
    """Every header, so that modules made by two versions of the package share no symbols."""
    version = tomllib.loads(PROJECT.read_text())["project"]["version"].replace(".", "_")
    headers = sorted(set(INCLUDE.glob("*.h")) - {INCLUDE / "vectorisation.h"})  # which has macros alone
    assert headers
    for header in headers:
        opened, closed = (
            re.findall(pattern, header.read_text(), re.MULTILINE)
            for pattern in (r"^namespace (.*)$", r"^} // namespace (.*)$")
        )
        assert opened[0] == closed[-1] == f"nestml_optimised::inline v{version}", header.name  # others are inside it


def test_dependencies_are_the_supported_versions():
    dependencies = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    for distribution, supported in versions.SUPPORTED.items():
        assert any(d.startswith(f"{distribution}>={supported}.") for d in dependencies)
