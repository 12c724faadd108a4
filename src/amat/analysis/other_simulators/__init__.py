# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The same model file through NESTML's other targets: what is generated, what runs, and whether it does the same."""

from amat.analysis.other_simulators.generate import TARGETS, Generated, generate
from amat.analysis.other_simulators.standalone import compare_with_nest
from amat.analysis.other_simulators.status import survey

__all__ = ["TARGETS", "Generated", "compare_with_nest", "generate", "survey"]
