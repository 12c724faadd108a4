# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fit of one model to a recording: time constants, coefficients, their covariance and a bootstrap."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from amat.analysis.fitting.features import Design, Kind, TimeConstants, coefficient_names
from amat.analysis.fitting.free_run import drive_of, escape_levels, free_run
from amat.analysis.fitting.likelihood import evaluate, maximise, poisson_log_likelihood
from amat.analysis.fitting.recording import NeuronRecording, RecordingError
from amat.analysis.fitting.scores import LARGEST_CHANCE, count_coincidences
from amat.analysis.fitting.search import RIVAL, Joint, Optimum, Profile, bounds, climb, find_optima, refine, scan
from amat.arrays import Floats
from amat.simulation.reference import refractory_steps

__all__ = ["FittedModel", "bits_per_spike", "calibrate", "estimate_delay", "estimate_refractory_time", "fit_model"]

#: Milliseconds that a step represents in the grid search, where steps without spikes are thinned out.
_COARSE = 1.0
#: Largest estimate of the refractory time, and the range of delays that are tried, in ms. Spikes may be marked before
#: the upstroke, hence the negative ones.
_LONGEST_REFRACTORY, _DELAYS = 2.0, (-2.0, 8.0)
#: Gain of log-likelihood below which the delay closer to zero is taken.
_CLEAR = 2.0
#: Shifts of the threshold, in units of the noise Delta, among which the deterministic neuron's is chosen.
_LEVELS = np.arange(-6.0, 1.01, 0.125)


@dataclass(frozen=True)
class FittedModel:
    """A model that was fitted to a recording.

    Attributes
    ----------
    kind : {"lif", "mat", "amat", "ceiling"}
    coefficients : ndarray, shape (coefficients,)
        Of the logarithm of the escape rate (1/ms), by the names of `names`.
    taus : TimeConstants
        In ms.
    free : tuple of str
        The time constants that were fitted.
    covariance : ndarray, shape (parameters, parameters)
        Inverse of the full Hessian over coefficients and the logarithms of the free time constants. Rows of time
        constants at a bound are NaN.
    bootstrap : ndarray, shape (samples, parameters)
        Parameters from resampled blocks of time, by one Newton step with the Hessian of all data.
    log_likelihood : float
        Of the training data.
    refr_T, delay, dt : float
        Refractory time, delay of the recorded spikes, and time step, in ms.
    level : float
        The deterministic neuron spikes where the logarithm of the rate reaches it.
    window : (float, float)
        Start and end of the training data in ms.
    spikes : int
        Training spikes.
    rivals : list of Optimum
        Other optima within `amat.analysis.fitting.search.RIVAL` of log-likelihood.
    profile : Profile or None
        The grid, if time constants were fitted.
    """

    kind: Kind
    coefficients: Floats
    taus: TimeConstants
    free: tuple[str, ...]
    covariance: Floats
    bootstrap: Floats
    log_likelihood: float
    refr_T: float
    delay: float
    dt: float
    level: float
    window: tuple[float, float]
    spikes: int
    rivals: list[Optimum]
    profile: Profile | None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the coefficients and of the free time constants."""
        return (*coefficient_names(self.kind), *self.free)

    @property
    def values(self) -> Floats:
        """Coefficients and logarithms of the free time constants."""
        return np.concatenate([self.coefficients, np.log([getattr(self.taus, name) for name in self.free])])

    @property
    def at_bound(self) -> tuple[str, ...]:
        """Free time constants at the end of their range, which have no interval."""
        limits = {name: bounds(name, self.dt) for name in self.free}
        return tuple(
            name for name, (low, high) in limits.items() if not low * 1.001 < getattr(self.taus, name) < high / 1.001
        )

    def predict(self, current: Floats, level: float | None = None) -> Floats:
        """Return the spike times of the deterministic neuron as they would be recorded, in ms.

        Parameters
        ----------
        current : ndarray, shape (steps,)
            In pA, at the fit's time step.
        level : float, optional
            In place of the calibrated one.
        """
        return self._times(current, self.level if level is None else level)

    def sample(self, current: Floats, random: np.random.Generator) -> Floats:
        """Return the spike times of one run with escape noise, as they would be recorded, in ms."""
        return self._times(current, escape_levels(len(current), self.dt, random))

    def _times(self, current: Floats, level: float | Floats) -> Floats:
        drive = drive_of(self.kind, self.coefficients, self.taus, current, self.dt)
        dead = refractory_steps(self.refr_T, self.dt)
        steps = free_run(self.kind, self.coefficients, self.taus, drive, self.dt, dead, level)
        # Rounded, since multiples of the step are not exact.
        return np.round((steps + 1) * self.dt, 9) + round(self.delay / self.dt) * self.dt


def estimate_refractory_time(recording: NeuronRecording) -> float:
    """Return the refractory time in ms that the shortest interval allows, a time step to 2 ms.

    It is the maximum-likelihood estimate if that is not longer; the threshold explains longer pauses. As in NEST, the
    next spike is possible `refr_T` and a time step after one.
    """
    longest = min(recording.shortest_interval - recording.dt, _LONGEST_REFRACTORY)
    return max(1, round(longest / recording.dt)) * recording.dt


def check_refractory_time(recording: NeuronRecording, refr_T: float) -> None:
    """Raise `RecordingError` if a refractory time is too short for NEST, or too long for the recorded intervals."""
    if not refr_T >= recording.dt * 0.999:
        raise RecordingError(
            f"The refractory time must be at least the sampling interval of {recording.dt:g} ms, got {refr_T:g} ms."
        )
    shortest = recording.shortest_interval
    if (refractory_steps(refr_T, recording.dt) + 1) * recording.dt > shortest + 1e-9:
        raise RecordingError(
            f"{recording.name} has an interval of {shortest:g} ms between spikes, shorter than the refractory time of "
            f"{refr_T:g} ms and a sample: choose at most {shortest - recording.dt:g} ms, or remove double detections."
        )


def estimate_delay(recording: NeuronRecording, window: tuple[float, float], refr_T: float) -> float:
    """Return the delay of the recorded spikes in ms that has the largest likelihood, between -2 and 8 ms.

    Delays are compared at every ms with MAT models of four time constants, then around the best one with AMAT models of
    sixteen pairs of them, and with local searches from the best pair down to the time step. Of
    delays that are about as likely (2 units of log-likelihood) the one closest to zero is taken.
    """
    dt = recording.dt
    step = stride = max(1, round(_COARSE / dt))
    first = [TimeConstants(tau_m=tau) for tau in np.geomspace(max(2.0, 2 * dt), 50.0, 4)]
    pairs = [taus.replace(tau_v=tau) for taus in first for tau in np.geomspace(max(1.5, 2 * dt), 40.0, 4)]

    def likelihoods(kind: Kind, steps: int, candidates: Sequence[TimeConstants]) -> Floats:
        design = Design(recording, kind, window, refr_T=refr_T, delay=steps * dt, stride=stride)
        return np.array([maximise(design.update(taus), dt, stride=stride, tolerance=1e-3)[1] for taus in candidates])

    lowest, highest = (round(delay / dt) for delay in _DELAYS)
    best = max(range(lowest, highest + 1, step), key=lambda steps: likelihoods("mat", steps, first).max())
    near = {steps: likelihoods("amat", steps, pairs) for steps in (best - step, best, best + step)}
    best = max(near, key=lambda steps: float(near[steps].max()))
    known = {steps: float(values.max()) for steps, values in near.items()}
    start = Optimum(pairs[int(near[best].argmax())], None, -np.inf)

    def climbed(steps: int) -> float:
        design = Design(recording, "amat", window, refr_T=refr_T, delay=steps * dt, stride=stride)
        return climb(design, ("tau_m", "tau_v"), start, evaluations=25).log_likelihood

    if step > 1:
        known = {best: climbed(best)}
    while step > 1:
        step = max(1, step // 2)
        for steps in (best - step, best + step):
            if steps not in known:
                known[steps] = climbed(steps)
        best = max((best - step, best, best + step), key=lambda steps: known[steps])
    towards = (best < 0) - (best > 0)
    while towards:
        known.setdefault(best + towards, climbed(best + towards))
        if best == 0 or known[best + towards] < max(known.values()) - _CLEAR:
            break
        best += towards
    return float(best * dt)


def fit_model(
    recording: NeuronRecording,
    kind: Kind = "amat",
    window: tuple[float, float] | None = None,
    *,
    refr_T: float | None = None,
    delay: float | None = None,
    taus: TimeConstants | None = None,
    free: Sequence[str] = ("tau_m", "tau_v"),
    grid: int = 8,
    starts: Sequence[Optimum] = (),
    block: float = 1000.0,
    samples: int = 1000,
    seed: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> FittedModel:
    """Fit a model to a recording by maximum likelihood, and calibrate its deterministic version.

    Parameters
    ----------
    recording : NeuronRecording
    kind : {"lif", "mat", "amat", "ceiling"}
        Leaky integrate-and-fire with reset; adaptive threshold without (MAT) and with (AMAT) dependence on the
        membrane potential; AMAT with four more time constants of the threshold.
    window : (float, float), optional
        Start and end of the training data in ms. Default: all.
    refr_T : float, optional
        Absolute refractory time in ms. Default: `estimate_refractory_time`.
    delay : float, optional
        Delay of the recorded spikes in ms. Default: `estimate_delay`.
    taus : TimeConstants, optional
        Values of the time constants that are not free.
    free : sequence of str
        Time constants to fit; those that the model lacks are left out. Empty: none.
    grid : int
        Points per time constant of the first search.
    starts : sequence of Optimum
        Optima of a nested model, whose time constants replace the grid.
    block : float
        Length of the bootstrap's blocks of time in ms.
    samples : int
        Bootstrap samples.
    seed : int
        Of the bootstrap.
    progress : callable
        Called with the number of grid cells done, and in total.

    Returns
    -------
    FittedModel

    Raises
    ------
    RecordingError
        If an interval is shorter than the refractory time.
    """
    window = (0.0, recording.duration) if window is None else window
    refr_T = estimate_refractory_time(recording) if refr_T is None else refr_T
    check_refractory_time(recording, refr_T)
    delay = estimate_delay(recording, window, refr_T) if delay is None else delay
    taus = taus or TimeConstants()
    known = {"lif": ("tau_m",), "mat": ("tau_m", "tau_1", "tau_2")}.get(kind, ("tau_m", "tau_v", "tau_1", "tau_2"))
    names = tuple(name for name in known if name in free)
    settings = {"refr_T": refr_T, "delay": delay}
    coarse = Design(recording, kind, window, stride=max(1, round(_COARSE / recording.dt)), **settings)
    profile = None
    if not names or starts:
        optima = [Optimum(start.taus, None, 0.0) for start in starts] or [Optimum(taus, None, 0.0)]
    else:
        profile = scan(coarse, names, taus, grid, progress)
        optima = find_optima(coarse, names, profile)
    fine = Design(recording, kind, window, block=block, **settings)
    found = sorted((refine(fine, names, optimum) for optimum in optima), key=lambda pair: -pair[0].log_likelihood)
    best, joint = found[0]
    model = FittedModel(
        kind=kind,
        coefficients=best.coefficients,
        taus=best.taus,
        free=names,
        covariance=np.zeros((0, 0)),
        bootstrap=np.zeros((0, 0)),
        log_likelihood=best.log_likelihood,
        level=0.0,
        dt=recording.dt,
        window=window,
        spikes=fine.spikes,
        rivals=_rivals([optimum for optimum, _ in found], names),
        profile=profile,
        **settings,
    )
    covariance, bootstrap = _uncertainty(model, joint, samples, seed)
    model = dataclasses.replace(model, covariance=covariance, bootstrap=bootstrap)
    return dataclasses.replace(model, level=calibrate(model, recording, window))


def _rivals(optima: Sequence[Optimum], names: Sequence[str]) -> list[Optimum]:
    """Return the optima other than the best one whose likelihood is not far below."""
    best, kept = optima[0], []
    for optimum in optima[1:]:
        known = [best, *kept]
        near = (
            all(abs(np.log(getattr(optimum.taus, n) / getattr(other.taus, n))) < 0.05 for n in names) for other in known
        )
        if best.log_likelihood - optimum.log_likelihood < RIVAL and not any(near):
            kept.append(optimum)
    return kept


def _uncertainty(model: FittedModel, joint: Joint, samples: int, seed: int) -> tuple[Floats, Floats]:
    """Return the covariance from the Hessian, and bootstrap samples of the parameters.

    A sample draws blocks of time with replacement, with all their repeats, and takes one step of Fisher scoring.
    """
    size = len(model.values)
    kept = [k for k, name in enumerate(model.names) if name not in model.at_bound]
    covariance, draws = np.full((size, size), np.nan), np.tile(model.values, (samples, 1))
    inner = np.ix_(kept, kept)
    covariance[inner] = np.linalg.pinv(joint.information.sum(axis=0)[inner], hermitian=True)
    random, blocks = np.random.default_rng(seed), len(joint.gradient)
    weights = random.multinomial(blocks, np.full(blocks, 1 / blocks), samples) - 1.0
    draws[:, kept] += weights @ joint.gradient[:, kept] @ covariance[inner]
    draws[:, [k for k in range(size) if k not in kept]] = np.nan
    return covariance, draws


def calibrate(model: FittedModel, recording: NeuronRecording, window: tuple[float, float], delta: float = 2.0) -> float:
    """Return the level at which the deterministic neuron's Gamma is highest on training data.

    Parameters
    ----------
    model : FittedModel
    recording : NeuronRecording
    window : (float, float)
        Start and end of the training data in ms.
    delta : float
        Largest distance of coincident spikes in ms; less if chance would explain coincidences.
    """
    from amat.analysis.fitting.scores import _gamma

    length = window[1] - window[0]
    inside = [[t[(t >= window[0]) & (t < window[1])] for t in recording.spikes]][0]
    fastest = max(len(train) for train in inside) / length
    delta = max(min(delta, LARGEST_CHANCE / 4 / fastest), recording.dt)
    gammas = np.zeros(len(_LEVELS))
    for current, rows in recording.groups:
        drive = drive_of(model.kind, model.coefficients, model.taus, current, model.dt)
        dead = refractory_steps(model.refr_T, model.dt)
        for number, level in enumerate(_LEVELS):
            steps = free_run(model.kind, model.coefficients, model.taus, drive, model.dt, dead, float(level))
            times = (steps + 1 + round(model.delay / model.dt)) * model.dt
            times = times[(times >= window[0]) & (times < window[1])]
            for row in rows:
                hits = count_coincidences(inside[row], times, delta).sum()
                gammas[number] += float(
                    _gamma(hits, np.float64(len(inside[row])), np.float64(len(times)), length, delta)
                )
    # The centre of the levels that are as good as the best: single maxima are noise.
    return float(_LEVELS[int(np.argmax(gammas))])


def bits_per_spike(model: FittedModel, recording: NeuronRecording, window: tuple[float, float]) -> float:
    """Return the log-likelihood of a window over that of a constant rate, in bits per spike; NaN without spikes.

    Parameters
    ----------
    model : FittedModel
    recording : NeuronRecording
    window : (float, float)
        Start and end of the data in ms, for example those that were held out.
    """
    design = Design(recording, model.kind, window, refr_T=model.refr_T, delay=model.delay)
    found = evaluate(design.update(model.taus), model.coefficients, model.dt, order=0).total[0]
    if not design.spikes:
        return float("nan")
    base = poisson_log_likelihood(design.spikes, design.steps, model.dt)
    return float((found - base) / design.spikes / np.log(2))
