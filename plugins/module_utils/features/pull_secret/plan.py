# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `pull_secret`, and plan one named secret with registry credentials in a namespace. Contradictions are refused. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from dataclasses import replace as with_parts
from functools import cached_property
from typing import Any, ClassVar

from ...core.changes import (
    MANAGED_BY,
    NOTHING_RELATED,
    Change,
    Desired,
    ListedBy,
    Plan,
    Related,
    copy_ref,
    create,
    delete,
    is_copy,
    read_copy,
    recreate,
    replace,
    update,
)
from ...core.errors import OptionError, Refusal
from ...core.names import check_name
from ...core.objects import SECRET, Json, Kind, ObjectRef, Objects
from ...core.ownership import OWNERSHIP_LABELS, Ownership, is_managed
from ...core.text import summarize
from ...declarations.batch import object_after
from ...declarations.declare import Contradiction
from ...dockerconfig.auth_file import FILE_ARGUMENTS, NOTHING, SOURCES, AuthFile, auth_file_from_options, parse_stored
from ...dockerconfig.credential_entry import kubelet_reading
from ...dockerconfig.editing import convert_form, merge_entries, remove_entries
from ...dockerconfig.json_text import InvalidContent
from ...dockerconfig.registry_keys import check_key, key_warnings, same_path, without_user
from ...images.image_questions import WRITE_ARGUMENTS, Verification
from ...platform.hosted import ADDITIONAL_SECRET, find_merge_problem, objection
from ...platform.protected import (
    check_size,
    is_platform_object,
    refuse_dropping,
    refuse_foreign,
    refuse_platform_name,
    refuse_unknown_loss,
)
from ...secrets.content import (
    DATA_KEYS,
    DOCKERCONFIGJSON,
    SecretMetadata,
    StoredSecret,
    Target,
    encode_content,
    no_changes,
    registry_changes,
    view_secret,
    view_stored_secret,
)

_REGISTRY = {
    "registry": {"type": "str", "required": True},
    "username": {"type": "str"},
    "password": {"type": "raw", "no_log": True},
    "email": {"type": "str"},
}

#: The changes to an existing secret, the default first.
MODES = ("replace", "merge", "remove")
#: The options of one declaration in addition to its namespaces, as an argument spec.
ARGUMENTS: dict[str, Any] = {
    "name": {"type": "str"},
    "owner": {"type": "str"},
    "adopt": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "mode": {"type": "str", "choices": list(MODES), "default": MODES[0]},
    "update_existing": {"type": "bool", "default": True},
    "only_managed": {"type": "bool", "default": False},
    "delete_empty": {"type": "bool", "default": False},
    "recreate": {"type": "bool", "default": False},
    "postpone_removals": {"type": "bool", "default": False},
    "type": {"type": "str", "choices": list(DATA_KEYS), "default": DOCKERCONFIGJSON},
    "registries": {"type": "list", "elements": "dict", "options": _REGISTRY},
    **FILE_ARGUMENTS,
    "labels": {"type": "dict"},
    "annotations": {"type": "dict"},
    "immutable": {"type": "bool"},
    "drop_platform_registries": {"type": "list", "elements": "str"},
    **WRITE_ARGUMENTS,
}


def from_options(options: Mapping[str, Any], read_file: Callable[[str], str]) -> PullSecret:
    """Return the secret that the module's options declare. `read_file` returns the text of the file at a path.

    :raises OptionError: for options that cannot work, before anything is read from the cluster.
    """
    name, mode = _name(options), options.get("mode") or MODES[0]
    ownership = _ownership(options)
    target = Target(options["type"], DATA_KEYS[options["type"]])
    _check_combination(options, mode)
    if options["state"] == "absent":
        only_managed, allowed = bool(options.get("only_managed")), _droppable_registries(options)
        usual: dict[str, Any] = {"ownership": ownership, "drop_platform_registries": allowed}
        return PullSecret(
            name, target, "absent", only_managed=only_managed, recreate=bool(options.get("recreate")), **usual
        )
    settings: dict[str, Any] = {
        "secret_metadata": SecretMetadata.of(options),
        "ownership": ownership,
        "recreate": bool(options.get("recreate")),
        "postpones": bool(options.get("postpone_removals")),
        "update_existing": options.get("update_existing") is not False,
        "drop_platform_registries": _droppable_registries(options),
    }
    if mode == "remove":
        names, delete_empty = _registries(options, read_file), bool(options.get("delete_empty"))
        return PullSecret(name, target, mode, registries=names, delete_empty=delete_empty, **settings)
    auth_file = auth_file_from_options(options, read_file)
    check_size(f"secret {name}", target.encode(auth_file))
    return PullSecret(name, target, mode, auth_file, verification=Verification.of(options), **settings)


def identity_from_options(options: Mapping[str, Any], _read_file: Callable[[str], str] | None = None) -> PullSecret:
    """Return the secret that the options declare, or declare absent, without its content, for callers that need only its identity.

    :raises OptionError: for an invalid name or owner.
    """
    mode = "absent" if options["state"] == "absent" else options.get("mode") or MODES[0]
    return PullSecret(_name(options), Target(options["type"], ""), mode, ownership=Ownership.of(options))


def _droppable_registries(options: Mapping[str, Any]) -> tuple[str, ...] | None:
    given = options.get("drop_platform_registries")
    return None if given is None else tuple(given)


def _name(options: Mapping[str, Any]) -> str:
    name = options.get("name")
    if name is None:
        raise OptionError("option 'name' is missing: name the secret")
    check_name("name", name)
    refuse_platform_name(name)
    return str(name)


def _ownership(options: Mapping[str, Any]) -> Ownership:
    ownership = Ownership.of(options)
    twice = [name for name in OWNERSHIP_LABELS if name in (options.get("labels") or {})]
    if ownership.owner and twice:
        raise OptionError(f"option 'owner' sets the label {twice[0]}: leave it out of 'labels'")
    return ownership


def _check_combination(options: Mapping[str, Any], mode: str) -> None:
    """:raises OptionError: for options that are missing, or contradict each other."""
    absent, keeps = options["state"] == "absent", options.get("update_existing") is False
    if absent and mode == "remove":
        raise OptionError(
            "'state: absent' deletes the whole secret. To remove single registries, use 'state: present' with 'mode: remove'"
        )
    if options.get("only_managed") and not absent:
        raise OptionError("option 'only_managed' only works with 'state: absent': leave it out")
    if options.get("delete_empty") and mode != "remove":
        raise OptionError("option 'delete_empty' only works with 'mode: remove': leave it out")
    if mode == "remove":
        _check_remove(options, keeps=keeps)
    if not absent and all(options.get(source) is None for source in SOURCES):
        raise OptionError(
            "'registries', 'auth_file' and 'auth_config' are all missing or empty (null): give one of them, such as "
            "'registries: [{registry: quay.io, username: robot, password: TOKEN}]'"
        )
    if keeps and options.get("recreate"):
        raise OptionError("options 'recreate' and 'update_existing: false' contradict each other: leave out one")
    if options.get("include") is not None and (options.get("registries") is not None or not options["include"]):
        raise OptionError(
            "option 'include' selects entries of 'auth_file' or 'auth_config': name at least one, or leave it out"
        )


def _check_remove(options: Mapping[str, Any], *, keeps: bool) -> None:
    if keeps:
        raise OptionError("'mode: remove' changes a secret that exists: leave out 'update_existing'")
    if not (options.get("registries") or options.get("auth_file") or options.get("auth_config")):
        raise OptionError(
            "'mode: remove' needs the registries to remove: name them in 'registries', without user or password"
        )


def _registries(options: Mapping[str, Any], read_file: Callable[[str], str]) -> tuple[str, ...]:
    """Return the registries to remove: the given names, or all that a merge of the file or data would add."""
    if options.get("registries") is None:
        return tuple(auth_file_from_options(options, read_file).registries)
    names = tuple(item["registry"] for item in options["registries"])
    for name in names:
        check_key("option 'registries'", name)
    return names


_SHOWN = 5
#: The report of `delete_empty` for a namespace without the secret, so that links to it can be removed there.
_GONE = {"exists": False}
_HOW_TO_RECREATE = (
    "set 'recreate: true' to delete and recreate it (it is restored if that fails), or choose another name"
)


@dataclass(frozen=True, repr=False)
class PullSecret(Desired):
    """One declared secret. `mode` is one of `MODES`, or `absent` for the whole secret. `registries` are the registries to remove.

    With `only_managed`, `absent` keeps a secret without the label of this collection. With `delete_empty`, `remove` deletes a secret with
    the label that has become empty. It also deletes an empty additional secret of a hosted cluster, whoever created it, because the
    platform keeps the logins of one without entries. `ownership` is the owner. `verification` is the check of the logins before a write.
    `postpones`: with `replace`, a secret that would lose a registry stays as it is, because accounts may not have the other one yet.
    `drop_platform_registries`: entries of the platform that may be removed from the nodes' pull secret, None for other secrets.
    """

    name: str
    target: Target
    mode: str
    auth_file: AuthFile = NOTHING
    registries: tuple[str, ...] = ()
    secret_metadata: SecretMetadata = field(default_factory=SecretMetadata)
    update_existing: bool = True
    recreate: bool = False
    postpones: bool = False
    only_managed: bool = False
    delete_empty: bool = False
    ownership: Ownership = field(default_factory=Ownership)
    verification: Verification | None = None
    drop_platform_registries: tuple[str, ...] | None = None

    kind: ClassVar[Kind] = SECRET

    @property
    def listed_by(self) -> ListedBy:
        return {SECRET: (f"type={self.target.type}",)}

    def names(self, _namespace: str) -> tuple[str, ...]:
        return (self.name,)

    @property
    def warnings(self) -> list[str]:
        """Warnings about keys that clients interpret differently."""
        return key_warnings(self.auth_file.registries)

    def related(self, namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return (copy_ref(ObjectRef(SECRET, namespace, self.name)),) if self.recreate else ()

    def plan(self, namespace: str, objects: Objects, found: Related = NOTHING_RELATED) -> Plan:
        """Return the changes to the secret. If a replacement was killed after it had deleted the secret, it is restored from its copy.

        :raises Refusal: when this module may not change the existing secret, or not in this way.
        """
        ref, observed = ObjectRef(SECRET, namespace, self.name), objects.get(self.name)
        copy = found.get(copy_ref(ref)) if self.recreate else None
        if copy is None or not is_copy(copy):
            return self._plan(ref, observed)
        is_lost = observed is None and self.mode != "absent"
        plan = self._plan_lost(ref, read_copy(ref, copy)) if is_lost else self._plan(ref, observed)
        return with_parts(plan, changes=(*plan.changes, delete(copy_ref(ref), copy, {}, {})))

    def _plan_lost(self, ref: ObjectRef, kept: Json) -> Plan:
        """Return the plan for the deleted secret, as a create."""
        plan = self._plan(ref, kept)
        change = next(iter(plan.changes), update(ref, kept, {}, {"registries": no_changes()}, before={}, after={}))
        after = object_after(change, kept)
        note = f"{ref} was missing, because a run was killed while it replaced it. It is restored from {copy_ref(ref)}"
        changes = () if after is None else (recreate(change, after),)
        return with_parts(plan, changes=changes, notes=(*plan.notes, note))

    def _plan(self, ref: ObjectRef, observed: Json | None) -> Plan:
        if observed is None:
            return self._plan_new(ref)
        if self.only_managed and not is_managed(observed):
            (label,) = (f"{name}={value}" for name, value in MANAGED_BY.items())
            note = (
                f"{ref} does not carry the label of this collection, so it was kept ('only_managed: true'). To remove it as well, run first: "
                f"kubectl label secret {self.name} -n {ref.namespace} --overwrite {label}"
            )
            return Plan(notes=(note,), extra={"kept": True})
        if self.only_managed and (other := self.ownership.other(observed)):
            note = f"{ref} belongs to owner {other}, so it was kept ('only_managed: true')"
            return Plan(notes=(note,), extra={"kept": True})
        self.ownership.refuse_other(ref, observed, adoptable=self._creates)
        refuse_foreign(ref, observed, convertible=self.recreate and self.mode in ("replace", "merge"))
        held = StoredSecret.of(observed, self.target.key)
        if self.mode == "absent":
            return self._plan_delete(ref, observed, held)
        return self._plan_existing(ref, observed, held) if self.update_existing else Plan()

    objection = staticmethod(objection)

    @property
    def _creates(self) -> bool:
        """Whether the secret is declared to exist. Only then it can be adopted."""
        return self.mode in ("replace", "merge")

    def _plan_new(self, ref: ObjectRef) -> Plan:
        if self.mode in ("absent", "remove"):
            return Plan(extra=_GONE if self.delete_empty else {})
        action = "recreate" if self.mode == "merge" else "create"
        refuse_dropping(ref, self.target.type, (), action, self.drop_platform_registries)
        details = {"registries": {**no_changes(), "added": self.auth_file.registries}}
        meta = self.secret_metadata.with_labels(self.ownership.labels).body()
        body = {**meta, "type": self.target.type, "data": {self.target.key: self._value}}
        return Plan((create(ref, body, details, view_secret(self.target.type, self.auth_file.registries)),))

    @cached_property
    def _value(self) -> str:
        """The value of the data key of a secret with exactly the given registries."""
        return self.target.encode(self.auth_file)

    def _is_as_written(self, held: StoredSecret) -> bool:
        """Whether the secret is byte for byte as this module writes it, so that it need not be parsed."""
        is_given = self._creates and bool(self.auth_file.entries)
        return is_given and (held.type, held.key, held.value) == (self.target.type, self.target.key, self._value)

    def _plan_existing(self, ref: ObjectRef, observed: Json, held: StoredSecret) -> Plan:
        missing = self._wanted_metadata(ref, observed).missing(observed)
        if self._is_as_written(held) and not missing:
            return Plan()
        target = self._target(ref, held)
        text, after = self._content(ref, held, target)
        if self._is_left_empty(ref, observed, after) and not held.others:
            return self._plan_delete(ref, observed, held, _GONE)
        difference = _Difference(held, target, text, after, missing, self._why_replaced(ref, held))
        if self.postpones and self.mode == "replace" and difference.dropped:
            return Plan(extra={"postponed": True})
        notes = tuple(difference.notes(ref))
        return Plan(() if difference.is_none else (self._change(ref, observed, difference),), notes=notes)

    def _target(self, ref: ObjectRef, held: StoredSecret) -> Target:
        """Return the type to write. It is kept if entries are removed, if they are added to a secret that nodes read and that may not be
        recreated, or if the platform reads the secret whatever its type is."""
        adds = self.mode == "merge" and not self.recreate and held.type in DATA_KEYS
        keeps = adds or self.mode == "remove" or held.type == self.target.type or ref == ADDITIONAL_SECRET
        return Target(held.type, held.key) if keeps and held.key else self.target

    def _is_left_empty(self, ref: ObjectRef, observed: Json, after: AuthFile) -> bool:
        return self.delete_empty and not after.entries and (is_managed(observed) or ref == ADDITIONAL_SECRET)

    def _wanted_metadata(self, ref: ObjectRef, observed: Json) -> SecretMetadata:
        """Return the declared metadata, with the labels of the owner who adopts the secret."""
        adoptable = self._creates and not is_platform_object(ref, observed)
        return self.secret_metadata.with_labels(self.ownership.missing(observed) if adoptable else {})

    def _content(self, ref: ObjectRef, held: StoredSecret, target: Target) -> tuple[str, AuthFile]:
        """Return the content that the data key must have, as text and as entries.

        :raises Refusal: when the old content cannot be edited.
        """
        try:
            text = self._text(ref, held, target)
            return text, parse_stored(text, legacy=target.legacy)
        except InvalidContent as error:
            raise Refusal(
                f"{ref} was not changed: its content {error}, so registries can neither be added nor removed: "
                "use 'mode: replace' with all registries that the secret must have, or delete it with 'state: absent'"
            ) from None

    def _text(self, ref: ObjectRef, held: StoredSecret, target: Target) -> str:
        """:raises InvalidContent: when the content cannot be edited."""
        if self.mode == "replace":
            refuse_unknown_loss(ref, held.unreadable, guarded=self.drop_platform_registries is not None)
            return self.auth_file.text(legacy=target.legacy)
        kept = held.auth_file  # read first, because unreadable content is never edited
        if self.mode == "merge" and held.type == target.type and kept.holds(self.auth_file):
            return held.text
        text = convert_form(held.text, legacy=target.legacy) if held.legacy != target.legacy else held.text
        if self.mode == "remove":
            return remove_entries(text, self.registries, legacy=target.legacy)
        return merge_entries(text, self.auth_file, legacy=target.legacy)

    def _why_replaced(self, ref: ObjectRef, held: StoredSecret) -> str:
        """Return why the old content must be replaced even if its registries are the declared ones, or an empty text if it need not."""
        if self.mode != "replace":
            return ""
        if ref == ADDITIONAL_SECRET and (found := find_merge_problem(held)):
            return f"is not merged by the platform, because {found.why}"
        problems = held.for_kubelet.problems if held.type in DATA_KEYS else ()
        return held.unreadable or (f"stops every pull: {problems[0]}" if problems else "")

    def _plan_delete(self, ref: ObjectRef, observed: Json, held: StoredSecret, extra: Json | None = None) -> Plan:
        refuse_dropping(ref, held.type, (), "delete", self.drop_platform_registries)
        unknown = {"previous_content": held.unreadable} if held.unreadable else {}
        details = {"registries": {**no_changes(), "removed": held.known.registries}, **unknown}
        notes = (_loss_sentence(ref, held),) if held.unreadable else ()
        return Plan((delete(ref, observed, details, view_stored_secret(held)),), notes=notes, extra=extra or {})

    def _change(self, ref: ObjectRef, observed: Json, difference: _Difference) -> Change:
        views = {"before": difference.view_before(), "after": difference.view_after()}
        why = difference.cannot_update(ref, observed)
        action, allowed = "replace" if why else "update", self.drop_platform_registries
        refuse_dropping(ref, difference.target.type, difference.dropped, action, allowed)
        if not why:
            return update(ref, observed, difference.patch(ref), difference.details, **views)
        if not self.recreate:
            raise Refusal(f"{why}: {_HOW_TO_RECREATE}")
        body = {**self.secret_metadata.with_labels(self.ownership.labels).body(), **difference.body(ref)}
        if self.secret_metadata.immutable is None and observed.get("immutable"):
            body["immutable"] = True
        return replace(ref, observed, body, difference.details, **views)


@dataclass(frozen=True, repr=False)
class _Difference:
    """The difference between a secret as it is and as it must be.

    `text` is the content that its data key must have, and `after` are the entries in it. `missing` is the metadata that it lacks of
    `SecretMetadata`. `broken` is why the old content must be replaced even if its registries are the declared ones, empty if it need not.
    """

    held: StoredSecret
    target: Target
    text: str
    after: AuthFile
    missing: Mapping[str, Any]
    broken: str

    @cached_property
    def changes(self) -> dict[str, Any]:
        """The changes to the registries: keys in `added` and `removed`, and in `changed` the changed fields by key."""
        return registry_changes(self.held.known, self.after)

    @property
    def is_none(self) -> bool:
        """Whether nothing differs."""
        return not (self._converts or self._content_differs or self.missing)

    @property
    def dropped(self) -> list[str]:
        """The removed registries that do not remain in another spelling."""
        kept = {same_path(key) for key in self.after.entries}
        return [key for key in self.changes["removed"] if same_path(key) not in kept]

    @property
    def details(self) -> dict[str, Any]:
        types = {"type": {"before": self.held.type, "after": self.target.type}} if self._converts else {}
        broken = {"previous_content": self.broken} if self.broken else {}
        parts = {part: value if part == "immutable" else sorted(value) for part, value in self.missing.items()}
        return {"registries": self.changes, **broken, **types, **parts}

    def view_before(self) -> dict[str, Any]:
        return {**view_stored_secret(self.held), **self._metadata_view("not as requested", flag=False)}

    def view_after(self) -> dict[str, Any]:
        shown = view_secret(self.target.type, self.held.known.registries, self.changes)
        return {**shown, **self._metadata_view("as requested", flag=True)}

    def cannot_update(self, ref: ObjectRef, observed: Json) -> str:
        """Return why the API server would reject an update, or an empty text if it would not."""
        if self._converts:
            return f"{ref} exists with type {self.held.type}, and the type of a secret cannot be changed to {self.target.type}"
        if observed.get("immutable") and (self._content_differs or "immutable" in self.missing):
            return f"{ref} is immutable"
        return ""

    def notes(self, ref: ObjectRef) -> Iterable[str]:
        """Yield warnings about the content before and after the change."""
        if self.held.unreadable:
            yield _loss_sentence(ref, self.held)
        if self.changes["removed"] and not self.after.entries:
            yield f"{ref} no longer contains a registry: delete it with 'state: absent'"
        read = self.target.type in DATA_KEYS and ref != ADDITIONAL_SECRET  # see `objection`
        problems = kubelet_reading(self.text, legacy=self.target.legacy).problems if read else ()
        if problems:
            yield (
                f"{ref} stops every pull of a pod that uses it, because {summarize(problems, _SHOWN, '; ')}. Remove such entries with "
                "'mode: remove', or replace the whole content with 'mode: replace'"
            )
        for key, entry in sorted(self.after.entries.items()):
            if not (entry.username or problems or self.is_none):
                yield f"{ref} has an entry for {without_user(key)} that no node can use: give it a login, or remove it with 'mode: remove'"

    def patch(self, ref: ObjectRef) -> dict[str, Any]:
        """Return the patch: the part of the object that changes. Other data stays."""
        meta = {part: dict(self.missing[part]) for part in ("labels", "annotations") if part in self.missing}
        flag = {"immutable": self.missing["immutable"]} if "immutable" in self.missing else {}
        data = {"data": {self.target.key: self._value(ref)}} if self._content_differs else {}
        return {"metadata": meta, **data, **flag}

    def body(self, ref: ObjectRef) -> dict[str, Any]:
        """Return type and data of the object that replaces the secret."""
        return {"type": self.target.type, "data": {**self.held.others, self.target.key: self._value(ref)}}

    @property
    def _converts(self) -> bool:
        return self.held.type != self.target.type

    @property
    def _content_differs(self) -> bool:
        return bool(self.broken) or any(self.changes.values())

    def _metadata_view(self, words: str, *, flag: bool) -> dict[str, Any]:
        return {
            part: (value is flag) if part == "immutable" else dict.fromkeys(sorted(value), words)
            for part, value in self.missing.items()
        }

    def _value(self, ref: ObjectRef) -> str:
        """Return the value of the data key.

        :raises OptionError: when it is larger than a secret may be.
        """
        value = encode_content(self.text) if self._converts or self._content_differs else self.held.value
        check_size(str(ref), value, *self.held.others.values())
        return value


def _loss_sentence(ref: ObjectRef, held: StoredSecret) -> str:
    return f"the old content of {ref} {held.unreadable}, so it is not known which registries it contained"


def contradictions(declared: Sequence[PullSecret]) -> Iterator[Contradiction]:
    """Yield pairs of declarations of one secret that would undo each other in every run, or whose result would depend on their order.

    A declaration that merges registries and one that removes other registries do not contradict each other.
    """
    first: dict[str, int] = {}
    for position, secret in enumerate(declared):
        if secret.name in first and not _is_disjoint(declared[first[secret.name]], secret):
            what = f"both declare secret {secret.name}, so declare it once, with all its registries"
            yield Contradiction(first[secret.name], position, what)
        first.setdefault(secret.name, position)


def _is_disjoint(one: PullSecret, other: PullSecret) -> bool:
    """Whether one merges registries, and the other removes none of these."""
    ways = {each.mode: each for each in (one, other)}
    if set(ways) != {"merge", "remove"}:
        return False
    merged = {same_path(key) for key in ways["merge"].auth_file.entries}
    return not merged & {same_path(key) for key in ways["remove"].registries}
