# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The common options of the modules, as an argument spec."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import env_fallback


def from_environment(*names: str) -> dict[str, Any]:
    """Return the part of an option's spec for its environment variables. The first one that is set is used."""
    return {"fallback": (env_fallback, list(names))}


def _env(*names: str) -> dict[str, Any]:
    return from_environment(*(f"K8S_AUTH_{name}" for name in names))


#: Connection options, with the names and variables of kubernetes.core (plugins/module_utils/args_common.py).
CONNECTION_OPTIONS: dict[str, Any] = {
    "kubeconfig": {"type": "raw", "no_log": False, **_env("KUBECONFIG")},
    "context": {"type": "str", **_env("CONTEXT")},
    "host": {"type": "str", **_env("HOST")},
    "api_key": {"type": "str", "no_log": True, **_env("API_KEY")},
    "username": {"type": "str", **_env("USERNAME")},
    "password": {"type": "str", "no_log": True, **_env("PASSWORD")},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"], **_env("VALIDATE_CERTS", "VERIFY_SSL")},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"], **_env("CA_CERT", "SSL_CA_CERT")},
    "client_cert": {"type": "path", "aliases": ["cert_file"], **_env("CLIENT_CERT", "CERT_FILE")},
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False, **_env("CLIENT_KEY", "KEY_FILE")},
    "proxy": {"type": "str", **_env("PROXY")},
    "no_proxy": {"type": "str", **_env("NO_PROXY")},
    "proxy_headers": {
        "type": "dict",
        "options": {
            "proxy_basic_auth": {"type": "str", "no_log": True, **_env("PROXY_HEADERS_PROXY_BASIC_AUTH")},
            "basic_auth": {"type": "str", "no_log": True, **_env("PROXY_HEADERS_BASIC_AUTH")},
            "user_agent": {"type": "str", **_env("PROXY_HEADERS_USER_AGENT")},
        },
        "apply_defaults": True,
    },
    "persist_config": {"type": "bool", **_env("PERSIST_CONFIG")},
    "impersonate_user": {"type": "str", **_env("IMPERSONATE_USER")},
    "impersonate_groups": {"type": "list", "elements": "str", **_env("IMPERSONATE_GROUPS")},
}


def environment_options() -> dict[str, Any]:
    """Return the connection options from the environment variables alone; None for those without one."""
    given = ArgumentSpecValidator(deepcopy(CONNECTION_OPTIONS)).validate({}).validated_parameters
    return {name: given.get(name) for name in CONNECTION_OPTIONS}


#: Options for the namespaces of a task, or of one entry of a list.
TARGET_OPTIONS: dict[str, Any] = {
    "namespaces": {"type": "list", "elements": "str"},
    "namespace_selector": {
        "type": "dict",
        "options": {
            "labels": {"type": "str"},
            "include": {"type": "list", "elements": "str"},
            "exclude": {"type": "list", "elements": "str"},
            "requesters": {"type": "list", "elements": "str"},
            "phases": {"type": "list", "elements": "str", "default": ["Active"]},
            "system_namespaces": {"type": "bool", "default": False},
        },
    },
}

#: Options for the run of a task with many namespaces.
RUN_OPTIONS: dict[str, Any] = {
    "concurrency": {"type": "int", "default": 8},
    "max_failures": {"type": "str"},
    "report_unchanged": {"type": "bool"},
    "progress": {"type": "bool", "default": True},
}

#: How registries are reached.
REGISTRY_OPTIONS: dict[str, Any] = {
    "realm_hosts": {"type": "list", "elements": "str"},
    "registry_ca_cert": {"type": "path"},
    "registry_validate_certs": {"type": "bool", "default": True},
    "registry_timeout": {"type": "int", "default": 10},
}

#: Options of all modules that work in given namespaces of a cluster.
CLUSTER_OPTIONS: dict[str, Any] = {**CONNECTION_OPTIONS, **TARGET_OPTIONS, **RUN_OPTIONS}
