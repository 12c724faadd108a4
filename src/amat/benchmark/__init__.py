# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Time and memory of the builds of a model, compared with NEST's built-in model.

May import `amat.analysis` and the layers below.

`amat benchmark update` and `network` measure in one process. Each round measures every model once, in an order that
rotates, so that a slower machine affects all models alike; ratios to NEST's built-in model are taken within a round.
Medians of these ratios are meaningful, whereas nanoseconds are those of one machine on one day.

- `families`: the models, their builds, and parameters that are equal for all builds;
- `kernel`: the phases of every simulation, with their time, memory and energy; `network`: the balanced random network;
- `cases`, `update`: unconnected neurons; `targets`: bounds on their ratios;
- `peers`: Brian2 and Arbor, with `brian_standalone` and `arbor_network`, which run in other environments;
- `measurements`: rounds, their file and their statistics; `runs`: complete benchmarks.

`amat benchmark run` measures a matrix of cells, each in one or many processes, on one machine or on a cluster.

- `cell`: one model in one workload;
- `microcircuit`: the cortical microcircuit as a workload; `microcircuit_cell`, `activity`: its spikes and rates;
  `microcircuit_runs`: the benchmark of its models, `amat benchmark microcircuit`;
- `matrix`: the cells of a benchmark and the sites that run them; `engine`: the run;
- `collect`, `comparisons`, `growth`, `report`: tables, ratios, fits and reports; `figures`: all figures.
"""
