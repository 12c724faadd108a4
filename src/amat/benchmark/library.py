# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Build, accuracy, time and memory of every neuron in NESTML's library.

The optimised generator, with its default options, is compared with NESTML's unmodified generator and, where NEST has an
equivalent model, with that. The accuracy is that of the membrane potential between spikes and of spike times, compared
with `amat.simulation.nestml_reference`.
"""

import gc
import os
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from amat import toolchain
from amat.arrays import Floats
from amat.benchmark.cases import INPUT_RATE, Case
from amat.benchmark.kernel import RESOLUTION, Clock, allocated_bytes
from amat.benchmark.update import create_input
from amat.compendium.provenance import commit, cpu_model, versions
from amat.errors import AmatError
from amat.simulation.kernel import DELAY, read_spikes, record_spikes, reset_kernel
from amat.simulation.nestml_reference import NestmlReference, Run

__all__ = ["LIBRARY", "NEURONS", "Neuron", "build_library", "format_table", "measure_library"]

#: The folder of the models that NESTML installs.
LIBRARY = Path(sys.prefix) / "models" / "neurons"

#: The builds that are made from NESTML.
Codegen = Literal["optimised", "nestml"]
CODEGENS: tuple[Codegen, ...] = ("optimised", "nestml")

#: Models that are compiled together. More take less time, but much memory.
TOGETHER = 10

#: Model time in ms of the comparison with the reference, and the onset and end of the current step.
DURATION = 100.0
STEP = (10.0, 70.0)

#: Input in the comparison: excitatory and inhibitory spikes per ms; time between changes of the noise current in ms.
SPIKES = (3.0, 0.2)
NOISE_INTERVAL = 1.0

#: Neurons, and model time in ms before the clock starts and while it runs, of a measurement of time.
TIMED_NEURONS, WARM_UP, TIMED = 200, 20.0, 100.0

#: Neurons of a measurement of memory, and the model time after which it is read.
STORED_NEURONS, STORED_DURATION = 1000, 20.0

SEED = 4

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Neuron:
    """A neuron of NESTML's library, and its input.

    Attributes
    ----------
    name : str
        Without the ending ``_neuron``.
    built_in : str
        NEST's equivalent model, or "".
    current : float
        Amplitude in pA of a current step that makes it spike.
    weight : float
        Of spikes, in the model's unit.
    duration : float
        Model time in ms that is compared with the reference.
    settings : mapping of str to float
        Parameters and state that differ from the model's.
    """

    name: str
    built_in: str = ""
    current: float = 600.0
    weight: float = 10.0
    duration: float = DURATION
    settings: Mapping[str, float] = field(default_factory=dict)

    @property
    def source(self) -> Path:
        """The NESTML file."""
        return LIBRARY / f"{self.name}_neuron.nestml"

    def model(self, codegen: Codegen) -> toolchain.Model:
        """Return the model for a code generator."""
        return toolchain.find_model(self.source, codegen)


#: The neurons that NESTML 9.0.0 installs.
NEURONS = (
    Neuron("aeif_cond_alpha", "aeif_cond_alpha", weight=20.0),
    Neuron("aeif_cond_alpha_alt", "aeif_cond_alpha", weight=20.0),
    Neuron("aeif_cond_exp", "aeif_cond_exp", weight=40.0),
    Neuron("aeif_psc_alpha", "aeif_psc_alpha", weight=1500.0),
    Neuron("aeif_psc_exp", "aeif_psc_exp", weight=3500.0),
    # Without the noise of its conductances.
    Neuron("hh_cond_exp_destexhe", settings={"sigma_noise_exc": 0.0, "sigma_noise_inh": 0.0}),
    Neuron("hh_cond_exp_traub", "hh_cond_exp_traub", weight=1.0),
    Neuron("hh_moto_5ht", current=2500.0, weight=1000.0),
    Neuron("hh_psc_alpha", "hh_psc_alpha", weight=1000.0),
    # Not at zero, where its equations divide by this variable.
    Neuron("hill_tononi", "ht_neuron", current=2.0, weight=5.0, settings={"IKNa_D": 0.001}),
    # A shorter time, because it amplifies rounding errors tenfold in 25 ms.
    Neuron("iaf_chxk_2008", "iaf_chxk_2008", current=2500.0, duration=50.0),
    Neuron("iaf_cond_alpha", "iaf_cond_alpha"),
    Neuron("iaf_cond_beta", "iaf_cond_beta", weight=2.0),
    Neuron("iaf_cond_exp", "iaf_cond_exp", weight=20.0),
    Neuron("iaf_cond_exp_sfa_rr", "iaf_cond_exp_sfa_rr", weight=3.0),
    Neuron("iaf_psc_alpha", "iaf_psc_alpha", weight=35.0),
    Neuron("iaf_psc_delta", "iaf_psc_delta", weight=0.8),
    Neuron("iaf_psc_delta_fixed_timestep", "iaf_psc_delta", weight=0.8),
    Neuron("iaf_psc_exp", "iaf_psc_exp", weight=100.0),
    Neuron("iaf_psc_exp_htum", "iaf_psc_exp_htum", weight=100.0),
    Neuron("ignore_and_fire", "ignore_and_fire", settings={"firing_rate": 100.0}),
    Neuron("izhikevich", "izhikevich", current=10.0, weight=2.0),
    Neuron("izhikevich_psc_alpha", weight=2500.0),
    Neuron("mat2_psc_exp", "mat2_psc_exp", weight=200.0),
    Neuron("terub_gpe", current=20.0, weight=0.1),
    Neuron("terub_stn", current=20.0, weight=0.05),
    Neuron("traub_cond_multisyn"),
    Neuron("traub_psc_alpha", weight=400.0),
    Neuron("wb_cond_exp", weight=20.0),
    Neuron("wb_cond_multisyn"),
)


@dataclass(frozen=True)
class Library:
    """The compiled models.

    Attributes
    ----------
    modules : tuple of Module
        For NEST.
    results : mapping of (str, str) to str
        By neuron and code generator, "built" or the reason why there is no model.
    """

    modules: tuple[toolchain.Module, ...]
    results: Mapping[tuple[str, str], str]

    def models(self, neuron: Neuron) -> dict[str, str]:
        """Return the names in NEST of the neuron's models, by build."""
        found = {"nest": neuron.built_in} if neuron.built_in else {}
        return found | {c: neuron.model(c).name for c in CODEGENS if self.results[neuron.name, c] == "built"}

    def reset(self) -> Any:
        """Return NEST after a reset, with all models loaded."""
        nest = reset_kernel(RESOLUTION)
        for module in self.modules:
            nest.Install(str(module.library.with_suffix("")))
        return nest


def build_library(neurons: Sequence[Neuron] = NEURONS, *, progress: Progress) -> Library:
    """Build neurons with both code generators, on all processors that this process may use."""
    starts = enumerate(range(0, len(neurons), TOGETHER))
    groups = [(f"library{number}", neurons[start : start + TOGETHER]) for number, start in starts]
    tasks = [(f"{name}_{codegen}", group, codegen) for name, group in groups for codegen in CODEGENS]
    with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        running = [pool.submit(_build_group, *task, progress=progress) for task in tasks]
        built = [each.result() for each in running]
    results = {key: result for _, found in built for key, result in found.items()}
    return Library(tuple(module for modules, _ in built for module in modules), results)


def _build_group(
    name: str, neurons: Sequence[Neuron], codegen: Codegen, *, progress: Progress
) -> tuple[list[toolchain.Module], dict[tuple[str, str], str]]:
    """Return the modules and results of neurons, built together or, if one fails, each of them alone."""
    models = [neuron.model(codegen) for neuron in neurons]
    try:
        return _build(name, models, progress), {(neuron.name, codegen): "built" for neuron in neurons}
    except toolchain.ToolchainError:
        modules, results = [], {}
        for neuron, model in zip(neurons, models, strict=True):
            try:
                modules += _build(model.name, [model], progress)
                results[neuron.name, str(codegen)] = "built"
            except toolchain.ToolchainError as error:
                results[neuron.name, str(codegen)] = str(error).splitlines()[0]
        return modules, results


def _build(name: str, models: Sequence[toolchain.Model], progress: Progress) -> list[toolchain.Module]:
    def report(stage: str) -> None:
        progress(f"{name}: {stage}")

    if len(models) == 1:  # the module may be in the cache for another use
        return [toolchain.build(models[0], progress=report)]
    return [toolchain.build_together(name, models, progress=report)]


def measure_library(neurons: Sequence[Neuron] = NEURONS, *, rounds: int = 5, progress: Progress) -> pd.DataFrame:
    """Build, compare and measure neurons.

    Parameters
    ----------
    neurons : sequence of Neuron
    rounds : int
        Of the measurement of time.
    progress : callable
        Called with a line of text before each step.

    Returns
    -------
    pandas.DataFrame
        One row for each neuron and build, with the columns

        =================== ===================================================================================
        neuron, build       build is nest (built in), nestml (NESTML's unmodified generator) or optimised
        result              "built", or the reason why there is no model
        STIMULUS_error_mV   largest error of the membrane potential before the first spike that differs from the
                            reference; STIMULUS is step, noise or poisson
        STIMULUS_spikes     of the reference
        STIMULUS_equal      number of spikes at the reference's times before the first one that differs
        ns                  processor time of a neuron's step under Poisson input, median
        ratio_to_nestml     median of the ratios of times in a round
        ratio_to_nest       likewise
        bytes               of a neuron, with two synapses and the tables of the kernel
        =================== ===================================================================================

        and the commit, versions and processor.
    """
    library = build_library(neurons, progress=progress)
    progress("comparing with the reference")
    errors = _compare(library, neurons, progress)
    rows = []
    for neuron in neurons:
        progress(f"measuring {neuron.name}")
        times = _time(library, neuron, rounds)
        for build in library.models(neuron):
            row: dict[str, Any] = {"neuron": neuron.name, "build": build, "result": "built"}
            row |= errors.get((neuron.name, build), {})
            row["ns"] = statistics.median(times[build])
            row |= {f"ratio_to_{other}": _ratio(times, build, other) for other in ("nestml", "nest") if other != build}
            rows.append(row | {"bytes": _memory(library, neuron, build)})
        rows += [
            {"neuron": neuron.name, "build": codegen, "result": library.results[neuron.name, codegen]}
            for codegen in CODEGENS
            if codegen not in library.models(neuron)
        ]
    found = versions()
    return pd.DataFrame(rows).assign(
        nest_version=found["nest-simulator"], nestml_version=found["nestml"], commit=commit(), cpu=cpu_model()
    )


def _ratio(times: Mapping[str, Sequence[float]], build: str, other: str) -> float:
    """Return the median of the ratios of a build's times to those of another one in the same round."""
    pairs = zip(times[build], times.get(other, ()), strict=False)
    ratios = [own / reference for own, reference in pairs]
    return statistics.median(ratios) if ratios else float("nan")


@dataclass(frozen=True)
class _Stimulus:
    """Input of a neuron: changes of a current, or spikes of both signs at each receptor."""

    times: Floats
    amplitudes: Floats
    trains: tuple[Floats, ...]

    def current(self, steps: int) -> Floats:
        """Return the current that acts in each step; it arrives after the delay."""
        starts = np.round((self.times + DELAY) / RESOLUTION).astype(int)
        index = np.searchsorted(starts, np.arange(steps), side="right")
        return np.concatenate([[0.0], self.amplitudes])[index]

    def arrivals(self, train: Floats, steps: int) -> Floats:
        """Return the number of spikes of a train that arrive at the end of each step."""
        arrivals = np.round((train + DELAY) / RESOLUTION).astype(int) - 1
        return np.bincount(arrivals[arrivals < steps], minlength=steps).astype(float)


def _stimuli(neuron: Neuron) -> dict[str, _Stimulus]:
    random = np.random.default_rng(SEED)
    noise_times = np.arange(NOISE_INTERVAL, DURATION, NOISE_INTERVAL)
    noise = neuron.current * random.normal(0.6, 0.8, noise_times.size)
    steps = round(DURATION / RESOLUTION)
    drawn = [np.unique(random.integers(2, steps, round(rate * DURATION))) for rate in SPIKES]
    trains = tuple(np.array(train * RESOLUTION, dtype=np.float64) for train in drawn)
    return {
        "step": _Stimulus(np.array(STEP), neuron.current * np.array([1.0, -0.3]), ()),
        "noise": _Stimulus(noise_times, noise, ()),
        "poisson": _Stimulus(np.empty(0), np.empty(0), trains),
    }


def _compare(
    library: Library, neurons: Sequence[Neuron], progress: Progress
) -> dict[tuple[str, str], dict[str, float | int]]:
    """Return the errors of all models, by neuron and build; there are none for neurons without a reference."""
    nest = library.reset()
    comparisons = []
    for neuron in neurons:
        progress(f"translating {neuron.name}")
        try:
            comparisons.append(_Comparison(nest, library, neuron))
        except AmatError as error:
            progress(f"{neuron.name} has no reference: {error}")
    nest.Simulate(DURATION + 2 * DELAY)
    errors: dict[tuple[str, str], dict[str, float | int]] = {}
    for comparison in comparisons:
        progress(f"integrating {comparison.neuron.name}")
        try:
            errors |= comparison.errors()
        except AmatError as error:
            progress(f"{comparison.neuron.name} has no reference: {error}")
    return errors


class _Comparison:
    """A neuron's models in NEST, one node for each stimulus, and their reference."""

    def __init__(self, nest: Any, library: Library, neuron: Neuron) -> None:
        self.neuron, self.reference = neuron, NestmlReference(neuron.source)
        self.values: dict[str, Any] = {}
        self.recorded: dict[str, tuple[Any, Any, Any]] = {}
        self.stimuli = {
            name: stimulus
            for name, stimulus in _stimuli(neuron).items()
            if self.reference.current_port or not stimulus.times.size
        }
        names = {*self.reference.state, *self.reference.parameters}
        models = library.models(neuron)
        for build in (codegen for codegen in CODEGENS if codegen in models):
            nodes = nest.Create(models[build], len(self.stimuli))
            nodes.set(dict(neuron.settings))
            known = nodes[0].get()
            self.values = self.values or {name: known[name] for name in names & known.keys()}
            # NESTML's code computes some initial values from a potential that is not set.
            nodes.set({name: value for name, value in self.values.items() if name in known})
            for node, stimulus in zip(nodes, self.stimuli.values(), strict=True):
                _connect(nest, node, stimulus, neuron, known.get("receptor_types"))
            meter = None
            if "V_m" in known["recordables"]:
                meter = nest.Create("multimeter", params={"record_from": ["V_m"], "interval": RESOLUTION})
                nest.Connect(meter, nodes)
            self.recorded[build] = (nodes, record_spikes(nest, nodes), meter)

    def errors(self) -> dict[tuple[str, str], dict[str, float | int]]:
        """Return the errors by neuron and build, after the simulation."""
        steps = round(DURATION / RESOLUTION)
        errors: dict[tuple[str, str], dict[str, float | int]] = defaultdict(dict)
        for number, (name, stimulus) in enumerate(self.stimuli.items()):
            exact = _solve(self.reference, self.values, stimulus, self.neuron)
            for build, (nodes, recorder, meter) in self.recorded.items():
                spikes = read_spikes(recorder, nodes, steps)[number]
                error = _error(exact, spikes, _potential(meter, nodes[number].global_id, steps))
                key = (self.neuron.name, build)
                errors[key] |= {f"{name}_{quantity}": value for quantity, value in error.items()}
        return errors


def _connect(nest: Any, node: Any, stimulus: _Stimulus, neuron: Neuron, receptors: Mapping[str, int] | None) -> None:
    """Connect the input of a neuron. With several receptors, all weights are positive."""
    if stimulus.times.size:
        generator = nest.Create("step_current_generator")
        generator.set(amplitude_times=stimulus.times, amplitude_values=stimulus.amplitudes)
        nest.Connect(generator, node, syn_spec={"delay": DELAY})
    for train, sign in zip(stimulus.trains, (1.0, 1.0 if receptors else -1.0), strict=False):
        generator = nest.Create("spike_generator", params={"spike_times": train})
        for receptor in sorted(receptors.values()) if receptors else [0]:
            synapse = {"weight": sign * neuron.weight, "delay": DELAY, "receptor_type": receptor}
            nest.Connect(generator, node, syn_spec=synapse)


def _solve(reference: NestmlReference, values: Mapping[str, Any], stimulus: _Stimulus, neuron: Neuron) -> Run:
    steps = round(neuron.duration / RESOLUTION)
    arrivals = [neuron.weight * stimulus.arrivals(train, steps) for train in stimulus.trains]
    spikes = {}
    for positive, negative in reference.receptors if arrivals else ():
        if len(reference.receptors) > 1:
            spikes[positive] = arrivals[0] + arrivals[1]
        elif positive == negative:
            spikes[positive] = arrivals[0] - arrivals[1]
        else:
            spikes |= {positive: arrivals[0], negative: arrivals[1]}
    current = stimulus.current(steps)
    return reference.run(values, steps, resolution=RESOLUTION, current=current, spikes=spikes)


def _potential(meter: Any, sender: int, steps: int) -> Floats | None:
    if meter is None:
        return None
    events = meter.events
    own = events["senders"] == sender
    potential = np.full(steps, np.nan)
    index = np.round(events["times"][own] / RESOLUTION).astype(int) - 1
    potential[index[index < steps]] = events["V_m"][own][index < steps]
    return potential


def _error(exact: Run, spikes: Any, potential: Floats | None) -> dict[str, float | int]:
    """Return the largest error before the first spike that differs, and the numbers of spikes and of equal ones."""
    steps = exact.membrane_potential.size
    spikes = spikes[spikes <= steps]
    common = min(spikes.size, exact.spike_steps.size)
    different = np.flatnonzero(spikes[:common] != exact.spike_steps[:common])
    equal = int(different[0]) if different.size else common
    rest = [*spikes[equal : equal + 1], *exact.spike_steps[equal : equal + 1]]
    end = int(min(rest)) - 1 if rest else steps
    result: dict[str, float | int] = {"spikes": int(exact.spike_steps.size), "equal": equal}
    if potential is not None:
        result["error_mV"] = float(np.abs(potential[:end] - exact.membrane_potential[:end]).max(initial=0.0))
    return result


def _receptors(nest: Any, model: str) -> list[int]:
    receptors: Mapping[str, int] = nest.GetDefaults(model).get("receptor_types") or {}
    return sorted(receptors.values()) or [0]


def _time(library: Library, neuron: Neuron, rounds: int) -> dict[str, list[float]]:
    """Return the processor time of a neuron's step in ns, for each build and round."""
    models = list(library.models(neuron).items())
    times: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        first = number % len(models)
        for build, model in models[first:] + models[:first]:
            nest = library.reset()
            nodes = nest.Create(model, TIMED_NEURONS)
            case = Case("amat", rate=INPUT_RATE, neurons=TIMED_NEURONS)
            receptors = _receptors(nest, model)
            create_input(nest, nodes, case, WARM_UP + TIMED, SEED, weight=neuron.weight, receptors=receptors)
            nest.Simulate(WARM_UP)
            clock = Clock()
            with clock.phase("simulate"):
                nest.Simulate(TIMED)
            times[build].append(1e9 * clock.cpu["simulate"] / TIMED_NEURONS / (TIMED / RESOLUTION))
    return times


def _memory(library: Library, neuron: Neuron, build: str) -> float:
    """Return the bytes per neuron that creation, two synapses and a simulation take."""
    nest = library.reset()
    model = library.models(neuron)[build]
    receptors = _receptors(nest, model)[:1]
    gc.collect()
    before = allocated_bytes()
    nodes = nest.Create(model, STORED_NEURONS)
    case = Case("amat", rate=INPUT_RATE, neurons=STORED_NEURONS)
    create_input(nest, nodes, case, STORED_DURATION, SEED, sources=(1, 1), weight=neuron.weight, receptors=receptors)
    nest.Simulate(STORED_DURATION)
    gc.collect()
    return (allocated_bytes() - before) / STORED_NEURONS


def format_table(table: pd.DataFrame) -> str:
    """Return the measurements as a Markdown table with one row for each neuron."""
    lines = [
        "| neuron | error of V_m (mV): ours | NESTML's | equal spikes: ours | NESTML's | time: / NESTML's | / NEST's "
        "| memory (kB): ours | NESTML's | NEST's |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, group in table.groupby("neuron", sort=True):
        rows: dict[str, dict[str, Any]] = {
            row["build"]: {str(name): value for name, value in row.items()} for row in group.to_dict("records")
        }
        ours, theirs, built_in = (rows.get(build, {}) for build in ("optimised", "nestml", "nest"))
        cells = [str(name)]
        cells += [_format_error(row) for row in (ours, theirs)]
        cells += [_format_spikes(row) for row in (ours, theirs)]
        cells += [_format(ours.get(f"ratio_to_{other}"), "{:.2f}") for other in ("nestml", "nest")]
        cells += [_format(row.get("bytes"), "{:.1f}", 1e-3) for row in (ours, theirs, built_in)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _format_error(row: Mapping[str, Any]) -> str:
    if row.get("result", "built") != "built":
        return str(row["result"])
    found = [row.get(f"{stimulus}_error_mV") for stimulus in ("step", "noise", "poisson")]
    known = [value for value in found if value is not None and np.isfinite(value)]
    return f"{max(known):.0e}" if known else "–"


def _format_spikes(row: Mapping[str, Any]) -> str:
    totals = [
        [row.get(f"{stimulus}_{quantity}") for stimulus in ("step", "noise", "poisson")]
        for quantity in ("equal", "spikes")
    ]
    equal, spikes = (sum(int(v) for v in values if v is not None and np.isfinite(v)) for values in totals)
    return f"{equal}/{spikes}"


def _format(value: float | None, form: str, factor: float = 1.0) -> str:
    return form.format(factor * value) if value is not None and np.isfinite(value) else "–"
