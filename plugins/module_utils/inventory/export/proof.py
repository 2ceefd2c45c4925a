# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check with the features that apply an entry whether it would change the objects that it describes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...core.errors import ImagePullError
from ...core.objects import SECRET, ObjectRef
from ...core.protocols import NOTHING_RELATED, Desired, Plan, Related
from ...features.image_puller_grant.plan import ImagePullerGrant
from ...features.pull_secret.plan import PullSecret
from ...features.sa_link.plan import SaLink
from ...platform.account_lists import LISTS
from ...secrets.content import DATA_KEYS, Target
from ...secrets.metadata import SecretMetadata
from .findings import ExportedGrant, ExportedSecret
from .survey import NamespaceObjects

__all__ = ["ExportCheck"]


@dataclass(frozen=True)
class ExportCheck:
    """Each method returns why applying a part of the findings would change the namespace; empty when it would not."""

    namespace: str
    seen: NamespaceObjects
    found: Related

    def of_secret(self, secret: ExportedSecret) -> str:
        kept = SecretMetadata(immutable=True if secret.immutable else None)
        target = Target(secret.type, DATA_KEYS[secret.type])
        desired = PullSecret(secret.name, target, "replace", secret.auth_file, secret_metadata=kept)
        return self._why(desired, self.seen.secrets)

    def of_links(self, secret: ExportedSecret) -> str:
        related = {ObjectRef(SECRET, self.namespace, secret.name): self.seen.secrets.get(secret.name)}
        require = secret.require or "usable"
        for links in secret.links:
            lists = tuple(key for purpose, key in LISTS.items() if purpose in links.link_for)
            desired = SaLink((secret.name,), links.service_accounts, lists, present=True, require=require)
            if why := self._why(desired, self.seen.accounts, related):
                return why
        return ""

    def of_grant(self, grant: ExportedGrant) -> str:
        desired = ImagePullerGrant(grant.subjects, grant.role, grant.binding_name, present=True)
        return self._why(desired, self.seen.bindings, self.found)

    def _why(self, desired: Desired, objects: Mapping[str, Any], found: Related = NOTHING_RELATED) -> str:
        try:
            plan = desired.plan(self.namespace, objects, found)
        except ImagePullError as error:
            return str(error)
        return f"an entry for it would change it: {_describe_plan(plan)}" if plan.changes or plan.waiting_for else ""


def _describe_plan(plan: Plan) -> str:
    waits = [f"it waits for {awaited.what}" for awaited in plan.waiting_for]
    return "; ".join([*(f"{change.action} {change.ref}" for change in plan.changes), *waits])
