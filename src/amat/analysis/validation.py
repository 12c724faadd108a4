# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Comparison of the generated AMAT neuron with NEST's ``amat2_psc_exp`` and with the exact solution."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from amat import toolchain
from amat.checks import require_count
from amat.neurons import AmatParameters
from amat.simulation.reference import Trajectory, integrate
from amat.simulation.run import Recording, Result, simulate
from amat.simulation.stimuli import PoissonInput, Stimulus, count_steps, pulses, ramp, sine

__all__ = [
    "BOUND",
    "EXACT_BOUNDS",
    "PROTOCOLS",
    "RESOLUTIONS",
    "TestCase",
    "failures",
    "sample_cases",
    "summarise",
    "validate",
]

#: NEST's built-in model.
NEST_MODEL = "amat2_psc_exp"

#: The largest accepted difference of voltages from NEST's model, in mV. Most of it is that model's rounding.
BOUND = 1e-8

#: The largest accepted difference of voltages from the exact solution, in mV, by the model's name in NEST.
#: NESTML's unmodified code exceeds its bound: it evaluates the propagators in double precision.
EXACT_BOUNDS = {toolchain.AMAT_UNMODIFIED: 1e-8, toolchain.AMAT: 1e-8, toolchain.AMAT_OPT: 1e-9}

#: The smallest relative distance between time constants whose difference is in a closed formula.
MINIMAL_DISTANCE = 0.1

#: Time steps in ms.
RESOLUTIONS = (0.025, 0.1, 0.5)

#: The kinds of stimuli.
PROTOCOLS = ("step", "ramp", "sine", "Poisson", "mixed")

#: Uniform ranges of the parameters, in NEST's units; omega is above E_L.
RANGES = {
    "tau_m": (5.0, 40.0),
    "C_m": (50.0, 500.0),
    "refr_T": (0.5, 5.0),
    "E_L": (-80.0, -55.0),
    "tau_syn_exc": (0.3, 6.0),
    "tau_syn_inh": (1.0, 12.0),
    "tau_1": (3.0, 20.0),
    "tau_2": (50.0, 400.0),
    "alpha_1": (-2.0, 30.0),
    "alpha_2": (-0.5, 4.0),
    "beta": (-1.0, 1.0),
    "tau_v": (2.0, 30.0),
    "omega": (3.0, 25.0),
}

_TRACES = ("V_m", "V_th", "V_th_v")
_BATCH = 50  # neurons in one run: recording every step of more of them takes gigabytes
_DURATION = 1000.0  # ms


@dataclass(frozen=True)
class TestCase:
    """A neuron with random parameters, and its stimulus.

    Attributes
    ----------
    parameters : AmatParameters
    V_m : float
        The membrane potential at the start, in mV.
    protocol : str
        One of `PROTOCOLS`.
    stimulus : Stimulus
    """

    __test__ = False  # pytest would take it for a class of tests

    parameters: AmatParameters
    V_m: float
    protocol: str
    stimulus: Stimulus


def sample_cases(number: int, resolution: float, random: np.random.Generator) -> list[TestCase]:
    """Sample neurons and stimuli at random; the protocols alternate.

    Parameters
    ----------
    number : int
    resolution : float
        The time step in ms.
    random : numpy.random.Generator

    Returns
    -------
    list of TestCase
        Neurons whose time constants differ by at least 10 % where a closed formula has their difference. The
        stimuli range from below the rheobase to several times it.
    """
    cases = []
    for i in range(number):
        parameters = _sample_parameters(random)
        protocol = PROTOCOLS[i % len(PROTOCOLS)]
        stimulus = _sample_stimulus(protocol, parameters, resolution, random)
        V_m = parameters.E_L + random.uniform(-10.0, parameters.omega)
        cases.append(TestCase(parameters, V_m, protocol, stimulus))
    return cases


def _sample_parameters(random: np.random.Generator) -> AmatParameters:
    while True:
        drawn = {name: float(random.uniform(low, high)) for name, (low, high) in RANGES.items()}
        parameters = AmatParameters(**drawn)
        if min(distance for _, _, distance in parameters.time_constant_pairs()) >= MINIMAL_DISTANCE:
            return parameters


def _sample_stimulus(protocol: str, p: AmatParameters, resolution: float, random: np.random.Generator) -> Stimulus:
    rheobase = p.omega * p.C_m / p.tau_m
    onset = float(random.uniform(5.0, 100.0))

    def some(low: float, high: float) -> float:
        return float(random.uniform(low, high))

    def poisson() -> PoissonInput:
        rate_exc, rate_inh = some(2000.0, 12000.0), some(500.0, 3000.0)
        # A train's mean current is its rate times the charge of one postsynaptic current.
        return PoissonInput(
            rate_exc,
            rate_inh,
            some(0.5, 2.5) * rheobase / (1e-3 * rate_exc * p.tau_syn_exc),
            -some(0.0, 0.8) * rheobase / (1e-3 * rate_inh * p.tau_syn_inh),
        )

    match protocol:
        case "step":
            amplitude = some(0.5, 3.0) * rheobase
            return Stimulus(pulses(_DURATION, resolution, [onset], [some(300.0, 900.0)], [amplitude]))
        case "ramp":
            return Stimulus(ramp(_DURATION, resolution, onset, some(1.0, 5.0) * rheobase / _DURATION))
        case "sine":
            waveform = sine(
                _DURATION,
                resolution,
                onset,
                some(0.0, 1.5) * rheobase,
                some(0.5, 3.0) * rheobase,
                some(1.0, 200.0),
            )
            return Stimulus(waveform)
        case "Poisson":
            return Stimulus(np.zeros(count_steps(_DURATION, resolution)), poisson())
        case _:
            waveform = sine(_DURATION, resolution, onset, 0.0, some(0.2, 1.0) * rheobase, some(1.0, 50.0))
            return Stimulus(waveform + ramp(_DURATION, resolution, onset, rheobase / _DURATION), poisson())


def validate(
    sets: int = 200,
    seed: int = 1,
    *,
    resolutions: Sequence[float] = RESOLUTIONS,
    model: str = toolchain.AMAT,
    threads: int = 2,
    progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Compare a model with NEST's and with the exact solution over random parameters and stimuli.

    Parameters
    ----------
    sets : int
        The number of parameter sets, divided evenly between the time steps.
    seed : int
        The seed of parameters, stimuli and random input.
    resolutions : sequence of float
        Time steps in ms.
    model : str
        The generated model's name in NEST.
    threads : int
        NEST's threads.
    progress : callable, optional
        Called with the number of sets done so far.

    Returns
    -------
    pandas.DataFrame
        One row per parameter set: ``set``, ``resolution`` (ms), ``protocol``, ``spikes`` of NEST's model,
        ``nearest`` (the smallest relative distance of time constants), ``identical`` (whether spikes are NEST's),
        ``exact`` (whether they are the exact solution's), and in mV the largest deviations ``V_m``, ``V_th``,
        ``V_th_v`` from NEST's model, ``*_exact`` from the exact solution, and ``*_nest`` of NEST's model
        from the exact solution.
    """
    require_count("parameter sets", sets, 1)
    rows: list[dict[str, object]] = []
    shares = [len(part) for part in np.array_split(np.arange(sets), len(resolutions))]
    for resolution, share in zip(resolutions, shares, strict=True):
        random = np.random.default_rng([seed, round(1000 * resolution)])
        for start in range(0, share, _BATCH):
            cases = sample_cases(min(_BATCH, share - start), resolution, random)
            rows += _compare(cases, resolution, model, threads, seed=seed + len(rows))
            if progress:
                progress(len(rows))
    table = pd.DataFrame(rows)
    table.insert(0, "set", np.arange(len(table)))
    return table


def _compare(
    cases: Sequence[TestCase], resolution: float, model: str, threads: int, seed: int
) -> list[dict[str, object]]:
    """Return the rows of some cases."""
    result = simulate(
        {
            NEST_MODEL: [case.parameters.to_nest() | {"V_m": case.V_m} for case in cases],
            model: [case.parameters.to_nestml() | {"V_m": case.V_m} for case in cases],
        },
        [case.stimulus for case in cases],
        resolution,
        record={NEST_MODEL: _TRACES, model: _TRACES},
        threads=threads,
        seed=seed,
    )
    nest, ours = result.recordings[NEST_MODEL], result.recordings[model]
    exact = _exact_solution(cases, result, resolution)
    return [
        {
            "resolution": resolution,
            "protocol": case.protocol,
            "spikes": len(nest.spike_steps[i]),
            "nearest": min(distance for _, _, distance in case.parameters.time_constant_pairs()),
            "identical": np.array_equal(nest.spike_steps[i], ours.spike_steps[i]),
            "exact": np.array_equal(exact.spike_steps[i], ours.spike_steps[i]),
            **_deviations(ours, nest.traces, i, ""),
            **_deviations(ours, _traces(exact), i, "_exact"),
            **_deviations(nest, _traces(exact), i, "_nest"),
        }
        for i, case in enumerate(cases)
    ]


def _exact_solution(cases: Sequence[TestCase], result: Result, resolution: float) -> Trajectory:
    """Return the exact solution under the input of a simulation."""
    return integrate(
        [case.parameters for case in cases],
        result.current,
        result.excitatory,
        result.inhibitory,
        resolution,
        V_m=[case.V_m for case in cases],
    )


def _traces(trajectory: Trajectory) -> dict[str, np.ndarray]:
    return {name: getattr(trajectory, name) for name in _TRACES}


def _deviations(recording: Recording, other: dict[str, np.ndarray], i: int, suffix: str) -> dict[str, float]:
    return {name + suffix: float(np.abs(recording.traces[name][i] - other[name][i]).max()) for name in _TRACES}


def summarise(table: pd.DataFrame) -> pd.DataFrame:
    """Return the largest deviations for each protocol and time step.

    Parameters
    ----------
    table : pandas.DataFrame
        From `validate`.

    Returns
    -------
    pandas.DataFrame
        Indexed by protocol and resolution: the numbers of sets and spikes, the numbers of sets whose
        spikes differ from NEST's (``differ``), from the exact ones (``inexact``) or from either (``faulty``), and the
        largest deviations in mV.
    """
    voltages = [name + suffix for suffix in ("", "_exact", "_nest") for name in _TRACES]
    faulty = ~(table["identical"] & table["exact"])
    groups = table.assign(faulty=faulty).groupby(["protocol", "resolution"], sort=False)
    summary = groups.agg(sets=("set", "size"), spikes=("spikes", "sum"))
    summary["differ"] = groups["identical"].agg(lambda column: int((~column).sum()))
    summary["inexact"] = groups["exact"].agg(lambda column: int((~column).sum()))
    summary["faulty"] = groups["faulty"].sum()
    return summary.join(groups[voltages].max()).sort_index()


def failures(table: pd.DataFrame, model: str = toolchain.AMAT) -> pd.DataFrame:
    """Return the sets in which spikes differ, or voltages differ by more than `BOUND` or the model's exact bound.

    Parameters
    ----------
    table : pandas.DataFrame
        From `validate`.
    model : str
        The generated model's name in NEST.

    Returns
    -------
    pandas.DataFrame
        The rows of these sets.
    """
    voltages = list(_TRACES)
    exact = [name + "_exact" for name in _TRACES]
    near = (table[voltages] <= BOUND).all(axis=1) & (table[exact] <= EXACT_BOUNDS[model]).all(axis=1)
    return table[~(table["identical"] & table["exact"] & near)]
