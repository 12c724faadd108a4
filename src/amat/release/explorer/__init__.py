# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""What the book's interactive page computes with: the models as JavaScript, the firing patterns as data."""

from amat.release.explorer.content import MODELS, content
from amat.release.explorer.javascript import translate

__all__ = ["MODELS", "content", "script", "translate"]


def script() -> str:
    """Return the JavaScript that the page loads: both models, and what it offers to choose from.

    To be called once in a process, since NESTML keeps its state in globals.

    Raises
    ------
    nestml_optimised.UnsupportedModelError
        If a model has something that has no translation.
    """
    import json

    models = translate(list(MODELS.values()))
    parts = [
        "// Made by scripts/write_explorer.py from the NESTML models and the firing patterns: change those, not this.",
        "(function () {",
        '"use strict";',
        "const explorer = (window.AmatExplorer = window.AmatExplorer || {});",
        "explorer.models = {};",
        *(f"explorer.models.{name} = {models[path.stem]};" for name, path in MODELS.items()),
        # Infinity, which JSON does not know, is JavaScript.
        f"explorer.content = {json.dumps(content(), indent=1, ensure_ascii=False)};",
        "})();",
    ]
    return "\n\n".join(parts) + "\n"
