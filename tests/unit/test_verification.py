# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Records of long checks: what a check depends on, and when it may be passed over."""

import json
import os
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from amat import paths, verification
from amat.cli import verify as cli_verify
from amat.cluster import ClusterError, checks
from amat.cluster.checks import DEPENDS_ON
from amat.containers import checks as images
from amat.debian import PackageUnavailableError
from amat.errors import AmatError


@pytest.fixture(scope="module")
def copied(root, tmp_path_factory):
    """The sources in a folder of their own."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("config", "containers", "data", "models", "notebooks", "scripts", "src", "workflow"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "full"))
    for name in ("amat", "pyproject.toml"):
        shutil.copy2(root / name, folder)
    return folder


@pytest.fixture(scope="module")
def unchanged(copied):
    return verification.content_hash(copied, DEPENDS_ON)


@pytest.mark.parametrize(
    "changed",
    [
        "models/amat2_psc_exp_neuron.nestml",
        "src/amat/toolchain/builder.py",
        "packages/nestml-optimised/src/nestml_optimised/include/spike_queue.h",
        "src/amat/cluster/checks.py",
        "src/amat/cli/app.py",
        "src/amat/analysis/explore.py",  # only a notebook imports it
        "src/amat/files.py",
        "data/benchmark_networks.yaml",
        "notebooks/validation.ipynb",
        "workflow/benchmark.smk",
        "config/benchmarks/cluster.yaml",
        "containers/requirements.lock",
    ],
)
def test_the_hash_changes_with_what_the_check_depends_on(copied, unchanged, changed):
    path = copied / changed
    content = path.read_bytes()
    ending = b"\n" if path.suffix == ".ipynb" else b"# changed\n"  # still code, or JSON
    try:
        path.write_bytes(content + ending)
        assert verification.content_hash(copied, DEPENDS_ON) != unchanged
    finally:
        path.write_bytes(content)


@pytest.mark.parametrize(
    "changed", ["src/amat/analysis/locking/tongues.py", "notebooks/tutorial.ipynb", "data/README.md"]
)
def test_the_hash_does_not_change_with_anything_else(copied, changed):
    assert copied.joinpath(changed).is_file()
    assert verification.Path(changed) not in verification.dependencies(copied, DEPENDS_ON)


def test_the_hash_is_that_of_the_contents_wherever_they_are(copied, unchanged, tmp_path):
    assert verification.content_hash(shutil.copytree(copied, tmp_path / "elsewhere"), DEPENDS_ON) == unchanged


def test_the_hash_changes_when_a_file_is_renamed(copied, unchanged):
    path = copied / "models" / "empty_neuron.nestml"
    renamed = path.rename(path.with_name("renamed.nestml"))
    try:
        assert verification.content_hash(copied, DEPENDS_ON) != unchanged
    finally:
        renamed.rename(path)


def test_a_missing_part_is_named(tmp_path):
    with pytest.raises(AmatError, match="amat is missing"):
        verification.dependencies(tmp_path, DEPENDS_ON)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    return tmp_path


def test_only_the_recorded_contents_are_passed_over(checkout):
    assert verification.recorded_date("cluster", "aa") is None
    verification.record("cluster", "aa")
    verification.record("containers", "bb")
    assert verification.recorded_date("cluster", "aa") is not None
    assert verification.recorded_date("containers", "bb") is not None
    assert verification.recorded_date("cluster", "bb") is None
    assert verification.recorded_date("other", "aa") is None


@pytest.mark.parametrize("text", ["", "[]", '{"cluster": {}}', '{"cluster": "aa"}'])
def test_a_damaged_record_is_named(checkout, text):
    path = checkout / verification.RECORD
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(AmatError, match=r"verified\.json is no record"):
        verification.recorded_date("cluster", "aa")


def test_the_record_that_is_kept_can_be_read(root):
    path = root / verification.RECORD
    if path.is_file():  # the first pass makes it
        assert {"sha256", "date"} <= set(json.loads(path.read_text())["cluster"])


# --- the command, and what continuous integration makes of it -----------------------------------------------------


@pytest.fixture
def verify(monkeypatch, tmp_path):
    """Run ``amat verify cluster`` with an ending of the check given; the check itself is not what is tested here."""

    def run(ending, *words):
        def check(folder, report):
            if ending is not None:
                raise ending
            return paths.ROOT

        monkeypatch.setattr(checks, "verify_cluster", check)
        return CliRunner().invoke(cli_verify.app, ["cluster", "--output", str(tmp_path / "out"), *words])

    return run


def test_a_package_that_is_not_served_is_a_named_skip(verify):
    result = verify(PackageUnavailableError("The distribution does not serve slurmd."))
    assert result.exit_code == 77
    assert "SKIPPED, 1 check: The distribution does not serve slurmd." in result.stderr


def test_any_other_error_is_a_failure_that_keeps_what_was_made(verify, tmp_path):
    result = verify(ClusterError("other spikes"))
    assert isinstance(result.exception, ClusterError)
    assert result.exit_code == 1
    assert (tmp_path / "out").is_dir()


def test_a_pass_is_recorded_when_told_and_passed_over_then(verify, monkeypatch, tmp_path, root):
    monkeypatch.setattr(verification, "_path", lambda: tmp_path / "verified.json")
    assert verify(None).exit_code == 0
    assert not (tmp_path / "verified.json").exists()
    shutil.rmtree(tmp_path / "out")
    assert verify(None, "--record").exit_code == 0
    # It would fail, if it ran.
    result = verify(ClusterError("ran"), "--unless-recorded")
    assert result.exit_code == 0
    assert "verify cluster: passed over" in result.stdout


def test_a_failure_is_not_recorded(verify, monkeypatch, tmp_path):
    monkeypatch.setattr(verification, "_path", lambda: tmp_path / "verified.json")
    verify(ClusterError("other spikes"), "--record")
    assert not (tmp_path / "verified.json").exists()


@pytest.mark.parametrize(
    ("cluster", "tests", "status", "said"),
    [
        (0, 0, 0, ""),
        (77, 0, 0, "1 check skipped: verify cluster"),
        (1, 0, 1, "verify cluster FAILED"),
        (0, 2, 2, ""),
        (77, 2, 2, "1 check skipped: verify cluster"),
    ],
)
def test_continuous_integration_tells_a_skip_from_a_failure(clone, tmp_path, cluster, tests, status, said):
    (tmp_path / ".ci").mkdir()
    shutil.copy2(clone / ".ci" / "run", tmp_path / ".ci" / "run")
    door = tmp_path / "amat"
    door.write_text(
        "#!/bin/sh\n"
        f'[ "$*" = "verify cluster --unless-recorded" ] && exit {cluster}\n'
        f'[ "$*" = test ] && echo "=== 5 passed ===" && exit {tests}\n'
        "exit 99\n"
    )
    door.chmod(0o755)
    # Some tests want these: where they are, nothing is installed.
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("chromium", "valgrind", "jube"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"}
    result = subprocess.run([tmp_path / ".ci" / "run"], check=False, capture_output=True, text=True, env=environment)
    assert result.returncode == status
    assert said in result.stdout
    assert result.stdout.splitlines()[-1] == "=== 5 passed ==="


@pytest.mark.parametrize("recorded", [True, False])
def test_continuous_integration_says_whether_the_images_have_passed(clone, tmp_path, recorded):
    """In a copy of the checkout, whose record is made for its contents, or for others."""
    for part in (".ci", *images.DEPENDS_ON.parts, "data", "src"):
        source, target = clone / part, tmp_path / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, target)
    shutil.copytree(clone / "notebooks", tmp_path / "notebooks")
    digest = verification.content_hash(tmp_path, images.DEPENDS_ON) if recorded else "0" * 64
    record = {"containers": {"date": "2026-01-02", "sha256": digest}}
    (tmp_path / ".ci" / "verified.json").write_text(json.dumps(record))
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "src")}
    command = [sys.executable, tmp_path / ".ci" / "recorded.py"]
    said = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout.splitlines()
    assert ("verify containers passed on 2026-01-02" if recorded else "1 check skipped: verify containers,") in said[0]
    assert "1 check skipped: verify containers --mpi" in said[1]
