"""Errors of the local cluster."""

from amat.errors import AmatError

__all__ = ["ClusterError"]


class ClusterError(AmatError):
    """The cluster could not be started, or did not do what it should; the message says why and what to do."""
