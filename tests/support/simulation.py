# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated cluster with everybody who works on it, from one seed. `make simulate SEED=1` prints one, `make simulate` tries many.

The product's own modules run in simulated threads. A law is checked at each write, at each result, and at the end.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import Cluster
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    KINDS,
    WatchedKind,
    WatchSettings,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.run import follow_objects
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task, execute

from support.fake_api import Key
from support.objects import b64
from support.scripted_pool import HOST, ScriptedConnection
from support.simulated_api import FATES, Conditions, SimulatedApi, Write
from support.simulated_guards import Guard
from support.simulated_laws import (
    COPY,
    LONG_ACCOUNT,
    NODES,
    Inventory,
    Mandate,
    broken_laws,
    hosts_of,
    lies_of,
)
from support.simulated_threads import Schedule
from support.simulated_users import ACCOUNTS, HOSTS, NEW, OLD, Others, World

__all__ = ["BrokenLaw", "Simulation", "simulate"]

MODULES = (("pull_secret", "secrets"), ("sa_link", "links"), ("image_puller_grant", "grants"))
#: Virtual seconds after which an event source has told everything.
TOLD_SECONDS = 700.0
#: Virtual seconds after which the others have ended their work.
SETTLED_SECONDS = 30.0
#: The requests that a client may send after its login was refused, for each of its threads.
LATE_REQUESTS = 2

Object = dict[str, Any]


class BrokenLaw(AssertionError):
    """A law does not hold. The text has the command for the seed, and the history."""


class _Connection(ScriptedConnection):
    warnings = ()
    secrets = frozenset({"token-1"})
    namespaces = None


class Simulation:
    """One cluster. `problems` are the broken laws, `mandates` the declarations of each client. `more` are settings of its `World`."""

    def __init__(self, seed: object, places: Sequence[str] = (), **more: Any) -> None:
        # The client spreads its repeated requests by the shared generator.
        random.seed(f"{seed} pauses")
        self.seed = seed
        self.schedule = Schedule(Random(f"{seed} order"))
        self.api = SimulatedApi(self.schedule, Random(f"{seed} faults"), Conditions())
        self.api.judge, self.api.complain = self._judge, self.complain
        self.world = World(self.api, Random(f"{seed} world"), places, **more)
        self.problems: list[str] = []
        #: Whether lists were older than the last write. A prune then cannot see each link before it deletes the secret.
        self.was_stale = False
        #: Whether every single fault must be overcome: nobody deletes what we write, and logins and lists are current.
        self.is_gentle = False
        self.failed: set[str] = set()
        self.mandates: dict[str, Mandate] = {}
        self.guards: dict[str, Guard] = {}
        self.schedule.run(self.world.build)

    def check(self) -> None:
        """:raises BrokenLaw: if a law was broken."""
        if self.problems:
            raise BrokenLaw("\n".join((f"make simulate SEED={self.seed}", *self.api.history, "", *self.problems)))

    def complain(self, problem: str) -> None:
        self.problems.append(problem)
        self.api.note("BROKEN LAW", problem)

    def _judge(self, write: Write) -> None:
        mandate = self.mandates.get(write.client)
        laws = [*broken_laws(self.api, write, mandate, frozenset(self.world.words))] if mandate is not None else []
        guard = self.guards.get(write.client)
        for law in filter(None, [*laws, guard.why_not(write) if guard is not None else ""]):
            self.complain(f"{write.client}: {write.method} {'/'.join(write.key)}: {law}")

    # --- clients

    def run_module(self, client: str, module_name: str, /, *, check: bool = False, **options: Any) -> Object:
        """Run a module as this client, and compare its result with the writes that the server carries out for it."""
        module = importlib.import_module(
            f"ansible_collections.openshift_ops.image_pull.plugins.modules.{module_name}"
        ).MODULE
        guard = self.guards.get(client)
        if guard is not None and module.form is not None:
            module = replace(module, run=partial(guard.run, module.form))
        # A module that only asks registries does not take these.
        login = {"host": HOST, "api_key": "token-1"} if "host" in module.arguments else {}
        validation = ArgumentSpecValidator(module.arguments, **module.all_rules).validate({**login, **options})
        assert not validation.error_messages, validation.error_messages
        clock, pool = self.schedule.clock, self.api.pool(client)

        @contextmanager
        def connected(*_options: Any, **_more: Any) -> Iterator[Any]:
            yield _Connection(pool)

        params = validation.validated_parameters
        task = Task(module_name, params, check, True, "", set(), open_connection=connected, clock=clock)
        begun, troubles, refused = len(self.api.carried_out), self.api.troubles[client], self.api.refused[client]
        self.api.note(client, f"{module_name} begins")
        self.world.is_linked = self.world.is_linked or module_name == "sa_link"
        result = {"failed": False, **execute(module, task), "warnings": task.warnings}
        self.api.note(client, f"{module_name} ends: changed {result.get('changed')}, {result.get('msg') or 'ok'}")
        title = f"{client}: {module_name}"
        self._check_result(title, client, result, self.api.carried_out[begun:], is_check=check)
        if self.api.refused[client] - refused > LATE_REQUESTS * params.get("concurrency", 1):
            self.complain(f"{title}: it sent {self.api.refused[client] - refused} requests after its login was refused")
        if not check:
            self._check_success(title, client, result, self.api.troubles[client] - troubles)
        return result

    def _check_result(self, title: str, client: str, result: Object, since: Sequence[Write], *, is_check: bool) -> None:
        own = [each for each in since if each.client == client]
        for lie in () if is_check else lies_of(self.api, client, result, own):
            self.complain(f"{title}: {lie}")
        is_told = any(words in str(result.get("msg")) for words in ("gone", "may have been carried out: deleting"))
        for key in () if is_told else self._missing(own, self.mandates.get(client)):
            self.complain(f"{title}: {'/'.join(key)} was replaced, and is not there")
        if is_check and own:
            self.complain(f"{title}: check mode writes")
        text = json.dumps(result)
        hidden = {each for word in self.world.words for each in (word, b64(f"robot:{word}"))}
        hidden.update(value for each in own for value in ((each.after or {}).get("data") or {}).values())
        if any(each in text for each in hidden):
            self.complain(f"{title}: the result contains a password")
        if "exception" in result or "internal error" in str(result.get("msg")):
            self.complain(f"{title}: {result['msg']} {result.get('exception')}")

    def _check_success(self, title: str, client: str, result: Object, troubles: int) -> None:
        """A run must overcome a single fault, unless an earlier one of its client has failed. Without faults, a second one changes nothing."""
        if result["failed"] and client not in self.failed and self.is_gentle and troubles <= 1:
            self.complain(f"{title}: at most one request had a fault, and it failed: {result['msg']}")
        if result["failed"]:
            self.failed.add(client)
        if client.endswith(("-last", "-rest")) and result["failed"]:
            self.complain(f"{title}: a run without faults failed: {result['msg']}")
        if client.endswith("-rest") and result.get("changed"):
            self.complain(f"{title}: a second run changes something")

    def _missing(self, own: Sequence[Write], mandate: Mandate | None) -> Iterator[Key]:
        """Yield the declared secrets that were deleted to be replaced, and do not exist. Another run may just be replacing one."""
        last = {write.key: write for write in self.api.carried_out}
        for write in own if mandate is not None else ():
            is_gone = write is last[write.key] and write.after is None and write.key not in self.api.objects
            if is_gone and write.key[1:] in mandate.inventory.secrets:
                yield write.key

    def site(
        self, client: str, inventory: Inventory, most: str = "", guard: Guard | None = None, **options: Any
    ) -> None:
        """Bring the inventory about as the playbook `site` does, and prune unless something failed.

        `most`: the secrets that may be removed. `guard` judges the plans, except that of the prune.
        """
        self.mandates[client] = Mandate(inventory)
        if guard is not None:
            self.guards[client] = guard
            self.failed.add(client)  # it refuses some changes
        lists, options = inventory.lists(), {"owner": inventory.owner, **options}
        done = [
            self.run_module(client, module, **{option: lists[option]}, **options)
            for module, option in MODULES
            if lists[option]
        ]
        if any(result["failed"] for result in done):
            return
        begun = len(self.api.carried_out)
        if most:
            self.failed.add(client)  # the limit refuses it
        self.run_module(
            client, "pull_access_prune", **lists, **options, max_prune=most or "100%", prune_everything=not most
        )
        deleted = [each for each in self.api.carried_out[begun:] if each.client == client and each.after is None]
        removed = len([each for each in deleted if each.key[0] == "secrets"])
        if most and removed > int(most):
            self.complain(f"{client}: a prune that may remove {most} secrets removed {removed}")

    def contradict(self, client: str, place: str) -> None:
        """Give each module two entries of which one would undo the other in every run. It must refuse them before it writes."""
        login = {"registries": [{"registry": HOSTS[0], "username": "robot", "password": OLD}]}
        given: dict[str, list[Object]] = {
            "pull_secret": [
                {"name": "x", **login},
                {"name": "x", "mode": "remove", "registries": [{"registry": HOSTS[0]}]},
            ],
            "sa_link": [{"secrets": ["by-hand"]}, {"secrets": ["by-hand"], "state": "absent"}],
            "image_puller_grant": [{"users": ["jane"]}, {"users": ["jane"], "state": "absent"}],
        }
        self.mandates[client] = Mandate(Inventory("none"))
        self.failed.add(client)
        for module, option in MODULES:
            entries = [{**each, "namespaces": [place]} for each in given[module]]
            if not self.run_module(client, module, **{option: entries})["failed"]:
                self.complain(f"{client}: {module} accepts entries that undo each other")

    def change_nodes(self, client: str, logins: Mapping[str, str]) -> None:
        """Add logins to the pull secret of the cluster's nodes."""
        if not client.endswith(("-last", "-rest")):
            self.failed.add(client)  # somebody deletes the secret now and then
        self.mandates[client] = Mandate(Inventory("", {NODES: logins}, merged=frozenset(NODES[1:])))
        registries = [{"registry": host, "username": "robot", "password": word} for host, word in logins.items()]
        what = {"name": NODES[1], "namespaces": [NODES[0]], "mode": "merge", "registries": registries}
        self.run_module(client, "pull_secret", **what)

    def rotate(self, client: str, places: frozenset[tuple[str, str]], **options: Any) -> None:
        """Replace the old login in these secrets of the first owner."""
        self.mandates[client] = Mandate(Inventory("a"), places, OLD, NEW)
        logins = {name: {"username": "robot", "password": word} for name, word in (("old", OLD), ("new", NEW))}
        secrets = [{"name": name, "namespace": place} for place, name in sorted(places)]
        what = {"registries": list(HOSTS), **logins, "secrets": secrets, "verify": False, "allow_absent": True}
        self.run_module(client, "credential_rotation", **what, **options)

    def look(self, client: str, **options: Any) -> None:
        """Read the pull secrets of all namespaces."""
        self.failed.add(client)
        self.run_module(client, "pull_secret_info", namespace_selector={"labels": "name"}, **options)

    def follow(self) -> list[Object]:
        """Start an event source. The list gets its events."""
        told: list[Object] = []
        schedule, pool = self.schedule, self.api.pool("events")

        @contextmanager
        def opened() -> Iterator[Cluster]:
            yield Cluster(_Connection(pool), "events", schedule.sleep, lambda: schedule.now)  # type: ignore[arg-type]

        kinds = tuple(WatchedKind(KINDS[name]) for name in ("Namespace", "Secret"))
        settings = WatchSettings(kinds, NamespaceSelector(system=True))
        schedule.begin(lambda: follow_objects(settings, opened, told.append, schedule.event(), schedule.clock))
        return told

    # --- the end

    def differences(self, inventory: Inventory, removed: set[tuple[str, str]]) -> Iterator[str]:
        """Yield the differences between the cluster and the inventory. Nobody knows who linked a secret that a user `removed`."""
        api, prefix = self.api, f"{inventory.owner}-"
        for where, logins in inventory.secrets.items():
            found = api.get("secrets", *where)
            missing = {host for host, word in logins.items() if host not in hosts_of(found, frozenset({word}))}
            if missing:
                yield f"secret {where} does not have the login for {', '.join(sorted(missing))}"
        for resource, place, name in api.objects:
            # A prune tells of a copy, and keeps it.
            is_copy = name.endswith(COPY) and (place, name.removesuffix(COPY)) not in inventory.secrets
            is_declared = (place, name) in inventory.secrets
            if resource == "secrets" and name.startswith(prefix) and not is_declared and not is_copy:
                yield f"secret {place}/{name} is left over"
            if resource == "serviceaccounts":
                yield from self._different_links(inventory, place, name, removed)
        for place, user in inventory.grants:
            binding = api.get("rolebindings", place, inventory.binding) or {}
            if user not in [each["name"] for each in binding.get("subjects") or []]:
                yield f"{user} has no grant in {place}"

    def _different_links(
        self, inventory: Inventory, place: str, account: str, removed: set[tuple[str, str]]
    ) -> Iterator[str]:
        entries = self.api.objects["serviceaccounts", place, account].get("imagePullSecrets") or []
        listed = {each["name"] for each in entries}
        declared = {name for where, who, name in inventory.links if (where, who) == (place, account)}
        for name in declared - listed:
            yield f"account {place}/{account} does not list {name}"
        for name in listed - declared:
            if inventory.is_exclusive(place, account, name):
                yield f"account {place}/{account} still lists {name}, which an exclusive link removes"
            is_known = (place, name) not in removed and (
                ("secrets", place, name) in self.api.objects or not self.was_stale
            )
            if name.startswith(f"{inventory.owner}-") and is_known:
                yield f"account {place}/{account} still lists {name}"


def add_label(body: Object) -> Object:
    """The change of a mutating webhook."""
    meta = body.get("metadata") or {}
    return {**body, "metadata": {**meta, "labels": {**(meta.get("labels") or {}), "policy": "seen"}}}


def draw_conditions(draw: Random) -> Conditions:
    """The faults of one seed: none, a few, or many, each kind with its own share."""
    share = draw.choice((0.0, 0.02, 0.05, 0.1, 0.25))
    weights = {fate: draw.choice((0, 0, 1, 3)) for fate in FATES}
    total = sum(weights.values()) or 1
    return Conditions(
        fates={fate: share * weight / total for fate, weight in weights.items() if weight},
        stale=draw.choice((0.0, 0.0, 0.1, 0.5)),
        expired=draw.choice((0.0, 0.1, 0.3)),
        latency=draw.choice((0.01, 0.05, 0.3)),
        admission=draw.choice((None, None, None, add_label)),
        last_request=draw.choice((None, None, None, None, draw.randrange(1, 60))),
        fails=draw.choice(("", "", "", "apps.openshift.io", "/serviceaccounts?", "/secrets?")),
        denied=draw.choice((0.0, 0.0, 0.6)),
    )


#: Who else is at work, and how often.
_ACTORS = (
    (Others.provisioner, 0.8),
    (Others.user, 0.8),
    (Others.user, 0.4),
    (Others.newcomer, 0.4),
    (Others.restarter, 0.3),
)


@dataclass
class _Play:
    """The events of one seed: some rounds of our clients among others, perhaps a rotation, and an end without faults."""

    simulation: Simulation
    draw: Random
    others: Others
    settings: Object = field(default_factory=dict)
    inventories: dict[str, Inventory] = field(default_factory=dict)
    nodes: dict[str, str] = field(default_factory=dict)
    rotated: frozenset[tuple[str, str]] | None = None
    most: str = ""
    #: Draws the later dimensions, so that the other draws of a seed stay the same.
    more: Random = field(default_factory=Random)
    guard: tuple[float, float] | None = None

    def run(self) -> None:
        simulation, draw, others = self.simulation, self.draw, self.others
        simulation.api.page = draw.choice((1000, 2, 5))
        simulation.api.conditions = draw_conditions(draw)
        self.settings = {"concurrency": draw.choice((1, 2, 8))}
        self.most = draw.choice(("", "", "", "1"))
        for actor, share in _ACTORS:
            if draw.random() < share:
                simulation.schedule.begin(partial(actor, others))
        if len(simulation.world.places) > 4:
            simulation.schedule.begin(others.latecomer)
        self._draw_more()
        conditions = simulation.api.conditions
        is_current = not conditions.stale and conditions.last_request is None and not conditions.fails
        simulation.is_gentle = is_current and not others.may_break
        watched = simulation.follow() if draw.random() < 0.3 else None
        self._rounds()
        if draw.random() < 0.4:
            self._rotate()
        others.stopped = True
        simulation.schedule.run(partial(simulation.schedule.sleep, SETTLED_SECONDS))
        simulation.was_stale = bool(conditions.stale)
        simulation.api.conditions = Conditions(latency=conditions.latency, admission=conditions.admission)
        simulation.api.down_until = float("-inf")
        simulation.world.provision()
        if self.more.random() < 0.5:
            self._shrink()
        self._end("last")
        self._end("rest")
        self._compare()
        if watched is not None:
            self._check_events(watched)

    def _draw_more(self) -> None:
        """Draw other users who write directly before a client, a guard, and lists that fail for some time."""
        simulation, draw = self.simulation, self.more
        conditions = simulation.api.conditions
        conditions.raced = draw.choice((0.0, 0.0, 0.2, 0.6))
        simulation.api.rival = self.others.rival
        fails = (0.1, 0.3)
        self.guard = draw.choice((None, fails) if simulation.world.awaits else (None, None, (0.3, 0.0), fails))
        if simulation.world.awaits and draw.random() < 0.5 and not conditions.fails:
            conditions.fails = "/serviceaccounts?"
            conditions.fails_after, conditions.fails_for = draw.randrange(1, 25), draw.uniform(20, 60)

    def _inventory(self, owner: str, *, is_alone: bool) -> Inventory:
        found = self.simulation.world.inventory(owner)
        every = self.simulation.world.accounts
        if not is_alone or every is ACCOUNTS:
            return found
        return replace(found, exclusive=frozenset({self.more.choice((*every, LONG_ACCOUNT))}))

    def _rounds(self) -> None:
        simulation, draw = self.simulation, self.draw
        owners = draw.choice((("a",), ("a", "b"), ("a", "a"), ("a", "b", "a")))
        # If two runs of an owner replace a secret, one of them may look while it is gone.
        simulation.is_gentle = simulation.is_gentle and len(owners) == len({*owners})
        self.nodes = {"quay.io": OLD, "registry.example.com": OLD} if draw.random() < 0.3 else {}
        for number in range(draw.choice((1, 2, 2, 3))):
            for owner in sorted(set(owners)):
                self.inventories[owner] = self._inventory(owner, is_alone=len({*owners}) == 1)
            guards = [self.guard and Guard(self.more, *self.guard) for _owner in owners]
            works = [
                partial(
                    simulation.site,
                    f"{owner}{at}.{number}",
                    self.inventories[owner],
                    self.most,
                    guards[at],
                    **self.settings,
                )
                for at, owner in enumerate(owners)
            ]
            if draw.random() < 0.1:
                works.append(partial(simulation.contradict, f"contradiction.{number}", simulation.world.places[0]))
            if self.more.random() < 0.3:
                works.append(partial(simulation.look, f"look.{number}", **self.settings))
            if self.nodes and not number:
                simulation.schedule.begin(self.others.cloud)
                works.append(partial(simulation.change_nodes, "nodes", self.nodes))
            simulation.schedule.run(*works)

    def _rotate(self) -> None:
        found = self.inventories["a"]
        self.rotated = frozenset(
            where
            for where, logins in found.secrets.items()
            if OLD in logins.values() and where[1] not in found.recreated
        )
        self.simulation.schedule.run(partial(self.simulation.rotate, "rotation", self.rotated, **self.settings))
        secrets = {
            where: {host: NEW if word == OLD and where in self.rotated else word for host, word in logins.items()}
            for where, logins in found.secrets.items()
        }
        self.inventories["a"] = replace(found, secrets=secrets)

    def _shrink(self) -> None:
        """Drop some secrets of each owner, and prune with a limit."""
        for owner, found in self.inventories.items():
            secrets = {where: logins for where, logins in found.secrets.items() if self.more.random() < 0.7}
            links = frozenset(link for link in found.links if (link[0], link[2]) in secrets)
            self.inventories[owner] = replace(found, secrets=secrets, links=links)
            work = partial(self.simulation.site, f"{owner}-limited", self.inventories[owner], "1")
            self.simulation.schedule.run(work)

    def _end(self, when: str) -> None:
        """Run everything once without faults. The second time, nothing is left to do."""
        simulation, run = self.simulation, self.simulation.schedule.run
        if self.rotated is not None:
            run(partial(simulation.rotate, f"rotation-{when}", self.rotated))
        for owner, inventory in self.inventories.items():
            run(partial(simulation.site, f"{owner}-check", inventory, check=True))
            run(partial(simulation.site, f"{owner}-{when}", inventory))
        if self.nodes:
            run(partial(simulation.change_nodes, f"nodes-{when}", self.nodes))

    def _compare(self) -> None:
        for owner, inventory in self.inventories.items():
            for difference in self.simulation.differences(inventory, self.others.removed):
                self.simulation.complain(f"{owner}: after a run without faults, {difference}")

    def _check_events(self, told: Sequence[Object]) -> None:
        self.simulation.schedule.run(lambda: self.simulation.schedule.sleep(TOLD_SECONDS))
        named = {name for event in told for name in event.get("namespaces", ())}
        there = {name for resource, _place, name in self.simulation.api.objects if resource == "namespaces"}
        for name in sorted(there - named):
            self.simulation.complain(f"the event source never told of {name}")


#: Settings of the worlds: twice the usual one, a platform before OpenShift 4.16, and accounts that are awaited in many namespaces.
_WORLDS: tuple[Object, ...] = (
    {},
    {},
    {"accounts": (*ACCOUNTS, LONG_ACCOUNT), "is_old": True},
    {"places": [f"ns{number}" for number in range(10)], "awaits": True},
)


def simulate(seed: object) -> Simulation:
    """Play the seed. The caller checks the laws."""
    draw, others, more = (Random(f"{seed} {stream}") for stream in ("play", "others", "more"))
    simulation = Simulation(seed, **more.choice(_WORLDS))
    try:
        play = _Play(simulation, draw, Others(simulation.world, others, may_break=draw.random() < 0.3), more=more)
        play.run()
    finally:
        simulation.schedule.end()
    return simulation


def main(arguments: Sequence[str]) -> int:
    """Play one seed and print its history, or play seeds for a number of seconds."""
    given = {name: value for name, _equals, value in (each.partition("=") for each in arguments) if value}
    if "SEED" in given:
        found = simulate(given["SEED"])
        count = len(found.problems)
        print("\n".join((*found.api.history, "", f"seed {found.seed}: {count} broken laws", *found.problems)))
        return bool(found.problems)
    until, first = time.monotonic() + float(given.get("SECONDS", 60)), int(given.get("FIRST", 0))
    seed, broken, lines = first, 0, 0
    while time.monotonic() < until:
        found = simulate(seed)
        lines += len(found.api.history)
        if found.problems:
            broken += 1
            print(f"make simulate SEED={seed}: {found.problems[0]}", flush=True)
        seed += 1
    print(f"seeds {first} to {seed - 1}, {lines} events, {broken} seeds with a broken law")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
