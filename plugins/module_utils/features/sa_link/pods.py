# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find pods that were created before their service account listed a secret, and so never get it. Pure.

Admission copies the account's list into a new pod, and only into a pod without a list of its own (kubernetes
plugin/pkg/admission/serviceaccount). The list of an existing pod cannot be edited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ...core.changes import Change, delete
from ...core.objects import POD, Json, ObjectRef, as_dict, as_list, as_str, metadata, pick
from ...platform.account_lists import entry_names
from ...platform.protected import controller_of

_KEY = "imagePullSecrets"
_MIRROR = "kubernetes.io/config.mirror"
_CANNOT_PULL = ("ErrImagePull", "ImagePullBackOff")
_FINISHED = ("Succeeded", "Failed")

_CONTAINERS = ("initContainerStatuses", "containerStatuses")
_OF_METADATA = ("name", "namespace", "uid", "resourceVersion", "deletionTimestamp", "ownerReferences")


def _trim_pod(pod: Json) -> Json:
    """Return the parts of a pod that are used below, about a tenth, because thousands are held in memory."""
    meta, status = metadata(pod), as_dict(pod.get("status"))
    states = {
        part: [{"state": as_dict(container).get("state")} for container in as_list(status.get(part))]
        for part in _CONTAINERS
    }
    mirror = pick(as_dict(meta.get("annotations")), _MIRROR)
    return {
        "metadata": {**pick(meta, *_OF_METADATA), "annotations": mirror},
        "spec": pick(as_dict(pod.get("spec")), "serviceAccountName", _KEY),
        "status": {**pick(status, "phase"), **states},
    }


TRIMMED_POD = replace(POD, trim=_trim_pod)


@dataclass(frozen=True)
class AccountPullList:
    """The pull list of a service account, now and before: `known` are all its entries, `generated` those that the platform adds right
    after the account's creation."""

    known: frozenset[str]
    generated: frozenset[str]

    def may_have_been_copied_as(self, listed: Sequence[str]) -> bool:
        """Whether a pod's list can be a copy of an earlier list of the account. In doubt it is the pod's own."""
        return not listed or self.generated <= set(listed) <= self.known


@dataclass(frozen=True)
class PodMissingSecrets:
    """A pod that lacks secrets. `has_own_list`: the pod or its template has its own list, so links of the account do not apply."""

    pod: Json
    account: str
    missing_secrets: tuple[str, ...]
    has_own_list: bool

    @property
    def name(self) -> str:
        return as_str(metadata(self.pod).get("name"))

    @property
    def owner(self) -> str:
        """Return the controller that replaces the pod, such as `ReplicaSet app-6d4cf56db6`; empty if there is none."""
        return controller_of(self.pod)

    @property
    def waiting_reason(self) -> str:
        """Return why it does not start: `ErrImagePull` or `ImagePullBackOff`. Empty if no pull fails."""
        status = as_dict(self.pod.get("status"))
        containers = [container for part in _CONTAINERS for container in as_list(status.get(part))]
        states = (as_dict(as_dict(container).get("state")) for container in containers)
        reasons = (as_dict(state.get("waiting")).get("reason") for state in states)
        return next((reason for reason in reasons if reason in _CANNOT_PULL), "")

    @property
    def recovers_by_restart(self) -> bool:
        """Whether it fails to pull, and its controller would replace it with a pod that has the secrets."""
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
        """Return its deletion. The server refuses it if the pod was replaced or has changed since it was read."""
        details = {"service_account": self.account, "owner": self.owner, "waiting_reason": self.waiting_reason}
        before = {**details, _KEY: _listed_secrets(self.pod)}
        return delete(ObjectRef(TRIMMED_POD, namespace, self.name), self.pod, details, before)


def pods_missing_secrets(
    wanted: Sequence[str], accounts: Mapping[str, AccountPullList], pods: Iterable[Json]
) -> list[PodMissingSecrets]:
    """Return the pods of the accounts that lack a wanted secret, by name."""
    found = []
    for pod in map(as_dict, pods):
        account, listed = _account(pod), _listed_secrets(pod)
        missing = tuple(name for name in wanted if name not in listed)
        if account in accounts and missing and not _is_excluded(pod):
            has_own_list = not (_is_readable(pod) and accounts[account].may_have_been_copied_as(listed))
            found.append(PodMissingSecrets(pod, account, missing, has_own_list))
    return sorted(found, key=lambda pod: pod.name)


def _account(pod: Json) -> str:
    return as_str(as_dict(pod.get("spec")).get("serviceAccountName")) or "default"


def _listed_secrets(pod: Json) -> list[str]:
    return entry_names(as_list(as_dict(pod.get("spec")).get(_KEY)))


def _is_readable(pod: Json) -> bool:
    """Whether the list of the pod is a valid one. An invalid list may be the pod's own."""
    return isinstance(as_dict(pod.get("spec")).get(_KEY), (list, type(None)))


def _is_excluded(pod: Json) -> bool:
    """Whether the pod has finished, is being deleted, or mirrors a static pod, to which admission adds nothing."""
    meta = metadata(pod)
    is_finished = as_dict(pod.get("status")).get("phase") in _FINISHED
    is_mirror = _MIRROR in as_dict(meta.get("annotations"))
    return bool(not as_str(meta.get("name")) or is_finished or meta.get("deletionTimestamp") or is_mirror)
