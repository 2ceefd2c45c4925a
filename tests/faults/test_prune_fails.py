# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A prune that is killed, refused or left without an answer never leaves a link without its secret, and the next run finishes."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support.faulty_proxy import FaultyProxy
from support.fleet import RBAC, default_accounts, delete_namespaces, make_namespaces, selected
from support.hostile import WORK, hostile, judged
from support.hostile_proxy import answered, cut, hanging, refused
from support.killed_runs import KilledRuns
from support.lab import Lab, path_of, pull_names
from support.logins import token_kubeconfig
from support.many import LISTS, declared, suffixes
from support.modules import run_module
from support.statuses import times_said

pytestmark = pytest.mark.slow

COUNT, KEPT = 60, 40
KILLS = 4
SEED = 11
OWNER = "team-a"
BINDING = f"image-puller-grant-{OWNER}"
DECLARED: dict[str, dict[str, Any]] = {
    "pull_secret": WORK["pull_secret"],
    "sa_link": {"secrets": ["ours"]},
    "image_puller_grant": {"projects": ["consumer"]},
}
FORBIDDEN = refused(403, "Forbidden", "you may not list here")
BROKEN = refused(500, "InternalError", "etcdserver: leader changed")


def removed(result: dict[str, Any]) -> list[int]:
    """Return the number of removed secrets, of removed links whose secret stays, and of removed subjects."""
    return [result["prune"][kind]["removed"] for kind in ("secrets", "links", "grants")]


class Fleet:
    """The namespaces of an owner, each with its own entries, the first with several. Another owner has objects in each of them.

    The namespaces in `gone` leave the inventory. The first of them, `leaving`, has several entries.
    """

    def __init__(self, lab: Lab, names: list[str]) -> None:
        self.lab, self.names = lab, names
        self.gone, self.kept = names[: COUNT - KEPT], names[COUNT - KEPT :]
        self.leaving = self.gone[0]

    def options(self, module: str, *, everywhere: bool) -> dict[str, Any]:
        options = declared(module, "list", self.names, DECLARED[module])
        left = [entry for entry in options[LISTS[module]] if everywhere or entry["namespaces"][0] in self.kept]
        return {**options, LISTS[module]: left}

    def site(self, *, everywhere: bool = True, kubeconfig: str = "") -> list[dict[str, Any]]:
        """Apply the declarations of the inventory."""
        results = []
        for module in DECLARED:
            options = self.options(module, everywhere=everywhere)
            results.append(run_module(module, kubeconfig=kubeconfig or self.lab.kubeconfig, owner=OWNER, **options))
            assert not results[-1]["failed"], results[-1]["msg"]
        return results

    def pruning(self, *, everywhere: bool = False) -> dict[str, Any]:
        lists = {LISTS[module]: self.options(module, everywhere=everywhere)[LISTS[module]] for module in DECLARED}
        return {"owner": OWNER, "max_prune": "100%", **lists}

    def prune(self, **options: Any) -> dict[str, Any]:
        return run_module("pull_access_prune", **{"kubeconfig": self.lab.kubeconfig, **self.pruning(), **options})

    def ours(self) -> dict[str, dict[str, Any]]:
        """Return the secrets, links and subjects of the owner in each namespace, after checking the invariants."""
        labels = "labelSelector=app.kubernetes.io/instance%3D"
        secrets = places(selected(self.lab, "/api/v1/secrets", labels + OWNER))
        bindings = places(selected(self.lab, f"{RBAC}/rolebindings", labels + OWNER))
        others = places(selected(self.lab, "/api/v1/secrets", f"{labels}team-b"))
        accounts = default_accounts(self.lab)
        found = {}
        for name in self.names:
            links = pull_names(accounts[name])
            assert ["-dockercfg-" in link or link for link in links if not link.startswith("ours")] == [True, "theirs"]
            assert [*others[name]] == ["theirs"], "nothing of another owner is taken"
            linked = [link for link in links if link.startswith("ours")]
            assert {*linked} <= {*secrets.get(name, {})}, "a secret was deleted, and a link to it is left"
            subjects = [each["name"] for binding in bindings.get(name, {}).values() for each in binding["subjects"]]
            found[name] = {"secrets": {*secrets.get(name, {})}, "links": linked, "subjects": {*subjects}}
            if name in self.kept:
                assert found[name] == self.wanted(name), "what is declared stays"
        return found

    def wanted(self, namespace: str) -> dict[str, Any]:
        own = [suffix for name, suffix in suffixes("list", self.names) if name == namespace]
        return {
            "secrets": {f"ours{suffix}" for suffix in own},
            "links": [f"ours{suffix}" for suffix in own],
            "subjects": {f"system:serviceaccounts:consumer{suffix}" for suffix in own},
        }

    def finish(self, *, changed: bool = True) -> None:
        """Check that the next prune keeps all declared objects, and that neither it nor the other modules then change anything."""
        result = self.prune()
        assert not result["failed"], result["msg"]
        assert result["changed"] is changed
        assert all(found == NOTHING for name, found in self.ours().items() if name in self.gone)
        audit = self.lab.audit()
        assert not any(one["changed"] for one in self.site(everywhere=False))
        assert not self.prune()["changed"]
        assert audit.writes() == []


NOTHING: dict[str, Any] = {"secrets": set(), "links": [], "subjects": set()}


def places(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the objects by namespace and name."""
    found: dict[str, dict[str, Any]] = {}
    for one in objects:
        found.setdefault(one["metadata"]["namespace"], {})[one["metadata"]["name"]] = one
    return found


@pytest.fixture(scope="module")
def owned(lab) -> Iterator[Fleet]:
    names = make_namespaces(lab, [f"prune-fails-{number:02}" for number in range(COUNT)])
    fleet = Fleet(lab, names)
    theirs = {"name": "theirs", "registries": WORK["pull_secret"]["registries"]}
    for module, options in (("pull_secret", theirs), ("sa_link", {"secrets": ["theirs"]})):
        assert run_module(module, kubeconfig=lab.kubeconfig, owner="team-b", namespaces=names, **options)["changed"]
    yield fleet
    delete_namespaces(lab, names)


@pytest.fixture
def fleet(owned) -> Fleet:
    """A fleet that has everything that the owner once declared."""
    owned.site()
    return owned


class TestWhole:
    def test_prune_removes_objects_of_many_namespaces_with_one_write_each(self, lab, fleet):
        """The work of four tasks, and the number of its requests."""
        assert not any(one["changed"] for one in fleet.site())
        audit = lab.audit()
        assert not fleet.prune(**fleet.pruning(everywhere=True))["changed"], "all of it is declared"
        foreseen = fleet.prune(check=True)
        assert audit.writes() == []
        audit = lab.audit()
        real = fleet.prune()
        assert not real["failed"], real["msg"]
        for part in ("changed", "diff", "namespaces", "failures", "summary", "prune"):
            assert foreseen[part] == real[part]
        more = len(suffixes("list", fleet.names)) - COUNT
        count = len(fleet.gone) + more
        assert real["prune"] == {
            "secrets": {"declared": KEPT, "removed": count, "allowed": COUNT + more},
            "links": {"declared": KEPT, "removed": 0, "allowed": KEPT},
            "grants": {"declared": KEPT, "removed": count, "allowed": COUNT + more},
        }
        assert Counter((verb, resource) for verb, resource, _place, _name in audit.writes()) == {
            ("patch", "serviceaccounts"): len(fleet.gone),
            ("delete", "secrets"): count,
            ("delete", "rolebindings"): len(fleet.gone),
        }
        assert len({*audit.writes()}) == len(audit.writes()), "one write for each object"
        assert {place for _verb, _resource, place, _name in audit.writes()} == {*fleet.gone}
        fleet.finish(changed=False)

    def test_prune_finishes_behind_a_server_that_refuses_cuts_and_delays(self, lab, fleet, tmp_path):
        with FaultyProxy(lab, share=0.15, seed=SEED).running() as proxy:
            result = fleet.prune(kubeconfig=token_kubeconfig(lab, proxy.url, tmp_path / "kubeconfig"))
        assert not result["failed"], result["msg"]
        more = len(suffixes("list", fleet.names)) - COUNT
        count = len(fleet.gone) + more
        assert removed(result) == [count, 0, count], "what was done is reported, also without an answer"
        assert proxy.injected.total() > 5
        fleet.finish(changed=False)


class TestKilled:
    def test_the_next_run_finishes_a_killed_prune(self, lab, fleet, tmp_path):
        chance = random.Random(SEED)
        runs = KilledRuns(lab, tmp_path)
        for _kill in range(KILLS):
            fleet.site()
            runs.kill("pull_access_prune", fleet.pruning(), writes=chance.randrange(1, 2 * len(fleet.gone)))
            found = [fleet.ours()[name] for name in fleet.gone]
            assert found not in ([NOTHING] * len(found), [fleet.wanted(name) for name in fleet.gone])
        fleet.finish()


#: How the answer to a delete is lost, and whether the delete was carried out.
LOST = {
    "cut after": (cut("answer", by_reset=True), True),
    "half an answer": (cut("body"), True),
    "hangs": (hanging("answer", 0.2), True),
    "cut before": (cut("request"), False),
    "an error": (BROKEN, False),
}


class TestLostAnswers:
    @pytest.mark.parametrize(
        ("resource", "what"),
        [*(("secrets", what) for what in LOST), ("rolebindings", "cut after"), ("rolebindings", "cut before")],
    )
    def test_a_delete_is_reported_once_and_not_repeated_blindly(self, lab, fleet, resource, what):
        act, carried_out = LOST[what]
        with hostile(lab) as server:
            server.proxy.rule(f"DELETE .*/{resource}/", act, times=1)
            result = server.run("pull_access_prune", **fleet.pruning())
        assert not result["failed"], result["msg"]
        told = [change for found in result["namespaces"] for change in found["changes"]]
        named = [(found["name"], change["name"]) for found in result["namespaces"] for change in found["changes"]]
        assert len({*named}) == len(named) == len(told)
        count = len(suffixes("list", fleet.names)) - KEPT
        assert removed(result) == [count, 0, count]
        sent = Counter(server.proxy.asked("DELETE"))
        assert sorted(sent.values(), reverse=True)[:2] == ([1, 1] if carried_out else [2, 1])
        fleet.finish(changed=False)


class TestUnlinkingFails:
    """If a link cannot be removed, its secret stays."""

    @pytest.mark.parametrize("act", [refused(403, "Forbidden", "not this one"), BROKEN, answered(200, b"null")])
    def test_the_secrets_of_a_namespace_with_a_failed_unlink_stay(self, lab, fleet, act):
        place = fleet.leaving
        with hostile(lab) as server:
            server.proxy.rule(f"PATCH .*/{place}/serviceaccounts/", act)
            result = server.run("pull_access_prune", **fleet.pruning())
        assert result["failed"]
        assert [failure["namespace"] for failure in result["failures"]] == [place]
        assert server.proxy.asked(f"DELETE .*/{place}/") == []
        found = fleet.ours()
        assert found[place] == fleet.wanted(place)
        assert all(found[name] == NOTHING for name in fleet.gone if name != place)
        assert result["summary"]["changed"] == len(fleet.gone) - 1
        fleet.finish()

    def test_a_link_added_by_another_writer_during_prune_is_removed(self, lab, fleet):
        """The account changes after the prune has read it."""
        place = fleet.leaving
        (link,) = [link for link in fleet.wanted(place)["links"] if link == f"ours-{place}"]

        def relink(proxy: Any, exchange: Any) -> None:
            account = lab.account(place)
            account["secrets"] = [*account["secrets"], {"name": link}]
            lab.api("PUT", path_of(place, "serviceaccounts", "default"), account)
            exchange.answer(proxy.ask(exchange))

        with hostile(lab) as server:
            server.proxy.rule(f"PATCH .*/{place}/serviceaccounts/", relink, times=1)
            result = server.run("pull_access_prune", **fleet.pruning())
        assert not result["failed"], result["msg"]
        assert len(server.proxy.asked(f"PATCH .*/{place}/serviceaccounts/")) == 2
        assert link not in json.dumps(lab.account(place))
        fleet.finish(changed=False)


class TestLists:
    PATHS = {"secrets": "/api/v1", "serviceaccounts": "/api/v1", "rolebindings": RBAC}

    @pytest.mark.parametrize("resource", PATHS)
    def test_a_namespace_without_the_right_to_list_is_left_out(self, lab, fleet, resource):
        base, place = self.PATHS[resource], fleet.leaving
        with hostile(lab) as server:
            server.proxy.rule(rf"GET {base}/{resource}\?", FORBIDDEN)
            server.proxy.rule(rf"GET {base}/namespaces/{place}/{resource}\?", FORBIDDEN)
            result = server.run("pull_access_prune", **fleet.pruning())
        assert not result["failed"], result["msg"]
        assert f"nothing was removed in {place}: the caller may not list {resource} in it" in str(result["warnings"])
        assert server.proxy.asked(f"^(PATCH|DELETE) .*/{place}/") == []
        found = fleet.ours()
        assert found[place] == fleet.wanted(place)
        assert all(found[name] == NOTHING for name in fleet.gone if name != place)
        fleet.finish()

    @pytest.mark.parametrize(
        ("resource", "act"),
        [
            ("secrets", refused(400, "BadRequest", "no")),
            ("serviceaccounts", answered(200, {"items": [None]})),
            ("rolebindings", answered(200)),
        ],
    )
    def test_an_unreadable_namespace_stops_prune_before_the_first_write(self, lab, fleet, resource, act):
        base, place = self.PATHS[resource], fleet.leaving
        with hostile(lab) as server:
            server.proxy.rule(rf"GET {base}/{resource}\?", FORBIDDEN)
            server.proxy.rule(rf"GET {base}/namespaces/{place}/{resource}\?", act)
            result = server.run("pull_access_prune", **fleet.pruning())
        assert result["failed"]
        assert result["msg"].startswith("nothing was removed")
        assert server.proxy.asked("^(PATCH|DELETE|POST|PUT)") == []
        assert all(found == fleet.wanted(name) for name, found in fleet.ours().items())

    def test_a_refused_login_is_reported_once(self, lab, fleet):
        with hostile(lab) as server:
            server.proxy.rule(r"GET /api/v1/secrets\?", refused(401, "Unauthorized", "no"))
            assert times_said(server.run("pull_access_prune", **fleet.pruning())["msg"], 401) == 1, "said once"
        judged(fleet.prune(check=True))
