# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Layout of notebooks' pages: results first, and code on request.

The output of a cell with the tag ``lead`` moves up to the end of the page's introduction. Code of cells with the tag
``hide-input`` is hidden as a whole; one switch per page, from ``_static/code_switch.js``, shows all of it. The search
index leaves this code out, and so do the excerpts of results (``_static/search_excerpts.js``).
"""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

__all__ = ["setup"]

#: Class of the code that the switch shows.
HIDDEN = "page-code"
#: Class that moves a cell's output up; MyST-NB adds it for the tag ``lead``.
LEAD = "tag_lead"


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("doctree-read", _arrange)
    app.connect("builder-inited", _index_without_code)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _arrange(app: Sphinx, document: nodes.document) -> None:
    cells = [cell for cell in document.findall(nodes.container) if cell.get("nb_element") == "cell_code"]
    for cell in cells:
        source = next((part for part in cell.children if part.get("nb_element") == "cell_code_source"), None)
        if source is not None and cell.get("hide_mode") in ("input", "input+output"):
            source["classes"].append(HIDDEN)
            if cell["hide_mode"] == "input":
                del cell["hide_mode"]
            else:
                cell["hide_mode"] = "output"
    for cell in cells:
        if LEAD in cell["classes"]:
            _move_up(document, cell)


def _move_up(document: nodes.document, cell: nodes.container) -> None:
    """Move a cell's outputs behind the text before the first code cell and the first subsection of the page."""
    page = next(iter(document.findall(nodes.section)))
    outputs = [part for part in cell.children if part.get("nb_element") == "cell_code_output"]
    if not outputs:
        return
    lead = nodes.container(classes=[name for name in cell["classes"] if name != LEAD])
    for name in ("nb_element", "cell_index", "exec_count", "cell_metadata"):
        lead[name] = cell[name]
    for part in outputs:
        cell.remove(part)
        lead += part
    ends = [
        number
        for number, part in enumerate(page.children)
        if isinstance(part, nodes.section) or (isinstance(part, nodes.container) and "nb_element" in part)
    ]
    page.insert(ends[0] if ends else len(page), lead)


def _index_without_code(app: Sphinx) -> None:
    index_page = getattr(app.builder, "index_page", None)
    if index_page is None:  # a builder without a search
        return

    def index_visible(page: str, document: nodes.document, title: str) -> None:
        visible = document.deepcopy()
        for part in list(visible.findall(nodes.container)):
            if HIDDEN in part["classes"]:
                part.parent.remove(part)
        for part in list(visible.findall(nodes.raw)):  # tables of pandas, with style sheets
            part.parent.remove(part)
        index_page(page, visible, title)

    app.builder.index_page = index_visible  # type: ignore[attr-defined]
