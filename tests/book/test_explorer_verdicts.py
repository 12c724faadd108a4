# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The explorer's verdicts, hints, traces, f-I curves, noise and comparisons, against Python and NEST."""

import numpy as np
import pytest
from explorer_page import change, drawn, linked, opened, spikes, state, steps, trial_of

from amat.analysis.patterns import CRITERIA, Response, load_trials, run_trials
from amat.release.explorer.content import SLIDERS, SOURCES
from amat.release.explorer.hints import HINTS

pytestmark = pytest.mark.slow


def fragments(model: str, pattern: str, random: np.random.Generator) -> list[str]:
    """Return states of a pattern: as published, with other amplitudes, parameters and currents."""
    values = load_trials(model)[pattern].neuron.parameters.to_nestml()
    changed = []
    for name in random.choice(list(SLIDERS[model]), 2, replace=False):
        low, high, _ = SLIDERS[model][str(name)]
        value = np.clip(values[str(name)] * random.uniform(0.6, 1.6) + random.normal(0, 0.02 * (high - low)), low, high)
        changed.append(f"&{model}.{name}={value:.3f}")
    others = [f"&{model}.amplitude=0.7", f"&{model}.amplitude=1.8", "&stimulus=pulse&duration=150"]
    # The ramps of class 1 and 2 last for 12 s.
    return [f"pattern={pattern}{end}" for end in ("", *changed, *others)][: 3 if "class" in pattern else None]


@pytest.mark.parametrize("model", SOURCES)
def test_verdicts_are_those_of_python(page, model):
    """The same decision and reason as `CRITERIA` for NEST's response to the trial that the page shows.

    Where the page finds that the criterion does not apply, the current lacks the pulses that Python asks for.
    """
    random = np.random.default_rng(23)
    trials, verdicts = [], []
    for pattern, like in load_trials(model).items():
        for fragment in fragments(model, pattern, random):
            change(page, fragment)
            trials.append(trial_of(page, model, like))
            verdicts.append((fragment, page.evaluate("model => AmatExplorer.page.verdicts[model]", model)))
    decided = {True: 0, False: 0, None: 0}
    for response, (fragment, verdict) in zip(run_trials(trials), verdicts, strict=True):
        criterion = CRITERIA[response.trial.neuron.pattern]
        decided[verdict["passed"]] += 1
        if verdict["passed"] is None:
            with pytest.raises(ValueError, match="unpack"):
                criterion.decide(response)
            continue
        expected = criterion.decide(response)
        assert (verdict["passed"], verdict["reason"]) == (expected.passed, expected.reason), fragment
    print(decided)
    assert decided[True] > 30
    assert decided[False] > 30
    assert decided[None] > 3


def sample_train(random: np.random.Generator, spikes: np.ndarray, start: float, stop: float) -> np.ndarray:
    """Return a response's spikes with some of them missing, shifted or added, or a train of drifting intervals."""
    if random.random() < 0.5:
        kept = spikes[random.random(len(spikes)) < random.choice([0.5, 0.8, 1.0])]
        added = random.uniform(start, stop, random.integers(0, 3))
        train = np.concatenate([kept + random.choice([0.0, 0.5, 3.0]) * random.normal(size=len(kept)), added])
    else:
        intervals = random.uniform(3, (stop - start) / 8) * random.uniform(0.9, 1.2) ** np.arange(12)
        intervals[random.random(12) < 0.2] *= 5
        train = start + np.cumsum(intervals)
    return np.unique(np.round(train[(train > 0) & (train < stop + 20)], 1))


def test_criteria_agree_with_python_on_sampled_responses(page):
    """For 80 trains per pattern, with potentials that are sampled too where the criterion reads them."""
    random = np.random.default_rng(2011)
    results = {True: 0, False: 0}
    for pattern, like in load_trials("amat").items():
        change(page, f"pattern={pattern}")
        trial = trial_of(page, "amat", like)
        spikes_shown = np.array(page.evaluate("AmatExplorer.page.results.amat.spikes"))
        traced = CRITERIA[pattern].needs_traces
        read = "name => Array.from(AmatExplorer.page.results.amat[name])"
        V_m, V_th, time = (np.array(page.evaluate(read, name) if traced else []) for name in ("V_m", "V_th", "time"))
        responses = []
        for _ in range(80):
            train = sample_train(random, spikes_shown, trial.onset, trial.duration)
            if traced and random.random() < 0.7:
                train = spikes_shown
            swing = random.normal(0, 1) * np.sin(time / random.uniform(2, 12)) * np.exp(-time / 60)
            responses.append(Response(trial, train, V_m + swing, V_th))
        verdicts = page.evaluate(
            """([pattern, responses]) => {
                const { trials, results } = AmatExplorer.page;
                return responses.map(([spikes, V_m]) => AmatExplorer.verdict(
                    pattern, trials.amat, { time: results.amat.time, V_th: results.amat.V_th, spikes, V_m }));
            }""",
            [pattern, [[response.spikes.tolist(), response.V_m.tolist()] for response in responses]],
        )
        for response, verdict in zip(responses, verdicts, strict=True):
            expected = CRITERIA[pattern].decide(response)
            assert (verdict["passed"], verdict["reason"]) == (expected.passed, expected.reason), response.spikes
            results[expected.passed] += 1
    print(results)
    assert min(results.values()) > 200


def test_every_pattern_is_shown_and_its_hint_ends_it(page):
    """Both neurons meet the criterion; with the hint, which the button applies, its neuron does not."""
    assert set(HINTS) == set(CRITERIA)
    for pattern, hint in HINTS.items():
        page.select_option("#ax-pattern", pattern)
        drawn(page)
        for model in SOURCES:
            assert page.evaluate("model => AmatExplorer.page.verdicts[model].passed", model), pattern
        assert page.locator(".ax-hint").inner_text().startswith("Set ")
        page.get_by_role("button", name="Try it").click()
        drawn(page)
        assert state(page)[hint.model][hint.name] == hint.value
        verdict = page.evaluate("model => AmatExplorer.page.verdicts[model]", hint.model)
        assert verdict["passed"] is False, pattern
        shown = page.locator(".ax-verdict").all_inner_texts()[list(SOURCES).index(hint.model)]
        assert f": no, {verdict['reason']}." in shown


def test_parts_of_the_threshold_are_those_of_its_equation(context, explorer):
    """The parts sum to the threshold, and the spike-triggered ones are sums of exponentials over the spikes."""
    values = {"alpha_1": 12.0, "alpha_2": 0.8, "beta": -0.2, "tau_1": 14.0, "tau_2": 150.0, "omega": 6.0}
    settings = "&".join(f"amat.{name}={value:g}" for name, value in values.items())
    page = linked(context, explorer, f"pattern=spike_frequency_adaptation&{settings}&show=omega+alpha_1+alpha_2+beta")
    result = {
        name: np.array(page.evaluate("name => Array.from(AmatExplorer.page.results.amat[name])", name))
        for name in ("time", "V_m", "V_th", "V_th_alpha_1", "V_th_alpha_2", "V_th_v", "spikes")
    }
    assert len(result["spikes"]) > 10
    total = -70 + values["omega"] + result["V_th_alpha_1"] + result["V_th_alpha_2"] + result["V_th_v"]
    np.testing.assert_allclose(result["V_th"], total, rtol=0, atol=1e-12)
    since = result["time"][:, None] - result["spikes"]
    for part in (1, 2):
        kernel = np.where(since >= -1e-9, np.exp(-np.maximum(since, 0) / values[f"tau_{part}"]), 0)
        expected = values[f"alpha_{part}"] * kernel.sum(axis=1)
        np.testing.assert_allclose(result[f"V_th_alpha_{part}"], expected, rtol=0, atol=1e-9)
    assert page.locator(".ax-panel-title:visible").all_inner_texts()[0].startswith("Parts of the threshold")
    legend = page.locator(".ax-panel-title:visible").first
    for part in ("ω", "α₁ part", "α₂ part", "β part"):
        assert legend.get_by_text(part).is_visible()


def test_curves_and_charts_are_switched(page):
    """Each switch shows its chart; three patterns show the distance from the threshold at first."""
    page.locator("summary", has_text="More curves and charts").click()
    charts = {
        "distance from threshold": page.get_by_text("V − threshold"),
        "recovery variable u": page.locator(".ax-panel-title", has_text="Recovery variable u"),
        "resting threshold": page.get_by_text("Parts of the threshold"),
        "phase plane": page.locator(".ax-phase").last,
        "f–I curves": page.locator(".ax-fi").first,
    }
    for label, chart in charts.items():
        assert not chart.is_visible(), label
        page.get_by_role("checkbox", name=label).check()
        drawn(page)
        assert chart.is_visible(), label
    painted = page.evaluate(
        """() => {
            const canvas = document.querySelector('.ax-phase canvas');
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            return new Set(new Uint32Array(data.buffer)).size;
        }"""
    )
    assert painted > 10
    assert "show=previous+distance+u+omega+phase+fi" in page.url
    for label, chart in charts.items():
        page.get_by_role("checkbox", name=label).uncheck()
        drawn(page)
        assert not chart.is_visible(), label
    judged = []
    for pattern, criterion in CRITERIA.items():
        page.select_option("#ax-pattern", pattern)
        drawn(page)
        judged += [pattern] if charts["distance from threshold"].is_visible() else []
        assert criterion.needs_traces == (pattern in judged)
    assert len(judged) == 3


def test_recovery_variable_follows_the_published_scheme(page):
    """Computed here from the potentials of the page by the second line of Izhikevich's scheme."""
    shown = page.evaluate(
        """() => {
            const { V_m, U_m, spikeSteps } = AmatExplorer.page.results.izhikevich;
            const { parameters, initial, resolution } = AmatExplorer.page.trials.izhikevich;
            return { V_m: Array.from(V_m), U_m: Array.from(U_m), spikeSteps, parameters, initial, resolution };
        }"""
    )
    p, h, u, before = shown["parameters"], shown["resolution"], shown["initial"]["U_m"], shown["initial"]["V_m"]
    current = page.evaluate("Array.from(AmatExplorer.page.results.izhikevich.current)")
    for step, (V_m, U_m) in enumerate(zip(shown["V_m"], shown["U_m"], strict=True)):
        V = before + h * (0.04 * before**2 + 5 * before + 140 - u + current[step])
        u += h * p["a"] * (p["b"] * V - u) + (p["d"] if step + 1 in shown["spikeSteps"] else 0)
        assert u == pytest.approx(U_m, abs=1e-9)
        before, u = V_m, U_m


def test_previous_setting_stays_as_a_ghost(page):
    """A movement of a slider keeps the response from before it, and another pattern drops it."""
    before = page.evaluate("AmatExplorer.page.results.amat.spikes")
    slider = page.locator("#ax-amat-alpha_1")
    legend = page.locator(".ax-legend").first.get_by_text("V before")
    assert not legend.is_visible()
    for value in ("2", "3", "4"):  # one movement
        slider.evaluate("(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }", value)
        drawn(page)
    assert page.evaluate("AmatExplorer.page.sides.amat.previous.result.spikes") == before
    assert page.evaluate("AmatExplorer.page.results.amat.spikes") != before
    assert legend.is_visible()
    page.locator("summary", has_text="More curves and charts").click()
    page.get_by_label("previous setting").uncheck()
    drawn(page)
    assert not legend.is_visible()
    page.get_by_label("previous setting").check()
    page.select_option("#ax-pattern", "mixed_mode")
    drawn(page)
    assert not legend.is_visible()


@pytest.mark.parametrize("model", SOURCES)
def test_f_i_curve_is_that_of_nest(context, explorer, model):
    """Every third point, from NEST's spikes for the same steps of current."""
    page = linked(context, explorer, "pattern=mixed_mode&show=fi&amat.tau_m=6.5&izhikevich.d=5")
    page.wait_for_function("model => AmatExplorer.page.sides[model].fiCurve.drawn", arg=model)
    curve = page.evaluate("model => AmatExplorer.page.sides[model].fiCurve.drawn", model)
    like = load_trials(model)["mixed_mode"]
    trials = []
    for current in curve["currents"][::3]:
        page.evaluate(
            """([model, I]) => {
                const { page, fiTrial } = AmatExplorer;
                page.trials[model] = fiTrial(page.state, model, I);
            }""",
            [model, current],
        )
        trials.append(trial_of(page, model, like))
    rates = []
    for response in run_trials(trials, traces=False):
        later = response.spikes[response.spikes > 500]
        rates.append(1e3 / np.diff(later).mean() if len(later) > 1 else 0.0)
    np.testing.assert_allclose(curve["rates"][::3], rates, rtol=1e-9)
    assert max(rates) > 20
    assert min(rates) == 0


def test_noise_has_its_statistics_and_depends_on_the_seed_alone(page):
    """Standard deviation and correlation of the current, and numbers of Poisson spikes, to within five standard errors.

    The scripts of the page, which give the same spikes on NEST, contain the same generator in Python.
    """
    noisy = """([seed, steps]) => Array.from(AmatExplorer.noisyCurrent(
        { kind: 'current', strength: 50, tau: 5, seed }, steps, 0.1))"""
    current = np.array(page.evaluate(noisy, [1, 50000]))
    independent = len(current) * 0.1 / (2 * 5)
    assert abs(current.mean()) < 5 * 50 / np.sqrt(independent)
    assert current.std() == pytest.approx(50, rel=5 / np.sqrt(2 * independent))
    assert np.corrcoef(current[:-50], current[50:])[0, 1] == pytest.approx(np.exp(-1), abs=5 / np.sqrt(independent))
    assert page.evaluate(noisy, [1, 100]) == current[:100].tolist()
    assert page.evaluate(noisy, [2, 100]) != current[:100].tolist()
    counts = page.evaluate(
        """() => { const counts = AmatExplorer.poissonCounts({ seed: 4, rate_exc: 900, rate_inh: 100 }, 50000, 0.1);
            return [Array.from(counts.exc), Array.from(counts.inh)]; }"""
    )
    for numbers, mean in zip(np.array(counts), (0.09, 0.01), strict=True):
        assert numbers.mean() == pytest.approx(mean, abs=5 * np.sqrt(mean / 50000))
        assert numbers.var() == pytest.approx(mean, rel=0.25)


def gamma(data: np.ndarray, model: np.ndarray, duration: float, window: float) -> float:
    """Return the coincidence factor of Kistler, Gerstner and van Hemmen (1997), Neural Comput. 9:1015-1045."""
    coincident = (np.abs(data[:, None] - model) <= window + 1e-9).any(axis=1).sum()
    chance = 2 * (len(model) / duration) * window * len(data)
    return float((coincident - chance) / (0.5 * (len(data) + len(model))) / (1 - 2 * window * len(model) / duration))


def test_coincidence_factor(page):
    """Random trains against the definition with arrays; 1 for the model's own spikes, null where it is undefined."""
    random = np.random.default_rng(5)
    code = "([data, model, duration, window]) => AmatExplorer.coincidence(data, model, duration, window)"
    for number in range(20):
        data, model = (np.sort(random.uniform(0, 1000, random.integers(3, 60))) for _ in range(2))
        window = 1.0 + number % 4
        expected = gamma(data, model, 1000.0, window)
        assert page.evaluate(code, [data.tolist(), model.tolist(), 1000, window]) == pytest.approx(expected, abs=1e-12)
    assert page.evaluate(code, [[1, 2], list(range(100)), 100, 2]) is None
    assert page.evaluate(code, [[], [], 100, 2]) is None
    own = page.evaluate("AmatExplorer.page.results.amat.spikes")
    page.locator("summary", has_text="Compare with your spikes").click()
    field = page.get_by_label("Your spike times (ms)", exact=True)
    field.fill("time\n" + "\n".join(f"{time:.1f}" for time in own))
    field.blur()
    drawn(page)
    assert "AMAT: coincidence factor 1.000" in page.locator(".ax-match").first.inner_text()
    assert page.evaluate("AmatExplorer.page.sides.izhikevich.gamma") < 0.9
    field.fill("12, spike")
    field.blur()
    assert "Line 1 must be spike times in ms, got “12, spike”." in page.locator("#ax-spikes-problem").inner_text()


def test_parameters_without_a_slider_come_from_a_link(context, explorer):
    """A fitted neuron has another capacitance, rest and large jump; NEST gives the same spikes and potentials."""
    fitted = "amat.C_m=150.5&amat.E_L=-64.2&amat.refr_T=3&amat.alpha_1=42.5"
    link = f"pattern=spike_frequency_adaptation&{fitted}&amat.I_x=1&amat.tau_syn_exc=-1"
    page = linked(context, explorer, link)
    assert page.get_by_text("From the link: Cm = 150.5 pF, EL = -64.2 mV, refrT = 3 ms.").is_visible()
    assert "instead: amat.I_x=1, amat.tau_syn_exc=-1" in page.locator(".ax-notice").inner_text()
    (response,) = run_trials([trial_of(page, "amat", load_trials("amat")["spike_frequency_adaptation"])])
    assert spikes(page, "amat") == steps(response)
    assert response.trial.neuron.parameters.C_m == 150.5
    assert page.locator("#ax-amat-alpha_1").input_value() == "42.5"
    assert len(response.spikes) > 5
    np.testing.assert_allclose(
        page.evaluate("Array.from(AmatExplorer.page.results.amat.V_m)"), response.V_m, rtol=0, atol=1e-8
    )


def test_own_current_from_a_file_and_drawn(context, explorer, page, tmp_path):
    """A file sets current and duration; a stroke draws; the link restores both; wrong files are reported."""
    page.select_option("#ax-stimulus", "own")
    file = tmp_path / "current.csv"
    file.write_text("t,I\n20,200\n120,-50\n170,250.5\n340,0\n")
    page.get_by_label("Your current: time (ms), current (pA): file").set_input_files(file)
    page.wait_for_function("AmatExplorer.page.state.own.length === 4")
    drawn(page)
    assert state(page)["own"] == [[20, 200], [120, -50], [170, 250.5], [340, 0]]
    assert state(page)["duration"] == 350
    current = page.evaluate("Array.from(AmatExplorer.page.results.amat.current)")
    assert [current[step] for step in (199, 200, 1199, 1200, 1700, 3399, 3400)] == [0, 200, 200, -50, 250.5, 250.5, 0]
    again = opened(context, page.evaluate("AmatExplorer.page.link()"))
    assert state(again) == state(page)
    again.close()
    pad = page.locator(".ax-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.3 * box["height"], steps=5)
    page.mouse.up()
    drawn(page)
    points = state(page)["own"]
    inside = [value for t, value in points if 0.19 * 350 <= t < 0.6 * 350]
    assert inside == [pytest.approx(0.4 * 250.5, rel=0.05)]
    assert page.get_by_label("Your current: time (ms), current (pA)", exact=True).input_value().count("\n") > 1
    file.write_text("10,100\n5,0\n")
    page.get_by_label("Your current: time (ms), current (pA): file").set_input_files(file)
    page.get_by_text("Times must be 0 ms or later and ascend, got 5 ms in row 2.").wait_for()
    assert state(page)["own"] == points
    file.write_text("\n".join(f"{t},{t % 7}" for t in range(150)))
    page.get_by_label("Your current: time (ms), current (pA): file").set_input_files(file)
    page.wait_for_function("AmatExplorer.page.state.own.length === 150")
    page.get_by_role("button", name="Copy link").click()
    page.get_by_text("It does not contain your current (over 100 values).").wait_for()
