"""Errors of the toolchain."""

from amat.errors import AmatError

__all__ = ["ToolchainError"]


class ToolchainError(AmatError):
    """A model could not be generated, compiled or loaded; the message says why and what to do."""
