# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Memory that NEST takes in each neuron for every synapse model it knows, used or not.

NEST's tables have an entry for every neuron and synapse model. Models cannot be removed from an installed NEST, but
copies can be added (``CopyModel``), and each counts as a model. The slope of memory over their number is the memory of
one model, compiled in or copied, and shows how much a reduced NEST would save.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from amat.benchmark.kernel import allocated_bytes
from amat.errors import AmatError
from amat.files import write_text
from amat.simulation.kernel import reset_kernel

__all__ = ["measure_tables", "table_sizes", "write_tables"]

#: The phases in which NEST allocates the tables.
PHASES = ("create", "prepare")


def measure_tables(copies: Sequence[int] = (0, 20, 40, 80), neurons: int = 5000) -> pd.DataFrame:
    """Measure the memory of neurons for several numbers of synapse models.

    Parameters
    ----------
    copies : sequence of int
        Numbers of copies of ``static_synapse`` that are added.
    neurons : int
        Of NEST's ``iaf_psc_exp``, each with a single connection.

    Returns
    -------
    pandas.DataFrame
        One row for each of `copies`: ``synapse_models``, ``compiled_in``, ``neurons``, and the allocated bytes in each
        phase, ``create_B`` and ``prepare_B``.

    Raises
    ------
    AmatError
        If there are fewer than two numbers of copies.
    """
    if len(set(copies)) < 2 or min(copies) < 0 or neurons < 1:
        raise AmatError(
            "A slope needs two or more different numbers of copies and at least one neuron, "
            f"got {list(copies)} copies and {neurons} neurons."
        )
    rows = []
    for number in copies:
        nest = reset_kernel(0.1)
        compiled = len(nest.synapse_models)
        for copy in range(number):
            nest.CopyModel("static_synapse", f"static_synapse_{copy}")
        sizes = [allocated_bytes()]
        population = nest.Create("iaf_psc_exp", neurons)
        sizes.append(allocated_bytes())
        # Without a connection NEST omits a part of its tables.
        nest.Connect(population, population, "one_to_one")
        connected = allocated_bytes()
        nest.Prepare()
        rows.append(
            {
                "synapse_models": compiled + number,
                "compiled_in": compiled,
                "neurons": neurons,
                "create_B": sizes[1] - sizes[0],
                "prepare_B": allocated_bytes() - connected,
            }
        )
        nest.Cleanup()
    return pd.DataFrame(rows)


def table_sizes(table: pd.DataFrame) -> dict[str, float]:
    """Return the memory that each neuron takes for a synapse model, and for all that are compiled in.

    Parameters
    ----------
    table : pandas.DataFrame
        From `measure_tables`.

    Returns
    -------
    dict
        ``create`` and ``prepare``: bytes per neuron and model; ``compiled_in``: number of models; ``saved``: bytes per
        neuron for all of them except two, a static and a plastic one.
    """
    models = table["synapse_models"].to_numpy(dtype=float)
    slopes = {phase: float(np.polyfit(models, table[f"{phase}_B"] / table["neurons"], 1)[0]) for phase in PHASES}
    compiled = int(table["compiled_in"].iloc[0])
    return {**slopes, "compiled_in": compiled, "saved": (compiled - 2) * sum(slopes.values())}


def write_tables(table: pd.DataFrame, path: Path) -> None:
    """Write the result of `measure_tables` atomically."""
    write_text(path, table.to_csv(index=False))
