# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Give every page a description of its own for search engines and previews: its title and how its text begins.

A page with a description in its front matter (``html_meta``) keeps that.
"""

import re
from typing import Any

from docutils import nodes
from markupsafe import escape
from sphinx.application import Sphinx

__all__ = ["setup"]

#: Characters; search engines show about half of it, previews of links all.
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
    """Return the text of a page's first paragraph that is not inside of something else."""
    for paragraph in document.findall(nodes.paragraph):
        if isinstance(paragraph.parent, nodes.section):
            plain = paragraph.deepcopy()
            for symbol in plain.findall(nodes.math):
                symbol.replace_self(nodes.Text(_without_tex(symbol.astext())))
            return " ".join(plain.astext().split())
    return ""


def _without_tex(formula: str) -> str:
    """Return a short formula as it is read: its commands by their names, without braces."""
    return re.sub(r"[\\{}$]", "", formula.replace(r"\mathrm", ""))


def _shorten(text: str) -> str:
    """Cut a text after its last sentence that fits, or else after its last word that does."""
    if len(text) <= LONGEST:
        return text
    whole = re.match(rf".{{80,{LONGEST - 1}}}(?<! al)[.?!](?=\s)", text)
    return whole[0] if whole else text[: LONGEST - 2].rsplit(" ", 1)[0].rstrip(",;:") + " …"
