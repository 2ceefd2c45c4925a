# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the content of pull secrets, each on its own. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from ...core.objects import as_dict, as_list, as_str
from ...core.text import summarize
from ...dockerconfig.node_reading import is_login_for
from ...dockerconfig.registry_keys import (
    can_be_shown,
    key_warnings,
    portable_key,
    same_path,
    why_never_used,
    without_user,
)
from ...explain import fixes
from ...explain.lookup import ReadRequired
from ...explain.steps.mirrors import mirrors_of
from ...explain.steps.providers import crio_provider_for
from ...images.references import reference_of
from ...platform.protected import is_for_node_builds, is_global
from ...secrets.content import DATA_KEYS, PODMANCONFIGJSON
from .findings import Finding
from .survey import AuditedSecret, ClusterSnapshot, NamespaceSnapshot

__all__ = [
    "find_broad_keys",
    "find_duplicate_secrets",
    "find_unmatched_keys",
    "find_unparsable_secrets",
    "find_unread_types",
    "find_unused_secrets",
]


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
        yield Finding("secret-unparsable", secret.ref, "", message, _remove_bad_entries(secret))


def _remove_bad_entries(secret: AuditedSecret) -> list[fixes.Fix]:
    """Return tasks that remove the bad entries or, if the content has other problems, write the whole secret again."""
    bad = [key for key in secret.stored.known.entries if key not in secret.reading.logins and can_be_shown(key)]
    if bad and len(bad) == len(secret.reading.problems):
        return fixes.remove_registry(secret.namespace, secret.name, *bad)
    host = next(iter([*bad, *filter(can_be_shown, secret.reading.logins)]), fixes.REGISTRY)
    return fixes.rewrite_secret(secret.namespace, secret.name, host)


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


def find_unused_secrets(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find unused secrets. Image imports use any secret of the namespace, so with an importing image stream no secret is unused."""
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


def find_duplicate_secrets(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    first: dict[frozenset[tuple[str, str, str]], AuditedSecret] = {}
    for secret in sorted(_custom_secrets(place), key=lambda each: (each.name not in place.named, each.name)):
        logins = frozenset((same_path(one.key), one.username, one.password) for one in secret.logins)
        if not logins or not secret.is_read:
            continue
        kept = first.setdefault(logins, secret)
        if kept is not secret:
            message = f"{secret.ref} holds the same logins as secret {kept.name}"
            yield Finding("secret-duplicate", secret.ref, "", message, _merge_tasks(place, kept, secret))


def _merge_tasks(place: NamespaceSnapshot, kept: AuditedSecret, other: AuditedSecret) -> list[fixes.Fix]:
    """Return tasks that keep one secret, or none if a pod or template lists the other one, because this collection does not change pods."""
    used = {name for _ref, spec in place.specs() for name in map(_name, as_list(spec.get("imagePullSecrets")))}
    if other.name in used:
        return []
    accounts = [account for account, names in place.listed.items() if other.name in names]
    tasks = []
    for account in accounts:
        tasks += fixes.link(place.namespace, account, kept.name)
        tasks += fixes.unlink(place.namespace, account, other.name)
    return [*tasks, *fixes.remove_secret(place.namespace, other.name)]


def _name(entry: object) -> str:
    return as_str(as_dict(entry).get("name"))


def _has_imports(stream: object) -> bool:
    """Whether a tag of the image stream comes from another registry."""
    tags = map(as_dict, as_list(as_dict(as_dict(stream).get("spec")).get("tags")))
    return any(as_dict(tag.get("from")).get("kind") == "DockerImage" for tag in tags)


def _custom_secrets(place: NamespaceSnapshot) -> Iterator[AuditedSecret]:
    """Return the secrets that a node reads and the platform does not generate."""
    return (secret for secret in place.secrets.values() if secret.is_read and not secret.is_generated)


_SHOWN = 5
