# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The ``amat`` command, also as ``python -m amat``."""

import importlib.util
import sys
from pathlib import Path

from amat import paths

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
        if not package:  # nestml-optimised refuses a version
            sys.exit(f"amat: {error}")
        state = f"damaged ({error})" if importlib.util.find_spec(package) else "not installed"
        remedy = "install it with pip, or use ./amat in a checkout of the project, which installs all packages"
        if paths.ROOT and Path(sys.prefix) == paths.ROOT / ".venv":
            remedy = "run ./amat setup, which repairs .venv"
        elif package == "nestml_optimised":
            remedy = remedy.replace("it", "packages/nestml-optimised of the project", 1)
        sys.exit(f"amat: The Python package {package} is {state}: {remedy}.")


if __name__ == "__main__":
    main()
