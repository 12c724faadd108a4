# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""The tutorial: its exercises, the command that opens it, and a run in JupyterLab from the installed package."""

import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from importlib.metadata import version
from pathlib import Path

import nbformat
import pytest

from amat import paths, toolchain

TOKEN = uuid.uuid4().hex


@pytest.fixture(scope="module")
def installed(tmp_path_factory, root: Path) -> dict[str, str]:
    """The environment of a package that is installed from its wheel, without a checkout."""
    folder = tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, check=True, cwd=root, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(folder / "site"), wheel]
    subprocess.run(pip, check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": str(folder / "site"), "AMAT_CACHE": str(paths.module_cache())}
    found = subprocess.run(
        [sys.executable, "-c", "from amat import paths; print(paths.ROOT, paths.TUTORIAL)"],
        check=True,
        capture_output=True,
        text=True,
        env=environment,
        cwd=folder,
    ).stdout
    assert found.split() == ["None", str(folder / "site/amat/_share/notebooks/tutorial.ipynb")]
    return environment


def test_the_wheel_requires_the_code_generator(installed):
    (metadata,) = Path(installed["PYTHONPATH"]).glob("amat-*.dist-info/METADATA")
    assert f"Requires-Dist: nestml-optimised=={version('nestml-optimised')}\n" in metadata.read_text()


def test_the_command_copies_the_notebook_and_never_overwrites_it(run_amat, tmp_path):
    for _ in range(2):
        finished = run_amat("tutorial", "--output", tmp_path / "mine", "--no-open")
        assert finished.returncode == 0, finished.stderr
        notebook = tmp_path / "mine" / "tutorial.ipynb"
        assert str(notebook) in finished.stdout
        nbformat.validate(nbformat.read(notebook, as_version=4))
        notebook.write_text(notebook.read_text().replace("seed = 1", "seed = 2"))
    assert "seed = 2" in notebook.read_text()


def test_every_exercise_has_a_hidden_solution_with_an_explanation():
    cells = json.loads(paths.TUTORIAL.read_text())["cells"]
    exercises = [n for n, cell in enumerate(cells) if "**Exercise" in "".join(cell["source"])]
    assert len(exercises) == 8
    for number in exercises:
        solution = cells[number + 1]
        assert solution["cell_type"] == "code"
        # The description of a figure is for the book.
        metadata = {key: value for key, value in solution["metadata"].items() if key != "mystnb"}
        assert metadata == {"jupyter": {"source_hidden": True}, "tags": ["hide-cell"]}
        # The explanation is hidden as well: HTML works both in JupyterLab and in the book.
        explanation = re.match(
            r"<details>\n<summary>Explanation</summary>\n\n(.+)\n\n</details>", text_of(cells[number + 2])
        )
        assert explanation
        assert len(explanation[1].split()) > 25


def text_of(cell: dict) -> str:
    return "".join(cell["source"])


def test_the_tutorial_names_its_command_and_shows_a_figure_first():
    cells = json.loads(paths.TUTORIAL.read_text())["cells"]
    assert "`./amat tutorial`" in text_of(cells[0]).split("\n\n")[1]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    first = next(number for number, cell in enumerate(code) if "figure" in cell["metadata"].get("mystnb", {}))
    visible = [cell for cell in code[: first + 1] if "hide-input" not in cell["metadata"].get("tags", [])]
    assert sum(text_of(cell).count("\n") + 1 for cell in visible) < 10


def test_the_tutorial_needs_only_the_package():
    """JupyterLab knows neither glue nor roles of the book; papermill is a tool of the book."""
    cells = json.loads(paths.TUTORIAL.read_text())["cells"]
    assert not any(re.search(r"\{\w+\}`|myst_nb|papermill", "".join(cell["source"])) for cell in cells)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_tutorial_runs_in_jupyterlab_from_the_installed_package(installed, tmp_path):
    """All cells run in less than three minutes through JupyterLab's server, as its page sends them."""
    toolchain.build(toolchain.AMAT_OPT)
    amat = [sys.executable, "-m", "amat"]
    options = ["--", "--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
    options.append(f"--IdentityProvider.token={TOKEN}")
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [*amat, "tutorial", "--output", "course", *options],
            cwd=tmp_path,
            env=installed,
            stdout=output,
            stderr=output,
        )
        try:
            address = wait_for_address(log, server)
            assert "JupyterLab" in fetch(f"{address}/lab/tree/tutorial.ipynb").decode()
            content = json.loads(fetch(f"{address}/api/contents/tutorial.ipynb"))["content"]
            session = {"path": "tutorial.ipynb", "name": "", "type": "notebook", "kernel": {"name": "python3"}}
            kernel = json.loads(fetch(f"{address}/api/sessions", session))["kernel"]["id"]
            sources = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
            outputs = execute(f"{address}/api/kernels/{kernel}/channels", sources, seconds=180)
        finally:
            server.terminate()
            server.wait()
    assert (tmp_path / "course" / "tutorial" / "my_neuron.nestml").is_file()
    assert len(outputs) == len(sources)
    assert sum(text.count("image/png") for text in outputs) == 12
    assert any("a spike in every cycle up to" in text for text in outputs)


def wait_for_address(log: Path, server: subprocess.Popen) -> str:
    """Return the address that JupyterLab prints when it is ready."""
    for _ in range(600):
        if found := re.search(r"(http://127\.0\.0\.1:\d+)/lab", log.read_text()):
            try:
                fetch(f"{found[1]}/api/status")
            except urllib.error.URLError:
                pass
            else:
                return found[1]
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def fetch(address: str, message: object = None) -> bytes:
    """Return the server's answer to a request, or to a posted message."""
    data = None if message is None else json.dumps(message).encode()
    request = urllib.request.Request(address, data, {"Authorization": f"token {TOKEN}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read()


def execute(channels: str, sources: list[str], seconds: float) -> list[str]:
    """Execute cells on a kernel, as JupyterLab's page does, and return the outputs of each."""
    import websocket

    address = channels.replace("http://", "ws://")
    connection = websocket.create_connection(address, header={"Authorization": f"token {TOKEN}"}, timeout=seconds)
    end = time.monotonic() + seconds
    outputs = []
    try:
        for source in sources:
            request = uuid.uuid4().hex
            header = {"msg_id": request, "msg_type": "execute_request", "session": "s", "username": ""}
            header["version"] = "5.3"
            content = {"code": source, "silent": False, "store_history": True, "allow_stdin": False}
            content["stop_on_error"] = True
            message = {"channel": "shell", "header": header, "parent_header": {}, "metadata": {}, "content": content}
            connection.send(json.dumps(message))
            text = ""
            while True:
                assert time.monotonic() < end, f"timeout of {seconds} s in the cell:\n{source}"
                answer = json.loads(connection.recv())
                if answer["parent_header"].get("msg_id") != request:
                    continue
                kind = answer["msg_type"]
                assert kind != "error", "\n".join(answer["content"].get("traceback", []))
                if kind in ("stream", "execute_result", "display_data"):
                    text += json.dumps(answer["content"])
                if kind == "status" and answer["content"]["execution_state"] == "idle":
                    break
            outputs.append(text)
    finally:
        connection.close()
    return outputs
