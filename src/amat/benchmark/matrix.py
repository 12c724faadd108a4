# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Matrices of benchmark cells, and sites that run them, read from YAML files with a schema."""

import random
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from amat import paths
from amat.benchmark.cell import Cell
from amat.compendium.settings import read_yaml
from amat.errors import AmatError
from amat.files import load_yaml

__all__ = ["Matrix", "Site", "find_matrix", "find_site", "read_matrix", "read_site"]


#: The keys of a set that give the size of its networks.
_SIZES = {"neurons", "neurons_per_thread", "scale", "indegree"}


@dataclass(frozen=True)
class Matrix:
    """The cells of a benchmark.

    Attributes
    ----------
    cells : tuple of Cell
        In the order in which they run: random, so that no drift of the machine favours a model, and reproducible, so
        that a stopped run resumes in the same order.
    """

    cells: tuple[Cell, ...]

    @property
    def modules(self) -> list[str]:
        """The names of the models that must be compiled."""
        return sorted({cell.model for cell in self.cells if cell.contender.build != "nest"})


@dataclass(frozen=True)
class Site:
    """A machine or a cluster and the way it starts cells.

    Attributes
    ----------
    launcher : str
        Prefix of the command of a cell with more than one rank; ``{ranks}`` and ``{threads}`` are filled in.
    prologue : tuple of str
        Shell lines that run before the command: modules to load, variables to set.
    partition, account, options : str, optional
        For Slurm.
    cores_per_node : int, optional
        Ranks are spread over as many nodes as they need; without it Slurm decides.
    memory_per_core : int
        In MB.
    minutes : int
        Time limit of a job.
    image : str, optional
        Apptainer image, built from ``apptainer.def``, in which every job runs.
    """

    launcher: str
    prologue: tuple[str, ...] = field(default=())
    partition: str | None = None
    account: str | None = None
    cores_per_node: int | None = None
    memory_per_core: int = 2000
    minutes: int = 60
    options: str = ""
    image: str | None = None

    def amat(self, folder: Path) -> str:
        """Return the shell command that runs ``amat`` in a job.

        Parameters
        ----------
        folder : pathlib.Path
            Working directory of the jobs, which is bound into an image.
        """
        if self.image is None:
            return shlex.quote(str(Path(sys.executable).with_name("amat")))
        return shlex.join(["apptainer", "run", "--bind", str(folder), self.image])

    def nodes(self, cell: Cell) -> int | None:
        """Return the number of nodes that a cell needs; None if Slurm decides."""
        if self.cores_per_node is None:
            return None
        per_node = self.cores_per_node // cell.threads
        if not per_node:
            raise AmatError(
                f"{cell.name} has {cell.threads} threads per rank, but a node has {self.cores_per_node} cores: "
                "choose layouts with fewer threads, or correct cores_per_node of the site."
            )
        return -(-cell.ranks // per_node)

    def start(self, cell: Cell) -> str:
        """Return the prefix of the command of a cell; empty for one rank."""
        return self.launcher.format(ranks=cell.ranks, threads=cell.threads) if cell.ranks > 1 else ""


def read_matrix(path: Path) -> Matrix:
    """Read a matrix. Its cells are the product of all lists of each set.

    Parameters
    ----------
    path : pathlib.Path

    Returns
    -------
    Matrix

    Raises
    ------
    AmatError
        If the file cannot be read, or has a cell that cannot be measured.
    """
    plan = read_yaml(path, _schema("matrix"), "The matrix")
    cells: dict[str, Cell] = {}
    for entry in plan["sets"]:
        scales = entry.get("scale") or [None]
        if entry["workload"].startswith("microcircuit") != ("scale" in entry) or {"scale", "indegree"} <= entry.keys():
            raise AmatError(
                f"{path}: the size of {entry['workload']} is set by "
                f"{'neurons' if 'scale' in entry else 'scale'}, not by {', '.join(sorted(_SIZES & entry.keys()))}."
            )
        sizes = entry.get("neurons") or entry.get("neurons_per_thread") or [Cell.neurons]
        layouts = [[int(number) for number in layout.split("x")] for layout in entry["layouts"]]
        factors: Sequence[Sequence[Any]] = (
            entry.get("models") or plan["models"],
            sizes,
            entry.get("indegree") or [Cell.indegree],
            layouts,
            entry.get("seeds") or plan["seeds"],
            scales,
        )
        for model, size, indegree, (ranks, threads), seed, scale in product(*factors):
            cell = Cell(
                model=model,
                workload=entry["workload"],
                neurons=size * ranks * threads if "neurons_per_thread" in entry else size,
                indegree=indegree,
                threads=threads,
                ranks=ranks,
                seed=seed,
                duration=float(entry.get("time", plan["time"])),
                resolution=float(plan.get("resolution", Cell.resolution)),
                scale=scale,
            )
            if cells.setdefault(cell.name, cell) != cell:
                raise AmatError(f"{path} has the cell {cell.name} twice with different times: keep one of them.")
    ordered = sorted(cells.values(), key=lambda cell: cell.name)
    random.Random(0).shuffle(ordered)
    return Matrix(tuple(ordered))


def read_site(path: Path, image: Path | None = None) -> Site:
    """Read the file of a site.

    Parameters
    ----------
    path : pathlib.Path
    image : pathlib.Path, optional
        Replaces the image in the file.

    Raises
    ------
    AmatError
        If the file cannot be read or has wrong keys, or the image is missing.
    """
    entries = read_yaml(path, _schema("site"), "The site")
    if image := image or (Path(entries["image"]) if "image" in entries else None):
        if not image.is_file():
            raise AmatError(f"There is no image {image}: build it from apptainer.def, or correct its path.")
        entries["image"] = str(image.absolute())
    try:
        entries["launcher"].format(ranks=1, threads=1)
    except (KeyError, IndexError, ValueError) as error:
        raise AmatError(f"The launcher in {path} may contain {{ranks}} and {{threads}} only, got {error}.") from error
    return Site(**{**entries, "prologue": tuple(entries.get("prologue", ()))})


def find_matrix(name: str) -> Path:
    """Return the file of a matrix: one in ``config/benchmarks`` by its name, or any file by its path."""
    return _find(name, paths.CONFIG / "benchmarks", "matrix")


def find_site(name: str) -> Path:
    """Return the file of a site: one in ``config/sites`` by its name, or any file by its path."""
    return _find(name, paths.CONFIG / "sites", "site")


def _schema(kind: str) -> dict[str, Any]:
    schema = load_yaml(paths.CONFIG / f"{kind}.schema.yaml", "The schema")
    assert isinstance(schema, dict)
    return schema


def _find(name: str, folder: Path, kind: str) -> Path:
    paths.require_checkout(f"The benchmark's {kind}")
    if re.fullmatch(r"[\w-]+", name):
        path = folder / f"{name}.yaml"
        if path.is_file():
            return path
    if (path := Path(name)).is_file():
        return path.absolute()
    known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
    raise AmatError(f"There is no {kind} {name!r}: name one of {known}, or a file.")
