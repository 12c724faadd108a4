# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The models that the project builds, with the code generator and the options of each."""

import difflib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from amat import paths
from amat.toolchain.errors import ToolchainError

__all__ = [
    "ABLATION",
    "AMAT",
    "AMAT_ESCAPE",
    "AMAT_ESCAPE_OPT",
    "AMAT_OPT",
    "AMAT_UNMODIFIED",
    "DEFAULT_MODELS",
    "IZHIKEVICH_2004",
    "SHIPPED_MODELS",
    "Codegen",
    "Model",
    "find_fallback",
    "find_model",
]

#: The code generators: NESTML's, unmodified; NESTML's templates extended by checks; this project's.
Codegen = Literal["nestml", "nestml-checked", "optimised"]

#: The suffix that each code generator adds to a model's name.
_SUFFIXES: dict[Codegen, str] = {"nestml": "_nestml_unmodified", "nestml-checked": "_nestml", "optimised": "_opt"}

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
        Appended to the model's name in the file; the result is its name in NEST.
    options : dict
        Options of the code generator.
    codegen : {"nestml", "nestml-checked", "optimised"}
        NESTML's unmodified code generator, `nestml_optimised.CheckedNESTCodeGenerator`, or
        `nestml_optimised.OptimisedNESTCodeGenerator`.
    label : str
        Its label among models of the same source, for tables and plots.
    """

    source: Path
    suffix: str = "_nestml"
    options: dict[str, Any] = field(default_factory=lambda: dict(FAST_ANALYTIC))
    codegen: Codegen = "nestml-checked"
    label: str = ""

    @cached_property
    def name(self) -> str:
        """The model's name in NEST.

        Raises
        ------
        ToolchainError
            If the file cannot be read, or does not hold exactly one model.
        """
        names = re.findall(r"^model\s+(\w+)\s*:", self.read(), flags=re.MULTILINE)
        if not names:
            old = re.search(r"^(neuron|synapse)\b.*", self.read(), flags=re.MULTILINE)
            reason = f'"{old[0]}" is the syntax of an old NESTML' if old else "it holds no model"
            raise ToolchainError(f'{self.source}: {reason}. A model begins with a line "model NAME:".')
        if len(names) > 1:
            raise ToolchainError(
                f"{self.source} holds {len(names)} models, {', '.join(names)}: put each into a file of its own."
            )
        return f"{names[0]}{self.suffix}"

    def with_options(self, options: Mapping[str, Any]) -> "Model":
        """Return the model with further options of the code generator, which replace those of the same names."""
        return replace(self, options={**self.options, **options})

    def read(self) -> str:
        """Return the NESTML text.

        Raises
        ------
        ToolchainError
            If the file cannot be read as UTF-8, or begins with a byte order mark, which NESTML cannot read.
        """
        try:
            text = self.source.read_text(encoding="utf-8")
        except OSError as error:
            raise ToolchainError(f"{self.source} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise ToolchainError(f"{self.source} is not UTF-8 ({error}): save it in that encoding.") from error
        if text.startswith("\ufeff"):
            raise ToolchainError(f"{self.source} begins with a byte order mark: save it as UTF-8 without one.")
        return text


def _library(name: str) -> Path:
    """Return the path of a model in the library that NESTML installs."""
    return Path(sys.prefix) / "models" / "neurons" / f"{name}.nestml"


def _of_file(source: Path, codegen: Codegen) -> Model:
    """Return the model in a file with the default options of a code generator."""
    options = FAST_ANALYTIC if codegen == "nestml-checked" else {}
    return Model(source, _SUFFIXES[codegen], dict(options), codegen)


def _optimised(source: Path, suffix: str = "_opt", label: str = "", **options: Any) -> Model:
    return Model(source, suffix=suffix, options=options, codegen="optimised", label=label)


def find_fallback(model: Model) -> Model:
    """Return the model in the same file for the checked code generator, as `find_model` would."""
    return _of_file(model.source, "nestml-checked")


#: The AMAT neuron's name in NEST, built by NESTML's templates extended by checks.
AMAT = "amat2_psc_exp_neuron_nestml"

#: The AMAT neuron's name in NEST, built by this project's code generator.
AMAT_OPT = "amat2_psc_exp_neuron_opt"

#: The AMAT neuron's name in NEST, built by NESTML's unmodified code generator with its default options.
AMAT_UNMODIFIED = "amat2_psc_exp_neuron_nestml_unmodified"

#: The AMAT neuron with escape noise, built by NESTML's templates extended by checks.
AMAT_ESCAPE = "amat2_psc_exp_escape_neuron_nestml"

#: The AMAT neuron with escape noise, built by this project's code generator.
AMAT_ESCAPE_OPT = "amat2_psc_exp_escape_neuron_opt"

#: Izhikevich's neuron in the numerical scheme of his script of 2004.
IZHIKEVICH_2004 = "izhikevich_2004_neuron_nestml"

#: The models of NESTML's library that the project compares or uses.
_LIBRARY_MODELS = ("izhikevich_neuron", "mat2_psc_exp_neuron", "iaf_psc_exp_neuron", "iaf_psc_alpha_neuron")

_ESCAPE_SOURCE = paths.MODELS / "amat2_psc_exp_escape_neuron.nestml"

_AMAT_SOURCE = paths.MODELS / "amat2_psc_exp_neuron.nestml"

#: Options of the optimised code generator that switch off every optimisation that can be switched off.
_PLAIN = {
    "buffers": "nest",
    "archiving": "eager",
    "share_propagators": False,
    "input_free_loop": False,
    "slice_skipping": False,
    "fma_clones": False,
    "population_update": False,
}


def _ablation() -> tuple[Model, ...]:
    """Return models of AMAT, each with one optimisation more than the one before."""
    steps: tuple[tuple[str, dict[str, Any]], ...] = (
        ("state in local variables", {}),
        ("+ buffers on demand", {"buffers": "on_demand"}),
        ("+ archiving on demand", {"archiving": "lazy"}),
        ("+ shared propagators", {"share_propagators": True}),
        ("+ loop without input", {"input_free_loop": True}),
        ("+ fused multiply-add", {"fma_clones": True}),
        ("+ slices skipped", {"slice_skipping": True}),
        ("+ eight neurons at a time", {"population_update": True}),
    )
    models: list[Model] = []
    options: dict[str, Any] = dict(_PLAIN)
    for number, (label, change) in enumerate(steps):
        options |= change
        models.append(_optimised(_AMAT_SOURCE, f"_step{number}", label, **options))
    return tuple(models)


#: AMAT by the optimised code generator, with one more optimisation in each model.
ABLATION = _ablation()

#: The models of this project and of NESTML's library that it uses, by name in NEST.
SHIPPED_MODELS: dict[str, Model] = {
    model.source.stem + model.suffix: model  # these files are named like their models
    for model in (
        Model(_AMAT_SOURCE),
        _optimised(_AMAT_SOURCE),
        Model(_ESCAPE_SOURCE),
        _optimised(_ESCAPE_SOURCE),
        Model(_library("izhikevich_neuron")),  # GSL's adaptive Runge-Kutta 4(5), NESTML's default
        Model(_library("izhikevich_neuron"), suffix="_nestml_euler", options={"numeric_solver": "forward-Euler"}),
        Model(paths.MODELS / "izhikevich_2004_neuron.nestml"),
        Model(_library("mat2_psc_exp_neuron")),
        Model(_library("iaf_psc_exp_neuron")),
        Model(_library("iaf_psc_alpha_neuron")),
        _optimised(_library("iaf_psc_exp_neuron")),
        _optimised(_library("iaf_psc_alpha_neuron")),
        _optimised(_library("iaf_psc_delta_neuron")),
        _optimised(_library("mat2_psc_exp_neuron")),
        _optimised(_library("izhikevich_neuron"), numeric_solver="Heun"),
        _optimised(paths.MODELS / "empty_neuron.nestml", archiving="none"),
        _of_file(_AMAT_SOURCE, "nestml"),
        *(_of_file(_library(name), "nestml") for name in _LIBRARY_MODELS),
    )
}

#: The models that ``amat build`` builds by default. NESTML's unmodified output and the neuron with delta synapses serve
#: comparisons only.
DEFAULT_MODELS = tuple(
    name
    for name, model in SHIPPED_MODELS.items()
    if model.codegen != "nestml" and model.source.stem != "iaf_psc_delta_neuron"
)


def find_model(name: str | os.PathLike[str], codegen: Codegen | None = None) -> Model:
    """Return the model with a name in NEST, or the model in a NESTML file.

    Parameters
    ----------
    name : str or path-like
        A model's name in NEST, or, with `codegen`, its name in NESTML; or a path that ends in ``.nestml``.
    codegen : {"nestml", "nestml-checked", "optimised"}, optional
        The code generator; by default the one that a name implies, and ``"nestml-checked"`` for a path.

    Raises
    ------
    ToolchainError
        If there is no such model or code generator; the message names the closest matches.
    TypeError
        If `name` is neither a string nor a path.
    """
    if not isinstance(name, str | os.PathLike) or isinstance(os.fspath(name), bytes):
        raise TypeError(
            f"A model is a name in NEST or the path of a NESTML file, got {name!r} of type {type(name).__name__}: "
            "give several models as several arguments."
        )
    if codegen is not None and codegen not in _SUFFIXES:
        raise ToolchainError(f"There is no code generator {codegen!r}: choose one of {', '.join(_SUFFIXES)}.")
    if isinstance(name, os.PathLike) and Path(name).suffix != ".nestml":
        raise ToolchainError(f"{name} is not the path of a NESTML model: it must end in .nestml.")
    name = os.fspath(name)
    if name.endswith(".nestml"):
        path = Path(name).expanduser().absolute()
        if not path.is_file():
            raise ToolchainError(f"There is no file {path}: give the path of a NESTML model.")
        return _of_file(path, codegen or "nestml-checked")
    known = SHIPPED_MODELS | {model.name: model for model in ABLATION}
    for candidate in (name, name + _SUFFIXES[codegen] if codegen else name):
        if candidate in known and codegen in (None, known[candidate].codegen):
            return known[candidate]
    if name in known:
        raise ToolchainError(f"{name} is built by the code generator {known[name].codegen!r}, not by {codegen!r}.")
    near = difflib.get_close_matches(name, known, n=3, cutoff=0.3) or list(SHIPPED_MODELS)
    raise ToolchainError(
        f"Unknown model {name!r}. Close matches: {', '.join(near)}. "
        "To build a model of your own, give a path that ends in .nestml."
    )
