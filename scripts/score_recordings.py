# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write data/recordings_*: scores of fitted models on published recordings, from a folder that contains them.

A recording counts if its intrinsic reliability Gamma_int, of the held-out data at 2 ms, is at least 0.2. This rule and
the windows of training and held-out data were stated before any model was scored.
"""

import argparse
import sys
import time
from pathlib import Path

import pandas as pd

from amat import paths
from amat.analysis.fitting_studies.comparison import compare_models
from amat.analysis.fitting_studies.pooling import compare_pooling
from amat.analysis.fitting_studies.recordings import CELLS, POOLED, READINGS, load_recording
from amat.compendium.provenance import provenance_record
from amat.errors import AmatError
from amat.files import atomic_write, write_json

SEED = 1
#: Neurons of a generation and generations of the direct searches.
POPULATION, GENERATIONS = 96, 40
#: The reading in which recordings are pooled.
POOLED_READING = "1 kHz"
#: Samples of the bootstrap.
SAMPLES = 1000


def main() -> None:
    """Read the command line, fit and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="the folder with the recordings as NumPy archives")
    folder = parser.parse_args().folder
    paths.require_checkout("Scoring recordings")
    recordings = [load_recording(folder, cell, each) for cell in CELLS for each in ([""] if cell.dt else READINGS)]
    start = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {text}", file=sys.stderr, flush=True)

    budget = {"samples": SAMPLES, "population": POPULATION, "generations": GENERATIONS, "seed": SEED}
    record = provenance_record(recordings={cell.name: cell.sha256 for cell in CELLS}, **budget)
    scores = pd.concat([compare_models(each, **budget, progress=progress) for each in recordings])
    pooled = [each for each in recordings if each.reading == POOLED_READING and each.cell.name in POOLED]
    pooling = compare_pooling(pooled, samples=SAMPLES, seed=SEED, progress=progress)
    for name, table in (("scores", scores), ("pooling", pooling)):
        with atomic_write(paths.DATA / f"recordings_{name}.csv") as file:
            table.to_csv(file, index=False, float_format="%.6g")
    write_json(paths.DATA / "recordings_provenance.json", record)


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
