# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules about the lists of service accounts. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.objects import Json, as_dict, as_list
from ...explain import fixes
from ...platform.account_lists import LISTS, duplicate_names, names_in
from ...platform.generated import Origin, how_to_renew, judge_account, origin_of
from .findings import Finding
from .survey import ClusterSnapshot, NamespaceSnapshot

__all__ = ["find_dangling_links", "find_duplicate_links", "find_unprovisioned_accounts"]


def find_dangling_links(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find entries without a secret. Generated entries are skipped: the platform repairs them."""
    for account, obj in place.accounts.items():
        ref = place.account_ref(account)
        for purpose, key in LISTS.items():
            for name in dict.fromkeys(names_in(obj, key)):
                if name in place.secrets or origin_of(obj, key, name) is not Origin.OTHER:
                    continue
                message = f"{ref} lists {name} in {key}, but there is no such secret"
                fix = fixes.unlink(place.namespace, account, name, purpose)
                yield Finding("link-dangling", ref, f"{key} {name}", message, fix)


def find_duplicate_links(place: NamespaceSnapshot, _survey: ClusterSnapshot) -> Iterator[Finding]:
    for account, obj in place.accounts.items():
        ref = place.account_ref(account)
        for name in duplicate_names(as_list(obj.get("imagePullSecrets"))):
            message = f"{ref} lists secret {name} more than once"
            fix = fixes.link_only(place.namespace, account, name)
            yield Finding("link-duplicate", ref, name, message, fix)


def find_unprovisioned_accounts(place: NamespaceSnapshot, survey: ClusterSnapshot) -> Iterator[Finding]:
    """Find accounts without a generated pull secret, if it is known that the platform generates pull secrets."""
    if survey.none_will_come != "":
        return
    secrets: dict[str, Json | None] = {name: secret.obj for name, secret in place.secrets.items()}
    for account, obj in place.accounts.items():
        verdict = judge_account(as_dict(obj), secrets)
        if verdict.missing:
            ref = place.account_ref(account)
            renew = f"; {how_to_renew(place.namespace, verdict.stale)}" if verdict.stale else ""
            message = f"{ref} cannot pull from the integrated registry: {verdict.missing}{renew}"
            # If the secret must be deleted first, waiting would take too long.
            fix = [] if verdict.stale else fixes.wait_for_account(place.namespace, account)
            yield Finding("account-not-provisioned", ref, "", message, fix)
