# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one codec: what a secret holds is read byte for byte, or it is said that it cannot be read."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    NOTHING,
    from_registries,
    read_stored,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import InvalidContent
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets import content
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import (
    DOCKERCFG,
    DOCKERCONFIGJSON,
    PODMANCONFIGJSON,
    StoredSecret,
    Target,
    may_be_auth_file,
    registry_changes,
    stored_view,
    view,
)
from hypothesis import given
from hypothesis import strategies as st

from unit.canaries import b64, shown

ENTRY = {"auth": b64("robot:canary")}
FILE = json.dumps({"auths": {"quay.io": ENTRY}})
ONE = from_registries([{"registry": "quay.io", "username": "robot", "password": "x", "email": "\u00e4"}])


def secret(data: Any, kind: str | None = DOCKERCONFIGJSON) -> dict[str, Any]:
    return {"data": data, **({} if kind is None else {"type": kind})}


def held(text: str | bytes, kind: str = DOCKERCONFIGJSON, key: str = ".dockerconfigjson") -> StoredSecret:
    raw = text.encode() if isinstance(text, str) else text
    return StoredSecret.of(secret({key: base64.b64encode(raw).decode()}, kind))


class TestTarget:
    def test_the_constants_are_the_platforms(self) -> None:
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
    def test_writes_each_type_in_its_form(self, kind: str, legacy: bool, start: str) -> None:
        target = Target(kind, "key")
        text = base64.b64decode(target.encode(ONE)).decode("ascii")
        assert target.legacy is legacy
        assert text.startswith(start)
        assert read_stored(text, legacy=legacy).holds(ONE)


class TestCodec:
    @given(st.binary())
    def test_text_becomes_the_same_bytes_again(self, raw: bytes) -> None:
        found = held(raw)
        assert base64.b64decode(content.encoded(found.text)) == (raw or b"{}")

    def test_a_byte_that_is_not_utf8_hides_nothing(self) -> None:
        found = held(b'{"auths": {"quay.io": {"auth": "YTpi", "email": "ren\xe9"}}}')
        assert found.unreadable == ""
        assert found.known.registries == found.auth_file.registries == ["quay.io"]

    @pytest.mark.parametrize("value", ["e30=", "e3\n0=\r\n", "\ne30="])
    def test_line_ends_in_base64_do_not_count(self, value: str) -> None:
        assert StoredSecret.of(secret({".dockerconfigjson": value})).text == "{}"

    @pytest.mark.parametrize("value", ["%", "e30", "e3=0", "e30= ", "e30==", "=", 5, ["e30="], {}, True])
    def test_what_is_not_base64_is_an_error(self, value: Any) -> None:
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
    def test_so_is_what_is_no_auth_file(self, text: str, why: str) -> None:
        found = held(text)
        assert found.unreadable == why
        assert found.known == NOTHING
        with pytest.raises(InvalidContent, match="^is "):
            _file = found.auth_file

    @pytest.mark.parametrize("data", [["e30="], "e30=", 5, True])
    @pytest.mark.parametrize("kind", [DOCKERCONFIGJSON, PODMANCONFIGJSON])
    def test_so_is_data_that_is_none(self, data: Any, kind: str) -> None:
        assert StoredSecret.of(secret(data, kind)).unreadable == "is not base64"

    @pytest.mark.parametrize("data", [None, {}, {".dockerconfigjson": None}, {".dockerconfigjson": ""}])
    def test_no_content_is_empty(self, data: Any) -> None:
        found = StoredSecret.of(secret(data))
        assert (found.text, found.unreadable, found.auth_file, found.value) == ("{}", "", NOTHING, "")
        assert (found.for_kubelet.logins, found.for_kubelet.problems) == ({}, ())


class TestStoredSecret:
    @pytest.mark.parametrize(("kind", "key"), [(DOCKERCONFIGJSON, ".dockerconfigjson"), (DOCKERCFG, ".dockercfg")])
    def test_the_data_key_goes_with_the_type(self, kind: str, key: str) -> None:
        found = StoredSecret.of(secret({"other": "eA==", key: "e30="}, kind), "other")
        assert (found.type, found.key, found.value, found.others) == (kind, key, "e30=", {"other": "eA=="})
        assert found.legacy is (kind == DOCKERCFG)

    @pytest.mark.parametrize("kind", [None, "", 5, ["x"]])
    def test_without_a_type_it_is_opaque(self, kind: Any) -> None:
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
    def test_podmans_type_has_none_of_its_own(self, data: dict[str, str], asked: str, key: str) -> None:
        found = StoredSecret.of(secret(data, PODMANCONFIGJSON), asked)
        assert found.key == key
        assert found.value == data.get(key, "")
        assert found.others == {name: value for name, value in data.items() if name != key}

    def test_which_of_several_it_is_cannot_be_guessed(self) -> None:
        found = StoredSecret.of(secret({"b": b64(FILE), "a": b64(FILE)}, PODMANCONFIGJSON))
        assert found.unreadable == "is not in one data key: the secret has a, b"

    def test_a_dockercfg_in_another_secret_is_one_by_its_key(self) -> None:
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
    def test_whether_it_holds_an_auth_file_and_nothing_else(self, data: dict[str, str], answer: bool) -> None:
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
    def test_what_the_kubelet_makes_of_it(self, found: StoredSecret, logins: Any, problems: tuple[str, ...]) -> None:
        assert (found.for_kubelet.logins, found.for_kubelet.problems) == (logins, problems)

    def test_an_accidental_repr_shows_no_credential(self) -> None:
        assert shown(repr(held(FILE)), "canary") == []


class TestChanges:
    def test_tells_what_becomes_of_each_registry(self) -> None:
        before = read_stored(
            '{"auths": {"a.io": {"auth": "YTpi"}, "b.io": {"auth": "YTpi"}, "c.io": {}, "d.io": {}}}', legacy=False
        )
        after = read_stored(
            '{"auths": {"a.io": {"auth": "YTpi"}, "b.io": {"auth": "YTpj"}, "f.io": {}, "e.io": {}}}', legacy=False
        )
        assert registry_changes(before, after) == {
            "added": ["e.io", "f.io"],
            "changed": {"b.io": ["password"]},
            "removed": ["c.io", "d.io"],
        }
        assert registry_changes(before, before) == content.no_changes() == {"added": [], "changed": {}, "removed": []}


class TestViews:
    def test_names_registries_and_parts_never_a_value(self) -> None:
        changes = {"added": ["new.io"], "changed": {"b.io": ["email", "password"]}, "removed": ["old.io"]}
        assert view("T", ["old.io", "b.io", "a.io"], changes) == {
            "type": "T",
            "registries": {
                "a.io": "credential",
                "b.io": "credential with changed email, password",
                "new.io": "credential",
            },
        }
        assert list(view("T", ["b", "a"])["registries"]) == ["a", "b"]

    def test_of_a_secret_as_it_is(self) -> None:
        assert stored_view(held(FILE)) == {"type": DOCKERCONFIGJSON, "registries": {"quay.io": "credential"}}

    def test_what_cannot_be_read_is_not_shown_as_empty(self) -> None:
        assert stored_view(held("[]")) == {
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
def test_whether_data_is_worth_a_look(data: Any, may_be: bool) -> None:
    assert may_be_auth_file(data) is may_be
