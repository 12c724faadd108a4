# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fits of AMAT to a recorded neuron, and prediction of its spikes.

The recorded spikes are given (teacher forcing), so that the likelihood of an AMAT neuron with escape noise is concave
in all parameters but the time constants, which a grid and local searches find. The deterministic AMAT neuron with the
fitted parameters then runs freely, and its spikes are compared with those that were held out.

`recording` holds the data, `features` and `likelihood` the model, `search`, `estimates` and `models` the fit,
`free_run`, `prediction` and `scores` the prediction, `convert` AMAT's parameters, and `pipeline` the complete analysis.
"""

from amat.analysis.fitting.convert import Interval, Scale, intervals, measure_scale, stated_scale, to_amat
from amat.analysis.fitting.features import KINDS, Kind, TimeConstants
from amat.analysis.fitting.fitted import FittedModel
from amat.analysis.fitting.models import fit_model
from amat.analysis.fitting.prediction import bits_per_spike
from amat.analysis.fitting.recording import FEWEST_SPIKES, SPIKES_NEEDED, NeuronRecording, RecordingError
from amat.analysis.fitting.scores import Score, coincidence_factor, score

__all__ = [
    "FEWEST_SPIKES",
    "KINDS",
    "SPIKES_NEEDED",
    "FittedModel",
    "Interval",
    "Kind",
    "NeuronRecording",
    "RecordingError",
    "Scale",
    "Score",
    "TimeConstants",
    "bits_per_spike",
    "coincidence_factor",
    "fit_model",
    "intervals",
    "measure_scale",
    "score",
    "stated_scale",
    "to_amat",
]
