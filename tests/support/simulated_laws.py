# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The laws of a simulation: what a client may write, and what its result must say. They know the declarations, not the collection's code."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from support.fake_api import Key
from support.simulated_api import SimulatedApi, Write

__all__ = [
    "Inventory",
    "Mandate",
    "auths_of",
    "broken_laws",
    "generated_name",
    "hosts_of",
    "is_ours",
    "lies_of",
    "object_of",
    "pulled_hosts",
]

Object = dict[str, Any]
LISTS = ("imagePullSecrets", "secrets")
MANAGED, INSTANCE = "app.kubernetes.io/managed-by", "app.kubernetes.io/instance"
KINDS = {"Secret": "secrets", "ServiceAccount": "serviceaccounts", "RoleBinding": "rolebindings"}
NODES = ("openshift-config", "pull-secret")
#: A label that an inventory declares.
TIER = "tier"
#: The end of the name of the pull secret that OpenShift generates for an account. Of a long account name, it keeps the beginning, and a hash.
GENERATED = "-dockercfg-x7k2p"
LONG_ACCOUNT = "pipeline-runner-of-the-department-for-integration"
_SHORTENED = {LONG_ACCOUNT: "pipeline-runner-of-the-department-for--66c40f54"}
#: The end of the name of a copy, which holds a secret while it is replaced.
COPY = ".replaced"


@dataclass(frozen=True)
class Inventory:
    """The declarations of an owner: logins by namespace and secret, links as namespace, account and secret, users by namespace.

    `merged`: the names of secrets to which the logins are only added. `immutable`: the names of those that must be immutable. `recreated`: the
    names of those that may be replaced. `exclusive`: the accounts with links that list nothing else, except the platform's own secret.
    `obsolete`: the registries that a second entry removes from each merged secret. Its first entry then labels it with the owner.
    """

    owner: str
    secrets: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    links: frozenset[tuple[str, str, str]] = frozenset()
    grants: frozenset[tuple[str, str]] = frozenset()
    merged: frozenset[str] = frozenset()
    immutable: frozenset[str] = frozenset()
    recreated: frozenset[str] = frozenset()
    exclusive: frozenset[str] = frozenset()
    obsolete: frozenset[str] = frozenset()

    @property
    def binding(self) -> str:
        return f"image-puller-grant-{self.owner}"

    def lists(self) -> dict[str, list[Object]]:
        """Return the entries for the modules."""
        return {
            "secrets": [
                entry
                for (place, name), logins in sorted(self.secrets.items())
                for entry in self._entries(place, name, logins)
            ],
            "links": [*self._links()],
            "grants": [{"users": [user], "namespaces": [place]} for place, user in sorted(self.grants)],
        }

    def _entries(self, place: str, name: str, logins: Mapping[str, str]) -> Iterator[Object]:
        is_merged = name in self.merged
        secret = {"name": name, **_selected(place, name)}
        registries = [
            {"registry": host, "username": "robot", "password": word} for host, word in sorted(logins.items())
        ]
        yield {
            **secret,
            "registries": registries,
            "mode": "merge" if is_merged else "replace",
            **({"immutable": name in self.immutable, "recreate": True} if name in self.recreated else {}),
            **({"labels": {TIER: self.owner}} if is_merged and self.obsolete else {}),
        }
        if is_merged and self.obsolete:
            yield {**secret, "mode": "remove", "registries": [{"registry": host} for host in sorted(self.obsolete)]}

    def _links(self) -> Iterator[Object]:
        names: dict[tuple[str, str], list[str]] = {}
        for place, account, name in sorted(self.links):
            names.setdefault((place, account), []).append(name)
        for (place, account), every in names.items():
            usual = {"service_accounts": [account], "wait_timeout": 40}
            if account in self.exclusive:
                yield {"secrets": every, "namespaces": [place], "exclusive": True, **usual}
            else:
                yield from ({"secrets": [name], **_selected(place, name), **usual} for name in every)

    def is_exclusive(self, place: str, account: str, name: str) -> bool:
        """Whether an exclusive link removes the secret from the account."""
        linked = {link[2] for link in self.links if link[:2] == (place, account)}
        return account in self.exclusive and bool(linked) and name not in {*linked, generated_name(account)}


def generated_name(account: str) -> str:
    """Return the name of the pull secret that OpenShift generates for an account."""
    return f"{_SHORTENED.get(account, account)}{GENERATED}"


def _selected(place: str, name: str) -> Object:
    """Of some entries, a selector chooses the namespace, for which all namespaces are listed."""
    return {"namespace_selector": {"labels": f"name={place}"}} if name.endswith("-2") else {"namespaces": [place]}


@dataclass(frozen=True)
class Mandate:
    """What a client may do: bring about its inventory, and with `old` and `new` rotate a login in the `rotated` secrets."""

    inventory: Inventory
    rotated: frozenset[tuple[str, str]] = frozenset()
    old: str = ""
    new: str = ""


def auths_of(secret: Object | None) -> Object:
    """Return the entries of a pull secret. Empty if it has none that can be read."""
    data = (secret or {}).get("data") or {}
    try:
        if ".dockercfg" in data:
            return dict(json.loads(base64.b64decode(data[".dockercfg"])))
        return dict(json.loads(base64.b64decode(data.get(".dockerconfigjson") or "")).get("auths") or {})
    except ValueError:
        return {}


def hosts_of(secret: Object | None, words: frozenset[str]) -> frozenset[str]:
    """Return the registries for which the secret has one of the passwords that work."""
    found = (
        (host, base64.b64decode((entry or {}).get("auth") or "").decode()) for host, entry in auths_of(secret).items()
    )
    return frozenset(host for host, login in found if login.partition(":")[2] in words)


def pulled_hosts(
    objects: Mapping[Key, Object], place: str, words: frozenset[str]
) -> dict[str, dict[str, frozenset[str]]]:
    """Return the registries from which each account of a namespace pulls, by secret."""
    found = {}
    for (resource, namespace, name), account in objects.items():
        if resource == "serviceaccounts" and namespace == place:
            listed = [str(each.get("name")) for each in account.get("imagePullSecrets") or []]
            secrets = {each: hosts_of(objects.get(("secrets", place, each)), words) for each in listed}
            found[name] = {each: hosts for each, hosts in secrets.items() if hosts}
    return found


def object_of(change: Mapping[str, Any], place: str) -> Key:
    return KINDS.get(change["kind"], change["kind"]), place, change["name"]


def broken_laws(api: SimulatedApi, write: Write, mandate: Mandate, words: frozenset[str]) -> Iterator[str]:
    """Yield a sentence for each law that the write breaks."""
    resource, place, _name = write.key
    if write.before is not None and not write.is_known:
        yield "it does not carry a version that the client has read"
    judge = {"secrets": _secret_laws, "serviceaccounts": _account_laws, "rolebindings": _binding_laws}.get(resource)
    if judge is None:
        yield f"nobody declared {resource}"
        return
    yield from judge(write, mandate)
    if resource == "secrets":
        yield from _copy_laws(api, write, mandate.inventory)
    if place and not _is_recreated(write, mandate):
        yield from _pull_laws(api, write, mandate, words)


def _pull_laws(api: SimulatedApi, write: Write, mandate: Mandate, words: frozenset[str]) -> Iterator[str]:
    """An account that could pull with a secret still can, unless the secret is ours and no longer declared for that."""
    (resource, place, _name), inventory = write.key, mandate.inventory
    before = {key: obj for key, obj in api.objects.items() if key != write.key}
    if write.before is not None:
        before[write.key] = write.before
    old, new = (pulled_hosts(objects, place, words) for objects in (before, api.objects))
    for account in old:
        now = frozenset().union(*new.get(account, {}).values())
        for secret, hosts in old[account].items():
            if secret in new.get(account, {}) and hosts <= new[account][secret]:
                continue
            if resource == "serviceaccounts" and inventory.is_exclusive(place, account, secret):
                continue
            is_declared = (place, account, secret) in inventory.links
            due = hosts & inventory.secrets.get((place, secret), {}).keys() if is_declared else set()
            lost = (due if _owner(before["secrets", place, secret]) == inventory.owner else hosts) - now
            if lost:
                yield f"{account} in {place} can no longer pull from {', '.join(sorted(lost))} with {secret}"


def _is_recreated(write: Write, mandate: Mandate) -> bool:
    return (
        write.after is None
        and write.key[1:] in mandate.inventory.secrets
        and write.key[2] in mandate.inventory.recreated
    )


def _labels(obj: Object | None) -> Object:
    return ((obj or {}).get("metadata") or {}).get("labels") or {}


def _owner(obj: Object | None) -> str:
    labels = _labels(obj)
    return str(labels.get(INSTANCE, "")) if labels.get(MANAGED) == "openshift_ops.image_pull" else ""


def is_ours(obj: Object) -> bool:
    """Whether an owner of the simulation has the object."""
    return bool(_owner(obj))


def _rest(obj: Object | None, *parts: str) -> Object:
    """The object without these parts, and without what the server, its webhook and an inventory write."""
    found = {name: value for name, value in (obj or {}).items() if name not in (*parts, "kind", "apiVersion")}
    kept = {name: value for name, value in (found.get("metadata") or {}).items() if name != "resourceVersion"}
    labels = {name: value for name, value in _labels(obj).items() if name not in ("policy", TIER)}
    return {**found, "metadata": {**kept, "labels": labels}}


def _copy_laws(api: SimulatedApi, write: Write, inventory: Inventory) -> Iterator[str]:
    """A secret that is replaced is at every moment there, or in its copy."""
    resource, place, name = write.key
    if name.endswith(COPY):
        key = (resource, place, name.removesuffix(COPY))
        own = [each for each in api.carried_out if each.key == key]
        if write.after is None and key not in api.objects and own and own[-1].after is None:
            yield f"the copy of {key} went before the secret was there again"
        return
    copy = {**((api.objects.get((resource, place, f"{name}{COPY}")) or {}).get("data") or {})}
    copy.pop(".object", None)
    if write.after is None and write.before and write.key[1:] in inventory.secrets and copy != write.before["data"]:
        yield f"secret {write.key} was deleted without a copy of its content"
    # A read that goes back in time does not show the copy.
    if write.before is None and name in inventory.merged and not api.conditions.stale:
        kept, now = auths_of({"data": copy}), auths_of(write.after)
        if lost := [host for host in kept if host not in now]:
            yield f"secret {write.key} was created without the entries {lost} of its copy"


def _secret_laws(write: Write, mandate: Mandate) -> Iterator[str]:
    where, inventory = (write.key[1], write.key[2].removesuffix(COPY)), mandate.inventory
    declared = inventory.secrets.get(where)
    if where in mandate.rotated:
        yield from _rotation_laws(write, mandate)
    elif write.before is not None and _owner(write.before) != inventory.owner and where != NODES:
        yield f"secret {where} belongs to {_owner(write.before) or 'nobody'}"
    elif write.after is None:
        if declared is not None and where[1] not in inventory.recreated:
            yield f"secret {where} is declared"
    elif declared is None:
        yield f"nobody declared secret {where}"
    elif write.before is None:
        if where == NODES or _owner(write.after) != inventory.owner:
            yield f"secret {where} was created without its owner, or without the entries of the platform"
    else:
        yield from _edit_laws(write, inventory, declared)


def _edit_laws(write: Write, inventory: Inventory, declared: Mapping[str, str]) -> Iterator[str]:
    where = write.key[1:]
    if _rest(write.before, "data", "immutable") != _rest(write.after, "data", "immutable"):
        yield f"more than the data of secret {where} changed"
    before, after = auths_of(write.before), auths_of(write.after)
    for host in before.keys() - declared.keys() - inventory.obsolete if where[1] in inventory.merged else ():
        if before[host] != after.get(host):
            yield f"the entry {host} of others in secret {where} changed"


def _rotation_laws(write: Write, mandate: Mandate) -> Iterator[str]:
    if write.before is None or write.after is None:
        yield f"the rotation created or deleted secret {write.key}"
        return
    if _rest(write.before, "data") != _rest(write.after, "data"):
        yield f"the rotation changed more than the data of {write.key}"
    before, after = auths_of(write.before), auths_of(write.after)
    if before.keys() != after.keys():
        yield f"the rotation added or removed entries of {write.key}"
    for host in before:
        login, now = (
            base64.b64decode(each[host].get("auth") or "").decode() for each in (before, after) if host in each
        )
        if login != now and (login.partition(":")[2], now.partition(":")[2]) != (mandate.old, mandate.new):
            yield f"the rotation changed the login for {host} in {write.key}"


def _account_laws(write: Write, mandate: Mandate) -> Iterator[str]:
    place, account = write.key[1:]
    if write.before is None or write.after is None:
        yield f"nobody declared service account {place}/{account}"
        return
    if _rest(write.before, *LISTS) != _rest(write.after, *LISTS):
        yield f"more than the lists of service account {place}/{account} changed"
    links = mandate.inventory.links
    linked = {name for where, who, name in links if (where, who) == (place, account)}
    for key in LISTS:
        before, after = ([str(each.get("name")) for each in obj.get(key) or []] for obj in (write.before, write.after))
        if [name for name in after if name in before] != [name for name in before if name in after]:
            yield f"the order of {key} of {place}/{account} changed: {before} -> {after}"
        if foreign := {*after} - {*before} - linked:
            yield f"nobody declared the link of {place}/{account} to {foreign}"
        lost = [name for name in {*before} - {*after} if name in linked or not _is_named_for(name, mandate)]
        if lost := [name for name in lost if not mandate.inventory.is_exclusive(place, account, name)]:
            yield f"{place}/{account} lost its entries {lost}"


def _is_named_for(name: str, mandate: Mandate) -> bool:
    """Whether it is a secret of the owner. In a simulation, its name begins with the owner."""
    return name.startswith(f"{mandate.inventory.owner}-")


def _binding_laws(write: Write, mandate: Mandate) -> Iterator[str]:
    place, name = write.key[1:]
    if name != mandate.inventory.binding:
        yield f"role binding {place}/{name} is not ours"
    if write.before and write.after and _rest(write.before, "subjects") != _rest(write.after, "subjects"):
        yield f"more than the subjects of role binding {place}/{name} changed"
    declared = {user for where, user in mandate.inventory.grants if where == place}
    before, after = (
        {each["name"] for each in (obj or {}).get("subjects") or []} for obj in (write.before, write.after)
    )
    for user in after - before - declared:
        yield f"nobody granted {place} to {user}"
    for user in (before - after) & declared:
        yield f"the grant of {place} to {user} was revoked"


def _miscounts(api: SimulatedApi, result: Mapping[str, Any]) -> Iterator[str]:
    names = [each["name"] for each in result.get("namespaces", ())]
    total, most = result.get("summary", {}).get("total", 0), len([key for key in api.objects if key[0] == "namespaces"])
    if len(names) > len({*names}) or total > most:
        yield f"the result counts {total} namespaces of {most}, and lists {names}"


def _repeated(value: Any, where: str) -> Iterator[str]:
    """Yield each row that a list of a result has twice. An object can be changed twice."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from () if name == "changes" else _repeated(part, f"{where}.{name}")
    elif isinstance(value, list) and all(isinstance(row, Mapping) for row in value):
        rows = [json.dumps(row, sort_keys=True) for row in value]
        yield from (f"{where} has a row twice: {row}" for row in dict.fromkeys(rows) if rows.count(row) > 1)
        for row in value:
            yield from _repeated(row, where)


def lies_of(api: SimulatedApi, client: str, result: Mapping[str, Any], writes: Sequence[Write]) -> Iterator[str]:
    """Yield a sentence for each difference between a result and the writes that the server has carried out for it."""
    yield from _miscounts(api, result)
    yield from _repeated(result, "result")
    told = {object_of(change, each["name"]) for each in result.get("namespaces", ()) for change in each["changes"]}
    done = {write.key for write in writes if write.changes_something}
    text = json.dumps([result.get("msg"), result.get("failures"), result.get("namespaces")])
    for key in told - done:
        # If an answer is lost and another client brings about the same, nobody can tell who did it.
        now = (api.objects.get(key) or {}).get("metadata", {}).get("resourceVersion")
        if api.lost.get((client, key), now) == now:
            yield f"the result names a change of {key} that was not made"
    # A replacement makes a copy and deletes it. Another run can have made the next one.
    left = {write.key for write in {write.key: write for write in writes}.values() if write.after is not None}
    gone = {
        key for key in done if key[2].endswith(COPY) and (key not in api.objects.keys() & left or api.conditions.stale)
    }
    for key in done - told - gone:
        is_told = result.get("failed") and (f"{key[2]}" in text or key[1] in text)
        if not is_told:
            yield f"the result does not name the change of {key}"
    if bool(result.get("changed")) != bool(told):
        yield f"the result says changed: {result.get('changed')}, and lists {len(told)} changes"
    failed = {each["name"] for each in result.get("namespaces", ()) if each["status"] == "failed"}
    named = {row["namespace"] for row in result.get("failures", ())}
    if failed != named:
        yield f"failed namespaces {sorted(failed)}, named are {sorted(named)}"
    if (failed or result.get("stopped")) and not result.get("failed"):
        yield "the result has failures and is not failed"
