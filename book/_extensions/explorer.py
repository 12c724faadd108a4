# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Scripts and styles of the explorer, for its page only.

Jupyter Book adds every script and style in ``_static`` to every page.
"""

from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

__all__ = ["setup"]

_PAGE = "explorer"
_FOLDER = "explorer/"
#: Static files from the pipeline.
_GENERATED = "generated/static"
#: In the order of their dependencies.
_SCRIPTS = ("uplot/uPlot.iife.min", "simulate", "models", "state", "script", "plots", "page")
_STYLES = ("uplot/uPlot.min", "explorer")


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    # Sphinx converts the entries to pairs at priority 800.
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
