# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One login in the place of another: the entry's own way of writing stays, and so does all around it."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.json_text import InvalidContent
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.kubelet_reading import (
    kubelet_reading,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.replace_login import (
    LoginKeys,
    LoginReplacement,
    UserPassword,
    exchanged,
    found_in,
)
from hypothesis import given
from hypothesis import strategies as st
from support.anything import ANYTHING

OLD, NEW = UserPassword("robot", "old-password"), UserPassword("robot-2", "new:pass€word")
WANTED = LoginReplacement(("quay.io",), OLD, NEW)
#: Whatever the password of the user was.
REFRESH = LoginReplacement(("quay.io",), UserPassword("robot", ""), UserPassword("robot", "new"))


def auth(login: UserPassword) -> str:
    return base64.b64encode(f"{login.username}:{login.password}".encode()).decode()


def file(**entries: Any) -> str:
    return json.dumps({"auths": entries})


def after(text: str, wanted: LoginReplacement = WANTED) -> Any:
    return json.loads(exchanged(text, wanted, legacy=False))


class TestSpelling:
    def test_only_the_fields_that_are_there_get_the_new_login(self) -> None:
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

    def test_all_else_stays_as_the_text_that_it_is(self) -> None:
        text = '{ "HttpHeaders":{"a":"b"},\n "AUTHS" : {"quay.io":\t{"x": 1.0e5, "auth" : "%s"} , "q":{"auth":"\\u0061"}},"n":1}\n'
        assert exchanged(text % auth(OLD), WANTED, legacy=False) == text % auth(NEW)

    def test_a_byte_that_is_no_unicode_is_kept(self) -> None:
        text = file(**{"quay.io": {"auth": auth(OLD), "email": "@"}}).replace("@", "\udce9")
        assert exchanged(text, WANTED, legacy=False).count("\udce9") == 1

    def test_doubled_entries_are_all_exchanged(self) -> None:
        text = '{"auths": {"quay.io": {"auth": "%s"}, "quay.io": {"auth": "%s"}}}'
        assert exchanged(text % (auth(OLD), auth(OLD)), WANTED, legacy=False) == text % (auth(NEW), auth(NEW))

    def test_a_dockercfg(self) -> None:
        text = json.dumps({"quay.io": {"auth": auth(OLD)}})
        assert json.loads(exchanged(text, WANTED, legacy=True)) == {"quay.io": {"auth": auth(NEW)}}
        with pytest.raises(InvalidContent):
            exchanged(text, WANTED, legacy=False)


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
    def test_by_registry(self, registry: str, key: str, is_for: bool) -> None:
        wanted = LoginReplacement((registry,), OLD, NEW)
        assert wanted.is_for(key) is is_for
        text = file(**{key: {"auth": auth(OLD)}})
        assert (exchanged(text, wanted, legacy=False) != text) is is_for

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
        assert exchanged(text, WANTED, legacy=False) == text

    def test_any_password_of_the_user_but_the_new_one(self) -> None:
        entries = {f"quay.io/{name}": {"auth": auth(UserPassword("robot", name))} for name in ("a", "new")}
        entries["quay.io/c"] = {"auth": auth(UserPassword("other", "a"))}
        found = found_in(file(**entries), REFRESH, legacy=False)
        assert found == LoginKeys(("quay.io/a",), ("quay.io/new",))
        new = auth(UserPassword("robot", "new"))
        assert after(file(**entries), REFRESH)["auths"] == {**entries, "quay.io/a": {"auth": new}}

    def test_other_passwords_of_both_users_are_found(self) -> None:
        names = (OLD.username, NEW.username, "other")
        entries = {f"quay.io/{name}": {"auth": auth(UserPassword(name, "mistyped"))} for name in names}
        entries |= {
            "b.io": {"auth": auth(UserPassword("robot", "mistyped"))},
            "quay.io/c": {"auth": auth(UserPassword("robot", ""))},
        }
        found = found_in(file(**entries), WANTED, legacy=False)
        assert found == LoginKeys(other_passwords=tuple(dict.fromkeys(f"quay.io/{name}" for name in names[:2])))

    def test_what_is_found_says_no_user_of_a_key(self) -> None:
        entries = {"user:pass@quay.io": {"auth": auth(OLD)}, "quay.io/new": {"auth": auth(NEW)}}
        assert found_in(file(**entries), WANTED, legacy=False) == LoginKeys(("***@quay.io",), ("quay.io/new",))

    def test_a_token_beside_the_login(self) -> None:
        entries = {
            "quay.io": {"auth": auth(OLD), "identitytoken": "t"},
            "quay.io/b": {"auth": auth(OLD), "identitytoken": ""},
        }
        assert found_in(file(**entries), WANTED, legacy=False).tokens == ("quay.io",)

    @pytest.mark.parametrize("entry", [None, {}, {"auth": None, "username": "robot"}, {"password": "old-password"}])
    def test_an_entry_without_a_login(self, entry: Any) -> None:
        text = file(**{"quay.io": entry})
        for wanted in (WANTED, REFRESH):
            assert found_in(text, wanted, legacy=False) == LoginKeys()
            assert exchanged(text, wanted, legacy=False) == text

    @pytest.mark.parametrize("entry", [[], "x", 1, {"auth": 1}, {"auth": "%"}, {"auth": auth(OLD), "email": 1}])
    def test_what_login_an_entry_has_that_no_node_can_decode_is_not_known(self, entry: Any) -> None:
        text = file(**{"a:b@quay.io": entry, "elsewhere.example.com": entry})
        for wanted in (WANTED, REFRESH):
            assert found_in(text, wanted, legacy=False) == LoginKeys(undecodable=("***@quay.io",))
            assert exchanged(text, wanted, legacy=False) == text


@given(
    st.dictionaries(
        st.sampled_from(["quay.io", "quay.io/a", "b.io"]),
        ANYTHING | st.fixed_dictionaries({"auth": st.just(auth(OLD)), "x": ANYTHING}),
    )
)
def test_whatever_stands_there(entries: dict[str, Any]) -> None:
    """Afterwards no entry has the old login, the others are as they were, and a second time nothing changes."""
    text = json.dumps({"auths": entries})
    text = re.sub(r"-?\b(?:NaN|Infinity)\b", "0", text)  # Python's JSON alone has these
    once = exchanged(text, WANTED, legacy=False)
    assert found_in(once, WANTED, legacy=False).old == ()
    assert exchanged(once, WANTED, legacy=False) == once
    before, now = (kubelet_reading(each, legacy=False).logins for each in (text, once))
    old = (OLD.username, OLD.password)
    assert now == {
        key: (NEW.username, NEW.password) if login == old and WANTED.is_for(key) else login
        for key, login in before.items()
    }
