# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What the optimised code generator cannot serve."""

__all__ = ["NestmlOptimisedError", "UnsupportedModelError"]


class NestmlOptimisedError(Exception):
    """The base of all errors that this package raises."""


class UnsupportedModelError(NestmlOptimisedError):
    """A model that the optimised code generator cannot serve, with the reason."""
