# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Citation metadata for Zenodo and CodeMeta, generated from ``CITATION.cff``."""

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from amat.errors import AmatError
from amat.files import load_yaml, write_text

__all__ = ["SOURCE", "codemeta", "derived_files", "outdated_files", "read_citation", "write_derived", "zenodo_metadata"]

#: In the root of the checkout, in the Citation File Format 1.2.0.
SOURCE = "CITATION.cff"


def read_citation(root: Path) -> dict[str, Any]:
    """Read ``CITATION.cff``.

    Parameters
    ----------
    root : pathlib.Path
        The folder that contains it.

    Raises
    ------
    AmatError
        If the file cannot be read, or a required entry is missing.
    """
    path = root / SOURCE
    citation = load_yaml(path, "The citation")
    needed = ("title", "abstract", "version", "license", "authors", "keywords", "references")
    missing = [key for key in needed if not isinstance(citation, dict) or not citation.get(key)]
    if missing:
        raise AmatError(f"{path} has no {', '.join(missing)}: add the missing entries.")
    return dict(citation)


def zenodo_metadata(citation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a Zenodo deposit, in the form of its API and of ``.zenodo.json``.

    Parameters
    ----------
    citation : mapping
        From `read_citation`.

    References
    ----------
    https://developers.zenodo.org/#representation
    """
    released = {"publication_date": str(citation["date-released"])} if "date-released" in citation else {}
    return {
        "title": citation["title"],
        "upload_type": "software",
        "description": f"<p>{html.escape(citation['abstract'], quote=False)}</p>",
        "creators": [{"name": _name(author)} for author in citation["authors"]],
        "version": citation["version"],
        **released,
        "access_right": "open",
        "license": citation["license"].lower(),
        "keywords": citation["keywords"],
        "related_identifiers": [
            {"identifier": work["doi"], "relation": "cites", "resource_type": "publication-article"}
            for work in citation["references"]
            if "doi" in work
        ],
    }


def codemeta(citation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the description of the software in CodeMeta 3.0.

    Parameters
    ----------
    citation : mapping
        From `read_citation`.

    References
    ----------
    https://w3id.org/codemeta/3.0
    """
    optional = {
        "identifier": f"https://doi.org/{citation['doi']}" if "doi" in citation else None,
        "datePublished": str(citation["date-released"]) if "date-released" in citation else None,
        "codeRepository": citation.get("repository-code"),
    }
    return {
        "@context": "https://w3id.org/codemeta/3.0",
        "type": "SoftwareSourceCode",
        "name": citation["title"],
        "description": citation["abstract"],
        "version": citation["version"],
        **{key: value for key, value in optional.items() if value},
        "license": f"https://spdx.org/licenses/{citation['license']}",
        "author": [_agent(author) for author in citation["authors"]],
        "keywords": citation["keywords"],
        "referencePublication": [_article(work) for work in citation["references"]],
    }


def derived_files(root: Path) -> dict[Path, str]:
    """Return the text of each file that is generated from ``CITATION.cff``."""
    citation = read_citation(root)
    contents = {".zenodo.json": zenodo_metadata(citation), "codemeta.json": codemeta(citation)}
    return {root / name: json.dumps(value, indent=2, ensure_ascii=False) + "\n" for name, value in contents.items()}


def outdated_files(root: Path) -> list[Path]:
    """Return the generated files that are missing or do not agree with ``CITATION.cff``."""
    return [
        path
        for path, text in derived_files(root).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def write_derived(root: Path) -> list[Path]:
    """Write the files that are generated from ``CITATION.cff``, and return their paths."""
    files = derived_files(root)
    for path, text in files.items():
        write_text(path, text)
    return list(files)


def _name(author: Mapping[str, str]) -> str:
    """Return an author's name as in catalogues, with the family name of a person first."""
    if "name" in author:
        return author["name"]
    return ", ".join(author[part] for part in ("family-names", "given-names") if part in author)


def _agent(author: Mapping[str, str]) -> dict[str, str]:
    if "name" in author:
        return {"type": "Organization", "name": author["name"]}
    names = {"familyName": author.get("family-names"), "givenName": author.get("given-names")}
    agent = {"type": "Person", **{key: value for key, value in names.items() if value}}
    return agent | ({"id": author["orcid"]} if "orcid" in author else {})


def _article(work: Mapping[str, Any]) -> dict[str, Any]:
    article: dict[str, Any] = {"type": "ScholarlyArticle"}
    if "doi" in work:
        article["id"] = f"https://doi.org/{work['doi']}"
    return article | {
        "name": work["title"],
        "author": [_agent(author) for author in work["authors"]],
        "isPartOf": {"type": "Periodical", "name": work["journal"]},
        "datePublished": str(work["year"]),
    }
