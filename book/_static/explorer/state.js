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
  };

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

  explorer.initialState = function (pattern, stimulus = "pattern") {
    const state = { pattern, stimulus, duration: 500 };
    for (const [model, { sliders }] of Object.entries(explorer.content.models)) {
      const values = Object.assign(
        explorer.models[model].defaults(),
        explorer.content.patterns[pattern][model].parameters,
      );
      state[model] = { amplitude: explorer.initialAmplitude(pattern, stimulus, model) };
      for (const name of Object.keys(sliders)) {
        state[model][name] = values[name];
      }
    }
    return state;
  };

  // Minimum, maximum and step of a number of the state.
  explorer.range = function (state, model, name) {
    if (name === "duration") {
      return explorer.content.duration;
    }
    if (name !== "amplitude") {
      return explorer.content.models[model].sliders[name];
    }
    return state.stimulus === "pattern" ? explorer.content.factor : explorer.content.models[model].amplitude;
  };

  explorer.trial = function (state, model) {
    const own = explorer.content.patterns[state.pattern][model];
    const { amplitude, ...parameters } = state[model];
    const holding = current(own, 0);
    const trial = { ...own, parameters: { ...own.parameters, ...parameters } };
    if (state.stimulus !== "pattern") {
      trial.duration = state.duration;
      trial.baseline = holding;
      trial.segments = explorer.stimuli[state.stimulus].segments(amplitude, state.duration);
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

  // Links contain the pattern and all differences from it.
  explorer.encode = function (state) {
    const initial = explorer.initialState(state.pattern, state.stimulus);
    const query = new URLSearchParams({ pattern: state.pattern });
    if (state.stimulus !== "pattern") {
      query.set("stimulus", state.stimulus);
      query.set("duration", state.duration);
    }
    for (const model of Object.keys(explorer.content.models)) {
      for (const [name, value] of Object.entries(state[model])) {
        if (value !== initial[model][name]) {
          query.set(`${model}.${name}`, value);
        }
      }
    }
    return query.toString();
  };

  // Returns the state encoded in a link's fragment and the refused values, or null if the fragment encodes no state.
  explorer.decode = function (fragment) {
    const query = new URLSearchParams(fragment.replace(/^#/, ""));
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
    for (const [key, text] of query) {
      const [model, name] = key === "duration" ? [null, key] : key.split(".");
      const target = model === null ? state : Object.hasOwn(explorer.content.models, model) ? state[model] : {};
      if (key === "pattern" || key === "stimulus") {
        continue;
      }
      const value = text.trim() === "" ? NaN : Number(text);
      if (
        Object.hasOwn(target, name) &&
        value >= explorer.range(state, model, name)[0] &&
        value <= explorer.range(state, model, name)[1]
      ) {
        target[name] = value;
      } else {
        refused.push(`${key}=${text}`);
      }
    }
    if (state.duration % explorer.content.duration[2] !== 0) {
      refused.push(`duration=${state.duration}`);
      state.duration = 500;
    }
    return { state, refused };
  };

  explorer.firstPattern = "tonic_bursting";
})();
