# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The status of NESTML's other targets on this machine: run, generated, or not supported, with the reason."""

import ast
import builtins
import importlib.util
import json
import re
import shutil

import pandas as pd

from amat import toolchain
from amat.analysis.other_simulators.targets import TARGETS, Generated, generate
from amat.errors import AmatError
from amat.simulation.kernel import reset_kernel

__all__ = ["survey", "undefined_names"]


def survey() -> pd.DataFrame:
    """Generate code for every target, and report how far it can be used on this machine.

    Returns
    -------
    pandas.DataFrame
        Indexed by target: ``simulator``, ``status`` (one of "run", "generated", "not supported"), ``files``, and
        ``found``, the reason or the findings as text.
    """
    checks = {"PYTHON_STANDALONE": _python, "NEST_DESKTOP": _desktop, "NEST_GPU": _gpu, "GENN": _genn}
    rows = []
    for target, simulator in TARGETS.items():
        generated = generate(target)
        status, found = checks[target](generated)
        rows.append(
            {
                "target": target,
                "simulator": simulator,
                "status": status,
                "files": ", ".join(generated.files),
                "found": found,
            }
        )
    return pd.DataFrame(rows).set_index("target")


def _python(generated: Generated) -> tuple[str, str]:
    """Check that the code defines all names that it uses."""
    if generated.error:
        return "not supported", generated.error
    if unknown := undefined_names(generated.text(".py")):
        return "not supported", f"the generated code uses {', '.join(unknown)}, which is not defined"
    return "run", "driven step by step, and compared with NEST"


def _desktop(generated: Generated) -> tuple[str, str]:
    """Compare the description for NEST Desktop with the neuron in NEST, which NEST Desktop would run."""
    if generated.error:
        return "not supported", generated.error
    described = {entry["id"]: float(entry["value"]) for entry in json.loads(generated.text(".json"))["params"]}
    nest = reset_kernel(0.1, [toolchain.AMAT])
    defaults = nest.GetDefaults(toolchain.AMAT)
    differ = [name for name, value in described.items() if defaults.get(name) != value]
    if differ:
        raise AmatError(f"Defaults for NEST Desktop differ from those in NEST: {', '.join(differ)}.")
    return "generated", (
        f"a description whose {len(described)} parameters and defaults are those of the model in NEST, which "
        "simulates for NEST Desktop; the application itself is not installed here"
    )


def _gpu(generated: Generated) -> tuple[str, str]:
    """Report why NESTML stops, and check that the code adds spikes to the synaptic currents."""
    found = []
    if generated.error:
        found.append(
            f"NESTML wants to register the model in NEST GPU's sources, which are not here ({generated.error})"
        )
    if shutil.which("nvidia-smi") is None:
        found.append("there is no GPU here to run it on")
    if note := _missing_spikes(generated.text(".cu"), r"var\[i_{}\]", ("exc_spikes", "inh_spikes")):
        found.append(note)
    return "generated", "; ".join(found)


def _genn(generated: Generated) -> tuple[str, str]:
    """Report whether GeNN is installed, and check the names in the code and its handling of spikes."""
    found = [generated.error] if generated.error else []
    if importlib.util.find_spec("pygenn") is None:
        found.append("GeNN (pygenn) is not installed here")
    text = generated.text(".py")
    if unknown := undefined_names(text):
        found.append(f"the generated code uses {', '.join(unknown)}, which it does not define")
    if note := _missing_spikes(text, "{}", ("exc_spikes", "inh_spikes")):
        found.append(note)
    return ("not supported" if unknown else "generated"), "; ".join(found)


def _missing_spikes(code: str, variable: str, ports: tuple[str, ...]) -> str:
    """Return a note if spikes of a port never reach the synaptic current: no assignment to it names the port."""
    missing = []
    for port in ports:
        current = variable.format(re.escape(f"I_kernel_{port[:3]}__X__{port}"))
        values = re.findall(rf"^\s*{current}\s*\+?=\s*([^;\n]*);", code, flags=re.MULTILINE)
        port_alone = rf"(?<!__X__)\b(?:i_)?{port}\b"
        if not any(re.search(port_alone, value) for value in values):
            missing.append(port)
    silent = " and ".join(missing)
    return f"no line of the generated code adds the spikes of {silent} to a synaptic current" if missing else ""


def undefined_names(code: str) -> list[str]:
    """Return the names that a Python module uses, but neither defines nor imports.

    For ``from … import *``, the names are those of the imported module.

    Parameters
    ----------
    code : str
        The module's text.
    """
    tree = ast.parse(code)
    known = set(dir(builtins))
    used = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                for alias in names:
                    if alias.name == "*" and isinstance(node, ast.ImportFrom) and node.module:
                        known |= set(dir(importlib.import_module(node.module)))
                    known.add((alias.asname or alias.name).partition(".")[0])
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                known.add(name)
            case ast.arg(arg=name):
                known.add(name)
            case ast.Name(id=name, ctx=ast.Store()):
                known.add(name)
            case ast.Name(id=name):
                used.add(name)
            case _:
                pass
    return sorted(used - known)
