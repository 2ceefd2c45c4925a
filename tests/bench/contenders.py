# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to do the job: each is a command that gives a secret, a link and a grant to every namespace."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from support.lab import Lab
from tools import prepare

HERE = Path(__file__).parent
#: PREFIX: what the names of all namespaces begin with.
NAME, PROJECT, PREFIX = "bench", "consumer", "bench-"
LOGIN = {"registry": "registry.example.com", "username": "user", "password": "password"}
CONTENT = base64.b64encode(
    json.dumps({"auths": {LOGIN["registry"]: {"auth": base64.b64encode(b"user:password").decode()}}}).encode()
).decode()


@dataclass(frozen=True)
class Process:
    """A finished command: its time from start to end, and the largest memory of one of its processes."""

    seconds: float
    peak_mib: float
    status: int
    output: str


class Contenders:
    """The commands, for one lab. `directory` holds what they need; `oc` is the reader's, if he has one."""

    def __init__(self, lab: Lab, directory: Path, oc: Path | None = None) -> None:
        self.lab, self.directory, self.oc_program = lab, directory, oc
        self.interpreters = {"ours": Path(sys.executable), "bench": prepare.environment("bench") / "bin" / "python"}
        (directory / "empty.yml").write_text(yaml.dump([{"hosts": "all", "gather_facts": False, "tasks": []}]))

    # --- ours

    def ours(self, namespaces: Sequence[str]) -> Process:
        inventory = self._inventory(
            "ours",
            private_registry_secrets=[
                {"name": NAME, "namespace_selector": {"include": [f"{PREFIX}*"]}, "registries": [LOGIN]}
            ],
            cross_project_pull_grants=[
                {"namespace_selector": {"include": [f"{PREFIX}*"]}, "projects": [PROJECT], "binding_name": NAME}
            ],
        )
        return self._playbook("ours", "openshift_ops.image_pull.site", inventory)

    def modules(self, namespaces: Sequence[str]) -> Process:
        """Our modules alone, without Ansible."""
        common = {"kubeconfig": self.lab.kubeconfig, "namespaces": [*namespaces]}
        tasks = {
            "pull_secret": {"name": NAME, "registries": [LOGIN]},
            "sa_link": {"secrets": [NAME]},
            "image_puller_grant": {"projects": [PROJECT], "binding_name": NAME},
        }
        path = self.directory / "tasks.json"
        path.write_text(json.dumps([[name, {**common, **options}] for name, options in tasks.items()]))
        return self._run([sys.executable, HERE / "modules.py", path])

    def empty(self) -> Process:
        return self._playbook("ours", self.directory / "empty.yml", self._inventory("ours"))

    # --- others

    def kubernetes_core(self, namespaces: Sequence[str]) -> Process:
        inventory = self._inventory(
            "bench",
            bench_namespaces=[*namespaces],
            bench_name=NAME,
            bench_project=PROJECT,
            bench_content=CONTENT,
        )
        return self._playbook("bench", HERE / "kubernetes_core.yml", inventory)

    def kubectl(self, namespaces: Sequence[str]) -> Process:
        return self._shell_loop("kubectl", prepare.kubectl(), namespaces)

    def oc(self, namespaces: Sequence[str]) -> Process:
        assert self.oc_program is not None
        return self._shell_loop("oc", self.oc_program, namespaces)

    def floor(self, namespaces: Sequence[str]) -> Process:
        meta = {"name": NAME}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"}
        group = {"apiGroup": role["apiGroup"], "kind": "Group", "name": f"system:serviceaccounts:{PROJECT}"}
        plan = {
            "server": self.lab.data["server"],
            "ca_cert": self.lab.data["ca_cert"],
            "client_pem": str(self.lab.dir / "tests-client.pem"),
            "namespaces": [*namespaces],
            "secret": {
                "metadata": meta,
                "type": "kubernetes.io/dockerconfigjson",
                "data": {".dockerconfigjson": CONTENT},
            },
            "binding": {"metadata": meta, "roleRef": role, "subjects": [group]},
        }
        path = self.directory / "floor.json"
        path.write_text(json.dumps(plan))
        return self._run([sys.executable, HERE / "floor.py", path])

    # --- how they are run

    def _inventory(self, name: str, **variables: Any) -> Path:
        connection = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "image_pull_kubeconfig": self.lab.kubeconfig,
        }
        path = self.directory / f"inventory-{name}.yml"
        path.write_text(yaml.dump({"all": {"hosts": {"lab": connection}, "vars": variables}}))
        return path

    def _shell_loop(self, kind: str, program: Path, namespaces: Sequence[str]) -> Process:
        command = [HERE / "shell_loop.sh", kind, program, NAME, PROJECT, *namespaces]
        return self._run(command, KUBECONFIG=self.lab.kubeconfig, HOME=str(self.directory))

    def _playbook(self, name: str, playbook: str | Path, inventory: Path) -> Process:
        command = self.interpreters[name].parent / "ansible-playbook"
        return self._run([command, "-i", inventory, playbook])

    def _run(self, command: Sequence[str | Path], **variables: str) -> Process:
        log = self.directory / "output"
        with log.open("wb") as output:
            started = time.perf_counter()
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, "ANSIBLE_NOCOLOR": "1", **variables},
            )
            _pid, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        return Process(seconds, usage.ru_maxrss / 1024, process.returncode, log.read_text(errors="replace"))
