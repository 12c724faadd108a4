# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Scripts and styles of the explorer, for the pages that show it, and links to it.

Jupyter Book adds every script and style in ``_static`` to every page.

The directive ``small-explorer`` shows one neuron with three of its parameters. The role ``explorer`` is a link to a
firing pattern in the explorer: ``{explorer}`tonic_spiking```.
"""

from typing import Any

from docutils import nodes
from docutils.parsers.rst.states import Inliner
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.util.docutils import SphinxDirective

__all__ = ["setup"]

_PAGE = "explorer"
_FOLDER = "explorer/"
#: Static files from the pipeline.
_GENERATED = "generated/static"
#: In the order of their dependencies.
_COMMON = ("uplot/uPlot.iife.min", "simulate", "random", "models", "controls", "own", "state", "criteria", "plots")
_SCRIPTS = {
    "amat-explorer": (*_COMMON, "curves", "script", "side", "layout", "page"),
    "amat-small-explorer": (*_COMMON, "small"),
}
_STYLES = {
    "amat-explorer": ("uplot/uPlot.min", "explorer", "page"),
    "amat-small-explorer": ("uplot/uPlot.min", "explorer"),
}
_SMALL = """<div id="amat-small-explorer">
  <noscript><p>This part computes in your browser and needs JavaScript.</p></noscript>
</div>"""


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    # Sphinx converts the entries to pairs at priority 800.
    app.connect("config-inited", _configure, priority=400)
    app.connect("html-page-context", _load)
    app.add_directive("small-explorer", SmallExplorer)
    app.add_role("explorer", _link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class SmallExplorer(SphinxDirective):
    """One neuron with the most important of its parameters."""

    def run(self) -> list[nodes.Node]:
        """Return the element that the script fills."""
        return [nodes.raw("", _SMALL, format="html")]


def _link(
    name: str, rawtext: str, text: str, lineno: int, inliner: Inliner, *_: Any
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """Return a link to a pattern in the explorer."""
    page = inliner.document.settings.env.docname
    address = "../" * page.count("/") + f"{_PAGE}.html?pattern={text}"
    label = f"{text.replace('_', ' ').capitalize()} in the explorer"
    return [nodes.reference(rawtext, label, refuri=address, internal=True)], []


def _configure(app: Sphinx, config: Config) -> None:
    config.html_js_files = [file for file in config.html_js_files if not file.startswith(_FOLDER)]
    config.html_css_files = [file for file in config.html_css_files if not file.startswith(_FOLDER)]
    config.html_static_path = [*config.html_static_path, _GENERATED]


def _load(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    body = context.get("body", "")
    for element, scripts in _SCRIPTS.items():
        if f'<div id="{element}"' in body:
            for name in _STYLES[element]:
                app.add_css_file(f"{_FOLDER}{name}.css")
            for name in scripts:
                app.add_js_file(f"{_FOLDER}{name}.js", loading_method="defer")
