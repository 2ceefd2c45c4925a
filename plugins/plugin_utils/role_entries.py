# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One entry of a role's declarations, its values, and its parts for some namespaces. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any, Protocol

from ansible.module_utils.parsing.convert_bool import boolean

#: The members that name the namespaces of an entry.
PLACES = ("namespaces", "namespace_selector")
#: Members of a grant that do not belong to a consumer in a namespace.
_OF_NO_NAMESPACE = ("groups", "users", "authenticated", "anonymous", "prune")


ACCOUNT_FORM = "each item has the lines namespace and name, such as {namespace: project-a, name: default}"


#: An entry of a module.
Made = dict[str, Any]


class Evaluator(Protocol):
    """Evaluates templates."""

    def prepare(self, values: Iterable[Any]) -> None:
        """Evaluate values for later calls of `resolve` together."""

    def resolve(self, value: Any) -> Any:
        """Return the value with its templates evaluated; None for an omitted one.

        :raises TemplateError: if one cannot be evaluated.
        """


class DeclarationError(Exception):
    """Invalid declarations in variables. The message is for the user."""


class TemplateError(Exception):
    """A template that cannot be evaluated. The message is for the user and contains no value. `place` is the path of the template in its member."""

    place = ""

    def at(self, where: str) -> str:
        """Return the message for a template in this variable or member, with its place for `{template}`."""
        return f"{where}{self.place}: " + str(self).replace("{template}", where.removeprefix("variable ") + self.place)


@dataclass(frozen=True)
class RoleEntry:
    """One entry of a role's variable. `title` is the variable with the position. `read` evaluates a member by name and value."""

    title: str
    members: Mapping[str, Any]
    read: Callable[[str, Any], Any]

    def get(self, name: str, default: Any = None) -> Any:
        """Return the value of a member; `default` if it is missing, null or omitted."""
        value = self.read(name, self.members[name]) if name in self.members else None
        return default if value is None else value

    def pick(self, names: Iterable[str]) -> Made:
        """Return the given members among `names`, with their values."""
        found = {name: self.get(name) for name in names if name in self.members}
        return {name: value for name, value in found.items() if value is not None}

    def entry(self, *names: str, **more: Any) -> Made:
        """Return an entry of a module: its title and namespaces, the members `names`, and `more`."""
        return {"title": self.title, **self.pick((*PLACES, *names)), **more}

    def items(self, name: str) -> Sequence[Any]:
        """Return the items of a list member; empty if it is missing. As in Ansible, a text with commas is also a list.

        :raises DeclarationError: for other values.
        """
        value = self.get(name, ())
        if isinstance(value, str):
            return [part.strip() for part in value.split(",")]
        if not isinstance(value, (list, tuple)):
            raise DeclarationError(f"{self.title}.{name}: write a list of items, each with '- ', or one in brackets")
        return value

    def _link(self, position: int, part: Any) -> Made:
        if not isinstance(part, Mapping):
            raise DeclarationError(f"{self.title}.links[{position}]: it is not a dictionary of options")
        return dict(part)

    @property
    def is_absent(self) -> bool:
        return str(self.get("state")) == "absent"

    @property
    def links(self) -> list[Made]:
        """The links of the entry, as options of a link: one for the entry, or one for each item of `links`. Without accounts, none."""
        parts = [self._link(position, part) for position, part in enumerate(self.items("links"))]
        given = self.pick(("service_accounts",))
        return [made for part in parts or [{}] if (made := {**given, **part}).get("service_accounts", ["default"])]


@dataclass(frozen=True)
class Role:
    """The run of a role. With `absent`, every entry counts as absent. With `only`, each entry is limited to these namespaces.

    `selected`: the namespaces that the task before selected for an entry, by the entry's title; None before any task. `failed`: the
    namespaces in which it failed for an entry, and under "" the namespaces in which it failed for all entries.
    """

    name: str
    absent: bool = False
    check_mode: bool = False
    only: frozenset[str] | None = None
    selected: Mapping[str, list[str]] | None = None
    failed: Mapping[str, Collection[str]] = field(default_factory=dict)

    def narrow(self, entries: Iterable[Made]) -> list[Made]:
        """Return the entries limited to the namespaces in which the task before succeeded.

        A selector does not select namespaces that were created since then.
        """
        if self.selected is None:
            return [*entries]
        return [made for entry in entries if (made := self._narrow(entry, self.selected))]

    def _narrow(self, entry: Made, selected: Mapping[str, list[str]]) -> Made:
        """Return the limited entry; empty if no namespace is left."""
        selector = entry.get("namespace_selector")
        if isinstance(selector, Mapping):
            names = self._left(entry, selected.get(entry["title"], ()))
            return {**entry, "namespace_selector": {**selector, "include": names}} if names else {}
        if not isinstance(entry.get("namespaces"), (list, tuple)):
            return entry
        names = self._left(entry, entry["namespaces"])
        return {**entry, "namespaces": names} if names else {}

    def _left(self, entry: Made, names: Iterable[Any]) -> list[Any]:
        failed = {*self.failed.get("", ()), *self.failed.get(entry["title"], ())}
        return [name for name in names if str(name) not in failed]


def read_no_file(path: str) -> str:
    raise FileNotFoundError(path)


def limit_entries(entries: list[RoleEntry], role: str, only: frozenset[str] | None) -> list[RoleEntry]:
    """Return the parts of the entries for these namespaces, or all entries for None."""
    return entries if only is None else [part for entry in entries for part in _limit_entry(entry, role, only)]


def _limit_entry(entry: RoleEntry, role: str, only: frozenset[str]) -> Iterator[RoleEntry]:
    """Yield the parts of an entry for these namespaces. A grant also counts for the namespaces of its consumers."""
    owners = _places_in(entry, only)
    if owners:
        yield _replace_members(entry, **owners)
    if role == "cross_project_pull" and (consumers := _consumers(entry, only)):
        rest = _places_outside(entry, only)
        if rest:
            yield _replace_members(entry, **rest, **consumers)


def _places_in(entry: RoleEntry, only: frozenset[str]) -> Made:
    """Return the selection of an entry, limited to these namespaces; empty if none is left. The module evaluates label selectors."""
    names, selector = entry.get("namespaces"), entry.get("namespace_selector")
    if names is not None:
        kept = [name for name in entry.items("namespaces") if str(name) in only]
        return {"namespaces": kept} if kept else {}
    if not isinstance(selector, Mapping):
        return entry.pick(PLACES)
    included = [name for name in sorted(only) if _is_any_match(name, selector.get("include") or ["*"])]
    kept = [name for name in included if not _is_any_match(name, selector.get("exclude") or ())]
    return {"namespace_selector": {**selector, "include": kept}} if kept else {}


def _places_outside(entry: RoleEntry, only: frozenset[str]) -> Made:
    """Return the selection of an entry without these namespaces; empty if none is left."""
    names, selector = entry.get("namespaces"), entry.get("namespace_selector")
    if names is not None:
        kept = [name for name in entry.items("namespaces") if str(name) not in only]
        return {"namespaces": kept} if kept else {}
    if not isinstance(selector, Mapping):
        return {}
    return {"namespace_selector": {**selector, "exclude": [*(selector.get("exclude") or ()), *sorted(only)]}}


def _consumers(entry: RoleEntry, only: frozenset[str]) -> Made:
    """Return only the subjects of a grant in these namespaces, or all of them if the grant is exclusive."""
    given = [one for one in entry.get("service_accounts", ()) if isinstance(one, Mapping)]
    accounts = [one for one in given if str(one.get("namespace")) in only]
    projects = [name for name in entry.get("projects", ()) if str(name) in only]
    if not (accounts or projects):
        return {}
    if boolean(entry.get("exclusive", False), strict=False):
        return entry.pick(("service_accounts", "projects"))
    return {"service_accounts": accounts, "projects": projects, **dict.fromkeys(_OF_NO_NAMESPACE)}


def _replace_members(entry: RoleEntry, **members: Any) -> RoleEntry:
    """Return the entry with other members, which are values and not templates. None removes a member."""
    kept = {name: value for name, value in entry.members.items() if name not in members}
    given = {name: value for name, value in members.items() if value is not None}

    def read(name: str, value: Any) -> Any:
        return given[name] if name in given else entry.read(name, value)

    return replace(entry, members={**kept, **given}, read=read)


def _is_any_match(name: str, patterns: Iterable[Any]) -> bool:
    return any(fnmatchcase(name, str(pattern)) for pattern in patterns)


def as_data(value: Any) -> Any:
    """Return the value with dates as text, as a module gets them. Before ansible-core 2.19, one date would turn all entries into text."""
    if isinstance(value, Mapping):
        return {name: as_data(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_data(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value
