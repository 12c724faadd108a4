# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Version and address of the repository in the text of pages, from ``CITATION.cff``.

``@VERSION@`` is replaced everywhere, also in code. The address is ``repository-code`` in ``CITATION.cff`` or else the
environment variable ``AMAT_REPOSITORY``, which the workflow of the public site sets. Lines with ``@REPOSITORY@`` are
kept if there is an address, and lines that end with ``@NO_REPOSITORY@`` if there is none.
"""

import os
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

from amat.release.citation import read_citation

__all__ = ["fill_in", "setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.connect("config-inited", _link_repository)
    app.connect("source-read", _fill_in)
    app.add_config_value("amat_repository", "", "env")
    app.add_config_value("amat_version", "", "env")
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def fill_in(text: str, version: str, address: str) -> str:
    """Return a page's text with the version and the address of the repository, which may be empty."""
    lines = []
    for line in text.splitlines(keepends=True):
        if "@NO_REPOSITORY@" in line:
            lines += [] if address else [line.replace(" @NO_REPOSITORY@", "")]
        elif "@REPOSITORY@" not in line or address:
            lines.append(line.replace("@REPOSITORY@", address))
    return "".join(lines).replace("@VERSION@", version)


def _link_repository(app: Sphinx, config: Config) -> None:
    citation = read_citation(Path(app.srcdir).parent)
    config.amat_version = str(citation["version"])
    config.amat_repository = str(citation.get("repository-code") or os.environ.get("AMAT_REPOSITORY", "")).rstrip("/")
    if config.amat_repository:
        # The theme's own button needs an address at one of the hosts that it knows.
        link = {"name": "Repository", "url": config.amat_repository, "icon": "fa-solid fa-code-branch"}
        config.html_theme_options["icon_links"] = [link]


def _fill_in(app: Sphinx, page: str, content: list[str]) -> None:
    content[0] = fill_in(content[0], app.config.amat_version, app.config.amat_repository)
