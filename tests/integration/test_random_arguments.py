# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Random options and small files for every command: each run ends in time, with a result or with a message.

Hypothesis chooses the examples, the same in every run. Set ``AMAT_EXAMPLES`` to a factor for more of them and
``AMAT_SEED`` to a number for others. Programs other than git and the compiler's version are not started: a command
that would start one has accepted its arguments.
"""

import contextlib
import gzip
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_tree import COMMANDS
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from typer.core import TyperOption

from amat import paths, toolchain
from amat.cli.app import main
from amat.errors import AmatError
from amat.neurons import AmatParameters
from amat.simulation.kernel import NEST_MODELS
from amat.toolchain import builder, generate

pytestmark = pytest.mark.slow

#: Seconds of computing after which a run counts as hanging, and seconds in all, for machines with much other work.
LIMIT, TIMEOUT = 20.0, 300.0

FACTOR, SEED = float(os.environ.get("AMAT_EXAMPLES", "1")), os.environ.get("AMAT_SEED")


def examples(number: int):
    """Decorate a test with the number of its examples; they are the same in every run unless there is a seed."""

    def decorate(test):
        limited = settings(
            max_examples=round(number * FACTOR),
            derandomize=SEED is None,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink) if FACTOR > 1 else (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )(test)
        return limited if SEED is None else seed(int(SEED))(limited)

    return decorate


#: Arguments that keep the work of a command small; random ones are added.
SMALL = {
    ("simulate",): ["--step=200", "--duration=5"],
    ("explore",): ["alpha_1=0:10:2", "omega=5:6:2", "--duration=20", "--threads=1"],
    ("validate",): ["--samples=1", "--threads=1"],
    ("build",): ["leak.nestml"],
    ("fit",): ["--example"],
    ("tutorial",): ["--no-open"],
    ("upstream",): ["--no-run"],
    ("deposit",): ["archive.tar.gz"],
    ("benchmark", "update"): ["--rounds=1", "--duration=1", "--no-memory", "--cases=amat-quiet"],
    ("benchmark", "network"): ["--neurons=10", "--rounds=1", "--duration=1"],
    ("benchmark", "cell"): [
        "--model=iaf_psc_exp",
        "--neurons=10",
        "--duration=1",
        "--output=cell.json",
    ],
    ("benchmark", "microcircuit"): ["--scale=0.02", "--time=1"],
    ("benchmark", "report"): ["cells", "--no-page"],
    ("benchmark", "run"): ["--dry-run"],
    ("reproduce",): ["--dry-run"],
}

#: Functions that take long for any arguments.
LONG = (
    "amat.analysis.fitting.pipeline.fit_recording",
    "amat.analysis.patterns.verdicts.table_of_verdicts",
    "amat.benchmark.microcircuit_runs.measure_microcircuit",
    "amat.benchmark.runs._carry_out",
    "amat.benchmark.synapse_tables.measure_tables",
    "amat.release.archive.make_archive",
    "amat.release.citation.write_derived",
    "amat.release.sbom.write_sbom",
    "amat.release.upstream.assemble",
    "amat.compendium.pipeline.build_book",
    "amat.toolchain.build_nest",
)

OUTPUTS = ("--csv=", "--plot=", "--spikes=", "--record=", "--output=")

NUMBERS = ["nan", "inf", "-inf", "-1", "0", "-0.0", "1e-320", "1e-9", "1e12", "1e999", "9" * 30, str(2**31), str(2**63)]
TEXTS = [
    "",
    " ",
    "½",
    "١",
    "1_0",
    "1,5",
    "0x1",
    "a=b",
    "=",
    ":",
    "::",
    "[red]",
    "%s",
    "{}",
    "ü",
    "\udcff",
    "a\nb",
    "x" * 300,
]
PLACES = [
    "-",
    "--",
    ".",
    "/dev/null",
    "/dev/full",
    "/dev/null/x.csv",
    "/proc/x.csv",
    "folder",
    "file/x.csv",
    "no/such.x",
]
FILES = [f"{name}.{suffix}" for name in ("a", "b") for suffix in ("csv", "svg", "PNG", "npz", "json", "nestml", "x")]
KNOWN = ["1", "2", "5", "0.1", "0.5", "tonic_spiking", "phasic_bursting", "amat", "izhikevich", "nestml", "beta=0.1"]
KNOWN += ["leak.nestml", "bad.nestml", "amat2_psc_exp", "izhikevich_neuron_opt", "optimised", "quick", "workstation"]
SPECS = ["200", "200:1", "200:1:3", "-5:2", "1:2:3:4", "0:10:2", "beta=0:1:2", "omega=5:6:2", "alpha_1=1:2:3"]

numbers = st.sampled_from(NUMBERS) | st.floats().map(repr) | st.integers(-3, 12).map(str)
values = st.sampled_from([*NUMBERS, *TEXTS, *PLACES, *FILES, *KNOWN, *SPECS])

#: Values that options have, by name; other options are files.
WHOLE, REAL = [*NUMBERS, "1", "2", "3"], [*NUMBERS, "1", "2", "0.5", "0.3"]
OWN = {
    **dict.fromkeys(["cores", "indegree", "jobs", "neurons", "ranks", "rounds", "samples", "seed", "threads"], WHOLE),
    **dict.fromkeys(["duration", "resolution"], REAL),
    "pattern": ["tonic_spiking", "phasic_bursting", "class_1"],
    "model": ["amat", "izhikevich", "amat2_psc_exp", "iaf_psc_exp"],
    "parameter_set": ["printed-5", "validated"],
    "codegen": ["nestml", "nestml-checked", "optimised"],
    "format": ["svg", "pdf", "png"],
    "workload": ["neurons", "network", "plastic", "microcircuit-dc"],
    "matrix": ["quick", "scaling", "a.csv"],
    "site": ["generic", "jusuf", "a.csv"],
    "executor": ["local", "slurm"],
    "profile": ["quick", "full", "shipped"],
    "cases": ["amat", "amat-quiet", "izhikevich"],
    "options": ["numeric_solver=Heun", "nest_path=/dev/null", "simplify_expression=x"],
    "current": ["a.csv"],
    "parameters": ["b.json"],
}


def values_of(option: TyperOption) -> st.SearchStrategy[str]:
    """Return values for an option: those that it has, and hostile ones."""
    if option.name == "settings":
        names = st.sampled_from([*AmatParameters.__dataclass_fields__, "a", "d", "nothing", ""])
        return st.builds("{}={}".format, names, numbers) | values
    if option.name in ("step", "ramp", "sine", "noise"):
        return st.lists(numbers, min_size=1, max_size=4).map(":".join) | values
    own = st.sampled_from(OWN.get(option.name, FILES + PLACES))
    return st.one_of(own, own, own, values)


@st.composite
def arguments(draw, path: tuple[str, ...]) -> list[str]:
    """Return the arguments of a command: a few random ones, then those that keep it small if nothing replaces them."""
    options = [option for option in COMMANDS[path].params if isinstance(option, TyperOption)]
    options = [option for option in options if option.name != "help"]
    found: list[str] = []
    given_names: set[str] = set()
    for option in draw(st.lists(st.sampled_from(options), max_size=3)) if options else ():
        name = draw(st.sampled_from([*option.opts, *option.secondary_opts]))
        if name in ("--open", "--run", "--page", "--texts", "--send", "--memory", "--tables", "--system"):
            continue  # long, or out of this machine
        given_names.update((*option.opts, *option.secondary_opts))
        found.append(name if option.is_flag else f"{name}={draw(values_of(option))}")
    extra = draw(st.lists(values, min_size=1, max_size=2)) if draw(st.integers(0, 5)) == 5 else []
    small = [word for word in SMALL.get(path, []) if word.split("=")[0] not in given_names]
    if extra and path != ("simulate",):
        small = [word for word in small if word.startswith("-")]
    return [*small, *found, *extra]


@dataclass
class Run:
    status: int
    out: str
    err: str


class Hang(BaseException):
    """A run that takes too long; not an `Exception`, which the command could catch."""


def run(folder: Path, *words: str) -> Run:
    """Run the command in this process and in a folder; return its status, output and messages.

    An exception that the command does not turn into a message passes through.
    """

    def stop(*_):
        raise Hang(f"{words} computed for {LIMIT:g} s, or waited for {TIMEOUT:g} s")

    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="strict") for _ in range(2)]
    before = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["amat", *words])
        patch.chdir(folder)
        signal.setitimer(signal.ITIMER_PROF, LIMIT)
        signal.setitimer(signal.ITIMER_REAL, TIMEOUT)
        try:
            with (
                contextlib.redirect_stdout(streams[0]),
                contextlib.redirect_stderr(streams[1]),
                pytest.raises(SystemExit) as end,
            ):
                main()
        finally:
            for timer in (signal.ITIMER_PROF, signal.ITIMER_REAL):
                signal.setitimer(timer, 0)
            for number, handler in before.items():
                signal.signal(number, handler)
    texts = []
    for stream in streams:
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    code = end.value.code
    return Run(code if isinstance(code, int) else 0 if code is None else 1, *texts)


def check(found: Run, folder: Path, before: set[Path], words: list[str]) -> None:
    """Check that a run has a result or a message, and that it left no temporary file and no empty folder."""
    shown = f"{words}: {found}"
    assert "Traceback" not in found.out + found.err, shown
    if found.status == 0:
        assert found.out or found.err, shown
        outputs = dict(word.split("=", 1) for word in words if word.startswith(OUTPUTS))
        assert all(value == "-" or (folder / value).exists() for value in outputs.values()), shown
    else:
        assert "amat: " in found.err or "Usage: " in found.err, shown
    for path in set(folder.rglob("*")) - before:
        assert not path.is_dir() or any(path.iterdir()), f"{shown} left the empty folder {path}"
        assert not path.name.startswith(".") or path.name == ".lock", f"{shown} left {path}"


LEAK = """model leak_neuron:
    state:
        x real = 1
    parameters:
        tau ms = 10 ms [[tau > 0 ms]]
    equations:
        x' = -x / tau
    output:
        spike
    update:
        integrate_odes()
"""


def prepare(folder: Path) -> set[Path]:
    """Write the files that arguments name; return all paths in the folder."""
    (folder / "folder" / "inner").mkdir(parents=True)
    (folder / "cells").mkdir()
    (folder / "cells" / "cells.csv").write_text("model,workload\n")
    (folder / "file").write_text("text\n")
    (folder / "leak.nestml").write_text(LEAK)
    (folder / "bad.nestml").write_text(LEAK.replace("model", "neuron"))
    (folder / "a.csv").write_text("time,current\n0,200\n3,0\n")
    (folder / "b.json").write_text('{"beta": 0.1}')
    with tarfile.open(folder / "archive.tar.gz", "w:gz") as archive:
        archive.add(folder / "file", "amat/README.md")
    return set(folder.rglob("*"))


class Started(AmatError):
    """A command has accepted its arguments, and would start another program or a long computation."""


@pytest.fixture(scope="module", autouse=True)
def only_short_work() -> Iterator[None]:
    """Compile the models of `amat simulate`, and replace programs and long computations by an error."""
    for model in NEST_MODELS.values():
        toolchain.build(model)
    toolchain.build(toolchain.AMAT)

    def refuse(*_, **__):
        raise Started("started")

    class Program(subprocess.Popen):
        def __init__(self, command, *others, **named):
            if not (Path(command[0]).name in ("git", "uname") or "--version" in command):
                raise Started(f"started {command}")
            super().__init__(command, *others, **named)

    with pytest.MonkeyPatch.context() as patch:
        for name in LONG:
            patch.setattr(name, refuse)
        patch.setattr(subprocess, "Popen", Program)
        patch.setattr(os, "execv", refuse)
        yield


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
@examples(20)
@given(data=st.data())
def test_any_arguments_give_a_result_or_a_message(path, data):
    words = [*path, *data.draw(arguments(path))]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before = prepare(folder)
        check(run(folder, *words), folder, before, words)


def run_with(files: dict[str, bytes], *words: str) -> Run:
    """Run the command in a folder with files, and check the outcome."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content)
        found = run(folder, *words)
        check(found, folder, {folder / parent for file in files for parent in Path(file).parents}, [*words])
        return found


cells = st.sampled_from(
    ["", " ", "time_ms", "0", "1", "2.5", "3,5", "nan", "-1", "1e400", '"', '"2"', "\ufeff", "\0", "½", "#"]
)
rows = st.lists(st.lists(cells, max_size=4), max_size=5)


@st.composite
def current_files(draw) -> bytes:
    """Return a table in a random dialect and encoding, perhaps compressed or cut off; or any bytes."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.binary(max_size=60))
    separator, end = draw(st.sampled_from([",", ";", "\t", " ", "|"])), draw(st.sampled_from(["\n", "\r\n", "\r"]))
    good = [[str(time), draw(st.sampled_from(["200", "-3.5", "1e3", "0"]))] for time in range(draw(st.integers(0, 3)))]
    table = [*draw(st.sampled_from([[], [["time", "current"]]])), *good, *draw(rows | st.just([]))]
    text = end.join(separator.join(row) for row in table) + draw(st.sampled_from(["", end, end * 3]))
    content = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])), "replace")
    content = gzip.compress(content, mtime=0) if draw(st.integers(0, 3)) == 0 else content
    return content[: draw(st.integers(0, 40))] if draw(st.integers(0, 5)) == 0 else content


@st.composite
def recordings(draw) -> bytes:
    """Return a table of a recording after a few edits, or without some of its columns."""
    names = draw(
        st.lists(st.sampled_from(["current_pA", "current", "spikes_ms", "time_s", "voltage_mV", "x"]), max_size=4)
    )
    lines = [
        ",".join(f"{draw(st.sampled_from([k, 20 * k, k % 7, -60 + k % 50]))}" for _ in names) for k in range(1, 60)
    ]
    return draw(
        edited("\n".join([",".join(names), *lines]), ["nan", "1e400", "-1", "", '"', "½", ";", ",", "time"])
    ).encode()


@examples(20)
@given(content=recordings(), interval=st.sampled_from(["1", "20", "0.1", "nan"]))
def test_any_recording_is_refused_with_a_message_or_fitted(content, interval):
    options = [f"--sampling-interval={interval}", "--membrane-resistance=100"]
    found = run_with({"cell.csv": content}, "fit", "cell.csv", *options)
    assert "amat: " in found.err


@examples(20)
@given(content=st.binary(max_size=60), suffix=st.sampled_from(["npz", "csv", "abf", "nwb", "ibw", "x"]))
def test_any_file_of_a_recording_is_refused_with_a_message(content, suffix):
    found = run_with({f"cell.{suffix}": content}, "fit", f"cell.{suffix}", "--sampling-interval=1")
    assert "amat: " in found.err


@examples(80)
@given(content=current_files())
def test_any_file_of_a_current_gives_a_result_or_a_message(content):
    found = run_with({"current.csv": content}, "simulate", "--current=current.csv", "--csv=table.csv")
    if found.status == 0:
        assert "spike" in found.out


TOKENS = [
    "nan",
    ".inf",
    "1e400",
    "9" * 400,
    "-1",
    "0",
    "''",
    "[]",
    "{}",
    "null",
    "true",
    "1:30",
    "2001-01-01",
    "*a",
    "&a 1",
]
TOKENS += [
    "!!python/object:os.system x",
    "<<: 1",
    "? x",
    "|",
    "- 1",
    "\t",
    "\ufeff",
    "\0",
    "ü",
    "%",
    "[" * 50,
    "1_0",
    "0o7",
]


@st.composite
def edited(draw, text: str, tokens: list[str], most: int = 3) -> str:
    """Return a text after a few edits of its lines and words."""
    lines = text.splitlines(keepends=True)
    for _ in range(draw(st.integers(0, most))):
        if not lines:
            break
        number = draw(st.integers(0, len(lines) - 1))
        words = re.split(r"(\W+)", lines[number])
        place = draw(st.integers(0, len(words) - 1))
        kind = draw(st.sampled_from(["word", "word", "word", "insert", "remove", "double", "drop", "cut", "swap"]))
        if kind in ("word", "insert", "remove"):
            new = "" if kind == "remove" else draw(st.sampled_from(tokens))
            words[place : place + (kind != "insert")] = [new]
            lines[number] = "".join(words)
        elif kind == "double":
            lines.insert(number, lines[number])
        elif kind == "drop":
            del lines[number]
        elif kind == "cut":
            lines[number] = lines[number][: draw(st.integers(0, len(lines[number])))]
        else:
            other = draw(st.integers(0, len(lines) - 1))
            lines[number], lines[other] = lines[other], lines[number]
    return "".join(lines)


PARAMETERS = 'alpha_1: 10\nomega: 5.0\n"beta": 0.1\nI_e: 1e2\n'


@examples(60)
@given(text=edited(PARAMETERS, TOKENS), suffix=st.sampled_from(["yaml", "json"]))
def test_any_file_of_parameters_gives_a_result_or_a_message(text, suffix):
    file = f"parameters.{suffix}"
    found = run_with({file: text.encode()}, "simulate", f"--parameters={file}", "--step=200", "--duration=5")
    if found.status == 0:
        assert "spike" in found.out


@examples(40)
@given(name=st.sampled_from([".zenodo.json", "README"]), metadata=st.text(), data=st.data())
def test_any_archive_gives_the_requests_or_a_message(name, metadata, data):
    packed = io.BytesIO()
    kind = data.draw(st.sampled_from(["w", "w:gz", "w:bz2", "w:xz"]))
    metadata = data.draw(st.sampled_from(["{}", "[]", "[1]", "3", "null", '{"title": 1, "version": "1"}', metadata]))
    with tarfile.open(fileobj=packed, mode=kind) as archive:
        member = tarfile.TarInfo(f"amat/{name}")
        member.size = len(metadata.encode())
        archive.addfile(member, io.BytesIO(metadata.encode()))
    content = bytearray(packed.getvalue())
    for _ in range(data.draw(st.integers(0, 2))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content
    found = run_with({"archive": bytes(content)}, "deposit", "archive")
    if found.status == 0:
        assert "Nothing was sent." in found.out


MATRIX = """time: 10
seeds: [1]
models: [amat2_psc_exp, iaf_psc_exp]
sets:
  - {workload: neurons, neurons: [10], layouts: [1x1]}
  - {workload: plastic, neurons_per_thread: [10], layouts: [1x1], models: [iaf_psc_exp], indegree: [5]}
"""


@examples(50)
@given(data=st.data())
def test_any_configuration_gives_a_result_or_a_message(data):
    sites = paths.CONFIG / "sites"
    option, text = data.draw(
        st.sampled_from(
            [
                ("benchmark run --matrix", MATRIX),
                *(("benchmark run --site", (sites / f"{name}.yaml").read_text()) for name in ("workstation", "jusuf")),
                ("reproduce --config", (paths.CONFIG / "config.yaml").read_text()),
            ]
        )
    )
    content = data.draw(edited(text, [*TOKENS, "1x0", "0x1", "{ranks}", "{x}", "{", "10", "models", "sets"])).encode()
    *words, option = option.split()
    found = run_with({"file.yaml": content}, *words, f"{option}=file.yaml", "--dry-run")
    assert "amat: started" in found.err or "file.yaml" in found.err


@pytest.fixture(scope="module")
def cell() -> str:
    """Return the file of a measured cell."""
    with tempfile.TemporaryDirectory() as name:
        small = [word for word in SMALL["benchmark", "cell"] if not word.startswith("--duration")]
        found = run(Path(name), "benchmark", "cell", *small, "--workload=neurons", "--duration=1000")
        assert found.status == 0, found
        return (Path(name) / "cell.json").read_text()


@examples(4)
@given(data=st.data())
def test_any_cell_gives_a_report_or_a_message(cell, data):
    files = {"out/cells/good.json": cell.encode()} if data.draw(st.booleans()) else {}
    files |= {"out/cells/bad.json": data.draw(edited(cell, [*TOKENS, ",", "}", '"'])).encode()}
    found = run_with(files, "benchmark", "report", "out", "--no-page")
    if found.status == 0:
        assert "cells: tables and figures are in out/report." in found.out


@examples(8)
@given(data=st.data())
def test_any_table_of_cells_gives_a_report_or_a_message(data):
    lines = (paths.DATA / "benchmarks" / "local" / "cells.csv").read_text().splitlines(keepends=True)
    text = "".join(lines[:4])
    content = data.draw(edited(text, [*TOKENS, ",", ",,", '"', "neurons", "1", "0", "x"]))
    found = run_with({"cells.csv": content.encode()}, "benchmark", "report", "cells.csv", "--no-page")
    if found.status == 0:
        assert "tables and figures are in" in found.out


WORDS = [
    "mV",
    "ms",
    "1/ms",
    "real",
    "integer",
    "boolean",
    "spike",
    "continuous",
    "t",
    "x",
    "tau",
    "tau ms",
    "0 ms",
    "nan",
    "1e400",
]
WORDS += [
    "state:",
    "parameters:",
    "update",
    "input",
    "function",
    "model",
    "inline",
    "kernel",
    "recordable",
    "if",
    "for",
    "(",
    ")",
    "'",
]
WORDS += [
    "[[",
    "]]",
    "{",
    "->",
    "<-",
    "+",
    "**",
    "/",
    "\t",
    "\\",
    '"""',
    "#",
    "@",
    "ü",
    "\0",
    "integrate_odes",
    "convolve",
    "exp",
    "delta",
]

NEURON = """model leaky_neuron:
    state:
        V_m mV = 0 mV
        refr_t ms = 0 ms
    equations:
        kernel k = exp(-t / tau)
        recordable inline I pA = 1 pA * convolve(k, exc_spikes) + I_stim
        V_m' = -V_m / tau + I / C
        refr_t' = -1
    parameters:
        tau ms = 10 ms [[tau > 0 ms]]
        C pF = 100 pF
        V_th mV = 10 mV
        n integer = 3
    internals:
        h ms = resolution()
        steps integer = steps(tau)
    input:
        exc_spikes <- excitatory spike
        I_stim pA <- continuous
    output:
        spike
    function square(x real) real:
        return x * x
    update:
        integrate_odes()
        if V_m < 0 mV and square(1.5) > 1:
            V_m = 0 mV
    onCondition(V_m >= V_th and refr_t <= h / 2):
        V_m = 0 mV
        refr_t = 2 ms
        emit_spike()
"""


def generate_here(request_file: Path, request: dict, **_) -> subprocess.CompletedProcess[str]:
    """Generate code as `amat.toolchain.generate` does, in this process."""
    request_file.write_text(json.dumps(request))
    limit = sys.getrecursionlimit()
    with contextlib.redirect_stderr(io.StringIO()) as err:
        status = generate.main(str(request_file))
    sys.setrecursionlimit(limit)  # which NESTML raises
    return subprocess.CompletedProcess([], status, "", err.getvalue())


@examples(20)
@given(data=st.data())
def test_any_model_gives_code_or_a_message(data):
    source = data.draw(st.sampled_from([LEAK, NEURON, NEURON]))
    text = data.draw(edited(source, WORDS))
    codegen = data.draw(st.sampled_from(["nestml", "nestml-checked", "optimised"]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(builder, "run_nestml", generate_here)
        patch.setattr(builder, "find_missing", lambda _: {})
        found = run_with({"any.nestml": text.encode()}, "build", "any.nestml", f"--codegen={codegen}")
    assert "amat: started" in found.err or "any.nestml" in found.err or "optimised" in found.err
