/*
 * SPDX-FileCopyrightText: The AMAT compendium developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

// One switch for the code of a notebook's page, which custom.css hides.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const title = document.querySelector("article h1");
  if (!title || !document.querySelector(".page-code") || document.querySelector("button.code-switch")) return;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "code-switch";
  const show = (shown) => {
    document.documentElement.classList.toggle("shows-code", shown);
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? "Hide code" : "Show code";
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-pressed") !== "true"));
  show(false);
  title.after(button);
});
