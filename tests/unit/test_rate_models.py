# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Rate models: fits to known transfer functions, and predictions of known responses, without NEST."""

import math

import numpy as np
import pandas as pd
import pytest

from amat.analysis.rate_models.curves import (
    RateCurve,
    add_depths,
    curve_of,
    find_working_points,
    limit_depths,
    local_rates,
)
from amat.analysis.rate_models.filters import FilterFit, compare_filters, fit_filter, group_responses
from amat.analysis.rate_models.synthetic import (
    explained,
    linear_coherence,
    predict,
    predict_responses,
    synthetic_modulation,
)
from amat.errors import AmatError

FREQUENCIES = np.geomspace(0.5, 500.0, 24)


def _filter(kind, gain=2.0, zero=0.0, corner=30.0, quality=math.nan, delay=1.0):
    return FilterFit(kind, gain, zero, corner, quality, delay, 0.0, 0.0, 0.0)


LOW = _filter("low-pass")
BAND = _filter("band-pass", gain=1.0, zero=0.02, quality=0.7, delay=0.5)


def _noisy(fit, error, seed=1):
    random = np.random.default_rng(seed)
    return fit(FREQUENCIES) + error * (random.normal(size=24) + 1j * random.normal(size=24))


def _curves(functions, model="amat", rates=None, lost=None):
    x = np.geomspace(50.0, 50000.0, 31) if rates is None else rates
    parts = [
        pd.DataFrame(
            {
                "model": model,
                "pattern": pattern,
                "input_rate_per_s": x,
                "rate_per_s": function(x),
                "sem_per_s": 0.1,
                "trials": 4,
                "lost": 0 if lost is None else lost,
            }
        )
        for pattern, function in functions.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _responses(fits, error=0.02, model="amat"):
    parts = []
    for seed, (pattern, fit) in enumerate(fits.items()):
        z = _noisy(fit, error, seed)
        table = {"model": model, "pattern": pattern, "input": "poisson", "frequency_Hz": FREQUENCIES}
        parts.append(pd.DataFrame({**table, "real": z.real, "imag": z.imag, "sem": error}))
    return pd.concat(parts, ignore_index=True)


class TestCurve:
    def test_curve_is_monotone_in_spite_of_noise(self):
        random = np.random.default_rng(1)
        x = np.linspace(100.0, 2000.0, 30)
        curve = RateCurve(x[::-1], (0.01 * x + random.normal(0, 2.0, 30))[::-1])
        fine = curve(np.linspace(50.0, 3000.0, 500))
        assert (np.diff(fine) >= 0).all()
        assert curve(50.0) == curve(100.0)
        assert curve(3000.0) == curve(2000.0)

    @pytest.mark.parametrize("power", [0.5, 1.0, 3.0])
    def test_logarithmic_slope_of_a_power_is_its_exponent(self, power):
        x = np.geomspace(100.0, 10000.0, 60)
        curve = RateCurve(x, x**power)
        assert curve.slope(1000.0) == pytest.approx(power, rel=0.03)
        assert curve.inverse(1000.0**power) == pytest.approx(1000.0, rel=1e-3)

    def test_inverse_at_the_ends(self):
        """Rounding of the interpolated rates must not leave the ends without a solution."""
        random = np.random.default_rng(1)
        for _ in range(100):
            curve = RateCurve(np.sort(random.uniform(1, 1e3, 8)), np.sort(random.uniform(0, 50, 8)))
            found = [curve.inverse(float(curve.rates[end])) for end in (0, -1)]
            assert found == pytest.approx([curve.input_rates[0], curve.input_rates[-1]], rel=1e-6)

    @pytest.mark.parametrize("rates", [[], [5.0], [5.0, 5.0]])
    def test_too_few_points_are_rejected(self, rates):
        with pytest.raises(AmatError, match="at least two"):
            RateCurve(rates, rates)

    def test_measurements_at_the_same_input_are_averaged(self):
        curve = RateCurve([1.0, 2.0, 2.0], [0.0, 4.0, 8.0], [1.0, 3.0, 1.0])
        assert curve.rates.tolist() == [0.0, 5.0]

    def test_unstable_points_are_not_used(self):
        x = np.array([100.0, 200.0, 400.0, 800.0, 1600.0])
        table = _curves({"a": lambda x: x / 10}, rates=x, lost=[0, 0, 1, 2, 0])
        assert curve_of(table, "amat", "a").input_rates.tolist() == [100.0, 200.0, 400.0]
        with pytest.raises(AmatError, match="has 1 usable points"):
            curve_of(_curves({"a": lambda x: x}, rates=x, lost=[0, 4, 4, 4, 4]), "amat", "a")
        with pytest.raises(AmatError, match="curve of b of amat has 0 usable points"):
            curve_of(table, "amat", "b")


class TestWorkingPoints:
    def test_reached_exceeded_and_missed_targets(self):
        table = _curves(
            {
                "steep": lambda x: (x / 1000.0) ** 4 * 10.0,
                "eager": lambda x: 20.0 + x / 1000.0,
                "lazy": lambda x: 6.0 * x / (x + 500.0),
            }
        )
        points = find_working_points(table).set_index("pattern")
        assert points["reached"].to_dict() == {"steep": "yes", "eager": "above", "lazy": "below"}
        assert points.loc["steep", "input_rate_per_s"] == pytest.approx(1000.0, rel=0.01)
        assert points.loc["eager", "input_rate_per_s"] == pytest.approx(10000.0, rel=0.05)
        assert points.loc["lazy", "expected_per_s"] == pytest.approx(3.0, rel=0.02)
        assert points.loc["lazy", "input_rate_per_s"] == pytest.approx(500.0, rel=0.05)

    def test_silent_neuron_and_invalid_target_are_rejected(self):
        with pytest.raises(AmatError, match="still of amat is silent up to an input of 50000"):
            find_working_points(_curves({"still": lambda x: 0 * x}))
        with pytest.raises(AmatError, match=r"target must be .* got 0"):
            find_working_points(_curves({"a": lambda x: x}), target=0.0)

    def test_local_rates_cover_synthetic_input(self):
        points = find_working_points(_curves({"a": lambda x: x / 100.0, "b": lambda x: (x / 1e3) ** 4}))
        for at, rates in zip(points["input_rate_per_s"], local_rates(points, 11), strict=True):
            assert (np.diff(rates) > 0).all()
            assert 0 < rates[0] < 0.05 * at
            assert rates[5] == at
            assert rates[-1] == pytest.approx(2.05 * at)
        for count in (3, 10):
            with pytest.raises(AmatError, match=f"odd number .* got {count}"):
                local_rates(points, count)

    def test_depths_follow_from_slopes(self):
        table = _curves({"a": lambda x: x / 100.0, "b": lambda x: (x / 1e3) ** 4, "c": lambda x: 10 + 0 * x})
        points = add_depths(find_working_points(table), table)
        np.testing.assert_allclose(points["slope"], [1.0, 4.0, 0.0], rtol=0.05, atol=1e-6)
        np.testing.assert_allclose(points["depth"], [0.4, 0.1, 0.5], rtol=0.05)
        np.testing.assert_allclose(points["synthetic_depth"], [0.35, 0.15, 0.35], rtol=0.05)

    def test_depths_are_limited_where_there_is_a_resonance(self):
        table = _curves({"a": lambda x: x / 100.0, "b": lambda x: x / 50.0})
        points = add_depths(find_working_points(table), table)
        pilot = pd.DataFrame({"model": "amat", "pattern": ["a", "a", "b"], "gain": [1.0, 6.0, 0.5]})
        limited = limit_depths(points, pilot)
        assert limited["depth"].tolist() == pytest.approx([0.8 / 6.0, points["depth"][1]])


class TestFilters:
    @pytest.mark.parametrize("truth", [LOW, BAND], ids=["low-pass", "band-pass"])
    def test_parameters_are_recovered(self, truth):
        fit = fit_filter(truth.kind, FREQUENCIES, truth(FREQUENCIES), np.full(24, 0.01))
        assert fit.chi2 < 1e-3
        for name in ("gain", "zero", "corner", "delay"):
            assert getattr(fit, name) == pytest.approx(getattr(truth, name), rel=0.01, abs=1e-4), name

    def test_chi2_is_close_to_the_degrees_of_freedom(self):
        """Over many experiments its mean is the number of data less that of parameters."""
        error = 0.2  # well above the tolerance of the weights
        found = [
            fit_filter("low-pass", FREQUENCIES, _noisy(LOW, error, seed), np.full(24, error)).chi2 for seed in range(30)
        ]
        assert np.mean(found) == pytest.approx(48 - 3, rel=0.1)

    def test_criteria_choose_the_true_filter(self):
        table, fits = compare_filters(_responses({"low": LOW, "band": BAND}, error=0.05))
        wide = table.pivot(index="pattern", columns="filter", values="aicc")
        assert -10 < wide.loc["low", "low-pass"] - wide.loc["low", "band-pass"] < 10
        assert wide.loc["band", "low-pass"] - wide.loc["band", "band-pass"] > 10
        named = table.set_index(["pattern", "filter"])
        assert named.loc[("band", "band-pass"), "peak_ratio"] > 1.2
        assert named.loc[("low", "low-pass"), "peak_ratio"] == pytest.approx(1.0)
        assert (table["cross_validated"] <= table["ceiling"] + 0.05).all()
        assert named.loc[("band", "band-pass"), "cross_validated"] > named.loc[("band", "low-pass"), "cross_validated"]
        assert fits["amat", "band", "poisson", "band-pass"].delay == pytest.approx(0.5, abs=0.4)

    def test_band_pass_contains_the_low_pass(self):
        """The two are equal if the zero is at one of the two corners."""
        corner, other = 2 * math.pi * 30.0, 2 * math.pi * 200.0
        natural = math.sqrt(corner * other)
        band = _filter("band-pass", 2.0, 2.0 / other, natural / (2 * math.pi), natural / (corner + other), LOW.delay)
        np.testing.assert_allclose(band(FREQUENCIES), LOW(FREQUENCIES), rtol=1e-12)

    def test_invalid_arguments_are_rejected(self):
        with pytest.raises(AmatError, match="no filter 'high-pass'"):
            fit_filter("high-pass", FREQUENCIES, LOW(FREQUENCIES), np.ones(24))
        with pytest.raises(AmatError, match="more than 3 frequencies"):
            fit_filter("band-pass", FREQUENCIES[:3], LOW(FREQUENCIES[:3]), np.ones(3))
        with pytest.raises(AmatError, match="30 folds of 24 frequencies"):
            compare_filters(_responses({"a": LOW}), folds=30)


class TestGroups:
    def test_proportional_responses_form_one_group(self):
        louder = _filter("low-pass", gain=5.0)
        found = group_responses(_responses({"a": LOW, "b": louder, "c": BAND}))
        groups = found.set_index("pattern")["group"]
        assert groups["a"] == groups["b"] != groups["c"]

    def test_noise_does_not_split_groups(self):
        found = group_responses(_responses(dict.fromkeys("abcdef", LOW), error=0.1))
        assert found["group"].nunique() == 1

    def test_invalid_tolerance_is_rejected(self):
        with pytest.raises(AmatError, match="tolerance must be positive, got 0"):
            group_responses(_responses({"a": LOW}), tolerance=0.0)


class TestSyntheticInput:
    def test_synthetic_modulation_is_normalised(self):
        course = synthetic_modulation(10000.0, seed=3)
        assert course.shape == (10000,)
        assert course.std() == pytest.approx(1.0, rel=0.02)
        assert np.abs(course).max() <= 3.0
        np.testing.assert_array_equal(course, synthetic_modulation(10000.0, seed=3))
        assert np.abs(np.corrcoef(course, synthetic_modulation(10000.0, seed=4))[0, 1]) < 0.5
        power = np.abs(np.fft.rfft(course)) ** 2
        f = np.fft.rfftfreq(10000, 1e-3)
        assert power[(f > 0.5) & (f < 5)].sum() > 3 * power[(f > 10) & (f < 50)].sum() > 0

    def test_too_short_synthetic_modulation_is_rejected(self):
        with pytest.raises(AmatError, match="at least 2000 ms, got 500 ms"):
            synthetic_modulation(500.0)

    def test_static_prediction_is_the_averaged_curve(self):
        x = np.linspace(10.0, 4000.0, 50)
        curve = RateCurve(x, x / 100.0)
        course = 0.5 * np.sin(2 * np.pi * np.arange(2000) / 1000)
        np.testing.assert_allclose(
            predict(curve, 1000.0, course), 10 * (1 + course.reshape(-1, 5).mean(axis=1)), rtol=1e-6
        )

    def test_filtered_prediction_has_the_filters_gain_and_phase(self):
        x = np.linspace(10.0, 4000.0, 50)
        curve = RateCurve(x, x / 100.0)
        slope = curve.slope(1000.0)
        fit = _filter("low-pass", gain=slope, corner=10.0, delay=2.0)
        course = 0.2 * np.cos(2e-3 * np.pi * 10.0 * (np.arange(2000) + 0.5))
        found = predict(curve, 1000.0, course, fit, slope=slope)
        middles = 2.5 + 5.0 * np.arange(400)
        averaging = np.mean(np.cos(2e-3 * np.pi * 10.0 * (np.arange(5) - 2)))  # over a bin
        response = 2 * np.mean((found / 10 - 1) * np.exp(-2e-3j * np.pi * 10.0 * middles)) / 0.2
        assert response == pytest.approx(averaging * complex(fit([10.0])[0]) / slope, abs=1e-3)
        with pytest.raises(AmatError, match=r"slope must be positive .* got 0"):
            predict(curve, 1000.0, np.zeros(10), fit, slope=0.0)

    def test_explained_variance_is_free_of_noise(self):
        """A perfect prediction explains everything in spite of noise; half of the signal explains three quarters."""
        random = np.random.default_rng(5)
        signal = 10 + 4 * np.sin(np.arange(20000) / 50)
        first, second = (signal + random.normal(0, 5.0, 20000) for _ in range(2))
        perfect = explained(first, second, signal)
        assert perfect["explained"] == pytest.approx(1.0, abs=0.02)
        assert perfect["correlation"] == pytest.approx(perfect["ceiling"], abs=0.01)
        assert explained(first, second, 10 + (signal - 10) / 2)["explained"] == pytest.approx(0.75, abs=0.02)
        assert explained(first, second, np.full(20000, 10.0))["explained"] == pytest.approx(0.0, abs=0.02)

    def test_scores_without_signal_are_nan(self):
        random = np.random.default_rng(6)
        noise = random.normal(size=100)
        assert math.isnan(explained(noise, -noise, noise)["explained"])

    def test_true_model_scores_best(self):
        """The response of a band-pass LN model is explained best by that model."""
        curves = _curves({"a": lambda x: 10 * (x / 1000.0) ** 2})
        points = add_depths(find_working_points(curves), curves)
        curve, slope, course = curve_of(curves, "amat", "a"), points["slope"][0], synthetic_modulation(10000.0, seed=1)
        truth = _filter("band-pass", gain=slope, zero=0.05 * slope, corner=12.0, quality=0.6, delay=1.0)
        _, fits = compare_filters(_responses({"a": truth}))
        rate = predict(curve, points["input_rate_per_s"][0], points["synthetic_depth"][0] * course, truth, slope=slope)
        random = np.random.default_rng(7)
        responses = pd.DataFrame({"model": "amat", "pattern": "a", "time_ms": 5.0 * np.arange(len(rate)) + 2.5})
        responses["first_per_s"], responses["second_per_s"] = (random.poisson(rate * 2) / 2.0 for _ in range(2))
        scores, predictions = predict_responses(responses, points, curves, fits, course)
        found = scores.set_index("prediction")["explained"]
        assert found["band-pass"] == pytest.approx(1.0, abs=0.03)
        assert found["band-pass"] > found["low-pass"] + 0.03
        assert found["band-pass"] > found["static"] + 0.03
        assert len(predictions) == len(rate)


class TestLinearCoherence:
    """Coherence for known responses: a filter's output in noise, and the square of the input."""

    random = np.random.default_rng(5)
    course = random.normal(size=8000)

    def halves(self, signal, noise):
        return (signal + noise * self.random.normal(size=len(signal)) for _ in range(2))

    def test_response_of_a_filter_in_noise_is_linear(self):
        signal = np.convolve(self.course, np.exp(-np.arange(20) / 4.0))[: len(self.course)]
        found = linear_coherence(*self.halves(signal, 1.5 * signal.std()), self.course)
        slow = found[found["frequency_Hz"] < 10]
        assert slow["coherence"].median() < 0.95
        assert slow["linear"].median() == pytest.approx(1.0, abs=0.03)

    def test_reproducible_fraction_follows_from_signal_and_noise(self):
        found = linear_coherence(*self.halves(self.course, 1.0), self.course)
        assert found["reproducible"].median() == pytest.approx(1 / (1 + 0.5), abs=0.05)

    def test_squared_input_is_reproducible_but_not_linear(self):
        found = linear_coherence(*self.halves(self.course**2, 0.1), self.course)
        assert found["reproducible"].median() > 0.95
        assert found["linear"].median() < 0.05

    def test_too_short_courses_are_rejected(self):
        with pytest.raises(AmatError, match="fewer than four segments"):
            linear_coherence(*self.halves(self.course[:200], 1.0), self.course[:200])
