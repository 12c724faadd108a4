# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The same AMAT neurons as a C++ program that Brian2 generates, for comparison.

Brian2 runs in a separate process, since it may need other versions of packages than NEST and NESTML. Its program is
compiled once, with Brian2's default compiler options, and run in each round. It reports the time of the simulation
without that of starting up.
"""

import contextlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from amat.benchmark import brian_standalone
from amat.benchmark.families import Contender
from amat.benchmark.kernel import RESOLUTION, WARM_UP
from amat.errors import AmatError

__all__ = ["BRIAN", "NO_BRIAN", "BrianProgram", "brian_version"]

#: Brian2 as a contender.
BRIAN = Contender("brian2", "amat", "brian2", "Brian2")


_ADVICE = (
    "It may need other versions of NumPy than this project: make an environment for it (python3 -m venv brian2-env && "
    "brian2-env/bin/pip install brian2 'numpy<2.4'), and name it: --brian2 brian2-env/bin/python"
)
#: The message of a benchmark without Brian2.
NO_BRIAN = f"Brian2 is skipped, since Python cannot import it here. {_ADVICE}"


def brian_version(python: str, *, required: bool = False) -> str | None:
    """Return the version of Brian2 that an interpreter can import, or None.

    Raises
    ------
    AmatError
        If it is required, and cannot be imported.
    """
    command = [python, "-c", "import brian2; print(brian2.__version__)"]
    with contextlib.suppress(OSError):
        finished = subprocess.run(command, check=False, capture_output=True, text=True)
        if finished.returncode == 0:
            return finished.stdout.split()[-1]
    if required:
        raise AmatError(f"{python} cannot import Brian2. {_ADVICE}")
    return None


class BrianProgram:
    """A program that Brian2 generates for AMAT neurons without input; compiled when it is first measured.

    Parameters
    ----------
    python : str
        An interpreter that can import Brian2.
    folder : pathlib.Path
        An empty folder for the program.
    neurons : int
    parameters : mapping
        Of all neurons, by NESTML's names.
    duration : float
        Timed model time in ms.
    """

    def __init__(
        self, python: str, folder: Path, neurons: int, parameters: Mapping[str, float], duration: float
    ) -> None:
        # The program is compiled in another working directory, so that a relative path must be made absolute.
        self.python = str(Path(shutil.which(python) or python).absolute())
        self.folder = folder
        self.neurons, self.parameters, self.duration = neurons, dict(parameters), duration

    def measure(self) -> dict[str, Any]:
        """Run the program and return the same quantities as `amat.benchmark.update.measure_update`.

        Raises
        ------
        AmatError
            If Brian2 cannot compile the program, or the program fails.
        """
        program = self.folder / "program"
        if not program.is_dir():
            self._compile(program)
        self._run(["./main"], program)
        seconds = float((program / "results" / "last_run_info.txt").read_text().split()[0])
        counts = next((program / "results").glob("_array_neurongroup_n_spikes_*"))
        spikes = int(np.fromfile(counts, dtype=np.int32).sum())
        return {
            "seconds": seconds,
            "ns": 1e9 * seconds / self.neurons / (self.duration / RESOLUTION),
            "spikes": spikes,
            "rate": 1e3 * spikes / self.neurons / self.duration,
        }

    def _compile(self, program: Path) -> None:
        request = {
            "folder": str(program),
            "neurons": self.neurons,
            "parameters": self.parameters,
            "warm_up": WARM_UP,
            "duration": self.duration,
            "resolution": RESOLUTION,
        }
        file = self.folder / "request.json"
        file.write_text(json.dumps(request))
        self._run([self.python, brian_standalone.__file__, str(file)], self.folder)

    @staticmethod
    def _run(command: list[str], folder: Path) -> None:
        finished = subprocess.run(
            command, check=False, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if finished.returncode:
            output = "\n  ".join(finished.stdout.splitlines()[-10:])
            raise AmatError(f"Brian2 failed ({command[0]}); name another Python with --brian2:\n  {output}")
