# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Execute a notebook and write it with its outputs, and its results to a folder."""

import argparse
import json
import os
import sys
from pathlib import Path

from amat.compendium.notebooks import execute_notebook
from amat.errors import AmatError


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("executed", type=Path, help="the notebook to write, with its outputs")
    parser.add_argument("results", type=Path, help="folder for its tables and figures")
    parser.add_argument("--modules", type=Path, nargs="+", required=True, help="records written by `amat build`")
    parser.add_argument("--parameters", default="{}", help="the notebook's parameters as JSON")
    arguments = parser.parse_args()
    # Snakemake sets this variable. NEST ignores it, but would print a warning with the time on the pages.
    os.environ.pop("OMP_NUM_THREADS", None)
    modules = {name: module for path in arguments.modules for name, module in json.loads(path.read_text()).items()}
    execute_notebook(
        arguments.notebook, arguments.executed, arguments.results, json.loads(arguments.parameters), modules
    )


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
