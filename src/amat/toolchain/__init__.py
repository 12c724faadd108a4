"""From NESTML to a model in NEST: generation, compilation, a cache keyed by content, loading."""

from amat.toolchain.builder import Module, build
from amat.toolchain.catalogue import ABLATION, AMAT, AMAT_OPT, IZHIKEVICH_2004, MODELS, Model, find_model
from amat.toolchain.errors import ToolchainError
from amat.toolchain.loader import install

__all__ = [
    "ABLATION",
    "AMAT",
    "AMAT_OPT",
    "IZHIKEVICH_2004",
    "MODELS",
    "Model",
    "Module",
    "ToolchainError",
    "build",
    "find_model",
    "install",
]
