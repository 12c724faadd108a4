# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The one base of the errors that are meant for the user to read."""

__all__ = ["AmatError"]


class AmatError(Exception):
    """Something the user can mend: the message says what was wrong, with which value, and what to do.

    The command line prints the message alone; a traceback is kept for faults of the program itself.
    """
