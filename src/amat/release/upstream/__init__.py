# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What goes to the projects that this one builds on: a pull request for NESTML, and notes for NESTML and NEST.

Model, pages, figures and tutorial are made from this repository's own; ``upstream/`` holds only what is nowhere else.
"""

from amat.release.upstream.bundle import Bundle, assemble
from amat.release.upstream.checks import Check, check, check_files, check_run

__all__ = ["Bundle", "Check", "assemble", "check", "check_files", "check_run"]
