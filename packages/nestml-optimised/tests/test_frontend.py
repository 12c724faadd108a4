# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Code generation by the public functions: the three generators, repeated calls, and errors."""

import pytest
from nestml_optimised import (
    InstallationError,
    ModelError,
    NestmlOptimisedError,
    OptionError,
    UnsupportedModelError,
    generate,
    generate_nest_target,
    nest_installation,
)

#: Options of NESTML for quick generation.
QUICK = {
    "disable_singularity_detection": True,
    "use_alternative_expM": True,
    "simplify_expression": "sympy.factor_terms(expr)",
}

#: A neuron without equations that ODE-toolbox would have to solve.
COUNTER = """
model counter_neuron:
    state:
        n integer = 0
    parameters:
        limit integer = 10
    output:
        spike
    update:
        n += 1
    onCondition(n >= limit):
        emit_spike()
        n = 0
"""


@pytest.fixture
def counter(tmp_path):
    source = tmp_path / "counter.nestml"
    source.write_text(COUNTER)
    return source


def code(folder, model):
    return (folder / f"{model}.cpp").read_text()


@pytest.mark.slow
def test_each_generator_makes_its_own_code(library, tmp_path):
    """Propagators are in closed form but for the optimised code, which computes them from the matrix."""
    source = library / "iaf_psc_exp_neuron.nestml"
    propagators = {
        codegen: generate(
            source,
            tmp_path / codegen,
            module_name="iafmodule",
            suffix="_x",
            codegen=codegen,
            codegen_opts={} if codegen == "optimised" else QUICK,
        )["iaf_psc_exp_neuron_x"]
        for codegen in ("nestml", "nestml-checked", "optimised")
    }
    assert "__P__V_m__I_syn_exc" in propagators["nestml"]
    assert propagators["nestml-checked"].keys() == propagators["nestml"].keys()
    assert propagators["optimised"] == {}
    made = {codegen: code(tmp_path / codegen, "iaf_psc_exp_neuron_x") for codegen in propagators}
    assert "check_parameters_" in made["nestml-checked"]
    assert "check_parameters_" not in made["nestml"]
    assert "matrix_exponential" in made["optimised"]
    assert (tmp_path / "optimised" / "matrix_exponential.h").is_file()


def test_the_same_model_gives_the_same_code_in_repeated_calls(counter, tmp_path):
    made = []
    for number in range(2):
        generate(counter, tmp_path / str(number), module_name="countermodule")
        made.append({file.name: file.read_bytes() for file in (tmp_path / str(number)).iterdir()})
    assert made[0] == made[1]


def test_a_model_that_nestml_rejects_is_an_error_with_position_and_message(tmp_path):
    source = tmp_path / "bad.nestml"
    source.write_text("model bad_neuron:\n    state:\n        x mV = 0 pA\n    update:\n        y = 3\n")
    with pytest.raises(ModelError, match=r'3:15.*"mV", got: "pA"'):
        generate(source, tmp_path / "code", module_name="badmodule")
    assert not list((tmp_path / "code").glob("*.cpp"))


@pytest.mark.parametrize("text", ["model bad_neuron\n    state\n", ""])
def test_a_file_without_a_model_is_an_error(tmp_path, text):
    source = tmp_path / "bad.nestml"
    source.write_text(text)
    with pytest.raises(ModelError):
        generate(source, tmp_path / "code", module_name="badmodule")


def test_one_bad_model_among_several_is_an_error(counter, tmp_path):
    """NESTML would leave it out, and build the others."""
    bad = tmp_path / "bad.nestml"
    bad.write_text(COUNTER.replace("counter", "bad").replace("= 10", "= 10 mV"))
    with pytest.raises(ModelError):
        generate_nest_target([counter, bad], tmp_path / "code")


@pytest.mark.parametrize("name", ["izhikevich", "iaf_psc_delta", "aeif_psc_exp"])
def test_an_unsupported_model_is_an_error_with_its_name(library, tmp_path, name):
    with pytest.raises(UnsupportedModelError, match=f"does not support {name}_neuron: "):
        generate(library / f"{name}_neuron.nestml", tmp_path / "code", module_name="xmodule")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"codegen": "fast"}, "'nestml-checked'.*'fast'"),
        ({"codegen_opts": {"archiving": "sometimes"}}, "archiving must be one of 'lazy', .*'sometimes'"),
        ({"codegen_opts": {"archive": "lazy"}}, "'archive'"),
    ],
)
def test_a_bad_option_is_an_error_that_names_it(counter, tmp_path, arguments, message):
    with pytest.raises(OptionError, match=message) as refused:
        generate(counter, tmp_path / "code", module_name="countermodule", **arguments)
    assert isinstance(refused.value, NestmlOptimisedError)


def test_without_nest_the_error_names_the_package(monkeypatch, counter, tmp_path):
    monkeypatch.setattr(nest_installation.importlib.util, "find_spec", lambda name: None)
    nest_installation.find_nest.cache_clear()
    try:
        with pytest.raises(InstallationError, match="pip install nest-simulator"):
            generate_nest_target(counter, tmp_path / "code")
    finally:
        nest_installation.find_nest.cache_clear()
