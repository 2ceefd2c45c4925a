# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the variables of the roles to the entries of the modules. Pure: the caller resolves templates.

Each role reads one variable and all variables that begin with its name and an underscore, so that each team or group can add its own
file. Members of entries are read separately, so a task that only links secrets never reads a credential.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils.clients.registry.transport import url_host
from ..module_utils.core.errors import ImagePullError, format_suggestion
from ..module_utils.dockerconfig.auth_file import auth_file_from_options
from ..module_utils.dockerconfig.editing import LoginReplacement, UserPassword
from .known_variables import VARIABLES
from .role_entries import (
    ACCOUNT_FORM,
    PLACES,
    DeclarationError,
    Evaluator,
    Made,
    Role,
    RoleEntry,
    TemplateError,
    limit_entries,
    read_no_file,
)

#: The variable that the task of each role registers. If it is defined, the task has checked the role's entries.
RAN = {role: f"__{role}_result" for role in VARIABLES}
#: The roles that write secrets.
WRITERS = ("private_registry", "delegated_auth")
_SOURCES = ("registries", "auth_file", "auth_config", "include")
#: How registries are reached. The variables of the play, with the prefix `image_pull_`, are the defaults of the entries.
_ACCESS = ("realm_hosts", "registry_ca_cert", "registry_validate_certs", "registry_timeout")
_VERIFY = ("verify", "verify_repositories")
_SECRET = (
    "type",
    *_SOURCES,
    "mode",
    "update_existing",
    "recreate",
    "labels",
    "annotations",
    "immutable",
    *_VERIFY,
    *_ACCESS,
)
_LINK = ("service_accounts", "link_for", "exclusive", "create", "require", "restart_pods", "wait_timeout")
_QUESTION = ("registry", "realm_host", *_ACCESS[1:])
_LOGIN = ("username", "password", "email")
_GRANT = (
    "service_accounts", "projects", "groups", "users", "authenticated", "anonymous", "role", "binding_name", "exclusive",
    "revoke_from", "prune", "verify_access",
)  # fmt: skip
#: The allowed members of an entry, for each role.
_MEMBERS = {
    "private_registry": {"name", "state", "links", *PLACES, *_SECRET, *_LINK},
    "delegated_auth": {
        *("state", *PLACES, *_QUESTION, *_LOGIN, "service_accounts", "link_for", "wait_timeout"),
        *_VERIFY,
        *("registry_secret_name", "realm_secret_name"),
    },
    "cross_project_pull": {"state", *PLACES, *_GRANT},
}
_REQUIRED = {"private_registry": ("name",), "delegated_auth": ("registry",), "cross_project_pull": ()}
_MANAGED = {"state": "absent", "only_managed": True}
_UNDONE = "two entries for one secret would undo each other in every run, so give their secrets different names, or remove one entry"


class Declarations:
    """The entries of all variables of a role. `read_file` reads the auth file of an entry."""

    def __init__(
        self,
        role: Role,
        variables: Mapping[str, Any],
        templates: Evaluator,
        read_file: Callable[[str], str] = read_no_file,
    ) -> None:
        """:raises DeclarationError: if a variable is not a list, or with all entries that have unknown or missing members."""
        self.read_file = read_file
        self.role, self._variables, self._templates = role, variables, templates
        self.entries = _entries(role.name, variables, templates)
        problems = [problem for entry in self.entries for problem in _problems(role.name, entry)]
        if problems:
            raise DeclarationError("; ".join(problems))
        self.entries = limit_entries(self.entries, role.name, role.only)

    @property
    def titles(self) -> list[str]:
        return [entry.title for entry in self.entries]

    @cached_property
    def access(self) -> Made:
        """How the play reaches registries. An empty variable is not given."""
        names = {name: f"image_pull_{name}" for name in _ACCESS}
        given = {
            name: _resolve_value(self._templates, self._variables[variable], f"variable {variable}")
            for name, variable in names.items()
            if variable in self._variables
        }
        return {name: value for name, value in given.items() if value not in (None, "")}

    def refuse_conflicts(self) -> None:
        """:raises DeclarationError: if two entries declare the same secret, in this role or in the other role that writes secrets."""
        if self.role.name not in WRITERS:
            return
        if problems := list(_conflicts(self._variables, self._templates, self.role.name)):
            raise DeclarationError(f"{'; '.join(problems)}; {_UNDONE}")

    @property
    def declared_elsewhere(self) -> list[Made]:
        """Return the secrets of the other role that writes secrets, if this role declares one of the same name in any namespace.

        The variables do not show whether a selector selects the same namespace, so the module finds that out.
        """
        names = {name for entry in self.entries for name, _title in _claimed_names(self.role.name, entry)}
        return [
            {"title": title, "name": name, **places}
            for role in WRITERS
            if role != self.role.name
            for entry in limit_entries(_entries(role, self._variables, self._templates), role, self.role.only)
            for name, title in _claimed_names(role, entry)
            if name in names and (places := entry.pick(PLACES))
        ]

    @property
    def present(self) -> list[RoleEntry]:
        return [] if self.role.absent else [entry for entry in self.entries if not entry.is_absent]

    @property
    def absent(self) -> list[RoleEntry]:
        return [entry for entry in self.entries if self.role.absent or entry.is_absent]


# --- private_registry


def _secrets(declared: Declarations, _answer: Any) -> list[Made]:
    """Return removals first: in the same task and namespace, another entry may declare a secret that one entry removes."""
    return [
        *(
            _removal_entry(entry) if _is_merge(entry) else entry.entry("name", "recreate", **_MANAGED)
            for entry in declared.absent
        ),
        *({**declared.access, **entry.entry("name", "state", *_SECRET)} for entry in declared.present),
    ]


def _claims(declared: Declarations, _answer: Any) -> list[Made]:
    """Return the declared secrets, without their content."""
    return [entry.entry("name") for entry in declared.present]


def _selectors(declared: Declarations, _answer: Any) -> list[Made]:
    """Return the namespace selectors of the entries with a selector."""
    return [entry.entry() for entry in declared.present if isinstance(entry.get("namespace_selector"), Mapping)]


def _declared_elsewhere(declared: Declarations, _answer: Any) -> list[Made]:
    return declared.declared_elsewhere


def _rotated_secrets(declared: Declarations, answer: Any) -> list[Made]:
    """Return the declared secrets that a rotation is allowed to write: with a login of one of the users for one of the registries."""
    wanted = _RotationLogins.of(answer)
    return [
        _rotation_entry(entry, entry.get("name"))
        for entry in declared.present
        if any(map(wanted.has, _logins(entry, declared.read_file)))
    ]


@dataclass(frozen=True)
class _RotationLogins:
    """The logins of a rotation, by registry and user."""

    exchange: LoginReplacement
    usernames: frozenset[str]

    @classmethod
    def of(cls, answer: Mapping[str, Any]) -> _RotationLogins:
        no_login = UserPassword("", "")
        return cls(
            LoginReplacement(tuple(map(str, answer["registries"])), no_login, no_login),
            frozenset(map(str, answer["usernames"])),
        )

    def has(self, login: tuple[Any, Any]) -> bool:
        registry, username = login
        return isinstance(username, str) and username in self.usernames and self.exchange.is_for(str(registry))


def _logins(entry: RoleEntry, read_file: Callable[[str], str]) -> Iterator[tuple[Any, Any]]:
    """Yield registry and user of each login in an entry. A file that cannot be read here confirms nothing."""
    for one in entry.get("registries", ()):
        if isinstance(one, Mapping):
            yield one.get("registry"), one.get("username")
    for member in ("auth_file", "auth_config"):
        try:
            if source := entry.get(member):
                options = {member: source, "include": entry.get("include") or None}
                for key, login in auth_file_from_options(options, read_file).entries.items():
                    yield key, login.username
        except (TemplateError, ImagePullError, OSError, ValueError):
            continue


def _rotation_entry(entry: RoleEntry, name: Any) -> Made:
    """Return an entry of a rotation: the namespaces and one name."""
    return {**entry.pick(PLACES), "name": name}


def _removal_entry(entry: RoleEntry) -> Made:
    return entry.entry("name", "recreate", *_SOURCES, mode="remove", delete_empty=True)


def _is_merge(entry: RoleEntry) -> bool:
    """Whether an entry may have added registries to a secret that it did not create. Without `update_existing`, it has created it."""
    return bool(entry.get("mode") == "merge" and boolean(entry.get("update_existing", True), strict=False))


def _unlink(entry: RoleEntry, made: Made) -> Iterator[Made]:
    both = {"secrets": [entry.get("name")], "link_for": ["pull", "mount"], **_MANAGED}
    for part in entry.links:
        yield {**made, **part, **both}


def _links(declared: Declarations, answer: Any) -> list[Made]:
    """Return the links to remove, and the links of present entries. `answer` is the result of the task that wrote the secrets."""
    kept = [entry for entry in declared.absent if not _is_merge(entry)]
    unlinked = [made for entry in kept for made in _unlink(entry, entry.entry())]
    linked = declared.role.narrow(_link(declared, entry, part) for entry in declared.present for part in entry.links)
    return [*unlinked, *_links_to_deleted(declared.absent, answer), *linked]


def _link(declared: Declarations, entry: RoleEntry, part: Made) -> Made:
    # In check mode, the secret does not exist yet.
    require = "none" if declared.role.check_mode else entry.get("require", "usable")
    return {**entry.entry(*_LINK), **part, "secrets": [entry.get("name")], "require": require}


def _links_to_deleted(absent: Sequence[RoleEntry], answer: Any) -> Iterator[Made]:
    """Yield the links to merged secrets that were deleted because they had no other content."""
    namespaces: dict[int, list[str]] = {}
    for result in (answer or {}).get("namespaces", ()):
        for found in result.get("entries", ()):
            if found.get("exists") is False:
                namespaces.setdefault(found["entry"], []).append(result["name"])
    for position, entry in enumerate(absent):
        if position in namespaces and _is_merge(entry):
            yield from _unlink(entry, {"title": entry.title, "namespaces": namespaces[position]})


# --- delegated_auth


def _questions(declared: Declarations, _answer: Any) -> list[Made]:
    return [{"title": entry.title, **declared.access, **entry.pick(_QUESTION)} for entry in declared.present]


def _delegated_secrets(declared: Declarations, answer: Any) -> list[Made]:
    """Return both secrets of each entry. The entry names the host for the logins. The registry only shows whether there is such a host."""
    made = [entry.entry(name=name, **_MANAGED) for entry in declared.absent for name in _names(entry)]
    for entry, asked in _valid_entries(declared, answer):
        hosts = [entry.get("registry"), asked["realm_host"]]
        login = entry.pick(_LOGIN)
        both = [
            entry.entry(name=name, registries=[{"registry": host, **login}])
            for name, host in zip(_used_names(entry, asked), hosts, strict=False)
        ]
        # The host for the logins is not a registry, so it cannot be verified alone.
        both[0] |= {**entry.pick(_VERIFY), **_verify_options(declared, entry)}
        made += both
    return made


def _verify_options(declared: Declarations, entry: RoleEntry) -> Made:
    """Return the options to verify a login; empty if it is not verified.

    The login is sent to the host in the entry, and not to a host that the registry names.
    """
    if not (entry.get("verify") or entry.get("verify_repositories")):
        return {}
    hosts = [host for host in [entry.get("realm_host")] if host]
    return {**declared.access, **entry.pick(_ACCESS), "realm_hosts": hosts}


def _delegated_claims(declared: Declarations, answer: Any) -> list[Made]:
    """Return the declared secrets. An entry with a problem keeps both, because the answer of a registry is not a reason to remove one."""
    used = [(entry, _used_names(entry, asked)) for entry, asked in _valid_entries(declared, answer)]
    return [*(entry.entry(name=name) for entry, names in used for name in names), *_kept_secrets(declared, answer)]


def _kept_secrets(declared: Declarations, answer: Any) -> list[Made]:
    """Return both secrets of each entry with a problem: they are not written, and stay."""
    return [entry.entry(name=name) for entry in _entries_with_problem(declared, answer) for name in _names(entry)]


def _delegated_link_claims(declared: Declarations, answer: Any) -> list[Made]:
    """Return the declared links. An entry with a problem keeps the links to both of its secrets, as in `_delegated_claims`."""
    return [*_delegated_links(declared, answer), *_kept_links(declared, answer)]


def _kept_links(declared: Declarations, answer: Any) -> list[Made]:
    """Return the links of each entry with a problem to both of its secrets."""
    return [
        entry.entry("service_accounts", "link_for", secrets=_names(entry))
        for entry in _entries_with_problem(declared, answer)
        if entry.links
    ]


def _entries_with_problem(declared: Declarations, answer: Any) -> Iterator[RoleEntry]:
    return (entry for entry, asked in _pair_answers(declared, answer) if _problem(entry, asked))


def _delegated_rotated(declared: Declarations, answer: Any) -> list[Made]:
    wanted = _RotationLogins.of(answer)
    meant = (entry for entry in declared.present if wanted.has((entry.get("registry"), entry.get("username"))))
    return [_rotation_entry(entry, name) for entry in meant for name in _names(entry)]


def _delegated_links(declared: Declarations, answer: Any) -> list[Made]:
    require = "none" if declared.role.check_mode else "usable"
    unlinked = [
        entry.entry("service_accounts", secrets=_names(entry), link_for=["pull", "mount"], **_MANAGED)
        for entry in declared.absent
        if entry.links
    ]
    linked = declared.role.narrow(
        entry.entry("service_accounts", "link_for", "wait_timeout", secrets=_used_names(entry, asked), require=require)
        for entry, asked in _valid_entries(declared, answer)
        if entry.links
    )
    return [*unlinked, *linked]


def _names(entry: RoleEntry) -> list[str]:
    """Return the names of the secret for the registry and of the secret for the host that takes its logins."""
    return [
        entry.get("registry_secret_name", "private-registry"),
        entry.get("realm_secret_name", "redhat-connect-sso"),
    ]


def _used_names(entry: RoleEntry, asked: Mapping[str, Any]) -> list[str]:
    return _names(entry) if asked["delegated"] else _names(entry)[:1]


def _pair_answers(declared: Declarations, answer: Any) -> Iterator[tuple[RoleEntry, Mapping[str, Any]]]:
    """Yield each entry with the answer of its registry, and with `error` if the registry could not be queried."""
    answer = answer or {}
    errors = {failure["entry"]: {"error": failure["error"]} for failure in answer.get("failures", ())}
    for position, (entry, asked) in enumerate(zip(declared.present, answer.get("registries", ()), strict=False)):
        yield entry, {**asked, **errors.get(position, {})}


def _valid_entries(declared: Declarations, answer: Any) -> Iterator[tuple[RoleEntry, Mapping[str, Any]]]:
    """Return the entries for which it is certain which hosts get the login."""
    return ((entry, asked) for entry, asked in _pair_answers(declared, answer) if not _problem(entry, asked))


def _problem(entry: RoleEntry, asked: Mapping[str, Any]) -> str:
    """Return why nothing is written for an entry; empty if something is written.

    Nodes send the login in a secret for another host to that host. So the entry must name that host, and not the registry.
    """
    if "error" in asked:
        return str(asked["error"])
    if not asked["delegated"] or entry.get("realm_host"):
        return ""
    host = _https_host(asked.get("realm"))
    names = f"{host}, another host" if host else "an unusual host"
    add = (
        f'if that host is allowed to have the login, add this line to the entry: realm_host: "{host}"'
        if host
        else "if you know which host takes its logins, name it with realm_host in the entry"
    )
    return f"registry {asked['registry']} wants logins sent to {names}, which the entry does not name; nothing was written for it: {add}"


def _https_host(realm: Any) -> str:
    """Return the normalized `host[:port]` of a realm; empty if logins must not be sent to it."""
    try:
        url = str(realm)
        found = url_host(url)[1]
    except ValueError:
        return ""
    return str(found) if url.lower().startswith("https://") else ""


def _undelegated_notes(declared: Declarations, answer: Any) -> list[Any]:
    """Return a sentence for each registry that does not delegate its login."""
    return [
        f"{asked['registry']} does not delegate its login, so secret {_names(entry)[0]} is enough, and {_names(entry)[1]} is not "
        "created"
        for entry, asked in _valid_entries(declared, answer)
        if not asked["delegated"]
    ]


def _problems_of_answers(declared: Declarations, answer: Any) -> list[Any]:
    """Return a sentence for each entry for which nothing is written."""
    return [
        f"{entry.title}: {problem}"
        for entry, asked in _pair_answers(declared, answer)
        if (problem := _problem(entry, asked))
    ]


# --- cross_project_pull


def _accounts(declared: Declarations, _answer: Any) -> list[Made]:
    """Return the service accounts of the grants, each once."""
    found: dict[tuple[Any, Any], Made] = {}
    for entry in declared.present:
        for account in entry.get("service_accounts", ()):
            if not isinstance(account, Mapping):
                raise DeclarationError(f"{entry.title}.service_accounts: {ACCOUNT_FORM}")
            made = dict(account)
            found.setdefault((made.get("namespace"), made.get("name", "default")), made)
    return list(found.values())


def _grants(declared: Declarations, _answer: Any) -> list[Made]:
    revoked = [_drop_members(entry.entry(*_GRANT), "exclusive") for entry in declared.absent]
    granted = [_drop_members(entry.entry("state", *_GRANT), "revoke_from") for entry in declared.present]
    return [*({**made, "state": "absent"} for made in revoked), *granted]


def _drop_members(made: Made, *names: str) -> Made:
    return {name: value for name, value in made.items() if name not in names}


#: The kinds of entries for each role. Each kind has the entries of one task.
KINDS: Mapping[str, Mapping[str, Callable[[Declarations, Any], list[Any]]]] = {
    "private_registry": {
        "secrets": _secrets,
        "links": _links,
        "claims": _claims,
        "selectors": _selectors,
        "elsewhere": _declared_elsewhere,
        "rotated": _rotated_secrets,
    },
    "delegated_auth": {
        "registries": _questions,
        "undelegated": _undelegated_notes,
        "problems": _problems_of_answers,
        "secrets": _delegated_secrets,
        "links": _delegated_links,
        "claims": _delegated_claims,
        "link_claims": _delegated_link_claims,
        "kept_secrets": _kept_secrets,
        "kept_links": _kept_links,
        "selectors": _selectors,
        "elsewhere": _declared_elsewhere,
        "rotated": _delegated_rotated,
    },
    "cross_project_pull": {"accounts": _accounts, "grants": _grants},
}


# --- all roles


def _entries(role: str, variables: Mapping[str, Any], templates: Evaluator) -> list[RoleEntry]:
    """Return the entries of the role's variables, sorted by variable. Reading a member of one entry prepares that member of all entries."""
    found: list[RoleEntry] = []
    prepared: set[str] = set()

    def read(where: str, name: str, value: Any) -> Any:
        if name not in prepared:
            prepared.add(name)
            templates.prepare(entry.members.get(name) for entry in found)
        return _resolve_value(templates, value, where)

    def read_in(title: str) -> Callable[[str, Any], Any]:
        return lambda name, value: read(f"{title}.{name}", name, value)

    for title, members in _raw_entries(role, variables, templates):
        found.append(RoleEntry(title, members, read_in(title)))
    return found


def _raw_entries(
    role: str, variables: Mapping[str, Any], templates: Evaluator
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each entry as it is in the variables, with its title."""
    first = VARIABLES[role]
    for name in (first, *sorted(name for name in variables if name.startswith(f"{first}_"))):
        value = variables.get(name)
        value = value if isinstance(value, (list, tuple)) else _resolve_value(templates, value, f"variable {name}")
        if value is None:
            continue
        if not isinstance(value, (list, tuple)):
            raise DeclarationError(f"variable {name} is not a list of entries: begin each with '- '")
        for position, item in enumerate(value):
            members = item if isinstance(item, Mapping) else _resolve_value(templates, item, f"{name}[{position}]")
            if not isinstance(members, Mapping):
                raise DeclarationError(f"{name}[{position}] is not a dictionary")
            yield f"{name}[{position}]", members


def _resolve_value(templates: Evaluator, value: Any, where: str) -> Any:
    try:
        return templates.resolve(value)
    except TemplateError as error:
        raise DeclarationError(error.at(where)) from None


def _problems(role: str, entry: RoleEntry) -> Iterator[str]:
    unknown = sorted(str(name) for name in entry.members if name not in _MEMBERS[role])
    if unknown:
        yield f"{entry.title}: {_describe_unknown(unknown, _MEMBERS[role], entry.members)}"
    for name in _REQUIRED[role]:
        if name not in entry.members:
            yield f"{entry.title}: {name} is missing"


def _describe_unknown(names: Sequence[str], known: Collection[str], given: Collection[str]) -> str:
    meant = "; ".join(f"{name} is unknown{format_suggestion(name, known, given)}" for name in names)
    return f"{meant}{'' if meant.endswith('?') else '.'} An entry takes {', '.join(sorted(known))}"


def _conflicts(variables: Mapping[str, Any], templates: Evaluator, role: str) -> Iterator[str]:
    """Yield the secrets that several entries declare. Selectors are compared as they are: the module knows their namespaces."""
    claims: dict[tuple[str, str], dict[str, str]] = {}
    for owner in WRITERS:
        for entry in _entries(owner, variables, templates):
            for place in _places(entry):
                for name, title in _claimed_names(owner, entry):
                    claims.setdefault((place, name), {})[title] = owner
    for (place, name), titles in sorted(claims.items()):
        if len(titles) > 1 and role in titles.values():
            yield f"secret {place}/{name} is declared by {' and '.join(titles)}"


def _places(entry: RoleEntry) -> Iterator[str]:
    yield from dict.fromkeys(str(name) for name in entry.items("namespaces"))
    selector = entry.get("namespace_selector")
    if isinstance(selector, Mapping):
        yield str(sorted((str(key), str(value)) for key, value in selector.items()))


def _claimed_names(role: str, entry: RoleEntry) -> list[tuple[str, str]]:
    if role == "private_registry":
        return [(str(entry.get("name")), entry.title)]
    return [
        (name, f"{entry.title}.{member}")
        for name, member in zip(_names(entry), ("registry_secret_name", "realm_secret_name"), strict=True)
    ]
