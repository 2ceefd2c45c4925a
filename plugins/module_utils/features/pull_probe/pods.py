# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `pull_probe`. The pods that make a node pull an image, and the result that their status shows. Pure.

A pod does as little as possible: it runs only `true`, which the image need not contain, as an unprivileged user and without a token.
`imagePullPolicy: Always` makes the node ask the registry with the pod's credentials even if it has the image (kubernetes
pkg/kubelet/images/image_manager.go). The security context satisfies Pod Security `restricted` and OpenShift's `restricted-v2`. Only
OpenShift sets a user. Otherwise an image that would run as root does not run, which the node reports after the pull.

A kubelet pulls the image first, then creates the configuration of the container, then the container (kubernetes
pkg/kubelet/kuberuntime/kuberuntime_container.go startContainer): a later failure proves the pull, unless the node refuses the image. As
the reason why a container waits, it writes any error unchanged, so a reason that is not known to come before or after the pull is an
error of the pull.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.changes import Change, create
from ...core.errors import OptionError
from ...core.names import check_name, is_name
from ...core.objects import Json, ObjectRef, as_dict, as_list, as_str, metadata
from ...core.text import redact_line, summarize, truncate
from ...explain.subjects import waits_with_image
from ...images.probe_pods import CONTAINER, LABELS
from ...images.pull_messages import CREATE_ERROR, PullAttempt, is_about_image, parse_message
from ...images.pull_rules import OWN_LIMIT
from ...images.pull_rules import UNKNOWN as NO_RULE
from ...images.references import reference_of

_PART = r"[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_LABEL_NAME = re.compile(rf"{_PART}\Z")
_LABEL_VALUE = re.compile(rf"(?:{_PART})?\Z")
#: Maximum number of characters of a rejected value in a message.
_SHOWN = 120
_NODES_ADVICE = "look at the nodes ('oc get nodes'). A rotation needs no probe: credential_rotation_probe: false"


@dataclass(frozen=True)
class PullProbe:
    """A pod for each image and each node selector. An empty selector is a pod on any node.

    `image_pull_secrets` is the pod's own list; if it is empty, the pod gets the list of the account. `timeout`: maximum seconds to wait for
    one pod. `keep_failed`: pods whose image was not pulled are not deleted.
    """

    images: tuple[str, ...]
    service_account: str = "default"
    image_pull_secrets: tuple[str, ...] = ()
    node_selectors: tuple[Mapping[str, str], ...] = ({},)
    timeout: int = 120
    keep_failed: bool = False

    @property
    def pods(self) -> list[tuple[str, Mapping[str, str]]]:
        """The image and the node selector of each pod of a namespace."""
        return [(image, selector) for image in self.images for selector in self.node_selectors]


def from_options(options: Mapping[str, Any]) -> PullProbe:
    """Return the probe that the options ask for.

    :raises OptionError: for an invalid image, name or label, and for an image without a registry.
    """
    check_name("service_account", options["service_account"])
    secrets = tuple(dict.fromkeys(options["image_pull_secrets"] or ()))
    for name in secrets:
        check_name("image_pull_secrets", name)
    return PullProbe(
        _images(options["images"]),
        options["service_account"],
        secrets,
        _selectors(options["node_selectors"]),
        options["timeout"],
        options["keep_failed"],
    )


def _images(given: list[str]) -> tuple[str, ...]:
    if not given:
        raise OptionError("option 'images' is empty: give at least one")
    for image in given:
        reference = reference_of(image)
        if reference is None:
            is_lower = reference_of(image.lower()) is not None
            form = f"{_quote_value(image.lower())}, without upper-case letters" if is_lower else "REGISTRY/PATH:TAG"
            raise OptionError(f"option 'images': {_quote_value(image)} is not the name of an image: give {form}")
        if reference.is_short:
            raise OptionError(
                f"option 'images': {_quote_value(image)} names no registry, so nodes may use different ones: give REGISTRY/PATH:TAG, such as "
                f"{reference}"
            )
    return tuple(dict.fromkeys(given))


def _selectors(given: list[dict[Any, Any]] | None) -> tuple[Mapping[str, str], ...]:
    if given is None:
        return ({},)
    if not given:
        raise OptionError("option 'node_selectors' is empty: give at least one, or leave it out for a pod on any node")
    for selector in given:
        for key, value in selector.items():
            _check_label(key, value)
    return tuple(selector for at, selector in enumerate(given) if selector not in given[:at])


def _check_label(key: Any, value: Any) -> None:
    """:raises OptionError: unless the API server accepts it as a label."""
    prefix, slash, name = key.rpartition("/") if isinstance(key, str) else ("", "", "")
    if not _LABEL_NAME.match(name) or (slash and not is_name(prefix)):
        raise OptionError(f"option 'node_selectors': {_quote_value(key)} cannot be the key of a label")
    if not isinstance(value, str):
        raise OptionError(
            f"option 'node_selectors': the value of {key} is {value!r}, which is not a string: put it in quotes"
        )
    if not _LABEL_VALUE.match(value):
        raise OptionError(f"option 'node_selectors': {_quote_value(value)} cannot be the value of label {key}")


def _quote_value(value: Any) -> str:
    return repr(value if len(str(value)) <= _SHOWN else f"{str(value)[:_SHOWN]}...")


#: Seconds that a pod may run after the end of the wait, so that a pod that is not deleted ends by itself.
_GRACE = 60


def pod_for(ref: ObjectRef, asked: PullProbe, image: str, selector: Mapping[str, str]) -> Change:
    """Return the creation of the pod that makes a node with these labels pull the image."""
    own = [{"name": name} for name in asked.image_pull_secrets]
    spec = {
        "serviceAccountName": asked.service_account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Never",
        "activeDeadlineSeconds": asked.timeout + _GRACE,
        "tolerations": [{"operator": "Exists"}],
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(image)],
        **({"nodeSelector": dict(selector)} if selector else {}),
        **({"imagePullSecrets": own} if own else {}),
    }
    return create(ref, {"metadata": {"labels": LABELS}, "spec": spec}, {"image": image}, {"image": image})


def _container(image: str) -> dict[str, Any]:
    return {
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "Always",
        "command": ["true"],
        # Limits are set because a quota that counts them rejects a pod without limits.
        "resources": {"requests": {"cpu": "1m", "memory": "8Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }


#: The cause if no node has the pod yet.
NOT_SCHEDULED = "not_scheduled"
PULLED, REFUSED, UNKNOWN = "pulled", "refused", "unknown"
OUTCOMES = (PULLED, REFUSED, UNKNOWN)

#: The reasons why a container waits before its image is requested.
_BEFORE = ("", "ContainerCreating", "PodInitializing")
#: A kubelet writes this for a container that it never had, when the pod has ended (kubelet_pods.go, status_manager.go).
_NEVER_SEEN = "ContainerStatusUnknown"

#: Maximum number of characters of a message in the result, and in the error of a namespace.
_MOST, _SAID = 1000, 300
#: Maximum number of pods that the error of a namespace names.
_NAMED = 5


@dataclass(frozen=True)
class Judgement:
    """The result of one pull.

    `cause` is the id of a rule in `images.pull_rules` for a refused pull, an id of this module if nothing was proven, and empty for a
    successful pull. `meaning` and `advice` are texts of this collection. `message` is the cluster's text, redacted. `is_final`: waiting
    longer changes nothing.
    """

    outcome: str
    cause: str = ""
    meaning: str = ""
    message: str = ""
    advice: str = ""
    node: str = ""
    is_final: bool = True


def judge_unknown(cause: str, meaning: str, message: str = "", advice: str = "") -> Judgement:
    """Return an `unknown` result that waiting longer does not change."""
    return Judgement(UNKNOWN, cause, meaning, redact_line(message, _MOST), advice)


def judge_pod(pod: Json) -> Judgement:
    """Return the result that the pod's status proves. If it is not final, it applies when the wait ends."""
    spec, status = as_dict(pod.get("spec")), as_dict(pod.get("status"))
    node, container = as_str(spec.get("nodeName")), _named_container(status.get("containerStatuses"))
    if _has_image(container):
        return Judgement(PULLED, node=node)
    if metadata(pod).get("deletionTimestamp"):
        return judge_deleted(node)
    waiting = as_dict(as_dict(container.get("state")).get("waiting"))
    if as_str(waiting.get("reason")) not in _BEFORE:
        image = as_str(_named_container(spec.get("containers")).get("image"))
        return _judge_refusal(as_str(waiting.get("reason")), as_str(waiting.get("message")), image, node)
    if as_str(status.get("phase")) in ("Succeeded", "Failed"):
        return _judge_ended(status, node)
    return _judge_waiting(status, waiting, node)


def _named_container(containers: object) -> Json:
    return next((each for each in map(as_dict, as_list(containers)) if each.get("name") == CONTAINER), {})


def _has_image(container: Json) -> bool:
    state = as_dict(container.get("state"))
    ended, waiting = as_dict(state.get("terminated")), as_dict(state.get("waiting"))
    # The node refuses an image that it has, as it does at each start of a container.
    if waiting.get("reason") == CREATE_ERROR and is_about_image(as_str(waiting.get("message"))):
        return False
    if as_str(container.get("imageID")) or isinstance(state.get("running"), Mapping):
        return True
    if isinstance(state.get("terminated"), Mapping) and ended.get("reason") != _NEVER_SEEN:
        return True
    return waits_with_image(container)


def _judge_refusal(reason: str, message: str, image: str, node: str) -> Judgement:
    attempt = parse_message(reason, message, image).cause or PullAttempt(
        redact_line(message or reason), NO_RULE, "", is_mirror=False
    )
    rule, meaning, said = attempt.rule, attempt.meaning, truncate(attempt.text, _MOST)
    if rule.id == OWN_LIMIT:
        return Judgement(UNKNOWN, rule.id, meaning, said, "run again, and raise 'timeout'", node, is_final=False)
    return Judgement(REFUSED, rule.id, meaning, said, rule.fix, node)


def judge_deleted(node: str = "") -> Judgement:
    """Return the result for a pod that something else has deleted."""
    return Judgement(
        UNKNOWN,
        "deleted",
        "The pod was deleted before a node answered",
        advice="run only one probe in a namespace at a time, and check for anything else that deletes pods there",
        node=node,
    )


def judge_edited() -> Judgement:
    """Return the result for an edited pod: the report of its node may be about another image."""
    return judge_unknown(
        "edited",
        "The pod was edited before a node answered, so its node may have pulled another image",
        advice="find out who edits pods in that namespace",
    )


def judge_check_mode() -> Judgement:
    """Return the result for a pod that is not created, because the task runs in check mode."""
    return judge_unknown("check_mode", "The image would be pulled: check mode creates no pod")


def judge_without_nodes(message: str = "") -> Judgement:
    """Return the result for a pod on a cluster without a ready node. `message` is that of the scheduler."""
    return Judgement(UNKNOWN, NOT_SCHEDULED, "The cluster has no ready node", message, _NODES_ADVICE)


def _judge_ended(status: Json, node: str) -> Judgement:
    """Return the result for a pod that was evicted, rejected by its node, or ended with it."""
    why = ": ".join(each for each in (as_str(status.get("reason")), as_str(status.get("message"))) if each)
    return Judgement(
        UNKNOWN,
        "not_run",
        "The pod ended before its image was requested",
        redact_line(why, _MOST),
        "check the node, and run again",
        node,
    )


def _judge_waiting(status: Json, waiting: Json, node: str) -> Judgement:
    if not node:
        conditions = [as_dict(each) for each in as_list(status.get("conditions"))]
        said = [as_str(each.get("message")) for each in conditions if each.get("type") == "PodScheduled"]
        return Judgement(
            UNKNOWN,
            NOT_SCHEDULED,
            "No node was found for the pod in time",
            redact_line("".join(said[:1]), _MOST),
            _NODES_ADVICE,
            is_final=False,
        )
    said = [as_str(waiting.get(part)) for part in ("reason", "message")]
    return Judgement(
        UNKNOWN,
        "no_answer",
        "The node did not report a result in time",
        redact_line(": ".join(each for each in said if each), _MOST),
        "raise 'timeout' if the image is large, otherwise set 'keep_failed: true' and check the pod's events",
        node,
        is_final=False,
    )


def result_row(
    image: str, selector: Mapping[str, str], judgement: Judgement, seconds: float, kept: str
) -> dict[str, Any]:
    """Return one pull as a row of the result. `kept` is the name of the pod if it stays, otherwise empty."""
    message = judgement.message or judgement.meaning
    return {
        "image": image,
        "node_selector": dict(selector),
        "node": judgement.node or None,
        "outcome": judgement.outcome,
        "cause": judgement.cause,
        "message": message,
        "seconds": round(seconds, 1),
        "pod": kept or None,
    }


def complaint(asked: PullProbe, found: Sequence[tuple[str, Mapping[str, str], Judgement]]) -> str:
    """Return one line about the refused and unproven pulls of a namespace, or an empty text if all images were pulled."""
    bad = [each for each in found if each[2].outcome != PULLED]
    if not bad:
        return ""
    told = summarize([_sentence(*each) for each in bad], _NAMED, "; ", listed="pulls")
    refused = [image for image, _selector, judgement in bad if judgement.outcome == REFUSED]
    return "; ".join([told, *([_next_step(asked, refused[0])] if refused else [])])


def _sentence(image: str, selector: Mapping[str, str], judgement: Judgement) -> str:
    labels = ",".join(f"{key}={value}" for key, value in selector.items())
    where = f" on node {judgement.node}" if judgement.node else f" on a node with {labels}" if labels else ""
    was_refused = judgement.outcome == REFUSED
    what = "was not pulled" if was_refused else "was neither pulled nor refused"
    # The messages of this collection end with the steps to take, so they are cut less.
    said = f" ({truncate(judgement.message, _SAID if was_refused else _MOST)})" if judgement.message else ""
    first = "correct 'node_selectors', or " if selector and judgement.cause == NOT_SCHEDULED else ""
    advice = f": {first}{judgement.advice[:1].lower()}{judgement.advice[1:]}" if judgement.advice else ""
    meaning = f"{judgement.meaning[:1].lower()}{judgement.meaning[1:]}"
    return f"image {image} {what}{where}: {judgement.cause}, {meaning}{said}{advice}"


def _next_step(asked: PullProbe, image: str) -> str:
    if asked.image_pull_secrets:
        return "to see why, run it with 'keep_failed: true', then pull_access_info with 'pod: NAME' of the pod that is kept"
    return f"to see why, run pull_access_info with 'image: {image}', 'service_account: {asked.service_account}' and 'ask_registries: true'"
