# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which secrets of a service account OpenShift generates, by annotation and by name. Pure."""

from __future__ import annotations

from ..core.objects import Json, metadata

__all__ = ["REFERENCE", "generated_names", "platforms_own"]

#: Names the generated pull secret of an account, from OpenShift 4.16 on.
REFERENCE = "openshift.io/internal-registry-pull-secret-ref"

_LISTS = ("imagePullSecrets", "secrets")


def generated_names(account: Json) -> list[str]:
    """The names in the account's pull list that may be its generated secret, the likeliest first."""
    listed = [entry.get("name", "") for entry in account.get("imagePullSecrets") or []]
    referenced = (metadata(account).get("annotations") or {}).get(REFERENCE)
    prefix = f"{metadata(account).get('name', '')}-dockercfg-"
    names = [name for name in listed if name == referenced]
    return list(dict.fromkeys([*names, *(name for name in listed if name.startswith(prefix))]))


def platforms_own(account: Json) -> frozenset[str]:
    """The names in the account's lists that OpenShift put there and would put there again.

    Since 4.16 an annotation tells the generated secret's name; before, only the form of the name does
    (openshift-controller-manager pkg/internalregistry/controllers and pkg/serviceaccounts/controllers).
    """
    meta = metadata(account)
    forms = (f"{meta.get('name', '')}-dockercfg-", f"{meta.get('name', '')}-token-")
    referenced = (meta.get("annotations") or {}).get(REFERENCE)
    listed = (name for key in _LISTS for entry in account.get(key) or [] for name in [entry.get("name", "")])
    return frozenset(name for name in listed if name and (name == referenced or name.startswith(forms)))
