# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Copy the NESTML source and its generated C++ code to the book, whose pages show them."""

import argparse
from pathlib import Path

from amat import toolchain
from amat.files import write_text


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("destinations", type=Path, nargs="+", help="files to write, named as the generated ones")
    generated = toolchain.build(toolchain.AMAT).generated
    for destination in parser.parse_args().destinations:
        write_text(destination, (generated / destination.name).read_text())


if __name__ == "__main__":
    main()
