# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Copy the tables of the full profile and their provenance to data/full, after `amat reproduce --profile full`."""

import argparse
import json
import shutil
import sys

from amat import paths
from amat.compendium.pipeline import PROFILES
from amat.errors import AmatError
from amat.files import load_yaml


def main() -> None:
    """Run the command."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    root = paths.require_checkout("Shipping tables")
    config = load_yaml(paths.CONFIG / "config.yaml")
    sources = {name: root / "results" / name for name in config["full"]}
    for name, source in sources.items():  # check all before any is replaced
        try:
            found = json.loads((source / "provenance.json").read_text())["parameters"]
        except OSError:
            found = {}
        expected = {**config["notebooks"][name], **config["full"][name], "profile": PROFILES["full"]}
        if found != expected:
            raise AmatError(f"results/{name} is not from the full profile: run `amat reproduce --profile full` first.")
    for name, source in sources.items():
        target = paths.DATA / "full" / name
        new, old = (target.with_name(f".{name}-{age}") for age in ("new", "old"))
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)
        new.mkdir(parents=True)
        for path in [*source.glob("*.csv.gz"), source / "provenance.json"]:
            shutil.copy(path, new)
        # A folder cannot replace another in one step; a complete copy exists at any time under one of the names.
        if target.exists():
            target.rename(old)
        new.rename(target)
        shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
