# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The pipeline's parts: notebooks run by papermill, the book, and the workflow that joins them."""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from amat import paths
from amat.compendium.provenance import commit_time, provenance_record
from amat.compendium.settings import read_yaml
from amat.errors import AmatError
from amat.files import check_writable, replacing, write_json

__all__ = ["PROFILES", "build_book", "check_config", "execute_notebook", "notebook_parameters", "reproduce"]

#: How much the pipeline computes, and what pages say of it.
PROFILES: Mapping[str, str] = {
    "quick": "quick",
    "full": "full",
    "shipped": "full, from the tables that the project ships",
}


def reproduce(
    *, cores: int | None = None, config: Path | None = None, profile: str | None = None, dry_run: bool = False
) -> Path:
    """Run the whole workflow.

    Parameters
    ----------
    cores : int, optional
        Processor cores to use; all that may be used by default.
    config : pathlib.Path, optional
        A configuration in place of ``config/config.yaml``.
    profile : {"quick", "full", "shipped"}, optional
        In place of the configuration's.
    dry_run : bool
        Only say what would be done.

    Returns
    -------
    pathlib.Path
        The first page of the book.

    Raises
    ------
    AmatError
        If the configuration is wrong, another run is under way, a step fails, or SIGTERM stops the run.
    """
    root = _root()
    chosen = (config or paths.CONFIG / "config.yaml").absolute()
    check_config(chosen)
    for folder in ("build", "results", "book/notebooks", "book/generated"):
        check_writable(root / folder)
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
    _run_workflow(command, root / "build" / "reproduce.lock")
    return root / "_build" / "html" / "index.html"


def _run_workflow(command: Sequence[str], lock_file: Path) -> None:
    """Run Snakemake, alone in its folder; stop it where this process is asked to end.

    The lock belongs to an open file that Snakemake inherits, so that it lasts as long as Snakemake does, whatever
    becomes of this process.
    """
    stopped = False
    with lock_file.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AmatError("Another `amat reproduce` is running in this folder: wait for it, or stop it.") from None
        with subprocess.Popen(command, env=_environment(), pass_fds=[lock.fileno()]) as workflow:

            def stop(number: int, frame: object) -> None:
                nonlocal stopped
                stopped = True
                workflow.send_signal(number)

            before = signal.signal(signal.SIGTERM, stop)
            try:
                status = workflow.wait()
            finally:
                signal.signal(signal.SIGTERM, before)
    if stopped:
        raise AmatError("The workflow was stopped after the steps that ran; the same command goes on from there.")
    if status:
        raise AmatError(
            "The workflow stopped at a step that failed; its log is named above. "
            "When the cause is mended, the same command goes on from there."
        )


def check_config(path: Path) -> dict[str, Any]:
    """Return a configuration that fits the schema.

    Raises
    ------
    AmatError
        If the file cannot be read, or has a key or value that the schema does not know.
    """
    schema = yaml.safe_load((paths.CONFIG / "config.schema.yaml").read_text())
    return read_yaml(path, schema, "The configuration")


def notebook_parameters(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the parameters of a notebook in the configuration's profile.

    Parameters
    ----------
    config : mapping
        As `check_config` returns it.
    name : str
        The notebook's, without an ending.
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


def execute_notebook(
    notebook: Path, executed: Path, results: Path, parameters: Mapping[str, Any], modules: Mapping[str, Any]
) -> None:
    """Run a notebook with papermill, and write it and its provenance whole.

    Times and identifiers that differ from run to run are taken out of the executed notebook, so that the same
    inputs give the same file; when it ran and for how long stands in ``run_time.json`` beside the results. Where its
    text or the description of a figure says ``{{ name }}``, the parameter of that name is put in.

    Parameters
    ----------
    notebook, executed : pathlib.Path
        The notebook, and where it goes with its outputs.
    results : pathlib.Path
        The folder that the notebook writes its tables and figures to; given to it as ``results``.
    parameters : mapping
        The notebook's parameters.
    modules : mapping
        Keys and hashes of the compiled modules, for the record.

    Raises
    ------
    AmatError
        If a cell fails; the message shows the error, and nothing is written.
    """
    import nbformat
    import papermill
    from papermill.exceptions import PapermillExecutionError

    results.mkdir(parents=True, exist_ok=True)
    started, clock = datetime.now(UTC), time.monotonic()
    with replacing(executed) as temporary:
        try:
            papermill.execute_notebook(
                notebook,
                temporary,
                {**parameters, "results": str(results)},
                kernel_name="python3",
                cwd=str(_root()),
                progress_bar=False,
            )
        except PapermillExecutionError as error:
            raise AmatError(
                f"{notebook.name}, cell {error.exec_count}: {error.ename}: {error.evalue}\n{error}"
            ) from error
        finished = nbformat.read(temporary, as_version=4)  # type: ignore[no-untyped-call]
        _strip(finished)
        _fill_in(finished, parameters)
        nbformat.write(finished, temporary)  # type: ignore[no-untyped-call]
    write_json(
        results / "run_time.json",
        {"started": f"{started:%Y-%m-%dT%H:%M:%SZ}", "seconds": round(time.monotonic() - clock, 1)},
    )
    write_json(
        results / "provenance.json",
        provenance_record(notebook=notebook.name, parameters=dict(parameters), modules=dict(modules)),
    )


def _strip(notebook: Any) -> None:
    """Take out what differs between two runs of the same notebook, and hide the parameters that were put in."""
    notebook.metadata.pop("papermill", None)
    removed = any({"parameters", "remove-input"} <= set(cell.metadata.get("tags", [])) for cell in notebook.cells)
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell.id = f"injected-{number}"
            cell.metadata["tags"] = ["injected-parameters", "remove-input" if removed else "hide-input"]
        if "outputs" in cell:
            cell.outputs = _join_streams(cell.outputs)
        for output in cell.get("outputs", []):
            if "text/plain" in output.get("data", {}):
                # Python's default representation tells where in memory an object lay.
                output.data["text/plain"] = re.sub(r" at 0x[0-9a-f]+>", ">", output.data["text/plain"])


def _join_streams(outputs: list[Any]) -> list[Any]:
    """Return outputs with what was printed in one piece: in how many it comes depends on the time between them."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _fill_in(notebook: Any, parameters: Mapping[str, Any]) -> None:
    """Put parameters into the text of a notebook, and into the descriptions of its figures."""
    for cell in notebook.cells:
        image = cell.metadata.get("mystnb", {}).get("image", {})
        for name, value in parameters.items():
            placeholder = f"{{{{ {name} }}}}"
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace(placeholder, str(value))
            if "alt" in image:
                image["alt"] = image["alt"].replace(placeholder, str(value))


def build_book() -> Path:
    """Build the site, all warnings being errors, and return its first page.

    Raises
    ------
    AmatError
        If a page lacks what the pipeline makes, or the build gives a warning.
    """
    root = _root()
    for made in (paths.BOOK / "notebooks", paths.BOOK / "generated"):
        if not made.is_dir():
            raise AmatError(f"{made} is missing: `amat reproduce` makes it, and then the book.")
    shutil.rmtree(root / "_build", ignore_errors=True)
    index = root / "_build" / "html" / "index.html"
    command = ["jupyter-book", "build", str(paths.BOOK), "--all", "-W", "-n", "--keep-going"]
    tool = Path(sys.executable).with_name(command[0])
    result = subprocess.run(
        [str(tool), *command[1:]],
        check=False,
        cwd=root,
        env=_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if result.returncode or not index.is_file():
        raise AmatError("The book could not be built:\n" + "\n".join(result.stdout.splitlines()[-40:]))
    return index


def _environment() -> dict[str, str]:
    """Return the environment of the steps: quiet, one thread a process, and the same pages from the same commit."""
    environment = {"PYNEST_QUIET": "1", "OPENBLAS_NUM_THREADS": "1", **os.environ}
    # NEST ignores it, and says so on the pages, with the time.
    environment.pop("OMP_NUM_THREADS", None)
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}"
    if "SOURCE_DATE_EPOCH" not in environment:
        environment["SOURCE_DATE_EPOCH"] = str(commit_time() or 0)
    return environment


def _root() -> Path:
    if paths.ROOT is None:
        raise AmatError("The pipeline needs a checkout of the project: clone it, and use ./amat there.")
    return paths.ROOT
