# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The account's pull secret reaches the next task but no output at any verbosity, no callback, no log and no job event.

`found.auth_config` is the account's pull secret. Ansible's output and files contain no part of it, nor of the credentials that
fetched it. This holds in Ansible's own process and in a separate process of the module.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.certificates import write_certificate
from support.ocm import OFFLINE_TOKEN, Ocm, account, ocm_service, secrets
from support.playbooks import leaks, play

MODULE = "openshift_ops.image_pull.ocm_pull_secret_info"
#: Records everything that callbacks can show: each result, and the arguments of a started task.
CALLBACK = """
import json, os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "all_seen"

    def v2_on_any(self, *arguments, **keywords):
        with open(os.environ["ALL_SEEN"], "a") as file:
            for argument in arguments:
                told = [argument, getattr(argument, "args", None), getattr(argument, "_result", None)]
                file.write("\\n".join(map(repr, told)) + "\\n")
"""


@pytest.fixture
def ocm(tmp_path: Path) -> Iterator[Ocm]:
    with ocm_service(write_certificate(tmp_path / "server.pem")) as service:
        yield service


@pytest.fixture(params=["in Ansible's process", "in one of its own"])
def python(request: pytest.FixtureRequest, other_python: str) -> str:
    return sys.executable if "Ansible" in request.param else other_python


def fetch(ocm: Ocm, directory: Path, register: str = "found", **more: Any) -> dict[str, Any]:
    options = {"offline_token": "{{ token }}", "ocm_ca_cert": str(directory / "server.pem"), **ocm.options}
    keywords = {name: more.pop(name) for name in ("loop", "until", "retries", "delay", "ignore_errors") if name in more}
    return {MODULE: {**options, **more}, "register": register, **keywords}


def write(directory: Path, namespace: str) -> dict[str, Any]:
    options = {"name": "redhat", "namespaces": [namespace], "auth_config": "{{ found.auth_config }}"}
    return {"openshift_ops.image_pull.pull_secret": options, "register": "written"}


def prepare(directory: Path, python: str, *tasks: dict[str, Any]) -> None:
    host = {"ansible_connection": "local", "ansible_python_interpreter": python, "token": OFFLINE_TOKEN}
    (directory / "hosts.yml").write_text(yaml.dump({"all": {"hosts": {"east": host}}}))
    (directory / "play.yml").write_text(yaml.dump([{"hosts": "all", "gather_facts": False, "tasks": list(tasks)}]))
    (directory / "callbacks").mkdir(exist_ok=True)
    (directory / "callbacks" / "all_seen.py").write_text(CALLBACK)


def seen(directory: Path, *options: str, status: int = 0, **variables: str) -> str:
    """Return the output of a run and all files that it keeps."""
    kept = [directory / name for name in ("log", "seen")]
    for path in kept:
        path.unlink(missing_ok=True)
    done = play(
        directory / "play.yml",
        directory / "hosts.yml",
        *options,
        cwd=directory,
        ANSIBLE_LOG_PATH=str(directory / "log"),
        ANSIBLE_CALLBACK_PLUGINS=str(directory / "callbacks"),
        ANSIBLE_CALLBACKS_ENABLED="all_seen",
        ALL_SEEN=str(directory / "seen"),
        ANSIBLE_CACHE_PLUGIN="jsonfile",
        ANSIBLE_CACHE_PLUGIN_CONNECTION=str(directory / "facts"),
        **variables,
    )
    assert done.status == status, done.output
    texts = [path.read_text() for path in (*kept, *(directory / "facts").rglob("*")) if path.is_file()]
    return "\n".join([done.output, *texts])


def shown(text: str) -> list[str]:
    """The token is in the inventory, like a vaulted one. Callbacks that dump variables are not covered."""
    return leaks(text, secrets())


def test_the_pull_secret_reaches_the_next_task_and_no_output(lab, namespace, ocm, tmp_path, python):
    registries = {"ansible.builtin.debug": {"var": "found.registries"}}
    prepare(tmp_path, python, fetch(ocm, tmp_path), registries, write(tmp_path, namespace))
    text = seen(tmp_path, "-vvvvv", "--diff", K8S_AUTH_KUBECONFIG=lab.kubeconfig)
    assert lab.entries(namespace, "redhat") == account()["auths"]
    assert "the output has been hidden" in text
    assert "registry.connect.redhat.com" in text
    assert shown(text) == []


@pytest.mark.slow
def test_the_pull_secret_is_not_in_the_debug_output_of_ansible(lab, namespace, ocm, tmp_path):
    prepare(tmp_path, sys.executable, fetch(ocm, tmp_path), write(tmp_path, namespace))
    text = seen(tmp_path, "-vvvvv", K8S_AUTH_KUBECONFIG=lab.kubeconfig, ANSIBLE_DEBUG="1")
    assert lab.entries(namespace, "redhat") == account()["auths"]
    # Here, Ansible prints the variables of the inventory, which contain the token in this test.
    assert leaks(text, secrets() - {OFFLINE_TOKEN}) == []


@pytest.mark.slow
def test_failed_items_of_a_loop_and_failed_attempts_report_the_cause(ocm, tmp_path, python):
    prepare(
        tmp_path,
        python,
        fetch(ocm, tmp_path, loop=["quay.io", "none.example.com"], include=["{{ item }}"], ignore_errors=True),
        fetch(ocm, tmp_path, "again", until="false", retries=1, delay=0, ignore_errors=True),
        {"ansible.builtin.assert": {"that": ["found.results[0].auth_config.auths | length == 1", "again is failed"]}},
    )
    text = seen(tmp_path, "-vvv")
    assert "has no entry that matches 'none.example.com'" in text
    assert shown(text) == []


@pytest.mark.slow
def test_the_pull_secret_can_be_handed_on_in_check_mode(lab, namespace, ocm, tmp_path):
    prepare(tmp_path, sys.executable, fetch(ocm, tmp_path), write(tmp_path, namespace))
    text = seen(tmp_path, "-vvv", "--check", "--diff", K8S_AUTH_KUBECONFIG=lab.kubeconfig)
    assert "+" in text
    assert "quay.io" in text
    assert shown(text) == []
    assert lab.get(namespace, "secrets", "redhat") is None


@pytest.mark.slow
def test_the_result_without_content_shows_only_registry_names(ocm, tmp_path):
    prepare(tmp_path, sys.executable, fetch(ocm, tmp_path, return_content=False))
    text = seen(tmp_path, "-v")
    assert '"registry": "quay.io"' in text
    assert "the output has been hidden" not in text
    assert shown(text) == []


def test_a_failure_is_shown(ocm, tmp_path, python):
    ocm.answers["/api/accounts_mgmt/v1/access_token"] = (
        403,
        {},
        json.dumps({"reason": f"for {OFFLINE_TOKEN}"}).encode(),
    )
    prepare(tmp_path, python, fetch(ocm, tmp_path))
    text = seen(tmp_path, "-vvv", status=2)
    assert "was answered 403 (for ********). The account is not allowed to have a pull secret" in text
    assert shown(text) == []


@pytest.mark.slow
def test_a_background_task_is_refused(ocm, tmp_path):
    prepare(tmp_path, sys.executable, {**fetch(ocm, tmp_path), "async": 30, "poll": 1})
    text = seen(tmp_path, status=2)
    assert "cannot run with 'async'" in text
    assert ocm.asked == []


def test_no_job_event_and_no_artifact_contains_the_pull_secret(lab, namespace, ocm, tmp_path):
    prepare(tmp_path, sys.executable, fetch(ocm, tmp_path), write(tmp_path, namespace))
    private = tmp_path / "job"
    for name in ("project", "inventory", "env"):
        (private / name).mkdir(parents=True)
    (tmp_path / "play.yml").rename(private / "project" / "play.yml")
    (tmp_path / "hosts.yml").rename(private / "inventory" / "hosts.yml")
    (private / "env" / "envvars").write_text(yaml.dump({"K8S_AUTH_KUBECONFIG": lab.kubeconfig}))
    # ansible_runner forks, and this process has threads, so it runs in a separate process.
    command = [sys.executable, "-m", "ansible_runner", "run", str(private), "-p", "play.yml", "-vvvv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert lab.entries(namespace, "redhat") == account()["auths"]
    artifacts = [path for path in (private / "artifacts").rglob("*") if path.is_file()]
    assert any("runner_on_ok" in path.read_text() for path in artifacts if "job_events" in path.parts)
    assert shown("\n".join([done.stdout, done.stderr, *(path.read_text() for path in artifacts)])) == []
