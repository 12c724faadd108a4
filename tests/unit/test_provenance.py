"""Records tell what ran, and nothing about whose machine it was."""

import getpass
import json
import platform

from amat.provenance import provenance_record


def test_record_names_the_versions_that_are_pinned():
    record = provenance_record(seed=3)
    assert record["seed"] == 3
    assert record["versions"]["nest-simulator"] == "3.10.0"
    assert record["versions"]["nestml"] == "9.0.0"


def test_record_holds_only_allowed_facts_of_the_machine(tmp_path):
    record = provenance_record()
    assert set(record) == {"versions", "commit", "machine"}
    assert set(record["machine"]) == {"system", "architecture", "cpu", "usable_cores"}
    text = json.dumps(record)
    assert platform.node() not in text or len(platform.node()) < 4
    assert str(tmp_path.home()) not in text
    assert f'"{getpass.getuser()}"' not in text
