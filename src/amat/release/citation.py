# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""How the project is cited: ``CITATION.cff`` is the one source, and what other services read is made from it."""

import html
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from amat.errors import AmatError
from amat.files import write_text

__all__ = ["SOURCE", "codemeta", "derived_files", "outdated_files", "read_citation", "write_derived", "zenodo_metadata"]

#: At the top of the checkout, in the Citation File Format 1.2.0.
SOURCE = "CITATION.cff"


def read_citation(root: Path) -> dict[str, Any]:
    """Return what ``CITATION.cff`` says.

    Parameters
    ----------
    root : pathlib.Path
        The folder that holds it.

    Raises
    ------
    AmatError
        If the file cannot be read, or lacks what is needed to cite.
    """
    path = root / SOURCE
    try:
        citation = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise AmatError(f"{path} cannot be read: {error}") from error
    needed = ("title", "abstract", "version", "license", "authors", "keywords", "references")
    lacking = [key for key in needed if not isinstance(citation, dict) or not citation.get(key)]
    if lacking:
        raise AmatError(f"{path} lacks {', '.join(lacking)}: write it there; other files are made from it.")
    return dict(citation)


def zenodo_metadata(citation: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a deposit at Zenodo, as its API and ``.zenodo.json`` have them.

    Parameters
    ----------
    citation : mapping
        As `read_citation` returns it.

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
        As `read_citation` returns it.

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
    """Return the text of each file that is made from ``CITATION.cff``."""
    citation = read_citation(root)
    made = {".zenodo.json": zenodo_metadata(citation), "codemeta.json": codemeta(citation)}
    return {root / name: json.dumps(value, indent=2, ensure_ascii=False) + "\n" for name, value in made.items()}


def outdated_files(root: Path) -> list[Path]:
    """Return the files that do not say what ``CITATION.cff`` says, or are missing."""
    return [
        path
        for path, text in derived_files(root).items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]


def write_derived(root: Path) -> list[Path]:
    """Write the files that are made from ``CITATION.cff``, and return them."""
    made = derived_files(root)
    for path, text in made.items():
        write_text(path, text)
    return list(made)


def _name(author: Mapping[str, str]) -> str:
    """Return an author as catalogues sort them: a person's family name first; an organisation's name."""
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
