# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""AMAT's parameter space: what a neuron does over ranges of two parameters, and which parameters matter.

References
----------
.. [1] Yamauchi S, Kim H, Shinomoto S (2011). Front. Comput. Neurosci. 5:42. doi:10.3389/fncom.2011.00042
.. [2] Saltelli A et al. (2010). Comput. Phys. Commun. 181:259-270. doi:10.1016/j.cpc.2009.09.018
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat import toolchain
from amat.analysis.metrics import MEASURES, classify, measure_train
from amat.arrays import Floats
from amat.errors import AmatError
from amat.neurons.parameters import UNITS, AmatParameters, ParameterError
from amat.simulation.run import fresh_kernel
from amat.simulation.stimuli import steps_of

__all__ = ["MAPS", "RANGES", "Axis", "column_of", "explore", "parse_axis", "resonance", "sensitivity", "simulate_many"]


#: What is mapped if nothing else is asked for: horizontal and vertical axis as `parse_axis` reads them.
MAPS: tuple[tuple[str, str], ...] = (
    ("alpha_1=-2:20:100", "alpha_2=-0.5:3:100"),
    ("beta=-1:1:100", "omega=1:12:100"),
    ("beta=-1:1:100", "tau_v=1:50:100"),
    ("I_e=0:400:100", "alpha_2=-0.5:3:100"),
)

#: Ranges over which the sensitivity is global, in the units of `amat.neurons.parameters.UNITS`.
RANGES: Mapping[str, tuple[float, float]] = {
    "alpha_1": (-1.0, 20.0),
    "alpha_2": (0.0, 3.0),
    "beta": (-0.3, 0.3),
    "tau_v": (2.0, 20.0),
    "omega": (2.0, 10.0),
    "tau_m": (5.0, 20.0),
    "I_e": (120.0, 400.0),
}


@dataclass(frozen=True)
class Axis:
    """Values of a parameter.

    Attributes
    ----------
    name : str
        A parameter of AMAT, by NESTML's name.
    start, stop : float
        The first and the last value, in the parameter's unit.
    points : int
        Equally spaced.
    """

    name: str
    start: float
    stop: float
    points: int

    def __post_init__(self) -> None:
        """Refuse what is no range of a parameter."""
        AmatParameters().replace(**{self.name: AmatParameters().to_nestml().get(self.name, 0.0)})  # a known name
        if not (math.isfinite(self.start) and math.isfinite(self.stop) and self.start < self.stop):
            raise AmatError(
                f"{self.name} from {self.start:g} to {self.stop:g} is no range: give the smaller value first."
            )
        if self.points < 2:
            raise AmatError(f"{self.points} values of {self.name} are no range: take two or more.")

    @property
    def values(self) -> Floats:
        """The values, shape (points,)."""
        return np.linspace(self.start, self.stop, self.points)


def parse_axis(text: str) -> Axis:
    """Read an axis from ``NAME=START:STOP:POINTS``.

    Raises
    ------
    AmatError
        If the text has another form, the parameter is unknown, or the range is empty or reversed.
    """
    name, _, numbers = text.partition("=")
    try:
        start, stop, points = numbers.split(":")
        return Axis(name.strip(), float(start), float(stop), int(points))
    except ParameterError:
        raise
    except ValueError:
        raise AmatError(f"{text!r} is no axis: write NAME=START:STOP:POINTS, as alpha_1=0:20:100.") from None


def explore(
    horizontal: Axis,
    vertical: Axis,
    parameters: AmatParameters,
    *,
    duration: float = 1000.0,
    resolution: float = 0.1,
    threads: int = 1,
) -> pd.DataFrame:
    """Simulate AMAT over a grid of two parameters, all neurons in one run, from rest under a constant current.

    Parameters
    ----------
    horizontal, vertical : Axis
        Of two different parameters.
    parameters : AmatParameters
        All others; with `I_e`, the current.
    duration, resolution : float
        In ms.
    threads : int
        NEST's threads.

    Returns
    -------
    pandas.DataFrame
        One row a neuron: a column for each of the two parameters, ``kind`` (see `amat.analysis.metrics.classify`),
        those of `amat.analysis.metrics.measure_train`, and ``resonance_Hz`` and ``resonance_gain`` of `resonance`.
        Names end in units.

    Raises
    ------
    AmatError
        If the axes are of one parameter, or a value is not allowed; before anything is simulated.
    """
    if horizontal.name == vertical.name:
        raise AmatError(f"Both axes are of {vertical.name}: take two different parameters.")
    for axis in (horizontal, vertical):
        for value in (axis.start, axis.stop):
            parameters.replace(**{axis.name: value}).validate(resolution)
    across, up = np.meshgrid(horizontal.values, vertical.values)
    varied = {horizontal.name: across.ravel(), vertical.name: up.ravel()}
    trains = simulate_many(parameters, varied, duration=duration, resolution=resolution, threads=threads)
    table = pd.DataFrame({column_of(name): values for name, values in varied.items()})
    table["kind"] = [classify(train, duration) for train in trains]
    measured = pd.DataFrame([measure_train(train, duration) for train in trains])
    for name in MEASURES:
        table[column_of(name)] = measured[name]
    complete = {name: varied.get(name, np.full(len(table), value)) for name, value in parameters.to_nestml().items()}
    table["resonance_Hz"], table["resonance_gain"] = resonance(**{n: complete[n] for n in ("tau_m", "tau_v", "beta")})
    return table


def simulate_many(
    parameters: AmatParameters,
    varied: Mapping[str, Floats],
    *,
    duration: float,
    resolution: float = 0.1,
    threads: int = 1,
) -> list[Floats]:
    """Simulate neurons that differ in some parameters, in one run of NEST, from rest under their constant currents.

    Parameters
    ----------
    parameters : AmatParameters
        What they share.
    varied : mapping of str to ndarray, shape (neurons,)
        What each has of its own, by NESTML's names.
    duration, resolution : float
        In ms.
    threads : int
        NEST's threads.

    Returns
    -------
    list of ndarray
        For each neuron its spike times in ms.
    """
    (count,) = {len(values) for values in varied.values()}
    steps = steps_of(duration, resolution)
    nest = fresh_kernel(resolution)
    nest.local_num_threads = threads
    toolchain.install(toolchain.AMAT_OPT)
    neurons = nest.Create(toolchain.AMAT_OPT, count, parameters.to_nestml())
    # The potential starts at rest, also where that is another one.
    start = {"V_m": varied["E_L"]} if "E_L" in varied else {"V_m": np.full(count, parameters.E_L)}
    neurons.set({name: values.tolist() for name, values in {**varied, **start}.items()})
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(neurons, recorder)
    nest.Simulate(steps * resolution)
    events = recorder.events
    senders = np.asarray(events["senders"], dtype=np.int64) - neurons[0].global_id
    times = np.asarray(events["times"], dtype=np.int64)
    order = np.lexsort((times, senders))
    counts = np.bincount(senders, minlength=count)
    return np.split(times[order] * resolution, np.cumsum(counts)[:-1])


def resonance(tau_m: ArrayLike, tau_v: ArrayLike, beta: ArrayLike) -> tuple[Floats, Floats]:
    """Return where the distance from the threshold answers most to a weak rhythmic current, without spikes.

    The distance is the membrane potential, a low-pass of the current, less the voltage-dependent threshold, a band-pass
    of the potential [1]_: with ``s = 2 pi i f`` it is ``R I / (1 + s tau_m) (1 - beta s / (s + 1 / tau_v)^2)``.

    Parameters
    ----------
    tau_m, tau_v, beta : array_like, shape (neurons,)
        In ms, ms and 1/ms.

    Returns
    -------
    frequency, gain : ndarray, shape (neurons,)
        The frequency of the largest amplitude, in Hz, on a grid of a hundred a decade from 0.5 to 500 Hz, or 0 if that
        is no larger than that of a constant current; and the amplitude there, relative to that of a constant current.
    """
    f = np.geomspace(0.5, 500.0, 301)
    s = 2e-3j * np.pi * f  # 1/ms
    tau_m, tau_v, beta = (np.asarray(values, dtype=np.float64)[:, np.newaxis] for values in (tau_m, tau_v, beta))
    gain = np.abs((1.0 - beta * s / (s + 1.0 / tau_v) ** 2) / (1.0 + s * tau_m))
    best = gain.argmax(axis=1)
    largest = gain[np.arange(len(gain)), best]
    resonates = largest > 1.0 + 1e-9
    return np.where(resonates, f[best], 0.0), np.where(resonates, largest, 1.0)


def sensitivity(
    parameters: AmatParameters,
    *,
    ranges: Mapping[str, tuple[float, float]] = RANGES,
    samples: int = 512,
    duration: float = 1000.0,
    resolution: float = 0.1,
    seed: int = 1,
    threads: int = 1,
) -> pd.DataFrame:
    """Tell how much of the variance of rate and CV each parameter accounts for: Sobol's indices [2]_, by SALib.

    Parameters
    ----------
    parameters : AmatParameters
        What is not varied.
    ranges : mapping of str to (float, float)
        Of the parameters, which are taken to be independent and equally distributed.
    samples : int
        A power of two; ``samples * (2 * len(ranges) + 2)`` neurons are simulated.
    duration, resolution : float
        In ms.
    seed : int
        Of the sample and of the bootstrap of the intervals.
    threads : int
        NEST's threads.

    Returns
    -------
    pandas.DataFrame
        One row a measure and parameter: ``measure`` ("rate" or "cv"), ``parameter``, ``first`` and ``total`` (indices
        of the parameter alone, and with all its interactions), ``first_conf`` and ``total_conf`` (half-widths of their
        95 % intervals), and ``undefined``, the part of the neurons with too few spikes for a CV, which count as 0.
    """
    from SALib.analyze import sobol as analysis
    from SALib.sample import sobol as sample

    if samples < 1 or samples & (samples - 1):
        raise AmatError(f"{samples} samples: Sobol's sequence takes a power of two, as 512.")
    for name, (low, high) in ranges.items():
        Axis(name, low, high, 2)
        for value in (low, high):
            parameters.replace(**{name: value}).validate(resolution)
    problem = {"num_vars": len(ranges), "names": list(ranges), "bounds": [list(pair) for pair in ranges.values()]}
    points = sample.sample(problem, samples, seed=seed)
    varied = {name: points[:, number] for number, name in enumerate(ranges)}
    trains = simulate_many(parameters, varied, duration=duration, resolution=resolution, threads=threads)
    measured = pd.DataFrame([measure_train(train, duration) for train in trains])
    rows: list[dict[str, Any]] = []
    for measure in ("rate", "cv"):
        values = measured[measure].fillna(0.0).to_numpy()
        indices = analysis.analyze(problem, values, seed=seed)
        for number, name in enumerate(ranges):
            rows.append(
                {
                    "measure": measure,
                    "parameter": name,
                    "first": indices["S1"][number],
                    "first_conf": indices["S1_conf"][number],
                    "total": indices["ST"][number],
                    "total_conf": indices["ST_conf"][number],
                    "undefined": measured[measure].isna().mean(),
                }
            )
    return pd.DataFrame(rows)


def column_of(name: str) -> str:
    """Return the name of the table's column for a parameter or measure."""
    return f"{name}{_suffix({**UNITS, **MEASURES}[name])}"


def _suffix(unit: str) -> str:
    return {"1": "", "1/s": "_per_s", "1/ms": "_per_ms"}.get(unit, f"_{unit}")
