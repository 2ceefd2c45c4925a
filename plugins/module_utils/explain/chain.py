# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Traces how a node would pull an image, from the name in the pod to the credential, and finds the first step that fails. Pure.

The order is that of Kubernetes 1.36 pkg/kubelet/images/image_manager.go and CRI-O's server/image_pull.go. Each step (`steps/`) checks
one part. This module puts them in order.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ..core.objects import SECRET, ObjectRef, as_dict, as_str, as_strs
from ..core.ownership import is_managed
from ..images.pull_messages import PullAttempt
from ..images.pull_rules import UNKNOWN as NO_RULE
from ..images.references import Reference, reference_of
from ..platform.protected import NODE_SECRET, external_manager_of
from .credentials import credentials_of
from .fixes import Fix, options_of
from .lookup import Lookup, require_all
from .steps.asked import join_routes
from .steps.cached import cache_refs, explain_cache, explain_never, explain_restart, judge_present_image
from .steps.login import (
    explain_keys,
    explain_login,
    explain_mounts,
    explain_shared_error,
    is_decided_by_registries,
    node_error,
)
from .steps.pull_secrets import explain_later_link, explain_secret_list, explain_secrets
from .steps.sources import Sources, explain_sources, resolve_short_name, source_refs
from .steps.streams import explain_project, resolve_image
from .subjects import ContainerPull
from .verdict import (
    MAY_NOT_RUN,
    PULLS,
    UNASKED,
    UNKNOWN,
    UNTESTED,
    WILL_NOT_PULL,
    WILL_NOT_RUN,
    PullVerdict,
    Step,
    StepResult,
    failure,
)

_WRITTEN_BY_US = (
    "this collection wrote the secret. If an inventory declares it, correct the login there and run site, which otherwise writes the old "
    "one back"
)
#: The step of results that are not listed among the steps.
_LOGIN = "login"
#: The verdicts of steps, the worst first. The first result with the worst one gives the reason.
_WORST = (WILL_NOT_PULL, WILL_NOT_RUN, UNKNOWN, MAY_NOT_RUN, UNTESTED)
_RUNS: Mapping[str, bool | None] = {WILL_NOT_RUN: False, MAY_NOT_RUN: None}


def explain(subject: ContainerPull, evidence: Lookup, *, asks: bool = False) -> PullVerdict:
    """Return the verdict for one container or volume. `asks`: whether to ask the registries.

    :raises ReadRequired: when more objects have to be read first.
    """
    error = node_error(subject, evidence)
    # A shared error may be about another image, so it does not decide.
    told = None if subject.shares_error else error
    given = resolve_image(subject, evidence, has_failed=told is not None)
    reference = reference_of(given.image)
    if reference is None:
        seen = [] if given.is_closed else [failure("image", f"{given.image!r} is not a valid image name")]
        return _verdict_of(subject, [*given.seen, *seen], None)
    if subject.pull_policy == "Never":
        way = explain_never(subject, told, evidence)
    else:
        way = judge_present_image(subject, [*_explain_steps(subject, reference, told, evidence, asks=asks)], evidence)
    more = [*explain_shared_error(subject, error), *explain_restart(subject, reference, evidence)]
    found = _verdict_of(subject, [*given.seen, *explain_mounts(subject), *way, *more], error)
    hints = [_explain_origin(task, evidence.unrecorded) or _explain_list(subject, task) for task in found.fix]
    return replace(found, steps=[*found.steps, *filter(None, hints)]) if any(hints) else found


def _explain_origin(task: Fix, evidence: Lookup) -> Step | None:
    """A hint if an inventory or a controller may undo the task. Every user can set labels and names of writers, so nothing else depends on them."""
    module, options = options_of(task)
    if module != "pull_secret" or "mode" not in options:  # the secret is new
        return None
    refs = [ObjectRef(SECRET, place, as_str(options["name"])) for place in as_strs(options["namespaces"])]
    stored = [as_dict(evidence.peek(ref)) for ref in refs]
    if any(map(is_managed, stored)):
        return Step("inventory", _WRITTEN_BY_US, ok=None)
    who = next(filter(None, map(external_manager_of, stored)), "")
    if not who:
        return None
    return Step("secret", f"{who} overwrites changes of this secret: correct the login at its source", ok=None)


def _explain_list(subject: ContainerPull, task: Fix) -> Step | None:
    """A hint if the task links a secret, but the pod keeps the list with which it was created."""
    if not subject.is_bare or options_of(task)[0] != "sa_link":
        return None
    return Step("pull_secrets", f"after the tasks, {subject.ref} keeps its list{subject.way_out}", ok=None)


def _explain_steps(
    subject: ContainerPull, reference: Reference, told: PullAttempt | None, evidence: Lookup, *, asks: bool
) -> Iterator[StepResult]:
    named = resolve_short_name(subject, reference, evidence)
    names, seen = explain_secret_list(subject, evidence)
    yield from (each for each in named.seen if each.verdict != UNKNOWN)
    yield seen
    if seen.verdict == WILL_NOT_PULL:  # without its account, a pod does not exist, so nothing else decides
        return
    secrets = [ObjectRef(SECRET, subject.namespace, name) for name in names]
    require_all(evidence, [*secrets, NODE_SECRET, *source_refs(subject.namespace), *cache_refs(subject)])
    hosts = [each.host for each in named.references]
    credentials = credentials_of(subject.namespace, names, reference.repository, evidence, hosts)
    yield from explain_secrets(subject.namespace, credentials, reference)
    # Without the settings of the node, only the node can tell which registry a name without one refers to.
    is_known = all(each.verdict != UNKNOWN for each in named.seen)
    may_ask = is_known and not credentials.in_state("unparsable")
    asks = asks and may_ask
    found = [
        explain_sources(subject, each, told, evidence, credentials, asks=asks, named=reference)
        for each in named.references
    ]
    yield from _merge_sources(found)
    yield from explain_project(subject, reference, credentials, evidence)
    route = join_routes(reference, [each.route for each in found if not each.is_closed] or [found[0].route])
    yield from explain_cache(subject, evidence, route)
    yield from explain_keys(credentials, reference.repository, is_listed=seen.verdict != UNKNOWN)
    told = None if found[0].overtakes_node else told
    found_logins = [*explain_login(route, told)]
    yield from found_logins
    if any(each.verdict == WILL_NOT_PULL for each in found_logins):
        yield from explain_later_link(route)
    if may_ask and not asks and is_decided_by_registries(route, told):
        yield StepResult(None, UNASKED)
    yield from (each for each in named.seen if each.verdict == UNKNOWN)


def _merge_sources(each: Sequence[Sources]) -> Iterator[StepResult]:
    """The results for several references, each once. They are a failure only if every reference fails."""
    closed = all(way.is_closed for way in each)
    told: list[StepResult] = []
    for seen in (seen for way in each for seen in way.seen):
        if seen not in told:
            told.append(seen)
            yield seen if closed or seen.verdict != WILL_NOT_PULL else replace(seen, verdict="", reason="")


def _verdict_of(subject: ContainerPull, way: Sequence[StepResult], told: PullAttempt | None) -> PullVerdict:
    steps = [seen.step for seen in way if seen.step is not None]
    cause = told.rule.id if told is not None else ""
    if subject.is_pulled:
        reason = "a container that mounts the volume has started" if subject.volume else "the container has its image"
        return PullVerdict(subject, PULLS, reason, steps, (), cause, is_tested=True)
    every = [seen.verdict for seen in way]
    worst = next((verdict for verdict in _WORST if verdict in every), "")
    verdict = next((each for each in (WILL_NOT_PULL, UNKNOWN) if each in every), PULLS)
    decides = next((seen for seen in way if seen.verdict == worst and seen.reason), None)
    if decides is None:
        return PullVerdict(subject, verdict, "", steps, (), cause)
    step = "" if worst in ("", UNTESTED) else _LOGIN if decides.step is None else decides.step.name
    reason = decides.reason
    if told is not None and told.rule is NO_RULE and told.text not in reason and not subject.shares_error:
        reason += f". The node says: {told.text}"
    is_tested = verdict == PULLS and UNTESTED not in every
    runs = _RUNS.get(worst, True)
    return PullVerdict(subject, verdict, reason, steps, decides.fix, cause, step, runs, is_tested, UNASKED in every)
