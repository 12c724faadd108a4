# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of building and installing NEST with MPI; ``./amat test cluster`` builds and runs it."""

import shutil

import pytest

from amat import toolchain


def test_missing_tools_are_named_with_the_command_that_installs_them(monkeypatch):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name: None if name in {"mpicxx", "mpirun"} else which(name))
    with pytest.raises(toolchain.ToolchainError, match=r"mpicxx, mpirun.*apt-get install .*libopenmpi-dev openmpi-bin"):
        toolchain.build_nest()


def test_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "mine").write_text("work")
    build = toolchain.NestBuild(tmp_path / "nest.whl", "key", 1.0, cached=True)
    with pytest.raises(toolchain.ToolchainError, match=str(tmp_path)):
        toolchain.install_nest(build, tmp_path)
    assert (tmp_path / "mine").read_text() == "work"


def test_a_failed_installation_leaves_no_folder(tmp_path):
    build = toolchain.NestBuild(tmp_path / "nest.whl", "key", 1.0, cached=True)
    with pytest.raises(toolchain.ToolchainError, match=r"nest\.whl could not be installed"):
        toolchain.install_nest(build, tmp_path / "new" / "nest")
    assert list(tmp_path.iterdir()) == []
