# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fits recover the coefficients of synthetic cells, and mark terms that the cells do not separate."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from amat.benchmark.growth import MEMORY_TERMS, TIME_TERMS, fit_all, fit_growth
from amat.errors import AmatError

MODEL = "amat2_psc_exp"
BYTES = {
    "process": 4e7,
    "neuron": 4600.0,
    "static synapse": 40.0,
    "plastic synapse": 104.0,
    "neuron of a network": 600.0,
    "thread": 7e5,
}
NANOSECONDS = {"update": 30.0, "delivery": 100.0, "plastic delivery": 280.0, "input": 150.0, "slice": 20000.0}
SIZES = (1000, 3000, 10000)


def measured(indegrees=(250, 1000), workloads=("neurons", "network", "plastic"), noise=0.0):
    """Return cells whose memory and time follow from `BYTES` and `NANOSECONDS`."""
    random = np.random.default_rng(0)
    rows = []
    for workload, n, k, threads, seed in product(workloads, SIZES, indegrees, (1, 2), (1, 2, 3)):
        degree = 0 if workload == "neurons" else k
        plastic = 0.8 if workload == "plastic" else 0.0
        spikes, steps, networked = 8 * n, 10000, workload != "neurons"
        memory = (
            BYTES["process"]
            + BYTES["neuron"] * n
            + BYTES["static synapse"] * n * degree * (1 - plastic)
            + BYTES["plastic synapse"] * n * degree * plastic
            + BYTES["neuron of a network"] * n * networked
            + BYTES["thread"] * threads
        )
        time = 1e-9 * (
            NANOSECONDS["update"] * n * steps / threads
            + NANOSECONDS["delivery"] * spikes * degree * (1 - plastic) / threads
            + NANOSECONDS["plastic delivery"] * spikes * degree * plastic / threads
            + NANOSECONDS["input"] * n * steps / threads * networked
            + NANOSECONDS["slice"] * 1000
        )
        rows.append(
            {
                "cell": f"{workload}-{n}-{degree}-{threads}-{seed}",
                "model": MODEL,
                "workload": workload,
                "neurons": n,
                "indegree": degree,
                "ranks": 1,
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


def fit_both(cells):
    """Return the fits of memory and time with the coefficients of the synthetic cells."""
    memory = fit_growth(cells, "allocated_simulate_B", MEMORY_TERMS)
    return (memory, BYTES), (fit_growth(cells, "simulate_s", TIME_TERMS), NANOSECONDS)


def coefficients(fit) -> dict[str, float]:
    return dict(zip(fit.terms["term"], fit.terms["value"], strict=True))


def test_exact_data_recover_the_coefficients():
    for fit, expected in fit_both(measured()):
        assert fit.terms["separable"].all()
        assert coefficients(fit) == pytest.approx(expected, rel=1e-6)
        assert fit.r_squared == pytest.approx(1.0)
        assert fit.largest_error < 1e-9


def test_intervals_of_noisy_data_contain_most_coefficients():
    inside = []
    for fit, expected in fit_both(measured(noise=0.05)):
        assert (fit.terms["lower"] <= fit.terms["value"]).all()
        assert (fit.terms["value"] <= fit.terms["upper"]).all()
        inside += list(fit.terms["term"].map(expected).between(fit.terms["lower"], fit.terms["upper"]))
        # half of all normal errors of 5 % are smaller than 3.4 %
        assert fit.median_error == pytest.approx(0.034, abs=0.01)
    # 95 % of 11 intervals, minus less than four standard errors
    assert np.mean(inside) > 0.7


def test_a_single_indegree_does_not_separate_input_from_delivery():
    """The time of a network's input is then attributed to synaptic events, of which each step has equally many."""
    _, (time, _) = fit_both(measured(indegrees=(1000,), workloads=("neurons", "network")))
    input_term = time.terms.set_index("term").loc["input"]
    assert not input_term["separable"]
    assert np.isnan(input_term["upper"])
    both = NANOSECONDS["delivery"] + NANOSECONDS["input"] * 10000 / (8 * 1000)
    assert coefficients(time)["delivery"] == pytest.approx(both, rel=1e-6)


def test_coefficients_are_never_negative():
    for fit, _ in fit_both(measured(noise=0.5)):
        assert (fit.terms["value"] >= 0).all()
        assert (fit.terms["lower"].dropna() >= 0).all()


def test_the_same_cells_give_the_same_fit():
    cells = measured(noise=0.1)
    for (first, _), (second, _) in zip(fit_both(cells), fit_both(cells), strict=True):
        pd.testing.assert_frame_equal(first.terms, second.terms)


def test_cells_with_shared_cores_or_several_ranks_are_not_fitted():
    cells = measured()
    shared = cells.assign(shared_cores="yes", simulate_s=100.0, seed=9)
    distributed = cells.assign(ranks=2, simulate_s=100.0, seed=10)
    memory, time = fit_all(pd.concat([cells, shared, distributed]))[MODEL]
    assert coefficients(memory) == pytest.approx(BYTES, rel=1e-6)
    assert coefficients(time) == pytest.approx(NANOSECONDS, rel=1e-6)


def test_models_with_too_few_cells_are_left_out():
    few = measured(workloads=("neurons",)).head(1).assign(model="izhikevich")
    no_network = measured(workloads=("neurons",)).assign(model="iaf_psc_exp")
    assert set(fit_all(pd.concat([measured(), few, no_network]))) == {MODEL}


@pytest.mark.parametrize("cells", [measured().head(1), measured().head(0), measured().assign(model=["a", "b"] * 54)])
def test_too_few_cells_and_cells_of_several_models_are_refused(cells):
    with pytest.raises(AmatError, match="needs two or more cells of one model"):
        fit_growth(cells, "simulate_s", TIME_TERMS)
