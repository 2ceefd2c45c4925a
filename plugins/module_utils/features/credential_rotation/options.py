# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `credential_rotation`. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from ...core.errors import OptionError
from ...core.text import pluralize
from ...core.times import format_utc, seconds_of
from ...dockerconfig.editing import LoginReplacement, UserPassword
from ...dockerconfig.registry_keys import check_key, portable_key, same_path
from ...images.image_questions import VERIFY_ARGUMENTS, RegistryAccess
from ...images.references import Reference, reference_of
from ...secrets.content import SHORTEST, CredentialSearch
from ...secrets.expiry import SKEW, expiry_of, kind_of
from . import confirmation
from .confirmation import ConfirmedEntry, ConfirmedSecrets

ARGUMENTS: dict[str, Any] = {
    "registries": {"type": "list", "elements": "str", "required": True},
    "old": {
        "type": "dict",
        "required": True,
        "no_log": False,
        "options": {
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "no_log": True},
        },
    },
    "new": {
        "type": "dict",
        "required": True,
        "no_log": False,
        "options": {
            "username": {"type": "str", "required": True},
            "password": {"type": "str", "required": True, "no_log": True},
            "expires": {"type": "str"},
        },
    },
    "next_rotation_seconds": {"type": "int"},
    "pulls_timeout": {"type": "int", "default": 0},
    "nodes_pull_secret": {"type": "bool", "default": False},
    "replace_dead_logins": {"type": "bool", "default": False},
    "allow_absent": {"type": "bool", "default": False},
    **confirmation.ARGUMENTS,
    **VERIFY_ARGUMENTS,
    "verify": {"type": "bool", "default": True},
    "verify_unchanged": {"type": "bool", "default": False},
}


@dataclass(frozen=True, repr=False)
class Rotation:
    """A validated rotation. `nodes`: also change the pull secrets of the cluster's nodes. `images`: the new login must pull them.

    `entries` name the other secrets that the rotation is allowed to write, and `confirmed` are the matching secrets of the cluster. `server`
    is the cluster that they are for, empty for any. `verify`: write nothing if the new login does not work. `verifies_unchanged`: verify it
    even if nothing is to be written. `replaces_dead`: also write a secret whose own login does not work. `accepted` are the logins, with
    their hosts, that the registries have accepted: a secret without any of them is not written. None: each is. `allows_absent`: it is not an error
    if neither login is found. `pulls_timeout`: maximum number of seconds to wait, at the end, for pulls that may still use the old login.
    """

    exchange: LoginReplacement
    entries: tuple[ConfirmedEntry, ...] = ()
    confirmed: ConfirmedSecrets = field(default_factory=ConfirmedSecrets)
    server: str = ""
    replaces_dead: bool = False
    accepted: frozenset[tuple[str, UserPassword]] | None = None
    allows_absent: bool = False
    nodes: bool = False
    verify: bool = True
    verifies_unchanged: bool = False
    images: tuple[Reference, ...] = ()
    pulls_timeout: int = 0
    access: RegistryAccess = field(default_factory=RegistryAccess)

    @cached_property
    def search(self) -> CredentialSearch | None:
        """Return the search for the old password outside the entries of auth files.

        None if it is unknown, too short, or a part of the new password, because each entry with the new one would match.
        """
        password = self.exchange.old.password
        return (
            CredentialSearch(password)
            if len(password) >= SHORTEST and password not in self.exchange.new.password
            else None
        )

    @property
    def asks_copies(self) -> bool:
        """Whether to verify the login of each secret, because without the old password any login of the user matches.

        The task that writes asks as well: between a plan and a write, users can change the content of a secret, and its UID stays.
        """
        return not self.exchange.old.password and not self.replaces_dead

    @property
    def differing(self) -> list[str]:
        """Return the known differences of the two logins: `password`, `username`."""
        old, new = self.exchange.old, self.exchange.new
        return [name for name in ("password", "username") if getattr(old, name) != getattr(new, name)]

    @property
    def hosts(self) -> list[str]:
        """Return the hosts of the registries, each once."""
        return list(dict.fromkeys(same_path(key).partition("/")[0] for key in self.exchange.registries))


def label_users(old: str, new: str) -> str:
    """Return a text that is the same for the same two users. A result contains no user name."""
    return hashlib.sha256(f"{old}\0{new}".encode("utf-8", "surrogatepass")).hexdigest()[:16]


def from_options(options: Mapping[str, Any]) -> Rotation:
    """Return the rotation. :raises OptionError: with all invalid options at once. Nothing has been read."""
    problems = [*_problems(options), *confirmation.plan_problems(options), *_problems_of_parts(options)]
    if problems:
        raise OptionError("; ".join(problems))
    old, new = (UserPassword(options[name]["username"], options[name].get("password") or "") for name in ("old", "new"))
    access = RegistryAccess.of(options)
    images = tuple(image for text in options["verify_repositories"] or () if (image := reference_of(text)) is not None)
    return Rotation(
        LoginReplacement(tuple(dict.fromkeys(options["registries"])), old, new),
        confirmation.confirmed_entries(options),
        server=(options.get("plan") or {}).get("server", ""),
        replaces_dead=options["replace_dead_logins"],
        allows_absent=options["allow_absent"],
        nodes=options["nodes_pull_secret"],
        verify=options["verify"] or bool(images),
        verifies_unchanged=options["verify_unchanged"],
        images=images,
        pulls_timeout=options["pulls_timeout"],
        access=access,
    )


def check_lifetime(options: Mapping[str, Any], now: float) -> list[str]:
    """Return warnings about the lifetime of the new login. `now` is in seconds since 1970.

    :raises OptionError: when it has expired, or expires before the next run.
    """
    new, next_rotation_seconds = options["new"], options["next_rotation_seconds"]
    ends = _end_of_login(new, [same_path(key).partition("/")[0] for key in options["registries"]], now)
    if ends is None:
        if next_rotation_seconds is None:
            return []
        return [
            "option 'next_rotation_seconds' is given, but the expiry time of the new login is unknown: give 'expires' in 'new' if you know it"
        ]
    if ends <= now - SKEW:
        raise OptionError(
            f"the login in option 'new' has expired on {format_utc(ends)}: get a fresh one; nothing was read"
        )
    if next_rotation_seconds is not None and ends < now + next_rotation_seconds:
        raise OptionError(
            f"the login in option 'new' expires on {format_utc(ends)}, before the next run in "
            f"{pluralize(next_rotation_seconds, 'second')}: pods could not pull in "
            "between; run more often, or get a login that lives longer; nothing was read"
        )
    return []


def _problems(options: Mapping[str, Any]) -> Iterator[str]:
    yield from _problems_of_registries(options["registries"])
    yield from _problems_of_logins(options["old"], options["new"])
    if options["next_rotation_seconds"] is not None and options["next_rotation_seconds"] < 1:
        yield "option 'next_rotation_seconds' must be a number of seconds"
    if options["pulls_timeout"] < 0:
        yield "option 'pulls_timeout' must not be negative"
    yield from _problems_of_repositories(options["verify_repositories"] or (), options["registries"])


def _problems_of_parts(options: Mapping[str, Any]) -> Iterator[str]:
    for parse in (confirmation.confirmed_entries, RegistryAccess.of):
        try:
            parse(options)
        except OptionError as error:
            yield str(error)


def _problems_of_logins(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    # Bytes that are not UTF-8 can be searched for, but cannot be written into an entry with a plain user and password.
    yield from _problems_of_login("old", old, "surrogateescape")
    yield from _problems_of_login("new", new, "strict")
    if old.get("password") == "":
        yield "option 'old' has an empty password: give it, or leave it out to replace any login of the user"
    if not new["password"]:
        yield "option 'new' has no password: give it"
    if (old["username"], old.get("password")) == (new["username"], new["password"]):
        yield "options 'old' and 'new' are the same login, so there is nothing to rotate: give another password or user in 'new'"
    if new.get("expires") and seconds_of(new["expires"]) is None:
        yield "option 'new': 'expires' is not a time such as 2030-01-31T12:00:00Z"


def _problems_of_login(option: str, login: Mapping[str, Any], errors: str) -> Iterator[str]:
    if not login["username"]:
        yield f"option '{option}' has no user name"
    if ":" in login["username"]:
        yield f"option '{option}' has a ':' in its user name, which the auth file format cannot express"
    if not _is_valid(f"{login['username']}{login.get('password')}", errors):
        yield f"option '{option}' has a user name or password that is not valid Unicode"


def _is_valid(text: str, errors: str) -> bool:
    try:
        text.encode("utf-8", errors)
    except UnicodeEncodeError:
        return False
    return True


def _problems_of_registries(registries: Any) -> Iterator[str]:
    if not registries:
        yield "option 'registries' is empty: name at least one registry"
    for key in registries:
        try:
            check_key("option 'registries'", key)
        except OptionError as error:
            yield str(error)
        if "*" in key:
            yield f"option 'registries': {key!r} is a glob; name the registries"
        if key.startswith("http://") and (instead := portable_key(key)):
            yield f"option 'registries' has {key!r}: a client's own settings decide about TLS, so write {instead!r}"


def _problems_of_repositories(repositories: Any, registries: Sequence[str]) -> Iterator[str]:
    """Yield invalid repositories. The logins are sent to their registries, so no other registry is allowed."""
    wanted = LoginReplacement(tuple(registries), UserPassword("", ""), UserPassword("", ""))
    for text in repositories:
        image = reference_of(text)
        if image is None or image.is_short:
            yield f"option 'verify_repositories': {text!r} is not a repository with its registry, such as quay.io/team/app"
        elif not wanted.is_in(image.repository):
            yield f"option 'verify_repositories': {text!r} is in none of the 'registries', so the logins are not for it"


def _end_of_login(new: Mapping[str, Any], hosts: list[str], now: float) -> float | None:
    """Return the expiry time of the new login: from the option, the token itself, or the lifetime of its kind. None if unknown."""
    if new.get("expires"):
        return seconds_of(new["expires"])
    told = expiry_of(new["password"])
    if told is not None:
        return told
    kinds = (kind_of(host, new["username"], new["password"]) for host in hosts)
    return min((now + kind.lifetime for kind in kinds if kind and kind.lifetime), default=None)
