# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write the models and firing patterns as JavaScript for the book's explorer."""

import argparse
from pathlib import Path

from amat.files import write_text
from amat.release import explorer


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("destination", type=Path, help="the JavaScript file")
    write_text(parser.parse_args().destination, explorer.script())


if __name__ == "__main__":
    main()
