# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The extra variables of a run are those that Ansible parsed at its start."""

from __future__ import annotations

from pathlib import Path

from ansible.parsing.dataloader import DataLoader
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.launch import extra_variables
from support.command_lines import command_line


def test_all_forms_of_extra_variables_are_read_once(tmp_path: Path) -> None:
    path = tmp_path / "more.yml"
    path.write_text("b: [1]")
    with command_line("a=1 c={{x}}", f"@{path}", '{"d": {"e": 2}}'):
        expected = {"a": "1", "c": "{{x}}", "b": [1], "d": {"e": 2}}
        assert extra_variables(DataLoader()) == expected
        path.unlink()
        assert extra_variables(DataLoader()) == expected


def test_a_run_without_extra_variables_has_none() -> None:
    with command_line():
        assert extra_variables(DataLoader()) == {}
