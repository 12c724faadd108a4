"""The generated C++ code under the compiler's warnings."""

import subprocess

import pytest

from amat import toolchain
from amat.toolchain.nest_installation import compiler, find_nest

pytestmark = pytest.mark.slow

OPTIMISED = [name for name, model in toolchain.MODELS.items() if model.codegen == "opt"]


def system_includes():
    """Return flags that find NEST's headers, and keep warnings about them quiet."""
    words = []
    for flag in find_nest().include_flags:
        words += ["-isystem", flag[2:]] if flag.startswith("-I") else [flag]
    return words


@pytest.mark.parametrize("name", OPTIMISED)
def test_generated_code_compiles_without_a_warning(name):
    """The neuron's code, with the flags that modules are made with; warnings about NEST's headers do not count."""
    generated = toolchain.build(name).generated
    command = [compiler(), *find_nest().compile_flags, "-Wall", "-Wextra", "-Werror", "-fsyntax-only"]
    command += [*system_includes(), f"-I{generated}", str(generated / f"{name}.cpp")]
    finished = subprocess.run(command, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr[-3000:]
