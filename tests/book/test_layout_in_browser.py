# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Layout of the site in a browser: nothing is clipped, chapters open with results, code is shown on request."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from amat import paths

pytestmark = pytest.mark.slow

WIDTHS = {1440: 900, 1366: 768, 390: 844}
PHONE = 390
#: Elements of the content that are wider than their place. Scrolling ones must have a cue, and on a desktop only folded
#: ones may scroll.
OVERFLOWS = """phone => {
    const article = document.querySelector("article");
    if (!article) return [];
    const name = part => `${part.tagName.toLowerCase()}.${[...part.classList].join(".")}`.slice(0, 80);
    const place = article.getBoundingClientRect();
    const scrolls = part => ["auto", "scroll"].includes(getComputedStyle(part).overflowX);
    const hasCue = part => getComputedStyle(part).backgroundAttachment.includes("local");
    const parts = [...article.querySelectorAll("table, pre, img, mjx-container, figure, div, p, ul, canvas")];
    const scroller = part => {
        while (part && part !== article && !scrolls(part)) part = part.parentElement;
        return part;
    };
    const found = new Set();
    for (const part of parts) {
        const box = part.getBoundingClientRect();
        if (!box.width || !box.height) continue;
        if (part.closest("#amat-explorer, .sd-stretched-link, mjx-assistive-mml")) continue;
        const outer = scroller(part.parentElement);
        if (box.right > place.right + 1.5 && (!outer || outer === article)) found.add(`clipped: ${name(part)}`);
        if (scrolls(part) && part.scrollWidth > part.clientWidth + 2) {
            if (!hasCue(part)) found.add(`scrolls without a cue: ${name(part)}`);
            else if (!phone && !part.closest("details"))
                found.add(`scrolls on a desktop: ${name(part)} ${part.scrollWidth} in ${part.clientWidth}`);
        }
    }
    return [...found];
}"""
#: Resolves when fonts are loaded and widths no longer change, since the theme moves to a new size in steps.
SETTLED = """async () => {
    await document.fonts.ready;
    const parts = () => [...document.querySelectorAll("article, article div")].map(part => part.clientWidth).join();
    for (let before = null; before !== parts();) {
        before = parts();
        await new Promise(done => setTimeout(done, 200));
    }
}"""
#: Luminances of the page and of the largest image on it, as drawn in the dark theme.
DARK_IMAGES = """() => [...document.querySelectorAll("article img")].filter(
    image => image.getBoundingClientRect().width > 50 && !getComputedStyle(image).filter.includes("invert")
).map(image => image.src)"""


@pytest.fixture(scope="module")
def pages(built_book: Path) -> list[Path]:
    """Each kind of page once: patterns share their layout."""
    found = sorted(path for path in built_book.rglob("*.html") if "_static" not in path.parts)
    return [path for path in found if path.parent.name != "patterns" or path.stem in ("tonic_bursting", "resonator")]


@pytest.fixture(scope="module")
def page(browser: Any) -> Iterator[Any]:
    context = browser.new_context(offline=True, reduced_motion="reduce")
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def visits(pages: list[Path], page: Any, built_book: Path) -> dict[str, Any]:
    """Elements that overflow, by page and width."""
    found = {}
    for path in pages:
        page.goto(path.as_uri())
        page.evaluate("() => window.MathJax?.startup?.promise")
        for width, height in WIDTHS.items():
            page.set_viewport_size({"width": width, "height": height})
            page.evaluate(SETTLED)
            overflows = page.evaluate(OVERFLOWS, width == PHONE)
            if overflows:
                found[f"{path.relative_to(built_book).as_posix()} at {width} px"] = overflows
    return found


def test_nothing_is_clipped_and_what_scrolls_shows_it(visits):
    assert not visits


def test_the_check_detects_overflow(page, built_book):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto((built_book / "references.html").as_uri())
    assert not page.evaluate(OVERFLOWS, False)
    page.evaluate(
        "document.querySelector('article').insertAdjacentHTML('beforeend', '<p style=\"width: 3000px\">wide</p>')"
    )
    assert page.evaluate(OVERFLOWS, False) == ["clipped: p."]


def test_images_are_dark_in_the_dark_theme(browser, built_book):
    """Light figures would be slabs on a dark page."""
    context = browser.new_context(offline=True, color_scheme="dark")
    page = context.new_page()
    for name in ("index", "speed", "notebooks/firing_patterns", "notebooks/f_i_curves", "notebooks/patterns/resonator"):
        page.goto((built_book / f"{name}.html").as_uri())
        assert page.locator("article img").count()
        assert page.evaluate(DARK_IMAGES) == [], name
    context.close()


def chapters() -> list[str]:
    """Return the pages of notebooks whose text is about results."""
    config = yaml.safe_load((paths.CONFIG / "config.yaml").read_text())
    return sorted(set(config["notebooks"]) - {"tutorial", "firing_pattern"})


@pytest.mark.parametrize("name", [*chapters(), "patterns/tonic_bursting"])
def test_a_chapter_opens_with_results(page, built_book, name):
    """Bullets or a table with numbers of the run come before the first section, and so does a figure or a table."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto((built_book / "notebooks" / f"{name}.html").as_uri())
    opening = page.evaluate(
        """() => {
            const page = document.querySelector("article section");
            const next = page.querySelector(":scope > section");
            const before = part => !next || part.compareDocumentPosition(next) & Node.DOCUMENT_POSITION_FOLLOWING;
            const count = selector => [...page.querySelectorAll(selector)].filter(before).length;
            return [count("ul > li, tbody > tr"), count("img, table")];
        }"""
    )
    assert opening[0] >= 3
    assert opening[1] >= 1


@pytest.mark.parametrize("name", chapters())
def test_long_tables_of_results_are_folded(page, built_book, name):
    page.goto((built_book / "notebooks" / f"{name}.html").as_uri())
    lengths = page.evaluate(
        """() => [...document.querySelectorAll("div.cell_output table")].filter(table => !table.closest("details"))
            .map(table => table.querySelectorAll("tbody tr").length)"""
    )
    assert all(length <= 14 for length in lengths), lengths


def test_one_switch_shows_all_code(page, built_book):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto((built_book / "notebooks" / "f_i_curves.html").as_uri())
    code = page.locator(".page-code")
    assert code.count() > 5
    assert not page.locator("article summary", has_text="code cell source").count()
    switch = page.locator("button.code-switch")
    assert switch.count() == 1
    for shown in (False, True, False):
        assert switch.get_attribute("aria-pressed") == str(shown).lower()
        assert [code.nth(number).is_visible() for number in range(3)] == [shown] * 3
        switch.click()


def test_the_gallery_filters_and_opens_patterns(page, built_book):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto((built_book / "notebooks" / "firing_patterns.html").as_uri())
    panels = page.locator("li.pattern-panel:visible")
    assert panels.count() == 20
    page.locator("form.pattern-filter input").fill("rebound")
    assert panels.count() == 2
    assert page.locator("form.pattern-filter output").inner_text() == "2 of 20 patterns"
    page.locator("form.pattern-filter input").fill("")
    page.locator("form.pattern-filter select").select_option("simple")
    names = panels.locator("p.pattern-name").all_inner_texts()
    assert "tonic spiking" in [name.lower() for name in names]
    assert 0 < len(names) < 10
    page.locator("form.pattern-filter select").select_option("")
    page.locator("li.pattern-panel img").nth(2).click(force=True)  # the link covers the panel
    page.wait_for_url("**/patterns/tonic_bursting.html")


def test_solutions_of_the_tutorial_are_hidden(page, built_book):
    page.goto((built_book / "notebooks" / "tutorial.html").as_uri())
    solutions = page.locator("details:has(summary:has-text('Solution of exercise'))")
    explanations = page.locator("details:has(> summary:text-is('Explanation'))")
    assert solutions.count() == explanations.count() == 8
    for number in range(8):
        assert not explanations.nth(number).locator("p").first.is_visible()
    explanations.first.locator("summary").click()
    assert explanations.first.locator("p").first.is_visible()


def test_the_tutorial_shows_a_figure_on_the_first_screen(page, built_book):
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto((built_book / "notebooks" / "tutorial.html").as_uri())
    assert page.locator("article img").first.bounding_box()["y"] < 900
