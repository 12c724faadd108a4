# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Archiving of spikes in generated neurons against NEST's, to the last bit.

The base class of generated neurons creates NEST's archive of spikes on first use. These tests use the archive at every
possible time and in every possible way, and compare it with that of NEST's built-in `amat2_psc_exp`, which exists from
the beginning. Both neurons get the same input and emit the same spikes, so that their archives must be the same.
"""

import subprocess
from pathlib import Path

import nestml_optimised
import numpy as np
import pytest
from nestml_optimised.nest_installation import compiler, find_nest

import amat
from amat.neurons import AmatParameters
from amat.simulation.kernel import reset_kernel

pytestmark = pytest.mark.slow

#: The generated neuron, and NEST's neuron for comparison.
MODEL = "amat2_psc_exp_neuron_opt"
NESTS = "amat2_psc_exp"

INCLUDE = Path(nestml_optimised.__file__).parent / "include"

#: All that NEST reports about archiving.
ARCHIVED = [
    "t_spike",
    "archiver_length",
    "post_trace",
    "tau_minus",
    "tau_minus_triplet",
    "Ca",
    "tau_Ca",
    "beta_Ca",
    "synaptic_elements",
    "ignore_and_spike",
    "ignore_and_spike_offset",
    "ignore_and_spike_interval",
]

#: One neuron that is driven by spikes only, two that fire regularly, one that never fires.
CURRENTS = (0.0, 130.0, 250.0, -1000.0)

RESOLUTION = 0.1


@pytest.fixture(params=[1, 2], ids=["one thread", "two threads"])
def threads(request):
    return request.param


@pytest.fixture
def nest(threads):
    return start(threads)


def start(threads=1):
    kernel = reset_kernel(RESOLUTION)
    kernel.set(local_num_threads=threads, min_delay=1.0, max_delay=2.5)
    amat.install(MODEL)
    return kernel


def spike_times(seed, rate, duration=1000.0):
    """Sample spike times (ms) at a rate (1/s)."""
    steps = np.random.default_rng(seed).random(round(duration / RESOLUTION) - 10) < 1e-3 * rate * RESOLUTION
    return (np.flatnonzero(steps) + 1) * RESOLUTION


class Group:
    """Neurons of one model, their input, and plastic synapses onto them."""

    def __init__(self, nest, model, kind=None, **settings):
        """Create neurons of a kind, by default that of the model, with settings of archiving."""
        self.nest = nest
        values = [AmatParameters(I_e=current, alpha_2=0.5, beta=0.1) for current in CURRENTS]
        by_name = [v.to_nest() if model == NESTS else v.to_nestml() for v in values]
        self.neurons = nest.Create(kind or model, len(CURRENTS), params=[{**v, **settings} for v in by_name])
        drivers = nest.Create("spike_generator", len(CURRENTS))
        drivers.set([{"spike_times": spike_times(i, 40.0)} for i in range(len(CURRENTS))])
        nest.Connect(drivers, self.neurons, "one_to_one", {"weight": 2000.0, "delay": 1.0})
        generators = nest.Create("spike_generator", 3)
        generators.set([{"spike_times": spike_times(10 + i, 60.0)} for i in range(3)])
        self.sources = nest.Create("parrot_neuron", 3)
        nest.Connect(generators, self.sources, "one_to_one")

    def connect(self, synapse, delay=1.0):
        """Connect each source with each neuron by plastic synapses."""
        self.nest.Connect(self.sources, self.neurons, syn_spec={"synapse_model": synapse, "delay": delay})

    def weights(self):
        """Return the weights of the plastic synapses, in the order of sources and targets."""
        synapses = self.nest.GetConnections(self.sources, self.neurons)
        if not len(synapses):
            return []
        values = zip(synapses.source, synapses.target, synapses.delay, synapses.weight, strict=True)
        first_source, first_neuron = self.sources[0].global_id, self.neurons[0].global_id
        return sorted((s - first_source, t - first_neuron, d, w) for s, t, d, w in values)

    def state(self):
        """Return the archives and the weights."""
        return [neuron.get(ARCHIVED) for neuron in self.neurons] + self.weights()


def assert_same(groups):
    ours, theirs = (group.state() for group in groups)
    assert ours == theirs


def run(nest, groups, pieces=(150.0, 0.1, 49.9, 200.0)):
    """Simulate in pieces (ms), and compare after each."""
    for piece in pieces:
        nest.Simulate(piece)
        assert_same(groups)


def both(nest, **settings):
    return [Group(nest, model, **settings) for model in (MODEL, NESTS)]


def test_nothing_used(nest):
    groups = both(nest)
    assert_same(groups)
    run(nest, groups)
    spiked = [neuron.t_spike > 350.0 for neuron in groups[0].neurons]
    assert spiked == [True, True, True, False]
    assert [neuron.Ca > 0 for neuron in groups[0].neurons] == spiked


@pytest.mark.parametrize(
    "synapse",
    [
        "stdp_synapse",
        "stdp_synapse_hom",
        "stdp_triplet_synapse",
        "stdp_nn_symm_synapse",
        "stdp_nn_restr_synapse",
        "stdp_nn_pre_centered_synapse",
        "stdp_pl_synapse_hom",
        "jonke_synapse",
        "vogels_sprekeler_synapse",
    ],
)
@pytest.mark.parametrize("when", ["before", "after", "both"])
def test_plastic_synapses(nest, synapse, when):
    """Connected before the first spike, after many spikes, and again with another delay."""
    groups = both(nest)
    if when != "after":
        for group in groups:
            group.connect(synapse)
    run(nest, groups)
    if when != "before":
        for group in groups:
            group.connect(synapse, delay=2.5)
    initial = [weight for *_, weight in groups[0].weights()]
    run(nest, groups)
    final = [weight for *_, weight in groups[0].weights()]
    assert sum(w != v for w, v in zip(initial, final, strict=True)) >= len(initial) // 2


def test_dopamine_synapses(nest):
    """A synapse that reads the history at times other than those of its spikes."""
    groups = both(nest)
    modulator = nest.Create("volume_transmitter")
    generator = nest.Create("spike_generator", params={"spike_times": spike_times(30, 50.0)})
    dopamine = nest.Create("parrot_neuron")
    nest.Connect(generator, dopamine)
    nest.Connect(dopamine, modulator)
    nest.SetDefaults("stdp_dopamine_synapse", {"volume_transmitter": modulator})
    run(nest, groups)
    for group in groups:
        group.connect("stdp_dopamine_synapse")
    run(nest, groups)
    assert any(weight != 1.0 for *_, weight in groups[0].weights())


TAU = {"tau_minus": 33.0, "tau_minus_triplet": 70.0}


@pytest.mark.parametrize("how", ["defaults", "copied model", "creation", "neuron", "neuron after spikes"])
@pytest.mark.parametrize("synapse", ["stdp_synapse", "stdp_triplet_synapse"])
def test_time_constants_of_the_traces(nest, synapse, how):
    settings, kinds = {}, {model: model for model in (MODEL, NESTS)}
    if how == "defaults":
        for model in kinds:
            nest.SetDefaults(model, TAU)
            assert nest.GetDefaults(model, "tau_minus") == TAU["tau_minus"]
    elif how == "copied model":
        for model in kinds:
            kinds[model] = f"{model}_slow"
            nest.CopyModel(model, kinds[model], TAU)
            assert nest.GetDefaults(model, "tau_minus") == 20.0
    elif how == "creation":
        settings = TAU
    groups = [Group(nest, model, kind, **settings) for model, kind in kinds.items()]
    if how == "neuron after spikes":
        run(nest, groups)
    if how.startswith("neuron"):
        for group in groups:
            group.neurons.set(TAU)
    for group in groups:
        group.connect(synapse)
    run(nest, groups)
    assert set(groups[0].neurons.tau_minus) == {TAU["tau_minus"]}


@pytest.mark.parametrize("when", ["defaults", "creation", "after spikes", "while synapses are plastic"])
@pytest.mark.parametrize(
    "settings",
    [
        {"Ca": 0.5},
        {"beta_Ca": 0.1},
        {"tau_Ca": 50.0},
        {"Ca": 0.3, "beta_Ca": 0.02, "tau_Ca": 200.0},
        {"clear": True},
        {"clear": True, "Ca": 0.3},
    ],
    ids=str,
)
def test_calcium(nest, settings, when):
    if when == "defaults":
        for model in (MODEL, NESTS):
            nest.SetDefaults(model, settings)
    groups = both(nest, **(settings if when == "creation" else {}))
    if when == "while synapses are plastic":
        for group in groups:
            group.connect("stdp_synapse")
    assert_same(groups)
    run(nest, groups)
    if when in ("after spikes", "while synapses are plastic"):
        for group in groups:
            group.neurons.set(settings)
        assert_same(groups)
        run(nest, groups)
    assert any(neuron.Ca > 0.001 for neuron in groups[0].neurons)


def test_several_uses_of_the_archive_one_after_another(nest):
    """Calcium, then plasticity, then its time constants, each after spikes."""
    groups = both(nest)
    run(nest, groups)
    for use in (
        lambda group: group.neurons.set(beta_Ca=0.05),
        lambda group: group.connect("stdp_triplet_synapse"),
        lambda group: group.neurons.set(TAU),
        lambda group: group.neurons.set(tau_Ca=300.0),
    ):
        for group in groups:
            use(group)
        assert_same(groups)
        run(nest, groups, pieces=(70.0, 80.0))


#: Growth curves whose set point (eps) is a concentration in the neurons' range.
GROWTH_CURVES = {
    "linear": {"growth_curve": "linear", "eps": 0.3},
    "gaussian": {"growth_curve": "gaussian", "eta": 0.05, "eps": 0.3},
    "sigmoid": {"growth_curve": "sigmoid", "eps": 0.3, "psi": 0.1},
}


def grow(model, curve, *, elements_on=4, plastic=False):
    """Let connections grow in a network of one model; return archives and connections after each piece."""
    nest = start()  # NEST has structural plasticity for one thread only
    nest.CopyModel("stdp_synapse" if plastic else "static_synapse", "growing_synapse", {"weight": 5.0, "delay": 1.0})
    nest.structural_plasticity_update_interval = 20.0
    nest.structural_plasticity_synapses = {
        "grown": {
            "synapse_model": "growing_synapse",
            "pre_synaptic_element": "Axon",
            "post_synaptic_element": "Dendrite",
            "allow_autapses": False,
            "allow_multapses": True,
        }
    }
    group = Group(nest, model)
    element = {"growth_rate": 0.05, "continuous": False, "z": 1.0, **GROWTH_CURVES[curve]}
    grown = group.neurons[:elements_on]
    elements = {"Axon": element, "Dendrite": {**element, "tau_vacant": 0.3}}
    grown.set(beta_Ca=0.02, tau_Ca=500.0, synaptic_elements=elements)
    nest.EnableStructuralPlasticity()
    history = []
    for piece in (90.0, 110.0, 0.1, 199.9):
        nest.Simulate(piece)
        made = nest.GetConnections(synapse_model="growing_synapse")
        pairs = list(zip(made.source, made.target, made.weight, strict=True)) if len(made) else []
        history.append((group.state(), sorted(pairs)))
    nest.DisableStructuralPlasticity()
    grown.set(synaptic_elements_param={"Axon": {"growth_rate": 0.0}})
    nest.Simulate(50.0)
    history.append(group.state())
    return history


@pytest.mark.parametrize("curve", GROWTH_CURVES)
@pytest.mark.parametrize("plastic", [False, True], ids=["static", "stdp"])
def test_structural_plasticity(curve, plastic):
    ours, theirs = (grow(model, curve, plastic=plastic) for model in (MODEL, NESTS))
    assert ours == theirs
    states, connections = zip(*ours[:-1], strict=True)
    assert connections[0] != connections[-1]
    assert len({state[1]["synaptic_elements"]["Axon"]["z"] for state in states}) == len(states)


def test_structural_plasticity_with_some_neurons_without_elements():
    """Their calcium concentration, too, is updated at intervals, which rounds differently from updates at spikes."""
    ours, theirs = (grow(model, "linear", elements_on=2) for model in (MODEL, NESTS))
    assert ours == theirs


def test_elements_created_after_spikes_are_refused_as_by_nest():
    """NEST requires equal times of the last updates of element and concentration. With threads it hangs instead."""

    def refusal(model):
        nest = start()
        group = Group(nest, model)
        nest.Simulate(100.0)
        group.neurons.set(synaptic_elements={"Axon": {"growth_rate": 0.1}})
        with pytest.raises(nest.NESTError) as refused:
            nest.Simulate(100.0)
        return type(refused.value).__name__, str(refused.value)

    assert refusal(MODEL) == refusal(NESTS)


@pytest.mark.parametrize(
    "bad",
    [
        {"tau_minus": 0.0},
        {"tau_minus_triplet": -1.0},
        {"tau_Ca": 0.0},
        {"beta_Ca": 0.0},
        {"Ca": -0.1},
        {"ignore_and_spike_offset": 0.0},
        {"ignore_and_spike_interval": -1.0},
        {"tau_minus": "long"},
        {"t_spike": 3.0},
        {"archiver_length": 1},
    ],
    ids=str,
)
def test_values_that_nest_refuses_are_refused(nest, bad):
    groups = both(nest)
    nest.Simulate(100.0)
    messages = []
    for group, model in zip(groups, (MODEL, NESTS), strict=True):
        with pytest.raises(nest.NESTError) as refused:
            group.neurons[1].set(bad)
        number = group.neurons[1].global_id
        messages.append(str(refused.value).replace(model, "model").replace(f"ID {number}", "ID"))
    assert messages[0] == messages[1]
    run(nest, groups)


def test_random_and_spatial_parameters(threads):
    """They are drawn from the neuron's random stream, for the neuron's position."""

    def values(model):
        nest = start(threads)
        nest.rng_seed = 7
        layer = nest.Create(model, positions=nest.spatial.grid([3, 2]))
        nest.Simulate(1.0)
        layer.set(
            ignore_and_spike_offset=nest.random.uniform(1.0, 50.0),
            ignore_and_spike_interval=100.0 + nest.spatial.pos.x + 10.0 * nest.spatial.pos.y,
        )
        return layer.get(["ignore_and_spike_offset", "ignore_and_spike_interval"])

    ours = values(MODEL)
    assert len(set(ours["ignore_and_spike_offset"])) == len(set(ours["ignore_and_spike_interval"])) == 6
    assert ours == values(NESTS)


def test_a_reset_restores_defaults(threads):
    nest = start(threads)
    nest.SetDefaults(MODEL, {"tau_minus": 33.0, "Ca": 0.5})
    nest.Create(MODEL, 3)
    nest.Simulate(1.0)
    nest = start(threads)
    assert nest.GetDefaults(MODEL, ["tau_minus", "Ca"]) == [20.0, 0.0]
    groups = both(nest)
    run(nest, groups)


def test_header_compiles_without_a_warning_and_is_small(tmp_path):
    source = tmp_path / "neuron.cpp"
    source.write_text(
        '#include "lazy_archiving_node.h"\n'
        "static_assert( sizeof( nestml_optimised::LazyArchivingNode ) == sizeof( nest::Node ) + 32 );\n"
        "struct Neuron : nestml_optimised::LazyArchivingNode\n"
        "{\n"
        "  void pre_run_hook() override { clear_history(); }\n"
        "  void update( nest::Time const& t, const long, const long ) override { set_spiketime( t ); }\n"
        "};\n"
        "nest::Node* create() { return new Neuron(); }\n"
    )
    nest = find_nest()
    system = [flag.replace("-I", "-isystem", 1) for flag in nest.include_flags]
    warnings = ["-Wall", "-Wextra", "-Wshadow", "-Wpedantic", "-Werror"]
    command = [compiler(), *nest.compile_flags, *warnings, *system, f"-I{INCLUDE}", "-c", str(source)]
    subprocess.run([*command, "-o", str(tmp_path / "neuron.o")], check=True)
