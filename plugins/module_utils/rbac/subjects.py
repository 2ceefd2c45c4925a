# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subjects of role bindings: service accounts, all of a project, groups, users, each in one normal form. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..core.errors import OptionError
from ..core.names import check_name, check_namespace
from ..core.objects import NAMESPACE, SERVICE_ACCOUNT, Json, ObjectRef, metadata

__all__ = ["RBAC", "Subject", "given", "subject_of", "subjects_of"]

RBAC = "rbac.authorization.k8s.io"
_ACCOUNT = "system:serviceaccount:"
_PROJECT = "system:serviceaccounts:"
_AUTHENTICATED = "system:authenticated"
_UNAUTHENTICATED = "system:unauthenticated"

#: Who stands for more than anybody should give away without meaning to, and how to say that one means it.
_FAR_REACHING = {
    (
        "groups",
        _AUTHENTICATED,
    ): "everybody who is logged in, service accounts included; give 'authenticated: true' instead",
    ("groups", _UNAUTHENTICATED): "everybody, without a login; give 'anonymous: true' instead",
    ("users", "system:anonymous"): "everybody, without a login; give 'anonymous: true' instead",
    ("groups", "system:serviceaccounts"): "every service account of the cluster; name 'projects' instead, or give "
    "'authenticated: true'",
}


@dataclass(frozen=True, order=True)
class Subject:
    """A subject in its one normal form: two spellings that grant the same are equal."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    def to_api(self) -> dict[str, str]:
        if self.kind == "ServiceAccount":
            return {"kind": self.kind, "namespace": self.namespace, "name": self.name}
        return {"apiGroup": RBAC, "kind": self.kind, "name": self.name}

    @property
    def ref(self) -> ObjectRef | None:
        """What has to exist for the subject to be anybody: the account, or the project. None where nobody can look."""
        if self.kind == "ServiceAccount":
            return ObjectRef(SERVICE_ACCOUNT, self.namespace, self.name)
        if self.kind == "Group" and self.name.startswith(_PROJECT):
            return ObjectRef(NAMESPACE, "", self.name.removeprefix(_PROJECT))
        return None

    def login(self) -> dict[str, Any]:
        """User and groups of somebody who is the subject, or a member of it, and nothing else."""
        if self.kind == "ServiceAccount":
            groups = ["system:serviceaccounts", _PROJECT + self.namespace, _AUTHENTICATED]
            return {"user": f"{_ACCOUNT}{self.namespace}:{self.name}", "groups": groups}
        if self.name == _UNAUTHENTICATED:
            return {"user": "system:anonymous", "groups": [_UNAUTHENTICATED]}
        if self.kind == "Group":
            wider = ["system:serviceaccounts"] if self.name.startswith(_PROJECT) else []
            return {"groups": list(dict.fromkeys([self.name, *wider, _AUTHENTICATED]))}
        return {"user": self.name, "groups": [_AUTHENTICATED]}


def subject_of(entry: Json, binding_namespace: str) -> Subject:
    """The normal form of an API subject.

    A service account without namespace is one of the binding's, and a user named `system:serviceaccount:NS:NAME` is that
    service account (kubernetes pkg/registry/rbac/validation/rule.go).
    """
    kind, name = entry.get("kind", ""), entry.get("name", "")
    if kind == "ServiceAccount":
        return Subject(kind, name, entry.get("namespace") or binding_namespace)
    parts = name[len(_ACCOUNT) :].split(":") if name.startswith(_ACCOUNT) else []
    if kind == "User" and len(parts) == 2 and all(parts):
        return Subject("ServiceAccount", parts[1], parts[0])
    return Subject(kind, name)


def subjects_of(binding: Json) -> list[Subject]:
    namespace = metadata(binding).get("namespace", "")
    return [subject_of(entry, namespace) for entry in binding.get("subjects") or []]


def given(options: Mapping[str, Any]) -> tuple[Subject, ...]:
    """The subjects that the module's options name, each once.

    :raises OptionError: for a name that cannot exist, or one that gives to far more than its option should.
    """
    if options["state"] == "present":
        _refuse_far_reaching(options)
    return tuple(dict.fromkeys(_given(options)))


def _given(options: Mapping[str, Any]) -> Iterable[Subject]:
    for account in options.get("service_accounts") or []:
        check_namespace("service_accounts", account["namespace"])
        check_name("service_accounts", account["name"])
        yield Subject("ServiceAccount", account["name"], account["namespace"])
    for project in options.get("projects") or []:
        check_namespace("projects", project)
        yield Subject("Group", _PROJECT + project)
    for group in options.get("groups") or []:
        yield Subject("Group", _not_empty("groups", group))
    for user in options.get("users") or []:
        yield subject_of({"kind": "User", "name": _not_empty("users", user)}, "")
    if options.get("authenticated"):
        yield Subject("Group", _AUTHENTICATED)
    if options.get("anonymous"):
        yield Subject("Group", _UNAUTHENTICATED)


def _refuse_far_reaching(options: Mapping[str, Any]) -> None:
    for (option, name), hint in _FAR_REACHING.items():
        if name in (options.get(option) or []):
            raise OptionError(f"option {option!r}: {name} is {hint}")


def _not_empty(option: str, name: str) -> str:
    if not name.strip():
        raise OptionError(f"option {option!r} holds an empty name")
    return name
