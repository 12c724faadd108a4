# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What the optimised code generator cannot serve."""

from amat.errors import AmatError

__all__ = ["UnsupportedModelError"]


class UnsupportedModelError(AmatError):
    """A model that the optimised code generator cannot serve, with the reason."""
