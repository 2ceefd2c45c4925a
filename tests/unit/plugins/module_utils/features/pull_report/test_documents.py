# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audit documents are read from bytes. Anything else is refused with a clear message."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report import documents
from hypothesis import given
from hypothesis import strategies as st
from support import audits

FULL = audits.document(audits.lived_in("production"), findings=[], compared=None)
FULL["compared"] = {"made": audits.MADE, "gone": [], "rules": {}, "only_before": [], "only_now": ["b"]}
FULL["clusters"][0]["made"] = audits.MADE


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def refusal(content: bytes) -> str:
    with pytest.raises(OptionError) as error:
        documents.from_bytes("/audit/a.json", content)
    assert str(error.value).startswith("file /audit/a.json ")
    assert "othing was written" in str(error.value)
    return str(error.value)


def test_a_document_is_read() -> None:
    assert documents.from_bytes("a", encoded(FULL)) == FULL


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not valid JSON at line 1, column 1"),
        (b"[1,\n2", "is not valid JSON at line 2, column 2"),
        (b"\xef\xbb\xbf{}", "is not valid JSON at line 1, column 1"),
        (b'{"a": "\xff"}', "is not valid UTF-8 at byte 7"),
        (b'{"a": NaN}', "contains NaN"),
        (b'{"a": -Infinity}', "contains -Infinity"),
        (b'{"a": 1e999}', "number that is too large"),
        (b'{"a": ' + b"9" * 5000 + b"}", "number that is too large"),
        (b'{"a": 1, "a": 1}', "the same member twice"),
        (b"[" * 200_000, "nested too deeply"),
        (b"null", "it is not an object"),
        (b"[]", "it is not an object"),
        (b"{}", "it lacks the member 'format'"),
        (
            b'{"format": "openshift_ops.image_pull/audit/2"}',
            "its format is openshift_ops.image_pull/audit/2, but this version reads",
        ),
        (b'{"format": "<script>"}', "its format is another one, but"),
        (b'{"format": "openshift_ops.image_pull/what_if/1"}', "Name it in option 'what_if'"),
    ],
    ids=range(16),
)
def test_content_that_is_not_a_document_is_refused(content: bytes, message: str) -> None:
    assert message in refusal(content)


def test_an_audit_among_the_answers_of_what_if_names_its_own_option() -> None:
    with pytest.raises(OptionError, match=r"\. Name it in option 'src'\. Write it again"):
        documents.what_if_from_bytes("/answers/a.json", json.dumps(FULL).encode())


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LARGEST_BYTES", 1 << 20)
    assert "has 2 MiB, more than the limit of 1 MiB" in refusal(b" " * (2 << 20))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of each value in a document, except values in a fix and the names of rules."""
    found = [path] if path else []
    if "fix" in path:
        return found
    items = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    return found + [place for name, part in items for place in places(part, (*path, name))]


SMALL = audits.document(
    audits.cluster(
        findings=[{**audits.finding(), "new": True, "fix_effects": ["x"], "fix_refusal": "", "expires": audits.MADE}],
        unreadable=["x"],
        made=audits.MADE,
        matrix={"registries": ["quay.io"], "accounts": [{"namespace": "a", "name": "b", "registries": [0]}]},
        pullers=[{"project": "a", "subject": "b", "namespace": "c", "binding": "d"}],
        logins=[audits.login("a/b")],
    ),
    compared={
        "made": audits.MADE,
        "gone": [{"cluster": "a", "finding": audits.finding()}],
        "rules": {},
        "only_before": ["c"],
        "only_now": [],
    },
)
OPTIONAL = {"new", "made", "compared", "fix_effects", "fix_refusal", "expires"}


@pytest.mark.parametrize("place", places(SMALL), ids=lambda place: ".".join(map(str, place)))
def test_each_place_of_a_document_is_checked(place: tuple[Any, ...]) -> None:
    """A wrong type, an extra member and a missing member each cause an error with the path."""
    for wrong in (None, 1.5, {"__proto__": 1}, [[]]):
        document = copy.deepcopy(SMALL)
        at: Any = document
        for name in place[:-1]:
            at = at[name]
        if place[-1] == "target_version" and wrong is None:
            continue
        at[place[-1]] = wrong
        assert "is not a readable audit document" in refusal(encoded(document))
    if isinstance(place[-1], str) and (place[-1] not in OPTIONAL or len(place) == 1) and "rules" not in place[:-1]:
        document = copy.deepcopy(SMALL)
        at = document
        for name in place[:-1]:
            at = at[name]
        del at[place[-1]]
        if place != ("compared",):
            assert f"lacks the member {place[-1]!r}" in refusal(encoded(document))


def test_a_reference_to_a_missing_rule_or_registry_is_refused() -> None:
    assert "clusters[0].findings[0] has a rule" in refusal(
        encoded(audits.document(audits.cluster(findings=[audits.finding("x")])))
    )
    matrix = {"registries": ["quay.io"], "accounts": [{"namespace": "a", "name": "b", "registries": [1]}]}
    assert "clusters[0].matrix.accounts[0] names a registry by a position" in refusal(
        encoded(audits.document(audits.cluster(matrix=matrix)))
    )


def test_a_refusal_never_shows_a_value() -> None:
    """A user may pass a file with credentials by mistake."""
    for content in (
        b'{"auths": {"quay.io": {"auth": "hunter2hunter2="}}}',
        b'{"format": "hunter2hunter2=", "x": 1}',
        b"hunter2hunter2",
    ):
        assert "hunter2" not in refusal(content)


def test_characters_that_cannot_be_written_are_replaced() -> None:
    cluster = audits.cluster("a\ud800b\udfff", unreadable=["\ud83d\ude00"])
    found = documents.from_bytes("a", encoded(audits.document(cluster)))["clusters"][0]
    assert (found["name"], found["unreadable"]) == ("a\ufffdb\ufffd", ["\U0001f600"])


@given(st.binary(max_size=40))
def test_no_bytes_end_in_a_traceback(content: bytes) -> None:
    refusal(content)
