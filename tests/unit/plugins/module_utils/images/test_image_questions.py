# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question about an image is the same after a round trip through a reference."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    ARGUMENTS,
    IMAGE_QUESTION,
    ImageQuestion,
    RegistryAccess,
    SignatureQuestion,
    TrustQuestion,
    access_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from hypothesis import given
from hypothesis import strategies as st


@given(st.builds(ImageQuestion, *[st.text(max_size=9)] * 5, *[st.booleans()] * 3))
def test_an_image_question_survives_the_round_trip_through_its_reference(question: ImageQuestion) -> None:
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
def test_a_question_contains_the_repository_and_the_tag_or_digest(image: str, repository: str, reference: str) -> None:
    found = reference_of(image)
    assert found
    question = ImageQuestion.about(found, "ns", "pull", "quay.io")
    assert question == ImageQuestion(repository, reference, "ns", "pull", "quay.io")


def test_registry_access_reads_the_options() -> None:
    assert RegistryAccess.of({}) == RegistryAccess()
    given = {
        "registry_ca_cert": "/ca",
        "registry_validate_certs": False,
        "registry_timeout": 3,
        "realm_hosts": ["sso"],
    }
    assert RegistryAccess.of(given) == RegistryAccess("/ca", False, 3.0, ("sso",))
    with pytest.raises(OptionError, match=r"^option 'registry_timeout' is in seconds"):
        RegistryAccess.of({"registry_timeout": 0})


def test_registries_are_asked_only_on_request() -> None:
    options = {name: each.get("default") for name, each in ARGUMENTS.items()}
    assert access_of(options) is None
    assert access_of({**options, "ask_registries": True}) == RegistryAccess()


@given(st.builds(TrustQuestion, st.text(max_size=9), st.text(max_size=9)))
def test_a_question_about_a_certificate_survives_its_reference(question: TrustQuestion) -> None:
    assert TrustQuestion.of(question.ref) == question


def test_a_question_about_signatures_survives_its_reference() -> None:
    image = ImageQuestion("q.io/team/app", "v1", "ns", "pull", "q.io", is_insecure=True)
    for question in (SignatureQuestion(image), SignatureQuestion(image, ("amd64", "arm64"))):
        assert SignatureQuestion.of(question.ref) == question
    assert len({SignatureQuestion(image).ref, SignatureQuestion(image, ("amd64",)).ref, image.ref}) == 3
