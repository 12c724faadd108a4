# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Code for NESTML's targets other than NEST, in the content-addressed cache."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from amat import paths, toolchain
from amat.errors import AmatError
from amat.toolchain.builder import describe_generation, run_nestml
from amat.toolchain.cache import find_or_build
from amat.toolchain.catalogue import FAST_ANALYTIC

__all__ = ["TARGETS", "Generated", "generate"]

_CODE = "code"

#: The simulators of NESTML's targets for point neurons other than NEST, by NESTML's name of the target.
TARGETS = {
    "PYTHON_STANDALONE": "Python alone",
    "NEST_DESKTOP": "NEST Desktop",
    "NEST_GPU": "NEST GPU",
    "GENN": "GeNN",
}


@dataclass(frozen=True)
class Generated:
    """Code that NESTML generated for a target.

    Attributes
    ----------
    target : str
        One of `TARGETS`.
    folder : pathlib.Path
        The folder of the files.
    files : tuple of str
        The names of the files.
    error : str or None
        The error with which NESTML stopped, if any.
    """

    target: str
    folder: Path
    files: tuple[str, ...]
    error: str | None

    def text(self, ending: str) -> str:
        """Return the text of the model's file with an ending."""
        name = f"{toolchain.SHIPPED_MODELS[toolchain.AMAT].source.stem}{ending}"
        return (self.folder / name).read_text(encoding="utf-8")


def generate(target: str, source: Path | None = None) -> Generated:
    """Generate code for a target, if it is not in the cache.

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
    source = source or toolchain.SHIPPED_MODELS[toolchain.AMAT].source
    request = {
        "target": target,
        "source_text": source.read_text(encoding="utf-8"),
        "options": FAST_ANALYTIC,
        **describe_generation(),
    }
    entry = find_or_build(
        paths.module_cache(), f"{source.stem}-{target.lower()}", request, lambda work: _generate(target, source, work)
    )
    files = tuple(Path(path).name for path in entry.files if Path(path).parent == Path(_CODE))
    return Generated(target, entry.folder / _CODE, files, entry.notes["error"])


def _generate(target: str, source: Path, work: Path) -> dict[str, str | None]:
    """Run NESTML in a folder; leave the generated files there, and return its error."""
    code = work / _CODE
    gpu = work / "nest-gpu"
    (gpu / "src").mkdir(parents=True)  # NESTML would register a model for NEST GPU here
    request = {"platform": target, "source": str(source), "target": str(code), "options": FAST_ANALYTIC}
    # For NEST Desktop NESTML imports the code that it has generated in the working folder.
    search = os.pathsep.join(filter(None, (str(work), os.environ.get("PYTHONPATH"))))
    finished = run_nestml(work / "request.json", request, cwd=work, env={"NEST_GPU": str(gpu), "PYTHONPATH": search})
    if finished.returncode < 0:
        raise AmatError(
            f"NESTML was killed by signal {-finished.returncode} while it generated code for {target}: check that "
            "there is enough memory, and try again."
        )
    messages = finished.stderr.strip().replace(f"{work}/", "") or f"status {finished.returncode}"
    error = messages if finished.returncode else None
    if not any(path.is_file() for path in code.glob("*")):
        raise AmatError(f"NESTML generated nothing for {target}: {error or finished.stdout[-500:]}")
    for path in work.iterdir():
        if path != code:
            shutil.rmtree(path)
    return {"error": error}
