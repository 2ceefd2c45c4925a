# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The O(pull_secret) module's wish: one named secret with registry credentials in a namespace. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .auth_file import NOTHING, AuthFile, from_registries, parse, parse_text
from .auth_text import NotAnAuthFile, converted, merged, without
from .errors import OptionError, Refusal
from .key_warnings import key_warnings
from .model import (
    NOTHING_FOUND,
    SECRET,
    Change,
    Found,
    Json,
    Objects,
    Plan,
    Ref,
    Selection,
    create,
    delete,
    replace,
    update,
)
from .names import check_name
from .registry_keys import check_key
from .secret_content import (
    DATA_KEYS,
    DOCKERCONFIGJSON,
    PODMANCONFIGJSON,
    TYPES,
    Held,
    Target,
    encoded,
    no_changes,
    registry_changes,
    view,
)
from .secret_guard import check_size, refuse_dropping, refuse_foreign, refuse_platform_name
from .secret_marks import Marks

__all__ = ["MODES", "TYPES", "PullSecret", "Target", "from_options"]

#: What is done to a secret that exists, the default first.
MODES = ("replace", "merge", "remove")

_PODMAN_WARNING = (
    f"type {PODMANCONFIGJSON} is stored as asked, but the kubelet, CRI-O, image import and builds do not read it, so no pod "
    f"can pull with this secret; Podman's auth.json works when it is stored as {DOCKERCONFIGJSON}, the default type"
)


@dataclass(frozen=True, repr=False)
class PullSecret:
    """C(mode) is one of L(MODES), or C(absent) for the whole secret. C(registries) are those to be removed."""

    name: str
    target: Target
    mode: str
    auth_file: AuthFile = NOTHING
    registries: tuple[str, ...] = ()
    marks: Marks = field(default_factory=Marks)
    update_existing: bool = True
    recreate: bool = False

    prerequisite = None

    @property
    def selection(self) -> Selection:
        return Selection(SECRET, (self.name,))

    @property
    def warnings(self) -> list[str]:
        dead = self.auth_file.entries and self.target.type == PODMANCONFIGJSON
        return [*([_PODMAN_WARNING] if dead else []), *key_warnings(self.auth_file.registries)]

    def lookups(self, _namespace: str, _objects: Objects) -> Sequence[Ref]:
        return ()

    def plan(self, namespace: str, objects: Objects, found: Found = NOTHING_FOUND) -> Plan:
        """:raises Refusal: when the secret of that name is not one that this module may change, or not in that way."""
        ref, observed = Ref(SECRET, namespace, self.name), objects.get(self.name)
        if observed is None:
            return self._plan_new(ref)
        refuse_foreign(ref, observed, convertible=self.recreate and self.mode in ("replace", "merge"))
        if self.mode == "absent":
            return _plan_absent(ref, observed)
        return self._plan_existing(ref, observed) if self.update_existing else Plan()

    def _plan_new(self, ref: Ref) -> Plan:
        if self.mode in ("absent", "remove"):
            return Plan()
        refuse_dropping(ref, self.target.type, (), "create")
        value = self.target.encode(self.auth_file)
        details = {"registries": registry_changes(NOTHING, value, legacy=self.target.legacy)}
        body = {**self.marks.body(), "type": self.target.type, "data": {self.target.key: value}}
        return Plan((create(ref, body, details, view(self.target.type, self.auth_file)),))

    def _plan_existing(self, ref: Ref, observed: Json) -> Plan:
        held = Held.of(observed)
        target = Target(held.type, held.key) if self.mode == "remove" or held.type == self.target.type else self.target
        target = target if target.key else self.target
        value = self._value(ref, held, target)
        changes = registry_changes(held.auth_file, value, legacy=target.legacy)
        missing = self.marks.missing(observed)
        keeps = held.type == target.type and not any(changes.values())
        difference = _Difference(held, target, held.value if keeps else value, changes, missing)
        if difference.is_none:
            return Plan()
        return Plan((self._change(ref, observed, difference),), notes=tuple(difference.notes(ref, self.auth_file)))

    def _value(self, ref: Ref, held: Held, target: Target) -> str:
        """What the data key shall hold."""
        if self.mode == "replace":
            return target.encode(self.auth_file)
        if self.mode == "merge" and held.type == target.type and held.auth_file.holds(self.auth_file):
            return held.value
        text = held.text.strip() or "{}"
        try:
            text = converted(text, legacy=target.legacy) if held.legacy != target.legacy else text
            if self.mode == "remove":
                return encoded(without(text, self.registries, legacy=target.legacy))
            return encoded(merged(text, self.auth_file, legacy=target.legacy))
        except NotAnAuthFile as error:
            if self.mode == "remove":
                return held.value
            raise Refusal(
                f"{ref} holds no auth file that could be added to: {error}; use mode=replace to put the given registries in its place"
            ) from None

    def _change(self, ref: Ref, observed: Json, difference: _Difference) -> Change:
        views = {"before": difference.before(), "after": difference.after()}
        why = difference.cannot_update(ref, observed)
        refuse_dropping(ref, difference.target.type, difference.changes["removed"], "replace" if why else "update")
        if not why:
            return update(ref, observed, difference.patch(ref), difference.details, **views)
        if not self.recreate:
            raise Refusal(
                f"{why}; with recreate=true it is deleted and created anew, or put back if that fails; or choose another name"
            )
        body = {**self.marks.body(), **difference.body(ref)}
        if self.marks.immutable is None and observed.get("immutable"):
            body["immutable"] = True
        return replace(ref, observed, body, difference.details, **views)


@dataclass(frozen=True, repr=False)
class _Difference:
    """Between a secret and what it shall be. C(value) is that of its data key, C(missing) what L(Marks) wants besides."""

    held: Held
    target: Target
    value: str
    changes: Mapping[str, Any]
    missing: Mapping[str, Any]

    @property
    def is_none(self) -> bool:
        return not any(self.changes.values()) and self.held.type == self.target.type and not self.missing

    @property
    def details(self) -> dict[str, Any]:
        types = {"before": self.held.type, "after": self.target.type}
        marks = {part: value if part == "immutable" else sorted(value) for part, value in self.missing.items()}
        return {"registries": self.changes, **({} if self.held.type == self.target.type else {"type": types}), **marks}

    def before(self) -> dict[str, Any]:
        return {**view(self.held.type, self.held.auth_file), **self._marks("not as wanted", flag=False)}

    def after(self) -> dict[str, Any]:
        return {**view(self.target.type, self.held.auth_file, self.changes), **self._marks("as wanted", flag=True)}

    def _marks(self, words: str, *, flag: bool) -> dict[str, Any]:
        return {
            part: (value is flag) if part == "immutable" else dict.fromkeys(sorted(value), words)
            for part, value in self.missing.items()
        }

    def cannot_update(self, ref: Ref, observed: Json) -> str:
        """Why the API server would refuse an update; empty when it would not."""
        if self.held.type != self.target.type:
            return f"{ref} exists with type {self.held.type}, and the type of a secret cannot be changed to {self.target.type}"
        if observed.get("immutable") and (any(self.changes.values()) or "immutable" in self.missing):
            return f"{ref} is immutable"
        return ""

    def notes(self, ref: Ref, ours: AuthFile) -> Iterable[str]:
        """What the user should know of the content that stays."""
        if self.changes["removed"] and not self.after()["registries"]:
            yield f"{ref} holds no registry any more; state=absent takes it away"
        for key, entry in sorted(self.held.auth_file.entries.items()):
            if not entry.username and key not in ours.entries and key not in self.changes["removed"]:
                yield f"{ref} had an entry for {key} before that no node can use; give it anew, or take it out with mode=remove"

    def patch(self, ref: Ref) -> dict[str, Any]:
        """The part of the object that changes; other data stays."""
        meta = {part: dict(self.missing[part]) for part in ("labels", "annotations") if part in self.missing}
        flag = {"immutable": self.missing["immutable"]} if "immutable" in self.missing else {}
        data = {"data": self.body(ref, others=False)["data"]} if any(self.changes.values()) else {}
        return {**({"metadata": meta} if meta else {}), **data, **flag}

    def body(self, ref: Ref, *, others: bool = True) -> dict[str, Any]:
        """:raises OptionError: when it is more than a secret holds."""
        check_size(str(ref), self.value, *self.held.others.values())
        beside = self.held.others if others else {}
        return {"type": self.target.type, "data": {**beside, self.target.key: self.value}}


def from_options(options: Mapping[str, Any], read_file: Callable[[str], str]) -> PullSecret:
    """The wish that the module's options express.

    :raises OptionError: for anything that cannot work; nothing has been read from the cluster yet.
    """
    name, mode = options["name"], options.get("mode") or MODES[0]
    check_name("name", name)
    refuse_platform_name(name)
    target = Target(options["type"], DATA_KEYS.get(options["type"]) or _base_name(options))
    _check_combination(options, mode)
    if options["state"] == "absent":
        return PullSecret(name, target, "absent")
    settings: dict[str, Any] = {
        "marks": Marks.of(options),
        "recreate": bool(options.get("recreate")),
        "update_existing": options.get("update_existing") is not False,
    }
    if mode == "remove":
        return PullSecret(name, target, mode, registries=_names(options), **settings)
    auth_file = _auth_file(options, read_file)
    check_size(f"secret {name}", target.encode(auth_file))
    return PullSecret(name, target, mode, auth_file, **settings)


def _check_combination(options: Mapping[str, Any], mode: str) -> None:
    """:raises OptionError: for options that contradict each other."""
    absent, keeps = options["state"] == "absent", options.get("update_existing") is False
    if absent and mode == "remove":
        raise OptionError(
            "state=absent deletes the whole secret; to take out single registries use state=present with mode=remove"
        )
    if mode == "remove" and (keeps or not options.get("registries")):
        way_out = "leave out 'update_existing'" if keeps else "name them in 'registries', without user or password"
        raise OptionError(f"mode=remove takes registries out of a secret that exists: {way_out}")
    if keeps and options.get("recreate"):
        raise OptionError("options 'recreate' and 'update_existing=false' contradict each other: leave out one")
    if options.get("only") is not None and (options.get("registries") is not None or not options["only"]):
        raise OptionError(
            "option 'only' chooses entries of 'auth_file' or 'auth_config': name at least one, or leave it out"
        )


def _names(options: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(item["registry"] for item in options["registries"])
    for name in names:
        try:
            check_key(name)
        except OptionError as error:
            raise OptionError(f"option 'registries': {error}") from None
    return names


def _auth_file(options: Mapping[str, Any], read_file: Callable[[str], str]) -> AuthFile:
    if options.get("registries") is not None:
        if not options["registries"]:
            raise OptionError(
                "option 'registries' is empty: give at least one registry, or state=absent to take the secret away"
            )
        return from_registries(options["registries"])
    only = options.get("only")
    if options.get("auth_file") is not None:
        return parse_text(read_file(options["auth_file"]), f"auth file {options['auth_file']}", only)
    config = options["auth_config"]
    read = parse_text if isinstance(config, str) else parse
    return read(config, "option 'auth_config'", only)


def _base_name(options: Mapping[str, Any]) -> str:
    """The key that C(oc create secret generic --from-file=FILE) gives: the file's base name."""
    return (options.get("auth_file") or "auth.json").replace("\\", "/").rpartition("/")[2]


def _plan_absent(ref: Ref, observed: Json) -> Plan:
    held = Held.of(observed)
    refuse_dropping(ref, held.type, (), "delete")
    changes = {**no_changes(), "removed": held.auth_file.registries}
    return Plan((delete(ref, observed, {"registries": changes}, view(held.type, held.auth_file)),))
