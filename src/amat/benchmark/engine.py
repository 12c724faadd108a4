# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Run the cells of a matrix through the workflow, on one machine or on a cluster with Slurm."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from amat import paths
from amat.benchmark.matrix import Matrix, Site, read_matrix, read_site
from amat.errors import AmatError
from amat.files import check_writable

__all__ = ["RunsOn", "run_matrix"]

RunsOn = Literal["local", "slurm"]


def run_matrix(
    matrix: Path,
    site: Path,
    output: Path,
    *,
    profile: RunsOn = "local",
    cores: int | None = None,
    jobs: int | None = None,
    image: Path | None = None,
    dry_run: bool = False,
) -> Path:
    """Measure all cells of a matrix that are not measured yet, and report on them.

    On one machine a cell has the machine to itself. A cell that fails is tried once more; the others go on. A run that
    was killed goes on where it was, with the same call.

    Parameters
    ----------
    matrix, site : pathlib.Path
        Files that `amat.benchmark.matrix` reads.
    output : pathlib.Path
        The folder that takes ``cells/NAME.json``, ``logs`` and ``report``.
    profile : {"local", "slurm"}
    cores : int, optional
        Of this machine; all that may be used by default. Has no meaning on Slurm.
    jobs : int, optional
        How many jobs may be in Slurm at a time, in place of the profile's.
    image : pathlib.Path, optional
        Of Apptainer, in which all jobs run; in place of the site's.
    dry_run : bool
        Only say what would be done.

    Returns
    -------
    pathlib.Path
        The folder of the report.

    Raises
    ------
    AmatError
        If a file is wrong, a cell needs more cores than there are, another run uses the folder, cells of another matrix
        are there, or cells failed: they are named with their logs.
    """
    plan, place = read_matrix(matrix), read_site(site, image)
    usable = cores or len(os.sched_getaffinity(0))
    for cell in plan.cells:
        place.nodes(cell)
        if profile == "local" and cell.threads * cell.ranks > usable:
            raise AmatError(
                f"{cell.name} needs {cell.threads * cell.ranks} cores, and {usable} may be used: times of cores that "
                "are shared mean nothing. Choose smaller layouts, or another machine."
            )
    if paths.ROOT is None:
        raise AmatError("The workflow needs a checkout of the project: clone it, and use ./amat there.")
    check_writable(output.absolute())
    lock = FileLock(output / ".lock")
    command = _command(matrix, site, place, output, profile, usable, jobs, dry_run)
    environment = {"PYNEST_QUIET": "1", **os.environ}
    try:
        with lock.acquire(timeout=0):
            _refuse_other_cells(plan, output)
            status = subprocess.run(command, check=False, env=environment).returncode
    except Timeout:
        raise AmatError(f"Another benchmark is running in {output}: wait for it, or name another folder.") from None
    if status:
        raise AmatError(_failure(plan, output))
    return output / "report"


def _refuse_other_cells(plan: Matrix, output: Path) -> None:
    """Refuse a folder in which a cell of the plan has been measured differently: it would count as done."""
    for cell in plan.cells:
        path = output / "cells" / f"{cell.name}.json"
        try:
            found = json.loads(path.read_text())["cell"]
        except (OSError, ValueError, KeyError, TypeError):
            continue  # not measured yet, or damaged, which the report says
        if others := [name for name, value in asdict(cell).items() if found.get(name, value) != value]:
            shown = ", ".join(f"{name} {found[name]} and not {getattr(cell, name)}" for name in others)
            raise AmatError(f"{path} is of another matrix, with {shown}: name another folder, or remove this one.")


def _command(
    matrix: Path,
    site: Path,
    place: Site,
    output: Path,
    profile: RunsOn,
    cores: int,
    jobs: int | None,
    dry_run: bool,
) -> list[str]:
    defaults = {"slurm_partition": place.partition, "slurm_account": place.account, "slurm_extra": place.options}
    given = [f"{name}={shlex.quote(value)}" for name, value in defaults.items() if value]
    on_slurm = [
        *(["--jobs", str(jobs)] if jobs else []),
        *(["--default-resources", *given] if given else []),
        *([] if place.account else ["--slurm-no-account"]),
    ]
    return [
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", str(paths.WORKFLOW / "benchmark.smk")),
        *("--directory", str(output.absolute())),
        *("--workflow-profile", str(paths.WORKFLOW / "profiles" / profile)),
        # What is measured depends on nothing that changes afterwards.
        *("--rerun-triggers", "mtime"),
        *(["--cores", str(cores)] if profile == "local" else on_slurm),
        *(["--dry-run"] if dry_run else []),
        *("--config", f"matrix={matrix.absolute()}", f"site={site.absolute()}", f"alone={profile == 'local'}"),
        *([f"image={place.image}"] if place.image else []),
    ]


def _failure(plan: Matrix, output: Path) -> str:
    """Return which cells are missing, with the last line of each log."""
    missing = [cell.name for cell in plan.cells if not (output / "cells" / f"{cell.name}.json").is_file()]
    if not missing:
        return f"The workflow stopped; see what it says above, and the logs in {output / 'logs'}."
    lines = []
    for name in missing:
        log = output / "logs" / f"{name}.log"
        said = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
        lines.append(f"  {name}: {said[-1] if said else 'not started'} ({log})")
    return (
        f"{len(missing)} of {len(plan.cells)} cells have no result:\n" + "\n".join(lines) + "\n"
        f"The same command measures them alone; `amat benchmark report {output}` reports on the others."
    )
