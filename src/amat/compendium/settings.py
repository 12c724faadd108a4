# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Settings in YAML files, checked against a schema."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from amat.errors import AmatError

__all__ = ["read_yaml"]


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
        If the file cannot be read, or a key or value does not fit the schema.
    """
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AmatError(f"{what} {path} cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise AmatError(f"{what} {path} is not YAML: {error}") from error
    wrong = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(settings))
    if wrong is not None:
        where = ".".join(str(part) for part in wrong.absolute_path) or "the top level"
        raise AmatError(f"{what} {path} is wrong at {where}: {wrong.message}.")
    assert isinstance(settings, dict)
    return settings
