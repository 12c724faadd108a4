/*
 * SPDX-FileCopyrightText: The AMAT compendium developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

// Filters of the gallery of firing patterns: by words, and by the part of the threshold that a pattern needs.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const gallery = document.querySelector("ul.pattern-gallery");
  if (!gallery) return;
  const panels = [...gallery.querySelectorAll(".pattern-panel")];
  const kinds = {
    "": "all patterns",
    beta: "threshold follows the potential (β ≠ 0)",
    "negative-alpha": "threshold falls after a spike (α < 0)",
    simple: "neither",
  };
  const form = document.createElement("form");
  form.className = "pattern-filter";
  form.setAttribute("role", "search");
  form.setAttribute("aria-label", "Firing patterns");
  form.innerHTML =
    '<label>Words <input type="search" name="words" autocomplete="off"></label>' +
    '<label>Mechanism <select name="kind"></select></label><output aria-live="polite"></output>';
  const [words, kind, count] = [form.elements.words, form.elements.kind, form.querySelector("output")];
  for (const [value, text] of Object.entries(kinds)) kind.add(new Option(text, value));
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const panel of panels) {
      const text = panel.textContent.toLowerCase();
      panel.hidden = !(wanted.every((word) => text.includes(word)) && (!kind.value || panel.classList.contains(kind.value)));
    }
    const shown = panels.filter((panel) => !panel.hidden).length;
    count.textContent = `${shown} of ${panels.length} patterns`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
  gallery.before(form);
});
