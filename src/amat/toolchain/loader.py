# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Load modules into the NEST kernel of this process."""

from amat.toolchain.builder import build
from amat.toolchain.catalogue import Codegen, find_model
from amat.toolchain.errors import ToolchainError

__all__ = ["install"]

#: The NESTML text of each model, by its name in NEST, when this process loaded it.
_loaded: dict[str, str] = {}


def install(*names: str, codegen: Codegen | None = None) -> None:
    """Make models available in NEST: build what is missing, load what is not loaded.

    May be called at any time, and again: calling this for a model that is there costs no more than looking.
    Call it again after ``nest.ResetKernel()``, which unloads modules. NEST loads modules only while there are
    no nodes.

    Parameters
    ----------
    *names : str
        Names of models in NEST, from `amat.toolchain.MODELS`, or paths of NESTML files; without any, the
        AMAT neuron.
    codegen : {"nestml", "nestml-checked", "optimised"}, optional
        The code generator: NESTML's, unmodified (model names end in ``_nestml_unmodified``), NESTML's templates
        extended by checks (``_nestml``), or this project's (``_opt``). The default is the one that a name implies, and
        ``"nestml-checked"`` for a path.

    Raises
    ------
    ToolchainError
        If a module cannot be built or loaded, there are nodes already, or the file of a model that NEST has loaded
        has been edited since.
    """
    import nest

    models = [find_model(name, codegen) for name in names]
    for model in models or [find_model("amat2_psc_exp_neuron", codegen or "nestml-checked")]:
        if model.name in nest.node_models:
            if _loaded.get(model.name, text := model.read()) != text:
                raise ToolchainError(
                    f"{model.source} is not what {model.name} was made of when NEST loaded it, and NEST keeps what it "
                    "has loaded: call nest.ResetKernel() first."
                )
            continue
        if nest.network_size:
            raise ToolchainError(
                f"NEST loads modules only while there are no nodes, and {nest.network_size} are there: "
                f"install {model.name} before they are created, or call nest.ResetKernel()."
            )
        module = build(model)
        try:
            nest.Install(str(module.library.with_suffix("")))
        except nest.NESTError as error:
            raise ToolchainError(
                f"NEST could not load {module.library}: {error}. Delete its folder and build again."
            ) from error
        if module.model not in nest.node_models:
            raise ToolchainError(f"{module.library} was loaded, but NEST has no model {module.model}.")
        _loaded[model.name] = model.read()
