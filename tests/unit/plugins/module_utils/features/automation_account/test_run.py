# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run writes the parts of an account in a safe order, reports foreign rights, and returns a token only after a success."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import RIGHTS_PAGE, ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.files import VariableFile
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.automation_account.plan import (
    AccountRequest,
    AccountRoles,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.automation_account.run import (
    TokenSink,
    reconcile_account,
)
from support.fake_api import FakeApi
from support.in_memory import InMemory, in_memory
from support.scripted_pool import Answer, status_object

ROLE = "image-pull:home:robot"
PATH = "/apis/rbac.authorization.k8s.io/v1"
TOKEN = "Canary-token-1"


@pytest.fixture
def api() -> FakeApi:
    found = FakeApi()
    for name in ("home", "a", "b", "openshift-image-registry"):
        found.put("namespaces", "", name)
    return found


@pytest.fixture
def cluster(api: FakeApi) -> Iterator[InMemory]:
    with in_memory(api) as found:
        yield found


Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(cluster: InMemory) -> Run:
    return lambda **options: cluster.run("automation_account", **{"namespace": "home", "name": "robot", **options})


def written(api: FakeApi) -> list[tuple[str, str, str]]:
    kinds = ("serviceaccounts", "clusterroles", "clusterrolebindings", "rolebindings")
    return sorted(key for key in api.objects if key[0] in kinds)


def test_account_and_roles_are_created_before_their_bindings(api: FakeApi, run: Run) -> None:
    result = run(jobs=["export"], namespaces=["a", "b"])
    assert not result["failed"], result
    first, second, third, fourth, *rest = api.writes
    assert first == "POST /api/v1/namespaces/home/serviceaccounts"
    assert {second, third} == {f"POST {PATH}/clusterroles"}
    assert fourth == f"POST {PATH}/clusterrolebindings"
    assert sorted(rest) == [f"POST {PATH}/namespaces/{name}/rolebindings" for name in ("a", "b")]
    assert result["summary"]["changed"] == 3
    assert [each["kind"] for each in result["manifests"]][-2:] == ["RoleBinding", "RoleBinding"]


def test_bindings_are_deleted_before_the_account(api: FakeApi, run: Run) -> None:
    run(jobs=["export"], namespaces=["a"])
    api.requests.clear()
    result = run(state="absent")
    assert not result["failed"], result
    assert api.writes[0] == f"DELETE {PATH}/namespaces/a/rolebindings/image-pull%3Ahome%3Arobot"
    assert api.writes[-1] == "DELETE /api/v1/namespaces/home/serviceaccounts/robot"
    assert written(api) == []
    assert "manifests" not in result


def test_namespaces_are_reported_in_order(api: FakeApi, run: Run) -> None:
    names = [f"project-{letter}" for letter in "fedcba"]
    result = run(jobs=["export"], namespaces=names)
    assert [row["name"] for row in result["namespaces"]] == ["home", *sorted(names)]


def test_a_run_without_namespaces_reports_only_the_home_namespace(api: FakeApi, run: Run) -> None:
    result = run(jobs=["export"])
    assert ([row["name"] for row in result["namespaces"]], result["summary"]["total"]) == (["home"], 1)


def test_a_binding_whose_subject_was_changed_is_deleted_too(api: FakeApi, run: Run) -> None:
    run(jobs=["export"], namespaces=["a"])
    stored = api.get("rolebindings", "a", ROLE)
    assert stored is not None
    stored["subjects"] = [{"kind": "User", "name": "mallory"}]
    result = run(jobs=["export"], namespaces=["b"])
    assert not result["failed"], result
    assert ("rolebindings", "a", ROLE) not in api.objects


def test_all_retries_are_counted(api: FakeApi, run: Run) -> None:
    run(jobs=["export"], namespaces=["a"])
    for key in (("clusterroles", "", ROLE), ("rolebindings", "a", ROLE)):
        api.objects[key].update(rules=[], subjects=[])
        api.fail(f"PATCH .*/{key[0]}/", status_object(409, "Conflict", "the object has been modified"))
    api.fail("GET .*/rolebindings", status_object(429, "TooManyRequests", "later"))
    result = run(jobs=["export"], namespaces=["a"])
    assert (result["failed"], result["changed"], result["summary"]["retries"]) == (False, True, 3)


def test_a_cluster_that_fails_later_is_reported_once(api: FakeApi, run: Run) -> None:
    api.fail("POST .*/rolebindings", status_object(401, "Unauthorized", "Unauthorized"), times=10**9)
    result = run(jobs=["export"], namespaces=["a"])
    assert result["msg"].startswith("automation_account stopped: creating role binding a/")


@pytest.mark.parametrize("check", [True, False])
def test_the_home_namespace_has_one_result(api: FakeApi, run: Run, check: bool) -> None:
    result = run(jobs=["export"], namespaces=["home", "a"], check=check)
    assert [(row["name"], len(row["changes"])) for row in result["namespaces"]] == [("home", 5), ("a", 1)]
    assert result["summary"]["total"] == 2
    if check:
        return
    assert ("rolebindings", "home", ROLE) in api.objects
    result = run(jobs=["export"], namespaces=["a"])
    assert [(row["name"], row["status"]) for row in result["namespaces"]] == [("home", "changed"), ("a", "unchanged")]
    assert ("rolebindings", "home", ROLE) not in api.objects
    run(jobs=["export"], namespaces=["home"])
    assert [row["name"] for row in run(state="absent")["namespaces"]] == ["home"]
    assert written(api) == []


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_missing_platform_namespace_is_skipped_with_a_warning(
    api: FakeApi, cluster: InMemory, run: Run, state: str
) -> None:
    del api.objects["namespaces", "", "openshift-image-registry"]
    api.namespaces_checked = True
    for check in (True, False):
        result = run(jobs=["wait"], namespaces=["a"], check=check)
        assert not result["failed"], result
        assert [row["name"] for row in result["namespaces"]] == ["home", "a"]
        (said,) = result["warnings"]
        assert (
            said
            == f"no rights were granted in namespace openshift-image-registry, which does not exist on {cluster.host}"
        )
    if state == "present":
        api.put("namespaces", "", "openshift-image-registry")
        assert run(jobs=["wait"], namespaces=["a"])["changed"]
        assert ("rolebindings", "openshift-image-registry", f"{ROLE}:openshift-image-registry") in api.objects
    else:
        assert run(state="absent")["warnings"] == []
        assert written(api) == []


def test_a_missing_platform_namespace_that_is_a_target_is_a_failure(api: FakeApi, run: Run) -> None:
    del api.objects["namespaces", "", "openshift-image-registry"]
    api.namespaces_checked = True
    result = run(jobs=["wait"], namespaces=["openshift-image-registry"])
    assert [row["namespace"] for row in result["failures"]] == ["openshift-image-registry"]


class TestBindingsOfOthers:
    ROBOT: ClassVar = {"kind": "ServiceAccount", "namespace": "home", "name": "robot"}

    def bound(self, api: FakeApi, **subject: str) -> None:
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"}
        api.put("clusterrolebindings", "", "theirs", roleRef=role, subjects=[{**self.ROBOT, **subject}])

    @pytest.mark.parametrize("state", ["present", "absent"])
    def test_foreign_bindings_of_the_account_are_reported(self, api: FakeApi, run: Run, state: str) -> None:
        self.bound(api)
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}
        user = {"kind": "User", "name": "system:serviceaccount:home:robot"}
        api.put("rolebindings", "b", "theirs", roleRef=role, subjects=[user])
        run(jobs=["export"], namespaces=["a"])
        result = run(**({"jobs": ["export"], "namespaces": ["a"]} if state == "present" else {"state": "absent"}))
        (said,) = result["warnings"]
        assert said == (
            "service account home/robot also has rights from bindings that this module did not create and does not remove: "
            "cluster role binding theirs, role binding b/theirs"
        )
        assert ("rolebindings", "b", "theirs") in api.objects

    def test_a_foreign_binding_is_reported_whatever_its_name(self, api: FakeApi, run: Run) -> None:
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "admin"}
        api.put("rolebindings", "b", ROLE, roleRef=role, subjects=[self.ROBOT])
        result = run(jobs=["export"], namespaces=["a"])
        assert not result["failed"], result
        assert f"that this module did not create and does not remove: role binding b/{ROLE}" in result["warnings"][0]
        assert [row["name"] for row in result["namespaces"]] == ["home", "a"]

    @pytest.mark.parametrize("other", [{"name": "other"}, {"namespace": "a"}, {"kind": "Group", "namespace": ""}])
    def test_foreign_bindings_of_other_subjects_are_not_reported(
        self, api: FakeApi, run: Run, other: dict[str, str]
    ) -> None:
        self.bound(api, **other)
        assert run(jobs=["export"], namespaces=["a"])["warnings"] == []

    def test_cluster_bindings_that_cannot_be_listed_are_a_warning(self, api: FakeApi, run: Run) -> None:
        message = 'User "u" cannot list resource "clusterrolebindings" in API group "rbac.authorization.k8s.io" at the cluster scope'
        api.fail(f"GET {PATH}/clusterrolebindings\\?", status_object(403, "Forbidden", message), times=9)
        result = run(jobs=["export"], namespaces=["a"])
        assert not result["failed"], result
        (said,) = result["warnings"]
        assert "list on clusterrolebindings.rbac.authorization.k8s.io" in said
        assert RIGHTS_PAGE in said


def test_another_account_is_not_touched(api: FakeApi, run: Run) -> None:
    run(name="other", jobs=["export"], namespaces=["b"])
    before = written(api)
    result = run(jobs=["export"], namespaces=["a"])
    assert [row["name"] for row in result["namespaces"]] == ["home", "a"]
    run(state="absent")
    assert written(api) == before


def test_no_binding_is_created_when_its_role_cannot_be_created(api: FakeApi, run: Run) -> None:
    api.fail(f"POST {PATH}/clusterroles", status_object(403, "Forbidden", "x is attempting to grant RBAC"), times=9)
    result = run(jobs=["export"], namespaces=["a"])
    assert result["failed"]
    assert f"'escalate' if it writes the role itself, see {RIGHTS_PAGE}" in result["msg"]
    assert not [text for text in api.writes if "bindings" in text]


def test_rights_that_cannot_be_seen_are_not_reported_as_gone(api: FakeApi, run: Run) -> None:
    message = (
        'User "u" cannot list resource "rolebindings" in API group "rbac.authorization.k8s.io" at the cluster scope'
    )
    api.fail(f"GET {PATH}/rolebindings", status_object(403, "Forbidden", message), times=9)
    result = run(state="absent")
    assert result["failed"]
    assert "list on rolebindings.rbac.authorization.k8s.io" in result["msg"]
    assert api.writes == []


def test_rendering_sends_no_request(api: FakeApi, run: Run) -> None:
    result = run(jobs=["export"], namespaces=["a"], state="rendered")
    assert [each["kind"] for each in result["manifests"]] == [
        "ServiceAccount",
        "ClusterRole",
        "ClusterRole",
        "ClusterRoleBinding",
        "RoleBinding",
    ]
    assert api.requests == []


class TestToken:
    def wanted(self, dest: str | None = None) -> AccountRequest:
        return AccountRequest(AccountRoles("home", "robot", ("namespace_selector",)), "present", 600, dest)

    def answer(self, api: FakeApi, **status: Any) -> None:
        api.fail("POST .*/serviceaccounts/robot/token", Answer(201, {"status": status}), times=9)

    def run(self, api: FakeApi, wanted: AccountRequest, *, check: bool = False, **handing: Any) -> dict[str, Any]:
        outcome = reconcile_account(api.cluster(), wanted, (), RunSettings(check_mode=check), TokenSink(**handing))
        return {**outcome.report(), "failed": outcome.has_failed}

    def test_a_token_is_requested_and_hidden(self, api: FakeApi) -> None:
        self.answer(api, token=TOKEN, expirationTimestamp="2026-12-01T00:00:00Z")
        hidden: list[str] = []
        found = self.run(api, self.wanted(), hide=hidden.append)
        assert (found["token"], found["token_expires"], hidden) == (TOKEN, "2026-12-01T00:00:00Z", [TOKEN])
        assert api.requests[-1].body["spec"] == {"expirationSeconds": 600}
        assert "files" not in found

    def test_a_token_without_an_expiry_time_reports_an_empty_one(self, api: FakeApi) -> None:
        self.answer(api, token=TOKEN)
        assert self.run(api, self.wanted())["token_expires"] == ""

    def test_a_kubeconfig_holds_the_token_and_the_way_to_the_cluster(self, api: FakeApi) -> None:
        self.answer(api, token=TOKEN)
        files: list[VariableFile] = []

        def write(given: Sequence[VariableFile]) -> Sequence[str]:
            files.extend(given)
            return ["/d/f"]

        self.run(api, self.wanted("/d/f"), write=write)
        found = self.run(api, self.wanted("/d/f"), write=write)
        assert (found["files"], found["changed"]) == (["/d/f"], True)
        content = files[0].variables
        assert files[0].name == "f"
        assert content["users"] == [{"name": "robot", "user": {"token": TOKEN}}]
        assert content["current-context"] == content["contexts"][0]["name"]
        assert content["clusters"][0]["cluster"] == api.connection.cluster_section

    @pytest.mark.parametrize("dest", [None, "/d/f"])
    def test_a_login_of_the_proxy_that_the_file_lacks_is_reported(self, api: FakeApi, dest: str | None) -> None:
        self.answer(api, token=TOKEN)
        api.connection.has_proxy_login = True
        sink = TokenSink(write=lambda _files: ["/d/f"])
        outcome = reconcile_account(api.cluster(), self.wanted(dest), (), RunSettings(check_mode=False), sink)
        said = (
            "the kubeconfig names the proxy for https://api.example.com:6443 without a login: add the login of the file's user "
            "to 'proxy-url'"
        )
        assert outcome.notes == ([said] if dest else [])

    def test_check_mode_reports_the_kubeconfig_without_a_token_request(self, api: FakeApi) -> None:
        found = self.run(
            api, self.wanted("/d/f"), check=True, write=lambda files: [f"/d/{file.name}" for file in files]
        )
        assert (found["files"], found["changed"]) == (["/d/f"], True)
        assert not [text for text in api.asked if "token" in text]

    @pytest.mark.parametrize(("given", "is_said"), [(300, True), (600, False), (900, False), ("300", False)])
    def test_a_shorter_token_lifetime_is_reported(self, api: FakeApi, given: object, is_said: bool) -> None:
        answer = {"spec": {"expirationSeconds": given}, "status": {"token": TOKEN}}
        api.fail("POST .*/serviceaccounts/robot/token", Answer(201, answer))
        outcome = reconcile_account(api.cluster(), self.wanted(), (), RunSettings(check_mode=False), TokenSink())
        said = "https://api.example.com:6443 does not issue tokens valid for 600 s: this one expires after 300 s"
        assert outcome.notes == ([said] if is_said else [])

    def test_a_failed_run_returns_no_token(self, api: FakeApi) -> None:
        api.fail("POST .*clusterroles", status_object(403, "Forbidden", "no"), times=9)
        found = self.run(api, self.wanted())
        assert found["failed"]
        assert "token" not in found

    @pytest.mark.parametrize("status", [{}, {"token": ""}, {"token": 7}, {"token": None}], ids=str)
    def test_an_answer_without_a_token_is_an_error(self, api: FakeApi, status: dict[str, Any]) -> None:
        self.answer(api, **status)
        with pytest.raises(ImagePullError, match="asking for a token of service account home/robot .*without a token"):
            self.run(api, self.wanted())
