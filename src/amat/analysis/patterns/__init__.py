# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Firing patterns: the 20 that Izhikevich named, of both models, and what makes each of them that pattern.

References
----------
.. [1] Izhikevich EM (2004). IEEE Trans. Neural Netw. 15:1063-1070. doi:10.1109/TNN.2004.832719
.. [2] Yamauchi S, Kim H, Shinomoto S (2011). Front. Comput. Neurosci. 5:42. doi:10.3389/fncom.2011.00042
"""

from amat.analysis.patterns.criteria import CRITERIA, Criterion, Verdict
from amat.analysis.patterns.trials import MODELS, Response, Trial, find_trial, run, trials

__all__ = ["CRITERIA", "MODELS", "Criterion", "Response", "Trial", "Verdict", "find_trial", "run", "trials"]
