# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What `amat verify cluster` does: the project's workflows on a Slurm with two virtual nodes, and NEST with MPI.

Everything runs in a copy of the checkout: nothing that is there already is touched, and nobody who edits meanwhile
changes what is tested. The copy and the overlay with NEST come first in ``PYTHONPATH``; all else is the environment's.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from amat import paths, toolchain
from amat.benchmark.matrix import find_matrix, read_matrix
from amat.cluster.errors import ClusterError
from amat.cluster.packages import needed_packages
from amat.cluster.slurm import PARTITION, Slurm, running_slurm
from amat.debian import install_packages
from amat.files import write_text
from amat.verification import Dependencies

__all__ = ["DEPENDS_ON", "LAYOUTS", "verify_cluster"]

#: Executed as jobs: a validation, a sweep over parameters, and the report on the benchmark that ran before.
NOTEBOOKS = ("validation", "parameter_space", "benchmarks")
#: What the record of a pass is for: see `amat.verification`.
DEPENDS_ON = Dependencies(
    parts=(
        "amat",
        "config",
        "containers/requirements.lock",
        "models",
        "pyproject.toml",
        "scripts/execute_notebook.py",
        "src/amat/benchmark",
        "src/amat/cli/app.py",
        "src/amat/cli/benchmark.py",
        "src/amat/cli/verify.py",
        "src/amat/cluster",
        "packages/nestml-optimised/src/nestml_optimised",
        "src/amat/toolchain",
        "workflow",
    ),
    notebooks=NOTEBOOKS,
)
#: Ranks and threads over which spikes must be the same.
LAYOUTS = ((1, 1), (2, 1), (4, 1), (2, 2), (1, 2))
#: The models whose spikes are compared: all three are the same neuron.
SPIKING = ("amat2_psc_exp", toolchain.AMAT, toolchain.AMAT_OPT)
#: The matrix of the benchmark, one of config/benchmarks.
MATRIX = "cluster"

_MODULES = (toolchain.AMAT, toolchain.AMAT_OPT)
_NODES, _CPUS = 2, 2
#: What the copy of the checkout has.
_COPIED = (
    *("amat", "book", "config", "containers", "data", "models", "notebooks", "pyproject.toml", "scripts", "src"),
    "workflow",
)
#: Seconds that a workflow may take; a hang is a failure.
_PATIENCE = 2400

Report = Callable[[str], None]


@dataclass(frozen=True)
class _Bench:
    """What all steps share.

    Attributes
    ----------
    slurm : Slurm
    folder : pathlib.Path
        Of everything that is made.
    checkout : pathlib.Path
        The copy.
    environment : dict
        Of jobs, and of all that submits them.
    report : callable
    """

    slurm: Slurm
    folder: Path
    checkout: Path
    environment: dict[str, str]
    report: Report


def verify_cluster(folder: Path, report: Report) -> Path:
    """Run all checks, and return the copy of the checkout that has passed them.

    Parameters
    ----------
    folder : pathlib.Path
        For everything that is made, logs among it; its name must be short, since sockets are below it.
    report : callable
        Called with a line of text for each step.

    Raises
    ------
    PackageUnavailableError
        If the distribution does not serve what is needed.
    AmatError
        If anything is not as it should be.
    """
    if paths.ROOT is None:
        raise ClusterError("This needs a checkout of the project: clone it, and use ./amat there.")
    if needed := needed_packages():
        report(f"installing {' '.join(needed)}")
        install_packages(needed, needed_packages)
    build = toolchain.build_nest(progress=report)
    report(f"NEST with MPI: {'from the cache' if build.cached else f'built in {build.seconds:.0f} s'}")
    overlay = folder / "nest"
    toolchain.install_nest(build, overlay)
    checkout = _copy(paths.ROOT, folder / "checkout")
    base = {
        **{name: value for name, value in os.environ.items() if name not in {"OMP_NUM_THREADS", "PYTHONPATH"}},
        "AMAT_CACHE": str(paths.module_cache()),
        "PYNEST_QUIET": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
    }
    expected = _spikes_without_mpi(folder, {**base, "PYTHONPATH": str(checkout / "src")}, report)
    with running_slurm(folder / "slurm", nodes=_NODES, cpus=_CPUS) as slurm:
        report(f"Slurm runs, with {_NODES} nodes")
        path = f"{overlay}{os.pathsep}{checkout / 'src'}"
        environment = {**base, **slurm.environment, "PYTHONPATH": path}
        bench = _Bench(slurm, folder, checkout, environment, report)
        _build_modules(bench, expected)
        _compare_spikes(bench, expected)
        _run_benchmark(bench)
        _run_notebooks(bench)
    report("Slurm is stopped")
    return checkout


def _copy(root: Path, target: Path) -> Path:
    ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "generated")
    for name in _COPIED:
        source = root / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=ignored)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    # Executed notebooks of the checkout would be taken for made.
    shutil.rmtree(target / "book" / "notebooks", ignore_errors=True)
    return target


def _spikes_without_mpi(folder: Path, environment: Mapping[str, str], report: Report) -> dict[str, Any]:
    """Return the spikes of each model, and the keys of the modules, with the environment's own NEST."""
    record, spikes = folder / "modules-wheel.json", folder / "spikes-wheel.json"
    _run([*_AMAT, "build", *_MODULES, "--record", str(record)], environment, folder / "modules-wheel.log")
    _run([*_SPIKES, str(spikes), *SPIKING], environment, folder / "spikes-wheel.log")
    found: dict[str, Any] = json.loads(spikes.read_text())
    counts = {model: entry["spikes"] for model, entry in found.items()}
    if len({entry["sha256"] for entry in found.values()}) != 1 or not min(counts.values()):
        raise ClusterError(f"Without MPI the models' spikes are not the same, or there are none: {counts}.")
    report(f"without MPI: {counts[SPIKING[0]]} spikes, the same of {len(counts)} models")
    return {"spikes": found, "modules": json.loads(record.read_text())}


def _build_modules(bench: _Bench, expected: Mapping[str, Any]) -> None:
    """Build the modules against NEST with MPI, where the workflow of the notebooks looks for their record."""
    record = bench.checkout / "results" / "modules.json"
    start = time.monotonic()
    _run([*_AMAT, "build", *_MODULES, "--record", str(record)], bench.environment, bench.folder / "modules-mpi.log")
    built = json.loads(record.read_text())
    for model, entry in expected["modules"].items():
        if built[model]["key"] == entry["key"]:
            raise ClusterError(
                f"{model} has the same key for both NESTs: a module of one would be loaded by the other."
            )
    bench.report(f"modules for NEST with MPI are built, in {time.monotonic() - start:.0f} s")


def _compare_spikes(bench: _Bench, expected: Mapping[str, Any]) -> None:
    """Compare spikes of all layouts with those without MPI."""
    for ranks, threads in LAYOUTS:
        output = bench.folder / f"spikes-{ranks}x{threads}.json"
        launcher = ["srun", "--mpi=pmix", "--kill-on-bad-exit=1", "-n", str(ranks), "-c", str(threads)]
        words = [*_SPIKES, str(output), *SPIKING, "--ranks", str(ranks), "--threads", str(threads)]
        _run([*launcher, *words], bench.environment, output.with_suffix(".log"), patience=600)
        found = json.loads(output.read_text())
        for model, entry in found.items():
            wanted = expected["spikes"][model]
            if entry["sha256"] != wanted["sha256"]:
                raise ClusterError(
                    f"{model} on {ranks} rank(s) of {threads} thread(s): {entry['spikes']} spikes, which are not the "
                    f"{wanted['spikes']} of the run without MPI."
                )
            if not all(entry["per_rank"]):
                raise ClusterError(f"{model}: ranks without spikes, {entry['per_rank']}: nothing was compared there.")
        bench.report(
            f"{ranks} rank(s) of {threads} thread(s): the same spikes, {found[SPIKING[0]]['per_rank']} by rank"
        )


def _run_benchmark(bench: _Bench) -> None:
    """Run the benchmark as jobs; kill a job and a node on the way, and show that it ends whole nevertheless."""
    output = bench.folder / "benchmark"
    matrix = read_matrix(find_matrix(MATRIX))
    command = [*_AMAT, "benchmark", "run", "--profile", "slurm", "--matrix", MATRIX]
    command += ["--site", str(_write_site(bench)), "--output", str(output)]
    environment = {**bench.environment, "SNAKEMAKE_PROFILE": str(_write_profile(bench))}
    start = time.monotonic()
    log = bench.folder / "benchmark.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=bench.checkout, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        try:
            cancelled = _cancel_a_job(bench, process, log)
            died = _kill_a_node(bench, process, log, sparing=cancelled)
            status = process.wait(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            raise ClusterError(f"The benchmark did not end in {_PATIENCE} s. {_tail(log)}") from None
        finally:
            process.terminate()
    if status:
        raise ClusterError(f"The benchmark failed with status {status}. {_tail(log)}")
    missing = [cell.name for cell in matrix.cells if not _whole(output / "cells" / f"{cell.name}.json")]
    if missing or not (output / "report" / "cells.csv").is_file():
        raise ClusterError(f"The benchmark ended, and yet it lacks {missing or 'its report'}. {_tail(log)}")
    jobs = bench.slurm.jobs()
    for what, wanted in ((cancelled, "CANCELLED"), *((name, "NODE_FAIL") for name in died)):
        states = [job["State"] for job in jobs if job["Comment"] == what]
        if wanted not in states or "COMPLETED" not in states:
            raise ClusterError(f"{what} should have been {wanted} once and COMPLETED then, and was {states}.")
    bench.report(
        f"benchmark: {len(matrix.cells)} cells and the report as jobs in {time.monotonic() - start:.0f} s; "
        f"one job cancelled, {len(died)} lost with their node, all made up for"
    )
    before = {path: path.stat().st_mtime_ns for path in (output / "cells").glob("*.json")}
    _run(command, environment, bench.folder / "benchmark-again.log", cwd=bench.checkout)
    if before != {path: path.stat().st_mtime_ns for path in (output / "cells").glob("*.json")}:
        raise ClusterError(f"The same command measured finished cells again. {_tail(log)}")
    bench.report("benchmark: the same command again measures nothing")


def _cancel_a_job(bench: _Bench, process: subprocess.Popen[bytes], log: Path) -> str:
    """Cancel a cell that runs; return its name in Slurm."""
    job = _await_job(bench, process, log, lambda running: next(iter(running), None))
    bench.slurm.run("scancel", job["JobID"])
    bench.report(f"cancelled a running job: {job['Comment']}")
    return job["Comment"]


def _kill_a_node(bench: _Bench, process: subprocess.Popen[bytes], log: Path, sparing: str) -> list[str]:
    """Kill the node of a cell that runs, and bring it back when Slurm has seen it; return what died with it."""

    def choose(running: list[dict[str, str]]) -> dict[str, str] | None:
        for job in running:
            beside = {other["Comment"] for other in running if _share_a_node(job, other)}
            # A cell is tried twice: the one that was cancelled may not be lost again.
            if sparing not in beside:
                return job
        return None

    job = _await_job(bench, process, log, choose)
    (node, *_) = _nodes(job)
    lost = sorted({other["Comment"] for other in bench.slurm.jobs("RUNNING") if node in _nodes(other)})
    bench.slurm.kill_node(node)
    bench.report(f"killed node {node} with {len(lost)} job(s): {', '.join(lost)}")
    end = time.monotonic() + 180
    while not bench.slurm.run("sinfo", "--noheader", f"--nodes={node}", "--format=%T").startswith("down"):
        if time.monotonic() > end:
            raise ClusterError(f"Slurm did not see in 180 s that node {node} is gone.")
        time.sleep(1)
    bench.slurm.start_node(node)
    bench.report(f"node {node} is back")
    return lost


def _await_job(
    bench: _Bench,
    process: subprocess.Popen[bytes],
    log: Path,
    choose: Callable[[list[dict[str, str]]], dict[str, str] | None],
) -> dict[str, str]:
    """Wait until a cell runs that can be chosen."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        running = [job for job in bench.slurm.jobs("RUNNING") if "rule_cell" in job["Comment"]]
        if job := choose(running):
            return job
        if process.poll() is not None:
            raise ClusterError(f"The benchmark ended before a cell could be disturbed. {_tail(log)}")
        time.sleep(0.3)
    raise ClusterError(f"No cell ran for {_PATIENCE} s. {_tail(log)}")


def _nodes(job: Mapping[str, str]) -> list[str]:
    """Return the nodes of a job, from a list such as ``n1`` or ``n[1-2]``."""
    numbers = job["NodeList"].removeprefix("n").strip("[]")
    nodes: list[str] = []
    for part in numbers.split(","):
        first, _, last = part.partition("-")
        nodes += [f"n{number}" for number in range(int(first), int(last or first) + 1)]
    return nodes


def _share_a_node(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return bool(set(_nodes(one)) & set(_nodes(other)))


def _run_notebooks(bench: _Bench) -> None:
    """Execute notebooks as jobs of the project's workflow."""
    start = time.monotonic()
    targets = [f"results/{name}" for name in NOTEBOOKS]
    command = [
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", str(bench.checkout / "workflow" / "Snakefile")),
        *("--directory", str(bench.checkout)),
        *("--workflow-profile", str(bench.checkout / "workflow" / "profiles" / "slurm")),
        *("--configfile", str(_write_config(bench))),
        *("--default-resources", f"slurm_partition={PARTITION}", "mem_mb=1500", "runtime=60"),
        "--slurm-no-account",
        *targets,
    ]
    environment = {**bench.environment, "SNAKEMAKE_PROFILE": str(_write_profile(bench)), "SOURCE_DATE_EPOCH": "0"}
    log = bench.folder / "notebooks.log"
    _run(command, environment, log, cwd=bench.checkout)
    jobs = bench.slurm.jobs("COMPLETED")
    for name in NOTEBOOKS:
        made = [
            bench.checkout / "book" / "notebooks" / f"{name}.ipynb",
            bench.checkout / "results" / name / "provenance.json",
        ]
        if missing := [str(path) for path in made if not path.is_file()]:
            raise ClusterError(f"The notebook {name} has not made {', '.join(missing)}. {_tail(log)}")
        if not any(name in job["Comment"] and "notebook" in job["Comment"] for job in jobs):
            raise ClusterError(f"The notebook {name} was not a job of Slurm's. {_tail(log)}")
    bench.report(f"notebooks {', '.join(NOTEBOOKS)} as jobs in {time.monotonic() - start:.0f} s")


def _write_site(bench: _Bench) -> Path:
    """Write how cells start here: the way a user writes it for a cluster of his own."""
    site = {
        "launcher": "srun --mpi=pmix --kill-on-bad-exit=1 -n {ranks} -c {threads}",
        "prologue": [f"export PYTHONPATH={bench.environment['PYTHONPATH']}"],
        "partition": PARTITION,
        "memory_per_core": 700,
        "minutes": 30,
    }
    path = bench.folder / "site.yaml"
    write_text(path, yaml.safe_dump(site))
    return path


def _write_config(bench: _Bench) -> Path:
    """Write the pipeline's configuration, with the cells that were measured here."""
    config = yaml.safe_load((bench.checkout / "config" / "config.yaml").read_text())
    config["notebooks"]["benchmarks"]["cells"] = str(bench.folder / "benchmark")
    path = bench.folder / "config.yaml"
    write_text(path, yaml.safe_dump(config))
    return path


def _write_profile(bench: _Bench) -> Path:
    """Write how often Snakemake asks: the project's own profile spares a cluster that many share."""
    path = bench.folder / "profile" / "config.yaml"
    write_text(path, "slurm-init-seconds-before-status-checks: 1\nseconds-between-status-checks: 2\n")
    return path.parent


_AMAT = (str(Path(sys.executable).with_name("amat")),)
_SPIKES = (sys.executable, "-m", "amat.cluster.spikes")


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    log: Path,
    *,
    cwd: Path | None = None,
    patience: float = _PATIENCE,
) -> None:
    """Run a command; where it fails raise an error that shows the end of its log."""
    with log.open("wb") as out:
        try:
            result = subprocess.run(
                list(command),
                check=False,
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                timeout=patience,
            )
        except subprocess.TimeoutExpired:
            raise ClusterError(f"{' '.join(command)} did not end in {patience:g} s. {_tail(log)}") from None
    if result.returncode:
        raise ClusterError(f"{' '.join(command)} failed with status {result.returncode}. {_tail(log)}")


def _whole(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text()), dict)
    except (OSError, ValueError):
        return False


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-25:] if log.is_file() else []
    return f"The end of {log}:\n  " + "\n  ".join(lines)
