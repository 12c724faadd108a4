// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// Writes the PyNEST script of a state: the same neurons under the same currents.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});

  const HEAD = `import amat
import nest
import numpy as np


def simulate(model, parameters, state, baseline, segments, sampled, duration, resolution):
    """Return a neuron's spike times in ms."""
    # The current in each step; a segment adds value + slope * (t - start) where start < t < stop.
    t = np.round((np.arange(round(duration / resolution)) + sampled) * resolution, 9)
    current = np.full(len(t), float(baseline))
    for start, stop, value, slope in segments:
        inside = (start < t) & (t < stop)
        current[inside] += value
        if slope:
            current[inside] += slope * (t[inside] - start)

    nest.ResetKernel()
    nest.resolution = resolution
    amat.install(model)
    neuron = nest.Create(model, params=parameters)
    # A device's current acts one step after the delay: time zero is two steps after the start.
    lead = 2
    changes = np.flatnonzero(np.diff(current, prepend=0.0))
    generator = nest.Create(
        "step_current_generator",
        params={
            "amplitude_times": (changes + 1) * resolution,
            "amplitude_values": current[changes],
            "allow_offgrid_times": True,
        },
    )
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(generator, neuron, syn_spec={"delay": resolution})
    nest.Connect(neuron, recorder, syn_spec={"delay": resolution})
    nest.Simulate(lead * resolution)
    neuron.set(state)
    nest.Simulate((len(t) + 1) * resolution)
    steps = np.asarray(recorder.events["times"], dtype=int) - lead
    return steps[steps <= len(t)] * resolution

`;

  function python(value) {
    if (Array.isArray(value)) {
      return `(${value.map(python).join(", ")})`;
    }
    if (typeof value === "object") {
      return `{${Object.entries(value)
        .map(([name, item]) => `${python(name)}: ${python(item)}`)
        .join(", ")}}`;
    }
    if (typeof value === "string") {
      return JSON.stringify(value);
    }
    return Number.isFinite(value) ? String(value) : `float("${value < 0 ? "-" : ""}inf")`;
  }

  explorer.script = function (state) {
    const { label } = explorer.content.patterns[state.pattern];
    const parts = [`"""${label}: AMAT and Izhikevich's neuron, as shown in the explorer."""\n`, HEAD];
    for (const [model, { nest, label, unit }] of Object.entries(explorer.content.models)) {
      const trial = explorer.trial(state, model);
      parts.push(`
${model}_spikes = simulate(
    model=${python(nest)},
    parameters=${python(trial.parameters)},
    state=${python(trial.initial)},
    baseline=${python(trial.baseline)},  # ${unit}
    segments=[${trial.segments.map((segment) => `\n        ${python(segment)},`).join("")}
    ],
    sampled=${trial.sampled},
    duration=${trial.duration},
    resolution=${trial.resolution},
)
print("${label}, spikes at (ms):", *${model}_spikes.round(3))
`);
    }
    return parts.join("\n").replace(/\n{4,}/g, "\n\n\n");
  };
})();
