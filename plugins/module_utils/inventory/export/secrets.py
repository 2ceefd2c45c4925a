# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert a stored secret to an entry of the inventory that writes the same content, or explain why that fails. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Union

from ...core.errors import OptionError
from ...core.objects import Json, ObjectRef, metadata
from ...dockerconfig.auth_file import AuthFile, from_registries, parse, parse_stored
from ...dockerconfig.credential_entry import CredentialEntry
from ...dockerconfig.json_text import decode_string, kind_name
from ...dockerconfig.registry_keys import can_be_shown, redact_keys
from ...platform.generated import is_generated
from ...platform.protected import controller_of, is_global, is_marked_generated, refuse_platform_name
from ...secrets.content import DATA_KEYS, DOCKERCONFIGJSON, StoredSecret, registry_changes
from .findings import ExportedSecret, LeftOut

__all__ = ["GENERATED", "config_of", "further_data", "secret_of"]

GENERATED = LeftOut("generated_pull_secrets")
_GLOBAL = LeftOut("node_pull_secret")

#: Keys of an entry of `registries`. A credential with other keys is written as a whole file.
_VALUES = frozenset({"auth", "username", "password", "email"})


def secret_of(ref: ObjectRef, secret: Json, accounts: Iterable[Json]) -> Union[ExportedSecret, LeftOut, str]:
    """Return the secret as an entry, or why it is left out, or why no entry can express it."""
    if is_marked_generated(secret) or any(is_generated(account, secret) for account in accounts):
        return GENERATED
    if is_global(ref):
        return _GLOBAL
    held = StoredSecret.of(secret)
    return _why_foreign(ref, secret) or _why_no_content(held) or _parse_secret(ref, secret, held)


def further_data(secret: Json) -> str:
    """Return a note on data next to the auth file, which no entry can express; empty without such data."""
    others = StoredSecret.of(secret).others
    return (
        f"its further data ({', '.join(sorted(others))}) is not in the entry. It is kept as it is on this cluster"
        if others
        else ""
    )


def config_of(auth_file: AuthFile) -> dict[str, Any]:
    """Return the auth file as data. :raises ValueError: when Python cannot represent it."""
    found: dict[str, Any] = json.loads(auth_file.text(legacy=False))
    return found


def _why_foreign(ref: ObjectRef, secret: Json) -> str:
    if metadata(secret).get("deletionTimestamp"):
        return "it is being deleted"
    if who := controller_of(secret):
        return f"it is managed by {who}: declare it there"
    try:
        refuse_platform_name(ref.name)
    except OptionError:
        return "its name has the form of generated secrets of the platform, so the modules do not write it"
    return ""


def _why_no_content(held: StoredSecret) -> str:
    if held.unreadable:
        return f"its content {held.unreadable}"
    if held.type not in DATA_KEYS:
        return f"it has type {held.type}, which no node reads: convert it to {DOCKERCONFIGJSON} (module pull_secret with recreate=true)"
    if problems := held.for_kubelet.problems:
        return f"it stops every pull of a pod that uses it, because {problems[0]}"
    if not held.auth_file.entries:
        return "it contains no registry"
    return ""


def _parse_secret(ref: ObjectRef, secret: Json, held: StoredSecret) -> ExportedSecret | str:
    entries = held.auth_file.entries
    logins = tuple(login for login in map(_login, entries.values()) if login is not None)
    auth_file, why = _as_values(held, logins) if len(logins) == len(entries) else (None, "")
    as_values = auth_file is not None
    if auth_file is None:
        auth_file, why = _as_file(held)
    if auth_file is None:
        return why
    immutable = bool(secret.get("immutable"))
    return ExportedSecret(ref.name, held.type, auth_file, logins if as_values else None, immutable)


def _login(entry: CredentialEntry) -> dict[str, str] | None:
    """Return the credential as values; None when it has other keys."""
    email = entry.fields.get("email")
    if not can_be_shown(entry.key):
        return None
    if not {*entry.fields} <= _VALUES or (email is not None and kind_name(email) != "a string"):
        return None
    login = {"registry": entry.key, "username": entry.username, "password": entry.password}
    return {**login, "email": decode_string(email)} if email is not None else login


def _as_values(held: StoredSecret, logins: Sequence[Mapping[str, str]]) -> tuple[AuthFile | None, str]:
    try:
        return _require_same(held, from_registries(logins)) if _is_unicode(logins) else (None, "")
    except OptionError as error:
        return None, str(error)


def _as_file(held: StoredSecret) -> tuple[AuthFile | None, str]:
    """Return the content as data for the variable `auth_config`."""
    entries = held.auth_file.entries
    unusable = redact_keys(key for key, entry in entries.items() if not (entry.username and can_be_shown(key)))
    if unusable:
        return None, (
            f"no node can use its entry for {', '.join(unusable)}: it has no user and password, as with a credential helper, "
            "or its key is not a registry"
        )
    try:
        config = config_of(held.auth_file)
        if not _is_unicode(config):
            return None, "its content has bytes that are not UTF-8, which a file of variables cannot contain"
        return _require_same(held, parse(config, "its content"))
    except OptionError as error:
        return None, str(error)
    except (ValueError, RecursionError):
        return None, "its content is nested too deeply, or has a number that is too long"


def _require_same(held: StoredSecret, wanted: AuthFile) -> tuple[AuthFile | None, str]:
    after = parse_stored(wanted.text(legacy=held.legacy), legacy=held.legacy)
    if any(registry_changes(held.auth_file, after).values()):
        return None, "its content would differ when it is written again"
    return wanted, ""


def _is_unicode(data: Any) -> bool:
    """Whether a file can contain all texts of the data."""
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
