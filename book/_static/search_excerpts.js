/*
 * SPDX-FileCopyrightText: The AMAT compendium developers
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

// Excerpts of search results from the text of a page: without toolbars, hidden code, styles and downloads.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  if (typeof Search === "undefined") return; // every page loads this script
  Search.htmlToText = (page, anchor) => {
    const article = new DOMParser().parseFromString(page, "text/html").querySelector("article");
    if (!article) return "";
    const unwanted = ".headerlink, script, style, .page-code, #downloads, .toctree-wrapper, button";
    article.querySelectorAll(unwanted).forEach((part) => part.remove());
    const found = anchor ? article.querySelector(anchor) : null;
    // The text of a term is its definition.
    const text = found?.tagName === "DT" ? `${found.textContent}: ${found.nextElementSibling.textContent}` : null;
    return (text || (found || article).textContent).replace(/\s+/g, " ");
  };
});
