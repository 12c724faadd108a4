# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""NESTML models as modules of NEST: generation, compilation, cache and loading.

May import `amat.neurons` and the foundation.
"""

from amat.toolchain.builder import Module, build, build_together, check_compiler, check_nest
from amat.toolchain.catalogue import (
    ABLATION,
    AMAT,
    AMAT_ESCAPE,
    AMAT_OPT,
    AMAT_UNMODIFIED,
    DEFAULT_MODELS,
    IZHIKEVICH_2004,
    SHIPPED_MODELS,
    Codegen,
    Model,
    find_fallback,
    find_model,
)
from amat.toolchain.errors import ToolchainError, UnsupportedError
from amat.toolchain.loader import install
from amat.toolchain.mpi import NestBuild, build_nest, install_nest
from amat.toolchain.upgrade import upgrade_syntax

__all__ = [
    "ABLATION",
    "AMAT",
    "AMAT_ESCAPE",
    "AMAT_OPT",
    "AMAT_UNMODIFIED",
    "DEFAULT_MODELS",
    "IZHIKEVICH_2004",
    "SHIPPED_MODELS",
    "Codegen",
    "Model",
    "Module",
    "NestBuild",
    "ToolchainError",
    "UnsupportedError",
    "build",
    "build_nest",
    "build_together",
    "check_compiler",
    "check_nest",
    "find_fallback",
    "find_model",
    "install",
    "install_nest",
    "upgrade_syntax",
]
