# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every right of every job, on a real API server: with all of them the job is done, and each one that is taken away is missed.

What is missed is told by the audit log, which has the request that was refused, and by the module: it fails, or goes on and says so, each
time naming the right and the page. Where a right only spares requests, the result is the same.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.permissions import RIGHTS_PAGE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import JOBS, Right
from support.job_runs import RUNS, Stage
from support.lab import Audit, Lab
from support.modules import run_module
from support.rights import allowed, as_missed, each_right, granted, titled

PLACES = ["rights-a", "rights-b"]
#: What a job is done with besides: options of other modules.
BESIDE = {
    "create_accounts": ("links",),
    "restart_pods": ("links",),
    "verify_access": ("grants",),
    "namespace_selector": ("secrets",),
    "nodes_secret": ("explain",),
    "explain": ("nodes_secret",),
    "audit": ("nodes_secret",),
}
#: What makes little sense in single namespaces.
EVERYWHERE = ("prune",)
CASES = [(job, right) for job in JOBS for right in each_right(job)]


@pytest.fixture(scope="module")
def lab_of(lab_factory: Callable[..., Lab]) -> Callable[[str], Lab]:
    """The lab of a job: one that has nodes with a pull secret, too."""

    @functools.cache
    def started(platform: str) -> Lab:
        lab = lab_factory("--platform", platform)
        for name in PLACES:
            lab.namespace(name)
        return lab

    return lambda job: started("hosted" if job == "hosted_pull_secret" else "standalone")


@pytest.fixture
def stage(lab_of: Callable[[str], Lab], job: str) -> Stage:
    lab = lab_of(job)
    return Stage(lab, functools.partial(run_module, kubeconfig=lab.kubeconfig), PLACES)


def beside(job: str) -> list[Right]:
    return [right for other in BESIDE.get(job, ()) for right in each_right(other)]


def begun(stage: Stage, job: str, held: list[Right]) -> tuple[Iterator[dict[str, Any]], Audit]:
    """The job's results one by one, with these rights, and what the API server is asked from here on."""
    user = granted(stage.lab, held, stage.names, everywhere=job in EVERYWHERE)
    stage.lab.until(
        lambda: all(allowed(stage.lab, user, right, stage.names[-1]) for right in held), "the rights are known"
    )
    return RUNS[job](replace(stage, user=user)), stage.lab.audit()


def refused(log: Audit) -> list[tuple[str, str]]:
    """Verb and kind of what our client was refused."""
    found = []
    for event in log.ours():
        if event.get("responseStatus", {}).get("code") == 403:
            ref = event.get("objectRef", {})
            group = f".{ref['apiGroup']}" if ref.get("apiGroup") else ""
            found.append((event["verb"], f"{ref.get('resource')}{group}"))
    return found


@pytest.mark.parametrize("job", RUNS)
def test_a_job_is_done_with_exactly_its_rights(stage: Stage, job: str) -> None:
    found, _log = begun(stage, job, [*each_right(job), *beside(job)])
    results = list(found)
    failed = [result["msg"] for result in results if result["failed"]]
    if job == "wait":  # two of three wait for what never comes
        failed = failed[2:]
    assert failed == []
    said = json.dumps([result.get("warnings") for result in results])
    assert RIGHTS_PAGE not in said, said


@pytest.mark.parametrize(("job", "right"), CASES, ids=[f"{job}: {titled(right)}" for job, right in CASES])
def test_a_right_that_is_missing_is_missed(stage: Stage, job: str, right: Right) -> None:
    held = [*each_right(job), *beside(job)]
    held = [other for other in held if _place(other) != _place(right)]
    found, log = begun(stage, job, held)
    named = as_missed(right)
    results, text = [], ""
    for result in found:
        results.append(result)
        text = json.dumps([result["msg"] if result["failed"] else "", result.get("warnings")])
        if named in text:
            break
    if right.verbs != ("bind",):  # that is no request of its own
        assert (right.verbs[0], right.resource) in refused(log), "nobody asked for it"
    if right.without == "slower":
        assert named not in text
        assert [result["msg"] for result in results if result["failed"]] == []
        return
    assert named in text, [result.get("msg") for result in results]
    assert RIGHTS_PAGE in text
    if job != "wait":
        assert results[-1]["failed"] is (right.without == "fails"), text


def _place(right: Right) -> tuple[object, ...]:
    return right.verbs, right.resource, right.where, right.names


def test_every_job_is_run() -> None:
    assert {*RUNS} == {*JOBS}
