# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The common base of the code generators: NESTML's generator with other templates for neurons."""

from pathlib import Path
from typing import Any

import pynestml.codegeneration
from pynestml.codegeneration.nest_code_generator import NESTCodeGenerator

__all__ = ["NO_TIME", "TemplateGenerator", "template_option"]

_TEMPLATES = Path(__file__).parent / "templates"
_NESTML_TEMPLATES = Path(pynestml.codegeneration.__file__).parent / "resources_nest" / "point_neuron"

#: Replaces the time of generation that NESTML writes into the code, so that equal models give equal code.
NO_TIME = "not recorded"


def template_option(folder: str) -> dict[str, Any]:
    """Return NESTML's option ``templates`` for neurons' templates in a folder, and NESTML's for the rest."""
    return {
        "path": str(_TEMPLATES / folder),
        "model_templates": {
            "neuron": ["@NEURON_NAME@.h.jinja2", "@NEURON_NAME@.cpp.jinja2"],
            "synapse": [str(_NESTML_TEMPLATES / "@SYNAPSE_NAME@.h.jinja2")],
        },
        "module_templates": [str(_NESTML_TEMPLATES / "setup")],
    }


class TemplateGenerator(NESTCodeGenerator):  # type: ignore[misc]  # NESTML is not typed
    """NESTML's code generator for NEST, whose templates may include NESTML's."""

    def _setup_template_env(self, template_files: list[str], templates_root_dir: str) -> list[Any]:
        templates: list[Any] = super()._setup_template_env(template_files, templates_root_dir)
        for template in templates:
            template.environment.loader.searchpath.append(str(_NESTML_TEMPLATES))
        return templates

    def _get_module_namespace(self, *arguments: Any) -> dict[str, Any]:
        namespace: dict[str, Any] = super()._get_module_namespace(*arguments)
        return namespace | {"now": NO_TIME}
