# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users of the lab with the rights of a job in some namespaces: all rights, or all except one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.automation_account.plan import (
    AccountRole,
    AccountRoles,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import (
    CLUSTER,
    EVERY,
    HOSTED_PULL_SECRETS,
    Right,
    rights_of,
    rules_of,
)

from support.hypershift import PULL_SECRET as HOSTED_PULL_SECRET
from support.lab import Lab

__all__ = ["allowed", "as_missed", "each_right", "granted", "titled"]

_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_numbers = itertools.count()


def each_right(job: str) -> list[Right]:
    """The rights of a job, split into one verb and one object each."""
    return [
        replace(right, verbs=(verb,), names=names)
        for right in rights_of([job], {HOSTED_PULL_SECRETS: [HOSTED_PULL_SECRET]})
        for verb in right.verbs
        for names in ([(name,) for name in right.names] or [()])
    ]


def titled(right: Right) -> str:
    return " ".join([right.verbs[0], right.resource, *right.names])


def as_missed(right: Right) -> str:
    """The name of the right in messages."""
    if right.verbs == ("bind",):
        return "the verb 'bind'"
    where = "" if right.where in (EVERY, CLUSTER) or right.resource == "namespaces" else f" in namespace {right.where}"
    # A request to create an object, or for one of many, does not name the object.
    return f"{right.verbs[0]} on {' '.join([right.resource, *right.names])}{where}"


def granted(lab: Lab, rights: Sequence[Right], namespaces: Sequence[str], *, everywhere: bool = False) -> str:
    """Create a user with exactly these rights, granted in the same way as the module grants them to an account."""
    user = f"user-{next(_numbers)}"
    places: dict[str, list[Right]] = {}
    for right in rights:
        places.setdefault(CLUSTER if everywhere and right.where == EVERY else right.where, []).append(right)
    for where, held in places.items():
        _give(lab, user, AccountRole(f"{user}:{where or 'each'}", where, rules_of(held)), namespaces)
    return user


def _give(lab: Lab, user: str, part: AccountRole, namespaces: Sequence[str]) -> None:
    made = AccountRoles("any", user, ())
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
    lab.api("POST", f"{_RBAC}/clusterroles", made.role(part))
    if part.where == CLUSTER:
        lab.api("POST", f"{_RBAC}/clusterrolebindings", {**made.binding(part), "subjects": [subject]})
        return
    for namespace in namespaces if part.where == EVERY else [part.where]:
        body = {**made.binding(part, namespace), "subjects": [subject]}
        lab.api("POST", f"{_RBAC}/namespaces/{namespace}/rolebindings", body)


def allowed(lab: Lab, user: str, right: Right, namespace: str) -> bool:
    """Whether the API server already knows that the user has the right."""
    attributes: dict[str, Any] = {
        "verb": right.verbs[0],
        "group": right.group,
        "resource": right.plural,
        "namespace": {EVERY: namespace, CLUSTER: ""}.get(right.where, right.where),
        **({"name": right.names[0]} if right.names else {}),
    }
    body = {"spec": {"user": user, "resourceAttributes": attributes}}
    answer = lab.api("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body)
    return bool(answer["status"]["allowed"])
