// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// The reader's own data: a current, drawn or from a file, and spike times to compare with.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const LONGEST = 50000; // values
  const BINS = 100; // of a drawn current, so that it fits into a link

  class InputError extends Error {}
  explorer.InputError = InputError;

  // The rows of a CSV file or list as numbers; one line of names may be at the top.
  function rowsOf(text, columns, what) {
    const lines = text.split(/\r?\n/).map((line) => line.trim());
    const rows = [];
    let named = false;
    lines.forEach((line, n) => {
      if (!line || line.startsWith("#")) {
        return;
      }
      const values = line.split(/[\s,;]+/).filter(Boolean);
      const numbers = values.map(Number);
      if (!rows.length && !named && numbers.every(Number.isNaN)) {
        named = true;
        return;
      }
      if (!numbers.every(Number.isFinite) || (columns && numbers.length !== columns)) {
        throw new InputError(`Line ${n + 1} must be ${what}, got “${line.slice(0, 40)}”.`);
      }
      rows.push(numbers);
    });
    if (rows.length > LONGEST) {
      throw new InputError(`At most ${LONGEST} values are possible, got ${rows.length}: use fewer or a longer interval.`);
    }
    return rows;
  }

  // Returns pairs of time (ms) and current; each value lasts until the next time.
  explorer.parseCurrent = function (text) {
    const points = rowsOf(text, 2, "a time in ms and a current, such as 10, 250");
    points.forEach(([t], n) => {
      if (t < 0 || (n && t <= points[n - 1][0])) {
        throw new InputError(`Times must be 0 ms or later and ascend, got ${t} ms in row ${n + 1}.`);
      }
    });
    return points;
  };

  // Returns spike times in ms, ascending.
  explorer.parseSpikes = function (text) {
    const times = rowsOf(text, 0, "spike times in ms").flat();
    if (times.some((t) => t < 0)) {
      throw new InputError(`Spike times must be 0 ms or later, got ${times.find((t) => t < 0)} ms.`);
    }
    return times.sort((a, b) => a - b);
  };

  // The coincidence factor of Kistler et al. (1997): 1 for equal trains, about 0 for a Poisson train of the model's rate.
  // A spike of the data counts if the model has one within the window. Null where the chance level nears 1.
  explorer.coincidence = function (data, model, duration, window) {
    if (!data.length && !model.length) {
      return null;
    }
    const byChance = (2 * model.length * window) / duration;
    if (byChance > 0.8) {
      return null;
    }
    const matched = data.filter((t) => model.some((other) => Math.abs(t - other) <= window + 1e-9)).length;
    return (matched - byChance * data.length) / (0.5 * (data.length + model.length)) / (1 - byChance);
  };

  // A field with a file button; `take(text)` may throw an InputError, whose message is shown.
  explorer.dataField = function (id, label, hint, take) {
    const { element } = explorer;
    const problem = element("p", { class: "ax-problem", id: `${id}-problem`, role: "alert" });
    const field = element("textarea", {
      id,
      rows: 4,
      spellcheck: "false",
      placeholder: hint,
      "aria-describedby": problem.id,
      onchange: () => read(field.value),
    });
    function read(text) {
      try {
        take(text);
        problem.textContent = "";
      } catch (error) {
        if (!(error instanceof InputError)) {
          throw error;
        }
        problem.textContent = error.message;
      }
      field.setAttribute("aria-invalid", String(problem.textContent !== ""));
    }
    const file = element("input", {
      type: "file",
      accept: ".csv,.txt,.dat,text/plain,text/csv",
      "aria-label": `${label}: file`,
      onchange: async () => {
        const [chosen] = file.files;
        if (chosen) {
          field.value = await chosen.text();
          read(field.value);
        }
        file.value = "";
      },
    });
    const row = element("div", { class: "ax-data" }, element("label", { for: id }, label), field, file, problem);
    // Shows valid text, in place of any that was refused.
    const show = (text) => {
      field.value = text;
      problem.textContent = "";
      field.setAttribute("aria-invalid", "false");
    };
    return { row, show };
  };

  // An area to draw a current in; `take(points)` receives the pairs of time and current after each stroke.
  explorer.drawingPad = function (extent, take) {
    const { element } = explorer;
    const canvas = element("canvas", {
      class: "ax-pad",
      role: "img",
      "aria-label": "Area to draw a current in with a pointer. The field below takes the same current as numbers.",
    });
    let values = new Array(BINS).fill(0);
    let before = null;

    function position(event) {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const bin = Math.floor(((event.clientX - left) / width) * BINS);
      const value = 1 - (2 * (event.clientY - top)) / height;
      return [Math.min(BINS - 1, Math.max(0, bin)), Math.min(1, Math.max(-1, value))];
    }

    function stroke(event) {
      const [bin, value] = position(event);
      const [from, start] = before ?? [bin, value];
      for (let n = Math.min(from, bin); n <= Math.max(from, bin); n++) {
        values[n] = from === bin ? value : start + ((value - start) * (n - from)) / (bin - from);
      }
      before = [bin, value];
      paint();
    }

    function paint() {
      const width = (canvas.width = Math.round(canvas.clientWidth * devicePixelRatio));
      const height = (canvas.height = Math.round(canvas.clientHeight * devicePixelRatio));
      const ink = getComputedStyle(canvas);
      const context = canvas.getContext("2d");
      context.strokeStyle = ink.borderTopColor;
      context.strokeRect(0, height / 2, width, 0.5);
      context.strokeStyle = ink.color;
      context.lineWidth = 2 * devicePixelRatio;
      context.beginPath();
      values.forEach((value, n) => {
        const y = ((1 - value) / 2) * height;
        context.lineTo((n / BINS) * width, y);
        context.lineTo(((n + 1) / BINS) * width, y);
      });
      context.stroke();
    }

    function finish() {
      if (before) {
        before = null;
        const { duration, greatest } = extent();
        const points = values.map((value, n) => [
          Number(((n * duration) / BINS).toFixed(2)),
          Number((value * greatest).toPrecision(3)),
        ]);
        take(points.filter(([, value], n) => !n || value !== points[n - 1][1]));
      }
    }

    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      stroke(event);
    });
    canvas.addEventListener("pointermove", (event) => (before ? stroke(event) : null));
    canvas.addEventListener("pointerup", finish);
    canvas.addEventListener("pointercancel", finish);
    new ResizeObserver(paint).observe(canvas);

    return {
      canvas,
      // Shows a current.
      show(points) {
        const { duration, greatest } = extent();
        values = values.map((_, n) => {
          const t = (n * duration) / BINS;
          const [, value] = points.findLast(([start]) => start <= t + 1e-9) ?? [0, 0];
          return Math.min(1, Math.max(-1, value / greatest));
        });
        paint();
      },
    };
  };
})();
