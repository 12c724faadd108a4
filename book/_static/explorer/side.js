// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// One model on the page: its charts with the verdict, and its controls.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const { element, rounded } = explorer;
  explorer.Side = class {
    constructor(page, model) {
      Object.assign(this, { page, model });
      const { label, colour } = explorer.content.models[model];
      const style = `--ax-colour: ${colour}`;
      this.view(label, style);
      this.text = element("p", { class: "ax-summary" });
      this.times = element("p", { class: "ax-times" });
      this.match = element("p", { class: "ax-match" });
      const title = `ax-title-${model}`;
      this.section = element(
        "section",
        { class: "ax-side", "aria-labelledby": title, style },
        element("h2", { id: title }, label),
        element(
          "fieldset",
          {},
          element("legend", { class: "ax-hidden" }, `Current and parameters of ${label}`),
          ...this.controls().map(({ row }) => row),
        ),
        (this.fixed = element("p", { class: "ax-criterion" })),
        this.text,
        element("details", {}, element("summary", {}, `All spike times of ${label}`), this.times),
      );
    }

    view(label, style) {
      const { model } = this;
      const threshold = "V_th" in explorer.models[model].inlines;
      this.verdict = element("p", { class: "ax-verdict" });
      this.legend = element("div", { class: "ax-legend", "aria-hidden": "true" });
      this.chart = element("div", {
        class: "ax-chart",
        role: "img",
        "aria-label":
          `${label}: membrane potential${threshold ? ", threshold" : ""} and spikes over time, ` +
          "and the current below. The text with the controls lists the spikes.",
      });
      this.fi = element("div", { class: "ax-fi", role: "img", "aria-label": `f–I curve of ${label}` });
      this.phase = element("div", {
        class: "ax-phase",
        role: "img",
        "aria-label":
          `Phase plane of ${label}: the trajectory of V and u; where V does not change, dotted without and solid with ` +
          "the stimulus; where u does not change, dashed.",
      });
      this.figure = (chart, caption) =>
        element("div", { class: "ax-figure" }, element("p", { class: "ax-caption" }, caption), chart);
      this.extras = element(
        "div",
        { class: "ax-extras" },
        this.figure(this.fi, `f–I curve of ${label}`),
        this.figure(this.phase, "Nullclines: V solid, u dashed"),
      );
      this.display = element(
        "div",
        { class: "ax-display", style },
        element("div", { class: "ax-head" }, element("p", { class: "ax-name", "aria-hidden": "true" }, label), this.legend),
        this.verdict,
        this.chart,
      );
    }

    controls() {
      const { page, model } = this;
      const { sliders } = explorer.content.models[model];
      const { parameters } = explorer.models[model];
      const { Quantity } = explorer;
      this.amplitude = new Quantity(page, model, "amplitude", "", "Strength of the current", "");
      this.noise = new Quantity(page, model, "noise", "", "Strength of the noise", "");
      this.quantities = Object.keys(sliders).map((name) => {
        const { meaning, unit } = parameters[name];
        return new Quantity(page, model, name, explorer.symbol(name), meaning, unit);
      });
      return [this.amplitude, this.noise, ...this.quantities];
    }

    // Creates the charts, when the elements are in the page.
    start() {
      this.plot = explorer.plot(this.chart, this.model, this.legend);
      this.fiCurve = explorer.fiCurve(this.fi, this.model);
      this.plane = "U_m" in explorer.models[this.model].index ? explorer.phasePlane(this.phase, this.model) : null;
    }

    // Shows the state in the controls.
    refresh() {
      const { stimulus, noise } = this.page.state;
      const { unit } = explorer.content.models[this.model];
      const weight = this.model === "amat" ? "pA" : "mV";
      this.amplitude.refresh(stimulus === "pattern" ? "×" : unit);
      this.noise.row.hidden = noise === "none";
      this.noise.refresh(noise === "poisson" ? weight : unit);
      this.quantities.forEach((quantity) => quantity.refresh());
      const fixed = explorer.fixedParameters(this.page.state, this.model).flatMap(([name, value], n) => {
        const { unit: own } = explorer.models[this.model].parameters[name];
        return [n ? ", " : "From the link: ", explorer.symbol(name), ` = ${value} ${own}`];
      });
      this.fixed.hidden = !fixed.length;
      this.fixed.replaceChildren(...fixed, ".");
    }

    // Simulates and draws.
    draw(reset) {
      const { model, page } = this;
      const { state } = page;
      const { label } = explorer.content.models[model];
      const trial = explorer.trial(state, model);
      const result = explorer.simulate(explorer.models[model], trial);
      const verdict = explorer.verdict(state.pattern, trial, result);
      const before = state.show.includes("previous") ? this.previous : null;
      this.plot.show({ result, trial, before, show: state.show, compared: state.spikes }, reset);
      this.fi.parentElement.hidden = !state.show.includes("fi");
      this.phase.parentElement.hidden = !this.plane || !state.show.includes("phase");
      if (!this.fi.parentElement.hidden) {
        this.fiCurve.show(state, reset);
      }
      if (!this.phase.parentElement.hidden) {
        this.plane.show(result, trial);
      }
      explorer.showVerdict(this.verdict, state.pattern, verdict);
      this.text.textContent = explorer.summary(label, result, trial);
      this.times.textContent = result.spikes.length ? `${result.spikes.map(rounded).join(", ")} ms` : "none";
      this.compare(result, trial);
      this.drawn = { result, trial };
      page.results[model] = result;
      page.trials[model] = trial;
      page.verdicts[model] = verdict;
    }

    compare(result, trial) {
      const { spikes, window } = this.page.state;
      const { label } = explorer.content.models[this.model];
      const within = spikes.filter((time) => time <= trial.duration);
      this.gamma = spikes.length ? explorer.coincidence(within, result.spikes, trial.duration, window) : null;
      this.match.textContent = !spikes.length
        ? ""
        : this.gamma === null
          ? `${label}: no factor, because most spikes would coincide by chance at this rate and window.`
          : `${label}: coincidence factor ${this.gamma.toFixed(3)} (${within.length} of your spikes in the run).`;
    }

    // Keeps the response that is drawn as the previous setting.
    keep() {
      this.previous = this.drawn;
      this.fiCurve.keep();
    }
  };
})();
