# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change sends and reports only the differences, and nothing is written that was not read before."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    MANAGED_BY,
    NOTHING_RELATED,
    Change,
    Entry,
    create,
    delete,
    replace,
    restore,
    update,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef

REF = ObjectRef(SECRET, "a", "pull")

OBSERVED = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "pull", "namespace": "a", "uid": "u", "resourceVersion": "7", "labels": {"team": "red"},
                 "annotations": {"note": "n"}, "ownerReferences": [{"name": "owner"}], "managedFields": [],
                 "creationTimestamp": "then"},
    "type": "Opaque",
    "data": {"k": "b2xk"},
}  # fmt: skip


class TestCreate:
    def test_a_created_object_is_labelled_as_ours(self) -> None:
        body = {"metadata": {"labels": {"team": "red"}, "annotations": {"note": "n"}}, "type": "t"}
        change = create(REF, body, {"why": 1}, {"after": 1})
        assert (change.action, change.ref, change.details, change.before, change.after) == (
            "create",
            REF,
            {"why": 1},
            {},
            {"after": 1},
        )
        assert change.body == {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "pull",
                "namespace": "a",
                "labels": {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "team": "red"},
                "annotations": {"note": "n"},
            },
            "type": "t",
        }

    def test_a_requested_label_wins_over_ours(self) -> None:
        label = {"app.kubernetes.io/managed-by": "them"}
        assert create(REF, {"metadata": {"labels": label}}, {}, {}).body["metadata"]["labels"] == label


class TestUpdate:
    def test_an_update_is_bound_to_the_version_that_was_read(self) -> None:
        patch = {"metadata": {"labels": {"a": "b"}}, "data": {"k": "bmV3"}}
        change = update(REF, OBSERVED, patch, {"why": 1}, before={"b": 1}, after={"a": 1})
        assert change == Change(
            "update",
            REF,
            {"metadata": {"labels": {"a": "b"}, "resourceVersion": "7"}, "data": {"k": "bmV3"}},
            {"why": 1},
            {"b": 1},
            {"a": 1},
        )
        assert patch["metadata"] == {"labels": {"a": "b"}}


class TestDelete:
    def test_a_deletion_is_bound_to_the_uid_and_version_that_were_read(self) -> None:
        preconditions = {"uid": "u", "resourceVersion": "7"}
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions}
        assert delete(REF, OBSERVED, {"why": 1}, {"b": 1}) == Change("delete", REF, body, {"why": 1}, {"b": 1}, {})

    def test_a_missing_uid_is_not_sent_as_null(self) -> None:
        body = delete(REF, {"metadata": {"resourceVersion": "7"}}, {}, {}).body
        assert body["preconditions"] == {"resourceVersion": "7"}


class TestWithoutAVersion:
    @pytest.mark.parametrize(
        "meta", [{}, None, {"resourceVersion": None}, {"resourceVersion": ""}, {"resourceVersion": 7}]
    )
    def test_an_object_without_a_version_is_not_changed(self, meta: Any) -> None:
        with pytest.raises(Refusal, match="^secret a/pull was read without a resourceVersion, so it cannot be changed"):
            update(REF, {"metadata": meta}, {}, {}, before={}, after={})
        with pytest.raises(Refusal, match="Check for a proxy between this host and the API server$"):
            delete(REF, {"metadata": meta}, {}, {})


class TestReplace:
    def test_a_replacement_keeps_labels_annotations_and_owners_of_the_old_object(self) -> None:
        body = {"metadata": {"labels": {"team": "blue", "x": "y"}, "annotations": {"more": "m"}}, "type": "new"}
        change = replace(REF, OBSERVED, body, {"why": 1}, before={"b": 1}, after={"a": 1})
        assert (change.action, change.old, change.details, change.before, change.after) == (
            "replace",
            OBSERVED,
            {"why": 1},
            {"b": 1},
            {"a": 1},
        )
        assert change.body == {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "pull",
                "namespace": "a",
                "labels": {**MANAGED_BY, "team": "blue", "x": "y"},
                "annotations": {"note": "n", "more": "m"},
                "ownerReferences": [{"name": "owner"}],
            },
            "type": "new",
        }

    def test_a_replacement_of_an_object_without_labels_has_only_our_labels(self) -> None:
        observed = {"metadata": {"name": "pull", "resourceVersion": "7"}}
        meta = replace(REF, observed, {}, {}, before={}, after={}).body["metadata"]
        assert meta == {"name": "pull", "namespace": "a", "labels": MANAGED_BY}

    @pytest.mark.parametrize("odd", [1, [], "x", True], ids=str)
    def test_invalid_labels_of_the_old_object_count_as_none(self, odd: Any) -> None:
        observed = {"metadata": {"name": "pull", "resourceVersion": "7", "labels": odd, "annotations": odd}}
        meta = replace(REF, observed, {}, {}, before={}, after={}).body["metadata"]
        assert meta == {"name": "pull", "namespace": "a", "labels": MANAGED_BY}

    @pytest.mark.parametrize("meta", [{"finalizers": ["x"]}, {"deletionTimestamp": "now"}], ids=str)
    def test_an_object_that_would_not_be_deleted_at_once_is_not_replaced(self, meta: Any) -> None:
        observed = {"metadata": {"resourceVersion": "7", **meta}}
        with pytest.raises(Refusal, match="^secret a/pull cannot be deleted and created in one go: it has a finalizer"):
            replace(REF, observed, {}, {}, before={}, after={})

    def test_the_repr_of_a_replacement_hides_the_old_content(self) -> None:
        change = replace(REF, OBSERVED, {"type": "new"}, {}, before={}, after={})
        assert "b2xk" not in repr(change)

    def test_a_replaced_object_can_be_restored(self) -> None:
        change = restore(replace(REF, OBSERVED, {"type": "new"}, {}, before={}, after={}))
        assert (change.action, change.ref) == ("create", REF)
        kept = ("name", "namespace", "labels", "annotations", "ownerReferences")
        meta = {key: value for key, value in OBSERVED["metadata"].items() if key in kept}  # type: ignore[attr-defined]
        assert change.body == {**OBSERVED, "metadata": meta}
        listed = {name: value for name, value in OBSERVED.items() if name not in ("apiVersion", "kind")}
        assert restore(replace(REF, listed, {"type": "new"}, {}, before={}, after={})).body == change.body


class TestReport:
    def test_the_report_names_the_object_and_holds_the_details(self) -> None:
        assert create(REF, {}, {"why": 1}, {}).report() == {
            "action": "create",
            "kind": "Secret",
            "name": "pull",
            "why": 1,
        }


# --- Messages name an entry by its position, and by its name if it has one


@pytest.mark.parametrize(
    ("entry", "shown"),
    [(Entry("secrets", 0), "secrets[0]"), (Entry("links", 12, "quay, other"), "links[12] (quay, other)")],
)
def test_an_entry_is_shown_with_its_title(entry: Entry, shown: str) -> None:
    assert str(entry) == shown


# --- The empty answer about related objects cannot be changed


def test_the_empty_answer_cannot_be_changed() -> None:
    assert dict(NOTHING_RELATED) == {}
    with pytest.raises(TypeError):
        NOTHING_RELATED[ObjectRef(SECRET, "a", "b")] = None  # type: ignore[index]
