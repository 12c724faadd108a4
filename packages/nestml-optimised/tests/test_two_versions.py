# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Two modules in one process, made by versions of the package whose headers differ, against NEST's model.

The second module's headers have another namespace and a class with another layout. If the modules shared symbols, both
would use one object of this class, each by its layout, and the simulation would crash.
"""

import os
import subprocess
import sys

import pytest
from nestml_optimised import generate
from nestml_optimised.nest_installation import find_nest

pytestmark = pytest.mark.slow

SIMULATION = """
import sys
import nest

nest.verbosity = nest.VerbosityLevel.ERROR
for module in sys.argv[1:]:
    nest.Install(module)
neurons = [nest.Create(name, 3) for name in ("iaf_psc_exp_neuron_a", "iaf_psc_exp_neuron_b", "iaf_psc_exp")]
for group in neurons[:2]:
    group.set(C_m=250.0, tau_m=10.0, tau_syn_exc=2.0, tau_syn_inh=2.0, E_L=-70.0, V_reset=-70.0, V_th=-55.0, refr_T=2.0)
neurons[2].set(C_m=250.0, tau_m=10.0, tau_syn_ex=2.0, tau_syn_in=2.0, E_L=-70.0, V_reset=-70.0, V_th=-55.0, t_ref=2.0)
generators = nest.Create("poisson_generator", 2, params={"rate": 2000.0})
parrots = nest.Create("parrot_neuron", 2)
nest.Connect(generators, parrots, "one_to_one")
recorders = nest.Create("spike_recorder", 3, params={"time_in_steps": True})
for group, recorder in zip(neurons, recorders):
    group.I_e = [300.0, 0.0, 500.0]
    nest.Connect(parrots, group, syn_spec={"weight": [[100.0, -50.0]] * 3, "delay": 1.0})
    # Buffers for this delay fit into no cache, so that additions to them are deferred.
    nest.Connect(group[0], group[1], syn_spec={"weight": 0.0, "delay": 20000.0})
    nest.Connect(group, recorder)
nest.Simulate(500.0)
spikes = [sorted(zip((r.events["senders"] - g[0].global_id).tolist(), r.events["times"].tolist()))
          for g, r in zip(neurons, recorders)]
assert len(spikes[2]) > 30, len(spikes[2])
assert spikes[0] == spikes[1] == spikes[2]
"""


def build(source, folder, suffix, changes):
    """Generate and compile a model with changes of its headers; return the module's path for ``nest.Install``."""
    name = f"iaf{suffix}module"
    generate(source, folder, module_name=name, suffix=suffix)
    for header in folder.glob("*.h"):
        text = header.read_text()
        for old, new in changes.items():
            text = text.replace(old, new)
        header.write_text(text)
    config = find_nest().write_config(folder)
    subprocess.run(["cmake", f"-Dwith-nest={config}", "."], cwd=folder, check=True, capture_output=True)
    subprocess.run(["make"], cwd=folder, check=True, capture_output=True)
    return folder / name


def test_modules_of_two_versions_load_into_one_process(library, tmp_path):
    source = library / "iaf_psc_exp_neuron.nestml"
    other = {
        "nestml_optimised::inline v0_1_0": "nestml_optimised::inline v99_0_0",
        "bool defers_ = false;": "long another_ = 0;\n  bool defers_ = false;",
    }
    modules = [build(source, tmp_path / "a", "_a", {}), build(source, tmp_path / "b", "_b", other)]
    finished = subprocess.run(
        [sys.executable, "-c", SIMULATION, *map(str, modules)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYNEST_QUIET": "1"},
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
