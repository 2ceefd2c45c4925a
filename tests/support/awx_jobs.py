# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs as AWX runs them: a directory in AWX's layout is sent to an execution node and run there, and its events are read back.

AWX's own code injects the credentials (PyPI's awx-plugins-core and awx-plugins-interfaces). The rest of AWX is replaced by: the
configuration of extensions/awx, answers to surveys marked as AWX marks them, hosts distributed as AWX distributes them, an inventory
as a script that prints JSON, and `ansible-runner transmit | worker | process`, the way in which AWX reaches any node.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from awx_plugins.credentials.plugins import kubernetes_bearer_token
from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
from awx_plugins.interfaces._temporary_private_container_api import CONTAINER_ROOT
from awx_plugins.interfaces._temporary_private_credential_api import Credential as Inputs
from awx_plugins.interfaces._temporary_private_inject_api import build_safe_env, inject_credential

from support.awx_rules import PROJECT, configuration, extra_variables, named
from support.objects import b64


@dataclass(frozen=True)
class Credential:
    """A credential of the controller. `kind` is the name of its credential type."""

    kind: str
    inputs: Mapping[str, Any]


@dataclass(frozen=True)
class Node:
    """An execution node. `bin` has its Python's programs. Each job has its own folder below `directory`."""

    name: str
    bin: Path
    directory: Path

    def environment(self) -> dict[str, str]:
        """Environment variables without anything from the machine that runs the tests."""
        home = self.directory / "home"
        home.mkdir(parents=True, exist_ok=True)
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8"}


@dataclass
class Job:
    """A finished job as the controller sees it: its events, output, status and artifacts."""

    directory: Path
    worker_status: int = 0
    events: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        files = sorted(self.artifacts.glob("job_events/*.json"), key=lambda path: int(path.name.partition("-")[0]))
        self.events = [json.loads(path.read_text(encoding="utf-8")) for path in files]

    @property
    def artifacts(self) -> Path:
        return self.directory / "artifacts" / "job"

    @property
    def status(self) -> str:
        return (self.artifacts / "status").read_text()

    @property
    def output(self) -> str:
        return "\n".join(event["stdout"] for event in self.events)

    @property
    def stats(self) -> dict[str, Any]:
        return next(event["event_data"] for event in self.events if event["event"] == "playbook_on_stats")

    @property
    def changed(self) -> dict[str, int]:
        found: dict[str, int] = self.stats["changed"]
        return found

    @property
    def handed_on(self) -> dict[str, Any]:
        """The variables that set_stats passes to the next node of a workflow."""
        found: dict[str, Any] = self.stats.get("artifact_data", {})
        return found

    def results(self, task: str) -> Iterator[dict[str, Any]]:
        for event in self.events:
            if (
                event["event"].startswith("runner_on_")
                and event["event_data"].get("task") == task
                and "res" in event["event_data"]
            ):
                yield event["event_data"]["res"]

    def holding(self, secrets: Iterable[str]) -> set[str]:
        """The files sent back to the controller that contain a secret in any form."""
        forms = {form for secret in secrets for form in _forms(secret)}
        files = [path for path in self.artifacts.rglob("*") if path.is_file()]
        assert any(path.parent.name == "job_events" for path in files), "there are events"
        texts = {path.name: path.read_text(encoding="utf-8") for path in files}
        texts["command"] = json.dumps(_censored(json.loads(texts["command"])))
        return {name for name, text in texts.items() if any(form in text for form in forms)}


def _censored(command: dict[str, Any]) -> dict[str, Any]:
    """The command as AWX stores it: the values of variables that are named like secrets are hidden."""
    return {**command, "env": build_safe_env(command["env"])}


def _forms(secret: str) -> Iterator[str]:
    yield secret
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    yield b64(secret)
    yield secret[: max(8, len(secret) // 2)]


@dataclass
class Controller:
    """Launches the job templates of extensions/awx. `bin` has its ansible-runner, `collections` the collections of the project's update."""

    directory: Path
    bin: Path
    collections: Path
    #: The revision of the project, which AWX passes to each job.
    revision: str = "0" * 39 + "a"
    _count: int = 0

    def launch(
        self,
        template: str,
        node: Node,
        credentials: Sequence[Credential],
        *,
        answers: Mapping[str, Any] | None = None,
        handed_on: Mapping[str, Any] | None = None,
        hosts: Mapping[str, Mapping[str, Any]] | None = None,
        group: Mapping[str, Any] | None = None,
    ) -> Job:
        """Run the template on the node."""
        started = self.start(
            template, node, credentials, answers=answers, handed_on=handed_on, hosts=hosts, group=group
        )
        return started.finish()

    def start(
        self,
        template: str,
        node: Node,
        credentials: Sequence[Credential],
        *,
        answers: Mapping[str, Any] | None = None,
        handed_on: Mapping[str, Any] | None = None,
        hosts: Mapping[str, Mapping[str, Any]] | None = None,
        group: Mapping[str, Any] | None = None,
    ) -> Running:
        found = named(configuration(), "controller_templates")[f"Image pull: {template}"]
        self._count += 1
        here = self.directory / f"job-{self._count}"
        there = node.directory / f"job-{self._count}"
        shutil.copytree(PROJECT, here / "project", ignore=shutil.ignore_patterns("inventory"))
        shutil.copytree(self.collections, here / "requirements_collections")
        (here / "env").mkdir(mode=0o700)
        (here / "inventory").mkdir()
        _write_inventory(here / "inventory" / "hosts", {"cluster": {}} if hosts is None else hosts, group or {})
        told = {"awx_project_revision": self.revision, "tower_project_revision": self.revision}
        told |= {"awx_job_launch_type": "workflow", "awx_workflow_job_id": 17}
        variables = extra_variables(found, answers or {}, **{**(handed_on or {}), **told})
        (here / "env" / "extravars").write_text(variables)
        injected: dict[str, str] = {}
        for credential in credentials:
            injected |= inject(credential, here, there)
        injected["ANSIBLE_COLLECTIONS_PATH"] = str(there / "requirements_collections")
        (here / "env" / "envvars").write_text(json.dumps(injected))
        (here / "env" / "settings").write_text(
            json.dumps({"idle_timeout": 300, "job_timeout": 600, "suppress_env_files": False})
        )
        options = [
            *(["--check"] if found["job_type"] == "check" else []),
            *(["--diff"] if found["diff_mode"] else []),
            "-vvv",
        ]
        (here / "env" / "cmdline").write_text(" ".join(options))
        return Running(self, node, here, there, found["playbook"])


@dataclass
class Running:
    """A job that was sent to a node. `process` runs it there."""

    controller: Controller
    node: Node
    here: Path
    there: Path
    playbook: str

    def __post_init__(self) -> None:
        runner = self.controller.bin / "ansible-runner"
        command = [runner, "transmit", self.here, "-p", self.playbook, "-i", "job"]
        sent = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL).stdout
        self.there.mkdir(parents=True)
        self.process = subprocess.Popen(
            [self.node.bin / "ansible-runner", "worker", "--private-data-dir", self.there],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=self.node.environment(),
            cwd=self.node.directory,
            start_new_session=True,
        )
        assert self.process.stdin is not None
        self.process.stdin.write(sent)
        self.process.stdin.close()

    def finish(self) -> Job:
        assert self.process.stdout is not None
        received = self.process.stdout.read()
        status = self.process.wait(timeout=60)
        command = [self.controller.bin / "ansible-runner", "process", self.here, "-i", "job"]
        done = subprocess.run(command, input=received, capture_output=True, check=False, timeout=120)
        assert (self.here / "artifacts" / "job").is_dir(), done.stderr
        return Job(self.here, status)


def _write_inventory(path: Path, hosts: Mapping[str, Mapping[str, Any]], group: Mapping[str, Any]) -> None:
    """Write an imported inventory as AWX does: as a program that prints it."""
    variables = yaml.safe_load((PROJECT / "inventory" / "group_vars" / "all" / "cluster.yml").read_text())
    content = {
        "all": {"hosts": list(hosts), "vars": {**variables, **group}},
        "_meta": {"hostvars": {name: dict(values) for name, values in hosts.items()}},
    }
    path.write_text(f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(content)!r})\n")
    path.chmod(0o700)


def inject(credential: Credential, here: Path, there: Path) -> dict[str, str]:
    """The environment that a credential gives a job. Its files are written below `here`, and the job finds them below `there`."""
    injected: dict[str, str] = {}
    arguments: list[str] = []
    inject_credential(_type_of(credential), Inputs(dict(credential.inputs)), injected, {}, arguments, str(here))
    assert not arguments, "no variable holds a credential"
    return {name: value.replace(f"{CONTAINER_ROOT}/env", str(there / "env")) for name, value in injected.items()}


def _type_of(credential: Credential) -> Any:
    if credential.kind == kubernetes_bearer_token.name:
        return kubernetes_bearer_token
    found = named(configuration(), "controller_credential_types")[credential.kind]
    return ManagedCredentialType("", found["name"], found["kind"], found["inputs"], found["injectors"])
