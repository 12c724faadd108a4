# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The model for NESTML's other targets: code generation, a run in Python, and a comparison with NEST."""

from amat.analysis.other_simulators.standalone import compare_with_nest
from amat.analysis.other_simulators.status import survey
from amat.analysis.other_simulators.targets import TARGETS, Generated, generate

__all__ = ["TARGETS", "Generated", "compare_with_nest", "generate", "survey"]
