# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module describes the selected secrets. Of a login, it returns only the registry key and the expiry time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import NAMESPACE, SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret_info import (
    PullSecrets,
    SecretQuestion,
    SecretReport,
)
from hypothesis import given
from support.anything import ANYTHING
from support.objects import b64
from support.surveyed import token

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
