# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The world of a simulation: its first objects, the platform that writes back, and the users who edit objects beside our clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from support.fake_api import Key
from support.objects import b64, pull_secret
from support.simulated_api import SimulatedApi
from support.simulated_laws import COPY, GENERATED, NODES, Inventory, auths_of, generated_name

__all__ = ["ACCOUNTS", "HOSTS", "NEW", "OLD", "OWNERS", "Others", "World"]

HOSTS = ("quay.io", "registry.example.com", "ghcr.io/team")
ACCOUNTS = ("default", "builder")
#: An account that appears late in most namespaces.
LATE = "late"
OWNERS = ("a", "b")
OLD, NEW = "Canary-old-password", "Canary-new-password"
FOREIGN = "Canary-foreign-password"
REFERENCE = "openshift.io/internal-registry-pull-secret-ref"
NOTE, OLD_NOTE = "openshift.io/internal-registry-auth-token.service-account", "openshift.io/token-secret.name"
#: The edits of one user, each after a longer pause than the one before.
EDITS = 40
EDITED = ("serviceaccounts", "secrets", "rolebindings")


@dataclass
class World:
    """The namespaces of one cluster. `words` are all passwords. `is_old`: the platform is older than OpenShift 4.16.

    `awaits`: the inventories link secrets only to accounts that appear late, after a client has begun to link them (`is_linked`).
    """

    api: SimulatedApi
    random: Random
    places: Sequence[str] = ()
    accounts: Sequence[str] = ACCOUNTS
    is_old: bool = False
    awaits: bool = False
    is_linked: bool = False
    words: set[str] = field(default_factory=lambda: {OLD, NEW, FOREIGN})

    def build(self) -> None:
        """Create the namespaces with the objects of the platform and of other users."""
        self.places = self.places or [f"ns{number}" for number in range(self.random.choice((2, 3, 3, 4, 6)))]
        self.api.put("clusterroles", "", "system:image-puller")
        for place in (*self.places, NODES[0]):
            self.api.put("namespaces", "", place, metadata={"labels": {"name": place}})
        for place in self.places:
            for account in self.accounts:
                self.api.put("serviceaccounts", place, account)
            self.put_foreign(place, "by-hand")
        self.provision()
        auths = {host: {"auth": b64(f"robot:{FOREIGN}")} for host in ("cloud.example.com", "quay.io/platform")}
        self.api.put("secrets", *NODES, **pull_secret("", {"auths": auths}))

    def put_foreign(self, place: str, name: str) -> None:
        """Create or change the secret of a user, and link it."""
        auths = {"foreign.example.com": {"auth": b64(f"robot:{FOREIGN}")}}
        self.api.put("secrets", place, name, **pull_secret(name, {"auths": auths}))
        for account in self.accounts:
            found = self.api.objects["serviceaccounts", place, account]
            if self.random.random() < 0.5:
                self.write(found, imagePullSecrets=[*found.get("imagePullSecrets", ()), {"name": name}])

    def write(self, seen: Mapping[str, Any], meta: Mapping[str, Any] | None = None, **parts: Any) -> None:
        """Write an object of a namespace with other parts, in a kind that is known by them."""
        resource = next(key[0] for key, obj in self.api.objects.items() if obj is seen)
        rest = {name: value for name, value in seen.items() if name != "metadata"}
        old = seen["metadata"]
        self.api.put(resource, old["namespace"], old["name"], **{**rest, **parts}, metadata={**old, **(meta or {})})

    def provision(self) -> None:
        """Make or restore the pull secret that OpenShift generates for each account, and its entries."""
        for place in self.places:
            for account in self.accounts:
                found, name = self.api.objects["serviceaccounts", place, account], generated_name(account)
                if ("secrets", place, name) not in self.api.objects:
                    notes = {OLD_NOTE: f"{account}-token"} if self.is_old else {NOTE: account}
                    content = {"internal.example.com:5000": {"auth": b64(f"robot:{FOREIGN}")}}
                    secret = pull_secret(name, content, "kubernetes.io/dockercfg", metadata={"annotations": notes})
                    self.api.put("secrets", place, name, **secret)
                lists = {key: found.get(key) or [] for key in ("imagePullSecrets", "secrets")}
                if any({"name": name} not in entries for entries in lists.values()):
                    kept = {key: [each for each in entries if each["name"] != name] for key, entries in lists.items()}
                    body = {key: [*entries, {"name": name}] for key, entries in kept.items()}
                    self.write(found, {} if self.is_old else {"annotations": {REFERENCE: name}}, **body)

    def inventory(self, owner: str) -> Inventory:
        """Draw the declarations of an owner."""
        draw, names = self.random.random, [f"{owner}-{number}" for number in (1, 2, 3)]
        words = (OLD, f"Canary-{owner}-1", f"Canary-{owner}-2")
        self.words.update(words)

        def logins() -> dict[str, str]:
            return {host: self.random.choice(words) for host in HOSTS if draw() < 0.6} or {HOSTS[0]: OLD}

        secrets = {(place, name): logins() for place in self.places for name in names if draw() < 0.6}
        links = frozenset(
            (place, account, name) for place, name in secrets for account in self.accounts if draw() < 0.6
        )
        if self.awaits or (len(self.places) > 4 and draw() < 0.5):
            # One account in many namespaces is read by lists, and awaited.
            secrets |= {(place, names[1]): logins() for place in self.places}
            links = frozenset((place, LATE, names[1]) for place in self.places)
        grants = frozenset((place, user) for place in self.places for user in ("jane", "joe") if draw() < 0.4)
        merged = frozenset(name for name in (names[0], names[2]) if draw() < 0.5)
        immutable = frozenset(name for name in names[2:] if draw() < 0.3)
        return Inventory(owner, secrets, links, grants, merged, immutable, frozenset(names[2:]))


@dataclass
class Others:
    """The platform's controllers, and users with an editor, who read, think, and write if nobody else has written since.

    `may_break`: users also delete what our clients write. `removed` are the secrets of our clients that a user has deleted.
    """

    world: World
    random: Random
    may_break: bool = False
    stopped: bool = False
    removed: set[tuple[str, str]] = field(default_factory=set)

    def provisioner(self) -> None:
        rounds = 0
        while not self.stopped:
            rounds += 1
            self.world.api.schedule.sleep(self.random.expovariate(40 / (20 + rounds)))
            self.world.provision()

    def user(self) -> None:
        api = self.world.api
        for edits in range(EDITS):
            api.schedule.sleep(self.random.expovariate(4 / (1 + edits)))
            key = self.random.choice(
                [each for each in api.objects if each[1] in self.world.places and each[0] in EDITED]
            )
            seen = api.objects[key]
            api.schedule.sleep(self.random.expovariate(5))
            if api.objects.get(key) is seen and not self.stopped:
                self._edit(key, seen)

    def _edit(self, key: Key, seen: Mapping[str, Any]) -> None:
        resource, place, name = key
        deed = self.random.choice(("label", "change", "remove" if self.may_break else "label"))
        self.world.api.note("user", f"{deed} {'/'.join(key)}")
        if deed == "label":
            labels = {**(seen["metadata"].get("labels") or {}), "team": f"t{self.random.randrange(9)}"}
            self.world.write(seen, {"labels": labels})
        elif resource == "serviceaccounts":
            self._edit_list(seen, deed)
        elif resource == "rolebindings":
            who = {"kind": "User", "name": f"u{self.random.randrange(3)}", "apiGroup": "rbac.authorization.k8s.io"}
            self.world.write(seen, subjects=[*(seen.get("subjects") or []), who])
        elif name.startswith("by-hand"):
            self.world.put_foreign(place, f"by-hand-{self.random.randrange(3)}")
        elif deed == "remove":
            self.world.api.remove(*key)
            self.removed.add((place, name))
        elif not seen.get("immutable") and not name.endswith(GENERATED):
            host = f"user{self.random.randrange(3)}.example.com"
            auths = {**auths_of(seen), host: {"auth": b64(f"robot:{FOREIGN}")}}
            self.world.write(seen, data={".dockerconfigjson": b64({"auths": auths})})

    def _edit_list(self, seen: Mapping[str, Any], deed: str) -> None:
        entries = list(seen.get("imagePullSecrets") or [])
        if deed == "remove" and entries:
            entries.pop(self.random.randrange(len(entries)))
        else:
            # Of a secret that exists, also one of ours that may just be removed, or of one that does not.
            place = seen["metadata"]["namespace"]
            there = [
                key[2]
                for key in self.world.api.objects
                if key[:2] == ("secrets", place) and not key[2].endswith((GENERATED, COPY))
            ]
            added = {"name": self.random.choice([*there, f"user-{self.random.randrange(3)}"])}
            entries = [each for each in entries if each != added]
            entries.insert(self.random.randrange(len(entries) + 1), added)
        self.world.write(seen, imagePullSecrets=entries)

    def newcomer(self) -> None:
        """Create namespaces, which only an event source notices."""
        api = self.world.api
        for number in range(3):
            api.schedule.sleep(self.random.expovariate(1 / 20))
            api.put("namespaces", "", f"new{number}")

    def latecomer(self) -> None:
        """Create the awaited accounts, one after the other: all of them before a client gives up."""
        api = self.world.api
        while self.world.awaits and not (self.world.is_linked or self.stopped):
            api.schedule.sleep(1.0)
        for place in self.world.places:
            api.put("serviceaccounts", place, LATE)
            api.schedule.sleep(0.0 if self.stopped else min(self.random.expovariate(1 / 3), 3.0))

    def cloud(self) -> None:
        """Renew the platform's own entry in the pull secret of the nodes."""
        api, key = self.world.api, ("secrets", *NODES)
        for number in range(EDITS):
            api.schedule.sleep(self.random.expovariate(4 / (1 + number)))
            seen = api.objects.get(key)
            api.schedule.sleep(self.random.expovariate(5))
            if seen is None or api.objects.get(key) is not seen:
                continue
            if not self.stopped and self.random.random() < 0.3:
                api.remove(*key)
                self._put_back(key, seen)
            else:
                auths = {**auths_of(seen), "cloud.example.com": {"auth": b64(f"robot:{FOREIGN}{number}")}}
                self.world.write(seen, data={".dockerconfigjson": b64({"auths": auths})})

    def _put_back(self, key: Key, seen: Mapping[str, Any]) -> None:
        """Create an object again that somebody has deleted by mistake."""
        api = self.world.api
        api.schedule.sleep(self.random.expovariate(0.5))
        if key not in api.objects:
            parts = {name: value for name, value in seen.items() if name != "metadata"}
            api.put(*key, **parts, metadata={"labels": seen["metadata"].get("labels") or {}})

    def rival(self, key: Key) -> None:
        """Change an object that a client is about to change."""
        api = self.world.api
        seen = api.objects.get(key)
        if seen is not None and key[1:] == NODES:
            api.remove(*key)
            api.schedule.begin(partial(self._put_back, key, seen))
        elif seen is not None:
            self._edit(key, seen)

    def restarter(self) -> None:
        """Restart the API server now and then. All requests on their way are then lost."""
        api = self.world.api
        while not self.stopped:
            api.schedule.sleep(self.random.expovariate(1 / 60))
            if not self.stopped:
                api.restart(self.random.uniform(0.1, 8), forgets=self.random.random() < 0.5)
