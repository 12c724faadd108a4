# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Building modules with NESTML, g++ and NEST: the cache, rejected models, missing tools, killed processes."""

import dataclasses
import json
import math
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from nestml_optimised import InstallationError
from nestml_optimised.nest_installation import find_nest

from amat import paths, toolchain
from amat.simulation.kernel import reset_kernel
from amat.toolchain import builder

pytestmark = pytest.mark.slow

LEAK = Path(__file__).parents[1] / "models" / "leak_neuron.nestml"


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A separate cache that holds the small model."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMAT_CACHE", str(folder))
        toolchain.build(str(LEAK))
        yield folder


def entries(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.suffix != ".lock")


def path_without(tool: str, folder: Path) -> str:
    """Return a PATH with all programs that building needs except one."""
    for name in ("g++", "cmake", "make", "as", "ld", "sh", "mpicxx"):
        if name != tool and (found := shutil.which(name)):
            (folder / name).symlink_to(found)
    return str(folder)


def test_the_small_model_runs_in_nest(cache):
    """The test uses another process, because other tests damage the library, which must not be loaded here then."""
    script = f"""
import amat
from amat.simulation.kernel import reset_kernel
nest = reset_kernel(0.1)
amat.install({str(LEAK)!r})
neuron = nest.Create("leak_neuron_nestml", params={{"x": 8.0}})
nest.Simulate(10.0)
print(neuron.x)
"""
    finished = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert float(finished.stdout.split()[-1]) == pytest.approx(8.0 * math.exp(-1.0), rel=1e-9)


def test_installing_an_edited_model_requires_a_reset_of_the_kernel(cache, tmp_path):
    source = tmp_path / LEAK.name
    shutil.copy(LEAK, source)
    script = f"""
import amat
from pathlib import Path
from amat.simulation.kernel import reset_kernel
nest, source = reset_kernel(0.1), Path({str(source)!r})
amat.install(str(source))
nest.Create("leak_neuron_nestml")
amat.install(str(source))
source.write_text(source.read_text().replace("tau ms = 10 ms", "tau ms = 20 ms"))
try:
    amat.install(str(source))
except amat.toolchain.ToolchainError as error:
    print(error)
nest.ResetKernel()
amat.install(str(source))
print(nest.Create("leak_neuron_nestml").tau)
"""
    finished = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    *_, message, tau = finished.stdout.splitlines()
    assert "call nest.ResetKernel() to unload it" in message
    assert float(tau) == 20.0
    shutil.rmtree(toolchain.build(str(source)).library.parent)


def test_a_model_is_compiled_in_folders_with_blanks_in_their_names(monkeypatch, tmp_path):
    prefix = tmp_path / "my neurons" / "nest"
    prefix.parent.mkdir()
    prefix.symlink_to(find_nest().prefix)
    nest = dataclasses.replace(find_nest(), prefix=prefix)
    monkeypatch.setattr(builder, "find_nest", lambda: nest)
    monkeypatch.setenv("AMAT_CACHE", str(prefix.parent / "the cache"))
    assert toolchain.build(str(LEAK)).library.is_file()


def test_a_model_is_not_replaced_by_the_record(run_amat, tmp_path):
    source = shutil.copy(LEAK, tmp_path)
    finished = run_amat("build", source, "--record", source)
    assert finished.returncode == 1
    assert "is an input, which would be replaced" in finished.stderr
    assert Path(source).read_text() == LEAK.read_text()


def test_a_model_in_another_encoding_is_refused(tmp_path):
    source = tmp_path / "leak_neuron.nestml"
    source.write_bytes("# in \u00b5S\n".encode("latin-1") + LEAK.read_bytes())
    with pytest.raises(toolchain.ToolchainError, match=r"leak_neuron\.nestml is not UTF-8"):
        toolchain.build(str(source))
    source.write_text("\ufeffmodel leak_neuron:\n")
    with pytest.raises(toolchain.ToolchainError, match=r"leak_neuron\.nestml begins with a byte order mark: save it"):
        toolchain.build(str(source))


def test_building_again_finds_the_same_module(cache):
    started = time.monotonic()
    module = toolchain.build(str(LEAK))
    assert module.cached
    assert time.monotonic() - started < 2.0
    assert len(entries(cache)) == 1


def test_another_text_is_another_module(cache, tmp_path):
    changed = tmp_path / LEAK.name
    changed.write_text(LEAK.read_text().replace("tau ms = 10 ms", "tau ms = 20 ms"))
    module = toolchain.build(str(changed))
    assert not module.cached
    assert module.key != toolchain.build(str(LEAK)).key
    shutil.rmtree(module.library.parent)


@pytest.mark.parametrize("damage", ["library", "record"])
def test_a_damaged_entry_is_replaced(cache, damage):
    module = toolchain.build(str(LEAK))
    record = module.library.parent / "record.json"
    if damage == "library":
        content = bytearray(module.library.read_bytes())
        content[len(content) // 2] ^= 0xFF
        module.library.write_bytes(content)
    else:
        record.write_text(record.read_text()[:50])
    stages = []
    again = toolchain.build(str(LEAK), progress=stages.append)
    assert stages[0] == "replacing a damaged entry of the cache"
    assert not again.cached
    assert toolchain.build(str(LEAK)).cached


def test_another_folder_gives_an_identical_module(cache, tmp_path, monkeypatch):
    first = toolchain.build(str(LEAK))
    monkeypatch.setenv("AMAT_CACHE", str(tmp_path))
    again = toolchain.build(str(LEAK))
    assert not again.cached
    assert again.sha256 == first.sha256


def test_two_builds_at_once_make_one_module(cache):
    shutil.rmtree(toolchain.build(str(LEAK)).library.parent)
    command = [sys.executable, "-c", f"from amat import build; print(build({str(LEAK)!r}).cached)"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert sorted(process.communicate()[0].strip() for process in both) == ["False", "True"]
    assert len(entries(cache)) == 1


def test_a_killed_build_leaves_no_module_and_the_next_one_succeeds(cache):
    shutil.rmtree(toolchain.build(str(LEAK)).library.parent)
    command = [
        sys.executable,
        "-c",
        f"from amat import build; build({str(LEAK)!r}, progress=lambda s: print(s, flush=True))",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        for stage in process.stdout:
            if stage.strip() == "compiling":
                time.sleep(1.0)
                os.killpg(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert [name for name in entries(cache) if not name.startswith(".")] == []
    assert not toolchain.build(str(LEAK)).cached
    assert len(entries(cache)) == 1  # the files of the killed build are gone


def test_a_file_may_have_another_name_than_its_model(run_amat, tmp_path):
    source = tmp_path / "my file.nestml"
    source.write_text("# model documented:\n" + LEAK.read_text())
    assert toolchain.find_model(str(source)).name == "leak_neuron_nestml"
    script = f"""
import amat, nest
amat.install({str(source)!r})
print(nest.Create("leak_neuron_nestml").get("tau"))
"""
    finished = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert finished.stdout.split()[-1] == "10.0"


@pytest.mark.parametrize("function", [toolchain.find_model, toolchain.build, toolchain.install])
def test_paths_are_accepted_and_other_types_refused(cache, function):
    """`install` and `build` take what `find_model` takes."""
    assert toolchain.build(LEAK) == toolchain.build(str(LEAK))
    assert toolchain.find_model(LEAK, "optimised").name == "leak_neuron_opt"
    for value in ([str(LEAK)], None, 3, os.fsencode(LEAK), (LEAK,)):
        with pytest.raises(TypeError, match=r"name in NEST or the path of a NESTML file, got .* of type"):
            function(value)
    with pytest.raises(toolchain.ToolchainError, match="it must end in"):
        function(Path(toolchain.AMAT))
    with pytest.raises(toolchain.ToolchainError, match="no code generator 'opt': choose one of nestml"):
        toolchain.install(LEAK, codegen="opt")


def test_names_of_the_catalogue_are_those_of_its_models():
    assert list(toolchain.SHIPPED_MODELS) == [model.name for model in toolchain.SHIPPED_MODELS.values()]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("x' = -x / tau", "x' = -x / tauu", "tauu"),
        ("integrate_odes()", "integrate_odes(", "integrate_odes|parse|mismatched|no viable"),
        ("tau ms = 10 ms [[tau > 0 ms]]", "tau ms = 10 ms [[tau + 1 ms]]", "boolean"),
        ("model leak_neuron:", "neuron leak_neuron:", '"neuron leak_neuron:" is the syntax of an old NESTML'),
        (
            "model leak_neuron:",
            "model first:\n    state:\n        y real = 0\nmodel second:",
            "first, second: put each",
        ),
    ],
)
def test_a_rejected_model_is_an_error_with_its_message(cache, tmp_path, old, new, message):
    bad = tmp_path / LEAK.name
    text = LEAK.read_text()
    assert old in text
    bad.write_text(text.replace(old, new))
    before = entries(cache)
    with pytest.raises(toolchain.ToolchainError, match=message):
        toolchain.build(str(bad))
    assert entries(cache) == before


@pytest.mark.parametrize("name", ["my-model", "1model", "\u00dcn\u00efcode", "two words"])
def test_a_file_may_have_any_name(cache, tmp_path, name):
    """The module is that of the same text in a file with the model's name."""
    source = tmp_path / f"{name}.nestml"
    shutil.copy(LEAK, source)
    assert toolchain.build(str(source)).sha256 == toolchain.build(str(LEAK)).sha256
    source.write_text(LEAK.read_text().replace("/ tau", "/ tauu"))
    with pytest.raises(toolchain.ToolchainError, match=re.escape(f"{source}:")):
        toolchain.build(str(source))


def test_errors_of_all_files_are_reported_with_paths_that_exist(run_amat, tmp_path):
    names = ["neuron.nestml", "unit.nestml"]
    for name, new in zip(names, ("x' = -(x / tau", "x' = -x"), strict=True):
        (tmp_path / name).write_text(LEAK.read_text().replace("x' = -x / tau", new))
    finished = run_amat("build", *(tmp_path / name for name in names), AMAT_CACHE=str(tmp_path / "cache"))
    assert finished.returncode == 1
    for name in names:
        assert f"{tmp_path / name}:" in finished.stderr
    assert str(tmp_path / "cache") not in finished.stderr


def test_warnings_are_shown_whether_a_module_is_cached_or_not(cache, run_amat, tmp_path):
    source = tmp_path / "unread.nestml"
    source.write_text(LEAK.read_text().replace("    input:\n", "    input:\n        spikes <- spike\n"))
    for _ in range(2):
        with pytest.warns(UserWarning, match=rf"{source}: the input port spikes is never read"):
            module = toolchain.build(str(source))
    finished = run_amat("build", source)
    assert "the input port spikes is never read" in finished.stderr
    shutil.rmtree(module.library.parent)


@pytest.mark.parametrize(
    ("tool", "message"),
    [("g++", r"apt-get install.* g\+\+"), ("cmake", "apt-get install.* cmake"), ("make", "apt-get install.* make")],
)
def test_a_missing_tool_is_named_with_its_package(run_amat, tmp_path, tool, message):
    finished = run_amat("build", LEAK, PATH=path_without(tool, tmp_path), AMAT_CACHE=str(tmp_path / "cache"))
    assert finished.returncode == 1
    assert re.search(message, finished.stderr), finished.stderr
    assert "Traceback" not in finished.stderr


def test_missing_headers_are_named_with_their_package(run_amat, tmp_path):
    """A compiler that finds no header."""
    wrapper = tmp_path / "g++"
    path = path_without("g++", tmp_path)
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("g++")} -nostdinc -nostdinc++ "$@"\n')
    wrapper.chmod(0o755)
    finished = run_amat("build", LEAK, PATH=path, AMAT_CACHE=str(tmp_path / "cache"))
    assert finished.returncode == 1
    assert re.search("apt-get install .*libgsl-dev", finished.stderr), finished.stderr


def test_a_compiler_error_is_shown(cache, tmp_path, run_amat):
    """A compiler that fails for the generated code."""
    wrapper = tmp_path / "g++"
    path = path_without("g++", tmp_path)
    wrapper.write_text(
        "#!/bin/sh\n"
        'case "$*" in *unity_0*) echo "$PWD/leak.cpp:1: error: out of cheese" >&2; exit 1;; esac\n'
        f'exec {shutil.which("g++")} "$@"\n'
    )
    wrapper.chmod(0o755)
    fresh = tmp_path / "cache"
    finished = run_amat("build", LEAK, PATH=path, AMAT_CACHE=str(fresh))
    assert finished.returncode == 1
    assert "leak.cpp:1: error: out of cheese" in finished.stderr
    assert str(LEAK) in finished.stderr
    assert str(fresh) not in finished.stderr  # the folder of the code is gone
    assert entries(fresh) == []


def test_an_unknown_model_is_an_error_with_close_matches(run_amat):
    finished = run_amat("build", "izhikevich_nestml")
    assert finished.returncode == 1
    assert "izhikevich_neuron_nestml" in finished.stderr
    finished = run_amat("build", "nowhere.nestml")
    assert finished.returncode == 1
    assert "There is no file" in finished.stderr


def test_a_cache_that_cannot_be_written_is_named(run_amat, tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    finished = run_amat("build", LEAK, AMAT_CACHE=str(blocked / "cache"))
    assert finished.returncode == 1
    assert "AMAT_CACHE" in finished.stderr
    assert "Traceback" not in finished.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_full_disk_is_reported(run_amat, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=60k", "tmpfs", str(small)], check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        finished = run_amat("build", LEAK, AMAT_CACHE=str(small / "cache"))
        assert finished.returncode == 1
        assert "No space left" in finished.stderr or "disk is full" in finished.stderr
        assert entries(small / "cache") == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


def write_nest(folder: Path, version: str, library: bytes) -> None:
    """Write what `find_nest` reads of a NEST: package, header and library."""
    package = folder / "nest"
    (package / "include" / "nest").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "nestkernel_api.so").write_bytes(library)
    (package / "include" / "nest" / "config.h").write_text(f'#define NEST_VERSION "{version}"\n')


def test_another_version_of_nest_is_refused(run_amat, tmp_path):
    """A NEST with headers of another version, first on Python's path."""
    write_nest(tmp_path, "3.8.0", b"")
    finished = run_amat("build", PYTHONPATH=str(tmp_path))
    assert finished.returncode == 1
    assert "NEST 3.8.0 is installed" in finished.stderr
    assert "nest-simulator==3.10.0" in finished.stderr


@pytest.fixture
def nest_on_path(tmp_path, monkeypatch):
    """The folder of a NEST that `find_nest` finds before the installed one."""
    monkeypatch.delitem(sys.modules, "nest", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    find_nest.cache_clear()
    yield tmp_path
    find_nest.cache_clear()


@pytest.mark.parametrize(("string", "new"), [(b"Ss", False), (b"NSt7__cxx1112basic_stringIcE", True)])
def test_the_abi_is_read_from_the_library(nest_on_path, string, new):
    write_nest(nest_on_path, "3.10.0", b"\0_ZN4nest12ModelManager17get_node_model_idE" + string + b"\0")
    assert find_nest().new_abi == new


def test_a_library_without_an_abi_is_refused(nest_on_path):
    write_nest(nest_on_path, "3.10.0", b"\0something else\0")
    with pytest.raises(InstallationError, match="ABI"):
        find_nest()


def test_nest_config_answers_for_the_installed_nest(tmp_path):
    nest = find_nest()
    script = nest.write_config(tmp_path)

    def answer(question: str) -> str:
        return subprocess.run([script, question], check=True, capture_output=True, text=True).stdout.strip()

    assert answer("--version") == "3.10.0"
    headers = answer("--includes").removeprefix("-I").split()[0]
    assert (Path(headers) / "nest.h").is_file()
    assert Path(answer("--compiler")).is_file()
    assert subprocess.run([script, "--nonsense"], check=False).returncode == 1


@pytest.mark.parametrize("codegen", ["nestml-checked", "optimised"])
def test_generated_code_does_not_depend_on_hash_seeds(codegen, tmp_path):
    """Python hashes objects by their address, which differs from run to run, and text with a seed."""
    model = toolchain.find_model("amat2_psc_exp_neuron", codegen)
    folders = [tmp_path / str(seed) for seed in range(4)]
    processes = []
    for folder in folders:
        folder.mkdir()
        request = {
            "source": str(model.source),
            "target": str(folder / "code"),
            "module": "samemodule",
            "suffix": model.suffix,
            "codegen": model.codegen,
            "options": model.options,
            "platform": "NEST",
        }
        (folder / "request.json").write_text(json.dumps(request))
        command = [sys.executable, "-m", "amat.toolchain.generate", folder / "request.json"]
        environment = {**os.environ, "PYNEST_QUIET": "1", "PYTHONHASHSEED": folder.name}
        processes.append(subprocess.Popen(command, env=environment))
    assert [process.wait() for process in processes] == [0] * len(folders)
    made = []
    for folder in folders:
        code = {path.name: path.read_text() for path in (folder / "code").iterdir() if path.suffix in {".cpp", ".h"}}
        made.append({name: re.sub(r"Generated .* at time: .*", "", text) for name, text in code.items()})
    assert len(made[0]) >= 4
    assert all(code == made[0] for code in made)


@pytest.mark.parametrize("source", [LEAK, toolchain.SHIPPED_MODELS["izhikevich_neuron_nestml_unmodified"].source])
def test_unmodified_builds_are_what_nestml_generates(source, tmp_path):
    """Models without convolutions: NESTML orders those by memory address, differently in each process."""
    model = toolchain.find_model(str(source), "nestml")
    target = tmp_path / "theirs"
    script = (
        "from pynestml.frontend import pynestml_frontend as frontend\n"
        "frontend.builder_from_target_name = lambda *_, **__: (None, {})  # generates without compiling\n"
        f"frontend.generate_nest_target({str(source)!r}, {str(target)!r}, module_name='{model.name}module', "
        f"suffix={model.suffix!r})"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    ours = toolchain.build(model).generated

    def without_time(path: Path) -> str:
        return re.sub(r"at time: .*|Generated .*UTC", "", path.read_text())

    names = {path.name for path in target.iterdir() if path.is_file()}
    assert {f"{model.name}.cpp", f"{model.name}.h", f"{model.name}module.cpp", "CMakeLists.txt"} <= names
    assert {name: without_time(ours / name) for name in names} == {name: without_time(target / name) for name in names}


def test_without_names_a_generator_builds_its_models(run_amat, monkeypatch, tmp_path):
    """Without a compiler the first of them fails."""
    finished = run_amat(
        "build", "--codegen", "optimised", PATH=path_without("g++", tmp_path), AMAT_CACHE=str(tmp_path / "c")
    )
    assert finished.returncode == 1
    assert "g++ is missing" in finished.stderr


def test_a_file_in_the_syntax_of_nestml_8_is_corrected_and_built(run_amat, tmp_path):
    source = tmp_path / "old.nestml"
    before = LEAK.read_text().replace("-x / tau", "-x / mV / tau * mV").replace("model leak", "model old")
    source.write_text(before)
    finished = run_amat("build", source, "--upgrade")
    assert finished.returncode == 0, finished.stderr
    assert "2 units have a number now" in finished.stderr
    assert "-x / (1 mV) / tau * (1 mV)" in source.read_text()
    assert source.with_name("old.nestml.orig").read_text() == before
    again = run_amat("build", source, "--upgrade")
    assert "nothing to correct" in again.stderr
    assert "cached" in again.stdout


@pytest.mark.parametrize("arguments", [[], ["amat2_psc_exp_neuron_opt"], ["missing.nestml"]])
def test_only_files_can_be_upgraded(run_amat, arguments):
    finished = run_amat("build", *arguments, "--upgrade")
    assert finished.returncode
    assert "--upgrade is for NESTML files" in finished.stderr


def test_several_models_share_a_module():
    """Compiled as one file, although a header of NEST has no include guard."""
    library = Path(sys.prefix) / "models" / "neurons"
    sources = [paths.MODELS / "empty_neuron.nestml", library / "ignore_and_fire_neuron.nestml"]
    models = [toolchain.find_model(source, "optimised") for source in sources]
    module = toolchain.build_together("pair", models)
    nest = reset_kernel(0.1)
    nest.Install(str(module.library.with_suffix("")))
    assert {model.name for model in models} <= set(nest.node_models)
    assert toolchain.build_together("pair", models).cached
