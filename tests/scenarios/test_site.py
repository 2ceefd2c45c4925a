# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""site.yml gives exactly the declared pull access on the whole lab, and teardown.yml removes exactly that access."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support.history import operation
from support.lab import Lab, mount_names, pull_names
from support.objects import b64
from support.playbooks import COLLECTION, ROOT, declared_text, forms, lab_inventory, leaks, play

_numbers = itertools.count()
PROJECTS = ("project-a", "project-b", "project-c", "project-d")


@pytest.fixture
def prefix(lab: Lab) -> str:
    """New projects, each with its provisioned default account."""
    found = f"s{next(_numbers)}-"
    for name in PROJECTS:
        lab.namespace(found + name)
    return found


@pytest.fixture
def inventory(lab: Lab, prefix: str, tmp_path: Path) -> Path:
    return lab_inventory(lab, tmp_path / "inventory", "--projects-prefix", prefix, "--lab-binary", str(lab.binary))


class Pods:
    """One pod for each kind of pull, recreated before each check because admission adds secrets only to new pods."""

    def __init__(self, lab: Lab, prefix: str) -> None:
        self.lab = lab
        lab.run("push", "--dir", str(lab.dir), f"{prefix}project-b/app:v1")
        shared = f"{lab.registry('integrated')['host']}/{prefix}project-b/app:v1"
        self.wanted = {
            "private": (f"{prefix}project-a", lab.registry("private")["image"]),
            "delegated": (f"{prefix}project-c", lab.registry("delegated")["image"]),
            "one account": (f"{prefix}project-a", shared),
            "whole project": (f"{prefix}project-d", shared),
        }
        self.made = itertools.count()

    def pull(self) -> dict[str, bool]:
        pulled = {}
        for title, (project, image) in self.wanted.items():
            pod = self.lab.pod(project, f"pod-{next(self.made)}", image)
            pulled[title] = self.lab.pull(project, pod)["pulled"]
        return pulled


def state(lab: Lab, prefix: str) -> dict:
    """Return everything that the playbooks may change: both lists of each account and the names of secrets and bindings."""
    found = {}
    for project in (prefix + name for name in PROJECTS):
        account = lab.account(project)
        path = f"namespaces/{project}"
        bindings = lab.api("GET", f"/apis/rbac.authorization.k8s.io/v1/{path}/rolebindings")["items"]
        secrets = lab.api("GET", f"/api/v1/{path}/secrets")["items"]
        names = [sorted(item["metadata"]["name"] for item in items) for items in (bindings, secrets)]
        found[project] = (pull_names(account), mount_names(account), *names)
    return found


class TestNothingIsDeclared:
    """A misspelled variable prefix, or a variable file that is not read, results in an empty declaration."""

    NOTHING = "Nothing is declared for my-cluster"

    @staticmethod
    def run(directory: Path, **variables: object) -> str:
        inventory = directory / "hosts.json"
        inventory.write_text(json.dumps({"all": {"hosts": {"my-cluster": variables}}}))
        done = play("site", inventory).succeeded()
        return done.output

    def test_an_empty_declaration_is_reported(self, tmp_path):
        assert self.NOTHING in self.run(tmp_path, registry_secrets=[{"name": "pull", "namespaces": ["project-a"]}])

    def test_an_empty_declaration_is_not_reported_for_named_namespaces(self, tmp_path):
        assert self.NOTHING not in self.run(tmp_path, image_pull_only_namespaces=["project-a"])


@pytest.mark.slow
def test_the_demo_runs_on_a_cluster_of_the_reader(lab: Lab, tmp_path: Path) -> None:
    """`make demo KUBECONFIG=`: it starts registries only, and its projects are all that is left in the cluster."""
    before = {item["metadata"]["name"] for item in lab.api("GET", "/api/v1/namespaces")["items"]}
    command = [
        sys.executable,
        "tests/demo/demo.py",
        "--lab-dir",
        str(tmp_path / "demo"),
        "--kubeconfig",
        lab.kubeconfig,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^(\S.*?)  +(cannot pull)  +(pulls) +(.*)$", done.stdout, re.MULTILINE)
    assert [row[1:] for row in rows] == [("cannot pull", "pulls", "cannot pull")] * 2
    made = {item["metadata"]["name"] for item in lab.api("GET", "/api/v1/namespaces")["items"]} - before
    assert made
    assert all(name.startswith("image-pull-demo-") for name in made)
    assert not (tmp_path / "demo").exists()


class TestMainJob:
    def test_site_lets_pods_pull_and_teardown_takes_the_access_back(self, lab, inventory, prefix):
        pods, before = Pods(lab, prefix), state(lab, prefix)
        assert set(pods.pull().values()) == {False}

        with lab.no_writes():
            checked = play("site", inventory, "--check", "--diff").succeeded()
        assert state(lab, prefix) == before

        real = play("site", inventory, "--diff").succeeded()
        assert real.recap == checked.recap, "check mode reports what the real run does"
        assert set(pods.pull().values()) == {True}

        with lab.no_writes():
            play("site", inventory).unchanged()

        with lab.no_writes():
            assert play("teardown", inventory, "--check").status == 0
        play("teardown", inventory).succeeded()
        assert set(pods.pull().values()) == {False}
        assert state(lab, prefix) == before, "exactly what site.yml gave is taken back"

        with lab.no_writes():
            assert play("teardown", inventory).recap["changed"] == 0

    @pytest.mark.slow
    def test_site_and_teardown_work_on_a_remote_host(self, lab, inventory, prefix, tmp_path):
        """The modules run as files that another connection copies, without a variable of the controller."""
        pods, before, home = Pods(lab, prefix), state(lab, prefix), tmp_path / "home"
        home.mkdir()
        remote = {"ansible_connection": "elsewhere", "ansible_python_interpreter": sys.executable}
        variables = {"ANSIBLE_CONNECTION_PLUGINS": str(ROOT / "tests/support/connection"), "ELSEWHERE_HOME": str(home)}
        for playbook, changed, pulls in (("site", True, True), ("site", False, True), ("teardown", True, False)):
            done = play(playbook, inventory, "-e", json.dumps(remote), **variables).succeeded()
            assert (done.recap["changed"] > 0) is changed
            assert set(pods.pull().values()) == {pulls}
        assert state(lab, prefix) == before
        assert (home / ".ansible" / "tmp").is_dir(), "the modules did not run there"

    @pytest.mark.slow
    def test_an_interrupted_run_is_finished_by_the_next(self, lab, inventory, prefix):
        """The run is killed, terminated as AWX does when a job is cancelled, or interrupted by Ctrl-C."""
        pods = Pods(lab, prefix)
        # A shell that runs the tests in the background ignores Ctrl-C.
        command = ["env", "--default-signal=INT", "ansible-playbook", "-i", inventory, f"{COLLECTION}.site"]
        for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGINT):
            # Start from an empty state, because a run without writes would end before the signal.
            assert play("teardown", inventory).status == 0
            audit = lab.audit()
            with operation("playbook site, interrupted", declared_text(inventory)):
                run = subprocess.Popen(
                    command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
                )
                deadline = time.monotonic() + 60
                while not audit.writes() and run.poll() is None and time.monotonic() < deadline:
                    time.sleep(0.01)
                os.killpg(run.pid, number)
                assert run.wait(timeout=30) != 0, "it was interrupted"
        assert play("site", inventory).status == 0
        assert set(pods.pull().values()) == {True}
        for project, (pull, *_rest) in state(lab, prefix).items():
            assert len(pull) == len(set(pull)), f"an entry is there twice in {project}"


class TestSecrets:
    """No output at -vvvv with --diff contains a credential in any encoding, even if a task fails."""

    @pytest.fixture
    def canaries(self, lab) -> set[str]:
        accounts = [account for name in ("private", "delegated") for account in lab.registry(name)["accounts"]]
        return {form for account in accounts for form in forms(account["password"], account["username"])}

    def test_the_canaries_are_nasty_enough(self, lab):
        nasty = lab.registry("private")["accounts"][1]["password"]
        assert len(nasty) >= 250
        for part in (":", "'", '"', " ", "{{"):
            assert part in nasty
        assert not nasty.isascii()

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "where", ["in Ansible's process", pytest.param("in processes of their own", marks=pytest.mark.newest_core)]
    )
    def test_all_runs_from_the_first_check_to_the_teardown_show_no_credential(
        self, inventory, canaries, other_python, where
    ):
        common = ["-vvvv", "--diff"]
        if where == "in processes of their own":
            common += ["-e", f"ansible_python_interpreter={other_python}"]
        for playbook, *options in (("site", "--check"), ("site",), ("site",), ("teardown", "--check"), ("teardown",)):
            done = play(playbook, inventory, *common, *options)
            assert done.status == 0, done.output[-3000:]
            assert leaks(done.output, canaries) == []

    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param("kubeconfig: nonexistent", marks=pytest.mark.slow),
            "unreachable: true",
            "namespace: missing",
            pytest.param("option: misspelt", marks=pytest.mark.slow),
        ],
    )
    def test_a_failing_task_shows_no_credential(self, inventory, canaries, damage):
        text = (inventory / "group_vars" / "all" / "private_registry.yml").read_text()
        options = ["-vvvv", "--diff"]
        if damage == "namespace: missing":
            text = text.replace("project-a", "missing")
        elif damage == "option: misspelt":
            text = text.replace("password:", "passwrod:")
        elif damage == "unreachable: true":
            options += ["-e", "image_pull_host=https://127.0.0.1:1"]
        else:
            options += ["-e", "image_pull_kubeconfig=/nonexistent"]
        (inventory / "group_vars" / "all" / "private_registry.yml").write_text(text)
        done = play("site", inventory, *options).failed()
        assert leaks(done.output, canaries) == []


class TestRolesAlone:
    @pytest.mark.slow
    @pytest.mark.parametrize("role", ["private_registry", "delegated_auth", "cross_project_pull"])
    def test_a_role_alone_connects_by_environment_variables(self, lab, inventory, prefix, tmp_path, role):
        (inventory / "host_vars" / "lab" / "cluster.yml").write_text(
            "ansible_connection: local\nansible_python_interpreter: '{{ ansible_playbook_python }}'\n"
        )
        playbook = tmp_path / "alone.yml"
        playbook.write_text(f"- hosts: all\n  gather_facts: false\n  roles: [{COLLECTION}.{role}]\n")
        variables = {"K8S_AUTH_KUBECONFIG": lab.kubeconfig}
        first = play(playbook, inventory, **variables).succeeded()
        assert first.recap["changed"] > 0
        with lab.no_writes():
            assert play(playbook, inventory, **variables).recap["changed"] == 0


class TestInventoryVariables:
    """Roles pass all options to the modules, and a teardown removes exactly the declared access."""

    @staticmethod
    def hosts(directory: Path, variables: str) -> Path:
        directory.mkdir()
        (directory / "hosts.yml").write_text("all: {hosts: {lab: {}}}\n")
        (directory / "group_vars").mkdir()
        local = "ansible_connection: local\nansible_python_interpreter: '{{ ansible_playbook_python }}'\n"
        (directory / "group_vars" / "all.yml").write_text(local + variables)
        return directory

    @pytest.mark.slow
    def test_a_namespace_selector_is_applied_and_torn_down(self, lab, prefix, tmp_path):
        inventory = self.hosts(
            tmp_path / "inventory",
            f"private_registry_secrets:\n  - name: pull\n    namespace_selector: {{include: ['{prefix}*']}}\n"
            "    registries: [{registry: quay.io, username: reader, password: Secret-1}]\n",
        )
        first = play("site", inventory, K8S_AUTH_KUBECONFIG=lab.kubeconfig)
        assert (first.status, "Nothing is declared" in first.output) == (0, False), first.output
        for name in PROJECTS:
            assert "pull" in pull_names(lab.account(prefix + name))
        assert play("site", inventory, K8S_AUTH_KUBECONFIG=lab.kubeconfig).recap["changed"] == 0
        assert play("teardown", inventory, K8S_AUTH_KUBECONFIG=lab.kubeconfig).status == 0
        for name in PROJECTS:
            assert lab.get(prefix + name, "secrets", "pull") is None

    def test_a_namespace_that_is_being_deleted_is_skipped_as_check_mode_says(self, lab, prefix, tmp_path):
        project = f"{prefix}project-a"
        inventory = self.hosts(
            tmp_path / "inventory",
            f"private_registry_secrets:\n  - name: pull\n    namespaces: [{project}]\n"
            "    registries: [{registry: quay.io, username: reader, password: Secret-1}]\n",
        )
        with lab.terminating(project):
            runs = [play("site", inventory, *more, K8S_AUTH_KUBECONFIG=lab.kubeconfig) for more in (("--check",), ())]
        for done in runs:
            assert "1 namespace skipped" in done.unchanged().text
            assert "link" not in done.text.partition("Result")[2]

    @pytest.mark.slow
    def test_a_foreign_secret_with_merged_entries_survives_the_teardown(self, lab, prefix, tmp_path):
        project = f"{prefix}project-a"
        theirs = {"old.example.com": {"auth": "YWxpY2U6U2VjcmV0LTI=", "unknown": 1}}
        content = b64({"auths": theirs})
        secret = {"metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson"}
        lab.create(project, "secrets", {**secret, "data": {".dockerconfigjson": content}})
        lab.set_account(project, imagePullSecrets=["pull"])
        inventory = self.hosts(
            tmp_path / "inventory",
            f"private_registry_secrets:\n  - name: pull\n    namespaces: [{project}]\n    mode: merge\n"
            "    registries: [{registry: quay.io, username: reader, password: Secret-1}]\n",
        )
        assert play("site", inventory, K8S_AUTH_KUBECONFIG=lab.kubeconfig).status == 0
        assert set(lab.entries(project, "pull")) == {"old.example.com", "quay.io"}
        play("teardown", inventory, K8S_AUTH_KUBECONFIG=lab.kubeconfig).succeeded()
        assert lab.entries(project, "pull") == theirs
        assert "pull" in pull_names(lab.account(project))


class TestExampleInventory:
    """The example inventory covers all common jobs with the manual's names, and works as shipped on a lab."""

    @pytest.mark.slow
    def test_the_example_inventory_runs_as_shipped(self, lab_factory, tmp_path):
        lab = lab_factory()
        for name in PROJECTS:
            lab.namespace(name)
        files = {}
        for tool in ("docker", "podman"):
            files[tool] = tmp_path / f"{tool}.json"
            arguments = ("--registry", "private", f"--{tool}", str(files[tool]))
            lab.run("login", "--dir", str(lab.dir), *arguments)
        variables = tmp_path / "variables.yml"
        variables.write_text(
            f"docker_config_json: {files['docker']}\npodman_auth_json: {files['podman']}\n"
            f"image_pull_kubeconfig: {lab.kubeconfig}\nimage_pull_context: '{{{{ omit }}}}'\n"
        )
        example = ROOT / "playbooks"
        options = ("-e", f"@{example / 'vars' / 'vault.example.yml'}", "-e", f"@{variables}")
        play("site", example / "inventory", *options).succeeded()
        assert set(lab.entries("project-a", "quay")) == {"quay.io", "quay.io/team"}
        assert set(lab.entries("project-c", "redhat-connect-sso")) == {"sso.redhat.com"}
        assert set(lab.entries("project-c", "private-registry")) == {"privateregistry.example.com"}
        assert {"redhat-connect-sso", "private-registry"} <= set(pull_names(lab.account("project-c")))
        assert "quay" in mount_names(lab.account("project-a", "default"))
        assert lab.get("project-b", "rolebindings", "image-puller-grant") is not None
        play("site", example / "inventory", *options).unchanged()
