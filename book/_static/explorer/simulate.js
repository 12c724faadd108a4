// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// Simulates a trial: a model of models.js with its parameters, under a current, from time zero on.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});

  // NEST's number of steps of a duration: rounded to 1 us, then up to whole steps.
  explorer.steps = function (duration, h) {
    return Math.ceil(Math.floor(duration * 1000 + 0.5) / Math.round(h * 1000));
  };

  function multiply(a, b) {
    return a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
  }

  // exp(A h) by scaling, a Taylor series and squaring, which also works for equal time constants.
  explorer.exponential = function (matrix, h) {
    const norm = h * Math.max(...matrix.map((row) => row.reduce((sum, x) => sum + Math.abs(x), 0)));
    const squarings = Math.max(0, Math.ceil(Math.log2(norm || 1)) + 4);
    const scaled = matrix.map((row) => row.map((x) => (x * h) / 2 ** squarings));
    let term = matrix.map((row, i) => row.map((_, j) => (i === j ? 1 : 0)));
    let result = term;
    for (let n = 1; n < 18; n++) {
      term = multiply(term, scaled).map((row) => row.map((x) => x / n));
      result = result.map((row, i) => row.map((x, j) => x + term[i][j]));
    }
    for (let n = 0; n < squarings; n++) {
      result = multiply(result, result);
    }
    return result;
  };

  // Returns the function that advances the variables with equations by one step, in place.
  function integrator(matrix, h) {
    if (!matrix) {
      return null;
    }
    const size = matrix.length;
    const propagator = explorer.exponential(matrix, h);
    // Row after row the entries that are not zero, their columns, and where each row ends.
    const factors = new Float64Array(propagator.flat().filter((x) => x !== 0));
    const columns = new Int32Array(propagator.flatMap((row) => row.map((_, j) => j).filter((j) => row[j] !== 0)));
    const ends = new Int32Array(size);
    propagator.forEach((row, i) => (ends[i] = (i ? ends[i - 1] : 0) + row.filter((x) => x !== 0).length));
    const old = new Float64Array(size);
    return function (s) {
      for (let i = 0; i < size; i++) {
        old[i] = s[i];
      }
      for (let i = 0, k = 0; i < size; i++) {
        let sum = 0;
        for (; k < ends[i]; k++) {
          sum += factors[k] * old[columns[k]];
        }
        s[i] = sum;
      }
    };
  }

  // The current during each step: a baseline, and segments that add value + slope (t - start) for start < t < stop.
  explorer.waveform = function (trial) {
    const steps = Math.round(trial.duration / trial.resolution);
    const current = new Float64Array(steps).fill(trial.baseline);
    for (const [start, stop, value, slope] of trial.segments) {
      for (let step = 0; step < steps; step++) {
        // Rounded, so that a segment that ends on the grid does so in floating point too.
        const t = Math.round((step + trial.sampled) * trial.resolution * 1e9) / 1e9;
        if (start < t && t < stop) {
          current[step] += value;
          if (slope) {
            current[step] += slope * (t - start);
          }
        }
      }
    }
    if (trial.own) {
      addOwn(current, trial);
    }
    if (trial.noise?.kind === "current") {
      explorer.noisyCurrent(trial.noise, steps, trial.resolution).forEach((value, step) => (current[step] += value));
    }
    return current;
  };

  // Adds the reader's own current, in which each value lasts until the time of the next.
  function addOwn(current, { own, resolution, sampled }) {
    let n = -1;
    for (let step = 0; step < current.length; step++) {
      const t = Math.round((step + sampled) * resolution * 1e9) / 1e9;
      while (n + 1 < own.points.length && own.points[n + 1][0] <= t) {
        n++;
      }
      if (n >= 0) {
        current[step] += own.factor * own.points[n][1];
      }
    }
  }

  const RECORDED = ["V_m", "U_m", "V_th_alpha_1", "V_th_alpha_2", "V_th_v"];

  // Prepares a run: returns its number of steps, its current, and the functions that advance it by a step.
  function prepare(model, trial) {
    const h = trial.resolution;
    const p = Object.assign(model.defaults(), trial.parameters);
    const c = model.internals(p, h);
    const s = model.initial(p, c, h);
    for (const [name, value] of Object.entries(trial.initial)) {
      s[model.index[name]] = value;
    }
    const integrate = integrator(model.matrix(p, c, h), h);
    const current = explorer.waveform(trial);
    const arrive = trial.noise?.kind === "poisson" ? explorer.arrivals(model, trial.noise, current.length, h) : null;
    // Advances by a step, and returns whether it ends with a spike.
    const advance = (step) => {
      model.update(s, p, c, h, current[step], integrate);
      if (arrive) {
        arrive(s, step);
      }
      if (!model.condition(s, p, c, h)) {
        return false;
      }
      model.fire(s, p, c, h);
      return true;
    };
    const threshold = model.inlines.V_th ? () => model.inlines.V_th(s, p, c, h) : null;
    return { s, current, advance, threshold };
  }

  // Returns time, traces and (where the model has one) V_th at the end of each step, the current, and the spike times.
  explorer.simulate = function (model, trial) {
    const h = trial.resolution;
    const { s, current, advance, threshold } = prepare(model, trial);
    const steps = current.length;
    const time = new Float64Array(steps);
    const V_th = threshold ? new Float64Array(steps) : null;
    const names = RECORDED.filter((name) => name in model.index);
    const traces = names.map(() => new Float64Array(steps));
    const indices = names.map((name) => model.index[name]);
    const spikeSteps = [];
    for (let step = 0; step < steps; step++) {
      if (advance(step)) {
        spikeSteps.push(step + 1);
      }
      time[step] = (step + 1) * h;
      for (let n = 0; n < indices.length; n++) {
        traces[n][step] = s[indices[n]];
      }
      if (threshold) {
        V_th[step] = threshold();
      }
    }
    const recorded = Object.fromEntries(names.map((name, n) => [name, traces[n]]));
    return { time, ...recorded, V_th, current, spikeSteps, spikes: spikeSteps.map((step) => step * h) };
  };

  // Returns the spike times only, in ms.
  explorer.spikeTimes = function (model, trial) {
    const { current, advance } = prepare(model, trial);
    const spikes = [];
    for (let step = 0; step < current.length; step++) {
      if (advance(step)) {
        spikes.push((step + 1) * trial.resolution);
      }
    }
    return spikes;
  };
})();
