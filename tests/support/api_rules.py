# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of an OpenShift API server, and its rules for objects and selectors. Pure.

`support.api_requests` compares them with kube-apiserver. They are those of secrets and role bindings; of other kinds only the metadata is
checked.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import compile_selector

from support.objects import b64

__all__ = ["KINDS", "FaultyRequest", "Problem", "ServedKind", "decoded", "field_test", "label_test", "problems_of"]

Object = dict[str, Any]


@dataclass(frozen=True)
class ServedKind:
    version: str
    kind: str
    namespaced: bool

    @property
    def group(self) -> str:
        return self.version.rpartition("/")[0]

    @property
    def full(self) -> str:
        """The name in messages about invalid objects."""
        return f"{self.kind}.{self.group}" if self.group else self.kind

    @property
    def is_typed(self) -> bool:
        """Whether items of its lists omit kind and version, as those of every kind but custom resources."""
        return "." not in self.group or self.group.endswith(".k8s.io") or self.group in _AGGREGATED


_AGGREGATED = {f"{name}.openshift.io" for name in ("apps", "build", "image", "project")}
#: The kinds by group and version. Kinds in all namespaces have a star.
_SERVED = {
    "v1": "ConfigMap Event Namespace* Node* Pod ReplicationController Secret Service ServiceAccount",
    "apps/v1": "DaemonSet Deployment ReplicaSet StatefulSet",
    "batch/v1": "CronJob Job",
    "authorization.k8s.io/v1": "SubjectAccessReview* SelfSubjectAccessReview*",
    "rbac.authorization.k8s.io/v1": "ClusterRole* ClusterRoleBinding* Role RoleBinding",
    "apps.openshift.io/v1": "DeploymentConfig",
    "build.openshift.io/v1": "BuildConfig",
    "config.openshift.io/v1": "Authentication* CRIOCredentialProviderConfig* ClusterImagePolicy* ClusterOperator* ClusterVersion* Image* "
    "ImageDigestMirrorSet* ImagePolicy ImageTagMirrorSet* Infrastructure* Proxy*",
    "config.openshift.io/v1alpha1": "CRIOCredentialProviderConfig*",
    "hypershift.openshift.io/v1beta1": "HostedCluster NodePool",
    "image.openshift.io/v1": "ImageStream ImageStreamImport",
    "imageregistry.operator.openshift.io/v1": "Config*",
    "machineconfiguration.openshift.io/v1": "KubeletConfig* MachineConfig* MachineConfigPool* MachineOSConfig*",
    "operator.openshift.io/v1": "MachineConfiguration*",
    "operator.openshift.io/v1alpha1": "ImageContentSourcePolicy*",
    "operators.coreos.com/v1alpha1": "CatalogSource ClusterServiceVersion",
    "project.openshift.io/v1": "Project*",
}


def _resource(kind: str) -> str:
    name = kind.lower()
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


#: By group and version, and resource.
KINDS = {
    (version, _resource(name.rstrip("*"))): ServedKind(version, name.rstrip("*"), not name.endswith("*"))
    for version, names in _SERVED.items()
    for name in names.split()
}


class FaultyRequest(Exception):
    """The message for a request that the server does not understand."""


@dataclass(frozen=True)
class Problem:
    """A cause of a refusal: the reason without `FieldValue`, the field, and the message."""

    reason: str
    field: str
    message: str


# --- objects

_DNS_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_DNS_LABEL}(\.{_DNS_LABEL})*")
_NAME_PART = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_RBAC = "rbac.authorization.k8s.io"
#: The largest sum of the bytes of a secret.
_MOST_BYTES = 1024 * 1024
_DOCKER = {"kubernetes.io/dockerconfigjson": ".dockerconfigjson", "kubernetes.io/dockercfg": ".dockercfg"}
_TOKEN, _ACCOUNT = "kubernetes.io/service-account-token", "kubernetes.io/service-account.name"
_FIXED = "field is immutable when `immutable` is set"


def decoded(served: ServedKind, body: Any) -> Object:
    """The object of a body as the server keeps it.

    :raises FaultyRequest: if it is not an object of the kind.
    """
    about = f'{served.kind} in version "{served.version.rpartition("/")[2]}" cannot be handled as a {served.kind}: '
    if not isinstance(body, Mapping):
        raise FaultyRequest(f"the object provided is unrecognized (must be of type {served.kind})")
    if not isinstance(body.get("metadata", {}), Mapping):
        raise FaultyRequest(f"{about}json: cannot unmarshal")
    if body.get("kind", served.kind) != served.kind:
        raise FaultyRequest(f'{body["kind"]} in version "v1" cannot be handled as a {served.kind}: converting')
    found = {**body, "metadata": {**body.get("metadata", {})}}
    for name in ("labels", "annotations"):
        texts = found["metadata"].pop(name, None) or {}
        if not isinstance(texts, Mapping) or not all(isinstance(value, str) for value in texts.values()):
            raise FaultyRequest(f"{about}json: cannot unmarshal")
        found["metadata"] |= {name: texts} if texts else {}
    return _decoded_secret(found, about) if served.kind == "Secret" else found


def _decoded_secret(found: Object, about: str) -> Object:
    plain = {key: text.encode() for key, text in (found.pop("stringData", None) or {}).items()}
    data = {**_read_data(found.pop("data", None) or {}, about), **plain}
    if data:
        found["data"] = {key: b64(value) for key, value in data.items()}
    return {**found, "type": found.get("type") or "Opaque"}


def _read_data(data: Any, about: str) -> dict[str, bytes]:
    if not isinstance(data, Mapping) or not all(isinstance(value, (str, type(None))) for value in data.values()):
        raise FaultyRequest(f"{about}json: cannot unmarshal")
    try:
        return {key: base64.b64decode(re.sub(r"[\r\n]", "", value or ""), validate=True) for key, value in data.items()}
    except (binascii.Error, ValueError):
        raise FaultyRequest(f"{about}illegal base64 data at input byte 0") from None


def problems_of(served: ServedKind, body: Object, old: Object | None) -> Iterator[Problem]:
    """The reasons to refuse an object, or its change from another state."""
    meta = body["metadata"]
    yield from _name_problems(served, meta.get("name", ""))
    for name in ("labels", "annotations"):
        for key, value in (meta.get(name) or {}).items():
            yield from _label_problems(f"metadata.{name}", key, value if name == "labels" else "")
    if old is not None and meta.get("uid") != old["metadata"]["uid"]:
        yield Problem("Invalid", "metadata.uid", f'Invalid value: "{meta.get("uid")}": field is immutable')
    if served.kind == "Secret":
        yield from _changed_secret_problems(body, old or {})
        yield from _secret_problems(body)
    if served.kind.endswith("RoleBinding"):
        yield from _binding_problems(body, old)


def _name_problems(served: ServedKind, name: str) -> Iterator[Problem]:
    if not name:
        yield Problem("Required", "metadata.name", "Required value: name or generateName is required")
    elif served.group == _RBAC:
        if name in (".", "..") or "/" in name or "%" in name:
            sign = "/" if "/" in name else "%"
            yield Problem("Invalid", "metadata.name", f"Invalid value: \"{name}\": may not contain '{sign}'")
    else:
        most = 63 if served.kind in ("Namespace", "Service") else 253
        if not re.fullmatch(_DNS_LABEL if most == 63 else _SUBDOMAIN, name):
            rule = "label" if most == 63 else "subdomain"
            yield Problem(
                "Invalid", "metadata.name", f'Invalid value: "{name}": a lowercase RFC 1123 {rule} must consist'
            )
        if len(name) > most:
            yield Problem(
                "Invalid", "metadata.name", f'Invalid value: "{name}": must be no more than {most} characters'
            )


def _label_problems(field: str, key: str, value: str) -> Iterator[Problem]:
    prefix, slash, name = key.rpartition("/")
    if (slash and (len(prefix) > 253 or not _SUBDOMAIN.fullmatch(prefix.lower()))) or not _NAME_PART.fullmatch(name):
        yield Problem("Invalid", field, f'Invalid value: "{key}": name part must consist of alphanumeric characters')
    if value and not _NAME_PART.fullmatch(value):
        yield Problem("Invalid", field, f'Invalid value: "{value}": a valid label must be an empty string or consist')


def _changed_secret_problems(body: Object, old: Object) -> Iterator[Problem]:
    if not old:
        return
    if body["type"] != (old.get("type") or "Opaque"):
        yield Problem("Invalid", "type", f'Invalid value: "{body["type"]}": field is immutable')
    if old.get("immutable"):
        if not body.get("immutable"):
            yield Problem("Forbidden", "immutable", f"Forbidden: {_FIXED}")
        if (body.get("data") or {}) != (old.get("data") or {}):
            yield Problem("Forbidden", "data", f"Forbidden: {_FIXED}")


def _secret_problems(body: Object) -> Iterator[Problem]:
    data = {key: base64.b64decode(value) for key, value in (body.get("data") or {}).items()}
    yield from (problem for key in data for problem in _key_problems(key))
    if sum(map(len, data.values())) > _MOST_BYTES:
        yield Problem("TooLong", "data", f"Too long: may not be more than {_MOST_BYTES} bytes")
    if key := _DOCKER.get(body["type"]):
        if key not in data:
            yield Problem("Required", f"data[{key}]", "Required value")
        elif not _is_json_object(data[key]):
            yield Problem("Invalid", f"data[{key}]", 'Invalid value: "<secret contents redacted>": ')
    if body["type"] == _TOKEN and not (body["metadata"].get("annotations") or {}).get(_ACCOUNT):
        yield Problem("Required", f"metadata.annotations[{_ACCOUNT}]", "Required value")


def _key_problems(key: str) -> Iterator[Problem]:
    if key == "..":
        yield Problem("Invalid", "data[..]", "Invalid value: \"..\": must not be '..'")
    elif not _KEY.fullmatch(key) or key.startswith("..") or key == ".":
        yield Problem("Invalid", f"data[{key}]", f'Invalid value: "{key}": a valid config key must consist')


def _is_json_object(content: bytes) -> bool:
    try:
        return isinstance(json.loads(content), (dict, type(None)))
    except (ValueError, RecursionError):
        return False


def _binding_problems(body: Object, old: Object | None) -> Iterator[Problem]:
    role = body.get("roleRef") or {}
    if old is not None and role != (old.get("roleRef") or {}):
        yield Problem("Invalid", "roleRef", f"Invalid value: {json.dumps(role)}: cannot change roleRef")
    if role.get("kind") not in ("Role", "ClusterRole"):
        yield Problem(
            "NotSupported", "roleRef.kind", f'Unsupported value: "{role.get("kind", "")}": supported values: "Role"'
        )
    if not role.get("name"):
        yield Problem("Required", "roleRef.name", "Required value")


# --- selectors

#: A requirement that no other program than the API server evaluates here.
_COMPARED = re.compile(r"(?P<key>[-\w./]+)(?P<sign>[<>])(?P<number>\d+)")

_INVOLVED = tuple(f"involvedObject.{name}" for name in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath"))
#: The fields by which a list can be selected, besides the name and the namespace.
_FIELDS = {
    "Secret": ("type",),
    "Event": (*_INVOLVED, "reason", "type", "source", "reportingComponent"),
    "Namespace": ("status.phase", "name"),
    "Node": ("spec.unschedulable",),
    "Pod": ("spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.phase"),
    "Job": ("status.successful",),
}
_REQUIREMENT = re.compile(r"(?P<field>[^=!]+)(?P<operator>!=|==|=)(?P<value>.*)")


def field_test(served: ServedKind, selector: str) -> Callable[[Object], bool]:
    """A field selector as a function.

    :raises FaultyRequest: if the kind has no such selector.
    """
    tests = []
    for part in filter(None, selector.split(",")):
        found = _REQUIREMENT.fullmatch(part)
        if not found:
            raise FaultyRequest(f"invalid selector: '{selector}'; can't understand '{part}'")
        field = found["field"]
        if field not in ("metadata.name", "metadata.namespace", *_FIELDS.get(served.kind, ())):
            raise FaultyRequest(f"field label not supported: {field}")
        tests.append((field.split("."), found["value"], found["operator"] != "!="))
    return lambda item: all((_value(item, path) == value) is wanted for path, value, wanted in tests)


def label_test(selector: str) -> Callable[[Object], bool]:
    """A label selector as a function.

    :raises FaultyRequest: if it is invalid.
    """
    compared = [found for part in selector.split(",") if (found := _COMPARED.fullmatch(part))]
    others = compile_selector(",".join(part for part in selector.split(",") if not _COMPARED.fullmatch(part)))
    if others is None:
        raise FaultyRequest(f"unable to parse requirement: {selector}")
    return lambda labels: (
        others(labels) and all(_is_beyond(labels.get(one["key"]), one["sign"], int(one["number"])) for one in compared)
    )


def _is_beyond(value: Any, sign: str, number: int) -> bool:
    if not isinstance(value, str) or not value.isdigit():
        return False
    return int(value) > number if sign == ">" else int(value) < number


def _value(item: Any, path: list[str]) -> str:
    for name in path:
        item = item.get(name) if isinstance(item, Mapping) else None
    return item if isinstance(item, str) else ""
