# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lookup checks the extra variables of this run, and seals a plan with the key of the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible import constants
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.utils.vars import load_extra_vars
from ansible_collections.openshift_ops.image_pull.plugins.lookup import launch

NAME = "openshift_ops.image_pull.launch"
IN_WORKFLOW = {"awx_job_launch_type": "workflow", "awx_workflow_job_id": 17, "inventory_hostname": "east-1"}
PLAN = {"secrets": [{"namespace": "0123", "name": "pull"}]}


@pytest.fixture(scope="module", autouse=True)
def known_options() -> None:
    """Register the documented options as Ansible's plugin loader does."""
    defined = yaml.safe_load(launch.DOCUMENTATION)["options"]
    constants.config.initialize_plugin_configuration_definitions("lookup", NAME, defined)


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "key"
    path.write_text("key of the rotation\n")
    monkeypatch.setenv("IMAGE_PULL_PLAN_KEY_FILE", str(path))
    return path


def look(*terms: Any, variables: dict[str, Any] | None = None, **options: Any) -> list[Any]:
    templar = Templar(loader=DataLoader(), variables=variables or {})
    lookup = launch.LookupModule(loader=templar._loader, templar=templar)
    lookup._load_name = NAME
    found: list[Any] = lookup.run([*terms], variables=variables or {}, **options)
    return found


def test_only_extra_variables_of_the_run_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_extra_vars, "extra_vars", {"how": "back", "awx_job_id": 5}, raising=False)
    assert look({"how": ["back"]}, variables={"image_pull_host": "of the inventory"}) == []
    monkeypatch.setattr(load_extra_vars, "extra_vars", {"how": "back", "image_pull_host": "x"})
    with pytest.raises(
        AnsibleError, match="nothing was read or changed: the survey does not ask for 'image_pull_host'"
    ):
        look({"how": ["back"]})


def test_the_plan_of_this_host_comes_from_the_variable(key: Path) -> None:
    (sealed,) = look(variables=IN_WORKFLOW, seal=PLAN)
    given = {**IN_WORKFLOW, "plans": {"east-1": {"secrets": "for people", "sealed": sealed}, "east-2": {}}}
    assert look(variables=given, unseal="plans") == [PLAN]
    assert look(variables=IN_WORKFLOW, unseal="plans") == [""]


@pytest.mark.parametrize("plans", [None, "/etc/passwd", [], {}, {"east-1": PLAN}, {"east-1": "x"}, {"east-2": PLAN}])
def test_a_variable_without_a_sealed_plan_is_refused(key: Path, plans: Any) -> None:
    with pytest.raises(AnsibleError, match="nothing was changed: the plan for east-1 is not trusted: its seal is not"):
        look(variables={**IN_WORKFLOW, "plans": plans}, unseal="plans")


@pytest.mark.parametrize("launched", ["relaunch", "manual", "callback"])
def test_a_job_that_no_workflow_launched_accepts_no_plan(key: Path, launched: str) -> None:
    """AWX sets the number of a workflow only in its jobs. A relaunched job has the variables of the first one."""
    (sealed,) = look(variables=IN_WORKFLOW, seal=PLAN)
    given = {**IN_WORKFLOW, "plans": {"east-1": {"sealed": sealed}}, "awx_job_launch_type": launched}
    with pytest.raises(AnsibleError, match="another run of the workflow"):
        look(variables=given, unseal="plans")


def test_a_job_without_the_key_seals_nothing() -> None:
    (sealed,) = look(variables=IN_WORKFLOW, seal=PLAN)
    with pytest.raises(AnsibleError, match="this job has no key"):
        look(variables={**IN_WORKFLOW, "plans": {"east-1": {"sealed": sealed}}}, unseal="plans")
