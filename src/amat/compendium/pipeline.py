# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The pipeline: its configuration, its workflow and the build of the book."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amat import paths
from amat.compendium.provenance import commit, commit_time
from amat.compendium.settings import read_yaml
from amat.errors import AmatError
from amat.files import check_outputs, load_yaml, only_run

__all__ = [
    "PROFILES",
    "build_book",
    "check_config",
    "notebook_parameters",
    "reproduce",
    "run_workflow",
    "step_environment",
]

#: Profiles of the pipeline with their descriptions on pages.
PROFILES: Mapping[str, str] = {
    "quick": "quick",
    "full": "full",
    "shipped": "full, from the tables that the project ships",
}


def reproduce(
    *, cores: int | None = None, config: Path | None = None, profile: str | None = None, dry_run: bool = False
) -> Path:
    """Run the complete workflow.

    Parameters
    ----------
    cores : int, optional
        Processor cores to use; by default all that are available to the process.
    config : pathlib.Path, optional
        A configuration to use instead of ``config/config.yaml``.
    profile : {"quick", "full", "shipped"}, optional
        A profile to use instead of the configuration's.
    dry_run : bool
        Only print what would be done.

    Returns
    -------
    pathlib.Path
        The first page of the book.

    Raises
    ------
    AmatError
        If the configuration is invalid, another run is in progress, a step fails, or SIGTERM stops the run.
    """
    root = paths.require_checkout("The pipeline")
    commit()  # before any work, since git may refuse the checkout
    chosen = (config or paths.CONFIG / "config.yaml").absolute()
    check_config(chosen)
    check_outputs(folders=[root / name for name in ("build", "results", "book/notebooks", "book/generated")])
    command = [
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", str(paths.WORKFLOW / "Snakefile")),
        *("--directory", str(root)),
        *("--workflow-profile", str(paths.WORKFLOW / "profiles" / "local")),
        *("--configfile", str(chosen)),
        *("--cores", str(cores or len(os.sched_getaffinity(0)))),
        *(["--config", f"profile={profile}"] if profile else []),
        *(["--dry-run"] if dry_run else []),
    ]
    if run_workflow(command, root / "build" / "reproduce.lock", "`amat reproduce`", step_environment()):
        raise AmatError(
            "A step of the workflow failed; its log is named above. Fix the cause and run the same command to resume."
        )
    return root / "_build" / "html" / "index.html"


def run_workflow(command: Sequence[str], lock_file: Path, task: str, environment: Mapping[str, str]) -> int:
    """Run Snakemake as the only run in its folder; pass SIGTERM on to it.

    Snakemake inherits the locked file, so the lock lasts as long as Snakemake does, even if this process is killed.

    Parameters
    ----------
    command : sequence of str
    lock_file : pathlib.Path
    task : str
        The task in messages, for `amat.files.only_run`.
    environment : mapping

    Returns
    -------
    int
        Snakemake's exit status.

    Raises
    ------
    AmatError
        If Snakemake is not installed, another run is in progress, or SIGTERM stops the run.
    """
    if importlib.util.find_spec("snakemake") is None:
        raise AmatError("Snakemake is not installed: install it with pip, or use ./amat.")
    stopped = False
    with (
        only_run(lock_file, task) as lock,
        subprocess.Popen(command, env=environment, pass_fds=[lock.fileno()]) as workflow,
    ):
        print(workflow.pid, file=lock, flush=True)

        def stop(number: int, frame: object) -> None:
            nonlocal stopped
            stopped = True
            workflow.send_signal(number)

        before = signal.signal(signal.SIGTERM, stop)
        try:
            status = workflow.wait()
        except KeyboardInterrupt:  # the terminal interrupts Snakemake as well, which then stops its steps
            workflow.wait()
            raise
        finally:
            signal.signal(signal.SIGTERM, before)
    if stopped:
        raise AmatError("The workflow was stopped after its running steps. Run the same command to resume.")
    return status


def check_config(path: Path) -> dict[str, Any]:
    """Read a configuration and check it against the schema.

    Raises
    ------
    AmatError
        If the file cannot be read, or a key or value does not fit the schema.
    """
    schema = load_yaml(paths.CONFIG / "config.schema.yaml", "The schema")
    return read_yaml(path, schema, "The configuration")


def notebook_parameters(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the parameters of a notebook in the configuration's profile.

    Parameters
    ----------
    config : mapping
        The configuration from `check_config`.
    name : str
        The notebook's name without ``.ipynb``.
    """
    parameters = dict(config["notebooks"][name])
    if name not in config["full"]:
        return parameters
    profile = config["profile"]
    if profile != "quick":
        parameters |= config["full"][name]
    if profile == "shipped":
        parameters["shipped"] = f"data/full/{name}"
    return {**parameters, "profile": PROFILES[profile]}


def build_book() -> Path:
    """Build the site with warnings as errors, and return its first page.

    Raises
    ------
    AmatError
        If files from the pipeline are missing, or the build reports an error or a warning.
    """
    root = paths.require_checkout("The book")
    for folder in (paths.BOOK / "notebooks", paths.BOOK / "generated"):
        if not folder.is_dir():
            raise AmatError(f"{folder} is missing: run `amat reproduce`, which also builds the book.")
    shutil.rmtree(root / "_build", ignore_errors=True)
    index = root / "_build" / "html" / "index.html"
    command = ["jupyter-book", "build", str(paths.BOOK), "--all", "-W", "-n", "--keep-going"]
    tool = Path(sys.executable).with_name(command[0])
    if not tool.is_file():
        raise AmatError("Jupyter Book is not installed: install it with pip, or use ./amat.")
    result = subprocess.run(
        [str(tool), *command[1:]],
        check=False,
        cwd=root,
        env=step_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode or not index.is_file():
        raise AmatError("The book could not be built:\n" + "\n".join(result.stdout.splitlines()[-40:]))
    return index


def step_environment() -> dict[str, str]:
    """Return the environment variables of the pipeline's steps.

    NEST prints no banner, each process uses one thread for linear algebra, this Python's commands come first on the
    path, and ``SOURCE_DATE_EPOCH`` is the commit's time (if not set), so that the same commit gives the same pages.
    """
    environment = {"PYNEST_QUIET": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ}
    # NEST ignores this variable and would print a warning, with the time, on the pages.
    environment.pop("OMP_NUM_THREADS", None)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    if "SOURCE_DATE_EPOCH" not in environment:
        environment["SOURCE_DATE_EPOCH"] = str(commit_time() or 0)
    return environment
