# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account, and the secret if necessary, decide which entries are removed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import INSTANCE, MANAGED_BY
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.ownership import Ownership
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.plan import Decision, Unlinking

PULL, MOUNT = "imagePullSecrets", "secrets"
NAME = "default-dockercfg-zzzzz"
REF = ObjectRef(SECRET, "project-a", NAME)
BY_NAME, EXCLUSIVE = Unlinking(by_name=True), Unlinking(by_name=False)
ONLY_MANAGED = Unlinking(by_name=True, only_managed=True)

STAYS = f"secret {NAME} stays linked to service account project-a/default: "
LABEL = "the label app.kubernetes.io/managed-by=openshift_ops.image_pull ('only_managed')"
READ = ", because it could not be read. Allow the caller to 'get' it, or run again"

REMOVED, KEPT = Decision(remove=True), Decision(remove=False)
TOLD = Decision(remove=False, note=f"{STAYS}the platform generated it for this account and would link it again")
UNKNOWN = Decision(remove=False, note=f"{STAYS}it is not known whether the platform generated it{READ}")
UNKNOWN_LABEL = Decision(remove=False, note=f"{STAYS}it is not known whether it has {LABEL}{READ}")
NOT_OURS = Decision(remove=False, note=f"{STAYS}it does not have {LABEL}")


def account(*pull: str, mount: tuple[str, ...] = (), named: str = "") -> dict[str, Any]:
    annotations = {"openshift.io/internal-registry-pull-secret-ref": named} if named else {}
    lists = {PULL: [{"name": name} for name in pull], MOUNT: [{"name": name} for name in mount]}
    return {"metadata": {"name": "default", "namespace": "project-a", "annotations": annotations}, **lists}


GENERATED = account(NAME, mount=(NAME,), named=NAME)
PRESUMED = account(NAME, mount=(NAME,))
UNCERTAIN = account(NAME)
OTHER = account("default-dockercfg-x7k2p", NAME, named="default-dockercfg-x7k2p")

THEIRS = {
    "type": "kubernetes.io/dockercfg",
    "metadata": {"annotations": {"openshift.io/internal-registry-auth-token.service-account": "default"}},
}
USERS = {"type": "kubernetes.io/dockerconfigjson", "metadata": {}}
OURS = {"type": "kubernetes.io/dockerconfigjson", "metadata": {"labels": MANAGED_BY}}
LABELLED_BY_HAND = {**THEIRS, "metadata": {**THEIRS["metadata"], "labels": MANAGED_BY}}
UNREAD: Any = "unread"


class TestMustBeRead:
    @pytest.mark.parametrize(
        ("found", "by_name", "exclusive", "only_managed"),
        [
            (GENERATED, False, False, False),
            (PRESUMED, True, False, True),
            (UNCERTAIN, True, True, True),
            (OTHER, False, False, True),
        ],
    )
    def test_a_secret_is_read_only_if_the_account_does_not_decide(
        self, found: Any, by_name: bool, exclusive: bool, only_managed: bool
    ) -> None:
        asked = [unlinking.must_be_read(found, PULL, NAME) for unlinking in (BY_NAME, EXCLUSIVE, ONLY_MANAGED)]
        assert asked == [by_name, exclusive, only_managed]

    def test_an_exclusive_list_of_an_ordinary_account_costs_nothing(self) -> None:
        for found in (GENERATED, PRESUMED, OTHER):
            assert not any(EXCLUSIVE.must_be_read(found, key, name) for key in (PULL, MOUNT) for name in (NAME, "team"))


class TestDecide:
    @pytest.mark.parametrize(
        ("found", "secret", "by_name", "exclusive", "only_managed"),
        [
            # The annotation alone decides.
            (GENERATED, UNREAD, TOLD, KEPT, TOLD),
            (GENERATED, USERS, TOLD, KEPT, TOLD),
            (GENERATED, OURS, TOLD, KEPT, TOLD),
            (GENERATED, None, TOLD, KEPT, TOLD),
            # An entry that only matches the pattern is looked up if it is named, and kept otherwise.
            (PRESUMED, UNREAD, UNKNOWN, KEPT, UNKNOWN),
            (PRESUMED, THEIRS, TOLD, KEPT, TOLD),
            (PRESUMED, USERS, REMOVED, KEPT, NOT_OURS),
            (PRESUMED, OURS, REMOVED, KEPT, REMOVED),
            (PRESUMED, None, REMOVED, KEPT, REMOVED),
            # Otherwise the secret decides.
            (UNCERTAIN, UNREAD, UNKNOWN, UNKNOWN, UNKNOWN),
            (UNCERTAIN, THEIRS, TOLD, KEPT, TOLD),
            (UNCERTAIN, LABELLED_BY_HAND, TOLD, KEPT, TOLD),
            (UNCERTAIN, USERS, REMOVED, REMOVED, NOT_OURS),
            (UNCERTAIN, OURS, REMOVED, REMOVED, REMOVED),
            (UNCERTAIN, None, REMOVED, REMOVED, REMOVED),
            (UNCERTAIN, "text", REMOVED, REMOVED, NOT_OURS),
            # A name that only looks similar belongs to a user or is stale.
            (OTHER, UNREAD, REMOVED, REMOVED, UNKNOWN_LABEL),
            (OTHER, THEIRS, REMOVED, REMOVED, NOT_OURS),
            (OTHER, LABELLED_BY_HAND, REMOVED, REMOVED, REMOVED),
            (OTHER, USERS, REMOVED, REMOVED, NOT_OURS),
            (OTHER, OURS, REMOVED, REMOVED, REMOVED),
            (OTHER, None, REMOVED, REMOVED, REMOVED),
        ],
    )
    def test_the_annotation_or_else_the_secret_decides(
        self, found: Any, secret: Any, by_name: Decision, exclusive: Decision, only_managed: Decision
    ) -> None:
        read = {} if secret is UNREAD else {REF: secret}
        decided = [unlinking.decide(found, PULL, REF, read) for unlinking in (BY_NAME, EXCLUSIVE, ONLY_MANAGED)]
        assert decided == [by_name, exclusive, only_managed]

    def test_a_token_counts_as_generated_only_on_the_mount_list(self) -> None:
        """On the pull list, a token never belongs to the platform."""
        name = "default-token-zzzzz"
        ref, found = ObjectRef(SECRET, "project-a", name), account(name, mount=(name,))
        assert BY_NAME.decide(found, PULL, ref, {}) == REMOVED
        assert BY_NAME.decide(found, MOUNT, ref, {}).remove is False


class TestOwner:
    @pytest.mark.parametrize(("owner", "removed"), [("a", True), ("", True), ("b", False)])
    def test_the_option_only_managed_keeps_links_to_the_secret_of_another_owner(
        self, owner: str, removed: bool
    ) -> None:
        secret = {"type": "kubernetes.io/dockerconfigjson", "metadata": {"labels": {**MANAGED_BY, INSTANCE: "a"}}}
        ref = ObjectRef(SECRET, "project-a", "quay")
        unlinking = Unlinking(by_name=True, only_managed=True, ownership=Ownership(owner))
        decision = unlinking.decide(account("quay"), PULL, ref, {ref: secret})
        note = "secret quay stays linked to service account project-a/default: it belongs to owner a ('only_managed')"
        assert decision == Decision(removed, "" if removed else note)
