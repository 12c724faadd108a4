# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""How fast, and how large, the generated models are beside NEST's own.

Measured by alternation in one process: every round measures each model once, in an order that turns from round to
round, so that whatever slows the machine down hits all of them alike; the ratio to NEST's hand-written model is taken
inside the round. Medians of these ratios are what counts: the nanoseconds are those of one machine on one day.

- `amat.benchmark.families`: the models, which of them are twins, and parameters that are equal for twins;
- `amat.benchmark.cases`: what is measured; `amat.benchmark.targets`: what it should come to;
- `amat.benchmark.update`, `network`, `memory`, `brian`: one measurement each;
- `amat.benchmark.measurements`: rounds, files and statistics; `amat.benchmark.figures`: pictures;
- `amat.benchmark.runs`: all of it together, as the command line calls it.

Measured as a matrix, each cell in a process, or many, of its own: on one machine or on a cluster.

- `amat.benchmark.cell`: one model in one workload; `amat.benchmark.tuning`: networks that fire alike;
- `amat.benchmark.matrix`: which cells there are, and how a site starts them; `amat.benchmark.engine` runs them.
"""
