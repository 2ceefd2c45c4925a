# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the registry that serves an image has it for the architectures of the nodes. Pure.

The first place with a manifest serves the image (containers/image docker/docker_image_src.go). If that is an index without the node's
architecture, no other place is tried, and the pull with this login fails. An image without an index is pulled by every node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...core.objects import Json, as_str, as_strs
from ...core.text import join_and, summarize
from ..lookup import architectures_for
from ..verdict import (
    MAY_NOT_RUN,
    UNKNOWN,
    WILL_NOT_PULL,
    WILL_NOT_RUN,
    Step,
    StepResult,
    failure,
    info,
    unknown,
)
from .asked import COPY, PullRoute, RegistryAttempt, read_attempts, serving_attempts

__all__ = ["PLATFORM", "explain_platform"]

#: The name of the step at the source. A mirror is judged by its copy.
PLATFORM = "platform"
#: Maximum number of nodes in one message.
_SHOWN = 3
#: The name for an entry of an index that is for each architecture (clients/registry/image_index.py).
_ANY = "*"
_DEPENDS = "it depends on the architecture of the node: "
_COPY_ALL = ". Copy the image with all its architectures, as skopeo sync --all and oc-mirror do"
#: The verdicts if it is not known which registry serves the image.
_DOUBTS = {WILL_NOT_PULL: UNKNOWN, WILL_NOT_RUN: MAY_NOT_RUN}


def explain_platform(route: PullRoute) -> Iterator[StepResult]:
    """Yield a result if a node does not get an image for its architecture, or if that is not known. At least one registry serves the image.

    :raises ReadRequired: when the nodes have to be read first.
    """
    serving = serving_attempts(route)
    attempts = serving or [each for each in read_attempts(route) if each.pulls]
    if all(each.architectures is None for each in attempts):
        return
    nodes, unread = architectures_for(route.subject, route.evidence)
    results = [_judge(route, each, nodes, unread) for each in attempts]
    # The kubelet goes on to the next login after a failed pull.
    result = next((each for each in results if each is None or each.verdict != WILL_NOT_PULL), results[0])
    if result is None:
        return
    if not serving and result.verdict in _DOUBTS and result.step is not None:
        result = replace(result, step=replace(result.step, ok=None), verdict=_DOUBTS[result.verdict])
    yield result


def _judge(
    route: PullRoute, attempt: RegistryAttempt, nodes: Mapping[str, Sequence[str]], unread: str
) -> StepResult | None:
    """The result if this attempt serves the image, or None if nothing speaks against it."""
    answer = attempt.architectures
    if answer is None:
        return None
    is_index = answer.get("is_index") is True
    if route.subject.volume and not is_index:
        return None  # no program of a volume runs
    names = as_strs(answer.get("names"))
    if why := _why_unknown(answer, names, unread):
        return _doubt(why, attempt, is_index=is_index)
    lacking = {name: each for name, each in nodes.items() if name not in names and _ANY not in names}
    if not lacking:
        return None
    judge = _judge_index if is_index else _judge_image
    return judge(attempt, names, lacking, is_everywhere=len(lacking) == len(nodes))


def _why_unknown(answer: Json, names: Sequence[str], unread: str) -> str:
    if why := as_str(answer.get("unread")):
        return why
    which = join_and(sorted(names)) or "no architecture"
    return f"the image is for {which}, and the architectures of the nodes are not known: {unread}" if unread else ""


def _doubt(why: str, attempt: RegistryAttempt, *, is_index: bool) -> StepResult:
    """The result for unknown architectures. Somebody has chosen what to copy to a mirror. The source has what the pod names."""
    if attempt.is_source:
        return info(PLATFORM, why, ok=None)
    return unknown(COPY, why) if is_index else StepResult(Step(COPY, why, None), MAY_NOT_RUN, why)


def _judge_index(
    attempt: RegistryAttempt, _names: Sequence[str], lacking: Mapping[str, Sequence[str]], *, is_everywhere: bool
) -> StepResult:
    image, host = attempt.question.image, attempt.question.repository.partition("/")[0]
    said = f"registry {host} has no image for {join_and(sorted(lacking))} in {image}"
    step, more = (PLATFORM, "") if attempt.is_source else (COPY, _COPY_ALL)
    if is_everywhere:
        return failure(step, f"{said}{more}")
    return unknown(step, f"{_DEPENDS}{said}, which {_describe_nodes(lacking)} would need{more}")


def _judge_image(
    attempt: RegistryAttempt, names: Sequence[str], lacking: Mapping[str, Sequence[str]], *, is_everywhere: bool
) -> StepResult:
    step, more = (PLATFORM, "") if attempt.is_source else (COPY, _COPY_ALL)
    said = (
        f"the nodes pull {attempt.question.image}, but it is only for {join_and(sorted(names))}, and its programs do not run on "
        f"{_describe_nodes(lacking)} with {join_and(sorted(lacking))}"
    )
    if is_everywhere:
        return StepResult(Step(step, f"{said}{more}", ok=False), WILL_NOT_RUN, f"{said}{more}")
    text = f"{_DEPENDS}{said}{more}"
    return StepResult(Step(step, text, ok=None), MAY_NOT_RUN, text)


def _describe_nodes(lacking: Mapping[str, Sequence[str]]) -> str:
    """The nodes of these architectures, such as `node a and node b`."""
    names = [name for architecture in sorted(lacking) for name in sorted(lacking[architecture])]
    return f"{'node' if len(names) == 1 else 'nodes'} {summarize(names, _SHOWN)}"
