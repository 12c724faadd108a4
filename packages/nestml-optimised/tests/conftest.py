# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Fixtures of the generator's tests: models of NESTML's library, and models that are ready for the analysis."""

import sys
from pathlib import Path

import pytest
from nestml_optimised import OptimisedNESTCodeGenerator, replace_transformers
from nestml_optimised.expressions import Translator
from nestml_optimised.model import read_model
from nestml_optimised.nest_installation import find_nest
from pynestml.codegeneration.nest_declarations_helper import NestDeclarationsHelper
from pynestml.codegeneration.printers.nest_cpp_type_symbol_printer import NESTCppTypeSymbolPrinter
from pynestml.frontend import pynestml_frontend


@pytest.fixture(scope="session")
def library() -> Path:
    """Return the folder of the models that come with NESTML."""
    return Path(sys.prefix) / "models" / "neurons"


@pytest.fixture
def read(tmp_path):
    """Return a function that reads a NESTML text, and returns its model, metadata and NESTML's printers of types."""

    def read_text(text):
        source = tmp_path / "model.nestml"
        source.write_text(text)
        pynestml_frontend.configure_front_end(str(source), "NEST", target_path=str(tmp_path / "target"))
        generator = OptimisedNESTCodeGenerator({"nest_version": f"v{find_nest().version}"})
        models = pynestml_frontend.get_parsed_models()
        transformers, _ = pynestml_frontend.transformers_from_target_name("NEST")
        transformers = replace_transformers(transformers, matrices=True)
        models, metadata = pynestml_frontend.transform_models(transformers, models)
        generator.analyse_transform_neurons(models, metadata)
        (neuron,) = models
        translator = Translator(generator._scoped_printer, generator._scoped_variables)
        printer = NESTCppTypeSymbolPrinter()
        types = NestDeclarationsHelper(printer), printer
        return read_model(neuron, metadata[neuron.get_name()], translator), metadata[neuron.get_name()], types

    return read_text
