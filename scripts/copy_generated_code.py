# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Copy AMAT's NESTML sources and generated C++ code to the folder from which the book includes them."""

import argparse
from pathlib import Path

from amat import paths, toolchain
from amat.files import write_text


def main() -> None:
    """Read the command line and copy."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("destinations", type=Path, nargs="+", help="paths of the copies, named like the files")
    generated = toolchain.build(toolchain.AMAT).generated
    for destination in parser.parse_args().destinations:
        folder = paths.MODELS if destination.suffix == ".nestml" else generated
        write_text(destination, (folder / destination.name).read_text())


if __name__ == "__main__":
    main()
