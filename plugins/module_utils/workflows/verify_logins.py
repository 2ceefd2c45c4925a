# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proves the logins of pull secrets at their registries before anything is written, each different one once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..clients.registry.proof import Login, Proof
from ..core.batch import Declared
from ..core.entries import Entry
from ..core.enumeration import first_of
from ..core.errors import OptionError, Refusal
from ..features.pull_secret.desired import PullSecret
from .proofs import Attempt, judged
from .proofs import asked as asked_of

__all__ = ["verify_logins"]

#: So many refused logins are named in one message.
_SHOWN = 20


@dataclass(frozen=True, repr=False)
class _Asked:
    key: str
    attempt: Attempt


def verify_logins(
    declared: Iterable[Declared[PullSecret]], verified: set[tuple[str, Login]] | None = None
) -> list[str]:
    """What could not be asked, as warnings. Adds to `verified` each login that works, with the host of its registry.

    :raises Refusal: when a registry refuses a login, naming all of them with their entries; nothing has been written then.
    """
    asked = [(each.entry, question) for each in declared for question in _questions(each)]
    answers = asked_of(question.attempt for _entry, question in asked)
    works = {(one.attempt.wanted.host, one.attempt.login) for _entry, one in asked if _judged(one, answers).works}
    if verified is not None:
        verified |= works
    told = [(entry, question, _judged(question, answers)) for entry, question in asked]
    refused = list(dict.fromkeys(_sentences(told, refused=True)))
    if refused:
        raise Refusal(
            f"nothing was written, because a login does not work: {first_of(refused, _SHOWN, '; ')}. Correct it, or leave out 'verify'"
        )
    return list(dict.fromkeys(_sentences(told, refused=False)))


def _questions(each: Declared[PullSecret]) -> Iterator[_Asked]:
    """:raises OptionError: naming the entry."""
    how = each.desired.verification
    if how is None:
        return
    try:
        questions = how.questions(each.desired.auth_file)
    except OptionError as error:
        raise OptionError(f"{each.entry}: {error}" if each.entry else str(error)) from None
    yield from (_Asked(question.key, Attempt.of(question, how.access, is_named=True)) for question in questions)


def _judged(asked: _Asked, answers: Mapping[Attempt, Proof]) -> Proof:
    attempt = asked.attempt
    return judged(answers[attempt], attempt.wanted.host, attempt.login)


def _sentences(told: Sequence[tuple[Entry | None, _Asked, Proof]], *, refused: bool) -> Iterator[str]:
    for entry, asked, proof in told:
        whose = f"{entry}: " if entry else ""
        if proof.works:
            continue
        if proof.outcome in ("unanswered", "rate_limited"):
            if not refused:
                yield f"{whose}the login for {asked.key} was not verified: {proof.said}"
        elif refused:
            yield f"{whose}registry key {asked.key}: {proof.said}"
