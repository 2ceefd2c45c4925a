# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs ansible-playbook like a user, and searches its output for credentials."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "openshift_ops.image_pull"
LAB_INVENTORY = ROOT / "extensions" / "molecule" / "shared" / "lab_inventory.py"
sys.path.append(str(LAB_INVENTORY.parent))

from lab_inventory import Dumper, Unsafe

from support.history import operation
from support.objects import b64


def variables_file(value: Any) -> str:
    """The text of a variables file or an inventory. Each `password` in it is literal, not a template."""
    return str(yaml.dump(_unsafe(value), Dumper=Dumper))


def _unsafe(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: Unsafe(part) if name == "password" else _unsafe(part) for name, part in value.items()}
    return [_unsafe(part) for part in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class Play:
    """A finished run. `output` is everything that it printed."""

    status: int
    output: str

    @property
    def text(self) -> str:
        """The output as one line, because a terminal breaks long messages."""
        return " ".join(self.output.split())

    def succeeded(self) -> Play:
        assert self.status == 0, self.output
        return self

    def unchanged(self) -> Play:
        assert (self.status, self.recap["changed"]) == (0, 0), self.output
        return self

    def failed(self) -> Play:
        assert self.status != 0, self.output
        return self

    @property
    def recap(self) -> dict[str, int]:
        """The counts of the recap, summed over the hosts."""
        counts: dict[str, int] = {}
        for name, number in re.findall(r"(\w+)=(\d+)", self.output.rpartition("PLAY RECAP")[2]):
            counts[name] = counts.get(name, 0) + int(number)
        return counts


def play(playbook: str | Path, inventory: str | Path, *options: str, cwd: Path | None = None, **variables: str) -> Play:
    """Run a playbook of the collection by its name, or any file."""
    name = playbook if isinstance(playbook, Path) else f"{COLLECTION}.{playbook}"
    command = ["ansible-playbook", "-i", str(inventory), str(name), *options]
    clean = {key: value for key, value in os.environ.items() if not key.startswith("K8S_AUTH_") and key != "KUBECONFIG"}
    beside = [Path(inventory).parent / folder for folder in ("group_vars", "host_vars")]
    declared = declared_text(playbook, inventory, *beside, *options)
    with operation(f"playbook {name}", declared, is_check="--check" in options) as started:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**clean, "ANSIBLE_NOCOLOR": "1", **({"PWD": str(cwd)} if cwd else {}), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,  # the machine may be busy
            check=False,
        )
        found = Play(done.returncode, done.stdout + done.stderr)
        if found.status == 0:
            started.changed, started.failed = bool(found.recap.get("changed")), False
    return found


def declared_text(*given: str | Path) -> str:
    """Everything that a user declares in these files, folders and options."""
    found = []
    for each in map(str, given):
        path = Path(each.removeprefix("@")) if len(each) < 200 else Path()
        files = [path] if path.is_file() else sorted(path.rglob("*")) if path.is_dir() and path.name else []
        found += [each, *(file.read_text(errors="replace") for file in files if file.is_file())]
    return "\n".join(found)


def lab_inventory(lab, output: Path, *options: str) -> Path:
    """The inventory that sets the roles' variables for the lab."""
    generator = [sys.executable, LAB_INVENTORY, "--lab-dir", lab.dir, "--output-dir", output]
    subprocess.run([*generator, *options], check=True, capture_output=True)
    return output


def forms(password: str, *usernames: str) -> set[str]:
    """The forms in which a password may leak: plain, escaped, in base64 alone and after a user, and each half of it."""
    logins = [password, *(f"{name}:{password}" for name in usernames)]
    encoded = {b64(text) for text in logins}
    escaped = {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for text in logins for ascii_only in (True, False)}
    half = len(password) // 2
    return {*logins, *encoded, *escaped, repr(password)[1:-1], password[:half], password[half:]}


def leaks(text: str, secrets: Iterable[str]) -> list[str]:
    """The parts of `text` around each found secret, with the secret itself shortened."""
    return [
        f"{secret[:6]}... near {text[max(0, text.index(secret) - 80) : text.index(secret)]!r}"
        for secret in secrets
        if secret in text
    ]
