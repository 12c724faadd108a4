# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Code generation for NEST: NESTML's own with checked parameters, and one for fast and small neurons."""

from nestml_optimised.checked import CheckedNESTCodeGenerator
from nestml_optimised.errors import UnsupportedModelError
from nestml_optimised.optimised import OptimisedNESTCodeGenerator
from nestml_optimised.transformer import OrderedConvolutionsTransformer, SystemMatrixTransformer, replace_transformers

__all__ = [
    "CheckedNESTCodeGenerator",
    "OptimisedNESTCodeGenerator",
    "OrderedConvolutionsTransformer",
    "SystemMatrixTransformer",
    "UnsupportedModelError",
    "replace_transformers",
]
