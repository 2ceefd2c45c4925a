# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module describes the selected secrets, of a login only the key and the expiry time. Each different login is checked once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError, Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import NAMESPACE, SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret_info import (
    PullSecrets,
    SecretQuestion,
    SecretReport,
    from_options,
    inspect_secrets,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    RegistryAccess,
    Verification,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from hypothesis import given
from support.anything import ANYTHING
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
    assert "to image_pull_realm_hosts of the inventory" in row["proofs"][0]["message"]
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


JSON, CFG, PODMAN = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg", "kubernetes.io/podmanconfigjson"
NS = ObjectRef(NAMESPACE, "", "ns")
USER, PASSWORD = "Canary-user", "Canary-77"
GENERATED = {"openshift.io/internal-registry-auth-token.service-account": "default"}


def entry(user: str = USER, password: str = PASSWORD) -> dict[str, str]:
    return {"auth": b64(f"{user}:{password}")}


def secret(auths: Any, kind: str = JSON, key: str = ".dockerconfigjson", **meta: Any) -> dict[str, Any]:
    content = auths if isinstance(auths, str) else json.dumps({"auths": auths})
    return {"metadata": {"name": "s", **meta}, "type": kind, "data": {key: b64(content)}}


def report(obj: dict[str, Any]) -> dict[str, Any]:
    found = SecretReport.of(obj)
    assert "Canary" not in repr(found)
    assert not any(form in json.dumps(found.report) for form in (PASSWORD, USER, b64(f"{USER}:{PASSWORD}")))
    return dict(found.report)


def names(objects: dict[str, Any], *asked: str) -> list[str]:
    return [found.report["name"] for found in SecretQuestion(PullSecrets(asked)).reports("ns", objects)]


class TestReport:
    def test_a_pull_secret_is_reported_with_its_registries(self) -> None:
        found = report(secret({"quay.io/team": entry(), "https://r.io": {}, f"{USER}:{PASSWORD}@x.io": entry()}))
        assert found == {
            "name": "s", "type": JSON, "read_by_nodes": True, "immutable": False, "generated": False, "managed_by": "", "owner": "",
            "problems": [],
            "registries": [
                {"key": "***@x.io", "has_login": True, "kind": "", "expires": ""},
                {"key": "https://r.io", "has_login": False, "kind": "", "expires": ""},
                {"key": "quay.io/team", "has_login": True, "kind": "", "expires": ""},
            ],
        }  # fmt: skip

    def test_the_expiry_of_a_login_is_reported(self) -> None:
        ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
        written = [{"time": "1970-01-01T01:00:00Z", "fieldsV1": {"f:data": {}}}]
        auths = {"q.io": entry(USER, token(exp=60)), ecr: entry("AWS", PASSWORD)}
        told = [(row["kind"], row["expires"]) for row in report(secret(auths, managedFields=written))["registries"]]
        assert told == [("an Amazon ECR token", "1970-01-01T13:00:00Z"), ("", "1970-01-01T00:01:00Z")]
        unknown = report(secret(auths, creationTimestamp="1970-01-01T01:00:00Z"))["registries"]
        assert unknown[0]["expires"] == "", "it may have been written at any time since"

    def test_the_manager_and_the_owner_of_a_secret_are_reported(self) -> None:
        ours = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": "team-a"}
        found = report(secret({}, labels=ours))
        assert (found["managed_by"], found["owner"]) == ("openshift_ops.image_pull", "team-a")
        owners = [{"kind": "ExternalSecret", "name": "e", "controller": True}]
        assert report(secret({}, labels=ours, ownerReferences=owners))["managed_by"] == "ExternalSecret e"
        assert report(secret({}, annotations=GENERATED))["generated"] is True
        assert report({**secret({}), "immutable": True})["immutable"] is True

    def test_problems_that_stop_a_node_are_reported(self) -> None:
        found = report(secret({"q.io": {"auth": 5}, "r.io": entry()}))
        assert found["problems"] == ["the entry for 'q.io' has a 'auth' that is a number, not a string"]
        assert [row["has_login"] for row in found["registries"]] == [False, True]
        broken = report(secret("{"))
        assert (broken["registries"], len(broken["problems"])) == ([], 1)
        not_base64 = report({"metadata": {"name": "s"}, "type": JSON, "data": {".dockerconfigjson": "%"}})
        assert not_base64["problems"] == ["it is not base64"]

    def test_a_password_in_a_key_is_hidden(self) -> None:
        found = report(secret({f"https://q.io/?token={PASSWORD}": {"auth": 5}}))
        assert "q.io" in found["problems"][0]
        assert "q.io" in found["registries"][0]["key"]

    def test_a_secret_of_a_type_that_no_node_reads_is_reported(self) -> None:
        found = report(secret({"q.io": entry()}, PODMAN, "auth.json"))
        assert (found["read_by_nodes"], found["problems"], len(found["registries"])) == (False, [], 1)
        broken = report(secret("{", PODMAN, "auth.json"))
        assert (broken["registries"], len(broken["problems"])) == ([], 1)

    @given(ANYTHING, ANYTHING, ANYTHING)
    def test_an_arbitrary_object_causes_no_error(self, data: Any, kind: Any, meta: Any) -> None:
        obj = {"metadata": meta, "type": kind, "data": data}
        SecretReport.of(obj)
        SecretQuestion(PullSecrets()).reports("ns", {"s": obj})
        SecretQuestion(PullSecrets(("s",))).reports("ns", {"s": obj})


class TestMeant:
    OBJECTS: dict[str, Any] = {
        "a": secret({"q.io": entry()}, name="a"),
        "b": secret('{"q.io": {"auth": ""}}', CFG, ".dockercfg", name="b"),
        "broken": secret("{", name="broken"),
        "generated": secret({}, name="generated", annotations=GENERATED),
        "opaque": secret({"q.io": entry()}, "Opaque", "config.json", name="opaque"),
        "other": {"metadata": {"name": "other"}, "type": "Opaque", "data": {"password": b64("x")}},
        "empty": secret({}, "Opaque", "config.json", name="empty"),
    }

    def test_all_secrets_with_logins_that_are_not_generated_are_selected(self) -> None:
        assert names(self.OBJECTS) == ["a", "b", "broken", "opaque"]

    def test_a_named_secret_is_selected_whatever_it_holds(self) -> None:
        assert names(self.OBJECTS, "generated", "other", "none") == ["generated", "other"]

    def test_a_glob_selects_secrets_with_logins(self) -> None:
        assert names(self.OBJECTS, "o*", "g*") == ["generated", "opaque"]
        assert names(self.OBJECTS, "*") == ["a", "b", "broken", "generated", "opaque"]

    def test_a_missing_namespace_is_refused(self) -> None:
        asks = SecretQuestion(PullSecrets(), "https://api")
        assert asks.related("ns", {}) == (NS,)
        assert asks.related("ns", self.OBJECTS) == ()
        with pytest.raises(Refusal, match="^the namespace does not exist on https://api. Correct its name$"):
            asks.reports("ns", {}, {NS: None})
        for found in ({}, {NS: {}}):
            assert asks.reports("ns", {}, found) == [], "empty, or the caller may not know"


class TestRead:
    def test_secrets_are_read_by_name_or_listed_by_their_possible_types(self) -> None:
        assert SecretQuestion(PullSecrets(("a", "b"))).names("ns") == ("a", "b")
        assert SecretQuestion(PullSecrets(("a", "b")), by_name=False).names("ns") == ()
        assert SecretQuestion(PullSecrets(("a", "b*"))).names("ns") == ()
        (selector,) = SecretQuestion(PullSecrets()).listed_by[SECRET]
        left_out = {each.removeprefix("type!=") for each in selector.split(",")}
        assert {"helm.sh/release.v1", "kubernetes.io/service-account-token", "kubernetes.io/tls"} < left_out
        assert "bootstrap.kubernetes.io/token" in left_out
        assert not left_out & {JSON, CFG, PODMAN, "Opaque"}

    @pytest.mark.parametrize(("asked", "kept"), [((), False), (("*",), True)], ids=str)
    def test_generated_tokens_are_kept_only_when_they_are_asked_for(self, asked: tuple[str, ...], kept: bool) -> None:
        kind = SecretQuestion(PullSecrets(asked)).kind
        assert kind == SECRET
        assert kind.trim is not None
        assert bool(kind.trim(secret({}, annotations=GENERATED))["data"]) is kept
        assert kind.trim(TestMeant.OBJECTS["a"])["data"]
        assert kind.trim(TestMeant.OBJECTS["other"])["data"] == {}


NONE: dict[str, Any] = {
    **dict.fromkeys(("names", "verify_repositories", "realm_hosts", "registry_ca_cert")),
    "verify": False,
    "registry_validate_certs": True,
    "registry_timeout": 10,
}


def asked(**given: Any) -> PullSecrets:
    return from_options({**NONE, **given})


def test_all_secrets_are_selected_without_names() -> None:
    assert asked() == PullSecrets()
    assert asked(verify=True) == PullSecrets(verification=Verification())


def test_names_and_globs_select_secrets() -> None:
    names = asked(names=["a", "b", "a"])
    assert (names.names, names.exact) == (("a", "b"), ("a", "b"))
    globs = asked(names=["a", "b-*"])
    assert globs.exact == (), "all have to be listed"
    assert [globs.named(name) for name in ("a", "b-1", "b", "ab-")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"names": []}, "option 'names' is empty"),
        ({"names": ["Upper"]}, "option 'names': 'Upper' cannot be an object's name"),
        ({"names": ["a/b"]}, "option 'names'"),
        ({"verify_repositories": ["x"]}, "option 'verify_repositories': 'x' is not a repository"),
        ({"verify": True, "registry_timeout": 0}, "option 'registry_timeout' is in seconds"),
    ],
)
def test_invalid_options_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        asked(**given)
