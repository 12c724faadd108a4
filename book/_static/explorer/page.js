// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// The page: controls of the state, and the responses of both neurons.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const GREEK = { alpha: "α", beta: "β", omega: "ω", tau: "τ" };
  const CALM = 400; // ms without a change before screen readers announce the result

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) {
        made.addEventListener(name.slice(2), value);
      } else if (value !== null && value !== false) {
        made.setAttribute(name, value === true ? "" : value);
      }
    }
    made.append(...children.filter((child) => child !== null));
    return made;
  }

  function symbol(name) {
    const [stem, index] = name.split("_");
    const children = [GREEK[stem] || stem];
    return element("span", { class: "ax-symbol" }, ...children, index ? element("sub", {}, index) : null);
  }

  // A description from the model, with subscripts in names such as E_L.
  function prose(text) {
    return text.split(/\b([A-Z]_\w+)/).map((part, n) => (n % 2 ? symbol(part) : part));
  }

  const rounded = (value) => String(Number(value.toFixed(3)));

  function counted(number, one) {
    return number === 1 ? `1 ${one}` : `${number || "no"} ${one}s`;
  }

  function summary(label, { spikes }, { duration }) {
    if (!spikes.length) {
      return `${label}: no spike in ${rounded(duration)} ms.`;
    }
    const intervals = spikes.slice(1).map((time, n) => time - spikes[n]);
    const extremes = [Math.min(...intervals), Math.max(...intervals)].map(rounded);
    return [
      `${label}: ${counted(spikes.length, "spike")} in ${rounded(duration)} ms, `,
      spikes.length === 1
        ? `at ${rounded(spikes[0])} ms.`
        : `from ${rounded(spikes[0])} to ${rounded(spikes.at(-1))} ms, `,
      !intervals.length
        ? ""
        : extremes[0] === extremes[1]
          ? `intervals of ${extremes[0]} ms.`
          : `intervals of ${extremes.join(" to ")} ms.`,
    ].join("");
  }

  // A number, with a slider and a field for exact values; both are native inputs.
  class Quantity {
    constructor(page, model, name, label, meaning, unit) {
      Object.assign(this, { page, model, name });
      const id = `ax-${model || "run"}-${name}`;
      const described = `${id}-problem`;
      this.unit = element("span", { class: "ax-unit" }, unit);
      this.slider = element("input", {
        type: "range",
        id,
        oninput: () => this.take(this.slider),
        onchange: () => page.remember(),
      });
      this.field = element("input", {
        type: "number",
        required: true,
        "aria-label": `${meaning}, exact value`,
        "aria-describedby": described,
        oninput: () => this.take(this.field),
        onchange: () => page.remember(),
      });
      this.problem = element("p", { class: "ax-problem", id: described, role: "alert" });
      this.row = element(
        "div",
        { class: "ax-quantity" },
        element("label", { for: id }, label, element("span", { class: "ax-meaning" }, " ", ...prose(meaning))),
        this.slider,
        element("span", { class: "ax-exact" }, this.field, this.unit),
        this.problem,
      );
    }

    get values() {
      return this.model ? this.page.state[this.model] : this.page.state;
    }

    // Shows the value in the state.
    refresh(unit) {
      const [min, max, step] = explorer.range(this.page.state, this.model, this.name);
      Object.assign(this.slider, { min, max, step });
      Object.assign(this.field, { min, max, step: this.model ? "any" : step });
      this.slider.value = this.values[this.name];
      this.field.value = this.values[this.name];
      if (unit !== undefined) {
        this.unit.textContent = unit;
      }
      this.check();
    }

    check() {
      const wrong = !this.field.checkValidity();
      this.problem.textContent = wrong
        ? `${this.field.validationMessage} The plot keeps ${this.values[this.name]}.`
        : "";
      this.field.setAttribute("aria-invalid", wrong);
      return !wrong;
    }

    take(input) {
      const other = input === this.slider ? this.field : this.slider;
      if (input === this.slider) {
        other.value = input.value;
      }
      if (!this.check()) {
        return;
      }
      this.values[this.name] = Number(input.value);
      other.value = input.value;
      this.page.change(this.model ? [this.model] : this.page.models);
    }
  }

  class Page {
    constructor(root) {
      this.root = root;
      this.models = Object.keys(explorer.content.models);
      this.results = {};
      this.trials = {};
      this.waiting = new Set();
      const linked = explorer.decode(location.hash);
      this.state = linked ? linked.state : explorer.initialState(explorer.firstPattern);
      this.build();
      this.tell(linked ? linked.refused : []);
      this.refresh();
      addEventListener("hashchange", () => {
        const next = explorer.decode(location.hash);
        if (next) {
          this.state = next.state;
          this.tell(next.refused);
          this.refresh();
        }
      });
    }

    build() {
      const { patterns } = explorer.content;
      const option = ([value, { label }]) => element("option", { value }, label);
      this.pattern = element(
        "select",
        {
          id: "ax-pattern",
          onchange: () => this.begin(explorer.initialState(this.pattern.value, this.state.stimulus)),
        },
        ...Object.entries(patterns).map(option),
      );
      this.stimulus = element(
        "select",
        { id: "ax-stimulus", onchange: () => this.chooseStimulus() },
        ...Object.entries(explorer.stimuli).map(option),
      );
      this.duration = new Quantity(this, null, "duration", "", "Length of the run", "ms");
      this.criterion = element("p", { class: "ax-criterion" });
      this.notice = element("p", { class: "ax-notice", role: "status" });
      this.live = element("p", { class: "ax-hidden", "aria-live": "polite" });
      this.sides = Object.fromEntries(this.models.map((model) => [model, this.side(model)]));
      this.root.replaceChildren(
        element(
          "div",
          { class: "ax-bar" },
          element("div", {}, element("label", { for: "ax-pattern" }, "Firing pattern"), this.pattern),
          element("div", {}, element("label", { for: "ax-stimulus" }, "Current"), this.stimulus),
          this.duration.row,
        ),
        this.criterion,
        element(
          "div",
          { class: "ax-actions" },
          element(
            "button",
            { type: "button", onclick: () => this.begin(explorer.initialState(this.state.pattern)) },
            "Reset",
          ),
          element("button", { type: "button", onclick: () => this.copy(this.link(), "Link") }, "Copy link"),
          (this.opener = element(
            "button",
            {
              type: "button",
              "aria-expanded": "false",
              "aria-controls": "ax-script",
              onclick: () => this.toggleScript(),
            },
            "PyNEST script",
          )),
        ),
        this.notice,
        this.scriptPanel(),
        element("div", { class: "ax-sides" }, ...Object.values(this.sides).map(({ section }) => section)),
        this.live,
      );
      for (const model of this.models) {
        this.sides[model].plot = explorer.plot(this.sides[model].chart, model);
      }
    }

    side(model) {
      const { label, sliders, colour } = explorer.content.models[model];
      const { parameters } = explorer.models[model];
      const quantities = [new Quantity(this, model, "amplitude", "", "Strength of the current", "")];
      for (const name of Object.keys(sliders)) {
        const { meaning, unit } = parameters[name];
        quantities.push(new Quantity(this, model, name, symbol(name), meaning, unit));
      }
      const hasThreshold = "V_th" in explorer.models[model].inlines;
      const chart = element("div", {
        class: "ax-chart",
        role: "img",
        "aria-label":
          `${label}: membrane potential${hasThreshold ? ", threshold" : ""} and spikes over time, ` +
          "and the current below. The text that follows lists the spikes.",
      });
      const text = element("p", { class: "ax-summary" });
      const times = element("p", { class: "ax-times" });
      const title = `ax-title-${model}`;
      const section = element(
        "section",
        { class: "ax-side", "aria-labelledby": title, style: `--ax-colour: ${colour}` },
        element("h2", { id: title }, label),
        chart,
        text,
        element("details", {}, element("summary", {}, "All spike times"), times),
        element(
          "fieldset",
          {},
          element("legend", {}, `Current and parameters of ${label}`),
          ...quantities.map(({ row }) => row),
        ),
      );
      return { section, chart, text, times, quantities };
    }

    scriptPanel() {
      this.code = element("pre", { class: "ax-code", tabindex: "0", "aria-label": "PyNEST script" });
      this.panel = element(
        "div",
        { id: "ax-script", class: "ax-panel", hidden: true },
        element("p", {}, "Run it with the Python of this project; it prints the spike times of both neurons."),
        element("button", { type: "button", onclick: () => this.copy(this.code.textContent, "Script") }, "Copy script"),
        this.code,
      );
      return this.panel;
    }

    // Sets a state by choice, rather than by a link.
    begin(state) {
      this.state = state;
      this.tell([]);
      this.refresh();
      this.remember();
    }

    chooseStimulus() {
      this.state.stimulus = this.stimulus.value;
      for (const model of this.models) {
        this.state[model].amplitude = explorer.initialAmplitude(this.state.pattern, this.state.stimulus, model);
      }
      this.refresh();
      this.remember();
    }

    // Shows the state in all controls, and draws it.
    refresh() {
      const { pattern, stimulus } = this.state;
      this.pattern.value = pattern;
      this.stimulus.value = stimulus;
      const { label, criterion } = explorer.content.patterns[pattern];
      this.criterion.textContent = `${label}: ${criterion}`;
      this.duration.refresh();
      this.duration.row.hidden = stimulus === "pattern";
      for (const model of this.models) {
        const [amplitude, ...others] = this.sides[model].quantities;
        amplitude.refresh(stimulus === "pattern" ? "× the pattern’s" : explorer.content.models[model].unit);
        others.forEach((quantity) => quantity.refresh());
      }
      this.change(this.models, true);
    }

    // Redraws models, at most once per frame.
    change(models, reset = false) {
      if (!this.waiting.size) {
        this.since = performance.now();
        this.reset = false;
        requestAnimationFrame(() => this.draw());
      }
      this.reset ||= reset;
      models.forEach((model) => this.waiting.add(model));
    }

    draw() {
      for (const model of this.waiting) {
        const trial = explorer.trial(this.state, model);
        const result = explorer.simulate(explorer.models[model], trial);
        const { plot, text, times } = this.sides[model];
        plot.show(result, trial, this.reset);
        text.textContent = summary(explorer.content.models[model].label, result, trial);
        times.textContent = result.spikes.length ? `${result.spikes.map(rounded).join(", ")} ms` : "none";
        this.results[model] = result;
        this.trials[model] = trial;
      }
      this.waiting.clear();
      if (!this.panel.hidden) {
        this.code.textContent = explorer.script(this.state);
      }
      // Plots are drawn in a task that is ahead of this one in the queue.
      queueMicrotask(() => performance.measure("explorer", { start: this.since, end: performance.now() }));
      clearTimeout(this.calm);
      this.calm = setTimeout(() => {
        this.live.textContent = this.models.map((model) => this.sides[model].text.textContent).join(" ");
      }, CALM);
    }

    link() {
      return `${location.href.split("#")[0]}#${explorer.encode(this.state)}`;
    }

    // Stores the state in the address, at the end of a movement: browsers limit the rate of changes.
    remember() {
      history.replaceState(null, "", `#${explorer.encode(this.state)}`);
    }

    tell(refused) {
      this.notice.textContent = refused.length
        ? `The link has invalid values; the page uses those of the pattern instead: ${refused.join(", ")}`
        : "";
    }

    toggleScript() {
      this.panel.hidden = !this.panel.hidden;
      this.opener.setAttribute("aria-expanded", String(!this.panel.hidden));
      this.code.textContent = this.panel.hidden ? "" : explorer.script(this.state);
    }

    async copy(text, what) {
      try {
        await navigator.clipboard.writeText(text);
        this.notice.textContent = `${what} copied.`;
      } catch {
        // Browsers may refuse pages that were opened as files.
        const area = element("textarea", { class: "ax-hidden", "aria-hidden": "true" }, text);
        const focused = document.activeElement;
        this.root.append(area);
        area.select();
        const copied = document.execCommand("copy");
        area.remove();
        focused.focus();
        this.notice.textContent = copied ? `${what} copied.` : `${what} could not be copied: ${text}`;
      }
    }
  }

  const root = document.getElementById("amat-explorer");
  if (root) {
    explorer.page = new Page(root);
  }
})();
