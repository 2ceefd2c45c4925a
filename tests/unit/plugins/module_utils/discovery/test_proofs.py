# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An expired login is distinguished from a wrong one, and equal attempts share one request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.proof import (
    Outcome,
    RegistryImage,
    RegistryLogin,
    RegistryProof,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.proofs import (
    LoginCheck,
    Patience,
    check_access,
    collect_proofs,
    explain_refusal,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    LoginQuestion,
    RegistryAccess,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from support.certificates import server_context
from support.hostile_registry import HostileRegistry, asks_for, served
from support.surveyed import token

OVER = RegistryLogin("u", token(exp=60))
ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


@pytest.mark.parametrize("outcome", ["bad_login", "no_right"])
def test_a_refused_login_after_its_end_is_reported_as_expired(outcome: Outcome) -> None:
    proof = explain_refusal(RegistryProof(outcome, "x", "sso.example.com"), "q.io", OVER)
    assert proof.outcome == "expired"
    assert proof.said.startswith("sso.example.com refuses the login, which has expired at 1970-01-01T00:01:00Z")
    assert OVER.password not in str(proof)
    assert not proof.works


@pytest.mark.parametrize(
    "outcome", ["logs_in", "pulls", "not_found", "rate_limited", "not_sent", "unanswered", "no_login"]
)
def test_any_other_answer_stays_unchanged_for_an_expired_login(outcome: Outcome) -> None:
    """A registry may accept a token that says it has expired. A registry without an answer has refused nothing."""
    proof = RegistryProof(outcome, "x")
    assert explain_refusal(proof, "q.io", OVER) is proof


@pytest.mark.parametrize(
    "login",
    [
        RegistryLogin("u", "p"),
        RegistryLogin("u", token(exp=9e9)),
        RegistryLogin("u", token(iat=1)),
        RegistryLogin("", ""),
    ],
)
def test_a_refused_login_that_has_not_expired_stays_refused(login: RegistryLogin) -> None:
    proof = RegistryProof("bad_login", "x")
    assert explain_refusal(proof, "q.io", login, written=1.0) is proof


def test_the_age_of_an_ecr_login_counts_if_it_is_known() -> None:
    login, proof = RegistryLogin("AWS", "eyJw"), RegistryProof("no_right", "x")
    assert explain_refusal(proof, ECR, login) is proof
    assert explain_refusal(proof, ECR, login, written=60.0).outcome == "expired"
    assert explain_refusal(proof, "q.io", login, written=60.0) is proof


def test_an_attempt_is_made_from_a_question_about_a_login_or_an_image() -> None:
    access, image = RegistryAccess(timeout=20.0), reference_of("q.io/team/app:v1")
    assert LoginCheck.of(LoginQuestion("https://q.io", "u", "p"), access).wanted == RegistryImage("q.io")
    assert LoginCheck.of(LoginQuestion("q.io", "u", "p", image), access).wanted == RegistryImage(
        "q.io", "team/app", "v1"
    )
    assert [LoginCheck.of(LoginQuestion("q.io", "u", "p", of), access).is_named for of in (None, image)] == [
        False,
        True,
    ]
    both = reference_of(f"q.io/team/app:v1@sha256:{'0' * 64}")
    assert LoginCheck.of(LoginQuestion("q.io", "u", "p", both), access).wanted.reference == f"sha256:{'0' * 64}"
    check = LoginCheck(RegistryImage("q.io"), RegistryLogin("u", "p"), access)
    assert (check.is_named, check.is_insecure) == (False, False)
    assert "Canary" not in repr(LoginCheck.of(LoginQuestion("q.io", "Canary-user", "Canary-77"), access))


@pytest.fixture
def server(certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
    """A registry that knows only alice."""
    with served(asks_for("alice:Canary-77"), server_context(certificate)) as found:
        yield found


def test_equal_attempts_with_different_keys_are_asked_once(server: HostileRegistry, certificate: str) -> None:
    access = RegistryAccess(certificate, timeout=20.0)
    keys = (server.host, f"https://{server.host}/v2/", f"{server.host}/team")
    attempts = [LoginCheck.of(LoginQuestion(key, "alice", "Canary-77"), access, is_named=True) for key in keys]
    answers = collect_proofs(attempts)
    assert {proof.outcome for proof in answers.values()} == {"logs_in"}
    assert len(server.requests) == 2, "once without the login, once with it"


def test_the_fix_names_the_option_of_the_module(server: HostileRegistry) -> None:
    access = RegistryAccess()
    (proof,) = collect_proofs(
        [LoginCheck.of(LoginQuestion(server.host, "alice", "Canary-77"), access, is_named=True)]
    ).values()
    assert proof.said.endswith(
        "Give the certificate of the authority that signed it: 'registry_ca_cert: /path/to/ca.crt'"
    )


@pytest.mark.usefixtures("no_outside_settings")
def test_the_fix_for_a_late_response_names_the_option(certificate: str) -> None:
    def script(server: HostileRegistry) -> Iterable[bytes]:
        server.pause(20)
        yield b""

    access = RegistryAccess(certificate, timeout=0.2)
    with served(script, server_context(certificate)) as server:
        question = LoginQuestion(server.host, "alice", "Canary-77")
        (proof,) = collect_proofs([LoginCheck.of(question, access, is_named=True)]).values()
    assert proof.said.endswith("firewalls, or raise 'registry_timeout: 60'")


def test_a_token_service_that_gets_no_login_is_named_with_the_option_of_the_module(
    certificate: str, no_outside_settings: None
) -> None:
    access = RegistryAccess.of({"registry_ca_cert": certificate})
    with answering(certificate, b'401 No\r\nWWW-Authenticate: Bearer realm="https://sso.example.com/token"') as server:
        (proof,) = collect_proofs(
            [LoginCheck.of(LoginQuestion(server.host, "alice", "Canary-77"), access, is_named=True)]
        ).values()
    assert (proof.outcome, proof.said.partition(". ")[2]) == (
        "not_sent",
        "Nothing was sent. If that host is right, add it to 'realm_hosts: - sso.example.com'",
    )


@contextmanager
def answering(certificate: str, *heads: bytes) -> Iterator[HostileRegistry]:
    """A registry that gives these answers in order and repeats the last one."""
    given = iter(heads)

    def script(_server: HostileRegistry) -> Iterable[bytes]:
        yield b"HTTP/1.1 " + next(given, heads[-1]) + b"\r\nConnection: close\r\n\r\n"

    with served(script, server_context(certificate)) as found:
        yield found


def different(host: str, access: RegistryAccess, count: int) -> list[LoginCheck]:
    return [
        LoginCheck.of(LoginQuestion(host, "alice", f"Canary-{number}"), access, is_named=True)
        for number in range(count)
    ]


@pytest.mark.usefixtures("no_outside_settings")
def test_a_registry_that_never_answers_is_given_up(certificate: str) -> None:
    """Of 16 simultaneous requests, some are still running when the others have failed."""
    access = RegistryAccess(certificate, timeout=20.0)
    with answering(certificate, b"500 No") as broken, answering(certificate, b"404 None") as other:
        answers = collect_proofs([*different(broken.host, access, 100), *different(other.host, access, 40)])
        assert 16 <= len(broken.requests) <= 32
        assert len(other.requests) == 40, "one registry's silence is no other's"
    told = [proof for attempt, proof in answers.items() if attempt.wanted.host == broken.host]
    assert {proof.outcome for proof in told} == {"unanswered"}
    said = [
        proof.said
        for proof in told
        if proof.said.startswith(f"not asked, because {broken.host} did not answer 16 times: ")
    ]
    assert len(said) == 100 - len(broken.requests)
    assert all("was answered 500" in each for each in said)


@pytest.mark.usefixtures("no_outside_settings")
def test_a_registry_that_answers_some_requests_is_asked_to_the_end(certificate: str) -> None:
    access = RegistryAccess(certificate, timeout=20.0)
    with answering(certificate, *[b"500 No", b"404 None"] * 50) as server:
        collect_proofs(different(server.host, access, 60))
        assert len(server.requests) == 60


@pytest.mark.usefixtures("no_outside_settings")
def test_silent_registries_of_one_user_do_not_hold_up_a_named_registry(certificate: str) -> None:
    """A registry that an option names is asked, no matter which registries the objects of the cluster name."""
    access = RegistryAccess(certificate, timeout=20.0)
    login = RegistryLogin("alice", "p")
    silent = [LoginCheck(RegistryImage(f"no host {number}"), login, access) for number in range(300)]
    last = LoginCheck(RegistryImage("registry.example.com"), login, access)
    with answering(certificate, b"404 None") as server:
        named = different(server.host, access, 1)
        answers = collect_proofs([*silent, last, *named])
        assert len(server.requests) == 1
    assert answers[last] == RegistryProof(
        "unanswered", "not asked, because 200 other registries that objects of the cluster name did not answer"
    )
    assert sum(proof == answers[last] for proof in answers.values()) in range(80, 102)


class TestPatience:
    """A name that is no host never answers, and no request is sent."""

    def silent(self, number: int) -> LoginCheck:
        return LoginCheck(RegistryImage(f"no host {number}"), RegistryLogin("alice", "p"), RegistryAccess())

    def test_a_registry_is_asked_until_its_sixteenth_silence(self) -> None:
        patience, check = Patience(), self.silent(1)
        for _time in range(16):
            assert patience.refusal(check) is None
            assert patience.proof(check).outcome == "unanswered"
        refusal = patience.refusal(check)
        assert refusal is not None
        assert refusal.said.startswith("not asked, because no host 1 did not answer 16 times: ")

    def test_one_of_two_hundred_silent_registries_is_asked_again_and_another_one_is_not(self) -> None:
        patience = Patience()
        for number in range(200):
            patience.proof(self.silent(number))
        assert patience.refusal(self.silent(199)) is None
        assert patience.refusal(self.silent(200)) is not None


class TestAccess:
    def test_valid_options_are_accepted(self, certificate: str) -> None:
        check_access(RegistryAccess(certificate, realm_hosts=("sso.example.com", "127.0.0.1:5000")))

    @pytest.mark.parametrize(
        ("access", "error"),
        [
            (RegistryAccess("/none.pem"), "'registry_ca_cert'"),
            (RegistryAccess(realm_hosts=("http://sso.example.com",)), "option 'realm_hosts': only https is supported"),
            (RegistryAccess(realm_hosts=("",)), "'realm_hosts'"),
        ],
    )
    def test_an_invalid_option_is_refused_by_its_name(self, access: RegistryAccess, error: str) -> None:
        with pytest.raises(OptionError, match=error):
            check_access(access)
