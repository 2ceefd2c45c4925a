# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of service accounts as links of secrets: what entries can say of them, and what they cannot. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Union

from ...core.json_types import as_str
from ...core.objects import SECRET, SERVICE_ACCOUNT, Json, ObjectRef, Objects
from ...core.protocols import Related
from ...platform.account_lists import LISTS, names_in
from ...platform.generated import Origin, is_generated, origin_of
from ...secrets.content import DATA_KEYS
from ...secrets.usable import why_not_usable
from .findings import ExportedLinks, ExportedSecret, Findings, LeftOut
from .survey import NamespaceObjects

__all__ = ["arrange", "doubtful"]

#: Which list of a service account serves which purpose.
_GENERATED = LeftOut("generated_links")


@dataclass
class _Links:
    """Where one secret is linked: the accounts by purpose."""

    pull: set[str] = field(default_factory=set)
    mount: set[str] = field(default_factory=set)

    def found(self) -> tuple[ExportedLinks, ...]:
        """The accounts by what they are linked for."""
        both = self.pull & self.mount
        parts = ((both, ("pull", "mount")), (self.pull - both, ("pull",)), (self.mount - both, ("mount",)))
        return tuple(ExportedLinks(tuple(sorted(accounts)), purpose) for accounts, purpose in parts if accounts)


def doubtful(namespace: str, seen: NamespaceObjects) -> Iterator[ObjectRef]:
    """The secrets that accounts name, that are of no type for pulls, and of which the account alone does not tell what they are."""
    for account in seen.accounts.values():
        for key in LISTS.values():
            for name in dict.fromkeys(names_in(account, key)):
                if name not in seen.secrets and not _is_platforms_entry(account, key, name):
                    yield ObjectRef(SECRET, namespace, name)


def arrange(namespace: str, seen: NamespaceObjects, found: Related, findings: Findings) -> None:
    """Gives each of the secrets its links, and notes what they do not say."""
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
    findings.secrets = [_linked(namespace, seen, secret, links[secret.name].found()) for secret in findings.secrets]
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
        """Why no entry says a link; None when one does."""
        if name in known:
            twice = self.names.count(name) > 1
            return f"{self.key} lists secret {name} more than once, which the module would clean up" if twice else None
        if _is_platforms_entry(self.account, self.key, name):
            return _GENERATED
        ref = ObjectRef(SECRET, self.namespace, name)
        if name not in seen.secrets and ref not in found:
            return f"{self.key} lists secret {name}, which the caller may not read: it is not known what it is"
        secret = seen.secrets.get(name) or found.get(ref)
        if secret is None:
            return f"{self.key} lists secret {name}, which does not exist"
        if is_generated(self.account, secret):
            return _GENERATED
        if name in seen.secrets:
            return f"{self.key} lists secret {name}, which is in no entry itself"
        return (
            f"{self.key} lists secret {name} of type {as_str(secret.get('type')) or 'Opaque'}, which is no pull secret"
        )


def _is_platforms_entry(account: Json, key: str, name: str) -> bool:
    return origin_of(account, key, name) in (Origin.GENERATED, Origin.PRESUMED)


def _linked(
    namespace: str, seen: NamespaceObjects, secret: ExportedSecret, links: tuple[ExportedLinks, ...]
) -> ExportedSecret:
    """The secret with its links; one that no pod could use is linked only where the entry asks for no more than that it exists."""
    is_pulled = secret.type in DATA_KEYS and any("pull" in each.link_for for each in links)
    useless = is_pulled and why_not_usable(ObjectRef(SECRET, namespace, secret.name), seen.secrets[secret.name])
    return replace(secret, links=links, require="existing" if useless else None)


def _order(accounts: Objects, links: Mapping[str, _Links]) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """In which order each list has what entries link to it."""
    for account_name, account in sorted(accounts.items()):
        for purpose, key in LISTS.items():
            listed = dict.fromkeys(names_in(account, key))
            names = [name for name in listed if name in links and account_name in getattr(links[name], purpose)]
            if len(names) > 1:
                yield (account_name, key), names
