# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The site in a browser without network, on a wide screen and a phone, in light and dark themes.

axe-core checks accessibility with all rules for WCAG 2.0 to 2.2, levels A and AA, and for good practice.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from turns import skip_unless_in_turn

pytestmark = pytest.mark.slow

PHONE = {"width": 360, "height": 780}
WIDE = {"width": 1600, "height": 1000}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SEARCHED = "threshold"


@pytest.fixture(scope="module")
def pages(built_book: Path) -> list[Path]:
    """The files of all pages."""
    return sorted(path for path in built_book.rglob("*.html") if "_static" not in path.parts)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    """A function that opens a file in a new context without network; the page's ``faults`` lists its errors."""
    contexts = []

    def open_file(path: Path, query: str = "", **options: Any) -> Any:
        context = browser.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.faults = watch(page)
        page.goto(path.as_uri() + query)
        return page

    yield open_file
    for context in contexts:
        context.close()


def watch(page: Any) -> list[str]:
    """Return a list that collects a page's errors, warnings, failed requests and requests to other hosts."""
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("requestfailed", lambda request: faults.append(f"failed: {request.url}"))
    page.on("request", lambda request: None if is_local(request.url) else faults.append(f"asked for: {request.url}"))
    return faults


def is_local(address: str) -> bool:
    return address.startswith(("file:", "data:", "blob:", "http://127.0.0.1:"))


def name_of(path: Path, built_book: Path) -> str:
    return path.relative_to(built_book).as_posix()


def contrast(page: Any, selector: str) -> float:
    """Return the contrast of an element's text with the page's background as defined by WCAG."""
    return page.evaluate(
        """selector => {
            const luminance = colour => {
                const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(value => value / 255);
                const linear = parts.map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
                return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
            };
            const text = luminance(getComputedStyle(document.querySelector(selector)).color);
            const back = luminance(getComputedStyle(document.body).backgroundColor);
            return (Math.max(text, back) + 0.05) / (Math.min(text, back) + 0.05);
        }""",
        selector,
    )


@dataclass(frozen=True)
class Visit:
    """Results of a visit to a page: axe's violations in both themes, errors, and the width on a phone."""

    violations: list[str]
    dark_theme_violations: list[str]
    faults: list[str]
    width_on_a_phone: int


#: Groups of the pages of firing patterns, which are made alike.
PATTERN_GROUPS = 5


@pytest.fixture(scope="module", params=["other pages", *range(PATTERN_GROUPS)], ids=lambda group: f"group-{group}")
def visits(
    request: pytest.FixtureRequest, browser: Any, pages: list[Path], built_book: Path, axe: str
) -> dict[str, Visit]:
    """Visits to pages: in the light theme on a wide screen, then in the dark theme, then with a phone's width.

    In the dark theme only colours are checked, since everything else is the same. Continuous integration visits one
    group of the pages of firing patterns at each commit, in turn.
    """
    patterns = [path for path in pages if path.parent.name == "patterns"]
    if request.param == "other pages":
        pages = [path for path in pages if path not in patterns]
    else:
        pages = patterns[request.param :: PATTERN_GROUPS]
        skip_unless_in_turn(request.param, PATTERN_GROUPS)
    visits = {}
    context = browser.new_context(offline=True, reduced_motion="reduce")  # colours change without transition
    for path in pages:
        page = context.new_page()
        faults = watch(page)
        page.set_viewport_size(WIDE)
        page.emulate_media(color_scheme="light")
        page.goto(path.as_uri())
        page.evaluate(axe)
        violations = check(page, {"type": "tag", "values": TAGS})
        page.emulate_media(color_scheme="dark")
        page.wait_for_function(
            "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).every(c => c < 64)"
            " && !document.getAnimations().some(animation => animation instanceof CSSTransition)"  # running transitions
        )
        dark_violations = check(page, {"type": "rule", "values": ["color-contrast"]})
        page.set_viewport_size(PHONE)
        width = page.evaluate("document.documentElement.scrollWidth")
        visits[name_of(path, built_book)] = Visit(violations, dark_violations, faults, width)
        page.close()
    context.close()
    assert visits
    return visits


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core."""
    package = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    return str(package.AXE_SCRIPT)


def check(page: Any, rules: dict[str, Any]) -> list[str]:
    """Return axe's violations on a page, each with the rule, the number of elements and the first of them."""
    violations = page.evaluate(
        "rules => axe.run(document, {runOnly: rules, resultTypes: ['violations'], preload: false})"
        ".then(results => results.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))",
        rules,
    )
    return [f"{rule}, {count} times: {first}" for rule, count, first in violations]


def test_pages_are_accessible(visits):
    assert not {name: visit.violations for name, visit in visits.items() if visit.violations}


def test_pages_have_contrast_in_the_dark_theme(visits):
    assert not {name: visit.dark_theme_violations for name, visit in visits.items() if visit.dark_theme_violations}


def test_pages_work_without_network_and_errors(visits):
    assert not {name: visit.faults for name, visit in visits.items() if visit.faults}


def test_pages_fit_a_phone(visits):
    """No page is wider than the screen; wider elements scroll inside the page."""
    widths = {name: visit.width_on_a_phone for name, visit in visits.items()}
    assert not {name: width for name, width in widths.items() if width > PHONE["width"]}


def test_axe_detects_faults(browser, built_book, axe):
    """axe detects an image without a description and pale text, inserted into a page."""
    page = browser.new_page()
    page.goto((built_book / "index.html").as_uri())
    page.evaluate(
        "document.querySelector('article').insertAdjacentHTML('beforeend',"
        ' \'<img src="_static/favicon.svg"><p style="color: #ddd; background: #fff">pale</p>\')'
    )
    page.evaluate(axe)
    found = {violation.split(",")[0] for violation in check(page, {"type": "tag", "values": TAGS})}
    page.close()
    assert found == {"image-alt", "color-contrast"}


def test_figures_are_readable_on_a_phone(open_page, built_book):
    """Letters with a height of 11 units of the figure have at least 8 pixels; the figure scrolls inside the page."""
    page = open_page(built_book / "index.html", viewport=PHONE)
    figure = page.locator("article figure img:visible").first
    assert figure.bounding_box()["width"] / figure.evaluate("image => image.naturalWidth") * 4 / 3 * 11 > 8
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_phone_opens_the_table_of_contents(open_page, built_book):
    page = open_page(built_book / "index.html", viewport=PHONE)
    link = page.locator("nav.bd-docs-nav a", has_text="Getting started")
    assert not in_view(page, link)
    page.locator("button.primary-toggle").first.click()
    # The table of contents slides in; the wait fails after 30 s.
    page.wait_for_function("link => link.getBoundingClientRect().x >= 0", arg=link.element_handle())
    assert in_view(page, link)


def in_view(page: Any, element: Any) -> bool:
    box = element.bounding_box()
    return box is not None and 0 <= box["x"] < page.viewport_size["width"]


def test_search_finds_pages(browser, server):
    """The search starts in the sidebar, shows excerpts and leads to a page with the word."""
    page = browser.new_page(viewport=WIDE)
    faults = watch(page)
    page.goto(f"{server}/index.html")
    page.locator("button.search-button__button").first.click()
    page.locator("#search-input").fill(SEARCHED)
    page.locator("#search-input").press("Enter")
    page.wait_for_url("**/search.html*")
    results = page.locator("#search-results ul.search li")
    page.wait_for_function("/found \\d+ page/.test(document.querySelector('#search-results').textContent)")
    assert results.count() > 10
    assert "glossary.html" in " ".join(results.locator("a").evaluate_all("links => links.map(link => link.href)"))
    results.locator("p.context").first.wait_for()
    results.locator("a").first.click()
    page.wait_for_url(lambda address: "search.html" not in address)
    assert SEARCHED in page.locator("article").inner_text().lower()
    page.close()
    assert not faults


#: Words that readers look for, and the pages that answer. The glossary defines terms.
ANSWERS = {
    "install": {"getting_started.html"},
    "omega": {"glossary.html", "notebooks/model.html"},
    "STDP": {"speed.html"},
    "MPI": {"containers.html"},
    "threshold": {"glossary.html", "notebooks/model.html"},
    "memory": {"speed.html"},
    "parameters": {"notebooks/model.html"},
}


def test_search_leads_to_the_page_that_answers(browser, server):
    """The first results are these pages, and excerpts are text: no code, toolbar or style."""
    page = browser.new_page(viewport=WIDE)
    for word, answers in ANSWERS.items():
        page.goto(f"{server}/search.html?q={word}")
        page.wait_for_function("/found \\d+ page/.test(document.querySelector('#search-results').textContent)")
        links = page.locator("#search-results ul.search li a").evaluate_all("links => links.map(link => link.href)")
        first = [link.split("#")[0].removeprefix(f"{server}/") for link in links[: len(answers)]]
        assert set(first) == answers, word
        page.locator("#search-results p.context").first.wait_for()
        excerpts = " ".join(page.locator("#search-results p.context").all_inner_texts())
        assert not re.search(r"\.pdf|set_uuid|Styler|#T_|plots\.|f\"", excerpts), f"{word}: {excerpts}"
    page.close()


def test_search_index_leaves_out_hidden_code(built_book):
    """Names that occur only in code of notebooks or in the style sheets of their tables."""
    index = (built_book / "searchindex.js").read_text()
    terms = json.loads(index.removeprefix("Search.setIndex(").removesuffix(")"))["terms"]
    assert {"threshold", "neuron"} <= set(terms)
    assert not {"set_uuid", "use_styl", "model_colour", "atomic_writ", "to_csv"} & set(terms)
    assert not [term for term in terms if term.startswith("#t_")]


def test_search_works_without_a_server(open_page, built_book):
    """Excerpts are missing, because browsers do not load them from a disk."""
    page = open_page(built_book / "search.html", query=f"?q={SEARCHED}")
    page.wait_for_function("/found \\d+ page/.test(document.querySelector('#search-results').textContent)")
    assert page.locator("#search-results ul.search li").count() > 10


def test_search_reports_when_nothing_is_found(open_page, built_book):
    page = open_page(built_book / "search.html", query="?q=xylophone")
    page.get_by_text("did not match any documents").wait_for()
    assert page.locator("#search-results ul.search li").count() == 0


@pytest.mark.parametrize("system", ["light", "dark"])
def test_theme_follows_the_system_and_the_switch(open_page, built_book, system):
    """The theme is that of the system, then the one chosen by the switch, also on the next page."""
    page = open_page(built_book / "index.html", color_scheme=system, viewport=WIDE)
    assert page.evaluate("document.documentElement.dataset.theme") == system
    other = {"light": "dark", "dark": "light"}[system]
    for _ in range(3):  # the switch has three states
        page.locator("button.theme-switch-button").first.click()
        if page.evaluate("document.documentElement.dataset.theme") == other:
            break
    assert page.evaluate("document.documentElement.dataset.theme") == other
    assert contrast(page, "article p") > 7
    page.goto((built_book / "notebooks" / "model.html").as_uri())
    assert page.evaluate("document.documentElement.dataset.theme") == other
    assert contrast(page, "article p") > 7


def test_keyboard_skips_to_the_content(open_page, built_book):
    """The first press of Tab reaches a link that appears and skips the sidebar."""
    page = open_page(built_book / "index.html", viewport=WIDE)
    page.keyboard.press("Tab")
    link = page.locator(":focus")
    assert link.inner_text() == "Skip to main content"
    page.wait_for_function("document.activeElement.getBoundingClientRect().top >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#main-content').contains(document.activeElement)")


def test_equations_are_drawn(open_page, built_book):
    page = open_page(built_book / "notebooks" / "model.html")
    page.locator("mjx-container").first.wait_for()
    assert page.locator("mjx-container").count() >= page.locator("div.math, span.math").count() > 20
    assert page.locator("mjx-merror").count() == 0
    assert not page.faults


def test_previous_and_next_lead_through_all_pages(open_page, pages, built_book):
    """From the first page, "next" visits every page of the table of contents, and "previous" leads back."""
    page = open_page(built_book / "index.html")
    passed = [page.url]
    while page.locator("a.right-next").count():
        page.locator("a.right-next").click()
        page.wait_for_load_state()
        assert page.url not in passed
        assert page.locator("a.left-prev").evaluate("link => link.href") == passed[-1]
        passed.append(page.url)
    unlisted = {built_book / "404.html", built_book / "search.html", built_book / "genindex.html"}
    assert set(passed) == {path.as_uri() for path in set(pages) - unlisted}
