// SPDX-FileCopyrightText: The AMAT compendium developers
//
// SPDX-License-Identifier: GPL-2.0-or-later

// Places the charts: in a column that stays in sight next to the controls, or on a phone with each neuron's controls.
(function () {
  "use strict";
  const explorer = (window.AmatExplorer = window.AmatExplorer || {});
  const WIDE = 860; // pixels of the explorer
  const BELOW_BAR = 64; // pixels of the theme's bar and a margin
  const LOWEST = 560; // pixels for the charts on the first screen
  const EXTRA = 165; // pixels of an f-I curve or phase plane with its caption
  const HIGHEST = 0.62; // part of a phone's window that charts may keep
  const PHONE = { potential: 150, more: 80, extra: 150 };

  explorer.layout = function (page) {
    const sides = Object.values(page.sides);
    let wide = null;

    function place() {
      const next = page.root.clientWidth >= WIDE;
      if (next === wide) {
        return;
      }
      wide = next;
      page.root.classList.toggle("ax-wide", wide);
      if (wide) {
        page.extras ??= explorer.element("div", { class: "ax-extras" });
        page.displays.append(...sides.map(({ display }) => display), page.extras);
        page.extras.append(...sides.flatMap(({ extras }) => [...extras.children]));
      } else {
        for (const { section, display, fi, phase, extras } of sides) {
          extras.append(fi.parentElement, phase.parentElement);
          section.querySelector("h2").after(display, extras);
        }
      }
    }

    // Divides the height of the window among the charts.
    function fit() {
      place();
      if (!sides[0].plot) {
        return;
      }
      const { show } = page.state;
      const needs = sides.map(({ plot }) => plot.needs(show));
      if (!wide) {
        sides.forEach(({ plot, fiCurve, plane }, n) => {
          plot.fit(Math.max(PHONE.potential + PHONE.more, needs[n].least));
          fiCurve.fit(PHONE.extra);
          plane?.fit(PHONE.extra);
        });
        // Charts that leave no room for the controls scroll away.
        for (const { display } of sides) {
          display.classList.toggle("ax-sticky", display.clientHeight < HIGHEST * innerHeight);
        }
        return;
      }
      const top = page.root.getBoundingClientRect().top + scrollY;
      const visible = innerHeight - (innerHeight - top >= LOWEST ? top : BELOW_BAR) - 8;
      const heads = sides.reduce((sum, { display, chart }) => sum + display.clientHeight - chart.clientHeight, 0);
      const extra = show.includes("fi") || show.includes("phase") ? EXTRA : 0;
      const spare = Math.max(0, visible - heads - extra - needs.reduce((sum, { least }) => sum + least, 0));
      const weights = needs.reduce((sum, { weight }) => sum + weight, 0);
      sides.forEach(({ plot, fiCurve, plane }, n) => {
        plot.fit(needs[n].least + Math.floor((spare * needs[n].weight) / weights));
        fiCurve.fit(EXTRA - 20);
        plane?.fit(EXTRA - 20);
      });
    }

    place();
    let width = null;
    new ResizeObserver(() => {
      if (page.root.clientWidth !== width) {
        width = page.root.clientWidth;
        fit();
      }
    }).observe(page.root);
    addEventListener("resize", fit);
    return { fit, isWide: () => wide };
  };
})();
