# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""A description of every page for search engines and previews, from its title and the beginning of its text.

A page with a description in its front matter (``html_meta``) keeps it.
"""

import re
from typing import Any

from docutils import nodes
from markupsafe import escape
from sphinx.application import Sphinx

__all__ = ["setup"]

#: Longest description in characters; search engines show about half of it, link previews all.
LONGEST = 300


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("html-page-context", _describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _describe(app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None) -> None:
    if 'name="description"' in context.get("metatags", ""):
        return
    if document is None:
        description = f"{page.capitalize()}: all pages of the compendium {app.config.html_title}."
    else:
        title, text = re.sub(r"<[^>]*>", "", context["title"]), _beginning(document)
        description = _shorten(f"{title}: {text}")
        if "AMAT" not in description:
            description = _shorten(f"AMAT neuron, {title}: {text}")
    context["metatags"] = (
        f'{context.get("metatags", "")}\n<meta name="description" content="{escape(description)}" />\n'
    )


def _beginning(document: nodes.document) -> str:
    """Return the text of a page's first paragraph that is directly in a section."""
    for paragraph in document.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            plain = paragraph.deepcopy()
            for symbol in plain.findall(nodes.math):
                symbol.replace_self(nodes.Text(_without_tex(symbol.astext())))
            return " ".join(plain.astext().split())
    return ""


def _without_tex(formula: str) -> str:
    """Return a short formula as plain text, with the names of commands and without braces."""
    return re.sub(r"[\\{}$]", "", formula.replace(r"\mathrm", ""))


def _shorten(text: str) -> str:
    """Shorten a text to the last complete sentence that fits, or else to the last word."""
    if len(text) <= LONGEST:
        return text
    sentences = re.match(rf".{{80,{LONGEST - 1}}}(?<! al)[.?!](?=\s)", text)
    return sentences[0] if sentences else text[: LONGEST - 2].rsplit(" ", 1)[0].rstrip(",;:") + " …"
