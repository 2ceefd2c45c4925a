# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory in an option, and the objects that its declarations would leave, by the plans of the modules that apply it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...core.changes import Change, Entry, Related
from ...core.errors import USUAL_LIMIT, Limit, OptionError, call_all
from ...core.objects import ROLE_BINDING, SECRET, SERVICE_ACCOUNT, Json, Kind, ObjectRef, Objects
from ...core.ownership import Ownership
from ...core.text import join_and, pluralize
from ...declarations.batch import Batch, Declaration, find_related, object_after, store_object
from ...declarations.declare import ListForm
from ...dockerconfig.auth_file import SOURCES
from ...features.image_puller_grant import plan as grants
from ...features.image_puller_grant.plan import ImagePullerGrant
from ...features.pull_secret import plan as secrets
from ...features.sa_link import plan as links
from ...features.sa_link.plan import SaLink
from ...rbac.subjects import SUBJECT_ACCESS_REVIEW, is_pull_review, puller_of

#: The lists of an inventory, in the order in which they are applied, each with its name for one entry.
LISTS = {"secrets": "secret", "links": "link", "grants": "grant"}
#: The options of an inventory besides the lists.
INVENTORY: dict[str, Any] = {
    "owner": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "prune": {"type": "bool", "default": False},
    "max_prune": {"type": "str", "default": USUAL_LIMIT},
    "prune_everything": {"type": "bool", "default": False},
}
#: The lists of entries that are declared and not applied, such as those of a registry that does not answer. A prune keeps their objects.
KEPT = ("kept_secrets", "kept_links")
#: The position of the inventory to compare with, which is not a change.
AGAINST = -1
#: The declarations of each given list.
Lists = Mapping[str, Sequence[Declaration[Any]]]

#: The doubt because of an entry that only the earlier of two inventories has.
_OF_EARLIER = "in the inventory of option 'against', {} of namespace {} would not be applied: {}"
#: The kinds that decide about access. A plan can also delete pods.
ACCESS_KINDS = (SECRET, SERVICE_ACCOUNT, ROLE_BINDING)


_USUAL = Limit.parse("max_prune", USUAL_LIMIT)


def list_forms(
    targets: Mapping[str, Any], registry: Mapping[str, Any], declare_secret: Callable[..., Any]
) -> tuple[ListForm[Any], ...]:
    """Return the forms of `LISTS`. `targets` and `registry` are the options that modules share."""
    return (
        ListForm(
            "secrets",
            "name",
            [SOURCES],
            kind=SECRET,
            arguments={**targets, **registry, **secrets.ARGUMENTS},
            declare=declare_secret,
            contradictions=secrets.contradictions,
        ),
        *(
            ListForm(
                option,
                name,
                kind=kind,
                arguments={**targets, **plan.ARGUMENTS},
                declare=plan.from_options,
                contradictions=plan.contradictions,
            )
            for option, name, kind, plan in (
                ("links", "secrets", SERVICE_ACCOUNT, links),
                ("grants", "binding_name", ROLE_BINDING, grants),
            )
        ),
    )


@dataclass(frozen=True)
class InventoryLists:
    """The declarations of an inventory. With `prunes`, objects of `owner` that are not declared are removed.

    `most` limits a prune, and `everything` allows it if nothing is declared, as the options of pull_access_prune.
    """

    lists: Lists
    owner: str = ""
    prunes: bool = False
    most: Limit = _USUAL
    everything: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether it declares no entry and removes nothing."""
        return not self.prunes and not any(self.lists.values())

    def __str__(self) -> str:
        """Return the numbers of entries, for a title."""
        counts = [
            pluralize(len(each), f"entry of {name}", f"entries of {name}")
            for name, each in self.lists.items()
            if name in LISTS
        ]
        pruned = [f"objects of owner {self.owner} that it does not declare are removed"] if self.prunes else []
        return ", ".join([*counts, *pruned])


def parse_inventory(
    option: str, value: Mapping[str, Any], declare: Callable[[Mapping[str, Any]], Lists]
) -> InventoryLists:
    """Return the inventory in an option.

    :raises OptionError: for a prune without an owner, an invalid limit, without any list, and with all invalid entries.
    """
    # The present state is evaluated once, so nothing is waited for.
    links = None if value["links"] is None else [{**each, "wait_timeout": 0} for each in value["links"]]
    *_nothing, most, lists = call_all(
        partial(_check_inventory, option, value),
        partial(Ownership.of, value),
        partial(Limit.parse, f"{option}.max_prune", value.get("max_prune") or USUAL_LIMIT),
        partial(declare, {**_drop_invalid_owner(value), "links": links}),
    )
    return InventoryLists(
        lists, value["owner"] or "", bool(value.get("prune")), most, bool(value.get("prune_everything"))
    )


def _drop_invalid_owner(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options without an owner that is refused once, and would otherwise be refused again for each entry."""
    try:
        Ownership.of(value)
    except OptionError:
        return {**value, "owner": None, "adopt": False}
    return value


def _check_inventory(option: str, value: Mapping[str, Any]) -> None:
    if all(value[name] is None for name in LISTS):
        raise OptionError(f"{option} is empty: give the lists {join_and(list(LISTS))}")
    if value.get("prune") and not value["owner"]:
        raise OptionError(f"{option}.prune needs {option}.owner: only objects with its label are removed")


@dataclass(frozen=True)
class UnplannedEntry:
    """A part of the inventory that would not be applied in a namespace. `title` names the entry, empty for all of them."""

    namespace: str
    title: str
    reason: str

    def report(self) -> dict[str, str]:
        """Return it for a result."""
        return {"namespace": self.namespace, "entry": self.title, "reason": self.reason}


@dataclass(frozen=True)
class _Cause:
    """The title of an entry that changes an object. `parts`: the secrets or subjects in it that the entry is about, empty for all."""

    title: str
    parts: frozenset[str] = frozenset()


@dataclass
class PlannedObjects:
    """The objects after each step, None for a deleted one. `unplanned` are the entries that would fail, and `doubts` those of the earlier
    inventory, as sentences."""

    objects: dict[ObjectRef, Json | None] = field(default_factory=dict)
    unplanned: list[UnplannedEntry] = field(default_factory=list)
    doubts: Sequence[str] = ()
    _causes: dict[ObjectRef, list[_Cause]] = field(default_factory=dict)
    _places: dict[str, dict[ObjectRef, None]] = field(default_factory=dict)

    @property
    def namespaces(self) -> frozenset[str]:
        """The namespaces with a changed object."""
        return frozenset(ref.namespace for ref in self.objects)

    def update(self, kind: Kind, namespace: str, objects: Objects, found: Related) -> tuple[Objects, Related]:
        """Return the objects of `kind` by name, and the related objects, as the earlier steps leave them."""
        current = dict(objects)
        elsewhere = [ref for ref in found if ref in self.objects and ref.kind != kind]
        for ref in dict.fromkeys([*self._places.get(namespace, ()), *elsewhere]):
            found = store_object(kind, current, found, ref, self.objects[ref])
        return current, found

    def keep(
        self,
        batch: Batch[Any],
        namespace: str,
        changes: Iterable[Change],
        before: tuple[Objects, Related],
        why: str = "",
    ) -> None:
        """Keep the result of the changes of a namespace. `before` are the objects before, `why` names their cause if no entry does."""
        current, found = dict(before[0]), before[1]
        for change in changes:
            ref = change.ref
            if ref.kind not in ACCESS_KINDS:
                continue
            old = current.get(ref.name) if ref.kind == batch.kind else find_related(found, ref)
            now = object_after(change, old)
            found = store_object(batch.kind, current, found, ref, now)
            self.objects[ref] = now
            self._places.setdefault(ref.namespace, {})[ref] = None
            known = self._causes.setdefault(ref, [])
            known += _causes_of(change.entries, batch.declared(namespace)) if change.entries else [_Cause(why)]

    def instead_of(self, earlier: PlannedObjects) -> PlannedObjects:
        """Return these objects instead of `earlier` ones: those that are not planned any more are deleted.

        The causes are those of both inventories. Entries that would fail only in the earlier one are doubts about the comparison.
        """
        causes = {ref: [*each] for ref, each in self._causes.items()}
        for ref, each in earlier._causes.items():
            causes.setdefault(ref, []).extend(each)
        doubts = [
            _OF_EARLIER.format(entry.title or "all entries", entry.namespace, entry.reason)
            for entry in earlier.unplanned
            if entry not in self.unplanned
        ]
        objects = {**dict.fromkeys(earlier.objects), **self.objects}
        return PlannedObjects(objects, self.unplanned, doubts, causes)

    def titles(self, refs: Iterable[ObjectRef], parts: Iterable[str]) -> list[str]:
        """Return the titles of the entries that change these objects in one of these parts: names of secrets, or subjects."""
        wanted = frozenset(parts)
        causes = [cause for ref in refs for cause in self._causes.get(ref, ())]
        meant = [cause for cause in causes if not cause.parts or cause.parts & wanted]
        return list(dict.fromkeys(cause.title for cause in meant or causes))

    def titles_for_pull(self, read: Collection[ObjectRef]) -> list[str]:
        """Return the titles of the entries that change objects which the explanation of a pull reads."""
        reviews = [ref for ref in read if ref.kind == SUBJECT_ACCESS_REVIEW and is_pull_review(ref)]
        lists = {*read, *(ObjectRef(ROLE_BINDING, ref.namespace, "") for ref in reviews)}
        changed = [ref for ref in self.objects if ref in lists or ObjectRef(ref.kind, ref.namespace, "") in lists]
        secrets = [ref.name for ref in (*read, *changed) if ref.kind == SECRET]
        return self.titles(changed, [*secrets, *(str(one) for ref in reviews for one in puller_of(ref).identities)])


def _causes_of(entries: Sequence[Entry], declared: Sequence[Declaration[Any]]) -> list[_Cause]:
    desired = {one.entry: one.desired for one in declared}
    return [_Cause(str(entry), _parts_of(desired.get(entry))) for entry in entries]


def _parts_of(desired: Any) -> frozenset[str]:
    """The parts that an entry is about. An exclusive entry is also about all others."""
    if isinstance(desired, SaLink) and not desired.exclusive:
        return frozenset(desired.secrets)
    if isinstance(desired, ImagePullerGrant) and not (desired.exclusive or desired.prune):
        return frozenset(map(str, desired.subjects))
    return frozenset()
