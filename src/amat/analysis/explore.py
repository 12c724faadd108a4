# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""AMAT's parameter space: maps of responses over two parameters.

References
----------
.. [1] Yamauchi S, Kim H, Shinomoto S (2011). Front. Comput. Neurosci. 5:42. doi:10.3389/fncom.2011.00042
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from amat.analysis.metrics import MEASURES, classify, measure_train
from amat.arrays import Floats
from amat.checks import require_count
from amat.errors import AmatError
from amat.neurons import AmatParameters, ParameterError
from amat.neurons.amat import UNITS
from amat.simulation.kernel import NEST_MODELS, Simulation

__all__ = ["MAPS", "Axis", "column_of", "explore", "parse_axis", "resonance", "simulate_many"]


#: Default maps: horizontal and vertical axis in the form that `parse_axis` reads.
MAPS: tuple[tuple[str, str], ...] = (
    ("alpha_1=-2:20:100", "alpha_2=-0.5:3:100"),
    ("beta=-1:1:100", "omega=1:12:100"),
    ("beta=-1:1:100", "tau_v=1:50:100"),
    ("I_e=0:400:100", "alpha_2=-0.5:3:100"),
)


@dataclass(frozen=True)
class Axis:
    """Equally spaced values of a parameter.

    Attributes
    ----------
    name : str
        A parameter of AMAT, by NESTML's name.
    start, stop : float
        The first and the last value, in the parameter's unit.
    points : int
        Number of values.
    """

    name: str
    start: float
    stop: float
    points: int

    def __post_init__(self) -> None:
        """Raise an error if the name is unknown or the range is empty."""
        AmatParameters().replace(**{self.name: AmatParameters().to_nestml().get(self.name, 0.0)})  # a known name
        if not 0 < self.stop - self.start < math.inf:
            raise AmatError(f"The range of {self.name} must be finite and ascend, got {self.start:g} to {self.stop:g}.")
        require_count(f"values of {self.name}", self.points)

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
        raise AmatError(
            f"An axis must be NAME=START:STOP:POINTS, for example alpha_1=0:20:100, got {text!r}."
        ) from None


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
        All other parameters; `I_e` is the current.
    duration, resolution : float
        In ms.
    threads : int
        NEST's threads.

    Returns
    -------
    pandas.DataFrame
        One row per neuron: a column for each of the two parameters, ``kind`` (see `amat.analysis.metrics.classify`),
        those of `amat.analysis.metrics.measure_train`, and ``resonance_Hz`` and ``resonance_gain`` of `resonance`.
        Names end in units.

    Raises
    ------
    AmatError
        If the axes are of one parameter, or a value is not allowed; before anything is simulated.
    """
    if horizontal.name == vertical.name:
        raise AmatError(f"The axes must be of two different parameters, got {vertical.name} twice.")
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
        Values that they share.
    varied : mapping of str to ndarray, shape (neurons,)
        Values that differ between neurons, by NESTML's names.
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
    start = {"V_m": np.full(count, parameters.E_L)} if "E_L" not in varied else {"V_m": varied["E_L"]}
    # The potential starts at the resting potential of each neuron.
    rows = zip(*(values.tolist() for values in {**varied, **start}.values()), strict=True)
    shared, names = parameters.to_nestml(), [*varied, *start]
    neurons = [shared | dict(zip(names, row, strict=True)) for row in rows]
    # The spikes of the last ms are not needed: the published tables are without them.
    return Simulation(NEST_MODELS["amat"], neurons, duration, resolution, threads=threads).run(overrun=0.0)


def resonance(tau_m: ArrayLike, tau_v: ArrayLike, beta: ArrayLike) -> tuple[Floats, Floats]:
    """Return the frequency at which the distance from the threshold responds most to a weak sinusoidal current.

    There are no spikes. The distance is the membrane potential, a low-pass of the current, minus the voltage-dependent
    threshold, a band-pass of the potential [1]_: with ``s = 2 pi i f`` it is
    ``R I / (1 + s tau_m) (1 - beta s / (s + 1 / tau_v)^2)``.

    Parameters
    ----------
    tau_m, tau_v, beta : array_like, shape (neurons,)
        In ms, ms and 1/ms.

    Returns
    -------
    frequency, gain : ndarray, shape (neurons,)
        The frequency of the largest amplitude, in Hz, on a grid of 100 per decade from 0.5 to 500 Hz, or 0 if it is
        no larger than that of a constant current; and the amplitude there, relative to that of a constant current.
    """
    f = np.geomspace(0.5, 500.0, 301)
    s = 2e-3j * np.pi * f  # 1/ms
    tau_m, tau_v, beta = (np.asarray(values, dtype=np.float64)[:, np.newaxis] for values in (tau_m, tau_v, beta))
    gain = np.abs((1.0 - beta * s / (s + 1.0 / tau_v) ** 2) / (1.0 + s * tau_m))
    best = gain.argmax(axis=1)
    largest = gain[np.arange(len(gain)), best]
    resonates = largest > 1.0 + 1e-9
    return np.where(resonates, f[best], 0.0), np.where(resonates, largest, 1.0)


def column_of(name: str) -> str:
    """Return the name of the table's column for a parameter or measure."""
    unit = {**UNITS, **MEASURES}[name]
    return name + {"1": "", "1/s": "_per_s", "1/ms": "_per_ms"}.get(unit, f"_{unit}")
