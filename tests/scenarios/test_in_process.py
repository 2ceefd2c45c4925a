# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A module runs in Ansible's own process where it can, in one of its own elsewhere, and does the same in both."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from support.lab import pull_names
from support.playbooks import forms, leaks, play

PREFIX = "openshift_ops.image_pull"
PASSWORD = "canary-pässword: {x} with 'quotes' and \"more\" of them"


class Vaulted(str):
    """A value encrypted by ansible-vault where it stands."""


yaml.add_representer(Vaulted, lambda dumper, text: dumper.represent_scalar("!vault", str(text), style="|"))


class Job:
    """Runs tasks in one play, on a host whose modules run here or elsewhere, and hands out their results.

    A task that is a block brings the register of its own, `result_N`.
    """

    def __init__(self, lab: Any, directory: Path, python: str) -> None:
        self.lab, self.directory, self.python = lab, directory, python
        self.scratch = directory / "remote_tmp"
        self.output = ""

    def run(
        self, *tasks: dict[str, Any], options: tuple[str, ...] = (), keywords: Any = None, **variables: str
    ) -> list[Any]:
        results = self.directory / "results.json"
        names = [f"result_{n}" for n in range(len(tasks))]
        last = {
            "ansible.builtin.copy": {
                "dest": str(results),
                "content": "{{ [" + ", ".join(names) + "] | to_json }}",
                "mode": "0600",
            },
            "check_mode": False,
            # It has an interpreter and a temporary directory of its own, which tell nothing.
            "vars": {
                "ansible_python_interpreter": sys.executable,
                "ansible_remote_tmp": str(self.directory / "other_tmp"),
            },
        }
        given = {**(keywords or {}), "tasks": [*map(self.named, tasks, names), last]}
        self.write([{"hosts": "all", "gather_facts": False, **given}])
        done = play(self.book, self.inventory, *options, **{"K8S_AUTH_KUBECONFIG": self.lab.kubeconfig, **variables})
        self.output = done.output
        assert done.status == 0, done.output
        return json.loads(results.read_text())

    @staticmethod
    def named(task: dict[str, Any], name: str) -> dict[str, Any]:
        if "block" in task:
            return yaml.safe_load(yaml.safe_dump(task).replace("RESULT", name))
        return {**task, "register": name, "ignore_errors": True}

    def write(self, book: list[dict[str, Any]]) -> None:
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": self.python,
            "ansible_remote_tmp": str(self.scratch),
        }
        self.inventory.write_text(yaml.dump({"all": {"hosts": {"east": host}}}))
        self.book.write_text(yaml.dump(book))

    @property
    def inventory(self) -> Path:
        return self.directory / "hosts.yml"

    @property
    def book(self) -> Path:
        return self.directory / "play.yml"

    @property
    def wrote_options_to_disk(self) -> bool:
        """Ansible makes this directory for what it hands to a module in a file."""
        return self.scratch.exists()


@pytest.fixture
def here(lab, tmp_path) -> Job:
    (tmp_path / "here").mkdir()
    return Job(lab, tmp_path / "here", sys.executable)


@pytest.fixture
def elsewhere(lab, tmp_path, other_python) -> Job:
    (tmp_path / "elsewhere").mkdir()
    return Job(lab, tmp_path / "elsewhere", other_python)


def secret(namespace: str, **options: Any) -> dict[str, Any]:
    login = {"registry": "registry.example.com", "username": "user", "password": PASSWORD}
    return {f"{PREFIX}.pull_secret": {"name": "mine", "namespaces": [namespace], "registries": [login], **options}}


def link(namespace: str, **options: Any) -> dict[str, Any]:
    return {f"{PREFIX}.sa_link": {"secrets": ["mine"], "namespaces": [namespace], "wait_timeout": 0, **options}}


def told(results: list[Any], namespace: str) -> list[str]:
    """The results without what differs from namespace to namespace."""
    text = json.dumps(results, indent=1, sort_keys=True).replace(namespace, "NAMESPACE")
    return re.sub(r"-dockercfg-\w{5}", "-dockercfg-XXXXX", text).splitlines()


class TestSameResult:
    def test_of_every_kind_of_end(self, lab, namespaces, here, elsewhere):
        """Changed, unchanged, check mode, warned, refused by the options, by the engine, and for some namespaces only."""

        def tasks(namespace: str) -> list[dict[str, Any]]:
            return [
                {**secret(namespace), "check_mode": True, "diff": True},
                secret(namespace),
                secret(namespace),
                link(namespace),
                link(namespace, namespaces=[namespace, "does-not-exist"]),
                {f"{PREFIX}.image_puller_grant": {"namespaces": [namespace], "projects": ["does-not-exist"]}},
                {f"{PREFIX}.sa_wait": {"namespaces": [namespace]}},
                {
                    f"{PREFIX}.registry_auth_info": {
                        "registry": lab.registry("private")["host"],
                        "validate_certs": False,
                    }
                },
                secret(namespace, registries=[{"registry": "x y", "username": "u", "password": PASSWORD}]),
                secret(namespace, state="perhaps"),
                secret(namespace, passwrod=PASSWORD),
                {f"{PREFIX}.sa_link": {"secrets": ["mine"]}},
                link(namespace, kubeconfig="/nonexistent"),
                link(namespace, max_failures="some"),
            ]

        one, two = namespaces(2)
        found, expected = told(here.run(*tasks(one)), one), told(elsewhere.run(*tasks(two)), two)
        assert found == expected
        assert pull_names(lab.account(one))[-1] == pull_names(lab.account(two))[-1] == "mine"
        assert leaks(here.output + "\n".join(found), forms(PASSWORD, "user")) == []


class TestWhere:
    def test_no_option_touches_the_disk(self, namespace, here):
        here.run(secret(namespace), link(namespace))
        assert not here.wrote_options_to_disk

    @pytest.mark.parametrize("python", ["auto", "auto_silent", "{{ ansible_playbook_python }}"])
    def test_in_ansibles_own_process_too(self, namespace, here, python):
        here.python = python
        here.run(secret(namespace))
        assert not here.wrote_options_to_disk

    def test_another_python_is_respected(self, namespace, elsewhere):
        elsewhere.run(secret(namespace))
        assert elsewhere.wrote_options_to_disk

    def test_files_are_kept_when_asked(self, namespace, here):
        here.run(link(namespace, require="none"), ANSIBLE_KEEP_REMOTE_FILES="1")
        assert here.wrote_options_to_disk

    @pytest.mark.parametrize("missing", [["kubernetes"], ["kubernetes", "urllib3", "requests"]])
    def test_without_the_client_library(self, namespace, here, missing):
        """Ansible's own Python may lack it and another one have it, so it is a process of its own that says so."""
        for name in missing:
            (here.directory / f"{name}.py").write_text("raise ImportError('not here')")
        path = os.pathsep.join([str(here.directory), os.environ["PYTHONPATH"]])
        (result,) = here.run(link(namespace), PYTHONPATH=path)
        assert result["msg"].startswith("Failed to import the required Python library (kubernetes)")
        assert here.wrote_options_to_disk

    def test_an_asynchronous_task(self, namespace, here):
        (result,) = here.run({**secret(namespace), "async": 60, "poll": 1})
        assert (result["changed"], result["finished"]) == (True, 1)

    def test_a_delegated_task(self, lab, namespace, elsewhere):
        elsewhere.run({**secret(namespace), "delegate_to": "localhost"})
        assert not elsewhere.wrote_options_to_disk, "localhost's own Python counts, which is Ansible's"
        assert lab.get(namespace, "secrets", "mine")


class TestSurroundings:
    """What a process of its own would have."""

    def test_the_tasks_environment(self, lab, namespace, here):
        (result,) = here.run(
            {**secret(namespace), "environment": {"K8S_AUTH_KUBECONFIG": lab.kubeconfig}}, K8S_AUTH_KUBECONFIG="/none"
        )
        assert result["changed"] is True

    def test_the_environment_ends_with_the_task(self, lab, namespace, here):
        given = {**secret(namespace), "environment": {"K8S_AUTH_KUBECONFIG": "/none"}}
        first, second = here.run(given, secret(namespace))
        assert (first["failed"], second["changed"]) == (True, True)

    def test_paths_are_relative_to_the_playbook(self, namespace, here):
        auths = {"auths": {"registry.example.com": {"auth": "dTpw"}}}
        (here.directory / "auth.json").write_text(json.dumps(auths))
        task = {f"{PREFIX}.pull_secret": {"name": "mine", "namespaces": [namespace], "auth_file": "auth.json"}}
        assert here.run(task)[0]["changed"] is True

    def test_each_turn_of_a_loop_is_a_run_of_its_own(self, namespaces, here):
        """The client library remembers the certificate files that it wrote, which are gone in the second turn."""
        task = {**secret("{{ item }}"), "loop": namespaces(3)}
        assert [turn["changed"] for turn in here.run(task)[0]["results"]] == [True] * 3

    def test_no_certificate_stays_behind(self, namespace, here, tmp_path):
        scratch = tmp_path / "local_tmp"
        here.run(secret(namespace), link(namespace), ANSIBLE_LOCAL_TEMP=str(scratch), TMPDIR=str(tmp_path))
        assert [path for path in scratch.rglob("*") if path.is_file()] == []

    def test_a_value_that_is_vaulted_where_it_stands(self, lab, namespace, here):
        (here.directory / "vault").write_text("of the vault")
        command = ["ansible-vault", "encrypt_string", "--vault-password-file", here.directory / "vault", PASSWORD]
        printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        login = {
            "registry": "registry.example.com",
            "username": "user",
            "password": Vaulted(dedent(printed.partition("|\n")[2])),
        }
        options = ("--vault-password-file", str(here.directory / "vault"))
        (result,) = here.run(secret(namespace, registries=[login]), options=options)
        assert result["changed"], result["msg"]
        stored = lab.get(namespace, "secrets", "mine")["data"][".dockerconfigjson"]
        auth = json.loads(base64.b64decode(stored))["auths"]["registry.example.com"]["auth"]
        assert base64.b64decode(auth).decode() == f"user:{PASSWORD}"
        assert leaks(here.output + json.dumps(result), forms(PASSWORD, "user")) == []

    def test_a_login_plugins_words_reach_no_log(self, lab, namespace, here):
        """The client library logs them, and Ansible's log takes whatever is logged in its process."""
        plugin = here.directory / "plugin"
        plugin.write_text(f"#!/bin/sh\necho '{PASSWORD.replace(chr(39), '')}' >&2\nexit 3\n")
        plugin.chmod(0o755)
        config = yaml.safe_load(Path(lab.kubeconfig).read_text())
        run = {"apiVersion": "client.authentication.k8s.io/v1", "command": str(plugin), "interactiveMode": "Never"}
        config["users"][0]["user"] = {"exec": run}
        (here.directory / "kubeconfig").write_text(yaml.dump(config))
        log = here.directory / "ansible.log"
        (result,) = here.run(link(namespace, kubeconfig=str(here.directory / "kubeconfig")), ANSIBLE_LOG_PATH=str(log))
        assert result["failed"] is True
        assert "sa_link" in log.read_text()
        assert "canary" not in log.read_text() + here.output

    def test_a_tasks_timeout_ends_it(self, namespace, here):
        task = {f"{PREFIX}.sa_wait": {"namespaces": [namespace], "service_accounts": ["never"], "timeout": 60}}
        started = time.monotonic()
        (result,) = here.run({**task, "timeout": 2})
        assert result["failed"] is True
        assert "within" in result["msg"] or "time frame" in result["msg"] or "timed out" in result["msg"].lower()
        assert time.monotonic() - started < 30
