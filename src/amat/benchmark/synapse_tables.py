# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What NEST keeps for each synapse model that it knows, used or not, and therefore what a reduced NEST would save.

Each neuron has an entry for every synapse model in NEST's tables. Models cannot be taken out of an installed NEST, but
copies can be added (``CopyModel``), and each counts as a model. The slope of memory over their number is what one
model takes, whether it was compiled in or copied.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from amat.benchmark.memory import allocated_bytes
from amat.errors import AmatError
from amat.files import write_text
from amat.simulation.kernel import reset_kernel

__all__ = ["measure_tables", "table_sizes", "write_tables"]

#: The phases in which the tables are made.
PHASES = ("create", "prepare")


def measure_tables(copies: Sequence[int] = (0, 20, 40, 80), neurons: int = 5000) -> pd.DataFrame:
    """Measure the memory of neurons beside the number of synapse models.

    Parameters
    ----------
    copies : sequence of int
        How many copies of ``static_synapse`` are added.
    neurons : int
        Of NEST's ``iaf_psc_exp``, without connections but one each.

    Returns
    -------
    pandas.DataFrame
        One row for each of `copies`: ``synapse_models``, ``compiled_in``, ``neurons``, and the bytes that
        are allocated in each phase, ``create_B`` and ``prepare_B``.

    Raises
    ------
    AmatError
        If there are fewer than two numbers of copies.
    """
    if len(set(copies)) < 2 or min(copies) < 0 or neurons < 1:
        raise AmatError(
            f"{list(copies)} copies of a synapse model for {neurons} neurons: "
            "choose two different numbers or more, and at least one neuron."
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
        # Without a connection NEST leaves out a part of its tables.
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
    """Return what a synapse model takes for each neuron, and all those that are compiled in.

    Parameters
    ----------
    table : pandas.DataFrame
        Of `measure_tables`.

    Returns
    -------
    dict
        ``create`` and ``prepare``: bytes a neuron and model, by phase; ``compiled_in``: how many models; and
        ``saved``, bytes a neuron that all of them but two, a static and a plastic one, take.
    """
    models = table["synapse_models"].to_numpy(dtype=float)
    slopes = {phase: float(np.polyfit(models, table[f"{phase}_B"] / table["neurons"], 1)[0]) for phase in PHASES}
    compiled = int(table["compiled_in"].iloc[0])
    return {**slopes, "compiled_in": compiled, "saved": (compiled - 2) * sum(slopes.values())}


def write_tables(table: pd.DataFrame, path: Path) -> None:
    """Write what `measure_tables` returned, whole."""
    write_text(path, table.to_csv(index=False))
