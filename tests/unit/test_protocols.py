# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Currents on the grid."""

import numpy as np
import pytest

from amat.simulation.stimuli import PoissonInput, ProtocolError, count_steps, pulses, ramp, sine


def test_pulses_have_their_onsets_and_add():
    current = pulses(10.0, 0.5, onsets=[2.0, 4.0], widths=[4.0, 1.0], amplitudes=[10.0, 5.0])
    time = 0.5 * np.arange(20)
    np.testing.assert_array_equal(current, 10.0 * ((time >= 2) & (time < 6)) + 5.0 * ((time >= 4) & (time < 5)))


def test_a_pulse_may_last_beyond_the_end():
    assert pulses(1.0, 0.1, [0.5], [100.0], [3.0]).tolist() == [0.0] * 5 + [3.0] * 5


def test_ramp_grows_by_its_slope_from_its_onset():
    np.testing.assert_allclose(ramp(3.0, 1.0, onset=1.0, slope=2.5), [0.0, 0.0, 2.5])


def test_sine_has_its_offset_amplitude_and_frequency():
    current = sine(1000.0, 0.1, onset=0.0, offset=7.0, amplitude=2.0, frequency=40.0)
    spectrum = np.abs(np.fft.rfft(current)) / len(current)
    assert spectrum[0] == pytest.approx(7.0)
    assert np.argmax(spectrum[1:]) + 1 == 40
    assert 2 * spectrum[40] == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: count_steps(1.05, 0.1), "got 1.05 ms"),
        (lambda: count_steps(0.0, 0.1), "duration.*got 0.0 ms"),
        (lambda: count_steps(float("inf"), 0.1), "duration.*got inf ms"),
        (lambda: count_steps(10.0, 0.0), "time step.*got 0.0 ms"),
        (lambda: count_steps(10.0, float("nan")), "time step.*got nan ms"),
        (lambda: count_steps(-10.0, -0.1), "time step.*got -0.1 ms"),
        (lambda: sine(10.0, 0.1, 0.0, 0.0, 1.0, 5000.0), "5000.0 Hz"),
        (lambda: pulses(10.0, 0.1, [-1.0], [2.0], [1.0]), "-1.0 ms"),
        (lambda: pulses(10.0, 0.1, [1.0], [0.0], [1.0]), "0.0 ms"),
        (lambda: PoissonInput(rate_exc=-3.0), "rate_exc.*got -3.0"),
        (lambda: PoissonInput(weight_inh=3.0), "weight_inh.*got 3.0"),
        (lambda: PoissonInput(rate_exc=float("nan")), "rate_exc.*got nan"),
    ],
)
def test_invalid_stimuli_are_refused_with_the_value(call, message):
    with pytest.raises(ProtocolError, match=message):
        call()
