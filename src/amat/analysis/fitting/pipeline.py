# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The complete analysis of a recording: fits of nested models, predictions of held-out spikes, and their scores."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from amat.analysis.fitting.convert import Scale, measure_scale, to_amat
from amat.analysis.fitting.estimates import check_refractory_time, estimate_delay, estimate_refractory_time
from amat.analysis.fitting.features import KINDS, Kind, TimeConstants
from amat.analysis.fitting.fitted import FittedModel
from amat.analysis.fitting.models import fit_model
from amat.analysis.fitting.prediction import bits_per_spike
from amat.analysis.fitting.recording import SPIKES_NEEDED, NeuronRecording
from amat.analysis.fitting.scores import LARGEST_CHANCE, LEAST_RELIABLE, Score, check_window, score
from amat.arrays import Floats
from amat.checks import require_positive
from amat.errors import AmatError
from amat.neurons import AmatParameters
from amat.simulation.kernel import check_time_step

__all__ = ["FitResult", "FitSettings", "fit_recording"]

Progress = Callable[[str, int, int], None]

#: Smallest and largest part of the recording to train on.
_TRAIN = (0.2, 0.9)


@dataclass(frozen=True)
class FitSettings:
    """Settings of `fit_recording`.

    Attributes
    ----------
    models : tuple of str
        In addition to "amat".
    free : tuple of str
        Time constants to fit.
    taus : TimeConstants
        Values of the others.
    refr_T, delay : float, optional
        In ms. Default: estimated.
    train : float
        First part of the recording, which the models are fitted to; the rest is held out.
    burn_in : float
        Start of the recording that is left out, in ms; at most a tenth of the recording is.
    windows : tuple of float
        Largest distances of coincident spikes in ms, ascending.
    grid, samples, seed : int
        Points of the grid per time constant, bootstrap samples, and seed.
    """

    models: tuple[Kind, ...] = KINDS
    free: tuple[str, ...] = ("tau_m", "tau_v")
    taus: TimeConstants = field(default_factory=TimeConstants)
    refr_T: float | None = None
    delay: float | None = None
    train: float = 2 / 3
    burn_in: float = 500.0
    windows: tuple[float, ...] = (2.0, 4.0)
    grid: int = 8
    samples: int = 1000
    seed: int = 1

    def __post_init__(self) -> None:
        """Raise `AmatError` for settings that cannot be."""
        low, high = _TRAIN
        if not low <= self.train <= high:
            raise AmatError(
                f"The part of the recording to train on must be from {low:g} to {high:g}, got {self.train:g}."
            )
        if unknown := [name for name in self.free if name not in ("tau_m", "tau_v", "tau_1", "tau_2")]:
            raise AmatError(f"Only tau_m, tau_v, tau_1 and tau_2 can be free, got {unknown[0]!r}.")
        require_positive("The window", self.windows, "ms")
        if not self.burn_in >= 0:
            raise AmatError(f"The time that is left out must be 0 ms or more, got {self.burn_in:g} ms.")


@dataclass(frozen=True)
class FitResult:
    """Fits of a recording and their predictions.

    Attributes
    ----------
    recording : NeuronRecording
    settings : FitSettings
    scale : Scale
    training, test : (float, float)
        Windows in ms.
    models : dict of str to FittedModel
    predictions : dict of str to list of ndarray
        Spike times in ms of the deterministic model, for each current.
    scores : dict of str to list of Score
        On held-out data, for each window of `settings` that could be scored; empty for a neuron that is too unreliable.
    reliability : list of Score
        As `scores`, of the AMAT model, also for an unreliable neuron.
    bits : dict of str to (float, (float, float))
        Bits per spike on held-out data, with the 95 % interval.
    parameters : AmatParameters
        Of the deterministic AMAT neuron.
    warnings : list of str
    """

    recording: NeuronRecording
    settings: FitSettings
    scale: Scale
    training: tuple[float, float]
    test: tuple[float, float]
    models: dict[Kind, FittedModel]
    predictions: dict[Kind, list[Floats]]
    scores: dict[Kind, list[Score]]
    reliability: list[Score]
    bits: dict[Kind, tuple[float, tuple[float, float]]]
    parameters: AmatParameters
    warnings: list[str] = field(default_factory=list)

    @property
    def amat(self) -> FittedModel:
        """The fitted AMAT model."""
        return self.models["amat"]

    def trains(self) -> list[list[Floats]]:
        """Return the recorded spike times in ms of the repeats of each current."""
        return [[self.recording.spikes[row] for row in rows] for _, rows in self.recording.groups]


def fit_recording(
    recording: NeuronRecording,
    scale: Scale | None = None,
    settings: FitSettings | None = None,
    progress: Progress = lambda task, done, total: None,
) -> FitResult:
    """Fit models to the first part of a recording, and predict the spikes of the rest.

    Parameters
    ----------
    recording : NeuronRecording
    scale : Scale, optional
        Default: measured in the recorded membrane potential.
    settings : FitSettings, optional
    progress : callable
        Called with a task, the number of steps done and in total.

    Returns
    -------
    FitResult

    Raises
    ------
    AmatError
        If the time step is none that NEST can use, the scale is unknown, an interval is shorter than the refractory
        time, or 2 f delta is too large.
    """
    settings = settings or FitSettings()
    check_time_step(recording.dt)
    start = min(settings.burn_in, 0.1 * recording.duration)
    middle = round(settings.train * recording.duration / recording.dt) * recording.dt
    training, test = (start, middle), (middle, recording.duration)
    warnings: list[str] = []
    windows = _usable_windows(recording, training, test, settings.windows, warnings)
    if scale is None:
        scale = measure_scale(recording, training)
    refr_T = estimate_refractory_time(recording) if settings.refr_T is None else settings.refr_T
    check_refractory_time(recording, refr_T)
    progress("delay", 0, 1)
    delay = estimate_delay(recording, training, refr_T) if settings.delay is None else settings.delay
    progress("delay", 1, 1)
    models = _fit_all(recording, training, refr_T, delay, settings, progress)
    predictions: dict[Kind, list[Floats]] = {
        kind: [model.predict(current) for current, _ in recording.groups] for kind, model in models.items()
    }
    trains = [[recording.spikes[row] for row in rows] for _, rows in recording.groups]
    scored = {
        kind: [score(guess, trains, test, d, samples=settings.samples, seed=settings.seed) for d in windows]
        for kind, guess in predictions.items()
    }
    return FitResult(
        recording=recording,
        settings=settings,
        scale=scale,
        training=training,
        test=test,
        models=models,
        predictions=predictions,
        scores=scored if _is_reliable(scored["amat"], warnings) else {},
        reliability=scored["amat"],
        bits={
            kind: bits_per_spike(model, recording, test, samples=settings.samples, seed=settings.seed)
            for kind, model in models.items()
        },
        parameters=to_amat(models["amat"], scale),
        warnings=[*warnings, *_fit_warnings(models["amat"])],
    )


def _usable_windows(
    recording: NeuronRecording,
    training: tuple[float, float],
    test: tuple[float, float],
    windows: Sequence[float],
    warnings: list[str],
) -> list[float]:
    """Return the windows at which spikes can be scored; the first must be one. Add warnings about few spikes."""
    counts = {
        part: [int(((train >= low) & (train < high)).sum()) for train in recording.spikes]
        for part, (low, high) in (("training", training), ("test", test))
    }
    for part, found in counts.items():
        if not sum(found):
            raise AmatError(
                f"There is no spike in the {part} data of {recording.name}: change the part to train on, or record for "
                "longer."
            )
    if sum(counts["training"]) < SPIKES_NEEDED:
        warnings.append(
            f"{sum(counts['training'])} spikes to train on are few: about {SPIKES_NEEDED} are needed for errors of "
            "10 %."
        )
    fastest = max(
        max(found) / (high - low) for found, (low, high) in zip(counts.values(), (training, test), strict=True)
    )
    check_window(fastest, windows[0])
    usable = [delta for delta in windows if 2 * fastest * delta <= LARGEST_CHANCE]
    if skipped := [f"{delta:g}" for delta in windows if delta not in usable]:
        warnings.append(
            f"Gamma is not computed at {', '.join(skipped)} ms, because 2 f delta is more than {LARGEST_CHANCE:g} at "
            f"{1e3 * fastest:.3g} spikes/s."
        )
    return usable


def _fit_all(
    recording: NeuronRecording,
    training: tuple[float, float],
    refr_T: float,
    delay: float,
    settings: FitSettings,
    progress: Progress,
) -> dict[Kind, FittedModel]:
    """Fit the models. The ceiling begins at AMAT's time constants, since it contains AMAT."""
    models: dict[Kind, FittedModel] = {}
    for kind in sorted({*settings.models, "amat"}, key=KINDS.index):
        progress(kind, 0, 1)
        models[kind] = fit_model(
            recording,
            kind,
            training,
            refr_T=refr_T,
            delay=delay,
            taus=settings.taus,
            free=settings.free,
            grid=settings.grid,
            starts=[models["amat"].taus] if kind == "ceiling" else (),
            samples=settings.samples,
            seed=settings.seed,
            progress=lambda done, total, task=kind: progress(task, done, total + 1),  # type: ignore[misc]
        )
        progress(kind, 1, 1)
    return models


def _is_reliable(scores: Sequence[Score], warnings: list[str]) -> bool:
    """Return whether a model can be judged; add a warning if not, or if there is only one repeat."""
    if np.isnan(scores[0].gamma_int):
        warnings.append(
            "There are no repeats of a current, so the neuron's reliability Gamma_int is unknown: Gamma is given "
            "without it."
        )
        return True
    if scores[0].gamma_int < LEAST_RELIABLE:
        warnings.append(
            f"The neuron is too unreliable to judge any model: Gamma_int is {scores[0].gamma_int:.2f} at "
            f"{scores[0].delta:g} ms, less than {LEAST_RELIABLE:g}. Predictions are not scored."
        )
        return False
    return True


def _fit_warnings(model: FittedModel) -> list[str]:
    """Return warnings about time constants at bounds, rival optima, and coefficients of the wrong sign."""
    found = [
        f"{name} is at the end of its range, {getattr(model.taus, name):g} ms, and has no interval: the data do not "
        "identify it."
        for name in model.at_bound
    ]
    for rival in model.rivals:
        values = ", ".join(f"{name} {getattr(rival.taus, name):.3g} ms" for name in model.free)
        lower = model.log_likelihood - rival.log_likelihood
        found.append(f"There is a rival optimum, with {values}; its log-likelihood is lower by {lower:.1f}.")
    if model.coefficients[1] <= 0:
        raise AmatError(
            "The fitted membrane resistance is negative: spikes occur when the current is low. Check the sign of the "
            "current, and that current and spikes are of the same recording."
        )
    return found
