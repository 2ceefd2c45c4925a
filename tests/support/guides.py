# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Follows a guide of docs/docsite/rst: runs its blocks, in order, in an empty folder, on the lab.

How a guide is written:

- A block `.. code-block:: yaml` (or `ini`, `json`, `jinja`) below a line `**PATH**` is a file, which the reader writes. GitHub drops
  blocks with a `:caption:`. `yaml+jinja` is `yaml` that antsibull-docs does not parse, because it does not know Ansible's tags.
- Any other block `.. code-block:: yaml` is a play or a list of tasks. It runs on the hosts of the inventory.
- A block `.. code-block:: console` holds commands, each after `$ `. A backslash at the end continues a line. The lines below a
  command are its expected output, in this order. `...` matches any text, within a line or as lines.
- `.. code-block:: text` is not run. A test that needs such a block names it.

`stand_ins` lists the names that differ on the lab. They are replaced only here.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from support.lab import Lab

GUIDES = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst"
#: Tags of Ansible before a value.
TAGS = ("!vault", "!unsafe", "!vault-encrypted")


class Loader(yaml.SafeLoader):
    """Reads YAML like Ansible, including its tags."""


for _tag in TAGS:
    Loader.add_constructor(_tag, lambda loader, node: loader.construct_scalar(node))  # type: ignore[arg-type]


@dataclass
class Block:
    """A code block. `place` is its page and line, `title` the bold line above it, `text` its content without the margin."""

    place: str
    language: str
    title: str
    text: str

    def loaded(self) -> Any:
        return yaml.load(self.text, Loader)

    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command, with its expected output lines."""
        found: list[tuple[str, list[str]]] = []
        lines = iter(self.text.splitlines())
        for line in lines:
            if line.startswith("$ "):
                command = line[2:]
                while command.endswith("\\"):
                    command += "\n" + next(lines)
                found.append((command, []))
            else:
                assert found, f"{self.place}: output without a command: {line}"
                found[-1][1].append(line)
        return found


@dataclass
class Guide:
    name: str
    blocks: list[Block] = field(init=False)

    def __post_init__(self) -> None:
        path = GUIDES / f"{self.name}.rst"
        self.blocks = list(_blocks(path.name, path.read_text(encoding="utf-8").splitlines()))


def _blocks(name: str, lines: list[str]) -> Iterable[Block]:
    number = 0
    while number < len(lines):
        begun = re.fullmatch(r"( *)\.\. code-block:: *([\w+]+)", lines[number])
        number += 1
        if not begun:
            continue
        place, margin = f"{name}:{number}", len(begun[1])
        title = re.fullmatch(r" *\*\*(\S+)\*\*", lines[number - 3]) if number > 2 else None
        body: list[str] = []
        while number < len(lines) and (not lines[number].strip() or _margin(lines[number]) > margin):
            body.append(lines[number])
            number += 1
        text = textwrap.dedent("\n".join(body)).strip("\n")
        yield Block(place, begun[2].partition("+")[0], title[1] if title else "", text + "\n")


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


@dataclass
class Reader:
    """A reader who follows a guide in `folder`. `stand_ins` maps names of the guide to names on the lab."""

    folder: Path
    stand_ins: dict[str, str]
    environment: dict[str, str]
    inventory: str = "inventory"

    def follow(
        self,
        name: str,
        *,
        before: dict[str, Callable[[], Any]] | None = None,
        status: dict[str, int] | None = None,
        only_shown: dict[str, str] | None = None,
    ) -> None:
        """Follow all instructions of the guide.

        `before` calls a function before the command or block that contains a text, for events that happen on their own on a real
        cluster. `status` is the exit status of the commands that contain a text, if it is not 0. `only_shown` gives the reasons for
        skipped blocks, by a text in them. Each of these texts must be found.
        """
        events, statuses, exempt = dict(before or {}), dict(status or {}), dict(only_shown or {})
        used: set[str] = set()
        for block in Guide(name).blocks:
            skipped = [text for text in exempt if text in block.text]
            if skipped:
                used |= set(skipped)
                continue
            if block.language == "console":
                for command, printed in block.commands():
                    _call(events, command, used)
                    expected = next((statuses[text] for text in statuses if text in command), 0)
                    used |= {text for text in statuses if text in command}
                    self.type(block.place, command, printed, expected)
            elif block.title:
                _call(events, block.text, used)
                self.write(block.title, block.text)
            elif block.language == "yaml":
                _call(events, block.text, used)
                self.run(block)
            else:
                raise AssertionError(f"{block.place}: nothing says what to do with this {block.language} block")
        unused = (set(events) | set(statuses) | set(exempt)) - used
        assert not unused, f"the guide {name} has no {sorted(unused)}"

    def write(self, path: str, text: str) -> Path:
        file = self.folder / self.put(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(self.put(text), encoding="utf-8")
        return file

    def run(self, block: Block) -> None:
        """Run a play, or a list of tasks, on all hosts of the inventory."""
        content = block.loaded()
        assert isinstance(content, list), f"{block.place}: variables are shown with the file that they stand in"
        text = block.text
        if not any("hosts" in one for one in content):
            head = "- hosts: all\n  connection: local\n  gather_facts: false\n  tasks:\n"
            text = head + textwrap.indent(text, "    ")
        playbook = self.write(f".{block.place.replace(':', '-')}.yml", text)
        self.type(block.place, f"ansible-playbook -i {self.inventory} {playbook.name}", [], 0)

    def type(self, place: str, command: str, printed: list[str], status: int) -> str:
        """Run a command in the folder, and compare its output."""
        exported = re.fullmatch(r"export (\w+)=(.*)", command)
        if exported:
            self.environment[exported[1]] = self.put(self.type(place, f"printf %s {exported[2]}", [], 0))
            return ""
        done = subprocess.run(
            ["bash", "-c", self.put(command)],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,  # the machine may be busy
            check=False,
        )
        shown = self.take(done.stdout)
        assert done.returncode == status, f"{place}: $ {command}\nended with {done.returncode}:\n{shown}"
        missing = first_missing(printed, shown.splitlines())
        assert missing is None, f"{place}: $ {command}\ndid not print\n{missing}\nbut\n{shown}"
        return shown

    def put(self, text: str) -> str:
        """Replace the guide's names in a text by the lab's names."""
        for name, real in self.stand_ins.items():
            text = text.replace(name, real)
        return text

    def take(self, text: str) -> str:
        """Replace the lab's names in the output by the guide's names."""
        for name, real in self.stand_ins.items():
            text = text.replace(real, name)
        return text


def first_missing(wanted: list[str], printed: list[str]) -> str | None:
    """The first expected line that is missing from its place in the output. Empty lines and extra spaces do not count."""
    lines = [" ".join(line.split()) for line in printed if line.strip()]
    position, gap = 0, True
    for line in (" ".join(one.split()) for one in wanted if one.strip()):
        if line == "...":
            gap = True
            continue
        pattern = re.compile(".*".join(map(re.escape, line.split("..."))))
        found = next((at for at in range(position, len(lines)) if pattern.fullmatch(lines[at])), None)
        if found is None or (not gap and found != position):
            return line
        position, gap = found + 1, False
    return None


def _call(events: dict[str, Callable[[], Any]], text: str, used: set[str]) -> None:
    for part, function in events.items():
        if part in text and part not in used:
            used.add(part)
            function()


def stand_ins(lab: Lab, tarball: Path) -> dict[str, str]:
    """The names that guides use, and their replacements on this lab."""
    private, delegated = lab.registry("private"), lab.registry("delegated")
    return {
        "ansible-galaxy collection install openshift_ops.image_pull": f"ansible-galaxy collection install {tarball}",
        "https://api.example.com:6443": lab.data["server"],
        "registry.example.com": private["host"],
        "sso.example.com": delegated["realm_host"],
        "delegating.example.com": delegated["host"],
        # The lab's registries are on loopback, where a task queries only hosts that it names.
        "-e ask_registries=true": f"-e ask_registries=true -e '{json.dumps({'realm_hosts': lab.registry_hosts})}'",
        "image-registry.openshift-image-registry.svc:5000": lab.registry("integrated")["host"],
        "the password of the registry": private["accounts"][0]["password"],
        "the password of the realm": delegated["accounts"][0]["password"],
        **{f"the password of {one['username']}": one["password"] for one in private["accounts"][2:]},
    }


def environment(lab: Lab, home: Path, kubectl: Path) -> dict[str, str]:
    """The environment of a user: a home with a kubeconfig, and a system that trusts the registries' certificates. No checkout."""
    kubeconfig = home / ".kube" / "config"
    kubeconfig.parent.mkdir(parents=True)
    kubeconfig.write_bytes(Path(lab.kubeconfig).read_bytes())
    kubeconfig.chmod(0o600)
    ours = ("K8S_AUTH_", "ANSIBLE_", "IMAGE_PULL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    for name in ("KUBECONFIG", "PYTHONPATH", "MYPYPATH", "PYTEST_CURRENT_TEST", "XDG_CACHE_HOME"):
        kept.pop(name, None)
    # The environment in which a release is tried out comes first.
    folders = (os.environ.get("IMAGE_PULL_ANSIBLE", ""), kept["PATH"], str(kubectl.parent))
    kept["PATH"] = os.pathsep.join(filter(None, folders))
    return kept | {
        "HOME": str(home),
        "REQUESTS_CA_BUNDLE": lab.data["ca_cert"],
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_COLLECTIONS_PATH": str(home / ".ansible" / "collections"),
        "COLUMNS": "160",
    }
