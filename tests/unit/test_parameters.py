# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Parameter sets: conversions between conventions, the published tables, and errors.

Reference values: NEST 3.10's `amat2_psc_exp` defaults; Yamauchi et al. (2011), Table 1; Kobayashi et al.
(2009); Izhikevich (2004), the author's script. Where a unit or the meaning of omega is converted, the
tolerance is 1e-12 of the value or 1e-11 (values are below 1e7, differences of omega and E_L below 1e3), well
above the rounding of a few operations; elsewhere values must be equal.
"""

import math
import shutil

import numpy as np
import pytest

from amat.neurons import (
    AmatParameters,
    CurrentSegment,
    InputCurrent,
    IzhikevichParameters,
    ParameterError,
    find_neuron,
    izhikevich_patterns,
    mat_parameter_sets,
    published,
    yamauchi_patterns,
)
from amat.neurons.amat import UNITS
from amat.neurons.published import find_patterns, heiberg_patterns

NEST_DEFAULTS = {
    "tau_m": 10.0,
    "C_m": 200.0,
    "t_ref": 2.0,
    "E_L": -70.0,
    "tau_syn_ex": 1.0,
    "tau_syn_in": 3.0,
    "tau_1": 10.0,
    "tau_2": 200.0,
    "alpha_1": 10.0,
    "alpha_2": 0.0,
    "beta": 0.0,
    "tau_v": 5.0,
    "omega": -65.0,
    "I_e": 0.0,
}


def random_parameters(count, seed=1):
    rng = np.random.default_rng(seed)
    signed = {"E_L", "alpha_1", "alpha_2", "beta", "omega", "I_e"}
    for _ in range(count):
        yield AmatParameters(
            **{name: rng.uniform(-100, 100) if name in signed else rng.uniform(0.1, 300) for name in UNITS}
        )


def approx(expected):
    return pytest.approx(expected, rel=1e-12, abs=1e-11)


class TestConventions:
    def test_defaults_are_those_of_nest(self):
        assert AmatParameters().to_nest() == NEST_DEFAULTS
        assert AmatParameters.from_nest(NEST_DEFAULTS) == AmatParameters.from_nest({}) == AmatParameters()
        assert AmatParameters().omega == 5.0

    def test_nestml_round_trip_is_exact(self):
        for parameters in random_parameters(200):
            values = parameters.to_nestml()
            assert list(values) == list(UNITS)
            assert AmatParameters.from_nestml(values) == parameters

    def test_nest_round_trip(self):
        for parameters in random_parameters(200):
            values = parameters.to_nest()
            assert values["omega"] - values["E_L"] == approx(parameters.omega)
            assert values["tau_syn_in"] == parameters.tau_syn_inh
            assert AmatParameters.from_nest(values).to_nestml() == approx(parameters.to_nestml())

    def test_paper_round_trip_keeps_all_but_rest_and_synapses(self):
        for parameters in random_parameters(200):
            values = parameters.to_paper()
            back = AmatParameters.from_paper(values)
            assert back.to_paper() == approx(values)
            not_in_paper = {name: getattr(parameters, name) for name in ("E_L", "tau_syn_exc", "tau_syn_inh")}
            assert back.replace(**not_in_paper).to_nestml() == approx(parameters.to_nestml())

    def test_round_trip_through_all_conventions(self):
        for parameters in random_parameters(50, seed=2):
            via_nest = AmatParameters.from_nest(parameters.to_nest())
            via_nestml = AmatParameters.from_nestml(via_nest.to_nestml())
            assert AmatParameters.from_paper(via_nestml.to_paper()).to_paper() == approx(parameters.to_paper())

    def test_the_status_of_a_neuron_in_nest_is_accepted(self):
        status = {"model": "amat2_psc_exp", "Ca": 0.0, "V_m": -70.0, "recordables": ["V_m"]}
        parameters = AmatParameters(tau_m=7.0, E_L=-60.0)
        assert AmatParameters.from_nest(parameters.to_nest() | status) == parameters
        assert AmatParameters.from_nestml(parameters.to_nestml() | status) == parameters
        izhikevich = IzhikevichParameters(a=0.1)
        assert IzhikevichParameters.from_nestml(izhikevich.to_nestml() | status) == izhikevich
        with pytest.raises(ParameterError, match="model amat2_psc_exp has no AMAT parameter 'refr_T'"):
            AmatParameters.from_nestml(parameters.to_nest() | status)
        with pytest.raises(ParameterError, match="tau_m must be a finite number"):
            AmatParameters.from_nest(parameters.to_nest() | status | {"tau_m": (5.0, 6.0)})  # of two neurons

    def test_resistance_and_current_change_units(self):
        parameters = AmatParameters.from_paper({"R": 50, "tau_m": 10, "tau_R": 3, "I": 0.15})
        assert parameters.C_m == 200.0
        assert parameters.refr_T == 3.0
        assert parameters.I_e == approx(150.0)
        assert AmatParameters.from_paper({"tau_m": 5}).C_m == 100.0

    def test_nest_keeps_the_absolute_threshold_when_rest_moves(self):
        assert AmatParameters.from_nest({"E_L": -60.0}).omega == -5.0
        assert AmatParameters(E_L=-60.0).to_nest()["omega"] == -55.0

    def test_values_become_plain_floats(self):
        parameters = AmatParameters(tau_m=np.float32(5), C_m=100)
        assert {type(value) for value in parameters.to_nestml().values()} == {float}
        assert (parameters.tau_m, parameters.C_m) == (5.0, 100.0)


class TestTimeConstants:
    def test_distances_of_the_defaults(self):
        assert AmatParameters().time_constant_pairs() == [
            ("tau_m", "tau_syn_exc", 0.9),
            ("tau_m", "tau_syn_inh", 0.7),
            ("tau_m", "tau_v", 0.5),
            ("tau_v", "tau_syn_exc", 0.8),
            ("tau_v", "tau_syn_inh", 0.4),
        ]

    def test_equal_time_constants_have_distance_zero(self):
        distances = {(a, b): d for a, b, d in AmatParameters(tau_m=5.0, tau_syn_inh=5.0).time_constant_pairs()}
        assert [pair for pair, distance in distances.items() if distance == 0] == [
            ("tau_m", "tau_syn_inh"),
            ("tau_m", "tau_v"),
            ("tau_v", "tau_syn_inh"),
        ]


class TestErrors:
    @pytest.mark.parametrize("name", [name for name in UNITS if name.startswith("tau_")] + ["C_m", "refr_T"])
    @pytest.mark.parametrize("value", [0.0, -1.5])
    def test_non_positive_value(self, name, value):
        with pytest.raises(ParameterError, match=rf"^{name} must be positive, got {value:g} {UNITS[name]}"):
            AmatParameters(**{name: value})

    @pytest.mark.parametrize("name", UNITS)
    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, "ten", None])
    def test_value_that_is_not_a_finite_number(self, name, value):
        with pytest.raises(ParameterError, match=rf"^{name} must be a finite number, got {value!r}"):
            AmatParameters(**{name: value})

    def test_refractory_time_below_the_resolution(self):
        parameters = AmatParameters(refr_T=0.1)
        assert parameters.validate(resolution=0.1) is None
        with pytest.raises(ParameterError, match=r"refr_T.* 0\.25 ms, got 0\.1 ms"):
            parameters.validate(resolution=0.25)

    def test_resistance_of_the_paper(self):
        with pytest.raises(ParameterError, match=r"^R must be positive, got 0 MOhm"):
            AmatParameters.from_paper({"R": 0})

    @pytest.mark.parametrize(
        ("convert", "name", "nearest"),
        [
            (AmatParameters.from_nestml, "tau_syn_ex", "tau_syn_exc"),
            (AmatParameters.from_nest, "tau_syn_exc", "tau_syn_ex"),
            (AmatParameters.from_paper, "tau_r", "tau_R"),
            (lambda values: AmatParameters().replace(**values), "alpha1", "alpha_1"),
        ],
    )
    def test_unknown_name_gives_the_nearest(self, convert, name, nearest):
        with pytest.raises(ParameterError, match=rf"'{name}'; .*\b{nearest}\b"):
            convert({name: 1.0})

    @pytest.mark.parametrize("patterns", [yamauchi_patterns, izhikevich_patterns])
    def test_unknown_pattern_gives_the_nearest(self, patterns):
        with pytest.raises(ParameterError, match=r"pattern 'tonic_spikes'; .* are tonic_spiking, "):
            patterns()["tonic_spikes"]

    def test_unknown_mat_neuron_gives_the_nearest(self):
        with pytest.raises(ParameterError, match=r"MAT neuron 'chater'; .* are chattering, "):
            mat_parameter_sets()["chater"]


class TestYamauchi:
    def test_common_constants(self):
        patterns = yamauchi_patterns()
        assert len(patterns) == 20
        for name, pattern in patterns.items():
            assert pattern.name == name
            own = {key: getattr(pattern.parameters, key) for key in ("alpha_1", "alpha_2", "beta")}
            assert pattern.parameters == AmatParameters(**own)

    @pytest.mark.parametrize(
        ("name", "alpha_1", "alpha_2", "beta"),
        [
            ("tonic_spiking", 10, 0, 0),
            ("class_2", 15, -0.05, 0),
            ("mixed_mode", -0.8, 0.7, 0),
            ("rebound_bursting", -0.5, 0.35, -2.5),
            ("threshold_variability", 10, 0, -0.1),
            ("inhibition_induced_spiking", 20, 0, 2),
        ],
    )
    def test_threshold_parameters(self, name, alpha_1, alpha_2, beta):
        parameters = yamauchi_patterns()[name].parameters
        assert (parameters.alpha_1, parameters.alpha_2, parameters.beta) == (alpha_1, alpha_2, beta)

    def test_other_membrane_time_constant_keeps_the_resistance(self):
        for pattern in yamauchi_patterns(tau_m=5.0).values():
            assert (pattern.parameters.tau_m, pattern.parameters.C_m) == (5.0, 100.0)
            assert pattern.parameters.to_paper()["R"] == 50.0

    def test_currents_in_pA_and_ms(self):
        """Times and values of each stimulus of the table, with the onset at 10 ms."""
        currents = {name: pattern.current for name, pattern in yamauchi_patterns().items()}
        assert currents["phasic_spiking"].segments == (CurrentSegment(10.0, math.inf, 80.0),)
        assert [(s.t_start, s.t_stop, s.value) for s in currents["integrator"].segments] == [
            (10.0, 12.0, 280.0),
            (20.0, 22.0, 280.0),
            (140.0, 142.0, 280.0),
            (155.0, 157.0, 280.0),
        ]
        assert [s.value for s in currents["threshold_variability"].segments] == [200.0, -200.0, 200.0]
        assert [s.value for s in currents["inhibition_induced_bursting"].segments] == [-160.0]
        assert currents["class_1"].segments == (CurrentSegment(10.0, math.inf, 0.0, 0.0025),)
        assert all(pattern.current.segments for pattern in yamauchi_patterns().values())

    def test_pulses_add_to_the_constant_current(self):
        current = yamauchi_patterns()["bistability"].current
        assert current([5, 50, 111, 120, 140, 1e6]) == approx(np.array([0, 950, 1150, 950, 910, 950]))

    def test_ramps_start_from_zero_after_the_pause(self):
        current = yamauchi_patterns()["accommodation"].current
        assert current([10, 55, 99, 150, 210, 219, 221]) == approx(np.array([0, 45, 89, 0, 45, 85.5, 0]))


class TestUnequalTimeConstants:
    def test_only_tau_v_differs_from_the_first_set_and_nest_accepts_it(self):
        first, second = (find_patterns("amat", name) for name in ("validated", "validated-unequal"))
        for name, pattern in second.items():
            assert pattern.parameters == first[name].parameters.replace(tau_v=5.5)
            assert pattern.current == first[name].current
            assert pattern.parameters.tau_m == 5.0


class TestHeiberg:
    """The table that was not available: its file has a header only; the tests type in values of Yamauchi's table."""

    @pytest.fixture
    def table(self, tmp_path, monkeypatch):
        for name in ("yamauchi2011_common.csv", "yamauchi2011_table1.csv", "heiberg2018_table4.csv"):
            shutil.copy(published.DATA / name, tmp_path)
        monkeypatch.setattr(published, "DATA", tmp_path)
        return tmp_path / "heiberg2018_table4.csv"

    def fill(self, table, *rows):
        with table.open("a") as file:
            file.writelines(row + "\n" for row in rows)

    def test_the_shipped_file_is_empty_and_says_so(self):
        assert not heiberg_patterns()
        with pytest.raises(ParameterError, match=r"heiberg2018_table4\.csv in data/ has no rows yet: type in"):
            find_patterns("amat", "heiberg2018")

    def test_typed_rows_are_patterns_like_yamauchis(self, table):
        self.fill(
            table,
            "tonic_spiking,tonic spiking,,,10,0,0,constant,0.15,,,,,,",
            "integrator,integrator,5,6.5,10,0,0,pulses,,0.28,2,8;118;13,,,",
        )
        found, printed = find_patterns("amat", "heiberg2018"), yamauchi_patterns()
        assert list(found) == ["tonic_spiking", "integrator"]
        assert found["tonic_spiking"] == printed["tonic_spiking"]
        assert found["integrator"].current == printed["integrator"].current
        assert (found["integrator"].parameters.tau_m, found["integrator"].parameters.tau_v) == (5.0, 6.5)
        assert found["integrator"].parameters.C_m == approx(100.0)

    @pytest.mark.parametrize(
        ("row", "message"),
        [
            ("tonic_spiking,tonic spiking,,,ten,0,0,constant,0.15,,,,,,", "row tonic_spiking .*'ten'"),
            ("tonic_spiking,tonic spiking,,,10,0", "row tonic_spiking .*compare it with"),
            ("tonic_spikin,tonic spiking,,,10,0,0,constant,0.15,,,,,,", "'tonic_spikin'.*tonic_spiking"),
        ],
    )
    def test_mistyped_rows_are_named(self, table, row, message):
        self.fill(table, row)
        with pytest.raises(ParameterError, match=message):
            heiberg_patterns()


class TestIzhikevich:
    def test_patterns_a_to_t_have_the_names_of_amat_patterns(self):
        patterns = izhikevich_patterns()
        assert "".join(pattern.label for pattern in patterns.values()) == "ABCDEFGHIJKLMNOPQRST"
        assert set(patterns) == set(yamauchi_patterns())

    def test_recovery_starts_at_b_times_v(self):
        for name, pattern in izhikevich_patterns().items():
            expected = -16.0 if name == "accommodation" else pattern.parameters.b * pattern.V_0
            assert pattern.u_0 == expected, name

    def test_variants_of_the_equations(self):
        default, changed = IzhikevichParameters().to_nestml(), {}
        for name, pattern in izhikevich_patterns().items():
            values = pattern.parameters.to_nestml()
            changed[name] = {key: value for key, value in values.items() if key not in "abcd" and value != default[key]}
        assert {name: values for name, values in changed.items() if values} == {
            "class_1": {"q_1": 4.1, "q_0": 108.0},
            "integrator": {"q_1": 4.1, "q_0": 108.0},
            "accommodation": {"leak": 0.0, "V_ref": -65.0},
        }

    @pytest.mark.parametrize(
        ("name", "abcd", "h", "duration"),
        [
            ("phasic_bursting", (0.02, 0.25, -55, 0.05), 0.2, 200),
            ("spike_frequency_adaptation", (0.01, 0.2, -65, 8), 0.25, 85),
            ("depolarizing_after_potential", (1, 0.2, -60, -21), 0.1, 50),
            ("inhibition_induced_bursting", (-0.026, -1, -45, -2), 0.5, 350),
        ],
    )
    def test_parameters(self, name, abcd, h, duration):
        pattern = izhikevich_patterns()[name]
        assert tuple(getattr(pattern.parameters, key) for key in "abcd") == abcd
        assert (pattern.h, pattern.duration) == (h, duration)

    # The right-hand column repeats the conditions of the script.
    @pytest.mark.parametrize(
        ("name", "script"),
        [
            ("tonic_spiking", lambda t: 14 * (t > 10)),
            ("spike_frequency_adaptation", lambda t: 30 * (t > 8.5)),
            ("class_1", lambda t: 0.075 * (t - 30) * (t > 30)),
            ("class_2", lambda t: -0.5 + 0.015 * (t - 30) * (t > 30)),
            ("spike_latency", lambda t: 7.04 * (10 < t < 13)),
            ("resonator", lambda t: 0.65 * any(s < t < s + 4 for s in (40, 60, 280, 320))),
            ("integrator", lambda t: 9 * any(s < t < s + 2 for s in (100 / 11, 100 / 11 + 5, 70, 80))),
            ("rebound_spiking", lambda t: -15 * (20 < t < 25)),
            ("threshold_variability", lambda t: (10 < t < 15) - 6 * (70 < t < 75) + (80 < t < 85)),
            ("bistability", lambda t: 1.24 if 37.5 < t < 42.5 or 216 < t < 221 else 0.24),
            ("depolarizing_after_potential", lambda t: 20 * (abs(t - 10) < 1)),
            (
                "accommodation",
                lambda t: t / 25 if t < 200 else (t - 300) / 12.5 * 4 if 300 <= t < 312.5 else 0,
            ),
            ("inhibition_induced_spiking", lambda t: 80 if t < 50 or t > 250 else 75),
        ],
    )
    def test_current_at_every_step_of_the_published_run(self, name, script):
        pattern = izhikevich_patterns()[name]
        times = pattern.h * np.arange(round(pattern.duration / pattern.h) + 1)
        assert pattern.current(times) == approx(np.array([script(t) for t in times], dtype=float))


class TestInputCurrent:
    def test_ends_are_open_and_overlaps_add(self):
        current = InputCurrent((CurrentSegment(0, 10, 2), CurrentSegment(5, 10, 1, slope=0.5)), baseline=-1)
        assert current([0, 1, 5, 7, 10]).tolist() == [-1, 1, 1, 3, -1]

    def test_holding_current_is_that_below_the_pulses_whenever_it_begins(self):
        """AMAT's bistability: 95 pA from 10 ms on; Izhikevich's: 0.24 at all times, as in his script."""
        expected = {
            "amat": {"bistability": 95.0},
            "izhikevich": {
                "class_2": -0.5,
                "bistability": 0.24,
                "inhibition_induced_spiking": 80.0,
                "inhibition_induced_bursting": 80.0,
            },
        }
        for model, of_model in expected.items():
            for name in yamauchi_patterns():
                assert find_neuron(name, model).holding_current == of_model.get(name, 0.0), (model, name)

    @pytest.mark.parametrize("start", [0.0, 10.0, 1000.0])
    @pytest.mark.parametrize("duration", [0.1, 40.0])
    @pytest.mark.parametrize("pulse", [5.0, -5.0])
    def test_holding_current_and_direction_do_not_depend_on_when_the_pieces_begin(self, start, duration, pulse):
        constant = CurrentSegment(start, math.inf, 3.0)
        pulses = [CurrentSegment(start + t, start + t + duration, value) for t, value in ((50, pulse), (200, -pulse))]
        assert InputCurrent((constant, *pulses), baseline=1.0).holding == 4.0
        assert InputCurrent(tuple(pulses), baseline=1.0).holding == 1.0
        assert InputCurrent((constant,), baseline=1.0).holding == 1.0
        assert InputCurrent(tuple(pulses), baseline=1.0).direction == math.copysign(1, pulse)

    def test_both_models_are_excited_in_the_same_direction(self):
        directions = {
            model: [find_neuron(name, model).direction for name in yamauchi_patterns()]
            for model in ("amat", "izhikevich")
        }
        assert directions["amat"] == directions["izhikevich"]
        assert directions["amat"].count(-1) == 4  # rebound and inhibition-induced firing

    def test_shape_follows_the_times(self):
        current = InputCurrent((CurrentSegment(-math.inf, 10, 2),))
        assert current(3.0).shape == ()
        assert current(3.0) == 2.0
        assert current(np.zeros((2, 3))).tolist() == [[2.0] * 3] * 2


class TestMat:
    @pytest.mark.parametrize(
        ("name", "alpha_1", "alpha_2", "omega"),
        [
            ("regular_spiking", 30, 2, 20),
            ("intrinsic_bursting", 7.5, 1.5, 19),
            ("fast_spiking", 10, 0.2, 10),
            ("chattering", -0.5, 0.4, 26),
            ("regular_spiking_fitted", 37, 2, 19),
        ],
    )
    def test_values(self, name, alpha_1, alpha_2, omega):
        parameters = mat_parameter_sets()[name]
        assert (parameters.alpha_1, parameters.alpha_2, parameters.omega) == (alpha_1, alpha_2, omega)

    def test_mat_is_amat_without_voltage_dependence(self):
        sets = mat_parameter_sets()
        assert len(sets) == 5
        for parameters in sets.values():
            assert parameters.beta == 0
            assert (parameters.tau_m, parameters.C_m, parameters.refr_T) == (5, 100, 2)
            assert min(distance for *_, distance in parameters.time_constant_pairs()) > 0.3

    def test_fitted_example_is_the_default_of_nests_mat2(self):
        values = mat_parameter_sets()["regular_spiking_fitted"].to_nest()
        expected = {"tau_m": 5, "C_m": 100, "alpha_1": 37, "alpha_2": 2, "omega": -51, "t_ref": 2, "E_L": -70}
        assert {name: values[name] for name in expected} == expected
