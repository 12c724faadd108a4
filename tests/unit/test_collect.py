# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Table of measured cells, its problems, and ratios of paired cells."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amat.benchmark.cell import Cell
from amat.benchmark.collect import COLUMNS, cell_row, list_machines, read_cells, write_cells
from amat.benchmark.comparisons import (
    compare,
    decide_outcome,
    measure_scaling,
    outcome_table,
    peer_table,
    summary_page,
    summary_text,
)
from amat.benchmark.kernel import PHASES
from amat.benchmark.measurements import median_interval
from amat.errors import AmatError

NEST, OPT = "amat2_psc_exp", "amat2_psc_exp_neuron_opt"


def found(plan: Cell, simulate: float = 2.0, **changed) -> dict:
    """Return the content of a cell's file."""
    alone = plan.workload == "neurons"
    synapses = 0 if alone else plan.neurons * plan.indegree
    spikes = int(8 * plan.neurons * plan.duration / 1e3)
    allocated, memory = 40_000_000, {}
    for phase in ("start", *PHASES):
        allocated += {"create": 2000 * plan.neurons, "connect": 40 * synapses, "prepare": 3000 * plan.neurons}.get(
            phase, 0
        )
        memory[phase] = {"resident": allocated + 10**8, "peak": allocated + 10**8, "allocated": allocated}
    return {
        "cell": {
            "model": plan.model,
            "workload": plan.workload,
            "neurons": plan.neurons,
            "indegree": plan.indegree,
            "threads": plan.threads,
            "ranks": plan.ranks,
            "seed": plan.seed,
            "duration": plan.duration,
            "resolution": plan.resolution,
        },
        "threads": plan.threads,
        "seconds": {**dict.fromkeys(PHASES, 0.5), "simulate": simulate},
        "nest": {},
        "real_time_factor": 1e3 * simulate / plan.duration,
        "spikes": spikes,
        "rate": 1e3 * spikes / plan.neurons / plan.duration,
        "cv": None,
        "memory": memory,
        "synapses": synapses,
        "module": None,
        "versions": {"amat": "0.1.0", "nest-simulator": "3.10.0"},
        "commit": None,
        "machine": {"system": "Linux", "architecture": "x86_64", "cpu": "a processor", "usable_cores": 2},
        **changed,
    }


def write(folder: Path, *files: dict, name: str = "") -> None:
    (folder / "cells").mkdir(exist_ok=True)
    for file in files:
        plan = Cell(**file["cell"])
        (folder / "cells" / f"{name or plan.name}.json").write_text(json.dumps(file))


def table(*files: dict) -> pd.DataFrame:
    return pd.DataFrame([cell_row(file) for file in files])


def test_a_cell_is_one_row_with_derived_quantities(tmp_path):
    plan = Cell(NEST, "network", neurons=1000, indegree=100, threads=2, duration=500.0)
    write(tmp_path, found(plan))
    cells, problems = read_cells(tmp_path)
    assert not problems
    assert list(cells) == list(COLUMNS)
    row = cells.iloc[0]
    assert row["cell"] == plan.name
    assert (row["family"], row["build"]) == ("amat", "nest")
    assert row["cores"] == 2
    assert row["neuron_B"] == 2000
    assert row["synapse_B"] == 40
    assert np.isnan(row["prepared_neuron_B"])
    # 2 s on 2 cores for 1000 neurons and 5000 steps
    assert row["neuron_step_ns"] == pytest.approx(800.0)
    assert row["events_per_s"] == pytest.approx(8 * 1000 * 0.5 * 100 / 2.0)
    assert row["shared_cores"] == "no"


def test_unconnected_neurons_have_prepared_memory_and_no_synapses():
    row = cell_row(found(Cell(NEST, "neurons", neurons=1000)))
    assert row["indegree"] == 0
    assert row["prepared_neuron_B"] == 5000
    assert row["synapse_B"] is None
    assert row["events_per_s"] is None


@pytest.mark.parametrize(("threads", "ranks", "shared"), [(2, 1, "no"), (4, 1, "yes"), (1, 2, "no"), (2, 4, "unknown")])
def test_shared_cores_are_reported(threads, ranks, shared):
    assert cell_row(found(Cell(NEST, threads=threads, ranks=ranks)))["shared_cores"] == shared


def test_a_table_is_read_as_it_was_written(tmp_path):
    write(tmp_path, *(found(Cell(NEST, workload, seed=seed)) for workload in ("neurons", "network") for seed in (1, 2)))
    cells, _ = read_cells(tmp_path)
    write_cells(cells, tmp_path / "cells.csv")
    again, problems = read_cells(tmp_path / "cells.csv")
    assert not problems
    pd.testing.assert_frame_equal(cells, again)
    text = cells.to_csv(index=False, sep=";", decimal=",", lineterminator="\r\n")
    (tmp_path / "cells.csv").write_bytes(gzip.compress(f"\ufeff{text}\r\n".encode()))
    pd.testing.assert_frame_equal(cells, read_cells(tmp_path / "cells.csv")[0])


def without(file: dict, *keys: str) -> dict:
    inner = file
    for key in keys[:-1]:
        inner = inner[key]
    del inner[keys[-1]]
    return file


def test_damaged_cells_are_skipped_and_listed(tmp_path):
    plan = Cell(NEST)
    write(tmp_path, found(plan))
    negative = found(plan)
    negative["seconds"]["create"] = -1.0
    damaged = {
        "a_half.json": (json.dumps(found(plan))[:200], "not JSON"),
        "b_empty.json": ("", "not JSON"),
        "c_no_memory.json": (json.dumps(without(found(plan), "memory", "create", "peak")), "memory.create: 'peak' is"),
        "d_negative.json": (json.dumps(negative), "seconds.create: -1.0 is less"),
        "e_infinite.json": (json.dumps(found(plan, simulate=float("nan"))), "NaN is not a number"),
        "f_list.json": ("[]", "not of type 'object'"),
        "g_threads.json": (json.dumps(found(plan, threads=2)), "2 threads ran, but 1 were requested"),
        "h_factor.json": (json.dumps(found(plan, real_time_factor=9.0)), "real_time_factor is 9, but 2 follows"),
        "i_rate.json": (json.dumps(found(plan, spikes=1)), "rate is 8, but 0.0001 follows"),
        "j_synapses.json": (json.dumps(found(plan, synapses=3)), "3 synapses are fewer than"),
        "k_bytes.json": (b"\xff\xfe{", "not UTF-8"),
        "z_twice.json": (json.dumps(found(plan)), f"the same cell as in {plan.name}.json"),
    }
    for name, (text, _) in damaged.items():
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "cells" / name).write_bytes(content)
    cells, problems = read_cells(tmp_path)
    assert list(cells["cell"]) == [plan.name]
    assert [problem.file for problem in problems] == list(damaged)
    for problem in problems:
        assert damaged[problem.file][1] in problem.reason, problem


def test_an_unknown_model_is_listed_as_a_problem(tmp_path):
    file = found(Cell(NEST))
    file["cell"]["model"] = "hh_psc_alpha"
    write(tmp_path, found(Cell(NEST)))
    (tmp_path / "cells" / "other.json").write_text(json.dumps(file))
    _, problems = read_cells(tmp_path)
    assert "hh_psc_alpha" in problems[0].reason


def test_cells_of_several_machines_are_listed_by_machine():
    other = found(Cell(NEST, seed=2))
    other["machine"] = {**other["machine"], "cpu": "another processor"}
    other["versions"] = {"amat": "9.9", "nest-simulator": "3.11.0"}
    machines = list_machines(table(found(Cell(NEST)), other).fillna(""))
    assert list(machines["cpu"]) == ["a processor", "another processor"]
    assert list(machines["nest_version"]) == ["3.10.0", "3.11.0"]


def test_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(AmatError, match=r"There are no cells in .*: name the output folder of `amat benchmark run`"):
        read_cells(tmp_path)


def test_a_folder_of_damaged_cells_is_refused(tmp_path):
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "half.json").write_text("{")
    with pytest.raises(AmatError, match=r"None of the 1 cells .*(\n.*)*half\.json: not JSON"):
        read_cells(tmp_path)


def test_a_table_with_missing_columns_is_refused(tmp_path):
    (tmp_path / "cells.csv").write_text("model,neurons\namat2_psc_exp,3\n")
    with pytest.raises(AmatError, match="lacks the columns cell, family"):
        read_cells(tmp_path / "cells.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"neurons": 0}, "neurons: 0 is less than the minimum of 1"),
        ({"simulate_s": "fast"}, "simulate_s: 'fast' is not of type 'number'"),
        ({"real_time_factor": float("inf")}, "real_time_factor: inf is greater"),
        ({"model": "hh_psc_alpha"}, "model: 'hh_psc_alpha' is not one of"),
        ({}, "twice: keep one of the rows"),
    ],
)
def test_a_table_with_wrong_values_or_the_same_cell_twice_is_refused(tmp_path, change, message):
    rows = table(found(Cell(NEST))).to_dict("records")
    pd.DataFrame([*rows, rows[0] | {"seed": 2 if change else 1} | change]).to_csv(tmp_path / "cells.csv", index=False)
    with pytest.raises(AmatError, match=message):
        read_cells(tmp_path / "cells.csv")


def test_ratios_are_taken_between_equal_cells():
    cells = table(
        *(found(Cell(NEST, seed=seed), simulate=float(seed)) for seed in (1, 2, 3, 4)),
        # Seed 4 is missing; the other size and the other machine have no partner.
        *(found(Cell(OPT, seed=seed), simulate=seed * (0.4 + 0.1 * seed)) for seed in (1, 2, 3)),
        found(Cell(OPT, neurons=5000), simulate=100.0),
        found(Cell(OPT, seed=4), simulate=100.0, machine={**found(Cell(NEST))["machine"], "cpu": "another"}),
    )
    (row,) = compare(cells, "simulate_s", OPT, NEST).to_dict("records")
    assert row["neurons"] == 10000
    assert row["seeds"] == 3
    assert row["ratio"] == pytest.approx(0.6)
    assert (row["lower"], row["upper"]) == pytest.approx((0.5, 0.7))
    assert row["coverage"] == pytest.approx(0.75)


def test_an_unmeasured_model_has_no_rows():
    cells = table(found(Cell(NEST)))
    assert compare(cells, "simulate_s", OPT, NEST).empty
    assert summary_page(cells).empty


def test_fewer_than_three_seeds_give_no_interval():
    assert np.isnan(median_interval([1.0, 2.0])).all()
    cells = table(*(found(Cell(model, seed=seed)) for model in (NEST, OPT) for seed in (1, 2)))
    summary = summary_page(cells)
    assert summary["lower"].isna().all()
    assert (summary["seeds"] == 2).all()
    assert set(summary_text(summary)["time"]) == {"1.00"}


@pytest.mark.parametrize(
    ("quantity", "lower", "upper", "outcome"),
    [
        ("time", 0.4, 0.9, "faster"),
        ("time", 0.4, 1.1, "equal"),
        ("time", 1.1, 1.4, "slower"),
        ("memory", 0.97, 0.99, "smaller"),
        ("memory", 0.997, 0.998, "equal"),
        ("memory", 1.01, 1.02, "larger"),
        ("time", np.nan, np.nan, "undecided"),
    ],
)
def test_an_outcome_needs_an_interval_that_excludes_one(quantity, lower, upper, outcome):
    assert decide_outcome(quantity, lower, upper) == outcome


def test_the_table_of_outcomes_has_all_workloads():
    """Networks come from cells, updates and microcircuits from rounds; the interval decides, not the median."""
    cells = table(
        *(
            found(Cell(model, neurons=neurons, seed=seed), 1.0 if model == OPT and neurons == 1000 else 2.0 + seed % 2)
            for model in (NEST, OPT)
            for neurons in (1000, 2000)
            for seed in (1, 2, 3)
        ),
        found(Cell(NEST, neurons=3000), 1.0),
        found(Cell(OPT, neurons=3000), 0.5),
    )
    about = {
        NEST: {"family": "amat", "model": NEST, "build": "nest", "label": "nest"},
        OPT: {"family": "amat", "model": OPT, "build": "optimised", "label": "optimised"},
    }
    ratios = {NEST: (1.0, 1.0, 1.0), OPT: (0.5, 0.6, 1.1)}

    def rounds(case, **values):
        return pd.DataFrame(
            [
                {"case": case, "round": n, **about[model], **{k: v * ratio for k, v in values.items()}}
                for model, of_model in ratios.items()
                for n, ratio in enumerate(of_model)
            ]
        )

    update, memory = rounds("amat-input-delay0.1", cpu_ns=10.0), rounds("amat-input-n4000", bytes=5.0)
    microcircuits = rounds("microcircuit-dc-x0.1-r1-t4", cpu_factor=10.0, peak_GB=1.0).assign(
        scale=0.1, neurons=7713, ranks=1, threads=4, usable_cores=2
    )
    rows = outcome_table(cells, update=update, memory=memory, microcircuits=microcircuits).fillna("–")
    assert rows.drop(columns=["neuron", "neurons", "rounds"]).to_numpy().tolist() == [
        ["static network", 1, "0.33 (0.33–0.50)", "faster", "1.00 (1.00–1.00)", "equal"],
        ["static network", 1, "1.00 (1.00–1.00)", "equal", "1.00 (1.00–1.00)", "equal"],
        ["static network", 1, "0.50", "undecided", "1.00", "undecided"],
        ["update, input, delay (ms) 0.1", 1, "0.60 (0.50–1.10)", "equal", "–", "–"],
        ["update, input", 1, "–", "–", "0.60 (0.50–1.10)", "equal"],
        ["microcircuit of scale 0.1, dc", 2, "0.60 (0.50–1.10)", "equal", "0.60 (0.50–1.10)", "equal"],
    ]
    assert list(rows["rounds"]) == [3, 3, 1, 3, 3, 3]


def test_the_sign_interval_has_the_stated_coverage():
    random = np.random.default_rng(1)
    for n in (3, 5, 8, 20):
        intervals = [median_interval(random.exponential(size=n)) for _ in range(1000)]
        assert intervals[0][2] >= 0.95 or n < 6
        inside = np.mean([lower <= np.log(2.0) <= upper for lower, upper, _ in intervals])
        # three standard errors of 1000 trials
        assert inside == pytest.approx(intervals[0][2], abs=3 * np.sqrt(0.25 * 0.75 / 1000))


def test_efficiency_of_strong_and_weak_scaling():
    cells = table(
        *(found(Cell(NEST, threads=1, seed=seed), simulate=4.0) for seed in (1, 2, 3)),
        *(found(Cell(NEST, threads=2, seed=seed), simulate=2.5) for seed in (1, 2, 3)),
        *(found(Cell(NEST, threads=4, seed=seed), simulate=9.9) for seed in (1, 2, 3)),
        *(found(Cell(NEST, neurons=20000, threads=2, seed=seed), simulate=5.0) for seed in (1, 2, 3)),
    )
    strong = measure_scaling(cells, "strong").set_index(["neurons", "cores"])
    assert strong.loc[(10000, 1), "efficiency"] == pytest.approx(1.0)
    assert strong.loc[(10000, 2), "efficiency"] == pytest.approx(0.8)
    assert strong.loc[(10000, 2), "speed_up"] == pytest.approx(1.6)
    # four threads on two cores say nothing; 20000 neurons have no other number of cores
    assert set(strong.index) == {(10000, 1), (10000, 2)}
    weak = measure_scaling(cells, "weak").set_index(["neurons", "cores"])
    assert weak.loc[(20000, 2), "efficiency"] == pytest.approx(0.8)
    assert weak.loc[(20000, 2), "speed_up"] == pytest.approx(1.6)  # twice the work in 1.25 of the time


def test_other_simulators_are_compared_within_rounds():
    """The machine becomes twice as slow in each round; ours takes half of Brian2's time in each."""
    times = {"nest": 4.0, "optimised": 1.0, "brian2": 2.0, "arbor": 1.0}
    rows = [
        {"case": "network-n9-k5", "round": n, "model": build, "build": build, "label": build, "rate": 8.0}
        | {"cpu_factor": 2**n * factor * (1 + 0.5 * (build == "arbor" and n == 1))}
        for build, factor in times.items()
        for n in range(3)
    ]
    shown = peer_table({2: pd.DataFrame(rows)}).set_index("simulator")
    assert list(shown["ours is"]) == ["faster", "–", "faster", "equal"]
    assert shown.loc["Brian2", "ours / its"] == "0.50 (0.50–0.50)"
    assert shown.loc["Arbor", "ours / its"] == "1.00 (0.67–1.00)"
    assert (shown["cores"] == 2).all()
