# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Search AMAT's firing patterns, and write data/amat_patterns.yaml.

Not part of the pipeline, which reads the file and checks that each of its patterns meets its criterion; the file is the
same whenever the search is repeated.
"""

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import yaml

from amat import paths
from amat.analysis.patterns.search import search
from amat.files import write_text
from amat.neurons import CurrentSegment

_HEAD = """\
# 20 firing patterns of the AMAT neuron, each of which meets its criterion (amat.analysis.patterns.criteria).
# Made by scripts/search_patterns.py from Yamauchi's Table 1.
# amat.analysis.patterns.search documents the method, README.md the keys.
"""


def main() -> None:
    """Search the patterns and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=paths.DATA / "amat_patterns.yaml")
    arguments = parser.parse_args()
    found = search(progress=print)
    sets = [trial.neuron.parameters.to_nestml() for trial in found]
    common = {name: value for name, value in sets[0].items() if all(values[name] == value for values in sets)}
    lines = [_HEAD, f"common: {_flow(common)}", "", "patterns:"]
    for trial, values in zip(found, sets, strict=True):
        own = {name: value for name, value in values.items() if name not in common}
        segments = [_segment(segment) for segment in trial.stimulus.segments]
        lines += [
            f"  - pattern: {trial.neuron.pattern}",
            f"    parameters: {_flow(own)}",
            f"    duration: {trial.duration:g}",
            f"    segments: {_flow(segments)}",
        ]
    write_text(arguments.output, "\n".join(lines) + "\n")


def _segment(segment: CurrentSegment) -> dict[str, float]:
    values = dataclasses.asdict(segment)
    return values if values["slope"] else {name: value for name, value in values.items() if name != "slope"}


def _flow(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False).strip()


if __name__ == "__main__":
    main()
