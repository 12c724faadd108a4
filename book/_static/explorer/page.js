// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// The page: controls of the state, and the responses of both neurons.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const { element } = explorer;
  const CALM = 400; // ms without a change before screen readers announce the result
  const SHARED = {
    seed: ["Seed", ""],
    noise_tau: ["Time constant of the noise", "ms"],
    rate_exc: ["Rate of excitatory spikes", "spikes/s"],
    rate_inh: ["Rate of inhibitory spikes", "spikes/s"],
  };
  const NOISE_CONTROLS = { none: [], current: ["seed", "noise_tau"], poisson: ["seed", "rate_exc", "rate_inh"] };

  class Page {
    constructor(root) {
      this.root = root;
      this.models = Object.keys(explorer.content.models);
      this.results = {};
      this.trials = {};
      this.verdicts = {};
      this.waiting = new Set();
      // Links from other pages have a query, because the theme takes fragments for selectors.
      const linked = explorer.decode(location.hash) ?? explorer.decode(location.search);
      this.state = linked ? linked.state : explorer.initialState(explorer.firstPattern);
      this.build();
      this.tell(linked ? linked.refused : []);
      this.refresh();
      addEventListener("hashchange", () => {
        const next = explorer.decode(location.hash);
        if (next) {
          this.forget();
          this.state = next.state;
          this.tell(next.refused);
          this.refresh();
        }
      });
    }

    build() {
      this.sides = Object.fromEntries(this.models.map((model) => [model, new explorer.Side(this, model)]));
      const sides = Object.values(this.sides);
      this.notice = element("p", { class: "ax-notice", role: "status" });
      this.live = element("p", { class: "ax-hidden", "aria-live": "polite" });
      this.displays = element("div", { class: "ax-displays" });
      this.panel = element(
        "div",
        { class: "ax-controls" },
        this.choices(),
        this.actions(),
        this.notice,
        this.scriptPanel(),
        this.showing(),
        ...sides.map(({ section }) => section),
        this.comparison(),
      );
      this.root.replaceChildren(this.displays, this.panel, this.live);
      this.layout = explorer.layout(this);
      sides.forEach((side) => side.start());
    }

    choices() {
      const { patterns } = explorer.content;
      this.pattern = explorer.selection("ax-pattern", "Firing pattern", patterns, (name) => this.choosePattern(name));
      this.stimulus = explorer.selection("ax-stimulus", "Current", explorer.stimuli, (name) => this.chooseStimulus(name));
      this.noise = explorer.selection("ax-noise", "Noise", explorer.noises, (name) => this.set({ noise: name }));
      this.duration = new explorer.Quantity(this, null, "duration", "", "Length of the run", "ms");
      this.shared = Object.fromEntries(
        Object.entries(SHARED).map(([name, [meaning, unit]]) => [
          name,
          new explorer.Quantity(this, null, name, "", meaning, unit),
        ]),
      );
      this.criterion = element("p", { class: "ax-criterion" });
      this.hint = element("p", { class: "ax-hint" });
      return element(
        "div",
        { class: "ax-choices" },
        this.pattern.row,
        this.criterion,
        this.hint,
        element("div", { class: "ax-pair" }, this.stimulus.row, this.noise.row),
        this.duration.row,
        this.ownCurrent(),
        ...Object.values(this.shared).map(({ row }) => row),
      );
    }

    ownCurrent() {
      const extent = () => ({ duration: this.state.duration, greatest: this.greatest() });
      this.data = explorer.dataField("ax-own", "Your current: time (ms), current (pA)", "10, 200\n110, 0", (text) =>
        this.takeCurrent(explorer.parseCurrent(text)),
      );
      this.pad = explorer.drawingPad(extent, (points) => this.takeCurrent(points, false));
      this.own = element(
        "div",
        { class: "ax-own" },
        element("p", { class: "ax-criterion" }, "Draw here, or enter values; each lasts until the next time."),
        this.pad.canvas,
        this.data.row,
      );
      return this.own;
    }

    // The current at the upper edge of the area for drawing, in pA.
    greatest() {
      return Math.max(Math.abs(explorer.peak(this.state.own)), explorer.initialAmplitude(this.state.pattern, "step", "amat"), 100);
    }

    takeCurrent(points, fit = true) {
      const [least, most, step] = explorer.content.ranges.duration;
      const end = points.length ? points.at(-1)[0] : 0;
      this.begins();
      this.state.own = points;
      if (fit && end > 0) {
        this.state.duration = Math.min(most, Math.max(least, step * Math.ceil(end / step)));
      }
      this.state.amat.amplitude = explorer.peak(points);
      this.refresh(true);
      this.remember();
      this.notice.textContent = fit && end > most ? `The page runs the first ${most} ms of your current.` : "";
    }

    actions() {
      this.opener = element(
        "button",
        { type: "button", "aria-expanded": "false", "aria-controls": "ax-script", onclick: () => this.toggleScript() },
        "PyNEST script",
      );
      const reset = () => this.begin(explorer.initialState(this.state.pattern));
      return element(
        "div",
        { class: "ax-actions" },
        element("button", { type: "button", onclick: reset }, "Reset"),
        element("button", { type: "button", onclick: () => this.copyLink() }, "Copy link"),
        this.opener,
      );
    }

    scriptPanel() {
      this.code = element("pre", { class: "ax-code", tabindex: "0", "aria-label": "PyNEST script" });
      this.script = element(
        "div",
        { id: "ax-script", class: "ax-panel", hidden: true },
        element("p", {}, "Run it with the Python of this project; it prints the spike times of both neurons."),
        element("button", { type: "button", onclick: () => this.copy(this.code.textContent, "Script") }, "Copy script"),
        this.code,
      );
      return this.script;
    }

    showing() {
      const toggle = (name) => {
        const { show } = this.state;
        this.set({ show: show.includes(name) ? show.filter((other) => other !== name) : [...show, name] });
      };
      this.boxes = {};
      const boxes = Object.entries(explorer.shown).map(([name, { label }]) => {
        this.boxes[name] = element("input", { type: "checkbox", onchange: () => toggle(name) });
        return element("label", { class: "ax-toggle" }, this.boxes[name], ` ${label}`);
      });
      const group = element("div", { class: "ax-show", role: "group", "aria-label": "Curves and charts" }, ...boxes);
      return element("details", {}, element("summary", {}, "More curves and charts"), group);
    }

    comparison() {
      this.spikes = explorer.dataField("ax-spikes", "Your spike times (ms)", "52.3, 98.1, 140.6", (text) => {
        this.set({ spikes: explorer.parseSpikes(text) });
      });
      this.window = new explorer.Quantity(this, null, "window", "", "Window of a coincidence", "ms");
      return element(
        "details",
        { class: "ax-compare" },
        element("summary", {}, "Compare with your spikes"),
        element(
          "p",
          { class: "ax-criterion" },
          "The coincidence factor is 1 for equal trains, and about 0 if spikes coincide by chance only.",
        ),
        this.spikes.row,
        this.window.row,
        ...Object.values(this.sides).map(({ match }) => match),
      );
    }

    // Notes that a change begins: the response that is drawn becomes the previous setting.
    begins() {
      if (!this.moving) {
        this.moving = true;
        Object.values(this.sides).forEach((side) => side.keep());
      }
    }

    // Drops the previous setting, which belongs to another pattern.
    forget() {
      this.moving = false;
      Object.values(this.sides).forEach((side) => (side.previous = null));
    }

    // Sets a state by choice, rather than by a link.
    begin(state) {
      this.forget();
      this.state = state;
      this.tell([]);
      this.refresh();
      this.remember();
    }

    // Sets parts of the state that change no stretch of time.
    set(changes) {
      Object.assign(this.state, changes);
      this.refresh(true);
      this.remember();
    }

    choosePattern(pattern) {
      const { stimulus, show, noise, seed, noise_tau, rate_exc, rate_inh, own, spikes, window } = this.state;
      const next = explorer.initialState(pattern, stimulus);
      const kept = { noise, seed, noise_tau, rate_exc, rate_inh, own, spikes, window };
      // The reader's choice of curves, as differences from those of the pattern.
      const usual = explorer.initialState(this.state.pattern).show;
      const added = show.filter((name) => !usual.includes(name) && !next.show.includes(name));
      const removed = usual.filter((name) => !show.includes(name));
      this.begin({ ...next, ...kept, show: [...next.show.filter((name) => !removed.includes(name)), ...added] });
    }

    chooseStimulus(stimulus) {
      this.forget();
      this.state.stimulus = stimulus;
      for (const model of this.models) {
        this.state[model].amplitude = explorer.initialAmplitude(this.state.pattern, stimulus, model);
      }
      if (stimulus === "own" && !this.state.own.length) {
        this.state.own = [[10, this.state.amat.amplitude]];
      }
      if (stimulus === "own") {
        this.state.amat.amplitude = explorer.peak(this.state.own);
      }
      this.refresh();
      this.remember();
    }

    tryHint() {
      const { model, name, value } = explorer.content.patterns[this.state.pattern].hint;
      this.begins();
      this.state.stimulus = "pattern";
      this.state[model][name] = value;
      this.refresh(true);
      this.remember();
    }

    // Shows the state in all controls, and draws it.
    refresh(keepsTime = false) {
      const { pattern, stimulus, noise, show, own, spikes } = this.state;
      const { criterion, hint, page, label } = explorer.content.patterns[pattern];
      this.pattern.select.value = pattern;
      this.stimulus.select.value = stimulus;
      this.noise.select.value = noise;
      const link = element("a", { href: page }, `More about ${label.toLowerCase()}`);
      this.criterion.replaceChildren(`${criterion} `, link, ".");
      const trying = element("button", { type: "button", onclick: () => this.tryHint() }, "Try it");
      this.hint.replaceChildren(...explorer.prose(hint.text), " ", trying);
      this.duration.refresh();
      this.duration.row.hidden = stimulus === "pattern";
      this.own.hidden = stimulus !== "own";
      if (stimulus === "own") {
        this.data.show(own.map((point) => point.join(", ")).join("\n"));
      }
      for (const [name, quantity] of Object.entries(this.shared)) {
        quantity.refresh();
        quantity.row.hidden = !NOISE_CONTROLS[noise].includes(name);
      }
      for (const [name, box] of Object.entries(this.boxes)) {
        box.checked = show.includes(name);
      }
      this.spikes.show(spikes.join(", "));
      this.window.refresh();
      Object.values(this.sides).forEach((side) => side.refresh());
      this.change(this.models, !keepsTime);
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
        this.sides[model].draw(this.reset);
      }
      this.layout.fit();
      if (this.state.stimulus === "own") {
        this.pad.show(this.state.own);
      }
      this.waiting.clear();
      if (!this.script.hidden) {
        this.code.textContent = explorer.script(this.state);
      }
      // Plots are drawn in a task that is ahead of this one in the queue.
      queueMicrotask(() => performance.measure("explorer", { start: this.since, end: performance.now() }));
      clearTimeout(this.calm);
      this.calm = setTimeout(() => {
        const texts = this.models.flatMap((model) => [this.sides[model].text, this.sides[model].verdict.lastChild]);
        this.live.textContent = texts.map((text) => text.textContent.trim()).join(" ");
      }, CALM);
    }

    link() {
      return `${location.href.split(/[?#]/)[0]}#${explorer.encode(this.state)}`;
    }

    // Stores the state in the address, at the end of a movement: browsers limit the rate of changes.
    remember() {
      this.moving = false;
      history.replaceState(null, "", this.link());
    }

    tell(refused) {
      this.notice.textContent = refused.length
        ? `The link has invalid values; the page uses those of the pattern instead: ${refused.join(", ")}`
        : "";
    }

    toggleScript() {
      this.script.hidden = !this.script.hidden;
      this.opener.setAttribute("aria-expanded", String(!this.script.hidden));
      this.code.textContent = this.script.hidden ? "" : explorer.script(this.state);
      this.code.tabIndex = 0; // the theme takes it away while the panel is hidden
    }

    async copyLink() {
      await this.copy(this.link(), "Link");
      const missing = explorer.unlinked(this.state);
      if (missing.length) {
        this.notice.textContent += ` It does not contain ${missing.join(" and ")}.`;
      }
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
