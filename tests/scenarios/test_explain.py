# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""explain.yml prints the failed step, all steps and tasks that can be pasted, and no credential."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab, path_of
from support.playbooks import Play, forms, leaks, play

CANARY = "canary-of-the-secret"
IN_A_MESSAGE = "canary-in-a-message"


@pytest.fixture
def inventory(lab: Lab, tmp_path: Path) -> Path:
    hosts = {"east": {"image_pull_kubeconfig": lab.kubeconfig}}
    path = tmp_path / "hosts.yml"
    path.write_text(yaml.dump({"all": {"hosts": hosts}}))
    return path


@pytest.fixture
def project(lab: Lab, namespace: str) -> str:
    """A pod whose only secret has a type that no node reads, with a message of its node that contains a login."""
    host = lab.registry("private")["host"]
    login = base64.b64encode(f"user:{CANARY}".encode()).decode()
    content = json.dumps({"auths": {host: {"auth": login}}}).encode()
    data = {".dockerconfigjson": base64.b64encode(content).decode()}
    lab.create(namespace, "secrets", {"metadata": {"name": "pull"}, "type": "Opaque", "data": data})
    containers = [{"name": "app", "image": lab.registry("private")["image"]}]
    spec = {"containers": containers, "imagePullSecrets": [{"name": "pull"}]}
    lab.create(namespace, "pods", {"metadata": {"name": "app"}, "spec": spec})
    message = (
        f'Get "https://user:{IN_A_MESSAGE}@{host}/v2/?account={IN_A_MESSAGE}": unauthorized: authentication required'
    )
    waiting = {"reason": "ErrImagePull", "message": message}
    status: dict[str, Any] = {
        "name": "app",
        "image": containers[0]["image"],
        "imageID": "",
        "ready": False,
        "restartCount": 0,
    }
    body = {"status": {"containerStatuses": [{**status, "state": {"waiting": waiting}}]}}
    lab.api("PATCH", f"{path_of(namespace, 'pods', 'app')}/status", body)
    return namespace


def explained(inventory: Path, *options: str) -> Play:
    found = play("explain", inventory, *(part for option in options for part in ("-e", option)))
    assert not leaks(found.output, forms(CANARY, "user") | {IN_A_MESSAGE})
    return found


def test_a_pod_with_a_broken_secret_is_explained(inventory: Path, project: str) -> None:
    found = explained(inventory, f"pod={project}/app")
    assert found.status == 0, found.output
    assert f"cannot pull: secret {project}/pull has type Opaque, which no node reads" in found.output
    assert f"  NO secret: secret {project}/pull has type Opaque" in found.output
    assert "openshift_ops.image_pull.pull_secret:" in found.output
    assert found.recap["changed"] == 0


@pytest.mark.slow
def test_the_explanation_has_colours_only_when_ansible_uses_them(
    inventory: Path, project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = explained(inventory, f"pod={project}/app").output
    assert "\x1b[" not in plain
    assert f"Pod {project}/app, container app, image " in plain
    monkeypatch.setenv("ANSIBLE_FORCE_COLOR", "true")
    assert re.search("\x1b\\[[0-9;]*31mcannot pull: secret ", explained(inventory, f"pod={project}/app").output)


#: Like the callback of an older ansible-runner, it writes to the output of the displaying process.
WRAPPER = """
import sys
from ansible.plugins.callback import CallbackBase
from ansible.utils.display import Display

inner = Display.display

def wrapper(*arguments, **options):
    sys.stdout.write("<event>")
    return inner(*arguments, **options)

Display.display = wrapper

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "aggregate", "wrapper"
"""


@pytest.mark.slow
def test_a_callback_that_wraps_the_display_causes_no_warning(
    inventory: Path, project: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workload is given in the form that oc uses."""
    (tmp_path / "wrapper.py").write_text(WRAPPER)
    monkeypatch.setenv("ANSIBLE_CALLBACK_PLUGINS", str(tmp_path))
    found = explained(inventory, f"workload={project}/po/app")
    assert found.status == 0, found.output
    assert f"<event>cannot pull: secret {project}/pull has type Opaque" in found.output
    assert "WARNING" not in found.output


def test_an_account_with_an_image_is_explained(inventory: Path, project: str) -> None:
    found = explained(inventory, f"account={project}/default", "image=quay.example.com/team/app:v1")
    assert found.status == 0, found.output
    assert (
        f"not known: no pull secret of service account {project}/default is for quay.example.com/team/app"
        in found.output
    )


def test_a_missing_workload_is_reported(inventory: Path, project: str) -> None:
    found = explained(inventory, f"workload={project}/Deployment/none")
    assert found.status != 0
    assert f"deployment {project}/none does not exist: correct the name or the namespace" in found.output


@pytest.mark.parametrize("options", [[], ["pod=app"], ["account=a/b"], ["image=x"]])
def test_an_incomplete_question_is_refused_with_its_usage(inventory: Path, options: list[str]) -> None:
    found = explained(inventory, *options)
    assert found.status != 0
    assert "give -e pod=NAMESPACE/NAME" in found.output


def test_the_registries_are_asked_on_request(lab, inventory, namespace):
    """The registry refuses a login that no node has tried yet, and confirms a correct one."""
    registry = lab.registry("private")
    account = registry["accounts"][0]
    for name, password, verdict in (("wrong", CANARY, "cannot pull"), ("right", account["password"], "pulls")):
        login = base64.b64encode(f"{account['username']}:{password}".encode()).decode()
        content = json.dumps({"auths": {registry["host"]: {"auth": login}}}).encode()
        data = {".dockerconfigjson": base64.b64encode(content).decode()}
        kind = "kubernetes.io/dockerconfigjson"
        lab.create(namespace, "secrets", {"metadata": {"name": name}, "type": kind, "data": data})
        spec = {"containers": [{"name": "app", "image": registry["image"]}], "imagePullSecrets": [{"name": name}]}
        lab.create(namespace, "pods", {"metadata": {"name": name}, "spec": spec})
        hosts = json.dumps({"realm_hosts": lab.registry_hosts})
        how = ("ask_registries=true", hosts, f"registry_ca_cert={lab.data['ca_cert']}")
        found = explained(inventory, f"pod={namespace}/{name}", *how)
        assert found.status == 0, found.output
        assert f"{verdict}: " in found.output
        assert lab.pull(namespace, name)["pulled"] == (verdict == "pulls")
