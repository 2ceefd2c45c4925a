# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the README work as they stand on the page, in an empty folder, and each of the five questions has its line of output."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

import pytest
from support.guided import pull_secret
from support.guides import Reader
from support.lab import Lab
from support.playbooks import ROOT, Unsafe, variables_file

#: Commands that are steps of their own in `make test`, or need the repository.
ELSEWHERE = ("git clone ", "make demo", "make test")
#: A block, and the line of output below it.
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$(?:\n\n> ([^\n]+))?", re.MULTILINE | re.DOTALL)
DECLARED = {"name": "team-registry", "namespaces": ["project-a", "project-b"]}
RETIRE = """\
- name: Disable the old account
  ansible.builtin.command:
    argv: [{lab}, registry, --dir, {directory}, --disable, {user}, private]
  changed_when: true
  vars:
    ansible_python_interpreter: "{{{{ ansible_playbook_python }}}}"
"""


@pytest.fixture(scope="module")
def own_lab(untouched_lab: Lab) -> Lab:
    """The rotation disables an account of the registry."""
    return untouched_lab


class World:
    """A cluster on which each question has an answer."""

    def __init__(self, reader: Reader, lab: Lab) -> None:
        self.reader, self.lab = reader, lab
        lab.registry_set("private", "--add", "robot-2")
        lab.registry_set("private", "--add", "robot-3")
        self.host, self.image = (lab.registry("private")[part] for part in ("host", "image"))
        accounts = {one["username"]: one["password"] for one in lab.registry("private")["accounts"]}
        self.logins = {user: {"username": user, "password": password} for user, password in accounts.items()}
        self.old, self.new = self.logins["developer@example.com"], self.logins["robot-2"]
        for name in ("project-a", "project-b", "project-c"):
            lab.namespace(name)
        lab.pod("project-c", "app", self.image)

    def before(self, command: str) -> None:
        """Prepare the question of a command."""
        lab, reader = self.lab, self.reader
        if "--check" in command and ".site" in command:
            self._write(
                "inventory/group_vars/all/vault.yml", {"vaulted_registry_password": Unsafe(self.old["password"])}
            )
        if command.endswith(".site -i inventory"):
            # The section before has applied it as well.
            reader.type("README.md", command.replace(".site", ".teardown"), [], 0)
        if ".audit" in command:
            broken = base64.b64encode(b'{"auths": {"quay.io": {"auth": "%"}}}').decode()
            kind = "kubernetes.io/dockerconfigjson"
            secret = {"metadata": {"name": "broken"}, "type": kind, "data": {".dockerconfigjson": broken}}
            lab.namespace("project-d")
            lab.create("project-d", "secrets", secret)
        if "remove_secret=team-registry" in command:
            pull_secret(lab, "project-b", "other", self.host, self.logins["robot-3"])
            for name, secrets in (("breaks", ["team-registry"]), ("pulls", ["team-registry", "other"])):
                spec = {
                    "containers": [{"name": "app", "image": self.image}],
                    "imagePullSecrets": [{"name": secret} for secret in secrets],
                }
                lab.create("project-b", "pods", {"metadata": {"name": name}, "spec": spec})
        if ".rotate" in command and "--check" in command:
            # The next run of the playbook site must not write the old login again.
            entry = {**DECLARED, "registries": [{"registry": self.host, **self.new}]}
            self._write("inventory/group_vars/all/registries.yml", {"private_registry_secrets": [entry]})
            names = {"lab": lab.binary, "directory": lab.dir, "user": self.old["username"]}
            retire = reader.write("retire.yml", RETIRE.format(**names))
            rotation = {
                "registries": [self.host],
                "old": {**self.old, "password": "{{ vaulted_old_password }}"},
                "new": {**self.new, "password": "{{ vaulted_new_password }}"},
                "probe": False,
                "soak_seconds": 0,
                "retire_tasks": str(retire),
            }
            variables = {f"credential_rotation_{name}": value for name, value in rotation.items()}
            reader.write("rotation.yml", json.dumps(variables))
            passwords = {"old": self.old["password"], "new": self.new["password"]}
            self._write("rotation_vault.yml", {f"vaulted_{name}_password": value for name, value in passwords.items()})

    def _write(self, path: str, content: object) -> None:
        (self.reader.folder / path).write_text(variables_file(content), encoding="utf-8")


def blocks() -> Iterator[tuple[str, str, str]]:
    """Each block of the README: its language, its text and its line of output. Continuation lines of a quotation are left out."""
    for found in BLOCK.finditer((ROOT / "README.md").read_text(encoding="utf-8")):
        yield found[1], found[2], found[3] or ""


def plain(line: str) -> str:
    """A line of output without its numbers, which depend on the cluster."""
    return re.sub(r"\b\d+ (\w+?)s?\b", r"N \1", line)


def test_the_commands_of_the_readme_work_as_written(reader: Reader, own_lab: Lab) -> None:
    world = World(reader, own_lab)
    answers: dict[str, bool] = {}
    for language, text, line in blocks():
        path = re.match(r"# ([\w/.]+\.yml)", text)
        if language == "yaml":
            reader.write(path[1] if path else "requirements.yml", text)
            continue
        for command in text.splitlines():
            if command.startswith(ELSEWHERE):
                continue
            world.before(command)
            shown = reader.type("README.md", command, [], 0).replace(f"{reader.folder}/", "")
            if line and command == text.splitlines()[-1]:
                answers[f"{command}\n{line}\n{shown}"] = plain(line) in plain(shown)
    assert len(answers) == 5
    assert all(answers.values()), "\n".join(answer for answer, is_right in answers.items() if not is_right)
