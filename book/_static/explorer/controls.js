// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// Elements of the page, and the control of a number.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const GREEK = { alpha: "α", beta: "β", omega: "ω", tau: "τ" };

  explorer.element = function (tag, attributes = {}, ...children) {
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
  };
  const { element } = explorer;

  explorer.symbol = function (name) {
    const [stem, ...index] = name.split("_");
    const below = index.length ? element("sub", {}, index.join(" ")) : null;
    return element("span", { class: "ax-symbol" }, GREEK[stem] || stem, below);
  };

  // A text with names of parameters as symbols.
  explorer.prose = function (text) {
    return text.split(/\b([A-Za-z]+_\w+|beta|omega)\b/).map((part, n) => (n % 2 ? explorer.symbol(part) : part));
  };

  explorer.rounded = (value) => String(Number(value.toFixed(3)));

  explorer.selection = function (id, label, choices, onchange) {
    const options = Object.entries(choices).map(([value, choice]) => element("option", { value }, choice.label));
    const select = element("select", { id, onchange: () => onchange(select.value) }, ...options);
    return { select, row: element("div", { class: "ax-select" }, element("label", { for: id }, label), select) };
  };

  // A number, with a slider and a field for exact values; both are native inputs.
  explorer.Quantity = class {
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
        element("label", { for: id }, label, element("span", { class: "ax-meaning" }, " ", ...explorer.prose(meaning))),
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
      this.page.begins();
      this.values[this.name] = Number(input.value);
      other.value = input.value;
      this.page.change(this.model ? [this.model] : this.page.models);
    }
  };

  // The text of a response: the number, times and intervals of its spikes.
  explorer.summary = function (label, { spikes }, { duration }) {
    const { rounded } = explorer;
    if (!spikes.length) {
      return `${label}: no spike in ${rounded(duration)} ms.`;
    }
    const intervals = spikes.slice(1).map((time, n) => time - spikes[n]);
    const extremes = [Math.min(...intervals), Math.max(...intervals)].map(rounded);
    return [
      `${label}: ${spikes.length} ${spikes.length === 1 ? "spike" : "spikes"} in ${rounded(duration)} ms, `,
      spikes.length === 1
        ? `at ${rounded(spikes[0])} ms.`
        : `from ${rounded(spikes[0])} to ${rounded(spikes.at(-1))} ms, `,
      !intervals.length
        ? ""
        : extremes[0] === extremes[1]
          ? `intervals of ${extremes[0]} ms.`
          : `intervals of ${extremes.join(" to ")} ms.`,
    ].join("");
  };

  const MARKS = { true: "✓", false: "✗", null: "–" };

  explorer.verdictText = function (pattern, { passed, reason }) {
    const answer = { true: "yes", false: "no", null: "not judged" }[passed];
    return `${explorer.content.patterns[pattern].label}: ${answer}, ${reason}.`;
  };

  // Shows a verdict in an element.
  explorer.showVerdict = function (target, pattern, verdict) {
    target.dataset.passed = String(verdict.passed);
    const mark = element("span", { class: "ax-mark", "aria-hidden": "true" }, MARKS[verdict.passed]);
    target.replaceChildren(mark, ` ${explorer.verdictText(pattern, verdict)}`);
  };
})();
