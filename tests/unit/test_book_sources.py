# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Sources of the book: references of its pages exist, and tables agree with the code."""

import ast
import importlib
import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest
import yaml

from amat import paths
from amat.analysis.patterns import CRITERIA
from amat.analysis.patterns.mechanisms import MECHANISMS
from amat.neurons import AmatParameters, izhikevich_patterns, validated_patterns
from amat.neurons.amat import UNITS

PAGES = sorted(paths.BOOK.glob("*.md"))
MODEL = "amat2_psc_exp_neuron"
#: Files that the pipeline writes to book/generated.
GENERATED = {"overview.svg", "overview_narrow.svg", "first.svg", "ratios.svg", "growth.svg"} | {
    f"{MODEL}.nestml",
    "amat2_psc_exp_escape_neuron.nestml",
    f"{MODEL}_nestml.cpp",
    f"{MODEL}_nestml.h",
}

GLUE = re.compile(r"\{glue:text\}`(?:(?P<notebook>[^`]+)::)?(?P<key>\w+)(?::[^`]*)?`")
CITATION = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")


def toc_entries() -> list[str]:
    """Return the pages in the table of contents without endings."""

    def files(part) -> list[str]:
        if isinstance(part, list):
            return [name for item in part for name in files(item)]
        if isinstance(part, dict):
            return [value for key, value in part.items() if key in ("root", "file")] + files(list(part.values()))
        return []

    return files(yaml.safe_load((paths.BOOK / "_toc.yml").read_text()))


def source_of(entry: str) -> str:
    """Return the name of the notebook behind an entry of the table of contents."""
    return "firing_pattern" if entry.startswith("notebooks/patterns/") else Path(entry).name


def notebook_names() -> list[str]:
    return list(dict.fromkeys(source_of(entry) for entry in toc_entries() if entry.startswith("notebooks/")))


def notebook_cells(name: str, cell_type: str) -> str:
    """Return the joined sources of a notebook's cells of one type."""
    cells = json.loads((paths.NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == cell_type)


def texts() -> dict[str, str]:
    """Return the text of every page and notebook by its name."""
    pages = {page.name: page.read_text() for page in PAGES}
    return pages | {f"{name}.ipynb": notebook_cells(name, "markdown") for name in notebook_names()}


def prose(text: str) -> str:
    """Return a page's text without code, maths, roles and links."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    text = re.sub(r"\$\$.*?\$\$( \([\w-]+\))?", "", text, flags=re.DOTALL)
    return re.sub(r"\{[\w:]+\}`[^`]*`|`[^`]*`|\$[^$]*\$|\]\([^)]*\)", "", text)


def table_rows(text: str, first_cell: str) -> list[list[str]]:
    """Return the rows of the table whose header begins with `first_cell`, without the header."""
    lines = text[text.index(f"| {first_cell} |") :].split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[2:]]


def test_every_entry_of_the_table_of_contents_exists():
    entries = toc_entries()
    assert len(entries) > 1
    for entry in entries:
        if entry.startswith("notebooks/"):
            assert (paths.NOTEBOOKS / f"{source_of(entry)}.ipynb").is_file(), entry
        else:
            assert (paths.BOOK / f"{entry}.md").is_file(), entry


def test_every_page_is_in_the_table_of_contents():
    assert {page.stem for page in PAGES} <= set(toc_entries())


def test_every_executed_notebook_is_in_the_table_of_contents():
    config = yaml.safe_load((paths.CONFIG / "config.yaml").read_text())
    assert set(config["notebooks"]) == set(notebook_names())


def test_every_pattern_has_a_page():
    pages = [Path(entry).name for entry in toc_entries() if entry.startswith("notebooks/patterns/")]
    assert pages == list(izhikevich_patterns())


def test_displayed_equations_have_unique_labels():
    """Equations without a label get random anchors, which make builds differ."""
    labels = []
    for name, text in texts().items():
        text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
        for equation in re.finditer(r"\$\$(.*?)\$\$(?: \((?P<label>[\w-]+)\))?", text, flags=re.DOTALL):
            assert equation["label"], f"{name}: {equation[1].strip()}"
            labels.append(equation["label"])
        assert r"\begin{align" not in text, f"{name}: equations outside of $$ cannot have labels"
    assert len(labels) == len(set(labels))


def test_references_to_equations_have_targets():
    labels = {label for text in texts().values() for label in re.findall(r"\$\$ \(([\w-]+)\)", text)}
    references = {label for text in texts().values() for label in re.findall(r"\{eq\}`([\w-]+)`", text)}
    assert references <= labels


@pytest.mark.parametrize("name", notebook_names())
def test_names_that_notebooks_use_exist_in_the_library(name):
    """The test finds wrong names before a long run does."""
    tree = ast.parse(notebook_cells(name, "code"))
    modules = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "amat":
            package = importlib.import_module(node.module)
            for alias in node.names:
                if not hasattr(package, alias.name):
                    importlib.import_module(f"{node.module}.{alias.name}")
                modules[alias.asname or alias.name] = getattr(package, alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = modules.get(node.value.id)
            assert not inspect.ismodule(owner) or hasattr(owner, node.attr), f"{node.value.id}.{node.attr}"


def test_citations_are_in_the_bibliography():
    known = set(re.findall(r"^@\w+\{(\w+),", (paths.BOOK / "references.bib").read_text(), flags=re.MULTILINE))
    for name, text in texts().items():
        cited = {key.strip() for keys in CITATION.findall(text) for key in keys.split(",")}
        assert cited <= known, f"{name}: {cited - known}"


def test_pages_glue_keys_that_notebooks_provide():
    """A notebook's code contains each key, or a prefix and the rest of it."""
    for page in PAGES:
        for match in GLUE.finditer(page.read_text()):
            notebook = Path(match["notebook"]).stem
            assert notebook in notebook_names(), f"{page.name}: {match[0]}"
            code = notebook_cells(notebook, "code")
            prefixes = [p for p in re.findall(r'glue\(f"(\w+)\{', code) if match["key"].startswith(p)]
            made = any(f'"{match["key"].removeprefix(prefix)}"' in code for prefix in prefixes)
            assert made or f'"{match["key"]}"' in code, f"{page.name}: {match[0]}"


def test_page_on_validation_contains_no_typed_results():
    """Its numbers come from a run."""
    typed = re.findall(
        r"\b\d+(?:\.\d+)?e-?\d+|\b\d[\d.,]*\s*(?:mV|ms|pA|%|spikes|neurons)",
        prose(notebook_cells("validation", "markdown")),
    )
    assert not typed


def test_pages_use_exactly_the_generated_files():
    used = {name for text in texts().values() for name in re.findall(r"\bgenerated/([\w.]+)", text)}
    assert used == GENERATED


def test_parameter_table_agrees_with_the_model():
    source = (paths.MODELS / f"{MODEL}.nestml").read_text().split("\n    parameters:\n")[1].split("\n    internals:")[0]
    declared = dict(re.findall(r"^ +(\w+) [\w*-]+ = (-?[\d.]+)", source, flags=re.MULTILINE))
    shown = {row[0].strip("`"): row for row in table_rows(notebook_cells("model", "markdown"), "Name")}
    assert {name: row[3] for name, row in shown.items()} == declared
    assert {name: row[2] for name, row in shown.items()} == UNITS


def test_table_of_names_agrees_with_the_code():
    parameters = AmatParameters()
    rows = table_rows((paths.BOOK / "getting_started.md").read_text(), "Quantity")
    ours = [name for row in rows for name in re.findall(r"`(\w+)`", row[1]) if name in UNITS]
    assert set(ours) == set(UNITS)
    renamed = set(parameters.to_nest()) ^ set(UNITS)
    shown = {name for row in rows for name in re.findall(r"`(\w+)`", row[1] + row[2]) if row[1] != row[2]}
    assert renamed <= shown
    for row in rows:
        if row[2] == "the same":
            assert set(re.findall(r"`(\w+)`", row[1])) <= set(parameters.to_nest())


def test_explained_messages_exist_in_the_code():
    folders = (paths.ROOT / "src", paths.ROOT / "packages" / "nestml-optimised" / "src")
    code = "\n".join(path.read_text() for folder in folders for path in folder.rglob("*.py"))
    rows = table_rows((paths.BOOK / "getting_started.md").read_text(), "`amat` reports")
    messages = [message for row in rows for message in re.findall(r"`([^`]+)`", row[0])]
    assert len(messages) >= len(rows)
    for message in messages:
        for fragment in message.split("…"):
            assert fragment.strip() in code, message


def test_first_script_draws_the_figure_below_it():
    """The notebook that draws the figure injects the same current into the same neuron."""
    call = re.search(r"inject_current\(.+\)$", (paths.BOOK / "getting_started.md").read_text(), flags=re.MULTILINE)
    assert call[0] in notebook_cells("model", "code")


def test_version_and_address_of_the_repository_are_filled_in(monkeypatch):
    """Without an address, lines that need it are left out, and those for that case stay."""
    monkeypatch.syspath_prepend(paths.BOOK / "_extensions")
    fill_in = importlib.import_module("project_settings").fill_in
    text = "git clone @REPOSITORY@ amat\ncd amat # here @NO_REPOSITORY@\nVersion @VERSION@.\n"
    assert fill_in(text, "1.2", "https://example.org/amat") == "git clone https://example.org/amat amat\nVersion 1.2.\n"
    assert fill_in(text, "1.2", "") == "cd amat # here\nVersion 1.2.\n"


def test_no_page_names_a_placeholder_for_the_repository():
    for page in PAGES:
        assert not re.search(r"(?<!@)(?<!@NO_)\bREPOSITORY\b(?!@)", page.read_text()), page.name


def test_every_pattern_has_a_mechanism():
    assert list(MECHANISMS) == list(CRITERIA)
    assert len(set(MECHANISMS.values())) == len(CRITERIA)
    for name, text in MECHANISMS.items():
        parameters = validated_patterns()[name].parameters
        assert ("beta" in text) <= (parameters.beta != 0 or r"\beta = 0" in text), name
        for alpha in ("alpha_1", "alpha_2"):
            for sign, wanted in (("<", -1), (">", 1)):
                assert (f"\\{alpha} {sign} 0" in text) <= (np.sign(getattr(parameters, alpha)) == wanted), name
