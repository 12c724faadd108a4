# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""AMAT neurons in Brian2 [1]_: write and compile a C++ program that simulates them.

``python brian_standalone.py REQUEST.json`` compiles the program into the request's ``folder``. It imports nothing of
this package, because Brian2 may live in an environment of its own.

References
----------
.. [1] Stimberg M, Brette R, Goodman DFM (2019). eLife 8:e47314. doi:10.7554/eLife.47314
"""

import json
import sys
from pathlib import Path
from typing import Any

#: The equations of ``models/amat2_psc_exp_neuron.nestml``, in mV, pA and pF; U is the potential above E_L.
EQUATIONS = """
dI_exc/dt = -I_exc / tau_syn_exc : 1
dI_inh/dt = -I_inh / tau_syn_inh : 1
dU/dt = -U / tau_m + (I_exc + I_inh + I_e) / (C_m * ms) : 1
dV_th_dv/dt = -V_th_dv / tau_v + beta * (-U / tau_m + (I_exc + I_inh + I_e) / (C_m * ms)) : 1
dV_th_v/dt = -V_th_v / tau_v + V_th_dv / ms : 1
dV_th_alpha_1/dt = -V_th_alpha_1 / tau_1 : 1
dV_th_alpha_2/dt = -V_th_alpha_2 / tau_2 : 1
n_spikes : integer
"""


def main(request_file: str) -> None:
    """Compile what the request in a JSON file asks for."""
    import brian2 as b2

    request: dict[str, Any] = json.loads(Path(request_file).read_text())
    b2.set_device("cpp_standalone", build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = 0  # no OpenMP at all
    b2.defaultclock.dt = request["resolution"] * b2.ms
    values = {
        name: value * b2.ms if name.startswith("tau_") else value for name, value in request["parameters"].items()
    }
    group = b2.NeuronGroup(
        request["neurons"],
        EQUATIONS,
        threshold="U >= omega + V_th_alpha_1 + V_th_alpha_2 + V_th_v",
        reset="V_th_alpha_1 += alpha_1; V_th_alpha_2 += alpha_2; n_spikes += 1",
        # Up to the middle of the step after: NEST's neuron is refractory for the steps of refr_T, and so is this.
        refractory=(request["parameters"]["refr_T"] + 0.5 * request["resolution"]) * b2.ms,
        method="exact",
        namespace=values,
    )
    network = b2.Network(group)
    network.run(request["warm_up"] * b2.ms)
    group.n_spikes = 0
    network.run(request["duration"] * b2.ms)  # the program states the time of its last run
    b2.device.build(directory=request["folder"], run=False, compile=True)


if __name__ == "__main__":
    main(sys.argv[1])
