# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The characterisation of AMAT, compared with closed formulae and with NEST's built-in model."""

import json

import numpy as np
import pytest

from amat import toolchain
from amat.analysis.characterisation import Protocol, characterise, write
from amat.analysis.excitability import steady_interval
from amat.errors import AmatError
from amat.neurons import AmatParameters

pytestmark = pytest.mark.slow

MODEL = toolchain.AMAT_OPT
DEFAULTS = AmatParameters()


@pytest.fixture(scope="module")
def measured():
    return characterise(MODEL)


def test_all_parameters_and_nothing_else_are_recorded(measured):
    assert measured.parameters == pytest.approx(DEFAULTS.to_nestml())


@pytest.mark.parametrize(
    ("column", "tau_syn", "sign"), [("V_m_exc_mV", DEFAULTS.tau_syn_exc, 1), ("V_m_inh_mV", DEFAULTS.tau_syn_inh, -1)]
)
def test_a_psp_is_the_difference_of_exponentials(measured, column, tau_syn, sign):
    p, protocol = DEFAULTS, measured.protocol
    time = np.maximum(0.0, measured.psp["time_ms"] - protocol.spike_time)
    amplitude = sign * protocol.weight / p.C_m / (1 / tau_syn - 1 / p.tau_m)
    expected = p.E_L + amplitude * (np.exp(-time / p.tau_m) - np.exp(-time / tau_syn))
    np.testing.assert_allclose(measured.psp[column], expected, rtol=0, atol=1e-10)


def test_a_pulse_charges_the_membrane(measured):
    p, protocol = DEFAULTS, measured.protocol
    rows = measured.pulses[measured.pulses["amplitude_pA"] == protocol.pulses[0]]
    inside = (rows["time_ms"] > protocol.pulse_onset) & (rows["time_ms"] <= protocol.pulse_onset + protocol.pulse_width)
    time = rows["time_ms"][inside] - protocol.pulse_onset
    expected = p.E_L + protocol.pulses[0] * p.tau_m / p.C_m * (1 - np.exp(-time / p.tau_m))
    np.testing.assert_allclose(rows["V_m_mV"][inside], expected, rtol=0, atol=1e-10)


def test_the_f_i_curve_is_the_exact_one(measured):
    """An interval is up to one step longer than the exact one, and a count differs by up to one spike."""
    h, window = measured.protocol.resolution, 1e-3 * measured.protocol.f_i_duration / 2
    for current, rate in measured.f_i.to_numpy():
        interval = steady_interval(DEFAULTS, current, resolution=h)
        if np.isfinite(interval):
            assert 1e3 / (interval + h) - 1 / window <= rate <= 1e3 / interval + 1 / window
        else:
            assert rate == 0


def test_nests_built_in_model_has_the_same_responses(measured):
    other = characterise("amat2_psc_exp", DEFAULTS.to_nest())
    np.testing.assert_allclose(other.psp, measured.psp, rtol=0, atol=1e-9)
    np.testing.assert_allclose(other.pulses, measured.pulses, rtol=0, atol=1e-9)
    for amplitude, spikes in measured.spikes.items():
        np.testing.assert_array_equal(other.spikes[amplitude], spikes)
    assert other.f_i.equals(measured.f_i)


def test_files_have_the_names_of_nestmls_library(measured, tmp_path):
    write(measured, tmp_path)
    name = "amat2_psc_exp_neuron"
    for kind in ("psp", "current_pulse_response", "fI_curve"):
        for ending in ("png", "svg"):
            assert (tmp_path / f"nestml_{kind}_[{name}].{ending}").stat().st_size > 1000
    record = json.loads((tmp_path / f"{name}_characterisation.json").read_text())
    assert record["parameters"]["omega"] == DEFAULTS.omega
    assert record["protocol"]["weight"] == measured.protocol.weight


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"weight": 0.0}, "weight must be positive, got 0 pA"),
        ({"currents": (10.0, 0.0)}, "ascending order"),
        ({"pulses": ()}, "at least one amplitude"),
        ({"psp_duration": 0.05}, "must be a multiple of the time step"),
    ],
)
def test_stimuli_that_cannot_be_delivered_are_rejected(wrong, message):
    with pytest.raises(AmatError, match=message):
        Protocol(**wrong)
