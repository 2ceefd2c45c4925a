# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many questions are asked at the same time, each different one once."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.proofs import ask_all


def test_each_different_question_is_asked_once() -> None:
    asked: list[str] = []
    assert ask_all(["a", "b", "a"], lambda question: asked.append(question) or question.upper()) == {"a": "A", "b": "B"}  # type: ignore[func-returns-value]
    assert sorted(asked) == ["a", "b"]


def test_sixteen_questions_are_asked_at_the_same_time() -> None:
    """No question is answered before sixteen have been asked."""
    barrier = threading.Barrier(16, timeout=20)
    ask_all(range(16), lambda _question: barrier.wait())


def test_an_error_of_a_question_is_raised() -> None:
    with pytest.raises(KeyError):
        ask_all([1], lambda question: {}[question])
