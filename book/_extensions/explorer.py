# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Scripts and styles of the explorer, loaded on its page only.

Jupyter Book would load every script and style below ``_static`` on every page.
"""

from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

__all__ = ["setup"]

_PAGE = "explorer"
_FOLDER = "explorer/"
#: Files that the pipeline generates for the site.
_GENERATED = "generated/static"
#: In the order of their dependencies.
_SCRIPTS = ("uplot/uPlot.iife.min", "simulate", "models", "state", "script", "plots", "page")
_STYLES = ("uplot/uPlot.min", "explorer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    # Before priority 800, at which Sphinx turns the entries into pairs.
    app.connect("config-inited", _configure, priority=400)
    app.connect("html-page-context", _load)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _configure(app: Sphinx, config: Config) -> None:
    config.html_js_files = [file for file in config.html_js_files if not file.startswith(_FOLDER)]
    config.html_css_files = [file for file in config.html_css_files if not file.startswith(_FOLDER)]
    config.html_static_path = [*config.html_static_path, _GENERATED]


def _load(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    if pagename != _PAGE:
        return
    for name in _STYLES:
        app.add_css_file(f"{_FOLDER}{name}.css")
    for name in _SCRIPTS:
        app.add_js_file(f"{_FOLDER}{name}.js", loading_method="defer")
