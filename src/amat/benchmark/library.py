# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The neurons of NESTML's library, and their builds by the optimised generator and by NESTML's unmodified one."""

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from amat import toolchain
from amat.benchmark.kernel import RESOLUTION
from amat.simulation.kernel import reset_kernel

__all__ = [
    "CODEGENS",
    "DURATION",
    "LIBRARY",
    "NEURONS",
    "SEED",
    "Codegen",
    "Library",
    "Neuron",
    "Progress",
    "build_library",
]

#: The folder of the models that NESTML installs.
LIBRARY = Path(sys.prefix) / "models" / "neurons"

#: The builds that are made from NESTML.
Codegen = Literal["optimised", "nestml"]
CODEGENS: tuple[Codegen, ...] = ("optimised", "nestml")

#: Models that are compiled together. More take less time, but much memory.
TOGETHER = 10

#: Model time in ms of the comparison with the reference.
DURATION = 100.0

#: Of all input.
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
