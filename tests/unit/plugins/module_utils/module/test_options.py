# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared options equal those of kubernetes.core, so that one setting serves both collections."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import (
    CLUSTER_OPTIONS,
    CONNECTION_OPTIONS,
    environment_options,
)

#: kubernetes.core plugins/module_utils/args_common.py: option, variables, aliases.
NAMES = {
    "kubeconfig": (["K8S_AUTH_KUBECONFIG"], []),
    "context": (["K8S_AUTH_CONTEXT"], []),
    "host": (["K8S_AUTH_HOST"], []),
    "api_key": (["K8S_AUTH_API_KEY"], []),
    "username": (["K8S_AUTH_USERNAME"], []),
    "password": (["K8S_AUTH_PASSWORD"], []),
    "validate_certs": (["K8S_AUTH_VALIDATE_CERTS", "K8S_AUTH_VERIFY_SSL"], ["verify_ssl"]),
    "ca_cert": (["K8S_AUTH_CA_CERT", "K8S_AUTH_SSL_CA_CERT"], ["ssl_ca_cert"]),
    "client_cert": (["K8S_AUTH_CLIENT_CERT", "K8S_AUTH_CERT_FILE"], ["cert_file"]),
    "client_key": (["K8S_AUTH_CLIENT_KEY", "K8S_AUTH_KEY_FILE"], ["key_file"]),
    "proxy": (["K8S_AUTH_PROXY"], []),
    "no_proxy": (["K8S_AUTH_NO_PROXY"], []),
    "persist_config": (["K8S_AUTH_PERSIST_CONFIG"], []),
    "impersonate_user": (["K8S_AUTH_IMPERSONATE_USER"], []),
    "impersonate_groups": (["K8S_AUTH_IMPERSONATE_GROUPS"], []),
}
HEADERS = {
    "proxy_basic_auth": "K8S_AUTH_PROXY_HEADERS_PROXY_BASIC_AUTH",
    "basic_auth": "K8S_AUTH_PROXY_HEADERS_BASIC_AUTH",
    "user_agent": "K8S_AUTH_PROXY_HEADERS_USER_AGENT",
}


def test_options_have_the_variables_and_aliases_of_kubernetes_core() -> None:
    options = {name: option for name, option in CONNECTION_OPTIONS.items() if name != "proxy_headers"}
    assert {name: (option["fallback"][1], option.get("aliases", [])) for name, option in options.items()} == NAMES
    headers = CONNECTION_OPTIONS["proxy_headers"]
    assert headers["apply_defaults"] is True
    assert {name: option["fallback"][1] for name, option in headers["options"].items()} == {
        name: [variable] for name, variable in HEADERS.items()
    }


@pytest.mark.parametrize("variable", [*(names[0][-1] for names in NAMES.values())])
def test_a_variable_replaces_a_missing_option(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "true")
    (name,) = [name for name, (variables, _aliases) in NAMES.items() if variable in variables]
    found = ArgumentSpecValidator(CONNECTION_OPTIONS).validate({}).validated_parameters
    assert found[name] in ("true", True, ["true"])


def test_options_with_a_credential_are_not_logged() -> None:
    hidden = {name for name, option in CONNECTION_OPTIONS.items() if option.get("no_log")}
    assert hidden == {"api_key", "password"}
    headers = CONNECTION_OPTIONS["proxy_headers"]["options"]
    assert {name for name, option in headers.items() if option.get("no_log")} == {"proxy_basic_auth", "basic_auth"}
    # A path, or content that is masked by its structure.
    assert CONNECTION_OPTIONS["kubeconfig"]["no_log"] is False
    assert CONNECTION_OPTIONS["client_key"]["no_log"] is False


def test_options_have_their_defaults() -> None:
    found = ArgumentSpecValidator(CLUSTER_OPTIONS).validate({"namespace_selector": {}}).validated_parameters
    assert {name: found[name] for name in ("concurrency", "max_failures", "report_unchanged", "progress")} == {
        "concurrency": 8,
        "max_failures": None,
        "report_unchanged": None,
        "progress": True,
    }
    assert found["namespace_selector"] == {
        "labels": None,
        "include": None,
        "exclude": None,
        "requesters": None,
        "phases": ["Active"],
        "system_namespaces": False,
    }
    assert found["namespaces"] is None


def test_environment_options_equal_those_of_a_task_without_options(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("K8S_AUTH_")]:
        monkeypatch.delenv(name)
    assert {value for name, value in environment_options().items() if name != "proxy_headers"} == {None}
    given = {
        "HOST": "https://a",
        "VERIFY_SSL": "no",
        "CERT_FILE": "~/cert",
        "IMPERSONATE_GROUPS": "a,b",
        "PROXY_HEADERS_BASIC_AUTH": "a:b",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"K8S_AUTH_{name}", value)
    found = environment_options()
    assert (found["host"], found["validate_certs"], found["impersonate_groups"]) == ("https://a", False, ["a", "b"])
    assert found["client_cert"] == str(Path("~/cert").expanduser()) and found["proxy_headers"]["basic_auth"] == "a:b"
    # An invalid value is an error of the task, unless the task gives another value.
    monkeypatch.setenv("K8S_AUTH_VERIFY_SSL", "perhaps")
    assert environment_options()["host"] == "https://a"
