# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One failure stays one failure, and when the cluster fails, that is said once: what was done is reported, the rest is not tried."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support.fleet import by_namespace, delete_namespaces, make_namespaces
from support.hostile import WORK, hostile
from support.hostile_proxy import HostileProxy, dying, refused, revoked
from support.lab import Lab, path_of
from support.modules import run_module
from support.proxy import Exchange

COUNT = 30
CONCURRENCY = 8
DONE = 10
WRITES = {
    "pull_secret": r"POST .*/secrets",
    "sa_link": r"PATCH .*/serviceaccounts/default",
    "image_puller_grant": r"POST .*/rolebindings",
}
GONE = refused(410, "Expired", "The provided continue parameter is too old to display a consistent list result.")
NEXT_PAGE = r"continue=[^&]"


@pytest.fixture(scope="module")
def names(lab) -> Iterator[list[str]]:
    made = make_namespaces(lab, [f"cluster-fails-{number:02}" for number in range(COUNT)])
    for name in made:
        lab.create(name, "secrets", {"metadata": {"name": "theirs"}, "type": "Opaque"})
    yield made
    delete_namespaces(lab, made)


_numbers = itertools.count()


@pytest.fixture
def few(lab) -> Iterator[list[str]]:
    """Namespaces of one test."""
    prefix = f"forgotten-{next(_numbers)}"
    made = make_namespaces(lab, [f"{prefix}-{number}" for number in range(6)])
    yield made
    delete_namespaces(lab, made)


def finishes(lab: Lab, module: str, names: list[str], changed: int) -> None:
    """The next run, with the cluster in order, does what was left."""
    result = run_module(module, kubeconfig=lab.kubeconfig, namespaces=names, **WORK[module])
    assert not result["failed"], result["msg"]
    assert result["summary"]["changed"] == changed


def make_stuck_pod(lab: Lab, namespace: str, name: str) -> None:
    """One that waits for its image and would be made again by its owner."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": True}
    metadata = {"name": name, "ownerReferences": [owner]}
    lab.create(namespace, "pods", {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": "i"}]}})
    container = {"name": "app", "ready": False, "restartCount": 0, "image": "i", "imageID": ""}
    waits = {**container, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    status = {"phase": "Pending", "containerStatuses": [waits]}
    lab.api("PATCH", f"{path_of(namespace, 'pods', name)}/status", {"status": status})


class TestWholeCluster:
    @pytest.mark.parametrize("module", WRITES)
    def test_a_login_that_is_refused_from_one_moment_on(self, lab, names, module):
        with hostile(lab) as server:
            server.proxy.rule(WRITES[module], revoked, after=DONE)
            result = server.run(module, namespaces=names, concurrency=CONCURRENCY, **WORK[module])
        assert result["failed"]
        assert result["msg"].count("401") == 1, "said once"
        assert sum("401" in failure["error"] for failure in result["failures"]) <= 1
        assert result["summary"]["changed"] == DONE
        # Those under way may have met it too, and have tried once more; nobody else.
        assert len(server.proxy.asked(WRITES[module])) <= DONE + 2 * CONCURRENCY
        assert str(DONE) in result["msg"]
        finishes(lab, module, names, COUNT - DONE)

    def test_a_server_that_is_gone_for_good(self, lab, names):
        """It is waited for once, not for each namespace: a restart takes half a minute."""
        run_module("pull_secret", kubeconfig=lab.kubeconfig, namespaces=names, name="ours", state="absent")
        started = time.monotonic()
        with hostile(lab) as server:
            server.proxy.rule("POST .*/secrets", dying, after=DONE, times=1)
            result = server.run("pull_secret", namespaces=names, concurrency=CONCURRENCY, **WORK["pull_secret"])
        assert time.monotonic() - started < 50
        assert result["failed"]
        assert result["msg"].count("Connection refused") == 1, "said once"
        assert result["msg"].count(server.proxy.url) < CONCURRENCY + 3, "not once for each namespace"
        # The answers that were under way when it died are lost, and it is not known whether the writes are.
        made = set(by_namespace(lab, "/api/v1/secrets", "ours")) & set(names)
        changed = {entry["name"] for entry in result["namespaces"] if entry["status"] == "changed"}
        lost = {failure["namespace"] for failure in result["failures"]}
        assert changed <= made <= changed | lost
        assert len(changed) >= DONE - CONCURRENCY
        assert len(lost) <= CONCURRENCY
        finishes(lab, "pull_secret", names, COUNT - len(made))

    def test_a_list_that_fails_in_a_later_round_does_not_take_back_what_was_done(self, lab, names):
        """Half of the namespaces have the account, the others are waited for."""
        for name in names[:DONE]:
            lab.create(name, "serviceaccounts", {"metadata": {"name": "late"}})
        options = {**WORK["sa_link"], "service_accounts": ["late"], "wait_timeout": 5}
        with hostile(lab) as server:
            server.proxy.rule(r"GET /api/v1/serviceaccounts\?", refused(400, "BadRequest", "no more"), after=1)
            result = server.run("sa_link", namespaces=names, **options)
        assert result["failed"]
        assert result["summary"]["changed"] == DONE
        assert result["msg"].count("no more") == 1, "said once"


class TestLists:
    """A list whose rest the server has forgotten is read again from the start; nothing is done twice."""

    def selected(self, names: list[str]) -> dict[str, Any]:
        return {"namespace_selector": {"include": [f"{names[0][:-1]}*"]}, **WORK["pull_secret"]}

    @pytest.mark.parametrize("after", [0, 1])
    def test_each_namespace_once(self, lab, few, after):
        with hostile(lab, page=2) as server:
            server.proxy.rule(NEXT_PAGE, GONE, after=after, times=1)
            result = server.run("pull_secret", **self.selected(few))
        assert not result["failed"], result["msg"]
        assert sorted(entry["name"] for entry in result["namespaces"]) == sorted(few)
        assert len(server.proxy.asked("POST")) == len(few)

    def test_each_pod_once(self, lab, few):
        """The first page comes twice, and with it a pod that is to be deleted."""
        for name in ("one", "two", "three"):
            make_stuck_pod(lab, few[0], name)
        options = {"secrets": ["late"], "require": "none", "restart_pods": "stuck"}
        with hostile(lab, page=1) as server:
            server.proxy.rule(f"/pods.*{NEXT_PAGE}", GONE, after=1, times=1)
            result = server.run("sa_link", namespaces=few[:1], **options)
        assert not result["failed"], result["msg"]
        assert len(server.proxy.asked(f"/pods.*{NEXT_PAGE}")) == 4, "read again from the start"
        deleted = [request.rpartition("/")[2] for request in server.proxy.asked("DELETE .*/pods/")]
        assert sorted(deleted) == ["one", "three", "two"]
        assert sorted(pod["name"] for pod in result["namespaces"][0]["pods"]) == ["one", "three", "two"]

    def test_a_namespace_that_is_deleted_meanwhile_is_skipped_once(self, lab, few):
        name = few[0]
        lab.create(name, "configmaps", {"metadata": {"name": "hold", "finalizers": ["example.com/hold"]}})

        def delete_once_read(proxy: HostileProxy, exchange: Exchange) -> None:
            """The server forgets the list after the page with the namespace, and by then it is being deleted."""
            nonlocal forgets
            status, headers, content = proxy.ask(exchange)
            if forgets == "next":
                forgets = "done"
                lab.api("DELETE", f"/api/v1/namespaces/{name}")
                GONE(proxy, exchange)
                return
            if not forgets and json.loads(content)["items"][0]["metadata"]["name"] == name:
                forgets = "next"
            exchange.answer((status, headers, content))

        forgets = ""
        try:
            with hostile(lab, page=1) as server:
                server.proxy.rule(r"GET /api/v1/namespaces\?", delete_once_read)
                result = server.run("pull_secret", **self.selected(few))
        finally:
            lab.api("PATCH", f"/api/v1/namespaces/{name}/configmaps/hold", {"metadata": {"finalizers": None}})
        assert forgets == "done"
        status = {entry["name"]: entry["status"] for entry in result["namespaces"]}
        assert len(result["namespaces"]) == len(status) == len(few)
        assert status[name] == "skipped"
        assert [entry for entry in server.proxy.asked("POST") if f"/{name}/" in entry] == []

    def test_one_that_is_always_forgotten_is_an_error(self, lab, few):
        with hostile(lab, page=2) as server:
            server.proxy.rule(NEXT_PAGE, GONE)
            result = server.run("pull_secret", **self.selected(few))
        assert result["failed"]
        assert server.proxy.url in result["msg"]
        assert server.proxy.asked("POST") == []
        assert len(server.proxy.log) < 20
