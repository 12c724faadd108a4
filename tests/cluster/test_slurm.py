# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The Slurm of these tests leaves other clusters alone, and cleans up after killed runs."""

import contextlib
import os
import re
import signal
import subprocess

import pytest
import slurm
from filelock import FileLock


@pytest.fixture
def former(tmp_path):
    """The configuration of another run of these tests, and a process that it has started."""
    configured = tmp_path / "former" / "slurm.conf"
    configured.parent.mkdir()
    configured.write_text(slurm.configuration(configured.parent, nodes=2, cpus=2, version=(22, 5))["slurm.conf"])
    job = subprocess.Popen(["sleep", "60"], env={**os.environ, "AMAT_SLURM": str(configured.parent)})
    yield configured, job
    job.kill()
    job.wait()


def test_nothing_listens_beyond_loopback(tmp_path):
    text = slurm.configuration(tmp_path, nodes=3, cpus=2, version=(22, 5))["slurm.conf"]
    assert re.findall(r"NodeAddr=(\S+)", text) == ["127.0.0.1"] * 3
    assert "SlurmctldHost=localhost(127.0.0.1)\n" in text
    assert "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny\n" in text
    assert len(set(re.findall(r"Port=(\d+)", text))) == 4


def test_default_configuration_is_restored_after_an_error(tmp_path):
    link, target = tmp_path / "etc" / "slurm.conf", tmp_path / "ours.conf"
    target.write_text("ours")
    with contextlib.suppress(KeyboardInterrupt), slurm.default_configuration(target, link):
        assert link.read_text() == "ours"
        raise KeyboardInterrupt
    assert not link.parent.exists()


def test_configuration_of_another_cluster_is_left_alone(tmp_path):
    link = tmp_path / "slurm.conf"
    link.write_text("ClusterName=theirs\n")
    with (
        pytest.raises(slurm.ClusterError, match="belongs to a cluster"),
        slurm.default_configuration(tmp_path / "x", link),
    ):
        pass
    assert link.read_text() == "ClusterName=theirs\n"


def test_active_run_is_left_alone(tmp_path, former):
    link, (configured, job) = tmp_path / "slurm.conf", former
    link.symlink_to(configured)
    with FileLock(configured.with_name("owner.lock")):
        with pytest.raises(slurm.ClusterError, match="another run"), slurm.default_configuration(tmp_path / "x", link):
            pass
        assert link.readlink() == configured
        assert job.poll() is None


def test_jobs_and_configuration_of_a_killed_run_are_removed(tmp_path, former):
    link, (configured, job) = tmp_path / "slurm.conf", former
    link.symlink_to(configured)
    with slurm.default_configuration(tmp_path / "ours.conf", link):
        assert job.wait(5) == -signal.SIGTERM
        assert link.readlink() == tmp_path / "ours.conf"
