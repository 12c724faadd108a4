# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Reports on small measured cells, some of them damaged."""

import json
import subprocess
import sys
from importlib.util import find_spec

import pandas as pd
import pytest
from typer.testing import CliRunner

from amat.benchmark.cell import Cell, measure_cell
from amat.benchmark.collect import read_cells
from amat.benchmark.report import FILES, SYNAPSE_TABLES, write_report
from amat.benchmark.synapse_tables import measure_tables
from amat.cli import benchmark as cli_benchmark
from amat.errors import AmatError

pytestmark = pytest.mark.slow

MODELS = ("amat2_psc_exp", "amat2_psc_exp_neuron_opt", "izhikevich", "iaf_psc_exp")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of cells, one of them truncated and one edited by hand."""
    folder = tmp_path_factory.mktemp("benchmark")
    for model in MODELS:
        for seed in (1, 2, 3):
            plan = Cell(model, "neurons", neurons=500, seed=seed, duration=200.0)
            measure_cell(plan, folder / "cells" / f"{plan.name}.json")
    complete = sorted((folder / "cells").glob("*.json"))
    (folder / "cells" / "half.json").write_text(complete[0].read_text()[:300])
    changed = json.loads(complete[1].read_text())
    changed["seconds"]["simulate"] *= 0.1
    (folder / "cells" / "edited.json").write_text(json.dumps(changed))
    return folder


def test_damaged_cells_are_skipped_and_listed(folder, tmp_path):
    report = write_report(folder, tmp_path, page=False)
    assert len(report.cells) == 3 * len(MODELS)
    assert [problem.file for problem in report.problems] == ["edited.json", "half.json"]
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.*")}
    assert written == set(FILES) - {SYNAPSE_TABLES, "benchmarks.html"}
    problems = pd.read_csv(tmp_path / "problems.csv")
    assert list(problems["file"]) == ["edited.json", "half.json"]
    assert "real_time_factor" in problems["reason"][0]
    assert "not JSON" in problems["reason"][1]
    ratios = report.summary.set_index(["quantity", "model", "reference"])
    memory = ratios.loc[("taken_B", "amat2_psc_exp_neuron_opt", "amat2_psc_exp")]
    assert memory["seeds"] == 3
    # Both include memory that NEST allocates once.
    assert 0.3 < memory["ratio"] < 1.0


def test_the_same_cells_give_the_same_files(folder, tmp_path):
    for name in ("a", "b"):
        write_report(folder, tmp_path / name, page=False)
    files = [path.relative_to(tmp_path / "a") for path in (tmp_path / "a").rglob("*.*") if path.is_file()]
    assert files
    for file in files:
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), file


def test_a_table_of_cells_gives_the_same_report(folder, tmp_path):
    write_report(folder, tmp_path / "a", page=False)
    write_report(tmp_path / "a" / "cells.csv", tmp_path / "b", page=False)
    for name in ("cells", "summary", "medians"):
        assert (tmp_path / "a" / f"{name}.csv").read_text() == (tmp_path / "b" / f"{name}.csv").read_text()


@pytest.mark.skipif(find_spec("nbconvert") is None, reason="the page needs nbconvert")
def test_the_command_writes_a_page_and_lists_skipped_files(folder, tmp_path):
    result = CliRunner().invoke(cli_benchmark.app, ["report", str(folder), "--output", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "2 file(s) skipped" in result.output
    assert "half.json: not JSON" in result.output
    assert "12 cells" in result.output
    page = (tmp_path / "benchmarks.html").read_text()
    assert "Networks on one or more cores" in page
    assert "{glue:text}" not in page
    assert str(tmp_path) not in page
    assert "cdnjs" not in page


def test_a_folder_without_cells_is_refused(tmp_path):
    with pytest.raises(AmatError, match="There are no cells in"):
        write_report(tmp_path, tmp_path / "report")
    assert not (tmp_path / "report").exists()


def test_each_synapse_model_takes_memory_of_each_neuron():
    """NEST 3.10 needs a pointer for each model when a neuron is created, and an empty vector when it is prepared."""
    # In a new process, since memory that other tests free at any time would be counted.
    program = (
        "import json; from amat.benchmark.synapse_tables import measure_tables, table_sizes; "
        "sizes = table_sizes(measure_tables(copies=(0, 40), neurons=2000)); "
        "print(json.dumps({name: float(size) for name, size in sizes.items()}))"
    )
    finished = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    sizes = json.loads(finished.stdout.splitlines()[-1])
    assert sizes["create"] == pytest.approx(8.0, abs=0.5)
    assert sizes["prepare"] == pytest.approx(24.0, abs=1.0)
    assert sizes["saved"] > 1000


def test_a_single_number_of_copies_is_refused():
    with pytest.raises(AmatError, match="needs two or more different numbers of copies"):
        measure_tables(copies=(5,))


def test_cells_of_other_machines_and_versions_are_read(folder, tmp_path):
    file = next(path for path in sorted((folder / "cells").glob("*.json")) if path.name.startswith("neurons"))
    foreign = json.loads(file.read_text())
    foreign["machine"]["cpu"] = "another processor"
    foreign["versions"]["nest-simulator"] = "3.11.0"
    foreign["more"] = "a later version"
    (tmp_path / "foreign.json").write_text(json.dumps(foreign))
    cells, problems = read_cells(tmp_path)
    assert not problems
    assert cells["cpu"].tolist() == ["another processor"]
