# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""From NESTML to a model in NEST: generation, compilation, a cache keyed by content, loading."""

from amat.toolchain.builder import Module, build
from amat.toolchain.catalogue import (
    ABLATION,
    AMAT,
    AMAT_OPT,
    AMAT_UNMODIFIED,
    DEFAULT_MODELS,
    IZHIKEVICH_2004,
    MODELS,
    Codegen,
    Model,
    find_model,
)
from amat.toolchain.errors import ToolchainError
from amat.toolchain.loader import install
from amat.toolchain.mpi import NestBuild, build_nest, install_nest

__all__ = [
    "ABLATION",
    "AMAT",
    "AMAT_OPT",
    "AMAT_UNMODIFIED",
    "DEFAULT_MODELS",
    "IZHIKEVICH_2004",
    "MODELS",
    "Codegen",
    "Model",
    "Module",
    "NestBuild",
    "ToolchainError",
    "build",
    "build_nest",
    "find_model",
    "install",
    "install_nest",
]
