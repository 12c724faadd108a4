# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The project's workflows on a Slurm with two virtual nodes, and NEST with MPI."""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
import yaml
from network_spikes import read_spikes
from rig import AMAT, run, tail
from slurm import PARTITION

from amat.benchmark.matrix import find_matrix, read_matrix

#: NEST's built-in model and both generated ones are the same neuron.
MODELS = ("amat2_psc_exp_neuron_nestml", "amat2_psc_exp_neuron_opt")
SPIKING = ("amat2_psc_exp", *MODELS)
#: A file in config/benchmarks.
MATRIX = "cluster"
#: Executed as jobs: a validation, a parameter scan, and the report on the benchmark.
NOTEBOOKS = ("validation", "parameter_space", "benchmarks")
#: Seconds that a workflow may take.
TIMEOUT = 2400

pytestmark = pytest.mark.timeout(TIMEOUT + 60)


def simulate(checkout, output, environment, launcher=(), *arguments):
    script = checkout / "tests" / "network_spikes.py"
    log = output.with_suffix(".log")
    run(*launcher, sys.executable, script, output, *SPIKING, *arguments, env=environment, log=log, timeout=600)
    return {model: read_spikes(output, model) for model in SPIKING}


def test_each_nest_has_modules_of_its_own(keys):
    """A module that was compiled for one NEST must not be loaded by the other."""
    installed, with_mpi = keys
    assert set(installed) == set(with_mpi) == set(MODELS)
    assert not set(installed.values()) & set(with_mpi.values())


@pytest.fixture(scope="session")
def expected(folder, checkout, without_mpi, keys):
    """The spikes of the network with the installed NEST, which are the same for all models."""
    found = simulate(checkout, folder / "spikes", without_mpi)
    spikes, _ = found["amat2_psc_exp"]
    assert len(spikes) > 1000
    assert all(np.array_equal(spikes, others) for others, _ in found.values())
    return spikes


@pytest.mark.parametrize(("ranks", "threads"), [(1, 1), (2, 1), (4, 1), (2, 2), (1, 2)])
def test_spikes_do_not_depend_on_ranks_and_threads(cluster, expected, ranks, threads):
    output = cluster.folder / f"spikes-{ranks}x{threads}"
    launcher = ["srun", "--mpi=pmix", "--kill-on-bad-exit=1", "-n", ranks, "-c", threads]
    layout = ["--ranks", ranks, "--threads", threads]
    for spikes, per_rank in simulate(cluster.checkout, output, cluster.environment, launcher, *layout).values():
        assert len(per_rank) == ranks
        assert min(per_rank) > 0
        assert np.array_equal(spikes, expected)


# --- the benchmark ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def profile(folder):
    """A profile in which Snakemake asks often: the project's own spares a cluster that many share."""
    path = folder / "profile" / "config.yaml"
    path.parent.mkdir()
    path.write_text("slurm-init-seconds-before-status-checks: 1\nseconds-between-status-checks: 2\n")
    return str(path.parent)


@pytest.fixture(scope="session")
def benchmark_command(cluster):
    """The command of the benchmark, with a file of this site as a user writes it."""
    site = cluster.folder / "site.yaml"
    settings = {
        "launcher": "srun --mpi=pmix --kill-on-bad-exit=1 -n {ranks} -c {threads}",
        "prologue": [f"export PYTHONPATH={cluster.environment['PYTHONPATH']}"],
        "partition": PARTITION,
        "memory_per_core": 700,
        "minutes": 30,
    }
    site.write_text(yaml.safe_dump(settings))
    output = cluster.folder / "benchmark"
    options = ["--executor", "slurm", "--matrix", MATRIX, "--site", site, "--output", output]
    return [str(word) for word in (AMAT, "benchmark", "run", *options)]


@pytest.fixture(scope="session")
def benchmark(cluster, keys, profile, benchmark_command):
    """The folder of the benchmark's results, and the names of the jobs that were cancelled and lost meanwhile."""
    log = cluster.folder / "benchmark.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            benchmark_command,
            cwd=cluster.checkout,
            env={**cluster.environment, "SNAKEMAKE_PROFILE": profile},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        try:
            cancelled = cancel_a_job(cluster.slurm, process)
            lost = kill_a_node(cluster.slurm, process, sparing=cancelled)
            status = process.wait(timeout=TIMEOUT)
        finally:
            process.terminate()
    assert status == 0, tail(log)
    return cluster.folder / "benchmark", cancelled, lost


def cancel_a_job(slurm, process):
    """Cancel a running cell, and return its name in Slurm."""
    job = await_job(slurm, process, lambda running: next(iter(running), None))
    slurm.run("scancel", job["JobID"])
    return job["Comment"]


def kill_a_node(slurm, process, sparing):
    """Kill the node of a running cell, restart it once Slurm has noticed, and return the names of the lost jobs."""

    def choose(running):
        for job in running:
            neighbours = {other["Comment"] for other in running if set(nodes(job)) & set(nodes(other))}
            # A cell is tried twice: the cancelled one must not be lost as well.
            if sparing not in neighbours:
                return job
        return None

    job = await_job(slurm, process, choose)
    node = nodes(job)[0]
    lost = sorted({other["Comment"] for other in slurm.jobs("RUNNING") if node in nodes(other)})
    slurm.kill_node(node)
    end = time.monotonic() + 180
    while not slurm.run("sinfo", "--noheader", f"--nodes={node}", "--format=%T").startswith("down"):
        assert time.monotonic() < end, f"Slurm has not noticed within 180 s that node {node} is down"
        time.sleep(1)
    slurm.start_node(node)
    return lost


def await_job(slurm, process, choose):
    """Wait until a suitable cell runs."""
    end = time.monotonic() + TIMEOUT
    while time.monotonic() < end:
        running = [job for job in slurm.jobs("RUNNING") if "rule_cell" in job["Comment"]]
        if job := choose(running):
            return job
        assert process.poll() is None, "the benchmark ended before a cell could be disturbed"
        time.sleep(0.3)
    pytest.fail(f"no cell ran within {TIMEOUT} s")


def nodes(job):
    """Return the nodes of a job, from a list such as ``n1`` or ``n[1-2]``."""
    found = []
    for part in job["NodeList"].removeprefix("n").strip("[]").split(","):
        first, _, last = part.partition("-")
        found += [f"n{number}" for number in range(int(first), int(last or first) + 1)]
    return found


def test_benchmark_completes_despite_a_cancelled_job_and_a_lost_node(cluster, benchmark):
    output, cancelled, lost = benchmark
    for cell in read_matrix(find_matrix(MATRIX)).cells:
        assert isinstance(json.loads((output / "cells" / f"{cell.name}.json").read_text()), dict)
    assert (output / "report" / "cells.csv").is_file()
    assert lost
    jobs = cluster.slurm.jobs()
    for name, disturbed in ((cancelled, "CANCELLED"), *((name, "NODE_FAIL") for name in lost)):
        states = {job["State"] for job in jobs if job["Comment"] == name}
        assert {disturbed, "COMPLETED"} <= states


def test_finished_cells_are_not_measured_again(cluster, benchmark, benchmark_command, profile):
    def times():
        return {path: path.stat().st_mtime_ns for path in (benchmark[0] / "cells").glob("*.json")}

    before = times()
    environment = {**cluster.environment, "SNAKEMAKE_PROFILE": profile}
    run(*benchmark_command, cwd=cluster.checkout, env=environment, log=cluster.folder / "benchmark-again.log")
    assert times() == before


def test_microcircuit_has_equal_spikes_for_any_layout(cluster):
    """The parts of the ranks are merged into the same activity that one process with as many threads has."""
    found = []
    for ranks, threads in ((1, 2), (2, 1)):
        output = cluster.folder / f"microcircuit-{ranks}x{threads}.json"
        launcher = ["srun", "--mpi=pmix", "--kill-on-bad-exit=1", "-n", ranks, "-c", threads]
        options = ["--model=iaf_psc_exp", "--workload=microcircuit-poisson", "--scale=0.02", "--duration=100"]
        layout = [f"--ranks={ranks}", f"--threads={threads}", f"--output={output}"]
        command = [*launcher, sys.executable, "-m", "amat", "benchmark", "cell", *options, *layout]
        run(*command, env=cluster.environment, log=output.with_suffix(".log"), timeout=600)
        found.append(json.loads(output.read_text()))
    alone, split = found
    assert alone["spikes"] == split["spikes"] > 20
    assert alone["synapses"] == split["synapses"]
    assert alone["fingerprints"] == split["fingerprints"]
    assert alone["populations"] == split["populations"]


# --- notebooks -------------------------------------------------------------------------------------------------------


def test_notebooks_run_as_jobs(cluster, benchmark, profile):
    config = yaml.safe_load((cluster.checkout / "config" / "config.yaml").read_text())
    config["notebooks"]["benchmarks"]["cells"] = str(benchmark[0])
    configuration = cluster.folder / "config.yaml"
    configuration.write_text(yaml.safe_dump(config))
    workflow = cluster.checkout / "workflow"
    run(
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", workflow / "Snakefile", "--directory", cluster.checkout),
        *("--workflow-profile", workflow / "profiles" / "slurm", "--configfile", configuration),
        *("--default-resources", f"slurm_partition={PARTITION}", "mem_mb=1500", "runtime=60"),
        "--slurm-no-account",
        *(f"results/{name}" for name in NOTEBOOKS),
        cwd=cluster.checkout,
        env={**cluster.environment, "SNAKEMAKE_PROFILE": profile, "SOURCE_DATE_EPOCH": "0"},
        log=cluster.folder / "notebooks.log",
        timeout=TIMEOUT,
    )
    jobs = cluster.slurm.jobs("COMPLETED")
    for name in NOTEBOOKS:
        assert (cluster.checkout / "book" / "notebooks" / f"{name}.ipynb").is_file()
        assert (cluster.checkout / "results" / name / "provenance.json").is_file()
        assert any(name in job["Comment"] and "notebook" in job["Comment"] for job in jobs)
