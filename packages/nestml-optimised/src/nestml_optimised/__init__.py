# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Code generators that extend NESTML's for NEST: one for fast and small neurons, one that checks parameters."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from nestml_optimised.errors import (
    InstallationError,
    ModelError,
    ModelWarning,
    NestmlOptimisedError,
    OptionError,
    UnsupportedModelError,
    UnsupportedVersionError,
)
from nestml_optimised.versions import check_versions

if TYPE_CHECKING:
    from nestml_optimised.checked import CheckedNESTCodeGenerator
    from nestml_optimised.frontend import generate, generate_nest_target, parse_models
    from nestml_optimised.optimised import OptimisedNESTCodeGenerator
    from nestml_optimised.transformer import (
        OrderedConvolutionsTransformer,
        SystemMatrixTransformer,
        replace_transformers,
    )

__all__ = [
    "CheckedNESTCodeGenerator",
    "InstallationError",
    "ModelError",
    "ModelWarning",
    "NestmlOptimisedError",
    "OptimisedNESTCodeGenerator",
    "OptionError",
    "OrderedConvolutionsTransformer",
    "SystemMatrixTransformer",
    "UnsupportedModelError",
    "UnsupportedVersionError",
    "generate",
    "generate_nest_target",
    "parse_models",
    "replace_transformers",
]

check_versions()  # before anything that relies on private names of NESTML

#: The modules of names that are imported on first use, because NESTML takes a second to import.
_MODULES = {
    "CheckedNESTCodeGenerator": "checked",
    "OptimisedNESTCodeGenerator": "optimised",
    "OrderedConvolutionsTransformer": "transformer",
    "SystemMatrixTransformer": "transformer",
    "generate": "frontend",
    "generate_nest_target": "frontend",
    "parse_models": "frontend",
    "replace_transformers": "transformer",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
