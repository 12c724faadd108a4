# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Settings in YAML files, checked against a schema."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from amat.errors import AmatError
from amat.files import load_yaml

__all__ = ["read_yaml"]

#: The validator of JSON Schema for which 3.0 is no integer.
_Validator = jsonschema.validators.extend(  # type: ignore[no-untyped-call]
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def read_yaml(path: Path, schema: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Read a YAML file and check it against a schema.

    Parameters
    ----------
    path : pathlib.Path
    schema : mapping
        JSON Schema, of an object.
    what : str
        The file's description in messages, as the beginning of a sentence.

    Raises
    ------
    AmatError
        If the file cannot be read, has a key twice, a key that is no text or a number that is not finite, or does not
        fit the schema.
    """
    settings = load_yaml(path, what)
    try:
        fault = _find_fault(settings)
    except RecursionError:
        fault = "the top level: an alias refers to itself"
    if fault:
        raise AmatError(f"{what} {path} is wrong at {fault}.")
    wrong = jsonschema.exceptions.best_match(_Validator(schema).iter_errors(settings))
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.absolute_path) or "the top level"
        raise AmatError(f"{what} {path} is wrong at {where}: {wrong.message}.")
    assert isinstance(settings, dict)
    return settings


def _find_fault(value: Any, place: str = "") -> str:
    """Return the place, keys joined by dots, and kind of the first fault that no schema finds; "" without one."""
    where = place or "the top level"
    if isinstance(value, float | int):
        return "" if -sys.float_info.max <= value <= sys.float_info.max else f"{where}: numbers must be finite"
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        if isinstance(value, Mapping) and not isinstance(key, str):
            return f"{where}: the key {key} is no text; put it in quotes"
        if fault := _find_fault(entry, f"{place}.{key}".lstrip(".")):
            return fault
    return ""
