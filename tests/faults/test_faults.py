# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fleet converges while its API server refuses, cuts and delays one request in five and other clients write the same objects.

All namespaces share one declaration, or a list has a different entry for each of them.
IMAGE_PULL_FAULT_NAMESPACES and IMAGE_PULL_FAULT_KILLS enlarge the test. 'make faults-large' sets them to 1,000 and 100.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from support.faulty_proxy import FAULTS, FaultyProxy
from support.fleet import RBAC, by_namespace, default_accounts, delete_namespaces, make_namespaces, selected
from support.killed_runs import KilledRuns
from support.lab import Lab, mount_names, path_of, pull_names
from support.logins import token_kubeconfig
from support.many import LISTS, declared, suffixes
from support.modules import run_module

NAMESPACES = int(os.environ.get("IMAGE_PULL_FAULT_NAMESPACES", "30"))
KILLS = int(os.environ.get("IMAGE_PULL_FAULT_KILLS", "6"))
SEED = 11
LOGIN = {"registry": "registry.example.com", "username": "user", "password": "correct horse"}
OPTIONS: dict[str, dict[str, Any]] = {
    "pull_secret": {"name": "ours", "registries": [LOGIN]},
    "sa_link": {"secrets": ["ours"], "link_for": ["pull", "mount"]},
    "image_puller_grant": {"projects": ["consumer"]},
}
#: Options that remove the declared objects by name instead of by content.
ABSENT = {**OPTIONS, "pull_secret": {"name": "ours"}}


@pytest.fixture(params=[pytest.param("single", marks=pytest.mark.slow), "list"])
def fleet(lab: Lab, request: pytest.FixtureRequest) -> Iterator[Fleet]:
    # The names of the namespaces decide which requests meet a fault.
    made = Fleet(lab, f"{request.cls.__name__.lower()}-{request.param}", request.param)
    yield made
    delete_namespaces(lab, made.names)


class Fleet:
    """Namespaces that also contain foreign entries, secrets and grants. `form` is the form of our declaration."""

    def __init__(self, lab: Lab, prefix: str, form: str) -> None:
        self.lab, self.form = lab, form
        self.names = make_namespaces(lab, [f"{prefix}-{number:04}" for number in range(NAMESPACES)])
        self.foreign: dict[str, list[str]] = {name: [] for name in self.names}
        for name in self.names:
            self.write_foreign(name, "theirs-1", "theirs-2")
            lab.create(name, "rolebindings", handmade())

    def options(self, module: str, *, absent: bool = False) -> dict[str, Any]:
        work = {**ABSENT[module], "state": "absent"} if absent else OPTIONS[module]
        return declared(module, self.form, self.names, work)

    def wanted(self, namespace: str) -> list[str]:
        """Return the suffixes of our names in the namespace."""
        return [suffix for name, suffix in suffixes(self.form, self.names) if name == namespace]

    def write_foreign(self, namespace: str, *entries: str) -> bool:
        """Add foreign entries to the account as a careful client does. Return False if another writer was faster."""
        account = self.lab.account(namespace)
        for key in ("imagePullSecrets", "secrets"):
            account[key] = [*(account.get(key) or []), *({"name": entry} for entry in entries)]
        answer = self.lab.api("PUT", path_of(namespace, "serviceaccounts", "default"), account, expect=(200, 409))
        if answer["kind"] != "ServiceAccount":
            return False
        self.foreign[namespace] += entries
        return True

    def check(self, *, converged: bool) -> None:
        """Check that no foreign object is lost and that each of our objects is old or new, never in between."""
        accounts = default_accounts(self.lab)
        secrets = our_secrets(self.lab)
        bindings = by_namespace(self.lab, f"{RBAC}/rolebindings", "image-puller-grant")
        others = by_namespace(self.lab, f"{RBAC}/rolebindings", "handmade")
        for name in self.names:
            account, wanted = accounts[name], self.wanted(name)
            lists = (pull_names(account), mount_names(account))
            for names in lists:
                assert [entry for entry in names if entry.startswith("theirs-")] == self.foreign[name]
                assert sum("-dockercfg-" in entry for entry in names) == 1
            linked = [[entry for entry in names if entry.startswith("ours")] for names in lists]
            assert linked[0] == linked[1], "both lists are written at once"
            assert linked[0] in ([], [f"ours{suffix}" for suffix in wanted]), "all entries are written at once"
            assert others[name]["subjects"] == handmade()["subjects"]
            contents = {f"ours{suffix}": wanted_content(suffix) for suffix in wanted}
            held = {secret: content(found) for secret, found in secrets.get(name, {}).items()}
            assert held.items() <= contents.items()
            granted = {f"system:serviceaccounts:consumer{suffix}" for suffix in wanted}
            assert name not in bindings or subjects(bindings[name]) == granted
            if converged:
                assert linked[0]
                assert held == contents
                assert name in bindings


def our_secrets(lab: Lab) -> dict[str, dict[str, dict[str, Any]]]:
    """Return our secrets by namespace and name."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for secret in selected(lab, "/api/v1/secrets", "fieldSelector=type%3Dkubernetes.io/dockerconfigjson"):
        found.setdefault(secret["metadata"]["namespace"], {})[secret["metadata"]["name"]] = secret
    return found


def handmade() -> dict[str, Any]:
    return {
        "metadata": {"name": "handmade"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "somebody"}],
    }


def content(secret: dict[str, Any]) -> Any:
    return json.loads(base64.b64decode(secret["data"][".dockerconfigjson"]))["auths"][LOGIN["registry"]]["auth"]


def wanted_content(suffix: str) -> str:
    return base64.b64encode(f"{LOGIN['username']}:{LOGIN['password']}{suffix}".encode()).decode()


def subjects(binding: dict[str, Any]) -> set[str]:
    return {subject["name"] for subject in binding["subjects"]}


class Writer(threading.Thread):
    """A foreign client that keeps adding entries to the same accounts, bypassing the proxy, at most five to each account."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__(daemon=True)
        self.fleet, self.ended, self.written = fleet, threading.Event(), 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        try:
            for number, name in itertools.product(range(5), self.fleet.names):
                if self.ended.wait(0.002):
                    return
                self.written += self.fleet.write_foreign(name, f"theirs-{number}-late")
        except BaseException as error:
            self.failure = error

    def __enter__(self) -> Writer:
        self.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.ended.set()
        self.join()
        assert self.failure is None, self.failure


class TestFaults:
    def test_a_run_of_each_module_converges_and_loses_nothing_of_others(self, lab, fleet, tmp_path):
        with FaultyProxy(lab, share=0.2, seed=SEED).running() as proxy:
            kubeconfig = token_kubeconfig(lab, proxy.url, tmp_path / "kubeconfig")
            retries = 0
            with Writer(fleet) as writer:
                for module in OPTIONS:
                    result = run_module(module, kubeconfig=kubeconfig, **fleet.options(module))
                    assert not result["failed"], result["msg"]
                    assert told_once(result, fleet.options(module).get(LISTS[module]) if fleet.form == "list" else None)
                    assert result["summary"]["changed"] == NAMESPACES, (
                        "what was done is reported, also without an answer"
                    )
                    retries += result["summary"]["retries"]
        fleet.check(converged=True)
        assert set(proxy.injected) == set(FAULTS), "every kind of fault was met"
        assert 0.1 < proxy.injected.total() / proxy.requests < 0.3
        assert writer.written
        assert retries >= proxy.injected.total() - proxy.injected["delayed"], "each repeated request is reported"

        audit = lab.audit()
        for module in OPTIONS:
            assert not run_module(module, kubeconfig=lab.kubeconfig, **fleet.options(module))["changed"]
        assert audit.writes() == []


def told_once(result: dict[str, Any], entries: list[Any] | None) -> bool:
    """Return whether exactly one change reports each entry of a list."""
    told = [
        number for found in result["namespaces"] for change in found["changes"] for number in change.get("entries", ())
    ]
    return sorted(told) == [*range(len(entries or ()))]


class TestKilled:
    """Runs that alternate between creating and removing, each killed by SIGKILL after a random number of writes."""

    def test_every_object_is_old_or_new_and_one_more_run_finishes(self, lab, fleet, tmp_path):
        chance = random.Random(SEED)
        runs = KilledRuns(lab, tmp_path)
        for number, module in zip(range(KILLS), itertools.cycle(OPTIONS)):
            take = number // len(OPTIONS) % 2
            gone, wanted = fleet.options(module, absent=True), fleet.options(module)
            if module == "sa_link":
                # Secrets that a killed run has not created are not linked, unlike the others.
                run_module("pull_secret", kubeconfig=lab.kubeconfig, **fleet.options("pull_secret"))
            # All namespaces start in the opposite state, so that there is enough work to interrupt.
            run_module(module, kubeconfig=lab.kubeconfig, **(wanted if take else gone))
            runs.kill(module, gone if take else wanted, writes=chance.randrange(NAMESPACES))
            fleet.check(converged=False)
        for module in OPTIONS:
            result = run_module(module, kubeconfig=lab.kubeconfig, **fleet.options(module))
            assert not result["failed"], result["msg"]
        fleet.check(converged=True)
        for module in OPTIONS:
            assert not run_module(module, kubeconfig=lab.kubeconfig, **fleet.options(module))["changed"]
