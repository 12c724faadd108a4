# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Direct maximisation of the coincidence factor Gamma, for AMAT and for Izhikevich's neuron, with equal budgets.

Izhikevich's neuron has no likelihood that is easy to maximise: its spikes reset both states. Differential
evolution [1]_ finds the parameters of the largest Gamma on training data. The same search for AMAT tells the method's
effect from the model's.

References
----------
.. [1] Storn R, Price K (1997). J. Global Optim. 11:341-359. doi:10.1023/A:1008202821328
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.optimize import differential_evolution

from amat.analysis.fitting.features import filter_current
from amat.analysis.fitting.scores import LARGEST_CHANCE, coincidence_factor
from amat.arrays import Floats, Integers

__all__ = ["RANGES", "DirectFit", "DirectModel", "amat_spikes", "fit_directly", "izhikevich_spikes"]

DirectModel = Literal["amat", "izhikevich"]

#: Ranges of the parameters that are searched, in the order of `amat_spikes` and `izhikevich_spikes`. Time constants
#: (ms), `a` and the gain are searched by their logarithms. Thresholds are relative to the current's standard deviation.
RANGES: dict[DirectModel, dict[str, tuple[float, float]]] = {
    "amat": {
        "tau_m": (2.0, 80.0),
        "tau_v": (1.0, 80.0),
        "omega": (-2.0, 4.0),
        "alpha_1": (-1.0, 10.0),
        "alpha_2": (-0.5, 2.0),
        "beta_tau_v": (-4.0, 4.0),
    },
    "izhikevich": {
        "a": (0.002, 0.4),
        "gain": (0.3, 100.0),
        "b": (-0.1, 0.35),
        "c": (-75.0, -40.0),
        "d": (-2.0, 20.0),
        "I_e": (-40.0, 40.0),
    },
}
_LOGARITHMIC = ("tau_m", "tau_v", "a", "gain")
#: AMAT's fixed time constants, ms.
_TAU_1, _TAU_2 = 10.0, 200.0
#: Largest time step of Izhikevich's scheme, ms.
_IZHIKEVICH_STEP = 0.5


@dataclass(frozen=True)
class DirectFit:
    """The result of `fit_directly`.

    Attributes
    ----------
    model : {"amat", "izhikevich"}
    parameters : dict of str to float
        With the names of `RANGES`.
    gamma : float
        The coincidence factor on training data.
    evaluations : int
        Simulated neurons.
    spike_times : ndarray, shape (spikes,)
        Of the best neuron under the complete current, as they would be recorded, in ms.
    """

    model: DirectModel
    parameters: dict[str, float]
    gamma: float
    evaluations: int
    spike_times: Floats


def amat_spikes(values: Floats, current: Floats, dt: float, dead_steps: int) -> list[Integers]:
    """Return the spikes of AMAT neurons with unit resistance under one current.

    Parameters
    ----------
    values : ndarray, shape (neurons, 6)
        Parameters in the order of `RANGES`, in the unit of the current; the last is ``beta tau_v``.
    current : ndarray, shape (steps,)
    dt : float
        Time step in ms.
    dead_steps : int
        Steps after a spike that cannot spike.

    Returns
    -------
    list of ndarray of int
        For each neuron the steps at whose end it spikes, counted from 0.
    """
    margin = np.empty((len(current), len(values)))
    for neuron, (tau_m, tau_v, omega, _, _, strength) in enumerate(values.tolist()):
        membrane, drive = filter_current(current, dt, tau_m, tau_v)
        margin[:, neuron] = membrane - omega - strength / tau_v * drive if drive is not None else membrane - omega
    jumps = np.ascontiguousarray(values[:, 3:5].T)
    decay = np.exp(-dt / np.array([[_TAU_1], [_TAU_2]]))
    history, last = np.zeros_like(jumps), np.full(len(values), -(10**9))
    found = []
    for step, row in enumerate(margin):
        history *= decay
        spiking = np.flatnonzero((row >= history[0] + history[1]) & (step - last > dead_steps))
        if len(spiking):
            history[:, spiking] += jumps[:, spiking]
            last[spiking] = step
            found.append((step, spiking))
    return _by_neuron(found, len(values))


def izhikevich_spikes(values: Floats, current: Floats, dt: float) -> list[Integers]:
    """Return the spikes of Izhikevich's neurons under one current, in the scheme of his script of 2004.

    Parameters
    ----------
    values : ndarray, shape (neurons, 6)
        Parameters in the order of `RANGES`; the gain is in mV/ms for each unit of the current.
    current : ndarray, shape (steps,)
        Constant during each step.
    dt : float
        Time step in ms; it is divided into steps of 0.5 ms at most.

    Returns
    -------
    list of ndarray of int
        For each neuron the steps at whose end it spikes, counted from 0.
    """
    a, gain, b, c, d, constant = np.ascontiguousarray(values.T)
    parts = max(1, int(np.ceil(dt / _IZHIKEVICH_STEP - 1e-9)))
    h = dt / parts
    v = np.full(len(values), -65.0)
    u = b * v
    found = []
    with np.errstate(over="ignore", invalid="ignore"):  # unstable neurons end as NaN, and do not spike
        for step, injected in enumerate(current.tolist()):
            drive = 140.0 + constant + gain * injected
            reset = None
            for _ in range(parts):
                v += h * ((0.04 * v + 5.0) * v - u + drive)
                u += h * a * (b * v - u)
                spiking = np.flatnonzero(v > 30.0)
                if len(spiking):
                    v[spiking] = c[spiking]
                    u[spiking] += d[spiking]
                    reset = spiking if reset is None else np.union1d(reset, spiking)
            if reset is not None:
                found.append((step, reset))
            np.maximum(v, -200.0, out=v)  # far below rest the scheme would diverge
    return _by_neuron(found, len(values))


def _by_neuron(found: Sequence[tuple[int, Integers]], neurons: int) -> list[Integers]:
    """Return for each neuron its steps, from the neurons that spike at each step."""
    if not found:
        return [np.zeros(0, dtype=np.int64)] * neurons
    numbers = np.concatenate([spiking for _, spiking in found])
    steps = np.repeat([step for step, _ in found], [len(spiking) for _, spiking in found])
    order = np.argsort(numbers, kind="stable")
    return np.split(steps[order], np.cumsum(np.bincount(numbers, minlength=neurons))[:-1])


def fit_directly(
    model: DirectModel,
    current: Floats,
    recorded: Sequence[Floats],
    window: tuple[float, float],
    *,
    dt: float,
    dead_steps: int,
    delay: float = 0.0,
    delta: float = 2.0,
    population: int = 96,
    generations: int = 100,
    seed: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> DirectFit:
    """Search for the neuron with the largest mean Gamma on training data, by differential evolution.

    Parameters
    ----------
    model : {"amat", "izhikevich"}
    current : ndarray, shape (steps,)
        In pA.
    recorded : sequence of ndarray, shape (spikes,)
        Spike times of the repeats in ms.
    window : (float, float)
        Start and end of the training data in ms.
    dt : float
        Time step in ms.
    dead_steps : int
        Steps after a spike that cannot spike, of AMAT.
    delay : float
        Delay of the recorded spikes in ms.
    delta : float
        Largest distance of coincident spikes in ms.
    population, generations, seed : int
        Neurons of a generation (a multiple of the parameters), generations after the first, and seed.
    progress : callable
        Called with the number of generations done, and in total.

    Returns
    -------
    DirectFit
    """
    scaled = (current - current.mean()) / current.std()
    training = [times[(times >= window[0]) & (times < window[1])] for times in recorded]
    end = min(len(current), round(window[1] / dt))
    ranges = RANGES[model]
    limits: Any = [tuple(np.log(span)) if name in _LOGARITHMIC else span for name, span in ranges.items()]
    logarithmic = np.array([name in _LOGARITHMIC for name in ranges])
    done = 0

    def simulate(x: Floats, stimulus: Floats) -> list[Floats]:
        values = np.where(logarithmic, np.exp(np.where(logarithmic, x, 0.0)), x)
        found = (
            amat_spikes(values, stimulus, dt, dead_steps)
            if model == "amat"
            else izhikevich_spikes(values, stimulus, dt)
        )
        return [np.asarray((steps + 1 + round(delay / dt)) * dt, dtype=np.float64) for steps in found]

    def loss(x: Floats) -> Floats:
        nonlocal done
        trains = [times[times >= window[0]] for times in simulate(x.T, scaled[:end])]
        done += 1
        progress(done, generations + 1)
        return np.array([-_mean_gamma(training, train, window[1] - window[0], delta) for train in trains])

    found = differential_evolution(
        loss,  # type: ignore[arg-type]  # the types lack vectorised functions
        limits,
        popsize=population // len(limits),
        maxiter=generations,
        tol=0.0,
        init="latinhypercube",
        polish=False,
        updating="deferred",
        vectorized=True,
        rng=np.random.default_rng(seed),
    )
    best = np.where(logarithmic, np.exp(np.where(logarithmic, found.x, 0.0)), found.x)
    parameters = dict(zip(ranges, best.tolist(), strict=True))
    times = simulate(found.x[np.newaxis], scaled)[0]
    return DirectFit(model, parameters, -float(found.fun), done * population, times)


def _mean_gamma(recorded: Sequence[Floats], model: Floats, duration: float, delta: float) -> float:
    """Return the mean Gamma over repeats; 0 if the model's rate is so high that chance explains coincidences."""
    if 2 * delta * len(model) / duration > LARGEST_CHANCE:
        return 0.0
    return float(np.mean([coincidence_factor(train, model, duration, delta) for train in recorded]))
