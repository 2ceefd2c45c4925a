# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated settings of registries: mirrors of hosts, repositories and wildcards, with ports, and lists of registries inside and around them."""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    IMAGE_POLICY,
    ImagePolicies,
    NodeRegistries,
    registries_for,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    MIRROR_KINDS,
    MirrorItems,
    mirror_items,
    registry_sources_of,
)

DIGEST = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#: Of each, the repository is the release's in some cases.
RELEASES = ("quay.example.com/release", "a.quay.example.com/release/app", "quay.example.com:5000/release")
_HOSTS = (
    "quay.example.com",
    "a.quay.example.com",
    "quay.example.com:5000",
    "a.quay.example.com:5000",
    "other.io",
    "docker.io",
)
_PATHS = ("", "/release", "/team", "/team/app", "/release/app")
_SOURCES = (
    *(f"{host}{path}" for host in _HOSTS for path in _PATHS),
    "*.docker.io",
    "*.example.com",
    "*.quay.example.com",
    "*.com",
)
_MIRRORS = (
    "m.io",
    "m.io/z",
    "n.io:5000",
    "n.io:5000/z/y",
    "o.io/team",
    "quay.example.com/copies",
    "docker.io",
    "docker.io/x",
    # Others have it as a source, or in a list.
    "other.io/team",
    "quay.example.com:5000",
)
_IMAGES = tuple(f"{host}{path}{tail}" for host in _HOSTS for path in _PATHS[1:] for tail in ("", "/more"))
_DIGEST_SETS, _TAG_SETS, _OLD_SETS = MIRROR_KINDS


@dataclass(frozen=True)
class RegistryRules:
    """The settings of a cluster. `sets` are mirror sets by kind, `cluster` and `own` the scopes of image policies."""

    sources: Mapping[str, Sequence[str]]
    sets: Sequence[tuple[Any, Mapping[str, Any]]]
    release: str
    cluster: Sequence[str]
    own: Sequence[str]

    def question(self, images: Sequence[str]) -> dict[str, Any]:
        """Return the question for `lab oracle`."""
        items: dict[str, list[Any]] = {"digest": [], "tag": []}
        for kind, item in self.sets:
            # The old kind has no policy.
            known = {name: each for name, each in item.items() if kind != _OLD_SETS or name != "mirrorSourcePolicy"}
            items["tag" if kind == _TAG_SETS else "digest"].append(known)
        return {
            "sources": self.sources, **items, "release": self.release,
            "scopes": self.cluster, "own": self.own, "images": images,
        }  # fmt: skip


def generate_rules(seed: int, count: int) -> Iterator[RegistryRules]:
    """Yield settings that are the same for the same seed."""
    chance = random.Random(seed)
    for _number in range(count):
        few = chance.choice((_SOURCES, _SOURCES[:10], (*_SOURCES[5:8], *_SOURCES[-3:])))
        sets = [(_kind(chance), _item(chance, few)) for _each in range(chance.choice((0, 1, 1, 2, 3)))]
        for kind, item in sets:
            item["mirrors"] += [""] if kind == _OLD_SETS and chance.random() < 0.05 else []
        lists = {
            name: chance.sample(few, min(chance.choice((0, 1, 1, 2)), len(few)))
            for name, share in (("blockedRegistries", 0.5), ("allowedRegistries", 0.2), ("insecureRegistries", 0.3))
            if chance.random() < share
        }
        for each in lists.values():
            # The API server accepts an empty entry, and the operator does not.
            each.extend([""] if chance.random() < 0.05 else [])
        policies = [[chance.choice(few)] if chance.random() < 0.2 else [] for _each in range(2)]
        yield RegistryRules(lists, sets, chance.choice((*RELEASES, "r.io/release")), *policies)


def image_names(case: RegistryRules) -> Sequence[str]:
    """Return images by tag and by digest, the release among them."""
    chosen = random.Random(str(case)).sample(_IMAGES, 6)
    return [f"{image}{tail}" for image in (case.release, *chosen) for tail in (":v1", f"@{DIGEST}")]


def copies_in(answer: Mapping[str, Any]) -> Sequence[str]:
    """Return the names of the images at their mirrors."""
    return list(dict.fromkeys(name for places in answer["images"] or () for name in places["mirrors"]))


def judge(case: RegistryRules, answer: Mapping[str, Any], blocked: Collection[str] = ()) -> Iterator[str]:
    """Yield the differences between the answer of the oracle and ours. `blocked` are the names at mirrors that containers/image refuses."""
    sets = [MirrorItems(tuple(mirror_items(kind, [_object(kind, item)]))) for kind, item in case.sets]
    sources = registry_sources_of({"spec": {"registrySources": case.sources}})
    registries = registries_for(sources, tuple(sets), f"{case.release}@{DIGEST}")
    policies = ImagePolicies.of(
        [_policy(CLUSTER_POLICIES.kind, scope) for scope in case.cluster],
        [_policy(IMAGE_POLICY, scope) for scope in case.own],
    )
    problem = registries.problem or policies.why_not_rendered(registries)
    if bool(problem) != bool(answer.get("problem")):
        yield f"not rendered: {problem!r}, but {answer.get('problem')!r}"
    elif not problem:
        for image, places in zip(image_names(case), answer["images"], strict=True):
            yield from _judge_image(image, registries, policies, places, blocked)


def _judge_image(
    image: str, registries: NodeRegistries, policies: ImagePolicies, places: Mapping[str, Any], blocked: Collection[str]
) -> Iterator[str]:
    reference = reference_of(image)
    assert reference is not None
    found, is_invalid = registries.mirrors_for(reference), bool(places.get("error"))
    asked = [name for name in places["mirrors"] if name not in blocked]
    if is_invalid != bool(found and found.invalid):
        yield f"{image}: {found}, but {places}"
    elif not is_invalid and list(found.mirrors if found else ()) != asked:
        yield f"{image}: mirrors {found}, but {places} without {blocked}"
    elif found and found.never_source != places["blocked"]:
        yield f"{image}: never contacted {found.never_source}, but {places}"
    if policies.requirement_for(reference, registries.policy) is None:
        is_lost = places["rejected"] or (places["blocked"] and not asked and not is_invalid)
        why = registries.why_not(reference)
        # A source that is never contacted is not a setting of the registries.
        if bool(why) != is_lost and not (found and found.never_source and not found.mirrors):
            yield f"{image}: not allowed {why!r}, but {places}"


def _kind(chance: random.Random) -> Any:
    return chance.choice((_DIGEST_SETS, _DIGEST_SETS, _TAG_SETS, _OLD_SETS))


def _item(chance: random.Random, sources: Sequence[str]) -> dict[str, Any]:
    source = chance.choice(sources)
    mirrors = chance.sample(_MIRRORS, chance.choice((0, 1, 1, 2, 3)))
    if chance.random() < 0.15:
        mirrors.insert(chance.randint(0, len(mirrors)), source)
    policy = {"mirrorSourcePolicy": "NeverContactSource"} if chance.random() < 0.15 else {}
    return {"source": source, "mirrors": mirrors, **policy}


def _object(kind: Any, item: Mapping[str, Any]) -> dict[str, Any]:
    return {"metadata": {"name": "m"}, "spec": {MIRROR_KINDS[kind]: [item]}}


def _policy(kind: Any, scope: str) -> dict[str, Any]:
    return {"metadata": {"name": "p", "namespace": "project"}, "spec": {"scopes": [scope]}}
