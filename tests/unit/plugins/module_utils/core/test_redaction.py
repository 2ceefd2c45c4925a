# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 3: no credential in a task's output, in no encoding, also when it was given under a wrong name."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core import redaction
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import HIDDEN
from hypothesis import given
from hypothesis import strategies as st

from unit.canaries import CANARIES, b64, forms_of, shown

KNOWN = {
    "name", "registries", "auth_config", "auth_file", "kubeconfig", "api_key", "password", "proxy", "proxy_headers",
    "namespaces", "validate_certs", "timeout",
}  # fmt: skip

#: Every way in which a credential comes in. Ansible itself finds those of an option that is one.
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
    "identity token": lambda canary: {"auth_config": {"auths": {"quay.io": {"identitytoken": canary}}}},
    "kubeconfig": lambda canary: {"kubeconfig": {"users": [{"name": "me", "user": {"token": canary}}]}},
    "kubeconfig, OIDC": lambda canary: {
        "kubeconfig": {"users": [{"user": {"auth-provider": {"config": {"client-secret": canary}}}}]},
    },
    "proxy headers": lambda canary: {"proxy_headers": {"proxy_basic_auth": canary}},
}
IN_A_URL = {
    "proxy": lambda canary: {"proxy": f"http://robot:{canary}@proxy.example.com:3128"},
    "proxy without scheme": lambda canary: {"proxy": f"robot:{canary}@proxy.example.com:3128"},
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
ALL = {**NO_LOG, **GIVEN, **IN_A_URL, **MISSPELT}


class TestHide:
    @pytest.mark.parametrize("canary", CANARIES)
    @pytest.mark.parametrize("given_", ALL.values(), ids=list(ALL))
    def test_options_are_shown_without_any_credential(self, given_: Any, canary: str) -> None:
        text = json.dumps(redaction.hide(given_(canary), KNOWN))
        assert HIDDEN in text
        assert shown(text, canary) == []
        assert canary not in json.dumps(redaction.hide(given_(canary), KNOWN), ensure_ascii=False)

    def test_what_is_no_credential_is_shown_as_given(self) -> None:
        options = {
            "name": "quay", "namespaces": ["a", "b"], "validate_certs": False, "timeout": 5, "api_key": None,
            "kubeconfig": "~/.kube/config:/other", "proxy": "http://proxy.example.com:3128", "auth_file": "/me/auth.json",
            "proxy_headers": {"user_agent": "x", "basic_auth": None},
        }  # fmt: skip
        assert redaction.hide(options, KNOWN) == options

    def test_of_a_registry_only_the_password_is_hidden(self) -> None:
        item = {"registry": "quay.io", "username": "robot", "email": None}
        assert redaction.hide({"registries": [{**item, "password": "x"}]}, KNOWN) == {
            "registries": [{**item, "password": HIDDEN}]
        }

    def test_an_unknown_option_is_hidden_and_ansibles_own_are_left_out(self) -> None:
        assert redaction.hide({"pasword": "x", "_ansible_verbosity": 4}, KNOWN) == {"pasword": HIDDEN}


class TestCredentials:
    @pytest.mark.parametrize("canary", CANARIES)
    @pytest.mark.parametrize("given_", GIVEN.values(), ids=list(GIVEN))
    def test_finds_each_credential_in_each_form(self, given_: Any, canary: str) -> None:
        found = redaction.credentials(given_(canary), [])
        assert {canary, json.dumps(canary)[1:-1], b64(canary)} <= found

    @pytest.mark.parametrize("canary", CANARIES)
    @pytest.mark.parametrize("name", ["registries", "auth_config", "auth_config as text", "auth without padding"])
    def test_finds_the_auth_field_that_is_made_of_it(self, name: str, canary: str) -> None:
        assert b64(f"robot:{canary}") in redaction.credentials(GIVEN[name](canary), [])

    @pytest.mark.parametrize("given_", IN_A_URL.values(), ids=list(IN_A_URL))
    def test_finds_a_proxys_password_as_written_and_decoded(self, given_: Any) -> None:
        assert {"can%3Aary", "can:ary"} <= redaction.credentials(given_("can%3Aary"), [])

    def test_what_stands_beside_a_credential_in_auth_config_is_not_masked(self) -> None:
        """Ansible would mask each string of a no_log option, so that a user named app blanks every app in the result."""
        config = {"auths": {"quay.io": {"username": "app", "password": "canary", "email": "me@x"}}}
        found = redaction.credentials({"auth_config": config}, ["app", "canary", "me@x"])
        assert not {"app", "me@x", "quay.io"} & found
        assert "canary" in found

    def test_a_password_that_is_also_a_user_is_masked(self) -> None:
        assert "app" in redaction.credentials({"auth_config": {"a": {"username": "app", "password": "app"}}}, ["app"])

    @pytest.mark.parametrize("text", [b64('{"auths": {}}'), "{no JSON", "[" * 100_000])
    def test_auth_config_that_cannot_be_read_is_masked_as_a_whole(self, text: str) -> None:
        assert text in redaction.credentials({"auth_config": text}, [text])

    def test_keeps_what_ansible_masks(self) -> None:
        assert "canary" in redaction.credentials({}, ["canary"])

    @given(st.dictionaries(st.sampled_from(sorted(KNOWN)), st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["auth", "password", "x"]), inner),
        max_leaves=6,
    )))  # fmt: skip
    def test_never_fails_and_never_masks_nothing(self, options: Any) -> None:
        """An empty string among the masked ones would blank everything."""
        assert "" not in redaction.credentials(options, [])
        redaction.hide(options, KNOWN)


class TestCredentialsInText:
    @pytest.mark.parametrize("canary", CANARIES)
    def test_finds_the_credentials_of_a_file(self, canary: str) -> None:
        text = json.dumps({"auths": {"quay.io": {"auth": b64(f"robot:{canary}")}, "a.io": {"password": canary}}})
        assert {canary, b64(canary), b64(f"robot:{canary}")} <= redaction.credentials_in_text(text)

    @given(st.text())
    def test_never_fails(self, text: str) -> None:
        redaction.credentials_in_text(text)


class TestForms:
    @pytest.mark.parametrize("canary", [*CANARIES, "\ud800"])
    def test_plain_as_json_and_in_base64(self, canary: str) -> None:
        assert redaction.forms(canary) == set(forms_of(canary)[:3])
