# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the images that a login must be able to pull, and the pulls that may still use the old one. Pure.

A kubelet reads the pull secrets of a pod before it creates the sandbox, and then queues the pulls. So a pull uses the login that the
secret had when the node started the pod (kubernetes pkg/kubelet/kubelet.go SyncPod). The next attempt for a container reads them again.
So all pulls that are under way after the last write are suspect until they end. Pulls that begin later are not.

Times are not compared, because the clocks of servers, nodes and the controller differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.objects import POD, Json, Kind, as_dict, as_int, as_list, as_str, metadata
from ...core.text import pluralize, summarize
from ...dockerconfig.editing import LoginReplacement
from ...dockerconfig.registry_keys import kubelet_keys
from ...explain.subjects import (
    STATUSES,
    WORKLOADS,
    ContainerPull,
    PodImage,
    images_of,
    pulls_of_pod,
    template_of,
    waits_with_image,
)
from ...explain.workload_pods import is_controlled, is_ended
from ...images.pull_messages import parse_message
from ...images.references import Reference, reference_of
from ...platform.account_lists import names_in
from .plan import NAMED, SHOWN, Copy, second_name

#: The kinds of objects that use images.
READ: Sequence[Kind] = (POD, *WORKLOADS.values())

#: Causes of failed pulls that another login could fix.
_OF_LOGINS = ("bad_credentials", "denied", "no_credentials", "unauthorized")
#: Causes of failed pulls that fail again with any login that the node has read.
_LASTING = (
    *_OF_LOGINS,
    "not_found",
    "invalid_name",
    "never_pull",
    "blocked_by_config",
    "policy_rejected",
    "signature",
    "signature_at_start",
    "volume_mount",
)
_USES = "uses"


@dataclass(frozen=True)
class PullState:
    """The state of the pull of one image, from the status of a pod.

    `said` is the node's error with its reason. `may_be_under_way`: the node may be pulling the image with the secrets that it read before.
    """

    uid: str
    has_image: bool
    said: str = ""
    may_be_under_way: bool = False


@dataclass(frozen=True)
class Use:
    """One container, or one image volume, that uses an image of the registries.

    `container` is, for a volume, the first container that mounts it. `secrets` are the names in the list of its pod. `cause` is the
    login-related cause of a failed pull; empty otherwise. `state` is the state of the pull, None for a workload.
    """

    image: Reference
    what: str
    container: str
    secrets: tuple[str, ...] = ()
    cause: str = ""
    state: PullState | None = None
    volume: str = ""


def trim_to_uses(kind: Kind, obj: Json, exchange: LoginReplacement) -> Json | None:
    """Return only the uses of images of the registries by a pod or workload. None if there are none."""
    if _is_over(kind, obj):
        return None
    meta = metadata(obj)
    spec = as_dict(obj.get("spec")) if kind == POD else as_dict(template_of(obj).get("spec"))
    images = [(each, image) for each in images_of(spec) if (image := _image(each, exchange)) is not None]
    if not images:
        return None
    namespace, name = as_str(meta.get("namespace")), as_str(meta.get("name"))
    secrets = tuple(dict.fromkeys(names_in(spec, "imagePullSecrets")))
    pod = _PodStatus.of(obj, namespace) if kind == POD else None
    uses = [_use(each, image, name, secrets, pod) for each, image in images]
    return {"metadata": {"namespace": namespace, "name": name}, _USES: uses}


def collect_uses(objects: Iterable[Json]) -> list[Use]:
    """Return the uses in objects that `trim_to_uses` returned."""
    return [use for obj in objects for use in obj[_USES]]


def used_images(uses: Mapping[str, Sequence[Use]], keys: Mapping[str, Collection[str]]) -> dict[str, list[Reference]]:
    """Return, for each namespace, the images that match one of its keys. `keys` under "" are those of the nodes, for all namespaces."""
    found: dict[str, list[Reference]] = {}
    for namespace, every in uses.items():
        held = [*keys.get(namespace, ()), *keys.get("", ())]
        images = dict.fromkeys(use.image for use in every)
        matching = [image for image in images if held and kubelet_keys(held, image.repository)]
        if matching:
            found[namespace] = sorted(matching, key=str)
    return found


def secret_for(image: Reference, copies: Iterable[Copy]) -> tuple[str, str] | None:
    """Return the creation time and name of the first secret with a key for the image. None if only the nodes' secrets have one."""
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


def uses_with_secrets(
    uses: Mapping[str, Sequence[Use]], copies: Mapping[str, Sequence[Copy]]
) -> Iterator[tuple[str, list[Use]]]:
    """Yield, by namespace, the uses that pull with a secret of this rotation: their pod lists one with a key for the image.

    `copies` under "" are the pull secrets of the nodes, which apply to all namespaces.
    """
    of_nodes = _keys(copies.get("", ()))
    for namespace, every in sorted(uses.items()):
        keys = {copy.ref.name: _keys([copy]) for copy in copies.get(namespace, ())}
        if keys or of_nodes:
            yield (
                namespace,
                [use for use in every if kubelet_keys(_keys_of_use(use, keys, of_nodes), use.image.repository)],
            )


def _keys(copies: Iterable[Copy]) -> list[str]:
    return [key for copy in copies for key in (*copy.found.old, *copy.found.new)]


def _keys_of_use(use: Use, keys: Mapping[str, Sequence[str]], of_nodes: Sequence[str]) -> list[str]:
    return [*of_nodes, *(key for name in use.secrets for key in keys.get(name, ()))]


def find_failing_images(
    uses: Mapping[str, Sequence[Use]], copies: Mapping[str, Sequence[Copy]]
) -> Iterator[dict[str, Any]]:
    """Yield the images that nodes cannot pull with a secret of this rotation, by namespace, because controllers recreate failing pods.

    Only pods count that list such a secret with a key for the image. Other failures have other causes.
    `place` identifies the row; `pod` and `container` are the first ones, `containers` is their number.
    """
    for namespace, every in uses_with_secrets(uses, copies):
        failed: dict[Reference, list[Use]] = {}
        for use in every:
            if use.cause:
                failed.setdefault(use.image, []).append(use)
        for image, found in sorted(failed.items(), key=lambda each: str(each[0])):
            first = min(found, key=lambda use: (use.what, use.container))
            row = {
                "place": _place(namespace, image),
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


def find_undecided_images(uses: Mapping[str, Sequence[Use]], copies: Mapping[str, Sequence[Copy]]) -> Iterator[str]:
    """Yield the `place`, as in `failing`, of each image that pods wait for and none has.

    A pod without a status, or with an error that hides the previous one, such as `pull QPS exceeded`, may have failed all along. So a
    later failure there is not evidence against a login.
    """
    for namespace, every in uses_with_secrets(uses, copies):
        states: dict[Reference, list[bool]] = {}
        for use in every:
            if use.state is not None:
                states.setdefault(use.image, []).append(use.state.has_image)
        yield from sorted(_place(namespace, image) for image, found in states.items() if not any(found))


def _place(namespace: str, image: Reference) -> str:
    return f"{namespace} {image}"


def _image(each: PodImage, exchange: LoginReplacement) -> Reference | None:
    image = reference_of(each.image)
    return image if image is not None and exchange.is_in(image.repository) else None


@dataclass(frozen=True)
class _PodStatus:
    """The status of a pod. `pulling`: containers whose image the node may be pulling now. Volumes are pulled before all.

    `restarting`: ended containers that start again. The node then pulls the images with the pull policy Always. `waiting`: containers
    that wait for something else than a pull, such as a ConfigMap, with their images on the node. They also start again.
    """

    uid: str
    pulls: Mapping[tuple[str, str], ContainerPull]
    pulling: Collection[str]
    restarting: Collection[str]
    waiting: Collection[str]

    @classmethod
    def of(cls, pod: Json, namespace: str) -> _PodStatus:
        pulls = {(subject.container, subject.volume): subject for subject in pulls_of_pod(pod, namespace)}
        uid = as_str(metadata(pod).get("uid"))
        pulling, restarting = frozenset(_pulling_containers(pod)), frozenset(_restarting_containers(pod))
        return cls(uid, pulls, pulling, restarting, frozenset(_waiting_containers(pod)))

    def pull_of(self, each: PodImage) -> ContainerPull:
        return self.pulls["" if each.volume else each.containers[0], each.volume]

    def state_of(self, each: PodImage, cause: str) -> PullState:
        subject = self.pull_of(each)
        said = f"{subject.reason}: {subject.message}" if subject.reason else ""
        has_image = subject.is_pulled or bool({*each.containers} & {*self.waiting})
        is_pulled_again = each.pull_policy == "Always" and bool({*each.containers} & {*self.restarting, *self.waiting})
        has_ended = cause in _LASTING or (has_image and not is_pulled_again)
        waits = self._is_waiting(each) and not has_ended
        return PullState(self.uid, has_image, said, waits)

    def _is_waiting(self, each: PodImage) -> bool:
        """Whether a node may be pulling the image. All volumes were tried before the first container started, even unmounted ones."""
        if each.volume and not each.containers:
            has_tried = bool(self.waiting) or any(subject.is_pulled for subject in self.pulls.values())
            return bool(self.pulling) and not has_tried
        return bool(each.volume and self.pulling) or bool({*each.containers} & {*self.pulling})


def _pulling_containers(pod: Json) -> Iterator[str]:
    """Yield the containers whose image a node may be pulling: none before it has the pod, and none that must wait for another one."""
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    if not as_str(spec.get("nodeName")) or metadata(pod).get("deletionTimestamp"):
        return
    yield from (as_str(as_dict(each).get("name")) for each in as_list(spec.get("ephemeralContainers")))
    states = {as_str(each.get("name")): each for each in map(as_dict, as_list(status.get("initContainerStatuses")))}
    restarting, waiting = {*_restarting_containers(pod)}, {*_waiting_containers(pod)}
    for container in map(as_dict, as_list(spec.get("initContainers"))):
        name = as_str(container.get("name"))
        state = as_dict(states.get(name, {}).get("state"))
        is_sidecar = container.get("restartPolicy") == "Always"
        if is_sidecar and (name in restarting or name in waiting):  # The containers after it may have begun.
            yield name
        elif name in restarting or not ("terminated" in state or (is_sidecar and "running" in state)):
            yield name
            return
    yield from (as_str(as_dict(each).get("name")) for each in as_list(spec.get("containers")))


def _waiting_containers(pod: Json) -> Iterator[str]:
    status = as_dict(pod.get("status"))
    for part in STATUSES:
        yield from (
            as_str(each.get("name")) for each in map(as_dict, as_list(status.get(part))) if waits_with_image(each)
        )


def _restarting_containers(pod: Json) -> Iterator[str]:
    """Yield the ended containers that a node starts again. Until they start, the status shows the state of the ended ones."""
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    policy = as_str(spec.get("restartPolicy")) or "Always"
    # An init container runs until it succeeds.
    of_init = "OnFailure" if policy == "Always" else policy
    for part, statuses, default in (
        ("initContainers", "initContainerStatuses", of_init),
        ("containers", "containerStatuses", policy),
    ):
        states = {
            as_str(each.get("name")): as_dict(each.get("state")) for each in map(as_dict, as_list(status.get(statuses)))
        }
        for container in map(as_dict, as_list(spec.get(part))):
            name = as_str(container.get("name"))
            own = as_str(container.get("restartPolicy")) or default
            if "terminated" in states.get(name, {}):
                has_failed = bool(as_int(as_dict(states[name]["terminated"]).get("exitCode")))
                if own == "Always" or (own == "OnFailure" and has_failed):
                    yield name


def _use(each: PodImage, image: Reference, name: str, secrets: tuple[str, ...], pod: _PodStatus | None) -> Use:
    use = Use(image, name, next(iter(each.containers), ""), secrets, volume=each.volume)
    if pod is None:
        return use
    subject = pod.pull_of(each)
    attempt = parse_message(subject.reason, subject.message).cause if subject.reason else None
    rule = attempt.rule.id if attempt is not None else ""
    return replace(use, cause=rule if rule in _OF_LOGINS else "", state=pod.state_of(each, rule))


def _is_over(kind: Kind, obj: Json) -> bool:
    """Whether the object pulls nothing any more, or another object covers its pulls."""
    if kind == POD:
        return as_dict(obj.get("status")).get("phase") in ("Succeeded", "Failed")
    return is_controlled(obj) or is_ended(obj)


#: Events that a node sends before it reads the secrets of a pod, or after a failed start. It then reads the secrets again.
_OF_PODS = ("FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox")
#: Events that end the attempt for one container.
_OF_CONTAINERS = ("Failed", "BackOff")


@dataclass(frozen=True)
class PendingPull:
    """A pull that may be under way. `said` is the error of the previous attempt, empty if there is none."""

    namespace: str
    pod: str
    uid: str
    container: str
    volume: str
    image: str
    said: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.uid, self.container, self.volume

    @property
    def row(self) -> dict[str, str]:
        return {"namespace": self.namespace, "pod": self.pod, "container": self.container, "image": self.image}


#: Number of events by pod UID, container (empty for the whole pod) and reason, with the latest time. The number only grows.
EventCounts = Mapping[tuple[str, str, str], tuple[int, str]]


def find_pending(uses: Mapping[str, Sequence[Use]], copies: Mapping[str, Sequence[Copy]]) -> list[PendingPull]:
    """Return the pulls with a secret of the rotation that may be under way."""
    return [
        PendingPull(namespace, use.what, use.state.uid, use.container, use.volume, str(use.image), use.state.said)
        for namespace, every in uses_with_secrets(uses, copies)
        for use in every
        if use.state is not None and use.state.may_be_under_way
    ]


def filter_pending(
    first: Iterable[PendingPull], now: Iterable[PendingPull], before: EventCounts, after: EventCounts
) -> list[PendingPull]:
    """Return the pulls of `first` whose attempt is not known to have ended since then.

    `before` and `after` are the event counts at two moments after the first look. An event between them ends the attempt.
    """
    there = {each.key: each for each in now}
    return [each for each in first if each.key in there and not _has_ended(each, there[each.key], before, after)]


def _has_ended(first: PendingPull, now: PendingPull, before: EventCounts, after: EventCounts) -> bool:
    if now.said and now.said != first.said:
        return True
    ends = [("", reason) for reason in _OF_PODS] + [(first.container, reason) for reason in _OF_CONTAINERS]
    return any(after.get((first.uid, *end), (0, "")) > before.get((first.uid, *end), (0, "")) for end in ends)


def event_counts(events: Iterable[Json]) -> EventCounts:
    """Count events as the API server lists them. Users can write events about pods of their own namespace."""
    found: dict[tuple[str, str, str], tuple[int, str]] = {}
    for event in events:
        about = as_dict(event.get("involvedObject"))
        container = as_str(about.get("fieldPath")).rpartition("{")[2].rstrip("}")
        key = (as_str(about.get("uid")), container, as_str(event.get("reason")))
        series = as_dict(event.get("series"))
        count = as_int(series.get("count")) or as_int(event.get("count")) or 1
        last = as_str(series.get("lastObservedTime")) or as_str(event.get("lastTimestamp"))
        seen = found.get(key, (0, ""))
        # One reason can have several events with different texts.
        found[key] = (seen[0] + count, max(seen[1], last))
    return found


def trim_event(event: Json) -> dict[str, Any]:
    """Return the parts of an event that `event_counts` reads."""
    about = as_dict(event.get("involvedObject"))
    kept = {name: about.get(name) for name in ("uid", "fieldPath")}
    times = {name: event.get(name) for name in ("reason", "count", "series", "lastTimestamp")}
    return {"metadata": {"namespace": as_dict(event.get("metadata")).get("namespace")}, "involvedObject": kept, **times}


@dataclass(frozen=True)
class WaitResult:
    """`left`: pulls that may still use the old login. `error`: why these are unknown. `no_events`: why their events are unknown."""

    left: Sequence[PendingPull] = ()
    error: str = ""
    no_events: str = ""

    @property
    def members(self) -> dict[str, Any]:
        return {
            "pending_pulls": [pull.row for pull in self._spread[:SHOWN]],
            "pending_pulls_count": len(self.left),
        }

    @property
    def _spread(self) -> list[PendingPull]:
        """Return the first pull of each namespace before its others, so that a user does not hide those of other namespaces."""
        counts: Counter[str] = Counter()
        ranked = []
        for pull in self.left:
            ranked.append((counts[pull.namespace], pull))
            counts[pull.namespace] += 1
        return [pull for _rank, pull in sorted(ranked, key=lambda each: each[0])]

    @property
    def notes(self) -> Iterator[str]:
        if self.error:
            yield f"it is not known whether nodes still pull with the old login: {self.error}"
        if self.left:
            pods = summarize([f"{pull.namespace}/{pull.pod} ({pull.image})" for pull in self._spread], NAMED)
            places = pluralize(len({pull.namespace for pull in self.left}), "namespace")
            yield (
                f"{pluralize(len(self.left), 'pull')} in {places} that may use the old login did not end in time: {pods}. Once the old login is "
                "disabled, these pulls can fail once, and the node then retries with the new login"
            )
            if self.no_events:
                yield f"events, which show ended pulls, could not be read: {self.no_events}"


def uses_in(uses: Mapping[str, Sequence[Use]], places: Iterable[str]) -> dict[str, Sequence[Use]]:
    return {name: uses[name] for name in places if name in uses}


def keys_of(held: Mapping[str, Sequence[Copy]]) -> dict[str, list[str]]:
    return {
        name: list(dict.fromkeys(key for copy in copies for key in (*copy.found.old, *copy.found.new)))
        for name, copies in held.items()
    }
