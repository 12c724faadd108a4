# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Code generators that extend NESTML's for NEST: one for fast and small neurons, one that checks parameters."""

from nestml_optimised.versions import check_versions

check_versions()  # before anything that relies on private names of NESTML

from nestml_optimised.checked import CheckedNESTCodeGenerator  # noqa: E402
from nestml_optimised.errors import (  # noqa: E402
    InstallationError,
    ModelError,
    NestmlOptimisedError,
    OptionError,
    UnsupportedModelError,
    UnsupportedVersionError,
)
from nestml_optimised.frontend import generate, generate_nest_target, parse_models  # noqa: E402
from nestml_optimised.optimised import OptimisedNESTCodeGenerator  # noqa: E402
from nestml_optimised.transformer import (  # noqa: E402
    OrderedConvolutionsTransformer,
    SystemMatrixTransformer,
    replace_transformers,
)

__all__ = [
    "CheckedNESTCodeGenerator",
    "InstallationError",
    "ModelError",
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
