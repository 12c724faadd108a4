# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Errors that users can fix."""

__all__ = ["AmatError", "ParameterError"]


class AmatError(Exception):
    """An error that the user can fix; the message names the value, the allowed ones and the fix.

    The command line prints only the message, without a traceback.
    """


class ParameterError(AmatError, ValueError):
    """An argument, parameter, pattern or initial value that cannot be used."""
