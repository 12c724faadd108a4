"""Code generation: NESTML's own generator, with parameters that are checked before they take effect."""

from amat.codegen.checked import CheckedNESTCodeGenerator

__all__ = ["CheckedNESTCodeGenerator"]
