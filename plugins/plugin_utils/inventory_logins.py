# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the old login of a rotation in the inventory, and halves of the new one: the next run of the roles would write them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleError

from ..module_utils.core.errors import ImagePullError
from ..module_utils.dockerconfig.auth_file import auth_file_from_options
from ..module_utils.dockerconfig.editing import LoginReplacement, UserPassword
from ..module_utils.dockerconfig.registry_keys import without_user
from .known_variables import follow_variable, variable_of
from .role_entries import DeclarationError, Evaluator, RoleEntry, TemplateError

#: The role whose variables declare logins for the pull secret of the nodes.
NODES = "global_pull_secret"

#: The members of an entry that hold its logins.
_SOURCES = ("registries", "auth_file", "auth_config")
_NOT_EVALUATED = "its login cannot be evaluated here"
_NOT_READ = "its content cannot be read here"
_OTHER_USER = "the password is the new one, the user name is not"
_OTHER_PASSWORD = "the user name is the new one, the password is not"
#: Errors of values that cannot be evaluated: templates and vaulted values.
_UNKNOWN = (AnsibleError, DeclarationError, TemplateError)


@dataclass(frozen=True, repr=False)
class _Rotation:
    """`variables` are those of the host, not evaluated."""

    exchange: LoginReplacement
    variables: Mapping[str, Any]

    @classmethod
    def of(cls, answer: Mapping[str, Any], variables: Mapping[str, Any]) -> _Rotation:
        old, new = (
            UserPassword(str(answer[name]["username"]), str(answer[name].get("password") or ""))
            for name in ("old", "new")
        )
        return cls(LoginReplacement(tuple(map(str, answer["registries"])), old, new), variables)

    def replaces(self, registry: Any, username: Any, password: Any) -> bool:
        """Whether a login is or may be the old one."""
        if None in (registry, username, password) or not self.exchange.is_for(str(registry)):
            return False
        return self.exchange.is_old(str(username), str(password))

    def is_missing(self, registry: Any, username: Any, password: Any) -> bool:
        """Whether the password of the old login may be missing only here, such as in a job without its credential."""
        if password or registry is None or not self.exchange.is_for(str(registry)):
            return False
        return not username or str(username) == self.exchange.old.username

    def problem_of(self, written: Any) -> str | None:
        """Return why it is not known whether an old login is written so, and None if it may be a new one. Empty if it is known.

        Without the old password, any other password of the same user matches. A template may give a new token, unless it is one variable
        with a fixed text.
        """
        if self.exchange.old.password or self.exchange.old.username != self.exchange.new.username:
            return ""
        return None if _has_template(self.written(written)) else _OTHER_PASSWORD

    def wrong_half(self, written: Any, registry: Any, username: Any, password: Any) -> str:
        """Return the half of a login that is not the new one, if the other half is. Empty for other logins, and if both have the same user.

        Another password of the new user counts if it is the old password, or fixed: a template may give a token of another team.
        """
        old, new = self.exchange.old, self.exchange.new
        if None in (registry, username) or old.username == new.username or not self.exchange.is_for(str(registry)):
            return ""
        user, given = str(username), str(password or "")
        if not self.exchange.has_other_password(user, given):
            return ""
        if user == old.username:
            return _OTHER_USER if given == new.password else ""
        is_certain = given == old.password or not _has_template(self.written(written))
        return _OTHER_PASSWORD if is_certain else ""

    def written(self, value: Any) -> Any:
        """Return the value as its variable has it, not evaluated, if the value is a template of one variable."""
        return follow_variable(value, self.variables)


class NodesDeclaration:
    """The variables of the role `global_pull_secret`, as one entry."""

    def __init__(self, variables: Mapping[str, Any], templates: Evaluator) -> None:
        members = {
            name: variables[f"{NODES}_{name}"]
            for name in ("registries", "auth_file", "auth_config", "include")
            if variables.get(f"{NODES}_{name}")
        }
        self.present = [RoleEntry(NODES, members, lambda _name, value: templates.resolve(value))] if members else []


def replaced_logins(
    entries: Iterable[RoleEntry],
    variables: Mapping[str, Any],
    answer: Mapping[str, Any],
    read_file: Callable[[str], str],
) -> list[dict[str, str]]:
    """Return a row for each place with the old login, or with only half of the new one. `variable` is the variable of its password.
    `problem`: which half is wrong, or why a login is unknown.

    `variables` are those of the host, not evaluated. `answer` contains the registries and the two logins of the rotation.
    """
    rotation = _Rotation.of(answer, variables)
    return [row for entry in entries for row in _rows(entry, rotation, read_file)]


def _rows(entry: RoleEntry, rotation: _Rotation, read_file: Callable[[str], str]) -> Iterator[dict[str, str]]:
    try:
        yield from [*_rows_in_registries(entry, rotation), *_rows_in_entry(entry, rotation)]
    except _UNKNOWN:
        yield _row(entry.title, "", problem=_NOT_EVALUATED)
    for member in ("auth_file", "auth_config"):
        try:
            if entry.get(member):
                yield from _rows_in_file(entry, member, rotation, read_file)
        except (*_UNKNOWN, ImagePullError, OSError, ValueError):
            yield _row(_place(entry, member), "", problem=_NOT_READ)
    yield from _rows_without_content(entry)


def _rows_in_registries(entry: RoleEntry, rotation: _Rotation) -> Iterator[dict[str, str]]:
    written, values = rotation.written(entry.members.get("registries")), entry.get("registries") or ()
    # Ansible leaves omitted items of a list out.
    is_complete = isinstance(written, (list, tuple)) and len(written) == len(values)
    for position, one in enumerate(values):
        if isinstance(one, Mapping):
            raw = rotation.written(written[position]) if is_complete else written
            password = raw.get("password") if isinstance(raw, Mapping) else raw
            problem = _problem(rotation, password, *map(one.get, ("registry", "username", "password")))
            if problem is not None:
                place = _place(entry, f"registries[{position}]")
                yield _row(place, one["registry"], variable_of(password) if isinstance(raw, Mapping) else "", problem)


def _rows_in_entry(entry: RoleEntry, rotation: _Rotation) -> Iterator[dict[str, str]]:
    """Yield the row for the login of an entry for a registry that delegates its login."""
    if "password" in entry.members:
        written, login = entry.members["password"], (entry.get("username"), entry.get("password"))
        for host in (entry.get("registry"), entry.get("realm_host")):
            problem = _problem(rotation, written, host, *login)
            if problem is not None:
                yield _row(entry.title, host, variable_of(written), problem)
                return


def _problem(rotation: _Rotation, written: Any, *login: Any) -> str | None:
    """Return None for a login to ignore, and otherwise the problem of its row. `written` is its password in the inventory."""
    if _has_template(written) and rotation.is_missing(*login):
        return _NOT_EVALUATED
    return _problem_of_login(rotation, written, *login)


def _problem_of_login(rotation: _Rotation, written: Any, *login: Any) -> str | None:
    if rotation.replaces(*login):
        return rotation.problem_of(written)
    return rotation.wrong_half(written, *login) or None


def _rows_without_content(entry: RoleEntry) -> Iterator[dict[str, str]]:
    """Yield a row for each source whose template gives nothing here, such as an environment variable that only other jobs have.

    An entry has one source, and the nodes may have none.
    """
    try:
        values = {member: entry.get(member) for member in _SOURCES if member in entry.members}
    except _UNKNOWN:
        return  # It has its row already.
    if any(values.values()):
        return
    for member, value in values.items():
        if _has_template(entry.members[member]) and not (entry.title == NODES and value == []):
            yield _row(_place(entry, member), "", problem=_NOT_READ)


def _rows_in_file(
    entry: RoleEntry, member: str, rotation: _Rotation, read_file: Callable[[str], str]
) -> Iterator[dict[str, str]]:
    found = auth_file_from_options(
        {member: entry.get(member), "include": entry.get("include") or None}, read_file
    ).entries
    for key, one in found.items():
        problem = _problem_of_login(rotation, entry.members[member], key, one.username, one.password)
        if problem is not None:
            yield _row(_place(entry, member), without_user(key), variable_of(entry.members[member]), problem)


def _place(entry: RoleEntry, member: str) -> str:
    return f"{entry.title}{'_' if entry.title == NODES else '.'}{member}"


def _row(place: str, registry: Any, variable: str = "", problem: str = "") -> dict[str, str]:
    return {"place": place, "registry": str(registry), "variable": variable, "problem": problem}


def _has_template(written: Any) -> bool:
    if isinstance(written, Mapping):
        return any(map(_has_template, written.values()))
    if isinstance(written, (list, tuple)):
        return any(map(_has_template, written))
    return isinstance(written, str) and not hasattr(written, "_ciphertext") and ("{{" in written or "{%" in written)
