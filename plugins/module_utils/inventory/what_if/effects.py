# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects of changes, and of planned writes and removals, on the evidence of one cluster. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from ...core.changes import Change
from ...core.errors import ImagePullError
from ...core.objects import ROLE_BINDING, Json, Kind, ObjectRef, as_dict, as_list, as_str
from ...declarations.batch import object_after
from ...explain.lookup import Lookup, UnreadableObject, items_of, require_all, try_lookup
from ...explain.snapshot import BINDINGS, CLUSTER_BINDINGS, SECRETS, ClusterSnapshot
from ...explain.steps.mirrors import items_of_sets
from ...explain.subjects import STATUSES, has_started
from ...images.image_verification import NODES
from ...images.nodes import CONFIG_MAP, kubernetes_version
from ...images.references import reference_of, search_registries
from ...images.registry_sources import HOSTED_MIRRORS, IMAGE_CONFIG, MIRROR_KINDS, MirrorItem, NodeNetwork, mirror_items
from ...platform.cluster import INFRASTRUCTURE, has_external_control_plane
from ...platform.protected import NODE_SECRET, RESERVED_BINDINGS
from ...rbac.subjects import Subject, is_pull_binding, pullers_of
from .declared import ACCESS_KINDS
from .moves import Moves, StreamMovePatch, hosts_named
from .options import WhatIfChange
from .overlay import ChangedLookup
from .patches import (
    Answer,
    BindingPatch,
    CredentialPatch,
    EvidencePatch,
    GrantPatch,
    LinkPatch,
    MirrorPatch,
    NetworkPatch,
    ObjectPatch,
    SecretPatch,
    TrustPatch,
    VersionPatch,
)


def patches_of(change: WhatIfChange, survey: ClusterSnapshot) -> list[EvidencePatch]:
    """Return the effects of one change. `new_nodes` has none: it only means that no node has an image.

    :raises ReadRequired: when the nodes' own secret, the mirror sets or the image config must be read first.
    """
    make = _MAKERS.get(change.kind)
    found = [] if make is None else [make(change, survey)]
    hosts = _new_mirrors(found, survey)
    more: list[EvidencePatch] = [MirrorPatch(hosts)] if hosts else []
    if change.kind == "moved":
        more.append(MirrorPatch(_new_sources(change, survey), are_sources=True))
    if any(ref == IMAGE_CONFIG or ref.kind == CONFIG_MAP for ref in change.objects):
        more.append(TrustPatch(survey.evidence, ChangedLookup(survey.evidence, found)))
    return [*found, *more]


def _new_mirrors(patches: Iterable[EvidencePatch], survey: ClusterSnapshot) -> frozenset[str]:
    """The hosts of mirrors in changed objects that are in no mirror set of the cluster, and from which no node reports an image."""
    changed = (each.objects.items() for each in patches if isinstance(each, ObjectPatch))
    sets = [(ref.kind, obj) for objects in changed for ref, obj in objects if isinstance(obj, Mapping)]
    items = (item for kind, obj in sets if kind in MIRROR_KINDS for item in mirror_items(kind, [obj]))
    return _without_known(frozenset(_mirror_hosts(items)), survey)


def _new_sources(change: WhatIfChange, survey: ClusterSnapshot) -> frozenset[str]:
    """The hosts of new places that no pod or workload names, in which no node searches, and that are not mirrors."""
    require_all(survey.evidence, [IMAGE_CONFIG])
    searched = search_registries(try_lookup(survey.evidence, IMAGE_CONFIG)[0])
    hosts = {place.partition("/")[0] for place in change.value.values()}
    return _without_known(frozenset(hosts.difference(hosts_named(survey), searched)), survey)


def _without_known(hosts: frozenset[str], survey: ClusterSnapshot) -> frozenset[str]:
    """The hosts without those of mirrors that the cluster has, and of images that nodes report."""
    if not hosts:
        return hosts
    require_all(survey.evidence, [ObjectRef(kind, "", "") for kind in MIRROR_KINDS])
    return hosts.difference(_mirror_hosts(items_of_sets(survey.evidence)), _hosts_in_use(survey))


def _mirror_hosts(items: Iterable[MirrorItem]) -> Iterator[str]:
    return (mirror.partition("/")[0] for item in items for mirror in item.mirrors)


def _hosts_in_use(survey: ClusterSnapshot) -> Iterator[str]:
    """The registries of the images that nodes report. The author of a pod can change the image in its spec after the pull."""
    statuses = (as_dict(pod.get("status")) for place in survey.places.values() for pod in place.pods)
    for each in (as_dict(one) for status in statuses for part in STATUSES for one in as_list(status.get(part))):
        reference = reference_of(as_str(each.get("imageID"))) if has_started(each) else None
        # Without a digest, it is the id of the image and not its name.
        if reference is not None and reference.digest:
            yield reference.host


def _of_unreachable(change: WhatIfChange, _survey: ClusterSnapshot) -> EvidencePatch:
    return NetworkPatch(NodeNetwork(unreachable=change.value))


def _of_only(change: WhatIfChange, _survey: ClusterSnapshot) -> EvidencePatch:
    return NetworkPatch(NodeNetwork(only=change.value))


def _of_moved(change: WhatIfChange, survey: ClusterSnapshot) -> EvidencePatch:
    return StreamMovePatch(Moves(change.value), survey.evidence)


def _of_secrets(change: WhatIfChange, survey: ClusterSnapshot) -> EvidencePatch:
    return SecretPatch(change.value["name"], change.targets([*survey.places]))


def _of_links(change: WhatIfChange, survey: ClusterSnapshot) -> EvidencePatch:
    accounts = change.value["service_accounts"]
    whose = None if accounts is None else frozenset(accounts)
    return LinkPatch(frozenset(change.value["secrets"]), whose, change.targets([*survey.places]))


def _of_grants(change: WhatIfChange, survey: ClusterSnapshot) -> EvidencePatch:
    """Without subjects, all grants of the projects are removed, except those that the platform creates again."""
    projects = change.targets([*survey.places])
    bindings = {name: survey.places[name].bindings for name in projects if name in survey.places}
    removed = {name: change.subjects or _custom_pullers(bindings.get(name, ())) for name in projects}
    unread, emptied = _unread_bindings(projects, survey), frozenset() if change.subjects else projects
    return GrantPatch(removed, bindings, survey.cluster_bindings, survey.evidence, unread, emptied)


def _custom_pullers(bindings: Iterable[Json]) -> frozenset[Subject]:
    """The subjects that may pull by the bindings of a project, without those of the platform's own bindings."""
    found = list(pullers_of(filter(is_pull_binding, bindings)))
    kept = {subject for name, subject in found if name in RESERVED_BINDINGS}
    return frozenset(subject for _name, subject in found if subject not in kept)


def _unread_bindings(projects: Iterable[str], survey: ClusterSnapshot) -> dict[str, str]:
    """Why the role bindings of projects are not known, by project. The empty name stands for the cluster."""
    found = {name: why for name in projects if (why := _why_bindings_unread(name, survey))}
    return {**_unread_in_cluster(survey), **found}


def _unread_in_cluster(survey: ClusterSnapshot) -> dict[str, str]:
    """Return why the bindings of the cluster are not known, under an empty text. Empty if they are."""
    why = survey.unread.get(CLUSTER_BINDINGS)
    return {"": f"the {CLUSTER_BINDINGS} could not be read: {why}"} if why else {}


def _why_bindings_unread(project: str, survey: ClusterSnapshot) -> str:
    """Why the role bindings of a project are not known, as the rest of a sentence. Empty if they are."""
    place = survey.places.get(project)
    if place is None:
        return f"the {BINDINGS} of project {project} were not read: add it to option 'namespaces'"
    why = place.unread.get(BINDINGS)
    return f"the {BINDINGS} of project {project} could not be read: {why}" if why else ""


def _of_credential(change: WhatIfChange, survey: ClusterSnapshot) -> EvidencePatch:
    """Secrets that could not be read count as those that have the login, and so does the nodes' own unless it is known and does not."""
    registry, username = change.value["registry"], change.value["username"]
    password = change.value.get("password")
    every = CredentialPatch(registry, username, frozenset(), password)
    found = {
        secret.ref
        for place in survey.places.values()
        for secret in place.secrets.values()
        if any(every.is_meant(key, *login) for key, login in secret.stored.for_kubelet.logins.items())
    }
    try:
        nodes = survey.evidence.look(NODE_SECRET)
    except UnreadableObject:
        found.add(NODE_SECRET)
    else:
        found |= {NODE_SECRET} if nodes is not None and every.keys_in(nodes) else set()
    unread = frozenset(name for name, place in survey.places.items() if SECRETS in place.unread)
    return replace(every, secrets=frozenset(found), unread=unread)


def _of_objects(change: WhatIfChange, survey: ClusterSnapshot) -> EvidencePatch:
    """A hosted cluster refuses changes of some kinds, so the objects after them are not known."""
    refused = {ref: _FIELDS_OF_HOSTED[ref.kind] for ref in change.objects if ref.kind in _FIELDS_OF_HOSTED}
    why = _why_refused(survey) if refused else ""
    unknown = (
        {ref: UnreadableObject(f"{why} this change: make it in {field}") for ref, field in refused.items()}
        if why
        else {}
    )
    return ObjectPatch({**change.objects, **unknown})


def _why_refused(survey: ClusterSnapshot) -> str:
    """Why the cluster may refuse to change its mirrors or its image config, as the beginning of a sentence. Empty if it does not refuse it."""
    try:
        is_hosted = has_external_control_plane(survey.evidence.look(INFRASTRUCTURE))
    except UnreadableObject as error:
        return f"{INFRASTRUCTURE} could not be read ({error}), and a hosted cluster refuses"
    return "a hosted cluster refuses" if is_hosted else ""


def _of_version(change: WhatIfChange, survey: ClusterSnapshot) -> EvidencePatch:
    version = change.version or (1, 0)
    cluster = change.value if survey.is_openshift else ""
    return VersionPatch(kubernetes_version(version), cluster, NODES.kind)


#: The kinds whose changes the admission of a hosted cluster refuses, and where it has the same settings (HyperShift,
#: resources/kas/admissionpolicies.go of the hosted cluster config operator).
_FIELDS_OF_HOSTED: Mapping[Kind, str] = {
    **dict.fromkeys(MIRROR_KINDS, HOSTED_MIRRORS),
    IMAGE_CONFIG.kind: "spec.configuration.image of the HostedCluster",
}
_MAKERS: Mapping[str, Callable[[WhatIfChange, ClusterSnapshot], EvidencePatch]] = {
    "unreachable_registries": _of_unreachable,
    "only_registries": _of_only,
    "moved": _of_moved,
    "remove_secrets": _of_secrets,
    "remove_links": _of_links,
    "remove_grants": _of_grants,
    "remove_credential": _of_credential,
    "add_objects": _of_objects,
    "delete_objects": _of_objects,
    "target_version": _of_version,
}


# --- planned writes and removals


def objects_after(changes: Iterable[Change], evidence: Lookup) -> dict[ObjectRef, Answer]:
    """Return the objects after these writes, applied in their order. Other kinds, such as restarted pods, do not decide a pull.

    After a deletion or a creation, an object is known, even if it could not be read before. The patch of an object that does not exist any
    more fails, and that of an unreadable object leaves it unknown.

    :raises ReadRequired: when objects have to be read first.
    """
    writes: dict[ObjectRef, list[Change]] = {}
    for change in changes:
        if change.ref.kind in ACCESS_KINDS:
            writes.setdefault(change.ref, []).append(change)
    patched = [ref for ref, each in writes.items() if each[0].action == "update"]
    require_all(evidence, patched)
    found: dict[ObjectRef, Answer] = {ref: _look(evidence, ref) for ref in patched}
    for ref, each in writes.items():
        for change in each:
            found[ref] = _after(change, found.get(ref))
    return found


def _look(evidence: Lookup, ref: ObjectRef) -> Answer:
    try:
        return evidence.look(ref)
    except UnreadableObject as error:
        return error


def _after(change: Change, answer: Answer) -> Answer:
    if change.action == "update" and (answer is None or isinstance(answer, ImagePullError)):
        return answer
    return object_after(change, None if isinstance(answer, ImagePullError) else answer)


def patches_of_objects(objects: Mapping[ObjectRef, Answer], survey: ClusterSnapshot) -> list[EvidencePatch]:
    """Return the effects of written objects: each object after the writes, None if it is deleted, or an error if it is not known.

    :raises ReadRequired: when role bindings have to be read first.
    """
    patch = ObjectPatch(objects)
    projects = dict.fromkeys(ref.namespace for ref in objects if ref.kind == ROLE_BINDING)
    if not projects:
        return [patch] if objects else []
    lists = [ObjectRef(ROLE_BINDING, project, "") for project in projects]
    require_all(survey.evidence, lists)
    known = ObjectPatch({ref: obj for ref, obj in objects.items() if not isinstance(obj, ImagePullError)})
    before, after, unread = {}, {}, _unread_in_cluster(survey)
    for whole in lists:
        listed, why = try_lookup(survey.evidence, whole)
        project, before[whole.namespace] = whole.namespace, items_of(listed)
        after[project] = items_of(as_dict(known.apply(whole, {"items": before[project]})))
        if why:
            unread[project] = f"the {BINDINGS} of project {project} could not be read: {why}"
    return [patch, BindingPatch(before, after, survey.cluster_bindings, survey.evidence, unread)]
