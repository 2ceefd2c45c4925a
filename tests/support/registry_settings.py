# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registry settings of a cluster for all nodes: mirrors, blocked and allowed registries, image policies, the global pull secret."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from support.lab import Lab
from support.objects import auth_file, b64, group_subject, pull_secret, role_binding
from support.provider import PROVIDERS, create_provider

CONFIG = "/apis/config.openshift.io/v1"
IMAGES = f"{CONFIG}/images/cluster"
GLOBAL_SECRETS = "/api/v1/namespaces/openshift-config/secrets"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
#: The audience of the tokens for CRI-O's credential provider.
AUDIENCE = "https://kubernetes.default.svc"
#: The kinds of mirrors: their path, their name, the list in their spec.
MIRRORS = {
    "digest": (f"{CONFIG}/imagedigestmirrorsets", "ImageDigestMirrorSet", "imageDigestMirrors"),
    "tag": (f"{CONFIG}/imagetagmirrorsets", "ImageTagMirrorSet", "imageTagMirrors"),
    "old": (
        "/apis/operator.openshift.io/v1alpha1/imagecontentsourcepolicies",
        "ImageContentSourcePolicy",
        "repositoryDigestMirrors",
    ),
}


@contextmanager
def registry_settings(
    lab: Lab,
    *,
    sources: Mapping[str, Sequence[str]] | None = None,
    node: Mapping[str, tuple[str, str] | dict[str, str]] | None = None,
    policies: Sequence[tuple[str, ...]] = (),
    **mirrors: Sequence[Mapping[str, Any]],
) -> Iterator[None]:
    """Give the cluster these settings until the end of the block.

    `sources` is registrySources of the cluster's Image. `node` are the entries of the global pull secret, each a login or its fields. `policies` are scopes
    that require a signature, with their namespace or "" for all, and the public key if it is not `PUBLIC_KEY`. `digest`, `tag` and `old`
    are lists of mirrors.
    """
    made: list[str] = []
    try:
        for kind, sets in mirrors.items():
            path, name, member = MIRRORS[kind]
            for number, one in enumerate(sets):
                made.append(_make(lab, path, name, number, {member: [one]}))
        for number, (scope, namespace, *keys) in enumerate(policies):
            path = f"{CONFIG}/namespaces/{namespace}/imagepolicies" if namespace else f"{CONFIG}/clusterimagepolicies"
            name = "ImagePolicy" if namespace else "ClusterImagePolicy"
            trust = {
                "policyType": "PublicKey",
                "publicKey": {"keyData": b64((keys or [PUBLIC_KEY])[0])},
            }
            made.append(_make(lab, path, name, number, {"scopes": [scope], "policy": {"rootOfTrust": trust}}))
        if node is not None:
            logins = {key: each for key, each in node.items() if isinstance(each, tuple)}
            entries = {**node, **auth_file(logins)["auths"]}
            lab.api("POST", GLOBAL_SECRETS, pull_secret("pull-secret", {"auths": entries}))
            made.append(f"{GLOBAL_SECRETS}/pull-secret")
        if sources is not None:
            lab.api("PATCH", IMAGES, {"spec": {"registrySources": sources}})
        yield
    finally:
        for path in made:
            lab.api("DELETE", path)
        if sources is not None:
            lab.api("PATCH", IMAGES, {"spec": None})


@contextmanager
def additional_authority(lab: Lab, host: str, authority: str) -> Iterator[None]:
    """Let the nodes trust an authority, in PEM format, for the registry `host[:port]` until the end of the block."""
    name, path = "registry-ca", "/api/v1/namespaces/openshift-config/configmaps"
    lab.api("POST", path, {"metadata": {"name": name}, "data": {host.replace(":", ".."): authority}})
    try:
        lab.api("PATCH", IMAGES, {"spec": {"additionalTrustedCA": {"name": name}}})
        yield
    finally:
        lab.api("PATCH", IMAGES, {"spec": {"additionalTrustedCA": None}})
        lab.api("DELETE", f"{path}/{name}")


@contextmanager
def credential_provider(lab: Lab, images: Sequence[str], namespaces: Sequence[str]) -> Iterator[None]:
    """Let the nodes have CRI-O's credential provider for these images until the end of the block.

    The nodes may request the tokens that it needs, and the accounts of the namespaces may list the secrets there.
    """
    tokens = _rule(AUDIENCE, "request-serviceaccounts-token-audience")
    made: list[str] = []
    try:
        made += _grant(lab, "", tokens, "system:nodes")
        for namespace in namespaces:
            made += _grant(lab, namespace, _rule("secrets", "list"), f"system:serviceaccounts:{namespace}")
        create_provider(lab, *images)
        made.append(f"{PROVIDERS}/cluster")
        yield
    finally:
        for path in made:
            lab.api("DELETE", path)


def _rule(resource: str, verb: str) -> Mapping[str, Any]:
    return {"apiGroups": [""], "resources": [resource], "verbs": [verb]}


def _grant(lab: Lab, namespace: str, rule: Mapping[str, Any], group: str) -> list[str]:
    """Give a group a right, in a namespace or everywhere, and wait until it has it. Return the paths of the objects."""
    root = f"{RBAC}/namespaces/{namespace}" if namespace else RBAC
    kind, name = "Role" if namespace else "ClusterRole", "credential-provider"
    binding = role_binding(name, group_subject(group), role=name, kind=kind)
    paths = []
    for each, body in ((kind, {"metadata": {"name": name}, "rules": [rule]}), (f"{kind}Binding", binding)):
        lab.api("POST", f"{root}/{each.lower()}s", body)
        paths.append(f"{root}/{each.lower()}s/{name}")
    asked = {"namespace": namespace, "verb": rule["verbs"][0], "resource": rule["resources"][0]}
    spec = {"user": "anybody", "groups": [group], "resourceAttributes": asked}

    def is_allowed() -> bool:
        answer = lab.api("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", {"spec": spec})
        return answer["status"]["allowed"] is True

    lab.until(is_allowed, f"{group} has the right")
    return paths


def _make(lab: Lab, path: str, kind: str, number: int, spec: Mapping[str, Any]) -> str:
    """Create an object. Return its path."""
    version, name = "/".join(path.split("/")[2:4]), f"test-{number}"
    lab.api("POST", path, {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec})
    return f"{path}/{name}"


#: A key that has signed nothing.
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
-----END PUBLIC KEY-----
"""
