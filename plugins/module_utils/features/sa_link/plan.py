# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `sa_link`, and plan secrets on the lists of service accounts. Refuse contradictory links. Pure.

The platform's entry is kept, because the platform would restore it. `platform.generated` decides whether an entry is the platform's.
This module decides when to read the secret for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, ClassVar, NamedTuple

from ...core.changes import (
    ALL,
    MANAGED_BY,
    NOTHING_RELATED,
    Change,
    Desired,
    ListedBy,
    NamespaceNote,
    Plan,
    Prerequisite,
    Related,
    create,
    update,
)
from ...core.errors import OptionError, Refusal
from ...core.names import check_name, is_name, is_pattern
from ...core.objects import SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, Objects, as_dict, as_list, metadata
from ...core.ownership import Ownership, is_managed, labels_view
from ...declarations.declare import Contradiction
from ...platform.account_lists import (
    LISTS,
    Origin,
    add_links,
    changes_of,
    duplicate_names,
    entries_of,
    is_generated,
    names_in,
    origin_of,
    remove_links,
    view_lists,
)
from ...platform.protected import is_platform_object
from ...secrets.content import DOCKERCONFIGJSON, why_not_usable, why_secret_missing
from .pods import TRIMMED_POD, AccountPullList, PodMissingSecrets, pods_missing_secrets

#: Argument spec of one declaration, without its namespaces.
ARGUMENTS: dict[str, Any] = {
    "secrets": {"type": "list", "elements": "str", "no_log": False},
    "owner": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "service_accounts": {"type": "list", "elements": "str", "default": ["default"]},
    "link_for": {"type": "list", "elements": "str", "choices": list(LISTS), "default": ["pull"]},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "exclusive": {"type": "bool", "default": False},
    "only_managed": {"type": "bool", "default": False},
    "create": {"type": "bool", "default": False},
    "require": {"type": "str", "choices": ["usable", "existing", "none"], "default": "usable"},
    "restart_pods": {"type": "str", "choices": ["never", "report", "stuck"], "default": "never"},
    "wait_timeout": {"type": "int", "default": 30},
}

#: Prefixes of a name that `oc secrets link` accepts.
_PREFIXES = ("secret/", "secrets/")


def from_options(options: Mapping[str, Any], _read_file: Callable[[str], str] | None = None) -> SaLink:
    """Return the state that the module's options declare.

    :raises OptionError: for an empty list, an invalid name, or contradictory options.
    """
    for option in ("secrets", "service_accounts", "link_for"):
        if not options[option]:
            raise OptionError(f"option {option!r} is empty: give at least one")
    for option in ("secrets", "service_accounts"):
        for name in options[option]:
            if option == "secrets" or not is_pattern(name):
                _check_secret_name(option, name)
    _refuse_contradictions(options)
    return SaLink(
        secrets=tuple(dict.fromkeys(options["secrets"])),
        service_accounts=tuple(dict.fromkeys(options["service_accounts"])),
        lists=tuple(key for purpose, key in LISTS.items() if purpose in options["link_for"]),
        present=options["state"] == "present",
        exclusive=options["exclusive"],
        only_managed=options["only_managed"],
        create=options["create"],
        require=options["require"],
        restart_pods=options["restart_pods"],
        wait_timeout=options["wait_timeout"],
        ownership=Ownership.of(options),
    )


def _check_secret_name(option: str, name: str) -> None:
    for prefix in _PREFIXES if option == "secrets" else ():
        if name.startswith(prefix) and is_name(name.removeprefix(prefix)):
            raise OptionError(
                f"option 'secrets': write {name.removeprefix(prefix)!r} instead of {name!r}: only secrets can be linked"
            )
    check_name(option, name)


def _refuse_contradictions(options: Mapping[str, Any]) -> None:
    absent = options["state"] == "absent"
    for option in ("exclusive", "create"):
        if options[option] and absent:
            raise OptionError(
                f"option {option!r} is for state present only: state absent unlinks exactly the given secrets"
            )
    if options["only_managed"] and not absent:
        raise OptionError("option 'only_managed' is for state absent only: it limits which secrets are unlinked")
    if options["restart_pods"] != "never" and (absent or "pull" not in options["link_for"]):
        raise OptionError(
            "option 'restart_pods' is for state present with 'link_for: pull' only: pods pull with that list"
        )
    if options["wait_timeout"] < 0:
        raise OptionError("option 'wait_timeout' must not be negative: give seconds, or 0 to look once")


_LABEL = "=".join(*MANAGED_BY.items())


class Decision(NamedTuple):
    """Whether an entry is removed. `note` explains why it is not."""

    remove: bool
    note: str = ""


@dataclass(frozen=True)
class Unlinking:
    """`by_name`: the user named the secrets (state absent), rather than all others (exclusive).

    `only_managed`: remove only secrets that have our label and no other owner, or do not exist.
    """

    by_name: bool
    only_managed: bool = False
    ownership: Ownership = field(default_factory=Ownership)

    def must_be_read(self, account: Json, key: str, name: str) -> bool:
        """Whether the secret must be read to decide if the entry `name` of the list `key` is removed."""
        return self._is_open(origin_of(account, key, name))

    def decide(self, account: Json, key: str, secret: ObjectRef, found: Related) -> Decision:
        """Decide whether to remove the entry `secret.name` of the list `key`. `found` has the objects that were read."""
        origin, who = origin_of(account, key, secret.name), _title(account, secret)
        if self._is_restored(origin):
            return self._keep(who)
        if not self._is_open(origin):
            return Decision(remove=True)
        if secret not in found:
            unknown = f"{who}: {self._unknown(origin)}, because it could not be read. Allow the caller to 'get' it, or run again"
            return Decision(remove=False, note=unknown)
        observed = found[secret]
        if observed is None:
            return Decision(remove=True)
        if origin is not Origin.OTHER and is_generated(account, as_dict(observed)):
            return self._keep(who)
        if self.only_managed and not is_managed(as_dict(observed)):
            return Decision(remove=False, note=f"{who}: it does not have the label {_LABEL} ('only_managed')")
        if self.only_managed and (other := self.ownership.other(as_dict(observed))):
            return Decision(remove=False, note=f"{who}: it belongs to owner {other} ('only_managed')")
        return Decision(remove=True)

    def _is_open(self, origin: Origin) -> bool:
        return not self._is_restored(origin) and (self.only_managed or origin is not Origin.OTHER)

    def _is_restored(self, origin: Origin) -> bool:
        """Whether the account alone shows that the platform would restore the entry. For named secrets, a presumption is not enough."""
        return origin is Origin.GENERATED or (origin is Origin.PRESUMED and not self.by_name)

    def _keep(self, who: str) -> Decision:
        note = f"{who}: the platform generated it for this account and would link it again"
        return Decision(remove=False, note=note if self.by_name else "")

    def _unknown(self, origin: Origin) -> str:
        if origin is Origin.OTHER:
            return f"it is not known whether it has the label {_LABEL} ('only_managed')"
        return "it is not known whether the platform generated it"


def _title(account: Json, secret: ObjectRef) -> str:
    name = metadata(account).get("name")
    return f"secret {secret.name} stays linked to service account {secret.namespace}/{name}"


#: Checks of the secrets to link, by the value of `require`. With 'none', secrets are not checked.
_REQUIREMENTS = {"existing": why_secret_missing, "usable": why_not_usable}

#: The decisions on unwanted entries, by list and name.
_Decisions = Mapping[tuple[str, str], Decision]


@dataclass(frozen=True)
class SaLink(Desired):
    """The declared links. `service_accounts` are names or globs: a missing name is awaited or created, a glob matches existing accounts.

    `wait_timeout` is in seconds. `only_managed`: with `present` False, unlink only secrets that have our label, or do not exist.
    `ownership`: the owner of the links. An account belongs to an owner only if `create` declares it.
    """

    secrets: tuple[str, ...]
    service_accounts: tuple[str, ...]
    lists: tuple[str, ...]
    present: bool
    exclusive: bool = False
    only_managed: bool = False
    create: bool = False
    require: str = "none"
    restart_pods: str = "never"
    wait_timeout: float = 0.0
    ownership: Ownership = field(default_factory=Ownership)

    kind: ClassVar[Kind] = SERVICE_ACCOUNT
    #: Secrets of the usual type are listed. Those of any other type are read one by one.
    listed_by: ClassVar[ListedBy] = {SERVICE_ACCOUNT: ALL, SECRET: (f"type={DOCKERCONFIGJSON}",)}

    def names(self, _namespace: str) -> tuple[str, ...]:
        return () if any(is_pattern(name) for name in self.service_accounts) else self.service_accounts

    def related(self, namespace: str, objects: Objects) -> Sequence[ObjectRef]:
        """Return the secrets that must be usable, those that must be read before they can be unlinked, and the pods."""
        required = self.secrets if self.present and self.require in _REQUIREMENTS else ()
        doubtful = (
            name
            for account in self._chosen(objects).values()
            for key, name in self._unwanted(account)
            if self._unlinking.must_be_read(account, key, name)
        )
        secrets = [ObjectRef(SECRET, namespace, name) for name in dict.fromkeys((*required, *doubtful))]
        return [*secrets, ObjectRef(TRIMMED_POD, namespace, "")] if self._looks_at_pods else secrets

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """Return the changes. :raises Refusal: when a secret does not meet the requirement, or an account cannot be read."""
        unread = self._require(namespace, found)
        chosen = {ObjectRef(SERVICE_ACCOUNT, namespace, name): obj for name, obj in self._chosen(objects).items()}
        decisions = {ref: self._decisions(namespace, account, found) for ref, account in chosen.items()}
        missing = self._missing(objects)
        planned = [self._plan_account(ref, account, decisions[ref]) for ref, account in chosen.items()]
        created = [self._create(ObjectRef(SERVICE_ACCOUNT, namespace, name)) for name in missing if self.create]
        pods, unseen = self._pods(namespace, chosen, found)
        restarts = [pod.restart(namespace) for pod in pods if pod.recovers_by_restart and self.restart_pods == "stuck"]
        notes = [note for ref, account in chosen.items() for note in self._notes(ref, account, decisions[ref])]
        return Plan(
            changes=(*(change for change in planned if change is not None), *created, *restarts),
            waiting_for=tuple(
                Prerequisite(f"service account {name}", self.wait_timeout) for name in missing if not self.create
            ),
            notes=(*unread, *unseen, *notes, *self._explain_unmatched(objects)),
            extra={"pods": [pod.report() for pod in pods]} if self._looks_at_pods else {},
        )

    @property
    def _looks_at_pods(self) -> bool:
        return self.restart_pods != "never"

    @property
    def _unlinking(self) -> Unlinking:
        return Unlinking(by_name=not self.present, only_managed=self.only_managed, ownership=self.ownership)

    def _chosen(self, objects: Objects) -> Objects:
        chosen = (name for name in objects if any(fnmatchcase(name, pattern) for pattern in self.service_accounts))
        return {name: objects[name] for name in sorted(chosen)}

    def _missing(self, objects: Objects) -> list[str]:
        exact = [name for name in self.service_accounts if not is_pattern(name)]
        return [name for name in exact if self.present and name not in objects]

    def _explain_unmatched(self, objects: Objects) -> Iterator[NamespaceNote]:
        for pattern in filter(is_pattern, self.service_accounts if self.present else ()):
            if not any(fnmatchcase(name, pattern) for name in objects):
                yield NamespaceNote(
                    f"no service account matches {pattern!r}, so nothing is linked: correct 'service_accounts', or create "
                    "one ('oc get serviceaccounts' lists them)"
                )

    def _require(self, namespace: str, found: Related) -> list[str]:
        """Check the secrets, and return notes on unchecked ones. :raises Refusal: for the first that does not meet the requirement."""
        if self.require not in _REQUIREMENTS or not self.present:
            return []
        why_not = _REQUIREMENTS[self.require] if LISTS["pull"] in self.lists else why_secret_missing
        unread = []
        for ref in (ObjectRef(SECRET, namespace, name) for name in self.secrets):
            if ref not in found:
                unread.append(f"{ref} was not checked: the caller may not read it")
            elif reason := why_not(ref, found[ref]):
                raise Refusal(reason)
        return unread

    def _unwanted(self, account: Json) -> Iterator[tuple[str, str]]:
        """Yield each list with each name to remove from it."""
        if self.present and not self.exclusive:
            return
        for key in self.lists:
            for name in dict.fromkeys(names_in(account, key)):
                if (name in self.secrets) is not self.present:
                    yield key, name

    def _decisions(self, namespace: str, account: Json, found: Related) -> _Decisions:
        return {
            (key, name): self._unlinking.decide(account, key, ObjectRef(SECRET, namespace, name), found)
            for key, name in self._unwanted(account)
        }

    def _plan_account(self, ref: ObjectRef, account: Json, decisions: _Decisions) -> Change | None:
        """Return the change of an account. :raises Refusal: when a list cannot be read, or another owner has created the account."""
        labels = self._adoption_labels(ref, account)
        before = {key: entries_of(ref, account, key) for key in self.lists}
        after: dict[str, Any] = {}
        for key, entries in before.items():
            linked = add_links(entries, self.secrets) if self.present else entries
            after[key] = remove_links(
                linked, {name for (where, name), fate in decisions.items() if where == key and fate.remove}
            )
        patch = {key: after[key] for key in self.lists if after[key] != before[key]}
        if not (patch or labels):
            return None
        details: dict[str, Any] = {"lists": {key: changes_of(before[key], after[key]) for key in patch}}
        views = {
            "before": {**view_lists(before, patch), **labels_view(labels, "not as requested")},
            "after": {**view_lists(after, patch), **labels_view(labels, "as requested")},
        }
        if labels:
            patch = {**patch, "metadata": {"labels": labels}}
            details["labels"] = sorted(labels)
        return update(ref, account, patch, details, **views)

    def _adoption_labels(self, ref: ObjectRef, account: Json) -> dict[str, str]:
        """Return the missing ownership labels of an account that `create` declares. :raises Refusal: when another owner has it."""
        if not self.create or ref.name not in self.service_accounts:
            return {}
        self.ownership.refuse_other(ref, account, adoptable=True)
        return {} if is_platform_object(ref, account) else self.ownership.missing(account)

    def _create(self, ref: ObjectRef) -> Change:
        lists: dict[str, list[Json]] = {key: [{"name": name} for name in self.secrets] for key in self.lists}
        body = {"metadata": {"labels": self.ownership.labels}, **lists}
        details = {"lists": {key: changes_of([], entries) for key, entries in lists.items()}}
        return create(ref, body, details, view_lists(lists, lists))

    def _pods(
        self, namespace: str, accounts: Mapping[ObjectRef, Json], found: Related
    ) -> tuple[list[PodMissingSecrets], list[str]]:
        """Return the pods that lack a linked secret, and a note when the caller is not allowed to list pods."""
        if not self._looks_at_pods:
            return [], []
        seen = found.get(ObjectRef(TRIMMED_POD, namespace, ""))
        if seen is None:
            return [], [f"the pods of namespace {namespace} were not checked: the caller may not list them"]
        lists = {ref.name: self._pull_list(account) for ref, account in accounts.items()}
        return pods_missing_secrets(self.secrets, lists, as_list(as_dict(seen).get("items"))), []

    def _pull_list(self, account: Json) -> AccountPullList:
        key = LISTS["pull"]
        listed = names_in(account, key)
        generated = frozenset(name for name in listed if origin_of(account, key, name) is not Origin.OTHER)
        return AccountPullList(frozenset({*listed, *self.secrets}), generated)

    def _notes(self, ref: ObjectRef, account: Json, decisions: _Decisions) -> Iterator[str]:
        yield from dict.fromkeys(fate.note for fate in decisions.values() if fate.note)
        for key in self.lists:
            for name in duplicate_names(entries_of(ref, account, key)):
                if name not in self.secrets and (key, name) not in decisions:
                    yield f"{ref} lists secret {name} more than once in {key}: the duplicate is not ours and was kept"


def can_overlap(one: str, other: str) -> bool:
    """Whether a name can match both globs. A set in brackets counts as any character."""
    first, second = _simplify(one), _simplify(other)

    @cache
    def may(i: int, j: int) -> bool:
        if i == len(first) and j == len(second):
            return True
        if i < len(first) and first[i] == "*":
            return may(i + 1, j) or (j < len(second) and may(i, j + 1))
        if j < len(second) and second[j] == "*":
            return may(i, j + 1) or (i < len(first) and may(i + 1, j))
        if i == len(first) or j == len(second):
            return False
        return (first[i] == second[j] or "?" in (first[i], second[j])) and may(i + 1, j + 1)

    return may(0, 0)


def _simplify(pattern: str) -> str:
    """Return the pattern with a question mark for each set in brackets, and without repeated stars."""
    result, rest = "", pattern
    while rest:
        character, rest = rest[0], rest[1:]
        # As in fnmatch, a closing bracket directly after the opening one is part of the set.
        end = rest.find("]", 2 if rest.startswith("!") else 1) if character == "[" else -1
        if end > 0:
            character, rest = "?", rest[end + 1 :]
        if not (character == "*" and result.endswith("*")):
            result += character
    return result


@dataclass
class _DeclaredList:
    """The declarations for one list of an account: secrets, each with its first declaration, and the exclusive ones."""

    present: dict[str, int] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    exclusive: dict[frozenset[str], int] = field(default_factory=dict)


def contradictions(declared: Sequence[SaLink]) -> Iterator[Contradiction]:
    """Yield the contradictions: a secret both linked and unlinked, or linked to a list that another declaration has exclusively."""
    lists: dict[str, dict[str, _DeclaredList]] = {}
    for position, link in enumerate(declared):
        for key in link.lists:
            accounts = lists.setdefault(key, {})
            for account in link.service_accounts:
                for other in _overlapping_accounts(account, accounts):
                    yield from _find_conflicts(position, link, accounts[other], f"{key} of service account {account}")
                _add(position, link, accounts.setdefault(account, _DeclaredList()))


def _overlapping_accounts(account: str, known: dict[str, _DeclaredList]) -> list[str]:
    if is_pattern(account):
        return [other for other in known if can_overlap(account, other)]
    return [other for other in known if other == account or (is_pattern(other) and can_overlap(account, other))]


def _find_conflicts(position: int, link: SaLink, known: _DeclaredList, where: str) -> Iterator[Contradiction]:
    opposite, words = (known.absent, "linked and unlinked") if link.present else (known.present, "unlinked and linked")
    for secret in link.secrets:
        if opposite.get(secret, position) != position:
            yield Contradiction(opposite[secret], position, f"secret {secret} is both {words}, in {where}")
    if not link.present:
        return
    wanted = frozenset(link.secrets)
    for only, first in known.exclusive.items():
        if first != position and not wanted <= only:
            yield Contradiction(
                first, position, f"the first is exclusive, and the second links {_names(wanted - only)}, in {where}"
            )
    if link.exclusive:
        others = {
            secret: first for secret, first in known.present.items() if first != position and secret not in wanted
        }
        for first in dict.fromkeys(others.values()):
            linked = {secret for secret in others if others[secret] == first}
            yield Contradiction(
                first, position, f"the second is exclusive, and the first links {_names(linked)}, in {where}"
            )


def _add(position: int, link: SaLink, known: _DeclaredList) -> None:
    stated = known.present if link.present else known.absent
    for secret in link.secrets:
        stated.setdefault(secret, position)
    if link.exclusive:
        known.exclusive.setdefault(frozenset(link.secrets), position)


def _names(secrets: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(secrets))
