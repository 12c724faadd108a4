# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Run of all cells of a matrix through the workflow, on one machine or on a cluster with Slurm."""

import os
import shlex
import sys
import tempfile
from pathlib import Path
from typing import Literal

from amat import paths
from amat.benchmark.cell import refuse_other_settings
from amat.benchmark.matrix import Matrix, Site, read_matrix, read_site
from amat.benchmark.measurements import LOCK
from amat.compendium.pipeline import run_workflow
from amat.compendium.provenance import commit
from amat.errors import AmatError
from amat.files import check_outputs

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
    """Measure all cells of a matrix that are not measured yet, and write a report.

    On one machine cells run one at a time. A cell that fails is repeated once while the others continue. The same call
    resumes a killed run.

    Parameters
    ----------
    matrix, site : pathlib.Path
        Files for `amat.benchmark.matrix`.
    output : pathlib.Path
        The folder for ``cells/NAME.json``, ``logs`` and ``report``.
    profile : {"local", "slurm"}
    cores : int, optional
        Of this machine; all usable cores by default. Not with Slurm.
    jobs : int, optional
        Largest number of jobs in Slurm at a time; replaces the profile's. Only with Slurm.
    image : pathlib.Path, optional
        Apptainer image in which all jobs run; replaces the site's.
    dry_run : bool
        Only list the jobs.

    Returns
    -------
    pathlib.Path
        The folder of the report.

    Raises
    ------
    AmatError
        If a file is wrong, a cell needs more cores than the machine has, another run uses the folder, the folder has
        cells of another matrix, or cells failed; the message names them with their logs.
    """
    paths.require_checkout("The benchmark workflow")
    if profile == "slurm" and cores is not None:
        raise AmatError(f"--cores {cores} has no effect with Slurm, where the cells' layouts count: leave it out.")
    if profile == "local" and jobs is not None:
        raise AmatError(f"--jobs {jobs} has no effect on this machine: leave it out, or add --executor slurm.")
    commit()  # before any work, since git may refuse the checkout
    plan, place = read_matrix(matrix), read_site(site, image)
    usable = cores or len(os.sched_getaffinity(0))
    _check_layouts(plan, place, profile, usable)
    check_outputs(output / LOCK, folders=[output, *(output / name for name in ("cells", "logs", "report"))])
    if dry_run and not output.exists():  # Snakemake would leave folders
        with tempfile.TemporaryDirectory() as folder:
            return run_matrix(
                matrix, site, Path(folder), profile=profile, cores=cores, jobs=jobs, image=image, dry_run=True
            )
    command = _command(matrix, site, place, output, profile, usable, jobs, dry_run)
    environment = {"PYNEST_QUIET": "1", **os.environ}
    for cell in plan.cells:
        refuse_other_settings(cell, output / "cells" / f"{cell.name}.json")
    if run_workflow(command, output / LOCK, "benchmark", environment):
        raise AmatError(_failure(plan, output))
    return output / "report"


def _check_layouts(plan: Matrix, place: Site, profile: RunsOn, usable: int) -> None:
    """Refuse cells that need more cores than a node or this machine has."""
    for cell in plan.cells:
        place.nodes(cell)
        if profile == "local" and cell.threads * cell.ranks > usable:
            raise AmatError(
                f"{cell.name} needs {cell.threads * cell.ranks} cores, but {usable} are usable: times on shared cores "
                "are meaningless. Choose smaller layouts, or another machine."
            )


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
        # A finished cell stays valid, whatever changes afterwards.
        *("--rerun-triggers", "mtime"),
        *(["--cores", str(cores)] if profile == "local" else on_slurm),
        *(["--dry-run"] if dry_run else []),
        *("--config", f"matrix={matrix.absolute()}", f"site={site.absolute()}", f"alone={profile == 'local'}"),
        *([f"image={place.image}"] if place.image else []),
    ]


def _failure(plan: Matrix, output: Path) -> str:
    """Return a message with the missing cells and the last line of each log."""
    missing = [cell.name for cell in plan.cells if not (output / "cells" / f"{cell.name}.json").is_file()]
    if not missing:
        return f"The workflow stopped; see its messages above, and the logs in {output / 'logs'}."
    lines = []
    for name in missing:
        log = output / "logs" / f"{name}.log"
        logged = log.read_text(errors="replace").strip().splitlines() if log.is_file() else []
        lines.append(f"  {name}: {logged[-1] if logged else 'not started'} ({log})")
    return (
        f"{len(missing)} of {len(plan.cells)} cells have no result:\n" + "\n".join(lines) + "\n"
        f"Repeat the command to measure only these; `amat benchmark report {output}` reports on the others."
    )
