# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find contradictory links that are declared for one namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from ...core.names import is_pattern
from ...declarations.declare import Contradiction
from .globs import can_overlap
from .plan import SaLink

__all__ = ["contradictions"]


@dataclass
class _DeclaredList:
    """The declarations for one list of an account: secrets, each with its first declaration, and the exclusive ones."""

    present: dict[str, int] = field(default_factory=dict)
    absent: dict[str, int] = field(default_factory=dict)
    exclusive: dict[frozenset[str], int] = field(default_factory=dict)


def contradictions(declared: Sequence[SaLink]) -> Iterator[Contradiction]:
    """Yield the contradictions: a secret both linked and unlinked, or linked to a list that another declaration has exclusively."""
    lists: dict[str, dict[str, _DeclaredList]] = {}
    for position, link in enumerate(declared):
        for key in link.lists:
            accounts = lists.setdefault(key, {})
            for account in link.service_accounts:
                for other in _overlapping_accounts(account, accounts):
                    yield from _find_conflicts(position, link, accounts[other], f"{key} of service account {account}")
                _add(position, link, accounts.setdefault(account, _DeclaredList()))


def _overlapping_accounts(account: str, known: dict[str, _DeclaredList]) -> list[str]:
    if is_pattern(account):
        return [other for other in known if can_overlap(account, other)]
    return [other for other in known if other == account or (is_pattern(other) and can_overlap(account, other))]


def _find_conflicts(position: int, link: SaLink, known: _DeclaredList, where: str) -> Iterator[Contradiction]:
    opposite, words = (known.absent, "linked and unlinked") if link.present else (known.present, "unlinked and linked")
    for secret in link.secrets:
        if opposite.get(secret, position) != position:
            yield Contradiction(opposite[secret], position, f"secret {secret} is both {words}, in {where}")
    if not link.present:
        return
    wanted = frozenset(link.secrets)
    for only, first in known.exclusive.items():
        if first != position and not wanted <= only:
            yield Contradiction(
                first, position, f"the first is exclusive, and the second links {_names(wanted - only)}, in {where}"
            )
    if link.exclusive:
        others = {
            secret: first for secret, first in known.present.items() if first != position and secret not in wanted
        }
        for first in dict.fromkeys(others.values()):
            linked = {secret for secret in others if others[secret] == first}
            yield Contradiction(
                first, position, f"the second is exclusive, and the first links {_names(linked)}, in {where}"
            )


def _add(position: int, link: SaLink, known: _DeclaredList) -> None:
    stated = known.present if link.present else known.absent
    for secret in link.secrets:
        stated.setdefault(secret, position)
    if link.exclusive:
        known.exclusive.setdefault(frozenset(link.secrets), position)


def _names(secrets: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(secrets))
