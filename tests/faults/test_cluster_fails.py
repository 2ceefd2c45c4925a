# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A failed write affects only its own entry, and a failed cluster is reported once and stops the task with its finished changes intact.

This holds for one declaration and for a list of entries that all differ.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.fleet import by_namespace, delete_namespaces, make_namespaces
from support.hostile import WORK, Hostile, hostile, judged
from support.hostile_proxy import Act, HostileProxy, answered, cut, dying, hanging, refused, revoked
from support.lab import Lab, path_of
from support.many import FORMS, LISTS, SEVERAL, declared, suffixes
from support.modules import run_module
from support.proxy import Exchange
from support.statuses import times_said

COUNT = 30
CONCURRENCY = 8
#: Seconds that a task waits for a server that is gone, instead of half a minute.
PATIENCE = 8
DONE = 10
WRITES = {
    "pull_secret": r"POST .*/secrets",
    "sa_link": r"PATCH .*/serviceaccounts/default",
    "image_puller_grant": r"POST .*/rolebindings",
}
GONE = refused(410, "Expired", "The provided continue parameter is too old to display a consistent list result.")
NEXT_PAGE = r"continue=[^&]"
TESTS = Path(__file__).parents[1]


def given(module: str, form: str, names: list[str]) -> dict[str, Any]:
    """Each form uses its own role binding, because one form would otherwise find its grants already made by the other."""
    own = {"binding_name": f"image-puller-{form}", "projects": [form]} if module == "image_puller_grant" else {}
    return declared(module, form, names, {**WORK[module], **own})


@pytest.fixture(scope="module")
def names(lab) -> Iterator[list[str]]:
    made = make_namespaces(lab, [f"cluster-fails-{number:02}" for number in range(COUNT)])
    for form in FORMS:
        for name, suffix in suffixes(form, made):
            lab.create(name, "secrets", {"metadata": {"name": f"theirs{suffix}"}, "type": "Opaque"})
    yield made
    delete_namespaces(lab, made)


_numbers = itertools.count()


@pytest.fixture
def few(lab) -> Iterator[list[str]]:
    """Create the namespaces of one test."""
    prefix = f"forgotten-{next(_numbers)}"
    made = make_namespaces(lab, [f"{prefix}-{number}" for number in range(6)])
    yield made
    delete_namespaces(lab, made)


def finishes(lab: Lab, module: str, changed: int, **options: Any) -> None:
    """Check that the next run, on a working cluster, finishes the rest and that a further run changes nothing."""
    result = run_module(module, kubeconfig=lab.kubeconfig, **options)
    assert not result["failed"], result["msg"]
    assert result["summary"]["changed"] == changed
    assert not run_module(module, kubeconfig=lab.kubeconfig, **options)["changed"]


def changes_of(result: dict[str, Any]) -> list[dict[str, Any]]:
    return [change for found in result["namespaces"] for change in found["changes"]]


class Task:
    """A module that runs in its own process."""

    def __init__(self, server: Hostile, path: Path, module: str, **options: Any) -> None:
        self.token = server.token
        path.write_text(json.dumps({**server.way, **options}))
        command = [sys.executable, "-m", "support.module_process", module, path, str(PATIENCE)]
        self.process = subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE)

    def result(self) -> dict[str, Any]:
        output, _errors = self.process.communicate(timeout=120)
        return judged(json.loads(output), self.token)


def make_stuck_pod(lab: Lab, namespace: str, name: str) -> None:
    """Create a pod that waits for its image and whose owner would recreate it."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": True}
    metadata = {"name": name, "ownerReferences": [owner]}
    lab.create(namespace, "pods", {"metadata": metadata, "spec": {"containers": [{"name": "app", "image": "i"}]}})
    container = {"name": "app", "ready": False, "restartCount": 0, "image": "i", "imageID": ""}
    waits = {**container, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
    status = {"phase": "Pending", "containerStatuses": [waits]}
    lab.api("PATCH", f"{path_of(namespace, 'pods', name)}/status", {"status": status})


class TestWholeCluster:
    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("module", WRITES)
    def test_a_login_refused_midway_is_reported_once_and_stops_the_run(self, lab, names, module, form):
        options = given(module, form, names)
        with hostile(lab) as server:
            server.proxy.rule(WRITES[module], revoked, after=DONE)
            result = server.run(module, concurrency=CONCURRENCY, **options)
        assert result["failed"]
        assert times_said(result["msg"], 401) == 1, "said once"
        assert sum(times_said(failure["error"], 401) > 0 for failure in result["failures"]) <= 1
        assert len(changes_of(result)) == DONE
        # Only the requests under way can have failed with the same error and have been sent once more.
        assert len(server.proxy.asked(WRITES[module])) <= DONE + 2 * CONCURRENCY
        changed = result["summary"]["changed"]
        assert f"{changed} changed" in result["msg"]
        assert changed == DONE if form == "single" else DONE - SEVERAL <= changed <= DONE
        finishes(lab, module, COUNT - changed, **options)

    def test_a_server_that_is_gone_for_good_is_waited_for_once(self, lab, names, tmp_path):
        """The task waits once, not for each namespace or entry. Both forms wait at the same time."""
        options = {form: given("pull_secret", form, names) for form in FORMS}
        for form in FORMS:
            given_up = {**WORK["pull_secret"], "state": "absent"}
            del given_up["registries"]
            run_module("pull_secret", kubeconfig=lab.kubeconfig, **declared("pull_secret", form, names, given_up))
        died: list[float] = []

        def die(proxy: HostileProxy, exchange: Exchange) -> None:
            died.append(time.monotonic())
            dying(proxy, exchange)

        with hostile(lab) as one, hostile(lab) as other:
            servers = dict(zip(FORMS, (one, other), strict=True))
            for server in servers.values():
                server.proxy.rule("POST .*/secrets", die, after=DONE, times=1)
            tasks = {
                form: Task(server, tmp_path / form, "pull_secret", concurrency=CONCURRENCY, **options[form])
                for form, server in servers.items()
            }
            results = {form: task.result() for form, task in tasks.items()}
        assert time.monotonic() - max(died) < PATIENCE * (COUNT - DONE) / CONCURRENCY
        for form, result in results.items():
            self.judge_of_one_that_died(lab, names, form, servers[form].proxy.url, result)
            finishes(lab, "pull_secret", self.left(lab, names, form), **options[form])

    def made(self, lab: Lab, form: str, names: list[str]) -> dict[str, set[str]]:
        """Return the namespaces that contain each of our secrets."""
        every = dict.fromkeys(f"ours{suffix}" for _name, suffix in suffixes(form, names))
        return {name: set(by_namespace(lab, "/api/v1/secrets", name)) & set(names) for name in every}

    def left(self, lab: Lab, names: list[str], form: str) -> int:
        """Return the number of namespaces that lack at least one of our secrets."""
        made = self.made(lab, form, names)
        return len({name for name, suffix in suffixes(form, names) if name not in made[f"ours{suffix}"]})

    def judge_of_one_that_died(self, lab: Lab, names: list[str], form: str, url: str, result: dict[str, Any]) -> None:
        assert result["failed"]
        assert result["msg"].count("Connection refused") == 1, "said once"
        assert result["msg"].count(url) < CONCURRENCY + 3, "not once for each namespace"
        # The answers under way when the server died are lost, so it is not known whether their writes were carried out.
        made = {place for places in self.made(lab, form, names).values() for place in places}
        changed = {entry["name"] for entry in result["namespaces"] if entry["changes"]}
        lost = {failure["namespace"] for failure in result["failures"]}
        assert changed <= made <= changed | lost
        assert len(changes_of(result)) >= DONE - CONCURRENCY
        assert len(lost) <= CONCURRENCY

    @pytest.mark.parametrize("form", FORMS)
    def test_a_list_that_fails_in_a_later_round_keeps_the_finished_changes(self, lab, names, form):
        """Half of the namespaces have the account, and the task waits for the others."""
        for name in names[:DONE]:
            lab.create(name, "serviceaccounts", {"metadata": {"name": f"late-{form}"}})
        options = {**given("sa_link", form, names), "service_accounts": [f"late-{form}"], "wait_timeout": 5}
        with hostile(lab) as server:
            server.proxy.rule(r"GET /api/v1/serviceaccounts\?", refused(400, "BadRequest", "no more"), after=1)
            result = server.run("sa_link", **options)
        assert result["failed"]
        assert result["summary"]["changed"] == DONE
        assert result["msg"].count("no more") == 1, "said once"


#: The fault that one write meets, how often it meets it, and whether the write fails.
ONE_WRITE: dict[str, tuple[Act, int, bool]] = {
    "refused": (refused(403, "Forbidden", "not this one"), 1, True),
    "always an error": (refused(500, "InternalError", "not this one"), 7, True),
    "a conflict": (refused(409, "Conflict", "modified"), 1, False),
    "cut before": (cut("request"), 1, False),
    "cut after": (cut("answer", by_reset=True), 1, False),
    "half an answer": (cut("body"), 1, False),
    "hangs": (hanging("answer", 0.2), 1, False),
    "a lie": (answered(200, b"null"), 1, True),
}


#: Faults that the client handles, in the same way for every module.
OF_CLIENT = ("cut before", "half an answer", "hangs", "a lie")


class TestOneWrite:
    """A fault in one write to the first namespace, which has several entries in the list form."""

    COUNT = 6

    @pytest.mark.parametrize(
        ("module", "form", "what"),
        [
            pytest.param(
                module, form, what, marks=[pytest.mark.slow] if what in OF_CLIENT and module != "pull_secret" else []
            )
            for module in WRITES
            for form, what in (("single", "refused"), *(("list", what) for what in ONE_WRITE))
        ],
    )
    def test_a_fault_in_one_write_affects_only_its_own_entry(self, lab, names, module, form, what):
        act, times, fails = ONE_WRITE[what]
        places = names[: self.COUNT]
        options = given(module, form, places)
        take_back(lab, module, form, places)
        with hostile(lab) as server:
            server.proxy.rule(WRITES[module].replace(".*", f".*/{places[0]}", 1), act, times=times)
            result = server.run(module, **options)
        entries = len(options.get(LISTS[module], ())) if form == "list" else 0
        # Several secrets need several writes, and only one of them fails. The entries of an account or a binding share one write.
        met = [0] if module == "pull_secret" else [0, *range(self.COUNT, entries)]
        met = met if form == "list" else [None]
        assert result["failed"] is fails
        assert [failure.get("entry") for failure in result["failures"]] == (met if fails else [])
        assert {failure["namespace"] for failure in result["failures"]} <= {places[0]}
        assert all(
            str(WORK[module].get("name", "")) in failure.get("name", "") or form == "single"
            for failure in result["failures"]
        )
        told = sorted(number for change in changes_of(result) for number in change.get("entries", ()))
        assert told == [number for number in range(entries) if not fails or number not in met], "each is told once"
        assert result["summary"]["changed"] == self.COUNT - fails
        sent = server.proxy.asked(f"^(POST|PATCH) .*/namespaces/{places[0]}/")
        writes = 1 + (SEVERAL if form == "list" and module == "pull_secret" else 0)
        again = times - 1 if fails else what in ("a conflict", "cut before")
        assert len(sent) == writes + again, "what was carried out is not sent again"
        finishes(lab, module, int(fails), **options)


def take_back(lab: Lab, module: str, form: str, names: list[str]) -> None:
    """Remove the declared objects, so that the next run has something to do."""
    options = {option: value for option, value in given(module, form, names).items() if option != "registries"}
    for entry in options.get(LISTS[module], ()) if form == "list" else ():
        entry.pop("registries", None)
    result = run_module(module, kubeconfig=lab.kubeconfig, state="absent", **options)
    assert not result["failed"], result["msg"]


class TestLists:
    """When the server has dropped the rest of a list, the list is read again from the start and nothing is done twice."""

    def selected(self, names: list[str], form: str = "single") -> dict[str, Any]:
        options = {"namespace_selector": {"include": [f"{names[0][:-1]}*"]}, **WORK["pull_secret"]}
        return options if form == "single" else {"secrets": [options, {**options, "name": "ours-2"}]}

    @pytest.mark.parametrize("form", FORMS)
    @pytest.mark.parametrize("after", [0, 1])
    def test_each_namespace_is_handled_once_when_a_list_is_read_again(self, lab, few, after, form):
        with hostile(lab, page=2) as server:
            server.proxy.rule(NEXT_PAGE, GONE, after=after, times=1)
            result = server.run("pull_secret", **self.selected(few, form))
        assert not result["failed"], result["msg"]
        assert sorted(entry["name"] for entry in result["namespaces"]) == sorted(few)
        assert len(server.proxy.asked("POST")) == len(few) * (1 if form == "single" else 2)

    def test_each_pod_is_deleted_once_when_a_list_is_read_again(self, lab, few):
        """The first page is read twice, and both times it contains a pod that must be deleted."""
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

    def test_a_namespace_deleted_between_two_reads_is_skipped_once(self, lab, few):
        name = few[0]
        lab.create(name, "configmaps", {"metadata": {"name": "hold", "finalizers": ["example.com/hold"]}})

        def delete_once_read(proxy: HostileProxy, exchange: Exchange) -> None:
            """Drop the list after the page with the namespace, which is being deleted by that time."""
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

    @pytest.mark.parametrize("form", FORMS)
    def test_a_list_that_always_expires_is_an_error(self, lab, few, form):
        with hostile(lab, page=2) as server:
            server.proxy.rule(NEXT_PAGE, GONE)
            result = server.run("pull_secret", **self.selected(few, form))
        assert result["failed"]
        assert server.proxy.url in result["msg"]
        assert server.proxy.asked("POST") == []
        assert len(server.proxy.log) < 20
