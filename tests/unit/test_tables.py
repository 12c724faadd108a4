# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Result tables of notebooks, computed and shipped."""

import pandas as pd
import pytest

from amat.compendium.tables import make_table
from amat.errors import AmatError


def compute() -> pd.DataFrame:
    return pd.DataFrame({"model": ["amat", "none"], "rate_per_s": [1 / 3, float("nan")], "spikes": [3, 0]})


def refuse() -> pd.DataFrame:
    raise AssertionError("A shipped table was computed.")


def test_shipped_table_equals_the_computed_one(tmp_path):
    computed = make_table("rates", compute, results=tmp_path / "full")
    shipped = make_table("rates", refuse, results=tmp_path / "book", shipped=tmp_path / "full")
    pd.testing.assert_frame_equal(computed, shipped)
    assert computed["model"].tolist() == ["amat", "none"]
    assert computed["rate_per_s"][0] == pytest.approx(1 / 3, rel=1e-8)
    assert (tmp_path / "full/rates.csv.gz").read_bytes() == (tmp_path / "book/rates.csv.gz").read_bytes()


def test_equal_tables_give_equal_files(tmp_path):
    for folder in ("a", "b"):
        make_table("rates", compute, results=tmp_path / folder)
    assert (tmp_path / "a/rates.csv.gz").read_bytes() == (tmp_path / "b/rates.csv.gz").read_bytes()


def test_missing_shipped_table_is_reported(tmp_path):
    with pytest.raises(AmatError, match=r"rates\.csv\.gz is missing: leave `shipped` empty"):
        make_table("rates", compute, results=tmp_path, shipped=tmp_path / "nowhere")
