# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the declarations of a task: one from its options, or a list of entries with their own options. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..core.changes import Desired, Entry
from ..core.errors import OptionError, find_similar, problems_of_names
from ..core.names import is_name
from ..core.namespaces import NamespaceSelector, Targets, targets_of
from ..core.objects import Kind
from ..core.text import join_and, summarize
from .batch import Batch, Declaration


@dataclass(frozen=True)
class Contradiction:
    """A contradiction. `first` and `second` are positions among the declarations for a namespace. `what` describes it in messages."""

    first: int
    second: int
    what: str


#: Alternative options: one of them in an entry replaces both of the task.
TARGETS = ("namespaces", "namespace_selector")


@dataclass(frozen=True)
class EntryList:
    """A list of entries in one task.

    `option` is the list, `name` the option that names an entry in messages. `alternatives` are groups of options: one of them in an
    entry replaces the task's options of the group.
    """

    option: str
    name: str
    alternatives: Sequence[Sequence[str]] = ()


def list_entries(form: EntryList, params: Mapping[str, Any]) -> list[tuple[Entry, dict[str, Any]]]:
    """Return each entry with its options. Missing options come from the task.

    :raises OptionError: for a list without entries.
    """
    items = params[form.option]
    if not items:
        raise OptionError(f"option {form.option!r} is empty: give at least one entry")
    return [(entry_at(form, position, item), _merge_options(form, params, item)) for position, item in enumerate(items)]


def entry_at(form: EntryList, position: int, item: Any) -> Entry:
    """Return the entry at a position, from 0. An item that is not a mapping has neither name nor title."""
    if not isinstance(item, Mapping):
        return Entry(form.option, position)
    title = item.get("title")
    return Entry(form.option, position, _name(form, item), title if isinstance(title, str) else "")


def _merge_options(form: EntryList, params: Mapping[str, Any], item: Mapping[str, Any]) -> dict[str, Any]:
    """The options of an entry. Missing options come from the task."""
    given = {name: value for name, value in item.items() if value is not None}
    replaced = {name for group in (TARGETS, *form.alternatives) if given.keys() & set(group) for name in group}
    return {**{name: value for name, value in params.items() if name not in replaced}, **given}


def _name(form: EntryList, item: Mapping[str, Any]) -> str:
    """The name of an entry in messages. Only a valid object name is used, because another value may be a misplaced credential."""
    value = item.get(form.name)
    names = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return ", ".join(name for name in names if isinstance(name, str) and is_name(name))


_Desired = TypeVar("_Desired", bound=Desired)

#: The option with the names of objects that other tasks declare.
CLAIMS = "declared_elsewhere"

#: Maximum number of invalid or contradictory entries in one message.
_SHOWN = 20

#: The notation of a value, by its type.
_FORMS = {
    "dict": "lines of the form 'name: value'",
    "list": "a list: begin each item with '- '",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
}

_BY_NAME = (
    "A user requested this project with a name that one of their namespace_selectors includes, so nothing was done in it: add "
    "'requesters' or 'labels' to that selector, or exclude the name"
)


@dataclass(frozen=True, kw_only=True)
class ListForm(EntryList, Generic[_Desired]):
    """The list option with which a module takes many declarations in one task.

    `declare` creates a declaration from options. `contradictions` finds the contradictions among the declarations for one
    namespace. `arguments` is the argument spec of one declaration.
    """

    kind: Kind
    declare: Callable[[Mapping[str, Any], Callable[[str], str]], _Desired]
    contradictions: Callable[[Sequence[_Desired]], Iterable[Contradiction]]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def spec(self) -> dict[str, Any]:
        """Return the argument spec of the list: the same options without defaults, which come from the task. Credentials are marked."""
        options = {
            name: {key: value for key, value in spec.items() if key not in ("default", "required")}
            for name, spec in self.arguments.items()
        }
        options["title"] = {"type": "str"}
        groups = [group for group in (TARGETS, *self.alternatives) if set(group) <= set(options)]
        return {"type": "list", "elements": "dict", "no_log": False, "options": options, "mutually_exclusive": groups}

    @property
    def claims(self) -> ListForm[_Desired]:
        """Return the form of the objects that other tasks declare."""
        arguments = {name: self.arguments[name] for name in (self.name, *TARGETS)}
        return replace(self, option=CLAIMS, arguments=arguments, alternatives=())


def read_declarations(
    form: ListForm[_Desired], params: Mapping[str, Any], read_file: Callable[[str], str]
) -> list[Declaration[_Desired]]:
    """Return the declarations of a task, in the given order.

    :raises OptionError: with all invalid options, for a list by position and name of the entry.
    """
    if params.get(form.option) is None:
        return [_read_declaration(form, params, read_file, None)]
    found, problems = [], []
    for entry, options in list_entries(form, params):
        try:
            found.append(_read_declaration(form, options, read_file, entry))
        except OptionError as error:
            problems.append(f"{entry}: {error}")
    if problems:
        raise OptionError(_join_problems(problems))
    return found


def read_claims(
    form: ListForm[_Desired], params: Mapping[str, Any], read_file: Callable[[str], str]
) -> list[Declaration[_Desired]]:
    """Return the claims of other tasks.

    :raises OptionError: with all invalid ones.
    """
    if not params.get(CLAIMS):
        return []
    # Only the name and the namespaces count, so nothing else must be given.
    defaults = {name: spec.get("default") for name, spec in form.arguments.items()}
    options = {**defaults, "state": "absent", CLAIMS: params[CLAIMS]}
    return [replace(one, is_claim=True) for one in read_declarations(form.claims, options, read_file)]


def entry_problems(form: EntryList, arguments: Mapping[str, Any], items: Any) -> str:
    """Return the problems that Ansible's validation finds in the entries, in one message without values. Empty if there are none."""
    problems = problems_of_entries(form, arguments, items)
    return _join_problems(problems) if problems else ""


def problems_of_entries(form: EntryList, arguments: Mapping[str, Any], items: Any) -> list[str]:
    """Return the problems of the entries, a sentence for each."""
    if not isinstance(items, list):
        return []
    spec = arguments[form.option]
    validator = ArgumentSpecValidator(spec["options"], mutually_exclusive=spec.get("mutually_exclusive"))
    problems: list[str] = []
    for position, item in enumerate(items):
        entry = entry_at(form, position, item)
        if not isinstance(item, Mapping):
            problems.append(f"{entry}: it is not a dictionary of options")
            continue
        found = [*problems_of_names(spec["options"], item), *explain_errors(validator.validate(item).errors, item)]
        problems += [f"{entry}: {problem}" for problem in found]
    return problems


def explain_errors(errors: Iterable[Any], given: Iterable[str] = ()) -> list[str]:
    """Return a sentence for each error of Ansible's validation, without the value that Ansible repeats, and with the form to write.

    `given` are the names of the options that are set.
    Errors about names are left out, because `problems_of_names` reports them in more detail.
    """
    messages = [error.msg for error in errors if type(error).__name__ not in ("UnsupportedError", "RequiredError")]
    return [*dict.fromkeys(_explain_error(message, [*given]) for message in messages)]


def batch_of(
    form: ListForm[_Desired], declared: Sequence[Declaration[_Desired]], found: Sequence[Targets]
) -> Batch[_Desired]:
    """Return the declarations for each namespace, without claims. These come last in `declared`.

    If entries contradict each other only because a user gave a project a name that both select, nothing is done in that project:
    names that users choose must not stop the work in other namespaces.

    :raises OptionError: if entries contradict each other, with both entries and the namespace.
    """
    places: dict[str, list[Declaration[_Desired]]] = {}
    opened: set[tuple[str, int]] = set()
    confirmed: set[str] = set()
    for one, meant in zip(declared, found, strict=True):
        for namespace in meant.namespaces:
            places.setdefault(namespace, []).append(one)
        opened.update((namespace, id(one)) for namespace in meant.open_to_users)
        confirmed.update(() if one.is_claim else {*meant.namespaces} - {*meant.open_to_users})
    problems, refused = dict[Any, str](), dict[str, str]()
    for namespace, first, second, what in _contradictions(form, places):
        if first.is_claim:
            continue
        sentence = f"{first.entry} and {second.entry} contradict each other in namespace {namespace}: {what}"
        if opened & {(namespace, id(first)), (namespace, id(second))}:
            refused.setdefault(namespace, f"{sentence}. {_BY_NAME}")
        else:
            problems.setdefault((first.entry, second.entry, what), sentence)
    if problems:
        raise OptionError(f"{summarize([*problems.values()], _SHOWN, '; ')}. Nothing was changed")
    ours = {namespace: [one for one in entries if not one.is_claim] for namespace, entries in places.items()}
    return Batch(form.kind, {name: entries for name, entries in ours.items() if entries}, refused, frozenset(confirmed))


def selected_namespaces(declared: Sequence[Declaration[_Desired]], found: Sequence[Targets]) -> list[dict[str, Any]]:
    """Return the namespaces that the selectors of entries select, for a later task that must work in the same ones."""
    titles: dict[tuple[str, ...], list[str]] = {}
    for one, meant in zip(declared, found, strict=True):
        if one.entry is not None and isinstance(one.targets, NamespaceSelector):
            titles.setdefault(tuple(meant.namespaces), []).append(one.entry.place)
    return [{"titles": names, "namespaces": [*namespaces]} for namespaces, names in titles.items()]


def _read_declaration(
    form: ListForm[_Desired], options: Mapping[str, Any], read_file: Callable[[str], str], entry: Entry | None
) -> Declaration[_Desired]:
    meant = targets_of(options)
    return Declaration(form.declare(options, read_file), entry, targets=meant)


def _contradictions(
    form: ListForm[_Desired], places: Mapping[str, Sequence[Declaration[_Desired]]]
) -> Iterator[tuple[str, Declaration[_Desired], Declaration[_Desired], str]]:
    """Each namespace with two entries and their contradiction. Namespaces with the same entries are checked once."""
    known: dict[tuple[int, ...], list[Contradiction]] = {}
    for namespace, entries in places.items():
        key = tuple(id(one) for one in entries)
        if len(entries) > 1 and key not in known:
            known[key] = [*form.contradictions([one.desired for one in entries])]
        for found in known.get(key, ()):
            yield namespace, entries[found.first], entries[found.second], found.what


def _explain_group(names: Sequence[str], given: Sequence[str], *, only: bool) -> str:
    every, both = join_and([*map(repr, names)]), join_and([repr(name) for name in names if name in given])
    if only:
        return f"give only one of options {every}{f' ({both} are set)' if both else ''}"
    return f"options {every} are {'both' if len(names) == 2 else 'all'} missing or empty: give one of them, such as '{names[0]}: VALUE'"


def _join_problems(problems: Sequence[str]) -> str:
    return f"nothing was read or changed: {summarize(problems, _SHOWN, '; ')}"


#: Messages of Ansible (module_utils/common/parameters.py and validation.py), with their variable parts.
_CHOICE = re.compile(r"value of (\w+) must be one (?:or more )?of: (.+?)(?:, got: *|\. Got no match for: *)([\w-]*)")
_TYPE = re.compile(r"(argument|Elements value for option) '(\w+)'.*? is of type \W*(?:class ')?(\w+).* to convert to (\w+)", re.DOTALL)  # fmt: skip
_GROUPS = re.compile(r"(parameters are mutually exclusive|one of the following is required): ([\w|, ]+?)(?: found in .*)?\Z")  # fmt: skip
_KINDS = {"str": "a text", "int": "a number", "float": "a number", "list": "a list", "dict": "a dictionary"}


def _explain_error(message: str, given: Sequence[str]) -> str:
    if found := _CHOICE.match(message):
        choices = found[2].split(", ")
        if found[3] in choices:
            return f"option {found[1]!r} has a space before {found[3]!r}: write it as a list, such as [{choices[0]}, {found[3]}]"
        meant = find_similar(found[3], choices) if found[3] else ""
        advice = f": did you mean {meant!r} instead of {found[3]!r}? It takes" if meant else ": it takes"
        return f"option {found[1]!r} has an unknown value{advice} {found[2]}"
    if found := _TYPE.match(message):
        item = "" if found[1] == "argument" else "an item of "
        advice = f"give {_FORMS[found[4]]}" if found[4] in _FORMS else f"it cannot be converted to {found[4]}"
        return f"{item}option {found[2]!r} is {_KINDS.get(found[3], found[3])}: {advice}"
    if found := _GROUPS.match(message):
        groups = found[2].split(", ") if "|" in found[2] else [found[2]]
        return "; ".join(_explain_group(re.findall(r"\w+", group), given, only="|" in found[2]) for group in groups)
    return re.sub(r"^Value .* in the sub parameter field", "a value in", message, flags=re.DOTALL)
