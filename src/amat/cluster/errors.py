# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors of the local cluster."""

from amat.errors import AmatError

__all__ = ["ClusterError"]


class ClusterError(AmatError):
    """The cluster could not be started, or did not do what it should; the message says why and what to do."""
