# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a cluster: each kind once, over all namespaces, and the objects that explanations need. It writes nothing to the cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Union

from ..clients.kube.errors import ClusterError, Forbidden, UnknownResource
from ..core.changes import ALL
from ..core.errors import ImagePullError
from ..core.objects import (
    CLUSTER_ROLE_BINDING,
    NAMESPACE,
    POD,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    as_str,
    metadata,
    trim_object,
    without_managed_fields,
)
from ..engine.fetching import Answer, Listing, ListRequest, list_each_kind, look_up
from ..engine.namespaces import list_visible_namespaces, resolve_targets
from ..engine.result import NamespaceResult
from ..engine.run import Run
from ..explain.listed_evidence import ContainerExplanations, ListedLookup
from ..explain.lookup import ReadRequired, UnreadableObject
from ..explain.node_settings import NodeGroup, can_verify, group_nodes
from ..explain.snapshot import (
    ACCOUNTS,
    BINDINGS,
    BUILD_CONFIG,
    BUILDS,
    CLUSTER_BINDINGS,
    NAMESPACES_READ,
    NODES_READ,
    NOTE,
    OPERATORS,
    PODS,
    POLICIES,
    PROVIDERS,
    SECRETS,
    STREAMS,
    WORKLOADS_READ,
    AuditedSecret,
    ClusterSnapshot,
    NamespaceSnapshot,
    OpenSelector,
    SnapshotQuestion,
    trim_account,
    trim_binding,
    trim_build,
    trim_pod,
    trim_secret,
    trim_stream,
    trim_to_name,
    trim_workload,
)
from ..explain.subjects import WORKLOADS
from ..explain.verdict import PullVerdict
from ..images.credential_providers import CRIO_PROVIDER
from ..images.image_streams import IMAGE_STREAM
from ..images.image_verification import NODES, trim_node_with_images
from ..images.node_registries import IMAGE_POLICY, KNOWN_IMAGE_POLICIES
from ..images.platform_images import NO_COPIES, OPERATOR_KINDS
from ..platform.cluster import CLUSTER_VERSION, ClusterFacts, describe_unknown, desired_version, why_not_generated
from ..platform.hosted import ADDITIONAL_SECRET
from ..platform.protected import BUILD_NAMESPACE, NODE_SECRET, BuildSecrets
from .cluster import facts_of, read_build_secrets
from .lookup_reader import LISTED_BY, read_lookups, settle, settle_each
from .proofs import NamespaceQuestions

#: Helm stores whole charts in secrets of this type, and nothing else: they would be the largest part of a list of secrets.
_NOT_HELM = "type!=helm.sh/release.v1"

#: Namespaces of OpenShift with secrets of administrators: the pull secrets of the nodes, and the secrets for builds of node images.
_SEARCHED = (NODE_SECRET.namespace, ADDITIONAL_SECRET.namespace, BUILD_NAMESPACE)

_NAMES = {
    SECRET: SECRETS,
    POD: PODS,
    SERVICE_ACCOUNT: ACCOUNTS,
    ROLE_BINDING: BINDINGS,
    IMAGE_STREAM: STREAMS,
    BUILD_CONFIG: BUILDS,
    IMAGE_POLICY: POLICIES,
    **dict.fromkeys(WORKLOADS.values(), WORKLOADS_READ),
    **dict.fromkeys(OPERATOR_KINDS, OPERATORS),
}

_MAY_NOT_LIST, _MAY_NOT_READ = "the caller may not list them", "the caller may not read it"


def namespace_result(run: Run, namespace: str, place: NamespaceSnapshot) -> NamespaceResult:
    """Return the result of a namespace. Every namespace has a service account, so one without any may not exist."""
    empty = not place.accounts and ACCOUNTS not in place.unread
    if empty and (why := run.namespace_problem(namespace, was_there=False)):
        return NamespaceResult(namespace, "failed", error=why)
    return NamespaceResult(namespace, "unchanged")


@dataclass(frozen=True)
class ClusterReader:
    """Reads a cluster. `unread` has the reason for each cluster-wide kind that could not be read.

    `questions` asks registries about the images of containers. None: they are not asked.
    """

    run: Run
    wanted: SnapshotQuestion
    namespaces: Sequence[str]
    questions: NamespaceQuestions | None = None
    unread: dict[str, str] = field(default_factory=dict)

    def read(self, now: float) -> ClusterSnapshot:
        """Read everything that is wanted.

        :raises ClusterError: when the cluster fails.
        """
        found = self._list_kinds()
        bindings = self._cluster_bindings() if self.wanted.bindings else []
        places = {name: _place(name, found) for name in self.namespaces}
        evidence = ListedLookup(places, bindings, has_streams=_is_known(found[IMAGE_STREAM]))
        evidence.add({KNOWN_IMAGE_POLICIES: {"items": [*chain.from_iterable(found[IMAGE_POLICY].objects.values())]}})
        facts = facts_of(self.run.cluster)
        version, is_openshift = self._version(facts)
        nodes = self._nodes(evidence) if self.wanted.nodes else []
        accesses = self._accesses(places, evidence, self.wanted.more if is_openshift else ())
        searched = self._searched() if is_openshift else {}
        return ClusterSnapshot(
            places,
            now,
            evidence,
            accesses,
            self._known(places, found[SERVICE_ACCOUNT]) if self.wanted.grant_subjects else {},
            bindings,
            _generation_reason(facts),
            version,
            is_openshift,
            nodes=nodes,
            providers=self._providers() if self.wanted.providers else (),
            unread=self.unread,
            open_selectors=self._open_selectors(),
            node_groups=self._groups(nodes, evidence),
            build_secrets=self._build_secrets(searched),
            searched=searched,
        )

    def _cluster_bindings(self) -> list[Json]:
        return self._all(CLUSTER_BINDINGS, CLUSTER_ROLE_BINDING, trim_binding) or []

    def _nodes(self, evidence: ListedLookup) -> list[Json]:
        """Return the nodes. Explanations then use the same list."""
        keep = trim_node_with_images if self.wanted.node_images else partial(trim_object, NODES.kind)
        listed = self._all(NODES_READ, NODES.kind, keep)
        if listed is not None:
            evidence.add({NODES: {"items": listed}})
        return listed or []

    def _searched(self) -> Mapping[str, NamespaceSnapshot]:
        """Return the secrets of the platform's namespaces with logins of administrators, if a credential is searched for."""
        missing = [name for name in _SEARCHED if name not in self.namespaces]
        if not self.wanted.platform_secrets:
            return {}
        request = ListRequest(SECRET, lambda secret: trim_secret(secret, self.wanted.search))
        (listing,) = list_each_kind(self.run.cluster, self.run.workers, [request], missing)
        return {name: _place(name, {SECRET: listing}) for name in missing}

    def _build_secrets(self, searched: Mapping[str, NamespaceSnapshot]) -> BuildSecrets:
        """Return the secrets for builds of node images, if their namespace is read, too."""
        if BUILD_NAMESPACE in (*self.namespaces, *searched) and self.wanted.build_secrets:
            return read_build_secrets(self.run.cluster)
        return BuildSecrets()

    def _groups(self, nodes: Sequence[Json], evidence: ListedLookup) -> Sequence[NodeGroup]:
        """Return the nodes with their settings, if a kubelet can have settings for images that it has."""
        if not (self.wanted.node_settings and can_verify(nodes)):
            return ()
        return settle(self.run, lambda: group_nodes(nodes, evidence), [evidence])

    def _open_selectors(self) -> Sequence[OpenSelector]:
        """Return the open selectors with the projects that users requested, of the whole cluster, not only the audited namespaces."""
        if not self.wanted.open_selectors:
            return ()
        titles, selectors = zip(*self.wanted.open_selectors, strict=True)
        try:
            found = resolve_targets(self.run.cluster, selectors, list_visible_namespaces(self.run.cluster))
        except ClusterError:
            raise
        except Forbidden:
            self.unread[NAMESPACES_READ] = _MAY_NOT_LIST
        except ImagePullError as error:
            self.unread[NAMESPACES_READ] = str(error)
        else:
            return [OpenSelector(title, meant.open_to_users) for title, meant in zip(titles, found, strict=True)]
        return ()

    # --- lists

    def _requests(self) -> Iterator[ListRequest]:
        search = self.wanted.search
        selectors = (_NOT_HELM,) if search is None else ALL
        yield ListRequest(SECRET, lambda secret: trim_secret(secret, search), selectors)
        yield ListRequest(POD, self._noting(POD, trim_pod))
        yield ListRequest(SERVICE_ACCOUNT, trim_account, elsewhere=trim_to_name)
        if self.wanted.bindings:
            yield ListRequest(ROLE_BINDING, trim_binding)
        for kind in WORKLOADS.values():
            yield ListRequest(kind, self._noting(kind, trim_workload))
        yield ListRequest(IMAGE_STREAM, self._noting(IMAGE_STREAM, trim_stream))
        yield ListRequest(BUILD_CONFIG, self._noting(BUILD_CONFIG, trim_build))
        for kind in OPERATOR_KINDS if self.wanted.operators else ():
            yield ListRequest(kind, self._noting(kind, trim_to_name), label_selector=NO_COPIES)
        yield ListRequest(IMAGE_POLICY, without_managed_fields, elsewhere=without_managed_fields)

    def _noting(self, kind: Kind, trim: Callable[[Json], Json]) -> Callable[[Json], Json]:
        """Return the trimming of a kind, which adds the note of each object if one is wanted."""
        note = self.wanted.take_note
        return trim if note is None else lambda obj: {**trim(obj), NOTE: note(kind, obj)}

    def _list_kinds(self) -> Mapping[Kind, Listing]:
        requests = list(self._requests())
        listings = list_each_kind(self.run.cluster, self.run.workers, requests, self.namespaces)
        return {request.kind: listing for request, listing in zip(requests, listings, strict=True)}

    def _all(self, what: str, kind: Kind, keep: Callable[[Json], Json]) -> list[Json] | None:
        """Return all objects of a cluster-scoped kind, or None if they could not be read, with the reason in `unread`."""
        try:
            return list(self.run.cluster.list(kind, keep=keep))
        except UnknownResource:
            return []
        except ClusterError:
            raise
        except Forbidden:
            self.unread[what] = _MAY_NOT_LIST
        except ImagePullError as error:
            self.unread[what] = str(error)
        return None

    def _providers(self) -> list[Json]:
        """Return the objects in the newest version of the API that the cluster serves."""
        answers = [self._all(PROVIDERS, ref.kind, dict) for ref in CRIO_PROVIDER]
        if any(answer is not None for answer in answers):
            self.unread.pop(PROVIDERS, None)
        return next((answer for answer in answers if answer), [])

    # --- more than the lists contain

    def _accesses(
        self, places: Mapping[str, NamespaceSnapshot], evidence: ListedLookup, more: Sequence[ObjectRef]
    ) -> dict[str, list[PullVerdict]]:
        """Explain all containers. `more`: objects to read in addition."""
        if not self.wanted.verdicts:
            return {}
        _request(evidence, more)
        explained = ContainerExplanations(evidence, asks=self.questions is not None)
        used = [(name, place) for name, place in places.items() if place.pods or place.workloads]
        found = settle_each(self.run, used, explained.of, [evidence], self.questions)
        if _request(evidence, more):  # there was nothing to explain
            evidence.add(read_lookups(self.run.cluster, self.run.workers, evidence, {}))
        return {name: verdicts for (name, _place), verdicts in zip(used, found, strict=True)}

    def _known(self, places: Mapping[str, NamespaceSnapshot], accounts: Listing) -> dict[ObjectRef, Answer]:
        """Return the accounts and projects that the grants name: from the lists if these are complete, otherwise read one by one."""
        known: dict[ObjectRef, Answer] = {}
        names = {
            namespace: {as_str(metadata(obj).get("name")) for obj in items}
            for namespace, items in accounts.objects.items()
        }
        is_complete = accounts.is_whole and not accounts.errors
        unknown = []
        for ref in dict.fromkeys(ref for place in places.values() for ref in place.refs_in_grants()):
            if ref.kind == NAMESPACE and ref.name in names:
                known[ref] = {}
            elif ref.kind == SERVICE_ACCOUNT and (
                is_complete or (ref.namespace in places and ref.namespace not in accounts.errors)
            ):
                known[ref] = {} if ref.name in names.get(ref.namespace, ()) else None
            else:
                unknown.append(ref)
        seen = look_up(self.run.cluster, self.run.workers, unknown, LISTED_BY)
        return {**known, **{ref: seen[ref] if ref in seen else UnreadableObject(_MAY_NOT_READ) for ref in unknown}}

    def _version(self, facts: ClusterFacts) -> tuple[str, bool]:
        """Return the platform with its version, such as `OpenShift 4.20.1`, empty if unknown, and whether it is OpenShift."""
        if facts.cluster_version is not None:
            version = desired_version(facts.cluster_version)
            return (f"OpenShift {version}" if version else ""), True
        is_openshift = "config.openshift.io" in (facts.api_groups or ())
        try:
            version = as_str(self.run.cluster.get_path("/version").get("gitVersion")).removeprefix("v")
        except ClusterError:
            raise
        except ImagePullError:
            version = ""
        return (f"Kubernetes {version}" if version and not is_openshift else ""), is_openshift


def _request(evidence: ListedLookup, refs: Sequence[ObjectRef]) -> bool:
    """Request the unknown ones of these objects. Return whether there are any."""
    is_missing = False
    for ref in refs:
        try:
            evidence.look(ref)
        except ReadRequired:
            is_missing = True
        except UnreadableObject:
            pass
    return is_missing


def _place(namespace: str, found: Mapping[Kind, Listing]) -> NamespaceSnapshot:
    unread: dict[str, str] = {}
    for kind, each in found.items():
        error = each.errors.get(namespace)
        if error is not None and not isinstance(error, UnknownResource):
            unread.setdefault(_NAMES[kind], _MAY_NOT_LIST if isinstance(error, Forbidden) else str(error))
    secrets = [AuditedSecret.of(namespace, obj) for obj in _items_of(found, SECRET, namespace)]
    return NamespaceSnapshot(
        namespace,
        {secret.name: secret for secret in secrets},
        {as_str(metadata(obj).get("name")): obj for obj in _items_of(found, SERVICE_ACCOUNT, namespace)},
        _items_of(found, POD, namespace),
        [(kind, obj) for kind in WORKLOADS.values() for obj in _items_of(found, kind, namespace)],
        _items_of(found, ROLE_BINDING, namespace),
        _items_of(found, IMAGE_STREAM, namespace),
        _items_of(found, BUILD_CONFIG, namespace),
        unread,
        _items_of(found, IMAGE_POLICY, namespace),
        [(kind, obj) for kind in OPERATOR_KINDS for obj in _items_of(found, kind, namespace)],
    )


def _items_of(found: Mapping[Kind, Listing], kind: Kind, namespace: str) -> Sequence[Json]:
    return found[kind].objects.get(namespace, ()) if kind in found else ()


def _is_known(listing: Listing) -> bool:
    """Whether the cluster has the kind."""
    return not any(isinstance(error, UnknownResource) for error in listing.errors.values())


def _generation_reason(facts: ClusterFacts) -> Union[str, None]:
    """Return why no pull secrets are generated, an empty text if they are, or None if that is unknown."""
    why = why_not_generated(facts)
    unknown = describe_unknown(facts) or CLUSTER_VERSION in facts.absent
    return why if why or not unknown else None
