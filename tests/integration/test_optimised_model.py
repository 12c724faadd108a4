# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Neurons of the optimised code generator in NEST, against NEST's built-in models and the exact solution.

The references are independent of the generator: NEST's built-in models under the same input in the same simulation,
and, for equal time constants, which NEST refuses, `amat.simulation.reference`. The optimised update has several paths:
step by step with input or without, over whole slices between two exchanges of spikes, or with a recorder. Delays, input
and recorders select the path; hence all of these vary here.
"""

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import amat
from amat import toolchain
from amat.neurons import AmatParameters
from amat.simulation.kernel import reset_kernel
from amat.simulation.reference import integrate
from amat.simulation.run import simulate
from amat.simulation.stimuli import PoissonInput, Stimulus, pulses

pytestmark = pytest.mark.slow

MODEL = "amat2_psc_exp_neuron_opt"
NESTS = "amat2_psc_exp"

#: The same equations with all optimisations switched off.
PLAIN = toolchain.ABLATION[0]

MODELS = Path(__file__).parents[1] / "models"
LIBRARY = Path(sys.prefix) / "models" / "neurons"

#: mV; the largest difference by rounding between two ways to compute the same solution.
TOLERANCE = 1e-9


def start(*models, resolution=0.1, threads=1):
    """Return NEST with models loaded; a model is a name or a `Model`."""
    kernel = reset_kernel(resolution)
    kernel.local_num_threads = threads
    for model in models or (MODEL,):
        load(kernel, model)
    return kernel


def load(kernel, model):
    if isinstance(model, str):
        amat.install(model)
    else:
        kernel.Install(str(toolchain.build(model).library.with_suffix("")))


def burst_times(seed, rate, duration, resolution=0.1):
    """Sample spike times (ms) at a rate (1/s) in the first half of every 160 ms, so that input pauses."""
    steps = np.arange(1, round(duration / resolution) - 1)
    drawn = np.random.default_rng(seed).random(len(steps)) < 1e-3 * rate * resolution
    return steps[drawn & (steps * resolution % 160.0 < 80.0)] * resolution


def heterogeneous_neurons(seed=3, count=12):
    """Sample neurons that differ in all parameters; every fourth is far below its threshold.

    Returns
    -------
    list of (AmatParameters, float)
        Parameters, and the membrane potential at the start in mV.
    """
    random = np.random.default_rng(seed)
    neurons = []
    for i in range(count):
        parameters = AmatParameters(
            I_e=float(random.uniform(0.0, 180.0)),
            E_L=float(random.uniform(-75.0, -60.0)),
            omega=60.0 if i % 4 == 0 else float(random.uniform(4.0, 9.0)),
            alpha_1=float(random.uniform(-1.0, 12.0)),
            alpha_2=float(random.uniform(0.0, 2.0)),
            beta=float(random.uniform(-0.4, 0.4)),
            tau_m=float(random.uniform(8.0, 20.0)),
            C_m=float(random.uniform(150.0, 250.0)),
            tau_syn_exc=float(random.uniform(0.5, 2.0)),
            tau_syn_inh=float(random.uniform(2.5, 4.0)),
            tau_v=float(random.uniform(4.5, 7.0)),
            tau_1=float(random.uniform(5.0, 15.0)),
            tau_2=float(random.uniform(100.0, 300.0)),
            refr_T=float(random.integers(2, 60)) / 10,
        )
        neurons.append((parameters, parameters.E_L + float(random.uniform(-5.0, 3.0))))
    return neurons


def named(model, parameters, V_m=None):
    """Return parameters by the names of a model."""
    values = parameters.to_nest() if model == NESTS else parameters.to_nestml()
    return values if V_m is None else {**values, "V_m": V_m}


def drive(nest, neurons, delay, duration, current=200.0, resolution=0.1):
    """Connect devices with each of some groups of neurons: spikes of both signs, a step and an alternating current.

    The last neuron of each group gets no input. Weights are multiples of 1/4 pA: their sums are exact, whatever the
    order in which threads deliver them.
    """
    generators = nest.Create("spike_generator", 4)
    generators.set([{"spike_times": burst_times(i, 150.0, duration, resolution)} for i in range(4)])
    parrots = nest.Create("parrot_neuron", 4)
    nest.Connect(generators, parrots, "one_to_one", {"delay": delay})
    times = [np.ceil(t / delay) * delay + delay for t in (30.0, 90.0, 200.0, 280.0)]
    step = nest.Create(
        "step_current_generator",
        params={
            "amplitude_times": times,
            "amplitude_values": [current, 0.0, -current, 0.5 * current],
            "allow_offgrid_times": True,
        },
    )
    alternating = nest.Create("ac_generator", params={"amplitude": 0.5 * current, "frequency": 20.0, "stop": 250.0})
    for group in neurons:
        for parrot, weight in zip(parrots, (350.25, 200.5, -150.75, -80.25), strict=True):
            nest.Connect(parrot, group[:-1], syn_spec={"weight": weight, "delay": delay})
        nest.Connect(step, group[:-1:3], syn_spec={"delay": delay})
        nest.Connect(alternating, group[1:-1:3], syn_spec={"delay": delay})


def spike_recorder(nest, group, delay):
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(group, recorder, syn_spec={"delay": delay})
    return recorder


def multimeter(nest, group, names, delay):
    interval = nest.resolution
    meter = nest.Create("multimeter", params={"record_from": list(names), "interval": interval})
    nest.Connect(meter, group, syn_spec={"delay": delay})
    return meter


def spikes_of(recorder, group):
    """Return the steps in which each neuron of a group spiked."""
    events = recorder.events
    first = group[0].global_id
    return [sorted(events["times"][events["senders"] - first == i].tolist()) for i in range(len(group))]


def traces_of(meter, group, name):
    """Return the recorded values in the order of neurons and times."""
    events = meter.events
    order = np.lexsort((events["times"], events["senders"]))
    return np.stack([events["senders"][order] - group[0].global_id, events["times"][order], events[name][order]])


def assert_same_traces(ours, theirs, steps):
    """Check that recordings have the same neurons and times, and that values agree within `TOLERANCE`."""
    assert ours.shape[1] >= steps
    np.testing.assert_array_equal(ours[:2], theirs[:2])
    np.testing.assert_allclose(ours[2], theirs[2], rtol=0, atol=TOLERANCE)


def run_amat(model, delay, *, threads=1, meters=False, pieces=(350.0,), resolution=0.1, longest=None):
    """Simulate a generated model and NEST's, compare spikes and traces, and return the spikes.

    With `longest`, there is a connection without weight that has this delay.
    """
    nest = start(model, resolution=resolution, threads=threads)
    name = model if isinstance(model, str) else model.name
    duration = sum(pieces)
    drawn = heterogeneous_neurons()
    groups = []
    for kind in (name, NESTS):
        group = nest.Create(kind, len(drawn))
        group.set([named(kind, p, V_m) for p, V_m in drawn])
        groups.append(group)
    drive(nest, groups, delay, duration, resolution=resolution)
    if longest:
        nest.Connect(groups[1][0], groups[0][0], syn_spec={"weight": 0.0, "delay": longest})
    recorders = [spike_recorder(nest, group, delay) for group in groups]
    recording = [multimeter(nest, group, ["V_m", "V_th"], delay) for group in groups] if meters else []
    for piece in pieces:
        nest.Simulate(piece)
    assert nest.min_delay == pytest.approx(delay)
    ours, theirs = (spikes_of(*pair) for pair in zip(recorders, groups, strict=True))
    assert ours == theirs
    counts = [len(times) for times in ours]
    assert counts.count(0) >= 2
    assert sum(count > 3 for count in counts) >= 4
    for trace in ("V_m", "V_th") if meters else ():
        steps = len(drawn) * round((duration - 2 * delay - 1.0) / resolution)
        assert_same_traces(
            *(traces_of(meter, group, trace) for meter, group in zip(recording, groups, strict=True)), steps
        )
    # The state at the end, with and without recorders.
    np.testing.assert_allclose(groups[0].V_m, groups[1].V_m, rtol=0, atol=TOLERANCE)
    np.testing.assert_allclose(groups[0].V_th, groups[1].V_th, rtol=0, atol=TOLERANCE)
    return ours


DELAYS = [0.1, 0.3, 0.5, 1.5, 20.0]


@pytest.mark.parametrize("delay", DELAYS)
def test_amat_is_nests_with_any_delay_recorder_and_number_of_threads(delay):
    """Spikes, V_m and V_th of different neurons against amat2_psc_exp, in slices of 1, 3, 5, 15 and 200 steps."""
    reference = run_amat(MODEL, delay, meters=True)
    for threads in (1, 2, 4):
        assert run_amat(MODEL, delay, threads=threads) == reference
    assert run_amat(MODEL, delay, threads=2, meters=True) == reference


@pytest.mark.parametrize("delay", [0.1, 1.5])
def test_amat_is_nests_with_long_delays(delay):
    """A delay of 2 s takes 0.3 MB of buffers per neuron, so that those of all neurons exceed the second-level cache."""
    reference = run_amat(MODEL, delay)
    for threads in (1, 2):
        assert run_amat(MODEL, delay, threads=threads, longest=2000.0, meters=True) == reference
        assert run_amat(MODEL, delay, threads=threads, longest=2000.0, pieces=PIECES) == reference


#: 350 ms in total, in whole steps, but rarely in whole slices.
PIECES = (0.7, 0.1, 33.3, *[0.7] * 100, 0.4, 150.5, 2.9, 92.1)


@pytest.mark.parametrize("delay", DELAYS)
@pytest.mark.parametrize("meters", [False, True], ids=["spikes", "traces"])
def test_partial_slices(delay, meters):
    """A simulation in pieces equals NEST's, and the simulation in one piece."""
    pieces = run_amat(MODEL, delay, meters=meters, pieces=PIECES, threads=2)
    assert pieces == run_amat(MODEL, delay, pieces=(sum(PIECES),))


@pytest.mark.parametrize("delay", [0.1, 1.5])
def test_amat_without_optimisations_is_nests(delay):
    """All options off: the same spikes as amat2_psc_exp and as with all options on."""
    assert run_amat(PLAIN, delay, meters=True) == run_amat(MODEL, delay)
    assert run_amat(PLAIN, delay, threads=2) == run_amat(MODEL, delay)


def test_resolution_may_change_between_resets():
    """Propagators, slices and refractory steps are those of the current resolution, against amat2_psc_exp."""
    spikes = {}
    for resolution in (0.1, 0.25, 0.05, 0.1):
        again = run_amat(MODEL, 1.5, meters=True, resolution=resolution)
        assert spikes.setdefault(resolution, again) == again
    assert spikes[0.1] != spikes[0.25]


# ------------------------------------------------------------------------------------------------------------------
# Equal time constants

EQUAL = {
    "tau_m = tau_v": {"tau_m": 5.0, "tau_v": 5.0},
    "tau_m = tau_syn_exc": {"tau_syn_exc": 10.0},
    "tau_m = tau_syn_inh": {"tau_syn_inh": 10.0},
    "tau_v = tau_syn_exc": {"tau_syn_exc": 5.0},
    "tau_syn_exc = tau_syn_inh": {"tau_syn_exc": 3.0},
    "tau_m = tau_1": {"tau_1": 10.0, "tau_m": 10.0},
    "all": dict.fromkeys(("tau_m", "tau_v", "tau_syn_exc", "tau_syn_inh", "tau_1", "tau_2"), 5.0),
    "nearly equal": {"tau_v": 10.0 * (1 + 1e-9), "tau_syn_exc": 10.0 * (1 - 1e-13)},
}


def test_equal_time_constants_are_exact():
    """NEST refuses these; the reference is the exact solution by matrix exponentials in long double."""
    drives = [
        (150.0, PoissonInput(6000.0, 1000.0, 20.0, -20.0), 7.0),
        (0.0, PoissonInput(0.0, 0.0, 0.0, 0.0), 7.0),  # I_e alone
        (150.0, PoissonInput(100.0, 50.0, 20.0, -20.0), 80.0),  # quiet
    ]
    neurons, stimuli = [], []
    for values in EQUAL.values():
        for current, poisson, omega in drives:
            neurons.append(AmatParameters(beta=0.3, alpha_2=0.5, omega=omega, I_e=130.0).replace(**values))
            stimuli.append(Stimulus(pulses(500.0, 0.1, [10.0], [390.0], [current]), poisson))
    values = {MODEL: [p.to_nestml() for p in neurons]}
    result = simulate(values, stimuli, 0.1, record={MODEL: ["V_m", "V_th"]})
    exact = integrate(neurons, result.current, result.excitatory, result.inhibitory, 0.1)
    for name in ("V_m", "V_th"):
        difference = np.abs(result.recordings[MODEL].traces[name] - getattr(exact, name))
        assert difference.max() < TOLERANCE
    unrecorded = simulate(values, stimuli, 0.1)
    for run in (result, unrecorded):
        for i, steps in enumerate(run.recordings[MODEL].spike_steps):
            np.testing.assert_array_equal(steps, exact.spike_steps[i])
    counts = [len(steps) for steps in exact.spike_steps]
    assert min(counts[0::3]) > 5
    assert max(counts[2::3]) == 0


def test_nest_refuses_equal_time_constants():
    """The reason why the reference for equal time constants is not NEST."""
    nest = start()
    with pytest.raises(nest.NESTError, match="tau"):
        nest.Create(NESTS, params={"tau_m": 5.0, "tau_v": 5.0})
    nest.Create(MODEL, params={"tau_m": 5.0, "tau_v": 5.0})


# ------------------------------------------------------------------------------------------------------------------
# Parameters and state in NEST


class Pair:
    """Three generated neurons and three of NEST's under the same input: driven, quiet, and without input."""

    def __init__(self, nest, kinds=(MODEL, NESTS), delay=1.5, create=True):
        self.nest, self.kinds, self.delay = nest, kinds, delay
        if create:
            values = [AmatParameters(I_e=110.0, alpha_2=0.5, beta=0.2).replace(omega=o) for o in (5.0, 60.0, 5.0)]
            self.groups = [nest.Create(kind, 3) for kind in kinds]
            for kind, group in zip(kinds, self.groups, strict=True):
                group.set([named(NESTS if kind == kinds[1] else kind, p) for p in values])
        else:
            self.groups = [nest.Create(kind, 3) for kind in kinds]
        drive(nest, self.groups, delay, 400.0)
        self.recorders = [spike_recorder(nest, group, delay) for group in self.groups]
        self.meters = []

    def set(self, **values):
        for group in self.groups:
            group.set(values)

    def meter(self):
        self.meters = [multimeter(self.nest, group, ["V_m", "V_th"], self.delay) for group in self.groups]

    def run(self, duration):
        """Simulate, and compare spikes and state."""
        self.nest.Simulate(duration)
        ours, theirs = (spikes_of(*pair) for pair in zip(self.recorders, self.groups, strict=True))
        assert ours == theirs
        np.testing.assert_allclose(self.groups[0].V_m, self.groups[1].V_m, rtol=0, atol=TOLERANCE)
        np.testing.assert_allclose(self.groups[0].V_th, self.groups[1].V_th, rtol=0, atol=TOLERANCE)
        return sum(map(len, ours))


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize(
    "changes",
    [
        {"I_e": 170.0},
        {"V_m": -66.5},
        {"tau_m": 16.0},
        {"C_m": 150.0},
        {"tau_v": 7.0},
        {"beta": -0.3},
        {"alpha_1": 3.0, "alpha_2": 0.1},
        {"tau_1": 30.0, "tau_2": 90.0},
        {"E_L": -66.0},
    ],
    ids=str,
)
def test_parameters_set_between_simulations(changes, threads):
    """The reference is amat2_psc_exp. A new E_L keeps V_m and shifts the threshold, which is absolute there."""
    nest = start(threads=threads)
    pair = Pair(nest)
    before = pair.run(100.3)
    state = np.array(pair.groups[0].V_m)
    if "E_L" in changes:
        shift = changes["E_L"] - pair.groups[0].E_L[0]
        pair.groups[1].omega = np.array(pair.groups[1].omega) + shift
        pair.groups[0].set(**changes)
        omega = pair.groups[1].omega
        pair.groups[1].set(**changes)
        pair.groups[1].omega = omega
    else:
        pair.set(**changes)
    if "V_m" not in changes:
        np.testing.assert_allclose(pair.groups[0].V_m, state, rtol=0, atol=1e-12)
    for name, value in changes.items():
        assert pair.groups[0].get(name) == pytest.approx([value] * 3, abs=1e-12)
    assert pair.run(0.7) >= before
    assert pair.run(150.0) > before > 0


def test_one_of_several_equal_neurons_changes():
    """Equal neurons share propagators; a neuron whose parameters change does not affect the others."""
    nest = start()
    groups = [nest.Create(kind, 3, params=named(kind, AmatParameters(I_e=170.0, beta=0.2))) for kind in (MODEL, NESTS)]
    recorders = [spike_recorder(nest, group, 1.0) for group in groups]
    nest.Simulate(50.0)
    for group in groups:
        group[1].set(tau_m=15.0, tau_1=20.0)
    nest.Simulate(50.0)
    for group in groups:
        group[1].set(tau_m=10.0, tau_1=10.0)
        group[2].set(C_m=150.0)
    nest.Simulate(100.0)
    ours, theirs = (spikes_of(*pair) for pair in zip(recorders, groups, strict=True))
    assert ours == theirs
    assert len({tuple(times) for times in ours}) == 3


DEFAULTS = AmatParameters(tau_m=14.0, E_L=-62.0, omega=4.0, I_e=150.0, alpha_1=2.0, beta=0.1, tau_syn_exc=1.5)


def test_defaults():
    """Neurons created after SetDefaults behave like NEST's, and a reset restores the defaults."""
    nest = start()
    original = nest.GetDefaults(MODEL)
    for kind in (MODEL, NESTS):
        nest.SetDefaults(kind, named(kind, DEFAULTS, -64.0))
    assert nest.GetDefaults(MODEL, ["tau_m", "E_L", "V_m"]) == [14.0, -62.0, -64.0]
    pair = Pair(nest, create=False)
    assert pair.run(200.0) > 3
    nest.ResetKernel()
    assert MODEL not in nest.node_models
    nest = start()
    assert nest.GetDefaults(MODEL) == original
    assert Pair(nest).run(200.0) > 3


def test_copied_models():
    """CopyModel with other parameters: copies behave like NEST's, originals keep their parameters."""
    nest = start()
    for kind in (MODEL, NESTS):
        nest.CopyModel(kind, f"{kind}_copy", named(kind, DEFAULTS, -64.0))
    assert nest.GetDefaults(MODEL, ["tau_m", "E_L"]) == [10.0, -70.0]
    assert nest.GetDefaults(f"{MODEL}_copy", ["tau_m", "E_L"]) == [14.0, -62.0]
    copies = Pair(nest, (f"{MODEL}_copy", f"{NESTS}_copy"), create=False)
    originals = Pair(nest)
    assert copies.run(200.0) > 3
    assert originals.run(0.1) > 3


@pytest.mark.parametrize("threads", [1, 2])
def test_multimeter_connected_after_a_simulation(threads):
    """The traces from then on are those of amat2_psc_exp."""
    nest = start(threads=threads)
    pair = Pair(nest)
    pair.run(100.3)
    pair.meter()
    pair.run(150.2)
    for name in ("V_m", "V_th"):
        ours, theirs = (traces_of(m, g, name) for m, g in zip(pair.meters, pair.groups, strict=True))
        assert ours[1].min() > 100.0
        assert_same_traces(ours, theirs, 3 * 1400)


def test_reported_values():
    """A neuron reports its parameters and state, but no variables of the generator."""
    nest = start()
    neuron = nest.Create(MODEL)
    values = neuron.get()
    assert {"V_m", "V_th", *AmatParameters().to_nestml()} <= set(values)
    assert values["V_th"] == -65.0
    hidden = re.compile(r"^__|__X__|I_drive_per|^unit_psc$|^refr_steps$")
    for names in (values, nest.GetDefaults(MODEL), neuron.recordables):
        assert [name for name in names if hidden.search(name)] == []


BAD = [
    (name, value) for name in ("tau_m", "C_m", "tau_syn_exc", "tau_syn_inh", "tau_1", "tau_2", "tau_v")
    for value in (0.0, -1.0)
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), [*BAD, ("refr_T", 0.0)])
def test_a_bad_value_is_refused_by_name_and_changes_nothing(name, value):
    """All values stay, and the simulation continues as that of NEST's neurons, for which no value was set."""
    nest = start()
    pair = Pair(nest)
    pair.run(50.3)
    neuron = pair.groups[0][0]
    before = neuron.get()
    with pytest.raises(nest.NESTError, match=rf"\b{name}\b"):
        neuron.set({"alpha_1": 3.0, "V_m": -60.0, "I_e": 400.0, name: value})
    assert neuron.get() == before
    with pytest.raises(nest.NESTError, match=rf"\b{name}\b"):
        nest.SetDefaults(MODEL, {name: value})
    assert nest.GetDefaults(MODEL, name) == AmatParameters().to_nestml()[name]
    assert pair.run(100.0) > 3


def test_random_parameters_with_threads():
    """nest.random gives each neuron a different current on each thread; NEST's neurons with the same values agree."""
    nest = start(threads=2)
    ours = nest.Create(
        MODEL, 10, params={"I_e": nest.random.uniform(100.0, 250.0), "tau_m": nest.random.uniform(9, 15)}
    )
    currents, taus = ours.I_e, ours.tau_m
    assert len(set(currents)) == len(set(taus)) == 10
    theirs = nest.Create(NESTS, 10)
    theirs.set([{"I_e": current, "tau_m": tau} for current, tau in zip(currents, taus, strict=True)])
    recorders = [spike_recorder(nest, group, 1.0) for group in (ours, theirs)]
    nest.Simulate(200.0)
    spikes = [spikes_of(*pair) for pair in zip(recorders, (ours, theirs), strict=True)]
    assert spikes[0] == spikes[1]
    assert len({len(times) for times in spikes[0]}) > 2


# ------------------------------------------------------------------------------------------------------------------
# NESTML's library

NEST_NAMES = {"tau_syn_exc": "tau_syn_ex", "tau_syn_inh": "tau_syn_in", "refr_T": "t_ref"}


def library_neurons(**fixed):
    """Sample neurons with the names of NESTML's library; the first and the last are far below their threshold."""
    random = np.random.default_rng(6)
    neurons = []
    for _ in range(8):
        values = {
            "C_m": 200.0,
            "tau_m": float(random.uniform(9.0, 18.0)),
            "tau_syn_exc": float(random.uniform(0.5, 2.0)),
            "tau_syn_inh": float(random.uniform(2.5, 4.0)),
            "E_L": float(random.uniform(-72.0, -68.0)),
            "I_e": float(random.uniform(50.0, 250.0)),
            "V_m": float(random.uniform(-75.0, -66.0)),
        }
        neurons.append(values | fixed)
    for quiet in (neurons[0], neurons[-1]):
        quiet["I_e"] = -300.0
    return neurons


def compare(nest, kinds, values, names, delay, meters, pieces=(0.7, 99.3, 0.1, 249.9)):
    """Simulate two kinds of neurons under the same input, and compare spikes and states by their names in each."""
    groups = [nest.Create(kind, len(values[0])) for kind in kinds]
    for group, one_each in zip(groups, values, strict=True):
        group.set(one_each)
    drive(nest, groups, delay, sum(pieces))
    recorders = [spike_recorder(nest, group, delay) for group in groups]
    recording = [multimeter(nest, group, names, delay) for group in groups] if meters else []
    for piece in pieces:
        nest.Simulate(piece)
    ours, theirs = (spikes_of(*pair) for pair in zip(recorders, groups, strict=True))
    assert ours == theirs
    counts = [len(times) for times in ours]
    assert 0 in counts
    assert sum(count > 3 for count in counts) >= 3
    for name in names:
        if meters:
            traces = (traces_of(meter, group, name) for meter, group in zip(recording, groups, strict=True))
            assert_same_traces(*traces, len(values[0]) * round((sum(pieces) - 2 * delay - 1.0) / 0.1))
        np.testing.assert_allclose(groups[0].get(name), groups[1].get(name), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("delay", [0.1, 1.5])
@pytest.mark.parametrize("meters", [False, True], ids=["spikes", "traces"])
@pytest.mark.parametrize("equal", [False, True], ids=["different", "equal"])
@pytest.mark.parametrize("name", ["iaf_psc_exp", "iaf_psc_alpha"])
def test_integrate_and_fire_neurons_of_the_library_are_nests(name, equal, meters, delay):
    """Spikes and V_m of iaf_psc_exp_neuron and iaf_psc_alpha_neuron against NEST's models, V_reset and V_th set.

    Inhibitory weights are negative in both. This includes tau_m = tau_syn_exc = tau_syn_inh, which these models of
    NEST accept.
    """
    model = f"{name}_neuron_opt"
    nest = start(model, threads=2)
    fixed = {"V_reset": -72.0, "V_th": -58.0, "refr_T": 2.0}
    ours = library_neurons(**fixed, **(dict.fromkeys(("tau_m", "tau_syn_exc", "tau_syn_inh"), 5.0) if equal else {}))
    theirs = [{NEST_NAMES.get(key, key): value for key, value in values.items()} for values in ours]
    compare(nest, (model, name), (ours, theirs), ["V_m"], delay, meters)


@pytest.mark.parametrize("delay", [0.1, 1.5])
@pytest.mark.parametrize("meters", [False, True], ids=["spikes", "traces"])
def test_mat_neuron_of_the_library_equals_that_of_the_checked_generator(meters, delay):
    """Spikes, V_m and thresholds of mat2_psc_exp_neuron against the same model by the checked code generator.

    The library's model halts V_m and the threshold during the refractory period, so that NEST's mat2_psc_exp is a
    different model. NESTML's templates count the refractory time down in ms, by a timer that rounds and may be one step
    late; it is not for 2 ms in steps of 0.1 ms.
    """
    kinds = ("mat2_psc_exp_neuron_opt", "mat2_psc_exp_neuron_nestml")
    nest = start(*kinds, threads=2)
    values = library_neurons(refr_T=2.0, omega=8.0, alpha_1=5.0, alpha_2=0.5)
    compare(nest, kinds, (values, values), ["V_m", "V_th_alpha_1", "V_th_alpha_2"], delay, meters)


# ------------------------------------------------------------------------------------------------------------------
# Models written without regard to the generator, and models that it does not support


@pytest.mark.parametrize("delay", [0.1, 1.5])
def test_amat_as_in_the_paper_is_nests(delay):
    """An inhomogeneous system, which ODE-toolbox does not solve analytically, against amat2_psc_exp."""
    model = toolchain.find_model(str(MODELS / "amat2_naive_neuron.nestml"), "optimised")
    assert run_amat(model, delay, meters=True) == run_amat(MODEL, delay)
    assert run_amat(model, delay, threads=2, pieces=(0.7, 100.0, 249.3)) == run_amat(MODEL, delay)


@pytest.mark.parametrize("delay", [0.1, 1.5])
def test_a_drive_that_a_step_changes_changes_in_every_step(delay):
    """Without a recorder slices could be skipped; the checked generator skips none."""
    source = str(MODELS / "decaying_drive_neuron.nestml")
    models = [toolchain.find_model(source, codegen) for codegen in ("optimised", "nestml-checked")]
    nest = start(*models)
    ours, recorded, theirs = (nest.Create(model.name) for model in (models[0], *models))
    nest.Connect(nest.Create("multimeter", params={"record_from": ["V_m"]}), recorded, syn_spec={"delay": delay})
    for neuron in (ours, recorded, theirs):
        nest.Connect(neuron, nest.Create("spike_recorder"), syn_spec={"delay": delay})
    nest.Simulate(6.0)
    for name in ("V_m", "w", "u"):
        assert ours.get(name) == recorded.get(name) == pytest.approx(theirs.get(name), rel=1e-12)
    assert ours.u == pytest.approx(0.9**60, rel=1e-12)


def test_a_model_without_equations_shares_values_that_depend_on_the_time_step():
    """Izhikevich's published scheme, written with statements, against the checked generator's."""
    source = str(MODELS.parents[1] / "models" / "izhikevich_2004_neuron.nestml")
    ours, theirs = toolchain.find_model(source, "optimised"), toolchain.find_model(source)
    nest = start(ours, theirs, resolution=0.25)
    neurons = [nest.Create(model.name, 3, {"I_e": [6.0, 10.0, 14.0]}) for model in (ours, theirs)]
    recorders = [spike_recorder(nest, group, 1.0) for group in neurons]
    nest.Simulate(500.0)
    spikes = [spikes_of(*pair) for pair in zip(recorders, neurons, strict=True)]
    assert spikes[0] == spikes[1]
    assert all(len(times) > 3 for times in spikes[0])


VECTOR = MODELS / "vector_neuron.nestml"


def test_the_remedy_for_an_unsupported_model_builds_it_as_printed(tmp_path):
    """The message names the model, the reason, a command of the shell and a call in Python."""
    source = tmp_path / "my neuron.nestml"
    source.write_text(VECTOR.read_text())
    with pytest.raises(toolchain.UnsupportedError, match=r"vector_neuron_opt: it has vectors") as refused:
        toolchain.build(toolchain.find_model(str(source), "optimised"))
    lines = [line.strip() for line in str(refused.value).splitlines()]
    (command,) = [line for line in lines if line.startswith("amat build ")]
    (call,) = [line for line in lines if line.startswith("amat.install(")]
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    built = subprocess.run(command, shell=True, check=True, capture_output=True, text=True, env=environment)
    assert "vector_neuron_nestml" in built.stdout
    script = f"import amat, nest\n{call}\nprint(nest.Create('vector_neuron_nestml').get('V_m'))"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)


def test_the_fallback_is_the_module_that_python_installs(run_amat):
    finished = run_amat("build", VECTOR, "--codegen", "optimised", "--fallback")
    assert finished.returncode == 0, finished.stderr
    assert "falling back to nestml-checked" in finished.stderr
    module = toolchain.build(str(VECTOR))
    assert module.cached
    assert module.key[:16] in finished.stdout


def test_installing_a_model_with_other_options_requires_a_reset_of_the_kernel():
    reset_kernel(0.1)
    source = str(MODELS / "leak_neuron.nestml")
    amat.install(source, codegen="optimised")
    with pytest.raises(toolchain.ToolchainError, match="options have changed"):
        amat.install(source, codegen="optimised", options={"buffers": "nest"})


@pytest.mark.parametrize(
    ("option", "value", "allowed"),
    [
        ("buffers", "huge", ["on_demand", "nest"]),
        ("archiving", "sometimes", ["lazy", "eager", "none"]),
        ("numeric_solver", "euler", ["rk45", "Heun"]),
        ("slice_skipping", "yes", [True, False]),
    ],
)
def test_a_bad_option_is_refused_with_what_is_allowed(option, value, allowed):
    model = dataclasses.replace(
        toolchain.find_model(str(MODELS / "leak_neuron.nestml"), "optimised"), options={option: value}
    )
    with pytest.raises(toolchain.ToolchainError) as refused:
        toolchain.build(model)
    message = str(refused.value)
    for word in (option, value, *map(repr, allowed)):
        assert word in message
    assert "Traceback" not in message
