# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Recordings: bad data is refused with its value and the fix, and all file formats give the same arrays."""

import datetime
import struct

import numpy as np
import pytest

from amat.analysis.fitting.convert import stated_scale
from amat.analysis.fitting.pipeline import FitSettings, fit_recording
from amat.analysis.fitting.readers import FileUnits, detect_spikes, load_recording
from amat.analysis.fitting.recording import NeuronRecording, RecordingError
from amat.analysis.fitting.synthetic import EXAMPLE, sample_recording
from amat.errors import AmatError

DT = 0.5
CURRENT = 100 + 50 * np.sin(np.arange(8000) / 9.0)  # pA, 4 s
SPIKES = np.arange(20.0, 4000.0, 100.0)  # 40 spikes
VOLTAGE = -60 + 0.1 * CURRENT


def make(current=CURRENT, spikes=(SPIKES, SPIKES + 5), dt=DT, voltage=VOLTAGE) -> NeuronRecording:
    return NeuronRecording(current, spikes, dt, voltage)


def with_value(array, place, value):
    changed = np.array(array)
    changed[place] = value
    return changed


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dt": 0.0}, r"between 0\.001 and 2 ms, got 0 ms"),
        ({"dt": 20.0}, r"between 0\.001 and 2 ms, got 20 ms: give it in ms"),
        ({"dt": float("nan")}, "got nan ms"),
        ({"spikes": [[]]}, "has 0 spikes, too few to fit: at least 30 are needed, and about 90 for errors of 10 %"),
        ({"spikes": [SPIKES[:20]]}, "has 20 spikes, too few to fit"),
        ({"spikes": [with_value(SPIKES, 3, np.nan)]}, "Repeat 1 .* has a spike time that is not a finite number"),
        (
            {"spikes": [SPIKES, SPIKES + 100]},
            r"Repeat 2 .* a spike at 4020 ms, outside the recording from 0 to 4000 ms",
        ),
        ({"spikes": [with_value(SPIKES, 0, -3.0)]}, "a spike at -3 ms, outside the recording"),
        ({"spikes": [SPIKES * 1e-3 - 0.01]}, "less than two samples|outside"),
        ({"spikes": [SPIKES[::-1]]}, r"do not increase: 3920 ms, then 3820 ms\. Sort them"),
        ({"spikes": [np.repeat(SPIKES, 2)]}, "do not increase: 20 ms, then 20 ms.*remove duplicates"),
        ({"spikes": [np.sort(np.append(SPIKES, 20.4))]}, r"at 20 and 20\.4 ms, less than two samples of 0\.5 ms apart"),
        (
            {"current": with_value(CURRENT, 7, np.nan)},
            "current has a value that is not a finite number, in row 1, sample 8",
        ),
        ({"current": np.full(8000, 120.0)}, r"current .* is constant \(120 pA\)"),
        ({"current": CURRENT * 1e-12}, r"largest current .* is 1\.5e-10 pA; .* Check the unit of the current"),
        ({"current": CURRENT * 1e4}, r"largest current .* is 1\.5e\+06 pA"),
        ({"current": np.tile(CURRENT, (3, 1))}, "current has 3 rows, but there are spikes of 2 repeats"),
        ({"current": np.zeros((2, 3, 4))}, r"got the shape \(2, 3, 4\)"),
        ({"current": [[1.0, 2.0], [3.0]]}, "must be numbers in pA, in rows of the same length"),
        ({"current": CURRENT[:1000], "voltage": None, "spikes": [SPIKES[:4]]}, "lasts 500 ms .* at least 1000 ms"),
        ({"voltage": VOLTAGE[:-10]}, "current .* has 8000 samples, its membrane potential 7990"),
        ({"voltage": VOLTAGE * 1e-3}, r"membrane potential .* vary by more than 1 mV\. Check its unit"),
        ({"voltage": VOLTAGE * 1e3}, "Check its unit"),
        ({"voltage": with_value(VOLTAGE, 2, np.inf)}, "membrane potential has a value that is not a finite number"),
    ],
)
def test_bad_data_is_refused_with_its_value_and_the_fix(changes, message):
    with pytest.raises(RecordingError, match=message):
        make(**changes)


def test_good_data_is_accepted():
    found = make()
    assert (found.repeats, found.steps, found.spike_count, found.duration) == (2, 8000, 80, 4000.0)
    assert found.rate == pytest.approx(10.0)
    assert found.shortest_interval == 100.0
    assert found.digest() == make().digest() != make(spikes=[SPIKES, SPIKES + 6]).digest()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train": 0.95}, r"must be from 0\.2 to 0\.9, got 0\.95"),
        ({"windows": (-2.0, 4.0)}, "The window must be positive, got -2 ms"),
        ({"burn_in": -1.0}, "must be 0 ms or more, got -1 ms"),
        ({"free": ("tau_x",)}, "Only tau_m, tau_v, tau_1 and tau_2 can be free, got 'tau_x'"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(AmatError, match=message):
        FitSettings(**settings)


def test_a_fast_neuron_is_refused_before_the_fit():
    fast = make(spikes=[np.arange(5.0, 4000.0, 4.0)])  # 250 spikes/s
    with pytest.raises(
        AmatError, match=r"2 f delta = 1.*Choose a window below 1\.6 ms, and check the sampling interval"
    ):
        fit_recording(fast)


@pytest.mark.parametrize(
    ("current", "spikes", "message"),
    [
        (np.random.default_rng(0).normal(100, 50, 8000), [np.arange(20.0, 4000.0, 25.0)], "predicted with certainty"),
        (CURRENT, [SPIKES], "depend on the current either not at all, or without any noise"),
    ],
    ids=["periodic", "locked"],
)
def test_spikes_without_noise_are_refused(current, spikes, message):
    """Their likelihood has no maximum: coefficients diverge."""
    data = NeuronRecording(current, spikes, DT)
    with pytest.raises(AmatError, match=message):
        fit_recording(data, stated_scale(100.0), FitSettings(grid=3, samples=20, delay=0.0))


def test_a_current_of_the_wrong_sign_is_refused():
    neuron = sample_recording(EXAMPLE, duration=4000.0, dt=DT, repeats=2, seed=2)
    inverted = NeuronRecording(-neuron.current, neuron.spikes, DT)
    with pytest.raises(AmatError, match="membrane resistance is negative: spikes occur when the current is low"):
        fit_recording(inverted, stated_scale(100.0), FitSettings(models=("amat",), grid=3, samples=20, delay=0.0))


def test_held_out_data_need_spikes():
    with pytest.raises(AmatError, match="no spike in the test data"):
        fit_recording(make(spikes=[SPIKES[SPIKES < 2000] - shift for shift in (0, 5)]))


def test_a_sampling_interval_that_nest_cannot_use_is_refused():
    with pytest.raises(AmatError, match=r"must divide the delay of 1\.0 ms, got 0\.3 ms"):
        fit_recording(make(dt=0.3, spikes=[SPIKES[:22]] * 2))


def test_few_spikes_and_unreliable_repeats_give_warnings():
    neuron = sample_recording(EXAMPLE, duration=6000.0, dt=DT, repeats=2, seed=2)
    random = np.random.default_rng(1)
    shuffled = [neuron.spikes[0], np.unique(np.round(random.uniform(100, 5900, 60) / 10)) * 10.0]
    unreliable = NeuronRecording(neuron.current, shuffled, DT, neuron.voltage)
    settings = FitSettings(models=("amat",), grid=3, samples=50, delay=0.0)
    found = fit_recording(unreliable, settings=settings)
    assert found.scores == {}
    assert any("too unreliable to judge any model: Gamma_int is" in text for text in found.warnings)
    assert any("spikes to train on are few: about 90 are needed" in text for text in found.warnings)


@pytest.fixture
def npz(tmp_path):
    path = tmp_path / "cell.npz"
    np.savez(
        path, current_pA=CURRENT, voltage_V=1e-3 * VOLTAGE, spikes_0_s=1e-3 * SPIKES, spikes_1_s=1e-3 * SPIKES + 5e-3
    )
    return path


def same(found: NeuronRecording) -> None:
    """Check that a recording is that of `make`."""
    np.testing.assert_allclose(found.current[0], CURRENT, rtol=1e-9)
    np.testing.assert_allclose(found.voltage[0], VOLTAGE, rtol=1e-9)
    assert found.repeats == 2
    for one, other in zip(found.spikes, (SPIKES, SPIKES + 5), strict=True):
        np.testing.assert_allclose(one, other)


def test_an_npz_file_is_read(npz):
    same(load_recording(npz, DT, FileUnits()))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_csv_file_is_read_in_every_dialect(tmp_path, separator):
    def number(value: float) -> str:
        return f"{value:.12g}" if separator == "," else f"{value:.12g}".replace(".", ",")

    rows = [separator.join(["time_s", "current (nA)", "voltage_mV"])]
    rows += [
        separator.join(map(number, (5e-4 * k, 1e-3 * i, v)))
        for k, (i, v) in enumerate(zip(CURRENT, VOLTAGE, strict=True))
    ]
    (tmp_path / "cell.csv").write_text("\n".join(rows))
    spikes = [f"{repeat},{time:g}" for repeat, train in ((1, SPIKES), (2, SPIKES + 5)) for time in train]
    (tmp_path / "spikes.csv").write_text("\n".join(["repeat,time_ms", *spikes]))
    same(load_recording(tmp_path / "cell.csv", DT, FileUnits(), spikes=tmp_path / "spikes.csv"))
    same(load_recording(tmp_path / "cell.csv", None, FileUnits(), spikes=tmp_path / "spikes.csv"))


def test_a_file_in_abf_is_read(tmp_path):
    writer = pytest.importorskip("pyabf.abfWriter")
    pytest.importorskip("neo")
    writer.writeABF1(CURRENT[np.newaxis], str(tmp_path / "cell.abf"), 1e3 / DT, "pA")
    np.savetxt(tmp_path / "spikes.csv", SPIKES, header="time_ms", comments="")
    found = load_recording(tmp_path / "cell.abf", None, FileUnits(), spikes=tmp_path / "spikes.csv")
    assert found.dt == DT
    np.testing.assert_allclose(found.current[0], CURRENT, atol=0.1)  # the format has 16 bits
    np.testing.assert_allclose(found.spikes[0], SPIKES)


def test_a_file_in_nwb_is_read(tmp_path):
    pynwb = pytest.importorskip("pynwb")
    pytest.importorskip("neo")
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    file = pynwb.NWBFile("a recording", "cell", start)
    device = file.create_device("amplifier")
    electrode = file.create_icephys_electrode(name="pipette", description="a pipette", device=device)
    series = {"electrode": electrode, "rate": 1e3 / DT, "gain": 1.0}
    file.add_stimulus(pynwb.icephys.CurrentClampStimulusSeries(name="current", data=1e-12 * CURRENT, **series))
    file.add_acquisition(pynwb.icephys.CurrentClampSeries(name="potential", data=1e-3 * VOLTAGE, **series))
    file.add_unit(spike_times=1e-3 * SPIKES, obs_intervals=[[0.0, 4.0]])
    with pynwb.NWBHDF5IO(tmp_path / "cell.nwb", "w") as opened:
        opened.write(file)
    found = load_recording(tmp_path / "cell.nwb", None, FileUnits())
    assert found.dt == DT
    np.testing.assert_allclose(found.current[0], CURRENT)
    np.testing.assert_allclose(found.voltage[0], VOLTAGE)
    np.testing.assert_allclose(found.spikes[0], SPIKES)


def test_a_wave_of_igor_is_read(tmp_path):
    pytest.importorskip("neo")
    pytest.importorskip("igor2")
    # Igor Pro's technical note 3: a binary wave of version 2 is a header of 16 bytes, the wave's of 110, and its data.
    wave = struct.pack(
        *("<h4x20shh4x4s4slhddhhhddbb4xll2xl4x", 4, b"current", 0, 0, b"A", b"s", len(CURRENT), 0),
        *(1e-3 * DT, 0.0, 0, 0, 0, 0.0, 0.0, 0, 0, 0, 0, 0),
    )
    wave += (1e-12 * CURRENT).astype("<f8").tobytes() + bytes(16)
    header = struct.pack("<hlll", 2, len(wave), 0, 0)
    checksum = -np.frombuffer(header + bytes(2) + wave[:110], "<i2").sum(dtype=np.int16)
    (tmp_path / "cell.ibw").write_bytes(header + struct.pack("<h", checksum) + wave)
    np.savetxt(tmp_path / "spikes.csv", SPIKES, header="time_ms", comments="")
    found = load_recording(tmp_path / "cell.ibw", None, FileUnits(), spikes=tmp_path / "spikes.csv")
    assert found.dt == DT
    np.testing.assert_allclose(found.current[0], CURRENT)


def test_a_file_of_neo_is_read(tmp_path):
    neo, pq = pytest.importorskip("neo"), pytest.importorskip("quantities")
    pytest.importorskip("nixio")
    block = neo.Block()
    for train in (SPIKES, SPIKES + 5):
        segment = neo.Segment()
        for values, unit in ((1e-3 * CURRENT, "nA"), (VOLTAGE, "mV")):
            segment.analogsignals.append(neo.AnalogSignal(values[:, np.newaxis], units=unit, sampling_rate=2 * pq.kHz))
        segment.spiketrains.append(neo.SpikeTrain(train, units="ms", t_stop=4 * pq.s))
        block.segments.append(segment)
    with neo.NixIO(str(tmp_path / "cell.nix"), "ow") as file:
        file.write_block(block)
    same(load_recording(tmp_path / "cell.nix", None, FileUnits()))
    block.segments = [neo.Segment()]
    with neo.NixIO(str(tmp_path / "empty.nix"), "ow") as file:
        file.write_block(block)
    with pytest.raises(AmatError, match="has no signal with a unit of current"):
        load_recording(tmp_path / "empty.nix", None, FileUnits())
    with pytest.raises(AmatError, match=r"states a sampling interval of 0\.5 ms, not 0\.1 ms"):
        load_recording(tmp_path / "cell.nix", 0.1, FileUnits())


def test_spikes_are_found_in_the_membrane_potential(tmp_path):
    voltage = np.tile(VOLTAGE, (2, 1))
    for row, train in enumerate((SPIKES, SPIKES + 5)):
        voltage[row, np.round(train / DT).astype(int)] = 20.0
    np.savez(tmp_path / "cell.npz", current_pA=CURRENT, voltage_mV=voltage)
    found = load_recording(tmp_path / "cell.npz", DT, FileUnits())
    np.testing.assert_allclose(found.spikes, [SPIKES, SPIKES + 5])
    np.testing.assert_allclose(detect_spikes(np.array([-60.0, 10, 20, -60, 0]), 0.1), [0.1, 0.4])
    with pytest.raises(AmatError, match=r"never rises above 30 mV \(its maximum is 20 mV\)"):
        load_recording(tmp_path / "cell.npz", DT, FileUnits(), threshold=30.0)


def test_what_a_file_lacks_is_named(tmp_path, npz):
    def load(arrays, dt=DT, units=FileUnits(), **options):  # noqa: B008
        np.savez(tmp_path / "a.npz", **arrays)
        return load_recording(tmp_path / "a.npz", dt, units, **options)

    good = {"current_pA": CURRENT, "spikes_ms": SPIKES}
    for arrays, options, message in (
        (good, {"dt": None}, "sampling interval of .* is unknown: give it in ms"),
        ({"current": CURRENT}, {}, r"the unit of 'current' is unknown\. Give it, or name it current_pA"),
        (good, {"units": FileUnits(current="nA")}, "the unit of 'current_pA' is pA, not nA"),
        ({"spikes_ms": SPIKES}, {}, "has no current"),
        ({"current_pA": CURRENT}, {}, "neither spike times nor a membrane potential"),
        (good, {"threshold": -20.0}, "threshold of -20 mV has no effect"),
        ({"current_pA": np.array(["a", "b"])}, {}, "'current_pA' is not of numbers"),
        ({"current_pA": np.array([None])}, {}, "is not an NPZ file of arrays of numbers"),
        (
            {"current_1_pA": CURRENT, "current_2_pA": CURRENT[1:], "spikes_ms": SPIKES},
            {},
            "differ in length: 7999, 8000 samples",
        ),
    ):
        with pytest.raises(AmatError, match=message):
            load(arrays, **options)
    (tmp_path / "spikes.csv").write_text("time_ms\n1\nx\n")
    with pytest.raises(AmatError, match=r"spikes\.csv, row 3, column 'time_ms': expected a number, got 'x'"):
        load({"current_pA": CURRENT}, spikes=tmp_path / "spikes.csv")
    with pytest.raises(AmatError, match="has spike times, and so has"):
        load_recording(npz, DT, FileUnits(), spikes=tmp_path / "spikes.csv")
    (tmp_path / "cell.csv").write_text("1,2\n3,4\n")
    with pytest.raises(AmatError, match="has no header: name its columns"):
        load_recording(tmp_path / "cell.csv", DT, FileUnits())
    (tmp_path / "cell.csv").write_text("time_ms,current_pA\n0,1\n1,2\n3,1\n")
    with pytest.raises(AmatError, match="are not equally spaced"):
        load_recording(tmp_path / "cell.csv", None, FileUnits())
    for name in ("missing.npz", "missing.csv", "missing.abf"):
        with pytest.raises(AmatError, match=name):
            load_recording(tmp_path / name, DT, FileUnits())
    (tmp_path / "bad.abf").write_bytes(b"no such format")
    with pytest.raises(AmatError, match="cannot be read by neo"):
        load_recording(tmp_path / "bad.abf", DT, FileUnits())
