# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The overlay changes only the answers that a patch touches, and shares everything else."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import ImageQuestion
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.overlay import (
    ChangedLookup,
    DifferencePatch,
    RecordingLookup,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.patches import (
    CredentialPatch,
    ObjectPatch,
    SecretPatch,
)
from support.surveyed import auth, secret

PULL, OTHER = ObjectRef(SECRET, "a", "pull"), ObjectRef(SECRET, "a", "other")
ACCOUNT = ObjectRef(SERVICE_ACCOUNT, "a", "default")
REMOVAL = SecretPatch("pull", frozenset({"a"}))
STORED = secret("pull", {"q.io": auth(username="robot")})
QUESTION = ImageQuestion("q.io/team/app", "v1", "a", "pull", "q.io")


def make(answer):
    return object()


class TestChangedLookup:
    def test_a_touched_answer_is_patched_and_others_come_from_the_base(self) -> None:
        base = Lookup({PULL: STORED, OTHER: {"kept": True}})
        changed = ChangedLookup(base, [REMOVAL])
        assert changed.look(PULL) is None
        assert changed.look(OTHER) == {"kept": True}
        assert base.look(PULL) == STORED

    def test_derived_values_of_untouched_objects_are_shared(self) -> None:
        base = Lookup({PULL: STORED, OTHER: {}})
        changed = ChangedLookup(base, [REMOVAL])
        assert changed.derive(OTHER, make) is base.derive(OTHER, make)
        assert changed.derive(PULL, make) is changed.derive(PULL, make)
        assert changed.derive(PULL, make) is not base.derive(PULL, make)

    def test_a_deleted_object_is_absent_even_if_it_cannot_be_read(self) -> None:
        base = Lookup({PULL: UnreadableObject("no right"), ACCOUNT: UnreadableObject("no right")})
        changed = ChangedLookup(base, [REMOVAL])
        assert changed.look(PULL) is None
        with pytest.raises(UnreadableObject, match="no right"):
            changed.look(ACCOUNT)

    def test_unknown_objects_are_wanted_from_the_base(self) -> None:
        base = Lookup()
        changed = ChangedLookup(base, [REMOVAL])
        with pytest.raises(ReadRequired):
            changed.look(PULL)
        assert changed.take_wanted() == [PULL]
        changed.add({PULL: STORED})
        assert base.look(PULL) == STORED
        assert changed.look(PULL) is None

    def test_patches_apply_in_the_order_given(self) -> None:
        base = Lookup({PULL: STORED})
        refused = CredentialPatch("q.io", "robot", frozenset({PULL}))
        assert ChangedLookup(base, [refused]).look(PULL)["refusedLogins"] == [["q.io", "q.io"]]
        assert ChangedLookup(base, [refused, REMOVAL]).look(PULL) is None

    def test_a_question_about_a_touched_login_has_its_own_answer(self) -> None:
        base = Lookup({PULL: STORED, QUESTION.ref: {"outcome": "pulls"}})
        changed = ChangedLookup(base, [SecretPatch("pull", frozenset({"a"}))])
        with pytest.raises(ReadRequired):
            changed.look(QUESTION.ref)
        changed.add({QUESTION.ref: {"outcome": "no_login"}})
        assert changed.look(QUESTION.ref) == {"outcome": "no_login"}
        assert base.look(QUESTION.ref) == {"outcome": "pulls"}
        assert ChangedLookup(base, []).look(QUESTION.ref) == {"outcome": "pulls"}

    def test_a_refused_login_needs_no_question(self) -> None:
        base = Lookup({PULL: STORED, QUESTION.ref: {"outcome": "pulls"}})
        changed = ChangedLookup(base, [CredentialPatch("q.io", "robot", frozenset({PULL}))])
        assert changed.look(QUESTION.ref)["outcome"] == "bad_login"


class TestRecordingLookup:
    def test_references_are_recorded_until_they_are_taken(self) -> None:
        recording = RecordingLookup(Lookup({PULL: STORED, OTHER: {}}))
        recording.look(PULL)
        recording.derive(OTHER, make)
        assert recording.take_read() == {PULL, OTHER}
        assert recording.take_read() == frozenset()


class TestDifferencePatch:
    def between(self, base: Lookup, before, after) -> DifferencePatch:
        return DifferencePatch(ChangedLookup(base, [ObjectPatch(before)]), ChangedLookup(base, [ObjectPatch(after)]))

    def test_only_objects_that_differ_are_touched(self) -> None:
        base = Lookup({PULL: STORED, OTHER: {"kept": True}, ACCOUNT: {}})
        patch = self.between(base, {PULL: None, OTHER: {"new": True}}, {PULL: None, OTHER: {"newer": True}})
        assert [patch.touches(ref) for ref in (PULL, OTHER, ACCOUNT)] == [False, True, False]
        assert patch.apply(OTHER, {"new": True}) == {"newer": True}

    def test_an_object_that_only_the_earlier_state_changes_is_the_present_one(self) -> None:
        patch = self.between(Lookup({PULL: STORED}), {PULL: None}, {OTHER: {}})
        assert patch.touches(PULL)
        assert patch.apply(PULL, None) == STORED

    def test_objects_that_are_not_read_yet_are_touched_and_lists_are_not_read(self) -> None:
        base = Lookup()
        patch = self.between(base, {PULL: None}, {PULL: STORED})
        assert patch.touches(ObjectRef(SECRET, "a", ""))
        assert base.take_wanted() == []
        assert patch.touches(PULL)
        assert base.take_wanted() == [PULL]
        with pytest.raises(ReadRequired):
            patch.apply(PULL, None)

    def test_an_unreadable_object_stays_unreadable(self) -> None:
        patch = self.between(Lookup({PULL: UnreadableObject("no right")}), {PULL: None}, {})
        assert patch.touches(PULL)
        assert str(patch.apply(PULL, None)) == "no right"
