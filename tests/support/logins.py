# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins to the lab by token, and kubeconfigs that contain them in every possible way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from support.lab import Lab
from support.objects import account_subject, role_binding

__all__ = ["administrator_token", "exec_plugin", "token_kubeconfig", "user_kubeconfig"]

_ACCOUNT, _NAMESPACE = "faults", "default"


def administrator_token(lab: Lab) -> str:
    """A new token of a service account with all rights."""
    if lab.get(_NAMESPACE, "serviceaccounts", _ACCOUNT) is None:
        lab.create(_NAMESPACE, "serviceaccounts", {"metadata": {"name": _ACCOUNT}})
        binding = role_binding(_ACCOUNT, account_subject(_NAMESPACE, _ACCOUNT), role="cluster-admin")
        lab.api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    request = f"/api/v1/namespaces/{_NAMESPACE}/serviceaccounts/{_ACCOUNT}/token"
    token: str = lab.api("POST", request, {"spec": {"expirationSeconds": 7200}})["status"]["token"]
    return token


def token_kubeconfig(lab: Lab, server: str, path: Path, token: str = "") -> str:
    """The path of a kubeconfig for `server` with an administrator's token."""
    return user_kubeconfig(lab, server, path, {"token": token or administrator_token(lab)})


def user_kubeconfig(lab: Lab, server: str, path: Path, user: dict[str, Any]) -> str:
    """The path of a kubeconfig for `server` with that login."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "proxy",
        "clusters": [
            {"name": "proxy", "cluster": {"server": server, "certificate-authority": lab.data["ca_cert"]}},
        ],
        "users": [{"name": "proxy", "user": user}],
        "contexts": [{"name": "proxy", "context": {"cluster": "proxy", "user": "proxy"}}],
    }
    path.touch(mode=0o600)
    path.write_text(json.dumps(config))
    return str(path)


def exec_plugin(path: Path, token_file: Path, *, fails: str = "") -> dict[str, Any]:
    """A kubeconfig login by a program at `path`. The program returns the token in a file, without an expiry.

    Each run adds a line to `path` with the suffix `.runs`. `fails`: the program prints this text on standard error and exits with 1.
    """
    answer = '{"apiVersion": "%s", "kind": "ExecCredential", "status": {"token": "%s"}}\\n'
    version = "client.authentication.k8s.io/v1"
    end = f"echo '{fails}' >&2; exit 1" if fails else f"""printf '{answer}' {version} "$(cat '{token_file}')\""""
    path.write_text(f"#!/bin/sh\necho run >> '{path}.runs'\n{end}\n")
    path.chmod(0o700)
    return {"exec": {"apiVersion": version, "command": str(path), "interactiveMode": "Never"}}
