// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// The criteria for the firing patterns: amat.analysis.patterns.criteria, function by function and reason by reason.
// A test compares the verdicts with those of Python.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});

  class Failed extends Error {}
  // The current does not have the form that the criterion needs.
  class NotApplicable extends Error {}

  function require(condition, reason) {
    if (!condition) {
      throw new Failed(reason);
    }
  }

  // A number with fixed decimals as in Python, which rounds exact ties to even digits.
  function fixed(value, digits) {
    const doubled = value * 2 ** (digits + 1);
    if (Number.isInteger(doubled) && doubled % 2 !== 0) {
      const scaled = Math.abs(value) * 10 ** digits;
      const even = 2 * Math.round(scaled / 2);
      return ((Math.sign(value) * even) / 10 ** digits).toFixed(digits);
    }
    return value.toFixed(digits);
  }

  const general = (value) => String(Number(value.toPrecision(6)));
  const signed = (value, digits) => (value < 0 ? "" : "+") + fixed(value, digits);
  const count = (number, what = "spike") => `${number} ${what}${number === 1 ? "" : "s"}`;
  const last = (values) => values[values.length - 1];
  const differences = (values) => Array.from(values.slice(1), (value, n) => value - values[n]);
  const largest = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  const smallest = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

  // The stimulus as in amat.neurons.currents.InputCurrent: pieces that begin and end, start, and end within the run.
  explorer.stimulusOf = function (trial) {
    if (trial.own) {
      const points = trial.own.points.filter(([, value]) => value !== 0);
      const after = points.length ? trial.own.points.find(([t]) => t > last(points)[0]) : null;
      return { pulses: [], onset: points.length ? points[0][0] : 0, offset: after ? after[0] : trial.duration };
    }
    const finite = trial.segments.filter(([start, stop]) => Number.isFinite(start) && Number.isFinite(stop));
    const pulses = finite.map(([start, stop]) => ({ start, stop })).sort((a, b) => a.start - b.start);
    const onset = smallest(trial.segments.map(([start, stop]) => (Number.isFinite(start) ? start : stop)));
    const gap = trial.segments.some(([start]) => !Number.isFinite(start));
    const offset = gap
      ? smallest(trial.segments.map(([start]) => start).filter(Number.isFinite))
      : largest(trial.segments.map(([, stop]) => stop));
    return { pulses, onset, offset: Math.min(offset, trial.duration) };
  };

  function pulsesOf(response, number) {
    const { pulses } = response.stimulus;
    if (pulses.length !== number) {
      const wanted = { 1: "one pulse", 2: "two pulses or ramps that end", 4: "two pairs of pulses" }[number];
      throw new NotApplicable(`the criterion is defined for ${wanted}; choose the pattern’s own current`);
    }
    return pulses;
  }

  const during = ({ spikes }, start, stop) => spikes.filter((t) => t > start + 1e-6 && t <= stop + 1e-6);

  function silent(response, start, stop, when) {
    const number = during(response, start, stop).length;
    require(number === 0, `${count(number)} ${when}`);
  }

  // The distance from a spike in mV at times between two limits: AMAT's V_m - V_th, or V_m.
  function drive({ time, V_m, V_th }, from, to = Infinity) {
    const values = [];
    for (let step = 0; step < time.length; step++) {
      if (time[step] > from && time[step] <= to) {
        values.push(V_th ? V_m[step] - V_th[step] : V_m[step]);
      }
    }
    return values;
  }

  // Splits a train into bursts, and single spikes as bursts of one; see amat.analysis.metrics.split_bursts.
  explorer.splitBursts = function (spikes) {
    const intervals = differences(spikes);
    if (!intervals.length) {
      return spikes.length ? [spikes] : [];
    }
    const ordered = intervals.slice().sort((a, b) => a - b);
    const factors = ordered.slice(1).map((value, n) => value / ordered[n]);
    const greatest = largest(factors);
    if (!factors.length || greatest <= explorer.content.limits.burst_gap) {
      return [spikes];
    }
    const longest = ordered[factors.indexOf(greatest)];
    const parts = [[spikes[0]]];
    intervals.forEach((interval, n) => {
      if (interval > longest) {
        parts.push([]);
      }
      last(parts).push(spikes[n + 1]);
    });
    return parts;
  };

  function tonic(response) {
    const { onset, offset } = response.stimulus;
    silent(response, 0, onset, "before the onset");
    const spikes = during(response, onset, offset);
    require(spikes.length >= 4, `${count(spikes.length)} only`);
    const quiet = offset - last(spikes) > 1.5 * largest(differences(spikes));
    require(!quiet, `silent from ${fixed(last(spikes), 1)} ms on`);
    return spikes;
  }

  function bursts(spikes, wanted) {
    const parts = explorer.splitBursts(spikes);
    require(parts.length >= wanted, `${count(parts.length, "burst")} or single spikes: ${spikes.length} in all`);
    require(smallest(parts.map((part) => part.length)) >= 2, "single spikes among the bursts");
    return parts;
  }

  function phasic(response) {
    const { onset, offset } = response.stimulus;
    silent(response, 0, onset, "before the onset");
    const spikes = during(response, onset, response.trial.duration);
    require(spikes.length > 0, "no spike");
    require(last(spikes) < 0.5 * (onset + offset), `still a spike at ${fixed(last(spikes), 1)} ms`);
    return spikes;
  }

  function rateOnRamp(response) {
    const intervals = differences(tonic(response));
    return [intervals[0], last(intervals)];
  }

  function doublets(response) {
    const [first, second, third, fourth] = pulsesOf(response, 4);
    silent(response, 0, second.start, "before the second pulse");
    const middle = 0.5 * (second.stop + third.start);
    silent(response, middle, fourth.start, "between the pairs");
    const early = during(response, second.start, middle).length > 0;
    const late = during(response, fourth.start, Infinity).length > 0;
    return [early, late, second.start - first.start, fourth.start - third.start];
  }

  function single(response) {
    require(response.spikes.length === 1, count(response.spikes.length));
    return response.spikes[0];
  }

  function induced(response) {
    const { onset, offset } = response.stimulus;
    silent(response, 0, onset, "before the inhibition");
    const spikes = during(response, onset, offset);
    require(spikes.length >= 2, `${count(spikes.length)} during the inhibition`);
    silent(response, offset + largest(differences(spikes)), response.trial.duration, "after the inhibition");
    return spikes;
  }

  const hz = (interval) => fixed(1e3 / interval, 1);

  explorer.criteria = {
    tonic_spiking(response) {
      const spikes = tonic(response);
      const intervals = differences(spikes).slice(Math.floor((spikes.length - 1) / 2));
      const ratio = largest(intervals) / smallest(intervals);
      require(ratio <= explorer.content.limits.regular, `intervals vary by a factor of ${fixed(ratio, 2)}`);
      return `${count(spikes.length)}, in the end an interval of ${fixed(mean(intervals), 1)} ms`;
    },
    phasic_spiking(response) {
      const spikes = phasic(response);
      require(spikes.length === 1, `${count(spikes.length)} at the onset`);
      return `one spike, ${fixed(spikes[0] - response.stimulus.onset, 1)} ms after the onset`;
    },
    tonic_bursting(response) {
      // The end may cut off the last burst.
      const sizes = bursts(tonic(response), 4)
        .slice(0, -1)
        .map((part) => part.length);
      return `${count(sizes.length + 1, "burst")} of ${smallest(sizes)} to ${largest(sizes)} spikes`;
    },
    phasic_bursting(response) {
      const spikes = phasic(response);
      require(explorer.splitBursts(spikes).length === 1, "more than one burst");
      require(spikes.length >= 2, "a single spike");
      return `one burst of ${count(spikes.length)}`;
    },
    mixed_mode(response) {
      const [first, ...later] = explorer.splitBursts(tonic(response));
      require(first.length >= 2, "no burst at the onset");
      require(later.length >= 3, `${later.length} spikes or bursts after the first burst`);
      require(later.slice(0, -1).every((part) => part.length === 1), "bursts go on");
      return `a burst of ${count(first.length)}, then ${count(later.length, "single spike")}`;
    },
    spike_frequency_adaptation(response) {
      const intervals = differences(tonic(response));
      const ratio = last(intervals) / intervals[0];
      const growing = differences(intervals).every((change) => change >= -1.01 * response.trial.resolution);
      require(growing, "intervals do not grow");
      require(ratio >= explorer.content.limits.changed, `the last interval is ${fixed(ratio, 2)} of the first`);
      return `intervals grow from ${fixed(intervals[0], 1)} to ${fixed(last(intervals), 1)} ms`;
    },
    class_1(response) {
      const [first, end] = rateOnRamp(response);
      const found = `intervals from ${fixed(first, 1)} to ${fixed(end, 1)} ms`;
      require(first >= 2 * end, `${found}: the rate does not start low`);
      return `the rate grows from ${hz(first)} to ${hz(end)} spikes/s`;
    },
    class_2(response) {
      const [first, end] = rateOnRamp(response);
      const found = `intervals from ${fixed(first, 1)} to ${fixed(end, 1)} ms`;
      require(first < 2 * end, `${found}: the rate does not start high`);
      return `the rate starts at ${hz(first)} and ends at ${hz(end)} spikes/s`;
    },
    spike_latency(response) {
      const [pulse] = pulsesOf(response, 1);
      const width = pulse.stop - pulse.start;
      const delay = single(response) - pulse.stop;
      const pulseText = `a pulse of ${general(width)} ms`;
      require(delay >= 2 * width, `the spike comes ${fixed(delay, 1)} ms after ${pulseText}`);
      return `one spike, ${fixed(delay, 1)} ms after the end of ${pulseText}`;
    },
    subthreshold_oscillations(response) {
      const { deflection } = explorer.content.limits;
      const spike = single(response);
      const after = drive(response, Math.max(spike, response.stimulus.offset) + 1);
      require(after.length > 0, "the run ends with the stimulus");
      const deviation = after.map((value) => value - last(after));
      const trough = smallest(deviation);
      require(trough <= -deflection, "no undershoot after the spike");
      const later = largest(deviation.slice(deviation.indexOf(trough)));
      require(later >= deflection, "no overshoot after the undershoot");
      return `one spike, then ${fixed(trough, 2)} mV and ${signed(later, 2)} mV around the final value`;
    },
    resonator(response) {
      const { deflection } = explorer.content.limits;
      const [first, second, early, late] = doublets(response);
      require(first || second, "no spike");
      require(!(first && second), "both pairs of pulses fire");
      const [fires, fails] = first ? [early, late] : [late, early];
      const [begin, end] = response.stimulus.pulses.slice(first ? 0 : 2);
      const rest = last(drive(response, -Infinity, response.stimulus.onset));
      const between = drive(response, begin.stop, end.start).map((value) => value - rest);
      const trough = smallest(between);
      require(trough <= -deflection, "no undershoot between the pulses that fire");
      require(last(between) > trough + deflection, "the second pulse does not come on the rise");
      const found = `a spike to pulses ${general(fires)} ms apart, on the rise after ${fixed(trough, 2)} mV`;
      return `${found}; none at ${general(fails)} ms`;
    },
    integrator(response) {
      const [first, second, early, late] = doublets(response);
      const [shorter, longer] = early < late ? [first, second] : [second, first];
      const [least, most] = [Math.min(early, late), Math.max(early, late)].map(general);
      require(shorter, `no spike to pulses ${least} ms apart`);
      require(!longer, `a spike to pulses ${most} ms apart`);
      return `a spike to pulses ${least} ms apart, none at ${most} ms`;
    },
    rebound_spiking(response) {
      const { offset } = response.stimulus;
      silent(response, 0, offset, "before the inhibition ends");
      return `one spike, ${fixed(single(response) - offset, 1)} ms after the inhibition`;
    },
    rebound_bursting(response) {
      const { spikes, stimulus } = response;
      silent(response, 0, stimulus.offset, "before the inhibition ends");
      require(spikes.length >= 2, count(spikes.length));
      require(explorer.splitBursts(spikes).length === 1, "more than one burst");
      return `one burst of ${count(spikes.length)}`;
    },
    threshold_variability(response) {
      const after = last(response.stimulus.pulses);
      if (!after) {
        throw new NotApplicable("the criterion is defined for pulses; choose the pattern’s own current");
      }
      silent(response, 0, after.start, "before the pulse that follows the inhibition");
      const { length } = during(response, after.start, response.trial.duration);
      require(length === 1, `${count(length)} to the pulse that follows the inhibition`);
      return "the pulse fires only after an inhibition";
    },
    bistability(response) {
      const [on, off] = pulsesOf(response, 2);
      silent(response, 0, on.start, "before the first pulse");
      const spikes = during(response, on.start, off.start);
      require(spikes.length >= 3, `${count(spikes.length)} between the pulses`);
      const longest = largest(differences(spikes));
      require(off.start - last(spikes) <= 1.5 * longest, "silent before the second pulse");
      silent(response, off.stop + longest, response.trial.duration, "after the second pulse");
      return `${count(spikes.length)} between the pulses, none later`;
    },
    depolarizing_after_potential(response) {
      const { deflection } = explorer.content.limits;
      const spike = single(response);
      const rest = last(drive(response, -Infinity, response.stimulus.onset));
      const after = drive(response, Math.max(spike, response.stimulus.offset));
      require(after.length > 0, "the run ends with the stimulus");
      const height = largest(after) - rest;
      require(height >= deflection, "nearest to a spike at rest");
      require(last(after) - rest < 0.5 * height, "does not decay");
      return `one spike, then up to ${fixed(height, 2)} mV closer to the next spike than at rest`;
    },
    accommodation(response) {
      const [, fast] = pulsesOf(response, 2);
      silent(response, 0, fast.start, "on the slow ramp");
      const spikes = during(response, fast.start, response.trial.duration);
      require(spikes.length > 0, "no spike on the fast ramp");
      return `${count(spikes.length)} on the fast ramp, none on the slow one`;
    },
    inhibition_induced_spiking(response) {
      const spikes = induced(response);
      require([1, spikes.length].includes(explorer.splitBursts(spikes)[0].length), "spikes in bursts");
      return `${count(spikes.length)} during the inhibition`;
    },
    inhibition_induced_bursting(response) {
      const spikes = induced(response);
      const parts = bursts(spikes, 1);
      require(spikes.length >= 3, `${count(spikes.length)} during the inhibition`);
      return `${count(parts.length, "burst")} during the inhibition: ${count(spikes.length)}`;
    },
  };

  // Returns whether a response shows a pattern, with the reason; `passed` is null where the criterion does not apply.
  explorer.verdict = function (pattern, trial, result) {
    const response = { ...result, trial, stimulus: explorer.stimulusOf(trial) };
    try {
      return { passed: true, reason: explorer.criteria[pattern](response) };
    } catch (error) {
      if (error instanceof Failed || error instanceof NotApplicable) {
        return { passed: error instanceof Failed ? false : null, reason: error.message };
      }
      throw error;
    }
  };
})();
