# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NESTML's messages, each with its file, the line of the model that it is about, and the likely fix."""

import difflib
import re
from pathlib import Path
from typing import Any

from antlr4 import CommonTokenStream, FileStream
from antlr4.error.ErrorListener import ErrorListener
from pynestml.generated.PyNestMLLexer import PyNestMLLexer
from pynestml.generated.PyNestMLParser import PyNestMLParser
from pynestml.symbols.predefined_functions import PredefinedFunctions
from pynestml.symbols.predefined_units import PredefinedUnits

__all__ = ["SYNTAX", "find_syntax_error", "find_unknown_unit", "format_message", "is_follow_up"]

#: The beginnings of NESTML's messages about syntax. They point at the last error of a file, not at its first.
SYNTAX = ("Error occurred during parsing", "Error occurred during lexing")

_BLOCKS = "state|parameters|internals|equations|input|output|update"
_RESERVED = f"{_BLOCKS}|model|function|return|if|elif|else|for|while|in|step|and|or|not|inline|kernel|recordable|spike"
_TYPES = "integer|real|boolean|string|void"

#: Likely fixes by patterns of the offending line, for syntax errors.
_FIXES_OF_SYNTAX = (
    (r"^ *\t", "indent with blanks, not with tabs."),
    (r"^\s*$", "remove the blanks from this empty line, or complete the line before it."),
    (r"^(neuron|synapse)\b", 'this is the syntax of an old NESTML: write "model NAME:".'),
    (r"^\s*initial_values\b", 'this is the syntax of an old NESTML: write "state:".'),
    (r"^\s*shape\b", 'this is the syntax of an old NESTML: write "kernel".'),
    (r"^\s*end\s*$", 'this is the syntax of an old NESTML: remove "end", since indentation ends a block.'),
    (
        r"<-.*\bgap_junction\b",
        'declare "I_gap pA <- continuous"; the code generator\'s options make it a gap junction.',
    ),
    (r"<-.*\bcurrent\b", 'this is the syntax of an old NESTML: write "I_stim pA <- continuous".'),
    (r"^\s*\w+\s+\S+\s*<-.*\bspike\b", 'a spike port has no type: write "spikes <- excitatory spike".'),
    (rf"^\s*({_RESERVED})\s+\S+\s*=", "{0} is a reserved word of NESTML: choose another name."),
    (rf"^\s*({_BLOCKS})\s*$", 'a block starts with its name and a colon: "{0}:".'),
    (r"^\s*model\b(?!.*:)", 'write a colon after the name: "model NAME:".'),
    (r"^\s*([A-Za-z]\w*)\s+(?!integer|real|boolean|string)(\w+)\s+\w+\S*\s*=", 'write a name as one word: "{0}_{1}".'),
    (r"^\s*\w+'+\s*=", 'put equations into a block "equations:".'),
    (r"^\s*(\w+)\s*=[^=]", 'declare a variable with its type or unit: "{0} mV = …" or "{0} real = …".'),
    (r"\*\*\s*$|[-+*/=(,]\s*$", "the expression is not complete."),
)

#: Likely fixes by patterns of NESTML's message.
_FIXES = (
    (r"free-standing physical units allowed \((.*)\)", 'give the unit a number: "1 {0}".'),
    (r'takes "(\w+)" for', 'put a number and its unit into parentheses: "(0.1 ms**-1) * {0}"; or correct the unit.'),
    (r"has no equations", 'add a block "equations:", or remove the call.'),
    (r"violate the invariant", "correct the default value, or the invariant."),
    (r"integrate_odes\(\)", 'add a block "update:" that calls integrate_odes().'),
    (r'[Ee]xpected:? "boolean"', "write a comparison, such as tau > 0 ms."),
    (
        r"inconsistent units|is not defined!$|different from expected|type .* could not be derived",
        "make the units agree: correct the unit of a declaration, or use a factor such as 1 ms or 1 mV.",
    ),
    (r'Variable "(\w+)" not defined', "declare {0} under state, parameters or internals, or correct its name."),
    (r"redeclared|already declared|previously defined|more than once|multiple", "use each name only once."),
    (r"Unknown type or unit", "use a unit such as mV, pA, ms, nS, pF, Hz or 1/ms, or real, integer or boolean."),
    (r"output port", 'add a block "output:" with the line "spike".'),
)


def is_follow_up(text: str) -> bool:
    """Return whether a message of NESTML may follow from another one about the same line."""
    return bool(re.search(r'could not be derived|"error"|Could not resolve symbol', text))


class _FirstError(ErrorListener):  # type: ignore[misc]  # ANTLR is not typed
    def __init__(self) -> None:
        self.found: tuple[int, int] | None = None

    def syntaxError(  # ANTLR's name
        self, recognizer: Any, offending: Any, line: int, column: int, message: str, error: Any
    ) -> None:
        self.found = self.found or (line, column)


def find_syntax_error(file: str) -> tuple[int, int] | None:
    """Return the line and column of the first syntax error in a NESTML file."""
    return _parse(file)[0]


def find_unknown_unit(file: str) -> tuple[int, int, str] | None:
    """Return the line, the column and the name of the first part of a unit after a number that is no unit.

    NESTML takes all that follows a number, such as ``0.1 ms**-1 * x``, for its unit.
    """
    pending = [_parse(file)[1]]
    found = []
    while pending:
        node = pending.pop()
        children = getattr(node, "children", None) or []
        pending += children
        if isinstance(node, PyNestMLParser.UnitTypeContext):
            token = node.unit
            if token is not None and not PredefinedUnits.is_unit(token.text):
                found.append((token.line, token.column, token.text))
    return min(found, default=None)


def _parse(file: str) -> tuple[tuple[int, int] | None, Any]:
    """Return the place of the first syntax error in a file, if there is one, and the tree of the rest."""
    listener = _FirstError()
    lexer = PyNestMLLexer(FileStream(file, encoding="utf-8"))
    parser = PyNestMLParser(None)
    for recognizer in (lexer, parser):
        recognizer.removeErrorListeners()
        recognizer.addErrorListener(listener)
    stream = CommonTokenStream(lexer)
    stream.fill()
    if listener.found is not None:
        return listener.found, None
    parser.setTokenStream(stream)
    tree = parser.nestMLCompilationUnit()
    return listener.found, tree


def format_message(file: str, line: int, column: int, text: str, *, syntax: bool = False) -> str:
    """Return a message with its position, the line of the file, and the likely fix if there is one.

    Parameters
    ----------
    file : str
    line, column : int
        The position, or 0 if the message is about the whole file.
    text : str
        NESTML's message.
    syntax : bool
        Whether the message is about syntax, so that the line shows the mistake.
    """
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    before, source = ([*lines, "", ""][number] if number >= 0 else "" for number in (line - 2, line - 1))
    fix = _fix(source, _FIXES_OF_SYNTAX) if syntax else _fix(text, _FIXES) or _close_function(text)
    if syntax and before.count("(") > before.count(")") and not source[:column].strip():
        line, column, source, fix = line - 1, before.rindex("("), before, "close the parenthesis."
    elif syntax and not fix and re.match(rf"\s*({_BLOCKS})\s*$", before):
        line, column, source, fix = line - 1, len(before), before, _fix(before, _FIXES_OF_SYNTAX)
    shown = f"{file}:{line}:{column}: {text}" if line else f"{file}: {text}"
    if source.strip():
        shown += f"\n    {source.strip()}"
    return f"{shown}\n  Likely fix: {fix}" if fix else shown


def _fix(text: str, fixes: tuple[tuple[str, str], ...]) -> str:
    """Return the fix of the first pattern that a text contains, or ""."""
    for pattern, fix in fixes:
        if match := re.search(pattern, text):
            return re.sub(r"\{(\d)\}", lambda number: match.group(int(number[1]) + 1), fix)
    return ""


def _close_function(text: str) -> str:
    """Return a fix that names functions whose names are close to one that does not exist, or ""."""
    if not (match := re.search(r'Function "(\w+)" is not declared', text)):
        return ""
    known = sorted(PredefinedFunctions.get_function_symbols())
    near = difflib.get_close_matches(match[1], known, cutoff=0.5) or known
    return f"NESTML has the functions {', '.join(near)}; define others in a block function."
