// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// The f-I curve of the parameters that are shown, and the phase plane of Izhikevich's neuron.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const POINTS = 26;
  const ONSET = 10;
  const LENGTH = 1000; // ms of each step; the rate is that of the second half
  const SLICE = 12; // ms of computation before other work of the page

  // The currents of an f-I curve, relative to the pattern's holding current: up to twice the pattern's own.
  explorer.fiCurrents = function (state, model) {
    const greatest = 2 * Math.abs(explorer.initialAmplitude(state.pattern, "step", model));
    return Array.from({ length: POINTS }, (_, n) => (n * greatest) / (POINTS - 1));
  };

  // The trial of one point of an f-I curve.
  explorer.fiTrial = function (state, model, amplitude) {
    const quiet = { ...state, stimulus: "step", noise: "none", duration: LENGTH };
    const trial = explorer.trial(quiet, model);
    return { ...trial, segments: [[ONSET, Infinity, amplitude, 0]] };
  };

  // The rate of a train in spikes/s, from the intervals in the second half of the run.
  explorer.steadyRate = function (spikes) {
    const later = spikes.filter((time) => time > LENGTH / 2);
    return later.length < 2 ? 0 : (1000 * (later.length - 1)) / (later.at(-1) - later[0]);
  };

  // Computes the curve in slices of time; a state that arrives meanwhile is next.
  class Computation {
    constructor(model, finished) {
      Object.assign(this, { model, finished, next: null, running: false });
    }

    start(state) {
      this.next = structuredClone(state);
      if (!this.running) {
        this.running = true;
        this.begin();
      }
    }

    begin() {
      this.state = this.next;
      this.next = null;
      this.currents = explorer.fiCurrents(this.state, this.model);
      this.rates = [];
      setTimeout(() => this.proceed());
    }

    proceed() {
      const until = performance.now() + SLICE;
      while (this.rates.length < this.currents.length && performance.now() < until) {
        const trial = explorer.fiTrial(this.state, this.model, this.currents[this.rates.length]);
        this.rates.push(explorer.steadyRate(explorer.spikeTimes(explorer.models[this.model], trial)));
      }
      if (this.rates.length < this.currents.length) {
        setTimeout(() => this.proceed());
        return;
      }
      this.finished(this.currents, this.rates);
      if (this.next) {
        this.begin();
      } else {
        this.running = false;
      }
    }
  }

  // Returns { show(state), fit(height) } for the f-I curve of a model.
  explorer.fiCurve = function (element, model) {
    const { colour, unit, label } = explorer.content.models[model];
    let before = null;
    const plot = new uPlot(
      {
        width: Math.max(150, element.clientWidth),
        height: 150,
        padding: [8, 8, 0, 0],
        cursor: { drag: { x: false, y: false } },
        legend: { show: false },
        scales: { x: { time: false }, y: { range: (_, min, max) => [0, Math.max(10, 1.1 * max)] } },
        axes: [
          explorer.axis(`step (${unit})`, { size: 22, labelSize: 16 }),
          explorer.axis("spikes/s", { size: 42, space: 20 }),
        ],
        series: [
          {},
          { stroke: explorer.muted, width: 1, dash: [3, 3], points: { show: false } },
          { stroke: colour, width: 1.5, points: { show: true, size: 4 } },
        ],
      },
      [[], [], []],
      element,
    );
    const computation = new Computation(model, (currents, rates) => {
      if (state.reset || !before || before.currents.join() !== currents.join()) {
        before = null;
      }
      const ghost = before && state.previous ? before.rates : currents.map(() => null);
      plot.setData([currents, ghost, rates]);
      const first = rates.findIndex((rate) => rate > 0);
      element.setAttribute(
        "aria-label",
        first < 0
          ? `f–I curve of ${label}: no spikes up to ${explorer.rounded(currents.at(-1))} ${unit}.`
          : `f–I curve of ${label}: spikes from a step of ${explorer.rounded(currents[first])} ${unit} on, ` +
              `${explorer.rounded(rates.at(-1))} spikes/s at ${explorer.rounded(currents.at(-1))} ${unit}.`,
      );
      chart.drawn = { currents, rates };
    });
    const state = { reset: false, previous: false };
    const chart = {
      drawn: null,
      // Marks the curve that is drawn as the previous one.
      keep() {
        before = chart.drawn;
      },
      show(page, reset) {
        Object.assign(state, { reset, previous: page.show.includes("previous") });
        computation.start(page);
      },
      fit: (height) => plot.setSize({ width: Math.max(150, element.clientWidth), height }),
    };
    return chart;
  };

  // Returns { show(result, trial) } for the phase plane: the trajectory, and the curves where V or u do not change.
  explorer.phasePlane = function (element, model) {
    const { colour } = explorer.content.models[model];
    const canvas = explorer.element("canvas", {});
    element.append(canvas);
    let drawn = null;
    let height = 150;

    function paint() {
      const width = element.clientWidth;
      if (!drawn || !width) {
        return;
      }
      const { result, trial } = drawn;
      const p = { ...explorer.models[model].defaults(), ...trial.parameters };
      Object.assign(canvas, { width: width * devicePixelRatio, height: height * devicePixelRatio });
      Object.assign(canvas.style, { width: `${width}px`, height: `${height}px` });
      const context = canvas.getContext("2d");
      context.scale(devicePixelRatio, devicePixelRatio);
      const box = { left: 44, right: width - 8, top: 8, bottom: height - 34 };
      const low = { V: result.V_m.reduce((a, b) => Math.min(a, b), -80) - 5, u: result.U_m.reduce((a, b) => Math.min(a, b)) };
      const high = { V: p.V_peak + 5, u: result.U_m.reduce((a, b) => Math.max(a, b)) };
      const margin = 0.2 * Math.max(high.u - low.u, 1);
      low.u -= margin;
      high.u += margin;
      const x = (V) => box.left + ((V - low.V) / (high.V - low.V)) * (box.right - box.left);
      const y = (u) => box.bottom - ((u - low.u) / (high.u - low.u)) * (box.bottom - box.top);
      frame(context, box, x, y, low, high);
      context.save();
      context.beginPath();
      context.rect(box.left, box.top, box.right - box.left, box.bottom - box.top);
      context.clip();
      const changes = result.current.reduce((a, b) => (Math.abs(b - result.current[0]) > Math.abs(a - result.current[0]) ? b : a));
      const line = (colour, dash, u) => curve(context, colour, dash, low.V, high.V, (V) => [x(V), y(u(V))]);
      const still = (I) => (V) => p.q_2 * V * V + p.q_1 * V + p.q_0 + p.I_e + I;
      line(explorer.muted(), [2, 3], still(result.current[0]));
      line(explorer.ink(), [], still(changes));
      if (p.leak) {
        line("#029e73", [7, 3], (V) => (p.b * (V - p.V_ref)) / p.leak);
      }
      trajectory(context, colour, result, p.V_peak, x, y);
      context.restore();
    }

    new ResizeObserver(paint).observe(element);
    new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-theme", "data-mode"] });
    return {
      show(result, trial) {
        drawn = { result, trial };
        paint();
      },
      fit(pixels) {
        height = pixels;
        paint();
      },
    };
  };

  function frame(context, box, x, y, low, high) {
    context.font = "12px system-ui, sans-serif";
    context.fillStyle = explorer.ink();
    context.strokeStyle = explorer.faint();
    context.textAlign = "center";
    for (let V = -80; V <= high.V; V += 40) {
      context.strokeRect(x(V), box.top, 0, box.bottom - box.top);
      context.fillText(String(V), x(V), box.bottom + 14);
    }
    context.fillText("V (mV)", (box.left + box.right) / 2, box.bottom + 29);
    const step = tickStep(high.u - low.u);
    context.textAlign = "right";
    for (let u = Math.ceil(low.u / step) * step; u <= high.u; u += step) {
      context.strokeRect(box.left, y(u), box.right - box.left, 0);
      context.fillText(String(Number(u.toFixed(6))), box.left - 5, y(u) + 4);
    }
    context.textAlign = "left";
    context.fillText("u", 2, box.top + 10);
  }

  function tickStep(span) {
    const power = 10 ** Math.floor(Math.log10(span / 3));
    return [1, 2, 5, 10].map((n) => n * power).find((step) => span / step <= 5);
  }

  function curve(context, colour, dash, from, to, point) {
    context.beginPath();
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.setLineDash(dash);
    for (let n = 0; n <= 120; n++) {
      context.lineTo(...point(from + ((to - from) * n) / 120));
    }
    context.stroke();
    context.setLineDash([]);
  }

  // The path from step to step; a spike ends at the peak, and the reset is not drawn.
  function trajectory(context, colour, { V_m, U_m, spikeSteps }, peak, x, y) {
    const spikes = new Set(spikeSteps);
    context.beginPath();
    context.strokeStyle = colour;
    context.lineWidth = 1.2;
    for (let step = 0; step < V_m.length; step++) {
      if (spikes.has(step + 1)) {
        context.lineTo(x(peak), y(step ? U_m[step - 1] : U_m[step]));
        context.moveTo(x(V_m[step]), y(U_m[step]));
      } else {
        context.lineTo(x(V_m[step]), y(U_m[step]));
      }
    }
    context.stroke();
  }
})();
