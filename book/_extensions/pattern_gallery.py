# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The directive ``pattern-gallery``: one panel per firing pattern, which opens its page.

The panels show AMAT's response, from the results of the patterns' notebooks, with the criterion. Classes name the part
of the threshold that a pattern needs; ``_static/pattern_filter.js`` filters by them and by words.
"""

from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from amat.analysis.patterns import CRITERIA
from amat.neurons import validated_patterns
from amat.neurons.published import pattern_label

__all__ = ["setup"]

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("pattern-gallery", PatternGallery)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


class PatternGallery(SphinxDirective):
    """A grid of panels in the order of the patterns."""

    def run(self) -> list[nodes.Node]:
        """Return the grid."""
        root = Path(self.env.srcdir).parent
        gallery = nodes.bullet_list(classes=["pattern-gallery"])
        for name, pattern in validated_patterns().items():
            thumbnail = Path("results", "patterns", name, "thumbnail.svg")
            if not (root / thumbnail).is_file():
                logger.warning("%s is missing: run `amat reproduce`.", thumbnail, location=self.get_location())
                continue
            self.env.note_dependency(str(root / thumbnail))
            label = pattern_label(name)
            label = label[0].upper() + label[1:]
            link = addnodes.pending_xref(
                "",
                nodes.inline("", label, classes=["doc"]),
                refdoc=self.env.docname,
                refdomain="std",
                reftype="doc",
                reftarget=f"/notebooks/patterns/{name}",
                refexplicit=True,
                refwarn=True,
            )
            image = nodes.image(uri=f"/../{thumbnail.as_posix()}", alt=f"{label}: potential and threshold of AMAT.")
            gallery += nodes.list_item(
                "",
                nodes.paragraph("", "", link, classes=["pattern-name"]),
                image,
                nodes.paragraph("", CRITERIA[name].statement, classes=["pattern-criterion"]),
                classes=["pattern-panel", *needs(pattern.parameters)],
            )
        return [gallery]


def needs(parameters: Any) -> list[str]:
    """Return the parts of the threshold that a pattern needs, as classes: ``beta``, ``negative-alpha``, ``simple``."""
    found = ["beta"] if parameters.beta else []
    if min(parameters.alpha_1, parameters.alpha_2) < 0:
        found.append("negative-alpha")
    return found or ["simple"]
