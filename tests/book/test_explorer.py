# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The explorer in a browser: agreement with NEST, accessibility, links and scripts."""

import subprocess
import sys
from dataclasses import replace
from statistics import median
from urllib.parse import urlsplit

import numpy as np
import pytest
from explorer_page import drawn, linked, opened, spikes, state, steps

from amat.analysis.patterns import Trial, load_trials, run_trials
from amat.release.explorer.content import SLIDERS, SOURCES

pytestmark = pytest.mark.slow

#: Visible controls of the page.
CONTROLS = "#amat-explorer :is(a, select, button, input, textarea, summary)"


@pytest.mark.parametrize("model", SOURCES)
def test_patterns_have_the_spikes_and_potentials_of_nest(page, model):
    """All 20 patterns have the spikes of NEST in the same steps, and potentials within 1e-8 mV, as in the validation.

    AMAT's patterns have tau_m equal to tau_v, where closed formulae for the propagators fail.
    """
    catalogue = load_trials(model)
    for response in run_trials(list(catalogue.values())):
        page.select_option("#ax-pattern", response.trial.neuron.pattern)
        drawn(page)
        assert spikes(page, model) == steps(response), response.trial.neuron.pattern
        assert steps(response)
        V_m = page.evaluate("model => Array.from(AmatExplorer.page.results[model].V_m)", model)
        np.testing.assert_allclose(V_m, response.V_m, rtol=0, atol=1e-8, err_msg=response.trial.neuron.pattern)


def test_random_parameters_give_the_spikes_of_nest(page):
    """Parameters of AMAT are sampled from the ranges of the sliders."""
    random = np.random.default_rng(20110)
    catalogue = load_trials("amat")
    chosen: list[Trial] = []
    for pattern in random.choice([name for name in catalogue if catalogue[name].duration <= 1000], 40):
        values = {name: float(round(random.uniform(low, high), 3)) for name, (low, high, _) in SLIDERS["amat"].items()}
        trial = catalogue[str(pattern)]
        neuron = replace(trial.neuron, parameters=trial.neuron.parameters.replace(**values))
        chosen.append(replace(trial, neuron=neuron))
    fired = 0
    for response in run_trials(chosen, traces=False):
        values = "&".join(
            f"amat.{name}={response.trial.neuron.parameters.to_nestml()[name]}" for name in SLIDERS["amat"]
        )
        page.evaluate("hash => { location.hash = hash; }", f"pattern={response.trial.neuron.pattern}&{values}")
        page.wait_for_function(
            "tau_m => AmatExplorer.page.state.amat.tau_m === tau_m", arg=response.trial.neuron.parameters.tau_m
        )
        drawn(page)
        assert spikes(page, "amat") == steps(response), values
        fired += bool(steps(response))
    assert fired > 10


def test_spikes_are_reported_as_text(page):
    """Screen readers announce spikes and verdicts after the last change."""
    page.select_option("#ax-pattern", "phasic_spiking")
    drawn(page)
    shown = page.locator(".ax-summary").all_inner_texts()
    first = page.evaluate("AmatExplorer.page.results.amat.spikes[0]")
    assert shown[0].startswith("AMAT: 1 spike in 500 ms, at ")
    assert f"at {first:g} ms" in shown[0]
    verdicts = [text.split(" ", 1)[1].strip() for text in page.locator(".ax-verdict").all_inner_texts()]
    assert verdicts[0].startswith("Phasic spiking: yes, one spike, ")
    announced = " ".join(text for pair in zip(shown, verdicts, strict=True) for text in pair)
    page.wait_for_function(
        "text => document.querySelector('[aria-live]').textContent === text", arg=announced, timeout=5000
    )
    page.get_by_text("All spike times of AMAT").click()
    assert page.locator(".ax-times").first.inner_text() == f"{first:g} ms"


def test_link_restores_the_state(context, explorer, page):
    """The address contains changed values, and gives the same state and spikes in another page."""
    page.select_option("#ax-pattern", "rebound_bursting")
    page.select_option("#ax-stimulus", "pulses")
    for selector, value in {
        "#ax-amat-beta": "-1.23",
        "#ax-amat-tau_v": "7.7",
        "#ax-izhikevich-d": "0.55",
        "#ax-amat-amplitude": "-800",
        "#ax-run-duration": "650",
    }.items():
        page.locator(selector).fill(value)
    drawn(page)
    address = page.evaluate("AmatExplorer.page.link()")
    # The last event of `fill` is "change", which writes the address.
    assert page.url == address
    again = opened(context, address)
    assert state(again) == state(page)
    assert state(again)["amat"]["beta"] == -1.23
    assert state(again)["duration"] == 650
    for model in SOURCES:
        assert spikes(again, model) == spikes(page, model)
    again.get_by_role("button", name="Reset").click()
    drawn(again)
    assert urlsplit(again.url).fragment == "pattern=rebound_bursting"


def test_invalid_parts_of_a_link_are_reported(context, explorer):
    page = linked(
        context, explorer, "pattern=tonic&stimulus=bang&amat.beta=1e9&amat.nothing=1&amat.omega=&izhikevich.d=1"
    )
    notice = page.locator(".ax-notice").inner_text()
    for part in ("pattern=tonic", "stimulus=bang", "amat.beta=1e9", "amat.nothing=1", "amat.omega="):
        assert part in notice
    assert "izhikevich.d" not in notice
    assert state(page)["izhikevich"]["d"] == 1
    assert spikes(page, "amat")


def test_anchors_in_the_text_do_not_change_the_state(context, explorer):
    page = linked(context, explorer, "methods")
    assert page.locator(".ax-notice").inner_text() == ""
    before = state(page)
    page.evaluate("location.hash = 'the-plots'")
    assert state(page) == before


def test_all_controls_are_reachable_by_keyboard(page):
    """Tab visits all controls in order, each shows the focus, and then the focus leaves the explorer."""
    visible = page.evaluate(
        f"Array.from(document.querySelectorAll({CONTROLS!r})).filter(e => e.checkVisibility()).map(e => e.outerHTML)"
    )
    assert len(visible) > 25
    page.evaluate("document.querySelector('#amat-explorer').setAttribute('tabindex', '-1')")
    page.evaluate("document.querySelector('#amat-explorer').focus()")
    reached = []
    for _ in range(2 * len(visible)):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """() => {
                const focused = document.activeElement;
                const inside = focused.closest('#amat-explorer') !== null;
                const style = getComputedStyle(focused);
                return [inside, focused.outerHTML, style.outlineStyle, style.outlineWidth];
            }"""
        )
        if not focused[0]:
            break
        assert focused[2] == "solid", focused
        assert focused[3] == "3px", focused
        reached.append(focused[1])
    else:
        pytest.fail("The focus does not leave the explorer.")
    assert reached == visible


def test_keys_operate_controls(page):
    """Arrows move a slider by its step and select a pattern; Enter opens the script."""
    page.locator("#ax-amat-alpha_1").focus()
    page.keyboard.press("ArrowRight")
    drawn(page)
    assert state(page)["amat"]["alpha_1"] == -0.4
    page.keyboard.press("Tab")  # the field next to the slider
    page.keyboard.press("Control+a")
    page.keyboard.type("12.345")
    drawn(page)
    assert state(page)["amat"]["alpha_1"] == 12.345
    page.locator("#ax-pattern").focus()
    page.keyboard.press("ArrowDown")
    drawn(page)
    assert state(page)["pattern"] == "phasic_bursting"
    assert state(page)["amat"]["alpha_1"] == -0.5
    page.get_by_role("button", name="PyNEST script").focus()
    page.keyboard.press("Enter")
    assert page.locator("#ax-script").is_visible()
    assert page.get_by_role("button", name="PyNEST script").get_attribute("aria-expanded") == "true"


@pytest.mark.parametrize("wrong", ["0", "", "1000"])
def test_invalid_number_is_reported_and_changes_nothing(page, wrong):
    before = spikes(page, "amat")
    field = page.get_by_label("Membrane time constant, exact value")
    field.fill(wrong)
    drawn(page)
    assert state(page)["amat"]["tau_m"] == 5
    assert spikes(page, "amat") == before
    assert field.get_attribute("aria-invalid") == "true"
    problem = page.locator(f"#{field.get_attribute('aria-describedby')}")
    assert "The plot keeps 5." in problem.inner_text()
    field.fill("6")
    drawn(page)
    assert problem.inner_text() == ""
    assert state(page)["amat"]["tau_m"] == 6


def test_names_of_controls_are_unique(page):
    names = page.evaluate(
        f"""Array.from(document.querySelectorAll({CONTROLS!r})).map(control => {{
            const side = control.closest('section')?.querySelector('h2').textContent ?? '';
            const label = control.labels?.[0]?.textContent ?? '';
            return side + ': ' + (control.getAttribute('aria-label') ?? (label.trim() || control.textContent.trim()));
        }})"""
    )
    assert all(name.split(": ")[1] for name in names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    "fragment",
    [
        "pattern=tonic_bursting",
        "pattern=bistability&amat.amplitude=1.02&izhikevich.amplitude=1.1",
        "pattern=inhibition_induced_bursting&izhikevich.amplitude=0.9",
        "pattern=accommodation&stimulus=ramp&duration=300&amat.amplitude=300&amat.beta=-0.4&izhikevich.amplitude=20",
        "pattern=tonic_spiking&noise=current&seed=7&amat.noise=120&izhikevich.noise=6&noise_tau=8",
        "pattern=tonic_spiking&stimulus=step&duration=400&amat.amplitude=150&izhikevich.amplitude=3&noise=poisson&seed=3"
        "&amat.noise=90&izhikevich.noise=3&rate_exc=800&rate_inh=300",
        "pattern=tonic_bursting&stimulus=own&duration=400&own=10:250+60:-100+90.5:300+200:120&noise=current&amat.noise=30",
    ],
)
def test_script_gives_the_spikes_of_the_page(context, explorer, fragment, tmp_path):
    """The PyNEST script prints the spike times of both neurons."""
    page = linked(context, explorer, fragment)
    page.get_by_role("button", name="PyNEST script").click()
    script = tmp_path / "explored.py"
    script.write_text(page.locator(".ax-code").inner_text())
    finished = subprocess.run([sys.executable, str(script)], check=False, capture_output=True, text=True, timeout=600)
    assert finished.returncode == 0, finished.stderr
    printed = [line for line in finished.stdout.splitlines() if "spikes at (ms):" in line]
    assert len(printed) == len(SOURCES)
    for line, model in zip(printed, SOURCES, strict=True):
        times = [float(time) for time in line.split(":")[1].split()]
        expected = page.evaluate("model => AmatExplorer.page.results[model].spikes", model)
        assert times == [round(time, 3) for time in expected]
        assert times


def test_script_and_link_are_copied(context, page):
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("Link copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.evaluate("AmatExplorer.page.link()")
    page.get_by_role("button", name="PyNEST script").click()
    page.get_by_role("button", name="Copy script").click()
    page.get_by_text("Script copied.").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.locator(".ax-code").inner_text()


@pytest.mark.parametrize("show", ["previous", "previous+distance+omega+alpha_1+alpha_2+beta+u+phase+fi"])
def test_changes_are_drawn_within_50_ms(context, explorer, show):
    """The time runs from the slider's event to the last line drawn, for 1 s of AMAT.

    The test uses the shortest of several times, because machines that run tests are shared.
    """
    page = linked(context, explorer, f"pattern=tonic_spiking&stimulus=step&duration=1000&show={show}")
    times = []
    for number in range(15):
        page.evaluate("performance.clearMeasures()")
        page.locator("#ax-amat-alpha_1").fill(str(5 + number))
        drawn(page)
        page.wait_for_function("performance.getEntriesByName('explorer').length")
        times.append(page.evaluate("performance.getEntriesByName('explorer')[0].duration"))
    print(f"drawn in {min(times):.1f} ms (shortest), {median(times):.1f} ms (median)")
    assert min(times) < 50


@pytest.mark.parametrize(("width", "theme"), [(360, "light"), (1400, "dark")])
def test_page_fits_its_window(browser, explorer, width, theme):
    """Nothing is wider than the window, plots fill their column, and their colours are those of the theme."""
    context = browser.new_context(viewport={"width": width, "height": 740}, color_scheme=theme, offline=True)
    page = opened(context, explorer)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for plot in page.locator(".ax-chart .uplot:visible").all():
        assert plot.bounding_box()["width"] >= 0.35 * width
    ink = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--pst-color-text-base').trim()")
    assert sum(bytes.fromhex(ink.lstrip("#"))) < 384 if theme == "light" else sum(bytes.fromhex(ink.lstrip("#"))) > 384
    context.close()


def test_page_loads_only_from_the_site_and_reports_no_error(browser, server):
    context = browser.new_context()
    page = context.new_page()
    requests: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("requestfailed", lambda request: errors.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))
    # Messages of the theme are ignored; those of the explorer name its files.
    page.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type in ("error", "warning") and "/explorer/" in message.location["url"]
            else None
        ),
    )
    page.goto(f"{server}/explorer.html", wait_until="networkidle")
    drawn(page)
    for pattern in load_trials("amat"):
        page.select_option("#ax-pattern", pattern)
        drawn(page)
    context.close()
    assert not errors
    assert {urlsplit(request).netloc for request in requests} == {urlsplit(server).netloc}
    assert any(request.split("?")[0].endswith("/explorer/models.js") for request in requests)


def test_page_without_scripts_asks_for_javascript(browser, explorer):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(explorer)
    assert "needs JavaScript" in page.locator("noscript").inner_text()
    context.close()


def test_pages_without_the_explorer_do_not_load_it(built_book):
    others = [page for page in built_book.rglob("*.html") if page.name not in ("explorer.html", "index.html")]
    assert others
    for page in others:
        assert "_static/explorer/" not in page.read_text(encoding="utf-8"), page.name
