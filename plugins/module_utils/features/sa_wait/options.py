# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read the options of `sa_wait`. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.errors import OptionError
from ...core.names import check_name, check_names, check_namespace

__all__ = ["Accounts", "from_options"]


@dataclass(frozen=True)
class Accounts:
    """The accounts to wait for: the same `names` in every namespace, or those that `given` lists for each."""

    names: tuple[str, ...] = ()
    given: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def namespaces(self) -> Sequence[str] | None:
        """Return the namespaces of the given accounts; None if the accounts are names only."""
        return list(self.given) if self.given else None

    def __call__(self, namespaces: Sequence[str]) -> dict[str, Sequence[str]]:
        """Return the account names for each of the namespaces."""
        return {namespace: self.given.get(namespace, self.names) for namespace in namespaces}


def from_options(options: Mapping[str, Any]) -> Accounts:
    """Return the accounts. :raises OptionError: when no account is given, or a name is invalid."""
    if options["accounts"] is None:
        return Accounts(check_names("service_accounts", options["service_accounts"]))
    return Accounts(given=_group_by_namespace(options["accounts"]))


def _group_by_namespace(accounts: Iterable[Mapping[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for account in accounts:
        check_namespace("accounts", account["namespace"])
        check_name("accounts", account["name"])
        found.setdefault(account["namespace"], {})[account["name"]] = None
    if not found:
        raise OptionError("option 'accounts' is empty: give at least one")
    return {namespace: tuple(names) for namespace, names in found.items()}
