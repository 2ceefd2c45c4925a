# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A login that a registry on 127.0.0.1 refuses or cannot prove fails its entry alone. The failure says whether the stored secret has a working one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.proof import RegistryProof
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Entry, Failure
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch, Declaration
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult, Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret.plan import (
    PullSecret,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret.run import (
    LoginVerification,
    name_working_logins,
    verdict_of,
    verify_logins,
)
from support.certificates import server_context
from support.fake_api import FakeApi
from support.hostile_registry import HostileRegistry, asks_for, served
from support.objects import b64
from support.scripted_pool import Clock, status_object
from support.surveyed import token

RIGHT = "Canary-right"


@pytest.fixture
def server(certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
    """Serve a registry that gives alice everything except `secret/`."""
    with served(asks_for(f"alice:{RIGHT}", withheld=b"/secret/"), server_context(certificate)) as found:
        yield found


def declared(
    certificate: str, registry: str, password: str, position: int | None = None, **options: Any
) -> Declaration[Any]:
    login = {"registry": registry, "username": "alice", "password": password}
    usual = {"name": "pull", "state": "present", "type": "kubernetes.io/dockerconfigjson", "registries": [login]}
    given = {"verify": True, "registry_ca_cert": certificate, "registry_timeout": 60, **options}
    entry = None if position is None else Entry("secrets", position, "pull")
    return Declaration(from_options({**usual, **given}, lambda _path: ""), entry)


def refusals(every: Sequence[Declaration[PullSecret]]) -> dict[int, str]:
    """The reasons of the refused entries, by position."""
    return {one.entry.position: one.refused for one in verify_logins(every).declared if one.entry and one.refused}


def test_no_registry_is_asked_about_logins_that_need_no_verification(server: HostileRegistry, certificate: str) -> None:
    every = [
        declared(certificate, server.host, "wrong", verify=False),
        declared(certificate, server.host, "wrong", mode="remove"),
        declared(certificate, server.host, "wrong", state="absent"),
    ]
    found = verify_logins(every)
    assert found == LoginVerification(every, [])
    assert found.report() == {}
    assert server.requests == []


def test_all_refused_logins_are_named(server: HostileRegistry, certificate: str) -> None:
    every = [declared(certificate, server.host, password, number) for number, password in enumerate(("a", RIGHT, "b"))]
    found = verify_logins(every)
    assert (len(found.answers), found.report()) == (3, {"verified_logins": 1})
    refused = refusals(every)
    assert {*refused} == {0, 2}
    for said in refused.values():
        assert said.startswith("nothing was written because a login does not work or could not be verified: ")
        problem = f"registry key {server.host}: registry {server.host} refuses the login"
        assert f"{problem} (correct 'username' and 'password')" in said
        assert RIGHT not in said


def test_an_entry_with_the_title_of_a_refused_one_is_refused_too(server: HostileRegistry, certificate: str) -> None:
    every = [declared(certificate, server.host, "wrong", 0), declared(certificate, server.host, RIGHT, 1, verify=False)]
    parts = [replace(one, entry=replace(one.entry, title="team-b")) for one in every]
    assert {*refusals(parts)} == {0, 1}


def test_an_expired_login_is_reported_with_its_expiry(server: HostileRegistry, certificate: str) -> None:
    with pytest.raises(
        Refusal, match=r"refuses the login, which has expired at 1970-01-01T00:01:00Z, as its token says: get"
    ):
        verify_logins([declared(certificate, server.host, token(exp=60))])


def test_the_first_of_many_refused_logins_are_named(server: HostileRegistry, certificate: str) -> None:
    logins = [{"registry": f"{server.host}/p{number}", "username": "alice", "password": "no"} for number in range(23)]
    with pytest.raises(Refusal, match=r"/p\d+ and 2 more\)\. To write"):
        verify_logins([declared(certificate, server.host, "no", registries=logins)])


def test_a_missing_right_is_refused(server: HostileRegistry, certificate: str) -> None:
    repository = f"{server.host}/secret/app:v1"
    with pytest.raises(Refusal, match="the login works, but has no right to pull"):
        verify_logins([declared(certificate, server.host, RIGHT, verify_repositories=[repository])])


def test_equal_logins_are_asked_about_once(server: HostileRegistry, certificate: str) -> None:
    fifty = [declared(certificate, server.host, RIGHT, number) for number in range(50)]
    found = verify_logins(fifty)
    assert (found.declared, found.warnings, len(found.answers)) == (fifty, [], 1)
    assert found.report() == {"verified_logins": 1}
    assert len(server.requests) == 2, "once without the login, once with it"


@pytest.mark.parametrize(
    ("outcome", "verdicts"),
    [
        *((outcome, ("write", "write")) for outcome in ("logs_in", "pulls")),
        *((outcome, ("refuse", "warn")) for outcome in ("unanswered", "rate_limited")),
        *(
            (outcome, ("refuse", "refuse"))
            for outcome in ("bad_login", "expired", "no_login", "no_right", "not_found", "not_sent")
        ),
    ],
)
def test_the_outcome_of_a_proof_decides_about_the_login(outcome: Any, verdicts: tuple[str, str]) -> None:
    proof = RegistryProof(outcome, "said", "quay.io")
    assert (verdict_of(proof, must_answer=True), verdict_of(proof, must_answer=False)) == verdicts


class TestOpenRegistry:
    """A registry that answers its first request without a login, so a client sends none. A repository can need one."""

    @pytest.fixture
    def server(self, certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
        private = asks_for(f"alice:{RIGHT}")

        def script(server: HostileRegistry) -> Iterable[bytes]:
            path = server.requests[-1].decode().split(" ")[1]
            if path == "/v2/" or "/public/" in path:
                return [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"]
            return private(server)

        with served(script, server_context(certificate)) as found:
            yield found

    def test_login_that_was_not_sent_is_refused(self, server: HostileRegistry, certificate: str) -> None:
        every = [declared(certificate, server.host, RIGHT, 0)]
        (said,) = refusals(every).values()
        assert (
            f"the login for {server.host} was not verified: registry {server.host} requires no login, so it was not sent (name a repository "
            "that requires one in 'verify_repositories', or set 'verify: warn')"
        ) in said
        assert verify_logins(every).report() == {}
        assert not [request for request in server.requests if b"Authorization" in request]

    def test_warn_writes_it_with_a_warning_and_does_not_count_it(
        self, server: HostileRegistry, certificate: str
    ) -> None:
        found = verify_logins([declared(certificate, server.host, RIGHT, verify="warn")])
        assert found.warnings == [
            f"the login for {server.host} was not verified: registry {server.host} requires no login, so it was not sent"
        ]
        assert found.report() == {}

    @pytest.mark.parametrize(("path", "report"), [("team/app", {"verified_logins": 1}), ("public/app", {})], ids=str)
    def test_a_repository_decides_instead(
        self, server: HostileRegistry, certificate: str, path: str, report: dict[str, int]
    ) -> None:
        repository = [f"{server.host}/{path}:v1"]
        found = verify_logins([declared(certificate, server.host, RIGHT, verify_repositories=repository)])
        assert (found.warnings, found.report()) == ([], report)

    def test_wrong_password_for_a_repository_is_refused(self, server: HostileRegistry, certificate: str) -> None:
        repository = [f"{server.host}/team/app:v1"]
        with pytest.raises(Refusal, match="refuses the login"):
            verify_logins([declared(certificate, server.host, "wrong", verify_repositories=repository)])

    def test_a_repository_of_another_entry_proves_nothing(self, server: HostileRegistry, certificate: str) -> None:
        repository = [f"{server.host}/team/app:v1"]
        every = [
            declared(certificate, server.host, RIGHT, 0, verify_repositories=repository),
            declared(certificate, server.host, "wrong", 1),
        ]
        assert {*refusals(every)} == {1}


def test_an_impossible_repository_is_an_error_of_its_entry(certificate: str) -> None:
    with pytest.raises(OptionError, match=r"^.*secrets\[3\].*: option 'verify_repositories'"):
        verify_logins([declared(certificate, "quay.io", RIGHT, 3, verify_repositories=["ghcr.io/a/b"])])


def test_a_key_with_a_star_is_refused_or_a_warning(server: HostileRegistry, certificate: str) -> None:
    star = {"registry": "*.example.com", "username": "alice", "password": RIGHT}
    with pytest.raises(OptionError, match=r"^.*secrets\[3\].*: option 'verify': .* \*.example.com, because"):
        verify_logins([declared(certificate, server.host, RIGHT, 3, registries=[star])])
    warned = declared(certificate, server.host, RIGHT, 3, verify="warn", registries=[star])
    found = verify_logins([warned, declared(certificate, server.host, RIGHT, 4, verify=False, registries=[star])])
    assert [one.refused for one in found.declared] == ["", ""]
    assert list(found.warnings) == [
        "secrets[3] (pull): the login for *.example.com was not verified: a key with a star names no registry. Name an image for it in "
        "'verify_repositories'"
    ]
    assert server.requests == []


NEW, OLD = "Canary-new", "Canary-old"
PULL = "kubernetes.io/dockerconfigjson"


def auth(password: str) -> str:
    return b64(f"alice:{password}")


@pytest.fixture
def updated_server(certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
    """Serve a registry that accepts the new login."""
    with served(asks_for(f"alice:{NEW}"), server_context(certificate)) as found:
        yield found


class Case:
    """Failed entries by namespace, with the content of the secret `pull` there."""

    def __init__(self, certificate: str, host: str) -> None:
        self.api, self.certificate, self.host = FakeApi(), certificate, host

    def stored(self, namespace: str, password: str, key: str = "") -> None:
        content = json.dumps({"auths": {key or self.host: {"auth": auth(password)}}})
        data = {".dockerconfigjson": b64(content)}
        self.api.put("secrets", namespace, "pull", type=PULL, data=data)

    def errors(self, *namespaces: str, password: str = OLD, verify: bool = True, **more: Any) -> dict[str, str]:
        login = {"registry": self.host, "username": "alice", "password": password}
        options = {"name": "pull", "state": "present", "type": PULL, "registries": [login], "verify": verify}
        options |= {"registry_ca_cert": self.certificate, "registry_timeout": 60, **more}
        entry = Entry("secrets", 0, "pull")
        declared = [Declaration(from_options(options, lambda _path: ""), entry)]
        results = [
            NamespaceResult(name, "failed", failures=(Failure(entry, "refused"), Failure(Entry("secrets", 9), "other")))
            for name in namespaces
        ]
        clock = Clock()
        outcome = name_working_logins(
            verify_logins(declared).answers,
            self.api.cluster(clock),
            Batch(SECRET, dict.fromkeys(namespaces, declared)),
            Outcome(results),
            RunSettings(check_mode=False, clock=clock),
        )
        assert self.api.writes == []
        assert "anary" not in json.dumps(outcome.report())
        assert {result.failures[1].error for result in outcome.namespaces} == {"other"}
        return {result.name: result.failures[0].error for result in outcome.namespaces}


@pytest.fixture
def case(certificate: str, updated_server: HostileRegistry) -> Case:
    return Case(certificate, updated_server.host)


def test_a_stored_login_that_works_is_named_with_its_place(case: Case, updated_server: HostileRegistry) -> None:
    case.stored("a", NEW, f"https://{case.host}/v2/")
    case.stored("b", OLD)
    case.stored("c", "Canary-guess")
    case.stored("d", NEW, "other.example.com")
    case.api.put("secrets", "f", "pull", type=PULL, data={".dockerconfigjson": "?"})
    case.api.put("secrets", "g", "pull", type=PULL, data={})
    case.api.fail("GET /api/v1/namespaces/h/secrets", status_object(403, "Forbidden", "no"))
    errors = case.errors(*"abcdefgh")
    assert errors.pop("a") == (
        f"refused. The secret has another login for {case.host}, and the registry accepts that one: it was probably renewed. Users of "
        "the namespace can write this secret, so give that login to this entry only if you know it. Without 'verify', the login that works "
        "would be replaced"
    )
    assert {*errors.values()} == {"refused"}
    assert len(updated_server.requests) == 6, "each of the three logins once in the task, after a request without one"


@pytest.mark.parametrize("refusal", [b"401 No", b"403 No", b"404 No"])
def test_each_refusal_of_an_image_looks_at_the_stored_login(certificate: str, refusal: bytes) -> None:
    """A registry can deny the image to a login, or hide it."""

    def script(updated_server: HostileRegistry) -> Iterator[bytes]:
        request = updated_server.requests[-1]
        answer = b"401 No" if b"Authorization: " not in request else b"200 OK"
        if auth(OLD).encode() in request and b"/manifests/" in request:
            answer = refusal
        yield b'HTTP/1.1 %s\r\nWWW-Authenticate: Basic realm="r"\r\nConnection: close\r\n\r\n' % answer

    with served(script, server_context(certificate)) as updated_server:
        case = Case(certificate, updated_server.host)
        case.stored("a", NEW)
        errors = case.errors("a", verify_repositories=[f"{updated_server.host}/team/app:v1"])
        assert "the registry accepts that one" in errors["a"]


def test_no_secret_is_read_for_a_login_that_works(case: Case, updated_server: HostileRegistry) -> None:
    case.stored("a", "Canary-guess")
    assert case.errors("a", password=NEW) == {"a": "refused"}
    assert (len(updated_server.requests), case.api.asked) == (2, [])


def test_no_registry_is_asked_without_verify(case: Case, updated_server: HostileRegistry) -> None:
    case.stored("a", NEW)
    assert case.errors("a", verify=False) == {"a": "refused"}
    assert (updated_server.requests, case.api.asked) == ([], [])


def test_secrets_of_many_namespaces_cost_a_limited_number_of_requests(case: Case) -> None:
    names = [f"n{number}" for number in range(150)]
    for name in names:
        case.stored(name, NEW)
    errors = case.errors(*names)
    assert len(case.api.asked) == 100
    assert sum(error != "refused" for error in errors.values()) == 100
