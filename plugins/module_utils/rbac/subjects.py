# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Subjects of role bindings, each in one normal form, the roles that give them access to images, and questions to the API server about their rights. Pure.

How rules apply: kubernetes pkg/apis/rbac/v1/evaluation_helpers.go. The right: `pull_review` of access_reviews.py.

The right is in one cluster role with a fixed name. A role in each namespace would be an object that users of the namespace can write.

The integrated registry asks with the token of the puller (image-registry pkg/dockerregistry/server/auth.go). A credential provider lists
secrets with the token of the pod's account, which the node requests for an audience (Kubernetes 1.36 plugin/pkg/admission/noderestriction).
This module asks about others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.changes import MANAGED_BY
from ..core.errors import OptionError, Refusal
from ..core.names import check_free_name, check_name, check_namespace, is_name, is_namespace, quote_name
from ..core.objects import (
    CLUSTER_ROLE,
    NAMESPACE,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
    metadata,
)

RBAC = "rbac.authorization.k8s.io"
#: The cluster role of OpenShift that lets its subjects pull the image streams of a project.
IMAGE_PULLER = "system:image-puller"
#: Prefix of the user name of a service account, and of the group of all service accounts of a project.
ACCOUNT_USERS = "system:serviceaccount:"
PROJECT_GROUPS = "system:serviceaccounts:"
AUTHENTICATED = "system:authenticated"
UNAUTHENTICATED = "system:unauthenticated"

#: Subjects that cover more than anyone should grant by accident, and how to state the intention.
_FAR_REACHING = {
    ("groups", AUTHENTICATED): "every user who is logged in, all service accounts included. "
    "If that is intended, use 'authenticated: true' instead",
    (
        "groups",
        UNAUTHENTICATED,
    ): "every client that sends no credentials. If that is intended, use 'anonymous: true' instead",
    (
        "users",
        "system:anonymous",
    ): "every client that sends no credentials. If that is intended, use 'anonymous: true' instead",
    ("groups", "system:serviceaccounts"): "every service account of the cluster. Name 'projects' instead, or use "
    "'authenticated: true'",
}


@dataclass(frozen=True, order=True)
class Subject:
    """A subject in its normal form, so that two spellings with the same effect are equal."""

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
        """The object that must exist for the subject to be effective: the account, or the project.

        None where there is nothing to look up: users and other groups are not objects, and some names cannot exist.
        """
        if self.kind == "ServiceAccount" and is_namespace(self.namespace) and is_name(self.name):
            return ObjectRef(SERVICE_ACCOUNT, self.namespace, self.name)
        project = self.name.removeprefix(PROJECT_GROUPS)
        if self.kind == "Group" and project != self.name and is_namespace(project):
            return ObjectRef(NAMESPACE, "", project)
        return None

    @property
    def identities(self) -> frozenset[Subject]:
        """The subject and the groups that it belongs to: it has the rights of all of them."""
        return frozenset((self, *(Subject("Group", name) for name in self.login()["groups"])))

    def login(self) -> dict[str, Any]:
        """Return user and groups of a caller who is the subject or a member of it, and nothing else."""
        if self.kind == "ServiceAccount":
            groups = ["system:serviceaccounts", PROJECT_GROUPS + self.namespace, AUTHENTICATED]
            return {"user": f"{ACCOUNT_USERS}{self.namespace}:{self.name}", "groups": groups}
        if self.name == UNAUTHENTICATED:
            return {"user": "system:anonymous", "groups": [UNAUTHENTICATED]}
        if self.kind == "Group":
            wider = ["system:serviceaccounts"] if self.name.startswith(PROJECT_GROUPS) else []
            return {"groups": list(dict.fromkeys([self.name, *wider, AUTHENTICATED]))}
        return {"user": self.name, "groups": [AUTHENTICATED]}


def subject_of(entry: Any, binding_namespace: str) -> Subject | None:
    """Return the normal form of an API subject, or None for an entry that is not a subject.

    A service account without namespace is in the binding's namespace. A user named `system:serviceaccount:NS:NAME` is that
    service account (kubernetes pkg/registry/rbac/validation/rule.go).
    """
    found = as_dict(entry)
    kind, name, namespace = as_str(found.get("kind")), as_str(found.get("name")), found.get("namespace")
    if not kind or not name or not isinstance(namespace, (str, type(None))):
        return None
    return _normal_form(kind, name, namespace or binding_namespace)


def _normal_form(kind: str, name: str, namespace: str) -> Subject:
    if kind == "ServiceAccount":
        return Subject(kind, name, namespace)
    return _normal_user(name) if kind == "User" else Subject(kind, name)


def _normal_user(name: str) -> Subject:
    parts = name[len(ACCOUNT_USERS) :].split(":") if name.startswith(ACCOUNT_USERS) else []
    if len(parts) == 2 and all(parts):
        return Subject("ServiceAccount", parts[1], parts[0])
    return Subject("User", name)


def subject_entries(binding: Json) -> Sequence[Any]:
    """Return the unchanged entries under `subjects`. :raises Refusal: when that is not a list."""
    entries = binding.get("subjects")
    if entries is not None and not isinstance(entries, list):
        meta = metadata(binding)
        raise Refusal(
            f"role binding {meta.get('namespace')}/{meta.get('name')} cannot be read: its 'subjects' are not a list. "
            "Nothing was changed in this namespace"
        )
    return entries or []


def subjects_of(binding: Json) -> list[Subject]:
    """Return the subjects of a role binding, without entries that are not subjects. :raises Refusal: as `listed`."""
    namespace = as_str(metadata(binding).get("namespace"))
    found = (subject_of(entry, namespace) for entry in subject_entries(binding))
    return [subject for subject in found if subject is not None]


def binding_view(role: str, subjects: Iterable[Subject]) -> dict[str, Any]:
    """Return a role binding for a diff."""
    return {"role": role, "subjects": [str(subject) for subject in subjects]}


def subjects_from_options(options: Mapping[str, Any]) -> tuple[Subject, ...]:
    """Return the subjects that the module's options name, each once.

    :raises OptionError: for a name that cannot exist, or that covers far more than its option should. With state absent, only
        invalid names are refused, so that every existing grant can be removed.
    """
    if options["state"] == "present":
        _refuse_far_reaching(options)
        _refuse_empty_subject(options)
    return tuple(dict.fromkeys(_named_subjects(options)))


def _named_subjects(options: Mapping[str, Any]) -> Iterable[Subject]:
    for account in options.get("service_accounts") or []:
        check_namespace("service_accounts", account["namespace"])
        check_name("service_accounts", account["name"])
        yield Subject("ServiceAccount", account["name"], account["namespace"])
    for project in options.get("projects") or []:
        check_namespace("projects", project)
        yield Subject("Group", PROJECT_GROUPS + project)
    for group in options.get("groups") or []:
        check_free_name("groups", group)
        yield Subject("Group", group)
    for user in options.get("users") or []:
        check_free_name("users", user)
        yield _normal_user(user)
    if options.get("authenticated"):
        yield Subject("Group", AUTHENTICATED)
    if options.get("anonymous"):
        yield Subject("Group", UNAUTHENTICATED)


def _refuse_far_reaching(options: Mapping[str, Any]) -> None:
    for (option, name), hint in _FAR_REACHING.items():
        if name in (options.get(option) or []):
            raise OptionError(f"option {option!r}: {name} is {hint}")


def _refuse_empty_subject(options: Mapping[str, Any]) -> None:
    """Refuse empty subjects.

    :raises OptionError: for the name of a service account, or of a project's group, that can never exist.
    """
    for user in options.get("users") or []:
        namespace, _colon, name = user.removeprefix(ACCOUNT_USERS).partition(":")
        if user.startswith(ACCOUNT_USERS) and not (is_namespace(namespace) and is_name(name)):
            raise OptionError(
                f"option 'users': {quote_name(user)} cannot be a service account: give {ACCOUNT_USERS}NAMESPACE:NAME, or give its namespace "
                "and its name in option 'service_accounts'"
            )
    for group in options.get("groups") or []:
        if group.startswith(PROJECT_GROUPS) and not is_namespace(group.removeprefix(PROJECT_GROUPS)):
            raise OptionError(
                f"option 'groups': {quote_name(group)} cannot be the service accounts of a project: give {PROJECT_GROUPS}NAMESPACE, or give "
                "the namespace in option 'projects'"
            )


#: Labels of all objects that are created for an account.
LABELS: Mapping[str, str] = {**MANAGED_BY, "app.kubernetes.io/component": "automation-account"}


def has_account_labels(obj: Json) -> bool:
    """Whether the object has both labels."""
    labels = as_dict(metadata(obj).get("labels"))
    return all(labels.get(name) == value for name, value in LABELS.items())


def is_bound_to(binding: Json, account: ObjectRef) -> bool:
    """Whether a binding names the account itself, not a group that the account is in."""
    wanted = Subject("ServiceAccount", account.name, account.namespace)
    namespace = as_str(metadata(binding).get("namespace"))
    return any(subject_of(entry, namespace) == wanted for entry in as_list(binding.get("subjects")))


ROLE = Kind(f"{RBAC}/v1", "Role", "roles", "role")


def role_of(binding: Json) -> ObjectRef:
    """Return the role that a binding refers to."""
    role = as_dict(binding.get("roleRef"))
    name = as_str(role.get("name"))
    if role.get("kind") == ROLE.kind:
        return ObjectRef(ROLE, as_str(metadata(binding).get("namespace")), name)
    return ObjectRef(CLUSTER_ROLE, "", name)


def gives_pull(role: Json | None) -> bool:
    """Whether the role, None if it does not exist, gives the right to `get imagestreams/layers` of every image stream."""
    return any(_is_pull_rule(as_dict(rule)) for rule in as_list(as_dict(role).get("rules")))


def _is_pull_rule(rule: Json) -> bool:
    return (
        _has(rule, "verbs", "get")
        and _has(rule, "apiGroups", "image.openshift.io")
        and _has(rule, "resources", "imagestreams/layers", "*/layers")
        and not as_list(rule.get("resourceNames"))
    )


def _has(rule: Json, member: str, *values: str) -> bool:
    return bool({"*", *values} & {as_str(each) for each in as_list(rule.get(member))})


def is_pull_binding(binding: Json) -> bool:
    """Whether the binding refers to the cluster role system:image-puller."""
    role = as_dict(binding.get("roleRef"))
    return (role.get("kind"), role.get("name")) == (CLUSTER_ROLE.kind, IMAGE_PULLER)


def pullers_of(bindings: Iterable[Json]) -> Iterator[tuple[str, Subject]]:
    """Yield the name of each binding with each of its subjects."""
    for binding in bindings:
        meta = metadata(binding)
        for entry in as_list(binding.get("subjects")):
            subject = subject_of(entry, as_str(meta.get("namespace")))
            if subject is not None:
                yield as_str(meta.get("name")), subject


SUBJECT_ACCESS_REVIEW = Kind(
    "authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", "subject access review", namespaced=False
)

#: The reason that the RBAC authorizer gives: kubernetes plugin/pkg/auth/authorizer/rbac and registry/rbac/validation.
_REASON = re.compile(r'allowed by (RoleBinding|ClusterRoleBinding) "([^"/]+)(?:/([^"]+))?"')

MayPull = Mapping[str, Any]

#: A node that does not exist, in the group of all nodes: RBAC decides for the group.
_NODE = {"user": "system:node:any", "groups": ["system:nodes", AUTHENTICATED]}


def pull_review(project: str, namespace: str, account: str) -> ObjectRef:
    """Return the reference to the answer: is the account allowed to pull from the project?"""
    return ObjectRef(SUBJECT_ACCESS_REVIEW, project, f"{namespace}/{account}")


def secrets_review(namespace: str, account: str) -> ObjectRef:
    """Return the reference to the answer: is the account allowed to list the secrets of its namespace?"""
    return ObjectRef(SUBJECT_ACCESS_REVIEW, namespace, json.dumps([account]))


def token_review(namespace: str, account: str, audience: str) -> ObjectRef:
    """Return the reference to the answer: are the nodes allowed to request tokens of the account for the audience?"""
    return ObjectRef(SUBJECT_ACCESS_REVIEW, namespace, json.dumps([account, audience]))


def is_pull_review(ref: ObjectRef) -> bool:
    """Whether the reference is one of `pull_review`. No namespace begins like the others."""
    return not ref.name.startswith("[")


def puller_of(ref: ObjectRef) -> Subject:
    """Return the service account of a reference of `pull_review`."""
    namespace, _slash, name = ref.name.partition("/")
    return Subject("ServiceAccount", name, namespace)


def question_of(ref: ObjectRef) -> tuple[dict[str, Any], str]:
    """Return the spec of a review, and the question as the rest of a sentence that begins with whether."""
    if is_pull_review(ref):
        puller = puller_of(ref)
        return review_spec(puller, ref.namespace), f"{puller} may pull from {ref.namespace}"
    name, *audiences = json.loads(ref.name)
    account = Subject("ServiceAccount", name, ref.namespace)
    asked = {"namespace": ref.namespace, "group": ""}
    if not audiences:
        attributes = {**asked, "verb": "list", "resource": "secrets"}
        return {**account.login(), "resourceAttributes": attributes}, f"{account} may list secrets"
    verb = "request-serviceaccounts-token-audience"
    attributes = {**asked, "verb": verb, "resource": audiences[0], "name": name}
    return {**_NODE, "resourceAttributes": attributes}, f"nodes may request tokens of {account} for {audiences[0]}"


def review_spec(subject: Subject, namespace: str) -> dict[str, Any]:
    """Return the spec of the review: is a caller who is `subject` allowed to pull the image streams of `namespace`?"""
    attributes = {
        "namespace": namespace,
        "verb": "get",
        "group": "image.openshift.io",
        "resource": "imagestreams",
        "subresource": "layers",
    }
    return {**subject.login(), "resourceAttributes": attributes}


def parse_review(subject: Subject, status: Json | None) -> MayPull:
    """Return the report of one answer. `allowed` is None when the caller may not ask (`status` is None), or when the answer is empty."""
    answer = as_dict(status)
    allowed = answer["allowed"] if isinstance(answer.get("allowed"), bool) else None
    match = _REASON.search(as_str(answer.get("reason"))) if allowed else None
    return {"subject": str(subject), "allowed": allowed, "binding": _binding(match) if match else None}


def _binding(match: re.Match[str]) -> str:
    kind, name, namespace = match.groups()
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
