# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Other simulators for comparison: C++ programs that Brian2 generates, and Arbor.

Each runs in a separate process, since it may need other versions of packages than NEST and NESTML. Brian2's program is
compiled once, with its default compiler options, and run in each round. Both report the time of the simulation without
that of starting up and connecting.
"""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from amat.benchmark import arbor_network, brian_standalone
from amat.benchmark.families import FAMILIES, Contender
from amat.benchmark.kernel import RESOLUTION, WARM_UP
from amat.benchmark.network import BalancedNetwork
from amat.errors import AmatError

__all__ = ["NO_BRIAN", "ArborProgram", "BrianProgram", "network_request", "peer", "peer_version"]

#: Names of the simulators in tables.
_LABELS = {"brian2": "Brian2", "arbor": "Arbor"}

_ADVICE = (
    "It may need other versions of NumPy than this project: make an environment for it (python3 -m venv {0}-env && "
    "{0}-env/bin/pip install {1}), and name it: --{0} {0}-env/bin/python"
)
_PACKAGES = {"brian2": "brian2 'numpy<2.4'", "arbor": "arbor"}
#: The message of a benchmark without Brian2.
NO_BRIAN = f"Brian2 is skipped, since Python cannot import it here. {_ADVICE.format('brian2', _PACKAGES['brian2'])}"


def peer(name: str, family: str, version: str) -> Contender:
    """Return a simulator, ``"brian2"`` or ``"arbor"``, as a contender with its version in place of a module."""
    return Contender(name, family, name, _LABELS[name], version)


def peer_version(name: str, python: str, *, required: bool = False) -> str | None:
    """Return the version of Brian2 or Arbor that an interpreter can import, or None.

    Parameters
    ----------
    name : {"brian2", "arbor"}
    python : str
    required : bool

    Raises
    ------
    AmatError
        If it is required, and cannot be imported.
    """
    command = [python, "-c", f"import {name}; print({name}.__version__)"]
    with contextlib.suppress(OSError):
        finished = subprocess.run(command, check=False, capture_output=True, text=True)
        if finished.returncode == 0:
            return finished.stdout.split()[-1]
    if required:
        raise AmatError(f"{python} cannot import {_LABELS[name]}. {_ADVICE.format(name, _PACKAGES[name])}")
    return None


def network_request(family: str, network: BalancedNetwork, indegree: int) -> dict[str, Any]:
    """Return the parameters of a network's neurons and synapses for a program.

    Parameters
    ----------
    family : str
    network : BalancedNetwork
    indegree : int
        Recurrent weights are scaled inversely to it.
    """
    scale = network.indegree / indegree
    return {
        "parameters": {**FAMILIES[family].base, **network.parameters, "I_e": 0.0},
        "indegree": indegree,
        "network": {
            "input": network.weight,
            "weight": scale * network.weight,
            "inhibition": scale * network.inhibition,
            "external_rate": network.external_rate,
            "delay": network.delay,
        },
    }


class ArborProgram:
    """A balanced network of leaky integrate-and-fire neurons in Arbor.

    Parameters
    ----------
    python : str
        An interpreter that can import the package.
    folder : pathlib.Path
        An empty folder.
    request : mapping
        ``family``, ``neurons``, ``parameters`` (of all neurons, by NESTML's names), ``duration`` (timed model time in
        ms), and for a network ``seed``, ``threads`` and the result of `network_request`.
    """

    def __init__(self, python: str, folder: Path, request: Mapping[str, Any]) -> None:
        # Programs run in another working directory, so that a relative path must be made absolute.
        self.python = str(Path(shutil.which(python) or python).absolute())
        self.folder = folder
        self.request = {"warm_up": WARM_UP, "resolution": RESOLUTION, **request}

    def measure(self) -> dict[str, Any]:
        """Run the program and return its time and spikes.

        Returns
        -------
        dict
            ``seconds``; ``real_time_factor`` and ``cpu_factor``, wall-clock and processor time per second of model
            time; ``ns`` and ``cpu_ns`` per neuron and step; ``spikes`` and ``rate``.

        Raises
        ------
        AmatError
            If the program fails.
        """
        found = self._simulate()
        seconds, cpu, spikes = found["seconds"], found["cpu_seconds"], found["spikes"]
        neurons, duration = self.request["neurons"], self.request["duration"]
        updates = neurons * (duration / RESOLUTION)
        return {
            "seconds": seconds,
            "real_time_factor": 1e3 * seconds / duration,
            "cpu_factor": 1e3 * cpu / duration,
            "ns": 1e9 * seconds / updates,
            "cpu_ns": 1e9 * cpu / updates,
            "spikes": spikes,
            "rate": 1e3 * spikes / neurons / duration,
        }

    def _simulate(self) -> dict[str, Any]:
        self._run_script(arbor_network.__file__, self.request)
        found: dict[str, Any] = json.loads((self.folder / "measured.json").read_text())
        return found

    def _run_script(self, script: str, request: Mapping[str, Any]) -> None:
        """Run a script of this package, which must not import the package, with a file of its request."""
        file = self.folder / "request.json"
        file.write_text(json.dumps(request))
        self._run([self.python, script, str(file)], self.folder)

    @staticmethod
    def _run(command: list[str], folder: Path) -> None:
        finished = subprocess.run(
            command, check=False, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if finished.returncode:
            output = "\n  ".join(finished.stdout.splitlines()[-10:])
            raise AmatError(f"The program failed ({command[0]}); name another Python:\n  {output}")


class BrianProgram(ArborProgram):
    """A program that Brian2 generates for neurons without input or for a balanced network.

    It is compiled when it is first measured. The parameters are those of `ArborProgram`.
    """

    def _simulate(self) -> dict[str, Any]:
        program = self.folder / "program"
        if not program.is_dir():
            self._run_script(brian_standalone.__file__, {**self.request, "folder": str(program)})
        self._run(["./main"], program)
        results = program / "results"
        counts = next(results.glob("_array_neurongroup_n_spikes_*"))
        return {
            "seconds": float((results / "last_run_info.txt").read_text().split()[0]),
            "cpu_seconds": float((results / "cpu_seconds.txt").read_text()),
            "spikes": int(np.fromfile(counts, dtype=np.int32).sum()),
        }
