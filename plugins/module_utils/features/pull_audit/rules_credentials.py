# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the credentials themselves: how long they are valid, and where copies are. Pure. No message contains a credential."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from ...core.objects import SECRET, ObjectRef, as_list
from ...core.text import pluralize
from ...core.times import format_day
from ...dockerconfig.registry_keys import host_of
from ...explain import fixes
from ...platform.protected import NODE_SECRET, NODE_SECRET_COPY, BuildSecrets
from ...secrets.content import Match
from ...secrets.expiry import SKEW, CredentialKind, expiry_of, has_user_name, kind_of, lifetime_of
from .findings import Finding
from .survey import AuditedLogin, ClusterSnapshot, NamespaceSnapshot
from .trim import MATCHES

__all__ = [
    "BUILD_RULES",
    "SEARCH",
    "find_copies",
    "find_differing_copies",
    "find_expired_logins",
    "find_expiring_logins",
    "find_searched_credential",
    "find_short_lived_logins",
    "find_widespread_logins",
    "group_logins",
]

#: All copies of each login, by the host of the registry and the user.
Copies = Mapping[tuple[str, str], Sequence[AuditedLogin]]

#: The rules whose messages describe secrets for builds of node images.
BUILD_RULES = ("credential-found", "credential-in-many-places")
#: The rule that finds the searched credential.
SEARCH = "credential-found"

_DAY = 86_400.0


def find_expired_logins(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    for login in _logins_without_renewal(place):
        ends = expiry_of(login.password)
        kind = _kind(login)
        if ends is not None and ends + SKEW < survey.now:
            yield _login_finding(login, "credential-expired", f"expired on {format_day(ends)}")
        elif ends is None and kind and _is_over(login, kind, survey.now):
            written = format_day(login.secret.written)
            yield _login_finding(
                login,
                "credential-expired",
                f"is {kind.title}, which is valid for {lifetime_of(kind)}, and was written on {written}",
            )


def find_expiring_logins(place: NamespaceSnapshot, survey: ClusterSnapshot, days: int) -> Iterator[Finding]:
    for login in _logins_without_renewal(place):
        ends = expiry_of(login.password)
        if ends is not None and survey.now - SKEW <= ends <= survey.now + days * _DAY:
            yield _login_finding(login, "credential-expires", f"expires on {format_day(ends)}")


def find_short_lived_logins(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find logins of short-lived kinds. Expired logins, and tokens that contain their expiry time, are handled by other rules."""
    for login in _logins_without_renewal(place):
        kind = _kind(login)
        if kind and expiry_of(login.password) is None and not _is_over(login, kind, survey.now):
            lives = f"is valid for {lifetime_of(kind)}" if kind.lifetime else "expires with the job"
            yield _login_finding(login, "credential-short-lived", f"is {kind.title}, which {lives}")


def find_copies(survey: ClusterSnapshot) -> Copies:
    """Return the logins that are in more than one secret, as `logins_of`."""
    return {
        one: logins for one, logins in group_logins(survey).items() if len({login.secret.ref for login in logins}) > 1
    }


def group_logins(survey: ClusterSnapshot) -> Copies:
    """Return the logins that the platform did not generate, by host and user.

    If the user's name does not identify a user, each password counts as a different login.
    """
    found: dict[tuple[str, str], list[AuditedLogin]] = {}
    for place in survey.places.values():
        for secret in place.secrets.values():
            for login in () if secret.is_generated else secret.logins:
                found.setdefault(_identity(login), []).append(login)
    return found


def _identity(login: AuditedLogin) -> tuple[str, str]:
    host, user = host_of(login.key) or login.key, login.username
    return host, user if has_user_name(user, login.password) else f"{user}\0{login.password}"


def find_widespread_logins(every: Copies, builds: BuildSecrets) -> Iterator[Finding]:
    """Find logins in several namespaces, with one finding at the first secret. Copies in one namespace are `secret-duplicate`."""
    for (host, _user), logins in every.items():
        namespaces = {login.secret.namespace for login in logins}
        if len(namespaces) < 2:
            continue
        places = sorted({(login.secret.namespace, login.secret.name) for login in logins})
        other = len(logins) - max(Counter(login.password for login in logins).values())
        differ = f", {other} of them with another password" if other else ""
        first = min(logins, key=_place_of)
        used = _describe_builds([login.secret.ref for login in logins], builds)
        message = f"one login for {host} is in {len(places)} secrets of {len(namespaces)} namespaces{differ}{used}"
        yield Finding("credential-in-many-places", ObjectRef(SECRET, *places[0]), first.key, message)


def find_differing_copies(every: Copies) -> Iterator[Finding]:
    """Find each secret that does not have the most frequent password. Of equally frequent ones, the most recently written counts."""
    for (host, _user), logins in every.items():
        count = Counter(login.password for login in logins)
        newest: dict[str, float] = {}
        for login in logins:
            newest[login.password] = max(newest.get(login.password, 0.0), login.secret.written)
        usual = max(count, key=lambda password: (count[password], newest[password], password))
        for login in logins:
            if login.password == usual:
                continue
            others = pluralize(count[usual], "other entry", "other entries")
            message = f"{login.secret.ref} has a different password for a login for {host} than {others}"
            fix = fixes.add_registry(login.secret.namespace, login.secret.name, login.key)
            yield Finding("credential-copies-differ", login.secret.ref, login.key, message, fix)


def find_searched_credential(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    for secret in place.secrets.values():
        for where in as_list(secret.obj.get(MATCHES)):
            if isinstance(where, Match):
                other = "" if where.as_asked else ", but not as the login of that registry and user"
                builds = _describe_builds([secret.ref], survey.build_secrets)
                message = f"the searched credential is in {secret.ref}, at {where.location}{other}{builds}"
                yield Finding(SEARCH, secret.ref, where.location, message)


def _describe_builds(refs: Sequence[ObjectRef], builds: BuildSecrets) -> str:
    """Return how secrets of node image builds get a new login, as the end of a message. Empty if there are none."""
    if NODE_SECRET_COPY in refs:
        return f". The machine config operator copies {NODE_SECRET_COPY} from {NODE_SECRET}: change the login there"
    return next((f". {sentence}" for ref in refs if (sentence := builds.describe(ref))), "")


def _logins_without_renewal(place: NamespaceSnapshot) -> Iterator[AuditedLogin]:
    """Yield the logins that no controller and no platform renews."""
    for secret in place.secrets.values():
        if secret.is_for_pulls and not secret.is_written_by_others:
            yield from secret.logins


def _kind(login: AuditedLogin) -> CredentialKind | None:
    return kind_of(host_of(login.key), login.username, login.password)


def _is_over(login: AuditedLogin, kind: CredentialKind, now: float) -> bool:
    return bool(kind.lifetime and login.secret.written) and login.secret.written + kind.lifetime + SKEW < now


def _login_finding(login: AuditedLogin, rule: str, what: str) -> Finding:
    secret, key = login.secret, login.key
    fix = fixes.add_registry(secret.namespace, secret.name, key)
    return Finding(rule, secret.ref, key, f"the login for {key} in {secret.ref} {what}", fix)


def _place_of(login: AuditedLogin) -> tuple[str, str, str]:
    return login.secret.namespace, login.secret.name, login.key
