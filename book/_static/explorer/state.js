// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// The state of the page: its initial value, its trial for each model, and its encoding in a link.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const ONSET = 10;

  // Kinds of stimuli: segments of the current, of amplitude A in a run of T ms; patterns define their own.
  explorer.stimuli = {
    pattern: { label: "the pattern’s own" },
    step: { label: "step", segments: (A) => [[ONSET, Infinity, A, 0]] },
    pulse: { label: "pulse of 50 ms", segments: (A) => [[ONSET, ONSET + 50, A, 0]] },
    pulses: {
      label: "pulses of 5 ms, 20 per second",
      segments(A, T) {
        const onsets = Array.from({ length: Math.ceil((T - ONSET) / 50) }, (_, n) => ONSET + 50 * n);
        return onsets.map((onset) => [onset, onset + 5, A, 0]);
      },
    },
    ramp: { label: "ramp up to the amplitude", segments: (A, T) => [[ONSET, Infinity, 0, A / (T - ONSET)]] },
    own: { label: "your own", segments: () => [] },
  };

  explorer.noises = {
    none: { label: "none" },
    current: { label: "noisy current" },
    poisson: { label: "Poisson spikes" },
  };

  // Curves and charts that can be switched on.
  explorer.shown = {
    omega: { label: "resting threshold ω", model: "amat" },
    alpha_1: { label: "α₁ part", model: "amat" },
    alpha_2: { label: "α₂ part", model: "amat" },
    beta: { label: "β part (voltage-dependent)", model: "amat" },
    distance: { label: "distance from threshold", model: "amat" },
    u: { label: "recovery variable u", model: "izhikevich" },
    phase: { label: "phase plane", model: "izhikevich" },
    fi: { label: "f–I curves" },
    previous: { label: "previous setting" },
  };

  // Longest lists in a link.
  const POINTS = 100;
  const SPIKES = 200;

  function current(own, t) {
    return own.segments.reduce(
      (sum, [start, stop, value, slope]) =>
        start < t && t < stop ? sum + value + (slope ? slope * (t - start) : 0) : sum,
      own.baseline,
    );
  }

  // The largest change of a pattern's current from its value at time zero: the initial amplitude.
  function extreme(own) {
    const changes = own.segments.flatMap(([start, stop]) => [start + 1e-6, Math.min(stop, own.duration) - 1e-6]);
    const distances = changes.map((t) => current(own, t) - current(own, 0));
    return Number(distances.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0).toPrecision(3));
  }

  // The initial amplitude; a factor for the pattern's own stimulus.
  explorer.initialAmplitude = function (pattern, stimulus, model) {
    return stimulus === "pattern" ? 1 : extreme(explorer.content.patterns[pattern][model]);
  };

  const RUN = { duration: 500, seed: 1, noise_tau: 5, rate_exc: 500, rate_inh: 500, window: 2 };

  explorer.initialState = function (pattern, stimulus = "pattern") {
    const state = { pattern, stimulus, noise: "none", ...RUN, own: [], spikes: [], show: ["previous"] };
    if (explorer.content.patterns[pattern].judged_by_traces) {
      state.show.unshift("distance");
    }
    for (const [model, { sliders }] of Object.entries(explorer.content.models)) {
      const values = Object.assign(
        explorer.models[model].defaults(),
        explorer.content.patterns[pattern][model].parameters,
      );
      state[model] = {
        amplitude: explorer.initialAmplitude(pattern, stimulus, model),
        noise: explorer.content.models[model].noise_strength,
      };
      for (const name of Object.keys(sliders)) {
        state[model][name] = values[name];
      }
    }
    return state;
  };

  // Minimum, maximum and step of a number of the state.
  explorer.range = function (state, model, name) {
    if (!model) {
      return explorer.content.ranges[name];
    }
    if (name === "noise") {
      return explorer.content.models[model].noise;
    }
    if (name !== "amplitude") {
      // A value from a link may be beyond the usual range.
      const [least, greatest, step] = explorer.content.models[model].sliders[name];
      return [Math.min(least, state[model][name]), Math.max(greatest, state[model][name]), step];
    }
    return state.stimulus === "pattern" ? explorer.content.ranges.factor : explorer.content.models[model].amplitude;
  };

  explorer.trial = function (state, model) {
    const own = explorer.content.patterns[state.pattern][model];
    const { amplitude, noise, ...parameters } = state[model];
    const holding = current(own, 0);
    const trial = { ...own, parameters: { ...own.parameters, ...parameters } };
    if (parameters.E_L !== undefined) {
      trial.initial = { ...own.initial, V_m: parameters.E_L };
    }
    if (state.noise !== "none") {
      const { seed, noise_tau: tau, rate_exc, rate_inh } = state;
      trial.noise = { kind: state.noise, strength: noise, seed, tau, rate_exc, rate_inh };
    }
    if (state.stimulus !== "pattern") {
      trial.duration = state.duration;
      trial.baseline = holding;
      trial.segments = explorer.stimuli[state.stimulus].segments(amplitude, state.duration);
      if (state.stimulus === "own" && state.own.length) {
        const peak = explorer.peak(state.own);
        trial.own = { points: state.own, factor: amplitude === peak ? 1 : amplitude / peak };
      }
    } else if (amplitude !== 1) {
      // Scales the changes of the current, not its initial value.
      trial.baseline = amplitude * own.baseline + (1 - amplitude) * holding;
      trial.segments = own.segments.map(([start, stop, value, slope]) => [
        start,
        stop,
        amplitude * value,
        amplitude * slope,
      ]);
    }
    return trial;
  };

  // The value of the reader's current with the largest magnitude: the amplitude at which it is as given.
  explorer.peak = (points) => points.reduce((a, [, b]) => (Math.abs(b) > Math.abs(a) ? b : a), 0) || 1;

  // Links contain the pattern and all differences from it.
  explorer.encode = function (state) {
    const initial = explorer.initialState(state.pattern, state.stimulus);
    const query = new URLSearchParams({ pattern: state.pattern });
    if (state.stimulus !== "pattern") {
      query.set("stimulus", state.stimulus);
      query.set("duration", state.duration);
    }
    if (state.noise !== "none") {
      query.set("noise", state.noise);
    }
    for (const name of Object.keys(RUN)) {
      if (name !== "duration" && state[name] !== initial[name]) {
        query.set(name, state[name]);
      }
    }
    for (const model of Object.keys(explorer.content.models)) {
      for (const [name, value] of Object.entries(state[model])) {
        if (value !== initial[model][name]) {
          query.set(`${model}.${name}`, value);
        }
      }
    }
    if (state.show.join() !== initial.show.join()) {
      query.set("show", state.show.join(" "));
    }
    if (state.stimulus === "own" && state.own.length && state.own.length <= POINTS) {
      query.set("own", state.own.map((point) => point.join(":")).join(" "));
    }
    if (state.spikes.length && state.spikes.length <= SPIKES) {
      query.set("spikes", state.spikes.join(" "));
    }
    return query.toString();
  };

  // Returns the parts of a state that are too long for a link.
  explorer.unlinked = function (state) {
    return [
      state.stimulus === "own" && state.own.length > POINTS ? `your current (over ${POINTS} values)` : "",
      state.spikes.length > SPIKES ? `your spikes (over ${SPIKES})` : "",
    ].filter(Boolean);
  };

  // Sets a number of the state; returns whether the text is one within the range.
  function setNumber(state, key, text) {
    const [model, name] = key.includes(".") ? key.split(".") : [null, key];
    const known = model === null ? Object.hasOwn(RUN, name) : Object.hasOwn(explorer.content.models, model);
    const target = model === null ? state : known ? state[model] : {};
    const value = text.trim() === "" ? NaN : Number(text);
    if (known && !Object.hasOwn(target, name)) {
      return setFixed(model, target, name, value);
    }
    if (!known) {
      return false;
    }
    const [least, greatest, step] = explorer.range(state, model, name);
    const whole = !["duration", "seed"].includes(key) || value % step === 0;
    const slider = model && Object.hasOwn(explorer.content.models[model].sliders, name);
    const fitted = slider && Math.abs(value) <= explorer.content.beyond * greatest && (least < 0 || value > 0);
    if (!(fitted || (value >= least && value <= greatest && whole))) {
      return false;
    }
    target[name] = value;
    return true;
  }

  // Sets a parameter without a slider, such as a fitted capacitance; returns whether the model has it.
  function setFixed(model, target, name, value) {
    const positive = /^(tau|C_m|refr)/.test(name);
    if (!model || !Object.hasOwn(explorer.models[model].parameters, name) || !Number.isFinite(value)) {
      return false;
    }
    if (positive && value <= 0) {
      return false;
    }
    target[name] = value;
    return true;
  }

  // The parameters of a state that have no slider.
  explorer.fixedParameters = function (state, model) {
    const { sliders } = explorer.content.models[model];
    return Object.entries(state[model]).filter(
      ([name]) => !Object.hasOwn(sliders, name) && Object.hasOwn(explorer.models[model].parameters, name),
    );
  };

  // Sets a list of the state; returns whether the text is one.
  function setList(state, key, text) {
    if (key === "show") {
      state.show = text.split(" ").filter((name) => Object.hasOwn(explorer.shown, name));
      return state.show.join(" ") === text;
    }
    try {
      state[key] =
        key === "spikes"
          ? explorer.parseSpikes(text)
          : explorer.parseCurrent(text.replaceAll(" ", "\n").replaceAll(":", ","));
      return true;
    } catch {
      return false;
    }
  }

  // Returns the state encoded in a link's fragment or query and the refused values, or null if it encodes no state.
  explorer.decode = function (part) {
    const query = new URLSearchParams(part.replace(/^[#?]/, ""));
    if (!query.has("pattern")) {
      return null;
    }
    const refused = [];
    const choose = (key, known, otherwise) => {
      const value = query.get(key) ?? otherwise;
      if (Object.hasOwn(known, value)) {
        return value;
      }
      refused.push(`${key}=${value}`);
      return otherwise;
    };
    const pattern = choose("pattern", explorer.content.patterns, explorer.firstPattern);
    const state = explorer.initialState(pattern, choose("stimulus", explorer.stimuli, "pattern"));
    state.noise = choose("noise", explorer.noises, "none");
    for (const [key, text] of query) {
      if (["pattern", "stimulus", "noise"].includes(key)) {
        continue;
      }
      const set = ["show", "own", "spikes"].includes(key) ? setList : setNumber;
      if (!set(state, key, text)) {
        refused.push(`${key}=${text}`);
      }
    }
    return { state, refused };
  };

  explorer.firstPattern = "tonic_bursting";
})();
