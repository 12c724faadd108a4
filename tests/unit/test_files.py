# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Atomic writing of files, and reading of YAML."""

import gzip
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from amat.compendium.settings import read_yaml
from amat.errors import AmatError
from amat.files import atomic_write, check_outputs, load_yaml, only_run, write_json, write_text
from amat.release.deposit import read_metadata
from amat.simulation.waveforms import read_samples


def test_failure_leaves_only_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail() -> None:
        with atomic_write(path) as temporary:
            temporary.write_text("incomplete")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_only_leftovers_of_killed_processes_are_removed(tmp_path):
    """Leftovers are recognised by the missing lock, because a killed process may keep its number for a while."""
    path = tmp_path / "table.csv"
    write = "import sys, time; from amat.files import atomic_write; from pathlib import Path\n"
    write += "with atomic_write(Path(sys.argv[1])) as t: print(t.name, flush=True); time.sleep(600)"
    names = []
    writers = [subprocess.Popen([sys.executable, "-c", write, path], stdout=-1, text=True) for _ in range(2)]
    try:
        for writer in writers:
            names.append(writer.stdout.readline().strip())
        os.kill(writers[0].pid, signal.SIGKILL)
        os.waitid(os.P_PID, writers[0].pid, os.WEXITED | os.WNOWAIT)  # dead, but still listed
        assert Path("/proc", str(writers[0].pid)).exists()
        with atomic_write(path) as temporary:
            temporary.touch()
        assert {file.name for file in tmp_path.iterdir()} == {"table.csv", names[1]}
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()


def test_json_is_sorted_and_its_folder_is_created(tmp_path):
    path = tmp_path / "new" / "record.json"
    write_json(path, {"b": 1, "a": [2]})
    assert json.loads(path.read_text()) == {"a": [2], "b": 1}
    assert path.read_text().index('"a"') < path.read_text().index('"b"')


def test_a_task_runs_once_at_a_time_and_the_other_process_is_named(tmp_path):
    """Numbers of processes that have ended, or do other work now, are not named."""
    path = tmp_path / "lock"
    with only_run(path, "benchmark") as lock:
        named = rf"Another benchmark is running in .* \(process {os.getpid()}\)"
        with pytest.raises(AmatError, match=named), only_run(path, "benchmark"):
            pass
        child = subprocess.Popen(["sleep", "60"], pass_fds=[lock.fileno()])
    try:
        path.write_text(f"{os.getppid()}\n99999999\n{child.pid}\n")
        with pytest.raises(AmatError, match=rf"\(process {child.pid}\)"), only_run(path, "benchmark"):
            pass
        path.write_text("99999999\n")
        with pytest.raises(AmatError, match=r"\(on another machine\)"), only_run(path, "benchmark"):
            pass
    finally:
        child.kill()
        child.wait()
    with only_run(path, "benchmark"):
        assert path.read_text() == f"{os.getpid()}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed: 1\ntime: 2\nseed: 3\n", "line 3: the key 'seed' occurs twice"),
        ("sets: [{1: a, 2: b, 1: c}]\n", "line 1: the key '1' occurs twice"),
        ("a: {yes: 1, true: 2}\n", "line 1: the key 'true' occurs twice"),
        ("a: [", "is not YAML"),
        ("a: 2030-13-45", "is not YAML"),
        ("a: !!python/object:os.system {}", "line 1: could not determine a constructor"),
    ],
)
def test_wrong_yaml_is_refused(tmp_path, text, message):
    path = tmp_path / "file.yaml"
    path.write_text(text)
    with pytest.raises(AmatError, match=message):
        load_yaml(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1: 2", "at the top level: the key 1 is no text; put it in quotes"),
        ("a: [0, {null: 2}]", "at a.1: the key None is no text"),
        ("a: [0, .nan]", "at a.1: numbers must be finite"),
        (f"a: {10**400}", "at a: numbers must be finite"),
        ("a: &x [*x]", "at the top level: an alias refers to itself"),
    ],
)
def test_settings_that_no_schema_refuses_are_refused(tmp_path, text, message):
    path = tmp_path / "file.yaml"
    path.write_text(text)
    with pytest.raises(AmatError, match=re.escape(message)):
        read_yaml(path, {"type": "object"}, "The file")


@pytest.mark.parametrize("read", [load_yaml, read_samples, read_metadata])
def test_a_device_is_not_read(read):
    """It may have no end."""
    with pytest.raises(AmatError, match=r"/dev/zero cannot be read: .*It is a device"):
        read(Path("/dev/zero"))


@pytest.mark.parametrize("compress", [bytes, gzip.compress])
@pytest.mark.parametrize(
    "content",
    [
        b"alpha_1: 3.5\nomega: 1e1\n",
        b'{"alpha_1": 3.5,\r\n"omega": "1e1"}\r\n\r\n',
        b"\xef\xbb\xbf---\r\nalpha_1: 3.5\r\nomega: 1e1\r\n\r\n",
        "alpha_1: 3.5\nomega: 1e1".encode("utf-16"),
    ],
)
def test_yaml_of_other_programs_is_read(tmp_path, content, compress):
    """CRLF, a byte order mark, UTF-16, gzip, empty lines at the end. YAML reads 1e1 as text."""
    path = tmp_path / "parameters.yaml"
    path.write_bytes(compress(content))
    assert load_yaml(path) == {"alpha_1": 3.5, "omega": "1e1"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"alpha_1: 3 \xb5V\n", "is not text in UTF-8"),
        (gzip.compress(b"alpha_1: 3\n" * 99, mtime=0)[:-12], "is a damaged gzip file"),
        (b"\x1f\x8bnothing", "is a damaged gzip file"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path, content, message):
    path = tmp_path / "parameters.yaml"
    path.write_bytes(content)
    with pytest.raises(AmatError, match=f"^The parameter file .*parameters.yaml {message}"):
        load_yaml(path, "The parameter file")


def test_merged_keys_may_be_overridden(tmp_path):
    path = tmp_path / "file.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb: &b {<<: *a, x: 3}\nc: {<<: *b, y: 4}\nd: {x: 5}\n")
    assert load_yaml(path) == {"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}, "c": {"x": 3, "y": 4}, "d": {"x": 5}}


def test_links_are_followed_and_fifos_written_to(tmp_path):
    target, link, fifo = tmp_path / "folder" / "target", tmp_path / "link", tmp_path / "fifo"
    target.parent.mkdir()
    link.symlink_to(target)
    os.mkfifo(fifo)
    check_outputs(link, fifo)
    write_text(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
    with subprocess.Popen(["cat", fifo], stdout=subprocess.PIPE, text=True) as reader:
        write_text(fifo, "through")
        assert reader.communicate()[0] == "through"
    assert fifo.is_fifo()
    assert sorted(tmp_path.rglob("*")) == [fifo, target.parent, target, link]


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "output.txt"])
def test_standard_output_is_written_to_not_replaced(tmp_path, name):
    """Also where it is a file, whose other contents stay."""
    code = "from pathlib import Path; from amat.files import write_text; import sys\n"
    code += "print('before'); write_text(Path(sys.argv[1]), 'table\\n'); print('after')"
    command = [sys.executable, "-c", code, name]
    with (tmp_path / "output.txt").open("w") as output:
        subprocess.run(command, check=True, stdout=output, cwd=tmp_path)
    assert (tmp_path / "output.txt").read_text() == "before\ntable\nafter\n"
    assert [file.name for file in tmp_path.iterdir()] == ["output.txt"]


def test_a_full_disk_is_an_error_of_one_line():
    with pytest.raises(AmatError, match=r"^/dev/full cannot be written: No space left on device\.$"):
        write_text(Path("/dev/full"), "text")


def test_outputs_are_checked_before_any_work_and_nothing_is_left(tmp_path):
    (tmp_path / "link.csv").symlink_to("table.csv")
    (tmp_path / "file").touch()
    before = sorted(tmp_path.iterdir())
    check_outputs(tmp_path / "new" / "folder" / "table.csv", tmp_path / "table.csv")
    for paths, message in (
        (["table.csv", "link.csv"], "are the same file"),
        (["a.csv", "new/../a.csv"], "are the same file"),
        ([""], "is a folder"),
        (["file/table.csv"], "cannot be written: Not a directory"),
        (["x" * 300], "cannot be written: File name too long"),
        (["/proc/table.csv"], "cannot be written: "),
    ):
        with pytest.raises(AmatError, match=message):
            check_outputs(*(tmp_path / path for path in paths))
    with pytest.raises(AmatError, match="are the same file"):
        check_outputs(Path("-"), Path("/dev/stdout"))
    for folder in ("file", "file/folder", "/proc/folder"):
        with pytest.raises(AmatError, match="cannot be written: "):
            check_outputs(folders=[tmp_path / folder])
    check_outputs(folders=[tmp_path, tmp_path / "new" / "folder"])
    assert sorted(tmp_path.iterdir()) == before


def test_no_empty_folder_is_left(tmp_path):
    def fail(written: str) -> None:
        path = tmp_path / "new" / "folder" / written
        with only_run(tmp_path / "new" / "lock", "benchmark"), atomic_write(path) as temporary:
            temporary.write_bytes(b"")
            raise AmatError("no space")

    with pytest.raises(AmatError, match="no space"):
        fail("table.csv")
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "new").mkdir()
    with pytest.raises(AmatError, match="no space"):
        fail("table.csv")
    assert [path.name for path in tmp_path.rglob("*")] == ["new", "lock"]
