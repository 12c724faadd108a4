# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The steps that all measurements share: a fresh NEST kernel, neurons, a clock, and the memory of the process."""

import contextlib
import ctypes
import gc
import platform
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from amat import toolchain
from amat.benchmark.energy import EnergyMeter
from amat.benchmark.families import Contender
from amat.errors import AmatError
from amat.simulation.kernel import reset_kernel

__all__ = ["PHASES", "RESOLUTION", "WARM_UP", "Clock", "allocated_bytes", "create", "prepare_kernel", "run_phases"]

#: Time step in ms, if no other is asked for.
RESOLUTION = 0.1

#: Model time in ms that is simulated before the clock starts, except in microcircuits.
WARM_UP = 200.0

#: The phases of every simulation in their order.
PHASES = ("create", "connect", "prepare", "warm_up", "simulate")

_Created = TypeVar("_Created")


def prepare_kernel(contender: Contender, *, resolution: float = RESOLUTION, threads: int = 1, seed: int = 1) -> Any:
    """Return NEST after a reset, with the contender's module loaded."""
    nest = reset_kernel(resolution)
    nest.local_num_threads = threads
    nest.rng_seed = seed
    if contender.build != "nest":
        toolchain.install(contender.model)
    return nest


def create(nest: Any, model: str, number: int, population: Sequence[Mapping[str, float]]) -> Any:
    """Create neurons, with one set of parameters for each neuron or a single set for all."""
    if len(population) == 1:
        return nest.Create(model, number, params=dict(population[0]))
    neurons = nest.Create(model, number)
    neurons.set([dict(values) for values in population])
    return neurons


def run_phases(
    nest: Any,
    create: Callable[[], _Created],
    connect: Callable[[_Created], None],
    duration: float,
    *,
    warm_up: float = WARM_UP,
    read_memory: bool = False,
) -> tuple[_Created, dict[str, Any]]:
    """Simulate a workload on a prepared kernel, and measure each of `PHASES`.

    Parameters
    ----------
    nest : module
    create : callable
        Creates neurons and devices.
    connect : callable
        Called with the result of `create`.
    duration, warm_up : float
        Model time in ms, timed and before.
    read_memory : bool
        Whether memory is read after each phase.

    Returns
    -------
    created
        The result of `create`.
    dict
        ``threads``; ``seconds``, ``cpu_seconds`` and ``memory`` by phase; ``nest``, NEST's timers; ``spikes`` while the
        clock ran; ``synapses``; ``energy``: the host, J during simulate, or None, and a note; all of this process.
    """
    clock = Clock(read_memory=read_memory)
    with clock.phase("create"):
        created = create()
    with clock.phase("connect"):
        connect(created)
    with clock.phase("prepare"):
        nest.Prepare()
    with clock.phase("warm_up"):
        nest.Run(warm_up)
    meter = EnergyMeter()
    with clock.phase("simulate"):
        nest.Run(duration)
    joules, note = meter.joules()
    spikes = int(nest.local_spike_counter)  # of the last call of Run
    nest.Cleanup()
    status = nest.GetKernelStatus()
    return created, {
        "threads": int(nest.local_num_threads),
        "seconds": clock.seconds,
        "cpu_seconds": clock.cpu,
        "memory": clock.memory,
        "nest": _read_timers(status),
        "spikes": spikes,
        "synapses": int(status["num_connections"]),
        "energy": {"host": platform.node(), "joules": joules, "note": note},
    }


def _read_timers(status: Mapping[str, Any]) -> dict[str, float]:
    """Return NEST's timers in seconds, of the slowest thread, from the kernel's status.

    NEST has more of them, such as ``time_update``, if it is built with detailed timers, which its wheels are not.
    """
    timers = {name: np.atleast_1d(value) for name, value in status.items() if name.startswith("time_")}
    return {name: float(max(values)) for name, values in timers.items() if values.size and values.dtype.kind == "f"}


class Clock:
    """Seconds and memory of each phase of this process.

    Parameters
    ----------
    read_memory : bool
        Whether memory is read after each phase.

    Attributes
    ----------
    seconds : dict of str to float
        By phase, without Python's garbage collection.
    cpu : dict of str to float
        Seconds of processor time of all threads by phase, which other programs disturb less.
    memory : dict of str to dict of str to int
        Bytes at the ``start`` and after each phase: ``resident``, ``peak`` and ``allocated``.
    """

    def __init__(self, *, read_memory: bool = False) -> None:
        self.seconds: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self.memory: dict[str, dict[str, int]] = {}
        self._read_memory = read_memory
        gc.collect()
        self._note_memory("start")

    @contextlib.contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Measure a block as one phase."""
        gc.collect()
        gc.disable()
        try:
            start, cpu = time.perf_counter(), time.process_time()
            yield
            self.seconds[name] = time.perf_counter() - start
            self.cpu[name] = time.process_time() - cpu
        finally:
            gc.enable()
        self._note_memory(name)

    def _note_memory(self, phase: str) -> None:
        if self._read_memory:
            self.memory[phase] = _process_memory()


def _process_memory() -> dict[str, int]:
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    status = {words[0].rstrip(":"): words[1] for words in lines if len(words) > 1}
    return {
        "resident": 1024 * int(status["VmRSS"]),
        "peak": 1024 * int(status["VmHWM"]),
        "allocated": allocated_bytes(),
    }


class _Mallinfo2(ctypes.Structure):
    """The result of glibc's ``mallinfo2``."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            *("arena", "ordblks", "smblks", "hblks", "hblkhd"),
            *("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost"),
        )
    ]


def allocated_bytes() -> int:
    """Return the bytes that this process has allocated and not freed, on the heap and in mapped blocks.

    Raises
    ------
    AmatError
        If the C library is not glibc 2.33 or later.
    """
    try:
        mallinfo2 = ctypes.CDLL("libc.so.6").mallinfo2
    except (OSError, AttributeError) as error:
        raise AmatError(
            "Memory is read with mallinfo2 of glibc 2.33 or later, which this system lacks: "
            "measure times only, with `amat benchmark update --no-memory`."
        ) from error
    mallinfo2.restype = _Mallinfo2
    info = mallinfo2()
    return int(info.uordblks + info.hblkhd)
