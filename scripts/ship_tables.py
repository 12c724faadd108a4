# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Put the tables of the full profile into data/full, with their provenance: after `amat reproduce --profile full`."""

import argparse
import json
import shutil
import sys

import yaml

from amat import paths
from amat.compendium.pipeline import PROFILES
from amat.errors import AmatError


def main() -> None:
    """Copy what the notebooks of the configuration's full profile wrote."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    assert paths.ROOT is not None
    config = yaml.safe_load((paths.CONFIG / "config.yaml").read_text())
    sources = {name: paths.ROOT / "results" / name for name in config["full"]}
    for name, source in sources.items():  # all are looked at before anything is replaced
        try:
            made_by = json.loads((source / "provenance.json").read_text())["parameters"]
        except OSError:
            made_by = {}
        expected = {**config["notebooks"][name], **config["full"][name], "profile": PROFILES["full"]}
        if made_by != expected:
            raise AmatError(f"results/{name} is not of the full profile: run `amat reproduce --profile full` first.")
    for name, source in sources.items():
        target = paths.DATA / "full" / name
        new, old = (target.with_name(f".{name}-{age}") for age in ("new", "old"))
        for leftover in (new, old):
            shutil.rmtree(leftover, ignore_errors=True)
        new.mkdir(parents=True)
        for path in [*source.glob("*.csv.gz"), source / "provenance.json"]:
            shutil.copy(path, new)
        # A folder takes no other's place; so what is there is whole at any time, if only beside it.
        if target.exists():
            target.rename(old)
        new.rename(target)
        shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
