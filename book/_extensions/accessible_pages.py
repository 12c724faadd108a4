# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fixes for accessibility faults in the markup of the theme and of docutils.

Each fault is fixed by one substitution in the finished page. If a new theme writes other markup, the test of the site
in a browser reports the fault again.
"""

import re
from typing import Any

from sphinx.application import Sphinx

__all__ = ["setup"]

#: Patterns of faulty markup, and their replacements.
REPLACEMENTS = (
    # The toggles of the sidebar have an icon but no name.
    (r"(<a [^>]*>)([^<]*)(</a><details[^>]*><summary)>", r'\1\2\3 aria-label="Pages below “\2”">'),
    # The sidebar is not a landmark, so that its title belongs to none.
    (r'<div class="(bd-sidebar-primary[^"]*)"', r'<div role="complementary" aria-label="Site" class="\1"'),
    # A list may contain list items only, and the role for entries of a bibliography is deprecated.
    (r'role="doc-biblioentry"', 'role="listitem"'),
    # Empty corner cells of tables are no headers.
    (r"<th((?: [^>]*)?)>(?:\s|&nbsp;|<p>|</p>)*</th>", r"<td\1></td>"),
    # A script draws the icons. The fonts are unused, and browsers refuse to load them for pages opened as files.
    (r'<link rel="preload" as="font"[^>]*>\n?', ""),
    # Containers that scroll sideways on a narrow screen must be reachable by keyboard.
    (r'<div class="(cell_output|pst-scrollable-table-container)( [^"]*)?"', r'<div tabindex="0" class="\1\2"'),
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("builder-inited", _fix_rendered_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _fix_rendered_pages(app: Sphinx) -> None:
    templates = getattr(app.builder, "templates", None)
    if templates is None:  # the builder does not write pages
        return
    render = templates.render

    def render_and_fix(template: str, context: dict[str, Any]) -> str:
        page: str = render(template, context)
        for fault, replacement in REPLACEMENTS:
            page = re.sub(fault, replacement, page)
        # The search page has a second field with the identifier of the first.
        first, *others = page.split('id="search-input"')
        return first + "".join(f'id="search-input{n or ""}"{part}' for n, part in enumerate(others))

    templates.render = render_and_fix
