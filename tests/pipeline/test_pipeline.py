# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The pipeline: its outputs, resuming after interruptions, and error messages."""

import contextlib
import copy
import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml

from amat import paths, toolchain
from amat.analysis.patterns import CRITERIA
from amat.compendium.notebooks import execute_notebook
from amat.compendium.pipeline import check_config, notebook_parameters
from amat.compendium.provenance import commit_time
from amat.errors import AmatError
from amat.neurons import izhikevich_patterns
from amat.toolchain.catalogue import ABLATION

pytestmark = pytest.mark.slow

PATTERN_NOTEBOOK = "firing_pattern"
#: Executed notebooks: each notebook, and the one of firing patterns once per pattern.
EXECUTED = sorted(path.stem for path in paths.NOTEBOOKS.glob("*.ipynb") if path.stem != PATTERN_NOTEBOOK)
EXECUTED += [f"patterns/{name}" for name in izhikevich_patterns()]
COMMANDS = Path(sys.executable).parent


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_second_run_does_nothing(reproduced, run_amat):
    before = {path: path.stat().st_mtime_ns for path in (reproduced / "_build" / "html").rglob("*.html")}
    finished = run_amat("reproduce")
    assert finished.returncode == 0, finished.stderr
    assert "Nothing to be done" in finished.stderr
    assert finished.stdout.strip().endswith("_build/html/index.html")
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("name", EXECUTED)
def test_every_notebook_was_executed_without_error(reproduced, name):
    executed = nbformat.read(reproduced / "book" / "notebooks" / f"{name}.ipynb", as_version=4)
    code = [cell for cell in executed.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in code if cell.source.strip())
    assert not [out for cell in code for out in cell.outputs if out.output_type == "error"]


@pytest.mark.parametrize("name", EXECUTED)
def test_every_result_has_its_provenance(reproduced, name):
    record = json.loads((reproduced / "results" / name / "provenance.json").read_text())
    modules = json.loads((reproduced / "results" / "modules.json").read_text())
    is_pattern = name.startswith("patterns/")
    assert record["notebook"] == f"{PATTERN_NOTEBOOK if is_pattern else name}.ipynb"
    if is_pattern:
        assert record["parameters"]["pattern"] == Path(name).name
    if name == "code_generation":
        modules |= json.loads((reproduced / "results" / "ablation_modules.json").read_text())
        assert len(modules) == len(toolchain.DEFAULT_MODELS) + 1 + len(ABLATION)
    assert record["modules"] == modules
    assert record["versions"]["nest-simulator"] == "3.10.0"
    assert len(modules["amat2_psc_exp_neuron_nestml"]["sha256"]) == 64


@pytest.mark.parametrize("name", sorted(path.stem for path in paths.NOTEBOOKS.glob("*.ipynb")))
def test_notebooks_are_stored_without_outputs_and_with_their_parameters(name):
    notebook = nbformat.read(paths.NOTEBOOKS / f"{name}.ipynb", as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1


def test_figure_of_the_readme_is_that_of_the_pipeline(reproduced):
    """Coordinates may differ by less than is visible, because processors round differently."""
    number = re.compile(r"-?\d+\.\d+")
    shown = (reproduced / "book" / "_static" / "overview.svg").read_text()
    made = (reproduced / "results" / "model" / "overview.svg").read_text()
    assert number.sub("#", shown) == number.sub("#", made)
    np.testing.assert_allclose(
        [float(n) for n in number.findall(shown)], [float(n) for n in number.findall(made)], rtol=0, atol=0.01
    )


def wait_for(condition: Callable[[], bool], process: subprocess.Popen, seconds: float = 120.0) -> None:
    """Wait until a condition holds; fail if the process ends or the time limit is reached."""
    limit = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the process ended too early"
        assert time.monotonic() < limit, f"not within {seconds:g} s"
        time.sleep(0.05)


def test_pages_of_firing_patterns_contain_the_computed_values(reproduced):
    verdicts = pd.read_csv(reproduced / "results" / "firing_patterns" / "verdicts.csv")
    assert verdicts.groupby("set")["passed"].sum().loc["AMAT, validated"] == len(CRITERIA)
    for name in CRITERIA:
        folder = reproduced / "results" / "patterns" / name
        assert json.loads((folder / "provenance.json").read_text())["parameters"]["pattern"] == name
        assert (folder / "traces.svg").is_file()


@contextlib.contextmanager
def running(executed: Path) -> Iterator[subprocess.Popen]:
    """Run `amat reproduce` until a notebook executes a cell; kill all processes of the run afterwards."""
    executed.unlink()
    shutil.rmtree(paths.ROOT / "results" / executed.stem)
    with subprocess.Popen(
        [COMMANDS / "amat", "reproduce"], stdout=-3, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            # Papermill writes the state of each cell into its file.
            written = functools.partial(executed.parent.glob, f".{executed.stem}.*.ipynb")
            wait_for(lambda: any('"status": "running"' in path.read_text() for path in written()), process)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_killed_run_resumes_with_equal_results(reproduced, run_amat):
    """The run is killed while a notebook runs; the executed notebook and its table are the same as before."""
    executed = reproduced / "book" / "notebooks" / "mat2.ipynb"
    table = reproduced / "results" / "mat2" / "mat2.csv"
    before = digest(executed), digest(table)
    with running(executed) as process, (paths.ROOT / "build" / "reproduce.lock").open("a") as lock:
        # Kill only the command at first: its workflow continues and holds the lock.
        process.kill()
        process.wait()
        with pytest.raises(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert not executed.exists()
    finished = run_amat("reproduce")
    assert finished.returncode == 0, finished.stderr
    assert (digest(executed), digest(table)) == before
    assert not list(executed.parent.glob(".*.ipynb"))


def test_run_rejects_a_second_run_and_stops_on_sigterm_after_its_running_steps(reproduced, run_amat):
    """The notebook takes longer than the rejection of the second run."""
    executed = reproduced / "book" / "notebooks" / "time_constants.ipynb"
    before = digest(executed)
    page = reproduced / "_build" / "html" / "notebooks" / "time_constants.html"
    built = page.stat().st_mtime_ns
    with running(executed) as process:
        refused = run_amat("reproduce")
        process.terminate()
        _, messages = process.communicate(timeout=120)
        with pytest.raises(ProcessLookupError):  # neither Snakemake nor a notebook is running
            os.killpg(process.pid, 0)
    assert refused.returncode == 1
    assert "Another `amat reproduce` is running" in refused.stderr
    assert f"(process {process.pid})" in refused.stderr
    assert process.returncode == 1
    assert "The workflow was stopped" in messages
    assert digest(executed) == before
    assert page.stat().st_mtime_ns == built
    # The notebook is the same as before, but the status page shows its run time.
    assert run_amat("reproduce").returncode == 0
    assert page.stat().st_mtime_ns > built


def test_folder_that_cannot_be_written_is_reported_before_any_step(reproduced, run_amat):
    """A file replaces the folder of results, which root cannot write to either."""
    results, aside = reproduced / "results", reproduced / "results.aside"
    results.rename(aside)
    try:
        results.touch()
        finished = run_amat("reproduce")
        results.unlink()
    finally:
        aside.rename(results)
    assert finished.returncode == 1
    assert f"{results} cannot be written" in finished.stderr
    assert "Traceback" not in finished.stderr


CONFIG = yaml.safe_load((paths.CONFIG / "config.yaml").read_text())


#: Tables that pages compute by least squares. They differ by up to 4e-5 between processors (AMD EPYC, Intel Xeon).
FITTED = {"comparison.csv.gz", "synthetic_scores.csv.gz"}


@pytest.mark.parametrize("name", CONFIG["full"])
def test_pages_of_the_full_profile_use_shipped_tables(reproduced, tmp_path, name):
    """The notebook's assertions hold for the shipped tables, and it copies them unchanged to the results."""
    parameters = notebook_parameters({**CONFIG, "profile": "shipped"}, name)
    executed = tmp_path / "executed" / f"{name}.ipynb"
    execute_notebook(paths.NOTEBOOKS / f"{name}.ipynb", executed, tmp_path / "results", parameters, {})
    assert "profile full, from the tables that the project ships" in executed.read_text()
    copied = [
        path for path in (paths.DATA / "full" / name).glob("*.csv.gz") if (tmp_path / "results" / path.name).is_file()
    ]
    assert len(copied) > (0 if name == "fitting" else 2)  # the study of fits has one table
    for path in copied:
        made = tmp_path / "results" / path.name
        if path.name in FITTED:
            pd.testing.assert_frame_equal(pd.read_csv(path), pd.read_csv(made), rtol=1e-3)
        else:
            assert digest(path) == digest(made), path.name


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"notebook": {}}, "'notebook' was unexpected"),
        ({"notebooks": {"validation": {"sets": -5}}}, "notebooks"),
        ({"notebooks": {"validation": {"stes": 5}}}, "notebooks"),
        ({"full": {"parameter_space": {"points": 1}}}, "full"),
        ({"profile": "slow"}, "profile: 'slow' is not one of"),
    ],
)
def test_invalid_configuration_is_rejected_before_any_step(run_amat, tmp_path, change, message):
    config = copy.deepcopy(CONFIG)
    for key, value in change.items():
        if isinstance(value, dict) and key in config:
            for name, parameters in value.items():
                config[key][name] = parameters
        else:
            config[key] = value
    wrong = tmp_path / "config.yaml"
    wrong.write_text(yaml.safe_dump(config))
    finished = run_amat("reproduce", "--config", wrong)
    assert finished.returncode == 1
    assert str(wrong) in finished.stderr
    assert message in finished.stderr
    assert "Traceback" not in finished.stderr


def test_unreadable_configuration_is_reported(tmp_path):
    with pytest.raises(AmatError, match="cannot be read"):
        check_config(tmp_path / "nowhere.yaml")
    (tmp_path / "bad.yaml").write_text("notebooks: [")
    with pytest.raises(AmatError, match="is not YAML"):
        check_config(tmp_path / "bad.yaml")


def test_failing_notebook_shows_its_error_and_leaves_no_file(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("raise ValueError('too many spikes')")])
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, tmp_path / "bad.ipynb")
    with pytest.raises(AmatError, match="too many spikes"):
        execute_notebook(tmp_path / "bad.ipynb", tmp_path / "out" / "bad.ipynb", tmp_path / "results", {}, {})
    assert not (tmp_path / "out").exists()


def test_parameters_are_inserted_into_text_and_descriptions(tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_markdown_cell("# {{ title }}"), nbformat.v4.new_code_cell("a = '{{ title }}'")]
    )
    notebook.cells[1].metadata["mystnb"] = {"image": {"alt": "A trace of {{ title }}."}}
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, tmp_path / "page.ipynb")
    executed = tmp_path / "out" / "page.ipynb"
    execute_notebook(tmp_path / "page.ipynb", executed, tmp_path / "results", {"title": "Latency"}, {})
    text, code = (c for c in nbformat.read(executed, as_version=4).cells if "injected" not in str(c.metadata))
    assert text.source == "# Latency"
    assert code.source == "a = '{{ title }}'"
    assert code.metadata.mystnb.image.alt == "A trace of Latency."


def test_executed_notebook_does_not_depend_on_timing(tmp_path):
    """Output printed in parts is joined, and the run time is recorded with the results."""
    source = "import time\nfor number in range(2):\n    print(number, flush=True)\n    time.sleep(0.5)"
    cells = [nbformat.v4.new_code_cell("n = 1", metadata={"tags": ["parameters"]}), nbformat.v4.new_code_cell(source)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["language_info"] = {"name": "python"}
    nbformat.write(notebook, tmp_path / "page.ipynb")
    execute_notebook(tmp_path / "page.ipynb", tmp_path / "executed.ipynb", tmp_path / "results", {"n": 2}, {})
    _, injected, printing = nbformat.read(tmp_path / "executed.ipynb", as_version=4).cells
    assert [output.text for output in printing.outputs] == ["0\n1\n"]
    assert injected.metadata.tags == ["injected-parameters", "hide-input"]
    assert json.loads((tmp_path / "results" / "run_time.json").read_text())["seconds"] >= 1.0


def test_plain_jupyter_book_builds_the_same_site(reproduced, tmp_path):
    """``jupyter-book build book/`` gives equal files in a copy, and other run times change only the status page."""
    for folder in ("book", "data", "notebooks", "results"):
        shutil.copytree(reproduced / folder, tmp_path / folder)
    for file in ("_config.yml", "CITATION.cff"):
        shutil.copy(reproduced / file, tmp_path)

    def differing() -> set[str]:
        shutil.rmtree(tmp_path / "_build", ignore_errors=True)
        subprocess.run(
            [COMMANDS / "jupyter-book", "build", "book/"],
            check=True,
            cwd=tmp_path,
            capture_output=True,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(commit_time() or 0)},
        )
        ours, theirs = reproduced / "_build" / "html", tmp_path / "_build" / "html"
        ours_files, theirs_files = (
            {path.relative_to(site).as_posix(): path for path in site.rglob("*") if path.is_file()}
            for site in (ours, theirs)
        )
        assert len(ours_files) > 300
        assert set(ours_files) == set(theirs_files)
        return {name for name, path in ours_files.items() if path.read_bytes() != theirs_files[name].read_bytes()}

    assert differing() == set()
    for times in (tmp_path / "results").rglob("run_time.json"):
        times.write_text(json.dumps({"started": "2001-02-03T04:05:06Z", "seconds": 1.5}))
    assert differing() == {"status.html"}
