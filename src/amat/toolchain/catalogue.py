# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The models that the project builds, and how each is generated."""

import difflib
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from amat import paths
from amat.toolchain.errors import ToolchainError

__all__ = ["ABLATION", "AMAT", "AMAT_OPT", "IZHIKEVICH_2004", "MODELS", "Model", "find_model"]

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
        Options of the code generator.
    codegen : {"stock", "opt"}
        NESTML's own templates, or `nestml_optimised.OptimisedNESTCodeGenerator`.
    fallback : bool
        Whether NESTML's own templates are used if the optimised generator does not serve the model.
    label : str
        What distinguishes it from others of the same source, for tables and plots.
    """

    source: Path
    suffix: str = "_nestml"
    options: dict[str, Any] = field(default_factory=lambda: dict(FAST_ANALYTIC))
    codegen: Literal["stock", "opt"] = "stock"
    fallback: bool = False
    label: str = ""

    @property
    def name(self) -> str:
        """The model's name in NEST."""
        return self.source.stem + self.suffix

    def read(self) -> str:
        """Return the NESTML text.

        Raises
        ------
        ToolchainError
            If the file cannot be read as UTF-8.
        """
        try:
            return self.source.read_text(encoding="utf-8")
        except OSError as error:
            raise ToolchainError(f"{self.source} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ToolchainError(f"{self.source} is not UTF-8: save it in that encoding ({error}).") from error


def _library(name: str) -> Path:
    """Return the path of a model in the library that comes with NESTML."""
    return Path(sys.prefix) / "models" / "neurons" / f"{name}.nestml"


def _optimised(source: Path, suffix: str = "_opt", label: str = "", **options: Any) -> Model:
    return Model(source, suffix=suffix, options=options, codegen="opt", label=label)


#: The name in NEST of the model that the project is about, as NESTML's own templates make it.
AMAT = "amat2_psc_exp_neuron_nestml"

#: The same, as the project's own code generator makes it.
AMAT_OPT = "amat2_psc_exp_neuron_opt"

#: Izhikevich's neuron step by step as in his script of 2004.
IZHIKEVICH_2004 = "izhikevich_2004_neuron_nestml"

_AMAT_SOURCE = paths.MODELS / "amat2_psc_exp_neuron.nestml"

#: Everything that the options of the optimised code generator can switch off.
_PLAIN = {
    "buffers": "nest",
    "archiving": "eager",
    "share_propagators": False,
    "input_free_loop": False,
    "slice_skipping": False,
    "fma_clones": False,
}


def _ablation() -> tuple[Model, ...]:
    """Return AMAT with one optimisation after the other."""
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("state in local variables", {}),
        ("+ buffers on demand", {"buffers": "on_demand"}),
        ("+ archiving on demand", {"archiving": "lazy"}),
        ("+ shared propagators", {"share_propagators": True}),
        ("+ loop without input", {"input_free_loop": True}),
        ("+ fused multiply-add", {"fma_clones": True}),
        ("+ slices skipped", {"slice_skipping": True}),
    )
    models: list[Model] = []
    options: dict[str, Any] = dict(_PLAIN)
    for number, (label, change) in enumerate(steps):
        options |= change
        models.append(_optimised(_AMAT_SOURCE, f"_step{number}", label, **options))
    return tuple(models)


#: AMAT by the optimised code generator, with one optimisation more in each.
ABLATION = _ablation()

#: What ``amat build`` builds, by name in NEST.
MODELS: dict[str, Model] = {
    model.name: model
    for model in (
        Model(_AMAT_SOURCE),
        _optimised(_AMAT_SOURCE),
        Model(_library("izhikevich_neuron")),  # GSL's adaptive Runge-Kutta 4(5), NESTML's default
        Model(_library("izhikevich_neuron"), suffix="_nestml_euler", options={"numeric_solver": "forward-Euler"}),
        Model(paths.MODELS / "izhikevich_2004_neuron.nestml"),
        Model(_library("mat2_psc_exp_neuron")),
        Model(_library("iaf_psc_exp_neuron")),
        Model(_library("iaf_psc_alpha_neuron")),
        _optimised(_library("iaf_psc_exp_neuron")),
        _optimised(_library("iaf_psc_alpha_neuron")),
        _optimised(_library("mat2_psc_exp_neuron")),
        _optimised(_library("izhikevich_neuron"), numeric_solver="Heun"),
        _optimised(paths.MODELS / "empty_neuron.nestml", archiving="none"),
    )
}


#: What is added to a model's name by the generators.
_SUFFIXES: dict[str, str] = {"stock": "_nestml", "opt": "_opt"}


def find_model(name: str, codegen: str | None = None) -> Model:
    """Return the model that a name in NEST or the path of a NESTML file stands for.

    Parameters
    ----------
    name : str
        A model's name in NEST, or, with `codegen`, its name in NESTML; or a path that ends in ``.nestml``.
    codegen : {"stock", "opt"}, optional
        The code generator; by default the one that a name implies, and for a path ``"stock"``.

    Raises
    ------
    ToolchainError
        If there is no such model; the message names those that come nearest.
    """
    if name.endswith(".nestml"):
        path = Path(name).absolute()
        if not path.is_file():
            raise ToolchainError(f"There is no file {path}: give the path of a NESTML model.")
        return _optimised(path) if codegen == "opt" else Model(path)
    known = {model.name: model for model in (*MODELS.values(), *ABLATION)}
    for candidate in (name, name + _SUFFIXES.get(codegen or "", "")):
        if candidate in known and codegen in (None, known[candidate].codegen):
            return known[candidate]
    if name in known:
        raise ToolchainError(f"{name} is made by the code generator {known[name].codegen!r}, not by {codegen!r}.")
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or list(MODELS)
    raise ToolchainError(
        f"Unknown model {name!r}. Near to it: {', '.join(near)}; "
        f"a path that ends in .nestml builds a model of your own."
    )
