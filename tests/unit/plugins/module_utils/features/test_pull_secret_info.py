# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many namespaces need few requests. Each different login is checked once, and all its copies get the result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret_info import (
    PullSecrets,
    inspect_secrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    RegistryAccess,
    Verification,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from support.certificates import server_context
from support.fake_api import FakeApi
from support.hostile_registry import HostileRegistry, asks_for, served
from support.objects import b64
from support.scripted_pool import Clock
from support.surveyed import token

RIGHT = "Canary-right"


@pytest.fixture
def server(certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
    """Serve a registry that gives alice everything except `secret/`."""
    with served(asks_for(f"alice:{RIGHT}", withheld=b"/secret/"), server_context(certificate)) as found:
        yield found


def put(api: FakeApi, namespace: str, name: str, auths: dict[str, str], user: str = "alice", **parts: Any) -> None:
    """Store a secret with a password for each key."""
    entries = {key: {"username": user, "password": password} for key, password in auths.items()}
    data = {".dockerconfigjson": b64(json.dumps({"auths": entries}))}
    api.put("secrets", namespace, name, type="kubernetes.io/dockerconfigjson", data=data, **parts)


def look(api: FakeApi, wanted: PullSecrets, *namespaces: str) -> Outcome:
    clock = Clock()
    settings = RunSettings(check_mode=False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))
    outcome = inspect_secrets(api.cluster(clock), wanted, namespaces, settings)
    assert "Canary" not in str(outcome.report())
    return outcome


def secrets(outcome: Outcome) -> dict[str, list[dict[str, Any]]]:
    return {result.name: result.extra["secrets"] for result in outcome.namespaces if "secrets" in result.extra}


def proving(certificate: str, *repositories: str, named: Sequence[str] = ()) -> Verification:
    images = [(text, image) for text in repositories if (image := reference_of(text))]
    return Verification(images, RegistryAccess(certificate, timeout=20.0, realm_hosts=tuple(named)))


def test_no_registry_is_asked_without_verify(server: HostileRegistry) -> None:
    api = FakeApi()
    put(api, "a", "pull", {server.host: RIGHT})
    outcome = look(api, PullSecrets(), "a")
    assert (server.requests, outcome.extra) == ([], {})
    assert "proofs" not in secrets(outcome)["a"][0]["registries"][0]


def test_a_registry_that_only_a_secret_names_is_not_asked_on_loopback(
    server: HostileRegistry, certificate: str
) -> None:
    api = FakeApi()
    put(api, "a", "pull", {server.host: RIGHT})
    (row,) = secrets(look(api, PullSecrets(verification=proving(certificate)), "a"))["a"][0]["registries"]
    assert [proof["outcome"] for proof in row["proofs"]] == ["not_sent"]
    assert "add it to 'realm_hosts: - " in row["proofs"][0]["message"]
    assert server.requests == []


def test_each_answer_is_reported_with_its_login(server: HostileRegistry, certificate: str) -> None:
    api = FakeApi()
    put(api, "a", "mixed", {server.host: RIGHT, f"{server.host}/team": "Canary-wrong", "127.0.0.1:1": "Canary"})
    put(api, "b", "over", {server.host: token(exp=60)})
    team, hidden = f"{server.host}/team/app:v1", f"{server.host}/secret/app:v1"
    wanted = PullSecrets(
        verification=proving(certificate, team, hidden, "other.example.com/a/b", named=["127.0.0.1:1"])
    )
    outcome = look(api, wanted, "a", "b")
    rows = {
        row["key"]: row["proofs"] for name in "ab" for secret in secrets(outcome)[name] for row in secret["registries"]
    }
    (over,) = (row["proofs"] for row in secrets(outcome)["b"][0]["registries"])
    mixed = {row["key"]: row["proofs"] for row in secrets(outcome)["a"][0]["registries"]}
    assert [(proof["repository"], proof["outcome"]) for proof in mixed[server.host]] == [
        ("", "logs_in"),
        (hidden, "no_right"),
    ]
    assert [(proof["repository"], proof["outcome"]) for proof in mixed[f"{server.host}/team"]] == [
        ("", "bad_login"),
        (team, "bad_login"),
    ]
    assert [proof["outcome"] for proof in mixed["127.0.0.1:1"]] == ["unanswered"]
    assert {proof["outcome"] for proof in over} == {"expired"}
    assert "has expired at 1970-01-01T00:01:00Z, as its token says" in over[0]["message"]
    assert outcome.extra["works"] is False
    assert outcome.extra["outcomes"] == {
        "bad_login": 2,
        "expired": len(over),
        "logs_in": 1,
        "no_right": 1,
        "unanswered": 1,
    }
    assert outcome.remarks == ("other.example.com/a/b was not checked: none of the secrets has a login for it",)
    assert not outcome.has_failed
    assert rows


def test_an_expiry_alone_is_not_a_refusal(certificate: str) -> None:
    """The registry does not answer in this test, so the outcome is unknown."""
    api = FakeApi()
    put(api, "a", "pull", {"127.0.0.1:1": token(exp=60)})
    wanted = PullSecrets(verification=proving(certificate, named=["127.0.0.1:1"]))
    (row,) = secrets(look(api, wanted, "a"))["a"][0]["registries"]
    assert (row["expires"], row["proofs"][0]["outcome"]) == ("1970-01-01T00:01:00Z", "unanswered")


@pytest.mark.parametrize(("written", "outcome"), [(True, "expired"), (False, "bad_login")])
def test_the_age_of_a_secret_shows_that_a_known_kind_has_expired(
    written: bool, outcome: str, certificate: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A registry of Amazon behind a proxy refuses the token."""

    def script(_server: HostileRegistry) -> Iterable[bytes]:
        yield b'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="r"\r\nConnection: close\r\n\r\n'

    api = FakeApi()
    managers = [{"time": "1970-01-01T01:00:00Z", "fieldsV1": {"f:data" if written else "f:metadata": {}}}]
    meta = {"managedFields": managers, "creationTimestamp": "1970-01-01T01:00:00Z"}
    put(api, "a", "pull", {"public.ecr.aws": "Canary-77"}, "AWS", metadata=meta)
    with served(script, server_context(certificate), tunnel=True) as proxy:
        monkeypatch.setenv("https_proxy", f"http://{proxy.host}")
        access = RegistryAccess(validate_certs=False, timeout=20.0)
        outcome_of = look(api, PullSecrets(verification=Verification(access=access)), "a")
    (row,) = secrets(outcome_of)["a"][0]["registries"]
    assert [proof["outcome"] for proof in row["proofs"]] == [outcome]
    assert row["expires"] == ("1970-01-01T13:00:00Z" if written else "")


def test_namespaces_without_a_secret_are_only_counted_if_there_are_many() -> None:
    api = FakeApi()
    many = [f"ns-{number}" for number in range(101)]
    for name in many:
        api.put("namespaces", "", name)
    put(api, "ns-7", "pull", {"q.io": "Canary"})
    report = look(api, PullSecrets(), *many).report()
    assert ([row["name"] for row in report["namespaces"]], report["summary"]["total"]) == (["ns-7"], 101)


def test_generated_secrets_are_not_asked_about(server: HostileRegistry, certificate: str) -> None:
    api = FakeApi()
    meta = {"annotations": {"openshift.io/internal-registry-auth-token.service-account": "default"}}
    put(api, "a", "default-dockercfg-x", {server.host: RIGHT}, metadata=meta)
    wanted = PullSecrets(("default-dockercfg-*",), proving(certificate))
    (found,) = secrets(look(api, wanted, "a"))["a"]
    assert (found["generated"], found["registries"][0]["proofs"], server.requests) == (True, [], [])


def test_a_key_that_is_not_a_registry_causes_no_traceback(certificate: str) -> None:
    api = FakeApi()
    put(api, "a", "pull", {"q.io:99999": "x", "[::1": "x", "q io": "x", "": "x", "\u202e.io": "x", "https://": "x"})
    outcome = look(api, PullSecrets(verification=proving(certificate)), "a")
    assert {*outcome.extra["outcomes"]} == {"unanswered"}
