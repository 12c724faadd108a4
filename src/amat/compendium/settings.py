# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Settings in YAML files, checked against a schema."""

import math
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
        If the file cannot be read, has a key twice or a number that is not finite, or does not fit the schema.
    """
    settings = load_yaml(path, what)
    if (where := _find_non_finite(settings)) is not None:
        raise AmatError(f"{what} {path} is wrong at {where or 'the top level'}: numbers must be finite.")
    wrong = jsonschema.exceptions.best_match(_Validator(schema).iter_errors(settings))
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.absolute_path) or "the top level"
        raise AmatError(f"{what} {path} is wrong at {where}: {wrong.message}.")
    assert isinstance(settings, dict)
    return settings


def _find_non_finite(value: Any) -> str | None:
    """Return the place of the first infinite number or NaN, as keys joined by dots; None without one."""
    if isinstance(value, float):
        return None if math.isfinite(value) else ""
    entries = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        if (where := _find_non_finite(entry)) is not None:
            return f"{key}.{where}".rstrip(".")
    return None
