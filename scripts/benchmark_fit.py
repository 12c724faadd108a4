# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write data/benchmarks/fit.csv: CPU time and memory of fits to synthetic recordings, each in a process of its own."""

import argparse
import multiprocessing
import resource
import sys
import time
from typing import Any

import pandas as pd

from amat import paths
from amat.analysis.fitting.models import fit_model
from amat.analysis.fitting.synthetic import EXAMPLE, sample_recording
from amat.errors import AmatError
from amat.files import atomic_write

#: Duration in s, repeats, and sampling interval in ms.
RECORDINGS = ((30.0, 4, 1.0), (30.0, 4, 0.2), (600.0, 1, 0.1))


def measure(duration: float, repeats: int, dt: float) -> dict[str, Any]:
    """Fit AMAT with its delay and refractory time to one recording, and return what it took."""
    recording = sample_recording(EXAMPLE, duration=1e3 * duration, dt=dt, repeats=repeats, seed=1)
    start = time.process_time()
    model = fit_model(recording)
    return {
        "duration_s": duration,
        "repeats": repeats,
        "dt_ms": dt,
        "spikes": model.spikes,
        "cpu_s": time.process_time() - start,
        "peak_memory_GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }


def main() -> None:
    """Measure and write."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    paths.require_checkout("The benchmark of fits")
    rows = []
    for case in RECORDINGS:
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            rows.append(pool.apply(measure, case))
        print(rows[-1], file=sys.stderr, flush=True)
    with atomic_write(paths.DATA / "benchmarks" / "fit.csv") as file:
        pd.DataFrame(rows).to_csv(file, index=False, float_format="%.3g")


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
