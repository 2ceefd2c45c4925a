# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The effects of changes on evidence, including the rights that role bindings give. Pure.

A patch says which references it touches, and makes the answer after the change of the answer before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Protocol, Union

from ...core.errors import ImagePullError
from ...core.objects import (
    CLUSTER_ROLE,
    ROLE_BINDING,
    SECRET,
    SERVICE_ACCOUNT,
    Json,
    Kind,
    ObjectRef,
    as_dict,
    as_list,
    as_str,
    metadata,
)
from ...dockerconfig.registry_keys import host_of, is_host_match
from ...explain.credentials import REFUSED, refused_logins
from ...explain.lookup import Lookup, UnreadableObject, require_all, try_lookup
from ...explain.steps.asked import describe_loss_of_trust
from ...images.image_questions import ImageQuestion
from ...images.registry_sources import IMAGE_CONFIG, NODE_NETWORK, NodeNetwork
from ...platform.account_lists import names_in
from ...platform.cluster import CLUSTER_VERSION
from ...rbac.subjects import (
    IMAGE_PULLER,
    SUBJECT_ACCESS_REVIEW,
    Subject,
    gives_pull,
    is_pull_binding,
    is_pull_review,
    puller_of,
    pullers_of,
    role_of,
    subject_of,
)
from ...secrets.content import StoredSecret

Answer = Union[Json, ImagePullError, None]


class EvidencePatch(Protocol):
    """One effect of a change. `apply` gets an error if the object could not be read before the change."""

    def touches(self, ref: ObjectRef) -> bool:
        """Whether the answer to this reference can change."""

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """Return the answer after the change."""


@dataclass(frozen=True)
class NetworkPatch:
    """The nodes reach only the registries of this network."""

    network: NodeNetwork

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`. A repository is touched only by a path, and a registry only by a registry."""
        if ref.kind != NODE_NETWORK:
            return False
        if "/" in ref.name:
            return bool(self.network.closed_path(ref.name))
        return self._is_limit or not self.network.reaches(ref.name)

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`. Two limits together leave the registries that both allow."""
        before = as_dict(answer)
        if "/" in ref.name:
            paths = [as_str(before.get("closed")), *self.network.unreachable]
            return {**before, "closed": NodeNetwork(paths).closed_path(ref.name)}
        is_reached = before.get("reached") is not False and self.network.reaches(ref.name)
        return {**before, "reached": is_reached, "limited": self._is_limit or before.get("limited") is True}

    @property
    def _is_limit(self) -> bool:
        return self.network.only is not None


@dataclass(frozen=True)
class MirrorPatch:
    """Images get mirrors at these hosts, given as `host[:port]`. Nothing shows that the nodes use the hosts before the change.

    `are_sources`: images get the names of these hosts instead.
    """

    hosts: frozenset[str]
    are_sources: bool = False

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`."""
        return ref.kind == NODE_NETWORK and ref.name in self.hosts

    def apply(self, _ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`."""
        return {**as_dict(answer), "unproven": True, **({"is_source": True} if self.are_sources else {})}


@dataclass(frozen=True)
class TrustPatch:
    """Registries lose a certificate authority of the nodes by a change of objects. `before` and `after` are the evidence around the change."""

    before: Lookup
    after: Lookup

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`."""
        is_host = ref.kind == NODE_NETWORK and "/" not in ref.name
        return is_host and bool(describe_loss_of_trust(ref.name, self.before, self.after)[0])

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`."""
        loss, unread = describe_loss_of_trust(ref.name, self.before, self.after)
        return {**as_dict(answer), "loss": loss, "unread": unread}


@dataclass(frozen=True)
class ObjectPatch:
    """Objects after the change: None for a deleted one, an error for one that is not known."""

    objects: Mapping[ObjectRef, Answer]

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`. A list has the objects of its kind and namespace, without a namespace those of all."""
        return ref in self.objects if ref.name else (ref.kind, ref.namespace) in self._lists

    @cached_property
    def _lists(self) -> frozenset[tuple[Kind, str]]:
        return frozenset((ref.kind, namespace) for ref in self.objects for namespace in (ref.namespace, ""))

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`. A list that could not be read stays unknown, because it has other objects as well.

        The names of the integrated registry are in the status of the image config, which a replacement keeps. If it could not be read, it
        stays unknown.
        """
        if ref == IMAGE_CONFIG and isinstance(obj := self.objects[ref], Mapping):
            return answer if isinstance(answer, ImagePullError) else {**obj, "status": as_dict(answer).get("status")}
        if ref.name:
            return self.objects[ref]
        if isinstance(answer, ImagePullError):
            return answer
        listed = {_key_of(as_dict(each), ref): each for each in as_list(as_dict(answer).get("items"))}
        changed = {
            (each.namespace, each.name): obj
            for each, obj in self.objects.items()
            if each.kind == ref.kind and ref.namespace in ("", each.namespace)
        }
        unknown = (obj for obj in changed.values() if isinstance(obj, ImagePullError))
        return next(unknown, {"items": [obj for obj in {**listed, **changed}.values() if obj is not None]})


@dataclass(frozen=True)
class SecretPatch:
    """The secrets of this name are deleted, in these namespaces."""

    name: str
    namespaces: frozenset[str]

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`."""
        return ref.kind == SECRET and ref.namespace in self.namespaces and ref.name in ("", self.name)

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`. A deleted secret is known not to exist, even if it could not be read."""
        return None if ref.name else _without(answer, lambda obj: metadata(obj).get("name") == self.name)


@dataclass(frozen=True)
class LinkPatch:
    """Accounts of these namespaces no longer list the secrets. None: any account."""

    secrets: frozenset[str]
    accounts: frozenset[str] | None
    namespaces: frozenset[str]

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`."""
        is_meant = self.accounts is None or not ref.name or ref.name in self.accounts
        return ref.kind == SERVICE_ACCOUNT and ref.namespace in self.namespaces and is_meant

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`."""
        if answer is None or isinstance(answer, ImagePullError):
            return answer
        if ref.name:
            return self._unlink(answer)
        return {"items": [self._unlink(as_dict(each)) for each in as_list(answer.get("items"))]}

    def undoes_link(self, account: ObjectRef, secret: str) -> bool:
        """Whether a new link of the secret would be lost."""
        return secret in self.secrets and self.touches(account)

    def _unlink(self, account: Json) -> Json:
        if self.accounts is not None and metadata(account).get("name") not in self.accounts:
            return account
        listed = names_in(account, "imagePullSecrets")
        if self.secrets.isdisjoint(listed):
            return account
        return {**account, "imagePullSecrets": [{"name": name} for name in listed if name not in self.secrets]}


@dataclass(frozen=True)
class CredentialPatch:
    """The registry refuses the login. `registry` is `host[:port]`. `secrets` are those that may have the login, and all of the namespaces in
    `unread`, whose secrets could not be read.

    `password`: refused is only this password of the user, with None any.
    """

    registry: str
    username: str
    secrets: frozenset[ObjectRef]
    password: str | None = field(default=None, repr=False)
    unread: frozenset[str] = frozenset()

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`."""
        if ref.kind != SECRET:
            return False
        return (
            ref in self.secrets or ref.namespace in self.unread or (not ref.name and ref.namespace in self._namespaces)
        )

    @cached_property
    def _namespaces(self) -> frozenset[str]:
        return frozenset(ref.namespace for ref in self.secrets)

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`."""
        if answer is None or isinstance(answer, ImagePullError):
            return answer
        if not ref.name:
            return {"items": [self._mark(as_dict(each)) for each in as_list(answer.get("items"))]}
        return self._mark(answer)

    def _mark(self, secret: Json) -> Json:
        refused = [[key, self.registry] for key in self.keys_in(secret)]
        return {**secret, REFUSED: [*as_list(secret.get(REFUSED)), *refused]} if refused else secret

    def keys_in(self, secret: Json) -> list[str]:
        """Return the registry keys of a secret that have this login, and that nodes use for the registry."""
        logins = StoredSecret.of(secret).for_kubelet.logins
        return [key for key, login in logins.items() if self.is_meant(key, *login)]

    def is_meant(self, key: str, username: str, password: str) -> bool:
        """Whether this is the login under a key that nodes use for the registry. A key can have stars.

        For an image without a registry, each search registry gets the login for Docker Hub.
        """
        host = host_of(key)
        is_login = username == self.username and self.password in (None, password)
        return is_login and any(host == each or is_host_match(host, each) for each in (self.registry, "docker.io"))


@dataclass(frozen=True)
class GrantPatch:
    """The role bindings of projects, and of the cluster, after the removal of grants. `removed` are the subjects by project.

    Only system:image-puller is removed. `evidence` has the other roles, which may also give the right to pull. `unread` has the reason by
    project, or an empty text for the cluster, if the bindings are not known. `emptied` are projects that lose all subjects.
    """

    removed: Mapping[str, frozenset[Subject]]
    bindings: Mapping[str, Sequence[Json]]
    cluster_bindings: Sequence[Json]
    evidence: Lookup
    unread: Mapping[str, str] = field(default_factory=dict)
    emptied: frozenset[str] = frozenset()

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`. A list has the bindings of a project."""
        removed = self.removed.get(ref.namespace, frozenset())
        if ref.kind == ROLE_BINDING:
            return bool(removed) and not ref.name
        if ref.kind != SUBJECT_ACCESS_REVIEW or not is_pull_review(ref):
            return False
        return bool(removed & puller_of(ref).identities) or ref.namespace in self.emptied.intersection(self.unread)

    def undoes_grant(self, review: ObjectRef) -> bool:
        """Whether a new grant for the account of the review would be lost."""
        account = puller_of(review)
        return account in self.removed.get(review.namespace, ()) or review.namespace in self.emptied

    def join(self, other: GrantPatch) -> GrantPatch:
        """Return the patch of both removals. A right is lost only with all its bindings, so one after the other would not be enough."""
        removed = {
            name: self.removed.get(name, frozenset()) | other.removed.get(name, frozenset())
            for name in (*self.removed, *other.removed)
        }
        return replace(
            self,
            removed=removed,
            bindings={**self.bindings, **other.bindings},
            unread={**self.unread, **other.unread},
            emptied=self.emptied | other.emptied,
        )

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`. The right stays unknown if it may come from bindings or roles that cannot be read.

        :raises ReadRequired: when roles have to be read first.
        """
        return self._revoke(ref.namespace, answer) if ref.kind == ROLE_BINDING else self._review(ref, answer)

    def _review(self, ref: ObjectRef, answer: Answer) -> Answer:
        """The answer to a review."""
        if isinstance(answer, ImagePullError) or as_dict(answer).get("allowed") is not True:
            return answer
        removed, others = self.removed.get(ref.namespace, frozenset()), []
        for binding, subjects in self._bindings_of(ref):
            if not is_pull_binding(binding):
                others.append(binding)
            elif subjects - (removed if metadata(binding).get("namespace") else frozenset()):
                return answer
        unknown = [self.unread[name] for name in (ref.namespace, "") if name in self.unread]
        require_all(self.evidence, map(role_of, others))
        for binding in others:
            role, unread = try_lookup(self.evidence, role_of(binding))
            if gives_pull(role):
                return answer
            if unread:
                name = as_str(metadata(binding).get("name"))
                unknown.append(f"{role_of(binding)} of binding {name} may also give the right, and {unread}")
        return UnreadableObject(unknown[0]) if unknown else {"allowed": False}

    def _revoke(self, project: str, answer: Answer) -> Answer:
        """The list of bindings without the removed subjects."""
        if answer is None or isinstance(answer, ImagePullError):
            return answer
        removed = self.removed[project]

        def without(binding: Json) -> Json:
            kept = [each for each in as_list(binding.get("subjects")) if subject_of(each, project) not in removed]
            return {**binding, "subjects": kept} if is_pull_binding(binding) else binding

        return {"items": [without(as_dict(each)) for each in as_list(answer.get("items"))]}

    def _bindings_of(self, ref: ObjectRef) -> Iterator[tuple[Json, frozenset[Subject]]]:
        """Yield the bindings for the account of a review, of its project and of the cluster, with the subjects that are the account."""
        who = puller_of(ref).identities
        for binding in (*self.bindings.get(ref.namespace, ()), *self.cluster_bindings):
            if subjects := _subjects_of(binding) & who:
                yield binding, subjects


@dataclass(frozen=True)
class VersionPatch:
    """The nodes have another version of Kubernetes, and so of CRI-O, with an unknown patch number. `cluster`: that of OpenShift."""

    kubernetes: tuple[int, int]
    cluster: str
    nodes: Kind

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`."""
        return ref.kind == self.nodes or (ref == CLUSTER_VERSION and bool(self.cluster))

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`."""
        if answer is None or isinstance(answer, ImagePullError):
            return answer
        if ref == CLUSTER_VERSION:
            return {**answer, "status": {**as_dict(answer.get("status")), "desired": {"version": self.cluster}}}
        if not ref.name:
            return {"items": [self._upgrade(as_dict(each)) for each in as_list(answer.get("items"))]}
        return self._upgrade(answer)

    def _upgrade(self, node: Json) -> Json:
        status = as_dict(node.get("status"))
        info = dict(as_dict(status.get("nodeInfo")))
        major, minor = self.kubernetes
        info["kubeletVersion"] = f"v{major}.{minor}"
        if as_str(info.get("containerRuntimeVersion")).startswith("cri-o://"):
            info["containerRuntimeVersion"] = f"cri-o://{major}.{minor}"
        return {**node, "status": {**status, "nodeInfo": info}}


def join_grants(patches: Sequence[EvidencePatch]) -> list[EvidencePatch]:
    """Return the patches, with one for all removed grants. The others do not concern these."""
    grants = [each for each in patches if isinstance(each, GrantPatch)]
    others = [each for each in patches if not isinstance(each, GrantPatch)]
    return [*others, reduce(GrantPatch.join, grants)] if grants else others


def answer_refused_login(question: ImageQuestion, secret: Json | None) -> Json | None:
    """Return the answer of a registry that is known to refuse the login of the question, or None if it has to be asked."""
    host = question.repository.partition("/")[0]
    if (question.key, host) not in refused_logins(secret):
        return None
    return {"outcome": "bad_login", "message": f"{host} refuses the login", "realm_host": ""}


def _subjects_of(binding: Json) -> frozenset[Subject]:
    namespace = as_str(metadata(binding).get("namespace"))
    found = (subject_of(entry, namespace) for entry in as_list(binding.get("subjects")))
    return frozenset(each for each in found if each is not None)


def _key_of(obj: Json, listed: ObjectRef) -> tuple[str, str]:
    """Namespace and name of an object in a list."""
    meta = metadata(obj)
    return as_str(meta.get("namespace")) or listed.namespace, as_str(meta.get("name"))


def _without(answer: Answer, is_removed: Callable[[Json], bool]) -> Answer:
    if answer is None or isinstance(answer, ImagePullError):
        return answer
    return {"items": [each for each in as_list(answer.get("items")) if not is_removed(as_dict(each))]}


# --- role bindings

_PULLER = ObjectRef(CLUSTER_ROLE, "", IMAGE_PULLER)
_Pairs = frozenset[tuple[ObjectRef, Subject]]


@dataclass(frozen=True)
class ProjectGrants:
    """The subjects of the role bindings of one project that may pull from it, each with the names of these bindings.

    `others` have a role that could not be read, so it is not known whether it lets them pull.
    """

    pullers: Mapping[Subject, Sequence[str]]
    others: frozenset[tuple[ObjectRef, Subject]]

    @classmethod
    def of(cls, bindings: Iterable[Json], evidence: Lookup) -> ProjectGrants:
        """Return the grants of bindings. `evidence` has the roles.

        :raises ReadRequired: when roles have to be read first.
        """
        every = list(bindings)
        pulling, unread = _judge_roles((role_of(each) for each in every), evidence)
        pullers: dict[Subject, list[str]] = {}
        for binding in every:
            for name, subject in pullers_of([binding]) if role_of(binding) in pulling else ():
                pullers.setdefault(subject, []).append(name)
        return cls(pullers, frozenset(pair for pair in _pairs_of(every) if pair[0] in unread))


def _pairs_of(bindings: Iterable[Json]) -> _Pairs:
    """Each role with each subject of the bindings."""
    return frozenset((role_of(binding), subject) for binding in bindings for _name, subject in pullers_of([binding]))


def _judge_roles(roles: Iterable[ObjectRef], evidence: Lookup) -> tuple[set[ObjectRef], dict[ObjectRef, str]]:
    """The roles that let pull, and those that could not be read, with the reason."""
    named = dict.fromkeys(roles)
    others = [role for role in named if role != _PULLER]
    require_all(evidence, others)
    found = {role: try_lookup(evidence, role) for role in others}
    pulling = {role for role, (obj, _why) in found.items() if gives_pull(obj)}
    return pulling | {_PULLER}, {role: why for role, (_obj, why) in found.items() if why}


@dataclass(frozen=True)
class BindingPatch:
    """The role bindings of projects before and after a change. `cluster_bindings` are those of the cluster, which stay.

    `evidence` has the roles. `unread` has the reason by project, or an empty text for the cluster, if the bindings are not known. Of such a
    project, `after` has only the changed ones, so every right may have been lost.
    """

    before: Mapping[str, Sequence[Json]]
    after: Mapping[str, Sequence[Json]]
    cluster_bindings: Sequence[Json]
    evidence: Lookup
    unread: Mapping[str, str] = field(default_factory=dict)

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`."""
        if ref.kind != SUBJECT_ACCESS_REVIEW or not is_pull_review(ref) or ref.namespace not in self.after:
            return False
        before, after = self._pairs[ref.namespace]
        if ref.namespace in self.unread:
            return True
        return bool({subject for _role, subject in before ^ after} & puller_of(ref).identities)

    def undoes_grant(self, review: ObjectRef) -> bool:
        """Whether a new grant for the account of the review would be lost."""
        before, after = self._pairs.get(review.namespace, (frozenset(), frozenset()))
        return puller_of(review) in {subject for _role, subject in before - after}

    def apply(self, ref: ObjectRef, answer: Answer) -> Answer:
        """See `EvidencePatch`. The right stays unknown if it may come from a role that cannot be read.

        :raises ReadRequired: when roles have to be read first.
        """
        who, (before, after) = puller_of(ref).identities, self._pairs[ref.namespace]
        is_allowed = not isinstance(answer, ImagePullError) and as_dict(answer).get("allowed") is True
        pulling, unread = _judge_roles((role for role, subject in after if subject in who), self.evidence)
        if any(subject in who and role in pulling for role, subject in after):
            return answer if is_allowed else {"allowed": True}
        gained = [role for role, subject in after - before if subject in who and role in unread]
        if gained and not is_allowed:
            role = min(gained, key=str)
            return UnreadableObject(f"{role}, which the change grants, may give the right, and {unread[role]}")
        lost = frozenset(subject for _role, subject in before - after)
        if not lost & who and ref.namespace not in self.unread:
            return answer
        patch = GrantPatch({ref.namespace: lost}, self.after, self.cluster_bindings, self.evidence, self.unread)
        return patch.apply(ref, answer)

    @cached_property
    def _pairs(self) -> Mapping[str, tuple[_Pairs, _Pairs]]:
        """The roles with their subjects before and after the change, by project."""
        return {name: (_pairs_of(self.before.get(name, ())), _pairs_of(each)) for name, each in self.after.items()}
