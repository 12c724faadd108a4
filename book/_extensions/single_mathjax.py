# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""MathJax loaded once, and only on pages with equations.

Jupyter Book adds every script in ``_static`` to every page, including MathJax. Sphinx itself adds MathJax to the pages
that need it.
"""

from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config

__all__ = ["setup"]


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    # Sphinx converts the entries to pairs at priority 800.
    app.connect("config-inited", _leave_mathjax_to_sphinx, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _leave_mathjax_to_sphinx(app: Sphinx, config: Config) -> None:
    config.html_js_files = [script for script in config.html_js_files if script != config.mathjax_path]
