# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated clusters with registries that answer, for laws about what-if questions. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import Json, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    ACCOUNTS,
    ClusterSnapshot,
    NamespaceSnapshot,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import SECRETS as SECRETS_READ
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    IMAGE_QUESTION,
    TRUST_QUESTION,
    ImageQuestion,
    SignatureQuestion,
    TrustQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBELET_CONFIGS,
    NODES,
    POOLS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import CLUSTER_POLICIES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import additional_ref, key_of_host
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import MIRROR_KINDS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.effects import patches_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import (
    PresentPulls,
    PullEvaluator,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import WhatIfRow, rows_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.timing import NodeCaches
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import CLUSTER_VERSION
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import pull_review
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import StoredSecret
from hypothesis import strategies as st

from .lab_nodes import kubelet_config
from .supposed import changes_of, moves_of
from .supposed_changes import image_config, mirror_set, signature_policy
from .supposed_kubelet import POLICIES, Kubelet
from .surveyed import account, auth, binding, deployment, place, pod, secret, stream, survey

__all__ = [
    "CHANGES",
    "HIDDEN",
    "LIKELY_WORLDS",
    "LOGIN",
    "LOSSES",
    "MOVES",
    "NO_AUTHORITIES",
    "OWN_AUTHORITY",
    "REALMS",
    "REMOVED_GRANTS",
    "RESTARTS",
    "RUNNING_WORLDS",
    "WORLDS",
    "World",
    "answer_usually",
    "lists_of_changes",
    "registry_outcome",
    "rows_with_answers",
    "verdicts_of",
]

_INTEGRATED = "image-registry.openshift-image-registry.svc:5000"
IMAGES = (
    *("q.io/team/app:v1",) * 3, "r.io/team/app:v1", "q.io/public/app:v1", "q.io/lost/app:v1", "a.s.io/team/app:v1",
    f"{_INTEGRATED}/b/app:v1", "app:v1", "team/app:v1", "public/app:v1", "docker.io/team/app:v1", "a.s.io:5000/team/app:v1",
)  # fmt: skip
KEYS = ("q.io", "q.io", "q.io/team", "https://q.io/v1/", "r.io", "*.s.io", "m.io", "m.io:5000", "docker.io")
#: The login that registries accept, with the forms of an entry.
LOGIN = "right"
_LOGINS: Mapping[str, dict[str, str]] = {
    "right": auth(LOGIN),
    "wrong": auth("wrong"),
    "empty": {},
    "robot": auth(LOGIN, "robot"),
}
SECRETS = ("s0", "s1", "s2")
#: The token services of registries that are hosts of their own. Each other registry is its own token service.
REALMS = {"q.io": "auth.q.io"}
#: The registry whose certificate is of an authority that only an object of the cluster names.
OWN_AUTHORITY = "r.io"
_PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"
_CA = "registry-ca"
_MAY_NOT = "the caller may not list them"
#: Kinds of objects that a caller may not be allowed to read.
HIDDEN = (SECRETS_READ, ACCOUNTS, "mirrors")


@dataclass(frozen=True)
class World:
    """`secrets` are the forms of the logins by key and by name of the secret, None for a secret that nodes cannot parse.

    `lists` are the secrets of the account, of the pod and of the deployment's template, in this order. `grants` to pull from project `b`: `one`
    for the account, `all` for its project. `hidden`: what the caller may not read. `has_authority`: the image config names the authority of
    `OWN_AUTHORITY`. `kubelet`: that of the node on which the pod runs, with this pull policy. None if the pod has no node.
    """

    secrets: Mapping[str, Mapping[str, str] | None]
    lists: tuple[Sequence[str], Sequence[str], Sequence[str]]
    images: tuple[str, str]
    nodes: Mapping[str, str]
    mirrors: Sequence[Json]
    policies: Sequence[Json]
    sources: Mapping[str, Sequence[str]]
    grants: Sequence[str]
    hidden: str = ""
    has_authority: bool = False
    kubelet: Kubelet | None = None
    pull_policy: str = "IfNotPresent"

    def survey(self, *others: NamespaceSnapshot) -> ClusterSnapshot:
        """Return the snapshot: namespace `a` with a pod and a deployment, project `b` with an image stream, and other namespaces."""
        linked, own, template = self.lists
        entry = {"kind": "ServiceAccount", "name": "default", "namespace": "a"}
        whole = {"kind": "Group", "name": "system:serviceaccounts:a"}
        here = place(
            secrets=[_secret(name, each) for name, each in self.secrets.items()],
            accounts=[account(*linked)],
            pods=[pod(*own, image=self.images[0], **self._state())],
            workloads=[deployment(*template, image=self.images[1])],
            unread={self.hidden: _MAY_NOT} if self.hidden in (SECRETS_READ, ACCOUNTS) else {},
        )
        built = stream()
        built["status"]["tags"][0]["items"] = [{"image": "sha256:0"}]
        granted = [
            binding(name, each, namespace="b") for name, each in (("one", entry), ("all", whole)) if name in self.grants
        ]
        sets = {
            ObjectRef(kind, "", ""): {"items": [each for each in self.mirrors if each["kind"] == kind.kind]}
            for kind in MIRROR_KINDS
        }
        if self.hidden == "mirrors":
            sets = dict.fromkeys(sets, UnreadableObject(_MAY_NOT))
        objects = {
            **sets,
            CLUSTER_VERSION: {"status": {"desired": {"version": "4.21.0"}}},
            NODE_SECRET: _secret("pull-secret", self.nodes) if self.nodes else None,
            CLUSTER_POLICIES: {"items": [*self.policies]},
            pull_review("b", "a", "default"): {"allowed": False},
            **(_node_of(self.kubelet) if self.kubelet is not None else {}),
        }
        config = image_config(**self.sources) if self.sources or self.has_authority else None
        if config is not None and self.has_authority:
            config["spec"]["additionalTrustedCA"] = {"name": _CA}
            objects[additional_ref(config)] = {"data": {key_of_host(OWN_AUTHORITY): _PEM}}
        there = place("b", streams=[built], bindings=granted)
        return survey(here, there, *others, config=config, objects=objects)

    def _state(self) -> dict[str, Any]:
        return {} if self.kubelet is None else {"runs": True, "policy": self.pull_policy, "nodeName": "n"}


def _node_of(kubelet: Kubelet) -> dict[ObjectRef, Any]:
    """The objects of the node, its pool and the settings of the pool."""
    labels, of_pool = {"node-role.kubernetes.io/worker": ""}, kubelet_config("worker", kubelet.settings)
    selected = of_pool["spec"]["machineConfigPoolSelector"]["matchLabels"]
    versions = {"kubeletVersion": kubelet.version, "containerRuntimeVersion": kubelet.runtime}
    node = {"metadata": {"name": "n", "labels": labels}, "status": {"nodeInfo": versions}}
    pool = {"metadata": {"name": "worker", "labels": selected}, "spec": {"nodeSelector": {"matchLabels": labels}}}
    configs = [of_pool] if kubelet.settings else []
    return {NODES: {"items": [node]}, POOLS: {"items": [pool]}, KUBELET_CONFIGS: {"items": configs}}


def _secret(name: str, entries: Mapping[str, str] | None) -> dict[str, Any]:
    if entries is None:
        return secret(name, {"x.io": {"auth": "?"}})
    return secret(name, {key: _LOGINS[form] for key, form in entries.items()})


def answer_usually(ref: ObjectRef, evidence: Lookup) -> Any:
    """Return the answer of a registry that accepts the login with password `LOGIN`, and has all images except those below `lost`."""
    if ref.kind == TRUST_QUESTION:
        asked = TrustQuestion.of(ref)
        is_trusted = asked.host != OWN_AUTHORITY or _PEM in asked.authorities
        return {"outcome": "trusted" if is_trusted else "untrusted", "message": "the nodes trust it, or not"}
    if ref.kind != IMAGE_QUESTION and ref.kind.resource != "signatures":
        return None
    question = ImageQuestion.of(ref) if ref.kind == IMAGE_QUESTION else SignatureQuestion.of(ref).image
    stored = evidence.look(question.secret_ref) if question.secret_ref else None
    logins = StoredSecret.of(stored or {}).for_kubelet.logins
    username, password = logins.get(question.key, ("", ""))
    host = question.repository.partition("/")[0]
    outcome = registry_outcome(question.image, username, password)
    answer: dict[str, Any] = {
        "outcome": outcome, "message": f"{question.image} said it", "realm_host": REALMS.get(host, host),
    }  # fmt: skip
    if ref.kind != IMAGE_QUESTION:
        answer["platforms"] = [{"architecture": "amd64", "outcome": "unsigned", "message": "no signature"}]
    return answer


def rows_with_answers(
    found: ClusterSnapshot,
    *given: Mapping[str, Any],
    asks: bool,
    earlier: Sequence[Mapping[str, Any]] = (),
    answer: Callable[[ObjectRef, Lookup], Any] = answer_usually,
) -> list[WhatIfRow]:
    """Return the rows, if the registries give these answers. The changes replace `earlier` ones."""
    patches = [patches_of(each, found) for each in changes_of(*given)] if given else []
    before = [patch for each in changes_of(*earlier) for patch in patches_of(each, found)] if earlier else []
    new_nodes = next((at for at, each in enumerate(given) if "new_nodes" in each), None)
    evaluator = PullEvaluator(
        PresentPulls(found.evidence, asks=asks), patches, before, new_nodes=new_nodes, moves=moves_of(*given)
    )
    caches = NodeCaches({}, is_empty=new_nodes is not None)
    while True:
        try:
            return [row for each in found.places.values() for row in rows_of(each, evaluator.compare, caches)]
        except ReadRequired:
            for lookup in evaluator.lookups:
                lookup.add({ref: answer(ref, lookup) for ref in lookup.take_wanted()})


def verdicts_of(rows: Sequence[WhatIfRow]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return verdict and reason after the changes, by kind and name."""
    return {(row.ref.kind.kind, row.ref.name): (row.deciding.after.verdict, row.deciding.after.reason) for row in rows}


def registry_outcome(image: str, username: str, password: str) -> str:
    """Return the answer of a registry, which refuses a wrong login even for a public image."""
    if username and password != LOGIN:
        return "bad_login"
    if not username and "/public/" not in image:
        return "no_login"
    return "not_found" if "/lost/" in image else "pulls"


def _lists() -> st.SearchStrategy[Sequence[str]]:
    return st.lists(st.sampled_from(SECRETS), max_size=2, unique=True).map(tuple)


_ENTRIES = st.dictionaries(
    st.sampled_from(KEYS), st.sampled_from(("right", "right", "robot", "wrong", "empty")), max_size=2
)
_MIRROR = st.sampled_from(
    (
        mirror_set("tag", "one", "q.io/team", "m.io/team"),
        mirror_set("tag", "one", "q.io/team", "m.io/team", never_source=True),
        mirror_set("tag", "two", "q.io", "r.io", "m.io"),
        mirror_set("digest", "three", "r.io", "m.io"),
        *(mirror_set("tag", "copy", "q.io/lost", *mirrors) for mirrors in (["m.io/team"], ["r.io/team", "m.io/team"])),
        mirror_set("tag", "wild", "*.s.io", "m.io"),
        mirror_set("tag", "hub", "docker.io", "m.io/team"),
        mirror_set("tag", "lost", "r.io", "m.io/lost", never_source=True),
        mirror_set("tag", "public", "q.io/public", "docker.io/public", "r.io/public", never_source=True),
    )
)
_POLICY = st.sampled_from((signature_policy("one", "q.io/team"), signature_policy("two", "r.io")))
_SEARCH = "containerRuntimeSearchRegistries"
_SETTINGS: Sequence[Mapping[str, Sequence[str]]] = (
    {"blockedRegistries": ["q.io/team"]},
    {"allowedRegistries": ["q.io", "m.io"]},
    # Mirrors that are blocked, and mirrors that are not among the allowed registries.
    {"blockedRegistries": ["m.io/team"]},
    {"blockedRegistries": ["m.io"], _SEARCH: ["r.io", "q.io"]},
    {"allowedRegistries": ["q.io", "docker.io", "*.s.io"]},
    {"blockedRegistries": ["*.docker.io", "r.io"], _SEARCH: ["r.io", "docker.io"]},
    {_SEARCH: ["q.io"]},
    {_SEARCH: ["r.io", "docker.io"]},
)
_SOURCES = st.sampled_from(({}, {}, {}, *_SETTINGS))
WORLDS = st.builds(
    World,
    st.dictionaries(st.sampled_from(SECRETS), st.one_of(_ENTRIES, _ENTRIES, _ENTRIES, st.none()), max_size=3),
    st.tuples(_lists(), _lists(), _lists()),
    st.tuples(st.sampled_from(IMAGES), st.sampled_from(IMAGES)),
    _ENTRIES,
    st.lists(_MIRROR, max_size=1),
    st.one_of(st.just([]), st.just([]), st.lists(_POLICY, max_size=1)),
    _SOURCES,
    st.sampled_from(((), ("one",), ("one", "all"))),
    has_authority=st.booleans(),
)
#: Worlds in which many pulls work, because most logins are right, and a registry settings often matter: changes break nothing that is broken.
_RICH = st.dictionaries(
    st.sampled_from(KEYS),
    st.sampled_from((*("right",) * 6, "robot", "robot", "wrong", "empty")),
    min_size=3,
    max_size=9,
)
_LISTS = st.sampled_from((("s0",), ("s0",), ("s1",), ("s0", "s1"), ()))
_OUTSIDE = st.sampled_from([image for image in dict.fromkeys(IMAGES) if not image.startswith(_INTEGRATED)])
LIKELY_WORLDS = st.builds(
    World,
    st.fixed_dictionaries({"s0": _RICH, "s1": _RICH}),
    st.tuples(_LISTS, _LISTS, _LISTS),
    st.tuples(_OUTSIDE, _OUTSIDE),
    _RICH,
    st.lists(_MIRROR, max_size=2, unique_by=lambda each: str(each["metadata"]["name"])),
    st.one_of(*(st.just([]) for _often in range(6)), st.lists(_POLICY, max_size=1)),
    _SOURCES,
    st.just(()),
    has_authority=st.booleans(),
)

_ACCOUNT = {"namespace": "a", "name": "default"}
#: The removal of each grant.
REMOVED_GRANTS: Mapping[str, Mapping[str, Any]] = {
    "one": {"remove_grants": {"namespaces": ["b"], "service_accounts": [_ACCOUNT]}},
    "all": {"remove_grants": {"namespaces": ["b"], "projects": ["a"]}},
}
#: The image config without the authority.
NO_AUTHORITIES: Mapping[str, Any] = {"add_objects": {"definition": [image_config()]}}
#: Docker Hub, by the name in images, by those of its hosts, and as a whole domain.
_NAMES_OF_HUB = ("docker.io", "registry-1.docker.io", "auth.docker.io", "*.docker.io")
#: Paths of registries: of images, of mirrors, of images without a registry, and one that is only the beginning of a name.
_PATHS = (
    *("q.io/team", "q.io/team/app", "q.io/lost", "q.io/tea", "m.io/team", "r.io/team"),
    *("docker.io/team", "docker.io/library", "docker.io/public", "a.s.io/team", "a.s.io:5000/team"),
)
#: New places of images: with and without a copy, of a registry that is in use or has an authority of its own, and of names without a registry.
MOVES: Sequence[Mapping[str, str]] = (
    *({"q.io/team": "r.io/team"}, {"q.io": "m.io"}, {"q.io/team": "q.io/lost"}, {"q.io/lost": "q.io/team"}),
    *({"docker.io/library": "q.io/public"}, {"docker.io": "m.io/hub"}, {"docker.io/team": "a.s.io:5000/team"}),
    *({"a.s.io:5000": "q.io", "a.s.io": "r.io"}, {"q.io": "r.io", "q.io/team/app": "m.io/team/other"}),
)
#: Changes of all kinds. Two of them are independent, unless they concern the same object.
CHANGES = st.one_of(
    st.sampled_from(SECRETS).map(lambda name: {"remove_secrets": {"name": name}}),
    st.sampled_from(SECRETS).map(lambda name: {"remove_links": {"secrets": [name]}}),
    st.sampled_from([*REMOVED_GRANTS.values()]),
    st.sampled_from(("q.io", "m.io", "r.io", "docker.io")).map(
        lambda host: {"remove_credential": {"registry": host, "username": "robot"}}
    ),
    st.sampled_from(("q.io", "r.io", "*.s.io", "auth.q.io", *_NAMES_OF_HUB)).map(
        lambda host: {"unreachable_registries": [host]}
    ),
    st.sampled_from(_PATHS).map(lambda path: {"unreachable_registries": [path]}),
    st.sampled_from(MOVES).map(lambda places: {"moved": places}),
    st.sampled_from(
        (
            *(["q.io", "m.io"], ["r.io", "q.io"], ["q.io", "auth.q.io", "m.io"], ["q.io", "*.docker.io"]),
            ["r.io", "registry-1.docker.io"],
        )
    ).map(lambda hosts: {"only_registries": hosts}),
    st.sampled_from(_SETTINGS).map(lambda sources: {"add_objects": {"definition": [image_config(**sources)]}}),
    st.just(NO_AUTHORITIES),
    st.one_of(_MIRROR, _POLICY).map(lambda obj: {"add_objects": {"definition": [obj]}}),
    st.just({"delete_objects": {"kind": "ImageTagMirrorSet", "names": ["two"]}}),
    st.just({"new_nodes": True}),
)


def lists_of_changes(least: int, most: int) -> st.SearchStrategy[list[Mapping[str, Any]]]:
    """Return the lists with this number of changes. Each image moves once."""
    return st.lists(CHANGES, min_size=least, max_size=most).filter(
        lambda changes: sum("moved" in each for each in changes) < 2
    )


#: Changes of what only the nodes have, and of a login of many secrets.
LOSSES = st.one_of(
    st.sampled_from(("q.io", "r.io", "m.io", "docker.io")).map(
        lambda host: {"remove_credential": {"registry": host, "username": "user"}}
    ),
    st.just({"remove_secrets": {"name": "pull-secret", "namespaces": ["openshift-config"]}}),
)

_KUBELETS = st.one_of(
    st.just(Kubelet("v1.34.2", "cri-o://1.34.11")),
    *(
        st.builds(lambda node, policy: Kubelet(*node, *policy), st.just(node), st.sampled_from((("", ()), *POLICIES)))
        for node in (("v1.35.4", "cri-o://1.35.1"), ("v1.35.4", "cri-o://1.35.2"), ("v1.36.1", "cri-o://1.36.0"))
    ),
)
#: Worlds with a pod that runs on a node of each policy. Many of its logins are not accepted, or for another registry.
RUNNING_WORLDS = st.builds(
    lambda world, secrets, kubelet, pull_policy: replace(
        world, secrets=secrets, mirrors=(), policies=(), sources={}, kubelet=kubelet, pull_policy=pull_policy
    ),
    LIKELY_WORLDS,
    st.fixed_dictionaries({"s0": _ENTRIES, "s1": _ENTRIES}),
    _KUBELETS,
    st.sampled_from(("IfNotPresent", "IfNotPresent", "Never", "Always")),
)
#: Changes after which a kubelet may decide otherwise about the image of its node, or after which a pull fails.
RESTARTS = st.one_of(
    *(
        st.sampled_from(POLICIES).map(
            lambda each: {"add_objects": {"definition": [kubelet_config("worker", Kubelet("", "", *each).settings)]}}
        )
        for _often in range(3)
    ),
    *(st.sampled_from(("s0", "s1")).map(lambda name: {"remove_secrets": {"name": name}}) for _often in range(2)),
    st.sampled_from(("user", "robot")).map(lambda user: {"remove_credential": {"registry": "q.io", "username": user}}),
    st.sampled_from(("q.io", "docker.io")).map(lambda host: {"unreachable_registries": [host]}),
)
