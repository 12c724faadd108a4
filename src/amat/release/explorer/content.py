# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What the page offers: patterns as trials, and the quantities that a reader moves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amat import toolchain
from amat.analysis.patterns import CRITERIA, Trial, load_trials
from amat.compendium.plots import MODEL_COLOURS, MODEL_LABELS, THRESHOLD_COLOUR
from amat.neurons import CURRENT_UNITS, ModelName
from amat.simulation.kernel import NEST_MODELS

__all__ = ["AMPLITUDES", "DURATION", "MODELS", "SLIDERS", "content"]

#: The NESTML models behind the two sides of the page.
MODELS: Mapping[ModelName, Path] = {model: toolchain.find_model(name).source for model, name in NEST_MODELS.items()}

#: Least, greatest value and step of each parameter that can be moved. Every pattern lies within.
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

#: The same of a stimulus's amplitude, in the unit of the model's current.
AMPLITUDES: Mapping[ModelName, tuple[float, float, float]] = {
    "amat": (-1500.0, 1500.0, 1.0),
    "izhikevich": (-30.0, 30.0, 0.05),
}
#: Of the factor to a pattern's own stimulus.
FACTOR = (-2.0, 2.0, 0.01)
#: Of the length of a run, in ms; with whole steps for every time step of a pattern.
DURATION = (100.0, 2000.0, 50.0)


def content() -> dict[str, Any]:
    """Return what the page is filled with.

    Returns
    -------
    dict
        ``models``, the two sides, with their names, colours and ranges; ``patterns``, with a trial for each model;
        ``factor`` and ``duration``, further ranges. Infinite times are floats.
    """
    found = {model: load_trials(model) for model in MODELS}
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
            for model in MODELS
        },
        "threshold_colour": THRESHOLD_COLOUR,
        "factor": FACTOR,
        "duration": DURATION,
        "patterns": {
            pattern: {
                "label": pattern.replace("_", " ").capitalize(),
                "criterion": criterion.statement,
                **{model: _described(found[model][pattern]) for model in MODELS},
            }
            for pattern, criterion in CRITERIA.items()
        },
    }


def _described(trial: Trial) -> dict[str, Any]:
    return {
        "parameters": trial.neuron.parameters.to_nestml(),
        "initial": trial.neuron.initial,
        "baseline": trial.stimulus.baseline,
        "segments": [[s.t_start, s.t_stop, s.value, s.slope] for s in trial.stimulus.segments],
        "duration": trial.duration,
        "resolution": trial.neuron.resolution,
        "sampled": trial.fraction,
    }
