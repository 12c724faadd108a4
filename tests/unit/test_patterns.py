# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Criteria and trials of firing patterns on made-up responses, without a simulation."""

import dataclasses
import math

import numpy as np
import pytest

from amat.analysis.patterns import CRITERIA, Response, Trial, find_trial, load_trials
from amat.analysis.patterns.search import widest_window, window_around_one
from amat.analysis.patterns.trials import scale_trial
from amat.errors import AmatError
from amat.neurons import (
    CurrentSegment,
    InputCurrent,
    IzhikevichParameters,
    Neuron,
    ParameterError,
    validated_patterns,
    yamauchi_patterns,
)

STEP = InputCurrent((CurrentSegment(10.0, math.inf, 100.0),))
PULSE = InputCurrent((CurrentSegment(10.0, 12.0, 100.0),))
DOUBLETS = InputCurrent(tuple(CurrentSegment(t, t + 2.0, 100.0) for t in (10.0, 20.0, 100.0, 115.0)))


def respond(pattern, current, spikes, drive=lambda t: np.zeros_like(t), duration=200.0):
    """Return a response with spikes at these times, and a membrane potential that is a function of time."""
    trial = Trial(Neuron(IzhikevichParameters(), pattern=pattern), current, duration)
    time = np.arange(1, round(duration / 0.1) + 1) * 0.1
    return Response(trial, np.asarray(spikes, dtype=float), drive(time), np.empty(0))


def regular(interval, start=20.0, stop=200.0):
    return np.arange(start, stop, interval)


def bursts(number, size, gap, interval=2.0, start=20.0):
    return (start + gap * np.arange(number)[:, None] + interval * np.arange(size)).ravel()


GROWING = 20.0 + np.cumsum([0.0, *np.linspace(5.0, 23.0, 12)])
SHRINKING = 20.0 + np.cumsum([0.0, *np.linspace(20.0, 5.0, 12), 5.0, 5.0, 5.0])


def after_spike(t):
    """Falls below and then exceeds zero, its final value."""
    return np.where(t > 15.0, -np.sin((t - 15.0) / 5.0) * np.exp(-(t - 15.0) / 15.0), 0.0)


#: A current, spikes that show the pattern under it, and spikes that do not.
CASES = {
    "tonic_spiking": (STEP, regular(10.0), [regular(10.0, stop=120.0), GROWING, regular(10.0, start=5.0)]),
    "phasic_spiking": (STEP, [15.0], [[], [15.0, 18.0], [5.0], [150.0]]),
    "tonic_bursting": (STEP, bursts(6, 4, 30.0), [regular(10.0), bursts(2, 4, 90.0), bursts(6, 1, 30.0)]),
    "phasic_bursting": (STEP, bursts(1, 4, 1.0), [[15.0], bursts(2, 4, 30.0), []]),
    "mixed_mode": (STEP, [*bursts(1, 4, 1.0), *regular(20.0, start=45.0)], [regular(10.0), bursts(6, 4, 30.0)]),
    "spike_frequency_adaptation": (STEP, GROWING, [regular(10.0), SHRINKING]),
    "class_1": (STEP, SHRINKING, [regular(10.0), GROWING]),
    "class_2": (STEP, regular(10.0), [SHRINKING]),
    "spike_latency": (PULSE, [20.0], [[12.5], [], [20.0, 30.0]]),
    "integrator": (DOUBLETS, [21.0], [[], [11.0], [21.0, 116.0], [116.0]]),
    "rebound_spiking": (PULSE, [20.0], [[11.0], [], [20.0, 22.0]]),
    "rebound_bursting": (PULSE, [20.0, 22.0, 24.0], [[20.0], [11.0, 20.0, 22.0]]),
    "threshold_variability": (
        InputCurrent(tuple(CurrentSegment(t, t + 2.0, i) for t, i in ((10.0, 1.0), (70.0, -1.0), (80.0, 1.0)))),
        [81.0],
        [[11.0, 81.0], [], [75.0]],
    ),
    "bistability": (
        InputCurrent(tuple(CurrentSegment(t, t + 2.0, 1.0) for t in (50.0, 120.0))),
        [51.0, 71.0, 91.0, 111.0],
        [[51.0], regular(20.0, start=51.0), [51.0, 61.0, 71.0], [30.0, 51.0, 71.0, 91.0, 111.0]],
    ),
    "accommodation": (
        InputCurrent((CurrentSegment(10.0, 100.0, 0.0, 1.0), CurrentSegment(120.0, 140.0, 0.0, 5.0))),
        [138.0],
        [[], [90.0, 138.0]],
    ),
    "inhibition_induced_spiking": (
        InputCurrent((CurrentSegment(50.0, 150.0, -1.0),)),
        [60.0, 90.0, 120.0],
        [[60.0], [20.0, 60.0, 90.0], [60.0, 90.0, 190.0]],
    ),
    "inhibition_induced_bursting": (
        InputCurrent((CurrentSegment(50.0, 150.0, -1.0),)),
        bursts(2, 4, 40.0, start=60.0),
        [[60.0, 90.0], [20.0, *bursts(2, 4, 40.0, start=60.0)]],
    ),
}


@pytest.mark.parametrize("pattern", CASES)
def test_a_criterion_is_met_by_its_pattern_and_by_no_neighbour(pattern):
    current, good, bad = CASES[pattern]
    criterion = CRITERIA[pattern]
    verdict = criterion.decide(respond(pattern, current, good))
    assert verdict.passed, verdict.reason
    for spikes in bad:
        verdict = criterion.decide(respond(pattern, current, spikes))
        assert not verdict.passed, (spikes, verdict.reason)
        assert verdict.reason


@pytest.mark.parametrize(
    ("pattern", "current", "spikes", "drive", "flat"),
    [
        ("subthreshold_oscillations", PULSE, [14.0], after_spike, np.zeros_like),
        ("subthreshold_oscillations", PULSE, [14.0], after_spike, lambda t: -np.exp(-t / 20.0)),
        ("depolarizing_after_potential", PULSE, [14.0], lambda t: 5.0 * (t > 12.0) * np.exp(-t / 20.0), np.zeros_like),
        ("resonator", DOUBLETS, [116.0], lambda t: np.where(t > 100.0, -np.sin((t - 100.0) / 2.5), 0.0), np.zeros_like),
    ],
)
def test_criteria_that_need_traces_use_them(pattern, current, spikes, drive, flat):
    criterion = CRITERIA[pattern]
    assert criterion.needs_traces
    verdict = criterion.decide(respond(pattern, current, spikes, drive))
    assert verdict.passed, verdict.reason
    assert not criterion.decide(respond(pattern, current, spikes, flat)).passed
    assert not criterion.decide(respond(pattern, current, [], drive)).passed


def test_every_pattern_has_a_criterion_and_a_trial_of_both_models():
    assert set(CASES) | {name for name, c in CRITERIA.items() if c.needs_traces} == set(CRITERIA)
    for catalogue in (
        load_trials("amat"),
        load_trials("amat", "printed-10"),
        load_trials("izhikevich"),
        yamauchi_patterns(),
    ):
        assert set(catalogue) == set(CRITERIA)


def test_a_pulse_of_amat_has_its_stated_duration():
    trial = find_trial("spike_latency", "amat", "printed-10")
    assert np.count_nonzero(trial.current_on_grid()) * trial.neuron.resolution == pytest.approx(0.5)
    fine = find_trial("spike_latency", "amat", "printed-10", 0.01)
    assert np.count_nonzero(fine.current_on_grid()) * fine.neuron.resolution == pytest.approx(0.5)


def test_quantities_are_scaled_alone():
    trial = find_trial("bistability", "amat")
    constant, start, stop = trial.current.segments
    assert scale_trial(trial, "constant", 2.0).current.segments[0].value == 2 * constant.value
    louder = scale_trial(trial, "amplitude", 2.0).current.segments
    assert [s.value for s in louder] == [constant.value, 2 * start.value, 2 * stop.value]
    longer = scale_trial(trial, "duration", 2.0).current.segments
    assert [s.t_start for s in longer] == [s.t_start for s in trial.current.segments]
    assert longer[1].t_stop - longer[1].t_start == 2 * (start.t_stop - start.t_start)
    later = scale_trial(trial, "interval", 2.0).current.segments
    assert later[1] == start
    assert later[2].t_start - start.t_start == 2 * (stop.t_start - start.t_start)
    assert later[2].t_stop - later[2].t_start == stop.t_stop - stop.t_start
    changed = scale_trial(trial, "beta", 2.0), scale_trial(trial, "alpha_1", 2.0)
    parameters = trial.neuron.parameters
    assert changed[0].neuron.parameters == parameters
    assert changed[1].neuron.parameters == parameters.replace(alpha_1=2 * parameters.alpha_1)
    with pytest.raises(AmatError, match="alpha_3"):
        scale_trial(trial, "alpha_3", 2.0)


def test_windows_are_gapless_ranges():
    factors = np.array([0.5, 0.7, 1.0, 1.4, 2.0])
    passed = np.array([True, False, True, True, False])
    assert dataclasses.astuple(window_around_one(factors, passed)) == (1.0, 1.4)
    assert dataclasses.astuple(widest_window(factors, passed)) == (1.0, 1.4)
    assert math.isnan(window_around_one(factors, ~passed).lower)
    assert widest_window(factors, np.zeros(5, dtype=bool)).ratio == 0.0


def test_validated_neurons_differ_from_printed_ones_in_few_values():
    """tau_m equals tau_v, and all but three neurons have the printed parameters."""
    printed = yamauchi_patterns(tau_m=5.0)
    changed = set()
    for name, pattern in validated_patterns().items():
        assert pattern.parameters.tau_m == pattern.parameters.tau_v == 5.0
        if pattern.parameters != printed[name].parameters:
            changed.add(name)
            assert pattern.parameters.replace(beta=printed[name].parameters.beta) == printed[name].parameters
    assert changed == {"subthreshold_oscillations", "resonator", "threshold_variability"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("tonic_spikng", "amat"), "'tonic_spikng'.*tonic_spiking"),
        (("tonic_spiking", "hodgkin"), "'hodgkin'.*amat, izhikevich"),
        (("tonic_spiking", "amat", "printed"), "'printed'.*validated, validated-unequal, printed-10"),
        (("tonic_spiking", "amat", "validated", 5.0), "refr_T.* 5 ms, got 2 ms"),
    ],
)
def test_unknown_names_are_refused_with_the_allowed_ones(arguments, message):
    with pytest.raises((AmatError, ParameterError), match=message):
        find_trial(*arguments)
