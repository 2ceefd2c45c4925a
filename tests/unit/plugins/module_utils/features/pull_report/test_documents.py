# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Audit documents are read from bytes. Anything else is refused with the problem and its path, and never with a value."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report import documents
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.documents import (
    as_json,
    find_problem,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import merge_documents
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


DOCUMENT = merge_documents({"a": audits.document(audits.lived_in("production"), audits.lived_in("s\u202e</script>"))})


def test_the_json_form_is_the_document() -> None:
    assert json.loads(as_json(DOCUMENT)) == DOCUMENT


def test_each_character_is_printable() -> None:
    written = as_json(merge_documents({"a": audits.document(audits.lived_in("s\x1b\x9b\u202e\u200b\U000e0041"))}))
    assert written.replace("\n", "").isprintable()
    assert '"name": "s\\u001b\\u009b\\u202e\\u200b\\udb40\\udc41"' in written


def test_each_finding_has_its_own_line() -> None:
    lines = as_json(DOCUMENT).splitlines()
    ids = [finding["id"] for cluster in DOCUMENT["clusters"] for finding in cluster["findings"]]
    assert all(sum(f'"id": "{one}"' in line for line in lines) >= 1 for one in ids)
    assert max(line.count('"id": "') for line in lines) == 1


FOLDER = Path(__file__).parents[6] / "plugins/plugin_utils/pull_report"
DEFINITIONS = {"count": {"type": "integer", "minimum": 0}, "tasks": {"type": "array"}}
ALL = {
    "type": "object",
    "required": ["a", "n"],
    "additionalProperties": False,
    "properties": {"a": {"type": "string"}, "n": {"$ref": "#/$defs/count"},
                   "l": {"type": "array", "items": {"enum": ["x", "y"]}},
                   "m": {"type": "object", "additionalProperties": {"type": "boolean"}}, "t": {"type": ["string", "null"]},
                   "f": {"const": "f/1"}, "i": {"type": "string", "pattern": "^[0-9a-f]{16}$"},
                   "p": {"type": "string", "pattern": "^[a-z]*$"}, "x": {}},
}  # fmt: skip
GOOD: dict[str, Any] = {"a": "", "n": 0}


def problem_of(value: Any, schema: dict[str, Any] | None = None) -> str:
    return find_problem(value, ALL if schema is None else schema, DEFINITIONS)


def test_a_fitting_value_has_no_problem() -> None:
    full = {**GOOD, "l": ["x"], "m": {"k": True}, "t": None, "f": "f/1", "i": "0123456789abcdef", "p": "", "x": [1]}
    assert problem_of(GOOD) == problem_of(full) == problem_of({**full, "t": ""}) == ""


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, " is not an object"),
        ({"a": ""}, " lacks the member 'n'"),
        ({**GOOD, "a": None}, ".a is not a text"),
        ({**GOOD, "n": True}, ".n is not a whole number from 0 on"),
        ({**GOOD, "n": -1}, ".n is not a whole number from 0 on"),
        ({**GOOD, "n": 1.0}, ".n is not a whole number from 0 on"),
        ({**GOOD, "l": {}}, ".l is not a list"),
        ({**GOOD, "l": ["x", "z"]}, ".l[1] is not one of x, y"),
        ({**GOOD, "l": [["x"]]}, ".l[0] is not one of x, y"),
        ({**GOOD, "m": []}, ".m is not an object"),
        ({**GOOD, "m": {"k": 1}}, ".m.k is neither true nor false"),
        ({**GOOD, "m": {"a secret value": 1}}, ".m.one with an unusual name is neither true nor false"),
        ({**GOOD, "t": 1}, ".t is neither a text nor null"),
        ({**GOOD, "f": "f/2"}, ".f is not one of f/1"),
        ({**GOOD, "f": ["f/1"]}, ".f is not one of f/1"),
        ({**GOOD, "i": 1}, ".i is not an id of 16 hexadecimal digits"),
        ({**GOOD, "i": "0123456789abcdef\n"}, ".i is not an id of 16 hexadecimal digits"),
        ({**GOOD, "p": "A"}, ".p is not a text of the required format"),
        ({**GOOD, "__proto__": {}}, " has a member that this format does not know: __proto__"),
        ({**GOOD, "hunter2 !": {}}, " has a member that this format does not know: one with an unusual name"),
    ],
)
def test_a_wrong_value_is_named_by_its_place(value: Any, problem: str) -> None:
    assert problem_of(value) == problem


PULL_SECRET = "openshift_ops.image_pull.pull_secret"


def tasks(value: Any) -> str:
    return problem_of(value, {"$ref": "#/$defs/tasks"})


def test_the_fixes_must_be_tasks_of_this_collection() -> None:
    options = {"namespaces": ["a"], "registries": [{"registry": "q.io"}], "recreate": True, "none": None}
    assert tasks([]) == tasks([{"name": "t", PULL_SECRET: options}] * 2) == ""
    for wrong in (
        {},
        [1],
        [{}],
        [{"name": "t"}],
        [{PULL_SECRET: {}}],
        [{"name": 1, PULL_SECRET: {}}],
        [{"name": "t", PULL_SECRET: []}],
        [{"name": "t", "ansible.builtin.command": {"cmd": "id"}}],
        [{"name": "t", f"{PULL_SECRET}\n": {}}],
        [{"name": "t", PULL_SECRET: {}, "delegate_to": "localhost"}],
        [{"name": "t", PULL_SECRET: {"a": [[1]]}}],
        [{"name": "t", PULL_SECRET: {"a": {"b": {}}}}],
        [{"name": "t", PULL_SECRET: {"a": [{"b": [1]}]}}],
    ):
        assert tasks(wrong) == " is not a list of tasks of this collection"


KEYWORDS = {"$ref", "const", "enum", "type", "pattern", "items", "required", "properties", "additionalProperties"}
#: Keywords that only describe, or that restrict no reader: the writer keeps them, and the tests of the writer check them.
NOT_READ = {
    "$schema",
    "$defs",
    "title",
    "description",
    "minimum",
    "minLength",
    "minItems",
    "uniqueItems",
    "if",
    "then",
    "else",
}


@pytest.mark.parametrize("name", ["audit", "what_if"])
def test_the_schemas_have_only_known_keywords(name: str) -> None:
    schema = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))

    def check(part: Any) -> None:
        assert {*part} <= KEYWORDS | NOT_READ
        assert part.get("minimum", 0) == 0
        for inner in (part.get("items"), part.get("additionalProperties"), *part.get("properties", {}).values()):
            if isinstance(inner, dict):
                check(inner)

    definitions = {key: part for key, part in schema["$defs"].items() if key != "task"}
    unchecked = {"summary", "images_to_mirror"}
    shown = {key: part for key, part in schema["properties"].items() if key not in unchecked}
    for part in ({**schema, "properties": shown}, *definitions.values()):
        check(part)
