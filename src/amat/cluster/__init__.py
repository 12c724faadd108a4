# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A cluster on one machine: a Slurm with virtual nodes, for tests of what is meant for real ones."""

from amat.cluster.errors import ClusterError
from amat.cluster.slurm import Slurm, running_slurm

__all__ = ["ClusterError", "Slurm", "running_slurm"]
