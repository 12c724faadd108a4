# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Data of the explorer: the firing patterns, and the ranges of its sliders."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amat import toolchain
from amat.analysis.metrics import BURST_GAP, CHANGED, REGULAR
from amat.analysis.patterns import CRITERIA, Trial, load_trials
from amat.analysis.patterns.criteria import DEFLECTION
from amat.compendium.plots import MODEL_COLOURS, MODEL_LABELS, THRESHOLD_COLOUR
from amat.neurons import CURRENT_UNITS, ModelName
from amat.release.explorer.hints import HINTS
from amat.simulation.kernel import NEST_MODELS

__all__ = ["AMPLITUDES", "BEYOND", "DURATION", "SLIDERS", "SOURCES", "describe_page"]

#: The NESTML files of the two models on the page.
SOURCES: Mapping[ModelName, Path] = {model: toolchain.find_model(name).source for model, name in NEST_MODELS.items()}

#: Minimum, maximum and step of each parameter with a slider. The values of every pattern are within.
SLIDERS: Mapping[ModelName, Mapping[str, tuple[float, float, float]]] = {
    "amat": {
        "alpha_1": (-5.0, 30.0, 0.1),
        "alpha_2": (-2.0, 5.0, 0.01),
        "beta": (-4.0, 4.0, 0.01),
        "omega": (0.5, 20.0, 0.1),
        "tau_m": (1.0, 40.0, 0.1),
        "tau_v": (1.0, 40.0, 0.1),
        "tau_1": (1.0, 100.0, 0.5),
        "tau_2": (10.0, 1000.0, 5.0),
    },
    "izhikevich": {
        "a": (-0.05, 1.0, 0.001),
        "b": (-1.0, 1.0, 0.01),
        "c": (-80.0, -40.0, 0.5),
        "d": (-25.0, 15.0, 0.05),
    },
}

#: The page accepts parameters from links, such as fitted ones, up to so many times the maximum of their slider.
BEYOND = 5.0

#: Minimum, maximum and step of a stimulus's amplitude, in the unit of the model's current.
AMPLITUDES: Mapping[ModelName, tuple[float, float, float]] = {
    "amat": (-1500.0, 1500.0, 1.0),
    "izhikevich": (-30.0, 30.0, 0.05),
}

#: Minimum, maximum and step of the strength of the noise: the standard deviation of the current, in its unit, or the
#: weight of a Poisson spike, in pA for AMAT and in mV for Izhikevich's neuron.
NOISES: Mapping[ModelName, tuple[float, float, float]] = {"amat": (0.0, 300.0, 1.0), "izhikevich": (0.0, 10.0, 0.05)}

#: The strength of the noise at first, for both kinds.
NOISE_STRENGTHS: Mapping[ModelName, float] = {"amat": 50.0, "izhikevich": 1.0}

#: Minimum, maximum and step of the duration in ms: multiples of the time step of every pattern.
DURATION = (100.0, 2000.0, 50.0)

#: The same for the numbers that both neurons share: the factor by which a pattern's stimulus is multiplied, the
#: duration, the noise's seed, time constant (ms) and rates (spikes/s), and the window of the coincidence factor (ms).
RANGES: Mapping[str, tuple[float, float, float]] = {
    "factor": (-2.0, 2.0, 0.01),
    "duration": DURATION,
    "seed": (1.0, 1000.0, 1.0),
    "noise_tau": (1.0, 100.0, 0.5),
    "rate_exc": (0.0, 5000.0, 10.0),
    "rate_inh": (0.0, 5000.0, 10.0),
    "window": (0.5, 20.0, 0.5),
}


def describe_page() -> dict[str, Any]:
    """Return the data of the page.

    Returns
    -------
    dict
        ``models``, with their names, colours and ranges; ``patterns``, with a trial for each model and what to try;
        ``ranges``, those of shared numbers; ``beyond``, how far links may exceed sliders;
        ``limits`` of the criteria. Infinite times are floats.
    """
    found = {model: load_trials(model) for model in SOURCES}
    return {
        "models": {
            model: {
                "nest": NEST_MODELS[model],
                "label": MODEL_LABELS[NEST_MODELS[model]],
                "colour": MODEL_COLOURS[NEST_MODELS[model]],
                "unit": CURRENT_UNITS[model],
                "sliders": SLIDERS[model],
                "amplitude": AMPLITUDES[model],
                "noise": NOISES[model],
                "noise_strength": NOISE_STRENGTHS[model],
            }
            for model in SOURCES
        },
        "threshold_colour": THRESHOLD_COLOUR,
        "ranges": RANGES,
        "beyond": BEYOND,
        "limits": {"burst_gap": BURST_GAP, "regular": REGULAR, "changed": CHANGED, "deflection": DEFLECTION},
        "patterns": {
            pattern: {
                "label": pattern.replace("_", " ").capitalize(),
                "criterion": criterion.statement,
                "judged_by_traces": criterion.needs_traces,
                "page": f"notebooks/patterns/{pattern}.html",
                "hint": dataclasses.asdict(HINTS[pattern]),
                **{model: _describe(found[model][pattern]) for model in SOURCES},
            }
            for pattern, criterion in CRITERIA.items()
        },
    }


def _describe(trial: Trial) -> dict[str, Any]:
    return {
        "parameters": trial.neuron.parameters.to_nestml(),
        "initial": trial.neuron.initial,
        "baseline": trial.stimulus.baseline,
        "segments": [[s.t_start, s.t_stop, s.value, s.slope] for s in trial.stimulus.segments],
        "duration": trial.duration,
        "resolution": trial.neuron.resolution,
        "sampled": trial.fraction,
    }
