# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence with changes on top of it. The explanation reads it like the evidence of the cluster, and does not know of the changes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar, Union

from ...core.errors import ImagePullError
from ...core.objects import Json, ObjectRef
from ...explain.lookup import Lookup, ReadRequired, UnreadableObject, items_of
from ...images.image_questions import IMAGE_QUESTION, SIGNATURE_QUESTION, ImageQuestion, SignatureQuestion
from .patches import BindingPatch, EvidencePatch, GrantPatch, LinkPatch, answer_refused_login, join_grants

Made = TypeVar("Made")
Answer = Union[Json, ImagePullError, None]
_QUESTIONS = (IMAGE_QUESTION, SIGNATURE_QUESTION)


class RecordingLookup(Lookup):
    """The evidence of `base`, with a record of the references that an explanation reads."""

    def __init__(self, base: Lookup) -> None:
        super().__init__()
        self._base = base
        self._read: set[ObjectRef] = set()

    def look(self, ref: ObjectRef) -> Json | None:
        """See `Lookup.look`."""
        self._read.add(ref)
        return self._base.look(ref)

    def derive(self, ref: ObjectRef, make: Callable[[Json | None], Made]) -> Made:
        """See `Lookup.derive`."""
        self._read.add(ref)
        return self._base.derive(ref, make)

    @property
    def unrecorded(self) -> Lookup:
        """See `Lookup.unrecorded`."""
        return self._base

    def take_read(self) -> frozenset[ObjectRef]:
        """Return the references that were read since the last call."""
        found, self._read = frozenset(self._read), set()
        return found


class ChangedLookup(Lookup):
    """The evidence of `base` after the patches, in the order given. Everything that they do not touch is shared with `base`.

    A question to a registry about a login that the patches touch has an answer of its own: the same secret can have another content.
    """

    def __init__(self, base: Lookup, patches: Sequence[EvidencePatch]) -> None:
        super().__init__()
        self._base = base
        self._patches = join_grants(patches)
        self._answers: dict[ObjectRef, Answer] = {}
        self._touched: dict[ObjectRef, bool] = {}
        self._changed: dict[ObjectRef, bool] = {}

    def touches(self, ref: ObjectRef) -> bool:
        """Whether the patches can change the answer to this reference. Most references are those of many explanations."""
        found = self._touched.get(ref)
        if found is None:
            is_question = ref.kind in _QUESTIONS
            found = self._touched[ref] = self._is_asked_anew(ref) if is_question else self._is_patched(ref)
        return found

    def changes(self, ref: ObjectRef) -> bool:
        """Whether the answer to this reference differs from that of `base`, or may differ because an object is not read or unreadable."""
        if not self.touches(ref):
            return False
        if ref not in self._changed:
            secret = _question_of(ref).secret_ref if ref.kind in _QUESTIONS else None
            try:
                self._changed[ref] = self._differs(ref) if secret is None else self.changes(secret)
            except UnreadableObject:
                self._changed[ref] = True
            except ReadRequired:
                return True
        return self._changed[ref]

    def _differs(self, ref: ObjectRef) -> bool:
        before, after = self._base.look(ref), self.look(ref)
        return before != after if ref.name else items_of(before) != items_of(after)

    def undoes_link(self, account: ObjectRef, secret: str) -> bool:
        """Whether the patches take a link away that is made before them."""
        return any(each.undoes_link(account, secret) for each in self._patches if isinstance(each, _UNLINKING))

    def undoes_grant(self, review: ObjectRef) -> bool:
        """Whether the patches take a grant for the account of the review away that is made before them."""
        return any(each.undoes_grant(review) for each in self._patches if isinstance(each, _REVOKING))

    def look(self, ref: ObjectRef) -> Json | None:
        """See `Lookup.look`."""
        if not self.touches(ref):
            return self._base.look(ref)
        if ref.kind in _QUESTIONS:
            return self._answer_question(ref)
        if ref not in self._answers:
            self._answers[ref] = self._patch(ref)
        answer = self._answers[ref]
        if isinstance(answer, ImagePullError):
            raise UnreadableObject(str(answer))
        return answer

    def derive(self, ref: ObjectRef, make: Callable[[Json | None], Made]) -> Made:
        """See `Lookup.derive`."""
        return super().derive(ref, make) if self.touches(ref) else self._base.derive(ref, make)

    def add(self, answers: Mapping[ObjectRef, Answer]) -> None:
        """Keep the answers to questions of this evidence, and give all others to `base`."""
        own = {ref: answer for ref, answer in answers.items() if ref.kind in _QUESTIONS and self._is_asked_anew(ref)}
        super().add(own)
        self._base.add({ref: answer for ref, answer in answers.items() if ref not in own})
        self._answers.clear()
        self._made.clear()
        # A difference of two states counts as one until both are read.
        self._touched.clear()
        self._changed.clear()

    def take_wanted(self) -> list[ObjectRef]:
        """See `Lookup.take_wanted`. The objects that `base` wants are among them."""
        return [*super().take_wanted(), *self._base.take_wanted()]

    def _patch(self, ref: ObjectRef) -> Answer:
        answer: Answer
        try:
            answer = self._base.look(ref)
        except UnreadableObject as error:
            answer = error
        for patch in self._patches:
            if patch.touches(ref):
                answer = patch.apply(ref, answer)
        return answer

    def _is_patched(self, ref: ObjectRef) -> bool:
        return any(patch.touches(ref) for patch in self._patches)

    def _is_asked_anew(self, ref: ObjectRef) -> bool:
        secret = _question_of(ref).secret_ref
        return secret is not None and self._is_patched(secret)

    def _answer_question(self, ref: ObjectRef) -> Json | None:
        question = _question_of(ref)
        secret = question.secret_ref
        known = self.look(secret) if secret is not None else None
        return answer_refused_login(question, known) or super().look(ref)


@dataclass(frozen=True)
class DifferencePatch:
    """The state of `after` instead of that of `before`. Both are changes of the same evidence."""

    before: ChangedLookup
    after: ChangedLookup

    def touches(self, ref: ObjectRef) -> bool:
        """See `EvidencePatch`. An object that is the same in both states is not touched. Lists are not compared, so that none is read for it."""
        if not (self.before.touches(ref) or self.after.touches(ref)):
            return False
        try:
            return not ref.name or _answer(self.before, ref) != _answer(self.after, ref)
        except ReadRequired:
            return True

    def undoes_link(self, account: ObjectRef, secret: str) -> bool:
        """See `ChangedLookup.undoes_link`."""
        return self.after.undoes_link(account, secret)

    def undoes_grant(self, review: ObjectRef) -> bool:
        """See `ChangedLookup.undoes_grant`."""
        return self.after.undoes_grant(review)

    def apply(self, ref: ObjectRef, _answer_before: Answer) -> Answer:
        """See `EvidencePatch`.

        :raises ReadRequired: when objects must be read first.
        """
        try:
            return self.after.look(ref)
        except UnreadableObject as error:
            return error


#: The patches that can undo a new link, and those that can undo a new grant.
_UNLINKING = (LinkPatch, DifferencePatch)
_REVOKING = (GrantPatch, BindingPatch, DifferencePatch)


def _question_of(ref: ObjectRef) -> ImageQuestion:
    return SignatureQuestion.of(ref).image if ref.kind == SIGNATURE_QUESTION else ImageQuestion.of(ref)


def _answer(lookup: Lookup, ref: ObjectRef) -> Json | str | None:
    """The object, or the reason why it cannot be read."""
    try:
        return lookup.look(ref)
    except UnreadableObject as error:
        return str(error)
