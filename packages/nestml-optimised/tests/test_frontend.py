# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Code generation by the public functions: the three generators, repeated calls, and errors."""

import pytest
from nestml_optimised import (
    InstallationError,
    ModelError,
    ModelWarning,
    NestmlOptimisedError,
    OptionError,
    UnsupportedModelError,
    generate,
    generate_nest_target,
    nest_installation,
    parse_models,
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


def test_an_unsupported_model_is_an_error_with_its_name(counter, tmp_path):
    counter.write_text(COUNTER.replace("state:", "state:\n        trace[3] real = 0"))
    with pytest.raises(UnsupportedModelError, match="does not support counter_neuron: it has vectors"):
        generate(counter, tmp_path / "code", module_name="xmodule")


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


#: A neuron with the features that mistakes are made in.
LEAKY = """model leaky_neuron:
    state:
        V_m mV = 0 mV
    parameters:
        tau ms = 10 ms [[tau > 0 ms]]
    equations:
        V_m' = -V_m / tau
    input:
        exc_spikes <- excitatory spike
        inh_spikes <- inhibitory spike
        I_stim pA <- continuous
    output:
        spike
    update:
        integrate_odes()
        V_m += (exc_spikes - inh_spikes) * 1 s * 1 mV + I_stim * 1 GOhm
"""


UPDATE = LEAKY[LEAKY.index("    update:") :]


@pytest.mark.parametrize(
    ("old", "new", "place", "fix"),
    [
        ("model leaky", "neuron leaky", "1:0", "model NAME:"),
        ("    state:", "    initial_values:", "2:4", "state:"),
        ("    equations:", "    equations:\n        shape k = exp(-t / tau)", "7:14", "kernel"),
        ("    input:", "    end\n    input:", "8:4", 'remove "end"'),
        ("pA <- continuous", "pA <- current", "11:21", "I_stim pA <- continuous"),
        ("exc_spikes <-", "exc_spikes nS <-", "9:", "has no type"),
        ("V_m mV", "V m mV", "3:", "V_m"),
        ("    parameters:\n", "    parameters\n", "4:", "parameters:"),
        ("-V_m / tau", "-0.1 ms**-1 * V_m", "7:29", r"(0.1 ms**-1) * V_m"),
        ("tau ms =", "in ms =", "5:8", "in is a reserved word"),
        ("tau ms =", "tau =", "5:", "tau real"),
        ("-V_m / tau", "-(V_m / tau", "7:16", "close the parenthesis"),
        ("10 ms", "ms", "5:17", "1 ms"),
        ("tau ms", "tau milli", "5:12", "use a unit"),
        ("-V_m / tau", "-V_m / tau + tau", "7:15", "make the units agree"),
        ("-V_m / tau", "-V_m / tau * expp(1)", "7:", "exp, expm1"),
        ("-V_m / tau", "-V_m / taux", "7:", "declare taux"),
        ("    parameters:", "    parameters:\n        tau ms = 1 ms", "6:8", "only once"),
        ("[[tau > 0 ms]]", "[[tau]]", "5:25", "tau > 0 ms"),
        ("        integrate_odes()\n", "", "1:0", 'block "update:" that calls'),
        (UPDATE, "", "1:0", 'block "update:" that calls'),
        ("    equations:\n        V_m' = -V_m / tau\n", "", "12:4", 'add a block "equations:"'),
        ("    equations:\n", "", "6:13", 'into a block "equations:"'),
        ("tau ms = 10", "tau ms = -10", "5:26", "correct the default value"),
        ("tau ms =", "V_m ms = 1 ms\n        tau ms =", "5:8", "only once"),
        ("tau ms =", "V_m mV = 1 mV\n        tau ms =", "5:8", "only once"),
        ("    output:", "        tau <- spike\n    output:", "12:8", "only once"),
    ],
)
def test_an_error_shows_the_first_line_that_is_wrong_and_the_likely_fix(tmp_path, old, new, place, fix):
    source = tmp_path / "leaky.nestml"
    assert old in LEAKY
    source.write_text(LEAKY.replace(old, new, 1))
    with pytest.raises(ModelError) as refused:
        parse_models(source, tmp_path / "code")
    first, line, hint, *_ = str(refused.value).splitlines()
    assert first.startswith(f"{source}:{place}")
    assert line.strip() == source.read_text().splitlines()[int(place.split(":")[0]) - 1].strip()
    assert "Likely fix: " in hint
    assert fix in hint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-V_m / tau", "-V_m / tau + tau"),
        ("-V_m / tau", "-V_m / taux"),
        ("tau ms", "tau milli"),
        ("tau ms =", "V_m mV = 1 mV\n        tau ms ="),
        ("    state:", "    state"),
    ],
)
def test_errors_that_follow_from_another_one_are_left_out(tmp_path, old, new):
    source = tmp_path / "leaky.nestml"
    source.write_text(LEAKY.replace(old, new, 1))
    with pytest.raises(ModelError) as refused:
        parse_models(source, tmp_path / "code")
    assert str(refused.value).count(str(source)) == 1


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("low real = 1\n        high real = 2 [[high < low]]", "high < low: high is 2, low is 1"),
        ("low s = 1 s\n        high ms = 1001 ms [[high <= low]]", "high <= low: high is 1001 ms, low is 1 s"),
        ("low real = 2 [[not (low > 1 and low != 3)]]", "low is 2"),
        (
            "low real = -1\n        high real = 2 * low + 1 [[high + low > -2 or false]]",
            "high is 2 * low + 1, low is -1",
        ),
        ("low ms = 0.1 ms\n        high ms = 3 * low [[high == 0.3 ms]]", None),
        ("low real = 1 [[exp(low) < 0]]", None),
        ("low s = 1 s\n        high ms = 1000 ms [[high <= low]]", None),
        ("low real [[low > 0]]", None),
    ],
)
def test_invariants_that_default_values_violate_are_errors(tmp_path, parameters, message):
    """Without message the invariant is met up to rounding, or its value is not computed."""
    source = tmp_path / "leaky.nestml"
    source.write_text(LEAKY.replace("tau ms =", f"{parameters}\n        tau ms =", 1))
    if message is None:
        parse_models(source, tmp_path / "code")
    else:
        with pytest.raises(ModelError, match="the default values violate the invariant") as refused:
            parse_models(source, tmp_path / "code")
        assert message in str(refused.value)


def test_all_errors_of_all_files_are_reported_at_once(tmp_path):
    sources = [tmp_path / f"{name}.nestml" for name in ("first", "second", "third")]
    for source in sources:
        source.write_text(LEAKY.replace("leaky", source.stem))
    sources[0].write_text(sources[0].read_text().replace("10 ms", "ms").replace("V_m / tau", "V_m / taux"))
    sources[2].write_text(sources[2].read_text().replace("    state:", "    state"))
    with pytest.raises(ModelError) as refused:
        parse_models(sources, tmp_path / "code")
    places = [line.split(": ")[0] for line in str(refused.value).splitlines() if line.startswith(str(tmp_path))]
    assert f"{sources[0]}:5:17" in places
    assert any(place.startswith(f"{sources[0]}:7:") for place in places)
    assert not any(str(sources[1]) in place for place in places)
    assert any(place.startswith(f"{sources[2]}:2:") for place in places)


@pytest.mark.parametrize("codegen", ["nestml", "nestml-checked"])
@pytest.mark.parametrize(
    ("qualifiers", "lost"),
    [
        (("excitatory ", "excitatory "), "a_in"),
        (("inhibitory ", "inhibitory "), "a_in"),
        (("excitatory ", "inhibitory ", "excitatory ", "inhibitory "), "c_in, d_in"),
        (("excitatory ", "inhibitory ", ""), "c_in"),
        (("", "excitatory "), "b_in"),
    ],
)
def test_spike_ports_that_generated_code_would_ignore_are_refused(tmp_path, codegen, qualifiers, lost):
    names = [f"{letter}_in" for letter in "abcd"[: len(qualifiers)]]
    ports = "".join(f"        {name} <- {which}spike\n" for name, which in zip(names, qualifiers, strict=True))
    text = LEAKY.replace("exc_spikes - inh_spikes", " + ".join(names))
    source = tmp_path / "ports.nestml"
    source.write_text(text.split("        exc_spikes")[0] + ports + "        I_stim" + text.split("        I_stim")[1])
    with pytest.raises(ModelError, match=f"ignore spikes to the port {lost}\\."):
        generate(source, tmp_path / "code", module_name="portsmodule", codegen=codegen, codegen_opts=None)
    assert not list((tmp_path / "code").glob("*.cpp"))


def test_ports_that_a_model_never_reads_are_warned_about(tmp_path):
    source = tmp_path / "leaky.nestml"
    source.write_text(LEAKY.replace(" - inh_spikes", "").replace(" + I_stim * 1 GOhm", ""))
    with pytest.warns(ModelWarning) as caught:
        parse_models(source, tmp_path / "code")
    texts = [str(warning.message) for warning in caught]
    assert [name for name in ("exc_spikes", "inh_spikes", "I_stim") if any(f"port {name} " in t for t in texts)] == [
        "inh_spikes",
        "I_stim",
    ]
