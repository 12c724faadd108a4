# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Statistics, cases, targets and tables of benchmarks, on given numbers without simulation."""

import io
import json
import math
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from amat.benchmark.cases import BASE, Case, default_cases, find_cases, memory_cases, quick_cases
from amat.benchmark.families import FAMILIES, Contender, sample_population
from amat.benchmark.measurements import Plan, Store, check_activity, run_rounds, summarise
from amat.benchmark.peers import ArborProgram
from amat.benchmark.runs import Options, benchmark_network, benchmark_update
from amat.benchmark.targets import TARGETS, find_target
from amat.cli.benchmark import summary_table
from amat.errors import AmatError

NEST = Contender("amat2_psc_exp", "amat", "nest", "nest")
OPTIMISED = Contender("amat2_psc_exp_neuron_opt", "amat", "optimised", "optimised", "abc")
CHECKED = Contender("amat2_psc_exp_neuron_nestml", "amat", "nestml-checked", "nestml-checked", "def")


def rows(case: str, values: dict[Contender, list[float]]) -> pd.DataFrame:
    return pd.DataFrame(
        {"case": case, "round": number, "model": c.model, "build": c.build, "label": c.label, "ns": value}
        for c, of_c in values.items()
        for number, value in enumerate(of_c)
    )


class TestStatistics:
    def test_ratios_are_taken_within_rounds(self):
        """On a machine that becomes twice as slow in each round, medians of times would give 5 / 20."""
        table = rows("quiet", {NEST: [10.0, 20.0, 40.0, 80.0, 160.0], OPTIMISED: [5.0, 5.0, 10.0, 10.0, 80.0]})
        summary = summarise(table, "ns").set_index("model")
        ours = summary.loc[OPTIMISED.model]
        # ratios: 0.5, 0.25, 0.25, 0.125 and 0.5
        assert ours["ratio"] == 0.25
        # With five rounds the interval of the median is the range: 94 % coverage.
        assert (ours["lower"], ours["upper"]) == (0.125, 0.5)
        assert (ours["least"], ours["largest"]) == (0.125, 0.5)
        assert ours["rounds"] == 5
        assert ours["median"] == 10.0
        assert ours["reference"] == NEST.model
        assert summary.loc[NEST.model, "ratio"] == 1.0

    def test_another_reference(self):
        table = rows("quiet", {NEST: [10.0, 20.0], OPTIMISED: [2.0, 5.0]})
        summary = summarise(table, "ns", reference="optimised").set_index("model")
        assert summary.loc[NEST.model, "ratio"] == 4.5

    def test_without_the_reference_there_is_no_ratio(self):
        summary = summarise(rows("quiet", {OPTIMISED: [2.0]}), "ns")
        assert np.isnan(summary["ratio"][0])
        assert summary["rounds"][0] == 0


class TestRounds:
    def measure(self, contender):
        self.order.append(contender.model)
        return {"ns": float(len(self.order))}

    def run(self, folder, rounds, *contenders, settings=None):
        self.order = []
        store = Store(folder, "update", settings or {"seed": 1})
        plan = Plan("quiet", contenders, self.measure)
        store.check(plan, rounds)
        run_rounds(store, plan, rounds)
        return store

    def test_the_first_model_changes_from_round_to_round(self, tmp_path):
        self.run(tmp_path, 3, NEST, OPTIMISED)
        assert self.order == [NEST.model, OPTIMISED.model, OPTIMISED.model, NEST.model, NEST.model, OPTIMISED.model]

    def test_a_stopped_run_resumes(self, tmp_path):
        self.run(tmp_path, 2, NEST, OPTIMISED)
        store = self.run(tmp_path, 3, NEST, OPTIMISED)
        assert len(self.order) == 2
        assert len(store.rows) == 6
        assert len(pd.read_csv(tmp_path / "update.csv")) == 6

    def test_an_incomplete_round_is_repeated(self, tmp_path):
        self.run(tmp_path, 1, NEST)
        store = self.run(tmp_path, 1, NEST, OPTIMISED)
        assert self.order == [NEST.model, OPTIMISED.model]
        assert len(store.rows) == 2

    @pytest.mark.parametrize(
        ("contenders", "settings", "message"),
        [
            ((NEST, OPTIMISED), {"seed": 2, "threads": 2}, "with seed 1 instead of 2, threads None instead of 2: name"),
            ((NEST, replace(OPTIMISED, module="123")), None, "another build of amat2_psc_exp_neuron_opt: name"),
            ((NEST, CHECKED), None, "with amat2_psc_exp_neuron_opt and without all models that are wanted"),
        ],
    )
    def test_other_settings_neither_replace_nor_relabel_measurements(self, tmp_path, contenders, settings, message):
        self.run(tmp_path, 2, NEST, OPTIMISED)
        before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
        with pytest.raises(AmatError, match=message):
            self.run(tmp_path, 3, *contenders, settings=settings)
        assert self.order == []
        assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

    def test_settings_of_a_run_that_measured_nothing_do_not_count(self, tmp_path):
        Store(tmp_path, "update", {"seed": 1})
        self.run(tmp_path, 1, NEST, settings={"seed": 2})
        assert json.loads((tmp_path / "provenance.json").read_text())["update"]["settings"] == {"seed": 2}

    def test_fewer_models_are_measured_in_new_rounds(self, tmp_path):
        self.run(tmp_path, 1, NEST, OPTIMISED)
        assert len(self.run(tmp_path, 2, NEST).rows) == 3

    def test_a_round_that_fails_its_check_is_not_stored(self, tmp_path):
        def check(rows):
            raise AmatError("silent")

        store = Store(tmp_path, "update", {})
        self.order = []
        with pytest.raises(AmatError, match="silent"):
            run_rounds(store, Plan("quiet", [NEST], self.measure, check), 1)
        assert not (tmp_path / "update.csv").exists()


class TestCases:
    def test_names_are_unique_and_found(self):
        cases = [*default_cases(), Case("mat", 4000.0, 0.5, 20000, "different", True)]
        assert len({case.name for case in cases}) == len(set(cases))
        for case in cases:
            assert find_cases([case.name]) == [case]

    def test_every_target_has_a_case(self):
        """Among the default cases of updates, memory, networks and Brian2."""
        judged = [find_target("time", **case.conditions) for case in default_cases()]
        judged += [find_target("brian2", **BASE.conditions)]
        for case in memory_cases(list(FAMILIES)):
            judged += [find_target(quantity, **case.conditions) for quantity in ("memory", "own memory")]
        judged += [find_target("network", family="amat", neurons=number) for number in (2000, 10000, 50000)]
        assert all(target in judged for target in TARGETS)

    def test_the_default_changes_each_factor_once_around_the_base_case(self):
        alone = {
            name
            for case in default_cases()
            if case.family == "amat"
            for name in ("rate", "delay", "neurons", "parameters", "random_phases")
            if [n for n in vars(case) if getattr(case, n) != getattr(BASE, n)] == [name]
        }
        assert alone == {"rate", "delay", "neurons", "parameters", "random_phases"}

    def test_quick_cases_are_small(self):
        assert {case.neurons for case in quick_cases()} == {1000}

    def test_the_name_of_a_family_selects_its_cases(self):
        assert find_cases(["mat"]) == [case for case in default_cases() if case.family == "mat"]

    def test_an_unknown_case_lists_similar_names(self):
        with pytest.raises(AmatError, match="amat-input"):
            find_cases(["amat-inptu"])

    @pytest.mark.parametrize(
        ("case", "bound"),
        [
            (Case("amat"), 0.12),
            (Case("amat", parameters="different", random_phases=True), 0.20),
            (Case("amat", delay=0.1), 0.50),
            (Case("amat", 4000.0, delay=0.1), 0.60),
            (Case("iaf_psc_alpha", 4000.0), 0.70),
            (Case("izhikevich"), 1.30),
        ],
    )
    def test_targets(self, case, bound):
        assert find_target("time", **case.conditions).bound == bound

    @pytest.mark.parametrize("case", [Case("amat", parameters="time constants"), Case("amat", delay=0.5), Case("mat")])
    def test_cases_without_a_target(self, case):
        assert find_target("time", **case.conditions) is None

    def test_the_target_for_brian2_is_a_lower_bound(self):
        target = find_target("brian2", **BASE.conditions)
        assert target.is_met(2.5)
        assert not target.is_met(1.5)
        assert str(target) == "≥ 2.00"


class TestParameters:
    def test_equal_neurons_have_one_set_of_parameters(self):
        population = sample_population(
            FAMILIES["amat"], 10, parameters="equal", random_phases=False, driven=False, seed=1
        )
        assert len(population) == 1
        assert population[0]["V_m"] == population[0]["E_L"]

    def test_the_same_seed_gives_the_same_neurons(self):
        samples = [
            sample_population(FAMILIES["amat"], 10, parameters="different", random_phases=True, driven=True, seed=seed)
            for seed in (1, 1, 2)
        ]
        assert samples[0] == samples[1] != samples[2]

    def test_different_parameters_leave_time_constants_equal(self):
        family = FAMILIES["amat"]
        different = sample_population(family, 50, parameters="different", random_phases=False, driven=False, seed=1)
        assert {values["tau_m"] for values in different} == {10.0}
        for name in ("E_L", "omega", "alpha_1", "alpha_2", "I_e"):
            assert len({values[name] for values in different}) == 50
        all_different = sample_population(
            family, 50, parameters="time constants", random_phases=False, driven=False, seed=1
        )
        assert len({values["tau_m"] for values in all_different}) == 50

    def test_initial_potentials_are_between_rest_and_threshold(self):
        for values in sample_population(
            FAMILIES["amat"], 50, parameters="different", random_phases=True, driven=False, seed=1
        ):
            assert values["E_L"] <= values["V_m"] <= values["E_L"] + values["omega"]

    def test_parameters_are_translated_for_builtin_models(self):
        for name in ("amat", "mat"):
            family = FAMILIES[name]
            values = sample_population(family, 1, parameters="equal", random_phases=False, driven=False, seed=1)[0]
            nest = family.to_nest(values)
            assert nest["omega"] == values["E_L"] + values["omega"]
            assert nest["t_ref"] == values["refr_T"]
            assert nest["tau_syn_ex"] == values["tau_syn_exc"]
            assert nest["V_m"] == values["V_m"]
            assert "refr_T" not in nest


class TestErrors:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"rounds": 0}, "rounds must be at least 1, got 0"),
            ({"duration": 0.0}, "must be 1 to 1e\\+07 ms, got 0 ms"),
            ({"duration": math.nan}, "must be 1 to 1e\\+07 ms, got nan ms"),
            ({"duration": math.inf}, "must be 1 to 1e\\+07 ms, got inf ms"),
            ({"duration": 100.05}, "must be a multiple of the time step of 0.1 ms, got 100.05 ms"),
            ({"codegen": ["stock"]}, "no build 'stock': choose among nestml, nestml-checked"),
        ],
    )
    def test_wrong_options_are_refused_before_any_work(self, tmp_path, options, message):
        with pytest.raises(AmatError, match=message):
            Options(tmp_path, **options)

    @pytest.mark.parametrize(
        ("cases", "options", "message"),
        [
            ([BASE], {"brian_python": "/nowhere/python"}, "/nowhere/python cannot import Brian2"),
            ([Case("mat")], {"brian_python": sys.executable}, "Brian2 is measured in the case amat-quiet only"),
            ([Case("mat")], {"ablation": True}, "no case for the ablation: add --cases amat-quiet"),
        ],
    )
    def test_options_without_effect_are_refused(self, tmp_path, cases, options, message):
        with pytest.raises(AmatError, match=message):
            benchmark_update(cases, Options(tmp_path, **options), lambda *progress: None)

    def test_an_ablation_without_its_network_is_refused(self, tmp_path):
        with pytest.raises(AmatError, match="add --neurons 2000"):
            benchmark_network([1000], Options(tmp_path, ablation=True), lambda *progress: None)

    @pytest.mark.parametrize(
        ("family", "options", "message"),
        [
            ("mat", {}, "There is no network of 'mat'"),
            ("amat", {"arbor_python": sys.executable}, "There is no network of amat in arbor"),
            ("izhikevich", {"brian_python": sys.executable}, "There is no network of izhikevich in brian2"),
            ("iaf_psc_delta", {"arbor_python": "/nowhere/python"}, "/nowhere/python cannot import Arbor"),
        ],
    )
    def test_networks_that_a_simulator_does_not_have_are_refused(self, tmp_path, family, options, message):
        with pytest.raises(AmatError, match=message):
            benchmark_network([1000], Options(tmp_path, **options), print, family=family)

    def test_a_program_counts_the_time_and_spikes_of_its_timed_part(self, tmp_path, monkeypatch):
        monkeypatch.setattr(ArborProgram, "_simulate", lambda self: {"seconds": 2.0, "cpu_seconds": 3.0, "spikes": 400})
        found = ArborProgram(sys.executable, tmp_path, {"neurons": 100, "duration": 500.0}).measure()
        assert (found["real_time_factor"], found["cpu_factor"], found["rate"]) == (4.0, 6.0, 8.0)
        assert found["ns"] == pytest.approx(2e9 / 100 / 5000)

    def test_a_wanted_network_that_is_too_large_is_an_error(self, tmp_path):
        with pytest.raises(AmatError, match=r"The network of 1000000000 neurons .* Choose a smaller --indegree"):
            benchmark_network([10**9], Options(tmp_path), lambda *progress: None)

    def test_an_unwritable_output_is_refused(self, tmp_path):
        (tmp_path / "file").touch()
        with pytest.raises(AmatError, match="cannot be written"):
            Options(tmp_path / "file" / "output")

    def test_time_constants_differ_for_amat_only(self):
        with pytest.raises(AmatError, match="AMAT only"):
            sample_population(
                FAMILIES["mat"], 5, parameters="time constants", random_phases=False, driven=False, seed=1
            )

    def spikes(self, nest, optimised):
        common = {"case": "quiet"}
        return [
            {**common, "model": NEST.model, "build": "nest", "spikes": nest, "rate": nest},
            {**common, "model": OPTIMISED.model, "build": "optimised", "spikes": optimised, "rate": optimised},
        ]

    def test_builds_must_spike_alike(self):
        check_activity(self.spikes(10, 10), builds=["optimised"], tolerance=0.0)
        with pytest.raises(AmatError, match=r"11 times .* and amat2_psc_exp 10 times.*amat validate"):
            check_activity(self.spikes(10, 11), builds=["optimised"], tolerance=0.0)

    def test_a_silent_builtin_model_is_refused(self):
        with pytest.raises(AmatError, match="does not spike"):
            check_activity(self.spikes(0, 0), builds=[], tolerance=0.0)

    def test_other_builds_may_spike_differently(self):
        check_activity(self.spikes(10, 11), builds=["nestml"], tolerance=0.0)

    def test_rates_may_differ_by_the_tolerance(self):
        check_activity(self.spikes(100, 105), builds=["optimised"], tolerance=0.1)
        with pytest.raises(AmatError, match=r"120\.00/s"):
            check_activity(self.spikes(100, 120), builds=["optimised"], tolerance=0.1)


class TestTable:
    def shown(self, summary: pd.DataFrame, *, wide: bool = True) -> str:
        console = Console(width=120, record=True, file=io.StringIO())
        console.print(summary_table(summary, "Time", wide=wide))
        return console.export_text()

    @pytest.fixture
    def summary(self) -> pd.DataFrame:
        table = rows("amat-quiet", {NEST: [10.0, 20.0, 40.0], OPTIMISED: [1.0, 2.2, 4.0]})
        return summarise(table, "ns").assign(quantity="time", target=["", "≤ 0.12"], met=[None, True])

    def test_shows_both_times_and_the_ratio(self, summary):
        text = self.shown(summary)
        line = next(line for line in text.splitlines() if "amat-quiet" in line)
        assert " ".join(line.split()) == "amat-quiet optimised 20 ns 2.2 ns 0.10 0.10–0.11 0.10–0.11 ✓ ≤ 0.12"
        assert "3 rounds" in text

    def test_marks_missed_targets(self, summary):
        summary["met"] = [None, False]
        assert "✗ ≤ 0.12" in self.shown(summary)

    def test_a_narrow_table_omits_the_range(self, summary):
        assert "range" in self.shown(summary)
        assert "range" not in self.shown(summary, wide=False)
