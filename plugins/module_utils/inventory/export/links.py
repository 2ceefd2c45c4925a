# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Convert the lists of service accounts to links of secrets, and report entries that cannot be expressed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Union

from ...core.objects import SECRET, SERVICE_ACCOUNT, Json, ObjectRef, Objects, as_str
from ...core.protocols import Related
from ...platform.account_lists import LISTS, names_in
from ...platform.generated import Origin, is_generated, origin_of
from ...secrets.content import why_not_usable
from .findings import ExportedLinks, ExportedSecret, Findings, LeftOut
from .survey import NamespaceObjects

__all__ = ["arrange_links", "doubtful_secrets"]

#: The list of a service account for each purpose.
_GENERATED = LeftOut("generated_links")


@dataclass
class _Links:
    """The accounts that link one secret, by purpose."""

    pull: set[str] = field(default_factory=set)
    mount: set[str] = field(default_factory=set)

    def by_purpose(self) -> tuple[ExportedLinks, ...]:
        """Return the accounts, grouped by their purposes."""
        both = self.pull & self.mount
        parts = ((both, ("pull", "mount")), (self.pull - both, ("pull",)), (self.mount - both, ("mount",)))
        return tuple(ExportedLinks(tuple(sorted(accounts)), purpose) for accounts, purpose in parts if accounts)


def doubtful_secrets(namespace: str, seen: NamespaceObjects) -> Iterator[ObjectRef]:
    """Yield the secrets that accounts name, that are not of a pull type, and that must be read to know their kind."""
    for account in seen.accounts.values():
        for key in LISTS.values():
            for name in dict.fromkeys(names_in(account, key)):
                if name not in seen.secrets and not _is_platform_entry(account, key, name):
                    yield ObjectRef(SECRET, namespace, name)


def arrange_links(namespace: str, seen: NamespaceObjects, found: Related, findings: Findings) -> None:
    """Set the links of each secret, and record the links that no entry can express."""
    known = {secret.name: secret for secret in findings.secrets}
    links: dict[str, _Links] = {name: _Links() for name in known}
    for account_name, account in sorted(seen.accounts.items()):
        for purpose, key in LISTS.items():
            listed = _AccountList(namespace, account, key)
            for name in dict.fromkeys(listed.names):
                what = listed.why_not(name, seen, found, known)
                if what is None:
                    getattr(links[name], purpose).add(account_name)
                else:
                    findings.note(ObjectRef(SERVICE_ACCOUNT, namespace, account_name), what)
    findings.secrets = [
        _add_links(namespace, seen, secret, links[secret.name].by_purpose()) for secret in findings.secrets
    ]
    findings.order = dict(_order(seen.accounts, links))


@dataclass(frozen=True)
class _AccountList:
    """One list of an account."""

    namespace: str
    account: Json
    key: str

    @property
    def names(self) -> list[str]:
        return names_in(self.account, self.key)

    def why_not(
        self, name: str, seen: NamespaceObjects, found: Related, known: Mapping[str, ExportedSecret]
    ) -> Union[LeftOut, str, None]:
        """Return why no entry can express a link; None when one can."""
        if name in known:
            twice = self.names.count(name) > 1
            return f"{self.key} lists secret {name} more than once, which the module would clean up" if twice else None
        if _is_platform_entry(self.account, self.key, name):
            return _GENERATED
        ref = ObjectRef(SECRET, self.namespace, name)
        if name not in seen.secrets and ref not in found:
            return f"{self.key} lists secret {name}, which the caller may not read, so its type is unknown"
        secret = seen.secrets.get(name) or found.get(ref)
        if secret is None:
            return f"{self.key} lists secret {name}, which does not exist"
        if is_generated(self.account, secret):
            return _GENERATED
        if name in seen.secrets:
            return f"{self.key} lists secret {name}, which has no entry itself"
        return f"{self.key} lists secret {name} of type {as_str(secret.get('type')) or 'Opaque'}, which is not a pull secret"


def _is_platform_entry(account: Json, key: str, name: str) -> bool:
    return origin_of(account, key, name) in (Origin.GENERATED, Origin.PRESUMED)


def _add_links(
    namespace: str, seen: NamespaceObjects, secret: ExportedSecret, links: tuple[ExportedLinks, ...]
) -> ExportedSecret:
    """Return the secret with its links. An unusable secret is linked only if its entry requires no more than its existence."""
    is_pulled = any("pull" in each.link_for for each in links)
    useless = is_pulled and why_not_usable(ObjectRef(SECRET, namespace, secret.name), seen.secrets[secret.name])
    return replace(secret, links=links, require="existing" if useless else None)


def _order(accounts: Objects, links: Mapping[str, _Links]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Return the order of the linked secrets on each list."""
    for account_name, account in sorted(accounts.items()):
        for purpose, key in LISTS.items():
            listed = dict.fromkeys(names_in(account, key))
            names = [name for name in listed if name in links and account_name in getattr(links[name], purpose)]
            if len(names) > 1:
                yield (account_name, key), names
