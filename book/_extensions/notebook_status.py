# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The directive ``notebook-status``: a table of all notebooks with outcome, run time, commit and versions.

The data come from the executed notebooks and from the records with their results. Run times differ between
reproductions, so they appear on no other page and not in the search index.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from page_downloads import NOTEBOOKS, record_of
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

__all__ = ["setup"]

#: The file in a notebook's folder of results with the start and duration of its execution.
TIMES = "run_time.json"

logger = logging.getLogger(__name__)


class run_time(nodes.inline):
    """Start or duration of a notebook's execution, in an attribute, which the search index ignores."""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_node(run_time, html=(_show_time, lambda translator, node: None))
    app.add_directive("notebook-status", NotebookStatus)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _show_time(translator: Any, node: nodes.Element) -> None:
    translator.body.append(translator.encode(node["shown"]))


class NotebookStatus(SphinxDirective):
    """A table of the notebooks in the order of the table of contents, and a table of the versions used."""

    def run(self) -> list[nodes.Node]:
        """Return both tables."""
        root = Path(self.env.srcdir).parent
        records = {}
        for page in self._pages(self.env.external_site_map.root.docname):
            path = record_of(page, root)
            if path.is_file():
                records[page] = json.loads(path.read_text(encoding="utf-8"))
                self.env.note_dependency(str(path))
            else:
                logger.warning("%s is missing: run `amat reproduce`.", path, location=self.get_location())
        rows = [
            [self._link(page), *self._outcome(page), *self._times(page, root), _short(record["commit"])]
            for page, record in records.items()
        ]
        head = ["Page", "Cells run", "Errors", "Run (UTC)", "Seconds", "Commit"]
        return [_table("Notebooks", head, rows), *self._settings(records)]

    def _pages(self, page: str) -> Iterator[str]:
        """Yield the pages of notebooks at and below `page`, in reading order."""
        if page.startswith(NOTEBOOKS):
            yield page
        for tree in self.env.external_site_map[page].subtrees:
            for child in tree.files():
                yield from self._pages(child)

    def _link(self, page: str) -> nodes.Node:
        reference = addnodes.pending_xref(
            "", refdoc=self.env.docname, refdomain="std", reftype="doc", reftarget=f"/{page}", refexplicit=False
        )
        reference["refwarn"] = True
        reference += nodes.inline("", page, classes=["xref", "std", "std-doc"])
        return reference

    def _outcome(self, page: str) -> tuple[str, str]:
        """Return the number of executed code cells out of all, and the number of errors."""
        notebook = json.loads(Path(self.env.srcdir, f"{page}.ipynb").read_text(encoding="utf-8"))
        cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code" and "".join(cell["source"]).strip()]
        errors = sum(output["output_type"] == "error" for cell in cells for output in cell["outputs"])
        return f"{sum(bool(cell['execution_count']) for cell in cells)} of {len(cells)}", str(errors)

    def _times(self, page: str, root: Path) -> tuple[nodes.Node, nodes.Node]:
        path = record_of(page, root).with_name(TIMES)
        started, seconds = "not recorded", "not recorded"
        if path.is_file():
            self.env.note_dependency(str(path))
            record = json.loads(path.read_text(encoding="utf-8"))
            started, seconds = record["started"].replace("T", " ").removesuffix("Z"), f"{record['seconds']:.1f}"
        return run_time(shown=started), run_time(shown=seconds)

    def _settings(self, records: dict[str, Any]) -> list[nodes.Node]:
        """Return a table of versions and machine for each group of pages that share them."""
        groups: dict[str, list[str]] = {}
        for page, record in records.items():
            groups.setdefault(json.dumps([record["versions"], record["machine"]]), []).append(page)
        tables: list[nodes.Node] = []
        for settings, pages in groups.items():
            versions, machine = json.loads(settings)
            rows = [[name, str(value)] for name, value in {**versions, **machine}.items()]
            rows = [[name.replace("_", " "), value] for name, value in rows]
            caption = "Versions and machine"
            if len(groups) > 1:
                caption += " of " + ", ".join(page.removeprefix(NOTEBOOKS) for page in pages)
            tables.append(_table(caption, ["Name", "Value"], rows))
        return tables


def _short(commit: str | None) -> str:
    """Return the first ten digits of a commit, and a note if there were changes."""
    if commit is None:
        return "unknown"
    return commit[:10] + (" and changes" if commit.endswith("+changes") else "")


def _table(caption: str, head: list[str], rows: list[list[nodes.Node | str]]) -> nodes.table:
    group = nodes.tgroup(cols=len(head))
    group += [nodes.colspec(colwidth=1) for _ in head]
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *map(_row, rows))
    return nodes.table("", nodes.title("", caption), group)


def _row(cells: list[nodes.Node | str]) -> nodes.row:
    return nodes.row(
        "",
        *(nodes.entry("", nodes.paragraph("", "", nodes.Text(c) if isinstance(c, str) else c)) for c in cells),
    )
