# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many questions, each different one once, many at the same time."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.parallel import answers_to


def test_each_different_question_is_asked_once() -> None:
    asked: list[str] = []
    assert answers_to(["a", "b", "a"], lambda question: asked.append(question) or question.upper()) == {
        "a": "A",
        "b": "B",
    }  # type: ignore[func-returns-value]
    assert sorted(asked) == ["a", "b"]


def test_many_are_under_way_at_the_same_time() -> None:
    """None is answered before sixteen have been asked."""
    barrier = threading.Barrier(16, timeout=20)
    answers_to(range(16), lambda _question: barrier.wait())


def test_what_asking_raises_is_raised() -> None:
    with pytest.raises(KeyError):
        answers_to([1], lambda question: {}[question])
