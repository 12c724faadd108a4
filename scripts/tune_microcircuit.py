# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Write data/microcircuit_amat*: thresholds of AMAT in a microcircuit with the activity of the published neuron.

Subtracting the reset from the potential is the same as adding it to the threshold, if both decay with the time constant
of the membrane. A threshold that jumps by 15 mV and decays in 10 ms therefore replaces the reset of the published
neuron, from -50 to -65 mV. The slow component of the threshold and its dependence on the potential make the difference.
They are the same in all populations. Both make intervals more regular: with alpha_2 = 0.5 mV and beta = -0.2/ms the CV
of L4E is 0.58 instead of 0.62 (means over two seeds and six). The resting threshold of each population is searched for.

1. The reference: rates of the published neuron, means over seeds.
2. Open loop: populations of AMAT receive the spikes of a microcircuit of published neurons, and send none. The neurons
   of a population have different thresholds, so that one simulation gives its rate as a function of the threshold, and
   the eight searches are independent. If all populations of AMAT fire like the published ones with this input, the
   thresholds also fit the closed loop, except for effects of correlations.
3. Closed loop: Newton steps. A constant input shifts AMAT's potential and does nothing else, because the potential is
   not reset and the threshold ignores constant potentials. The rate of a population therefore depends on threshold
   minus mean input. The first is known, and the second follows from the rates and the connectivity: the step corrects
   the rate by the slope of the open loop, and adds the input that all populations will gain or lose. Only changes of
   the variance of the input are neglected, so that a few steps suffice. Seeds are added at each step, so that the noise
   of the last step is the smallest. They differ from those of the reference.
4. Verification: the activity with the seeds of the reference, next to its range.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from scipy.optimize import minimize

from amat import paths
from amat.arrays import Floats
from amat.benchmark.activity import Spikes, measure_population
from amat.benchmark.cell import Cell
from amat.benchmark.families import find_contender
from amat.benchmark.microcircuit import (
    POPULATIONS,
    WARM_UP,
    build_microcircuit,
    connect_quietly,
    create_population,
)
from amat.benchmark.microcircuit_runs import REFERENCE, measure_microcircuit
from amat.errors import AmatError
from amat.files import write_text

#: AMAT of the search; all builds have the same dynamics.
MODEL = "amat2_psc_exp_neuron_opt"
#: Threshold parameters of all populations: time constants in ms, amplitudes in mV, beta in 1/ms.
SHARED = {"tau_1": 10.0, "tau_2": 200.0, "tau_v": 5.0, "alpha_1": 15.0, "alpha_2": 0.2, "beta": -0.1}
#: Resting thresholds in mV of the neurons in the open loop.
RANGE = (12.0, 20.0)
#: Seeds of the networks in the steps of the closed loop.
STEPS = ((101,), (102, 103), (104, 105, 106, 107))
#: Model time in ms of a measurement, after a warm-up.
MEASURE = 1000.0
RESOLUTION = 0.1
#: Columns of the table of steps.
COLUMNS = ["step", "seeds", "population", "omega", "slope", "target", "rate", "cv", "correlation"]
HEAD = """\
# AMAT in the microcircuit, by NESTML's names: written by scripts/tune_microcircuit.py. Keys: data/README.md.
"""


def measure_activity(output: Path, models: Sequence[str], scale: float, seeds: Sequence[int]) -> pd.DataFrame:
    """Return the activity of the last model over seeds, a table of `amat.benchmark.microcircuit_runs.accuracy`."""
    cells = [
        Cell(model, "microcircuit-poisson", seed=seed, duration=MEASURE, scale=scale)
        for seed in seeds
        for model in models
    ]
    found = measure_microcircuit(cells, output, lambda task, done, total: print(f"{task}: {done}/{total}", flush=True))
    case = f"microcircuit-poisson-x{scale:g}-r1-t1"
    return found.accuracy[(found.accuracy["model"] == models[-1]) & (found.accuracy["case"] == case)]


def open_loop(scale: float, targets: Floats, seed: int = 100) -> tuple[Floats, Floats, Floats]:
    """Find thresholds at which AMAT fires at given rates with the input of the published microcircuit.

    Parameters
    ----------
    scale : float
    targets : numpy.ndarray, shape (8,)
        Rates in spikes/s.
    seed : int

    Returns
    -------
    omega : numpy.ndarray, shape (8,)
        Resting thresholds in mV.
    slopes : numpy.ndarray, shape (8,)
        Derivative of the logarithm of the rate with respect to the threshold, 1/mV.
    inputs : numpy.ndarray, shape (8, 8)
        Mean potential in mV of a target (row) for 1 spike/s of a source (column).
    """
    same = dict.fromkeys(POPULATIONS, SHARED | {"omega": RANGE[0]})
    network = build_microcircuit(
        find_contender(MODEL), scale, "poisson", seed=seed, resolution=RESOLUTION, adaptation=same
    )
    import nest

    followers = network.pops
    network.pops = [create_population(network, find_contender(REFERENCE), n, {}) for n in range(len(POPULATIONS))]
    connect_quietly(network)
    recorders = nest.Create("spike_recorder", len(POPULATIONS), params={"start": WARM_UP})
    for target, neurons in enumerate(followers):
        neurons.omega = np.linspace(*RANGE, len(neurons)).tolist()
        nest.Connect(neurons, recorders[target])
        nest.Connect(network.poisson_bg_input[target], neurons, syn_spec={"weight": network.weight_ext})
        for source, sources in enumerate(network.pops):
            number, weight = network.num_synapses[target][source], network.weight_matrix_mean[target][source]
            rule = {"rule": "fixed_total_number", "N": int(number)}
            nest.Connect(sources, neurons, rule, {"weight": weight, "delay": 1.5})
    nest.Simulate(WARM_UP + MEASURE)
    omega, slopes = [], []
    for neurons, recorder, target in zip(followers, recorders, targets, strict=True):
        counts = np.bincount(np.asarray(recorder.events["senders"], int) - neurons[0].global_id, minlength=len(neurons))
        rate_at = fit_rates(np.linspace(*RANGE, len(neurons)), counts / (1e-3 * MEASURE))
        wanted = find_threshold(rate_at, target)
        omega.append(wanted)
        slopes.append(float(np.polyval(np.polyder(rate_at), wanted)))
    published = network.net_dict["neuron_params"]
    per_spike = 1e-3 * network.weight_matrix_mean * published["tau_syn"] * published["tau_m"] / published["C_m"]
    return np.array(omega), np.array(slopes), network.num_synapses / network.num_neurons[:, np.newaxis] * per_spike


def fit_rates(omega: Floats, rates: Floats) -> Floats:
    """Return the coefficients of the parabola that is the logarithm of the rate, by maximum likelihood.

    Parameters
    ----------
    omega, rates : numpy.ndarray, shape (n,)
        Threshold in mV and number of spikes (or rate) of each neuron.

    Returns
    -------
    numpy.ndarray, shape (3,)
        The highest power first, as for `numpy.polyval`.
    """
    centre = omega.mean()

    def misfit(coefficients: Floats) -> float:
        logarithm = np.polyval(coefficients, omega - centre)
        return float(np.mean(np.exp(logarithm) - rates * logarithm))

    a, b, c = minimize(misfit, [0.0, -0.2, np.log(rates.mean())]).x
    return np.array([a, b - 2 * a * centre, c - b * centre + a * centre**2])


def find_threshold(rate_at: Floats, target: float) -> float:
    """Return the threshold in mV at which the parabola of `fit_rates` has the wanted rate and falls."""
    roots = np.roots(rate_at - [0.0, 0.0, np.log(target)])
    falling = [root.real for root in roots if abs(root.imag) < 1e-9 and np.polyval(np.polyder(rate_at), root.real) < 0]
    if not falling or not RANGE[0] - 2 <= falling[0] <= RANGE[1] + 2:
        raise AmatError(f"No threshold from {RANGE[0]:g} to {RANGE[1]:g} mV gives {target:.3g} spikes/s.")
    return float(falling[0])


def correct(omega: Floats, rates: Floats, targets: Floats, slopes: Floats, inputs: Floats) -> Floats:
    """Return the thresholds after a Newton step; the arguments are those of `open_loop`."""
    return np.asarray(omega + np.log(targets / rates) / slopes + inputs @ (targets - rates))


def closed_loop(omega: Floats, scale: float, seeds: Sequence[int]) -> pd.DataFrame:
    """Simulate the microcircuit of AMAT, and return ``rate``, ``cv`` and ``correlation``, means over seeds."""
    adaptation = {name: SHARED | {"omega": float(value)} for name, value in zip(POPULATIONS, omega, strict=True)}
    rows = []
    for seed in seeds:
        network = build_microcircuit(
            find_contender(MODEL), scale, "poisson", seed=seed, resolution=RESOLUTION, adaptation=adaptation
        )
        connect_quietly(network)
        import nest

        nest.Simulate(WARM_UP + MEASURE)
        for name, neurons, recorder in zip(POPULATIONS, network.pops, network.spike_recorders, strict=True):
            steps = np.asarray(recorder.events["times"], int) - round(WARM_UP / RESOLUTION)
            spikes = Spikes(np.asarray(recorder.events["senders"], int), steps)
            rows.append({"population": name, **measure_population(spikes, len(neurons), MEASURE, RESOLUTION)})
    means = pd.DataFrame(rows).set_index("population").astype(float).groupby(level=0).mean()
    return means.loc[list(POPULATIONS), ["rate", "cv", "correlation"]]


def write(table: pd.DataFrame, scale: float, omega: Floats) -> None:
    """Write the steps of the search and the thresholds."""
    thresholds = {name: round(float(value), 3) for name, value in zip(POPULATIONS, omega, strict=True)}
    chosen = {"scale": scale, "parameters": SHARED, "omega": thresholds}
    write_text(paths.DATA / "microcircuit_amat.yaml", HEAD + yaml.safe_dump(chosen, sort_keys=False))
    write_text(paths.DATA / "microcircuit_amat.csv", table.to_csv(index=False, float_format="%.4g"))


def search(scale: float, targets: Floats) -> None:
    """Search for the thresholds at which populations have the rates `targets`, and write all steps."""
    omega, slopes, inputs = open_loop(scale, targets)
    steps = []
    for number, seeds in enumerate(STEPS, 1):
        found = closed_loop(omega, scale, seeds)
        given: dict[str, Any] = {
            "step": number,
            "seeds": len(seeds),
            "omega": omega,
            "slope": slopes,
            "target": targets,
        }
        steps.append(found.assign(**given).reset_index()[COLUMNS])
        print(steps[-1].to_string(index=False), flush=True)
        omega = correct(omega, found["rate"].to_numpy(), targets, slopes, inputs)
    write(pd.concat(steps), scale, omega)


def main() -> None:
    """Search for the thresholds, verify them, and write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="folder of the measured cells; those of the reference are kept")
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--seeds", type=int, default=6, help="of the reference and of the verification")
    options = parser.parse_args()
    seeds = range(1, options.seeds + 1)
    rates = measure_activity(options.output, [REFERENCE], options.scale, seeds).query("measure == 'rate'")
    search(options.scale, rates.set_index("population")["mean"].loc[list(POPULATIONS)].to_numpy())
    for path in (options.output / "cells").glob(f"*-{MODEL}-*.json"):
        path.unlink()  # measured with other thresholds
    found = measure_activity(options.output, [REFERENCE, MODEL], options.scale, seeds)
    print(found.to_string(index=False))
    write_text(paths.DATA / "microcircuit_amat_activity.csv", found.to_csv(index=False, float_format="%.4g"))


if __name__ == "__main__":
    try:
        main()
    except AmatError as error:
        sys.exit(str(error))
