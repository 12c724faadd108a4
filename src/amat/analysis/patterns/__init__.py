# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The 20 firing patterns that Izhikevich named, as trials of both models, with a criterion for each.

References
----------
.. [1] Izhikevich EM (2004). IEEE Trans. Neural Netw. 15:1063-1070. doi:10.1109/TNN.2004.832719
.. [2] Yamauchi S, Kim H, Shinomoto S (2011). Front. Comput. Neurosci. 5:42. doi:10.3389/fncom.2011.00042
"""

from amat.analysis.patterns.criteria import CRITERIA, Criterion, Verdict
from amat.analysis.patterns.trials import Response, Trial, find_trial, load_trials, run_trials

__all__ = ["CRITERIA", "Criterion", "Response", "Trial", "Verdict", "find_trial", "load_trials", "run_trials"]
