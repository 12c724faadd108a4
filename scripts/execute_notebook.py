# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Execute a notebook: its parameters in, the executed notebook and a folder of results out."""

import argparse
import json
import os
import sys
from pathlib import Path

from amat.compendium.pipeline import execute_notebook
from amat.errors import AmatError


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("executed", type=Path, help="where the notebook goes with its outputs")
    parser.add_argument("results", type=Path, help="folder of the tables and figures that it writes")
    parser.add_argument("--modules", type=Path, nargs="+", required=True, help="records that `amat build` wrote")
    parser.add_argument("--parameters", default="{}", help="the notebook's parameters as JSON")
    words = parser.parse_args()
    # Snakemake sets it for every step; NEST ignores it, and says so on the pages, with the time.
    os.environ.pop("OMP_NUM_THREADS", None)
    modules = {name: module for path in words.modules for name, module in json.loads(path.read_text()).items()}
    execute_notebook(words.notebook, words.executed, words.results, json.loads(words.parameters), modules)


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
