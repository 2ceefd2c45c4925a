# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about links, grants, selectors of the inventory, and the pull secret of the nodes. Pure.

The checks of `osdctl cluster validate-pull-secret` (openshift/osdctl cmd/cluster/validatepullsecret.go) that need no OpenShift Cluster Manager.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...core.documents import INFO
from ...core.names import is_name, is_namespace
from ...core.objects import (
    CLUSTER_ROLE,
    CLUSTER_ROLE_BINDING,
    ROLE_BINDING,
    Json,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
    metadata,
)
from ...core.text import pluralize, summarize
from ...dockerconfig.registry_keys import can_be_shown
from ...explain import fixes
from ...explain.lookup import ReadRequired, UnreadableObject
from ...explain.snapshot import CLUSTER_BINDINGS, AuditedSecret, ClusterSnapshot, NamespaceSnapshot
from ...platform.account_lists import LISTS, Origin, duplicate_names, how_to_renew, judge_account, names_in, origin_of
from ...platform.cluster import INFRASTRUCTURE, has_external_control_plane
from ...platform.protected import NODE_SECRET
from ...rbac.subjects import AUTHENTICATED, PROJECT_GROUPS, UNAUTHENTICATED, Subject, is_pull_binding, pullers_of
from ...secrets.content import DATA_KEYS, DOCKERCONFIGJSON
from .findings import INVENTORY, Finding

_ALL_ACCOUNTS = PROJECT_GROUPS.rstrip(":")
_EVERYBODY: Mapping[str, str] = {
    AUTHENTICATED: "everyone who is logged in (including all service accounts)",
    UNAUTHENTICATED: "clients that send no login",
    _ALL_ACCOUNTS: "all service accounts of the cluster",
}


def find_dead_subjects(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    for name, subject in dict.fromkeys(pullers_of(place.grants)):
        if subject.ref is None or survey.known.get(subject.ref, {}) is not None:
            continue
        ref = ObjectRef(ROLE_BINDING, place.namespace, name)
        message = f"{ref} lets {subject} pull, but {subject.ref} does not exist"
        yield Finding("grant-dead-subject", ref, str(subject), message, _revoke_tasks(place.namespace, subject))


def find_duplicate_bindings(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    """Yield one finding for each subject, at the first of its bindings."""
    places: dict[Subject, list[str]] = defaultdict(list)
    for name, subject in dict.fromkeys(pullers_of(place.grants)):
        places[subject].append(name)
    for subject, names in places.items():
        if len(names) < 2:
            continue
        ref = ObjectRef(ROLE_BINDING, place.namespace, names[0])
        message = (
            f"{len(names)} role bindings of namespace {place.namespace} let {subject} pull: {summarize(names, _SHOWN)}"
        )
        options = _options(subject)
        fix = [*fixes.revoke(place.namespace, options), *fixes.grant_to(place.namespace, options)] if options else []
        yield Finding("grant-duplicate-bindings", ref, str(subject), message, fix)


def find_grants_to_everybody(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for name, subject in dict.fromkeys(pullers_of(place.grants)):
        if subject.kind == "Group" and subject.name in _EVERYBODY:
            ref = ObjectRef(ROLE_BINDING, place.namespace, name)
            message = f"{ref} lets {_EVERYBODY[subject.name]} pull from project {place.namespace}"
            yield Finding("grant-to-everybody", ref, subject.name, message, _revoke_tasks(place.namespace, subject))


def find_cluster_grants(survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find cluster role bindings that let everyone pull from all projects."""
    for name, subject in dict.fromkeys(pullers_of(filter(is_pull_binding, survey.cluster_bindings))):
        if subject.kind == "Group" and subject.name in _EVERYBODY:
            ref = ObjectRef(CLUSTER_ROLE_BINDING, "", name)
            message = f"{ref} lets {_EVERYBODY[subject.name]} pull from all projects"
            yield Finding("grant-to-everybody", ref, subject.name, message)


def _revoke_tasks(namespace: str, subject: Subject) -> Sequence[fixes.Fix]:
    options = _options(subject)
    return fixes.revoke(namespace, options) if options else []


def _options(subject: Subject) -> dict[str, Any]:
    """Return the subject as options of image_puller_grant, or empty options for a name that the module rejects."""
    if subject.kind == "ServiceAccount":
        valid = is_namespace(subject.namespace) and is_name(subject.name)
        return {"service_accounts": [{"namespace": subject.namespace, "name": subject.name}]} if valid else {}
    if subject.kind == "Group" and subject.name in (AUTHENTICATED, UNAUTHENTICATED):
        return {"authenticated": True} if subject.name == AUTHENTICATED else {"anonymous": True}
    project = subject.name.removeprefix(PROJECT_GROUPS)
    if subject.kind == "Group" and project != subject.name and is_namespace(project):
        return {"projects": [project]}
    if not subject.name.strip() or not subject.name.isprintable():
        return {}
    return {{"Group": "groups", "User": "users"}.get(subject.kind, "users"): [subject.name]}


_SHOWN = 5


def find_dangling_links(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find entries without a secret. Generated entries are skipped: the platform repairs them."""
    for account, obj in place.accounts.items():
        ref = place.account_ref(account)
        for purpose, key in LISTS.items():
            for name in dict.fromkeys(names_in(obj, key)):
                if name in place.secrets or origin_of(obj, key, name) is not Origin.OTHER:
                    continue
                message = f"{ref} lists {name} in {key}, but there is no such secret"
                fix = fixes.unlink(place.namespace, account, name, purpose)
                yield Finding("link-dangling", ref, f"{key} {name}", message, fix)


def find_duplicate_links(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for account, obj in place.accounts.items():
        ref = place.account_ref(account)
        for name in duplicate_names(as_list(obj.get("imagePullSecrets"))):
            message = f"{ref} lists secret {name} more than once"
            fix = fixes.link_only(place.namespace, account, name)
            yield Finding("link-duplicate", ref, name, message, fix)


def find_unprovisioned_accounts(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find accounts without a generated pull secret, if it is known that the platform generates pull secrets."""
    if survey.none_will_come != "":
        return
    secrets: dict[str, Json | None] = {name: secret.obj for name, secret in place.secrets.items()}
    for account, obj in place.accounts.items():
        verdict = judge_account(as_dict(obj), secrets)
        if verdict.missing:
            ref = place.account_ref(account)
            renew = f"; {how_to_renew(place.namespace, verdict.stale)}" if verdict.stale else ""
            message = f"{ref} cannot pull from the integrated registry: {verdict.missing}{renew}"
            # If the secret must be deleted first, waiting would take too long.
            fix = [] if verdict.stale else fixes.wait_for_account(place.namespace, account)
            yield Finding("account-not-provisioned", ref, "", message, fix)


OPEN_TO_USERS = "selector-open-to-users"

#: The role with which OpenShift lets users request projects.
_SELF_PROVISIONER = "self-provisioner"
_SHOWN_SELECTORS = 10


def find_open_selectors(survey: ClusterSnapshot) -> Iterator[Finding]:
    """Yield one finding for each entry: for projects that users have requested or, less severe, because users may request them."""
    provisioners = list(_provisioners(survey))
    is_known = CLUSTER_BINDINGS not in survey.unread
    if provisioners:
        context = f"cluster role binding {summarize(provisioners, _SHOWN_SELECTORS)} lets users request more"
    elif is_known:
        context = f"no cluster role binding gives users the role {_SELF_PROVISIONER}, which lets them request more"
    else:
        context = "it is not known whether users may request more, because the cluster role bindings could not be read"
    for one in survey.open_selectors:
        selects = f"{one.title} selects namespaces by their names alone"
        if one.projects:
            requested = f"{pluralize(len(one.projects), 'project')} that users requested: {summarize(one.projects, _SHOWN_SELECTORS)}"
            yield Finding(OPEN_TO_USERS, INVENTORY, one.title, f"{selects}, among them {requested} ({context})")
        elif provisioners:
            message = f"{selects}: users have requested none of them yet, but {context}"
            yield Finding(OPEN_TO_USERS, INVENTORY, one.title, message, severity=INFO)


def _provisioners(survey: ClusterSnapshot) -> Iterator[str]:
    """Yield the names of the cluster role bindings that let users request projects."""
    for binding in survey.cluster_bindings:
        role = as_dict(binding.get("roleRef"))
        if (role.get("kind"), role.get("name")) == (CLUSTER_ROLE.kind, _SELF_PROVISIONER) and as_list(
            binding.get("subjects")
        ):
            yield as_str(metadata(binding).get("name"))


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
        hint = f"{INFRASTRUCTURE} could not be read, so it is not known whether this is the copy of a hosted cluster"
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
