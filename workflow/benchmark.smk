# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

# The workflow of `amat benchmark run`, on one machine or on Slurm: modules -> cells -> report.

import re
import shlex
from pathlib import Path

from amat.benchmark.matrix import read_matrix, read_site

MATRIX = read_matrix(Path(config["matrix"]))
SITE = read_site(Path(config["site"]), Path(config["image"]) if "image" in config else None)
CELLS = {cell.name: cell for cell in MATRIX.cells}
# Snakemake starts the jobs of the highest priority first.
PRIORITIES = {cell.name: len(CELLS) - position for position, cell in enumerate(MATRIX.cells)}
AMAT = SITE.amat(Path.cwd())
PROLOGUE = "\n".join(SITE.prologue)


def cell_arguments(cell, output):
    """Return the arguments of `amat benchmark cell` for a cell."""
    arguments = {
        "model": cell.model,
        "workload": cell.workload,
        **({"neurons": cell.neurons} if cell.scale is None else {"scale": cell.scale}),
        **({} if cell.workload == "neurons" or cell.scale is not None else {"indegree": cell.indegree}),
        "threads": cell.threads,
        "ranks": cell.ranks,
        "seed": cell.seed,
        "duration": cell.duration,
        "resolution": cell.resolution,
        "output": output,
    }
    return " ".join(f"--{name} {shlex.quote(str(value))}" for name, value in arguments.items())


def placement():
    """Return the number of nodes as a resource, if the site states the size of its nodes."""
    if SITE.cores_per_node is None:
        return {}
    return {"nodes": lambda wildcards: SITE.nodes(CELLS[wildcards.name])}


def cores(wildcards):
    """Return the cores of a rank; all cores if cells must run one at a time."""
    return workflow.cores if config["alone"] else CELLS[wildcards.name].threads


wildcard_constraints:
    name="|".join(map(re.escape, CELLS)),

rule all:
    default_target: True
    input:
        expand("cells/{name}.json", name=CELLS),
        "report/cells.csv",
    message:
        "All cells are measured"


rule modules:
    output:
        "modules.json",
    log:
        "logs/modules.log",
    threads: 2
    resources:
        mem_mb=2 * SITE.memory_per_core,
        runtime=SITE.minutes,
    params:
        models=" ".join(MATRIX.modules),
        prologue=PROLOGUE,
    message:
        "Compiling models for NEST"
    shell:
        """
        {params.prologue}
        {AMAT} build {params.models} --record {output} > {log} 2>&1
        """


rule cell:
    input:
        # Only existence matters: finished cells are not measured again.
        [ancient("modules.json")] if MATRIX.modules else [],
    output:
        "cells/{name}.json",
    log:
        "logs/{name}.log",
    threads: cores
    retries: 1
    priority: lambda wildcards: PRIORITIES[wildcards.name]
    resources:
        tasks=lambda wildcards: CELLS[wildcards.name].ranks,
        cpus_per_task=lambda wildcards: CELLS[wildcards.name].threads,
        mem_mb_per_cpu=SITE.memory_per_core,
        runtime=SITE.minutes,
        mpi=lambda wildcards: "srun" if CELLS[wildcards.name].ranks > 1 else "",
        **placement(),
    params:
        prologue=PROLOGUE,
        start=lambda wildcards: SITE.start(CELLS[wildcards.name]),
        arguments=lambda wildcards, output: cell_arguments(CELLS[wildcards.name], output[0]),
    message:
        "Measuring {wildcards.name}"
    shell:
        """
        {params.prologue}
        {params.start} {AMAT} benchmark cell {params.arguments} > {log} 2>&1
        """


rule report:
    input:
        expand("cells/{name}.json", name=CELLS),
    output:
        "report/cells.csv",
    log:
        "logs/report.log",
    resources:
        mem_mb=2 * SITE.memory_per_core,
        runtime=SITE.minutes,
    params:
        prologue=PROLOGUE,
    message:
        "Writing the report"
    shell:
        """
        {params.prologue}
        {AMAT} benchmark report . --output report > {log} 2>&1
        """
