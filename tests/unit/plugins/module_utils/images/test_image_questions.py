# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A question about an image is the same after a round trip through a reference."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.parsing.convert_bool import BOOLEANS_FALSE, BOOLEANS_TRUE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    AuthFile,
    from_registries,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    ARGUMENTS,
    IMAGE_QUESTION,
    ImageQuestion,
    RegistryAccess,
    SignatureQuestion,
    TrustQuestion,
    Verification,
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


# --- Logins are tested against the right registries and images


def file_of(*registries: str) -> AuthFile:
    return from_registries([{"registry": name, "username": "u", "password": f"p-{name}"} for name in registries])


def of(*repositories: str) -> Verification:
    found = Verification.of({"verify": True, "verify_repositories": repositories})
    assert found is not None
    return found


def asked(verification: Verification, *registries: str) -> list[tuple[str, str, str]]:
    """Host, password and image of each question."""
    questions = verification.questions(file_of(*registries))
    assert "p-" not in repr(questions)
    return [(each.host, each.password, str(each.image or "")) for each in questions]


@pytest.mark.parametrize("options", [{}, {"verify": False}, {"verify": None, "verify_repositories": []}], ids=str)
def test_logins_are_verified_only_on_request(options: dict[str, Any]) -> None:
    assert Verification.of(options) is None


@pytest.mark.parametrize(
    ("given", "must_answer"),
    [(True, True), ("yes", True), ("True", True), (1, True), ("warn", False), (" Warn ", False)],
)
def test_warn_accepts_a_registry_that_does_not_answer(given: Any, must_answer: bool) -> None:
    assert Verification.of({"verify": given}) == Verification(must_answer=must_answer)
    assert Verification.of({"verify": given, "verify_repositories": ["quay.io/a/b"]}).must_answer is must_answer


def test_the_booleans_of_ansible_are_understood() -> None:
    assert all(Verification.of({"verify": given}) == Verification() for given in BOOLEANS_TRUE)
    assert all(Verification.of({"verify": given}) is None for given in BOOLEANS_FALSE)


@pytest.mark.parametrize("given", ["Canary-1", 2, {"warn": True}, ["warn"], 0.5], ids=str)
def test_another_value_of_verify_is_refused_and_not_repeated(given: Any) -> None:
    with pytest.raises(OptionError, match=r"^option 'verify' takes true, false or warn$"):
        Verification.of({"verify": given})


def test_repositories_alone_switch_verification_on() -> None:
    found = Verification.of({"verify_repositories": ["quay.io/a/b"], "realm_hosts": ["sso"], "registry_timeout": 3})
    assert found is not None
    assert [(text, str(image)) for text, image in found.images] == [("quay.io/a/b", "quay.io/a/b:latest")]
    assert found.access == RegistryAccess(timeout=3, realm_hosts=("sso",))


def test_certificates_are_verified_by_default() -> None:
    assert Verification.of({"verify": True}) == Verification()
    unverified = Verification.of({"verify": True, "registry_validate_certs": False})
    assert unverified == Verification(access=RegistryAccess(validate_certs=False))


@pytest.mark.parametrize("timeout", [0, -1, 3601])
def test_an_impossible_timeout_is_refused(timeout: int) -> None:
    for options in ({"verify": True}, {}):
        with pytest.raises(OptionError, match=r"^option 'registry_timeout' is in seconds, from 1 to 3600$"):
            Verification.of({**options, "registry_timeout": timeout})


def test_each_login_is_verified_at_its_registry() -> None:
    assert sorted(
        asked(Verification(), "quay.io", "quay.io/team", "https://index.docker.io/v1/", "r.example.com:5000")
    ) == [
        ("docker.io", "p-https://index.docker.io/v1/", ""),
        ("quay.io", "p-quay.io", ""),
        ("quay.io", "p-quay.io/team", ""),
        ("r.example.com:5000", "p-r.example.com:5000", ""),
    ]


def test_a_host_that_is_not_a_registry_is_not_asked() -> None:
    found = asked(Verification(), "cloud.openshift.com", "quay.io")
    assert found == [("quay.io", "p-quay.io", "")]


def test_a_key_with_a_star_is_verified_with_a_repository() -> None:
    assert asked(of("a.example.com/x"), "*.example.com") == [
        ("a.example.com", "p-*.example.com", "a.example.com/x:latest")
    ]


def test_a_key_with_a_star_is_refused_without_a_repository_that_its_login_pulls() -> None:
    """A node tries the key of the host first, so the repository proves nothing about the other key."""
    sentence = (
        r"^option 'verify': no registry can be asked about the login for \*.example.com, because a key with a star names none. Name an image "
        r"that it is for in 'verify_repositories', or set 'verify: warn'$"
    )
    for verification, keys in (
        (Verification(), ("*.example.com", "quay.io")),
        (of("a.example.com/x"), ("*.example.com", "a.example.com")),
    ):
        with pytest.raises(OptionError, match=sentence):
            verification.questions(file_of(*keys))


def test_all_keys_and_repositories_that_cannot_be_asked_for_are_named_at_once() -> None:
    with pytest.raises(
        OptionError,
        match=r"no registry of this secret is for ghcr.io/a/b.*; option 'verify': .* \*.a.io, \*.b.io, because",
    ):
        of("ghcr.io/a/b").questions(file_of("*.a.io", "*.b.io"))


def test_a_key_with_a_star_is_a_warning_with_warn() -> None:
    warn = Verification(must_answer=False)
    assert asked(warn, "*.example.com", "quay.io") == [("quay.io", "p-quay.io", "")]
    assert warn.unasked(file_of("*.example.com", "quay.io")) == ["*.example.com"]


def test_a_repository_is_verified_with_the_login_that_a_node_tries_first() -> None:
    found = asked(of("quay.io/team/app:v2"), "quay.io", "quay.io/team")
    assert found[-1] == ("quay.io", "p-quay.io/team", "quay.io/team/app:v2")


@pytest.mark.parametrize("name", ["", "app", "UPPER.io/A", "https://quay.io/a"])
def test_an_invalid_repository_is_refused(name: str) -> None:
    with pytest.raises(OptionError, match="is not a repository with its registry"):
        of(name)


def test_a_repository_without_an_entry_is_refused() -> None:
    with pytest.raises(OptionError, match="no registry of this secret is for ghcr.io/a/b. The secret has quay.io"):
        of("ghcr.io/a/b").questions(file_of("quay.io"))


def test_logins_and_repositories_are_verified_only_for_existing_keys() -> None:
    found = of("ghcr.io/a/b", "quay.io/a/b").of_logins({"quay.io": ("u", "p"), "half.example.com": ("u", "")})
    assert [(each.key, str(each.image or "")) for each in found] == [("quay.io", ""), ("quay.io", "quay.io/a/b:latest")]
