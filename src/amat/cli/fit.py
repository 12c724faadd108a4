# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat fit``: parameters of a recorded neuron, and predictions of its spikes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from amat.cli import fit_options as options
from amat.cli.common import (
    FigureFormat,
    Seed,
    console,
    make_table,
    messages,
    note,
    prepare_outputs,
    progress_bars,
    refuse_without,
    report,
)
from amat.errors import AmatError
from amat.files import atomic_write, write_json, write_text

if TYPE_CHECKING:
    from amat.analysis.fitting import NeuronRecording, Scale
    from amat.analysis.fitting.pipeline import FitResult, FitSettings

__all__ = ["fit"]

_FILES = ("fit.json", "predict.py", "prediction.npz")


def fit(
    recording: options.File = None,
    example: options.Example = False,
    sampling_interval: options.SamplingInterval = None,
    current_unit: options.CurrentUnit = None,
    voltage_unit: options.VoltageUnit = None,
    time_unit: options.TimeUnit = None,
    spike_times: options.SpikeTimes = None,
    spike_threshold: options.SpikeThreshold = None,
    membrane_resistance: options.MembraneResistance = None,
    rest: options.Rest = None,
    refractory_time: options.RefractoryTime = None,
    delay: options.Delay = None,
    tau_1: options.FastTimeConstant = 10.0,
    tau_2: options.SlowTimeConstant = 200.0,
    free: options.Free = None,
    train: options.Train = 2 / 3,
    burn_in: options.InitialTransient = 500.0,
    windows: options.Windows = None,
    seed: Seed = 1,
    output: options.Folder = Path("amat-fit"),
    format: FigureFormat = None,
) -> None:
    """Fit AMAT to a recorded neuron: parameters with intervals, and predictions of spikes that were held out.

    LIF, MAT and a more flexible model are fitted for comparison. The prediction runs on NEST; a script repeats it.
    """
    from amat.analysis.fitting.features import TimeConstants
    from amat.analysis.fitting.figures import FIGURES
    from amat.analysis.fitting.pipeline import FitSettings
    from amat.checks import require_finite

    for name, value in (("--delay", delay), ("--rest", rest), ("--spike-threshold", spike_threshold)):
        require_finite(name, value or 0.0)
    refuse_without("--membrane-resistance", rest=None if membrane_resistance is not None else rest)
    suffix = format or "svg"
    prepare_outputs(
        *(output / name for name in _FILES),
        figures=[output / f"{name}.{suffix}" for name in FIGURES],
        inputs=[recording, spike_times],
    )
    settings = FitSettings(
        free=("tau_m", "tau_v", *(free or ())),
        taus=TimeConstants(tau_1=tau_1, tau_2=tau_2),
        refr_T=refractory_time,
        delay=delay,
        train=train,
        burn_in=burn_in,
        windows=tuple(sorted(set(windows or (2.0, 4.0)))),
        seed=seed,
    )
    if example:
        given = (recording, sampling_interval, current_unit, voltage_unit, time_unit, spike_times, spike_threshold)
        if any(value is not None for value in given):
            raise AmatError("--example makes its own recording: leave out the file and its options.")
        data = _example(seed)
    else:
        data = _load(
            recording, sampling_interval, (current_unit, voltage_unit, time_unit), spike_times, spike_threshold
        )
    _run(data, _scale(data, membrane_resistance, rest), settings, output, suffix, example)


def _example(seed: int) -> NeuronRecording:
    from amat.analysis.fitting.synthetic import example_recording

    return example_recording(seed)


def _load(
    path: Path | None,
    dt: float | None,
    units: tuple[str | None, str | None, str | None],
    spike_times: Path | None,
    threshold: float | None,
) -> NeuronRecording:
    """Load the recording that the options describe."""
    from amat.analysis.fitting.readers import FileUnits, load_recording

    if path is None:
        raise AmatError("There is nothing to fit: give a recording, or --example.")
    return load_recording(path, dt, FileUnits(*units), spikes=spike_times, threshold=threshold)


def _scale(data: NeuronRecording, resistance: float | None, rest: float | None) -> Scale | None:
    """Return the stated scale, or None if it is to be measured."""
    from amat.analysis.fitting.convert import stated_scale

    if resistance is not None:
        return stated_scale(resistance, rest)
    if data.voltage is None:
        raise AmatError(
            "The scale of voltages is unknown, because spikes alone identify ratios to the membrane resistance: add "
            "the recorded membrane potential to the file, or state --membrane-resistance in MOhm."
        )
    return None


def _run(
    data: NeuronRecording, scale: Scale | None, settings: FitSettings, output: Path, suffix: str, example: bool
) -> None:
    """Fit, predict on NEST, write all outputs and print the results."""
    from amat.analysis.fitting.figures import FIGURES
    from amat.analysis.fitting.pipeline import fit_recording
    from amat.analysis.fitting.report import describe, script
    from amat.compendium import plots
    from amat.compendium.provenance import provenance_record

    currents = "one current" if len(data.groups) == 1 else f"{len(data.groups)} currents"
    note(
        f"{data.name}: {data.spike_count} spikes ({data.rate:.3g}/s) in {data.repeats} repeats of "
        f"{data.duration / 1e3:g} s at {data.dt:g} ms, {currents}"
    )
    with _show_tasks() as show:
        result = fit_recording(data, scale, settings, show)
        nest = _predict(result, show)
        described = describe(result) | {"nest": nest, "explorer": _link(result)}
        write_json(output / "fit.json", provenance_record(seed=settings.seed, fit=described))
        write_text(output / "predict.py", script(result))
        with atomic_write(output / "prediction.npz") as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **_arrays(result))
        plots.use_style()
        for done, (name, plot) in enumerate(FIGURES.items()):
            show("figures", done, len(FIGURES))
            plots.save(plot(result), output / f"{name}.{suffix}")
        show("figures", len(FIGURES), len(FIGURES))
    _print_result(result, described, example)
    report(f"Results, script and figures are in {output}.")


@contextmanager
def _show_tasks() -> Iterator[Callable[[str, int, int], None]]:
    """Yield a function that shows the progress of named tasks: bars in a terminal, otherwise a line for each task."""
    from amat.analysis.fitting.report import NAMES

    names = {"delay": "delay of the spikes"} | {str(kind): name for kind, name in NAMES.items()}
    known: dict[str, Any] = {}
    with progress_bars() as bars:

        def show(task: str, done: int, total: int) -> None:
            if task not in known:
                known[task] = bars.add_task(names.get(task, task), total=total)
                if not messages.is_terminal:
                    note(f"Step {len(known)}: {names.get(task, task)}")
            bars.update(known[task], completed=done, total=total)

        yield show


def _predict(result: FitResult, show: Callable[[str, int, int], None]) -> dict[str, Any]:
    """Run the prediction on NEST, and compare its spikes with those of the fit."""
    from amat import toolchain
    from amat.analysis.fitting.nest_prediction import predict_on_nest

    delay, dt = result.amat.delay, result.recording.dt
    groups = result.recording.groups
    identical = True
    for done, ((current, _), predicted) in enumerate(zip(groups, result.predictions["amat"], strict=True)):
        show("prediction on NEST", done, len(groups))
        found = predict_on_nest(result.parameters, current, dt, delay=delay)
        identical = identical and np.array_equal(found, predicted)
    show("prediction on NEST", len(groups), len(groups))
    if not identical:
        raise AmatError(
            "NEST's spikes differ from those of the fit: please report this with the recording's length and sampling "
            "interval. Nothing was written."
        )
    return {
        "model": toolchain.AMAT_OPT,
        "spikes": [len(train) for train in result.predictions["amat"]],
        "identical_to_fit": identical,
    }


def _arrays(result: FitResult) -> dict[str, Any]:
    """Return the currents, and the steps of the predicted spikes on NEST."""
    shift, dt = round(result.amat.delay / result.recording.dt), result.recording.dt
    steps = {
        f"steps_{number}": np.rint(train / dt).astype(np.int64) - shift
        for number, train in enumerate(result.predictions["amat"], start=1)
    }
    return {"current_pA": np.array([current for current, _ in result.recording.groups]), **steps}


def _link(result: FitResult) -> dict[str, Any]:
    """Return a link that opens the fitted neuron in the explorer, under a step of the current's upper range."""
    from amat.release.explorer.links import explorer_link

    current = result.recording.groups[0][0]
    link, clipped = explorer_link(result.parameters, float(np.mean(current) + np.std(current)))
    return {"link": link, "clipped": clipped}


def _print_result(result: FitResult, described: dict[str, Any], example: bool) -> None:
    """Print parameters and scores."""
    from amat.analysis.fitting.report import NAMES
    from amat.analysis.fitting.synthetic import EXAMPLE
    from amat.neurons.amat import UNITS

    truth = {**EXAMPLE.parameters.to_nestml(), "Delta": EXAMPLE.Delta, "omega_escape": EXAMPLE.parameters.omega}
    table = make_table("parameter", "value", "95 % interval", "bootstrap", *(["true value"] if example else []))
    found = {**described["parameters"]["nestml"], **described["escape_rate"]}
    for name, entry in found.items():
        if entry["hessian"] is None and name not in (*result.amat.at_bound, "C_m"):
            continue
        unit = UNITS.get(name, "mV")
        bounds = [_range(entry[key]) for key in ("hessian", "bootstrap")]
        true = [] if not example else [f"{truth[name]:g}" if name != "omega" else ""]
        table.add_row(f"{name} ({unit})", f"{entry['value']:.4g}", *bounds, *true)
    console.print(table)
    scale = result.scale
    origin = "measured in the membrane potential" if scale.source == "voltage" else "stated"
    report(
        f"Membrane resistance {scale.resistance:.4g} MOhm and resting potential {scale.rest:.4g} mV are {origin}. "
        f"Refractory time {result.amat.refr_T:g} ms, delay {result.amat.delay:g} ms."
    )
    deltas = [score.delta for score in result.reliability]
    scores = make_table(
        "model", "bits per spike", *(f"Gamma/Gamma_int {delta:g} ms" for delta in deltas), title="Held-out spikes"
    )
    for kind in result.models:
        bits, interval = result.bits[kind]
        ratios = [
            f"{s.ratio:.2f} {_range(s.ratio_interval)}" if np.isfinite(s.ratio) else f"Gamma {s.gamma:.2f}"
            for s in result.scores.get(kind, [])
        ] or ["not scored"] * len(deltas)
        scores.add_row(NAMES[kind], f"{bits:.2f} {_range(interval)}", *ratios)
    console.print(scores)
    for text in result.warnings:
        report(f"Warning: {text}")
    report(f"NEST's spikes are identical to those of the fit: {sum(described['nest']['spikes'])} spikes.")
    report(f"In the explorer: {_address(described['explorer']['link'])}")
    for text in described["explorer"]["clipped"]:
        report(f"The link differs from the fit: {text}.")


def _range(bounds: Any) -> str:
    return "at its bound" if bounds is None else f"[{bounds[0]:.3g}, {bounds[1]:.3g}]"


def _address(link: str) -> str:
    """Return the address of a link in the built book, or the link itself without one."""
    from amat import paths

    page = None if paths.ROOT is None else paths.ROOT / "_build" / "html" / "explorer.html"
    return page.as_uri() + link.removeprefix("explorer.html") if page is not None and page.is_file() else link
