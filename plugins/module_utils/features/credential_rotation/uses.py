# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a login must be good for: the images of a registry that the pods and workloads of namespaces use. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.objects import Json, Kind, metadata
from ...core.shapes import mapping, sequence, text
from ...dockerconfig.exchange import Exchange
from ...dockerconfig.key_matching import kubelet_keys
from ...nodes.pull_messages import understand
from ...nodes.references import Reference, reference_of
from ...pulls.subjects import POD, WORKLOADS, Subject, of_pod, of_workload
from .copies import Copy, second_name

__all__ = ["READ", "Use", "failing", "in_use", "kept_uses", "secret_for", "used_images"]

#: The kinds that say which images are used.
READ: Sequence[Kind] = (POD, *WORKLOADS.values())

#: Why a pull fails that another login could mend.
_OF_LOGINS = ("bad_credentials", "denied", "no_credentials", "unauthorized")
_USES = "uses"


@dataclass(frozen=True)
class Use:
    """One container that uses an image of the registries.

    `secrets` are the names in the list of its pod. `cause` is why the node could not pull the image, by the login; empty otherwise.
    """

    image: Reference
    what: str
    container: str
    secrets: tuple[str, ...] = ()
    cause: str = ""


def kept_uses(kind: Kind, obj: Json, exchange: Exchange) -> Json | None:
    """Of a pod or workload, only which images of the registries it uses; None when none."""
    if _is_over(kind, obj):
        return None
    meta = metadata(obj)
    namespace = text(meta.get("namespace"))
    subjects = of_pod(obj, namespace) if kind == POD else of_workload(kind, obj, namespace)
    uses = [use for subject in subjects if (use := _use(subject, exchange)) is not None]
    return {"metadata": {"namespace": namespace, "name": text(meta.get("name"))}, _USES: uses} if uses else None


def in_use(objects: Iterable[Json]) -> list[Use]:
    """Of what `kept_uses` left."""
    return [use for obj in objects for use in obj[_USES]]


def used_images(uses: Mapping[str, Sequence[Use]], keys: Mapping[str, Collection[str]]) -> dict[str, list[Reference]]:
    """For each namespace the images that a login under one of its keys is for, each once; `keys` under "" are the nodes', good for all."""
    found: dict[str, list[Reference]] = {}
    for namespace, every in uses.items():
        held = [*keys.get(namespace, ()), *keys.get("", ())]
        images = dict.fromkeys(use.image for use in every)
        matching = [image for image in images if held and kubelet_keys(held, image.repository)]
        if matching:
            found[namespace] = sorted(matching, key=str)
    return found


def secret_for(image: Reference, copies: Iterable[Copy]) -> tuple[str, str] | None:
    """When the first secret with a key for the image was created, and its name; None where only the nodes' secrets have one."""
    found: dict[str, tuple[str, str]] = {}
    for copy in sorted(copies, key=lambda copy: (copy.created, copy.ref.name)):
        if not copy.is_of_nodes:
            name = second_name(copy.ref.name) if copy.is_immutable else copy.ref.name
            for key in copy.found.old:
                found.setdefault(key, (copy.created, name))
            for key in copy.found.new:
                found.setdefault(key, (copy.created, copy.ref.name))
    keys = kubelet_keys(found, image.repository)
    return min(found[key] for key in keys) if keys else None


def failing(uses: Mapping[str, Sequence[Use]], copies: Mapping[str, Sequence[Copy]]) -> Iterator[dict[str, Any]]:
    """The images that nodes cannot pull with a secret of this rotation, by namespace: a controller recreates the failing pods.

    Only pods that list such a secret, for an image that one of its keys is for: whatever else a pod cannot pull has other causes.
    `place` tells one from another; `pod` and `container` are the first, `containers` how many they are.
    """
    for namespace, every in sorted(uses.items()):
        keys = {copy.ref.name: [*copy.found.old, *copy.found.new] for copy in copies.get(namespace, ())}
        failed: dict[Reference, list[Use]] = {}
        for use in every:
            held = [key for name in use.secrets for key in keys.get(name, ())]
            if use.cause and kubelet_keys(held, use.image.repository):
                failed.setdefault(use.image, []).append(use)
        for image, found in sorted(failed.items(), key=lambda each: str(each[0])):
            first = min(found, key=lambda use: (use.what, use.container))
            row = {
                "place": f"{namespace} {image}",
                "namespace": namespace,
                "image": str(image),
                "repository": image.repository,
            }
            yield {
                **row,
                "cause": first.cause,
                "pod": first.what,
                "container": first.container,
                "containers": len(found),
            }


def _use(subject: Subject, exchange: Exchange) -> Use | None:
    image = reference_of(subject.image)
    if image is None or not exchange.is_in(image.repository):
        return None
    attempt = understand(subject.reason, subject.message).cause if subject.reason or subject.message else None
    cause = attempt.rule.id if attempt is not None and attempt.rule.id in _OF_LOGINS else ""
    return Use(image, subject.ref.name, subject.container, tuple(subject.own), cause)


def _is_over(kind: Kind, obj: Json) -> bool:
    """Whether it pulls nothing any more, or what it pulls is told by another object."""
    status = mapping(obj.get("status"))
    if kind == POD:
        return status.get("phase") in ("Succeeded", "Failed")
    controlled = any(mapping(owner).get("controller") for owner in sequence(metadata(obj).get("ownerReferences")))
    return controlled or bool(status.get("completionTime"))
