# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the inventory variables that describe a cluster, with the fewest entries and one variable for each login. Pure."""

from __future__ import annotations

import heapq
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any

from ...core.errors import OptionError
from ...core.files import FilesWanted, VariableFile
from ...core.names import check_path_segment
from ...core.objects import SERVICE_ACCOUNT, Json, ObjectRef
from ...core.redaction import SHORTEST
from ...core.text import make_printable, summarize
from ...core.writers import TemplateText
from ...dockerconfig.auth_file import AuthFile, parse_stored
from ...dockerconfig.json_text import decode_string, kind_name
from ...secrets.content import DOCKERCONFIGJSON
from .entries import ExportedGrant, ExportedSecret, Findings, NotExported, config_of

#: How credentials are exported, the default first.
CREDENTIALS = ("vault", "placeholder")

#: The written files: the declarations, and the credentials that they refer to.
PLAIN_FILE, VAULT_FILE = "image_pull.yml", "image_pull_vault.yml"


@dataclass(frozen=True)
class Export:
    """The validated options. `roles`: the cluster roles whose bindings are read. `files`: the files to write, None for none."""

    roles: tuple[str, ...]
    files: FilesWanted | None = None


def from_options(options: Mapping[str, Any]) -> Export:
    """Return the validated options. :raises OptionError: for an invalid role, or options that need `dest`."""
    if not options["roles"]:
        raise OptionError("option 'roles' is empty: give at least one cluster role")
    for role in options["roles"]:
        check_path_segment("roles", role)
    return Export(tuple(dict.fromkeys(options["roles"])), _files(options))


def _files(options: Mapping[str, Any]) -> FilesWanted | None:
    directory, in_vault = options["dest"], options["credentials"] == "vault"
    if directory is None:
        for option in ("force", "vault_id"):
            if options[option]:
                raise OptionError(
                    f"option {option!r} is for the files that 'dest' asks for: give 'dest', or leave it out"
                )
        return None
    if not in_vault and options["vault_id"]:
        raise OptionError("option 'vault_id' is for 'credentials: vault' only: without it, no file is encrypted")
    encrypted = (VAULT_FILE,) if in_vault else ()
    otherwise = "'credentials: placeholder'"
    return FilesWanted(directory, (PLAIN_FILE,), encrypted, options["vault_id"], options["force"], otherwise=otherwise)


_PREFIX = "vaulted"
#: Maximum number of characters of a part in a name.
_LONGEST = 48


class Vault:
    """`variables` are the credentials by name, in the order in which they were added."""

    def __init__(self) -> None:
        self.variables: dict[str, Any] = {}
        self._names: dict[tuple[str, ...], str] = {}

    def password(self, login: Mapping[str, str]) -> TemplateText:
        """Return a reference to the password. Its variable is `vaulted_REGISTRY_USER`, with a number for each further password.

        A user can write a secret with the registry and the user name of another project, and any password.
        """
        key = ("password", login["registry"], login["username"], login["password"])
        name = self._name(key, (login["registry"], login["username"]), login["password"])
        # Before ansible-core 2.19, a template whose result looks like data becomes data.
        return TemplateText(f"{{{{ {name} | string }}}}")

    def auth_config(self, secret: str, meaning: str, config: Mapping[str, Any]) -> TemplateText:
        """Return a reference to a whole auth file. Its variable is `vaulted_SECRET_auth_config`."""
        name = self._name(("config", secret, meaning), (secret, "auth_config"), config)
        return TemplateText(f"{{{{ {name} }}}}")

    def _name(self, key: tuple[str, ...], parts: tuple[str, ...], value: Any) -> str:
        if key not in self._names:
            stem = "_".join([_PREFIX, *filter(None, map(_word, parts))])
            name, number = stem, 1
            while name in self.variables:
                number += 1
                name = f"{stem}_{number}"
            self._names[key] = name
            self.variables[name] = value
        return self._names[key]


def _word(part: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", re.sub(r"^https?://", "", part.lower())).strip("_")[:_LONGEST].strip("_")


#: The warning about variables whose names differ only in a number.
_NUMBERED = (
    "A number in a name stands for another password: users can write the registry and the user name of another project into a secret. "
    "Give each variable only the password of the secrets below that name it."
)
#: Maximum number of namespaces in the head of a file.
_SHOWN = 20
SECRETS, GRANTS = "private_registry_secrets", "cross_project_pull_grants"


@dataclass(frozen=True, repr=False)
class InventoryVariables:
    """The variables of a cluster: `secrets`, `grants`, and the `credentials` that these refer to."""

    secrets: Sequence[Json]
    grants: Sequence[Json]
    credentials: Mapping[str, Any]
    left_out: Mapping[str, int] = field(default_factory=dict)
    unexpressed: Sequence[Json] = ()

    @property
    def variables(self) -> dict[str, Any]:
        return {SECRETS: list(self.secrets), GRANTS: list(self.grants)}

    def report(self) -> dict[str, Any]:
        """Return the part of the result: names of variables, without credentials."""
        return {
            **self.variables,
            "vaulted_variables": list(self.credentials),
            "left_out": dict(self.left_out),
            "not_exported": list(self.unexpressed),
        }

    def files(self, cluster: str, missing: Sequence[str] = (), *, encrypted: bool) -> list[VariableFile]:
        """Return the files to write. Credentials are only in an encrypted file. `missing` are the namespaces that could not be read."""
        head = [f"Written by module pull_access_export of openshift_ops.image_pull from {make_printable(cluster)}."]
        if missing:
            head.append(f"It is incomplete: the export failed in {summarize(missing, _SHOWN)}.")
        names = list(self.credentials)
        if encrypted:
            plain = VariableFile(PLAIN_FILE, self.variables, [*head, f"The credentials are in {VAULT_FILE}."])
            return [VariableFile(VAULT_FILE, self.credentials, head, encrypted=True), plain]
        wanted = [
            "Define these variables elsewhere, for example in a file that ansible-vault encrypts:",
            *names,
            *([_NUMBERED] if any(re.sub(r"_[0-9]+\Z", "", name) in {*names} - {name} for name in names) else ()),
        ]
        return [VariableFile(PLAIN_FILE, self.variables, [*head, *(wanted if names else ())])]


def inventory_of(found: Mapping[str, Findings]) -> InventoryVariables:
    """Return the inventory, from the findings of each namespace."""
    groups = _secret_groups(found)
    order, unkept = _order_groups(groups, found)
    vault = Vault()
    passwords = frozenset(
        text for group in groups for text in _credentials(group.secret.auth_file) if len(text) >= SHORTEST
    )
    # Oldest first: a secret that a user writes later must not change the password that a variable of an earlier export stands for.
    entries = {
        at: _secret_entry(groups[at], vault, passwords) for at in sorted(order, key=lambda at: groups[at].created)
    }
    secrets = [entries[at] for at in order]
    unexpressed = [each for findings in found.values() for each in findings.unexpressed]
    left_out: Counter[str] = Counter()
    for findings in found.values():
        left_out.update(findings.left_out)
    return InventoryVariables(
        secrets,
        [{"namespaces": list(places), **grant.options, **grant.named} for grant, places in _grant_groups(found)],
        vault.variables,
        dict(sorted(left_out.items())),
        list(_rows([*unexpressed, *unkept])),
    )


@dataclass(repr=False)
class _Group:
    """One secret that is the same in all its namespaces. `created` is the creation time of the oldest."""

    secret: ExportedSecret
    namespaces: list[str]
    created: str


def _secret_groups(found: Mapping[str, Findings]) -> list[_Group]:
    groups: dict[Any, _Group] = {}
    for namespace, findings in sorted(found.items()):
        for secret in findings.secrets:
            logins = secret.logins is not None
            key = (
                secret.name,
                secret.type,
                secret.immutable,
                secret.links,
                secret.require,
                logins,
                _meaning(secret.auth_file),
            )
            group = groups.setdefault(key, _Group(secret, [], secret.created))
            group.namespaces.append(namespace)
            group.created = min(group.created, secret.created)
    return sorted(groups.values(), key=lambda group: (group.secret.name, group.namespaces))


def _meaning(auth_file: AuthFile) -> str:
    """Return a value that is equal for auth files with the same meaning, in any spelling."""
    return _meaning_of(auth_file.text(legacy=False))


# In a fleet, most namespaces have the same content, so it is parsed once.
@lru_cache(maxsize=64)
def _meaning_of(text: str) -> str:
    entries = parse_stored(text, legacy=False).entries
    return json.dumps({key: entry.meaning for key, entry in sorted(entries.items())}, sort_keys=True)


def _order_groups(groups: Sequence[_Group], found: Mapping[str, Findings]) -> tuple[list[int], list[NotExported]]:
    """Return an order of the groups in which the role links them in the order of the lists, and the lists for which none exists."""
    at = {
        (namespace, group.secret.name): number for number, group in enumerate(groups) for namespace in group.namespaces
    }
    chains = {
        (namespace, account, key): [at[namespace, name] for name in names]
        for namespace, findings in sorted(found.items())
        for (account, key), names in findings.order.items()
    }
    order = _sort_numbers(len(groups), {pair for chain in chains.values() for pair in pairwise(chain)})
    place = {number: position for position, number in enumerate(order)}
    unkept = []
    for (namespace, account, key), chain in chains.items():
        wrong = next(((one, two) for one, two in pairwise(chain) if place[one] > place[two]), None)
        if wrong:
            first, second = (groups[number].secret.name for number in wrong)
            reason = (
                f"{key} lists {first} before {second}, but other accounts have the opposite order, and entries have only one order. The list "
                "is kept as it is on this cluster. A new account gets the other order"
            )
            unkept.append(NotExported(ObjectRef(SERVICE_ACCOUNT, namespace, account), reason))
    return order, unkept


def _sort_numbers(count: int, pairs: Iterable[tuple[int, int]]) -> list[int]:
    """Return the numbers in an order in which the first of each pair comes before the second if possible, otherwise by size."""
    after: dict[int, list[int]] = {}
    waiting = [0] * count
    for first, second in pairs:
        after.setdefault(first, []).append(second)
        waiting[second] += 1
    ready = [number for number in range(count) if not waiting[number]]
    left, order = set(range(count)), []
    while left:
        number = heapq.heappop(ready) if ready else min(left)
        if number not in left:
            continue
        left.discard(number)
        order.append(number)
        for following in after.get(number, ()):
            waiting[following] -= 1
            if not waiting[following]:
                heapq.heappush(ready, following)
    return order


def _secret_entry(group: _Group, vault: Vault, passwords: frozenset[str]) -> dict[str, Any]:
    secret = group.secret
    entry: dict[str, Any] = {"name": secret.name, "namespaces": group.namespaces}
    if secret.type != DOCKERCONFIGJSON:
        entry["type"] = secret.type
    if secret.logins is None or any(_has_plain_password(login, passwords) for login in secret.logins):
        meaning = _meaning(secret.auth_file)
        entry["auth_config"] = vault.auth_config(secret.name, meaning, config_of(secret.auth_file))
    else:
        entry["registries"] = [
            {name: vault.password(login) if name == "password" else value for name, value in login.items()}
            for login in secret.logins
        ]
    if secret.immutable:
        entry["immutable"] = True
    return {**entry, **_links(secret)}


def _links(secret: ExportedSecret) -> dict[str, Any]:
    """Return the options of an entry for its linked accounts, and their purpose."""
    parts = [
        {"service_accounts": list(each.service_accounts), "link_for": list(each.link_for)} for each in secret.links
    ]
    said: dict[str, Any] = {"links": parts} if len(parts) > 1 else parts[0] if parts else {"service_accounts": []}
    return {**said, "require": secret.require} if secret.require else said


def _credentials(auth_file: AuthFile) -> Iterator[str]:
    """Yield all passwords and tokens in it, including those that no client uses because `auth` takes precedence."""
    for entry in auth_file.entries.values():
        yield entry.password
        given = (entry.fields.get(name, "null") for name in ("password", "identitytoken", "registrytoken"))
        yield from (decode_string(value) for value in given if kind_name(value) == "a string")


def _has_plain_password(login: Mapping[str, str], passwords: frozenset[str]) -> bool:
    """Whether a clear text value next to a password is or contains a password: some registries take a token as the user."""
    shown = [value for name, value in login.items() if name != "password"]
    own = login["password"]
    return any(value in passwords or (len(own) >= SHORTEST and own in value) for value in shown)


def _grant_groups(found: Mapping[str, Findings]) -> Iterator[tuple[ExportedGrant, list[str]]]:
    groups: dict[str, tuple[ExportedGrant, list[str]]] = {}
    for namespace, findings in sorted(found.items()):
        for grant in findings.grants:
            key = json.dumps([grant.role, grant.binding_name, grant.options], sort_keys=True)
            groups.setdefault(key, (grant, []))[1].append(namespace)
    yield from sorted(groups.values(), key=lambda group: (group[1], group[0].binding_name, group[0].role))


def _rows(unexpressed: Iterable[NotExported]) -> Iterator[Json]:
    """Yield one row for each object and reason, with all its namespaces."""
    rows: dict[tuple[str, str, str], list[str]] = {}
    for each in unexpressed:
        rows.setdefault((each.ref.kind.kind, each.ref.name, make_printable(each.reason)), []).append(each.ref.namespace)
    for (title, name, reason), namespaces in sorted(rows.items()):
        yield {"kind": title, "name": name, "namespaces": sorted(set(namespaces)), "reason": reason}
