# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question reads the cluster as an audit does, and never writes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings, open_run
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import pull_of_account
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.options import WhatIfQuestion
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.run import (
    answer_what_if,
    compare_subjects,
)
from support.fake_api import FakeApi
from support.objects import b64
from support.scripted_pool import Answer, Clock, status_object
from support.supposed import changes_of

AUTH = {"auth": b64(b"u:canary-1")}
CONTENT = {".dockerconfigjson": b64(json.dumps({"auths": {"q.io": AUTH}}))}
ALWAYS = 10**9
LOST = {"unreachable_registries": ["q.io"]}


def cluster(*names: str, version: str = "v1.36.3") -> FakeApi:
    api = FakeApi()
    for path, answer in (
        ("/apis ", {"groups": [{"name": "apps"}, {"name": "operators.coreos.com"}]}),
        ("/version ", {"gitVersion": version}),
    ):
        api.fail(f"GET {path.strip()}$", Answer(200, answer), times=ALWAYS)
    spec = {"containers": [{"name": "c", "image": "q.io/a:1"}], "imagePullSecrets": [{"name": "pull"}]}
    for name in names:
        api.put("namespaces", "", name)
        api.put("serviceaccounts", name, "default", imagePullSecrets=[{"name": "pull"}])
        api.put("secrets", name, "pull", type="kubernetes.io/dockerconfigjson", data=CONTENT)
        api.put("pods", name, "app", spec=spec, status={"containerStatuses": [{"name": "c", "state": {}}]})
        api.put("deployments", name, "web", spec={"template": {"spec": spec}})
    return api


def answered(api: FakeApi, *names: str, write=None, failing=(), changes=(LOST,)) -> Any:
    clock = Clock()
    settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
    asked = WhatIfQuestion(changes_of(*changes), failing=failing, outputs={"dest": "f.json"} if write else {})
    return answer_what_if(api.cluster(clock), asked, names or ("a",), settings, write=write, now=lambda: 1767225600.0)


def test_all_namespaces_are_answered_from_lists() -> None:
    few, many = cluster("a"), cluster(*(f"n{number}" for number in range(50)))
    outcome = answered(few)
    assert outcome.extra["counts"]["would_break"] == 2
    assert not outcome.has_failed
    assert answered(many, *(f"n{number}" for number in range(50))).extra["counts"]["would_break"] == 100
    assert len(many.requests) < len(few.requests) + 10


def test_a_login_that_the_nodes_own_secret_lacks_touches_nothing() -> None:
    api = cluster("a")
    other = b64(json.dumps({"auths": {"r.io": AUTH}}))
    api.put("secrets", "openshift-config", "pull-secret", data={".dockerconfigjson": other})
    refused = {"remove_credential": {"registry": "q.io", "username": "v"}}
    assert answered(api, changes=[refused]).extra["what_if"]["containers"] == []


class _Comparer:
    """Compares nothing, but needs the nodes for each subject."""

    def __init__(self) -> None:
        self.lookups, self.subjects = [Lookup()], []

    def compare(self, subject: Any) -> Any:
        self.subjects.append(subject.account)
        return self.lookups[0].look(NODES)


def test_only_the_first_subject_is_tried_until_the_shared_objects_are_read() -> None:
    clock, comparer = Clock(), _Comparer()
    settings = RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
    subjects = [pull_of_account("a", name, "q.io/a:1") for name in ("one", "two", "three")]
    with open_run(cluster("a").cluster(clock), 1, settings) as run:
        assert len(compare_subjects(run, comparer, subjects, None)) == 3
    assert comparer.subjects == ["one", "one", "two", "three"]


def test_the_document_can_be_written_instead() -> None:
    written: list[Any] = []
    outcome = answered(cluster("a"), write=written.append)
    assert written[0]["counts"] == outcome.extra["counts"]
    assert [row["answer"] for row in written[0]["containers"]] == ["would_break"] * 2
    assert "what_if" not in outcome.extra
    assert (outcome.extra["dest"], outcome.extra["changed"]) == ("f.json", True)


def test_answers_of_fail_on_fail_the_task() -> None:
    outcome = answered(cluster("a"), failing=("would_break",))
    assert outcome.has_failed
    assert "found 2 containers with an answer of option 'fail_on'" in outcome.message("task")
    assert not answered(cluster("a"), failing=("would_break",), changes=[{"new_nodes": True}]).has_failed


def test_an_only_login_that_is_lost_fails_a_gate_that_did_not_ask() -> None:
    unlinked = {"remove_secrets": {"name": "pull"}}
    asked = answered(cluster("a", "b"), "a", "b", failing=("would_break", "not_asked"), changes=[unlinked])
    assert (asked.extra["not_asked"], asked.extra["counts"]["would_break"]) == (4, 0)
    assert asked.has_failed
    message = asked.message("task")
    assert "the registries of 4 containers were not asked, and may decide whether they break, such as " in message
    assert "Set 'ask_registries: true' or 'fail_on: certain_break'" in message
    assert "the registries of 4 containers were not asked" in asked.extra["text"][0]
    assert not answered(cluster("a"), failing=("would_break",), changes=[unlinked]).has_failed


def test_a_change_that_affects_nothing_fails_no_gate() -> None:
    """Without the login, the pulls are not known, before the change as well."""
    api = cluster("a")
    del api.objects["secrets", "a", "pull"]
    mistyped = {"remove_secrets": {"name": "pul"}}
    outcome = answered(api, failing=("would_break", "unknown"), changes=[mistyped])
    assert (outcome.has_failed, outcome.extra["counts"]["not_affected"]) == (False, 2)


def test_a_mistyped_name_is_a_warning() -> None:
    changes = [{"remove_secrets": {"name": "pul"}}, {"remove_secrets": {"name": "pull"}}]
    outcome = answered(cluster("a"), changes=changes)
    why = "secret pul does not exist in the evaluated namespaces: did you mean 'pull'?"
    sentence = f"Change 1 affects nothing that was read: {why}"
    assert [*outcome.remarks] == [sentence]
    assert sentence in outcome.extra["text"]
    assert [each["no_effect"] for each in outcome.extra["what_if"]["changes"]] == [why, ""]


def test_a_failed_cluster_answers_nothing() -> None:
    api = cluster("a")
    api.fail(r"GET .*/secrets\?", status_object(401, "Unauthorized", "no"), times=ALWAYS)
    outcome = answered(api)
    assert outcome.stopped
    assert "counts" not in outcome.extra


def test_a_namespace_that_does_not_exist_fails_alone() -> None:
    outcome = answered(cluster("a"), "a", "gone")
    assert [result.status for result in outcome.namespaces] == ["unchanged", "failed"]
    assert outcome.extra["counts"]["would_break"] == 2


def test_unreadable_nodes_are_reported() -> None:
    api = cluster("a")
    api.fail(r"GET /api/v1/nodes", status_object(403, "Forbidden", "no right"), times=ALWAYS)
    (sentence,) = [each for each in answered(api).extra["what_if"]["unreadable"] if "nodes" in each]
    assert "It is not known when a pull that breaks is missed" in sentence


@pytest.mark.parametrize(("path", "kind"), [("pods", "pods"), ("deployments", "workloads")])
def test_workloads_that_cannot_be_read_fail_a_question_that_unknown_fails(path: str, kind: str) -> None:
    api = cluster("a", "b")
    api.fail(rf"GET [^?]*/{path}(\?|$)", status_object(403, "Forbidden", "no right"), times=ALWAYS)
    kept = [{"remove_secrets": {"name": "other"}}]
    outcome = answered(api, "a", "b", changes=kept, failing=("would_break", "unknown"))
    assert outcome.has_failed
    reason = outcome.message("task")
    assert "the pods or workloads of 2 namespaces could not be read, so their containers are not known" in reason
    assert f"in namespace a: {kind} could not be read (" in reason
    assert outcome.extra["what_if"]["unread_workloads"] == ["a", "b"]
    assert "the pods or workloads of 2 namespaces could not be read" in outcome.extra["text"][0]
    assert not answered(api, "a", "b", changes=kept, failing=("would_break",)).has_failed


def test_access_that_cannot_be_compared_fails_a_question_that_unknown_fails() -> None:
    api = cluster("a")
    api.fail(r"GET [^?]*/serviceaccounts", status_object(403, "Forbidden", "no right"), times=ALWAYS)
    removed = [{"remove_links": {"secrets": ["pull"], "service_accounts": ["other"]}}]
    outcome = answered(api, changes=removed, failing=("would_break", "unknown"))
    (doubt,) = outcome.extra["what_if"]["access"]["unknown"]
    assert outcome.extra["counts"]["unknown"] == outcome.extra["counts"]["would_break"] == 0
    assert f"1 part of the access review is not known, such as: {doubt}" in outcome.message("task")
    assert not answered(api, changes=removed, failing=("would_break",)).has_failed


def test_forecasts_of_an_upgrade_fail_a_question_that_unknown_fails() -> None:
    """A pod without a login uses the image of its node, and another pod has a login for it."""
    api = cluster("a", "b", version="v1.34.2")
    running = {"containerStatuses": [{"name": "c", "imageID": "sha256:0", "state": {"running": {}}}]}
    api.put("pods", "b", "cached", spec={"containers": [{"name": "c", "image": "q.io/a:1"}]}, status=running)
    upgrade = [{"target_version": "1.35"}]
    outcome = answered(api, "a", "b", changes=upgrade, failing=("would_break", "unknown"))
    (forecast,) = outcome.extra["what_if"]["forecasts"]
    assert forecast.startswith("forecast-cached-image: pod b/cached uses q.io/a:1")
    assert (
        f"the audit has 1 forecast for the upgrade, which no answer for a container includes, such as {forecast}"
        in (outcome.message("task"))
    )
    assert "the upgrade has 1 forecast" in outcome.extra["text"][0]
    assert not answered(api, "a", "b", changes=upgrade, failing=("would_break",)).has_failed


@pytest.mark.parametrize(
    ("spec", "number"),
    [
        (
            {
                "strategy": {"dockerStrategy": {"pullSecret": {"name": "pull"}}},
                "output": {"pushSecret": {"name": "pull"}},
            },
            1,
        ),
        ({"output": {"pushSecret": {"name": "pull"}}}, 1),
        ({"output": {"pushSecret": {"name": "other"}}}, 0),
    ],
)
def test_builds_with_a_changed_secret_are_counted_because_they_have_no_row(spec: Any, number: int) -> None:
    api = cluster("a", "b")
    api.put("buildconfigs", "a", "app", spec=spec)
    outcome = answered(api, "a", "b", changes=[{"remove_secrets": {"name": "pull"}}])
    assert outcome.extra["what_if"]["builds"] == number
    said = "1 build config names a secret that the changes touch. The pulls and pushes of builds are not evaluated."
    assert (said in outcome.extra["text"]) is bool(number)


class TestPlatformImages:
    def installed(self) -> FakeApi:
        api = cluster("a")
        api.put("catalogsources", "market", "operators", spec={"image": "q.io/index:v1"})
        return api

    def test_images_of_the_platform_count_if_registries_get_out_of_reach(self) -> None:
        document = answered(self.installed()).extra["what_if"]
        (row,) = [row for row in document["containers"] if row["kind"] == "CatalogSource"]
        assert (row["namespace"], row["answer"], row["when"]) == ("market", "would_break", "at_rollout")
        assert "q.io/index:v1" in document["images_to_mirror"]["images"]

    def test_other_changes_do_not_read_them(self) -> None:
        api = self.installed()
        answered(api, changes=[{"remove_secrets": {"name": "pull"}}])
        assert not [request for request in api.requests if "catalogsources" in str(request)]

    def test_unreadable_ones_are_reported(self) -> None:
        api = self.installed()
        api.fail(r"GET .*/catalogsources", status_object(403, "Forbidden", "no right"), times=ALWAYS)
        document = answered(api).extra["what_if"]
        assert any("catalogsources could not be read" in each for each in document["unreadable"])
        assert document["counts"]["would_break"] == 2

    def test_unreadable_ones_fail_a_question_that_unknown_fails(self) -> None:
        api = self.installed()
        api.fail(r"GET .*/catalogsources", status_object(403, "Forbidden", "no right"), times=ALWAYS)
        kept = [{"unreachable_registries": ["other.io"]}]
        outcome = answered(api, changes=kept, failing=("would_break", "unknown"))
        assert "images of the platform are not known, such as: the catalogsources could not be read" in (
            outcome.message("task")
        )
        (sentence,) = outcome.extra["what_if"]["unread_images"]
        assert sentence in outcome.extra["what_if"]["unreadable"]
        assert "but images of the platform could not be read" in outcome.extra["text"][0]
        assert not answered(api, changes=kept, failing=("would_break",)).has_failed


def test_no_credential_is_in_the_answer() -> None:
    outcome = answered(cluster("a"), changes=[{"remove_credential": {"registry": "q.io", "username": "u"}}])
    assert "canary-1" not in json.dumps(outcome.extra)
    assert AUTH["auth"] not in json.dumps(outcome.extra)
    assert outcome.extra["counts"]["would_break"] == 2
