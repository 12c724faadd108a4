# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write data/grasshopper_scores.csv: scores of models on the recordings that the package nitime ships."""

import argparse
import sys

from amat import paths
from amat.analysis.fitting_studies.grasshopper import score_grasshopper
from amat.errors import AmatError
from amat.files import atomic_write

if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    try:
        paths.require_checkout("Scoring recordings")
        table = score_grasshopper()
    except AmatError as error:
        sys.exit(str(error))
    with atomic_write(paths.DATA / "grasshopper_scores.csv") as file:
        table.to_csv(file, index=False, float_format="%.6g")
