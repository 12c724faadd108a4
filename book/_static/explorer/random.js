// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// Noise from a seed. It uses sums, products and two constants only, so that Python gives the same doubles.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});

  // Returns a generator of uniform numbers in [0, 1): the method mulberry32, a hash of a 32-bit counter.
  explorer.uniform = function (seed) {
    let counter = seed >>> 0;
    return () => {
      counter = (counter + 0x6d2b79f5) >>> 0;
      let x = Math.imul(counter ^ (counter >>> 15), counter | 1);
      x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
      return ((x ^ (x >>> 14)) >>> 0) / 4294967296;
    };
  };

  // A nearly normal number of mean 0 and variance 1: the sum of twelve uniform ones, minus six.
  function normal(uniform) {
    let sum = 0;
    for (let n = 0; n < 12; n++) {
      sum += uniform();
    }
    return sum - 6;
  }

  // The constants of the noisy current: decay in a step, and size of the new part.
  explorer.noiseConstants = function ({ strength, tau }, h) {
    const decay = Math.exp(-h / tau);
    return { decay, kick: strength * Math.sqrt(1 - decay * decay) };
  };

  // Returns an Ornstein-Uhlenbeck process during each step, with the standard deviation `strength`.
  explorer.noisyCurrent = function (noise, steps, h) {
    const uniform = explorer.uniform(noise.seed);
    const { decay, kick } = explorer.noiseConstants(noise, h);
    const values = new Float64Array(steps);
    let x = noise.strength * normal(uniform);
    for (let step = 0; step < steps; step++) {
      values[step] = x;
      x = x * decay + kick * normal(uniform);
    }
    return values;
  };

  function poisson(uniform, mean, none) {
    const u = uniform();
    let probability = none;
    let sum = none;
    let number = 0;
    while (u >= sum && number < 100) {
      number += 1;
      probability *= mean / number;
      sum += probability;
    }
    return number;
  }

  // Returns the numbers of excitatory and inhibitory spikes that arrive in each step.
  explorer.poissonCounts = function (noise, steps, h) {
    const uniform = explorer.uniform(noise.seed);
    const counts = { exc: new Int32Array(steps), inh: new Int32Array(steps) };
    const sources = Object.entries(counts).map(([kind, numbers]) => {
      const mean = (noise[`rate_${kind}`] * h) / 1000;
      return [numbers, mean, Math.exp(-mean)];
    });
    for (let step = 0; step < steps; step++) {
      for (const [numbers, mean, none] of sources) {
        numbers[step] = poisson(uniform, mean, none);
      }
    }
    return counts;
  };

  // Returns the function that adds the spikes of a step to the state: to AMAT's synaptic currents, or to V_m.
  explorer.arrivals = function (model, noise, steps, h) {
    const { exc, inh } = explorer.poissonCounts(noise, steps, h);
    const { V_m, I_kernel_exc__X__exc_spikes: excitatory, I_kernel_inh__X__inh_spikes: inhibitory } = model.index;
    const weight = noise.strength;
    if (excitatory === undefined) {
      return (s, step) => (s[V_m] += weight * exc[step] - weight * inh[step]);
    }
    return (s, step) => {
      s[excitatory] += weight * exc[step];
      s[inhibitory] += weight * inh[step];
    };
  };
})();
