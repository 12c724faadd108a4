# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The self-test of an image: its versions are those of the lock, and its compiled models have the expected spikes.

Prints a JSON record, or a message if something is wrong. With ``--first-spike`` it only simulates the optimised model.
"""

import importlib.metadata
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("PYNEST_QUIET", "1")

from amat import paths, toolchain
from amat.compendium import provenance
from amat.neurons import AmatParameters
from amat.simulation.kernel import reset_kernel

#: The time steps of the spikes in NEST's own test_mat2_psc_exp and test_amat2_psc_exp.
EXPECTED = [11, 32, 54]
#: mat2_psc_exp's defaults, beta = 0, threshold at -51 mV.
NEURON = AmatParameters(tau_m=5.0, C_m=100.0, alpha_1=37.0, alpha_2=2.0, omega=19.0, tau_v=8.0)
#: Three implementations of the same neuron.
MODELS = ("amat2_psc_exp", toolchain.AMAT, toolchain.AMAT_OPT)


def main(args: list[str]) -> dict[str, Any]:
    """Return the record of the self-test; exit with a message if something is wrong."""
    if args == ["--first-spike"]:
        return {"steps": spikes([toolchain.AMAT_OPT])}
    return {
        "commit": provenance.commit(),
        "versions": versions(),
        "modules": modules(),
        "steps": spikes(MODELS),
    }


def versions() -> dict[str, str]:
    """Return the versions of the main packages; exit if an installed version is not that of the lock."""
    lock = (Path(__file__).parent / "requirements.lock").read_text()
    # A package can have several versions there, for several versions of Python.
    locked = re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", lock, re.MULTILINE)
    installed = {
        re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower(): found.version
        for found in importlib.metadata.distributions(path=[str(Path(sys.prefix, "lib", python(), "site-packages"))])
    }
    others = {name: version for name, version in installed.items() if name not in {"amat", "nestml-optimised", "pip"}}
    if wrong := sorted(set(others.items()) - set(locked)):
        sys.exit(f"selftest: these versions are not those of requirements.lock: {wrong}")
    return {name: installed[name] for name in ("nest-simulator", "nestml", "odetoolbox", "numpy", "scipy")}


def python() -> str:
    """Return the name of the folder of Python's packages."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def modules() -> dict[str, str]:
    """Return the cache keys of the models' modules, which the image must contain compiled."""
    found = {}
    for name in toolchain.DEFAULT_MODELS:
        module = toolchain.build(name)
        if not module.cached or module.library.is_relative_to(paths.module_cache()):
            sys.exit(f"selftest: {name} is not among the compiled modules of the image")
        found[name] = module.key[:16]
    return found


def spikes(models: list[str] | tuple[str, ...]) -> dict[str, list[int]]:
    """Return the time steps of the spikes under a constant 2400 pA; exit if they are not the expected ones."""
    nest = reset_kernel(0.1)
    for model in models:
        if model in toolchain.SHIPPED_MODELS:
            toolchain.install(model)
    generator = nest.Create("dc_generator", params={"amplitude": 2400.0})
    recorders = {}
    for model in models:
        parameters = NEURON.to_nestml() if model in toolchain.SHIPPED_MODELS else NEURON.to_nest()
        neuron = nest.Create(model, params=parameters)
        recorders[model] = nest.Create("spike_recorder", params={"time_in_steps": True})
        nest.Connect(generator, neuron, syn_spec={"delay": 0.1})
        nest.Connect(neuron, recorders[model], syn_spec={"delay": 0.1})
    nest.Simulate(8.0)
    found = {model: recorder.events["times"].tolist() for model, recorder in recorders.items()}
    if any(steps != EXPECTED for steps in found.values()):
        sys.exit(f"selftest: spikes at {found}, expected {EXPECTED}")
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1:]), indent=2, sort_keys=True))
