# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects of the cluster are set up before the namespaces, and a refusal changes nothing at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import READER_ROLE, READER_RULES
from support.fake_api import FakeApi
from support.in_memory import in_memory
from support.scripted_pool import Answer, status_object

NAME = READER_ROLE.name
ALWAYS = 10**9
GROUPS = Answer(200, {"groups": [{"name": "apps"}, {"name": "config.openshift.io"}]})
UNKNOWN = status_object(404, "NotFound", "the server could not find the requested resource")
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def api() -> FakeApi:
    found = FakeApi(review=lambda _spec: {"allowed": True})
    found.fail("GET /apis$", GROUPS, times=ALWAYS)
    for name in ("a", "b"):
        found.put("namespaces", "", name)
        found.put("serviceaccounts", name, "default")
        found.put("secrets", name, "s", type="kubernetes.io/dockerconfigjson")
    found.put("clusterroles", "", NAME, rules=[*READER_RULES])
    source = {"source": "q.io", "mirrors": ["m.io"]}
    found.put("imagetagmirrorsets", "", "m", spec={"imageTagMirrors": [source]})
    return found


@pytest.fixture
def run(api: FakeApi) -> Iterator[Run]:
    with in_memory(api) as cluster:
        yield lambda **options: cluster.run("credential_provider", **options)


def entries(api: FakeApi) -> Any:
    found = api.get("criocredentialproviderconfigs", "", "cluster")
    return found and found["spec"].get("matchImages")


def test_the_configuration_is_written_before_the_bindings(api: FakeApi, run: Run) -> None:
    done = run(match_images=["q.io"], namespaces=["a", "b"])
    assert not done["failed"], done
    assert [write.rpartition("/")[2] for write in api.writes] == ["criocredentialproviderconfigs"] + [
        "rolebindings"
    ] * 2
    assert (done["changed"], len(done["diff"]), done["match_images"]) == (True, 3, ["q.io"])


def test_a_second_run_and_check_mode_write_nothing(api: FakeApi, run: Run) -> None:
    given = {"match_images": ["q.io"], "namespaces": ["a"]}
    planned = run(**given, check=True)
    assert (planned["changed"], api.writes) == (True, [])
    done = run(**given)
    assert (planned["cluster_changes"], planned["diff"]) == (done["cluster_changes"], done["diff"])
    api.requests.clear()
    assert (run(**given)["changed"], api.writes) == (False, [])


def test_the_older_version_is_used_where_the_cluster_has_no_newer_one(api: FakeApi, run: Run) -> None:
    api.fail("/apis/config.openshift.io/v1/criocred", UNKNOWN, times=ALWAYS)
    assert not run(match_images=["q.io"])["failed"]
    assert api.writes == ["POST /apis/config.openshift.io/v1alpha1/criocredentialproviderconfigs"]


@pytest.mark.parametrize("served", [True, False])
def test_a_cluster_without_the_kind_is_refused(api: FakeApi, run: Run, served: bool) -> None:
    if served:
        api.fail("/criocredentialproviderconfigs", UNKNOWN, times=ALWAYS)
    else:
        api.faults.clear()
        api.fail("GET /apis$", Answer(200, {"groups": [{"name": "apps"}]}), times=ALWAYS)
    refused = run(match_images=["q.io"], namespaces=["a"])
    assert "feature gate CRIOCredentialProviderConfig" in refused["msg"]
    assert api.writes == []
    assert run(namespaces=["a"])["failed"]
    assert not run(namespaces=["a"], state="absent")["failed"]


@pytest.mark.parametrize("what", ["clusterroles/", "criocredentialproviderconfigs/"])
def test_an_object_of_the_cluster_that_cannot_be_read_stops_everything(api: FakeApi, run: Run, what: str) -> None:
    api.fail(f"GET .*{what}", status_object(403, "Forbidden", "no"), times=ALWAYS)
    assert run(match_images=["q.io"], namespaces=["a"])["failed"]
    assert api.writes == []


@pytest.mark.parametrize("error", [(403, "Forbidden"), (400, "BadRequest")])
@pytest.mark.parametrize(
    ("what", "doubt"),
    [
        ("/imagetagmirrorsets", "whether a mirror set has a source for q.io is not known: "),
        ("/api/v1/nodes", "whether the nodes can run the provider is not known: "),
        ("accessreviews", "whether the nodes may request a token of service account a/default for "),
    ],
)
def test_a_check_that_cannot_read_is_a_warning(
    api: FakeApi, run: Run, what: str, doubt: str, error: tuple[int, str]
) -> None:
    api.fail(f".*{what}", status_object(*error, "no"), times=ALWAYS)
    done = run(match_images=["q.io"], namespaces=["a"])
    assert not done["failed"]
    assert [each.startswith(doubt) for each in done["warnings"]].count(True) == 1, done["warnings"]


def test_a_conflict_is_planned_again_on_the_new_list(api: FakeApi, run: Run) -> None:
    api.put("criocredentialproviderconfigs", "", "cluster", spec={"matchImages": ["x.io"]})

    def conflict(_request: Any) -> Answer:
        api.put("criocredentialproviderconfigs", "", "cluster", spec={"matchImages": ["x.io", "y.io"]})
        return status_object(409, "Conflict", "changed")

    api.fail("PATCH .*/cluster", conflict)
    assert not run(match_images=["q.io"])["failed"]
    assert entries(api) == ["x.io", "y.io", "q.io"]


def test_a_failed_namespace_does_not_stop_the_others(api: FakeApi, run: Run) -> None:
    api.put("rolebindings", "a", NAME, roleRef={"kind": "Role", "name": "mine"}, subjects=[])
    done = run(match_images=["q.io"], namespaces=["a", "b"])
    assert [failure["namespace"] for failure in done["failures"]] == ["a"]
    assert api.get("rolebindings", "b", NAME) is not None
    assert entries(api) == ["q.io"]


def test_absent_needs_neither_the_role_nor_the_checks(api: FakeApi, run: Run) -> None:
    run(match_images=["q.io"], namespaces=["a"])
    api.remove("clusterroles", "", NAME)
    api.requests.clear()
    done = run(match_images=["q.io"], namespaces=["a"], state="absent")
    assert (done["failed"], entries(api), api.get("rolebindings", "a", NAME)) == (False, None, None)
    assert not any("mirror" in asked or "clusterroles" in asked or "/secrets" in asked for asked in api.asked)


def test_a_cluster_that_fails_during_the_checks_keeps_the_report_of_the_writes(api: FakeApi, run: Run) -> None:
    api.fail("GET .*/imagetagmirrorsets", status_object(401, "Unauthorized", "expired"), times=ALWAYS)
    done = run(match_images=["q.io"], namespaces=["a"])
    assert (done["failed"], bool(done["stopped"]), len(done["cluster_changes"])) == (True, True, 1)
    assert entries(api) == ["q.io"]


def test_images_are_explained_as_if_the_rights_were_known(api: FakeApi, run: Run) -> None:
    def review(spec: Any) -> dict[str, bool]:
        return {"allowed": spec["resourceAttributes"]["resource"] != "secrets"}

    api.review = review
    status = {"conditions": [{"type": "MachineConfigRendered", "status": "True"}]}
    api.put("criocredentialproviderconfigs", "", "cluster", spec={"matchImages": ["q.io"]}, status=status)
    done = run(match_images=["q.io"], namespaces=["a"], images=["q.io/team/app:v1"], check=True)
    (row,) = done["access"]
    steps = [line for line in row["text"] if "has q.io" in line]
    assert len(steps) == 1, row["text"]
    assert "because service account a/default may list them" in steps[0]


def test_images_of_many_accounts_are_explained_from_lists(api: FakeApi, run: Run) -> None:
    names, accounts = ["n1", "n2", "n3"], [f"account-{number}" for number in range(12)]
    for name in names:
        api.put("namespaces", "", name)
        for account in accounts:
            api.put("serviceaccounts", name, account, imagePullSecrets=[{"name": f"of-{account}"}])
            api.put("secrets", name, f"of-{account}", type="kubernetes.io/dockerconfigjson")
    given = {"match_images": ["q.io"], "namespaces": names, "service_accounts": accounts, "check": True}
    assert len(run(**given, images=["q.io/team/app:v1"])["access"]) == 36
    assert not [asked for asked in api.asked if "/serviceaccounts/" in asked or "/secrets/of-" in asked]


def test_namespaces_of_the_platform_are_refused_before_anything_is_written(api: FakeApi, run: Run) -> None:
    api.put("namespaces", "", "kube-x")
    refused = run(match_images=["q.io"], namespaces=["a", "kube-x"])
    assert "namespaces of the platform: kube-x" in refused["msg"]
    assert api.writes == []
