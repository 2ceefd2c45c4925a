# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Merging and removing entries keeps all other content byte for byte."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig import editing
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    from_registries,
    parse_stored,
    parse_text,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.credential_entry import (
    kubelet_reading,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.editing import (
    LoginKeys,
    LoginReplacement,
    UserPassword,
    find_logins,
    replace_logins,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import InvalidContent
from hypothesis import assume, given
from hypothesis import strategies as st
from support.anything import ANYTHING
from support.objects import b64

#: Numbers and escapes that a reader would change, doubled names, white space, a byte that is not UTF-8.
OTHERS = '"other.io": {"auth":"eDp5" , "n": 1.50, "n": 1e999, "s": "\\u00e4\\/", "email": "ren\udce9"}'

QUAY = from_registries([{"registry": "quay.io", "username": "robot", "password": "new"}])

NEW = '{"username": "robot", "password": "new", "auth": "cm9ib3Q6bmV3"}'

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)

SPACES = st.text(" \t\n\r", max_size=2)


def auths_of(text: str) -> dict[str, Any]:
    return json.loads(text)["auths"]


def merged(text: str, *, legacy: bool = False) -> str:
    return editing.merge_entries(text, QUAY, legacy=legacy)


class TestMerged:
    @pytest.mark.parametrize(
        ("text", "after"),
        [
            ("{}", f'{{"auths": {{"quay.io": {NEW}}}}}'),
            ("null", f'{{"auths": {{"quay.io": {NEW}}}}}'),
            ('{"auths": null}', f'{{"auths": {{"quay.io": {NEW}}}}}'),
            (' {"AUTHS" : { } }\n', f' {{"AUTHS" : {{ "quay.io": {NEW}}} }}\n'),
            ('{"x":1}', f'{{"x":1, "auths": {{"quay.io": {NEW}}}}}'),
        ],
    )
    def test_an_empty_file_gets_the_entries(self, text: str, after: str) -> None:
        assert merged(text) == after

    def test_merging_keeps_everything_else_byte_for_byte(self) -> None:
        text = f'\n{{"x" : 1.0,\n "auths":\t{{ {OTHERS} ,\n  "quay.io" :{{ENTRY}} }}, "y": [ 1,2 ] }} '
        after = text.replace("{ENTRY}", '{"auth": "cm9ib3Q6bmV3", "username": "robot", "password": "new"}')
        text = text.replace("{ENTRY}", '{"auth": "x"}')
        assert merged(text) == after

    def test_a_legacy_file_has_no_wrapper(self) -> None:
        assert merged(f"{{{OTHERS}}}", legacy=True) == f'{{{OTHERS}, "quay.io": {NEW}}}'

    @given(st.dictionaries(st.text(), JSON, max_size=3), st.dictionaries(st.text(), JSON, max_size=3), SPACES)
    def test_merging_and_removing_an_entry_leaves_the_same_bytes(
        self, top: dict[str, Any], auths: dict[str, Any], space: str
    ) -> None:
        assume("quay.io" not in auths)
        top = {key: value for key, value in top.items() if key.lower() != "auths"}
        before = {**top, "auths": auths}
        text = json.dumps(before, ensure_ascii=False, separators=(f"{space},{space}", f"{space}:{space}"))
        there = merged(text)
        assert json.loads(there) == {**top, "auths": {**auths, "quay.io": json.loads(NEW)}}
        assert merged(there) == there
        assert editing.remove_entries(there, ["quay.io"], legacy=False) == text

    @pytest.mark.parametrize("stored", ["https://quay.io", "quay.io/", "QUAY.IO", "https://robot:pass@quay.io/v1/"])
    def test_merging_leaves_one_entry_for_each_path(self, stored: str) -> None:
        text = json.dumps(
            {"auths": {stored: {"auth": "x", "email": "e"}, "a.io": {}, "quay.io": {"auth": "y", "email": "f"}}}
        )
        after = auths_of(merged(text))
        assert list(after) == ["a.io", "quay.io"]
        assert after["quay.io"]["email"] == "f"

    def test_an_entry_in_another_form_is_renamed_in_its_place(self) -> None:
        text = '{"auths": {"a.io":{} ,"https://quay.io" : {"auth":"cm9ib3Q6bmV3"} ,"b.io":{}}}'
        assert merged(text) == '{"auths": {"a.io":{} ,"quay.io": {"auth":"cm9ib3Q6bmV3"} ,"b.io":{}}}'

    def test_the_last_of_two_equal_keys_stays(self) -> None:
        text = '{"auths": {"quay.io": {"email": "1"}, "a.io": {}, "a.io": {}, "quay.io": {"email": "2"}}}'
        after = merged(text)
        assert after.count("quay.io") == 1
        assert after.count("a.io") == 2
        assert auths_of(after)["quay.io"]["email"] == "2"

    def test_fields_that_are_not_given_are_kept(self) -> None:
        entry = '{"Auth" :"x", "email": "ren\udce9", "identitytoken": "t", "password": "old", "Z": 1.0}'
        assert merged(f'{{"auths": {{"quay.io": {entry}}}}}') == (
            '{"auths": {"quay.io": {"Auth" :"cm9ib3Q6bmV3", "email": "ren\udce9", "identitytoken": "t", "password": "new", "Z": 1.0, '
            '"username": "robot"}}}'
        )

    def test_user_and_password_next_to_auth_are_updated_to_those_of_auth(self) -> None:
        wanted = parse_text(json.dumps({"auths": {"quay.io": {"auth": b64("a:b")}}}), "the file")
        text = '{"auths": {"quay.io": {"auth": "x", "username": "c"}}}'
        after = auths_of(editing.merge_entries(text, wanted, legacy=False))
        assert after == {"quay.io": {"auth": b64("a:b"), "username": "a", "password": "b"}}

    def test_an_entry_with_auth_only_gets_no_other_fields(self) -> None:
        wanted = parse_text(json.dumps({"auths": {"quay.io": {"auth": b64("a:b")}}}), "the file")
        text = '{"auths": {"quay.io": {"auth": "x", "email": "e"}}}'
        assert auths_of(editing.merge_entries(text, wanted, legacy=False)) == {
            "quay.io": {"auth": b64("a:b"), "email": "e"}
        }

    def test_a_field_that_stops_every_pull_is_removed(self) -> None:
        """A field of a wrong type makes the kubelet reject the whole secret."""
        text = '{"auths": {"quay.io": {"email": 5, "auth": "x", "Password": null, "identitytoken": 5}}}'
        after = merged(text)
        assert auths_of(after)["quay.io"] == {
            "auth": "cm9ib3Q6bmV3", "Password": "new", "identitytoken": 5, "username": "robot",
        }  # fmt: skip
        assert parse_stored(after, legacy=False).holds(QUAY)

    @pytest.mark.parametrize("entry", ["null", '"x"', "[]", "{}"])
    def test_an_entry_without_content_is_replaced(self, entry: str) -> None:
        assert auths_of(merged(f'{{"auths": {{"quay.io": {entry}}}}}')) == {"quay.io": json.loads(NEW)}

    @pytest.mark.parametrize(
        "entry", ['{ "password":"new", "username":"robot"}', '{"auth":"cm9ib3Q6bmV3" }', '{"Auth": "cm9i\\nb3Q6bmV3"}']
    )
    def test_the_same_credential_keeps_its_text(self, entry: str) -> None:
        text = f'{{"auths": {{"quay.io": {entry}}}}}'
        assert merged(text) == text

    def test_padding_that_the_kubelet_does_not_read_is_repaired(self) -> None:
        text = '{"auths": {"quay.io": {"auth": "cm9ib3Q6bmV3=="}}}'
        assert auths_of(merged(text)) == {"quay.io": {"auth": "cm9ib3Q6bmV3", "username": "robot", "password": "new"}}

    @pytest.mark.parametrize(
        "text", ["", "[]", "x", '{"auths": []}', '{"auths": {}, "AUTHS": {}}', '{"auths": 1}', "{} {}", '{"a": NaN}']
    )
    @pytest.mark.parametrize(
        "edit",
        [
            merged,
            lambda text: editing.remove_entries(text, ["quay.io"], legacy=False),
            lambda text: editing.convert_form(text, legacy=True),
        ],
    )
    def test_an_invalid_file_is_not_edited(self, text: str, edit: Any) -> None:
        with pytest.raises(InvalidContent, match="^is "):
            edit(text)


class TestWithout:
    def test_removing_an_entry_removes_each_form_and_each_duplicate(self) -> None:
        text = (
            f'{{"auths": {{"https://quay.io/": {{}} , {OTHERS},\n"quay.io": {{}}, "quay.io": {{}}, "u:p@quay.io": {{}}, '
            '"quay.io/team": {} }}'
        )
        after = editing.remove_entries(text, ["http://QUAY.io"], legacy=False)
        assert after == f'{{"auths": {{{OTHERS}, "quay.io/team": {{}} }}}}'

    def test_removing_an_entry_removes_only_its_path(self) -> None:
        text = '{"quay.io": {}, "quay.io/team": {}, "quay.io/team/app": {}}'
        assert editing.remove_entries(text, ["quay.io/team"], legacy=True) == '{"quay.io": {}, "quay.io/team/app": {}}'

    def test_removing_a_missing_entry_changes_nothing(self) -> None:
        text = f' {{"auths" :{{{OTHERS}}} }}'
        assert editing.remove_entries(text, ["quay.io"], legacy=False) == text


class TestConverted:
    def test_converting_to_the_new_form_and_back_gives_the_same_text(self) -> None:
        legacy = f"{{{OTHERS} }}"
        wrapped = editing.convert_form(legacy, legacy=False)
        assert wrapped == f'{{"auths": {legacy}}}'
        assert editing.convert_form(wrapped, legacy=True) == legacy

    def test_the_legacy_form_drops_members_other_than_the_entries(self) -> None:
        assert editing.convert_form('{"x": 1, "Auths": { }}', legacy=True) == "{ }"

    @pytest.mark.parametrize("legacy", [True, False])
    def test_an_empty_file_is_converted_to_an_empty_file(self, legacy: bool) -> None:
        assert editing.convert_form("null", legacy=legacy) == ("{}" if legacy else '{"auths": {}}')


# --- Replacing a login keeps the format of its entry and everything around it

OLD_LOGIN, NEW_LOGIN = UserPassword("robot", "old-password"), UserPassword("robot-2", "new:pass€word")

WANTED = LoginReplacement(("quay.io",), OLD_LOGIN, NEW_LOGIN)

#: Replaces any password of the user.
REFRESH = LoginReplacement(("quay.io",), UserPassword("robot", ""), UserPassword("robot", "new"))


def auth(login: UserPassword) -> str:
    return b64(f"{login.username}:{login.password}")


def file(**entries: Any) -> str:
    return json.dumps({"auths": entries})


def after(text: str, wanted: LoginReplacement = WANTED) -> Any:
    return json.loads(replace_logins(text, wanted, legacy=False))


class TestSpelling:
    def test_existing_fields_get_the_new_login_and_no_field_is_added(self) -> None:
        plain = {"username": "robot", "password": "old-password"}
        forms: dict[str, Any] = {
            "quay.io": {"auth": auth(OLD_LOGIN), "email": "a@example.com"},
            "https://quay.io/v2/": {**plain, "email": "b@example.com"},
            "quay.io/team": {**plain, "auth": auth(OLD_LOGIN)},
            "quay.io/other": {**plain, "auth": ""},
            "quay.io/odd": {"Auth": auth(OLD_LOGIN).rstrip("=")},
        }
        new = {"username": "robot-2", "password": "new:pass€word"}
        assert after(file(**forms))["auths"] == {
            "quay.io": {"auth": auth(NEW_LOGIN), "email": "a@example.com"},
            "https://quay.io/v2/": {**new, "email": "b@example.com"},
            "quay.io/team": {**new, "auth": auth(NEW_LOGIN)},
            "quay.io/other": {**new, "auth": ""},
            "quay.io/odd": {"Auth": auth(NEW_LOGIN)},
        }

    def test_text_outside_of_the_login_stays_unchanged(self) -> None:
        text = '{ "HttpHeaders":{"a":"b"},\n "AUTHS" : {"quay.io":\t{"x": 1.0e5, "auth" : "%s"} , "q":{"auth":"\\u0061"}},"n":1}\n'
        assert replace_logins(text % auth(OLD_LOGIN), WANTED, legacy=False) == text % auth(NEW_LOGIN)

    def test_a_byte_that_is_not_unicode_is_kept(self) -> None:
        text = file(**{"quay.io": {"auth": auth(OLD_LOGIN), "email": "@"}}).replace("@", "\udce9")
        assert replace_logins(text, WANTED, legacy=False).count("\udce9") == 1

    def test_repeated_entries_are_all_exchanged(self) -> None:
        text = '{"auths": {"quay.io": {"auth": "%s"}, "quay.io": {"auth": "%s"}}}'
        assert replace_logins(text % (auth(OLD_LOGIN), auth(OLD_LOGIN)), WANTED, legacy=False) == text % (
            auth(NEW_LOGIN),
            auth(NEW_LOGIN),
        )

    def test_a_dockercfg_is_exchanged_as_a_legacy_file(self) -> None:
        text = json.dumps({"quay.io": {"auth": auth(OLD_LOGIN)}})
        assert json.loads(replace_logins(text, WANTED, legacy=True)) == {"quay.io": {"auth": auth(NEW_LOGIN)}}
        with pytest.raises(InvalidContent):
            replace_logins(text, WANTED, legacy=False)


class TestWhich:
    @pytest.mark.parametrize(
        ("registry", "key", "is_for"),
        [
            ("quay.io", "quay.io", True),
            ("quay.io", "https://quay.io/v1/", True),
            ("quay.io", "QUAY.io/team/app", True),
            ("quay.io", "*.io", True),
            ("quay.io", "*", False),
            ("quay.io", "quay.io#@vault.example.com", True),
            ("vault.example.com", "quay.io#@vault.example.com", False),
            ("quay.io", "quay.io:443", False),
            ("quay.io", "other.io", False),
            ("quay.io", "my.quay.io", False),
            ("quay.io/team", "quay.io", False),
            ("quay.io/team", "quay.io/team", True),
            ("quay.io/team", "quay.io/team/app", True),
            ("quay.io/team", "quay.io/teams", False),
            ("docker.io", "https://index.docker.io/v1/", True),
        ],
    )
    def test_an_exchange_is_limited_to_its_registry(self, registry: str, key: str, is_for: bool) -> None:
        wanted = LoginReplacement((registry,), OLD_LOGIN, NEW_LOGIN)
        assert wanted.is_for(key) is is_for
        text = file(**{key: {"auth": auth(OLD_LOGIN)}})
        assert (replace_logins(text, wanted, legacy=False) != text) is is_for

    @pytest.mark.parametrize(
        "login",
        [
            UserPassword("robot", "other"),
            UserPassword("other", "old-password"),
            UserPassword("robot", "old-password "),
            NEW_LOGIN,
        ],
    )
    def test_another_login_is_left_alone(self, login: UserPassword) -> None:
        text = file(**{"quay.io": {"auth": auth(login)}})
        assert replace_logins(text, WANTED, legacy=False) == text

    def test_any_password_of_the_user_except_the_new_one_is_exchanged(self) -> None:
        entries = {f"quay.io/{name}": {"auth": auth(UserPassword("robot", name))} for name in ("a", "new")}
        entries["quay.io/c"] = {"auth": auth(UserPassword("other", "a"))}
        found = find_logins(file(**entries), REFRESH, legacy=False)
        assert found == LoginKeys(("quay.io/a",), ("quay.io/new",), other_users=("quay.io/c",))
        new = auth(UserPassword("robot", "new"))
        assert after(file(**entries), REFRESH)["auths"] == {**entries, "quay.io/a": {"auth": new}}

    def test_mistyped_passwords_of_both_users_are_found(self) -> None:
        names = (OLD_LOGIN.username, NEW_LOGIN.username, "other")
        entries = {f"quay.io/{name}": {"auth": auth(UserPassword(name, "mistyped"))} for name in names}
        entries |= {
            "b.io": {"auth": auth(UserPassword("robot", "mistyped"))},
            "quay.io/c": {"auth": auth(UserPassword("robot", ""))},
        }
        found = find_logins(file(**entries), WANTED, legacy=False)
        both = tuple(dict.fromkeys(f"quay.io/{name}" for name in names[:2]))
        assert found == LoginKeys(other_passwords=both, old_user=both[:1], other_users=("quay.io/other",))

    def test_found_keys_show_no_user(self) -> None:
        entries = {"user:pass@quay.io": {"auth": auth(OLD_LOGIN)}, "quay.io/new": {"auth": auth(NEW_LOGIN)}}
        assert find_logins(file(**entries), WANTED, legacy=False) == LoginKeys(("***@quay.io",), ("quay.io/new",))

    def test_a_token_next_to_the_login_is_found(self) -> None:
        entries = {
            "quay.io": {"auth": auth(OLD_LOGIN), "identitytoken": "t"},
            "quay.io/b": {"auth": auth(OLD_LOGIN), "identitytoken": ""},
        }
        assert find_logins(file(**entries), WANTED, legacy=False).tokens == ("quay.io",)

    @pytest.mark.parametrize("entry", [None, {}, {"auth": None, "username": "robot"}, {"password": "old-password"}])
    def test_an_entry_without_a_login_is_left_alone(self, entry: Any) -> None:
        text = file(**{"quay.io": entry})
        for wanted in (WANTED, REFRESH):
            assert find_logins(text, wanted, legacy=False) == LoginKeys()
            assert replace_logins(text, wanted, legacy=False) == text

    @pytest.mark.parametrize("entry", [[], "x", 1, {"auth": 1}, {"auth": "%"}, {"auth": auth(OLD_LOGIN), "email": 1}])
    def test_an_entry_that_no_node_can_decode_is_reported_and_left_alone(self, entry: Any) -> None:
        text = file(**{"a:b@quay.io": entry, "elsewhere.example.com": entry})
        for wanted in (WANTED, REFRESH):
            assert find_logins(text, wanted, legacy=False) == LoginKeys(undecodable=("***@quay.io",))
            assert replace_logins(text, wanted, legacy=False) == text


@given(
    st.dictionaries(
        st.sampled_from(["quay.io", "quay.io/a", "b.io"]),
        ANYTHING | st.fixed_dictionaries({"auth": st.just(auth(OLD_LOGIN)), "x": ANYTHING}),
    )
)
def test_an_exchange_removes_the_old_login_and_changes_nothing_else(entries: dict[str, Any]) -> None:
    """Afterwards no entry has the old login, the other entries are unchanged, and a second run changes nothing."""
    text = json.dumps({"auths": entries})
    text = re.sub(r"-?\b(?:NaN|Infinity)\b", "0", text)  # only Python's JSON has these
    once = replace_logins(text, WANTED, legacy=False)
    assert find_logins(once, WANTED, legacy=False).old == ()
    assert replace_logins(once, WANTED, legacy=False) == once
    before, now = (kubelet_reading(each, legacy=False).logins for each in (text, once))
    old = (OLD_LOGIN.username, OLD_LOGIN.password)
    assert now == {
        key: (NEW_LOGIN.username, NEW_LOGIN.password) if login == old and WANTED.is_for(key) else login
        for key, login in before.items()
    }
