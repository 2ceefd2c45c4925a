# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to an API server and their answers. The API server in memory and the lab's kube-apiserver must both answer so.

Each case has a new namespace `{ns}`. In its last request, `{uid}` and `{version}` are those of the object that the request before it
returned.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["CASES", "Case", "Send", "Sent", "play"]

#: Sends a method, a path, a body and an `Accept` header. Returns the status and the JSON of the answer, None for text.
Send = Callable[[str, str, Any, str], tuple[int, Any]]

#: Number of compared characters of a message. The rest explains rules, or contains versions.
_COMPARED = 27
#: The compared parts of an object.
_PARTS = ("type", "data", "immutable", "stringData", "imagePullSecrets", "roleRef")
_METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_NS = "/api/v1/namespaces/{ns}"
_SECRETS = f"{_NS}/secrets"
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_BINDINGS = f"{_RBAC}/namespaces/{{ns}}/rolebindings"
#: Values of secrets: `v`, `w` and `{"auths":{}}`.
_V, _W, _AUTHS = "dg==", "dw==", "eyJhdXRocyI6e319"
_DOCKER = "kubernetes.io/dockerconfigjson"
_DOCKER_KEY = ".dockerconfigjson"


@dataclass(frozen=True)
class Sent:
    method: str
    path: str
    body: Any = None
    accept: str = ""


@dataclass(frozen=True)
class Case:
    """Requests in their order, and the answer to the last one in the words of `_summary`."""

    id: str
    requests: tuple[Sent, ...]
    answer: str


def play(case: Case, namespace: str, send: Send) -> str:
    """Send the requests of a case. Return the answer to the last one."""
    known = {"ns": namespace, "uid": "", "version": "", "continue": ""}
    *before, last = case.requests
    for request in before:
        status, answer = _sent(request, known, send)
        assert status < 400, (case.id, request, answer)
        known |= _identity(answer)
    status, answer = _sent(last, known, send)
    comparable = json.loads(json.dumps(answer).replace(namespace, "{ns}"))
    return f"{status} {_summary(comparable, known)}"


def _sent(request: Sent, known: Mapping[str, str], send: Send) -> tuple[int, Any]:
    return send(request.method, _filled(request.path, known), _filled(request.body, known), request.accept)


def _filled(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for name, text in known.items():
            value = value.replace(f"{{{name}}}", text)
        return value
    if isinstance(value, Mapping):
        return {name: _filled(part, known) for name, part in value.items()}
    return [_filled(part, known) for part in value] if isinstance(value, list) else value


def _identity(answer: Any) -> dict[str, str]:
    meta = answer.get("metadata") or {}
    found = {"uid": meta.get("uid"), "version": meta.get("resourceVersion"), "continue": meta.get("continue")}
    return {name: text for name, text in found.items() if text}


def _summary(answer: Any, known: Mapping[str, str]) -> str:
    """The parts of an answer that clients read, without times and versions, which differ in each run."""
    if not isinstance(answer, Mapping):
        return "a text"
    if answer.get("kind") == "Status":
        return _summary_of_status(answer)
    kind = f"{answer.get('kind')} {answer.get('apiVersion')}"
    return f"{kind} {_summary_of_list(answer) if 'items' in answer else _summary_of_object(answer, known)}"


def _summary_of_status(answer: Mapping[str, Any]) -> str:
    details = answer.get("details") or {}
    about = f"{details.get('kind', '')} {details.get('name', '')[:20]}".strip()
    causes = {f"{cause.get('reason')} {cause.get('field')}" for cause in details.get("causes") or []}
    parts = (answer.get("status"), answer.get("reason"), about, *sorted(causes), answer.get("message", "")[:_COMPARED])
    return ", ".join(filter(None, parts))


def _summary_of_list(answer: Mapping[str, Any]) -> str:
    meta, items = answer["metadata"], answer["items"]
    names = [" ".join(filter(None, (item.get("kind"), item["metadata"]["name"]))) for item in items]
    flags = (
        "" if meta.get("resourceVersion") else "no version",
        "continues" if meta.get("continue") else "",
        f"{meta['remainingItemCount']} remain" if meta.get("remainingItemCount") else "",
    )
    return "; ".join(filter(None, (json.dumps(names), *flags)))


def _summary_of_object(answer: Mapping[str, Any], known: Mapping[str, str]) -> str:
    meta = answer["metadata"]
    parts = {name: answer[name] for name in _PARTS if name in answer}
    flags = (
        "same version" if known["version"] and meta.get("resourceVersion") == known["version"] else "",
        "deleting" if meta.get("deletionTimestamp") else "",
    )
    labels = {"labels": meta["labels"]} if "labels" in meta else {}
    return "; ".join(filter(None, (meta["name"], json.dumps({**labels, **parts}), *flags)))


def secret(name: str, type_: str = "Opaque", data: Any = None, **parts: Any) -> dict[str, Any]:
    labels = parts.pop("labels", None)
    meta = {"name": name, **({"labels": labels} if labels else {}), **parts.pop("metadata", {})}
    return {"metadata": meta, "type": type_, "data": {"k": _V} if data is None else data, **parts}


def post(body: Any, path: str = _SECRETS) -> Sent:
    return Sent("POST", path, body)


def patch(body: Any, path: str = f"{_SECRETS}/s") -> Sent:
    return Sent("PATCH", path, body)


def delete(body: Any = None, path: str = f"{_SECRETS}/s") -> Sent:
    return Sent("DELETE", path, body)


def get(path: str, accept: str = "") -> Sent:
    return Sent("GET", path, accept=accept)


_STORED = post(secret("s", labels={"a": "1"}))
_DOCKERS = post(secret("s", _DOCKER, {_DOCKER_KEY: _AUTHS}))
_FIXED = post(secret("s", immutable=True))
_READ = get(f"{_SECRETS}/s")
_THREE = (
    post(secret("a", labels={"x": "1"})),
    post(secret("b", "example.com/b", labels={"x": "2", "y": ""})),
    post(secret("c", _DOCKER, {_DOCKER_KEY: _AUTHS})),
)
_BINDING = {
    "metadata": {"name": "b"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
    "subjects": [{"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "u"}],
}
_HELD = post({"metadata": {"name": "{ns}-held", "finalizers": ["example.com/hold"]}}, "/api/v1/namespaces")

#: The answers are those of kube-apiserver 1.36.
CASES = (
    # creations
    Case("create a secret", (_STORED,),
         '201 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dg=="}}'),
    Case("create a secret without a type", (post({"metadata": {"name": "s"}, "data": {"k": _V}}),),
         '201 Secret v1 s; {"type": "Opaque", "data": {"k": "dg=="}}'),
    Case("create a secret from plain text",
         (post({"metadata": {"name": "s"}, "stringData": {"k": "w"}, "data": {"k": _V, "l": _V}}),),
         '201 Secret v1 s; {"type": "Opaque", "data": {"k": "dw==", "l": "dg=="}}'),
    Case("create a pull secret", (_DOCKERS,),
         '201 Secret v1 s; {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "eyJhdXRocyI6e319"}}'),
    Case("create a pull secret without its key", (post(secret("s", _DOCKER, {"k": _V})),),
         '422 Failure, Invalid, Secret s, FieldValueRequired data[.dockerconfigjson], Secret "s" is invalid: data'),
    Case("create a pull secret without data", (post(secret("s", _DOCKER, {})),),
         '422 Failure, Invalid, Secret s, FieldValueRequired data[.dockerconfigjson], Secret "s" is invalid: data'),
    Case("create a pull secret that is not JSON", (post(secret("s", _DOCKER, {_DOCKER_KEY: _V})),),
         '422 Failure, Invalid, Secret s, FieldValueInvalid data[.dockerconfigjson], Secret "s" is invalid: data'),
    Case("create an old pull secret without its key", (post(secret("s", "kubernetes.io/dockercfg", {})),),
         '422 Failure, Invalid, Secret s, FieldValueRequired data[.dockercfg], Secret "s" is invalid: data'),
    Case("create a secret that is not base64", (post(secret("s", data={"k": "%%"})),),
         '400 Failure, BadRequest, Secret in version "v1" cann'),
    Case("create a secret of base64 without padding", (post(secret("s", data={"k": "dg"})),),
         '400 Failure, BadRequest, Secret in version "v1" cann'),
    Case("create a secret with a number", (post(secret("s", data={"k": 1})),),
         '400 Failure, BadRequest, Secret in version "v1" cann'),
    Case("create a secret with an invalid key", (post(secret("s", data={"a b": _V})),),
         '422 Failure, Invalid, Secret s, FieldValueInvalid data[a b], Secret "s" is invalid: data'),
    Case("create a secret with the key ..", (post(secret("s", data={"..": _V})),),
         '422 Failure, Invalid, Secret s, FieldValueInvalid data[..], Secret "s" is invalid: data'),
    Case("create an invalid name", (post(secret("Bad_Name")),),
         '422 Failure, Invalid, Secret Bad_Name, FieldValueInvalid metadata.name, Secret "Bad_Name" is invali'),
    Case("create a name of 254 letters", (post(secret("n" * 254)),),
         '422 Failure, Invalid, Secret nnnnnnnnnnnnnnnnnnnn, FieldValueInvalid metadata.name, Secret "nnnnnnnnnnnnnnnnnnn'),
    Case("create without a name", (post({"metadata": {}, "type": "Opaque"}),),
         '422 Failure, Invalid, Secret, FieldValueRequired metadata.name, Secret "" is invalid: metad'),
    Case("create a token of no account", (post(secret("s", "kubernetes.io/service-account-token", {})),),
         '422 Failure, Invalid, Secret s, FieldValueRequired metadata.annotations[kubernetes.io/service-account.name], Secret "s" is invalid: meta'),
    Case("create a secret of more than a mebibyte", (post(secret("s", data={"k": "A" * 4 * (350 * 1024)})),),
         '422 Failure, Invalid, Secret s, FieldValueTooLong data, Secret "s" is invalid: data'),
    Case("create a list", (post([secret("s")]),), "400 Failure, BadRequest, the object provided is unre"),
    Case("create an invalid label", (post(secret("s", labels={"a b": "1"})),),
         '422 Failure, Invalid, Secret s, FieldValueInvalid metadata.labels, Secret "s" is invalid: meta'),
    Case("create an invalid value of a label", (post(secret("s", labels={"a": "b c"})),),
         '422 Failure, Invalid, Secret s, FieldValueInvalid metadata.labels, Secret "s" is invalid: meta'),
    Case("create a label that is a number", (post(secret("s", labels={"a": 1})),),
         '400 Failure, BadRequest, Secret in version "v1" cann'),
    Case("create an invalid annotation", (post(secret("s", metadata={"annotations": {"a b": "1"}})),),
         '422 Failure, Invalid, Secret s, FieldValueInvalid metadata.annotations, Secret "s" is invalid: meta'),
    Case("create two faults at once", (post(secret("Bad", labels={"a": "b c"})),),
         '422 Failure, Invalid, Secret Bad, FieldValueInvalid metadata.labels, FieldValueInvalid metadata.name, Secret "Bad" is invalid: [m'),
    Case("create in another namespace than the path's", (post(secret("s", metadata={"namespace": "other"})),),
         "400 Failure, BadRequest, the namespace of the provid"),
    Case("create another kind than the path's", (post({**secret("s"), "apiVersion": "v1", "kind": "ConfigMap"}),),
         '400 Failure, BadRequest, ConfigMap in version "v1" c'),
    Case("create with a version", (post(secret("s", metadata={"resourceVersion": "7"})),),
         "500 Failure, resourceVersion should not "),
    Case("create twice", (_STORED, _STORED), '409 Failure, AlreadyExists, secrets s, secrets "s" already exists'),
    Case("create in a missing namespace", (post(secret("s"), "/api/v1/namespaces/{ns}-missing/secrets"),),
         '404 Failure, NotFound, namespaces {ns}-missing, namespaces "{ns}-missing" n'),
    Case("create in a terminating namespace", (_HELD, delete(path="/api/v1/namespaces/{ns}-held"),
                                               post(secret("s"), "/api/v1/namespaces/{ns}-held/secrets")),
         '403 Failure, Forbidden, secrets s, NamespaceTerminating metadata.namespace, secrets "s" is forbidden: u'),
    Case("create without a namespace", (post(secret("s"), "/api/v1/secrets"),),
         "405 Failure, MethodNotAllowed, the server does not allow t"),
    Case("create a dry run", (Sent("POST", f"{_SECRETS}?dryRun=All", secret("s")),),
         '201 Secret v1 s; {"type": "Opaque", "data": {"k": "dg=="}}'),
    Case("read after a dry run of a creation", (Sent("POST", f"{_SECRETS}?dryRun=All", secret("s")), _READ),
         '404 Failure, NotFound, secrets s, secrets "s" not found'),
    Case("create an invalid dry run", (Sent("POST", f"{_SECRETS}?dryRun=All", secret("s", _DOCKER, {})),),
         '422 Failure, Invalid, Secret s, FieldValueRequired data[.dockerconfigjson], Secret "s" is invalid: data'),
    Case("create a dry run of what exists", (_STORED, Sent("POST", f"{_SECRETS}?dryRun=All", secret("s"))),
         '409 Failure, AlreadyExists, secrets s, secrets "s" already exists'),
    Case("create a service account",
         (post({"metadata": {"name": "builder2"}, "imagePullSecrets": [{"name": "s"}]}, f"{_NS}/serviceaccounts"),),
         '201 ServiceAccount v1 builder2; {"imagePullSecrets": [{"name": "s"}]}'),
    Case("create a role binding", (post(_BINDING, _BINDINGS),),
         '201 RoleBinding rbac.authorization.k8s.io/v1 b; {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}}'),
    Case("create a role binding with a colon in its name",
         (post({**_BINDING, "metadata": {"name": "system:b"}}, _BINDINGS),),
         '201 RoleBinding rbac.authorization.k8s.io/v1 system:b; {"roleRef": {"apiGroup": "rbac.authorization.k8s.io", '
         '"kind": "ClusterRole", "name": "view"}}'),
    Case("create a role binding with a slash in its name",
         (post({**_BINDING, "metadata": {"name": "a/b"}}, _BINDINGS),),
         "422 Failure, Invalid, RoleBinding a/b, FieldValueInvalid metadata.name, RoleBinding.rbac.authorizat"),
    Case("create a role binding without a role", (post({**_BINDING, "roleRef": {}}, _BINDINGS),),
         "422 Failure, Invalid, RoleBinding b, FieldValueNotSupported roleRef.kind, FieldValueRequired roleRef.name, RoleBinding.rbac.authorizat"),
    Case("create an unknown kind", (post(secret("s"), f"{_NS}/widgets"),),
         "404 Failure, NotFound, the server could not find t"),
    # changes
    Case("change the data", (_STORED, patch({"data": {"k": _W}})),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dw=="}}'),
    Case("change nothing", (_STORED, patch({"data": {"k": _V}, "metadata": {"labels": {"a": "1"}}})),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dg=="}}; same version'),
    Case("change nothing with the version", (_STORED,
                                             patch({"data": {"k": _V}, "metadata": {"resourceVersion": "{version}"}})),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dg=="}}; same version'),
    Case("remove a key", (_STORED, patch({"data": {"k": None}})),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque"}'),
    Case("remove a key that is not there", (_STORED, patch({"data": {"other": None}})),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dg=="}}; same version'),
    Case("change at the current version", (_STORED,
                                           patch({"data": {"k": _W}, "metadata": {"resourceVersion": "{version}"}})),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dw=="}}'),
    Case("change at an older version", (_STORED, patch({"data": {"k": _W}}),
                                        patch({"data": {"k": _V}, "metadata": {"resourceVersion": "1"}})),
         "409 Failure, Conflict, secrets s, Operation cannot be fulfill"),
    Case("change another object of the name", (_STORED, patch({"data": {"k": _W}, "metadata": {"uid": "other"}})),
         '422 Failure, Invalid, Secret s, FieldValueInvalid metadata.uid, Secret "s" is invalid: meta'),
    Case("change a missing secret", (patch({"data": {"k": _W}}),),
         '404 Failure, NotFound, secrets s, secrets "s" not found'),
    Case("change the type", (_DOCKERS, patch({"type": "Opaque"})),
         '422 Failure, Invalid, Secret s, FieldValueInvalid type, Secret "s" is invalid: type'),
    Case("change the name", (_STORED, patch({"metadata": {"name": "t"}})),
         "400 Failure, BadRequest, the name of the object (t) "),
    Case("change the namespace", (_STORED, patch({"metadata": {"namespace": "other"}})),
         "400 Failure, BadRequest, the namespace of the provid"),
    Case("change to something that is not base64", (_STORED, patch({"data": {"k": "%%"}})),
         '422 Failure, Invalid, FieldValueInvalid patch,  "" is invalid: patch: Inva'),
    Case("change to an invalid label", (_STORED, patch({"metadata": {"labels": {"a": "b c"}}})),
         '422 Failure, Invalid, Secret s, FieldValueInvalid metadata.labels, Secret "s" is invalid: meta'),
    Case("change to an invalid key", (_STORED, patch({"data": {"a b": _V}})),
         '422 Failure, Invalid, Secret s, FieldValueInvalid data[a b], Secret "s" is invalid: data'),
    Case("change by plain text", (_STORED, patch({"stringData": {"k": "w"}})),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dw=="}}'),
    Case("remove the key of a pull secret", (_DOCKERS, patch({"data": {_DOCKER_KEY: None}})),
         '422 Failure, Invalid, Secret s, FieldValueRequired data[.dockerconfigjson], Secret "s" is invalid: data'),
    Case("change a pull secret to something that is not JSON", (_DOCKERS, patch({"data": {_DOCKER_KEY: _V}})),
         '422 Failure, Invalid, Secret s, FieldValueInvalid data[.dockerconfigjson], Secret "s" is invalid: data'),
    Case("make a secret immutable", (_STORED, patch({"immutable": True})),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dg=="}, "immutable": true}'),
    Case("change an immutable secret", (_FIXED, patch({"data": {"k": _W}})),
         '422 Failure, Invalid, Secret s, FieldValueForbidden data, Secret "s" is invalid: data'),
    Case("change the label of an immutable secret", (_FIXED, patch({"metadata": {"labels": {"b": "2"}}})),
         '200 Secret v1 s; {"labels": {"b": "2"}, "type": "Opaque", "data": {"k": "dg=="}, "immutable": true}'),
    Case("make an immutable secret mutable", (_FIXED, patch({"immutable": False})),
         '422 Failure, Invalid, Secret s, FieldValueForbidden immutable, Secret "s" is invalid: immu'),
    Case("change and unlock an immutable secret", (_FIXED, patch({"immutable": None, "data": {"k": _W}})),
         '422 Failure, Invalid, Secret s, FieldValueForbidden data, FieldValueForbidden immutable, Secret "s" is invalid: [imm'),
    Case("change in a dry run", (_STORED, Sent("PATCH", f"{_SECRETS}/s?dryRun=All", {"data": {"k": _W}})),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dw=="}}; same version'),
    Case("read after a dry run of a change", (_STORED, Sent("PATCH", f"{_SECRETS}/s?dryRun=All", {"data": {"k": _W}}),
                                              _READ), '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dg=="}}; same version'),
    Case("change a list of a service account",
         (post({"metadata": {"name": "a"}, "imagePullSecrets": [{"name": "s"}, {"name": "t"}]},
               f"{_NS}/serviceaccounts"), patch({"imagePullSecrets": [{"name": "u"}]}, f"{_NS}/serviceaccounts/a")),
         '200 ServiceAccount v1 a; {"imagePullSecrets": [{"name": "u"}]}'),
    Case("change the role of a binding", (post(_BINDING, _BINDINGS),
                                          patch({"roleRef": {"name": "edit"}}, f"{_BINDINGS}/b")),
         "422 Failure, Invalid, RoleBinding b, FieldValueInvalid roleRef, RoleBinding.rbac.authorizat"),
    # deletions
    Case("delete a secret", (_STORED, delete()), "200 Success, secrets s"),
    Case("delete a missing secret", (delete(),), '404 Failure, NotFound, secrets s, secrets "s" not found'),
    Case("delete an immutable secret", (_FIXED, delete()), "200 Success, secrets s"),
    Case("delete the object of a UID", (_STORED,
                                        delete({"preconditions": {"uid": "{uid}", "resourceVersion": "{version}"}})), "200 Success, secrets s"),
    Case("delete another object of the name", (_STORED, delete({"preconditions": {"uid": "other"}})),
         "409 Failure, Conflict, Secret s, Operation cannot be fulfill"),
    Case("delete an older version", (_STORED, delete({"preconditions": {"resourceVersion": "1"}})),
         "409 Failure, Conflict, Secret s, Operation cannot be fulfill"),
    Case("delete in a dry run", (_STORED, Sent("DELETE", f"{_SECRETS}/s?dryRun=All")), "200 Success, secrets s"),
    Case("read after a dry run of a deletion", (_STORED, Sent("DELETE", f"{_SECRETS}/s?dryRun=All"), _READ),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dg=="}}; same version'),
    Case("delete a secret with a finalizer", (post(secret("s", metadata={"finalizers": ["example.com/hold"]})),
                                              delete()), '200 Secret v1 s; {"type": "Opaque", "data": {"k": "dg=="}}; deleting'),
    Case("delete a service account", (post({"metadata": {"name": "a"}}, f"{_NS}/serviceaccounts"),
                                      delete(path=f"{_NS}/serviceaccounts/a")), "200 ServiceAccount v1 a; {}"),
    Case("delete a role binding", (post(_BINDING, _BINDINGS), delete(path=f"{_BINDINGS}/b")),
         "200 Success, rolebindings b"),
    Case("read after a deletion", (_STORED, delete(), _READ),
         '404 Failure, NotFound, secrets s, secrets "s" not found'),
    # reads
    Case("read a secret", (_STORED, _READ),
         '200 Secret v1 s; {"labels": {"a": "1"}, "type": "Opaque", "data": {"k": "dg=="}}; same version'),
    Case("read a missing secret", (_READ,), '404 Failure, NotFound, secrets s, secrets "s" not found'),
    Case("read an unknown kind", (get(f"{_NS}/widgets/w"),), "404 Failure, NotFound, the server could not find t"),
    Case("read an unknown group", (get("/apis/example.com/v1/widgets"),), "404 a text"),
    Case("read an unknown version", (get("/apis/rbac.authorization.k8s.io/v9/clusterroles"),),
         "404 Failure, NotFound, the server could not find t"),
    Case("read a secret without its namespace", (get("/api/v1/secrets/s"),),
         "404 Failure, NotFound, the server could not find t"),
    Case("list secrets", (*_THREE, get(_SECRETS)), '200 SecretList v1 ["a", "b", "c"]'),
    Case("list nothing", (get(_SECRETS),), "200 SecretList v1 []"),
    Case("list a missing namespace", (get("/api/v1/namespaces/{ns}-missing/secrets"),), "200 SecretList v1 []"),
    Case("list an unknown kind", (get(f"{_NS}/widgets"),), "404 Failure, NotFound, the server could not find t"),
    Case("list service accounts without a match", (get(f"{_NS}/serviceaccounts?labelSelector=x=1"),),
         "200 ServiceAccountList v1 []"),
    Case("list role bindings", (post(_BINDING, _BINDINGS), get(_BINDINGS)),
         '200 RoleBindingList rbac.authorization.k8s.io/v1 ["b"]'),
    Case("list the metadata", (*_THREE, get(_SECRETS, _METADATA_LIST)),
         '200 PartialObjectMetadataList meta.k8s.io/v1 ["PartialObjectMetadata a", "PartialObjectMetadata b", "PartialObjectMetadata c"]'),
    Case("list a first page", (*_THREE, get(f"{_SECRETS}?limit=2")),
         '200 SecretList v1 ["a", "b"]; continues; 1 remain'),
    Case("list a last page", (*_THREE, get(f"{_SECRETS}?limit=2"), get(f"{_SECRETS}?limit=2&continue={{continue}}")),
         '200 SecretList v1 ["c"]'),
    Case("list a page of selected secrets", (*_THREE, get(f"{_SECRETS}?limit=1&labelSelector=x")),
         '200 SecretList v1 ["a"]; continues'),
    Case("list from a wrong token", (*_THREE, get(f"{_SECRETS}?limit=2&continue=zz")),
         "400 Failure, BadRequest, invalid continue token: con"),
    Case("list with a limit that is not a number", (get(f"{_SECRETS}?limit=zz"),),
         '400 Failure, BadRequest, strconv.ParseInt: parsing "'),
    Case("select a name", (*_THREE, get(f"{_SECRETS}?fieldSelector=metadata.name%3Db")), '200 SecretList v1 ["b"]'),
    Case("select other names", (*_THREE, get(f"{_SECRETS}?fieldSelector=metadata.name!%3Db")),
         '200 SecretList v1 ["a", "c"]'),
    Case("select a type", (*_THREE, get(f"{_SECRETS}?fieldSelector=type%3DOpaque")), '200 SecretList v1 ["a"]'),
    Case("select a type with two equals signs", (*_THREE, get(f"{_SECRETS}?fieldSelector=type%3D%3DOpaque")),
         '200 SecretList v1 ["a"]'),
    Case("select other types", (*_THREE, get(f"{_SECRETS}?fieldSelector=type!%3DOpaque")),
         '200 SecretList v1 ["b", "c"]'),
    Case("select neither of two types", (*_THREE, get(f"{_SECRETS}?fieldSelector=type!%3DOpaque,type!%3D{_DOCKER}")),
         '200 SecretList v1 ["b"]'),
    Case("select a namespace", (*_THREE, get("/api/v1/secrets?fieldSelector=metadata.namespace%3D{ns}")),
         '200 SecretList v1 ["a", "b", "c"]'),
    Case("select an unknown field", (*_THREE, get(f"{_SECRETS}?fieldSelector=data.k%3Dv")),
         "400 Failure, BadRequest, field label not supported: "),
    Case("select a field without a value", (*_THREE, get(f"{_SECRETS}?fieldSelector=type")),
         "400 Failure, BadRequest, invalid selector: 'type'; c"),
    Case("select a label", (*_THREE, get(f"{_SECRETS}?labelSelector=x%3D1")), '200 SecretList v1 ["a"]'),
    Case("select another value of a label", (*_THREE, get(f"{_SECRETS}?labelSelector=x!%3D1")),
         '200 SecretList v1 ["b", "c"]'),
    Case("select an existing label", (*_THREE, get(f"{_SECRETS}?labelSelector=x")), '200 SecretList v1 ["a", "b"]'),
    Case("select a missing label", (*_THREE, get(f"{_SECRETS}?labelSelector=!x")), '200 SecretList v1 ["c"]'),
    Case("select values of a label", (*_THREE, get(f"{_SECRETS}?labelSelector=x%20in%20(1,2),y")),
         '200 SecretList v1 ["b"]'),
    Case("select a greater value of a label", (*_THREE, get(f"{_SECRETS}?labelSelector=x%3E1")),
         '200 SecretList v1 ["b"]'),
    Case("select a smaller value of a label", (*_THREE, get(f"{_SECRETS}?labelSelector=x%3C2,!y")),
         '200 SecretList v1 ["a"]'),
    Case("select no values of a label", (*_THREE, get(f"{_SECRETS}?labelSelector=x%20notin%20(1)")),
         '200 SecretList v1 ["b", "c"]'),
    Case("select a label with an invalid selector", (*_THREE, get(f"{_SECRETS}?labelSelector=x%3D%3D%3D1")),
         "400 Failure, BadRequest, unable to parse requirement"),
    Case("select a label without closing", (*_THREE, get(f"{_SECRETS}?labelSelector=x%20in%20(1")),
         "400 Failure, BadRequest, unable to parse requirement"),
)  # fmt: skip
