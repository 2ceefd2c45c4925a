# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Logins and images are proven at registries, and each different question is asked once."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.proof import (
    Outcome,
    RegistryImage,
    RegistryLogin,
    RegistryProof,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.proofs import (
    LoginCheck,
    NamespaceQuestions,
    Patience,
    ask_all,
    check_access,
    collect_proofs,
    explain_refusal,
    prove_images,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    ImageQuestion,
    LoginQuestion,
    RegistryAccess,
    SignatureQuestion,
    TrustQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from support.certificates import server_context
from support.hostile_registry import HostileRegistry, asks_for, served
from support.objects import b64
from support.surveyed import token

# --- An expired login is distinguished from a wrong one, and equal attempts share one request

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
        "Nothing was sent. If that host is right, add sso.example.com to image_pull_realm_hosts of the inventory (without the prefix in a task or an entry)",
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


# --- Each different question to a registry on 127.0.0.1 is asked once, with the login as the kubelet reads it

LOGIN = "Basic " + b64(b"alice:Canary-77")


@pytest.fixture
def hostile(certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
    """A registry that gives alice access to everything."""
    with served(asks_for("alice:Canary-77"), server_context(certificate)) as found:
        yield found


def evidence(**secrets: Any) -> Lookup:
    known = {}
    for name, auths in secrets.items():
        data = {".dockerconfigjson": b64(json.dumps({"auths": auths}))}
        known[ObjectRef(SECRET, "ns", name)] = {"type": "kubernetes.io/dockerconfigjson", "data": data}
    return Lookup(known)


def asked(hostile: HostileRegistry, certificate: str, known: Lookup, *logins: tuple[str, str]) -> list[str]:
    questions = [ImageQuestion(f"{hostile.host}/team/app", "v1", "ns", secret, key).ref for secret, key in logins]
    answers = prove_images(questions, known, RegistryAccess(certificate, timeout=20.0, named=hostile.host))
    assert "Canary" not in str(answers)
    return [answers[question]["outcome"] for question in questions]


def test_each_login_has_its_answer(hostile: HostileRegistry, certificate: str) -> None:
    known = evidence(
        right={"h": {"auth": b64(b"alice:Canary-77")}},
        wrong={"h": {"username": "alice", "password": "x"}, "empty": {}},
    )
    logins = [("right", "h"), ("wrong", "h"), ("wrong", "empty"), ("wrong", "no such key"), ("", "")]
    assert asked(hostile, certificate, known, *logins) == ["pulls", "bad_login", "no_login", "no_login", "no_login"]


def test_equal_logins_are_asked_once(hostile: HostileRegistry, certificate: str) -> None:
    login = {"username": "alice", "password": "Canary-77"}
    known = evidence(**{f"s{number}": {"h": login} for number in range(20)})
    assert asked(hostile, certificate, known, *[(f"s{number}", "h") for number in range(20)]) == ["pulls"] * 20
    assert len(hostile.requests) == 2, "one without a login, one with it"


def test_a_missing_secret_has_no_login(hostile: HostileRegistry, certificate: str) -> None:
    known = Lookup({ObjectRef(SECRET, "ns", "gone"): None})
    assert asked(hostile, certificate, known, ("gone", "h")) == ["no_login"]


def test_an_unreachable_registry_is_reported_as_unanswered(certificate: str) -> None:
    question = ImageQuestion("127.0.0.1:1/team/app", "v1").ref
    answer = prove_images([question], Lookup(), RegistryAccess(certificate, timeout=20.0, named="127.0.0.1:1"))[
        question
    ]
    assert isinstance(answer, dict)
    assert (answer["outcome"], "refused" in answer["message"]) == ("unanswered", True)
    assert answer.keys() == {"outcome", "message", "realm_host"}


@pytest.mark.parametrize("named", ["", "127.0.0.1", "127.0.0.1:2", "registry.example.com"])
def test_a_registry_on_loopback_that_only_a_pod_names_is_not_contacted(
    hostile: HostileRegistry, certificate: str, named: str
) -> None:
    question = ImageQuestion(f"{hostile.host}/team/app", "v1").ref
    answer = prove_images([question], Lookup(), RegistryAccess(certificate, timeout=20.0, named=named))[question]
    assert isinstance(answer, dict)
    assert (answer["outcome"], "to image_pull_realm_hosts of the inventory" in answer["message"]) == ("not_sent", True)
    assert hostile.requests == []


@pytest.mark.parametrize(("is_insecure", "outcome"), [(True, "no_login"), (False, "unanswered")])
def test_the_certificate_of_an_insecure_registry_is_not_verified(
    hostile: HostileRegistry, is_insecure: bool, outcome: str
) -> None:
    plain = ImageQuestion(f"{hostile.host}/team/app", "v1", is_insecure=is_insecure)
    questions = [plain.ref, replace(plain, reads_index=True).ref, SignatureQuestion(plain, ()).ref]
    answers = prove_images(questions, Lookup(), RegistryAccess(timeout=20.0, named=hostile.host))
    assert [answers[question]["outcome"] for question in questions] == [outcome] * 3


def test_an_expired_login_is_reported_as_expired(hostile: HostileRegistry, certificate: str) -> None:
    known = evidence(over={"h": {"username": "u", "password": token(exp=60)}})
    assert asked(hostile, certificate, known, ("over", "h")) == ["expired"]


def test_an_unreadable_authority_is_an_option_error() -> None:
    question = ImageQuestion("127.0.0.1:1/team/app", "v1").ref
    with pytest.raises(OptionError, match="cannot be read on the host that runs the task"):
        prove_images([question], Lookup(), RegistryAccess("/none.pem", timeout=20.0, named="127.0.0.1:1"))


@pytest.mark.parametrize(("written", "outcome"), [(True, "expired"), (False, "bad_login")])
def test_the_age_of_a_secret_counts_if_it_is_known(
    written: bool, outcome: str, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Amazon's registry, behind a proxy, refuses the token."""

    def script(_server: HostileRegistry) -> Iterable[bytes]:
        yield b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nConnection: close\r\n\r\n'

    managers = [{"time": "1970-01-01T01:00:00Z", "fieldsV1": {"f:data" if written else "f:metadata": {}}}]
    meta = {"managedFields": managers, "creationTimestamp": "1970-01-01T01:00:00Z"}
    content = {"auths": {"public.ecr.aws": {"username": "AWS", "password": "Canary-77"}}}
    data = {".dockerconfigjson": b64(json.dumps(content))}
    secret = {"metadata": meta, "type": "kubernetes.io/dockerconfigjson", "data": data}
    question = ImageQuestion("public.ecr.aws/team/app", "v1", "ns", "pull", "public.ecr.aws").ref
    with served(script, server_context(certificate), tunnel=True) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.host}")
        access = RegistryAccess(validate_certs=False, timeout=20.0)
        answers = prove_images([question], Lookup({ObjectRef(SECRET, "ns", "pull"): secret}), access)
    assert answers[question]["outcome"] == outcome


def test_the_answer_about_architectures_has_them(certificate: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("https_proxy", raising=False)
    entry = {"digest": f"sha256:{'a' * 64}", "platform": {"architecture": "arm64", "os": "linux"}}
    body = json.dumps({"manifests": [entry]}).encode()

    def script(hostile: HostileRegistry) -> Iterable[bytes]:
        kind = b"Content-Type: application/vnd.oci.image.index.v1+json\r\n"
        digest = f"Docker-Content-Digest: sha256:{'b' * 64}\r\n".encode()
        head = b"HTTP/1.1 200 OK\r\n" + kind + digest + b"Connection: close\r\n\r\n"
        yield head + (body if hostile.requests[-1].startswith(b"GET") else b"")

    with served(script, server_context(certificate)) as found:
        access = RegistryAccess(certificate, timeout=20.0, named=found.host)
        plain = ImageQuestion(f"{found.host}/team/app", "v1")
        questions = [plain.ref, replace(plain, reads_index=True).ref, replace(plain, reads_configuration=True).ref]
        answers = prove_images(questions, Lookup(), access)
    digests = {"digest": f"sha256:{'b' * 64}", "digests": (("arm64", entry["digest"]),), "lost": ()}
    read = {"is_index": True, "names": ("arm64",), "unread": "", **digests}
    assert [(answers[each] or {}).get("architectures") for each in questions] == [None, read, None]


@pytest.mark.parametrize("trusted", [True, False])
def test_a_question_about_a_certificate_is_asked_with_its_authorities(
    hostile: HostileRegistry, certificate: str, trusted: bool
) -> None:
    text = Path(certificate).read_text(encoding="ascii")
    authority = text[: text.index("-----BEGIN PRIVATE KEY-----")]
    question = TrustQuestion(hostile.host, authority if trusted else "").ref
    (answer,) = prove_images([question], Lookup(), RegistryAccess(timeout=20.0, named=hostile.host)).values()
    assert isinstance(answer, dict)
    assert answer["outcome"] == ("trusted" if trusted else "untrusted")


class TestNamespaceQuestions:
    """A registry that answers one request after the other, and in its own time: a path that begins with `slow` takes a quarter of a second."""

    @pytest.fixture
    def slow(self, certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
        def script(hostile: HostileRegistry) -> Iterable[bytes]:
            pauses = {b"/v2/slow": 0.25, b"/v2/some": 0.05}
            hostile.pause(next((each for path, each in pauses.items() if path in hostile.requests[-1]), 0.0))
            yield b"HTTP/1.1 404 None\r\nConnection: close\r\n\r\n"

        with served(script, server_context(certificate)) as found:
            yield found

    def asked(self, certificate: str, seconds: float, *calls: dict[str, list[ObjectRef]]) -> dict[ObjectRef, Any]:
        """The answers to all calls, which are made one after the other."""
        wanted = [ref for call in calls for refs in call.values() for ref in refs]
        hosts = {ImageQuestion.of(ref).repository.partition("/")[0] for ref in wanted}
        access = RegistryAccess(certificate, timeout=20.0, realm_hosts=tuple(hosts))
        questions, answers = NamespaceQuestions(access, seconds), dict[ObjectRef, Any]()
        for call in calls:
            answers.update(questions.answers(call, Lookup()))
        return answers

    def asked_in_turns(
        self, slow: HostileRegistry, certificate: str, of_run: float, each: int = 9, named: str = ""
    ) -> tuple[list[str], list[str]]:
        """The outcome for a namespace that is asked last, and the messages for the questions of many others that are not asked."""
        access = RegistryAccess(certificate, timeout=20.0, realm_hosts=(slow.host,), named=named)
        many = {
            f"m{at}": [ImageQuestion(f"{slow.host}/some/{at}/{part}", "v1").ref for part in range(each)]
            for at in range(20)
        }
        one = ImageQuestion(f"{slow.host}/team/app", "v1").ref
        answers = NamespaceQuestions(access, 60.0, of_run, turn=0.1).answers({**many, "team": [one]}, Lookup())
        late = [
            str(each["message"])
            for each in answers.values()
            if isinstance(each, dict) and each["outcome"] == "unanswered"
        ]
        found = answers[one]
        assert isinstance(found, dict)
        return [str(found["outcome"])], late

    def test_the_time_of_a_run_ends_and_every_namespace_has_its_turn_before(
        self, slow: HostileRegistry, certificate: str
    ) -> None:
        """The first 16 namespaces, which are asked at the same time, would take longer than the run."""
        outcome, late = self.asked_in_turns(slow, certificate, 4.0)
        assert outcome == ["not_found"]
        assert set(late) == {
            "not asked, because the registries that objects of the cluster name took more than 4 seconds"
        }
        assert len(late) > 40

    def test_the_time_of_a_run_does_not_limit_a_registry_that_an_option_names(
        self, slow: HostileRegistry, certificate: str
    ) -> None:
        assert self.asked_in_turns(slow, certificate, 0.0, 1, slow.host) == (["not_found"], [])

    def test_the_time_of_a_run_counts_over_all_calls(self, slow: HostileRegistry, certificate: str) -> None:
        access = RegistryAccess(certificate, timeout=20.0, realm_hosts=(slow.host,))
        questions = NamespaceQuestions(access, 60.0, 0.2)
        first, second = (ImageQuestion(f"{slow.host}/slow/{number}", "v1").ref for number in range(2))
        assert questions.answers({"a": [first]}, Lookup())[first]["outcome"] == "not_found"
        assert questions.answers({"b": [second]}, Lookup())[second]["outcome"] == "unanswered"

    def test_slow_registries_of_one_namespace_do_not_use_the_time_of_another(
        self, slow: HostileRegistry, certificate: str
    ) -> None:
        many = [ImageQuestion(f"{slow.host}/slow/{number}", "v1").ref for number in range(20)]
        one, two = (ImageQuestion(f"{slow.host}/team/{name}", "v1").ref for name in ("one", "two"))
        answers = self.asked(certificate, 0.6, {"mallory": many, "team": [one]}, {"team": [two]})
        assert [answers[ref]["outcome"] for ref in (one, two)] == ["not_found", "not_found"]
        skipped = [each["message"] for each in answers.values() if each["outcome"] == "unanswered"]
        assert set(skipped) == {"not asked, because the registries took more than 0.6 seconds"}
        assert len(answers) - len(skipped) == len(slow.requests) <= 6

    def test_a_question_that_one_namespace_has_no_time_for_is_asked_for_another(
        self, slow: HostileRegistry, certificate: str
    ) -> None:
        both = ImageQuestion(f"{slow.host}/team/app", "v1").ref
        many = [ImageQuestion(f"{slow.host}/slow/{number}", "v1").ref for number in range(4)]
        answers = self.asked(certificate, 0.3, {"mallory": [*many, both], "team": [both]})
        assert answers[both]["outcome"] == "not_found"

    def test_silent_registries_of_one_namespace_do_not_use_the_patience_with_those_of_another(
        self, slow: HostileRegistry, certificate: str
    ) -> None:
        silent = [ImageQuestion(f"127.0.0.1:{port}/x", "v1").ref for port in range(1, 260)]
        one = ImageQuestion(f"{slow.host}/team/app", "v1").ref
        answers = self.asked(certificate, 60.0, {"mallory": silent}, {"team": [one]})
        assert answers[one]["outcome"] == "not_found"
        assert sum(each["message"].startswith("not asked") for each in answers.values()) == 59

    def test_the_time_of_a_namespace_counts_over_all_calls(self, slow: HostileRegistry, certificate: str) -> None:
        access = RegistryAccess(certificate, timeout=20.0, realm_hosts=(slow.host,))
        questions = NamespaceQuestions(access, 0.2)
        first, second = (ImageQuestion(f"{slow.host}/slow/{number}", "v1").ref for number in range(2))
        assert questions.answers({"a": [first]}, Lookup())[first]["outcome"] == "not_found"
        assert questions.answers({"a": [second, first]}, Lookup())[second]["outcome"] == "unanswered"
        assert questions.answers({"a": [second, first]}, Lookup())[first]["outcome"] == "not_found", "it is known"
        assert questions.answers({"b": [second]}, Lookup())[second]["outcome"] == "not_found"
        assert questions.answers({}, Lookup()) == {}


def test_the_signatures_of_an_image_are_asked_for_with_the_login(certificate: str, no_outside_settings: None) -> None:
    """The registry serves the manifest and the signature of one of two architectures."""
    amd, arm = (f"sha256:{digit * 64}" for digit in "ab")
    manifests = [
        {"digest": digest, "platform": {"os": "linux", "architecture": name}}
        for name, digest in (("amd64", amd), ("arm64", arm))
    ]
    index = json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()

    def script(hostile: HostileRegistry) -> Iterable[bytes]:
        request = hostile.requests[-1]
        if f"Authorization: {LOGIN}".encode() not in request:
            yield b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nConnection: close\r\n\r\n'
            return
        is_there = b".sig " not in request or f"sha256-{amd[7:]}.sig".encode() in request
        yield f"HTTP/1.1 {200 if is_there else 404} X\r\nConnection: close\r\n\r\n".encode()
        yield index if request.startswith(b"GET /v2/team/app/manifests/v1 ") else b""

    known = evidence(right={"h": {"auth": b64(b"alice:Canary-77")}})
    with served(script, server_context(certificate)) as registry:
        image = ImageQuestion(f"{registry.host}/team/app", "v1", "ns", "right", "h")
        refs = [SignatureQuestion(image, ("amd64", "arm64")).ref, image.ref]
        answers = prove_images(refs, known, RegistryAccess(certificate, timeout=20.0, named=registry.host))
    signatures, pull = (answers[ref] for ref in refs)
    assert isinstance(signatures, dict)
    assert isinstance(pull, dict)
    found = [(each["architecture"], each["outcome"]) for each in signatures["platforms"]]
    assert (signatures["outcome"], found) == ("pulls", [("amd64", "signed"), ("arm64", "unsigned")])
    assert "platforms" not in pull


# --- Many questions are asked at the same time, each different one once


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
