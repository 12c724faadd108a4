# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The local cluster as far as it goes without one; the real thing is ``amat verify cluster``."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock

from amat import debian, paths
from amat.cluster import ClusterError, checks, slurm, spikes
from amat.debian import PackageError, PackageUnavailableError
from amat.toolchain import ToolchainError, mpi

FOLDER = Path("/tmp/amat-test")


def configuration(version=(22, 5), nodes=3):
    ports = list(range(20001, 20002 + nodes))
    return slurm.configuration(FOLDER, nodes=nodes, cpus=2, memory=1000, ports=ports, user="someone", version=version)


def settings(text):
    """Every ``Name=value`` of a line's beginning."""
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


# --- the configuration -------------------------------------------------------------------------------------------


def test_each_node_has_a_port_and_folders_of_its_own():
    text = configuration()["slurm.conf"]
    ports = re.findall(r"^NodeName=(n\d) .* Port=(\d+) CPUs=2 .* RealMemory=1000 ", text, re.MULTILINE)
    assert ports == [("n1", "20002"), ("n2", "20003"), ("n3", "20004")]
    found = settings(text)
    assert found["SlurmctldPort"] == "20001"
    # Shared between nodes, these make PMIx fail.
    assert all(found[name].endswith("-%n") for name in ("TmpFS", "SlurmdSpoolDir"))
    assert found["PartitionName"].startswith("batch Nodes=n[1-3] ")


def test_nothing_listens_beyond_loopback_or_writes_beyond_its_folder():
    text = configuration()["slurm.conf"]
    found = settings(text)
    assert set(re.findall(r"NodeAddr=(\S+)", text)) == {"127.0.0.1"}
    assert found["SlurmctldHost"] == "localhost(127.0.0.1)"
    assert found["CommunicationParameters"] == "NoCtldInAddrAny,NoInAddrAny"
    written = re.findall(r"^(?:StateSave\w+|\w+File|\w+Dir|TmpFS)=(.*)$", text, re.MULTILINE)
    assert len(written) == 7
    assert all(path.startswith(f"{FOLDER}/") for path in written)


@pytest.mark.parametrize(
    ("version", "plugin"), [((22, 5), "cgroup/v1"), ((23, 11), "disabled"), ((24, 11), "disabled")]
)
def test_no_cgroups_in_the_words_of_each_version(version, plugin):
    assert settings(configuration(version)["cgroup.conf"])["CgroupPlugin"] == plugin


def test_a_folder_too_long_for_sockets_is_refused():
    with pytest.raises(ClusterError, match=r"/x{70} is too long"):
        slurm.Slurm(Path("/" + 70 * "x"), nodes=2, cpus=2)


def test_free_ports_differ():
    assert len(set(slurm._free_ports(5))) == 5


# --- Slurm's default configuration -------------------------------------------------------------------------------


def test_the_default_configuration_is_ours_for_a_while(tmp_path):
    link, target = tmp_path / "etc" / "slurm.conf", tmp_path / "ours.conf"
    target.write_text("ours")
    with slurm._default_configuration(target, link):
        assert link.read_text() == "ours"
    assert not link.parent.exists()


def test_the_link_goes_whatever_ends_the_block(tmp_path):
    link = tmp_path / "etc" / "slurm.conf"
    with pytest.raises(KeyboardInterrupt), slurm._default_configuration(tmp_path / "ours.conf", link):
        raise KeyboardInterrupt
    assert not link.is_symlink()


def test_the_configuration_of_a_real_cluster_is_left_alone(tmp_path):
    link = tmp_path / "slurm.conf"
    link.write_text("ClusterName=theirs\n")
    with pytest.raises(ClusterError, match="belongs to a cluster"), slurm._default_configuration(tmp_path / "x", link):
        pass
    assert link.read_text() == "ClusterName=theirs\n"


@pytest.mark.parametrize("left", ["dangling", "stopped"])
def test_what_a_killed_run_left_is_replaced(tmp_path, left):
    link, target = tmp_path / "slurm.conf", tmp_path / "ours.conf"
    former = tmp_path / "former" / "slurm.conf"
    if left == "stopped":
        former.parent.mkdir()
        former.write_text(configuration()["slurm.conf"])
    link.symlink_to(former)
    target.write_text("ours")
    with slurm._default_configuration(target, link):
        assert link.read_text() == "ours"


@pytest.fixture
def former(tmp_path):
    """The configuration of another test of this kind, and a process that it has started."""
    configured = tmp_path / "former" / "slurm.conf"
    configured.parent.mkdir()
    configured.write_text(configuration()["slurm.conf"])
    job = subprocess.Popen(["sleep", "60"], env={**os.environ, "AMAT_SLURM": str(configured.parent)})
    yield configured, job
    job.kill()
    job.wait()


def test_a_test_that_runs_is_left_alone(tmp_path, former):
    link, (configured, job) = tmp_path / "slurm.conf", former
    link.symlink_to(configured)
    with FileLock(configured.parent / "owner.lock"):
        with pytest.raises(ClusterError, match="another test"), slurm._default_configuration(tmp_path / "x", link):
            pass
        assert link.readlink() == configured
        assert job.poll() is None


def test_jobs_of_a_killed_test_are_ended(tmp_path, former):
    link, (configured, job) = tmp_path / "slurm.conf", former
    link.symlink_to(configured)
    with slurm._default_configuration(tmp_path / "x", link):
        assert job.wait(5) == -15


# --- daemons -----------------------------------------------------------------------------------------------------


def test_what_carries_the_mark_is_stopped_and_nothing_else(tmp_path):
    cluster = slurm.Slurm(tmp_path, nodes=1, cpus=1) if len(str(tmp_path)) <= 60 else slurm.Slurm(FOLDER, 1, 1)
    ours = subprocess.Popen(["sleep", "60"], env={**os.environ, "AMAT_SLURM": str(cluster.folder)})
    other = subprocess.Popen(["sleep", "60"], env={**os.environ, "AMAT_SLURM": str(cluster.folder / "other")})
    try:
        time.sleep(0.2)
        cluster.stop()
        assert ours.wait(5) == -15
        assert other.poll() is None
    finally:
        for process in (ours, other):
            process.kill()
            process.wait()


def test_sigterm_ends_the_block_in_order():
    code = (
        "import os, signal\nfrom amat.cluster import slurm\n"
        "with slurm._terminated():\n"
        "    try:\n        os.kill(os.getpid(), signal.SIGTERM)\n        signal.pause()\n"
        "    finally:\n        print('stopped in order')\n"
    )
    finished = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60)
    assert (finished.returncode, finished.stdout) == (143, "stopped in order\n")


def test_missing_programs_are_named_with_their_package(tmp_path, monkeypatch):
    monkeypatch.setattr(slurm, "_search_path", lambda: str(tmp_path))
    with pytest.raises(ClusterError, match="munged is missing: apt-get install munge"):
        slurm.Slurm(FOLDER, nodes=1, cpus=1).start()


# --- packages ----------------------------------------------------------------------------------------------------

#: A stand-in for apt: which packages it knows, and which of them can be fetched and installed.
APT = """\
#!/bin/sh
echo "$0 $*" >>{folder}/calls
case "${{0##*/}} $*" in
  *policy*) case " {known} " in *" $2 "*) echo "  Candidate: 1.0" ;; *) echo "  Candidate: (none)" ;; esac ;;
  *--download-only*) [ {fetched} = yes ] || {{ echo "E: 404"; exit 100; }} ;;
  *install*) [ {installed} = yes ] || {{ echo "E: post-installation failed"; exit 100; }} ;;
esac
"""


@pytest.fixture
def apt(tmp_path, monkeypatch):
    def make(known, fetched="yes", installed="yes"):
        for name in ("apt-get", "apt-cache"):
            tool = tmp_path / name
            tool.write_text(APT.format(folder=tmp_path, known=known, fetched=fetched, installed=installed))
            tool.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        monkeypatch.setattr(os, "geteuid", lambda: 0)
        return tmp_path / "calls"

    return make


def test_packages_are_installed_in_one_call(apt):
    calls = apt("munge slurmd")
    debian.install_packages(["munge", "slurmd"], list)
    assert calls.read_text().splitlines()[-1].endswith(" install -y --no-install-recommends munge slurmd")


def test_nothing_is_called_when_nothing_is_missing(apt):
    calls = apt("")
    debian.install_packages([], list)
    assert not calls.exists()


@pytest.mark.parametrize(("known", "fetched", "named"), [("munge", "yes", "slurmd"), ("munge slurmd", "no", "404")])
def test_a_package_that_is_not_served_is_told_from_a_fault(apt, known, fetched, named):
    apt(known, fetched)
    with pytest.raises(PackageUnavailableError, match=named):
        debian.install_packages(["munge", "slurmd"], list)


def test_an_installation_that_fails_is_a_failure(apt):
    apt("munge", installed="no")
    with pytest.raises(PackageError, match="post-installation failed") as caught:
        debian.install_packages(["munge"], list)
    assert not isinstance(caught.value, PackageUnavailableError)


def test_without_root_the_command_is_told(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(PackageError, match=r"as root: apt-get install -y --no-install-recommends munge;"):
        debian.install_packages(["munge"], list)


# --- NEST with MPI -----------------------------------------------------------------------------------------------


def test_what_building_nest_lacks_is_named_with_one_line_for_apt(monkeypatch):
    monkeypatch.setattr(mpi.shutil, "which", lambda name: None if name in {"mpicxx", "mpirun"} else f"/usr/bin/{name}")
    with pytest.raises(ToolchainError, match=r"lacks mpicxx, mpirun.*: apt-get install .*libopenmpi-dev openmpi-bin"):
        mpi.build_nest()


def test_the_source_of_nest_is_the_locks(root, monkeypatch, tmp_path):
    entry = mpi._locked_requirement()
    assert entry.startswith("nest-simulator==3.10.0 \\\n    --hash=sha256:")
    assert entry in (root / "containers" / "requirements.lock").read_text()
    assert "\n    --hash" not in entry.splitlines()[-1]
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers" / "requirements.lock").write_text(entry.replace("3.10.0", "3.9.0") + "\n")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    with pytest.raises(ToolchainError, match=r"3\.9\.0 of nest-simulator, and not 3\.10\.0"):
        mpi._locked_requirement()


def test_models_of_nest_that_the_project_creates_are_built(root):
    """Names in calls of Create, and of generators wherever they are named, in library, notebooks and images."""
    text = "".join(
        path.read_text()
        for folder, pattern in (("src/amat", "*.py"), ("notebooks", "*.ipynb"), ("containers", "*.py"))
        for path in (root / folder).rglob(pattern)
    )
    created = set(re.findall(r'Create\(\s*\\?"(\w+)\\?"', text)) | set(re.findall(r'"(\w+_generator)"', text))
    ours = {name for name in created if name.endswith(("_nestml", "_opt"))}
    assert created - ours <= set(mpi.NEST_MODELS)
    assert len(created - ours) > 5


def test_a_damaged_wheel_is_not_used(tmp_path):
    folder = tmp_path / "entry"
    folder.mkdir()
    wheel = folder / "nest.whl"
    wheel.write_bytes(b"wheel")
    sha256 = mpi._sha256(wheel)
    mpi.write_json(folder / "nest-mpi.json", {"key": "k", "wheel": wheel.name, "sha256": sha256, "seconds": 1.0})
    assert mpi._cached(folder, "k") == mpi.NestBuild(wheel, "k", 1.0, cached=True)
    assert mpi._cached(folder, "other") is None
    wheel.write_bytes(b"whe")
    assert mpi._cached(folder, "k") is None


def test_a_folder_with_something_else_is_not_replaced(tmp_path):
    (tmp_path / "mine").write_text("work")
    build = mpi.NestBuild(tmp_path / "nest.whl", "k", 1.0, cached=True)
    with pytest.raises(ToolchainError, match="holds something else"):
        mpi.install_nest(build, tmp_path)
    assert (tmp_path / "mine").read_text() == "work"


def test_the_cache_of_nest_is_outside_the_checkout_or_where_told(root, monkeypatch, tmp_path):
    monkeypatch.delenv("AMAT_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # an image's is among its results
    assert not paths.nest_cache().is_relative_to(root)
    monkeypatch.setenv("AMAT_CACHE", str(tmp_path))
    assert paths.nest_cache() == tmp_path / "nest-mpi"


# --- spikes ------------------------------------------------------------------------------------------------------


def test_a_digest_depends_on_spikes_and_not_on_their_order():
    events = np.array([[10, 3], [10, 1], [7, 2]])
    assert spikes.digest(events) == spikes.digest(events[::-1])
    assert spikes.digest(events) != spikes.digest(np.add(events, [[0, 0], [0, 0], [1, 0]]))
    assert spikes.digest(events) != spikes.digest(events[:2])


def test_sums_of_weights_are_exact_in_any_order():
    network = spikes.draw_network(seed=1)
    strengths = [*network.weights, network.input_weight]
    assert not np.any(np.remainder(strengths, spikes.GRAIN))
    assert np.log2(spikes.GRAIN).is_integer()


def test_a_network_is_the_same_for_its_seed_only():
    one, again, other = (spikes.draw_network(seed) for seed in (1, 1, 2))
    assert np.array_equal(one.sources, again.sources)
    assert all(map(np.array_equal, one.trains, again.trains))
    assert not np.array_equal(one.sources, other.sources)


@pytest.mark.parametrize(("listed", "nodes"), [("n1", ["n1"]), ("n[1-2]", ["n1", "n2"]), ("n[1,3]", ["n1", "n3"])])
def test_lists_of_nodes_are_read(listed, nodes):
    assert checks._nodes({"NodeList": listed}) == nodes
