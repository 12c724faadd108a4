# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Plain English in all text of the repository: expressions to avoid, with the ones to use."""

import re
import subprocess

#: Regular expressions (without regard to case) and their replacements.
AVOIDED = {
    r"\bdoors?\b": "launcher, the ./amat script",
    r"\b(mend|mends|mended|mending)\b": "fix",
    r"\bbeside\b": "compared with, next to, with",
    r"\bfurther words\b|\bwords (of|go to|are passed to) (a|the|its)?\b ?(command|pytest)": "arguments",
    r"\b(am|is|are|be|was|were|been) told\b|\btold (apart|by)\b|\btold = ": "given, reported, distinguished",
    r"\b(says?|said) (what|that|which|how|where|whether)\b": "prints, reports, states, explains",
    r"\bonly says?\b|`amat` says": "only print, report",
    r"\b(one|a) (row|column|array|line|colour|panel|page|thread|process|value|file|point|name) an? \w+": "one … per …",
    r"\banew\b|\bmade again\b|\bmakes? (it|them|all of it|everything) again\b": "rebuilt, regenerated, reproduced",
    r"\bfate of\b": "outcome of",
    r"\bpass(ed|es) over\b": "skipped",
    r"\b(rate|interval|frequency|rhythm)s? (that (is|are)|of) (its|their) own\b": "intrinsic",
    r"\b(its|their|the neuron's|a neuron's|each neuron's) own (rate|interval|frequency|rhythm)s?\b": "intrinsic",
    r"\brestless\b": "with timing noise",
    r"\bhand-?written\b": "NEST's built-in model",
    r"\bwhat NEST itself takes\b": "kernel overhead",
    r"\bput off\b": "deferred",
    r"\bpatience\b": "timeout",
    r"\bnaps?\b|\bnapping\b": "deferred steps",
    r"\b(houses?|rooms)\b": "architecture, module",
    r"\b(writ\w+|kept|moved?|left|published) whole\b|, whole[,.]": "atomically, complete",
    r"\bstands? (in|beside|under|at|here|there|next)\b(?! for)": "is in, is next to",
    r"\b(lie|lies|lay) beside\b": "is next to",
    r"NESTML's own (templates|code|generator|output|C\+\+)": "the name of the build: nestml or nestml-checked",
    r"\bstock\b": "nestml or nestml-checked",
    r"\bso-manieth\b|\bnearer to the truth\b|\bnobody's business\b|\bsomebody else's\b": "plain words",
    r'^\s*[rf]?"""(What|Whatever|How|Where|Who|Whoever|When)\b': "a docstring that begins with a verb or noun",
}
#: The same for comments, and for headings in files with some endings.
AVOIDED_IN_COMMENTS = {r"^\s*\"?(#:?|//|/\*) (What|Whatever|Whoever|Who)\b": "a comment with subject and verb"}
AVOIDED_IN_HEADINGS = {
    r'^\s*"?#{1,6} [^#].*\?(\\n)?"?,?$': "a heading that asks no question",
    r'^\s*"?#{2,6} (What|How|Why|Where|Who|When)\b(?! to\b)': "a heading with its subject",
}
PAGES = (".md", ".ipynb", ".md.jinja2")

#: Files without text of this project.
SKIPPED = re.compile(
    r"LICENSE|tests/data/|book/_static/(mathjax|explorer/uplot)/|data/full/|.*\.(svg|csv|gz|lock|woff2?|png|ico)$"
    r"|tests/unit/test_language\.py"
)

#: Lines that may contain an avoided expression: parts of a path and of the line.
ALLOWED = (("tests/", '"stock"'), ("tests/", '["stock"]'))  # an example of an unknown build


def test_texts_avoid_obscure_expressions(clone):
    listed = subprocess.run(["git", "-C", clone, "ls-files", "-z"], check=True, capture_output=True, text=True)
    found = []
    for name in filter(None, listed.stdout.split("\0")):
        if SKIPPED.match(name) or not (clone / name).is_file():
            continue
        avoided = AVOIDED | AVOIDED_IN_COMMENTS | (AVOIDED_IN_HEADINGS if name.endswith(PAGES) else {})
        patterns = {re.compile(pattern, re.IGNORECASE): advice for pattern, advice in avoided.items()}
        for number, line in enumerate((clone / name).read_text(encoding="utf-8").splitlines(), start=1):
            if any(path in name and part in line for path, part in ALLOWED):
                continue
            for pattern, advice in patterns.items():
                if match := pattern.search(line):
                    found.append(f"{name}:{number}: {match[0].strip()!r}: use {advice}")
    assert not found, "\n" + "\n".join(found)
