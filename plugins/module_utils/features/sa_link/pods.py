# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pods that were made before their service account listed a secret, and will never have it. Pure.

Admission copies the account's list into a pod when it is created, and only into a pod that brings no list of its own
(kubernetes plugin/pkg/admission/serviceaccount); a pod's list cannot be edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...core.changes import Change, delete
from ...core.objects import Json, Kind, ObjectRef, metadata
from .lists import names

__all__ = ["POD", "Lists", "PodWithout", "pods_without"]

POD = Kind("v1", "Pod", "pods", "pod")

_MIRROR = "kubernetes.io/config.mirror"
_CANNOT_PULL = ("ErrImagePull", "ImagePullBackOff")
_OVER = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Lists:
    """What a pod may have been given by its account: `known` is all that the account lists, `platforms` what of it is the
    platform's, which is there from the account's first moments on."""

    known: frozenset[str]
    platforms: frozenset[str]

    def gave(self, listed: Sequence[str]) -> bool:
        """Whether a pod's list can be a copy of the account's as it once was. In doubt it is taken for the pod's own."""
        return not listed or self.platforms <= set(listed) <= self.known


@dataclass(frozen=True)
class PodWithout:
    """A pod that lacks secrets. `has_own_list`: it, or its template, brought a list of its own, so no link ever reaches it.

    `waiting_reason` is why it does not start, empty when its images were pulled; `owner` is the controller that replaces it.
    """

    pod: Json
    account: str
    missing_secrets: tuple[str, ...]
    has_own_list: bool

    @property
    def name(self) -> str:
        return str(metadata(self.pod).get("name", ""))

    @property
    def owner(self) -> str:
        for reference in metadata(self.pod).get("ownerReferences") or []:
            if reference.get("controller"):
                return f"{reference.get('kind')} {reference.get('name')}"
        return ""

    @property
    def waiting_reason(self) -> str:
        status = self.pod.get("status") or {}
        containers = [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]
        reasons = [((container.get("state") or {}).get("waiting") or {}).get("reason") for container in containers]
        return next((reason for reason in reasons if reason in _CANNOT_PULL), "")

    @property
    def is_helped_by_restart(self) -> bool:
        """Whether it fails to pull, somebody makes it anew, and the new one will have the secrets."""
        return bool(self.waiting_reason and self.owner) and not self.has_own_list

    def report(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "service_account": self.account,
            "missing_secrets": list(self.missing_secrets),
            "owner": self.owner or None,
            "waiting_reason": self.waiting_reason or None,
            "has_own_list": self.has_own_list,
        }

    def restart(self, namespace: str) -> Change:
        """Its deletion, refused by the server when it is no longer the pod that was seen, or no longer in that state."""
        details = {"service_account": self.account, "owner": self.owner, "waiting_reason": self.waiting_reason}
        before = {**details, "imagePullSecrets": _listed(self.pod)}
        return delete(ObjectRef(POD, namespace, self.name), self.pod, details, before)


def pods_without(wanted: Sequence[str], accounts: Mapping[str, Lists], pods: Iterable[Json]) -> list[PodWithout]:
    """The pods of the accounts that lack a wanted secret."""
    found = []
    for pod in sorted(pods, key=lambda pod: str(metadata(pod).get("name"))):
        account, listed = _account(pod), _listed(pod)
        lacks = tuple(name for name in wanted if name not in listed)
        if account in accounts and lacks and not _is_out_of_question(pod):
            found.append(PodWithout(pod, account, lacks, has_own_list=not accounts[account].gave(listed)))
    return found


def _account(pod: Json) -> str:
    return (pod.get("spec") or {}).get("serviceAccountName") or "default"


def _listed(pod: Json) -> list[str]:
    return names((pod.get("spec") or {}).get("imagePullSecrets") or [])


def _is_out_of_question(pod: Json) -> bool:
    """It is over, or going, or made by a node from a file: admission gives such a pod nothing."""
    meta = metadata(pod)
    is_over = (pod.get("status") or {}).get("phase") in _OVER
    return bool(is_over or meta.get("deletionTimestamp") or _MIRROR in (meta.get("annotations") or {}))
