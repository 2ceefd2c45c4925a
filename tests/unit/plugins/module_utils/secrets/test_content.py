# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a secret is read byte for byte, or it is reported as unreadable."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    NOTHING,
    from_registries,
    parse_stored,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import InvalidContent
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets import content
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import (
    DOCKERCFG,
    DOCKERCONFIGJSON,
    PODMANCONFIGJSON,
    StoredSecret,
    Target,
    can_be_auth_file,
    registry_changes,
    view_secret,
    view_stored_secret,
)
from hypothesis import given
from hypothesis import strategies as st
from support.objects import b64

from unit.canaries import shown

ENTRY = {"auth": b64("robot:canary")}
FILE = json.dumps({"auths": {"quay.io": ENTRY}})
ONE = from_registries([{"registry": "quay.io", "username": "robot", "password": "x", "email": "\u00e4"}])


def secret(data: Any, kind: str | None = DOCKERCONFIGJSON) -> dict[str, Any]:
    return {"data": data, **({} if kind is None else {"type": kind})}


def held(text: str | bytes, kind: str = DOCKERCONFIGJSON, key: str = ".dockerconfigjson") -> StoredSecret:
    raw = text.encode() if isinstance(text, str) else text
    return StoredSecret.of(secret({key: base64.b64encode(raw).decode()}, kind))


class TestTarget:
    def test_the_constants_have_the_values_of_the_platform(self) -> None:
        assert content.TYPES == (
            "kubernetes.io/dockerconfigjson",
            "kubernetes.io/dockercfg",
            "kubernetes.io/podmanconfigjson",
        )
        assert content.DATA_KEYS == {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg"}
        assert content.MAX_BYTES == 1_048_576

    @pytest.mark.parametrize(
        ("kind", "legacy", "start"),
        [(DOCKERCONFIGJSON, False, '{"auths": {"quay.io"'), (PODMANCONFIGJSON, False, '{"auths": {"quay.io"'), (DOCKERCFG, True, '{"quay.io"')],
    )  # fmt: skip
    def test_a_target_encodes_each_type_in_its_form(self, kind: str, legacy: bool, start: str) -> None:
        target = Target(kind, "key")
        text = base64.b64decode(target.encode(ONE)).decode("ascii")
        assert target.legacy is legacy
        assert text.startswith(start)
        assert parse_stored(text, legacy=legacy).holds(ONE)


class TestCodec:
    @given(st.binary())
    def test_text_is_encoded_to_the_same_bytes(self, raw: bytes) -> None:
        found = held(raw)
        assert base64.b64decode(content.encode_content(found.text)) == (raw or b"{}")

    def test_a_byte_that_is_not_utf8_hides_no_registry(self) -> None:
        found = held(b'{"auths": {"quay.io": {"auth": "YTpi", "email": "ren\xe9"}}}')
        assert found.unreadable == ""
        assert found.known.registries == found.auth_file.registries == ["quay.io"]

    @pytest.mark.parametrize("value", ["e30=", "e3\n0=\r\n", "\ne30="])
    def test_line_breaks_in_base64_are_ignored(self, value: str) -> None:
        assert StoredSecret.of(secret({".dockerconfigjson": value})).text == "{}"

    @pytest.mark.parametrize("value", ["%", "e30", "e3=0", "e30= ", "e30==", "=", 5, ["e30="], {}, True], ids=str)
    def test_invalid_base64_is_unreadable(self, value: Any) -> None:
        found = StoredSecret.of(secret({".dockerconfigjson": value}))
        assert found.unreadable == "is not base64"
        for part in ("text", "auth_file"):
            with pytest.raises(InvalidContent, match="^is not base64$"):
                getattr(found, part)
        assert found.known == NOTHING

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("x", "is not valid JSON at line 1, column 1"),
            (" ", "is not valid JSON at line 1, column 2"),
            ("[]", "is a list, not an object"),
            ('{"auths": 1}', "is not an auth file: 'auths' is a number, not an object"),
            ('{"auths": {}, "Auths": {}}', "is not an auth file: it has 'auths' twice"),
        ],
    )
    def test_content_that_is_not_an_auth_file_is_unreadable(self, text: str, why: str) -> None:
        found = held(text)
        assert found.unreadable == why
        assert found.known == NOTHING
        with pytest.raises(InvalidContent, match="^is "):
            _file = found.auth_file

    @pytest.mark.parametrize("data", [["e30="], "e30=", 5, True], ids=str)
    @pytest.mark.parametrize("kind", [DOCKERCONFIGJSON, PODMANCONFIGJSON])
    def test_data_that_is_not_a_dictionary_is_unreadable(self, data: Any, kind: str) -> None:
        assert StoredSecret.of(secret(data, kind)).unreadable == "is not base64"

    @pytest.mark.parametrize("data", [None, {}, {".dockerconfigjson": None}, {".dockerconfigjson": ""}], ids=str)
    def test_a_secret_without_content_is_empty(self, data: Any) -> None:
        found = StoredSecret.of(secret(data))
        assert (found.text, found.unreadable, found.auth_file, found.value) == ("{}", "", NOTHING, "")
        assert (found.for_kubelet.logins, found.for_kubelet.problems) == ({}, ())


class TestStoredSecret:
    @pytest.mark.parametrize(("kind", "key"), [(DOCKERCONFIGJSON, ".dockerconfigjson"), (DOCKERCFG, ".dockercfg")])
    def test_the_data_key_depends_on_the_type(self, kind: str, key: str) -> None:
        found = StoredSecret.of(secret({"other": "eA==", key: "e30="}, kind), "other")
        assert (found.type, found.key, found.value, found.others) == (kind, key, "e30=", {"other": "eA=="})
        assert found.legacy is (kind == DOCKERCFG)

    @pytest.mark.parametrize("kind", [None, "", 5, ["x"]])
    def test_a_secret_without_a_type_is_opaque(self, kind: Any) -> None:
        assert StoredSecret.of(secret({}, kind)).type == "Opaque"

    @pytest.mark.parametrize(
        ("data", "asked", "key"),
        [
            ({}, "auth.json", ""),
            ({"my.json": "e30="}, "", "my.json"),
            ({"my.json": "%"}, "auth.json", "my.json"),
            ({"auth.json": "e30=", "my.json": b64(FILE)}, "auth.json", "auth.json"),
            ({"a": "eA==", "my.json": b64(FILE), "z": "eA=="}, "auth.json", "my.json"),
            ({"a": b64(FILE), "b": b64(FILE)}, "", ""),
            ({"a": "eA==", "b": b64("{}")}, "", ""),
        ],
    )
    def test_the_podman_type_accepts_any_data_key(self, data: dict[str, str], asked: str, key: str) -> None:
        found = StoredSecret.of(secret(data, PODMANCONFIGJSON), asked)
        assert found.key == key
        assert found.value == data.get(key, "")
        assert found.others == {name: value for name, value in data.items() if name != key}

    def test_a_secret_with_several_possible_data_keys_is_unreadable(self) -> None:
        found = StoredSecret.of(secret({"b": b64(FILE), "a": b64(FILE)}, PODMANCONFIGJSON))
        assert found.unreadable == "is not in one data key: the secret has a, b"

    def test_a_dockercfg_in_another_type_is_recognized_by_its_key(self) -> None:
        assert held(json.dumps({"quay.io": ENTRY}), "Opaque", ".dockercfg").auth_file.registries == ["quay.io"]

    @pytest.mark.parametrize(
        ("data", "answer"),
        [
            ({"config.json": b64(FILE)}, True),
            ({"config.json": b64(FILE), "x": "eA=="}, False),
            ({"config.json": b64("{}")}, False),
            ({"config.json": "%"}, False),
            ({}, False),
        ],
    )
    def test_a_secret_with_only_an_auth_file_is_recognized(self, data: dict[str, str], answer: bool) -> None:
        assert StoredSecret.of(secret(data, "Opaque")).is_auth_file is answer

    @pytest.mark.parametrize(
        ("found", "logins", "problems"),
        [
            (held(FILE), {"quay.io": ("robot", "canary")}, ()),
            (held('{"quay.io": {"auth": "YTpi"}}', DOCKERCFG, ".dockercfg"), {"quay.io": ("a", "b")}, ()),
            (held('{"HttpHeaders": []}'), {}, ("'HttpHeaders' is a list, not an object",)),
            (held('{"auths": {}, "Auths": {}}'), {}, ()),
            (held("x"), {}, ("it is not valid JSON at line 1, column 1",)),
            (StoredSecret.of(secret({".dockerconfigjson": "%"})), {}, ("it is not base64",)),
        ],
    )
    def test_logins_and_problems_match_those_of_the_kubelet(
        self, found: StoredSecret, logins: Any, problems: tuple[str, ...]
    ) -> None:
        assert (found.for_kubelet.logins, found.for_kubelet.problems) == (logins, problems)

    def test_an_accidental_repr_shows_no_credential(self) -> None:
        assert shown(repr(held(FILE)), "canary") == []


class TestChanges:
    def test_registry_changes_lists_added_changed_and_removed_registries(self) -> None:
        before = parse_stored(
            '{"auths": {"a.io": {"auth": "YTpi"}, "b.io": {"auth": "YTpi"}, "c.io": {}, "d.io": {}}}', legacy=False
        )
        after = parse_stored(
            '{"auths": {"a.io": {"auth": "YTpi"}, "b.io": {"auth": "YTpj"}, "f.io": {}, "e.io": {}}}', legacy=False
        )
        assert registry_changes(before, after) == {
            "added": ["e.io", "f.io"],
            "changed": {"b.io": ["password"]},
            "removed": ["c.io", "d.io"],
        }
        assert registry_changes(before, before) == content.no_changes() == {"added": [], "changed": {}, "removed": []}


class TestViews:
    def test_a_view_names_registries_and_changed_parts_without_values(self) -> None:
        changes = {"added": ["new.io"], "changed": {"b.io": ["email", "password"]}, "removed": ["old.io"]}
        assert view_secret("T", ["old.io", "b.io", "a.io"], changes) == {
            "type": "T",
            "registries": {
                "a.io": "credential",
                "b.io": "credential with changed email, password",
                "new.io": "credential",
            },
        }
        assert list(view_secret("T", ["b", "a"])["registries"]) == ["a", "b"]

    def test_stored_view_shows_the_current_secret(self) -> None:
        assert view_stored_secret(held(FILE)) == {"type": DOCKERCONFIGJSON, "registries": {"quay.io": "credential"}}

    def test_unreadable_content_is_not_shown_as_empty(self) -> None:
        assert view_stored_secret(held("[]")) == {
            "type": DOCKERCONFIGJSON,
            "registries": "not known: the content is a list, not an object",
        }


@pytest.mark.parametrize(
    ("data", "may_be"),
    [
        ({".dockerconfigjson": "?"}, True),
        ({"auth.json": None}, True),
        ({"anything": b64(FILE)}, True),
        ({"anything": b64('{\n "q.io": {"auth": "dTpw"}}')}, True),
        ({"anything": b64('{"other": 1}')}, False),
        ({"anything": "eyJ?"}, False),
        ({"tls.key": b64("-----BEGIN"), "number": 1}, False),
        (None, False),
        ([1], False),
    ],
)
def test_possible_auth_files_are_recognized(data: Any, may_be: bool) -> None:
    assert can_be_auth_file(data) is may_be
