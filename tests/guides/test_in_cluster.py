# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CronJobs of the guide restore a deleted link and publish an audit, with the token of their account and nothing else."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest
import yaml
from support import audits
from support.guided import broken_pod, inventory
from support.guides import Reader
from support.lab import Lab, path_of, pull_names
from support.openmetrics import read
from support.playbooks import ROOT

pytestmark = pytest.mark.slow

HOME = "image-pull"
MONITORING = ("ServiceMonitor", "PrometheusRule")
ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture
def monitored(own_lab: Lab) -> Iterator[Lab]:
    """A cluster that knows the kinds of Prometheus' operator, like OpenShift."""
    definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    group = "monitoring.coreos.com"
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    for kind in MONITORING:
        plural = f"{kind.lower()}s"
        version = {"name": "v1", "served": True, "storage": True, "schema": schema}
        spec = {"group": group, "scope": "Namespaced", "names": {"plural": plural, "kind": kind}, "versions": [version]}
        own_lab.api("POST", definitions, {"metadata": {"name": f"{plural}.{group}"}, "spec": spec}, expect=(201, 409))
        own_lab.until(
            lambda path=f"/apis/{group}/v1/{plural}": own_lab.answer("GET", path, None, "")[0] == 200, "it is served"
        )
    yield own_lab
    for kind in MONITORING:
        own_lab.api("DELETE", f"{definitions}/{kind.lower()}s.{group}")


class Pod:
    """A pod of a CronJob that is in the cluster: its volumes are folders, with the content that a kubelet would write into them."""

    def __init__(self, lab: Lab, name: str, environment: Mapping[str, str]) -> None:
        found = lab.api("GET", f"/apis/batch/v1/namespaces/{HOME}/cronjobs/{name}")
        # As short as in a pod: Ansible's sockets are in it.
        self._directory = tempfile.TemporaryDirectory(dir="/tmp")
        self.lab, self.folder = lab, Path(self._directory.name)
        self.spec = found["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        self.environment = {
            "PATH": environment["PATH"],
            "ANSIBLE_COLLECTIONS_PATH": environment["ANSIBLE_COLLECTIONS_PATH"],
            "ANSIBLE_NOCOLOR": "1",
        }
        where = {each["name"]: each["mountPath"] for one in self._containers() for each in one["volumeMounts"]}
        self._paths = re.compile(rf"(?<![\w/.-])({'|'.join(map(re.escape, [*where.values(), ACCOUNT]))})(?![\w-])")
        for volume in self.spec["volumes"]:
            mount = where[volume["name"]]
            for path, content in self._content(volume):
                self._write(f"{mount}/{path}", content)
            (self.folder / mount.lstrip("/")).mkdir(parents=True, exist_ok=True)
        body = {"spec": {"expirationSeconds": 3600}}
        token = lab.api("POST", f"{path_of(HOME, 'serviceaccounts', self.spec['serviceAccountName'])}/token", body)
        authority = Path(lab.data["ca_cert"]).read_text(encoding="utf-8")
        for path, text in (("token", token["status"]["token"]), ("ca.crt", authority), ("namespace", HOME)):
            self._write(f"{ACCOUNT}/{path}", text)

    def _containers(self) -> list[dict[str, Any]]:
        return [*self.spec.get("initContainers", ()), *self.spec["containers"]]

    def _content(self, volume: dict[str, Any]) -> Iterator[tuple[str, str]]:
        alone = [{kind: part for kind, part in volume.items() if kind == "configMap"}]
        for source in volume.get("projected", {}).get("sources", alone):
            for kind, part in source.items():
                stored = self.lab.get(HOME, f"{kind.lower()}s", part["name"])
                assert stored is not None, part["name"]
                data = stored["data"]
                if kind == "secret":
                    data = {key: base64.b64decode(value).decode() for key, value in data.items()}
                for item in part.get("items") or [{"key": key, "path": key} for key in data]:
                    yield item["path"], data[item["key"]]

    def _put(self, text: str) -> str:
        here = self._paths.sub(lambda found: f"{self.folder}{found[1]}", text)
        return here.replace("https://kubernetes.default.svc", self.lab.data["server"])

    def _write(self, path: str, content: str) -> None:
        file = self.folder / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self._put(content), encoding="utf-8")

    def run(self) -> str:
        """Run its containers, one after the other. Return their output."""
        shown = ""
        for one in self._containers():
            done = subprocess.run(
                list(map(self._put, one["command"])),
                env=self.environment | {each["name"]: self._put(each["value"]) for each in one["env"]},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=600,
                check=False,
            )
            shown += done.stdout
            assert done.returncode == 0, shown
        return shown


def links(lab: Lab) -> list[str]:
    return pull_names(lab.account("project-a"))


def test_the_loop_restores_a_link_and_publishes_an_audit(
    installed: Reader, monitored: Lab, kubectl: Path, tmp_path: Path
) -> None:
    lab = monitored
    lab.namespace("project-a")
    inventory(installed)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "oc").symlink_to(kubectl)
    installed.environment["PATH"] += f"{os.pathsep}{programs}"
    installed.follow("in_cluster")

    def pod(name: str) -> Pod:
        return Pod(lab, f"image-pull-{name}", installed.environment)

    assert '"msg": "1 of 1 entry' in pod("site").run()
    assert "team-registry" in links(lab)
    lab.set_account("project-a", imagePullSecrets=[])
    site, begun = pod("site"), time.monotonic()
    site.run()
    print(f"a deleted link is back {time.monotonic() - begun:.1f} s after the start of the container")
    assert "team-registry" in links(lab)

    broken_pod(lab, "project-a", "broken")
    for _again in range(2):
        pod("audit").run()
    metrics = lab.get(HOME, "configmaps", "image-pull-metrics")
    assert metrics is not None
    text = metrics["data"]["metrics.txt"]
    found = read(text)
    assert found["image_pull_containers", "this-cluster", "will_not_pull"] == 1
    assert found["image_pull_findings", "this-cluster", "pod-cannot-pull", "error"] == 1
    assert "project-a" not in text, "only an expiry names a namespace"
    events = lab.api("GET", path_of("project-a", "events"))["items"]
    (event,) = (each for each in events if each["reason"] == "PodCannotPull")
    assert event["involvedObject"] == {"kind": "Pod", "name": "broken", "namespace": "project-a"}
    assert "registry" not in event["message"].replace("registry's", "")
    assert not any(each["involvedObject"]["kind"] == "Secret" for each in events)


def test_events_are_limited_for_each_namespace_and_in_all() -> None:
    program = ROOT / "extensions/in_cluster/publish.py"
    specification = spec_from_file_location("publish", program)
    assert specification and specification.loader
    publish = module_from_spec(specification)
    specification.loader.exec_module(publish)
    every = [
        audits.finding("secret-type-dead", namespace=f"n{at // 20}", name=f"p{at}", kind="Pod") for at in range(1_200)
    ]
    others = [audits.finding(name="a"), audits.finding(kind="Namespace", namespace=""), audits.finding("link-dangling")]
    here = audits.cluster(findings=[*others, *every], server=publish.SERVER)
    found = list(publish.events_of(audits.document(audits.cluster("another", findings=every), here)))
    assert (len(found), {each["involvedObject"]["kind"] for each in found}) == (500, {"Pod"})
    counts = Counter(each["metadata"]["namespace"] for each in found)
    assert counts.keys() == {f"n{at}" for at in range(60)}, "a user of the first 50 leaves events to the others"
    assert {*counts.values()} == {8, 9}


def test_alerts_use_only_metrics_of_a_report() -> None:
    alerts = yaml.safe_load((ROOT / "extensions/in_cluster/alerts.yml").read_text(encoding="utf-8"))
    used = set(re.findall(r"image_pull_\w+", json.dumps(alerts["spec"])))
    code = ROOT / "plugins/module_utils/features/pull_report/documents.py"
    assert used <= set(re.findall(r'"(image_pull_\w+)"', code.read_text(encoding="utf-8")))
