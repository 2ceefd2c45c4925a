# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From one inventory to the next: the cluster is always as if only the last one had ever been applied.

After each step, a run with the inventories of two owners must leave the same objects as the same run on a cluster that never had ours. The
laws of the simulation hold as well, and a second run writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from support.fake_api import Key
from support.objects import b64
from support.simulated_api import FATES, Conditions
from support.simulated_laws import TIER, Inventory, auths_of, is_ours
from support.simulated_users import ACCOUNTS, HOSTS, NEW, OLD, OWNERS
from support.simulation import Simulation

PLACES = ("ns0", "ns1")
CALM = Conditions(latency=0.001)
#: A quarter of all requests has one of the faults.
FAULTY = Conditions(latency=0.01, fates=dict.fromkeys(FATES, 0.25 / len(FATES)), expired=0.2)
#: The registry for which a user adds a login to our secrets.
USERS = "user.example.com"
WORDS = ("Canary-first", "Canary-second", OLD)

owners, places = st.sampled_from(OWNERS), st.sampled_from(PLACES)
accounts, numbers = st.sampled_from(ACCOUNTS), st.sampled_from((1, 2, 3))
logins = st.dictionaries(st.sampled_from(HOSTS), st.sampled_from(WORDS), min_size=1)


class Inventories(RuleBasedStateMachine):
    """The first secret of each owner is merged, in two entries, and the third one may be replaced."""

    def __init__(self) -> None:
        super().__init__()
        self.simulation = Simulation("inventories", PLACES)
        self.api = self.simulation.api
        self.api.conditions, self.api.page = CALM, 3
        self.simulation.world.words.update(WORDS)
        self.inventories = {
            owner: Inventory(
                owner,
                merged=frozenset({f"{owner}-1"}),
                recreated=frozenset({f"{owner}-3"}),
                obsolete=frozenset({USERS}),
            )
            for owner in OWNERS
        }

    def teardown(self) -> None:
        self.simulation.schedule.end()

    # --- the owners

    @initialize(secrets=st.dictionaries(st.tuples(places, numbers), logins, max_size=4), linked=st.booleans())
    def begin(self, secrets: dict[tuple[str, int], dict[str, str]], linked: bool) -> None:
        found = {(place, f"a-{number}"): each for (place, number), each in secrets.items()}
        links = frozenset((place, account, name) for place, name in found for account in ACCOUNTS) if linked else ()
        self._set("a", secrets=found, links=frozenset(links))

    @rule(owner=owners, place=places, number=numbers, given=logins, faulty=st.booleans())
    def declare(self, owner: str, place: str, number: int, given: dict[str, str], faulty: bool) -> None:
        secrets = {**self.inventories[owner].secrets, (place, f"{owner}-{number}"): given}
        self._set(owner, secrets=secrets, faulty=faulty)

    @rule(owner=owners, place=places, number=numbers, account=accounts)
    def link_or_unlink(self, owner: str, place: str, number: int, account: str) -> None:
        link = (place, account, f"{owner}-{number}")
        self._set(owner, links=self.inventories[owner].links ^ {link})

    @rule(owner=owners, place=places, user=st.sampled_from(("jane", "joe")), faulty=st.booleans())
    def grant_or_revoke(self, owner: str, place: str, user: str, faulty: bool) -> None:
        self._set(owner, grants=self.inventories[owner].grants ^ {(place, user)}, faulty=faulty)

    @rule(owner=owners)
    def make_immutable_or_not(self, owner: str) -> None:
        self._set(owner, immutable=self.inventories[owner].immutable ^ {f"{owner}-3"})

    @rule(owner=owners, place=places, number=numbers, faulty=st.booleans())
    def remove(self, owner: str, place: str, number: int, faulty: bool) -> None:
        secrets = {
            key: each for key, each in self.inventories[owner].secrets.items() if key != (place, f"{owner}-{number}")
        }
        self._set(owner, secrets=secrets, faulty=faulty)

    @rule(owner=owners)
    def tear_down(self, owner: str) -> None:
        self._set(owner, secrets={}, links=frozenset(), grants=frozenset())

    @precondition(lambda self: any(OLD in each.values() for each in self.inventories["a"].secrets.values()))
    @rule()
    def rotate(self) -> None:
        found = self.inventories["a"]
        rotated = frozenset(key for key, each in found.secrets.items() if OLD in each.values() and key[1] != "a-3")
        self._run(partial(self.simulation.rotate, "rotation-last", rotated))
        secrets = {
            key: {host: NEW if word == OLD and key in rotated else word for host, word in each.items()}
            for key, each in found.secrets.items()
        }
        before = self._state()
        self._set("a", secrets=secrets)
        assert self._state() == before, "the rotation and the new inventory differ"

    @rule()
    def export(self) -> None:
        result: dict[str, Any] = {}
        self._run(
            lambda: result.update(self.simulation.run_module("export", "pull_access_export", namespaces=[*PLACES]))
        )
        rows = result["private_registry_secrets"]
        secrets = {(place, row["name"]) for row in rows for place in row["namespaces"]}
        links = {
            (place, account, row["name"])
            for row in rows
            for place in row["namespaces"]
            for account in row.get("service_accounts", ())
        }
        for inventory in self.inventories.values():
            assert secrets >= inventory.secrets.keys()
            assert links >= inventory.links

    # --- others

    @rule(place=places, number=numbers)
    def add_foreign(self, place: str, number: int) -> None:
        self.simulation.world.put_foreign(place, f"by-hand-{number}")
        self._settle()

    @rule(data=st.data())
    def tamper(self, data: st.DataObject) -> None:
        ours = sorted(key for key, obj in self.api.objects.items() if is_ours(obj))
        if ours:
            self.change_ours(data.draw(st.sampled_from(ours)), removes=data.draw(st.booleans()))

    def change_ours(self, key: Key, *, removes: bool = False) -> None:
        """Another user removes or changes something of ours. The next run restores it."""
        obj, world = self.api.objects[key], self.simulation.world
        labels = {name: "users" if name == TIER else value for name, value in obj["metadata"]["labels"].items()}
        if removes:
            self.api.remove(*key)
        elif key[0] == "rolebindings":
            world.write(obj, subjects=[])
        elif not obj.get("immutable"):
            data = {".dockerconfigjson": b64({"auths": {USERS: {"auth": b64("x:y")}}})}
            world.write(obj, {"labels": labels}, data=data)
        self._settle()

    @rule(place=places, account=accounts)
    def empty_a_list(self, place: str, account: str) -> None:
        self.simulation.world.write(self.api.objects["serviceaccounts", place, account], imagePullSecrets=[])
        self.simulation.world.provision()
        self._settle()

    # --- the runs

    def _set(self, owner: str, faulty: bool = False, **parts: Any) -> None:
        """Change an inventory, without links to secrets that it does not declare, and bring it about."""
        found = replace(self.inventories[owner], **parts)
        links = frozenset(link for link in found.links if (link[0], link[2]) in found.secrets)
        self.inventories[owner] = replace(found, links=links)
        if faulty:
            self.api.conditions = FAULTY
            self._run(partial(self.simulation.site, f"{owner}-faulty", self.inventories[owner]))
            self.api.conditions = CALM
        self._settle()

    def _settle(self) -> None:
        for when in ("last", "rest"):
            for owner, inventory in self.inventories.items():
                self._run(partial(self.simulation.site, f"{owner}-{when}", inventory))
        fresh = Simulation("fresh", PLACES)
        try:
            fresh.api.conditions = CALM
            fresh.api.objects = dict(self._foreign_objects())
            for owner, inventory in self.inventories.items():
                fresh.schedule.run(partial(fresh.site, f"{owner}-last", inventory))
            fresh.check()
            assert self._state() == state_of(fresh.api.objects, self.inventories)
        finally:
            fresh.schedule.end()

    def _run(self, work: Any) -> None:
        self.simulation.schedule.run(work)
        self.simulation.check()

    def _state(self) -> dict[Key, Any]:
        return state_of(self.api.objects, self.inventories)

    def _foreign_objects(self) -> Iterator[tuple[Key, Any]]:
        """Yield the objects that are not ours, without the entries that are ours."""
        for key, obj in self.api.objects.items():
            if key[0] == "serviceaccounts":
                lists = {
                    part: [entry for entry in obj.get(part) or [] if not entry["name"].startswith(("a-", "b-"))]
                    for part in ("imagePullSecrets", "secrets")
                }
                yield key, {**obj, **lists}
            elif not is_ours(obj):
                yield key, obj


def state_of(objects: dict[Key, Any], inventories: dict[str, Inventory]) -> dict[Key, Any]:
    """Return the objects without what differs for good reasons: versions, the order of entries, and the entries of others in a merged secret."""
    return {key: _content_of(key, obj, inventories) for key, obj in objects.items()}


def _content_of(key: Key, obj: Any, inventories: dict[str, Inventory]) -> Any:
    meta = {name: value for name, value in obj["metadata"].items() if name not in ("resourceVersion", "uid")}
    found = {**obj, "metadata": meta, "kind": "", "apiVersion": ""}
    for part in ("imagePullSecrets", "secrets", "subjects"):
        if part in found or key[0] == "serviceaccounts":
            found[part] = sorted(str(each["name"]) for each in found.get(part) or [])
    owner, _dash, number = key[2].partition("-")
    if key[0] == "secrets" and owner in inventories:
        declared = inventories[owner].secrets[key[1:]]
        found["data"] = {host: entry for host, entry in auths_of(obj).items() if number != "1" or host in declared}
    return found


class TestFew(Inventories.TestCase):  # type: ignore[name-defined, misc]
    # Without shrinking, which takes minutes: the slow test does it.
    settings = settings(max_examples=6, stateful_step_count=8, phases=(Phase.explicit, Phase.generate))


@pytest.mark.slow
class TestMany(Inventories.TestCase):  # type: ignore[name-defined, misc]
    settings = settings(max_examples=150, stateful_step_count=25)


def test_two_entries_restore_a_secret_that_a_user_has_changed() -> None:
    """One write brings about both entries: the login and the label of the first, and the removal of the second."""
    machine = Inventories()
    machine.begin(secrets={("ns0", 1): {HOSTS[0]: OLD}}, linked=True)
    machine.change_ours(("secrets", "ns0", "a-1"))
    machine.teardown()
