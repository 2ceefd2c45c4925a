# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and playbooks list steps. Decisions are Python, so no expression has a loop, and few are long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILES = [
    *(path for part in ("tasks", "vars") for path in sorted((ROOT / "roles").glob(f"*/{part}/*.yml"))),
    *sorted((ROOT / "playbooks").rglob("*.yml")),
    *sorted((ROOT / "extensions/awx/project").glob("*.yml")),
]
#: An expression is long from this number of characters on. Those that are left join lists, or give options to a lookup.
LONG, MOST_LONG = 121, 25
#: Maximum number of lines of the role that rotates credentials, without comments.
ROTATION = 400
_CONDITIONS = ("when", "failed_when", "that")


class _Loader(yaml.SafeLoader):
    """Reads `!unsafe` as text."""


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))


def _texts(value: Any, keys: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(item, (*keys, str(key)))
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, keys)
    elif isinstance(value, str):
        yield keys, value


def _expressions() -> Iterator[tuple[str, str]]:
    """Yield each condition and each value of a variable that is a template."""
    for path in FILES:
        for keys, text in _texts(yaml.load(path.read_text(encoding="utf-8"), _Loader)):
            is_variable = "vars" in keys or path.parent.name == "vars"
            if keys and (keys[-1] in _CONDITIONS or (is_variable and "{{" in text)):
                yield f"{path.relative_to(ROOT)}: {keys[-1]}", text


def test_there_are_no_more_long_expressions_than_before() -> None:
    long = [place for place, text in _expressions() if len(text) >= LONG]
    assert len(long) <= MOST_LONG, "\n".join(long)


def test_a_person_can_read_the_rotation_role() -> None:
    files = [path for path in FILES if path.parents[1].name == "credential_rotation"]
    lines = [line.strip() for path in files for line in path.read_text(encoding="utf-8").splitlines()]
    assert len([line for line in lines if line and line != "---" and not line.startswith("#")]) <= ROTATION
