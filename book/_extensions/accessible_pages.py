# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Corrections of the finished pages for accessibility.

Each correction is a substitution in the page's HTML. If a new theme writes other markup, the test of the site in a
browser finds the fault again.
"""

import re
from typing import Any

from sphinx.application import Sphinx

__all__ = ["setup"]

#: Regular expressions and their replacements.
CORRECTIONS = (
    # Toggles of the sidebar have an icon but no name.
    (r"(<a [^>]*>)([^<]*)(</a><details[^>]*><summary)>", r'\1\2\3 aria-label="Pages below “\2”">'),
    # The sidebar is not a landmark, so its title is outside of all landmarks.
    (r'<div class="(bd-sidebar-primary[^"]*)"', r'<div role="complementary" aria-label="Site" class="\1"'),
    # A list may contain only list items, and the role for entries of a bibliography is deprecated.
    (r'role="doc-biblioentry"', 'role="listitem"'),
    # Empty corners of tables are not headers.
    (r"<th((?: [^>]*)?)>(?:\s|&nbsp;|<p>|</p>)*</th>", r"<td\1></td>"),
    # A script draws the icons, so the fonts are unused; browsers also reject them for pages opened from a disk.
    (r'<link rel="preload" as="font"[^>]*>\n?', ""),
    # The label of a folded part is its visible text.
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),
    # Elements that scroll sideways on a narrow screen must be reachable by keyboard.
    (r'<div class="(cell_output|pst-scrollable-table-container)( [^"]*)?"', r'<div tabindex="0" class="\1\2"'),
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("builder-inited", _correct_rendered_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _correct_rendered_pages(app: Sphinx) -> None:
    templates = getattr(app.builder, "templates", None)
    if templates is None:  # a builder that does not write pages
        return
    render = templates.render

    def render_and_correct(template: str, context: dict[str, Any]) -> str:
        page: str = render(template, context)
        for pattern, replacement in CORRECTIONS:
            page = re.sub(pattern, replacement, page)
        # The search page has a second field with the identifier of the first.
        first, *others = page.split('id="search-input"')
        return first + "".join(f'id="search-input{n or ""}"{part}' for n, part in enumerate(others))

    templates.render = render_and_correct
