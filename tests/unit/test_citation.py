# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Consistent citation metadata in all files."""

import datetime
import json
import shutil
import tomllib

import jsonschema
import pytest
import yaml

from amat.errors import AmatError
from amat.release.citation import codemeta, outdated_files, read_citation, write_derived, zenodo_metadata


def plain(path):
    """Return the content of a YAML file with dates as text, as the schema requires."""
    return json.loads(json.dumps(yaml.safe_load(path.read_text()), default=str))


def test_citation_fits_the_schema_of_its_format(root):
    """The schema is the published one of the Citation File Format 1.2.0."""
    schema = json.loads((root / "tests" / "data" / "citation-file-format-1.2.0.schema.json").read_text())
    assert schema["$id"].endswith("/1.2.0/schema.json")
    check = jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
    citation = plain(root / "CITATION.cff")
    assert [error.message for error in check.iter_errors(citation)] == []
    assert list(check.iter_errors({**citation, "licence": "MIT"}))


def test_citation_and_package_agree_on_version_and_licence(root):
    citation = read_citation(root)
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert set(project["keywords"]) <= set(citation["keywords"])


def test_files_for_other_services_agree_with_the_citation(root):
    assert outdated_files(root) == []


def test_identifiers_are_those_of_the_citation(root):
    """Related identifiers are those of the papers; the work has one after it has been deposited."""
    citation = read_citation(root)
    papers = {work["doi"] for work in citation["references"]}
    assert {item["identifier"] for item in zenodo_metadata(citation)["related_identifiers"]} == papers
    assert codemeta(citation).get("identifier") == (f"https://doi.org/{citation['doi']}" if "doi" in citation else None)


def test_date_and_doi_of_a_release_are_included(root):
    citation = read_citation(root)
    doi = citation["references"][0]["doi"]  # a substitute for the DOI of the work
    released = {**citation, "date-released": datetime.date(2030, 1, 2), "doi": doi}
    assert zenodo_metadata(released)["publication_date"] == "2030-01-02"
    assert codemeta(released)["datePublished"] == "2030-01-02"
    assert codemeta(released)["identifier"] == f"https://doi.org/{doi}"


def test_names_of_persons_and_organisations(root):
    author = {"family-names": "Doe", "given-names": "Jo"}
    creators = zenodo_metadata({**read_citation(root), "authors": [author, {"name": "A group"}]})["creators"]
    assert [creator["name"] for creator in creators] == ["Doe, Jo", "A group"]


def test_outdated_files_are_detected_and_updated(root, tmp_path):
    shutil.copy(root / "CITATION.cff", tmp_path)
    assert [path.name for path in outdated_files(tmp_path)] == [".zenodo.json", "codemeta.json"]
    write_derived(tmp_path)
    assert outdated_files(tmp_path) == []
    changed = (tmp_path / "CITATION.cff").read_text().replace("version: ", "version: 9")
    (tmp_path / "CITATION.cff").write_text(changed)
    assert [path.name for path in outdated_files(tmp_path)] == [".zenodo.json", "codemeta.json"]


def test_incomplete_citation_is_reported(tmp_path):
    (tmp_path / "CITATION.cff").write_text("title: x\n")
    with pytest.raises(AmatError, match="has no abstract, version"):
        read_citation(tmp_path)
    (tmp_path / "CITATION.cff").unlink()
    with pytest.raises(AmatError, match="cannot be read"):
        read_citation(tmp_path)
