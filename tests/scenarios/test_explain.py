# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""explain.yml prints the failed step, all steps and tasks that can be pasted, and no credential."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab, path_of
from support.objects import b64
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
    login = b64(f"user:{CANARY}")
    content = json.dumps({"auths": {host: {"auth": login}}}).encode()
    data = {".dockerconfigjson": b64(content)}
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


def explained(inventory: Path, *options: str, **environment: str) -> Play:
    found = play("explain", inventory, *(part for option in options for part in ("-e", option)), **environment)
    assert not leaks(found.output, forms(CANARY, "user") | {IN_A_MESSAGE})
    return found


def test_a_pod_with_a_broken_secret_is_explained(inventory: Path, project: str) -> None:
    found = explained(inventory, f"pod={project}/app", ANSIBLE_DISPLAY_SKIPPED_HOSTS="false").succeeded()
    assert "TASK [Trace the image pull]\nPod " in found.output, "the callback prints its heading after the answer"
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
    """The workload is given in the form that oc uses. The answer is one event, and other hosts cannot write between its lines."""
    (tmp_path / "wrapper.py").write_text(WRAPPER)
    monkeypatch.setenv("ANSIBLE_CALLBACK_PLUGINS", str(tmp_path))
    found = explained(inventory, f"workload={project}/po/app").succeeded()
    (answer,) = (event for event in found.output.split("<event>") if "\ncannot pull: " in event)
    assert answer.startswith(f"Pod {project}/app, ")
    assert f"\ncannot pull: secret {project}/pull has type Opaque" in answer
    assert "WARNING" not in found.output


@dataclass(frozen=True)
class Answers:
    """The answers to all questions of one run."""

    project: str
    output: str
    pulled: dict[str, bool]


#: Questions of one run, whose command line takes them from the host: a start of Ansible takes time.
QUESTIONS: dict[str, dict[str, Any]] = {
    "account": {"account": "{project}/default", "image": "quay.example.com/team/app:v1"},
    "missing": {"workload": "{project}/Deployment/none"},
    # The registry refuses a login that no node has tried yet, and confirms a correct one.
    "wrong": {"pod": "{project}/wrong", "ask_registries": "true"},
    "right": {"pod": "{project}/right", "ask_registries": "true"},
    # The login is correct, and the name of the image is not.
    "misspelled": {"pod": "{project}/misspelled", "ask_registries": "true"},
    "nothing": {},
    "no-namespace": {"pod": "app"},
    "no-image": {"account": "a/b"},
    "no-account": {"image": "x"},
}
#: The questions to a registry.
ASKED = ("wrong", "right", "misspelled")
INCOMPLETE = {"nothing", "no-namespace", "no-image", "no-account"}


@pytest.fixture(scope="module")
def answers(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    project, directory = "explain-questions", tmp_path_factory.mktemp("questions")
    lab.namespace(project)
    registry = lab.registry("private")
    account = registry["accounts"][0]
    misspelled = registry["image"].replace("team/", "taem/")
    pods = {"wrong": (CANARY, registry["image"]), "right": (account["password"], registry["image"])}
    for name, (password, image) in {**pods, "misspelled": (account["password"], misspelled)}.items():
        login = b64(f"{account['username']}:{password}")
        content = json.dumps({"auths": {registry["host"]: {"auth": login}}}).encode()
        data = {".dockerconfigjson": b64(content)}
        kind = "kubernetes.io/dockerconfigjson"
        lab.create(project, "secrets", {"metadata": {"name": name}, "type": kind, "data": data})
        spec = {"containers": [{"name": "app", "image": image}], "imagePullSecrets": [{"name": name}]}
        lab.create(project, "pods", {"metadata": {"name": name}, "spec": spec})
    names = sorted({name for question in QUESTIONS.values() for name in question})
    given = {name: f"{{{{ given.{name} | default('') }}}}" for name in names}
    given |= {"realm_hosts": lab.registry_hosts, "registry_ca_cert": lab.data["ca_cert"]}
    (directory / "answers.yml").write_text(yaml.dump(given))
    hosts = {
        host: {"given": {name: answer.format(project=project) for name, answer in question.items()}}
        for host, question in QUESTIONS.items()
    }
    variables = {"image_pull_kubeconfig": lab.kubeconfig}
    (directory / "hosts.yml").write_text(yaml.dump({"all": {"hosts": hosts, "vars": variables}}))
    found = explained(directory / "hosts.yml", f"@{directory / 'answers.yml'}")
    return Answers(project, found.output, {name: lab.pull(project, name)["pulled"] for name in ASKED})


class TestQuestions:
    def test_an_account_with_an_image_is_explained(self, answers: Answers) -> None:
        said = "no pull secret of service account {}/default is for quay.example.com/team/app"
        assert f"not known: {said.format(answers.project)}" in answers.output

    def test_a_missing_workload_is_reported(self, answers: Answers) -> None:
        said = f"deployment {answers.project}/none does not exist: correct the name or the namespace"
        assert said in answers.output

    def test_incomplete_questions_are_refused_first(self, answers: Answers) -> None:
        refused = re.findall(r"fatal: \[([\w-]+)\]: FAILED! => [^\n]*nothing was read: ", answers.output)
        assert {*refused} == INCOMPLETE

    def test_only_a_missing_workload_and_incomplete_questions_fail(self, answers: Answers) -> None:
        failed = re.findall(r"^([\w-]+) +: .*failed=[1-9]", answers.output.rpartition("PLAY RECAP")[2], re.MULTILINE)
        assert {*failed} == {"missing", *INCOMPLETE}

    @pytest.mark.parametrize(("name", "verdict"), [*zip(ASKED, ("cannot pull", "pulls", "cannot pull"), strict=True)])
    def test_the_registries_are_asked_on_request(self, answers: Answers, name: str, verdict: str) -> None:
        # Hosts run side by side, and the lines of each stay together.
        assert re.search(rf"Pod {answers.project}/{name}, .*\n{verdict}: ", answers.output), answers.output
        assert answers.pulled[name] == (verdict == "pulls")

    def test_the_answer_about_a_misspelled_image_says_what_to_check(self, answers: Answers) -> None:
        advice = "Check the image name and tag, or give the user of the login the right to pull it"
        said = r"registry \S+ has no \S+/taem/app:v1, or hides it: secret misspelled has the key \S+"
        assert re.search(rf"^cannot pull: {said}\. {advice}$", answers.output, re.MULTILINE), answers.output
        assert re.search(rf"^  NO image: {said}$", answers.output, re.MULTILINE), answers.output
