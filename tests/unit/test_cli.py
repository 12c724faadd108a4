# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The command line: its groups, help and version, the meaning of its options, and its refusals."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict

import pytest
import typer
from command_tree import COMMANDS
from typer.core import TyperOption

import amat
from amat import paths
from amat.cli.app import app, main
from amat.cli.common import announce_cost, console, make_table
from amat.errors import AmatError

#: How the help of an option begins in all commands. Other options have the same help everywhere.
MEANINGS = {
    "--brian2": "Python interpreter that can import Brian2",
    "--family": "Neurons",
    "--codegen": "Code generator",
    "--indegree": "Number of recurrent synapses",
    "--cores": "Number of processor cores",
    "--csv": "CSV file to write",
    "--dry-run": "Print the steps",
    "--duration": "Duration of",
    "--model": "Neuron model",
    "--neurons": "Number of neurons",
    "--output": "Output",
    "--pattern": "Firing pattern",
    "--resolution": "Time step in ms",
    "--rounds": "Number of rounds",
    "--samples": "Number of random parameter sets",
    "--scale": "Scale of",
    "--seed": "Random seed",
    "--set": "Set a parameter",
    "--threads": "Number of NEST's threads",
}


#: Options that `amat benchmark cell` needs.
CELL = ("--model", "iaf_psc_exp", "--output", "a.json")


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    """Run the command in this process; return its status, output and messages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["amat", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_an_option_has_one_meaning_in_all_commands():
    uses = defaultdict(list)
    for path, command in COMMANDS.items():
        for option in command.params:
            if isinstance(option, TyperOption):
                for name in option.opts:
                    uses[name].append((" ".join(path), option))
    for name, options in uses.items():
        if len({option.help for _, option in options}) > 1:
            assert name in MEANINGS, f"{name} of {[path for path, _ in options]} has no common meaning"
            for path, option in options:
                assert option.help.startswith(MEANINGS[name]), f"{path} {name}: {option.help}"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_has_a_help(path):
    command = COMMANDS[path]
    summary = command.help.split("\n\n")[0]
    assert summary.endswith(".")
    for option in command.params:
        if isinstance(option, TyperOption):
            assert option.help[0].isupper(), option.name
            assert option.help.endswith("."), option.name


def shown_commands() -> list[str]:
    """Return the commands with options that the documentation shows."""
    pages = [*paths.ROOT.glob("*.md"), *paths.ROOT.glob("book/*.md"), *paths.ROOT.glob("notebooks/*.ipynb")]
    pattern = re.compile(r"""(?:^|[`" ])(?:\./)?amat ([a-z][^`#"\\\n]* --[^`#"\\\n]*)""", re.MULTILINE)
    return sorted({" ".join(words.split()) for page in pages for words in pattern.findall(page.read_text())})


@pytest.mark.parametrize("shown", shown_commands())
def test_commands_of_the_documentation_exist_with_their_options(shown):
    words = shown.split()
    command = COMMANDS[tuple(words[: 2 if words[0] == "benchmark" else 1])]
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known | {"--help"}


def test_the_help_lists_every_command_in_a_group(capsys):
    status, out, _ = run(capsys, "-h")
    assert status == 0
    for command in typer.main.get_command(app).commands.values():
        assert f"│ {command.name} " in out
        assert command.rich_help_panel
    assert run(capsys, "--help") == (0, out, "")
    for path in COMMANDS:
        assert run(capsys, *path, "-h")[0] == 0


def test_help_and_a_command_is_the_command_s_help(capsys):
    for path in COMMANDS:
        assert run(capsys, "help", *path) == run(capsys, *path, "--help")
    assert run(capsys, "help") == run(capsys, "--help")
    assert run(capsys, "help", "builds")[0] == 2


def test_commands_are_completed(run_amat):
    finished = run_amat(_AMAT_COMPLETE="complete_bash", COMP_WORDS="amat si", COMP_CWORD="1")
    assert finished.stdout.split() == ["simulate"]


def test_setup_says_that_all_is_ready_and_what_to_do_next(run_amat):
    finished = run_amat("setup")
    assert finished.returncode == 0, finished.stderr
    assert finished.stdout.startswith(f"Ready: amat {amat.__version__} with NEST ")
    assert "./amat tutorial" in finished.stdout
    assert json.loads(run_amat("setup", "--json").stdout)["versions"]["amat"] == amat.__version__


@pytest.mark.parametrize("tool", ["g++", "cmake"])
def test_setup_misses_what_compiling_needs(capsys, monkeypatch, tool):
    which = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, **_: None if name == tool else which(name))
    status, out, err = run(capsys, "setup")
    assert (status, out) == (1, "")
    assert tool in err
    assert "apt-get install" in err


@pytest.fixture
def old_nest(tmp_path) -> str:
    """A value of PYTHONPATH with a NEST of another release first."""
    include = tmp_path / "nest" / "include" / "nest"
    include.mkdir(parents=True)
    (tmp_path / "nest" / "__init__.py").touch()
    (tmp_path / "nest" / "nestkernel_api.so").touch()
    (include / "config.h").write_text('#define NEST_VERSION "3.9.0"\n')
    return os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])


@pytest.mark.parametrize(
    "arguments",
    ["setup", "simulate --step 200", "patterns", "explore", "validate", "build", "upstream", "fit --example"],
)
def test_another_nest_is_an_error_that_names_versions_and_fix(run_amat, old_nest, tmp_path, arguments):
    output = ("--output", tmp_path / "output") if arguments in ("explore", "upstream") else ()
    finished = run_amat(*arguments.split(), *output, PYTHONPATH=old_nest)
    assert finished.returncode == 1
    assert "NEST 3.9.0 is installed" in finished.stderr
    assert "pip install nest-simulator==3.10.0" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.parametrize(
    "arguments",
    ["archive", "benchmark run", "book", "build-nest", "citation", "reproduce", "test", "upstream"],
)
def test_what_needs_a_checkout_says_so(capsys, monkeypatch, tmp_path, arguments):
    monkeypatch.setattr(paths, "ROOT", None)
    monkeypatch.chdir(tmp_path)
    status, _, err = run(capsys, *arguments.split())
    assert status == 1
    assert "needs a checkout of the project: clone the repository and run ./amat there." in err
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_lacks_a_character_gets_the_output(run_amat, encoding):
    finished = run_amat("help", "explore", PYTHONIOENCODING=encoding, COLUMNS="40")  # rich writes an ellipsis
    assert (finished.returncode, finished.stderr) == (0, "")


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a;b", "a:b", "a|b", "a[b", "a$(b)", "a\nb"])
def test_a_cache_that_cmake_cannot_use_is_an_error_before_any_work(run_amat, tmp_path, name):
    finished = run_amat("build", AMAT_CACHE=str(tmp_path / name))
    assert finished.returncode == 1
    assert "set AMAT_CACHE to a folder without that character" in finished.stderr
    assert "Traceback" not in finished.stderr
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(("user", "given", "flags"), [(0, [], 1), (0, ["--", "--allow-root"], 1), (1000, [], 0)])
def test_the_tutorial_opens_for_root(capsys, monkeypatch, tmp_path, user, given, flags):
    calls = []
    monkeypatch.setattr(os, "geteuid", lambda: user)
    monkeypatch.setattr(os, "execv", lambda program, arguments: calls.append(arguments))
    run(capsys, "tutorial", "--output", tmp_path, *given)
    (arguments,) = calls
    assert arguments.count("--allow-root") == flags


def test_the_version(capsys):
    assert run(capsys, "--version") == (0, f"amat {amat.__version__}\n", "")


def test_python_m_amat_is_the_command():
    finished = subprocess.run([sys.executable, "-m", "amat", "--version"], check=True, capture_output=True, text=True)
    assert finished.stdout == f"amat {amat.__version__}\n"


def test_a_long_computation_is_announced(capsys):
    announce_cost("A map of 5 neurons", seconds=150.0, memory=1.0)
    assert capsys.readouterr() == ("", "A map of 5 neurons will take about 2 minutes.\n")
    with pytest.raises(AmatError, match="A map of 5 neurons would take about 20 days: choose a smaller size"):
        announce_cost("A map of 5 neurons", seconds=20 * 86400.0, memory=1.0)


def test_a_table_in_a_pipe_is_not_cut_off(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "20")
    names = [f"inhibition_induced_spiking_{number}" for number in range(9)]
    table = make_table(*names)
    table.add_row(*names)
    console.print(table)
    head, _, row = capsys.readouterr().out.strip().splitlines()
    assert head.split() == row.split() == names


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["explore", "alpha_1=0:10:4"], 1, "Expected two axes or none, got 1"),
        (["explore", "alpha_1=0:10:4", "omga=2:9:4"], 1, "the nearest names are omega"),
        (["explore", "alpha_1=0:10:4", "omega=9:2:4"], 1, "must be finite and ascend, got 9 to 2"),
        (["explore", "--pattern", "tonic"], 1, "the nearest names are tonic_"),
        (["explore", "--set", "I_e"], 1, "amat: --set I_e: expected NAME=VALUE with a number, such as alpha_1=3.\n"),
        (
            ["explore", "--set", "beta=0.1", "--set", "beta=0.2"],
            1,
            "amat: --set beta=0.2: beta is already set to 0.1. Set each parameter once.\n",
        ),
        (["explore", "beta=0:1:9", "omega=1:9:9", "--set", "beta=0.1"], 1, "--set beta has no effect: an axis"),
        *((["patterns", "--resolution", value], 1, f"must be positive, got {value} ms") for value in ("nan", "inf")),
        (["patterns", "--resolution", "0.3"], 1, "must divide the delay of 1.0 ms, got 0.3 ms"),
        (["explore", "--resolution", "nan"], 1, "time step must be positive, got nan ms"),
        (["explore", "--duration", "nan"], 1, "duration must be positive and finite, got nan ms"),
        (["explore", "--duration", "0.05"], 1, "multiple of the time step of 0.1 ms, got 0.05 ms"),
        (["explore", "--set", "beta=nan"], 1, "beta must be a finite number, got nan"),
        (["explore", "alpha_1=-1e308:1e308:3", "omega=5:6:2"], 1, "must be finite and ascend"),
        (["simulate", "--step", 9, "--csv", "a.svg", "--plot", "./a.svg"], 1, "a.svg are the same file"),
        (["simulate", "--step", 9, "--csv", "."], 1, ". is a folder"),
        (["simulate", "--step", 9, "--plot", "-"], 1, "-: figures cannot be written as ''"),
        (["benchmark", "cell", "--model", "amat2_psc_exp", "--output", "."], 1, ". is a folder"),
        (
            ["benchmark", "cell", "--model=amat2_psc_exp", "--workload=neurons", "--indegree=1000", "--output=a.json"],
            1,
            "--indegree 1000 has no effect without --workload network. Leave it out",
        ),
        (["benchmark", "microcircuit", "--scale", "nan"], 1, "scale must be 0.01 to 1, got nan"),
        (["benchmark", "microcircuit", "--scale=1", "--threads=2"], 1, "134,217,726 per virtual process"),
        (["benchmark", "cell", *CELL, "--scale", "0.1"], 1, "scale 0.1 has no effect on the workload 'network'"),
        (["patterns", "--resolution", "1e-320"], 1, "must be a multiple of 0.001 ms, NEST's unit of time"),
        (["explore", "--duration", "1e308"], 1, "1e+308 ms are too many steps of 0.1 ms"),
        (["benchmark", "cell", *CELL, "--resolution", "1e-320"], 1, "resolution must divide 0.5 ms"),
        (
            ["benchmark", "update", "--quick", "--cases", "mat", "--rounds=1", "--duration=9", "--no-ablation"],
            1,
            "--quick has no effect: all that it changes is set",
        ),
        (["build", "--option", "a=1", "--option", "a=2"], 1, "--option a=2: a is already set to 1"),
        (["benchmark", "network", "--neurons", 10**9], 1, "No network was measured"),
        (["benchmark", "update", "--cases", "mat-quiet", "--ablation"], 1, "There is no case for the ablation"),
        (["benchmark", "update", "--brian2", "/nowhere/python"], 1, "/nowhere/python cannot import Brian2"),
        *(([name, "--format", "gif"], 2, "'--format'") for name in ("patterns", "explore")),
        (["explore", "--seed", 3], 1, "--seed 3 has no effect without --samples"),
        (["patterns", "--format", "pdf"], 1, "--format pdf has no effect without --output"),
        (["upstream", "--no-texts", "--seed", 3], 1, "--seed 3 has no effect without --texts"),
        (["upstream", "--no-texts", "--samples", 30], 1, "--samples 30 has no effect without --texts"),
        (["build", "izhikevich_neuron_nestml", "--fallback"], 1, "--fallback has no effect"),
        (["tutorial", "--no-open", "--foo"], 2, "--foo"),
        (["tutorial", "--foo"], 2, "--foo"),
        (["tutorial", "--no-open", "foo"], 1, "foo has no effect with --no-open"),
        (
            ["simulate", "--step", 9, "--resolution", "1e-9"],
            1,
            "multiple of 0.001 ms, NEST's unit of time, got 1e-09 ms",
        ),
        (["simulate", "--step", 9, "--duration", "inf"], 1, "duration must be positive and finite, got inf ms"),
        (["simulate", "--step", 9, "--resolution", "0.0125"], 1, "multiple of 0.001 ms, NEST's unit of time"),
        (
            ["simulate", "--step", 9, "--duration", "1e12"],
            1,
            "A simulation of 1e+13 steps would take about 2,500,000.0 GB",
        ),
        (["simulate", "--pattern", "class_1", "--duration", "1e12"], 1, "A simulation of 1e+13 steps would take about"),
        (
            ["explore", "alpha_1=0:1:100000", "omega=5:6:100000"],
            1,
            "A map of 1e+10 neurons over 1000 ms would take about",
        ),
        (["explore", "--duration", "1e12"], 1, "A map of 1e+04 neurons over 1e+12 ms would take about"),
        (["explore", "--samples", 2**40], 1, "A map of 1.76e+13 neurons over 1000 ms would take about"),
        (["explore", "--threads", 10000], 1, "--threads 10000 is too many for"),
        (["validate", "--threads", 10000], 1, "--threads 10000 is too many for"),
        (["validate", "--samples", 10**12], 1, "A comparison of 1e+12 parameter sets would take about"),
        *(
            (["benchmark", "cell", *CELL, *size], 1, message)
            for size, message in (
                (["--threads", 10000], "--threads 10000 is too many for"),
                (["--neurons", 2**31], "A cell of 2.15e+09 neurons with 1000 synapses each over 1000 ms would take"),
                (["--indegree", 10**9], "A cell of 1e+04 neurons with 1e+09 synapses each over 1000 ms would take"),
                (
                    ["--workload", "neurons", "--neurons", 10**5, "--duration", "1e7", "--resolution", 0.01],
                    "A cell of 1e+05 neurons with 0 synapses each over 1e+07 ms would take about 58 days",
                ),
            )
        ),
        (["build", "nowhere.nestml"], 1, "nowhere.nestml"),
        (["validate", "--samples", 0], 2, "'--samples'"),
        (["validate", "--codegen", "stock"], 2, "'--codegen'"),
        (["simulat"], 2, "simulate"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(capsys, monkeypatch, tmp_path, arguments, status, message):
    monkeypatch.chdir(tmp_path)
    found, out, err = run(capsys, *arguments)
    assert (found, out) == (status, "")
    assert message in err
    assert "Traceback" not in err
    assert list(tmp_path.iterdir()) == []


#: The options and arguments by which commands take outputs; `amat archive` needs results first.
OUTPUTS = [
    (path, option)
    for path, command in COMMANDS.items()
    for option in command.params
    if option.name in {"csv", "file", "output", "plot", "record", "spikes"} and path != ("archive",)
]

#: Other arguments of commands, without which they stop earlier.
NEEDED = {
    ("simulate",): ["--step", 9],
    ("tutorial",): ["--no-open"],
    ("benchmark", "cell"): ["--model", "amat2_psc_exp"],
    ("benchmark", "report"): [paths.DATA / "benchmarks" / "local" / "cells.csv"],
}


@pytest.mark.parametrize(("path", "option"), OUTPUTS, ids=[f"{' '.join(path)} {o.name}" for path, o in OUTPUTS])
def test_an_output_that_cannot_be_written_is_refused_before_any_work(capsys, monkeypatch, tmp_path, path, option):
    monkeypatch.chdir(tmp_path)
    output = "/dev/null/new/output" + {"plot": ".png", "spikes": ".npz"}.get(option.name, "")
    flag = [option.opts[0]] if isinstance(option, TyperOption) else []
    status, out, err = run(capsys, *path, *NEEDED.get(path, []), *flag, output)
    assert (status, out) == (1, "")
    assert "cannot be written: Not a directory" in err
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def run_main(*arguments, before=""):
    """Run the command after some statements, in a new process."""
    script = f"import sys; from amat import paths; {before}; from amat.__main__ import main; main()"
    return subprocess.run([sys.executable, "-c", script, *arguments], check=False, capture_output=True, text=True)


@pytest.mark.parametrize("command", ["archive", "benchmark run", "book", "citation", "reproduce", "test"])
def test_commands_that_need_a_checkout_say_so(command):
    finished = run_main(*command.split(), before="paths.ROOT = None")
    assert finished.returncode == 1
    assert "needs a checkout of the project: clone the repository" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "package"),
    [
        ("archive", "rocrate"),
        ("benchmark run --dry-run", "jsonschema"),
        *(("setup", package) for package in ("typer", "rich", "nestml_optimised")),
    ],
)
def test_a_missing_package_is_named(command, package):
    before = f"sys.modules['{package}'] = None; sys.prefix = '/usr'"  # an environment of the user's own
    finished = run_main(*command.split(), before=before)
    assert finished.returncode == 1
    assert f"The Python package {package} is not installed: install " in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("module", "state"), [("jsonschema", "not installed"), ("jsonschema.exceptions", "damaged (import of ")]
)
def test_a_package_that_is_missing_in_a_checkout_is_repaired_by_setup(module, state):
    before = f"sys.modules['{module}'] = None; sys.prefix = str(paths.ROOT / '.venv')"
    finished = run_main("benchmark", "run", "--dry-run", before=before)
    assert finished.returncode == 1
    assert f"The Python package jsonschema is {state}" in finished.stderr
    assert finished.stderr.endswith(": run ./amat setup, which repairs .venv.\n")
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.parametrize("installed", ["8.1.0", "9.1.0"])
@pytest.mark.parametrize("package", ["nestml", "odetoolbox"])
def test_another_version_of_the_modelling_language_is_an_error_of_one_line(package, installed):
    change = f"m.version = lambda name: {installed!r} if name == {package!r} else version(name)"
    finished = run_main("setup", before=f"import importlib.metadata as m; version = m.version; {change}")
    assert finished.returncode == 1
    supported = {"nestml": "9.0", "odetoolbox": "3.0"}[package]
    assert finished.stderr == (
        f"amat: nestml-optimised supports {package} {supported}, but {installed} is installed: "
        f"pip install '{package}=={supported}.*'.\n"
    )
