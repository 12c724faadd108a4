# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Contributions to NESTML and NEST: a pull request for NESTML, and notes for both.

Model, pages, figures and tutorial are generated from this repository; ``upstream/`` holds the remaining parts.
"""

from amat.release.upstream.bundle import Bundle, assemble
from amat.release.upstream.checks import Check, check, check_files, check_run

__all__ = ["Bundle", "Check", "assemble", "check", "check_files", "check_run"]
