# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Matching, null hypotheses, irregularity and verdicts of the study of working points, on made-up data without NEST."""

import itertools
import math

import numpy as np
import pandas as pd
import pytest

from amat.analysis.rate_models.curves import RateCurve
from amat.analysis.transfer import estimate, fourier_coefficients, signal_to_noise
from amat.analysis.working_points import (
    Plan,
    cluster_interval,
    compare_matched,
    current_distances,
    distinct_neurons,
    jackknife_interval,
    match,
    match_working_points,
    pool_seeds,
    summarise_findings,
)
from amat.analysis.working_points.points import secant_slope
from amat.analysis.working_points.responses import interval_statistics
from amat.analysis.working_points.shards import Shards
from amat.errors import AmatError


class TestSignalToNoise:
    @pytest.mark.parametrize("window", [500.0, 1000.0, 4000.0])
    def test_does_not_depend_on_the_window_unlike_the_coherence(self, window):
        """Poisson trains with a modulated rate: the ratio is r0 m^2 / 4 per second in windows of all lengths."""
        random = np.random.default_rng(1)
        rate, depth, frequency, trials, total = 20.0, 0.5, 8.0, 400, 16000.0
        number = random.poisson(2e-3 * rate * total, trials)
        senders, times = np.repeat(np.arange(trials), number), random.uniform(0.0, total, number.sum())
        kept = random.uniform(0, 2, len(times)) < 1 + depth * np.cos(2e-3 * np.pi * frequency * times)
        count = round(total / window)
        z, spikes = fourier_coefficients(
            senders[kept], times[kept], np.full(trials, frequency), count, start=0.0, window=window
        )
        found = estimate(z[np.newaxis], spikes[np.newaxis], [depth], window=window)
        expected = rate * depth**2 / 4
        assert signal_to_noise(found["coherence"], window=window)[0] == pytest.approx(expected, rel=0.06)
        coherence = expected / (expected + 1e3 / window)
        assert found["coherence"][0] == pytest.approx(coherence, rel=0.04)

    def test_limits_and_bad_values(self):
        assert signal_to_noise([0.0, 0.5, 1.0], window=2000.0).tolist() == [0.0, 0.5, math.inf]
        with pytest.raises(AmatError, match=r"coherence is from 0 to 1, got 1\.2"):
            signal_to_noise([1.2])
        with pytest.raises(AmatError, match="window must be positive, got 0 ms"):
            signal_to_noise([0.5], window=0.0)


class TestIrregularity:
    def test_clock(self):
        cv, serial = interval_statistics([np.arange(50) * 10.0])
        assert cv == 0.0
        assert math.isnan(serial)

    def test_alternating_intervals_are_anticorrelated(self):
        """Intervals of 5 and 15: CV 0.5, and each is followed by its opposite."""
        train = np.cumsum(np.tile([5.0, 15.0], 30))
        cv, serial = interval_statistics([train, train])
        assert cv == pytest.approx(0.5, abs=0.01)
        assert serial == pytest.approx(-1.0, abs=0.01)

    def test_poisson_process(self):
        random = np.random.default_rng(2)
        cv, serial = interval_statistics([np.cumsum(random.exponential(1.0, 5000)) for _ in range(4)])
        assert cv == pytest.approx(1.0, abs=0.03)
        assert serial == pytest.approx(0.0, abs=0.03)

    def test_no_interval_spans_two_trials(self):
        trains = [np.array([0.0, 1.0]) + 100 * k for k in range(12)]
        assert interval_statistics(trains)[0] == 0.0

    def test_too_few_intervals(self):
        assert all(math.isnan(value) for value in interval_statistics([np.arange(5.0)]))


class TestMatching:
    def test_match_has_the_least_sum_of_all_assignments(self):
        costs = np.random.default_rng(3).uniform(size=(5, 5))
        rows, columns = match(costs)
        least = min(sum(costs[i, order[i]] for i in range(5)) for order in itertools.permutations(range(5)))
        assert costs[rows, columns].sum() == pytest.approx(least)

    def test_caliper_and_unknown_costs(self):
        rows, columns = match([[0.1, np.nan], [0.2, 0.9]], largest=0.5)
        assert [rows.tolist(), columns.tolist()] == [[0], [0]]

    def test_matched_pairs_that_agree_are_closer_than_shuffled_ones(self):
        """The outcome is the matching distance itself: every shuffled pair is further apart."""
        places = np.arange(12.0)
        distances = np.abs(np.subtract.outer(places, places + 0.1))
        found = compare_matched(distances, distances, n_resamples=2000)
        assert found["pairs"] == 12
        assert found["outcome"] == pytest.approx(0.1)
        assert found["delta"] == 1.0
        assert found["p"] < 0.005
        assert found["difference"] < 0

    def test_matching_in_an_unrelated_measure_decides_nothing(self):
        """p is uniform if the outcome is independent of the matching: about one in twenty is below 0.05."""
        random = np.random.default_rng(4)
        found = [
            compare_matched(random.uniform(size=(10, 10)), random.uniform(size=(10, 10)), n_resamples=200, seed=k + 1)
            for k in range(100)
        ]
        below = np.mean([one["p"] <= 0.05 for one in found])
        assert below <= 0.12
        assert np.mean([one["delta"] for one in found]) == pytest.approx(0.0, abs=0.08)

    def test_too_few_pairs(self):
        with pytest.raises(AmatError, match="At least 3 pairs are needed, got 2"):
            compare_matched(np.zeros((2, 2)), np.zeros((2, 2)))

    def test_working_points_are_matched_in_rate_and_cv(self):
        table = pd.DataFrame(
            [
                ("amat", "a", 10.0, 10.0, 0.50, 0.9),
                ("amat", "b", 10.0, 10.0, 0.80, 0.8),
                ("amat", "c", 20.0, 20.0, 0.30, 0.7),
                ("izhikevich", "d", 10.0, 10.5, 0.55, 0.6),
                ("izhikevich", "e", 10.0, 15.0, 0.80, 0.5),
                ("izhikevich", "f", 20.0, 20.0, 0.45, 0.4),
            ],
            columns=["model", "pattern", "rate", "rate_per_s", "cv", "value"],
        )
        found = match_working_points(table)
        # e fires too fast, and f is too irregular.
        assert found[["amat", "izhikevich"]].to_numpy().tolist() == [["a", "d"]]
        assert found["difference"][0] == pytest.approx(0.3)
        assert len(match_working_points(table, caliper=0.2)) == 2


class TestIntervals:
    def test_jackknife_of_a_mean_is_students_interval(self):
        values = np.array([1.0, 2.0, 4.0, 5.0, 9.0])
        left_out = np.array([np.delete(values, k).mean() for k in range(5)])
        low, high = jackknife_interval(values.mean(), left_out)
        half = 2.776445 * values.std(ddof=1) / math.sqrt(5)
        assert [low, high] == pytest.approx([values.mean() - half, values.mean() + half], rel=1e-5)
        assert all(math.isnan(bound) for bound in jackknife_interval(1.0, np.array([np.nan, 1.0])))

    def test_rows_of_a_cluster_stay_together(self):
        """Ten copies of each value carry no more information than one."""
        values = np.random.default_rng(5).normal(size=12)
        table = pd.DataFrame({"x": np.repeat(values, 10), "name": np.repeat(np.arange(12), 10)})
        value, low, high = cluster_interval(table, lambda part: float(part["x"].mean()), "name", n_resamples=400)
        assert value == pytest.approx(values.mean())
        assert (high - low) / 2 == pytest.approx(1.96 * values.std() / math.sqrt(12), rel=0.2)
        few = cluster_interval(table[table["name"] < 2], lambda part: float(part["x"].mean()), "name")
        assert [math.isnan(bound) for bound in few] == [False, True, True]


def test_slope_of_a_steep_power():
    """The width of the secant adapts: with a fixed width of 15 % the slope of x^20 would be far too large."""
    x = np.linspace(0.5, 1.5, 401)
    assert secant_slope(RateCurve(x, 10 * x**20), 1.0) == pytest.approx(20.0, rel=0.03)
    assert math.isnan(secant_slope(RateCurve(x, 0 * x), 1.0))


def test_distances_of_responses_to_current():
    a = np.random.default_rng(6).uniform(size=(1, 6, 7))
    apart = np.zeros((2, 6, 7))
    apart[0, 0, 0] = apart[1, 1, 1] = 1.0
    found = current_distances(np.concatenate([a, 3 * a, apart, np.full((1, 6, 7), np.nan)]))
    assert found[0, 1] == pytest.approx(0.0, abs=1e-12)
    assert found[2, 3] == pytest.approx(math.sqrt(2))
    assert np.isnan(found[4, 0])


def test_neurons_are_distinct():
    neurons = distinct_neurons()
    keys = [(neuron.parameters, neuron.rest_current) for neuron in neurons]
    assert len(set(keys)) == len(keys) > 30
    assert [n.pattern for n in distinct_neurons(["tonic_spiking", "spike_latency"])].count("tonic_spiking") == 2


class TestPlan:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"rates": ()}, r"rates of a grid must be different positive numbers, got \[\]"),
            ({"balances": (0.0, 0.5)}, "balances of a grid must be different positive"),
            ({"balances": (1.5,)}, r"balance must be below 1, got 1\.5"),
            ({"frequencies": (0.5,)}, "whole numbers of Hz"),
            ({"n_seeds": 1}, "At least 2 seeds"),
            ({"synthetic_trials": 5}, "even number of at least 4, got 5"),
        ],
    )
    def test_bad_values(self, arguments, message):
        with pytest.raises(AmatError, match=message):
            Plan(**{"rates": (10.0,), "balances": (0.5,), "depths": (1.0,), **arguments})

    def test_inhibition_has_the_middle_depth(self):
        plan = Plan((10.0,), (0.5,), (1.5, 0.5, 1.0))
        assert plan.conditions[-1] == ("inhibition", 1.0)
        assert not np.array_equal(plan.course(0), plan.course(1))

    def test_inhibition_need_not_be_modulated(self):
        assert Plan((10.0,), (0.5,), (1.0,), inhibition=False).conditions == [("poisson", 1.0)]


def test_stopped_computation_resumes(tmp_path):
    calls = []

    def compute():
        calls.append(1)
        return {"x": np.arange(3.0)}

    first = Shards(tmp_path, {"a": 1})
    for _ in range(2):
        np.testing.assert_array_equal(first.get("part", compute)["x"], np.arange(3.0))
    assert len(calls) == 1
    Shards(tmp_path, {"a": 2}).get("part", compute)
    assert len(calls) == 2
    first.remove()
    first.get("part", compute)
    assert len(calls) == 3


def _grid(band_pass, *, seeds=3, noise=0.0):
    """Return scores and transfer functions of one cell; the shape of each neuron is a different frequency."""
    random = np.random.default_rng(7)
    cell = {"rate": 10.0, "balance": 0.8, "input": "poisson", "depth": 1.0}
    scores, responses = [], []
    for model, values in band_pass.items():
        for number, value in enumerate(values):
            about = {**cell, "model": model, "pattern": f"p{number}"}
            for left_out in (-1, *range(seeds)):
                score = {"reached": True, "fano": 1.0, "ceiling": 0.9, "gain_of_aicc": 20.0 if number else 0.0}
                scores.append({**about, "left_out": left_out, **score, "band_pass": value + noise * random.normal()})
            for frequency, seed in itertools.product(range(4), range(seeds)):
                shape = {"real": float(frequency == number % 2), "imag": 0.0, "sem": 1e-3}
                responses.append({**about, "frequency_Hz": float(frequency), "seed": seed, **shape})
    names = [f"{model}:p{k}" for model in band_pass for k in range(len(band_pass[model]))]
    currents = pd.DataFrame(1.0, index=names, columns=names)
    for k in range(4):
        currents.loc[f"amat:p{k}", f"izhikevich:p{k}"] = 0.0
    return pd.DataFrame(scores), pd.DataFrame(responses), currents


class TestFindings:
    def test_statistics_of_known_scores(self):
        found = summarise_findings(*_grid({"amat": [0.9, 0.9, 0.9, 0.5], "izhikevich": [0.9, 0.5, 0.5, 0.5]}))
        statistic = found.set_index("finding")["statistic"]
        assert statistic["i"] == 0.25  # one of four of Izhikevich's
        assert statistic["ii"] == 0.75
        assert statistic["iii"] == pytest.approx(0.4)
        assert statistic["iv"] == 0.5  # two types of four neurons
        assert statistic["v"] == pytest.approx(0.0, abs=0.01)  # matched in current, equal in response
        verdict = found.set_index("finding")["verdict"]
        assert verdict.to_dict() == {"i": "no", "ii": "yes", "iii": "yes", "iv": "no", "v": "no"}
        assert (found["amat"] == 4).all()

    def test_noise_between_seeds_leaves_the_verdict_open(self):
        grid = _grid({"amat": [0.80, 0.81, 0.79, 0.8], "izhikevich": [0.8, 0.8, 0.81, 0.79]}, noise=0.1)
        assert summarise_findings(*grid).set_index("finding")["verdict"]["iii"] == "open"

    def test_neurons_that_switch_are_left_out(self):
        scores, responses, currents = _grid({"amat": [0.9] * 4, "izhikevich": [0.5] * 4})
        scores.loc[(scores["model"] == "amat") & (scores["pattern"] == "p0"), "fano"] = 50.0
        found = summarise_findings(scores, responses, currents)
        assert set(found["amat"]) == {3}
        assert set(found["izhikevich"]) == {4}

    def test_one_seed_is_refused(self):
        with pytest.raises(AmatError, match="at least two of them, got 1"):
            summarise_findings(*_grid({"amat": [0.9] * 4, "izhikevich": [0.5] * 4}, seeds=1))

    def test_pooled_error_is_that_of_a_mean(self):
        _, responses, _ = _grid({"amat": [0.9] * 4, "izhikevich": [0.5] * 4}, seeds=4)
        np.testing.assert_allclose(pool_seeds(responses)["sem"], 1e-3 / 2)
        np.testing.assert_allclose(pool_seeds(responses, 0)["sem"], 1e-3 / math.sqrt(3))
