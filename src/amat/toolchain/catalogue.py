"""The models that the project builds, and how each is generated."""

import difflib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amat import paths
from amat.toolchain.errors import ToolchainError

__all__ = ["AMAT", "MODELS", "Model", "find_model"]

#: Official options of NESTML and ODE-toolbox for quick generation: an algebraic matrix exponential instead of the
#: Jordan form, and factored terms instead of an expensive general simplification.
FAST_ANALYTIC = {
    "disable_singularity_detection": True,  # it only warns; the generated code refuses instead
    "use_alternative_expM": True,
    "simplify_expression": "sympy.factor_terms(expr)",
}


@dataclass(frozen=True)
class Model:
    """A NESTML model and the way to generate it.

    Attributes
    ----------
    source : pathlib.Path
        The NESTML file.
    suffix : str
        What NESTML adds to the model's name to make its name in NEST.
    options : dict
        NESTML's options for the target NEST.
    """

    source: Path
    suffix: str = "_nestml"
    options: dict[str, Any] = field(default_factory=lambda: dict(FAST_ANALYTIC))

    @property
    def name(self) -> str:
        """The model's name in NEST."""
        return self.source.stem + self.suffix


def _library(name: str) -> Path:
    """Return the path of a model in the library that comes with NESTML."""
    return Path(sys.prefix) / "models" / "neurons" / f"{name}.nestml"


#: The name in NEST of the model that the project is about.
AMAT = "amat2_psc_exp_neuron_nestml"

#: What ``amat build`` builds, by name in NEST.
MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(paths.MODELS / "amat2_psc_exp_neuron.nestml"),
        Model(_library("izhikevich_neuron")),  # GSL's adaptive Runge-Kutta 4(5), NESTML's default
        Model(_library("izhikevich_neuron"), suffix="_nestml_euler", options={"numeric_solver": "forward-Euler"}),
        Model(_library("mat2_psc_exp_neuron")),
        Model(_library("iaf_psc_exp_neuron")),
    )
}


def find_model(name: str) -> Model:
    """Return the model that a name in NEST or the path of a NESTML file stands for.

    Raises
    ------
    ToolchainError
        If there is no such model; the message names those that come nearest.
    """
    if name in MODELS:
        return MODELS[name]
    if name.endswith(".nestml"):
        path = Path(name).absolute()
        if not path.is_file():
            raise ToolchainError(f"There is no file {path}: give the path of a NESTML model.")
        return Model(path)
    near = difflib.get_close_matches(name, MODELS, n=3, cutoff=0.3) or list(MODELS)
    raise ToolchainError(
        f"Unknown model {name!r}. Near to it: {', '.join(near)}; "
        f"a path that ends in .nestml builds a model of your own."
    )
