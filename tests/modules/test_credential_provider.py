# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""credential_provider edits the images for which nodes run CRI-O's provider, and lets accounts list the secrets of their own namespace."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.lab import Audit, Lab, path_of
from support.logins import token_kubeconfig
from support.modules import run_module
from support.provider import PROVIDERS, RBAC, create_provider, create_reader_role, remove_provider, token_rights
from support.proxy import Exchange, Proxy
from support.registry_settings import auth_file, pull_secret, registry_settings

NAME = "image-pull-credential-provider"
SOURCE, MIRROR = "source.example.com", "mirror.example.com/z"
IMAGE = f"{SOURCE}/team/app:v1"
Set = Callable[..., dict[str, Any]]


@pytest.fixture
def cluster(lab: Lab) -> Iterator[Lab]:
    """A cluster with mirrors, and with the cluster role that its administrator created."""
    remove_provider(lab)
    create_reader_role(lab)
    with registry_settings(lab, tag=[{"source": SOURCE, "mirrors": [MIRROR]}]):
        yield lab
    remove_provider(lab)


@pytest.fixture
def set_up(cluster: Lab) -> Set:
    return lambda **options: run_module("credential_provider", kubeconfig=cluster.kubeconfig, **options)


def stored(lab: Lab) -> list[str]:
    found: list[str] = lab.api("GET", f"{PROVIDERS}/cluster")["spec"]["matchImages"]
    return found


def writes(audit: Audit) -> list[tuple[str, str, str, str]]:
    """The writes of our client. A review is a question in the form of an object."""
    return [write for write in audit.writes() if write[1] != "subjectaccessreviews"]


def readers(lab: Lab, namespace: str) -> list[str]:
    binding = lab.get(namespace, "rolebindings", NAME)
    return [subject["name"] for subject in binding["subjects"]] if binding else []


def may_list(lab: Lab, namespace: str, account: str = "default", where: str = "") -> bool:
    """Whether the API server lets the account list the secrets of a namespace, by default of its own."""
    path = f"/api/v1/namespaces/{where or namespace}/secrets"
    user = f"system:serviceaccount:{namespace}:{account}"
    answer = lab.api("GET", path, user=user, expect=(200, 403))
    return bool(answer["kind"] == "SecretList")


def explained(lab: Lab, namespace: str) -> tuple[str, str]:
    """The verdict of pull_access_info on the image, and its reason."""
    options = {"namespaces": [namespace], "service_account": "default", "image": IMAGE}
    found = run_module("pull_access_info", kubeconfig=lab.kubeconfig, **options)
    (access,) = found["namespaces"][0]["access"]
    return access["verdict"], access["reason"]


def test_check_mode_predicts_the_writes_and_a_second_run_writes_nothing(
    cluster: Lab, set_up: Set, namespaces: Any
) -> None:
    names = namespaces(2)
    given = {"match_images": [SOURCE], "namespaces": names, "service_accounts": ["default", "builder"]}
    audit = cluster.audit()
    planned = set_up(**given, check=True)
    assert (planned["failed"], writes(audit)) == (False, [])
    done = set_up(**given)
    assert not done["failed"], done["msg"]
    for part in ("changed", "cluster_changes", "namespaces", "diff", "match_images"):
        assert planned[part] == done[part], part
    assert [(change["action"], change["added"]) for change in done["cluster_changes"]] == [("create", [SOURCE])]
    assert (stored(cluster), [readers(cluster, name) for name in names]) == ([SOURCE], [["default", "builder"]] * 2)
    audit = cluster.audit()
    again = set_up(**given)
    assert (again["failed"], again["changed"], again["diff"], writes(audit)) == (False, False, [], [])


def test_the_account_lists_secrets_of_its_own_namespace_only(cluster: Lab, set_up: Set, namespaces: Any) -> None:
    name, other = namespaces(2)
    set_up(match_images=[SOURCE], namespaces=[name])
    cluster.until(lambda: may_list(cluster, name), "the account may list")
    assert not may_list(cluster, name, "builder")
    assert not may_list(cluster, name, where=other)
    attempt = cluster.api(
        "GET",
        path_of(name, "secrets", "any"),
        user=f"system:serviceaccount:{name}:default",
        expect=(403,),
    )
    assert attempt["reason"] == "Forbidden"


def test_entries_and_accounts_of_others_survive_in_their_order(cluster: Lab, set_up: Set, namespaces: Any) -> None:
    (name,) = namespaces(1)
    create_provider(cluster, "b.example.com", "a.example.com")
    set_up(match_images=[SOURCE, "a.example.com"], namespaces=[name])
    set_up(match_images=[SOURCE], namespaces=[name], service_accounts=["robot"])
    assert (stored(cluster), readers(cluster, name)) == (
        ["b.example.com", "a.example.com", SOURCE],
        ["default", "robot"],
    )
    gone = set_up(match_images=[SOURCE, "never.example.com"], namespaces=[name], state="absent")
    assert gone["cluster_changes"] == [
        {"action": "update", "kind": "CRIOCredentialProviderConfig", "name": "cluster", "removed": [SOURCE]}
    ]
    assert (stored(cluster), readers(cluster, name)) == (["b.example.com", "a.example.com"], ["robot"])
    set_up(namespaces=[name], service_accounts=["robot"], state="absent")
    assert cluster.get(name, "rolebindings", NAME) is None


def test_state_absent_deletes_own_objects_and_empties_those_of_others(
    cluster: Lab, set_up: Set, namespaces: Any
) -> None:
    given = {"match_images": [SOURCE], "namespaces": namespaces(1)}
    set_up(**given)
    assert set_up(**given, state="absent")["changed"]
    cluster.api("GET", f"{PROVIDERS}/cluster", expect=(404,))
    audit = cluster.audit()
    assert (set_up(**given, state="absent")["changed"], writes(audit)) == (False, [])

    create_provider(cluster, SOURCE)
    set_up(**given, state="absent")
    assert cluster.api("GET", f"{PROVIDERS}/cluster")["spec"] == {}


def test_an_entry_of_another_client_between_read_and_write_survives(
    cluster: Lab, set_up: Set, tmp_path: Any, namespaces: Any
) -> None:
    create_provider(cluster, "first.example.com")

    class Meddler(Proxy):
        """Adds an entry before the first write arrives."""

        left = 1

        def handle(self, exchange: Exchange) -> None:
            if exchange.command == "PATCH" and self.left:
                self.left -= 1
                entries = ["first.example.com", "meddler.example.com"]
                cluster.api("PATCH", f"{PROVIDERS}/cluster", {"spec": {"matchImages": entries}})
            exchange.answer(exchange.ask())

    with Meddler(cluster).running() as proxy:
        kubeconfig = token_kubeconfig(cluster, proxy.url, tmp_path / "kubeconfig")
        done = run_module("credential_provider", kubeconfig=kubeconfig, match_images=[SOURCE])
    assert (done["failed"], proxy.left) == (False, 0)
    assert stored(cluster) == ["first.example.com", "meddler.example.com", SOURCE]


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (
            {"match_images": ["https://Source.example.com/App:v1", "*", "a*b.example.com"], "service_accounts": ["A"]},
            ("Write 'source.example.com/app'", "'*' is not", "'a*b.example.com'", "option 'service_accounts': 'A'"),
        ),
        ({"match_images": [f"h{number}.example.com" for number in range(51)]}, ("51 entries",)),
        ({"match_images": [SOURCE], "images": ["a b"]}, ("option 'images': 'a b' is not a valid image name",)),
        (
            {"match_images": [SOURCE], "create_role": True, "state": "absent"},
            ("option 'create_role' is for state present",),
        ),
    ],
)
def test_all_invalid_options_are_refused_before_a_request(
    cluster: Lab, set_up: Set, options: dict[str, Any], parts: tuple[str, ...]
) -> None:
    audit = cluster.audit()
    refused = set_up(**options, namespaces=["any"])
    assert refused["failed"]
    assert [part for part in parts if part not in refused["msg"]] == []
    assert audit.ours() == []


def test_namespaces_of_the_platform_are_refused_and_nothing_is_written(cluster: Lab, set_up: Set) -> None:
    audit = cluster.audit()
    refused = set_up(match_images=[SOURCE], namespaces=["kube-system"])
    assert refused["failed"]
    assert "namespaces of the platform: kube-system" in refused["msg"]
    assert writes(audit) == []


class TestClusterRole:
    def test_a_missing_role_is_refused_with_the_command_and_nothing_is_written(
        self, cluster: Lab, set_up: Set, namespaces: Any
    ) -> None:
        cluster.api("DELETE", f"{RBAC}/clusterroles/{NAME}")
        audit = cluster.audit()
        refused = set_up(match_images=[SOURCE], namespaces=namespaces(1))
        assert refused["failed"]
        assert f"kubectl create clusterrole {NAME} --verb=list --resource=secrets" in refused["msg"]
        assert writes(audit) == []

    def test_an_administrator_creates_the_role_once_on_request(
        self, cluster: Lab, set_up: Set, namespaces: Any
    ) -> None:
        cluster.api("DELETE", f"{RBAC}/clusterroles/{NAME}")
        given = {"match_images": [SOURCE], "namespaces": namespaces(1), "create_role": True}
        done = set_up(**given)
        assert [change["kind"] for change in done["cluster_changes"]] == ["ClusterRole", "CRIOCredentialProviderConfig"]
        rules = cluster.api("GET", f"{RBAC}/clusterroles/{NAME}")["rules"]
        assert rules == [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}]
        assert not set_up(**given)["changed"]

    @pytest.mark.parametrize(
        "rules",
        [
            [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["list", "create"]}],
            [{"apiGroups": [""], "resources": ["secrets", "pods"], "verbs": ["list"]}],
            [],
        ],
    )
    def test_a_role_with_other_rights_is_never_bound(
        self, cluster: Lab, set_up: Set, namespaces: Any, rules: list[Any]
    ) -> None:
        (name,) = namespaces(1)
        cluster.api("PATCH", f"{RBAC}/clusterroles/{NAME}", {"rules": rules})
        audit = cluster.audit()
        refused = set_up(match_images=[SOURCE], namespaces=[name], create_role=True)
        assert refused["failed"]
        assert "does not allow exactly 'list' on secrets" in refused["msg"]
        assert writes(audit) == []


class TestImages:
    def test_the_pull_is_explained_as_after_the_change(self, cluster: Lab, set_up: Set, namespaces: Any) -> None:
        (name,) = namespaces(1)
        cluster.create(name, "secrets", pull_secret("unlinked", auth_file({"mirror.example.com": ("u", "p")})))
        given = {"match_images": [SOURCE], "namespaces": [name], "images": [IMAGE]}
        planned = set_up(**given, check=True)
        assert "the nodes may not request a token" in str(planned["warnings"])
        create_provider(cluster, SOURCE)
        with token_rights(cluster):
            cluster.until(
                lambda: "may not request" not in str(set_up(**given, check=True).get("warnings")), "nodes may ask"
            )
            (row,) = set_up(**given, check=True)["access"]
            set_up(**given)
            cluster.until(lambda: explained(cluster, name) == (row["verdict"], row["reason"]), "the prediction is true")
        assert (row["namespace"], row["service_account"], row["image"]) == (name, "default", IMAGE)
        assert f"secret {name}/unlinked has the key mirror.example.com for {MIRROR}/team/app:v1" in row["reason"]

    def test_a_new_entry_is_unknown_until_the_nodes_report_it(self, cluster: Lab, set_up: Set, namespaces: Any) -> None:
        done = set_up(match_images=[SOURCE], namespaces=namespaces(1), images=[IMAGE])
        (row,) = done["access"]
        assert row["verdict"] == "unknown"
        assert any("no condition MachineConfigRendered" in line for line in row["text"])


def test_entries_without_a_mirror_and_namespaces_without_a_secret_are_reported(
    cluster: Lab, set_up: Set, namespaces: Any
) -> None:
    (name,) = namespaces(1)
    warnings = str(set_up(match_images=[SOURCE, "mirror.example.com"], namespaces=[name], check=True)["warnings"])
    assert "no mirror set has a source for mirror.example.com, and the provider does nothing" in warnings
    assert f"namespace {name} has no secret of type kubernetes.io/dockerconfigjson" in warnings
    assert "every pod of the node can use the image, except pods with imagePullPolicy Always" in warnings


def test_a_cluster_without_the_kind_is_refused_with_gate_and_versions(lab_factory: Any) -> None:
    plain: Lab = lab_factory("--provisioner", "off")
    refused = run_module("credential_provider", kubeconfig=plain.kubeconfig, match_images=[SOURCE])
    assert refused["failed"]
    assert "has no kind CRIOCredentialProviderConfig" in refused["msg"]
    assert "feature gate CRIOCredentialProviderConfig, in feature set TechPreviewNoUpgrade" in refused["msg"]
