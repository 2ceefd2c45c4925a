# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Determine which secrets a rotation is allowed to write: a source outside the cluster names them. Pure.

Everyone who can write secrets can store the old login in one, with any label and annotation. So the content of a secret does not prove
that it is allowed to receive the new login.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Union

from ...core.errors import OptionError
from ...core.names import is_name, is_namespace
from ...core.namespaces import NamespaceSelector, selector_of
from ...core.objects import ObjectRef
from ...core.text import join_and, summarize
from ...declarations.declare import TARGETS
from ...dockerconfig.registry_keys import same_path

#: Maximum number of invalid entries in one message.
_SHOWN = 20
_UID = re.compile(r"[0-9A-Za-z-]{1,64}\Z")

#: One secret: an entry of the option `secrets`, which can also select its namespaces in other ways, or a row of a plan.
ROW: dict[str, Any] = {
    "namespace": {"type": "str"},
    "name": {"type": "str", "required": True},
    "uid": {"type": "str"},
    "declared": {"type": "bool"},
    "is_accepted": {"type": "bool"},
}

#: Mutually exclusive ways to give the namespaces of an entry.
PLACES = ("namespace", *TARGETS)

ARGUMENTS: dict[str, Any] = {
    "plan": {
        "type": "dict",
        "options": {
            "server": {"type": "str", "required": True},
            "registries": {"type": "list", "elements": "str", "required": True},
            "old_username": {"type": "str", "required": True},
            "new_username": {"type": "str", "required": True},
            "secrets": {"type": "list", "elements": "dict", "no_log": False, "required": True, "options": ROW},
        },
    },
}


@dataclass(frozen=True)
class ConfirmedEntry:
    """One secret, in one namespace or in several. With a `uid`, only that object, and not a new one with the same name.

    `is_accepted` is False if an earlier task found no registry that accepts the secret's own login, so that it must not be written.
    """

    name: str
    places: Union[tuple[str, ...], NamespaceSelector]
    uid: str = ""
    is_accepted: bool = True


@dataclass(frozen=True)
class ConfirmedSecrets:
    """The confirmed secrets, by namespace and name, each with the UIDs that it may have. An empty UID stands for any.

    `unaccepted` are those that must not be written.
    """

    uids: Mapping[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    unaccepted: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(cls, entries: Iterable[tuple[ConfirmedEntry, Iterable[str]]]) -> ConfirmedSecrets:
        """Return the confirmed secrets of `entries`, each given with its namespaces."""
        found: dict[tuple[str, str], set[str]] = {}
        unaccepted = set()
        for entry, namespaces in entries:
            for namespace in namespaces:
                found.setdefault((namespace, entry.name), set()).add(entry.uid)
                if not entry.is_accepted:
                    unaccepted.add((namespace, entry.name))
        return cls({place: frozenset(uids) for place, uids in found.items()}, frozenset(unaccepted))

    def names(self, ref: ObjectRef) -> bool:
        """Whether an entry names the secret, whatever its UID."""
        return (ref.namespace, ref.name) in self.uids

    def includes(self, ref: ObjectRef, uid: str) -> bool:
        """Whether exactly this object is confirmed."""
        uids = self.uids.get((ref.namespace, ref.name), frozenset())
        return "" in uids or uid in uids


def confirmed_entries(options: Mapping[str, Any]) -> tuple[ConfirmedEntry, ...]:
    """Return the entries of the option `secrets`, or of the plan.

    :raises OptionError: with all invalid entries at once. Nothing has been read.
    """
    plan = options.get("plan")
    rows, where = (plan["secrets"], "plan.secrets") if plan is not None else (options.get("secrets") or (), "secrets")
    found, problems = [], []
    for position, row in enumerate(rows):
        try:
            found.append(_entry(row, is_reviewed=plan is not None))
        except OptionError as error:
            problems.append(f"option '{where}[{position}]': {error}")
    if problems:
        raise OptionError(summarize(problems, _SHOWN, "; "))
    return tuple(found)


_AGAIN = "write the plan again, and review it"


def plan_problems(options: Mapping[str, Any]) -> Iterator[str]:
    """Yield why the plan does not match the options. A rollback plan has the logins the other way round."""
    plan = options.get("plan")
    if plan is None:
        return
    planned, asked = _registries(plan["registries"]), _registries(options["registries"])
    if planned != asked:
        yield f"option 'plan' is for the registries {', '.join(planned)}, but this rotation is for {', '.join(asked)}: {_AGAIN}"
    users = [plan["old_username"], plan["new_username"]]
    wanted = [options["old"]["username"], options["new"]["username"]]
    if {*users} != {*wanted}:
        yield f"option 'plan' is for the user names {join_and(users)}, but options 'old' and 'new' have {join_and(wanted)}: {_AGAIN}"


def _registries(names: Sequence[str]) -> list[str]:
    return sorted({same_path(name) for name in names})


def _entry(row: Mapping[str, Any], *, is_reviewed: bool) -> ConfirmedEntry:
    """Return the entry of a row. The rows of a plan, which a person has reviewed, also confirm undeclared secrets. Each needs a UID.

    `is_accepted` never replaces the question to the registry. In a plan it is the answer of another run, so it does not count at all.
    """
    name, uid = row["name"], row.get("uid") or ""
    if row.get("declared") is False and not is_reviewed:
        raise OptionError(
            "'declared' is false, so this row is not confirmed: leave it out, or review the rows and give them in option 'plan'"
        )
    if not is_name(name):
        raise OptionError("'name' cannot be the name of a secret")
    if uid and not _UID.match(uid):
        raise OptionError("'uid' cannot be the UID of an object")
    if row.get("namespace") is None:
        if is_reviewed:
            raise OptionError("'namespace' is missing")
        if uid:
            raise OptionError("'uid' identifies one secret: give 'namespace' with it")
    if is_reviewed and not uid:
        raise OptionError(
            "'uid' is missing, but a plan needs it in each row: write the plan again, and only remove rows from it"
        )
    return ConfirmedEntry(name, _places(row), uid, is_reviewed or row.get("is_accepted") is not False)


def _places(row: Mapping[str, Any]) -> Union[tuple[str, ...], NamespaceSelector]:
    if row.get("namespace_selector") is not None:
        return selector_of(row["namespace_selector"])
    names = [row["namespace"]] if row.get("namespace") is not None else row.get("namespaces") or ()
    if not names:
        raise OptionError("give one of 'namespace', 'namespaces' and 'namespace_selector'")
    if not all(map(is_namespace, names)):
        raise OptionError("it contains an invalid namespace name")
    return tuple(dict.fromkeys(names))
