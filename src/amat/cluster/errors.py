"""Errors of the local cluster."""

from amat.errors import AmatError

__all__ = ["ClusterError", "PackageUnavailableError"]


class ClusterError(AmatError):
    """The cluster could not be started, or did not do what it should; the message says why and what to do."""


class PackageUnavailableError(ClusterError):
    """The distribution does not serve a package that is needed: no fault of the project's."""
