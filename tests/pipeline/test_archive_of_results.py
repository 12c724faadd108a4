# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""The archive of the project: complete, described, reproducible, and usable without git and network."""

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest
import rocrate

from amat.compendium.provenance import commit, commit_time
from amat.release.archive import find_runs
from amat.release.run_crate import METADATA, SPECIFICATION

pytestmark = pytest.mark.slow

VALIDATOR = Path(sys.executable).with_name("rocrate-validator")
#: Environment in which every connection fails.
OFFLINE = {f"{scheme}_proxy": "http://127.0.0.1:9" for scheme in ("http", "https", "HTTP", "HTTPS")}


@pytest.fixture(scope="module")
def archive(reproduced, tmp_path_factory):
    """An archive by the command; a draft if the checkout has changes."""
    if not (reproduced / ".git").exists():
        pytest.skip("an archive needs a git checkout")
    folder = tmp_path_factory.mktemp("archive")
    command = [Path(sys.executable).with_name("amat"), "archive", "--output", folder, "--draft"]
    finished = subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **OFFLINE})
    assert finished.returncode == 0, finished.stderr
    (path,) = folder.glob("*.tar.gz")
    return path


@pytest.fixture(scope="module")
def unpacked(archive, tmp_path_factory):
    """The folder of the unpacked archive, inside another repository."""
    around = tmp_path_factory.mktemp("elsewhere")
    subprocess.run(["git", "init", "--quiet", around], check=True)
    subprocess.run(["tar", "-xzf", archive, "-C", around], check=True)
    (folder,) = (path for path in around.iterdir() if path.name != ".git")
    return folder


@pytest.fixture(scope="module")
def crate(unpacked):
    """The entities of the RO-Crate by their identifiers."""
    return {entity["@id"]: entity for entity in json.loads((unpacked / METADATA).read_text())["@graph"]}


def test_equal_commit_and_results_give_equal_bytes(reproduced, archive, tmp_path, run_amat):
    finished = run_amat("archive", "--output", tmp_path, "--draft")
    assert finished.returncode == 0, finished.stderr
    assert (tmp_path / archive.name).read_bytes() == archive.read_bytes()
    check = ["sha256sum", "--check", f"{archive.name}.sha256"]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 0


def test_every_file_has_a_digest(unpacked):
    check = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=unpacked, capture_output=True, text=True
    )
    assert check.returncode == 0, check.stdout
    files = [path for path in unpacked.rglob("*") if path.is_file() and not path.is_symlink()]
    assert len(check.stdout.splitlines()) == len(files) - 1


def test_tracked_files_and_outputs_are_included_unchanged(reproduced, unpacked):
    listed = subprocess.run(["git", "-C", reproduced, "ls-files", "-z"], check=True, capture_output=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        assert (unpacked / name).read_bytes() == (reproduced / name).read_bytes(), name
    site = reproduced / "_build" / "html"
    pages = [path for path in site.rglob("*") if path.is_file()]
    assert len(pages) > 30
    for page in pages:
        assert (unpacked / "outputs" / "site" / page.relative_to(site)).read_bytes() == page.read_bytes(), page
    for run in find_runs(reproduced):
        assert (unpacked / "outputs" / "notebooks" / f"{run.name}.ipynb").is_file()
        assert (unpacked / "outputs" / "results" / run.name / "provenance.json").is_file()


def test_unpacked_archive_knows_its_commit_and_reproduces_everything(unpacked):
    """The unpacked folder has no git and is inside another repository; its outputs are not used."""
    assert not (unpacked / ".git").exists()
    environment = {**os.environ, **OFFLINE, "PYTHONPATH": str(unpacked / "src")}
    environment.pop("SOURCE_DATE_EPOCH", None)
    script = "print(provenance.commit(), pipeline.step_environment()['SOURCE_DATE_EPOCH'])"
    script = f"from amat.compendium import pipeline, provenance; {script}"
    finished = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True, env=environment
    )
    assert finished.stdout.split() == [commit(), str(commit_time())]
    command = "from amat.cli.app import main; main()"
    planned = subprocess.run(
        [sys.executable, "-c", command, "reproduce", "--dry-run"], capture_output=True, text=True, env=environment
    )
    assert planned.returncode == 0, planned.stderr
    plan = planned.stdout + planned.stderr
    assert "Compiling models for NEST" in plan
    assert "Executing the notebook validation" in plan
    assert "Building the book" in plan


def test_every_run_is_described_with_existing_files(reproduced, unpacked, crate):
    runs = find_runs(reproduced)
    actions = [entity for entity in crate.values() if entity["@type"] == "CreateAction"]
    assert {action["@id"] for action in actions} == {f"#run-{run.name}" for run in runs}
    for action in actions:
        for item in [*action["object"], *action["result"], *action["instrument"]]:
            assert item["@id"] in crate
            assert item["@id"].startswith("#") or (unpacked / unquote(item["@id"])).exists(), item
        assert {"NEST", "NESTML", "papermill"} == {crate[item["@id"]]["name"] for item in action["instrument"]}
    for part in crate["./"]["hasPart"]:
        assert (unpacked / unquote(part["@id"])).exists(), part


def test_files_written_for_the_archive_do_not_describe_the_machine(reproduced, unpacked):
    for name in (METADATA, "sbom.cdx.json", "source.json", "SHA256SUMS"):
        text = (unpacked / name).read_text()
        assert str(reproduced) not in text
        assert sys.prefix not in text
        assert "file://" not in text
    components = {item["name"]: item for item in json.loads((unpacked / "sbom.cdx.json").read_text())["components"]}
    assert components["nest-simulator"]["version"] == "3.10.0"


def test_description_is_a_process_run_crate(unpacked, tmp_path):
    """The RO-Crate validator accepts the description offline.

    Its cache holds a response for the only address in the description: the context of RO-Crate 1.3 from the library,
    which includes the terms of 1.1.
    """
    if not VALIDATOR.is_file():
        pytest.skip("roc-validator is not installed: install the extra `release`")
    import urllib3
    from requests.adapters import HTTPAdapter
    from requests_cache import CachedSession

    context = (Path(rocrate.__file__).parent / "data" / "ro-crate.jsonld").read_bytes()
    address = f"https://w3id.org/ro/crate/{SPECIFICATION}/context"
    assert json.loads((unpacked / METADATA).read_text())["@context"] == address

    class Shipped(HTTPAdapter):
        def send(self, request, **_):
            headers = {"Content-Type": "application/ld+json"}
            body = io.BytesIO(context)
            raw = urllib3.HTTPResponse(body, headers, 200, preload_content=False, request_url=request.url)
            return self.build_response(request, raw)

    with CachedSession(tmp_path / "cache", backend="sqlite") as session:
        session.mount(address, Shipped())
        session.get(address)

    def validate(folder):
        command = [
            VALIDATOR,
            "validate",
            "--profile-identifier",
            "process-run-crate",
            "--requirement-severity",
            "required",
        ]
        command += ["--no-paging", "--verbose", "--offline", "--cache-path", tmp_path / "cache", folder]
        return subprocess.run(command, check=False, capture_output=True, text=True, env={**os.environ, **OFFLINE})

    finished = validate(unpacked)
    assert finished.returncode == 0, finished.stdout[-4000:] + finished.stderr[-2000:]
    # The validator rejects an action without an instrument.
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    described = json.loads((unpacked / METADATA).read_text())
    kept = [item for item in described["@graph"] if item["@type"] not in ("File", "Dataset") or item["@id"] == "./"]
    for item in kept:
        item.pop("hasPart", None)
        item.pop("instrument", None)
    (wrong / METADATA).write_text(json.dumps({**described, "@graph": kept}))
    refused = validate(wrong)
    assert refused.returncode != 0
    assert "instrument" in refused.stdout + refused.stderr
