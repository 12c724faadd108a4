# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The generated C++ code under the compiler's warnings, under sanitizers, and under valgrind.

A sanitized module, and every run under valgrind, has a process of its own. It simulates a small network that uses all
parts of the generated code: spikes of both signs, currents, recorders, plastic synapses, threads, deferred steps and
skipped slices, parameters set between runs, refused parameters, a second kernel after a reset.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nestml_optimised import generate
from nestml_optimised.nest_installation import compiler, find_nest

from amat import toolchain

pytestmark = pytest.mark.slow

MODEL = "amat2_psc_exp_neuron_opt"

OPTIMISED = [name for name, model in toolchain.SHIPPED_MODELS.items() if model.codegen == "optimised"]

LIBRARY = Path(sys.prefix) / "models" / "neurons"
#: Neurons that are updated together and one by one, with exact and with numerical integration.
CLANG_NEURONS = ["iaf_psc_exp_neuron", "hh_psc_alpha_neuron", "iaf_psc_exp_htum_neuron", "hh_cond_exp_destexhe_neuron"]

#: The last output of a complete simulation.
FINISHED = "the simulation is over"

SIMULATION = """
import sys
import numpy as np
import nest

library, threads, duration, resets = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
MODEL = "amat2_psc_exp_neuron_opt"
nest.verbosity = nest.VerbosityLevel.ERROR
for delay in (1.0, 0.3)[:resets]:
    nest.ResetKernel()
    nest.set(resolution=0.1, local_num_threads=threads)
    nest.Install(library)
    neurons = nest.Create(MODEL, 6, params=[{"I_e": i, "beta": 0.1, "tau_m": t} for i, t in
                                            zip((0.0, 150.0, 250.0, -100.0, 20.0, 120.0), (10, 10, 5, 5, 12, 12))])
    generators = nest.Create("poisson_generator", 2, params={"rate": 400.0, "stop": 0.5 * duration})
    parrots = nest.Create("parrot_neuron", 2)
    nest.Connect(generators, parrots, "one_to_one", {"delay": delay})
    nest.Connect(parrots, neurons[:4], syn_spec={"weight": [[300.0, -100.0]] * 4, "delay": delay})
    current = nest.Create("step_current_generator", params={"amplitude_times": [5.0, 12.0],
                                                            "amplitude_values": [200.0, 0.0]})
    nest.Connect(current, neurons[1:3], syn_spec={"delay": delay})
    nest.Connect(neurons[:2], neurons[2:5], syn_spec={"synapse_model": "stdp_synapse", "weight": 50.0, "delay": delay})
    meter = nest.Create("multimeter", params={"record_from": list(neurons[0].recordables), "interval": 0.1})
    nest.Connect(meter, neurons[::2], syn_spec={"delay": delay})
    recorder = nest.Create("spike_recorder")
    nest.Connect(neurons, recorder, syn_spec={"delay": delay})
    nest.Simulate(0.5 * duration)
    for bad in ({"tau_m": 0.0}, {"refr_T": -1.0}):
        try:
            neurons[3].set(bad)
        except nest.NESTError:
            pass
        else:
            sys.exit("a bad value was accepted")
    neurons[3].set(tau_m=9.0, E_L=-68.0, V_m=-66.0)
    nest.CopyModel(MODEL, "another", {"tau_m": 7.0})
    later = nest.Create("another", 2, params={"I_e": 300.0})
    nest.Connect(parrots, later, syn_spec={"weight": 100.0, "delay": delay})
    nest.Simulate(0.7)
    nest.Simulate(0.5 * duration)
    assert len(recorder.events["times"]) > 3, len(recorder.events["times"])
    assert np.isfinite(meter.events["V_m"]).all() and np.isfinite(neurons.V_th).all()
    neurons.get()
print("the simulation is over", flush=True)
"""


def simulate(library, *, threads=2, duration=60.0, resets=2, before=(), **environment):
    """Run the simulation with a module; return whether it was complete, and its output."""
    arguments = [library.with_suffix(""), threads, duration, resets]
    finished = subprocess.run(
        [*map(str, before), sys.executable, "-c", SIMULATION, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=400,
        env={**os.environ, "PYNEST_QUIET": "1", **environment},
    )
    complete = finished.returncode == 0 and FINISHED in finished.stdout
    return complete, finished.stdout + finished.stderr


def system_includes():
    """Return flags that find NEST's headers, and suppress warnings about them."""
    words = []
    for flag in find_nest().include_flags:
        words += ["-isystem", flag[2:]] if flag.startswith("-I") else [flag]
    return words


@pytest.mark.parametrize("name", OPTIMISED)
def test_generated_code_compiles_without_a_warning(name):
    generated = toolchain.build(name).generated
    check_warnings(compiler(), generated / f"{name}.cpp")


@pytest.mark.skipif(shutil.which("clang++") is None, reason="clang is not installed")
@pytest.mark.parametrize("name", CLANG_NEURONS)
def test_clang_compiles_generated_code_without_a_warning(name, tmp_path):
    generate(LIBRARY / f"{name}.nestml", tmp_path / "code", module_name=f"{name}module")
    check_warnings("clang++", tmp_path / "code" / f"{name}.cpp")


def check_warnings(program, source):
    """Compile a neuron's code with the flags of modules; warnings about NEST's headers do not count."""
    command = [program, *find_nest().compile_flags, "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    command += [*system_includes(), f"-I{source.parent}", str(source)]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-3000:]


def sanitized(folder, *flags):
    """Compile the AMAT neuron's module with flags of a sanitizer."""
    generated = toolchain.build(MODEL).generated
    library = folder / f"{MODEL}module.so"
    keep = [flag for flag in find_nest().compile_flags if flag not in {"-O3", "-DNDEBUG"}]
    command = [compiler(), *keep, "-O1", "-g", "-fno-omit-frame-pointer", *flags, "-fPIC", "-shared"]
    command += [*system_includes(), f"-I{generated}", *map(str, sorted(generated.glob("*.cpp"))), "-o", str(library)]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-3000:]
    return library


def test_no_undefined_behaviour(tmp_path):
    """UBSan, which ends the process at the first error."""
    library = sanitized(tmp_path, "-fsanitize=undefined", "-fno-sanitize=vptr", "-fno-sanitize-recover=all")
    complete, said = simulate(library, UBSAN_OPTIONS="print_stacktrace=1")
    assert "runtime error" not in said, said[-4000:]
    assert complete, said[-4000:]


def test_no_invalid_memory(tmp_path):
    """AddressSanitizer in the module. Its library, and that of C++, which throws exceptions, are loaded first.

    Leaks are not checked, because Python and NEST keep memory until the process ends.
    """
    runtimes = []
    for name in ("libasan.so", "libstdc++.so"):
        found = subprocess.run([compiler(), f"-print-file-name={name}"], check=True, capture_output=True, text=True)
        path = Path(found.stdout.strip())
        if not path.is_absolute():
            pytest.skip(f"the compiler has no {name}")
        runtimes.append(str(path.resolve()))
    library = sanitized(tmp_path, "-fsanitize=address")
    complete, said = simulate(library, LD_PRELOAD=":".join(runtimes), ASAN_OPTIONS="detect_leaks=0")
    assert "AddressSanitizer" not in said, said[-4000:]
    assert complete, said[-4000:]


def findings(report):
    """Return those reports of valgrind that name the generated neuron's functions or headers."""
    text = re.sub(r"^==\d+== ?", "", report, flags=re.MULTILINE)
    kinds = re.compile(r"Invalid (read|write|free)|[Uu]ninitiali[sz]ed|Mismatched|overlap")
    blocks = [block for block in text.split("\n\n") if kinds.search(block)]
    return [block for block in blocks if re.search(rf"{MODEL}|nestml_optimised::", block)]


def test_findings_of_valgrind_are_recognised():
    """The filter keeps reports about the neuron and drops others."""
    ours = f"==7== Invalid read of size 8\n==7==    at 0x1: {MODEL}::update(nest::Time const&, long, long)\n==7== \n"
    theirs = "==7== Conditional jump depends on uninitialised value(s)\n==7==    at 0x1: strlen\n==7== \n"
    assert len(findings(theirs + ours + theirs)) == 1
    assert not findings(theirs)


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_valgrind_finds_nothing(tmp_path):
    """Reports count only if they mention the generated neuron; Python and NEST cause others."""
    library = toolchain.build(MODEL).library
    log = tmp_path / "valgrind.log"
    valgrind = ["valgrind", "--tool=memcheck", "--leak-check=no", f"--log-file={log}", "--num-callers=20"]
    complete, said = simulate(library, threads=1, duration=20.0, resets=1, before=valgrind, PYTHONMALLOC="malloc")
    report = log.read_text(errors="replace")
    assert complete, said[-3000:] + report[-3000:]
    assert "ERROR SUMMARY" in report
    assert findings(report) == []
