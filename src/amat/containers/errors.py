# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of the check of the images."""

from amat.errors import AmatError

__all__ = ["ContainerError"]


class ContainerError(AmatError):
    """An image could not be built, or does not do what it should; the message says what, and shows the log's end."""
