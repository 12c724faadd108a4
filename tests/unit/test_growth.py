# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Growth models find the coefficients of data that were made with them, and say what the data do not tell."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from amat.benchmark.growth import (
    LARGEST_LOCAL_SYNAPSES,
    MEMORY_TERMS,
    TIME_TERMS,
    Node,
    extrapolate,
    extrapolate_all,
    fit_all,
    fit_growth,
    fit_memory,
    fit_time,
)
from amat.errors import AmatError

MODEL = "amat2_psc_exp"
BYTES = {
    "process": 4e7,
    "neuron": 4600.0,
    "static synapse": 40.0,
    "plastic synapse": 104.0,
    "neuron of a network": 600.0,
    "thread": 7e5,
    "neuron on a process": 64.0,
}
NANOSECONDS = {
    "update": 30.0,
    "delivery": 100.0,
    "plastic delivery": 280.0,
    "input": 150.0,
    "slice": 20000.0,
    "exchange": 5000.0,
}
SIZES = (1000, 3000, 10000)
LAYOUTS = ((1, 1), (1, 2), (2, 1), (4, 2), (16, 1))


def measured(layouts=LAYOUTS, indegrees=(250, 1000), workloads=("neurons", "network", "plastic"), noise=0.0):
    """Return cells that take what `BYTES` and `NANOSECONDS` say."""
    random = np.random.default_rng(0)
    rows = []
    for workload, n, k, (ranks, threads), seed in product(workloads, SIZES, indegrees, layouts, (1, 2, 3)):
        degree = 0 if workload == "neurons" else k
        plastic = 0.8 if workload == "plastic" else 0.0
        spikes, steps, cores, networked = 8 * n, 10000, ranks * threads, workload != "neurons"
        memory = (
            BYTES["process"] * ranks
            + BYTES["neuron"] * n
            + BYTES["static synapse"] * n * degree * (1 - plastic)
            + BYTES["plastic synapse"] * n * degree * plastic
            + BYTES["neuron of a network"] * n * networked
            + BYTES["thread"] * cores
            + BYTES["neuron on a process"] * n * (ranks - 1)
        )
        time = 1e-9 * (
            NANOSECONDS["update"] * n * steps / cores
            + NANOSECONDS["delivery"] * spikes * degree * (1 - plastic) / cores
            + NANOSECONDS["plastic delivery"] * spikes * degree * plastic / cores
            + NANOSECONDS["input"] * n * steps / cores * networked
            + NANOSECONDS["slice"] * 1000
            + NANOSECONDS["exchange"] * 1000 * ranks * (ranks > 1)
        )
        rows.append(
            {
                "cell": f"{workload}-{n}-{degree}-{ranks}-{threads}-{seed}",
                "model": MODEL,
                "workload": workload,
                "neurons": n,
                "indegree": degree,
                "ranks": ranks,
                "threads": threads,
                "seed": seed,
                "spikes": spikes,
                "duration_ms": 1000.0,
                "resolution_ms": 0.1,
                "shared_cores": "no",
                "allocated_simulate_B": memory * np.exp(noise * random.standard_normal()),
                "simulate_s": time * np.exp(noise * random.standard_normal()),
            }
        )
    return pd.DataFrame(rows)


def coefficients(fit) -> dict[str, float]:
    return dict(zip(fit.terms["term"], fit.terms["value"], strict=True))


def test_exact_data_give_the_coefficients_back():
    cells = measured()
    for fit, wanted in ((fit_memory(cells, MODEL), BYTES), (fit_time(cells, MODEL), NANOSECONDS)):
        assert fit.terms["told"].all()
        assert coefficients(fit) == pytest.approx(wanted, rel=1e-6)
        assert fit.r_squared == pytest.approx(1.0)
        assert fit.largest_error < 1e-9
        assert fit.predict(cells).to_numpy() == pytest.approx(fit.residuals["measured"].to_numpy())


def test_noisy_data_give_intervals_that_contain_most_coefficients():
    cells = measured(noise=0.05)
    inside = []
    for fit, wanted in ((fit_memory(cells, MODEL), BYTES), (fit_time(cells, MODEL), NANOSECONDS)):
        assert (fit.terms["lower"] <= fit.terms["value"]).all()
        assert (fit.terms["value"] <= fit.terms["upper"]).all()
        inside += list(fit.terms["term"].map(wanted).between(fit.terms["lower"], fit.terms["upper"]))
        # half of all normal errors of 5 % are smaller than 3.4 %
        assert fit.median_error == pytest.approx(0.034, abs=0.01)
    # 95 % of 13 intervals, less than four standard errors of that
    assert np.mean(inside) > 0.7


def test_one_rank_does_not_tell_what_many_take():
    cells = measured(layouts=((1, 1), (1, 2)))
    memory, time = fit_memory(cells, MODEL), fit_time(cells, MODEL)
    assert "neuron on a process" not in memory.told
    assert "exchange" not in time.told
    assert coefficients(memory)["neuron"] == pytest.approx(BYTES["neuron"], rel=1e-6)
    assert np.isnan(memory.terms.set_index("term").loc["neuron on a process", "upper"])


def test_one_indegree_does_not_tell_input_from_delivery():
    """All that a step of a neuron in a network takes is then in the synaptic events, of which it has equally many."""
    cells = measured(indegrees=(1000,), workloads=("neurons", "network"))
    time = fit_time(cells, MODEL)
    assert "input" not in time.told
    both = NANOSECONDS["delivery"] + NANOSECONDS["input"] * 10000 / (8 * 1000)
    assert coefficients(time)["delivery"] == pytest.approx(both, rel=1e-6)


def test_coefficients_are_never_negative():
    cells = measured(noise=0.5)
    for fit in (fit_memory(cells, MODEL), fit_time(cells, MODEL)):
        assert (fit.terms["value"] >= 0).all()
        assert (fit.terms["lower"].dropna() >= 0).all()


def test_the_same_cells_give_the_same_fit():
    cells = measured(noise=0.1)
    pd.testing.assert_frame_equal(fit_memory(cells, MODEL).terms, fit_memory(cells, MODEL).terms)


def test_times_of_shared_cores_are_not_fitted():
    cells = measured(layouts=((1, 1), (1, 2)))
    slow = cells.assign(shared_cores="yes", simulate_s=100.0, seed=9)
    assert coefficients(fit_time(pd.concat([cells, slow]), MODEL)) == pytest.approx(
        coefficients(fit_time(cells, MODEL))
    )


def test_models_with_too_few_cells_are_left_out():
    cells = measured()
    few = measured(workloads=("neurons",)).head(1).assign(model="izhikevich")
    no_network = measured(workloads=("neurons",)).assign(model="iaf_psc_exp")
    assert set(fit_all(pd.concat([cells, few, no_network]))) == {MODEL}


@pytest.mark.parametrize("cells", [measured().head(1), measured().head(0), measured().assign(model=["a", "b"] * 135)])
def test_what_cannot_be_fitted_is_refused(cells):
    with pytest.raises(AmatError, match="is fitted to the cells of one model, two at least"):
        fit_growth(cells, "simulate_s", TIME_TERMS)


def test_the_largest_network_fills_the_memory():
    cells = measured()
    memory, time = fit_memory(cells, MODEL), fit_time(cells, MODEL)
    node = Node(cores=128, memory=512e9, ranks=2, usable=0.9)
    table = extrapolate(memory, time, [1, 1000], node=node).set_index("nodes")
    assert (table["limit"] == "memory").all()
    for nodes, row in table.iterrows():
        available = nodes * 512e9 * 0.9
        assert row["memory_B"] == pytest.approx(available, rel=1e-6)
        a_neuron = BYTES["neuron"] + 600 + 40 * 1000 + 64.0 * (2 * nodes - 1)
        fixed = 2 * nodes * 4e7 + 128 * nodes * 7e5
        assert row["neurons"] == pytest.approx((available - fixed) / a_neuron, rel=1e-5)
    # What each process keeps of all neurons takes its share: a thousand nodes hold less than a thousand times as many.
    assert table.loc[1000, "neurons"] < 500 * table.loc[1, "neurons"]
    assert table["tables"].all()
    assert table["exchange"].all()


def test_nodes_with_much_memory_are_limited_by_the_numbers_of_synapses():
    cells = measured(layouts=((1, 1), (1, 2)))
    node = Node(cores=128, memory=1e14)
    (row,) = extrapolate(fit_memory(cells, MODEL), fit_time(cells, MODEL), [1], node=node).to_dict("records")
    assert row["limit"] == "synapses of a thread"
    assert row["synapses"] == pytest.approx(128 * LARGEST_LOCAL_SYNAPSES, rel=1e-6)
    assert not row["tables"]
    assert not row["exchange"]


def test_nodes_that_are_too_small_are_refused():
    cells = measured()
    with pytest.raises(AmatError, match="hold no neuron beside"):
        extrapolate(fit_memory(cells, MODEL), fit_time(cells, MODEL), [1], node=Node(cores=2, memory=1e6))
    with pytest.raises(AmatError, match="A node of 5 cores has 2 ranks"):
        Node(cores=5, memory=1e9)


def test_shares_are_all_of_the_memory():
    fits = fit_all(measured())
    table, shares = extrapolate_all(fits, [1, 10])
    assert shares.loc[MODEL].sum() == pytest.approx(table.set_index("nodes").loc[10, "memory_B"], rel=1e-9)
    assert set(shares) <= {term.name for term in MEMORY_TERMS}
    empty, none = extrapolate_all({}, [1])
    assert empty.empty
    assert none.empty
