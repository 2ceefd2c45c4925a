# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A what-if document is read completely, or refused with the place of its problem."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.documents import (
    what_if_from_bytes,
)
from hypothesis import given
from hypothesis import strategies as st
from support.objects import raised
from support.what_ifs import ACCESS, ANSWERS, container, document

REVIEW = document()["access"]


def read(found: Any) -> dict[str, Any]:
    return what_if_from_bytes("a.json", json.dumps(found).encode())


def test_the_shown_parts_are_returned() -> None:
    found = document(*map(container, ANSWERS))
    assert read(found) == {
        name: value
        for name, value in found.items()
        if name not in ("format", "summary", "restart_pulls", "images_to_mirror")
    }


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"made": "today"}, "made is not a time in UTC"),
        ({"counts": {}}, "counts lacks the member 'would_break'"),
        ({"containers": [{}]}, r"containers\[0\] lacks the member"),
        ({"containers": [container("unknown", when="soon")]}, r"containers\[0\].when is not one of"),
        ({"containers": [container(fix=[{"name": "a", "ansible.builtin.command": {}}])]}, "is not a list of tasks"),
        ({"containers": [container(changes=[1])]}, "names a change by a position"),
        ({"access": {**REVIEW, "lost": [{**ACCESS, "how": "magic"}]}}, r"access.lost\[0\].how is not one of"),
        ({"access": {**REVIEW, "gained": [{**ACCESS, "changes": [1]}]}}, r"access.gained\[0\] names a change by"),
        ({"access": {**REVIEW, "unplanned": ["x"]}}, r"access.unplanned\[0\] is not an object"),
        ({"access": {}}, "access lacks the member"),
        ({"format": "openshift_ops.image_pull/audit/1"}, "Name it in option 'src'"),
        ({"x": 1}, "it has a member that this format does not know: x"),
    ],
)
def test_a_wrong_part_is_named(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(OptionError, match=f"file a.json is not a readable what-if document: .*{says}"):
        read({**document(container()), **wrong})


def test_a_refusal_never_shows_a_value() -> None:
    assert "hunter2" not in raised(OptionError, lambda: read({**document(), "server": {"auth": "hunter2hunter2"}}))


@given(st.binary(max_size=60))
def test_no_bytes_end_in_a_traceback(content: bytes) -> None:
    with pytest.raises(OptionError):
        what_if_from_bytes("a.json", content)
