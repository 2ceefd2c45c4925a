# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sa_link against the lab: nothing that is not ours is taken away, whoever writes at the same moment."""

from __future__ import annotations

import multiprocessing
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.lab import mount_names, path_of, pull_names
from support.modules import run_module


def link(run: Any, namespaces: list[str], *secrets: str, **options: Any) -> dict[str, Any]:
    """Whether the secrets exist is a matter of its own: TestRequire."""
    return run("sa_link", namespaces=namespaces, secrets=list(secrets), **{"require": "none", **options})


class TestForeignEntries:
    """Promise 1, in order: the platform's entry, two entries of others, one of them twice."""

    @pytest.fixture
    def foreign(self, lab, namespace) -> list[str]:
        lab.set_account(namespace, imagePullSecrets=["theirs-1", "theirs-2", "theirs-1"])
        found = pull_names(lab.account(namespace))
        assert len(found) == 4
        return found

    def test_link_again_and_unlink(self, lab, run, namespace, foreign):
        assert link(run, [namespace], "mine", "mine-too")["changed"]
        assert pull_names(lab.account(namespace)) == [*foreign, "mine", "mine-too"]
        assert not link(run, [namespace], "mine-too", "mine")["changed"]
        assert link(run, [namespace], "mine", "mine-too", state="absent")["changed"]
        assert pull_names(lab.account(namespace)) == foreign
        assert not link(run, [namespace], "mine", "mine-too", state="absent")["changed"]

    def test_a_duplicate_of_ours_is_cleaned_where_it_first_stands(self, lab, run, namespace):
        lab.set_account(namespace, imagePullSecrets=["mine", "theirs", "mine"])
        platform = pull_names(lab.account(namespace))[0]
        assert link(run, [namespace], "mine")["changed"]
        assert pull_names(lab.account(namespace)) == [platform, "mine", "theirs"]

    def test_while_the_platform_puts_its_entry_back(self, lab, run, namespace, foreign):
        """The platform's entry is taken out again and again; it puts it back at the end within milliseconds."""
        platform, path = foreign[0], path_of(namespace, "serviceaccounts", "default")
        stop = threading.Event()

        def provoke() -> None:
            while not stop.is_set():
                account = lab.account(namespace)
                account["imagePullSecrets"] = [e for e in account["imagePullSecrets"] if e["name"] != platform]
                lab.api("PUT", path, account, expect=(200, 409))
                stop.wait(0.005)

        provoker = threading.Thread(target=provoke)
        provoker.start()
        results = []
        try:
            for state in ("present", "absent") * 10:
                results.append(link(run, [namespace], "mine", state=state))
            results.append(link(run, [namespace], "mine"))
        finally:
            stop.set()
            provoker.join()
        assert not any(result["failed"] for result in results)
        assert sum(result["summary"]["retries"] for result in results) > 0, (
            "no conflict was met: the test proves nothing"
        )
        lab.until(lambda: platform in pull_names(lab.account(namespace)), "the platform's entry is back")
        counted = Counter(pull_names(lab.account(namespace)))
        assert counted == Counter({platform: 1, "theirs-1": 2, "theirs-2": 1, "mine": 1})


class TestPurposes:
    """J7: the same meaning as oc secrets link --for."""

    @pytest.mark.parametrize("link_for", [["pull"], ["mount"], ["pull", "mount"]])
    def test_only_the_named_lists_change(self, lab, run, namespace, link_for):
        before = lab.account(namespace)
        link(run, [namespace], "mine", link_for=link_for)
        after = lab.account(namespace)
        added = {"pull": ["mine"] if "pull" in link_for else [], "mount": ["mine"] if "mount" in link_for else []}
        assert pull_names(after) == pull_names(before) + added["pull"]
        assert mount_names(after) == mount_names(before) + added["mount"]
        link(run, [namespace], "mine", link_for=link_for, state="absent")
        assert pull_names(lab.account(namespace)) == pull_names(before)
        assert mount_names(lab.account(namespace)) == mount_names(before)

    def test_several_accounts_and_globs(self, lab, run, namespace):
        for name in ("build-a", "build-b", "other"):
            lab.create(namespace, "serviceaccounts", {"metadata": {"name": name}})
        result = link(run, [namespace], "mine", service_accounts=["default", "build-*"])
        assert [change["name"] for change in result["namespaces"][0]["changes"]] == ["build-a", "build-b", "default"]
        assert "mine" not in pull_names(lab.account(namespace, "other"))

    @pytest.mark.parametrize(
        "options",
        [{"secrets": []}, {"service_accounts": []}, {"link_for": []}, {"secrets": ["Bad_Name"]}, {"namespaces": []}],
    )
    def test_bad_input_costs_no_request(self, lab, run, namespace, options):
        audit = lab.audit()
        result = run("sa_link", **{"namespaces": [namespace], "secrets": ["mine"], **options})
        assert result["failed"]
        assert f"option '{next(iter(options))}'" in result["msg"]
        assert audit.ours() == []


class TestTruthTable:
    """Promise 2, for each list and state."""

    FOUND = {"missing": [], "same": ["mine"], "foreign": ["theirs", "theirs"], "between": ["theirs", "mine", "last"]}

    @pytest.mark.parametrize("state", ["present", "absent"])
    @pytest.mark.parametrize("found", FOUND)
    def test_check_then_real_then_again(self, lab, run, namespace, state, found):
        lab.set_account(namespace, imagePullSecrets=self.FOUND[found])
        options = {"namespaces": [namespace], "secrets": ["mine"], "state": state, "require": "none"}
        audit = lab.audit()
        checked = run("sa_link", check=True, **options)
        assert audit.writes() == []
        real = run("sa_link", **options)
        for part in ("changed", "diff", "namespaces", "summary"):
            assert checked[part] == real[part], part
        assert real["changed"] is (("mine" in self.FOUND[found]) is (state == "absent"))
        audit = lab.audit()
        assert run("sa_link", **options)["changed"] is False
        assert audit.verbs() == ["get"]


class TestWaiting:
    """asks 7, 9: an account that is not there yet is waited for; one that never comes is named."""

    def test_an_account_that_comes_later(self, lab, run, namespace):
        timer = threading.Timer(0.7, lambda: lab.create(namespace, "serviceaccounts", {"metadata": {"name": "late"}}))
        timer.start()
        assert link(run, [namespace], "mine", service_accounts=["late"])["changed"]
        assert "mine" in pull_names(lab.account(namespace, "late"))

    @pytest.mark.parametrize("check", [False, True])
    def test_one_that_never_comes_fails_by_name_after_the_others_are_done(self, lab, run, namespace, check):
        result = link(run, [namespace], "mine", service_accounts=["default", "never"], wait_timeout=1, check=check)
        assert result["failed"]
        assert "service account never did not appear in time" in result["failures"][0]["error"]
        assert result["changed"] is True
        assert ("mine" in pull_names(lab.account(namespace))) is not check

    def test_a_missing_namespace_is_not_waited_for(self, run):
        result = link(run, ["missing"], "mine", wait_timeout=600)
        assert "the namespace does not exist" in result["failures"][0]["error"]

    def test_nothing_to_unlink_is_no_failure(self, run, namespace):
        result = link(run, [namespace], "mine", service_accounts=["never"], state="absent", wait_timeout=600)
        assert (result["failed"], result["changed"]) == (False, False)


class TestAtBirth:
    """traces: who links at an account's birth meets a conflict about four times in ten; no entry may be lost."""

    def test_a_hundred_newborn_accounts(self, lab, run, namespaces):
        names = namespaces(100, wait=False)
        result = link(run, names, "mine")
        assert result["summary"]["changed"] == 100
        for name in names:
            lab.until(lambda name=name: lab.provisioned(name), f"{name} is provisioned")
            assert Counter(pull_names(lab.account(name)))["mine"] == 1


def _link_ten(kubeconfig: str, namespace: str, number: int) -> list[bool]:
    names = [f"secret-{number}-{index}" for index in range(10)]
    options = {"namespaces": [namespace], "kubeconfig": kubeconfig, "require": "none"}
    return [run_module("sa_link", secrets=[name], **options)["failed"] for name in names]


class TestManyWriters:
    def test_two_hundred_links_by_twenty_processes_at_once(self, lab, namespace):
        """Nothing is lost and no run fails, all on one account."""
        lab.set_account(namespace, imagePullSecrets=["theirs-1", "theirs-2", "theirs-1"])
        before = pull_names(lab.account(namespace))
        with ThreadPoolExecutor(20) as pool:
            failed = list(pool.map(lambda number: _in_process(lab.kubeconfig, namespace, number), range(20)))
        assert failed == [[False] * 10] * 20
        after = pull_names(lab.account(namespace))
        assert after[: len(before)] == before
        assert Counter(after[len(before) :]) == Counter(f"secret-{n}-{i}" for n in range(20) for i in range(10))


def _in_process(kubeconfig: str, namespace: str, number: int) -> list[bool]:
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as process:
        return process.apply(_link_ten, (kubeconfig, namespace, number))


class TestFleet:
    """Promise 4."""

    def test_fifty_namespaces(self, lab, run, namespaces):
        names = namespaces(50)
        audit = lab.audit()
        assert link(run, names, "mine")["summary"]["changed"] == 50
        assert sorted(audit.verbs()) == ["list"] + ["patch"] * 50
        audit = lab.audit()
        assert link(run, names, "mine")["summary"]["unchanged"] == 50
        assert audit.verbs() == ["list"]
