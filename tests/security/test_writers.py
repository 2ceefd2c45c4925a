# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For each module that writes, a project user changes neither the places nor the content of writes, nor stops the work of others.

In each test, mallory is the attacker and administers one project. The other project is the victim's.
"""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from support.lab import Lab, path_of
from support.objects import role_binding, user_subject
from support.playbooks import play, variables_file
from support.project_user import ProjectUser, auth_file

PASSWORD = "canary-of-the-writers"
PROBE = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/component": "pull-probe"}
IMPORTS = "/apis/image.openshift.io/v1/namespaces"


@pytest.fixture
def mallory(lab, namespace) -> ProjectUser:
    return ProjectUser.create(lab, "mallory", namespace)


@pytest.fixture
def victim(namespaces) -> str:
    (name,) = namespaces(1)
    return name


def statuses(result: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["status"] for each in result["namespaces"]}


def places(audit: Any) -> set[tuple[str, str, str]]:
    """Return namespace, resource and name of each write."""
    return {(namespace, resource, name) for _verb, resource, namespace, name in audit.writes()}


class TestPullSecret:
    def test_planted_secret_fails_its_own_namespace_and_gets_no_login(self, lab: Lab, run, mallory, victim):
        """She plants an unchangeable secret with the name to write, and one that a finalizer keeps from being deleted."""
        kept = {"finalizers": ["example.com/keep"], "annotations": {"replicator.v1.mittwald.de/replicate-to": "*"}}
        mallory.secret("pull", "{}", key="config.json", metadata=kept, immutable=True)
        audit = lab.audit()
        login = {"registry": "registry.example.com", "username": "robot", "password": PASSWORD}
        result = run("pull_secret", namespaces=[mallory.namespace, victim], name="pull", registries=[login])
        assert statuses(result) == {mallory.namespace: "failed", victim: "changed"}
        assert [*lab.entries(victim, "pull")] == ["registry.example.com"]
        assert places(audit) <= {(victim, "secrets", "pull"), (mallory.namespace, "secrets", "pull")}
        assert "cm9ib3Q6" not in mallory.read_secret("pull")
        assert PASSWORD not in result["_output"]
        found = lab.get(mallory.namespace, "secrets", "pull")
        lab.api("PATCH", path_of(mallory.namespace, "secrets", "pull"), {"metadata": {"finalizers": None}})
        assert found is not None
        assert "deletionTimestamp" not in found["metadata"]


class TestSaLink:
    def test_planted_accounts_and_pods_are_changed_in_their_own_project_only(self, lab: Lab, run, mallory, victim):
        """She plants a pod that looks like a controller's, with an account whose name matches the task's pattern."""
        lab.create(victim, "serviceaccounts", {"metadata": {"name": "app-1"}})
        lab.pod(victim, "works", "registry.example.com/a:1", account="app-1")
        owner = [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "../victim", "uid": "1", "controller": True}]
        listed = [{"name": name} for name in ("../pull", "a" * 5000)]
        mallory.create_object("serviceaccounts", {"metadata": {"name": "app-2"}, "imagePullSecrets": listed})
        spec = {"serviceAccountName": "app-2", "containers": [{"name": "app", "image": "registry.example.com/a:1"}]}
        mallory.create_object("pods", {"metadata": {"name": "planted", "ownerReferences": owner}, "spec": spec})
        audit = lab.audit()
        result = run(
            "sa_link",
            namespaces=[mallory.namespace, victim],
            service_accounts=["app-*"],
            secrets=["pull"],
            require="none",
            restart_pods="stuck",
        )
        assert statuses(result) == {mallory.namespace: "changed", victim: "changed"}
        assert places(audit) == {(mallory.namespace, "serviceaccounts", "app-2"), (victim, "serviceaccounts", "app-1")}
        assert [each["name"] for each in lab.account(victim, "app-1")["imagePullSecrets"]][-1] == "pull"


class TestImagePullerGrant:
    def test_planted_binding_of_another_role_gives_no_subject_that_role(self, lab: Lab, run, mallory, victim):
        """She plants a binding with our name and another role. The subject of the grant must not get the rights of that role."""
        rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
        mallory.create_object("roles", {"metadata": {"name": "system:image-puller"}, "rules": [rule]})
        planted = role_binding("image-puller-grant", user_subject("mallory"), kind="Role")
        before = mallory.create_object("rolebindings", planted)
        audit = lab.audit()
        result = run("image_puller_grant", namespaces=[mallory.namespace, victim], users=["alice"], verify_access=True)
        assert statuses(result) == {mallory.namespace: "failed", victim: "changed"}
        assert "has Role system:image-puller, and the role of a binding cannot be changed" in result["msg"]
        assert places(audit) - {("", "subjectaccessreviews", "")} == {(victim, "rolebindings", "image-puller-grant")}
        assert lab.get(mallory.namespace, "rolebindings", "image-puller-grant") == before
        (subject,) = lab.get(victim, "rolebindings", "image-puller-grant")["subjects"]
        assert subject["name"] == "alice"


class TestImageStreamImport:
    def test_planted_stream_fails_its_own_namespace_only(self, lab: Lab, run, mallory, victim):
        """A tag whose source is on no registry fails each time."""
        private = lab.registry("private")
        wanted = {mallory.namespace: f"{private['host']}/not/there:1", victim: private["image"]}
        account = private["accounts"][1]
        login = {"registry": private["host"], "username": account["username"], "password": account["password"]}
        for place, image in wanted.items():
            origin = {"from": {"kind": "DockerImage", "name": image}}
            body = {"kind": "ImageStream", "metadata": {"name": "app"}, "spec": {"tags": [{"name": "v1", **origin}]}}
            lab.api("POST", f"{IMPORTS}/{place}/imagestreams", {"apiVersion": "image.openshift.io/v1", **body})
            again = {"kind": "ImageStreamImport", "metadata": {"name": "app"}}
            spec = {"import": True, "images": [{**origin, "to": {"name": "v1"}}]}
            again = {"apiVersion": "image.openshift.io/v1", **again, "spec": spec}
            lab.api("POST", f"{IMPORTS}/{place}/imagestreamimports", again)
        assert not run("pull_secret", namespaces=[*wanted], name="pull", registries=[login])["failed"]
        audit = lab.audit()
        result = run("image_stream_import", namespaces=[*wanted], registries=[private["host"]])
        assert statuses(result) == {mallory.namespace: "failed", victim: "changed"}
        assert places(audit) == {(place, "imagestreamimports", "app") for place in wanted}


class TestPullProbe:
    def test_pod_with_a_changed_image_proves_nothing(self, lab: Lab, run, mallory):
        """She replaces the image with a public one and restores it after the pull, so the login is not proven."""
        ended = threading.Event()

        def attack() -> None:
            where = path_of(mallory.namespace, "pods")
            while not ended.wait(0.02):
                for pod in mallory.request("GET", where)["items"]:
                    name = pod["metadata"]["name"]
                    self._pulls_another_image(mallory, f"{where}/{name}", pod["spec"]["containers"][0]["image"])
                    ended.set()

        attacker = threading.Thread(target=attack, daemon=True)
        attacker.start()
        result = run(
            "pull_probe", namespaces=[mallory.namespace], images=["registry.example.com/team/app:1"], timeout=10
        )
        ended.set()
        attacker.join()
        (row,) = result["namespaces"][0]["pulls"]
        assert (row["outcome"], row["cause"]) == ("unknown", "edited")
        assert result["failed"]
        assert lab.api("GET", path_of(mallory.namespace, "pods"))["items"] == []

    @staticmethod
    def _pulls_another_image(mallory: ProjectUser, path: str, image: str) -> None:
        """Change the image like mallory and report the original image like the node."""
        merge = "application/strategic-merge-patch+json"

        def put(name: str) -> None:
            containers = {"spec": {"containers": [{"name": "probe", "image": name}]}}
            mallory.lab.api("PATCH", path, containers, user="mallory", content=merge)

        put("registry.example.com/public:1")
        state = {"terminated": {"exitCode": 0, "reason": "Completed"}}
        status = {
            "name": "probe",
            "image": "i",
            "imageID": "sha256:0",
            "ready": False,
            "restartCount": 0,
            "state": state,
        }
        put(image)
        mallory.lab.api("PATCH", f"{path}/status", {"status": {"containerStatuses": [status]}})

    def test_planted_probes_are_deleted_in_the_probed_namespace_only(self, lab: Lab, run, mallory, namespaces):
        """Pods in her project with the labels of a probe do not make the task delete anything in another project or fail there."""
        probed, other = namespaces(2)
        container = {"containers": [{"name": "probe", "image": "registry.example.com/a:1"}]}
        for name in ("planted", "kept"):
            keeps = {"finalizers": ["example.com/keep"]} if name == "kept" else {}
            mallory.create_object("pods", {"metadata": {"name": name, "labels": PROBE, **keeps}, "spec": container})
        lab.create(other, "pods", {"metadata": {"name": "old", "labels": PROBE}, "spec": container})
        lab.pod(probed, "works", "registry.example.com/a:1")
        ask = {"images": ["registry.example.com/a:1"], "timeout": 0}
        audit = lab.audit()
        result = run("pull_probe", namespaces=[mallory.namespace, probed], **ask)
        assert {row["cause"] for each in result["namespaces"] for row in each["pulls"]} == {"not_scheduled"}
        mine = {(namespace, name) for namespace, _resource, name in places(audit) if not name.startswith("pull-probe-")}
        lab.api("PATCH", path_of(mallory.namespace, "pods", "kept"), {"metadata": {"finalizers": None}})
        assert mine - {(mallory.namespace, ""), (probed, "")} == {
            (mallory.namespace, "planted"),
            (mallory.namespace, "kept"),
        }
        assert lab.get(other, "pods", "old") is not None
        assert lab.get(probed, "pods", "works") is not None


class TestExport:
    def test_text_of_the_cluster_chooses_no_file(self, lab: Lab, mallory, tmp_path: Path):
        """The names, keys and logins look like paths, and labels and annotations name a file."""
        path = "../../../../escaped"
        meta = {"annotations": {"file": f"{path}.yml"}, "labels": {"file": "escaped.yml"}}
        mallory.secret(
            "escaped.yml", auth_file({path: (path, PASSWORD), f"a.io/{path}": ("/etc/passwd", PASSWORD)}), metadata=meta
        )
        into = tmp_path / "a" / "b" / "c" / "host_vars" / "lab"
        task = {"namespaces": [mallory.namespace], "dest": str(into), "credentials": "placeholder"}
        tasks = [{"openshift_ops.image_pull.pull_access_export": {**task, "kubeconfig": lab.kubeconfig}}]
        playbook = tmp_path / "export.yml"
        playbook.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
        play(playbook, "localhost,", "-c", "local").succeeded()
        written = {found.relative_to(tmp_path).as_posix() for found in tmp_path.rglob("*") if found.is_file()}
        assert written == {"export.yml", "a/b/c/host_vars/lab/image_pull.yml"}
        assert PASSWORD not in (into / "image_pull.yml").read_text()
        assert (into / "image_pull.yml").stat().st_mode & 0o077 == 0

    def test_names_that_no_object_can_have_stop_no_export(self, lab: Lab, run, mallory, victim):
        """An escaped name, or one that is a part of another path, was read, and the error ended the export of all projects."""
        names = ["50%off", "a/b", "..", ".", "../../secrets/x", "a\nb", "?x=y", "#", "\u00fc", "n" * 300]
        lists = [{"name": name} for name in names]
        robot = {"metadata": {"name": "robot"}, "imagePullSecrets": lists, "secrets": lists}
        mallory.create_object("serviceaccounts", robot)
        login = {"registry": "quay.io", "username": "reader", "password": PASSWORD}
        assert not run("pull_secret", namespaces=[victim], name="ours", registries=[login])["failed"]
        result = run("pull_access_export", namespaces=[mallory.namespace, victim])
        assert not result["failed"], result["msg"]
        assert [(entry["name"], entry["namespaces"]) for entry in result["private_registry_secrets"]] == [
            ("ours", [victim])
        ]
        reasons = [row["reason"] for row in result["not_exported"] if row["name"] == "robot"]
        assert sum(reason.endswith("which does not exist") for reason in reasons) == 2 * len(names)


class TestDelegatedAuth:
    def test_a_registry_does_not_choose_the_host_that_gets_the_login(self, lab: Lab, victim, tmp_path: Path):
        """The registry wants logins at another host. The inventory does not name that host, so the verification sends the login to no host."""
        registry = lab.registry("delegated")
        account = registry["accounts"][0]
        login = {"username": account["username"], "password": account["password"]}
        proof = {"verify": True, "registry_ca_cert": lab.data["ca_cert"], "namespaces": [victim]}
        entry = {"registry": registry["host"], **login, **proof}
        inventory = tmp_path / "inventory.yml"
        hosts = {"lab": {"image_pull_kubeconfig": lab.kubeconfig, "delegated_auth_registries": [entry]}}
        inventory.write_text(variables_file({"all": {"hosts": hosts}}))
        before, audit = lab.registry_counts("delegated"), lab.audit()
        done = play("site", inventory, no_proxy="*")
        assert done.status == 2, done.output
        assert (
            f"wants logins sent to {registry['realm_host']}, another host, which the entry does not name" in done.output
        )
        assert lab.registry_counts("delegated").get(account["username"]) == before.get(account["username"])
        assert audit.writes() == []
