# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the pull secret of the cluster's nodes. Pure.

The checks of `osdctl cluster validate-pull-secret` (openshift/osdctl cmd/cluster/validatepullsecret.go) that need no OpenShift Cluster Manager.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.objects import ObjectRef
from ...dockerconfig.registry_keys import can_be_shown
from ...explain import fixes
from ...explain.lookup import ReadRequired, UnreadableObject
from ...platform.cluster import INFRASTRUCTURE, has_external_control_plane
from ...platform.protected import NODE_SECRET
from ...secrets.content import DATA_KEYS, DOCKERCONFIGJSON
from .findings import Finding
from .survey import AuditedSecret, ClusterSnapshot

__all__ = ["NODE_RULES", "find_unlinked_cluster", "find_unusable_node_secret", "node_refs"]

_UNUSABLE, _UNLINKED = "node-secret-unusable", "node-secret-unlinked"
NODE_RULES = (_UNUSABLE, _UNLINKED)

#: The entry by which a cluster reports to Red Hat. No image is pulled from it.
_SERVICE = "cloud.openshift.com"


def node_refs() -> Sequence[ObjectRef]:
    """Return the objects that the rules need."""
    return (NODE_SECRET, INFRASTRUCTURE)


def find_unusable_node_secret(survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find content that the machine config operator or the kubelet does not accept."""
    secret = _node_secret(survey)
    problems = () if secret is None else _problems(secret)
    if secret is None or not problems:
        return
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    message = f"the nodes cannot use {NODE_SECRET}, because {problems[0]}{more}"
    bad = [key for key in secret.stored.known.entries if key not in secret.reading.logins and can_be_shown(key)]
    tasks = [task for key in bad for task in fixes.add_registry(*_PLACE, key)] if len(bad) == len(problems) else []
    yield _finding(survey, _UNUSABLE, "", message, tasks)


def find_unlinked_cluster(survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find a missing entry for Red Hat's service, or one without an email."""
    secret = _node_secret(survey)
    if secret is None or _problems(secret):
        return
    entry = secret.stored.known.entries.get(_SERVICE)
    if entry is not None and entry.used.get("email", "").strip():
        return
    what = (
        f"{NODE_SECRET} has no entry for {_SERVICE}"
        if entry is None
        else f"the entry for {_SERVICE} in {NODE_SECRET} has no email"
    )
    message = f"{what}. This is normal for a cluster that is not connected to Red Hat"
    yield _finding(survey, _UNLINKED, _SERVICE, message, fixes.add_registry(*_PLACE, _SERVICE, with_email=True))


_PLACE = (NODE_SECRET.namespace, NODE_SECRET.name)


def _finding(survey: ClusterSnapshot, rule: str, location: str, message: str, tasks: Sequence[fixes.Fix]) -> Finding:
    """Return the finding. No task is offered where the platform may revert a change of the secret."""
    try:
        is_copy = has_external_control_plane(survey.evidence.look(INFRASTRUCTURE))
    except (ReadRequired, UnreadableObject):
        hint = f"{INFRASTRUCTURE} could not be read, so it is unknown whether this is the copy of a hosted cluster"
        return Finding(rule, NODE_SECRET, location, f"{message}. {hint}")
    if is_copy:
        hint = "It is a copy: change the pull secret of the hosted cluster on its management cluster"
        return Finding(rule, NODE_SECRET, location, f"{message}. {hint}")
    return Finding(rule, NODE_SECRET, location, message, tasks)


def _node_secret(survey: ClusterSnapshot) -> AuditedSecret | None:
    """The secret; None if there is none, it cannot be read, or the cluster is not OpenShift."""
    if not survey.is_openshift:
        return None
    try:
        found = survey.evidence.look(NODE_SECRET)
    except (ReadRequired, UnreadableObject):
        return None
    return None if found is None else AuditedSecret.of(NODE_SECRET.namespace, found)


def _problems(secret: AuditedSecret) -> Sequence[str]:
    """The reasons as clauses: those of the machine config operator first, then those of the kubelet."""
    if secret.stored.type != DOCKERCONFIGJSON:
        return (f"it has type {secret.stored.type}, not {DOCKERCONFIGJSON}",)
    if not secret.stored.value:
        return (f"it has no data key {DATA_KEYS[DOCKERCONFIGJSON]}",)
    return secret.reading.problems
