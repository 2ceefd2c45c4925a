# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decide which unwanted entries of a service account are removed. Pure.

The platform's entry is kept, because the platform would restore it. `platform.generated` decides whether an entry is the platform's.
This module decides when to read the secret for that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from ...core.changes import MANAGED_BY
from ...core.objects import Json, ObjectRef, as_dict, metadata
from ...core.ownership import Ownership, is_managed
from ...core.protocols import Related
from ...platform.generated import Origin, is_generated, origin_of

__all__ = ["Decision", "Unlinking"]

_LABEL = "=".join(*MANAGED_BY.items())


class Decision(NamedTuple):
    """Whether an entry is removed. `note` explains why it is not."""

    remove: bool
    note: str = ""


@dataclass(frozen=True)
class Unlinking:
    """`by_name`: the user named the secrets (state absent), rather than all others (exclusive).

    `only_managed`: remove only secrets that have our label and no other owner, or do not exist.
    """

    by_name: bool
    only_managed: bool = False
    ownership: Ownership = field(default_factory=Ownership)

    def must_be_read(self, account: Json, key: str, name: str) -> bool:
        """Whether the secret must be read to decide if the entry `name` of the list `key` is removed."""
        return self._is_open(origin_of(account, key, name))

    def decide(self, account: Json, key: str, secret: ObjectRef, found: Related) -> Decision:
        """Decide whether to remove the entry `secret.name` of the list `key`. `found` has the objects that were read."""
        origin, who = origin_of(account, key, secret.name), _title(account, secret)
        if self._is_restored(origin):
            return self._keep(who)
        if not self._is_open(origin):
            return Decision(remove=True)
        if secret not in found:
            unknown = f"{who}: {self._unknown(origin)}, because it could not be read. Allow the caller to 'get' it, or run again"
            return Decision(remove=False, note=unknown)
        observed = found[secret]
        if observed is None:
            return Decision(remove=True)
        if origin is not Origin.OTHER and is_generated(account, as_dict(observed)):
            return self._keep(who)
        if self.only_managed and not is_managed(as_dict(observed)):
            return Decision(remove=False, note=f"{who}: it does not have the label {_LABEL} (only_managed)")
        if self.only_managed and (other := self.ownership.other(as_dict(observed))):
            return Decision(remove=False, note=f"{who}: it belongs to owner {other} (only_managed)")
        return Decision(remove=True)

    def _is_open(self, origin: Origin) -> bool:
        return not self._is_restored(origin) and (self.only_managed or origin is not Origin.OTHER)

    def _is_restored(self, origin: Origin) -> bool:
        """Whether the account alone shows that the platform would restore the entry. For named secrets, a presumption is not enough."""
        return origin is Origin.GENERATED or (origin is Origin.PRESUMED and not self.by_name)

    def _keep(self, who: str) -> Decision:
        note = f"{who}: the platform generated it for this account and would link it again"
        return Decision(remove=False, note=note if self.by_name else "")

    def _unknown(self, origin: Origin) -> str:
        if origin is Origin.OTHER:
            return f"it is not known whether it has the label {_LABEL} (only_managed)"
        return "it is not known whether the platform generated it"


def _title(account: Json, secret: ObjectRef) -> str:
    name = metadata(account).get("name")
    return f"secret {secret.name} stays linked to service account {secret.namespace}/{name}"
