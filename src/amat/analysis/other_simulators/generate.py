# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Generate code for NESTML's other targets, with a cache keyed by what the code is made from."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock

from amat import paths, toolchain
from amat.analysis.other_simulators import worker
from amat.errors import AmatError
from amat.files import write_json
from amat.toolchain.catalogue import FAST_ANALYTIC

__all__ = ["TARGETS", "Generated", "generate"]

#: NESTML's targets for point neurons beside NEST itself, as NESTML names them, with the simulators that they are for.
TARGETS = {
    "PYTHON_STANDALONE": "Python alone",
    "NEST_DESKTOP": "NEST Desktop",
    "NEST_GPU": "NEST GPU",
    "GENN": "GeNN",
}

_RECORD = "generated.json"
#: The script that runs NESTML in its own process.
_WORKER = Path(worker.__file__)


@dataclass(frozen=True)
class Generated:
    """What NESTML made for a target.

    Attributes
    ----------
    target : str
        One of `TARGETS`.
    folder : pathlib.Path
        Where the files are.
    files : tuple of str
        Their names.
    error : str or None
        What NESTML stopped with, if it did.
    """

    target: str
    folder: Path
    files: tuple[str, ...]
    error: str | None

    def text(self, ending: str) -> str:
        """Return the text of the model's file with an ending."""
        name = f"{toolchain.MODELS[toolchain.AMAT].source.stem}{ending}"
        return (self.folder / name).read_text(encoding="utf-8")


def generate(target: str, source: Path | None = None) -> Generated:
    """Generate code for a target; what is in the cache of modules is not made again.

    Parameters
    ----------
    target : str
        One of `TARGETS`.
    source : pathlib.Path, optional
        The NESTML file; by default AMAT's.

    Raises
    ------
    AmatError
        If there is no such target, nothing was generated, or NESTML was killed.
    """
    if target not in TARGETS:
        raise AmatError(f"There is no target {target!r}: choose one of {', '.join(TARGETS)}.")
    source = source or toolchain.MODELS[toolchain.AMAT].source
    content = [target, source.read_text(encoding="utf-8"), _WORKER.read_text(encoding="utf-8")]
    content.append(json.dumps(FAST_ANALYTIC, sort_keys=True))
    content += [version(package) for package in ("nestml", "odetoolbox", "sympy")]
    key = sha256(json.dumps(content).encode()).hexdigest()[:16]
    folder = paths.module_cache() / f"{source.stem}-{target.lower()}-{key}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / _RECORD).is_file():
            shutil.rmtree(folder, ignore_errors=True)
            _generate(target, source, folder)
    record = json.loads((folder / _RECORD).read_text())
    return Generated(target, folder, tuple(record["files"]), record["error"])


def _generate(target: str, source: Path, folder: Path) -> None:
    """Run NESTML beside the cache's entry, and move the result into its place at the end."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as work:
        code = Path(work) / "code"
        (Path(work) / "nest-gpu" / "src").mkdir(parents=True)  # where NESTML would register a model for NEST GPU
        request = Path(work) / "request.json"
        write_json(request, {"source": str(source), "target": target, "code": str(code)})
        command = [sys.executable, str(_WORKER), str(request)]
        # For NEST Desktop NESTML imports what it has generated in the working folder.
        search = os.pathsep.join(filter(None, (work, os.environ.get("PYTHONPATH"))))
        environment = {
            **os.environ,
            "NEST_GPU": str(Path(work) / "nest-gpu"),
            "PYNEST_QUIET": "1",
            "PYTHONPATH": search,
        }
        finished = subprocess.run(command, check=False, cwd=work, env=environment, capture_output=True, text=True)
        if finished.returncode < 0:
            raise AmatError(
                f"NESTML was killed by signal {-finished.returncode} while it generated for {target}: see that memory "
                "suffices, and try again."
            )
        said = finished.stderr.strip().replace(f"{work}/", "") or f"status {finished.returncode}"
        error = said if finished.returncode else None
        files = sorted(path.name for path in code.glob("*") if path.is_file())
        if not files:
            raise AmatError(f"NESTML generated nothing for {target}: {error or finished.stdout[-500:]}")
        write_json(code / _RECORD, {"files": files, "error": error})
        code.rename(folder)
