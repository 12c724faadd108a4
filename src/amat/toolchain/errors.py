# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of the toolchain."""

from amat.errors import AmatError

__all__ = ["UNSUPPORTED", "ToolchainError", "UnsupportedError"]

#: The exit status of a generation when the code generator does not serve the model; why is on standard error.
UNSUPPORTED = 3


class ToolchainError(AmatError):
    """A model could not be generated, compiled or loaded; the message says why and what to do."""


class UnsupportedError(ToolchainError):
    """The code generator does not serve the model."""
