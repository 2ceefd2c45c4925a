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

LINK = {"kind": "ServiceAccount", "action": "update", "lists": {"imagePullSecrets": {"added": [], "removed": ["a"]}}}
LINKED = {"namespaces": [{"name": "n", "status": "changed", "changes": [LINK]}], "summary": {"total": 1}}


def test_the_filter_counts_in_containers_of_templates() -> None:
    variables: dict[str, Any] = trusted({"linked": LINKED, "results": "{{ [linked] }}"})
    templar = Templar(loader=DataLoader(), variables=variables)
    templar.environment.filters["result_line"] = FilterModule().filters()["result_line"]
    line = trusted(
        {"line": "{{ results | result_line('apply', check_mode=false, declared=['private_registry_secrets_a[0]']) }}"}
    )
    assert templar.template(line["line"]) == "1 of 1 team, 1 namespace: 1 link removed"


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(
        AnsibleFilterError,
        match="the kind is one of apply, rotation, audit, what_if, explain, export, account, nodes, verify, not 'x'",
    ):
        result_line([], "x")
