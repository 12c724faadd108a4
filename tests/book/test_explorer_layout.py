# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The explorer on desktops and phones, in both themes, and its links from and to other pages."""

import itertools

import pytest
from axe_check import TAGS, check
from explorer_page import drawn, opened, spikes, state

from amat.analysis.patterns import CRITERIA

pytestmark = pytest.mark.slow

PHONE = {"width": 390, "height": 844}
#: Height of the theme's bar in pixels.
BAR = 48
EVERYTHING = "pattern=resonator&noise=current&stimulus=own&show=distance+previous+omega+alpha_1+alpha_2+beta+u+phase+fi"

#: The visible controls of the page.
VISIBLE = """Array.from(document.querySelectorAll(
    '#amat-explorer :is(a, select, button, input, textarea, summary)')).filter(e => e.checkVisibility())"""
#: Top and bottom of the focused control, and of all charts.
BOXES = """() => {
    const edges = element => { const { top, bottom } = element.getBoundingClientRect(); return [top, bottom]; };
    const charts = Array.from(document.querySelectorAll('.ax-chart'));
    return [edges(document.activeElement), charts.map(edges)];
}"""


@pytest.mark.parametrize("size", [(1366, 768), (1440, 900)])
def test_charts_stay_in_sight_on_a_desktop(browser, explorer, size):
    """While any control has the focus, reached by Tab, it and both neurons' charts are in the window."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", offline=True)
    page = opened(context, explorer)
    amplitude = page.locator("#ax-amat-amplitude").bounding_box()
    assert amplitude["y"] + amplitude["height"] < size[1]  # a slider on the first screen
    controls = page.evaluate(f"{VISIBLE}.length")
    assert controls > 35
    page.evaluate("document.querySelector('#amat-explorer').setAttribute('tabindex', '-1')")
    page.evaluate("document.querySelector('#amat-explorer').focus({ preventScroll: true })")
    for _ in range(controls):
        page.keyboard.press("Tab")
        control, charts = page.evaluate(BOXES)
        name = page.evaluate("document.activeElement.outerHTML.slice(0, 80)")
        assert page.evaluate("document.activeElement.closest('#amat-explorer') !== null"), name
        assert control[0] >= BAR - 1, name
        assert control[1] <= size[1] + 1, name
        for top, bottom in charts:
            assert top >= BAR, name
            assert bottom <= size[1], name
    context.close()


def test_all_charts_at_once_fit_a_desktop(browser, explorer):
    context = browser.new_context(viewport={"width": 1366, "height": 768}, reduced_motion="reduce", offline=True)
    page = opened(context, f"{explorer}#{EVERYTHING}")
    page.locator("#ax-amat-tau_2").focus()
    boxes = page.evaluate(
        "Array.from(document.querySelectorAll('.ax-chart, .ax-fi, .ax-phase'), e => e.getBoundingClientRect().toJSON())"
    )
    assert len(boxes) == 6  # AMAT has a hidden phase plane
    assert all(box["top"] >= BAR and box["bottom"] <= 768 for box in boxes if box["height"])
    assert sum(box["height"] > 50 for box in boxes) == 5
    context.close()


@pytest.mark.parametrize("fragment", ["pattern=tonic_bursting", EVERYTHING])
def test_chart_stays_in_sight_on_a_phone(browser, explorer, fragment):
    """Above each slider in focus is its neuron's chart, in full and not covered."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, reduced_motion="reduce", offline=True)
    page = opened(context, f"{explorer}#{fragment}")
    for model, name in (("amat", "beta"), ("amat", "tau_2"), ("izhikevich", "a"), ("izhikevich", "d")):
        page.locator(f"#ax-{model}-{name}").focus()
        slider = page.locator(f"#ax-{model}-{name}").bounding_box()
        chart = page.locator(f".ax-side[aria-labelledby=ax-title-{model}] .ax-chart").bounding_box()
        assert chart["y"] >= BAR
        assert chart["y"] + chart["height"] <= slider["y"] + 1, name
        assert slider["y"] + slider["height"] <= PHONE["height"]
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    context.close()


@pytest.mark.parametrize("name", ["explorer.html", "index.html", "search.html", "404.html"])
def test_icon_of_the_contents_works_on_a_phone(browser, built_book, name):
    """The icon opens the contents of the page; a page without them has no icon. Nothing throws."""
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, offline=True)
    errors = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    page = context.new_page()
    page.goto((built_book / name).as_uri())
    icon = page.locator("button.secondary-toggle")
    if page.locator(".bd-sidebar-secondary").count():
        icon.first.click()
        links = page.locator(".bd-sidebar-secondary a:visible, dialog a:visible")
        links.first.wait_for()
        page.wait_for_function(
            "link => link.getBoundingClientRect().right <= innerWidth", arg=links.first.element_handle()
        )
    else:
        assert not any(button.is_visible() for button in icon.all())
    assert name != "explorer.html" or icon.first.is_visible()
    context.close()
    assert not errors


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core."""
    package = pytest.importorskip("axe_playwright_python.base", reason="axe-playwright-python is not installed")
    return str(package.AXE_SCRIPT)


@pytest.mark.parametrize(("width", "theme"), [(1366, "light"), (1366, "dark"), (PHONE["width"], "dark")])
def test_open_explorer_is_accessible(browser, explorer, axe, width, theme):
    """axe finds no violation with all details, charts and fields shown, and with a message of each kind."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=theme, reduced_motion="reduce", offline=True
    )
    page = opened(context, f"{explorer}#{EVERYTHING}&amat.wrong=1")
    page.evaluate("document.querySelectorAll('#amat-explorer details').forEach(part => { part.open = true; })")
    page.get_by_role("button", name="PyNEST script").click()
    page.get_by_label("Membrane time constant, exact value").fill("0")
    field = page.get_by_label("Your spike times (ms)", exact=True)
    field.fill("spike, 3")
    field.blur()
    assert page.locator("#ax-spikes-problem").inner_text()
    page.evaluate(axe)
    assert not check(page, {"type": "tag", "values": TAGS}, "#amat-explorer")
    context.close()


def test_pages_of_patterns_and_explorer_link_to_each_other(context, built_book):
    """Each pattern's page opens the explorer with the pattern, which leads back to the page."""
    folder = built_book / "notebooks" / "patterns"
    pages = sorted(folder.glob("*.html"))
    assert {path.stem for path in pages} == set(CRITERIA)
    page = context.new_page()
    for path in pages[::10]:
        page.goto(path.as_uri())
        page.locator("article a[href*='explorer.html']").first.click()
        drawn(page)
        assert state(page)["pattern"] == path.stem
        page.locator(".ax-criterion a").first.click()
        page.wait_for_url(path.as_uri())


def test_small_explorer_of_the_landing_page(context, built_book):
    """It draws and judges, and its link opens the same state in full, with the same spikes."""
    page = context.new_page()
    page.goto((built_book / "index.html").as_uri())
    page.wait_for_function("window.AmatExplorer?.small?.result")
    assert "Tonic bursting: yes" in page.locator("#amat-small-explorer .ax-verdict").inner_text()
    parts = [
        page.locator(f"#amat-small-explorer {name}").bounding_box()
        for name in (".ax-verdict", ".ax-legend", ".ax-chart")
    ]
    for above, below in itertools.pairwise(parts):
        assert below["y"] - above["y"] - above["height"] >= 4  # pixels
    page.get_by_label("Firing pattern", exact=True).select_option("phasic_spiking")
    page.locator("#ax-amat-alpha_1").fill("3.5")
    page.locator("#ax-amat-beta").fill("-0.5")
    page.wait_for_function("!AmatExplorer.small.waiting")
    assert "Phasic spiking: " in page.locator("#amat-small-explorer .ax-verdict").inner_text()
    shown = page.evaluate("AmatExplorer.small.result.spikeSteps")
    page.get_by_role("link", name="Open in the explorer").click()
    page.wait_for_url("**/explorer.html*")
    drawn(page)
    assert state(page)["pattern"] == "phasic_spiking"
    assert state(page)["amat"]["alpha_1"] == 3.5
    assert spikes(page, "amat") == shown
