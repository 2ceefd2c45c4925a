# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the content of pull secrets and about their credentials. No message contains a credential. Pure.

The labels are made with a key (HMAC) that is not stored: without the key, passwords cannot be tried against them.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ...core.objects import SECRET, ObjectRef, as_dict, as_list
from ...core.text import pluralize, summarize
from ...core.times import format_day
from ...dockerconfig.credential_entry import is_login_for
from ...dockerconfig.registry_keys import (
    can_be_shown,
    host_of,
    key_warnings,
    keyring_key,
    portable_key,
    why_never_used,
    without_user,
)
from ...explain import fixes
from ...explain.lookup import ReadRequired
from ...explain.snapshot import MATCHES, AuditedLogin, AuditedSecret, ClusterSnapshot, NamespaceSnapshot
from ...explain.steps.mirrors import mirrors_of
from ...explain.steps.providers import crio_provider_for
from ...images.references import reference_of
from ...platform.account_lists import LISTS, names_in
from ...platform.protected import NODE_SECRET, NODE_SECRET_COPY, BuildSecrets, is_for_node_builds, is_global
from ...secrets.content import DATA_KEYS, PODMANCONFIGJSON, Match
from ...secrets.expiry import SKEW, CredentialKind, expiry_of, has_user_name, kind_of, lifetime_of
from .findings import Finding


def find_unread_types(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find logins in unread types. Types other than Podman's count only if the secret is meant for pulls: by its data key, or a list."""
    for secret in place.secrets.values():
        if secret.is_read or not secret.logins:
            continue
        who = place.named_for_pulls.get(secret.name, "")
        if not (who or secret.stored.type == PODMANCONFIGJSON or secret.stored.key in DATA_KEYS.values()):
            continue
        listed = f", and {who} lists it" if who else ""
        hosts = summarize([login.key for login in secret.logins], _SHOWN)
        message = (
            f"{secret.ref} holds logins for {hosts}, but has type {secret.stored.type}, which no node reads{listed}"
        )
        fix = fixes.convert_secret(place.namespace, secret.name, secret.logins[0].key)
        yield Finding("secret-type-unread", secret.ref, "", message, fix)


def find_unparsable_secrets(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for secret in place.secrets.values():
        problems = () if secret.is_generated else secret.reading.problems
        if not problems or is_global(secret.ref):  # another rule is about the pull secret of the nodes
            continue
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        message = f"{secret.ref} stops every pull of a pod that lists it, because {problems[0]}{more}"
        host = next(filter(can_be_shown, [*secret.stored.known.entries, *secret.reading.logins]), fixes.REGISTRY)
        has_logins = bool(secret.reading.logins)
        fix = fixes.repair_content(place.namespace, secret.name, secret.stored.bad_keys, host, has_logins=has_logins)
        yield Finding("secret-unparsable", secret.ref, "", message, fix)


def find_unmatched_keys(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for secret in _custom_secrets(place):
        for key in secret.keys:
            why = why_never_used(key)
            if not why:
                continue
            shown, instead = without_user(key), portable_key(key)
            right = fixes.add_registry(place.namespace, secret.name, instead) if instead else []
            drop = fixes.remove_registry(place.namespace, secret.name, key) if can_be_shown(key) else []
            message = f"{secret.ref} has a key that no node uses: {why.replace(repr(key), repr(shown))}"
            yield Finding("secret-key-never-matches", secret.ref, shown, message, [*right, *drop])


def find_broad_keys(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for secret in _custom_secrets(place):
        for warning in key_warnings([without_user(key) for key in secret.keys if not why_never_used(key)]):
            about = warning.partition("'")[2].partition("'")[0]
            yield Finding("secret-key-matches-too-much", secret.ref, about, f"{secret.ref}: {warning}")


def find_unused_secrets(
    place: NamespaceSnapshot, survey: ClusterSnapshot, declares: Callable[[ObjectRef], bool]
) -> Iterator[Finding]:
    """Find unused secrets, except those that the inventory declares: their links may be missing.

    Image imports use any secret of the namespace, so with an importing image stream no secret is unused.
    """
    if any(_has_imports(stream) for stream in place.streams):
        return
    provided = _provided_secrets(place, survey)
    for secret in place.secrets.values():
        if (
            not secret.is_for_pulls
            or secret.name in place.named
            or secret.is_written_by_others
            or is_global(secret.ref)
            or is_for_node_builds(secret.ref)
            or secret.name in provided
            or declares(secret.ref)
        ):
            continue
        message = f"no service account, pod, workload or build of namespace {place.namespace} references {secret.ref}"
        yield Finding("secret-unused", secret.ref, "", message, fixes.remove_secret(place.namespace, secret.name))


def _provided_secrets(place: NamespaceSnapshot, survey: ClusterSnapshot) -> frozenset[str]:
    """The secrets that nodes use, or may use, through CRI-O's credential provider: nothing references them."""
    found: set[str] = set()
    for access in survey.accesses.get(place.namespace, ()):
        reference = reference_of(access.subject.image)
        with suppress(ReadRequired):  # an explanation that failed earlier did not ask for it
            mirrors = mirrors_of(reference, survey.evidence) if reference is not None else None
            if reference is None or mirrors is None:
                continue
            provider = crio_provider_for(access.subject, reference, mirrors, survey.evidence)
            if provider is not None and (not provider.refusal or provider.has_old_nodes):
                found.update(
                    secret.name
                    for secret in place.secrets.values()
                    if any(is_login_for(one.key, reference.repository, mirrors.locations) for one in secret.logins)
                )
    return frozenset(found)


def find_duplicate_secrets(
    place: NamespaceSnapshot, _survey: ClusterSnapshot, declares: Callable[[ObjectRef], bool]
) -> Iterator[Finding]:
    first: dict[frozenset[tuple[str, str, str]], AuditedSecret] = {}
    for secret in sorted(
        _custom_secrets(place), key=lambda each: (not declares(each.ref), each.name not in place.named, each.name)
    ):
        # As the kubelet reads the keys: other spellings of a registry can be for other images, or for none.
        logins = frozenset((keyring_key(one.key) or one.key, one.username, one.password) for one in secret.logins)
        if secret.reading.problems or not any(user and password for _key, user, password in logins):
            continue
        kept = first.setdefault(logins, secret)
        if kept is not secret:
            message = f"{secret.ref} holds the same logins as secret {kept.name}"
            fix = [] if declares(secret.ref) else _merge_tasks(place, kept, secret)
            yield Finding("secret-duplicate", secret.ref, "", message, fix)


def _merge_tasks(place: NamespaceSnapshot, kept: AuditedSecret, other: AuditedSecret) -> list[fixes.Fix]:
    """Return tasks that keep one secret, or none if a pod or template lists the other one, because this collection does not change pods, if
    something uses or writes it, or if that is not known."""
    used = {name for _ref, spec in place.specs() for name in names_in(spec, "imagePullSecrets")}
    used.update(name for _ref, name in place.mounting())
    used.update(name for account in place.accounts.values() for name in names_in(account, LISTS["mount"]))
    if other.name in used or other.is_written_by_others or place.unread:
        return []
    accounts = [account for account, names in place.listed.items() if other.name in names]
    tasks = []
    for account in accounts:
        tasks += fixes.link(place.namespace, account, kept.name)
        tasks += fixes.unlink(place.namespace, account, other.name)
    return [*tasks, *fixes.remove_secret(place.namespace, other.name)]


def _has_imports(stream: object) -> bool:
    """Whether a tag of the image stream comes from another registry."""
    tags = map(as_dict, as_list(as_dict(as_dict(stream).get("spec")).get("tags")))
    return any(as_dict(tag.get("from")).get("kind") == "DockerImage" for tag in tags)


def _custom_secrets(place: NamespaceSnapshot) -> Iterator[AuditedSecret]:
    """Return the secrets that a node reads and the platform does not generate."""
    return (secret for secret in place.secrets.values() if secret.is_read and not secret.is_generated)


_SHOWN = 5


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
            yield _login_finding(login, "credential-expired", f"expired on {format_day(ends)}", ends)
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
            yield _login_finding(login, "credential-expires", f"expires on {format_day(ends)}", ends)


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
            yield Finding("credential-copies-differ", login.secret.ref, login.key, message, _renew(login))


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


def _login_finding(login: AuditedLogin, rule: str, what: str, expires: float | None = None) -> Finding:
    secret, key = login.secret, login.key
    message = f"the login for {key} in {secret.ref} {what}"
    return Finding(rule, secret.ref, key, message, _renew(login), expires=expires)


def _renew(login: AuditedLogin) -> list[fixes.Fix]:
    """A task that writes another login. A secret whose type no node reads has a finding and a task of its own."""
    return fixes.add_registry(*_place_of(login)) if login.secret.is_read else []


def _place_of(login: AuditedLogin) -> tuple[str, str, str]:
    return login.secret.namespace, login.secret.name, login.key


_LENGTH = 16


def label_logins(every: Copies, key: bytes) -> list[dict[str, Any]]:
    """Return a row for each secret of each login: `registry`, `login` and `password` (labels), `namespace` and `secret`."""
    rows = [
        {
            "registry": login.key,
            "login": _label(key, "login", host, user),
            "password": _label(key, "password", login.password),
            "namespace": login.secret.namespace,
            "secret": login.secret.name,
        }
        for (host, user), logins in every.items()
        for login in logins
    ]
    return sorted(rows, key=lambda row: (row["namespace"], row["secret"], row["registry"]))


def _label(key: bytes, *parts: str) -> str:
    message = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hmac.new(key, message, hashlib.sha256).hexdigest()[:_LENGTH]
