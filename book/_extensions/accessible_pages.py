# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Mend the pages where the theme or docutils leaves out what assistive technology needs, or asks for what fails.

The finished page is changed, by one substitution for each fault. Should a new theme write other markup, the check of
the site in a browser finds the fault again.
"""

import re
from typing import Any

from sphinx.application import Sphinx

__all__ = ["setup"]

#: What is looked for, and what is put in its place.
MENDED = (
    # The toggles of the sidebar have an icon and no name.
    (r"(<a [^>]*>)([^<]*)(</a><details[^>]*><summary)>", r'\1\2\3 aria-label="Pages below “\2”">'),
    # The sidebar is no landmark, so that its title belongs to none.
    (r'<div class="(bd-sidebar-primary[^"]*)"', r'<div role="complementary" aria-label="Site" class="\1"'),
    # A list may hold list items only, and the role for entries of a bibliography is deprecated.
    (r'role="doc-biblioentry"', 'role="listitem"'),
    # Corners of tables are empty and head nothing.
    (r"<th((?: [^>]*)?)>(?:\s|&nbsp;|<p>|</p>)*</th>", r"<td\1></td>"),
    # A script draws the icons: the fonts are not used, and browsers refuse them to pages that come from a disk.
    (r'<link rel="preload" as="font"[^>]*>\n?', ""),
    # What scrolls sideways on a narrow screen can be reached by keyboard.
    (r'<div class="(cell_output|pst-scrollable-table-container)( [^"]*)?"', r'<div tabindex="0" class="\1\2"'),
)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("builder-inited", _mend_what_is_rendered)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _mend_what_is_rendered(app: Sphinx) -> None:
    templates = getattr(app.builder, "templates", None)
    if templates is None:  # a builder of something else than pages
        return
    render = templates.render

    def render_and_mend(template: str, context: dict[str, Any]) -> str:
        page: str = render(template, context)
        for fault, remedy in MENDED:
            page = re.sub(fault, remedy, page)
        # The page of the search has a second field, by the identifier of the first.
        first, *others = page.split('id="search-input"')
        return first + "".join(f'id="search-input{n or ""}"{part}' for n, part in enumerate(others))

    templates.render = render_and_mend
