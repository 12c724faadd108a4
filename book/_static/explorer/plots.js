// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// Draws one model over time: membrane potential, threshold and spikes, further traces, and the current.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const AXIS_WIDTH = 50;
  const FONT = "12px system-ui, sans-serif";
  const TICK = 10; // pixels, height of a spike

  function themed(name, otherwise) {
    return () => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || otherwise;
  }
  explorer.ink = themed("--pst-color-text-base", "#222");
  explorer.muted = themed("--pst-color-text-muted", "#666");
  explorer.faint = themed("--pst-color-border", "#ccc");
  const { ink, faint, muted } = explorer;

  // Parts of the threshold: colours that colour-blind readers distinguish, and dashes.
  const PARTS = {
    omega: { label: "ω", colour: muted, dash: [2, 3] },
    alpha_1: { label: "α₁ part", colour: "#029e73", trace: "V_th_alpha_1" },
    alpha_2: { label: "α₂ part", colour: "#cc78bc", dash: [8, 3], trace: "V_th_alpha_2" },
    beta: { label: "β part", colour: "#ca9161", dash: [4, 2], trace: "V_th_v" },
  };

  explorer.axis = function (label, more) {
    return {
      label,
      labelFont: FONT,
      font: FONT,
      labelSize: label ? 18 : 0,
      labelGap: 0,
      stroke: ink,
      grid: { stroke: faint, width: 1 },
      ticks: { stroke: faint, width: 1, size: 4 },
      ...more,
    };
  };

  const number = (unit) => (_, value) => (value == null ? "–" : `${Number(value.toFixed(2))} ${unit}`.trim());

  // Spikes as ticks above the curves; those to compare with are in a row below.
  function drawSpikes(plot, rows) {
    const { ctx, bbox } = plot;
    const { min, max } = plot.scales.x;
    ctx.save();
    const width = (plot.width < 420 ? 1 : 1.5) * devicePixelRatio;
    rows.forEach(({ spikes, colour }, n) => {
      ctx.fillStyle = colour;
      const top = bbox.top + n * (TICK + 2) * devicePixelRatio;
      for (const time of spikes) {
        if (time >= min && time <= max) {
          ctx.fillRect(Math.round(plot.valToPos(time, "x", true) - width / 2), top, width, TICK * devicePixelRatio);
        }
      }
    });
    ctx.restore();
  }

  function drawZero(plot) {
    const { ctx, bbox } = plot;
    const y = plot.valToPos(0, "y", true);
    if (y >= bbox.top && y <= bbox.top + bbox.height) {
      ctx.save();
      ctx.fillStyle = ink();
      ctx.fillRect(bbox.left, y - 0.5 * devicePixelRatio, bbox.width, devicePixelRatio);
      ctx.restore();
    }
  }

  const widened = (below, above) => (plot, min, max) => {
    const span = Math.max(max - min, 1e-3);
    return [min - below * span, max + above * span];
  };

  // The panels of a model, from top to bottom: label, weight of the height, series and data.
  function panels(model) {
    const { colour, unit, label } = explorer.content.models[model];
    const threshold = "V_th" in explorer.models[model].inlines;
    const potential = {
      kind: "potential",
      weight: 1,
      least: 70,
      label: "mV",
      series: [
        { label: "V before", stroke: muted, width: 1, dash: [3, 3], value: number("mV") },
        { label: "V", stroke: colour, width: 1.5, value: number("mV") },
      ],
    };
    if (threshold) {
      const line = { stroke: explorer.content.threshold_colour, width: 1.5, dash: [6, 3] };
      potential.series.push(
        { label: "threshold before", stroke: muted, width: 1, dash: [1, 3], value: number("mV") },
        { label: "threshold", value: number("mV"), ...line },
      );
    }
    const parts = {
      kind: "parts",
      weight: 0.6,
      least: 46,
      label: "mV",
      title: "Parts of the threshold: ",
      series: Object.values(PARTS).map((part) => ({
        label: part.label,
        stroke: part.colour,
        dash: part.dash,
        width: 1.5,
        value: number("mV"),
      })),
    };
    const distance = {
      kind: "distance",
      weight: 0.55,
      least: 46,
      label: "mV",
      title: "V − threshold",
      series: [{ label: "V − threshold", stroke: colour, width: 1.5, value: number("mV") }],
      draw: drawZero,
    };
    const recovery = {
      kind: "u",
      weight: 0.55,
      least: 46,
      label: "u",
      title: "Recovery variable u",
      series: [{ label: "u", stroke: "#029e73", width: 1.5, value: number("") }],
    };
    const current = {
      kind: "current",
      weight: 0.45,
      least: 70,
      label: unit,
      series: [{ label: `${label}’s current`, stroke: ink, width: 1.5, value: number(unit) }],
      stepped: true,
    };
    return [potential, ...(threshold ? [parts, distance] : [recovery]), current];
  }

  // Potential with the peak of each spike, where the recorded one is that after the reset.
  function withPeaks(result, trial) {
    const peak = trial.parameters.V_peak;
    if (peak === undefined) {
      return result.V_m;
    }
    const shown = result.V_m.slice();
    result.spikeSteps.forEach((step) => (shown[step - 1] = peak));
    return shown;
  }

  // Returns the data of a panel and, for each curve, whether it is visible.
  function dataOf(kind, { result, trial, before, show }) {
    const { time } = result;
    if (kind === "potential") {
      const ghost = before?.result.time.length === time.length && before.trial.resolution === trial.resolution;
      const old = ghost ? before.result : result;
      const curves = [withPeaks(old, ghost ? before.trial : trial), withPeaks(result, trial)];
      return [[time, ...curves, ...(result.V_th ? [old.V_th, result.V_th] : [])], [ghost, true, ghost, true]];
    }
    if (kind === "parts") {
      const level = new Float64Array(time.length).fill(trial.parameters.omega);
      const curves = Object.values(PARTS).map(({ trace }) => (trace ? result[trace] : level));
      return [[time, ...curves], Object.keys(PARTS).map((name) => show.includes(name))];
    }
    if (kind === "distance") {
      return [[time, result.V_m.map((value, step) => value - result.V_th[step])], [true]];
    }
    return [[time, kind === "u" ? result.U_m : result.current], [true]];
  }

  const isShown = (kind, show) =>
    kind === "potential" || kind === "current" || (kind === "parts" ? show.some((n) => n in PARTS) : show.includes(kind));

  // Returns { show(drawn), fit(height) } for a model whose plots go into an element; the legend goes elsewhere.
  explorer.plot = function (element, model, legend) {
    const all = panels(model);
    let rows = [];
    let length = null;
    let visible = [];

    for (const panel of all) {
      const last = panel.kind === "current";
      panel.holder = explorer.element("div", { class: "ax-panel-plot" });
      element.append(panel.holder);
      if (panel.title) {
        panel.holder.append(explorer.element("p", { class: "ax-panel-title" }, panel.title));
      }
      const paths = panel.stepped ? { paths: uPlot.paths.stepped({ align: -1 }) } : {};
      const marks = panel.kind === "potential" ? (plot) => drawSpikes(plot, rows) : panel.draw;
      panel.plot = new uPlot(
        {
          width: Math.max(200, element.clientWidth),
          height: panel.least,
          padding: [9, 20, last ? 0 : 4, 0], // half of the highest tick's text above
          cursor: { sync: { key: model }, drag: { x: true, y: false } },
          scales: {
            x: { time: false, range: (plot, min, max) => [min, max] },
            y: { range: panel.kind === "potential" ? widened(0.05, 0.22) : widened(0.08, 0.08) },
          },
          legend:
            panel.kind === "potential"
              ? { mount: (_, table) => legend.append(table) }
              : { show: panel.kind === "parts", mount: (_, table) => panel.holder.firstChild.append(table) },
          axes: [
            explorer.axis(last ? "time (ms)" : null, last ? { size: 22, labelSize: 16 } : { size: 4, values: () => [] }),
            explorer.axis(panel.label, { size: AXIS_WIDTH, space: 20 }),
          ],
          series: [{ label: "t", value: number("ms") }, ...panel.series.map((series) => ({ ...series, ...paths }))],
          hooks: { draw: marks ? [marks] : [] },
        },
        [[], ...panel.series.map(() => [])],
        panel.holder,
      );
    }
    const [{ plot: first }] = all;

    new ResizeObserver(() => resize()).observe(element);
    let height = 300;
    function resize() {
      const width = element.clientWidth;
      const sum = visible.reduce((total, { weight }) => total + weight, 0);
      const spare = Math.max(0, height - visible.reduce((total, { least }) => total + least, 0));
      for (const { plot, weight, least } of width ? visible : []) {
        const size = { width, height: least + Math.floor((spare * weight) / sum) };
        if (size.width !== plot.width || size.height !== plot.height) {
          plot.setSize(size);
        }
      }
    }
    // Redraws after a change of the theme, since colours are read when a plot is drawn.
    new MutationObserver(() => all.forEach(({ plot }) => plot.redraw())).observe(document.documentElement, {
      attributeFilter: ["data-theme", "data-mode"],
    });

    return {
      // The heights that the visible panels need at least, and their sum of weights.
      needs(show) {
        const shown = all.filter(({ kind }) => isShown(kind, show));
        return {
          least: shown.reduce((sum, { least }) => sum + least, 0),
          weight: shown.reduce((sum, { weight }) => sum + weight, 0),
        };
      },
      fit(pixels) {
        height = pixels;
        resize();
      },
      // Keeps the zoomed stretch of time until the page shows another pattern or duration.
      show(drawn, reset) {
        const { result, trial, show, compared } = drawn;
        const { min, max } = first.scales.x;
        const kept =
          !reset && length === trial.duration && min != null ? { min, max } : { min: 0, max: trial.duration };
        length = trial.duration;
        rows = [
          { spikes: result.spikes, colour: ink() },
          { spikes: compared, colour: explorer.content.threshold_colour },
        ];
        visible = all.filter(({ kind }) => isShown(kind, show));
        resize();
        for (const panel of all) {
          panel.holder.hidden = !visible.includes(panel);
          if (panel.holder.hidden) {
            continue;
          }
          const [data, curves] = dataOf(panel.kind, drawn);
          panel.plot.batch(() => {
            panel.plot.setData(data, false);
            curves.forEach((on, n) => {
              if (panel.plot.series[n + 1] && panel.plot.series[n + 1].show !== on) {
                panel.plot.setSeries(n + 1, { show: on });
              }
            });
            panel.plot.setScale("x", kept);
          });
        }
      },
    };
  };
})();
