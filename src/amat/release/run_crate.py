# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later
"""Description of an archive and its runs as an RO-Crate with the profile Process Run Crate."""

import dataclasses
import datetime
import json
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote

from rocrate.model.contextentity import ContextEntity  # type: ignore[import-untyped]
from rocrate.model.softwareapplication import SoftwareApplication  # type: ignore[import-untyped]
from rocrate.rocrate import ROCrate  # type: ignore[import-untyped]

__all__ = ["METADATA", "PROFILE", "SPECIFICATION", "Run", "describe"]

#: Name of the file, as the specification requires.
METADATA = "ro-crate-metadata.json"
#: Version of RO-Crate that the profile requires.
SPECIFICATION = "1.1"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"

#: Packages that run a notebook, with their names and addresses.
_INSTRUMENTS: Mapping[str, tuple[str, str]] = {
    "papermill": ("papermill", "https://papermill.readthedocs.io"),
    "nest-simulator": ("NEST", "https://www.nest-simulator.org"),
    "nestml": ("NESTML", "https://nestml.readthedocs.io"),
}
_LICENCES: Mapping[str, str] = {
    "GPL-2.0-or-later": "GNU General Public License v2.0 or later: the code",
    "CC-BY-4.0": "Creative Commons Attribution 4.0 International: text and figures",
}
#: Descriptions of folders.
_FOLDERS: Mapping[str, str] = {
    "data": "Published and validated parameters, reference tables and measurements; its README is a data dictionary",
    "models": "Models in NESTML",
    "notebooks": "Notebooks without outputs, with their default parameters",
    "outputs": "Outputs of the workflow",
    "outputs/generated": "Generated code shown on the site",
    "outputs/notebooks": "Executed notebooks",
    "outputs/results": "Tables and figures of each notebook, with their provenance",
    "outputs/site": "The site",
    "src": "The library",
    "workflow": "The Snakemake workflow that creates all outputs",
}
_FORMATS: Mapping[str, str] = {
    ".cff": "application/yaml",
    ".csv": "text/csv",
    ".gz": "application/gzip",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".md": "text/markdown",
    ".nestml": "text/plain",
    ".svg": "image/svg+xml",
    ".toml": "application/toml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


@dataclasses.dataclass(frozen=True)
class Run:
    """The execution of a notebook.

    Attributes
    ----------
    name : str
        Name of its outputs.
    notebook : str
        File name of the notebook.
    parameters : mapping
        Parameters passed to the notebook.
    versions : mapping
        Versions of the packages used.
    commit : str or None
        Commit of the sources.
    started, ended : datetime.datetime or None
        Start and end with a time zone, if known.
    """

    name: str
    notebook: str
    parameters: Mapping[str, Any]
    versions: Mapping[str, str]
    commit: str | None
    started: datetime.datetime | None = None
    ended: datetime.datetime | None = None


def describe(
    members: Mapping[str, Any], runs: Iterable[Run], citation: Mapping[str, Any], commit: str, date: int
) -> dict[str, Any]:
    """Return the metadata of an archive.

    Each run is an action by papermill, NEST and NESTML. Its objects are the notebook, its parameters, the models and
    the data; its results are the executed notebook, tables and figures. Equal runs give equal metadata.

    Parameters
    ----------
    members : mapping
        The archive's files by their names in it.
    runs : iterable of Run
    citation : mapping
        From `amat.release.citation.read_citation`.
    commit : str
        Commit of the sources.
    date : int
        Time of the commit in seconds since 1970. It stands in for the date of publication, which is not yet known.

    Returns
    -------
    dict
        The content of ``ro-crate-metadata.json``.

    References
    ----------
    RO-Crate 1.1; Process Run Crate 0.5, https://w3id.org/ro/wfrun/process/0.5
    """
    crate = ROCrate(version=SPECIFICATION)
    _describe_root(crate, citation, commit, date)
    folders = {name.split("/")[0] for name in members if "/" in name}
    folders |= {name for name in _FOLDERS if any(member.startswith(f"{name}/") for member in members)}
    for name in sorted(folders):
        described = {"name": name} | ({"description": _FOLDERS[name]} if name in _FOLDERS else {})
        crate.add_dataset(dest_path=name, properties=described)
    for name in sorted(members):
        if "/" not in name or name.startswith(("models/", "notebooks/")):
            _file(crate, name)
    common = [
        *(_file(crate, name) for name in sorted(members) if name.startswith("models/")),
        _file(crate, "outputs/results/modules.json"),
        crate.dereference("data/"),
    ]
    crate.root_dataset["mentions"] = [_describe_run(crate, run, members, common) for run in runs]
    metadata: dict[str, Any] = crate.metadata.generate()
    return metadata


def _describe_run(crate: Any, run: Run, members: Iterable[str], common: list[Any]) -> Any:
    """Add an action with its objects and results, and return it."""
    made = [name for name in sorted(members) if name.startswith(f"outputs/results/{run.name}/")]
    action = crate.add_action(
        [_instrument(crate, package, run.versions[package]) for package in _INSTRUMENTS if package in run.versions],
        identifier=f"#run-{run.name}",
        object=[
            _file(crate, f"notebooks/{run.notebook}"),
            *(_parameter(crate, run.name, name, value) for name, value in sorted(run.parameters.items())),
            *common,
        ],
        result=[_file(crate, name) for name in (f"outputs/notebooks/{run.name}.ipynb", *made)],
        properties={
            "@type": "CreateAction",
            "name": f"Execution of {run.notebook}" + (f" for {run.name}" if "/" in run.name else ""),
            "description": f"papermill executed {run.notebook} with the sources of the commit {run.commit}.",
            "actionStatus": "http://schema.org/CompletedActionStatus",
        },
    )
    for key, time in (("startTime", run.started), ("endTime", run.ended)):
        if time:
            action[key] = time.isoformat(timespec="seconds")
    return action


def _describe_root(crate: Any, citation: Mapping[str, Any], commit: str, date: int) -> None:
    """Describe the archive itself."""
    root = crate.root_dataset
    root["name"] = citation["title"]
    root["description"] = citation["abstract"]
    root["keywords"] = citation["keywords"]
    root["version"] = citation["version"]
    root["identifier"] = commit
    root.datePublished = datetime.datetime.fromtimestamp(date, datetime.UTC)
    root["conformsTo"] = _entity(crate, PROFILE, "CreativeWork", name="Process Run Crate", version="0.5")
    root["license"] = [
        _entity(crate, f"https://spdx.org/licenses/{licence}", "CreativeWork", name=licence, description=text)
        for licence, text in _LICENCES.items()
    ]
    root["author"] = [_author(crate, number, author) for number, author in enumerate(citation["authors"], start=1)]
    root["citation"] = [
        _entity(crate, f"https://doi.org/{work['doi']}", "ScholarlyArticle", name=work["title"])
        for work in citation["references"]
        if "doi" in work
    ]


def _author(crate: Any, number: int, author: Mapping[str, str]) -> Any:
    identifier = author.get("orcid", f"#author-{number}")
    if "name" in author:
        return _entity(crate, identifier, "Organization", name=author["name"])
    parts = ("given-names", "family-names")
    return _entity(crate, identifier, "Person", name=" ".join(author[part] for part in parts if part in author))


def _instrument(crate: Any, package: str, version: str) -> Any:
    name, address = _INSTRUMENTS[package]
    properties = {"name": name, "softwareVersion": version, "url": address}
    return crate.add(SoftwareApplication(crate, f"#{package}-{version}", properties=properties))


def _parameter(crate: Any, run: str, name: str, value: Any) -> Any:
    shown = value if isinstance(value, str | int | float) else json.dumps(value)
    return _entity(crate, f"#parameter-{run}-{name}", "PropertyValue", name=name, value=shown)


def _entity(crate: Any, identifier: str, kind: str, **properties: Any) -> Any:
    return crate.add(ContextEntity(crate, identifier, properties={"@type": kind, **properties}))


def _file(crate: Any, name: str) -> Any:
    """Return the entity of a file in the archive, and add it if it is new."""
    if known := crate.dereference(quote(name)):
        return known
    path = PurePosixPath(name)
    known_format = _FORMATS.get(path.suffix)
    properties = {"name": path.name} | ({"encodingFormat": known_format} if known_format else {})
    return crate.add_file(dest_path=name, properties=properties)
