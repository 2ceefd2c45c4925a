# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_probe reports whether nodes can pull an image, deletes its pods, and needs only the documented rights."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.lab import Lab, path_of
from support.objects import auth_file, pull_secret
from support.openshift import allow_in
from support.playbooks import play

SELECTOR = "app.kubernetes.io/managed-by=openshift_ops.image_pull,app.kubernetes.io/component=pull-probe"
TESTS = Path(__file__).parents[1]
CANARY = "canary-of-the-registry"
#: The pod may have been deleted, and its namespace may be terminating.
_ANY = (200, 201, 403, 404, 409)


def probes(lab: Lab, namespace: str = "") -> list[dict[str, Any]]:
    where = f"/namespaces/{namespace}" if namespace else ""
    return lab.api("GET", f"/api/v1{where}/pods?labelSelector={SELECTOR}")["items"]


class Nodes:
    """The scheduler and the kubelets: each probe pod gets a node by its selector, and the lab pulls for it.

    `without`: values of the label `pool` that no node has. `says`: the message of a node that does not pull.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.without: set[str] = set()
        self.says = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _work(self) -> None:
        done: set[str] = set()
        while not self._over.wait(0.05):
            for pod in probes(self.lab):
                if pod["metadata"]["uid"] not in done and "deletionTimestamp" not in pod["metadata"]:
                    done.add(pod["metadata"]["uid"])
                    self._run(pod["metadata"]["namespace"], pod["metadata"]["name"], pod["spec"])

    def _run(self, namespace: str, name: str, spec: dict[str, Any]) -> None:
        path = path_of(namespace, "pods", name)
        pool = spec.get("nodeSelector", {}).get("pool", "any")
        if pool in self.without:
            no = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/2 nodes fit"}
            self._tell(path, {"conditions": [no]})
            return
        target = {"metadata": {"name": name}, "target": {"kind": "Node", "name": f"node-{pool}"}}
        self.lab.api("POST", f"{path}/binding", target, expect=_ANY)
        if self.says:
            waits = {"waiting": {"reason": "ErrImagePull", "message": self.says}}
            container = {"name": "probe", "image": "i", "imageID": "", "ready": False, "restartCount": 0}
            self._tell(path, {"containerStatuses": [{**container, "state": waits}]})
            return
        # If the pod is deleted in the meantime, there is no answer, as on a node.
        self.lab.run("pull", "--dir", str(self.lab.dir), "--json", "--status", namespace, name, check=False)

    def _tell(self, path: str, status: dict[str, Any]) -> None:
        self.lab.api("PATCH", f"{path}/status", {"status": {"phase": "Pending", **status}}, expect=_ANY)


@pytest.fixture
def nodes(lab: Lab) -> Iterator[Nodes]:
    found = Nodes(lab)
    yield found
    found.end()
    # Without a kubelet, the remaining pods would keep their namespaces from being deleted.
    for pod in probes(lab):
        path = path_of(pod["metadata"]["namespace"], "pods", pod["metadata"]["name"])
        lab.api("DELETE", f"{path}?gracePeriodSeconds=0", expect=(200, 404))


def login(lab: Lab, namespace: str, password: str = "") -> None:
    """Create a pull secret and link it to the default account. `password` replaces the correct password."""
    registry = lab.registry("private")
    account = registry["accounts"][1]
    content = auth_file({registry["host"]: (account["username"], password or account["password"])})
    lab.create(namespace, "secrets", pull_secret("pull", content))
    lab.set_account(namespace, imagePullSecrets=["pull"])


def image(lab: Lab) -> str:
    return lab.registry("private")["image"]


def probe(run: Any, namespaces: str | list[str], images: str | list[str], **options: Any) -> dict[str, Any]:
    """Return the module's result. The timeout for a node that never answers is short."""
    ask = {"namespaces": [namespaces] if isinstance(namespaces, str) else namespaces, "timeout": 15, **options}
    return run("pull_probe", **ask, images=[images] if isinstance(images, str) else images)


def pulls(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(row["outcome"], row["cause"]) for found in result["namespaces"] for row in found.get("pulls", [])]


class TestNode:
    def test_a_good_login_is_proven_and_no_pod_is_left(self, lab, run, namespace, nodes):
        login(lab, namespace)
        audit = lab.audit()
        result = probe(run, namespace, image(lab))
        assert (result["failed"], result["changed"]) == (False, False)
        (row,) = result["namespaces"][0]["pulls"]
        assert (row["outcome"], row["node"], row["message"], row["pod"]) == ("pulled", "node-any", "", None)
        assert result["outcomes"] == {"pulled": 1, "refused": 0, "unknown": 0}
        assert [(verb, resource) for verb, resource, _namespace, _name in audit.writes()] == [
            ("create", "pods"),
            ("delete", "pods"),
        ]
        assert set(audit.verbs()) == {"create", "list", "delete"}
        assert lab.api("GET", path_of(namespace, "pods"))["items"] == []
        assert "warnings" not in result

    def test_a_wrong_login_is_refused_and_the_message_names_the_next_command(self, lab, run, namespace, nodes):
        login(lab, namespace, "wrong")
        result = probe(run, namespace, image(lab))
        assert result["failed"]
        assert pulls(result) == [("refused", "bad_credentials")]
        assert "was not pulled on node node-any: bad_credentials" in result["msg"]
        assert "\n" not in result["msg"]
        asked = re.search(
            r"run pull_access_info with 'image: (\S+)', 'service_account: (\S+)' and 'ask_registries: true'",
            result["msg"],
        )
        assert asked is not None
        more = {"ask_registries": True, "registry_ca_cert": lab.data["ca_cert"]}
        why = run("pull_access_info", namespaces=[namespace], image=asked[1], service_account=asked[2], **more)
        assert why["namespaces"][0]["access"][0]["verdict"] == "will_not_pull"
        assert probes(lab, namespace) == []

    def test_the_option_image_pull_secrets_tests_an_unlinked_secret(self, lab, run, namespace, nodes):
        login(lab, namespace)
        lab.set_account(namespace, imagePullSecrets=[])
        assert pulls(probe(run, namespace, image(lab)))[0][0] == "refused"
        assert pulls(probe(run, namespace, image(lab), image_pull_secrets=["pull"])) == [("pulled", "")]

    def test_each_node_selector_is_probed_and_a_missing_node_is_reported(self, lab, run, namespace, nodes):
        login(lab, namespace)
        nodes.without = {"none"}
        selectors = [{"pool": "a"}, {"pool": "b"}, {"pool": "none"}]
        result = probe(run, namespace, image(lab), node_selectors=selectors)
        rows = result["namespaces"][0]["pulls"]
        assert [(row["node"], row["outcome"], row["cause"]) for row in rows] == [
            ("node-a", "pulled", ""),
            ("node-b", "pulled", ""),
            (None, "unknown", "not_scheduled"),
        ]
        assert "on a node with pool=none: not_scheduled" in result["msg"]
        assert "0/2 nodes fit" in result["msg"]
        assert probes(lab, namespace) == []

    def test_a_nodes_message_is_shown_without_the_login(self, lab, run, namespace, nodes):
        nodes.says = (
            f'failed to pull and unpack image "{image(lab)}": invalid decoded auth: "robot:{CANARY}" '
            f'https://robot:{CANARY}@registry.example.com/v2/?token={CANARY}\x1b[31m\n"password": "{CANARY}"'
        )
        result = probe(run, namespace, image(lab), keep_failed=True)
        assert pulls(result)[0][0] == "refused"
        assert CANARY not in result["_output"]
        assert "\x1b" not in result["msg"]


class TestAdmission:
    def test_a_restricted_namespace_admits_the_pod(self, lab, run, namespace, nodes):
        login(lab, namespace)
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        lab.api("PATCH", f"/api/v1/namespaces/{namespace}", {"metadata": {"labels": labels}})
        with pytest.raises(AssertionError, match="violates PodSecurity"):
            lab.pod(namespace, "another", image(lab))
        assert pulls(probe(run, namespace, image(lab))) == [("pulled", "")]

    def test_a_quota_of_requests_and_limits_admits_the_pod(self, lab, run, namespace, nodes):
        login(lab, namespace)
        hard = {"requests.cpu": "1", "requests.memory": "1Gi", "limits.cpu": "1", "limits.memory": "1Gi"}
        lab.create(namespace, "resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard}})
        status = {"status": {"hard": hard, "used": dict.fromkeys(hard, "0")}}
        lab.api("PATCH", f"{path_of(namespace, 'resourcequotas', 'q')}/status", status)
        assert pulls(probe(run, namespace, image(lab))) == [("pulled", "")]

    def test_an_exhausted_quota_is_not_reported_as_a_failed_pull(self, lab, run, namespace):
        hard = {"pods": "0"}
        lab.create(namespace, "resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": hard}})
        path = f"{path_of(namespace, 'resourcequotas', 'q')}/status"
        lab.api("PATCH", path, {"status": {"hard": hard, "used": {"pods": "0"}}})
        result = probe(run, namespace, image(lab))
        assert pulls(result) == [("unknown", "not_created")]
        assert "was neither pulled nor refused: not_created" in result["msg"]
        assert "have its ResourceQuota raised" in result["msg"]

    def test_a_missing_service_account_is_reported(self, lab, run, namespace):
        result = probe(run, namespace, image(lab), service_account="robot")
        assert pulls(result) == [("unknown", "not_created")]
        assert "Create that service account first" in result["msg"]

    def test_the_documented_rights_are_sufficient_and_all_needed(self, lab, run, namespaces, nodes):
        """The namespaces are given by name, because the caller may not list the cluster."""
        names = namespaces(9)
        for name in names:
            login(lab, name)
        ask = {"namespaces": names, "images": [image(lab)], "impersonate_user": "prober", "timeout": 15}

        def allow(*verbs: str) -> None:
            rules = [{"apiGroups": [""], "resources": ["pods"], "verbs": list(verbs)}]
            for name in names:
                lab.api("PATCH", path_of(name, "roles", "prober"), {"rules": rules})

        for name in names:
            allow_in(lab, name, "prober")
        for verbs, missing in ((("list", "delete"), "create"), (("create", "delete"), "list")):
            allow(*verbs)
            lab.until(
                lambda missing=missing: f'cannot {missing} resource "pods"' in run("pull_probe", **ask)["msg"], missing
            )
            assert probes(lab) == []
        allow("create", "list", "delete")
        lab.until(lambda: run("pull_probe", **ask)["outcomes"]["pulled"] == 9, "all are pulled")


class TestLeftovers:
    def start(self, lab: Lab, tmp_path: Path, namespace: str) -> subprocess.Popen[bytes]:
        """Start a run that waits for a node that never answers."""
        options = tmp_path / "options.json"
        ask = {"namespaces": [namespace], "images": [image(lab), f"{image(lab)}-b"], "timeout": 300}
        options.write_text(json.dumps({"kubeconfig": lab.kubeconfig, **ask}))
        command = [sys.executable, "-m", "support.module_process", "pull_probe", options]
        process = subprocess.Popen(command, cwd=TESTS, stdout=subprocess.PIPE)
        lab.until(lambda: len(probes(lab, namespace)) == 2, "the pods are made")
        return process

    def test_a_terminated_run_leaves_no_pod(self, lab, namespace, tmp_path):
        process = self.start(lab, tmp_path, namespace)
        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert time.monotonic() - asked < 15
        assert probes(lab, namespace) == []

    @pytest.mark.parametrize(
        "where", ["in Ansible's process", pytest.param("in one of its own", marks=pytest.mark.slow)]
    )
    def test_a_task_that_times_out_leaves_no_pod(self, lab, namespace, tmp_path, other_python, where):
        python = other_python if where == "in one of its own" else "{{ ansible_playbook_python }}"
        playbook, inventory = tmp_path / "probe.yml", tmp_path / "hosts.yml"
        task = {
            "openshift_ops.image_pull.pull_probe": {"namespaces": [namespace], "images": [image(lab)], "timeout": 300},
            "timeout": 12,
        }
        playbook.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
        variables = {"ansible_connection": "local", "ansible_python_interpreter": python}
        inventory.write_text(json.dumps({"all": {"hosts": {"here": {}}, "vars": variables}}))
        audit = lab.audit()
        assert play(playbook, inventory, K8S_AUTH_KUBECONFIG=lab.kubeconfig).status == 2
        lab.until(lambda: len(audit.writes()) == 2, "what was made is deleted")
        assert [write[0] for write in audit.writes()] == ["create", "delete"]
        assert probes(lab, namespace) == []

    def test_pods_of_a_killed_run_have_a_deadline_and_the_next_run_deletes_them(
        self, lab, run, namespace, tmp_path, nodes
    ):
        nodes.end()
        process = self.start(lab, tmp_path, namespace)
        process.kill()
        process.communicate(timeout=30)
        left = probes(lab, namespace)
        assert [pod["spec"]["activeDeadlineSeconds"] for pod in left] == [360, 360]
        lab.pod(namespace, "theirs", image(lab))
        checked = probe(run, namespace, image(lab), check=True)
        assert len(probes(lab, namespace)) == 2
        assert f"in namespace {namespace}, would delete 2 pods that an earlier run left" in checked["_output"]
        result = probe(run, namespace, image(lab), timeout=0)
        assert pulls(result) == [("unknown", "not_scheduled")]
        assert f"in namespace {namespace}, deleted 2 pods that an earlier run left" in result["_output"]
        assert [pod["metadata"]["name"] for pod in lab.api("GET", path_of(namespace, "pods"))["items"]] == ["theirs"]

    def test_kept_pods_can_be_explained_by_pull_access_info(self, lab, run, namespace, nodes):
        login(lab, namespace, "wrong")
        result = probe(run, namespace, image(lab), keep_failed=True, image_pull_secrets=["pull"])
        (pod,) = probes(lab, namespace)
        assert result["changed"]
        assert result["namespaces"][0]["pulls"][0]["pod"] == pod["metadata"]["name"]
        assert "pull_access_info with 'pod: NAME'" in result["msg"]
        why = run("pull_access_info", namespaces=[namespace], pod=pod["metadata"]["name"])
        assert why["namespaces"][0]["access"][0]["cause"] == "bad_credentials"
        probe(run, namespace, image(lab))
        assert probes(lab, namespace) == []
