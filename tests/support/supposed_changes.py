# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the changes of a what-if question on the lab, each in the form of the module's option `changes`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from support.objects import b64

from .lab import Lab, path_of, pull_names
from .lab_nodes import KUBELET_CONFIGS
from .registry_settings import MIRRORS, PUBLIC_KEY

__all__ = ["close_registries", "image_config", "made", "make_change", "mirror_set", "signature_policy"]

_CONFIG = "/apis/config.openshift.io/v1"
_PATHS: Mapping[str, str] = {
    **{kind: path for path, kind, _member in MIRRORS.values()},
    "ClusterImagePolicy": f"{_CONFIG}/clusterimagepolicies",
    "ImagePolicy": f"{_CONFIG}/namespaces/{{namespace}}/imagepolicies",
    "Image": f"{_CONFIG}/images",
    "KubeletConfig": KUBELET_CONFIGS,
    "ConfigMap": "/api/v1/namespaces/{namespace}/configmaps",
}
_REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
_PULLER = "system:image-puller"


def mirror_set(kind: str, name: str, source: str, *mirrors: str, never_source: bool = False) -> dict[str, Any]:
    """A mirror set with one source. `kind` is a key of `MIRRORS`."""
    path, named, member = MIRRORS[kind]
    policy = {"mirrorSourcePolicy": "NeverContactSource"} if never_source else {}
    return {
        "apiVersion": "/".join(path.split("/")[2:4]),
        "kind": named,
        "metadata": {"name": name},
        "spec": {member: [{"source": source, "mirrors": [*mirrors], **policy}]},
    }


def signature_policy(name: str, scope: str, namespace: str = "", key: str = PUBLIC_KEY) -> dict[str, Any]:
    """A policy that requires a signature, for the cluster or for one namespace."""
    trust = {"policyType": "PublicKey", "publicKey": {"keyData": b64(key)}}
    return {
        "apiVersion": "config.openshift.io/v1",
        "kind": "ImagePolicy" if namespace else "ClusterImagePolicy",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "spec": {"scopes": [scope], "policy": {"rootOfTrust": trust}},
    }


def image_config(**sources: Sequence[str]) -> dict[str, Any]:
    """The image config of the cluster with these registrySources."""
    return {
        "apiVersion": "config.openshift.io/v1",
        "kind": "Image",
        "metadata": {"name": "cluster"},
        "spec": {"registrySources": {key: [*hosts] for key, hosts in sources.items()}},
    }


def make_change(lab: Lab, change: Mapping[str, Any]) -> None:
    """Make one change that needs no undoing, or whose effect stays."""
    for kind, value in change.items():
        if kind == "remove_secrets":
            for namespace in value["namespaces"]:
                lab.api("DELETE", path_of(namespace, "secrets", value["name"]), expect=(200, 404))
        elif kind == "remove_links":
            _remove_links(lab, value)
        elif kind == "remove_grants":
            _remove_grants(lab, value)
        else:
            raise AssertionError(f"a change that has to be undone: {kind}")


@contextmanager
def made(lab: Lab, changes: Sequence[Mapping[str, Any]]) -> Iterator[None]:
    """Make changes of the whole cluster until the end of the block."""
    with ExitStack() as undone:
        for change in changes:
            for kind, value in change.items():
                _UNDONE[kind](lab, value, undone)
        yield


def close_registries(lab: Lab, hosts: Sequence[str], undone: ExitStack) -> None:
    """Close those of the lab's registries that have one of these hosts, or their token service. Other hosts have no listener.

    Of a path, the registry hides the image that the lab has.
    """
    for name in ("private", "delegated"):
        if f"{lab.registry(name)['host']}/team" in hosts:
            lab.registry_set(name, "--hide", "team/app")
            undone.callback(lab.registry_set, name, "--show", "team/app")
        if {lab.registry(name)["host"], lab.registry(name)["realm_host"]} & {*hosts}:
            lab.registry_set(name, "--close")
            undone.callback(lab.registry_set, name, "--open")


def _keep_only(lab: Lab, hosts: Sequence[str], undone: ExitStack) -> None:
    every = [lab.registry(name)[part] for name in ("private", "delegated") for part in ("host", "realm_host")]
    close_registries(lab, [host for host in every if host not in hosts], undone)


def _refuse_login(lab: Lab, value: Mapping[str, str], undone: ExitStack) -> None:
    (name,) = [name for name in ("private", "delegated") if lab.registry(name)["host"] == value["registry"]]
    lab.registry_set(name, "--disable", value["username"])
    undone.callback(lab.registry_set, name, "--enable", value["username"])


def _remove_secret(lab: Lab, value: Mapping[str, Any], undone: ExitStack) -> None:
    """Delete a secret that the end of the block restores, such as that of the nodes."""
    for namespace in value["namespaces"]:
        found = lab.get(namespace, "secrets", value["name"])
        if found is not None:
            lab.api("DELETE", path_of(namespace, "secrets", value["name"]))
            body = {"metadata": {"name": value["name"]}, "type": found["type"], "data": found["data"]}
            undone.callback(lab.create, namespace, "secrets", body)


def _add_objects(lab: Lab, value: Mapping[str, Any], undone: ExitStack) -> None:
    for obj in value["definition"]:
        collection, path = _paths(obj["kind"], obj["metadata"])
        before = lab.api("GET", path, expect=(200, 404))
        if before["kind"] == "Status":
            lab.api("POST", collection, obj)
            undone.callback(lab.api, "DELETE", path)
        else:
            _set_spec(lab, path, obj["spec"])
            undone.callback(_set_spec, lab, path, before.get("spec"))


def _delete_objects(lab: Lab, value: Mapping[str, Any], undone: ExitStack) -> None:
    for name in value["names"]:
        collection, path = _paths(value["kind"], {"name": name, "namespace": value.get("namespace")})
        found = lab.api("GET", path)
        lab.api("DELETE", path)
        body = {key: found[key] for key in ("apiVersion", "kind", "spec", "data") if key in found}
        undone.callback(lab.api, "POST", collection, {**body, "metadata": {"name": name}})


def _set_spec(lab: Lab, path: str, spec: Any) -> None:
    lab.api("PATCH", path, {"spec": None})
    lab.api("PATCH", path, {"spec": spec})


def _paths(kind: str, meta: Mapping[str, Any]) -> tuple[str, str]:
    collection = _PATHS[kind].format(namespace=meta.get("namespace"))
    return collection, f"{collection}/{meta['name']}"


def _change_nothing(_lab: Lab, _value: object, _undone: ExitStack) -> None:
    """The versions and images of a node of the lab are options of the command that pulls, and the names of images are those of new pods."""


_UNDONE = {
    "unreachable_registries": close_registries,
    "only_registries": _keep_only,
    "moved": _change_nothing,
    "remove_credential": _refuse_login,
    "remove_secrets": _remove_secret,
    "add_objects": _add_objects,
    "delete_objects": _delete_objects,
    "target_version": _change_nothing,
    "new_nodes": _change_nothing,
}


def _remove_links(lab: Lab, value: Mapping[str, Any]) -> None:
    for namespace in value["namespaces"]:
        for account in value["service_accounts"]:
            listed = [name for name in pull_names(lab.account(namespace, account)) if "-dockercfg-" not in name]
            kept = [name for name in listed if name not in value["secrets"]]
            lab.set_account(namespace, account, imagePullSecrets=kept)


def _remove_grants(lab: Lab, value: Mapping[str, Any]) -> None:
    """Remove accounts from the role bindings to the puller's role, and wait until the API server knows it."""
    accounts = {(each["namespace"], each["name"]) for each in value["service_accounts"]}
    for project in value["namespaces"]:
        for binding in lab.api("GET", path_of(project, "rolebindings"))["items"]:
            subjects = binding.get("subjects") or []
            kept = [each for each in subjects if (each.get("namespace"), each["name"]) not in accounts]
            if binding["roleRef"]["name"] == _PULLER and kept != subjects:
                path = path_of(project, "rolebindings", binding["metadata"]["name"])
                lab.api("PUT", path, {**binding, "subjects": kept})
        for namespace, name in accounts:
            lab.until(
                lambda project=project, namespace=namespace, name=name: not may_pull(lab, project, namespace, name),
                f"{namespace}/{name} may not pull from {project}",
            )


def may_pull(lab: Lab, project: str, namespace: str, account: str) -> bool:
    """Whether the API server says that the account may pull from the project."""
    asked = {"namespace": project, "verb": "get", "group": "image.openshift.io"}
    spec = {
        "user": f"system:serviceaccount:{namespace}:{account}",
        "groups": ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"],
        "resourceAttributes": {**asked, "resource": "imagestreams", "subresource": "layers"},
    }
    answer = lab.api("POST", _REVIEWS, {"spec": spec})
    return bool(answer["status"]["allowed"])
