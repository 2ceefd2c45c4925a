# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every job succeeds with all of its documented rights, and each missing right is noticed.

The audit log contains the refused request. The module fails, or continues with a warning, and each message names the right and the
documentation page. A right that only saves requests does not change the result.

A cluster-wide job has its rights in all namespaces, and the tests remove them there. The rights for several optional steps are removed together.
"""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import RIGHTS_PAGE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import BUILD_NAMESPACE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import EVERY, JOBS, Right
from support.job_runs import RUNS, Stage
from support.lab import Audit, Lab
from support.modules import run_module
from support.rights import allowed, as_missed, each_right, granted, titled

PLACES = ["rights-a", "rights-b"]
#: More namespaces than are read one by one, so that a cluster-wide job lists them.
MANY_PLACES = [f"wide-{letter}" for letter in "abcde"]
#: The jobs that read more if they work in the namespace of the builds of node images.
BUILD_JOBS, BUILD_PLACES = ("audit", "rotation"), [PLACES[0], BUILD_NAMESPACE, PLACES[1]]
#: Other jobs whose rights a job needs because it uses options of other modules.
BESIDE = {
    "create_accounts": ("links",),
    "restart_pods": ("links",),
    "verify_access": ("grants",),
    "namespace_selector": ("secrets",),
    "nodes_secret": ("explain",),
    "explain": ("nodes_secret",),
    "audit": ("nodes_secret",),
    "images": ("nodes_secret",),
    "what_if": ("nodes_secret",),
}
#: Jobs that run cluster-wide in addition to the given namespaces. `prune` makes sense only cluster-wide.
EVERYWHERE = [
    "prune",
    *(job for job in JOBS if job != "prune" and any(right.where == EVERY for right in each_right(job))),
]
RUN = [*((job, False) for job in JOBS if job != "prune"), *((job, True) for job in EVERYWHERE)]


#: It reads the same objects as the explanation, with the same code. tests/verdicts has callers without its rights.
SAME_READS = "what_if"
#: Requests that a job sends only if its other rights have revealed objects.
AFTER_OTHERS = (
    ("rotation", "events"),
    ("what_if", "roles.rbac.authorization.k8s.io"),
    ("images", "subjectaccessreviews.authorization.k8s.io"),
    *(("explain", right.resource) for right in JOBS["explain"].rights if "other readers" in right.why),
)


def titled_run(job: str, everywhere: bool) -> str:
    return f"{job} everywhere" if everywhere else job


def cases() -> Iterator[Any]:
    """Yield the rights to remove. In the whole cluster, rights bound outside the job's namespaces make no difference.

    A prune stops at the first list that it may not read.
    """
    for job, everywhere in RUN:
        rights = [right for right in each_right(job) if not everywhere or job == "prune" or right.where == EVERY]
        told = [right for right in rights if right.without == "told" and (job, right.resource) not in AFTER_OTHERS]
        together = told if everywhere and job != "prune" else []
        single = [[right] for right in rights if right not in together]
        for position, away in enumerate([*single, *([together] if together else [])]):
            title = f"{titled_run(job, everywhere)}: {', '.join(map(titled, away))}"
            # One right of each job shows that a missing one is reported. `make test-all` removes each.
            is_slow = position > 0 or job == SAME_READS or (everywhere and job != "prune")
            marks = [pytest.mark.slow] if is_slow else []
            yield pytest.param(job, everywhere, away, id=title, marks=marks)


@pytest.fixture(scope="module")
def lab_of(lab_factory: Callable[..., Lab]) -> Callable[[str], Lab]:
    """Return the lab for a job, whose nodes have a pull secret: a hosted cluster for hosted_pull_secret, otherwise a standalone one."""

    @functools.cache
    def started(platform: str) -> Lab:
        lab = lab_factory("--platform", platform)
        for name in (*PLACES, *MANY_PLACES):
            lab.namespace(name)
        return lab

    return lambda job: started("hosted" if job == "hosted_pull_secret" else "standalone")


@pytest.fixture
def stage(lab_of: Callable[[str], Lab], job: str, everywhere: bool) -> Stage:
    lab = lab_of(job)
    call = functools.partial(run_module, kubeconfig=lab.kubeconfig)
    few = BUILD_PLACES if job in BUILD_JOBS else PLACES
    return Stage(lab, call, MANY_PLACES if everywhere else few, everywhere=everywhere)


def all_rights(job: str, *, everywhere: bool) -> list[Right]:
    """Return the rights of the job and of the other jobs that it uses."""
    selecting = ("namespace_selector",) if everywhere else ()
    return [right for other in (job, *BESIDE.get(job, ()), *selecting) for right in each_right(other)]


def permitted(stage: Stage, held: list[Right]) -> Stage:
    """Return the stage for a new user with these rights, one role in each place, once the API server knows them."""
    user = granted(stage.lab, held, stage.names, everywhere=stage.everywhere)
    of_each_role = {right.where: right for right in held}.values()
    stage.lab.until(
        lambda: all(allowed(stage.lab, user, right, stage.names[-1]) for right in of_each_role), "the rights are known"
    )
    return replace(stage, user=user)


def refused(log: Audit) -> list[tuple[str, str]]:
    """Return verb and kind of each refused request of our client."""
    found = []
    for event in log.ours():
        if event.get("responseStatus", {}).get("code") == 403:
            ref = event.get("objectRef", {})
            group = f".{ref['apiGroup']}" if ref.get("apiGroup") else ""
            found.append((event["verb"], f"{ref.get('resource')}{group}"))
    return found


@pytest.mark.parametrize(("job", "everywhere"), RUN, ids=[titled_run(*run) for run in RUN])
def test_a_job_succeeds_with_exactly_its_rights(stage: Stage, job: str, everywhere: bool) -> None:
    results = list(RUNS[job](permitted(stage, all_rights(job, everywhere=everywhere))))
    failed = [result["msg"] for result in results if result["failed"]]
    if job == "wait":  # two of three wait for an object that never exists
        failed = failed[2:]
    assert failed == []
    said = json.dumps([result.get("warnings") for result in results])
    assert RIGHTS_PAGE not in said, said


@pytest.mark.parametrize(("job", "everywhere", "away"), [*cases()])
def test_a_missing_right_is_reported(stage: Stage, job: str, everywhere: bool, away: list[Right]) -> None:
    places = [_place(right) for right in away]
    held = [right for right in all_rights(job, everywhere=everywhere) if _place(right) not in places]
    theirs, log = permitted(stage, held), stage.lab.audit()
    stages = [theirs]
    if everywhere and job != "prune":  # with few namespaces, single reads replace the list
        few = replace(theirs, names=PLACES, everywhere=False)
        stages = [few, theirs] if away[0].verbs == ("get",) else [theirs, few]
    results, text, unnamed = [], "", {as_missed(right) for right in away}
    for result in itertools.chain.from_iterable(map(RUNS[job], stages)):
        results.append(result)
        text = json.dumps([result["msg"] if result["failed"] else "", result.get("warnings")])
        unnamed = {named for named in unnamed if named not in text}
        if not unnamed:
            break
    without = away[0].without
    asked = refused(log)
    for right in away:  # binding is not a separate request
        assert right.verbs == ("bind",) or (right.verbs[0], right.resource) in asked, "no request needs it"
    if without == "slower":
        assert len(unnamed) == len(away)
        assert [result["msg"] for result in results if result["failed"]] == []
        return
    assert not unnamed, [result.get("msg") for result in results]
    assert RIGHTS_PAGE in text
    if job != "wait":
        assert results[-1]["failed"] is (without == "fails"), text


def _place(right: Right) -> tuple[object, ...]:
    return right.verbs, right.resource, right.where, right.names


def test_every_job_has_a_run() -> None:
    assert {*RUNS} == {*JOBS}
