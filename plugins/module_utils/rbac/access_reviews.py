# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is allowed to pull: the question that the integrated registry asks the API server, for each subject. Pure.

The registry asks with the token of the puller (image-registry pkg/dockerregistry/server/auth.go). This module asks about others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..core.json_types import as_dict, as_str
from ..core.objects import Json, Kind
from .subjects import Subject

__all__ = ["SUBJECT_ACCESS_REVIEW", "MayPull", "parse_review", "review_spec"]

SUBJECT_ACCESS_REVIEW = Kind(
    "authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", "subject access review", namespaced=False
)

#: The reason that the RBAC authorizer gives: kubernetes plugin/pkg/auth/authorizer/rbac and registry/rbac/validation.
_REASON = re.compile(r'allowed by (RoleBinding|ClusterRoleBinding) "([^"/]+)(?:/([^"]+))?"')

MayPull = Mapping[str, Any]


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
