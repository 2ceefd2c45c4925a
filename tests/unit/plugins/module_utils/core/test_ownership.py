# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of this collection are recognized by their label alone."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import INSTANCE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.ownership import (
    Ownership,
    is_managed,
    is_owned_by,
    owner_of,
)
from support.objects import raised

LABEL = "app.kubernetes.io/managed-by"


class TestIsManaged:
    @pytest.mark.parametrize(
        ("metadata", "managed"),
        [
            ({"labels": {LABEL: "openshift_ops.image_pull"}}, True),
            ({"labels": {LABEL: "openshift_ops.image_pull", "team": "a"}}, True),
            ({"labels": {LABEL: "helm"}}, False),
            ({"labels": {}}, False),
            ({"labels": None}, False),
            ({"labels": [LABEL]}, False),
            ({"annotations": {LABEL: "openshift_ops.image_pull"}}, False),
            ({}, False),
            (None, False),
        ],
        ids=repr,
    )
    def test_an_object_is_managed_if_it_has_the_label(self, metadata: Any, managed: bool) -> None:
        assert is_managed({"metadata": metadata}) is managed


OURS = {LABEL: "openshift_ops.image_pull"}
#: The metadata of objects, and the owner that it names.
OWNERS: list[tuple[Any, str]] = [
    ({**OURS, INSTANCE: "a"}, "a"),
    (OURS, ""),
    ({INSTANCE: "a"}, ""),
    ({LABEL: "helm", INSTANCE: "a"}, ""),
    ({**OURS, INSTANCE: None}, ""),
    ({**OURS, INSTANCE: ["a"]}, ""),
    ({**OURS, INSTANCE: ""}, ""),
    (None, ""),
    ([INSTANCE], ""),
]
REF = ObjectRef(SECRET, "project-a", "quay")


def labelled(labels: Any) -> dict[str, Any]:
    return {"metadata": {"labels": labels}}


class TestOwner:
    @pytest.mark.parametrize(("labels", "owner"), OWNERS, ids=repr)
    def test_an_owner_needs_both_labels(self, labels: Any, owner: str) -> None:
        found = labelled(labels)
        assert owner_of(found) == owner
        assert is_owned_by(found, "a") is (owner == "a")
        assert not is_owned_by(found, "b")
        assert not is_owned_by(found, "")

    @pytest.mark.parametrize("owner", ["a", "team-a", "Team_A.1", "x" * 63])
    def test_a_label_value_is_a_valid_owner(self, owner: str) -> None:
        assert Ownership.of({"owner": owner}) == Ownership(owner)

    @pytest.mark.parametrize("owner", ["", " ", "a b", "-a", "a-", "a/b", "ä", "a\n", "x" * 64])
    @pytest.mark.parametrize("adopt", [False, True])
    def test_any_other_owner_is_refused(self, owner: str, adopt: bool) -> None:
        with pytest.raises(OptionError, match="option 'owner': .* cannot be the value of a label: use 1 to 63"):
            Ownership.of({"owner": owner, "adopt": adopt})

    @pytest.mark.parametrize(("owner", "end"), [("Team A", "digit. Write 'Team-A'"), ("a/b", "digit")])
    def test_the_owner_without_spaces_is_suggested(self, owner: str, end: str) -> None:
        with pytest.raises(OptionError) as refused:
            Ownership.of({"owner": owner})
        assert str(refused.value).endswith(f"letter or {end}")

    def test_adopt_needs_an_owner(self) -> None:
        assert Ownership.of({"owner": None, "adopt": False}) == Ownership.of({}) == Ownership()
        with pytest.raises(OptionError, match="option 'adopt' needs option 'owner'"):
            Ownership.of({"adopt": True})


class TestOwnership:
    def test_a_created_object_carries_the_owner(self) -> None:
        assert Ownership("a").labels == {INSTANCE: "a"}
        assert Ownership().labels == {}

    def test_an_object_of_another_owner_is_refused(self) -> None:
        found = labelled({**OURS, INSTANCE: "a"})
        assert raised(Refusal, lambda: Ownership("b").refuse_other(REF, found, adoptable=True)) == (
            "secret project-a/quay belongs to owner a and not to b (label app.kubernetes.io/instance), so it was not changed. Leave it to that "
            "owner, or take it over with 'adopt: true'"
        )
        with pytest.raises(Refusal, match="Leave it to that owner$"):
            Ownership("b", adopt=True).refuse_other(REF, found, adoptable=False)

    @pytest.mark.parametrize(
        ("who", "labels"),
        [
            (Ownership("a"), {**OURS, INSTANCE: "a"}),
            (Ownership(), {**OURS, INSTANCE: "a"}),
            (Ownership("b", adopt=True), {**OURS, INSTANCE: "a"}),
            *((Ownership("b"), labels) for labels, owner in OWNERS if not owner),
        ],
        ids=repr,
    )
    def test_an_object_without_another_owner_is_accepted(self, who: Ownership, labels: Any) -> None:
        who.refuse_other(REF, labelled(labels), adoptable=True)

    def test_adopt_reports_the_missing_labels(self) -> None:
        both = {**OURS, INSTANCE: "a"}
        assert Ownership("a", adopt=True).missing(labelled(both)) == {}
        assert Ownership("a", adopt=True).missing(labelled({LABEL: "helm", "x": "y"})) == both
        assert Ownership("a", adopt=True).missing(labelled({**OURS, INSTANCE: "b"})) == {INSTANCE: "a"}
        assert Ownership("a").missing(labelled({})) == {}
