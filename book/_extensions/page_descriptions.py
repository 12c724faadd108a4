# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Descriptions of pages for search engines and previews: the title and the beginning of the text.

A description in the front matter of a page (``html_meta``) takes precedence.
"""

import re
from typing import Any

from docutils import nodes
from markupsafe import escape
from sphinx.application import Sphinx

__all__ = ["setup"]

#: Maximum length in characters; search engines show about half of it, previews of links all.
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
    """Return the text of the first paragraph directly inside a section."""
    for paragraph in document.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            plain = paragraph.deepcopy()
            for symbol in plain.findall(nodes.math):
                symbol.replace_self(nodes.Text(_without_tex(symbol.astext())))
            return " ".join(plain.astext().split())
    return ""


def _without_tex(formula: str) -> str:
    """Return a short formula as plain text: names of commands, without braces."""
    return re.sub(r"[\\{}$]", "", formula.replace(r"\mathrm", ""))


def _shorten(text: str) -> str:
    """Cut a text after the last sentence that fits, else after the last word that does."""
    if len(text) <= LONGEST:
        return text
    sentences = re.match(rf".{{80,{LONGEST - 1}}}(?<! al)[.?!](?=\s)", text)
    return sentences[0] if sentences else text[: LONGEST - 2].rsplit(" ", 1)[0].rstrip(",;:") + " …"
