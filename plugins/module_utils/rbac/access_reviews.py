# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Questions to the API server about the rights of others. Pure.

The integrated registry asks with the token of the puller (image-registry pkg/dockerregistry/server/auth.go). A credential provider lists
secrets with the token of the pod's account, which the node requests for an audience (Kubernetes 1.36 plugin/pkg/admission/noderestriction).
This module asks about others.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ..core.objects import Json, Kind, ObjectRef, as_dict, as_str
from .subjects import AUTHENTICATED, Subject

__all__ = [
    "SUBJECT_ACCESS_REVIEW",
    "MayPull",
    "is_pull_review",
    "parse_review",
    "pull_review",
    "puller_of",
    "question_of",
    "review_spec",
    "secrets_review",
    "token_review",
]

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
