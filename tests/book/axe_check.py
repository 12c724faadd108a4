# SPDX-FileCopyrightText: The AMAT compendium developers
#
# SPDX-License-Identifier: GPL-2.0-or-later

"""Checks of accessibility by axe-core."""

from typing import Any

__all__ = ["TAGS", "check"]

#: The rules: WCAG 2.0 to 2.2, levels A and AA, and good practice.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def check(page: Any, rules: dict[str, Any], part: str = "html") -> list[str]:
    """Return axe's violations in a part of a page, each with the rule, the number of elements and the first of them."""
    violations = page.evaluate(
        "([rules, part]) => axe.run(part, {runOnly: rules, resultTypes: ['violations'], preload: false})"
        ".then(results => results.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200)]))",
        [rules, part],
    )
    return [f"{rule}, {count} times: {first}" for rule, count, first in violations]
