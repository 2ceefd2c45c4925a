# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kubelet that decides whether a container starts with the image of its node. It is written without the code of the collection.

Kubernetes 1.36 pkg/kubelet/images/pullmanager: MustAttemptImagePull and image_pull_policies.go. Version 1.35 compares an allow-list with the
image and its tag. CRI-O before 1.35.2 and 1.36.0 gives the kubelet another name for the image, so no record is ever found.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = [
    "ALLOWLISTED",
    "ALWAYS_VERIFY",
    "NEVER_VERIFY",
    "POLICIES",
    "PRELOADED",
    "Credential",
    "Kubelet",
    "PullRecord",
    "possible_records",
]

NEVER_VERIFY, PRELOADED, ALLOWLISTED, ALWAYS_VERIFY = (
    "NeverVerify",
    "NeverVerifyPreloadedImages",
    "NeverVerifyAllowlistedImages",
    "AlwaysVerify",
)
_ALLOW_LISTS = (("q.io/team/app",), ("q.io/*", "docker.io/*"), ("x.io/other",), ("app", "a.s.io/team/app"))
#: The policies with their allow-lists.
POLICIES: Sequence[tuple[str, tuple[str, ...]]] = (
    *((policy, ()) for policy in (NEVER_VERIFY, PRELOADED, ALWAYS_VERIFY)),
    *((ALLOWLISTED, listed) for listed in _ALLOW_LISTS),
)
#: A secret and its login.
Credential = tuple[str, str]


@dataclass(frozen=True)
class PullRecord:
    """The record of a pulled image. `is_for_all`: it was pulled without a login, or with that of the nodes."""

    is_for_all: bool = False
    secrets: frozenset[str] = frozenset()
    logins: frozenset[str] = frozenset()


def possible_records(credentials: Sequence[Credential]) -> Iterator[PullRecord | None]:
    """Yield the records that the node of a pod with these credentials can have. None if no kubelet has pulled the image."""
    yield None
    yield PullRecord(is_for_all=True)
    yield PullRecord(logins=frozenset({"of others"}))
    for secret, login in credentials:
        yield PullRecord(secrets=frozenset({secret}), logins=frozenset({login}))
        yield PullRecord(logins=frozenset({login}))


@dataclass(frozen=True)
class Kubelet:
    """A kubelet with the settings of its pool. Without a `policy`, it has its default."""

    version: str
    runtime: str
    policy: str = ""
    allow_list: tuple[str, ...] = ()

    def uses(self, image: str, credentials: Sequence[Credential], record: PullRecord | None) -> bool:
        """Whether it starts a container with the image that the node has, without a question to the registry."""
        policy = self.policy or PRELOADED
        if self.version == "v1.34.2" or policy == NEVER_VERIFY:
            return True
        found = record if self.runtime != "cri-o://1.35.1" else None
        if (policy == PRELOADED and found is None) or (policy == ALLOWLISTED and self._lists(image)):
            return True
        if found is None:
            return False
        return found.is_for_all or any(
            secret in found.secrets or login in found.logins for secret, login in credentials
        )

    def _lists(self, image: str) -> bool:
        text = image if self.version.startswith("v1.35") else image.rpartition(":")[0]
        return any(text.startswith(entry[:-1]) if entry.endswith("/*") else text == entry for entry in self.allow_list)

    @property
    def settings(self) -> dict[str, Any]:
        """The fields of its KubeletConfig."""
        listed = {"preloadedImagesVerificationAllowlist": [*self.allow_list]} if self.allow_list else {}
        return {**({"imagePullCredentialsVerificationPolicy": self.policy} if self.policy else {}), **listed}
