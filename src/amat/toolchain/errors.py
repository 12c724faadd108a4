# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of the toolchain."""

from amat.errors import AmatError

__all__ = ["REJECTED", "UNSUPPORTED", "ToolchainError", "UnsupportedError"]

#: The exit status of `amat.toolchain.generate` if the code generator does not support the model.
UNSUPPORTED = 3

#: Its exit status if the model or an option is rejected for another reason; its standard error is the reason.
REJECTED = 4


class ToolchainError(AmatError):
    """A model that could not be generated, compiled or loaded; the message gives the reason and the fix."""


class UnsupportedError(ToolchainError):
    """A model that the code generator does not support."""
