# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Loading of modules into the NEST kernel of this process."""

import os
from collections.abc import Mapping
from typing import Any

from amat.toolchain.builder import build
from amat.toolchain.catalogue import Codegen, find_model
from amat.toolchain.errors import ToolchainError

__all__ = ["install"]

#: The NESTML text and the options of each model when this process loaded it, by its name in NEST.
_loaded: dict[str, tuple[str, dict[str, Any]]] = {}


def install(
    *names: str | os.PathLike[str], codegen: Codegen | None = None, options: Mapping[str, Any] | None = None
) -> None:
    """Make models available in NEST: build those that are not in the cache, and load those that are not loaded.

    Call this again after ``nest.ResetKernel()``, which unloads modules. A call for a model that is loaded takes hardly
    any time. NEST loads modules only while there are no nodes.

    Parameters
    ----------
    *names : str or path-like
        Names of models in NEST, from `amat.toolchain.SHIPPED_MODELS`, or paths of NESTML files; without any, the
        AMAT neuron.
    codegen : {"nestml", "nestml-checked", "optimised"}, optional
        The code generator: NESTML's, unmodified (model names end in ``_nestml_unmodified``), NESTML's templates
        extended by checks (``_nestml``), or this project's (``_opt``). The default is the one that a name implies, and
        ``"nestml-checked"`` for a path.
    options : mapping, optional
        Further options of the code generator, such as ``{"numeric_solver": "Heun"}``.

    Raises
    ------
    ToolchainError
        If a module cannot be built or loaded, there are nodes already, or the file or the options of a model have
        changed since NEST loaded it.
    TypeError
        If a name is neither a string nor a path.
    """
    import nest

    models = [find_model(name, codegen) for name in names]
    for found in models or [find_model("amat2_psc_exp_neuron", codegen or "nestml-checked")]:
        model = found.with_options(options or {})
        if model.name in nest.node_models:
            if _loaded.get(model.name, content := (model.read(), model.options)) != content:
                raise ToolchainError(
                    f"{model.source} or its options have changed since NEST loaded {model.name}: "
                    "call nest.ResetKernel() to unload it."
                )
            continue
        if nest.network_size:
            raise ToolchainError(
                f"NEST loads modules only while there are no nodes, and there are {nest.network_size}: "
                f"install {model.name} before you create nodes, or call nest.ResetKernel()."
            )
        module = build(model)
        try:
            nest.Install(str(module.library.with_suffix("")))
        except nest.NESTError as error:
            raise ToolchainError(
                f"NEST could not load {module.library} ({error}): delete its folder and build it again."
            ) from error
        if module.model not in nest.node_models:
            raise ToolchainError(f"{module.library} was loaded, but NEST has no model {module.model}.")
        _loaded[model.name] = (model.read(), model.options)
