# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replacing a login keeps the format of its entry and everything around it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
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
from hypothesis import given
from hypothesis import strategies as st
from support.anything import ANYTHING
from support.objects import b64

OLD, NEW = UserPassword("robot", "old-password"), UserPassword("robot-2", "new:pass€word")
WANTED = LoginReplacement(("quay.io",), OLD, NEW)
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
            "quay.io": {"auth": auth(OLD), "email": "a@example.com"},
            "https://quay.io/v2/": {**plain, "email": "b@example.com"},
            "quay.io/team": {**plain, "auth": auth(OLD)},
            "quay.io/other": {**plain, "auth": ""},
            "quay.io/odd": {"Auth": auth(OLD).rstrip("=")},
        }
        new = {"username": "robot-2", "password": "new:pass€word"}
        assert after(file(**forms))["auths"] == {
            "quay.io": {"auth": auth(NEW), "email": "a@example.com"},
            "https://quay.io/v2/": {**new, "email": "b@example.com"},
            "quay.io/team": {**new, "auth": auth(NEW)},
            "quay.io/other": {**new, "auth": ""},
            "quay.io/odd": {"Auth": auth(NEW)},
        }

    def test_text_outside_of_the_login_stays_unchanged(self) -> None:
        text = '{ "HttpHeaders":{"a":"b"},\n "AUTHS" : {"quay.io":\t{"x": 1.0e5, "auth" : "%s"} , "q":{"auth":"\\u0061"}},"n":1}\n'
        assert replace_logins(text % auth(OLD), WANTED, legacy=False) == text % auth(NEW)

    def test_a_byte_that_is_not_unicode_is_kept(self) -> None:
        text = file(**{"quay.io": {"auth": auth(OLD), "email": "@"}}).replace("@", "\udce9")
        assert replace_logins(text, WANTED, legacy=False).count("\udce9") == 1

    def test_repeated_entries_are_all_exchanged(self) -> None:
        text = '{"auths": {"quay.io": {"auth": "%s"}, "quay.io": {"auth": "%s"}}}'
        assert replace_logins(text % (auth(OLD), auth(OLD)), WANTED, legacy=False) == text % (auth(NEW), auth(NEW))

    def test_a_dockercfg_is_exchanged_as_a_legacy_file(self) -> None:
        text = json.dumps({"quay.io": {"auth": auth(OLD)}})
        assert json.loads(replace_logins(text, WANTED, legacy=True)) == {"quay.io": {"auth": auth(NEW)}}
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
        wanted = LoginReplacement((registry,), OLD, NEW)
        assert wanted.is_for(key) is is_for
        text = file(**{key: {"auth": auth(OLD)}})
        assert (replace_logins(text, wanted, legacy=False) != text) is is_for

    @pytest.mark.parametrize(
        "login",
        [
            UserPassword("robot", "other"),
            UserPassword("other", "old-password"),
            UserPassword("robot", "old-password "),
            NEW,
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
        names = (OLD.username, NEW.username, "other")
        entries = {f"quay.io/{name}": {"auth": auth(UserPassword(name, "mistyped"))} for name in names}
        entries |= {
            "b.io": {"auth": auth(UserPassword("robot", "mistyped"))},
            "quay.io/c": {"auth": auth(UserPassword("robot", ""))},
        }
        found = find_logins(file(**entries), WANTED, legacy=False)
        both = tuple(dict.fromkeys(f"quay.io/{name}" for name in names[:2]))
        assert found == LoginKeys(other_passwords=both, old_user=both[:1], other_users=("quay.io/other",))

    def test_found_keys_show_no_user(self) -> None:
        entries = {"user:pass@quay.io": {"auth": auth(OLD)}, "quay.io/new": {"auth": auth(NEW)}}
        assert find_logins(file(**entries), WANTED, legacy=False) == LoginKeys(("***@quay.io",), ("quay.io/new",))

    def test_a_token_next_to_the_login_is_found(self) -> None:
        entries = {
            "quay.io": {"auth": auth(OLD), "identitytoken": "t"},
            "quay.io/b": {"auth": auth(OLD), "identitytoken": ""},
        }
        assert find_logins(file(**entries), WANTED, legacy=False).tokens == ("quay.io",)

    @pytest.mark.parametrize("entry", [None, {}, {"auth": None, "username": "robot"}, {"password": "old-password"}])
    def test_an_entry_without_a_login_is_left_alone(self, entry: Any) -> None:
        text = file(**{"quay.io": entry})
        for wanted in (WANTED, REFRESH):
            assert find_logins(text, wanted, legacy=False) == LoginKeys()
            assert replace_logins(text, wanted, legacy=False) == text

    @pytest.mark.parametrize("entry", [[], "x", 1, {"auth": 1}, {"auth": "%"}, {"auth": auth(OLD), "email": 1}])
    def test_an_entry_that_no_node_can_decode_is_reported_and_left_alone(self, entry: Any) -> None:
        text = file(**{"a:b@quay.io": entry, "elsewhere.example.com": entry})
        for wanted in (WANTED, REFRESH):
            assert find_logins(text, wanted, legacy=False) == LoginKeys(undecodable=("***@quay.io",))
            assert replace_logins(text, wanted, legacy=False) == text


@given(
    st.dictionaries(
        st.sampled_from(["quay.io", "quay.io/a", "b.io"]),
        ANYTHING | st.fixed_dictionaries({"auth": st.just(auth(OLD)), "x": ANYTHING}),
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
    old = (OLD.username, OLD.password)
    assert now == {
        key: (NEW.username, NEW.password) if login == old and WANTED.is_for(key) else login
        for key, login in before.items()
    }
