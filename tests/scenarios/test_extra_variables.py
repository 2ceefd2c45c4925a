# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every playbook refuses an extra variable that it would ignore, before it connects or writes a file."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.playbooks import play

MISSPELT = [
    ("audit", "fail_un=error", "fail_on"),
    ("automation_account", "state=absent", "automation_account_state"),
    ("explain", "ask_registeries=true", "ask_registries"),
    ("export", "credentials=placeholder", "image_pull_export_credentials"),
    ("global_pull_secret", "allow_pause=true", "global_pull_secret_allow_paused"),
    ("images", "ask_registry=true", "ask_registries"),
    ("rotate", "retire_tasks=retire.yml", "credential_rotation_retire_tasks"),
    ("site", "max_prune=100%", "image_pull_max_prune"),
    ("teardown", "only_namespaces=project-a", "image_pull_only_namespaces"),
    ("what_if", "ask_registry=true", "ask_registries"),
]


#: The playbooks that each change plays: one that writes, one with many options, one that reports and one with short names. A unit test
#: checks that each playbook begins with the same tasks.
OFTEN = ("audit", "explain", "rotate", "site")


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """A port that accepts no connection. Each attempt waits in its queue."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        listening.setblocking(False)
        yield listening


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[] if case[0] in OFTEN else pytest.mark.slow) for case in MISSPELT]
)
@pytest.mark.parametrize("mode", ["", pytest.param("--check", marks=pytest.mark.slow)])
def test_an_ignored_extra_variable_is_refused_first(
    tmp_path: Path, server: socket.socket, case: tuple[str, str, str], mode: str
) -> None:
    """Nothing is declared, and the second host is not asked either. A variable of the inventory with the same name is not ours."""
    playbook, given, meant = case
    url = f"https://127.0.0.1:{server.getsockname()[1]}"
    name = given.partition("=")[0]
    variables = {"image_pull_host": url, "image_pull_api_key": "token", name: "of another role"}
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"east": {}, "west": {}}, "vars": variables}}))
    found = play(playbook, tmp_path / "hosts.yml", "-e", given, *filter(None, [mode]), cwd=tmp_path).failed()
    said = f"nothing was read or changed: extra variable {name} is unknown to the playbook {playbook}: did you mean '{meant}'? Correct it"
    assert said in found.output, found.output
    end = found.output.rpartition("TASK [")[2]
    assert end.startswith("Result]"), found.output
    why = (
        "the line above that begins with fatal: or failed: says why"
        if playbook in ("site", "teardown")
        else "nothing was read or changed"
    )
    assert re.search(f'"msg": "stopped.*: {why}"', end)
    assert [path.name for path in tmp_path.iterdir()] == ["hosts.yml"]
    with pytest.raises(BlockingIOError):
        server.accept()
