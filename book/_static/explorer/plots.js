// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// Draws one model: membrane potential, threshold and spikes, and below them the current.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const NARROW = 420; // pixels; narrower plots are lower, to leave room for sliders on a phone
  const HEIGHTS = { potential: [180, 250], current: [90, 110] };
  const AXIS_WIDTH = 50;

  function themed(name, otherwise) {
    return () => getComputedStyle(document.documentElement).getPropertyValue(name).trim() || otherwise;
  }
  const ink = themed("--pst-color-text-base", "#222");
  const faint = themed("--pst-color-border", "#ccc");
  const FONT = "12px system-ui, sans-serif";

  function axis(label, more) {
    return {
      label,
      labelFont: FONT,
      font: FONT,
      labelSize: 20,
      stroke: ink,
      grid: { stroke: faint, width: 1 },
      ticks: { stroke: faint, width: 1, size: 4 },
      ...more,
    };
  }

  const number = (unit) => (_, value) => (value == null ? "–" : `${Number(value.toFixed(2))} ${unit}`.trim());

  // Spikes as ticks above the curves.
  function drawSpikes(plot, spikes, colour) {
    const { ctx, bbox } = plot;
    const { min, max } = plot.scales.x;
    ctx.save();
    ctx.fillStyle = colour;
    const width = (plot.width < NARROW ? 1 : 1.5) * devicePixelRatio;
    for (const time of spikes) {
      if (time >= min && time <= max) {
        ctx.fillRect(Math.round(plot.valToPos(time, "x", true) - width / 2), bbox.top, width, 11 * devicePixelRatio);
      }
    }
    ctx.restore();
  }

  const height = (kind, width) => HEIGHTS[kind][width < NARROW ? 0 : 1];

  // Room above the curves for the ticks.
  function padded(plot, min, max) {
    const span = Math.max(max - min, 1e-3);
    return [min - 0.05 * span, max + 0.15 * span];
  }

  function widened(plot, min, max) {
    const span = Math.max(max - min, 1e-3);
    return [min - 0.08 * span, max + 0.08 * span];
  }

  // Returns { show(result, duration, reset) } for a model whose plots go into an element.
  explorer.plot = function (element, model) {
    const { colour, unit } = explorer.content.models[model];
    const hasThreshold = "V_th" in explorer.models[model].inlines;
    let spikes = [];
    let length = null;

    const shared = () => ({
      width: Math.max(200, element.clientWidth),
      cursor: { sync: { key: model }, drag: { x: true, y: false } },
      scales: { x: { time: false, range: (plot, min, max) => [min, max] }, y: { range: widened } },
    });
    const series = [
      { label: "time", value: number("ms") },
      { label: "membrane potential", stroke: colour, width: 1.5, value: number("mV") },
    ];
    if (hasThreshold) {
      series.push({
        label: "threshold",
        stroke: explorer.content.threshold_colour,
        width: 1.5,
        dash: [6, 3],
        value: number("mV"),
      });
    }
    const potential = new uPlot(
      {
        ...shared(),
        height: height("potential", element.clientWidth),
        scales: { ...shared().scales, y: { range: padded } },
        axes: [axis(null, { labelSize: 0, size: 28 }), axis("mV", { size: AXIS_WIDTH })],
        series,
        hooks: { draw: [(plot) => drawSpikes(plot, spikes, ink())] },
      },
      series.map(() => []),
      element,
    );
    const current = new uPlot(
      {
        ...shared(),
        height: height("current", element.clientWidth),
        legend: { show: false },
        axes: [
          axis("time (ms)", { size: 28, labelSize: 18 }),
          axis(`I (${unit})`, { size: AXIS_WIDTH, space: 20 }),
        ],
        series: [{}, { stroke: ink, width: 1.5, paths: uPlot.paths.stepped({ align: -1 }) }],
      },
      [[], []],
      element,
    );

    const plots = { potential, current };
    new ResizeObserver(() => {
      for (const [kind, plot] of Object.entries(plots)) {
        const width = element.clientWidth;
        if (width && width !== plot.width) {
          plot.setSize({ width, height: height(kind, width) });
        }
      }
    }).observe(element);
    // Redraws after a change of the theme, since colours are read when a plot is drawn.
    new MutationObserver(() => Object.values(plots).forEach((plot) => plot.redraw())).observe(
      document.documentElement,
      {
        attributeFilter: ["data-theme", "data-mode"],
      },
    );

    return {
      // Keeps the zoomed stretch of time until the page shows another pattern or duration.
      show(result, trial, reset) {
        const { min, max } = potential.scales.x;
        const kept =
          !reset && length === trial.duration && min != null ? { min, max } : { min: 0, max: trial.duration };
        length = trial.duration;
        spikes = result.spikes;
        const peak = trial.parameters.V_peak;
        const shown = peak === undefined ? result.V_m : result.V_m.slice();
        if (peak !== undefined) {
          // The recorded potential is that after the reset.
          result.spikeSteps.forEach((step) => (shown[step - 1] = peak));
        }
        const data = hasThreshold ? [result.time, shown, result.V_th] : [result.time, shown];
        potential.batch(() => {
          potential.setData(data, false);
          potential.setScale("x", kept);
        });
        current.batch(() => {
          current.setData([result.time, result.current], false);
          current.setScale("x", kept);
        });
      },
    };
  };
})();
