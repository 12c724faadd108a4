# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measures of made-up spike trains with known values."""

import math

import numpy as np
import pytest

from amat.analysis.metrics import KINDS, MEASURES, classify, interval_cv, measure_train, split_bursts

DURATION = 1000.0
REGULAR = np.arange(10.0, 1000.0, 20.0)
ADAPTING = np.cumsum(np.linspace(10.0, 40.0, 39))
BURSTS = (np.arange(0.0, 1000.0, 100.0)[:, None] + 10.0 + 2.0 * np.arange(4)).ravel()
MIXED = np.concatenate([10.0 + 2.0 * np.arange(5), np.arange(50.0, 1000.0, 40.0)])


@pytest.mark.parametrize(
    ("train", "kind"),
    [
        ([], "silent"),
        ([15.0], "phasic spiking"),
        ([15.0, 17.0, 19.0], "phasic bursting"),
        (REGULAR, "tonic spiking"),
        (ADAPTING, "adapting"),
        ([5.0, 9.0, *np.arange(30.0, 1000.0, 30.0)], "adapting"),
        (MIXED, "mixed mode"),
        (BURSTS, "tonic bursting"),
        (BURSTS[:-2], "tonic bursting"),
        (np.sort(np.random.default_rng(1).uniform(0.0, 1000.0, 50)), "irregular"),
        ([100.0, 900.0], "irregular"),
    ],
)
def test_kinds(train, kind):
    assert kind in KINDS
    assert classify(np.asarray(train, dtype=float), DURATION) == kind


def test_bursts_are_split_where_intervals_fall_into_two_kinds():
    assert [len(part) for part in split_bursts(np.array([1.0, 3.0, 6.0, 30.0, 32.0, 60.0]))] == [3, 2, 1]
    assert [len(part) for part in split_bursts(np.array([1.0, 3.0, 6.0, 10.0]))] == [4]
    assert split_bursts(np.empty(0)) == []
    assert [len(part) for part in split_bursts(np.array([1.0]))] == [1]


def test_measures_of_a_regular_train():
    measured = measure_train(REGULAR, DURATION)
    assert set(measured) == set(MEASURES)
    assert measured["rate"] == pytest.approx(50.0)
    assert measured["latency"] == 10.0
    for name in ("cv", "cv2", "adaptation_index", "burst_index"):
        assert measured[name] == pytest.approx(0.0, abs=1e-12), name


def test_measures_of_other_trains():
    """CV2 and the adaptation index of alternating intervals follow from their definitions."""
    a, b = 10.0, 30.0
    turns = np.cumsum([0.0, *[a, b] * 10])
    measured = measure_train(turns, turns[-1])
    assert measured["cv2"] == pytest.approx(2 * (b - a) / (b + a))
    assert measured["cv"] == pytest.approx((b - a) / (b + a))
    assert measured["adaptation_index"] == pytest.approx((b - a) / (b + a) / 19)
    assert measure_train(ADAPTING, DURATION)["adaptation_index"] > 0.01
    assert measure_train(BURSTS, DURATION)["burst_index"] == 1.0
    assert measure_train(MIXED, DURATION)["burst_index"] == pytest.approx(5 / len(MIXED))


def test_adaptation_to_the_onset_is_no_irregularity():
    """Intervals grow in the first half and are equal in the second; CV of all intervals is large."""
    train = np.cumsum([*np.geomspace(2.0, 20.0, 40), *[20.0] * 40])
    measured = measure_train(train, train[-1])
    assert measured["cv"] < 0.02
    assert measured["cv2"] < 0.02
    assert interval_cv(train) > 0.3


def test_undefined_measures_are_nan():
    for train in ([], [5.0], [5.0, 9.0]):
        measured = measure_train(np.asarray(train, dtype=float), DURATION)
        assert measured["rate"] == len(train)
        assert math.isnan(measured["cv"])
        assert math.isnan(measured["latency"]) == (not train)
