# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task's output contains no credential, in any encoding, even if it was given under a wrong name."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core import redaction
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import HIDDEN
from hypothesis import given
from hypothesis import strategies as st
from support.objects import b64

from unit.canaries import CANARIES, forms_of, shown

#: Options that are lists of hosts, registries, repositories or images.
LISTS_OF_ADDRESSES = (
    *("realm_hosts", "registries", "drop_platform_registries", "merge", "include"),
    *("images", "repositories", "verify_repositories"),
)
REGISTRY: dict[str, Any] = {name: {"type": "str"} for name in ("registry", "username", "password", "email")}
HEADERS: dict[str, Any] = {name: {"type": "str"} for name in ("proxy_basic_auth", "basic_auth", "user_agent")}
KNOWN: dict[str, Any] = {
    **{
        key: {"type": "raw"}
        for key in (
            "name",
            "auth_config",
            "auth_file",
            "kubeconfig",
            "api_key",
            "password",
            "proxy",
            "namespaces",
            "timeout",
        )
    },
    "validate_certs": {"type": "bool"},
    "registries": {"type": "list", "elements": "dict", "options": REGISTRY},
    "proxy_headers": {"type": "dict", "options": HEADERS},
}
KNOWN["secrets"] = {"type": "list", "elements": "dict", "options": dict(KNOWN)}

#: Every way to give a credential. Ansible itself finds the options that are credentials.
NO_LOG = {
    "api_key": lambda canary: {"api_key": canary},
    "password": lambda canary: {"password": canary},
}
GIVEN = {
    "registries": lambda canary: {"registries": [{"registry": "quay.io", "username": "robot", "password": canary}]},
    "auth_config": lambda canary: {"auth_config": {"auths": {"quay.io": {"username": "robot", "password": canary}}}},
    "auth_config as text": lambda canary: {
        "auth_config": json.dumps({"auths": {"quay.io": {"auth": b64(f"robot:{canary}")}}}),
    },
    "auth without padding": lambda canary: {
        "auth_config": {"auths": {"quay.io": {"Auth": b64(f"robot:{canary}").rstrip("=") + "\n"}}},
    },
    "auth with too much padding": lambda canary: {
        "auth_config": {"auths": {"quay.io": {"auth": b64(f"robot:{canary}").rstrip("=") + "===="}}},
    },
    "identity token": lambda canary: {"auth_config": {"auths": {"quay.io": {"identitytoken": canary}}}},
    "kubeconfig": lambda canary: {"kubeconfig": {"users": [{"name": "me", "user": {"token": canary}}]}},
    "kubeconfig, OIDC": lambda canary: {
        "kubeconfig": {"users": [{"user": {"auth-provider": {"config": {"client-secret": canary}}}}]},
    },
    "kubeconfig, ID token": lambda canary: {
        "kubeconfig": {"users": [{"user": {"auth-provider": {"config": {"id-token": canary}}}}]},
    },
    "kubeconfig, refresh token": lambda canary: {
        "kubeconfig": {"users": [{"user": {"auth-provider": {"config": {"refresh-token": canary}}}}]},
    },
    "kubeconfig, access token": lambda canary: {
        "kubeconfig": {"users": [{"user": {"auth-provider": {"config": {"access-token": canary}}}}]},
    },
    "kubeconfig, key": lambda canary: {"kubeconfig": {"users": [{"user": {"client-key-data": canary}}]}},
    "kubeconfig, environment of a login plugin": lambda canary: {
        "kubeconfig": {"users": [{"user": {"exec": {"env": [{"name": "ANY", "value": canary}]}}}]},
    },
    "kubeconfig, flag of a login plugin": lambda canary: {
        "kubeconfig": {"users": [{"user": {"exec": {"args": ["login", f"--oidc-client-secret={canary}"]}}}]},
    },
    "kubeconfig, flag and value of a login plugin": lambda canary: {
        "kubeconfig": {"users": [{"user": {"exec": {"args": ["login", "--password", canary, "-v"]}}}]},
    },
    "proxy headers": lambda canary: {"proxy_headers": {"proxy_basic_auth": canary}},
}
#: kubeconfigs given as text instead of as a mapping. Values that YAML cannot hold without quotes are quoted.
AS_TEXT = {
    "YAML, as it is": lambda canary: f"users:\n- user:\n    token: {canary}\n",
    "YAML, with a comment": lambda canary: f"token: {canary} # mine # too\n",
    "YAML, in double quotes": lambda canary: f"users:\n- user:\n    token: {json.dumps(canary)}\n",
    "YAML, in single quotes": lambda canary: "users:\n- user: {'token':  'QUOTED'}\n".replace(
        "QUOTED", canary.replace("'", "''")
    ),
    "YAML, in brackets": lambda canary: f"users: [{{user: {{token: {canary}, username: me}}}}]",
    "YAML, in brackets, the last": lambda canary: f"users: [{{user: {{username: me, token: {canary} }}}}]",
    "YAML, environment": lambda canary: f"  env:\n  - name: ANY\n    value: {canary}\n",
    "YAML, lines": lambda canary: f"  password: |-\n    {canary}\n  username: me\n",
    "JSON": lambda canary: json.dumps({"users": [{"user": {"token": canary}}]}),
    "JSON in lines": lambda canary: json.dumps({"users": [{"user": {"id-token": canary}}]}, indent=2),
    "JSON, cut off": lambda canary: json.dumps({"users": [{"user": {"token": canary}}]})[:-1],
}
#: The same in the entries of a list.
GIVEN |= {
    f"{name} of an entry": lambda canary, given_=given_: {"secrets": [{"name": "first"}, given_(canary)]}
    for name, given_ in list(GIVEN.items())
    if "kubeconfig" not in name and "headers" not in name
}
IN_A_URL = {
    "proxy": lambda canary: {"proxy": f"http://robot:{canary}@proxy.example.com:3128"},
    "proxy without scheme": lambda canary: {"proxy": f"robot:{canary}@proxy.example.com:3128"},
    "proxy of a kubeconfig": lambda canary: {
        "kubeconfig": {"clusters": [{"cluster": {"proxy-url": f"robot:{canary}@proxy.example.com:3128"}}]},
    },
    "proxy that is no URL": lambda canary: {"proxy": f"http://robot:{canary}@[proxy"},
}
MISSPELT = {
    "misspelt option": lambda canary: {"passwd": canary, "registrys": [{"password": canary}]},
    "misspelt sub-option": lambda canary: {"registries": [{"registry": "quay.io", "passwrod": canary}]},
    "registries as text": lambda canary: {"registries": json.dumps([{"password": canary}])},
    "a registry as text": lambda canary: {"registries": [f"quay.io={canary}"]},
    "kubeconfig as text": lambda canary: {"kubeconfig": f"users:\n- user: {{token: {canary}}}\n"},
    "kubeconfig as JSON": lambda canary: {"kubeconfig": json.dumps({"users": [{"user": {"token": canary}}]})},
    "the base64 of an auth file": lambda canary: {"auth_config": b64(json.dumps({"auth": b64(f"robot:{canary}")}))},
}
MISSPELT |= {
    "a misspelt option of an entry": lambda canary: {"secrets": [{"name": "quay", "passwd": canary}]},
    "a misspelt sub-option of an entry": lambda canary: {"secrets": [MISSPELT["misspelt sub-option"](canary)]},
    "registries of an entry as text": lambda canary: {"secrets": [MISSPELT["registries as text"](canary)]},
    "an entry as text": lambda canary: {"secrets": [f"password={canary}"]},
    "an entry that is a list": lambda canary: {"secrets": [[canary]]},
    "entries as text": lambda canary: {"secrets": json.dumps([{"password": canary}])},
    "a login of a name that is in no entry": lambda canary: {"secrets": [{"kubeconfig": {"token": canary}}]},
}
ALL = {**NO_LOG, **GIVEN, **IN_A_URL, **MISSPELT}


class TestHide:
    @pytest.mark.parametrize("canary", CANARIES)
    @pytest.mark.parametrize("given_", ALL.values(), ids=list(ALL))
    def test_options_are_shown_without_any_credential(self, given_: Any, canary: str) -> None:
        text = json.dumps(redaction.hide(given_(canary), KNOWN))
        assert HIDDEN in text
        assert shown(text, canary) == []
        assert canary not in json.dumps(redaction.hide(given_(canary), KNOWN), ensure_ascii=False)

    def test_options_that_are_not_credentials_are_shown_as_given(self) -> None:
        options = {
            "name": "quay", "namespaces": ["a", "b"], "validate_certs": False, "timeout": 5, "api_key": None,
            "kubeconfig": "~/.kube/config:/other", "proxy": "http://proxy.example.com:3128", "auth_file": "/me/auth.json",
            "proxy_headers": {"user_agent": "x", "basic_auth": None},
        }  # fmt: skip
        assert redaction.hide(options, KNOWN) == options

    def test_the_password_of_a_registry_is_hidden_and_its_other_options_are_not(self) -> None:
        item = {"registry": "quay.io", "username": "robot", "email": None}
        assert redaction.hide({"registries": [{**item, "password": "x"}]}, KNOWN) == {
            "registries": [{**item, "password": HIDDEN}]
        }

    def test_the_credentials_of_an_entry_are_hidden(self) -> None:
        options = {
            "name": "a",
            "registries": [{"registry": "quay.io", "password": "x"}],
            "auth_config": "y",
            "pasword": "z",
        }
        assert redaction.hide({"secrets": [options, "canary"]}, KNOWN) == {
            "secrets": [
                {
                    "name": "a",
                    "registries": [{"registry": "quay.io", "password": HIDDEN}],
                    "auth_config": HIDDEN,
                    "pasword": HIDDEN,
                },
                HIDDEN,
            ]
        }

    @pytest.mark.parametrize("registries", [{"quay.io": "canary"}, "canary", 7], ids=str)
    def test_registries_that_are_not_a_list_are_hidden(self, registries: Any) -> None:
        assert redaction.hide({"registries": registries}, KNOWN) == {"registries": HIDDEN}

    def test_an_entry_is_shown_like_the_options_of_a_task(self) -> None:
        item = {"registry": "quay.io", "username": "robot"}
        entry = {
            "name": "quay",
            "auth_file": "/me/auth.json",
            "registries": [{**item, "password": "x"}],
            "pasword": "x",
        }
        assert redaction.hide({"secrets": [entry, {"name": "two"}, "three"]}, KNOWN) == {
            "secrets": [
                {**entry, "registries": [{**item, "password": HIDDEN}], "pasword": HIDDEN},
                {"name": "two"},
                HIDDEN,
            ]
        }
        assert redaction.hide({"secrets": None, "proxy_headers": {"user_agent": "x"}}, KNOWN) == {
            "secrets": None,
            "proxy_headers": {"user_agent": "x"},
        }

    @pytest.mark.parametrize("given_", ["canary", 7])
    def test_entries_that_are_not_a_list_are_hidden(self, given_: Any) -> None:
        assert redaction.hide({"secrets": given_, "proxy_headers": given_}, KNOWN) == dict.fromkeys(
            ("secrets", "proxy_headers"), HIDDEN
        )

    def test_an_option_that_the_spec_marks_as_secret_is_hidden(self) -> None:
        assert redaction.hide(
            {"client_id": "x", "offline_token": "y"}, {"client_id": {"no_log": True}, "offline_token": {}}
        ) == {
            "client_id": HIDDEN,
            "offline_token": HIDDEN,
        }

    def test_unknown_options_are_hidden_and_options_of_ansible_are_left_out(self) -> None:
        assert redaction.hide({"pasword": "x", "_ansible_verbosity": 4}, KNOWN) == {"pasword": HIDDEN}


class TestIsPath:
    @pytest.mark.parametrize("text", ["~/.kube/config", "/one:/two", "C:config", "a {b}", "", "with space/config"])
    def test_a_path_is_recognised(self, text: str) -> None:
        assert redaction.is_path(text) is True

    @pytest.mark.parametrize(
        "content", [{}, None, '{"users": []}', '  {"users":[]}', "users: []", "a\n", "users:\n- x", "\n/path"]
    )
    def test_content_is_not_recognised_as_a_path(self, content: Any) -> None:
        assert redaction.is_path(content) is False


class TestCredentials:
    @pytest.mark.parametrize("canary", CANARIES)
    def test_credentials_of_entries_within_other_options_are_found(self, canary: str) -> None:
        text = json.dumps({"auths": {"quay.io": {"auth": b64(f"robot:{canary}")}}})
        entries = [{"auth_config": text}, {"registries": [{"registry": "quay.io", "password": f"{canary}2"}]}]
        found = redaction.collect_credentials({"changes": [{"declared": {"secrets": entries}}]}, [])
        assert {canary, f"{canary}2", text} <= found

    def test_credentials_that_are_too_short_are_not_masked(self) -> None:
        """Masking a password of one letter would hide every such letter, and so reveal it."""
        assert redaction.SHORTEST == 4
        given = {"registries": [{"registry": "quay.io", "username": "me", "password": "abc"}]}
        found = redaction.collect_credentials(given, ["abc", "abcd"])
        assert not {"abc", b64("abc")} & found
        assert {"abcd", b64("abcd"), "me:abc", b64("me:abc")} <= found
        assert min(map(len, found)) == 4

    def test_the_user_and_the_password_of_the_connection_form_a_login(self) -> None:
        found = redaction.collect_credentials({"username": "robot", "password": "canary"}, ["canary"])
        assert {"robot:canary", b64("robot:canary"), b64(b64("robot:canary"))} <= found

    @pytest.mark.parametrize(("username", "password"), [("", "canary"), ("robot", ""), (None, "canary")])
    def test_half_a_login_is_not_a_credential(self, username: str, password: str) -> None:
        found = redaction.collect_credentials({"username": username, "password": password}, [])
        assert f"{username}:{password}" not in found

    @pytest.mark.parametrize("name", ["basic_auth", "proxy_basic_auth"])
    def test_the_login_of_a_header_holds_a_password(self, name: str) -> None:
        found = redaction.collect_credentials({"proxy_headers": {name: "robot:can:ary"}}, [])
        assert {"robot:can:ary", b64("robot:can:ary"), "can:ary"} <= found
        assert "robot" not in found

    @pytest.mark.parametrize("canary", ["canary-1", "can.ary/2=", "cänäry-✓", "canary" * 50])
    @pytest.mark.parametrize("text", AS_TEXT.values(), ids=list(AS_TEXT))
    def test_credentials_are_found_in_a_kubeconfig_given_as_text(self, text: Any, canary: str) -> None:
        found = redaction.collect_credentials({"kubeconfig": text(canary)}, [])
        assert {canary, b64(canary)} <= found
        assert "me" not in found

    @pytest.mark.parametrize("quote", ["in double quotes", "in single quotes", "JSON"])
    def test_a_credential_with_quotes_is_found_in_quoted_text(self, quote: str) -> None:
        (text,) = [made for name, made in AS_TEXT.items() if name in (quote, f"YAML, {quote}")]
        assert "can'a\"ry, }" in redaction.collect_credentials({"kubeconfig": text("can'a\"ry, }")}, [])

    def test_a_multiline_credential_ends_with_its_indentation(self) -> None:
        text = "a:\n  - token: >\n      canary-1\n        canary-2\n    other: outside\n      further"
        found = redaction.collect_credentials({"kubeconfig": text}, [])
        assert {"canary-1", "canary-2", "canary-1\ncanary-2", "canary-1 canary-2", "canary-1canary-2"} <= found
        assert not [form for form in found if "outside" in form or "further" in form]

    def test_logins_in_urls_are_found_in_an_unreadable_text(self) -> None:
        assert "canary" in redaction.collect_credentials(
            {"kubeconfig": "x: y\nhttps://robot:canary@api.example.com"}, []
        )

    def test_a_decoded_key_is_a_credential(self) -> None:
        key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END"
        assert key in redaction.collect_credentials({"kubeconfig": {"client-key-data": b64(key)}}, [])

    @pytest.mark.parametrize("padding", ["", "=", "=="])
    def test_an_auth_field_without_padding_is_decoded(self, padding: str) -> None:
        auth = b64("robot:canary-").rstrip("=") + padding
        assert "canary-" in redaction.collect_credentials({"auth_config": {"a": {"auth": auth}}}, [])

    def test_text_that_is_not_base64_is_not_decoded(self) -> None:
        assert "plain" not in redaction.collect_credentials({"password": "eDpw!bGFpbg=="}, [])

    def test_decoded_text_that_is_not_a_login_is_not_a_credential(self) -> None:
        """Many words happen to be valid base64."""
        assert "plain" not in redaction.collect_credentials({"password": b64("plain")}, [])
        assert "plain:" not in redaction.collect_credentials({"password": b64("plain:")}, [])

    @pytest.mark.parametrize(
        "given_",
        [
            {"kubeconfig": {"clusters": [{"cluster": {"server": "https://robot:canary@api.example.com"}}]}},
            {"kubeconfig": {"clusters": [{"cluster": {"proxy-url": "http://robot:can/ary@proxy.example.com"}}]}},
            {"host": "robot:canary@api.example.com"},
            {"host": "https://robot:canary@api.example.com/path@x"},
            {"auth_config": {"auths": {"robot:canary@quay.io": {}}}},
            {"proxy": "http://robot:can/ary@proxy.example.com"},
            {"PROXY": "robot:can/ary@proxy.example.com"},
            {"registry": "robot:canary@quay.io/image@sha256:0123"},
            {"registry": "robot:can/ary@quay.io"},
            {"realm_host": "robot:canary@sso.example.com"},
            *({name: ["quay.io", "robot:canary@quay.io"]} for name in LISTS_OF_ADDRESSES),
            {"any": "scheme://robot:canary@x"},
        ],
    )
    def test_a_login_in_an_address_is_found(self, given_: Any) -> None:
        assert {"canary", "can/ary"} & redaction.collect_credentials(given_, [])

    @pytest.mark.parametrize(
        "given_",
        [
            {"registry": "quay.io:443/image@sha256:0123456"},
            {
                "images": [f"quay.io:443/team/app:v1@sha256:{'0' * 64}", "quay.io/app:v1"],
                "include": ["*.example.com:5000"],
            },
            {"host": "https://api.example.com:6443"},
            {"proxy": "http://proxy.example.com:3128"},
            {"name": "me:canary@nowhere"},
            {"kubeconfig": {"exec": {"args": ["--cluster-name", "canary", "--region=canary", "token", "canary", 1]}}},
            {"kubeconfig": {"contexts": [{"name": "canary"}], "value": "canary"}},
            {"kubeconfig": {"exec": {"args": ["canary", "--token"]}}},
        ],
    )
    def test_text_without_credentials_gives_none(self, given_: Any) -> None:
        assert redaction.collect_credentials(given_, []) == set()

    def test_a_deeply_nested_credential_is_found(self) -> None:
        """Auth files come from other people."""
        deep: Any = {"password": "canary"}
        for _level in range(5000):
            deep = [{"x": deep}]
        assert "canary" in redaction.collect_credentials({"auth_config": deep}, [])

    @pytest.mark.parametrize("canary", CANARIES)
    @pytest.mark.parametrize("given_", GIVEN.values(), ids=list(GIVEN))
    def test_each_credential_is_found_in_each_form(self, given_: Any, canary: str) -> None:
        found = redaction.collect_credentials(given_(canary), [])
        assert {canary, json.dumps(canary)[1:-1], b64(canary)} <= found

    @pytest.mark.parametrize("canary", CANARIES)
    @pytest.mark.parametrize("name", ["registries", "auth_config", "auth_config as text", "auth without padding"])
    def test_the_auth_field_made_of_a_login_is_a_credential(self, name: str, canary: str) -> None:
        assert b64(f"robot:{canary}") in redaction.collect_credentials(GIVEN[name](canary), [])

    @pytest.mark.parametrize("given_", IN_A_URL.values(), ids=list(IN_A_URL))
    def test_the_password_of_a_proxy_is_found_as_written_and_decoded(self, given_: Any) -> None:
        assert {"can%3Aary", "can:ary"} <= redaction.collect_credentials(given_("can%3Aary"), [])

    def test_users_and_emails_in_auth_config_are_not_masked(self) -> None:
        """Masking a user named app would hide every "app" in the result."""
        config = {"auths": {"quay.io": {"username": "app", "password": "canary", "email": "me@x"}}}
        found = redaction.collect_credentials({"auth_config": config}, [])
        assert not {"app", "me@x", "quay.io"} & found
        assert "canary" in found

    def test_users_and_emails_in_auth_config_of_an_entry_are_not_masked(self) -> None:
        config = {"auths": {"quay.io": {"username": "apps", "password": "canary", "email": "me@x"}}}
        entries = [{"auth_config": config}, "text", {"auth_config": None}, {"name": "apps-canary"}]
        found = redaction.collect_credentials({"secrets": entries}, ["other"])
        assert not {"apps", "me@x", "quay.io", "apps-canary"} & found
        assert {"canary", "other"} <= found

    def test_a_user_of_one_entry_that_is_a_password_of_another_is_masked(self) -> None:
        one, two = {"a": {"username": "apps", "password": "canary"}}, {"a": {"username": "x", "password": "apps"}}
        entries = [{"auth_config": one}, {"auth_config": two}]
        assert "apps" in redaction.collect_credentials({"secrets": entries}, [])

    def test_a_password_that_is_also_a_user_is_masked(self) -> None:
        config = {"a": {"username": "apps", "password": "apps"}}
        assert "apps" in redaction.collect_credentials({"auth_config": config}, [])

    @pytest.mark.parametrize("text", [b64('{"auths": {}}'), "{no JSON", "[" * 100_000])
    def test_an_unreadable_auth_config_is_masked_as_a_whole(self, text: str) -> None:
        assert text in redaction.collect_credentials({"auth_config": text}, [])
        assert text in redaction.collect_credentials({"secrets": [{"auth_config": text}]}, [])

    def test_credentials_include_the_values_that_ansible_masks(self) -> None:
        assert "canary" in redaction.collect_credentials({}, ["canary"])

    @given(st.dictionaries(st.sampled_from(sorted(KNOWN)), st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["auth", "password", "x"]), inner),
        max_leaves=6,
    )))  # fmt: skip
    def test_no_options_cause_a_failure_or_mask_an_empty_string(self, options: Any) -> None:
        """Masking an empty string would hide everything."""
        assert "" not in redaction.collect_credentials(options, [])
        redaction.hide(options, KNOWN)


class TestCredentialsInText:
    @pytest.mark.parametrize("canary", CANARIES)
    def test_credentials_of_a_file_are_found(self, canary: str) -> None:
        text = json.dumps({"auths": {"quay.io": {"auth": b64(f"robot:{canary}")}, "a.io": {"password": canary}}})
        assert {canary, b64(canary), b64(f"robot:{canary}")} <= redaction.credentials_in_text(text)

    def test_a_credential_that_is_not_utf_8_is_found(self) -> None:
        """A password in Latin-1: Go and the kubelet accept it."""
        auth = b64(b"robot:can\xe4ry")
        text = b'{"auths": {"quay.io": {"auth": "%s"}, "a.io": {"password": "can\xe4ry"}}}' % auth.encode()
        found = redaction.credentials_in_text(text.decode("utf-8", "surrogateescape"))
        encoded = b64(b"can\xe4ry")
        assert {"can\udce4ry", "robot:can\udce4ry", auth, encoded, "can%E4ry", "can\\udce4ry"} <= found

    @pytest.mark.parametrize(
        "filler",
        [
            "a" * 300_000,
            "-" * 300_000,
            "a: b\n" + "- " * 100_000,
            "a:'" * 10_000,
            'a: "' + "\\" * 300_000,
            "a: b" + " " * 300_000,
            "\n".join(" " * depth + "token: x" for depth in range(500)) + ("\n" + " " * 500 + "y" * 999) * 100,
            "[" * 100_000,
        ],
        ids=range(8),
    )
    def test_the_time_is_proportional_to_the_length(self, filler: str) -> None:
        """Otherwise a user with a secret that is not JSON, or too deep, could keep an export busy for hours."""
        found = redaction.credentials_in_text(f'{{"a": {filler}\n{filler}\ntoken: canary')
        assert "canary" in found
        assert sum(map(len, found)) < 10_000_000

    @given(st.text())
    def test_credentials_in_any_text_cause_no_failure(self, text: str) -> None:
        redaction.credentials_in_text(text)


class TestForms:
    def test_forms_include_each_common_encoding(self) -> None:
        assert redaction.secret_forms("ä'+/ \n") == {
            "ä'+/ \n",
            "\\u00e4'+/ \\n", "ä'+/ \\n",  # JSON
            "\\xc3\\xa4'+/ \\n",  # Python's bytes
            "%C3%A4%27%2B%2F%20%0A", "%C3%A4%27%2B/%20%0A", "%C3%A4%27%2B%2F+%0A",  # URLs
            "w6QnKy8gCg==", "w6QnKy8gCg", "w6QnKy8gC", "OkJysvIA", "DpCcrLyAK",  # base64, alone or in a longer text
        }  # fmt: skip

    def test_forms_include_the_repr_of_python(self) -> None:
        """Unexpected errors quote the value that caused them."""
        assert "cän\"ar\\'y" in redaction.secret_forms("cän\"ar'y")

    def test_forms_include_base64_for_urls(self) -> None:
        assert {"4pyTfn5-Pz8_", "4pyTfn5+Pz8/"} <= redaction.secret_forms("✓~~~???")

    @pytest.mark.parametrize("canary", [*CANARIES, "\ud800"])
    def test_forms_include_plain_text_json_and_base64(self, canary: str) -> None:
        assert set(forms_of(canary)[:3]) <= redaction.secret_forms(canary)

    @pytest.mark.parametrize("canary", [*CANARIES, "four"])
    @pytest.mark.parametrize("before", ["", "1", "12", "123", "1234"])
    @pytest.mark.parametrize("behind", ["", "1", "12"])
    def test_base64_of_a_longer_text_reveals_no_byte_of_the_credential(
        self, canary: str, before: str, behind: str
    ) -> None:
        shown_ = redaction.mask(b64(before + canary + behind), redaction.secret_forms(canary))
        kept = "".join(part for part in shown_.split("*") if part) if shown_ != HIDDEN else ""
        assert len(kept) <= len(b64(before)) + len(b64(behind)) + 2
        assert b64(before + canary + behind) not in shown_


class TestMask:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            ("canary", HIDDEN),
            ("a canary sings", "a ******** sings"),
            ("canarycanary", "****************"),
            ("canary, canary, canary.", "********, ********, ********."),
            (("x", "canary"), ["x", HIDDEN]),
            ("no bird", "no bird"),
            ("Canary canar", "Canary canar"),
            ({"msg": "the canary", "canary": 1}, {"msg": "the ********", "canary": 1}),
            ({"a canary": {"canary:": ("canary", 2, None, True)}}, {"a ********": {"********:": [HIDDEN, 2, None, True]}}),
            ({1: "canary"}, {1: HIDDEN}),
            ([["x", ["canary"]]], [["x", [HIDDEN]]]),
            (6, 6),
        ],
    )  # fmt: skip
    def test_mask_replaces_credentials_in_any_position(self, value: Any, expected: Any) -> None:
        assert redaction.mask(value, {"canary"}) == expected
        assert redaction.mask([value, "canary"], {"canary"}) == [expected, HIDDEN]

    def test_mask_leaves_nothing_of_two_overlapping_credentials(self) -> None:
        secrets = {"canary", "rybird", "ana", "bird"}
        assert redaction.mask("a canarybird.", secrets) == "a ********."
        assert redaction.mask("bananarybird", {"anan", "nana", "bird"}) == "b********ry********"
        assert redaction.mask("canary-1 canary", {"canary", "canary-1"}) == "******** ********"
        assert redaction.mask("aaaaaa!", {"aaaaa"}) == "********!"

    def test_mask_keeps_credentials_of_fewer_than_four_characters(self) -> None:
        assert redaction.mask("namespace abc abcd", {"a", "abc", "abcd"}) == "namespace abc ********"
        assert redaction.mask("abc", {"abc"}) == "abc"

    def test_mask_returns_a_value_without_a_credential_unchanged(self) -> None:
        value = {"msg": "no bird", "list": [{}]}
        assert redaction.mask(value, {"canary"}) is value

    @pytest.mark.parametrize("count", [0, 255, 256, 300, 3000])
    def test_mask_finds_a_credential_among_many(self, count: int) -> None:
        secrets = {f"robot:{number:05}-secret" for number in range(count)} | {"canary", "bird"}
        value = {"msg": "a canary", "also": ["bird", "a bird, robot:00007-secret", "robot:99999-secret", "b"]}
        hidden = "a ********, " + ("********" if count else "robot:00007-secret")
        assert redaction.mask(value, secrets) == {
            "msg": "a ********",
            "also": [HIDDEN, hidden, "robot:99999-secret", "b"],
        }

    def test_a_thousand_passwords_and_megabytes_are_masked_in_seconds(self) -> None:
        """Ansible's own masking would take minutes: it replaces one secret after the other in each string."""
        given_ = [{"username": "robot", "password": f"canary-{number:04}-{number * 7919}"} for number in range(1000)]
        secrets = redaction.collect_credentials(
            {"secrets": [{"name": "quay", "registries": [one]} for one in given_]}, []
        )
        result = [{"name": f"team-{number}", "msg": f"robot of {number} " * 10} for number in range(10_000)]
        started = time.process_time()
        found = redaction.mask([*result, {"msg": "it said canary-0500-3959500."}], secrets)
        assert time.process_time() - started < 10
        assert found == [*result, {"msg": "it said ********."}]

    @given(st.recursive(
        st.none() | st.integers() | st.text("canry ", max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("canry ", max_size=20), inner, max_size=3),
        max_leaves=6,
    ))  # fmt: skip
    def test_mask_leaves_no_credential_in_any_value(self, value: Any) -> None:
        secrets = {"canary", "narycan", "rrrr"}

        def texts(part: Any) -> list[str]:
            if isinstance(part, dict):
                own = [key for key in part if not key.isidentifier()]
                return own + [text for item in part.values() for text in texts(item)]
            return [text for item in part for text in texts(item)] if isinstance(part, list) else [str(part)]

        assert [text for text in texts(redaction.mask(value, secrets)) if any(one in text for one in secrets)] == []
