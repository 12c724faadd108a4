# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Code generation for NEST: NESTML's own with checked parameters, and one for fast and small neurons."""

from amat.codegen.checked import CheckedNESTCodeGenerator
from amat.codegen.errors import UnsupportedModelError
from amat.codegen.optimised import OptimisedNESTCodeGenerator
from amat.codegen.transformer import OrderedConvolutionsTransformer, SystemMatrixTransformer, replace_transformers

__all__ = [
    "CheckedNESTCodeGenerator",
    "OptimisedNESTCodeGenerator",
    "OrderedConvolutionsTransformer",
    "SystemMatrixTransformer",
    "UnsupportedModelError",
    "replace_transformers",
]
