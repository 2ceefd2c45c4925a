# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks many registries at the same time, each distinct question once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

from ..clients.registry.transport import KeptConnections
from ..engine.workers import Workers

__all__ = ["ask_all"]

#: Maximum number of concurrent requests to registries.
_AT_ONCE = 16

_Question = TypeVar("_Question", bound=Hashable)
_Answer = TypeVar("_Answer")


def ask_all(questions: Iterable[_Question], ask: Callable[[_Question], _Answer]) -> dict[_Question, _Answer]:
    """Return the answer to each distinct question.

    :raises BaseException: the first error of `ask`.
    """
    different = list(dict.fromkeys(questions))
    with KeptConnections() as kept, Workers(_AT_ONCE) as workers:

        def ask_one(question: _Question) -> _Answer:
            with kept.in_effect():
                return ask(question)

        return dict(zip(different, workers.map(ask_one, different), strict=True))
