# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup `rotation` gives the steps of a rotation the evaluated variables of the host and the facts of all hosts."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.utils.unsafe_proxy import wrap_var
from ansible_collections.openshift_ops.image_pull.plugins.lookup.rotation import DOCUMENTATION, STEPS, LookupModule
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    label_users,
)
from support.templates import trusted


def decide(step: str, **variables: Any) -> Any:
    play = {"hostvars": {"a": {}, "b": {}}, "ansible_play_hosts": ["b"], "ansible_play_hosts_all": ["a", "b"]}
    given = {**play, "ansible_check_mode": False, **trusted(variables)}
    templar = Templar(loader=DataLoader(), variables=given)
    return LookupModule(loader=DataLoader(), templar=templar).run([step], given)[0]


def test_templates_in_options_are_evaluated() -> None:
    facts = {"credential_rotation_retire_tasks": "{{ mine }}", "mine": "retire.yml", "__credential_rotation_key": "k"}
    seen = {"rotation": {"failing": [], "undecided": []}}
    step = decide("disable", **facts, __credential_rotation_seen=seen, __credential_rotation_known_failures={"k": []})
    assert "they may still use it: a." in step["refusal"]
    assert step["known_failures"] == {"k": []}


def test_text_of_a_cluster_is_not_a_template() -> None:
    """The results of modules are not trusted, as Ansible registers them."""
    given = {"hostvars": {}, "ansible_play_hosts": [], "ansible_play_hosts_all": []}
    login = {"username": "u"}
    given |= {
        "credential_rotation_registries": ["quay.io"],
        "credential_rotation_old": login,
        "credential_rotation_new": login,
    }
    given |= {"__credential_rotation_plan": {"rotation": {"registries": ["quay.io"], "users": label_users("u", "u")}}}
    given |= {"__credential_rotation_confirmed": wrap_var(["{{ 1 + 1 }}"])}
    templar = Templar(loader=DataLoader(), variables=given)
    assert LookupModule(loader=DataLoader(), templar=templar).run(["scope"], given) == [{"secrets": ["{{ 1 + 1 }}"]}]


def login_of(*command: str) -> str:
    new = {"username": "u", "password": "p"}
    return str(decide("login", credential_rotation_new=new, credential_rotation_new_command=[*command])["password"])


def test_a_command_prints_the_new_password() -> None:
    program = "import sys; print(repr(sys.stdin.read()), *sys.argv[1:])"
    assert login_of(sys.executable, "-c", program, "$HOME; x", "y") == "'' $HOME; x y"
    assert login_of() == "p"


@pytest.mark.parametrize(
    "command", [(sys.executable, "-c", "print('canary'); raise SystemExit(3)"), ("/no/such/command",)], ids=str
)
def test_a_failed_command_is_named_without_its_output(command: Any) -> None:
    with pytest.raises(
        AnsibleError, match="credential_rotation_new_command: .*(ended with status 3|FileNotFoundError)"
    ) as failed:
        login_of(*command)
    assert "canary" not in str(failed.value)


def test_tasks_that_cannot_run_are_named_with_their_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative path begins at the directory of the command. The text of a file, which can have a password, is not shown."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "good.yml").write_text("- debug: {msg: canary}\n")
    (tmp_path / "broken.yml").write_text("- debug: {msg: canary\n")
    (tmp_path / "bytes.yml").write_bytes(b"- \xff")
    (tmp_path / "empty.yml").write_text("---\n")
    (tmp_path / "play.yml").write_text("hosts: all\n")
    (tmp_path / "folder.yml").mkdir()
    lookup = LookupModule(loader=DataLoader())
    found = {path: lookup._inspect(path) for path in (str(tmp_path / "good.yml"), "good.yml", "~/good.yml")}
    assert {*found.values()} == {""}
    for name, reason in (
        ("none.yml", "there is no file {}"), ("folder.yml", "there is no file {}"), ("empty.yml", "{} is no list of tasks"),
        ("play.yml", "{} is no list of tasks"), ("broken.yml", "{} cannot be read, or is no valid YAML"),
        ("bytes.yml", "{} cannot be read, or is no valid YAML"),
    ):  # fmt: skip
        assert lookup._inspect(name) == reason.format(tmp_path / name)


def test_the_documentation_names_all_steps() -> None:
    assert yaml.safe_load(DOCUMENTATION)["options"]["_terms"]["choices"] == [*STEPS]
