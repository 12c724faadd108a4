"""Files are written whole, or not at all."""

import json
import subprocess

import pytest

from amat.files import replacing, write_json


def test_a_failure_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_text("half of the n")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert path.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["table.csv"]


def test_what_a_killed_process_left_is_removed(tmp_path):
    path = tmp_path / "table.csv"
    with subprocess.Popen(["true"]) as process:
        pass
    leftover, alive = tmp_path / f".table.{process.pid}.csv", tmp_path / ".table.1.csv"
    leftover.touch()
    alive.touch()
    with replacing(path) as temporary:
        temporary.touch()
    assert {file.name for file in tmp_path.iterdir()} == {"table.csv", alive.name}


def test_json_makes_its_folder_and_is_sorted(tmp_path):
    path = tmp_path / "new" / "record.json"
    write_json(path, {"b": 1, "a": [2]})
    assert json.loads(path.read_text()) == {"a": [2], "b": 1}
    assert path.read_text().index('"a"') < path.read_text().index('"b"')
