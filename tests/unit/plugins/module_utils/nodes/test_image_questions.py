# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question about an image goes into a reference and comes out of it unchanged."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.nodes.image_questions import (
    IMAGE_QUESTION,
    ImageQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.nodes.references import reference_of
from hypothesis import given
from hypothesis import strategies as st


@given(st.builds(ImageQuestion, *[st.text(max_size=9)] * 5))
def test_comes_back(question: ImageQuestion) -> None:
    assert ImageQuestion.of(question.ref) == question
    assert (question.ref.kind, question.ref.namespace) == (IMAGE_QUESTION, question.namespace)


@pytest.mark.parametrize(
    ("image", "repository", "reference"),
    [
        ("quay.io/team/app:v1", "quay.io/team/app", "v1"),
        ("quay.io/team/app", "quay.io/team/app", "latest"),
        (f"quay.io/team/app:v1@sha256:{'0' * 64}", "quay.io/team/app", f"sha256:{'0' * 64}"),
        ("app", "docker.io/library/app", "latest"),
    ],
)
def test_what_is_asked_for(image: str, repository: str, reference: str) -> None:
    found = reference_of(image)
    assert found
    question = ImageQuestion.about(found, "ns", "pull", "quay.io")
    assert question == ImageQuestion(repository, reference, "ns", "pull", "quay.io")
