# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the roles and playbooks decide whether the next steps run after a failure, over Ansible's own templating."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from support.templates import trusted

ROOT = Path(__file__).parents[2]
#: The file of each variable, and the result that it depends on.
PLACES = {
    "__private_registry_goes_on": ("roles/private_registry/vars/main.yml", "__private_registry_result"),
    "__delegated_auth_goes_on": ("roles/delegated_auth/vars/main.yml", "__delegated_auth_result"),
    "__cross_project_pull_goes_on": ("roles/cross_project_pull/vars/main.yml", "__cross_project_pull_waited"),
    "site.yml": ("playbooks/site.yml", "__private_registry_result"),
    "teardown.yml": ("playbooks/teardown.yml", "__delegated_auth_result"),
}
ONE = [{"namespace": "a", "error": "no"}]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("result", "goes_on"),
    [
        ({"changed": True, "failures": []}, True),
        ({"skipped": True, "changed": False}, True),
        ({"failed": True, "failures": ONE}, True),
        ({"failed": True, "msg": "option x is unknown"}, False),
        ({"failed": True, "failures": [], "msg": "refused"}, False),
        ({"failed": True, "failures": ONE, "stopped": "the API server does not answer"}, False),
    ],
)
def test_only_failures_of_namespaces_let_the_next_steps_run(place: str, result: dict[str, Any], goes_on: bool) -> None:
    path, name = PLACES[place]
    content = yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))
    own = content if isinstance(content, dict) else content[0]["vars"]
    variables = {**trusted(own), name: result}
    wanted = place if place in own else "__goes_on"
    assert Templar(loader=DataLoader(), variables=variables).template(trusted(f"{{{{ {wanted} }}}}")) is goes_on
