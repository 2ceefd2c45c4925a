# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each different question to a registry on 127.0.0.1 is asked once, with the login as the kubelet reads it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.proofs import (
    NamespaceQuestions,
    prove_images,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    ImageQuestion,
    RegistryAccess,
    SignatureQuestion,
    TrustQuestion,
)
from support.certificates import server_context
from support.hostile_registry import HostileRegistry, asks_for, served
from support.objects import b64
from support.surveyed import token

LOGIN = "Basic " + b64(b"alice:Canary-77")


@pytest.fixture
def server(certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
    """A registry that gives alice access to everything."""
    with served(asks_for("alice:Canary-77"), server_context(certificate)) as found:
        yield found


def evidence(**secrets: Any) -> Lookup:
    known = {}
    for name, auths in secrets.items():
        data = {".dockerconfigjson": b64(json.dumps({"auths": auths}))}
        known[ObjectRef(SECRET, "ns", name)] = {"type": "kubernetes.io/dockerconfigjson", "data": data}
    return Lookup(known)


def asked(server: HostileRegistry, certificate: str, known: Lookup, *logins: tuple[str, str]) -> list[str]:
    questions = [ImageQuestion(f"{server.host}/team/app", "v1", "ns", secret, key).ref for secret, key in logins]
    answers = prove_images(questions, known, RegistryAccess(certificate, timeout=20.0, named=server.host))
    assert "Canary" not in str(answers)
    return [answers[question]["outcome"] for question in questions]


def test_each_login_has_its_answer(server: HostileRegistry, certificate: str) -> None:
    known = evidence(
        right={"h": {"auth": b64(b"alice:Canary-77")}},
        wrong={"h": {"username": "alice", "password": "x"}, "empty": {}},
    )
    logins = [("right", "h"), ("wrong", "h"), ("wrong", "empty"), ("wrong", "no such key"), ("", "")]
    assert asked(server, certificate, known, *logins) == ["pulls", "bad_login", "no_login", "no_login", "no_login"]


def test_equal_logins_are_asked_once(server: HostileRegistry, certificate: str) -> None:
    login = {"username": "alice", "password": "Canary-77"}
    known = evidence(**{f"s{number}": {"h": login} for number in range(20)})
    assert asked(server, certificate, known, *[(f"s{number}", "h") for number in range(20)]) == ["pulls"] * 20
    assert len(server.requests) == 2, "one without a login, one with it"


def test_a_missing_secret_has_no_login(server: HostileRegistry, certificate: str) -> None:
    known = Lookup({ObjectRef(SECRET, "ns", "gone"): None})
    assert asked(server, certificate, known, ("gone", "h")) == ["no_login"]


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
    server: HostileRegistry, certificate: str, named: str
) -> None:
    question = ImageQuestion(f"{server.host}/team/app", "v1").ref
    answer = prove_images([question], Lookup(), RegistryAccess(certificate, timeout=20.0, named=named))[question]
    assert isinstance(answer, dict)
    assert (answer["outcome"], "add it to 'realm_hosts: - " in answer["message"]) == ("not_sent", True)
    assert server.requests == []


@pytest.mark.parametrize(("is_insecure", "outcome"), [(True, "no_login"), (False, "unanswered")])
def test_the_certificate_of_an_insecure_registry_is_not_verified(
    server: HostileRegistry, is_insecure: bool, outcome: str
) -> None:
    plain = ImageQuestion(f"{server.host}/team/app", "v1", is_insecure=is_insecure)
    questions = [plain.ref, replace(plain, reads_index=True).ref, SignatureQuestion(plain, ()).ref]
    answers = prove_images(questions, Lookup(), RegistryAccess(timeout=20.0, named=server.host))
    assert [answers[question]["outcome"] for question in questions] == [outcome] * 3


def test_an_expired_login_is_reported_as_expired(server: HostileRegistry, certificate: str) -> None:
    known = evidence(over={"h": {"username": "u", "password": token(exp=60)}})
    assert asked(server, certificate, known, ("over", "h")) == ["expired"]


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

    def script(server: HostileRegistry) -> Iterable[bytes]:
        kind = b"Content-Type: application/vnd.oci.image.index.v1+json\r\n"
        digest = f"Docker-Content-Digest: sha256:{'b' * 64}\r\n".encode()
        head = b"HTTP/1.1 200 OK\r\n" + kind + digest + b"Connection: close\r\n\r\n"
        yield head + (body if server.requests[-1].startswith(b"GET") else b"")

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
    server: HostileRegistry, certificate: str, trusted: bool
) -> None:
    text = Path(certificate).read_text(encoding="ascii")
    authority = text[: text.index("-----BEGIN PRIVATE KEY-----")]
    question = TrustQuestion(server.host, authority if trusted else "").ref
    (answer,) = prove_images([question], Lookup(), RegistryAccess(timeout=20.0, named=server.host)).values()
    assert isinstance(answer, dict)
    assert answer["outcome"] == ("trusted" if trusted else "untrusted")


class TestNamespaceQuestions:
    """A registry that answers one request after the other, and in its own time: a path that begins with `slow` takes a quarter of a second."""

    @pytest.fixture
    def slow(self, certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
        def script(server: HostileRegistry) -> Iterable[bytes]:
            pauses = {b"/v2/slow": 0.25, b"/v2/some": 0.05}
            server.pause(next((each for path, each in pauses.items() if path in server.requests[-1]), 0.0))
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

    def script(server: HostileRegistry) -> Iterable[bytes]:
        request = server.requests[-1]
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
