# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The command line: its groups, help and version, the meaning of its options, and its refusals."""

import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator

import pytest
import typer
from typer.core import TyperCommand, TyperGroup, TyperOption

import amat
from amat import paths
from amat.cli.app import app, main

#: The words with which the help of an option begins in all commands. Other options have one help.
MEANINGS = {
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
    "--seed": "Random seed",
    "--set": "Set a parameter",
    "--threads": "Number of NEST's threads",
}


def commands(group: TyperGroup, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from commands(command, (*words, name))
        else:
            yield (*words, name), command


COMMANDS = dict(commands(typer.main.get_command(app)))


def run(capsys, *words: object) -> tuple[int, str, str]:
    """Run the command in this process; return its status, output and messages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["amat", *map(str, words)])
        with pytest.raises(SystemExit) as end:
            main()
    out, err = capsys.readouterr()
    return int(end.value.code or 0), out, err


def test_an_option_has_one_meaning_in_all_commands():
    uses = defaultdict(list)
    for words, command in COMMANDS.items():
        for option in command.params:
            if isinstance(option, TyperOption):
                for name in option.opts:
                    uses[name].append((" ".join(words), option))
    for name, options in uses.items():
        if len({option.help for _, option in options}) > 1:
            assert name in MEANINGS, f"{name} of {[words for words, _ in options]} has no common meaning"
            for words, option in options:
                assert option.help.startswith(MEANINGS[name]), f"{words} {name}: {option.help}"


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_and_option_has_a_help(words):
    command = COMMANDS[words]
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
    for words in COMMANDS:
        assert run(capsys, *words, "-h")[0] == 0


def test_the_version(capsys):
    assert run(capsys, "--version") == (0, f"amat {amat.__version__}\n", "")


def test_python_m_amat_is_the_command():
    finished = subprocess.run([sys.executable, "-m", "amat", "--version"], check=True, capture_output=True, text=True)
    assert finished.stdout == f"amat {amat.__version__}\n"


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["explore", "--set", "I_e"], 1, "amat: --set I_e: expected NAME=VALUE with a number, such as alpha_1=3.\n"),
        (
            ["explore", "--set", "beta=0.1", "--set", "beta=0.2"],
            1,
            "amat: --set beta=0.2: beta is already set to 0.1. Set each parameter once.\n",
        ),
        (["explore", "beta=0:1:9", "omega=1:9:9", "--set", "beta=0.1"], 1, "--set beta has no effect: an axis"),
        (["build", "nowhere.nestml"], 1, "nowhere.nestml"),
        (["validate", "--samples", 0], 2, "'--samples'"),
        (["validate", "--codegen", "stock"], 2, "'--codegen'"),
        (["simulat"], 2, "simulate"),
    ],
)
def test_wrong_arguments_are_refused(capsys, words, status, message):
    found, out, err = run(capsys, *words)
    assert (found, out) == (status, "")
    assert message in err
    assert "Traceback" not in err
