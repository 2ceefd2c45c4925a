# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse a node's messages and events about a failed pull: its attempts, their times, and the cause of each. Pure.

The kubelet wraps the runtime's text several times and joins the texts for several credentials. CRI-O puts the errors of the mirrors
before that of the registry. Sources of the texts: Kubernetes pkg/kubelet/images/image_manager.go, CRI-O server/image_pull.go,
containers/image copy/single.go, containerd internal/cri/server/images. Any of the wrappers may be missing.

Kubernetes pkg/kubelet/images/image_manager.go and pkg/kubelet/events: `Pulling` begins an attempt, `Failed` ends one. `BackOff` is sent
between attempts, without a cause. Events with the same text are one object with the time of the last occurrence. The events about the
image of a volume are about the whole pod: they have no container, and only the text names the image (kuberuntime getImageVolumes).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ..core.objects import Json, Kind, as_dict, as_str
from ..core.text import redact_line
from ..core.times import seconds_of
from ..dockerconfig.registry_keys import DOCKER_HUB
from .pull_rules import CONTENT, OWN_LIMIT, MessageRule, rule_for
from .pull_rules import UNKNOWN as NO_RULE
from .references import reference_of

#: The reason of a container that the runtime could not create.
CREATE_ERROR = "CreateContainerError"
#: The beginning of its message if it is about an image: CRI-O checks a signature (internal/storage IsRunningImageAllowed) or has no image,
#: because it pulled an artifact (containers/image storage/storage_reference.go), or a runtime cannot mount the image of a volume (cri-api
#: pkg/errors ErrImageVolumeMountFailed). The mount can also fail because of the signature.
_MOUNT_FAILED = re.compile(r"(?:rpc error: code = \w+ desc = )?imagevolumemountfailed\b", re.IGNORECASE)
_CHECK_FAILED = re.compile(
    r"(?:rpc error: code = \w+ desc = )?(?:checking signature of |reading image .{0,1000}: image not known)",
    re.IGNORECASE,
)

#: Maximum length of a message in characters. A longer one is cut: the cause is at its beginning or is repeated there.
_LONGEST = 16_384
#: Maximum number of images to search for in each part: the last ones that a message names. Its layers name two or three.
_IMAGES = 8

#: One layer around the rest of a message. `image` is the image that the layer names.
_LAYERS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r'back-off pulling image "(?P<image>[^"]*)"(?:: |$)',
        r'(?:failed to pull|failed to inspect) image "(?P<image>[^"]*)": ',
        r"error: ",
        r"(?:errimagepull|imagepullbackoff|registryunavailable|signaturevalidationfailed|imageinspecterror|invalidimagename): ",
        r"image pull failed for (?P<image>\S+) because the (?:registry is unavailable|signature validation failed): ",
        r"rpc error: code = \w+ desc = ",
        r"unable to pull image(?: or oci artifact)?: (?:pull image err: )?",
        r"(?:error )?initializing source docker://(?P<image>\S+): ",
        r'failed to pull and unpack image "(?P<image>[^"]*)": ',
        r'failed to resolve reference "(?P<image>[^"]*)": ',
        r"error response from daemon: ",
    )
)
_ARTIFACT = "; artifact err: "
#: One of the reasons above, without further text.
_BARE = re.compile(r"(?:errimagepull|imagepullbackoff|registryunavailable|imageinspecterror)\Z", re.IGNORECASE)

#: Beginning of the text for one of several credentials. The kubelet joins them as `[first, second]`.
_BEGINNING = r"(?:rpc error: |failed to |unable to |(?:error )?initializing |registryunavailable: |signaturevalidationfailed: |error )"
_BETWEEN_PARTS = re.compile(rf", (?={_BEGINNING})", re.IGNORECASE)
_AGGREGATE = re.compile(rf"\[(?P<parts>{_BEGINNING}.*)\]\Z", re.IGNORECASE)

_MIRRORS = re.compile(
    r"\(mirrors also failed: \[(?P<mirrors>.*?)\]\): (?:(?P<source>\S+): )?(?P<rest>.*)\Z", re.IGNORECASE
)
_BETWEEN_MIRRORS = re.compile(r"\]\s*\[")
_MIRROR = re.compile(r"(?P<image>\S+): (?P<text>.*)\Z")

_URL = r'https?://[^\s"]*[^\s":,;]'
#: Images and hosts in a text may look like a cause (`registry.example.com/denied`), so each is replaced by `*`, and a request by `->`.
#: A rule can then match the text after it: `Get "https://registry.example.com/v2/": Forbidden` becomes `-> Forbidden`.
_NAMED = (
    (re.compile(rf'\b(?:get|head|post) "?{_URL}"?:?', re.IGNORECASE), "->"),
    (
        re.compile(
            rf"""docker://\S*[^\s:,;] | {_URL} | reading\ manifest\ \S+\ in\ \S+[^\s:] | (?<=pinging\ )(?:container\ )?(?:docker\ )?registry\ [^\s:]+(?::\d+)?
            | (?<=checking\ signature\ of\ )"[^"]*" | registry\ \S+(?=\ is\ blocked) | image\ name\ \S+ | (?<=pull\ access\ denied)\ for\ \S+?(?=,)
            | manifest\ for\ \S+(?=\ not\ found) | (?:image(?:\ name|\ reference|\ tag)?|reference|repository)\ "[^"]*" """,
            re.IGNORECASE | re.VERBOSE,
        ),
        "*",
    ),
)
_TOKEN = re.compile(
    r"requesting bearer token|decoding bearer token|obtain access token|fetch (?:anonymous|oauth) token|decode token response",
    re.IGNORECASE,
)
#: A requested URL. A registry's own text may contain others, such as a page with advice.
_REQUESTED = re.compile(
    rf'(?:\b(?:get|head|post) "?|\brequest to |\bstatus code:? |\blast url ")({_URL})', re.IGNORECASE
)
_CONTENT = re.compile(CONTENT, re.IGNORECASE)
_HOST = re.compile(r"(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?", re.IGNORECASE)


@dataclass(frozen=True)
class PullAttempt:
    """One error of a pull. `text` is redacted. `image` is the requested reference, if the text contains one.

    `server`: the host of the failed request if it is not the registry: a server that the registry refers to, or a mirror. Empty when unknown.
    `is_token_service`: the request was for a token.
    """

    text: str
    rule: MessageRule
    image: str
    is_mirror: bool
    server: str = ""
    is_token_service: bool = False

    @property
    def meaning(self) -> str:
        """The meaning of the rule, with the server that failed."""
        if self.is_token_service:
            named = f"the token service {self.server}" if self.server else "the registry's token service"
            return self.rule.meaning_at(named)
        return self.rule.meaning_at(self.server) if self.server else self.rule.meaning


@dataclass(frozen=True)
class PullMessage:
    """`attempts` are in chronological order: mirrors before their source, credentials as they were tried.

    Without attempts, the message does not contain a cause.
    """

    attempts: Sequence[PullAttempt]

    @property
    def cause(self) -> PullAttempt | None:
        """The error to fix first. If the source is unreachable, as on a site that relies on mirrors, it is the mirror's error.

        An attempt that fails after it got the manifest has the right login, whatever the errors with other logins are.
        """
        if after_manifest := next((attempt for attempt in self.attempts if _CONTENT.search(attempt.text)), None):
            return after_manifest
        sources = [attempt for attempt in self.attempts if not attempt.is_mirror]
        mirrors = [attempt for attempt in self.attempts if attempt.is_mirror]
        if mirrors and all(attempt.rule.id in _NO_CONNECTION for attempt in sources):
            return mirrors[0]
        return next(iter(sources or mirrors), None)


_NO_CONNECTION = ("dns", "connection_refused", "timeout", "blocked_by_config", "proxy")


def is_about_image(message: str) -> bool:
    """Whether a container with reason `CREATE_ERROR` could not be created because of an image."""
    return bool(_CHECK_FAILED.match(message)) or is_about_volume(message)


def is_about_volume(message: str) -> bool:
    """Whether it could not be created because of the image of a volume."""
    return bool(_MOUNT_FAILED.match(message))


def parse_message(reason: str, message: str = "", image: str = "") -> PullMessage:
    """Return the parsed `state.waiting` or event of a container. `reason` may be any text, because the kubelet stores raw errors there.

    `image` is the image of the pod, because CRI-O's text for a blob does not name it.
    """
    text = redact_line(message or reason, _LONGEST)
    return PullMessage(tuple(_attempts(*_peel_layers(text, [image] if image else []))))


def _peel_layers(text: str, images: Sequence[str] = ()) -> tuple[str, tuple[str, ...]]:
    """The text without its layers, and the images that the layers name."""
    found = [*images]
    while layer := next((match for pattern in _LAYERS if (match := pattern.match(text))), None):
        found += [image for image in (layer.groupdict().get("image"),) if image]
        text = text[layer.end() :]
    return text, tuple(dict.fromkeys(found))[-_IMAGES:]


def _attempts(text: str, images: Sequence[str]) -> Iterator[PullAttempt]:
    if aggregate := _AGGREGATE.match(text):
        for part in _BETWEEN_PARTS.split(aggregate["parts"]):
            yield from _attempts(*_peel_layers(part, images))
        return
    text = text.partition(_ARTIFACT)[0].rstrip()
    if with_mirrors := _MIRRORS.match(text):
        for mirror in _BETWEEN_MIRRORS.split(with_mirrors["mirrors"]):
            named = _MIRROR.match(mirror)
            image, said = (named["image"], named["text"]) if named else ("", mirror)
            yield _attempt(said, [image, *images], image, is_mirror=True)
        source = with_mirrors["source"] or next(iter(images), "")
        yield _attempt(with_mirrors["rest"], [source, *images], source)
        return
    if text and not _BARE.match(text):
        yield _attempt(text, images, images[-1] if images else "")


def _attempt(text: str, images: Sequence[str], image: str, *, is_mirror: bool = False) -> PullAttempt:
    rule = rule_for(without_names(text, images))
    return PullAttempt(text, rule, image, is_mirror, _server(text, image), bool(_TOKEN.search(text)))


def _server(text: str, image: str) -> str:
    """The host of the last request if it is not the registry of the image. Empty otherwise, and when it is unknown."""
    reference, asked = reference_of(image) if image else None, _REQUESTED.findall(text)
    if reference is None or reference.is_short or not asked:
        return ""
    host = asked[-1].partition("://")[2].partition("/")[0]
    is_registry = host == reference.host or {host, reference.host} <= DOCKER_HUB
    return "" if is_registry or not _HOST.fullmatch(host) else host


def without_names(text: str, images: Sequence[str]) -> str:
    """Return the text with `*` for each image and host, and `->` for each request."""
    for expression, sign in _NAMED:
        text = expression.sub(sign, text)
    for name in sorted({name for image in images for name in _names_of(image)}, key=len, reverse=True):
        text = text.replace(name, "*")
    return text


def _names_of(image: str) -> Iterator[str]:
    """The image with and without its tag, digest and host, and its host. A single short word is left out: it may be part of a cause."""
    name = image.partition("@")[0]
    repository = name if "/" in name.rpartition(":")[2] else name.rpartition(":")[0] or name
    host, _slash, path = repository.partition("/")
    for part in (image, name, repository, host):
        if set(".:/") & set(part):
            yield part
    if "/" in path and set(".:") & set(host):
        yield path


#: A reference of this kind stands for the events of the pod of that name.
POD_EVENTS = Kind("v1", "Event", "events", "events of pod")

_CONTAINER = re.compile(r"\{([^{}]*)\}\Z")
_FAILED = re.compile(r"failed to pull image|error: (?!imagepullbackoff)", re.IGNORECASE)
#: Causes that hide an earlier cause.
_HIDE = (OWN_LIMIT, NO_RULE.id)
#: Maximum number of events that are searched for a cause, newest first: users of the namespace control their number and length.
_SEARCHED = 10


@dataclass(frozen=True)
class _Event:
    at: int
    message: str


@dataclass(frozen=True)
class PodEvents:
    """`began`, `failed` and `ended_well` are the attempts for one image, newest first."""

    began: Sequence[_Event] = ()
    failed: Sequence[_Event] = ()
    ended_well: Sequence[_Event] = ()

    @property
    def last_attempt(self) -> int | None:
        """When the last finished attempt began, in seconds since 1970. An attempt that is still in progress does not count."""
        times = [events[0].at for events in (self.began, self.failed) if events]
        return min(times, default=None)

    @property
    def cause(self) -> PullAttempt | None:
        """The latest known cause."""
        found = (parse_message("Failed", event.message).cause for event in self.failed[:_SEARCHED])
        return next((cause for cause in found if cause is not None and cause.rule.id not in _HIDE), None)

    @property
    def standing_cause(self) -> PullAttempt | None:
        """The latest known cause, unless a later attempt succeeded."""
        times = [events[0].at if events else 0 for events in (self.failed, self.ended_well)]
        return self.cause if times[0] > times[1] else None


def pod_events(events: Iterable[Json], container: str, uid: str = "", volume_image: str = "") -> PodEvents:
    """Return the events of one container of the pod, or of the image of a volume if there is one.

    `uid`: ignore events of an older pod of the same name.
    """
    found = [as_dict(event) for event in events]
    ours = [
        event
        for event in found
        if _is_of_pod(event, uid)
        and (_names_image(event, volume_image) if volume_image else _container_of(event) == container)
    ]
    return PodEvents(
        _sort_latest_first(event for event in ours if event.get("reason") == "Pulling"),
        _sort_latest_first(
            event for event in ours if event.get("reason") == "Failed" and _FAILED.match(as_str(event.get("message")))
        ),
        _sort_latest_first(event for event in ours if event.get("reason") == "Pulled"),
    )


def _is_of_pod(event: Json, uid: str) -> bool:
    given = as_str(as_dict(event.get("involvedObject")).get("uid"))
    return not uid or not given or given == uid


def _container_of(event: Json) -> str | None:
    named = _CONTAINER.search(as_str(as_dict(event.get("involvedObject")).get("fieldPath")))
    return named[1] if named is not None else None


def _names_image(event: Json, image: str) -> bool:
    """Whether the event is about the whole pod and this image. The kubelet quotes its name."""
    return _container_of(event) is None and f'"{image}"' in as_str(event.get("message"))


def _sort_latest_first(events: Iterator[Json]) -> Sequence[_Event]:
    found = [_Event(at, as_str(event.get("message"))) for event in events if (at := _time(event)) is not None]
    return sorted(found, key=lambda event: event.at, reverse=True)


def _time(event: Json) -> int | None:
    """The time of the latest occurrence."""
    series = as_dict(event.get("series"))
    given = (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event.get("firstTimestamp"),
    )
    return next((at for each in given if (at := seconds_of(each)) is not None), None)
