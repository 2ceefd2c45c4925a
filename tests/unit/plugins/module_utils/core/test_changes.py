# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes: what is sent, what is reported, and that nothing is written that was not read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    MANAGED_BY,
    Change,
    create,
    delete,
    replace,
    restored,
    update,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef

REF = ObjectRef(SECRET, "a", "pull")
OBSERVED = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {
        "name": "pull",
        "namespace": "a",
        "uid": "u",
        "resourceVersion": "7",
        "labels": {"team": "red"},
        "annotations": {"note": "n"},
        "ownerReferences": [{"name": "owner"}],
        "managedFields": [],
        "creationTimestamp": "then",
    },
    "type": "Opaque",
    "data": {"k": "b2xk"},
}


class TestCreate:
    def test_is_labelled_as_ours(self) -> None:
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

    def test_a_label_that_was_asked_for_wins(self) -> None:
        label = {"app.kubernetes.io/managed-by": "them"}
        assert create(REF, {"metadata": {"labels": label}}, {}, {}).body["metadata"]["labels"] == label


class TestUpdate:
    def test_is_bound_to_what_was_read(self) -> None:
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
    def test_is_bound_to_what_was_read(self) -> None:
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
    def test_nothing_is_written(self, meta: Any) -> None:
        with pytest.raises(Refusal, match="^secret a/pull was read without a resourceVersion, so it cannot be changed"):
            update(REF, {"metadata": meta}, {}, {}, before={}, after={})
        with pytest.raises(Refusal, match="Check for a proxy between this host and the API server$"):
            delete(REF, {"metadata": meta}, {}, {})


class TestReplace:
    def test_keeps_what_somebody_gave_the_old_one(self) -> None:
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

    def test_without_labels_or_annotations_there_are_none_but_ours(self) -> None:
        observed = {"metadata": {"name": "pull", "resourceVersion": "7"}}
        meta = replace(REF, observed, {}, {}, before={}, after={}).body["metadata"]
        assert meta == {"name": "pull", "namespace": "a", "labels": MANAGED_BY}

    @pytest.mark.parametrize("odd", [1, [], "x", True])
    def test_what_is_no_object_counts_as_none(self, odd: Any) -> None:
        observed = {"metadata": {"name": "pull", "resourceVersion": "7", "labels": odd, "annotations": odd}}
        meta = replace(REF, observed, {}, {}, before={}, after={}).body["metadata"]
        assert meta == {"name": "pull", "namespace": "a", "labels": MANAGED_BY}

    @pytest.mark.parametrize("meta", [{"finalizers": ["x"]}, {"deletionTimestamp": "now"}])
    def test_refuses_what_would_not_be_gone(self, meta: Any) -> None:
        observed = {"metadata": {"resourceVersion": "7", **meta}}
        with pytest.raises(Refusal, match="^secret a/pull cannot be deleted and created in one go: it has a finalizer"):
            replace(REF, observed, {}, {}, before={}, after={})

    def test_what_it_deletes_is_never_shown(self) -> None:
        change = replace(REF, OBSERVED, {"type": "new"}, {}, before={}, after={})
        assert "b2xk" not in repr(change)

    def test_can_be_put_back(self) -> None:
        change = restored(replace(REF, OBSERVED, {"type": "new"}, {}, before={}, after={}))
        assert (change.action, change.ref) == ("create", REF)
        kept = ("name", "namespace", "labels", "annotations", "ownerReferences")
        meta = {key: value for key, value in OBSERVED["metadata"].items() if key in kept}  # type: ignore[attr-defined]
        assert change.body == {**OBSERVED, "metadata": meta}


class TestReport:
    def test_names_the_object_and_holds_the_details(self) -> None:
        assert create(REF, {}, {"why": 1}, {}).report() == {
            "action": "create",
            "kind": "Secret",
            "name": "pull",
            "why": 1,
        }
