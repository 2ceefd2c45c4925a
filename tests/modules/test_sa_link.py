# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""sa_link never removes a foreign entry, even if others write at the same time."""

from __future__ import annotations

import itertools
import multiprocessing
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from support.lab import Lab, mount_names, path_of, pull_names
from support.modules import run_module
from support.objects import pull_secret


def link(run: Any, namespaces: list[str], *secrets: str, **options: Any) -> dict[str, Any]:
    """Link the secrets without requiring that they exist, which TestRequire covers."""
    return run("sa_link", namespaces=namespaces, secrets=list(secrets), **{"require": "none", **options})


class TestForeignEntries:
    """The platform's entry and two foreign entries, one of them twice, keep their order."""

    @pytest.fixture
    def foreign(self, lab, namespace) -> list[str]:
        lab.set_account(namespace, imagePullSecrets=["theirs-1", "theirs-2", "theirs-1"])
        found = pull_names(lab.account(namespace))
        assert len(found) == 4
        return found

    def test_link_and_unlink_keep_foreign_entries_in_order(self, lab, run, namespace, foreign):
        assert link(run, [namespace], "mine", "mine-too")["changed"]
        assert pull_names(lab.account(namespace)) == [*foreign, "mine", "mine-too"]
        assert not link(run, [namespace], "mine-too", "mine")["changed"]
        assert link(run, [namespace], "mine", "mine-too", state="absent")["changed"]
        assert pull_names(lab.account(namespace)) == foreign
        assert not link(run, [namespace], "mine", "mine-too", state="absent")["changed"]

    def test_a_link_survives_while_the_platform_restores_its_entry(self, lab, run, namespace, foreign):
        """The platform's entry is removed repeatedly, and the platform appends it again within milliseconds."""
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
            for number in range(200):
                results.append(link(run, [namespace], "mine", state=("present", "absent")[number % 2]))
                if number >= 20 and sum(result["summary"]["retries"] for result in results):
                    break
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


_numbers = itertools.count()

RBAC = "rbac.authorization.k8s.io"
REFERENCE = "openshift.io/internal-registry-pull-secret-ref"
LONG = "pipeline-runner-of-the-payments-department-production"
MANAGED = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull"}


AUTHS = {"auths": {"quay.io": {"auth": "cm9ib3Q6U2VjcmV0LTE="}}}


def let_link(lab: Any, namespace: str, *resources: str) -> None:
    """Allow the user `limited` to link in the namespace and to read the given resources."""
    rules = [{"apiGroups": [""], "resources": ["serviceaccounts"], "verbs": ["get", "patch"]}]
    rules += [{"apiGroups": [""], "resources": [name], "verbs": ["get"]} for name in resources]
    lab.create(namespace, "roles", {"metadata": {"name": "linker"}, "rules": rules})
    user = {"kind": "User", "name": "limited", "apiGroup": RBAC}
    role = {"apiGroup": RBAC, "kind": "Role", "name": "linker"}
    lab.create(namespace, "rolebindings", {"metadata": {"name": "linker"}, "roleRef": role, "subjects": [user]})


class TestWhatLooksGenerated:
    """From 4.16 on, the account's annotation names the only generated secret. A secret of a user can have a similar name."""

    ALIKE = ("default-token-quay", "default-dockercfg-zzzzz", "default-token-x7k2p")

    @pytest.mark.parametrize("name", ALIKE)
    def test_a_users_secret_with_a_generated_name_is_unlinked_completely(self, lab, run, namespace, name):
        lab.create(namespace, "secrets", pull_secret(name, AUTHS))
        platform = pull_names(lab.account(namespace))
        both = {"link_for": ["pull", "mount"]}
        assert link(run, [namespace], name, **both)["changed"]
        assert pull_names(lab.account(namespace)) == [*platform, name]
        result = link(run, [namespace], name, state="absent", **both)
        assert (result["changed"], result.get("warnings")) == (True, None)
        lab.api("DELETE", path_of(namespace, "secrets", name))
        account = lab.account(namespace)
        assert (pull_names(account), mount_names(account)) == (platform, platform)
        audit = lab.audit()
        assert not link(run, [namespace], name, state="absent", **both)["changed"]
        assert audit.verbs() == ["get"], "the second run costs no look at a secret"

    @pytest.mark.parametrize("name", ALIKE)
    def test_a_link_to_a_deleted_secret_with_a_generated_name_is_removed(self, lab, run, namespace, name):
        lab.set_account(namespace, imagePullSecrets=[name], secrets=[name])
        platform = pull_names(lab.account(namespace))[0]
        assert link(run, [namespace], name, state="absent", link_for=["pull", "mount"])["changed"]
        account = lab.account(namespace)
        assert (pull_names(account), mount_names(account)) == ([platform], [platform])

    def test_an_exclusive_list_keeps_the_annotated_secret_and_needs_one_list(self, lab, run, namespaces):
        names = namespaces(6)
        for name in names:
            lab.set_account(name, imagePullSecrets=["default-token-quay", "default-dockercfg-zzzzz", "theirs"])
        audit = lab.audit()
        assert link(run, names, "mine", exclusive=True)["summary"]["changed"] == 6
        assert sorted(audit.verbs()) == ["list"] + ["patch"] * 6
        for name in names:
            platform, mine = pull_names(lab.account(name))
            assert (platform, mine) == (lab.account(name)["metadata"]["annotations"][REFERENCE], "mine")
        audit = lab.audit()
        assert link(run, names, "mine", exclusive=True)["summary"]["unchanged"] == 6
        assert audit.verbs() == ["list"]

    def test_the_shortened_generated_name_of_a_long_account_is_kept(self, lab, run, namespace):
        lab.create(namespace, "serviceaccounts", {"metadata": {"name": LONG}})
        lab.until(lambda: lab.provisioned(namespace, LONG), f"{LONG} is provisioned")
        (platform,) = pull_names(lab.account(namespace, LONG))
        assert platform.startswith("pipeline-runner-of-the-payments-depart-402877bf-dockercfg-")
        options = {"service_accounts": [LONG], "link_for": ["pull", "mount"]}
        link(run, [namespace], "mine", exclusive=True, **options)
        assert link(run, [namespace], platform, "mine", state="absent", **options)["changed"]
        assert pull_names(lab.account(namespace, LONG)) == [platform]
        assert mount_names(lab.account(namespace, LONG)) == [platform]


@pytest.fixture
def old(legacy_lab: Lab) -> Lab:
    return legacy_lab


class TestBefore416:
    """Before 4.16, generated secrets are recognized by name, including shortened names, or by their content if the name is ambiguous."""

    @pytest.fixture
    def old_run(self, old):
        return lambda module, **options: run_module(module, kubeconfig=old.kubeconfig, **options)

    @pytest.fixture
    def project(self, old) -> str:
        return old.namespace(f"old-{next(_numbers)}")

    def account(self, old: Lab, project: str, name: str) -> str:
        """Create an account and return its generated pull secret."""
        old.create(project, "serviceaccounts", {"metadata": {"name": name}})
        old.until(lambda: old.provisioned(project, name), f"{name} is provisioned")
        (generated,) = pull_names(old.account(project, name))
        assert REFERENCE not in (old.account(project, name)["metadata"].get("annotations") or {})
        return generated

    @pytest.mark.parametrize("name", ["app", LONG])
    def test_the_generated_entry_is_kept(self, old, old_run, project, name):
        generated = self.account(old, project, name)
        options = {"service_accounts": [name], "link_for": ["pull", "mount"]}
        audit = old.audit()
        assert link(old_run, [project], "mine", exclusive=True, **options)["changed"]
        assert link(old_run, [project], "mine", exclusive=True, **options)["changed"] is False
        assert audit.verbs() == ["get", "patch", "get"], "no secret is read for an ordinary account"
        result = link(old_run, [project], generated, "mine", state="absent", **options)
        assert result["changed"]
        assert "the platform generated it for this account" in str(result["warnings"])
        found = old.account(project, name)
        assert (pull_names(found), mount_names(found)) == ([generated], [generated])

    def test_a_users_secret_with_a_generated_name_is_removed(self, old, old_run, project):
        (generated,) = pull_names(old.account(project))
        mine = "default-dockercfg-zzzzz"
        old.create(project, "secrets", pull_secret(mine, AUTHS))
        old.set_account(project, imagePullSecrets=[mine, "default-dockercfg-bbbbb"])
        link(old_run, [project], "team", exclusive=True)
        assert pull_names(old.account(project)) == [generated, "team"], "a user's one and a stale one are gone"
        assert link(old_run, [project], mine)["changed"]
        assert link(old_run, [project], mine, state="absent")["changed"]
        assert pull_names(old.account(project)) == [generated, "team"]

    def test_an_unreadable_secret_stays_linked_with_a_warning(self, old, old_run, project):
        generated = pull_names(old.account(project))
        let_link(old, project)
        result = link(old_run, [project], *generated, state="absent", impersonate_user="limited")
        assert (result["failed"], result["changed"]) == (False, False)
        assert "it is not known whether the platform generated it, because it could not be read" in str(
            result["warnings"]
        )
        assert pull_names(old.account(project)) == generated

    @pytest.mark.slow
    def test_the_legacy_secret_stays_linked_after_an_upgrade(self, lab_factory):
        lab = lab_factory("--provisioner", "legacy", "--no-registries")
        project = lab.namespace("upgraded")
        (generated,) = pull_names(lab.account(project))
        lab.run("set", "--dir", str(lab.dir), "--provisioner", "bound")
        lab.until(
            lambda: (lab.account(project)["metadata"].get("annotations") or {}).get(REFERENCE) == generated, "adopted"
        )
        options = {"namespaces": [project], "kubeconfig": lab.kubeconfig, "require": "none"}
        run_module("sa_link", secrets=["mine"], exclusive=True, **options)
        assert pull_names(lab.account(project)) == [generated, "mine"]
        result = run_module("sa_link", secrets=[generated, "mine"], state="absent", **options)
        assert result["changed"]
        assert pull_names(lab.account(project)) == [generated]


class TestOnlyManaged:
    """A teardown unlinks only secrets that this collection created and secrets that do not exist."""

    def test_the_option_only_managed_unlinks_only_own_and_deleted_secrets(self, lab, run, namespace):
        lab.create(namespace, "secrets", pull_secret("ours", AUTHS, metadata={"labels": MANAGED}))
        lab.create(namespace, "secrets", pull_secret("theirs", AUTHS))
        platform = pull_names(lab.account(namespace))[0]
        lab.set_account(namespace, imagePullSecrets=["theirs", "ours", "gone"])
        options = {"state": "absent", "only_managed": True}
        audit = lab.audit()
        checked = link(run, [namespace], "ours", "theirs", "gone", "unlinked", platform, check=True, **options)
        assert audit.writes() == []
        result = link(run, [namespace], "ours", "theirs", "gone", "unlinked", platform, **options)
        assert (checked["namespaces"], checked["warnings"]) == (result["namespaces"], result["warnings"])
        assert pull_names(lab.account(namespace)) == [platform, "theirs"]
        told = str(result["warnings"])
        assert f"secret theirs stays linked to service account {namespace}/default: it does not have the label" in told
        assert f"secret {platform} stays linked" in told
        audit = lab.audit()
        assert not link(run, [namespace], "ours", "gone", **options)["changed"]
        assert audit.verbs() == ["get"], "what is not linked is not looked up"


class TestWaiting:
    """The module waits for a missing account, and names an account that is never created."""

    def test_an_account_that_is_created_later_is_linked(self, lab, run, namespace):
        timer = threading.Timer(0.7, lambda: lab.create(namespace, "serviceaccounts", {"metadata": {"name": "late"}}))
        timer.start()
        assert link(run, [namespace], "mine", service_accounts=["late"])["changed"]
        assert "mine" in pull_names(lab.account(namespace, "late"))

    @pytest.mark.parametrize("check", [False, True])
    def test_an_account_that_never_appears_fails_by_name_after_the_others(self, lab, run, namespace, check):
        result = link(run, [namespace], "mine", service_accounts=["default", "never"], wait_timeout=1, check=check)
        assert result["failed"]
        assert "service account never did not appear in time" in result["failures"][0]["error"]
        assert result["changed"] is True
        assert ("mine" in pull_names(lab.account(namespace))) is not check


class TestAtBirth:
    """A link during the creation of an account conflicts about four times in ten, and no entry is lost."""

    def test_a_hundred_new_accounts_are_linked_without_a_loss(self, lab, run, namespaces):
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


@pytest.mark.slow
class TestManyWriters:
    def test_two_hundred_links_by_twenty_processes_lose_no_entry(self, lab, namespace):
        """All processes write to one account. No entry is lost and no run fails."""
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
