# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Data of the explorer: the firing patterns, and the ranges of its sliders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amat import toolchain
from amat.analysis.patterns import CRITERIA, Trial, load_trials
from amat.compendium.plots import MODEL_COLOURS, MODEL_LABELS, THRESHOLD_COLOUR
from amat.neurons import CURRENT_UNITS, ModelName
from amat.simulation.kernel import NEST_MODELS

__all__ = ["AMPLITUDES", "DURATION", "SLIDERS", "SOURCES", "describe_page"]

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
    },
    "izhikevich": {
        "a": (-0.05, 1.0, 0.001),
        "b": (-1.0, 1.0, 0.01),
        "c": (-80.0, -40.0, 0.5),
        "d": (-25.0, 15.0, 0.05),
    },
}

#: Minimum, maximum and step of a stimulus's amplitude, in the unit of the model's current.
AMPLITUDES: Mapping[ModelName, tuple[float, float, float]] = {
    "amat": (-1500.0, 1500.0, 1.0),
    "izhikevich": (-30.0, 30.0, 0.05),
}

#: Minimum, maximum and step of the factor by which a pattern's stimulus is multiplied.
FACTOR = (-2.0, 2.0, 0.01)

#: Minimum, maximum and step of the duration in ms: multiples of the time step of every pattern.
DURATION = (100.0, 2000.0, 50.0)


def describe_page() -> dict[str, Any]:
    """Return the data of the page.

    Returns
    -------
    dict
        ``models``, with their names, colours and ranges; ``patterns``, with a trial for each model; ``factor`` and
        ``duration``, further ranges. Infinite times are floats.
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
            }
            for model in SOURCES
        },
        "threshold_colour": THRESHOLD_COLOUR,
        "factor": FACTOR,
        "duration": DURATION,
        "patterns": {
            pattern: {
                "label": pattern.replace("_", " ").capitalize(),
                "criterion": criterion.statement,
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
