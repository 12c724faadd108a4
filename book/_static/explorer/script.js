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


def simulate(model, parameters, state, baseline, segments, sampled, duration, resolution, added=None, arriving=()):
    """Return a neuron's spike times in ms; \`added\` is a current, \`arriving\` has weights and numbers of spikes."""
    # The current in each step; a segment adds value + slope * (t - start) where start < t < stop.
    t = np.round((np.arange(round(duration / resolution)) + sampled) * resolution, 9)
    current = np.full(len(t), float(baseline))
    for start, stop, value, slope in segments:
        inside = (start < t) & (t < stop)
        current[inside] += value
        if slope:
            current[inside] += slope * (t[inside] - start)
    if added is not None:
        current = added(t, current, resolution)

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
    for weight, numbers in arriving:
        # Spikes that arrive at the end of a step are sent one step before.
        steps = np.flatnonzero(numbers)
        times = np.round((steps + lead) * resolution, 9)
        sources = nest.Create(
            "spike_generator", params={"spike_times": times, "spike_weights": weight * numbers[steps].astype(float)}
        )
        nest.Connect(sources, neuron, syn_spec={"delay": resolution})
    recorder = nest.Create("spike_recorder", params={"time_in_steps": True})
    nest.Connect(generator, neuron, syn_spec={"delay": resolution})
    nest.Connect(neuron, recorder, syn_spec={"delay": resolution})
    nest.Simulate(lead * resolution)
    neuron.set(state)
    nest.Simulate((len(t) + 1) * resolution)
    steps = np.asarray(recorder.events["times"], dtype=int) - lead
    return steps[steps <= len(t)] * resolution

`;

  const OWN = `
def own_current(times, values, factor):
    """Return a function that adds a current to another; each value lasts until the next time."""

    def add(t, current, resolution):
        number = np.searchsorted(times, t, side="right") - 1
        return current + np.where(number >= 0, factor * np.asarray(values)[number], 0.0)

    return add

`;

  const UNIFORM = `
def sample_uniform(seed):
    """Yield the numbers of the page's generator, mulberry32."""
    mask, counter = 0xFFFFFFFF, seed
    while True:
        counter = (counter + 0x6D2B79F5) & mask
        x = ((counter ^ (counter >> 15)) * (counter | 1)) & mask
        x ^= (x + (((x ^ (x >> 7)) * (x | 61)) & mask)) & mask
        yield (x ^ (x >> 14)) / 4294967296

`;

  const CURRENT = `
def noisy_current(seed, strength, decay, kick):
    """Return a function that adds an Ornstein-Uhlenbeck process to a current."""

    def add(t, current, resolution):
        uniform = sample_uniform(seed)
        noisy = current.copy()
        x = strength * (sum(next(uniform) for _ in range(12)) - 6)
        for step in range(len(t)):
            noisy[step] += x
            x = x * decay + kick * (sum(next(uniform) for _ in range(12)) - 6)
        return noisy

    return add

`;

  const POISSON = `
def poisson_counts(seed, steps, means, nones):
    """Return the numbers of spikes in each step, for each mean number in a step and probability of none."""
    uniform = sample_uniform(seed)
    counts = np.zeros((len(means), steps), dtype=int)
    for step in range(steps):
        for source, (mean, none) in enumerate(zip(means, nones)):
            u, probability, total = next(uniform), none, none
            while u >= total and counts[source, step] < 100:
                counts[source, step] += 1
                probability *= mean / counts[source, step]
                total += probability
    return counts

`;

  // The arguments of a trial beyond its segments.
  function more(trial) {
    const added = [];
    const { own, noise } = trial;
    if (own) {
      const [times, values] = [0, 1].map((n) => `[${own.points.map((point) => python(point[n])).join(", ")}]`);
      added.push(`own_current(${times}, ${values}, ${python(own.factor)})`);
    }
    if (noise?.kind === "current") {
      const { decay, kick } = explorer.noiseConstants(noise, trial.resolution);
      added.push(`noisy_current(${noise.seed}, ${[noise.strength, decay, kick].map(python).join(", ")})`);
    }
    const lines = [];
    if (added.length === 2) {
      lines.push(`added=lambda t, current, resolution: ${added[1]}(t, ${added[0]}(t, current, resolution), resolution),`);
    } else if (added.length) {
      lines.push(`added=${added[0]},`);
    }
    if (noise?.kind === "poisson") {
      const means = ["exc", "inh"].map((kind) => (noise[`rate_${kind}`] * trial.resolution) / 1000);
      const steps = Math.round(trial.duration / trial.resolution);
      const given = [means, means.map((mean) => Math.exp(-mean))].map(python).join(", ");
      const weights = python([noise.strength, -noise.strength]);
      lines.push(`arriving=zip(${weights}, poisson_counts(${noise.seed}, ${steps}, ${given})),`);
    }
    return lines.map((line) => `\n    ${line}`).join("");
  }

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
    if (state.stimulus === "own") {
      parts.push(OWN);
    }
    if (state.noise !== "none") {
      parts.push(UNIFORM, state.noise === "current" ? CURRENT : POISSON);
    }
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
    resolution=${trial.resolution},${more(trial)}
)
print("${label}, spikes at (ms):", *${model}_spikes.round(3))
`);
    }
    return parts.join("\n").replace(/\n{4,}/g, "\n\n\n");
  };
})();
