# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ways to do the job. Each is a command that gives every namespace a secret, a link and a grant, the same or its own."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import certifi
import yaml
from support.lab import Lab
from tools import prepare
from ways import SAME

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
#: PREFIX: the prefix of the names of all namespaces.
NAME, PROJECT, PREFIX = "bench", "consumer", "bench-"
#: The fast dumper, if the library has it.
DUMPER = getattr(yaml, "CDumper", yaml.Dumper)
#: An owner, and the labels of its objects.
OWNER = "bench"
OWNER_LABELS = {"app.kubernetes.io/managed-by": "openshift_ops.image_pull", "app.kubernetes.io/instance": OWNER}
LOGIN = {"registry": "registry.example.com", "username": "user", "password": "password"}


@dataclass(frozen=True)
class Job:
    """The job of every contender. `way` is one of JOBS."""

    way: str
    namespaces: Sequence[str]

    def name(self, namespace: str) -> str:
        """The name of the secret and of the role binding."""
        return NAME if self.way == SAME else namespace

    def password(self, namespace: str) -> str:
        return LOGIN["password"] if self.way == SAME else f"password of {namespace}"

    def content(self, namespace: str) -> str:
        """The value of the data key."""
        user = LOGIN["username"] if self.way == SAME else namespace
        auth = base64.b64encode(f"{user}:{self.password(namespace)}".encode()).decode()
        return base64.b64encode(json.dumps({"auths": {LOGIN["registry"]: {"auth": auth}}}).encode()).decode()


@dataclass(frozen=True)
class Process:
    """A finished command: its time from start to end, and the largest memory among its processes."""

    seconds: float
    peak_mib: float
    status: int
    output: str


def _hosts(clusters: int) -> list[str]:
    return [f"cluster-{number:03}" for number in range(clusters)]


class Contenders:
    """The commands for one lab. `directory` holds their files. `oc` is the user's own program, if there is one."""

    def __init__(self, lab: Lab, directory: Path, oc: Path | None = None) -> None:
        self.lab, self.directory, self.oc_program = lab, directory, oc
        #: The connection of our tasks and playbooks.
        self.kubeconfig, self.user = lab.kubeconfig, ""
        self.interpreters = {"ours": Path(sys.executable), "bench": prepare.environment("bench") / "bin" / "python"}
        (directory / "empty.yml").write_text(yaml.dump([{"hosts": "all", "gather_facts": False, "tasks": []}]))

    # --- ours

    def ours(self, job: Job) -> Process:
        chosen = {"namespace_selector": {"include": [f"{PREFIX}*"]}}
        if job.way == SAME:
            secrets = [{"name": NAME, **chosen, "registries": [LOGIN]}]
            grants = [{**chosen, "projects": [PROJECT], "binding_name": NAME}]
            inventory = self._inventory(
                "inventory-ours", private_registry_secrets=secrets, cross_project_pull_grants=grants
            )
            return self._playbook("ours", "openshift_ops.image_pull.site", inventory)
        return self._playbook("ours", "openshift_ops.image_pull.site", *self._of_teams(job))

    def templating(self, job: Job) -> Process:
        """Measure Ansible's own time: a play that evaluates every variable of the teams once, and does nothing else."""
        book = self.directory / "templating.yml"
        every = "{{ (private_registry_secrets + cross_project_pull_grants) | to_json | length }}"
        task = {"ansible.builtin.debug": {"msg": every}}
        book.write_text(yaml.dump([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
        return self._playbook("ours", book, *self._of_teams(job))

    def _of_teams(self, job: Job) -> tuple[Path, str, str]:
        """The inventory, with its variables in separate files and the passwords in an encrypted file, and the option with the vault's
        password. Variables in the inventory's own file take Ansible an additional second for each thousand entries."""
        secrets = [
            {
                "name": job.name(name),
                "namespaces": [name],
                "registries": [{**LOGIN, "username": name, "password": f"{{{{ vaulted_passwords['{name}'] }}}}"}],
            }
            for name in job.namespaces
        ]
        grants = [
            {"namespaces": [name], "projects": [PROJECT], "binding_name": job.name(name)} for name in job.namespaces
        ]
        secret = self.directory / "vault-password"
        secret.write_text("of the bench")
        files = self.directory / "teams" / "group_vars" / "all"
        files.mkdir(parents=True, exist_ok=True)
        variables = {"private_registry_secrets": secrets, "cross_project_pull_grants": grants}
        (files / "teams.yml").write_text(yaml.dump(variables, Dumper=DUMPER))
        vaulted = files / "vault.yml"
        vaulted.write_text(yaml.dump({"vaulted_passwords": {name: job.password(name) for name in job.namespaces}}))
        tool = self.interpreters["ours"].parent / "ansible-vault"
        subprocess.run([tool, "encrypt", "--vault-password-file", secret, vaulted], check=True, capture_output=True)
        return self._inventory("teams/hosts"), "--vault-password-file", str(secret)

    def modules(self, job: Job) -> Process:
        """Our modules alone, without Ansible."""
        every = [*job.namespaces]
        if job.way == SAME:
            places = {"namespaces": every}
            tasks: dict[str, dict[str, Any]] = {
                "pull_secret": {"name": NAME, "registries": [LOGIN], **places},
                "sa_link": {"secrets": [NAME], **places},
                "image_puller_grant": {"projects": [PROJECT], "binding_name": NAME, **places},
            }
        else:
            logins = {name: {**LOGIN, "username": name, "password": job.password(name)} for name in every}
            tasks = {
                "pull_secret": {
                    "secrets": [
                        {"name": job.name(name), "namespaces": [name], "registries": [logins[name]]} for name in every
                    ]
                },
                "sa_link": {"links": [{"secrets": [job.name(name)], "namespaces": [name]} for name in every]},
                "image_puller_grant": {
                    "projects": [PROJECT],
                    "grants": [{"namespaces": [name], "binding_name": job.name(name)} for name in every],
                },
            }
        path = self.directory / "tasks.json"
        common = {"kubeconfig": self.lab.kubeconfig}
        path.write_text(json.dumps([[name, {**common, **options}] for name, options in tasks.items()]))
        return self._run([sys.executable, HERE / "modules.py", path])

    def empty(self) -> Process:
        return self._playbook("ours", self.directory / "empty.yml", self._inventory("inventory-ours"))

    def many_clusters(self, clusters: int, namespaces: Sequence[str]) -> Process:
        """One object in the namespaces of many clusters: many inventory hosts, which all lead to the lab."""
        secrets = [{"name": NAME, "namespaces": [*namespaces], "registries": [LOGIN]}]
        grants = [{"namespaces": [*namespaces], "projects": [PROJECT], "binding_name": NAME}]
        inventory = self._inventory(
            "inventory-clusters", _hosts(clusters), private_registry_secrets=secrets, cross_project_pull_grants=grants
        )
        return self._playbook("ours", "openshift_ops.image_pull.site", inventory)

    def bare_tasks(self, clusters: int, namespaces: Sequence[str]) -> Process:
        """The same with three tasks, and nothing read from variables."""
        places = {"namespaces": [*namespaces], "kubeconfig": self.lab.kubeconfig}
        tasks: list[dict[str, Any]] = [
            {"openshift_ops.image_pull.pull_secret": {"name": NAME, "registries": [LOGIN], **places}},
            {"openshift_ops.image_pull.sa_link": {"secrets": [NAME], **places}},
            {"openshift_ops.image_pull.image_puller_grant": {"projects": [PROJECT], "binding_name": NAME, **places}},
        ]
        book = self.directory / "bare.yml"
        book.write_text(yaml.dump([{"hosts": "all", "gather_facts": False, "connection": "local", "tasks": tasks}]))
        return self._playbook("ours", book, self._inventory("inventory-bare", _hosts(clusters)))

    def start(self, module: str, *, compiled: bool) -> Process:
        """Import a module as its own process does. `compiled`: with byte code. Ansible copies a module to its host without it."""
        code = f"import ansible_collections.openshift_ops.image_pull.plugins.modules.{module}" if module else ""
        paths = sys.path[1:]
        if not compiled:
            copied = self.directory / "copied"
            place = copied / "ansible_collections" / "openshift_ops" / "image_pull"
            if not copied.exists():
                shutil.copytree(ROOT / "plugins", place / "plugins", ignore=shutil.ignore_patterns("__pycache__"))
            paths = [str(copied), *paths]
        # The packages that any module with our requirements imports.
        theirs = "from ansible.module_utils.basic import AnsibleModule; import certifi, urllib3, yaml"
        return self._run(
            [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}; {theirs}; {code}"],
            PYTHONDONTWRITEBYTECODE="1",
        )

    def audit(self, *, with_report: bool) -> Process:
        """Audit the whole cluster with one task, or with the playbook and its report."""
        if with_report:
            inventory = self._inventory("inventory-report", pull_access_audit_directory=str(self.directory / "report"))
            return self._playbook("ours", "openshift_ops.image_pull.audit", inventory)
        return self._task("audit", "pull_access_audit")

    def what_if(self, secret: str, *, asks: bool = False) -> Process:
        """Ask which pods of the whole cluster the removal of a secret would break, with one task. `asks`: and the registries of all of them."""
        change = {"remove_secrets": {"name": secret}}
        # As many authorities as a system has.
        bundle = self.directory / "authorities.pem"
        bundle.write_text(Path(certifi.where()).read_text() + Path(self.lab.data["ca_cert"]).read_text())
        hosts = self.lab.registry_hosts
        options = {"ask_registries": True, "realm_hosts": hosts, "registry_ca_cert": str(bundle)} if asks else {}
        return self._task("what-if", "pull_access_what_if", changes=[change], **options)

    def images(self) -> Process:
        """List the images in use on the whole cluster, into a file as the playbook does."""
        return self._task("images", "pull_access_images", dest=str(self.directory / "images.json"))

    def rotation(self) -> Process:
        """Replace the login of every namespace by a new one, with one task for the whole cluster."""
        old, new = ({"username": LOGIN["username"], "password": LOGIN["password"] + end} for end in ("", "-2"))
        confirmed = [{"name": "audited", "namespace_selector": {"include": ["*"]}}]
        options = {"registries": [LOGIN["registry"]], "old": old, "new": new, "secrets": confirmed, "verify": False}
        return self._task("rotation", "credential_rotation", **options)

    def export(self) -> Process:
        """Describe the whole cluster, without credentials, in the result only."""
        everywhere = {"include": [f"{PREFIX}*"]}
        return self._task("export", "pull_access_export", credentials="placeholder", namespace_selector=everywhere)

    def prune(self) -> Process:
        """Remove all secrets and links of the owner."""
        every = {
            "max_prune": "100%",
            "prune_everything": True,
            "secrets": [],
            "links": [],
            "grants": [],
            "guard": "false",
        }
        return self._task("prune", "pull_access_prune", owner=OWNER, **every)

    # --- others

    def kubernetes_core(self, job: Job) -> Process:
        inventory = self._inventory(
            "inventory-bench",
            bench_namespaces=[*job.namespaces],
            bench_names={name: job.name(name) for name in job.namespaces},
            bench_contents={name: job.content(name) for name in job.namespaces},
            bench_project=PROJECT,
        )
        return self._playbook("bench", HERE / "kubernetes_core.yml", inventory)

    def kubectl(self, job: Job) -> Process:
        return self._shell_loop("kubectl", prepare.kubectl(), job)

    def oc(self, job: Job) -> Process:
        assert self.oc_program is not None
        return self._shell_loop("oc", self.oc_program, job)

    def floor(self, job: Job) -> Process:
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:image-puller"}
        group = {"apiGroup": role["apiGroup"], "kind": "Group", "name": f"system:serviceaccounts:{PROJECT}"}
        kind = "kubernetes.io/dockerconfigjson"
        plan = {
            **self._connection(),
            "secret_selector": f"metadata.name%3D{NAME}" if job.way == SAME else f"type%3D{kind}",
            "secrets": {
                name: {
                    "metadata": {"name": job.name(name)},
                    "type": kind,
                    "data": {".dockerconfigjson": job.content(name)},
                }
                for name in job.namespaces
            },
            "bindings": {
                name: {"metadata": {"name": job.name(name)}, "roleRef": role, "subjects": [group]}
                for name in job.namespaces
            },
        }
        path = self.directory / "floor.json"
        path.write_text(json.dumps(plan))
        return self._run([sys.executable, HERE / "floor.py", path])

    def lists(self, paths: Sequence[tuple[str, str]]) -> Process:
        """The plain floor of an audit: each list once, with its field selector."""
        path = self.directory / "lists.json"
        path.write_text(json.dumps({**self._connection(), "lists": paths}))
        return self._run([sys.executable, HERE / "floor.py", path])

    # --- running the commands

    def _connection(self) -> dict[str, str]:
        """The floor's connection settings."""
        return {
            "server": self.lab.data["server"],
            "ca_cert": self.lab.data["ca_cert"],
            "client_pem": str(self.lab.dir / "tests-client.pem"),
        }

    def _inventory(self, name: str, hosts: Sequence[str] = ("lab",), **variables: Any) -> Path:
        connection = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "image_pull_kubeconfig": self.kubeconfig,
            **({"image_pull_impersonate_user": self.user} if self.user else {}),
        }
        path = self.directory / f"{name}.yml"
        everywhere = {"hosts": dict.fromkeys(hosts), "vars": {**connection, **variables}}
        path.write_text(yaml.dump({"all": everywhere}, Dumper=DUMPER))
        return path

    def _shell_loop(self, kind: str, program: Path, job: Job) -> Process:
        name = NAME if job.way == SAME else "-"
        command = [HERE / "shell_loop.sh", kind, program, name, PROJECT, *job.namespaces]
        return self._run(command, KUBECONFIG=self.lab.kubeconfig, HOME=str(self.directory))

    def _task(self, title: str, module: str, **options: Any) -> Process:
        """Run a playbook with one task of this collection."""
        book = self.directory / f"{title}.yml"
        as_user = {"impersonate_user": self.user} if self.user else {}
        task = {f"openshift_ops.image_pull.{module}": {"kubeconfig": self.kubeconfig, **as_user, **options}}
        book.write_text(yaml.dump([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))
        return self._playbook("ours", book, self._inventory(f"inventory-{title}"))

    def _playbook(self, name: str, playbook: str | Path, inventory: Path, *options: str) -> Process:
        command = self.interpreters[name].parent / "ansible-playbook"
        return self._run([command, "-i", inventory, playbook, *options])

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
