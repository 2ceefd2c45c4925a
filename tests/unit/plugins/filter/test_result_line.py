# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter accepts the containers of Ansible's own templating, which are not plain lists and dictionaries."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.filter.result_line import FilterModule, result_line
from support.templates import trusted

MADE = {"kind": "RoleBinding", "action": "create"}
DONE = {"namespaces": [{"name": "n", "status": "changed", "changes": [MADE, MADE]}], "summary": {"total": 1}}


def test_the_filter_counts_in_containers_of_templates() -> None:
    variables: dict[str, Any] = trusted({"done": DONE, "results": "{{ [done] }}"})
    templar = Templar(loader=DataLoader(), variables=variables)
    templar.environment.filters["result_line"] = FilterModule().filters()["result_line"]
    line = trusted({"line": "{{ results | result_line('account', check_mode=false, account='a/b') }}"})
    assert templar.template(line["line"]) == "account a/b: 2 role bindings created"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(
        AnsibleFilterError,
        match="the kind is one of audit, what_if, idle_changes, explain, images, export, account, nodes, verify, not 'x'",
    ):
        result_line([], "x")
