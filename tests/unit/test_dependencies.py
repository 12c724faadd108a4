# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The modules that notebooks and scripts import, as the pipeline lists them."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from amat import paths
from amat.compendium.dependencies import imported_files
from amat.errors import AmatError

NOTEBOOKS = sorted(path.stem for path in paths.NOTEBOOKS.glob("*.ipynb"))
#: Notebooks about the measurements of run time and memory.
BENCHMARKS = {"benchmarks", "code_generation"}


def imported_names(source: Path, **options: str) -> set[str]:
    """Return imported files relative to src, with "/" as separator."""
    roots = [paths.ROOT / "src", paths.ROOT / "packages" / "nestml-optimised" / "src"]
    files = imported_files(source, **options)
    return {next(file.relative_to(root).as_posix() for root in roots if file.is_relative_to(root)) for file in files}


@pytest.mark.parametrize("name", sorted(set(NOTEBOOKS) - BENCHMARKS))
def test_science_notebooks_do_not_depend_on_commands_benchmarks_or_release_tools(name):
    found = imported_names(paths.NOTEBOOKS / f"{name}.ipynb", without="amat.toolchain")
    assert not [file for file in found if file.startswith(("amat/cli", "amat/release", "amat/benchmark"))]


def test_f_i_curves_depend_on_excitability_but_not_on_other_analyses():
    found = imported_names(paths.NOTEBOOKS / "f_i_curves.ipynb", without="amat.toolchain")
    assert {"amat/__init__.py", "amat/analysis/excitability/steps.py", "amat/compendium/tables.py"} <= found
    assert "amat/simulation/run.py" in found  # imported by excitability, not by the notebook
    assert not [file for file in found if file.startswith(("amat/analysis/locking", "amat/analysis/transfer"))]


#: Runs the import statements that it is given for each notebook, and prints the project's modules loaded by each.
LIST_LOADED = """
import json, sys
loaded = {}
for name, imports in json.load(sys.stdin).items():
    exec(imports)
    ours = [key for key in sys.modules if key.split(".")[0] in ("amat", "nestml_optimised")]
    loaded[name] = [sys.modules.pop(key).__file__ for key in ours]
print(json.dumps(loaded), file=sys.stderr)
"""


@pytest.mark.slow
def test_every_module_that_python_loads_is_listed():
    imports = {}
    for name in NOTEBOOKS:
        cells = json.loads((paths.NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        statements = [node for node in ast.parse(code).body if isinstance(node, ast.Import | ast.ImportFrom)]
        imports[name] = "\n".join(map(ast.unparse, statements))
    finished = subprocess.run(
        [sys.executable, "-c", LIST_LOADED], check=True, capture_output=True, text=True, input=json.dumps(imports)
    )
    for name, files in json.loads(finished.stderr.splitlines()[-1]).items():
        assert files
        assert {Path(file) for file in files} <= set(imported_files(paths.NOTEBOOKS / f"{name}.ipynb")), name


def test_scripts_that_run_in_their_own_process_are_listed():
    found = imported_names(paths.NOTEBOOKS / "code_generation.ipynb")
    assert {"amat/benchmark/brian_standalone.py", "amat/benchmark/arbor_network.py"} <= set(found)


def test_imports_inside_functions_and_enclosing_packages_count(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import numpy\n\ndef main():\n    from amat.release import sbom\n")
    found = imported_names(script, without="amat.toolchain")
    assert {"amat/release/sbom.py", "amat/release/__init__.py", "amat/__init__.py", "amat/files.py"} <= found
    assert not [file for file in found if file.startswith("amat/toolchain")]
    assert "amat/toolchain/builder.py" in imported_names(script)


def test_unknown_modules_and_invalid_code_are_reported(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("from amat.nowhere import something\n")
    with pytest.raises(AmatError, match=r"script\.py imports amat\.nowhere"):
        imported_files(script)
    script.write_text("from amat import (\n")
    with pytest.raises(AmatError, match="not valid Python"):
        imported_files(script)
