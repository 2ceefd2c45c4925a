# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a rulebook with ansible-rulebook like a user, and reads its output."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Rulebook", "running"]

#: Time limit in seconds. The machine may be busy.
_PATIENCE = 300.0
#: An event as --print-events shows it. Lines of a playbook that runs at the same time may appear between its lines.
_EVENT = re.compile(r"\[received event\] \*+\nRuleset: .*?\nEvent:\n(.*?)\n\*{80}\n", re.DOTALL)


@dataclass
class Rulebook:
    """A running rulebook."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of the source. --print-events shows them in Python's notation."""
        found = [ast.literal_eval(_own_lines(text)) for text in _EVENT.findall(self.output)]
        return [event for event in found if event.get("type") in ("objects", "health")]

    def told(self) -> list[str]:
        """The namespaces of all events, in order, one for each event."""
        return [name for event in self.events if event["type"] == "objects" for name in event["namespaces"]]

    def until(self, condition: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not condition():
            assert self.process.poll() is None, self.output[-4000:]
            assert time.monotonic() < deadline, f"not within {_PATIENCE:.0f} s: {what}\n{self.output[-4000:]}"
            time.sleep(0.2)


@contextmanager
def running(
    rulebook: str, inventory: Path, log: Path, environment: Mapping[str, str] | None = None, **variables: Any
) -> Iterator[Rulebook]:
    """Run the rulebook until the end of the block. The environment leads to a cluster only by the given variables."""
    given = log.with_suffix(".vars.yml")
    given.write_text(json.dumps(variables))
    command = ["ansible-rulebook", "--rulebook", rulebook, "-i", str(inventory), "--vars", str(given), "--print-events"]
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith("K8S_AUTH_") and name != "KUBECONFIG"
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env={**clean, "ANSIBLE_NOCOLOR": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Rulebook(process, log)
    finally:
        # Java and playbooks are child processes.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _own_lines(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if line.startswith(("{", " ")))
