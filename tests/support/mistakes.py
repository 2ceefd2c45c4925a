# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The mistakes of tests/scenarios/mistakes, their runs, and the table of their messages.

Each mistake is a host of an inventory. The mistakes of one playbook with the same options share a run, whose command line takes the extra
variables of each host from that host. A mistake with a task has a play of its own in the run.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible import __version__ as ansible_version
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.result_lines import lines_of

from support.lab import WRITE_VERBS, Lab
from support.playbooks import play

FOLDER = Path(__file__).resolve().parents[1] / "scenarios" / "mistakes"
CANARY = "Canary-mistake-7"
MODULES_PLAY = {
    "connection": "local",
    "gather_facts": False,
    "module_defaults": {
        "group/openshift_ops.image_pull.k8s": {
            "kubeconfig": "{{ image_pull_kubeconfig }}",
            "impersonate_user": "{{ image_pull_impersonate_user | default(omit) }}",
        }
    },
}


@dataclass(frozen=True)
class Mistake:
    """`where`, `what` and `fix` are parts of the message: the place, the problem, and the correction.

    `begin`: the message begins with it, and has it once.
    `given` are variables of the host, `extra` of the command line. `options` are further options of the command. `task` replaces the
    playbook. `files` are written to the folder `{{ folder }}`.
    """

    name: str
    where: str = ""
    what: str = ""
    fix: str = ""
    begin: str = ""
    playbook: str = ""
    given: dict[str, Any] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    task: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str | bytes] = field(default_factory=dict)

    def missing(self, message: str) -> list[str]:
        """Return the parts that the message lacks."""
        is_begun = message.startswith(self.begin) and (not self.begin or message.count(self.begin) == 1)
        parts = [part for part in (self.where, self.what, self.fix) if not part or part not in message]
        return parts if is_begun else [*parts, self.begin]

    @property
    def run(self) -> tuple[str, ...]:
        """The mistakes of one run have the same."""
        return (self.playbook, *self.options)


def read_mistakes() -> list[Mistake]:
    return [mistake for path in sorted(FOLDER.glob("*.yml")) for mistake in _read(path)]


def _read(path: Path) -> Iterator[Mistake]:
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    for row in content["mistakes"]:
        merged = {"playbook": content.get("playbook", ""), "options": content.get("options", ()), **row}
        yield Mistake(**{**merged, "options": tuple(merged["options"])})


def answers_of(lab: Lab, folder: Path, mistakes: list[Mistake]) -> dict[str, str]:
    """Return the message of each mistake from one run, which wrote nothing on the cluster."""
    project = lab.namespace(f"mistakes-{folder.name}")
    private = lab.registry("private")
    names = {
        "project": project,
        "registry": private["host"],
        "delegating": lab.registry("delegated")["host"],
        "registry_user": private["accounts"][0]["username"],
        "registry_password": private["accounts"][0]["password"],
        "registry_ca": lab.data["ca_cert"],
        "server": lab.data["server"],
        "folder": str(folder / "files"),
        "kubeconfig": lab.kubeconfig,
    }
    usual = {**names, "image_pull_kubeconfig": lab.kubeconfig, "image_pull_realm_hosts": lab.registry_hosts}
    hosts = {one.name: {**usual, "given": one.extra, **one.given} for one in mistakes}
    if not mistakes[0].playbook:
        hosts["spectator"] = {}
    _write_files(folder, mistakes)
    (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": hosts}}, sort_keys=False), encoding="utf-8")
    audit = lab.audit()
    playbook, *options = mistakes[0].run
    done = play(
        playbook or _plays(folder, mistakes), folder / "hosts.yml", "-v", "--forks", "4", *_extra(folder, mistakes), *options,
        cwd=folder, no_proxy="*", COLUMNS="1000",
    )  # fmt: skip
    (folder / "output").write_text(done.output, encoding="utf-8")
    assert CANARY not in done.output, done.output
    writes = [event["requestURI"] for event in audit.ours() if _is_write(event)]
    assert writes == [], f"{writes}\n{done.output}"
    found = _messages(done.output, mistakes)
    for name in ("folder", "kubeconfig", "registry", "project", "server", "registry_ca"):
        found = {host: text.replace(names[name], name.upper()) for host, text in found.items()}
    return found


def _is_write(event: dict[str, Any]) -> bool:
    """Whether a request changed something. A review of rights is a creation that stores nothing."""
    is_asked = event["verb"] in WRITE_VERBS and "accessreviews" not in event["objectRef"]["resource"]
    return is_asked and event["responseStatus"]["code"] < 400


def _write_files(folder: Path, mistakes: list[Mistake]) -> None:
    (folder / "files").mkdir()
    for name, content in (pair for one in mistakes for pair in one.files.items()):
        path = folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def _plays(folder: Path, mistakes: list[Mistake]) -> Path:
    """Return a playbook with a play for each mistake. Ansible ends a run when all hosts of a play fail, so one more host takes part."""
    plays = [
        {
            "name": one.name,
            "hosts": [one.name, "spectator"],
            **MODULES_PLAY,
            "tasks": [{**one.task, "when": "inventory_hostname != 'spectator'"}],
        }
        for one in mistakes
    ]
    path = folder / "plays.yml"
    path.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    return path


def _extra(folder: Path, mistakes: list[Mistake]) -> list[str]:
    """The option that takes each extra variable from the host. A blank one counts as not given."""
    names = {name for one in mistakes for name in one.extra}
    if not names:
        return []
    content = {name: f"{{{{ given.{name} | default('') }}}}" for name in sorted(names)}
    (folder / "extra.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
    return ["-e", "@extra.yml"]


_RESULT = re.compile(
    r"^(?:fatal|ok|changed): \[(\w+)(?: -> \w+)?\](?:: FAILED!)? => (?=\{)|^\[(WARNING|ERROR)\]: (.*)",
    re.M,
)


#: Older cores break the lines of warnings, and end them with an empty line.
WRAPS = tuple(map(int, ansible_version.split(".")[:2])) < (2, 19)
_WRAPPED = re.compile(r"^\[(?:WARNING|ERROR)\]: .*(?:\n.+)*", re.M)

_DULL = ("The arg spec validation passed", "All assertions passed")


def _messages(output: str, mistakes: list[Mistake]) -> dict[str, str]:
    """Return the failures and the result line of each host, and the warnings that have its problem: they do not name a host.

    If no host has an answer, the run ended before its first play, and its errors are the answer to each.
    """
    found = dict.fromkeys((one.name for one in mistakes), "")
    if WRAPS:
        output = _WRAPPED.sub(lambda each: each[0].replace("-\n", "-").replace("\n", " "), output)
    warnings = []
    for start in _RESULT.finditer(output):
        host, level, warning = start.groups()
        if host in found:
            result, _end = json.JSONDecoder().raw_decode(output, start.end())
            text = _text_of(result)
            found[host] += f"{text}\n" if text and text not in (*_DULL, found[host]) else ""
        elif warning:
            warnings.append(f"[{level}]: {warning}\n")
    is_silent = not any(found.values())
    for text in warnings:
        for one in mistakes:
            if is_silent or (one.what and one.what in text and text.startswith("[W")):
                found[one.name] += text
    return found


def _text_of(result: dict[str, Any]) -> str:
    """Return the lines of a result. Without -v, a failure that fails no task is not shown."""
    if result.get("failed_when_result") is False:
        return ""
    shown = [line for line, _colour in lines_of(result)] or [*result.get("text", ()), result.get("msg", "")]
    return "\n".join(map(str, shown))


def as_text(mistake: Mistake, message: str) -> str:
    """Return the row of a mistake as Markdown: the command, its variables or task, and the message."""
    command = ["ansible-playbook", f"openshift_ops.image_pull.{mistake.playbook}" if mistake.playbook else "task.yml"]
    command += [
        "-i inventory",
        *mistake.options,
        *(f"-e {json.dumps({name: value})}" for name, value in mistake.extra.items()),
    ]
    content = [mistake.task] if mistake.task else []
    blocks = [yaml.safe_dump(part, sort_keys=False, width=120) for part in (*content, mistake.given) if part]
    files = [f"{name}: {text!r}\n" for name, text in mistake.files.items()]
    return "\n".join(
        [f"## {mistake.name}\n", "```", " ".join(command), *blocks, *files, "```\n", "```", message, "```\n"]
    )
