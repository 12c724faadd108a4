# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write the JavaScript of the models and firing patterns of the book's explorer."""

import argparse
from pathlib import Path

from amat.files import write_text
from amat.release import explorer


def main() -> None:
    """Read the command line and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("destination", type=Path, help="the JavaScript file")
    write_text(parser.parse_args().destination, explorer.script())


if __name__ == "__main__":
    main()
