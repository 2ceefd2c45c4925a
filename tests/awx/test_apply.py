# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""extensions/awx/apply.yml, run with the modules of awx.awx, applies the whole configuration, and a second run changes nothing."""

from __future__ import annotations

import importlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from support.awx_api import Awx, running
from support.awx_rules import EXTENSION, configuration

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.fixture
def awx() -> Iterator[Awx]:
    with ExitStack() as stack:
        yield stack.enter_context(running())


def apply(awx: Awx, *options: str, extension: Path = EXTENSION) -> tuple[int, str, dict[str, int]]:
    """Run apply.yml. Return the status, the output, and the counts of the run."""
    # Ansible finds the collections of PyPI's package ansible next to ansible-core.
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")},
        "CONTROLLER_HOST": awx.url,
        "CONTROLLER_OAUTH_TOKEN": "canary-of-the-controller",
        "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    command = [BIN / "ansible-playbook", "-i", "localhost,", extension / "apply.yml", *options]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    stats = json.loads(done.stdout[done.stdout.index("{") :])["stats"]["localhost"]
    return done.returncode, done.stdout + done.stderr, stats


#: Each workflow, the timeout of its approval in seconds, and its nodes on the path without failures.
WORKFLOWS = (
    ("Image pull: verify, plan, approve, set up, audit", 86400, ("verify", "plan", "approve", "set-up", "audit")),
    ("Image pull: plan, approve, rotate a login", 86400, ("plan", "approve", "rotate")),
)


def test_each_configured_object_is_created_once(awx: Awx) -> None:
    status, output, stats = apply(awx)
    assert status == 0, output[-3000:]
    for kind, endpoint in (
        ("controller_templates", "job_templates"),
        ("controller_workflows", "workflow_job_templates"),
        ("controller_credential_types", "credential_types"),
        ("controller_credentials", "credentials"),
        ("controller_schedules", "schedules"),
        ("controller_instance_groups", "instance_groups"),
        ("controller_inventory_sources", "inventory_sources"),
        ("controller_execution_environments", "execution_environments"),
    ):
        wanted = {one["name"] for one in configuration()[kind]}
        assert wanted <= {one["name"] for one in awx.objects[endpoint].values()}
    # 'tojson' and 'tower' arrive unchanged: none of our templates was evaluated.
    injectors = awx.named("credential_types", "Image pull: registry login")["injectors"]
    assert injectors["env"] == {"IMAGE_PULL_AUTH_FILE": "{{ tower.filename.auth }}"}
    assert "{{ password | tojson }}" in injectors["file"]["template.auth"]
    enabled = {one["name"]: one["enabled"] for one in awx.objects["schedules"].values()}
    assert enabled.pop("Image pull: set up every hour") is False and all(enabled.values())
    template = awx.named("job_templates", "Image pull: set up many clusters")
    assert (template["job_slice_count"], template["forks"]) == (4, 10)
    assert len(awx.related[f"job_templates/{template['id']}/credentials"]) == 2

    approvals = []
    for name, timeout, order in WORKFLOWS:
        workflow = awx.named("workflow_job_templates", name)
        every = awx.objects["workflow_job_template_nodes"].values()
        nodes = {one["identifier"]: one for one in every if one["workflow_job_template"] == workflow["id"]}
        approvals.append(awx.objects["workflow_approval_templates"][nodes["approve"]["unified_job_template"]])
        assert approvals[-1]["timeout"] == timeout
        for before, after in pairwise(order):
            next_nodes = awx.related[f"workflow_job_template_nodes/{nodes[before]['id']}/success_nodes"]
            assert next_nodes == [nodes[after]["id"]]

    # Nobody can give a job free variables.
    assert awx.settings == {"BULK_JOB_MAX_LAUNCH": 0}
    for endpoint in ("job_templates", "workflow_job_templates"):
        for one in awx.objects[endpoint].values():
            prompts = ("variables", "inventory", "limit", "scm_branch", "tags", "skip_tags")
            assert [one[f"ask_{prompt}_on_launch"] for prompt in prompts] == [False] * len(prompts), one["name"]
    key = awx.named("credentials", "Image pull: seal of plans")["inputs"]["key"]
    assert re.fullmatch("[A-Za-z0-9]{64}", key) and key not in output

    # A user pastes the secret and adds a node to a group, which AWX keeps in this list. The next run leaves both unchanged.
    credential = awx.named("credentials", "Image pull: cluster")
    credential["inputs"]["bearer_token"] = "pasted"
    zone = awx.named("instance_groups", "image-pull-east")
    zone["policy_instance_list"] = ["node-1"]
    awx.writes.clear()
    status, output, stats = apply(awx, "-vvv")
    assert status == 0, output[-3000:]
    assert awx.named("credentials", "Image pull: seal of plans")["inputs"]["key"] == key
    # awx.awx compares an approval with fields that it does not have, and so writes it again unchanged.
    assert awx.writes == [f"PATCH workflow_approval_templates/{approval['id']}" for approval in approvals]
    assert stats["changed"] == 1
    assert awx.named("credentials", "Image pull: cluster")["inputs"]["bearer_token"] == "pasted"
    assert zone["policy_instance_list"] == ["node-1"]


def test_the_project_and_the_execution_environment_get_their_credentials(awx: Awx) -> None:
    kind = next(iter(awx.objects["credential_types"]))
    git, images = (awx.create("credentials", {"name": name, "credential_type": kind}) for name in ("Git", "Images"))
    status, output, _stats = apply(
        awx, "-e", "awx_project_credential=Git", "-e", "awx_execution_environment_credential=Images"
    )
    assert status == 0, output[-3000:]
    assert awx.named("projects", "Image pull")["credential"] == git["id"]
    assert awx.named("execution_environments", "Image pull")["credential"] == images["id"]


def test_the_commands_of_the_guide_configure_awx(tmp_path: Path) -> None:
    """A user with ansible-core and no collection runs them for a controller behind a gateway."""
    guide = (ROOT / "docs" / "docsite" / "rst" / "awx.rst").read_text()
    install, copy, export, run = re.findall(
        r"^ +\$ ((?:ansible-galaxy|cp|export|ansible-playbook) .*)$", guide, re.MULTILINE
    )[:4]
    (prefix,) = re.findall(r"``(CONTROLLER_\w+_PREFIX=\S+)``", guide)
    galaxy = BIN / "ansible-galaxy"
    subprocess.run([galaxy, "collection", "build", ROOT, "--output-path", tmp_path], check=True, capture_output=True)
    (tarball,) = tmp_path.glob("*.tar.gz")
    # Local copies replace Galaxy: the tarball of this checkout, and awx.awx from PyPI's package ansible.
    install = install.replace("openshift_ops.image_pull", f"{tarball} --offline").replace(" awx.awx", "")
    words = install.split()
    collections = words[words.index("-p") + 1] if "-p" in words else ".ansible/collections"
    theirs = tmp_path / collections / "ansible_collections" / "awx" / "awx"
    shutil.copytree(Path(importlib.import_module("ansible_collections.awx.awx").__path__[0]), theirs)
    with running("/api/controller") as awx:
        export = export.replace("https://awx.example.com", awx.url).replace("...", "canary-of-the-controller")
        script = "\n".join(("set -e", install, copy, export, f"export {prefix}", run))
        environment = {
            "HOME": str(tmp_path),
            "PATH": f"{BIN}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
        }
        done = subprocess.run(
            ["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        assert awx.named("schedules", "Image pull: audit every Monday")["enabled"]


#: One template, without objects that need another template.
FEW = (
    "-e",
    json.dumps(
        {
            "controller_templates": configuration()["controller_templates"][:1],
            **{f"controller_{kind}": [] for kind in ("workflows", "schedules", "inventory_sources")},
        }
    ),
)


def test_a_check_run_writes_nothing(awx: Awx) -> None:
    """Before the first run, it reports the objects that this run will create. Afterwards, it compares everything."""
    status, output, stats = apply(awx, "--check")
    assert (status, awx.writes, stats["changed"]) == (0, [], 1), output[-3000:]
    # A setting always exists.
    kinds = [name for name in configuration() if name.startswith("controller_") and name != "controller_settings"]
    every = [one["name"] for kind in kinds for one in configuration()[kind]]
    assert [name for name in every if name not in output] == []
    assert apply(awx, *FEW)[0] == 0
    awx.writes.clear()
    status, output, stats = apply(awx, "--check", *FEW)
    assert (status, awx.writes, stats["changed"]) == (0, [], 0), output[-3000:]


def test_a_project_whose_first_update_failed_is_updated_by_the_next_run(awx: Awx) -> None:
    awx.failing_updates = 1
    status, output, _stats = apply(awx, *FEW)
    assert status != 0
    assert "Project update failed" in output
    status, output, _stats = apply(awx, *FEW)
    assert status == 0, output[-3000:]
    assert awx.objects["job_templates"]


def test_a_configuration_that_awx_refuses_fails_the_run(awx: Awx, tmp_path: Path) -> None:
    broken = tmp_path / "awx"
    shutil.copytree(EXTENSION, broken)
    path = broken / "configuration" / "credential_types.yml"
    path.write_text(path.read_text().replace("id: registry", "id: tower"))
    status, output, _stats = apply(awx, extension=broken)
    assert status != 0 and "'tower' is no id of a field" in output
