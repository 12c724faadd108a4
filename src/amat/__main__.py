# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The ``amat`` command, also as ``python -m amat``."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command. A Python package that is missing or of another version is an error of one line."""
    try:
        from amat.cli.app import main as run

        run()
    except ImportError as error:
        package, _, module = (error.name or "").partition(".")
        if package == "amat" or (module and package == "nestml_optimised"):
            raise
        fix = "packages/nestml-optimised of the project" if package == "nestml_optimised" else package
        missing = (
            f"The Python package {package} is not installed: install {fix} with pip, or use ./amat in a checkout of "
            "the project, which installs all packages."
        )
        sys.exit(f"amat: {missing if isinstance(error, ModuleNotFoundError) else error}")


if __name__ == "__main__":
    main()
