# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Measure every neuron of NESTML's library: write data/library_neurons.csv, and a table into the generator's README.

A stopped run resumes: build/library_neurons has the rows of each measured neuron until both files are written.
"""

import argparse
import re
import sys
import time

from amat import paths
from amat.benchmark.library import NEURONS
from amat.benchmark.library_runs import discard_rows, find_neurons, measure_library, update_table
from amat.benchmark.library_table import format_table
from amat.benchmark.measurements import LOCK
from amat.errors import AmatError
from amat.files import check_outputs, only_run, read_text, write_text

#: The table's place in the README.
MARKS = ("<!-- library table -->", "<!-- end of library table -->")
#: The text above the table.
CAPTION = """
The error is the largest difference of the membrane potential from a solution by DOP853 (rtol 1e-12) under a current
step, a noise current and random spikes, before the first spike at another time. "Equal spikes" counts those up to then,
of all spikes of the solution. Times are ratios of ours to the others with 4,000 input spikes/s, medians of ratios in
one process. Memory is that of a neuron with two synapses, NEST's tables included.
Where the error of NESTML's code exceeds 10 mV, the two builds do not solve the same equations, and their times cannot
be compared: in its equations NESTML's code leaves out the unit of a number (`hh_moto_5ht`) or a factor of an inline
expression (`hill_tononi`). The reference has these factors, as the optimised code does.

"""


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--neurons",
        nargs="+",
        metavar="NAME",
        help="measure these neurons only, such as iaf_psc_exp, and keep the rows of all others (default: all neurons)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the measurement of time (default: 5)")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        raise AmatError(f"--rounds must be at least 1, got {arguments.rounds}.")
    neurons = NEURONS if arguments.neurons is None else find_neurons(arguments.neurons)
    checkout = paths.require_checkout("The benchmark of NESTML's library")
    readme = checkout / "packages/nestml-optimised/README.md"
    output, folder = paths.DATA / "library_neurons.csv", checkout / "build/library_neurons"
    check_outputs(output, readme)
    start = time.monotonic()

    def progress(text: str) -> None:
        print(f"{time.monotonic() - start:6.0f} s  {text}", file=sys.stderr, flush=True)

    with only_run(folder / LOCK, "benchmark of NESTML's library"):
        measured = measure_library(neurons, folder=folder, rounds=arguments.rounds, progress=progress)
        table = update_table(measured, output)
        text = f"{MARKS[0]}\n{CAPTION}{format_table(table)}\n\n{MARKS[1]}"
        pattern = f"{re.escape(MARKS[0])}.*{re.escape(MARKS[1])}"
        write_text(readme, re.sub(pattern, lambda _: text, read_text(readme), flags=re.DOTALL))
        discard_rows(neurons, folder)
    if (commits := table["commit"].nunique(dropna=False)) > 1:
        progress(f"{output} has rows of {commits} commits: see its column commit")


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
