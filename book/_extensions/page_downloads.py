# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Downloads of a notebook's files at the end of its page, and the directive ``downloads`` for other pages.

The directive's content is a list of patterns of files, relative to the project's root.
"""

import json
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

__all__ = ["RECORD", "record_of", "setup"]

#: The file in a notebook's folder of results with its provenance.
RECORD = "provenance.json"
#: Folder of the executed notebooks among the pages.
NOTEBOOKS = "notebooks/"

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the extension."""
    app.add_directive("downloads", Downloads)
    app.add_transform(AddDownloads)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def record_of(page: str, root: Path) -> Path:
    """Return the path of the provenance of a notebook's page."""
    return root / "results" / page.removeprefix(NOTEBOOKS) / RECORD


class Downloads(SphinxDirective):
    """A list of the files that match patterns, with one pattern per line of the content."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """Return the list."""
        root = Path(self.env.srcdir).parent
        files = []
        for pattern in self.content:
            found = sorted(root.glob(pattern))
            if not found:
                logger.warning("No file to download matches %s.", pattern, location=self.get_location())
            files += found
        shared = Path(*self._shared_folder(files))
        return [_list_of([(_link(file, root, str(file.relative_to(shared))),) for file in files])]

    @staticmethod
    def _shared_folder(files: list[Path]) -> list[str]:
        """Return the parts of the innermost folder that contains all files."""
        parts = zip(*(file.parent.parts for file in files), strict=False)
        return [part[0] for part in parts if len(set(part)) == 1]


class AddDownloads(SphinxTransform):
    """Append a section of downloads to the page of a notebook."""

    default_priority = 300

    def apply(self, **_: Any) -> None:
        """Append the section."""
        page = self.env.docname
        if not page.startswith(NOTEBOOKS):
            return
        root = Path(self.env.srcdir).parent
        record = record_of(page, root)
        if not record.is_file():
            logger.warning("%s is missing: run `amat reproduce`.", record.relative_to(root), location=page)
            return
        self.env.note_dependency(str(record))
        source = root / "notebooks" / json.loads(record.read_text(encoding="utf-8"))["notebook"]
        tables = sorted(path for path in record.parent.iterdir() if path.name.endswith((".csv", ".csv.gz")))
        entries = [
            (_link(Path(self.env.srcdir, f"{page}.ipynb"), root), ", this page as a notebook with outputs"),
            (_link(source, root, f"notebooks/{source.name}"), ", its source without outputs"),
            (_link(record, root), ", its provenance: parameters, versions, commit, hashes of the compiled modules"),
        ]
        if tables:
            links: list[nodes.Node | str] = ["Tables: "]
            for table in tables:
                links += [", "] * (len(links) > 1) + [_link(table, root)]
            entries.append(tuple(links))
        section = nodes.section("", nodes.title("", "Downloads"), _list_of(entries), names=["downloads"])
        self.document.note_implicit_target(section, section)
        next(iter(self.document.findall(nodes.section)), self.document).append(section)


def _link(file: Path, root: Path, text: str | None = None) -> addnodes.download_reference:
    # A leading slash refers to the book's folder; the project's root is the folder above.
    target = f"/../{file.relative_to(root).as_posix()}"
    return addnodes.download_reference(
        "", "", nodes.literal("", text or file.name, classes=["xref", "download"]), reftarget=target, refwarn=True
    )


def _list_of(entries: list[tuple[nodes.Node | str, ...]]) -> nodes.bullet_list:
    """Return a list with one item per tuple of nodes and texts."""
    items = []
    for entry in entries:
        paragraph = nodes.paragraph()
        paragraph += [nodes.Text(part) if isinstance(part, str) else part for part in entry]
        items.append(nodes.list_item("", paragraph))
    return nodes.bullet_list("", *items)
