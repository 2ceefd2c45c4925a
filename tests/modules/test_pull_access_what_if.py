# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of change on the lab: the answer, its cause and its moment. The node pulls as predicted once the change is really made."""

from __future__ import annotations

import itertools
from typing import Any
from xml.etree import ElementTree

import pytest
from support.audited import Scene
from support.fixes import carry_out
from support.openshift import described


@pytest.fixture
def scene(lab, namespaces) -> Scene:
    """A namespace whose pod and deployment pull with the secret `pull`, which their account lists."""
    it = Scene(lab, namespaces(1))
    it.secret()
    it.link("pull")
    it.pod(own=["pull"])
    it.deployment(it.image)
    return it


def supposed(run: Any, it: Scene, *changes: dict[str, Any], **options: Any) -> dict[str, Any]:
    """Return the document of the answer."""
    result = run("pull_access_what_if", namespaces=list(it.names), changes=list(changes), **options)
    assert not result["failed"], result["msg"]
    assert not result["changed"]
    document: dict[str, Any] = result["what_if"]
    assert result["counts"] == document["counts"]
    return document


def row_of(document: dict[str, Any], kind: str) -> dict[str, Any]:
    (found,) = [row for row in document["containers"] if row["kind"] == kind]
    return found


def answers(document: dict[str, Any]) -> dict[str, str]:
    return {row["kind"]: row["answer"] for row in document["containers"]}


def delete(it: Scene, resource: str, name: str) -> None:
    it.lab.api("DELETE", f"/api/v1/namespaces/{it.name}/{resource}/{name}", expect=(200,))


class TestSecrets:
    def test_a_removed_secret_breaks_its_pods_and_the_node_agrees(self, run, scene):
        assert scene.lab.pull(scene.name, "app")["pulled"]
        audit = scene.lab.audit()
        document = supposed(run, scene, {"remove_secrets": {"name": "pull"}}, **scene.lab.asking)
        assert answers(document) == {"Pod": "would_break", "Deployment": "would_break"}
        pod, deployment = row_of(document, "Pod"), row_of(document, "Deployment")
        assert (pod["before"]["verdict"], pod["after"]["verdict"]) == ("pulls", "will_not_pull")
        assert (pod["when"], deployment["when"]) == ("at_once", "at_rollout")
        assert pod["changes"] == deployment["changes"] == [0]
        assert document["counts"]["would_break"] == 2
        assert {write[1] for write in audit.writes()} <= {"subjectaccessreviews"}
        delete(scene, "secrets", "pull")
        assert not scene.lab.pull(scene.name, "app")["pulled"]

    def test_the_offered_tasks_keep_the_next_pod_and_all_other_logins(self, run, scene):
        delete(scene, "secrets", "pull")
        scene.secret({scene.host: scene.entry(), "other.example": scene.entry()})
        before = scene.lab.get(scene.name, "secrets", "pull")["data"]
        document = supposed(run, scene, {"remove_secrets": {"name": "pull"}}, **scene.lab.asking)
        tasks = row_of(document, "Deployment")["fix"]
        assert "registry_ca_cert" in tasks[0]["openshift_ops.image_pull.pull_secret"]
        carry_out(run, scene.login, tasks, **scene.lab.reached)
        assert scene.lab.get(scene.name, "secrets", "pull")["data"] == before
        again = supposed(run, scene, {"remove_secrets": {"name": "pull"}}, **scene.lab.asking)
        assert answers(again) == {"Pod": "would_break", "Deployment": "still_pulls"}
        delete(scene, "secrets", "pull")
        added = tasks[0]["openshift_ops.image_pull.pull_secret"]["name"]
        assert scene.lab.pull(scene.name, next_pod(scene, added))["pulled"]

    def test_a_second_login_keeps_the_pod(self, run, scene):
        scene.secret(name="other")
        scene.again(own=["pull", "other"])
        document = supposed(run, scene, {"remove_secrets": {"name": "pull"}}, **scene.lab.asking)
        assert answers(document)["Pod"] == "still_pulls"
        delete(scene, "secrets", "pull")
        assert scene.lab.pull(scene.name, "app")["pulled"]


class TestLinks:
    def test_a_removed_link_breaks_the_next_pod_only(self, run, scene):
        scene.runs()
        change = {"remove_links": {"secrets": ["pull"], "service_accounts": ["default"]}}
        document = supposed(run, scene, change, **scene.lab.asking)
        assert answers(document) == {"Deployment": "would_break"}
        assert row_of(document, "Deployment")["when"] == "at_rollout"
        scene.link()
        assert not scene.lab.pull(scene.name, next_pod(scene))["pulled"]
        assert scene.lab.pull(scene.name, "app")["pulled"]

    def test_the_next_pod_of_another_controller_gets_the_list_of_its_account(self, run, scene):
        scene.runs()
        body = {"metadata": {"name": "owner"}}
        owner = scene.lab.api("POST", f"/api/v1/namespaces/{scene.name}/configmaps", body, expect=(201,))
        uid = owner["metadata"]["uid"]
        reference = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": uid, "controller": True}
        for group, resource in (("apis/apps/v1", "deployments/web"), ("api/v1", "pods/app")):
            path = f"/{group}/namespaces/{scene.name}/{resource}"
            scene.lab.api("PATCH", path, {"metadata": {"ownerReferences": [reference]}})
        change = {"remove_links": {"secrets": ["pull"], "service_accounts": ["default"]}}
        document = supposed(run, scene, change, **scene.lab.asking)
        assert answers(document) == {"Deployment": "would_break", "Pod": "unknown"}
        scene.link()
        assert not scene.lab.pull(scene.name, next_pod(scene))["pulled"]


class TestNetwork:
    def test_new_nodes_break_a_container_that_uses_the_image_of_its_node(self, run, scene):
        scene.runs()
        delete(scene, "secrets", "pull")
        asks = {**scene.lab.asking}
        assert supposed(run, scene, {"remove_secrets": {"name": "other"}}, **asks)["containers"] == []
        pod = row_of(supposed(run, scene, {"new_nodes": True}, **asks), "Pod")
        assert (pod["answer"], pod["changes"], pod["when"]) == ("would_break", [0], "at_once")
        assert pod["before"] == {"verdict": "pulls", "tested": True, "reason": "the container has its image"}
        assert not scene.lab.pull(scene.name, "app")["pulled"]

    def test_the_token_service_of_a_registry_is_part_of_it(self, run, scene):
        it = scene.lab.registry("delegated")
        scene.secret({it["host"]: scene.entry()}, name="other")
        scene.pod(name="delegated", own=["other"], image=f"{it['host']}/team/app:v1")
        for change in ({"unreachable_registries": [it["realm_host"]]}, {"only_registries": [it["host"]]}):
            document = supposed(run, scene, change, **scene.lab.asking)
            (row,) = [row for row in document["containers"] if row["name"] == "delegated"]
            assert (row["after"]["step"], it["realm_host"] in row["after"]["reason"]) == ("network", True)
        change = {"unreachable_registries": [it["realm_host"]]}
        unasked = run("pull_access_what_if", namespaces=[scene.name], changes=[change])
        assert any("gets its tokens from there" in each for each in unasked["text"])


class TestUpgrades:
    @pytest.mark.parametrize(("fail_on", "fails"), [("would_break", False), ("unknown", True)])
    def test_a_pod_with_an_image_that_others_pulled_is_a_forecast(self, run, scene, tmp_path, fail_on, fails):
        """The kubelet asks it for a login from 1.35 on. The next pull fails in both versions, so it is not affected."""
        scene.runs()
        # An account of its own: the API server gives a new pod the list of its account from a cache, which may be old.
        scene.lab.create(scene.name, "serviceaccounts", {"metadata": {"name": "without"}})
        scene.pod(name="cached", serviceAccountName="without")
        scene.runs("cached")
        options = {"fail_on": fail_on, "junit": str(tmp_path / "f.xml"), **scene.lab.asking}
        upgrade = {"target_version": "4.22"}
        with described(scene.lab, version="4.21.1"):
            result = run("pull_access_what_if", namespaces=list(scene.names), changes=[upgrade], **options)
        document = result["what_if"]
        (forecast,) = [each for each in document["forecasts"] if each.startswith("forecast-cached-image: ")]
        assert f"pod {scene.name}/cached uses" in forecast
        assert "cached" not in {row["name"] for row in document["containers"]}
        number = len(document["forecasts"])
        assert f"the upgrade has {number} forecast" in result["text"][0]
        assert result["failed"] is fails
        assert (f"the audit has {number} forecast" in result.get("msg", "")) is fails
        root = ElementTree.parse(tmp_path / "f.xml").getroot()
        cases = [case for case in root.iter("testcase") if str(case.get("name")).startswith("forecast: ")]
        assert [case[0].tag for case in cases] == ["failure" if fails else "skipped"] * number


def next_pod(it: Scene, added: str = "") -> str:
    """Create a pod with the account's present list, which the API server reads from a cache. Return its name.

    The list has the secret `added`, or without it no longer has `pull`.
    """
    names = (f"next-{number}" for number in itertools.count())
    made: list[str] = []

    def has_present_list() -> bool:
        made.append(next(names))
        it.pod(name=made[-1])
        pod = it.lab.get(it.name, "pods", made[-1])
        listed = [] if pod is None else [each["name"] for each in pod["spec"]["imagePullSecrets"]]
        return pod is not None and (added in listed if added else "pull" not in listed)

    it.lab.until(has_present_list, "a new pod has the list of its account")
    return made[-1]
