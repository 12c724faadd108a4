# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""``amat test cluster`` and ``amat test images`` collect their tests and no others."""

import pytest


@pytest.mark.parametrize(("suite", "folder"), [("cluster", "tests/cluster"), ("images", "tests/containers")])
def test_suite_has_the_tests_of_its_folder(run_amat, suite, folder):
    collected = run_amat("test", suite, "--collect-only", "-q").stdout.splitlines()
    tests = [line for line in collected if "::" in line]
    assert tests
    assert all(line.startswith(f"{folder}/") for line in tests)
