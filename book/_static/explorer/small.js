// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// The small explorer of the landing page: AMAT with three of its parameters, and a link to the same state in full.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const { element } = explorer;
  const MODEL = "amat";
  const PARAMETERS = ["alpha_1", "alpha_2", "beta"];
  const HEIGHT = 260; // pixels of the plots

  class SmallPage {
    constructor(root) {
      this.models = [MODEL];
      this.state = explorer.initialState(explorer.firstPattern);
      const { patterns } = explorer.content;
      const choice = explorer.selection("ax-small-pattern", "Firing pattern", patterns, (name) => this.begin(name));
      choice.select.value = this.state.pattern;
      const { parameters } = explorer.models[MODEL];
      this.quantities = PARAMETERS.map((name) => {
        const { meaning, unit } = parameters[name];
        return new explorer.Quantity(this, MODEL, name, explorer.symbol(name), meaning, unit);
      });
      this.verdict = element("p", { class: "ax-verdict" });
      this.legend = element("div", { class: "ax-legend", "aria-hidden": "true" });
      this.chart = element("div", { class: "ax-chart", role: "img" });
      this.more = element("a", { class: "ax-more" }, "Open in the explorer");
      root.replaceChildren(
        element("div", { class: "ax-display" }, this.verdict, this.legend, this.chart),
        element(
          "div",
          { class: "ax-controls", role: "group", "aria-label": "Parameters of AMAT" },
          choice.row,
          ...this.quantities.map(({ row }) => row),
          this.more,
        ),
      );
      this.plot = explorer.plot(this.chart, MODEL, this.legend);
      this.plot.fit(HEIGHT);
      this.begin(this.state.pattern);
    }

    begin(pattern) {
      this.state = { ...explorer.initialState(pattern), show: [] };
      this.quantities.forEach((quantity) => quantity.refresh());
      this.change([MODEL], true);
      this.remember();
    }

    // The beginning of a movement, after which the large explorer shows the previous setting.
    begins() {}

    remember() {
      const show = explorer.initialState(this.state.pattern).show;
      this.more.setAttribute("href", `explorer.html?${explorer.encode({ ...this.state, show })}`);
    }

    change(models, reset = false) {
      this.reset ||= reset;
      this.waiting ??= requestAnimationFrame(() => this.draw());
    }

    draw() {
      const trial = explorer.trial(this.state, MODEL);
      const result = explorer.simulate(explorer.models[MODEL], trial);
      this.plot.show({ result, trial, before: null, show: [], compared: [] }, this.reset);
      const verdict = explorer.verdict(this.state.pattern, trial, result);
      explorer.showVerdict(this.verdict, this.state.pattern, verdict);
      const text = explorer.summary(explorer.content.models[MODEL].label, result, trial);
      this.chart.setAttribute("aria-label", `Membrane potential, threshold and spikes over time. ${text}`);
      this.result = result;
      this.reset = false;
      this.waiting = null;
    }
  }

  const root = document.getElementById("amat-small-explorer");
  if (root) {
    explorer.small = new SmallPage(root);
  }
})();
