# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The model's page in NESTML's models library, from NESTML's page generator, and its figures."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from amat import toolchain
from amat.analysis.characterisation import FIGURES, characterise
from amat.compendium import plots
from amat.release.upstream.model import parse

__all__ = ["insert_entry", "write_figures", "write_page"]

#: Size of a figure in the list of models, in inches.
_SMALL = (4.0, 3.0)


def write_page(model: Path, page: Path, scratch: Path) -> None:
    """Write a model's page with NESTML's page generator, without the footer that holds the time.

    Parameters
    ----------
    model : pathlib.Path
        The NESTML file.
    page : pathlib.Path
        The page, in reStructuredText.
    scratch : pathlib.Path
        A folder for NESTML's files.

    Raises
    ------
    AmatError
        If NESTML rejects the model.
    """
    from pynestml.codegeneration.autodoc_code_generator import AutoDocCodeGenerator
    from pynestml.codegeneration.printers.latex_simple_expression_printer import LatexSimpleExpressionPrinter

    class WithUnits(LatexSimpleExpressionPrinter):  # type: ignore[misc]
        """NESTML's printer, extended by numbers with a unit, at which NESTML 9.0.0 stops."""

        def print_simple_expression(self, node: Any) -> str:
            if node.is_numeric_literal_with_unit():
                return rf"{node.get_numeric_literal()}\,\mathrm{{{node.unitType}}}"
            text: str = super().print_simple_expression(node)
            return text

    ast = parse(model, scratch)
    with contextlib.redirect_stdout(io.StringIO()):
        generator = AutoDocCodeGenerator()
        old = generator._printer._simple_expression_printer
        new = WithUnits(old._variable_printer, old._constant_printer, old._function_call_printer)
        generator._printer._simple_expression_printer = new
        # Its method for all models fails in NESTML 9.0.0, which omits an argument there.
        generator.generate_neuron_code(ast)
    text = (scratch / f"{ast.get_name()}.rst").read_text(encoding="utf-8")
    text = re.sub(r"\n\.\. footer::\n.*", "\n", text, flags=re.DOTALL)
    text = re.sub(r"[ \t]+\n", "\n", text)
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n", encoding="utf-8")


def write_figures(folder: Path, name: str) -> None:
    """Write the figures of the page, and their small versions for the list of models.

    Parameters
    ----------
    folder : pathlib.Path
    name : str
        The model's name in NESTML.
    """
    measured = characterise(toolchain.AMAT)
    plots.use_style()
    for kind, plot in FIGURES.items():
        figure = plot(measured)
        plots.save(figure, folder / f"nestml_{kind}_[{name}].png")
        _simplify(figure)
        plots.save(figure, folder / f"nestml_{kind}_[{name}]_small.png")
        plt.close(figure)


def _simplify(figure: Figure) -> None:
    """Make a figure small: remove legends, which would squeeze the panels, and all but one label of the x axes."""
    figure.set_size_inches(_SMALL)
    for axes in figure.axes:
        if legend := axes.get_legend():
            legend.remove()
    labelled = [axes for axes in figure.axes if axes.get_xlabel()]
    for axes in labelled:
        if axes is not labelled[len(labelled) // 2]:
            axes.set_xlabel("")


def insert_entry(index: str, entry: str, name: str) -> str | None:
    """Return NESTML's list of neuron models with another model, in the order of names.

    Parameters
    ----------
    index : str
        The text of ``doc/models_library/index.rst``.
    entry : str
        The text to insert.
    name : str
        The model's name in NESTML.

    Returns
    -------
    str or None
        None if the list does not have the expected form.
    """
    section = re.search(r"^Neuron models\n~+\n", index, flags=re.MULTILINE)
    if section is None:
        return None
    heading = re.compile(r"^:doc:`(\w+) <\1>`\n-+\n", flags=re.MULTILINE)
    end = index.find("\nSynapse models\n", section.end())
    place = None
    for found in heading.finditer(index, section.end(), end if end > 0 else len(index)):
        if found[1] > name:
            place = found.start()
            break
    return None if place is None else f"{index[:place]}{entry.strip()}\n\n\n{index[place:]}"
