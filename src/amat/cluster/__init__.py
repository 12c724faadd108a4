"""A cluster on one machine: a Slurm with virtual nodes, for tests of what is meant for real ones."""

from amat.cluster.errors import ClusterError, PackageUnavailableError
from amat.cluster.slurm import Slurm, running_slurm

__all__ = ["ClusterError", "PackageUnavailableError", "Slurm", "running_slurm"]
