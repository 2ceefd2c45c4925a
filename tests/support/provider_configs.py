# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configurations of a kubelet's credential providers: each rule of the kubelet with one that breaks it, and the sentence for it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["REFUSED", "VALID", "config", "write_echo"]

TOKENS: Mapping[str, Any] = {
    "serviceAccountTokenAudience": "https://kubernetes.default.svc",
    "cacheType": "Token",
    "requireServiceAccount": True,
    "requiredServiceAccountAnnotationKeys": ["example.com/role"],
}
PROVIDER: Mapping[str, Any] = {
    "name": "echo",
    "apiVersion": "credentialprovider.kubelet.k8s.io/v1",
    "matchImages": ["*.example.com"],
    "defaultCacheDuration": "0",
}
_GROUP = "kubelet.config.k8s.io"


def config(file: Mapping[str, Any] | None = None, tokens: Any = None, **provider: Any) -> dict[str, Any]:
    """A configuration with one provider, with other members. A member that is `...` is left out."""
    token_members = {**TOKENS, **tokens} if isinstance(tokens, Mapping) else TOKENS
    one = {**PROVIDER, "tokenAttributes": _without(token_members), **provider}
    whole = {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "CredentialProviderConfig",
        "providers": [_without(one)],
        **(file or {}),
    }
    return _without(whole)


def write_echo(program: Path) -> None:
    """Write a provider that returns the token of the account as the password."""
    program.parent.mkdir(exist_ok=True)
    program.write_text(_ECHO, encoding="utf-8")
    program.chmod(0o700)


_ECHO = f"""#!{sys.executable}
import json, sys
request = json.load(sys.stdin)
host = request["image"].partition("/")[0]
login = {{"username": "token", "password": request["serviceAccountToken"]}}
json.dump({{"apiVersion": "credentialprovider.kubelet.k8s.io/v1", "kind": "CredentialProviderResponse",
           "cacheKeyType": "Registry", "auth": {{host: login}}}}, sys.stdout)
"""


def _without(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not ...}


VALID: Mapping[str, Mapping[str, Any]] = {
    "with tokens": {},
    "without tokens": {"tokenAttributes": ...},
    "null tokens": {"tokenAttributes": None},
    "older file": {"file": {"apiVersion": f"{_GROUP}/v1beta1"}, "tokenAttributes": ...},
    "older plugin": {"apiVersion": "credentialprovider.kubelet.k8s.io/v1alpha1", "tokenAttributes": ...},
    "cache of an account": {"tokens": {"cacheType": "ServiceAccount"}},
    "no account needed": {"tokens": {"requireServiceAccount": False, "requiredServiceAccountAnnotationKeys": ...}},
    "optional annotation": {"tokens": {"optionalServiceAccountAnnotationKeys": ["Other.example.com/Role_1"]}},
    "arguments": {"args": ["-v"], "env": [{"name": "A", "value": "b"}], "defaultCacheDuration": "1h2.5m"},
    "entry with a star in the path": {"matchImages": ["registry.example.com/*"]},
}

_WHERE = "tokenAttributes of provider echo"
#: The members of `config` with the sentence.
REFUSED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "kind": ({"file": {"kind": "Other"}}, f"it is not a CredentialProviderConfig of {_GROUP}/v1"),
    "group": ({"file": {"apiVersion": "example.com/v1"}}, f"it is not a CredentialProviderConfig of {_GROUP}/v1"),
    "version": ({"file": {"apiVersion": f"{_GROUP}/v2"}}, f"it is not a CredentialProviderConfig of {_GROUP}/v1"),
    "unknown field": ({"file": {"provider": []}}, "it has the unknown field provider"),
    "no provider": ({"file": {"providers": []}}, "it has no provider"),
    "slash": ({"name": "a/b"}, "the name 'a/b' cannot be that of a program"),
    "space": ({"name": "a b"}, "the name 'a b' cannot be that of a program"),
    "dot": ({"name": "."}, "the name '.' cannot be that of a program"),
    "dots": ({"name": ".."}, "the name '..' cannot be that of a program"),
    "no name": ({"name": ...}, "the name '' cannot be that of a program"),
    "unknown field of a provider": ({"matchImage": ["a"]}, "provider echo has the unknown field matchImage"),
    "wrong type": ({"matchImages": "a"}, "matchImages of provider echo has the wrong type"),
    "wrong member": ({"matchImages": [{}]}, "matchImages of provider echo has the wrong type"),
    "no version": (
        {"apiVersion": ..., "tokenAttributes": ...},
        "apiVersion of provider echo is not credentialprovider.kubelet.k8s.io/v1",
    ),
    "other version": (
        {"apiVersion": "credentialprovider.kubelet.k8s.io/v2", "tokenAttributes": ...},
        "apiVersion of provider echo is not credentialprovider.kubelet.k8s.io/v1",
    ),
    "no images": ({"matchImages": []}, "matchImages of provider echo is empty"),
    "invalid entry": ({"matchImages": ["host:port"]}, "matchImages of provider echo has the invalid entry host:port"),
    "no duration": ({"defaultCacheDuration": ...}, "defaultCacheDuration of provider echo is not a duration, such as 10m"),
    "negative duration": ({"defaultCacheDuration": "-1s"}, "defaultCacheDuration of provider echo is not a duration, such as 10m"),
    "duration without a unit": ({"defaultCacheDuration": "10"}, "defaultCacheDuration of provider echo is not a duration, such as 10m"),
    "tokens in an older file": (
        {"file": {"apiVersion": f"{_GROUP}/v1beta1"}},
        "provider echo has the unknown field tokenAttributes",
    ),
    "tokens for an older plugin": (
        {"apiVersion": "credentialprovider.kubelet.k8s.io/v1beta1"},
        f"{_WHERE} needs apiVersion credentialprovider.kubelet.k8s.io/v1",
    ),
    "no audience": ({"tokens": {"serviceAccountTokenAudience": ...}}, f"{_WHERE} has no serviceAccountTokenAudience"),
    "no cache type": ({"tokens": {"cacheType": ...}}, f"cacheType of {_WHERE} is not ServiceAccount or Token"),
    "wrong cache type": ({"tokens": {"cacheType": "Pod"}}, f"cacheType of {_WHERE} is not ServiceAccount or Token"),
    "no requirement": ({"tokens": {"requireServiceAccount": ...}}, f"{_WHERE} has no requireServiceAccount"),
    "wrong requirement": ({"tokens": {"requireServiceAccount": "yes"}}, f"requireServiceAccount of {_WHERE} has the wrong type"),
    "annotations without an account": (
        {"tokens": {"requireServiceAccount": False}},
        f"{_WHERE} has requiredServiceAccountAnnotationKeys, but requireServiceAccount is false",
    ),
    "invalid annotation": (
        {"tokens": {"requiredServiceAccountAnnotationKeys": ["a/b/c"]}},
        f"{_WHERE} has the invalid annotation a/b/c",
    ),
    "empty annotation": (
        {"tokens": {"optionalServiceAccountAnnotationKeys": [""]}},
        f"{_WHERE} has the invalid annotation ",
    ),
    "annotation twice": (
        {"tokens": {"requiredServiceAccountAnnotationKeys": ["a", "a"]}},
        f"{_WHERE} names a twice",
    ),
    "annotation in both lists": (
        {"tokens": {"optionalServiceAccountAnnotationKeys": ["example.com/role"]}},
        f"{_WHERE} has example.com/role as required and as optional",
    ),
    "unknown field of the tokens": ({"tokens": {"audience": "a"}}, f"{_WHERE} has the unknown field audience"),
}  # fmt: skip
