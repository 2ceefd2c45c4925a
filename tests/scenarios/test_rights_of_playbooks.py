# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each playbook succeeds with the kubeconfig of an account that the playbook automation_account created for its jobs."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import RIGHTS_PAGE
from support.job_runs import Stage
from support.lab import Lab
from support.modules import run_module
from support.playbooks import Play, lab_inventory, play, variables_file

HOME = "automation"
PREFIX = "rights-"
PROJECTS = [f"{PREFIX}project-{letter}" for letter in "abcd"]
SITE = ("secrets", "links", "grants", "wait")
#: The jobs of each playbook, as listed on the documentation page about rights.
JOBS: Mapping[str, Sequence[str]] = {
    "site": SITE,
    "export": ("export",),
    "explain": ("explain", "nodes_secret"),
    "audit": ("audit", "nodes_secret", *SITE),
    "images": ("images", "nodes_secret"),
    "what-if": ("what_if", "nodes_secret"),
    "rotate": ("rotation", "namespace_selector", "import", "global_pull_secret"),
    "nodes": ("global_pull_secret",),
    "prune": ("prune",),
}
#: Playbooks that make little sense in single namespaces.
EVERYWHERE = ("rotate", "prune")


@pytest.fixture(scope="module")
def lab(lab_factory: Callable[..., Lab]) -> Lab:
    found = lab_factory("--platform", "standalone")
    for name in (HOME, *PROJECTS):
        found.namespace(name)
    return found


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("accounts")


@pytest.fixture(scope="module")
def making(lab: Lab, directory: Path) -> Path:
    """An inventory with a host for each account, all on the same cluster."""
    hosts = {
        name: {
            "automation_account_name": name,
            "automation_account_jobs": [*jobs],
            "automation_account_kubeconfig": str(directory / f"{name}.kubeconfig"),
            "automation_account_everywhere": name in EVERYWHERE,
            **({} if name in EVERYWHERE else {"automation_account_namespaces": PROJECTS}),
        }
        for name, jobs in JOBS.items()
    }
    common = {
        "image_pull_kubeconfig": lab.kubeconfig,
        "automation_account_namespace": HOME,
        "automation_account_token_seconds": 3600,
    }
    inventory = directory / "accounts.yml"
    inventory.write_text(yaml.dump({"all": {"hosts": hosts, "vars": common}}))
    return inventory


@pytest.fixture(scope="module")
def accounts(making: Path, directory: Path) -> Callable[[str], str]:
    """Return the kubeconfig of an account."""
    made = play("automation_account", making, "-vvv").succeeded()
    for name in JOBS:
        file = directory / f"{name}.kubeconfig"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert yaml.safe_load(file.read_text())["users"][0]["user"]["token"] not in made.output
    return lambda name: str(directory / f"{name}.kubeconfig")


@pytest.fixture(scope="module")
def inventory(lab: Lab, directory: Path) -> Path:
    return lab_inventory(lab, directory / "inventory", "--projects-prefix", PREFIX, "--lab-binary", str(lab.binary))


def well(done: Play, *, changed: bool | None = None) -> Play:
    """Check that the run succeeded and reported no missing right."""
    assert done.status == 0, done.output
    assert RIGHTS_PAGE not in done.output, done.output
    if changed is not None:
        assert bool(done.recap["changed"]) is changed, done.output
    return done


def as_account(kubeconfig: str) -> tuple[str, str]:
    return ("-e", f"image_pull_kubeconfig={kubeconfig}")


@pytest.mark.slow
def test_site_and_teardown_work_with_the_rights_of_their_job(inventory: Path, accounts: Callable[[str], str]) -> None:
    login = as_account(accounts("site"))
    well(play("site", inventory, "--check", *login), changed=True)
    well(play("site", inventory, *login), changed=True)
    well(play("site", inventory, *login), changed=False)
    well(play("teardown", inventory, *login), changed=True)


@pytest.mark.slow
def test_export_works_with_the_rights_of_its_job(
    inventory: Path, accounts: Callable[[str], str], tmp_path: Path
) -> None:
    variables = {
        "image_pull_export_namespaces": PROJECTS,
        "image_pull_export_dest": str(tmp_path),
        "image_pull_export_credentials": "placeholder",
    }
    well(play("export", inventory, *as_account(accounts("export")), "-e", json.dumps(variables)))


@pytest.mark.slow
def test_explain_works_with_the_rights_of_its_job(lab: Lab, inventory: Path, accounts: Callable[[str], str]) -> None:
    lab.pod(PROJECTS[0], "explained", lab.registry("private")["image"])
    pod = ("-e", f"pod={PROJECTS[0]}/explained")
    well(play("explain", inventory, *as_account(accounts("explain")), *pod))


@pytest.mark.slow
def test_audit_works_with_the_rights_of_its_job(
    inventory: Path, accounts: Callable[[str], str], tmp_path: Path
) -> None:
    variables = {"pull_access_audit_namespaces": PROJECTS, "pull_access_audit_directory": str(tmp_path)}
    well(play("audit", inventory, *as_account(accounts("audit")), "-e", json.dumps(variables)))
    (found,) = json.loads((tmp_path / "pull-access.json").read_text())["clusters"]
    assert found["unreadable"] == []


@pytest.mark.slow
def test_what_if_works_with_the_rights_of_its_job(lab: Lab, inventory: Path, accounts: Callable[[str], str]) -> None:
    lab.pod(PROJECTS[0], "supposed", lab.registry("private")["image"])
    variables = {"pull_access_what_if_namespaces": PROJECTS, "remove_secret": "team-registry"}
    well(play("what_if", inventory, *as_account(accounts("what-if")), "-e", json.dumps(variables)), changed=False)


@pytest.mark.slow
def test_rotate_works_with_the_rights_of_its_job(lab: Lab, accounts: Callable[[str], str], tmp_path: Path) -> None:
    stage = Stage(lab, run_module, PROJECTS[:2])
    stage.secret("rotated", stage.login(0), stage.host)
    variables = {
        "image_pull_kubeconfig": accounts("rotate"),
        "credential_rotation_registries": [stage.host],
        "credential_rotation_old": stage.login(0),
        "credential_rotation_new": stage.login(1),
        "credential_rotation_secrets": [{"namespaces": PROJECTS[:2], "name": "rotated"}],
        "credential_rotation_registry_ca_cert": lab.data["ca_cert"],
        "credential_rotation_probe": False,  # no pods run here, tests/modules/test_rights.py covers the probe
    }
    (tmp_path / "hosts.yml").write_text(variables_file({"all": {"hosts": {"east": variables}}}))
    well(play("rotate", tmp_path / "hosts.yml", cwd=tmp_path), changed=True)
    well(play("rotate", tmp_path / "hosts.yml", cwd=tmp_path), changed=False)


@pytest.mark.slow
def test_the_guard_of_rotate_lists_what_its_account_may_not_read(
    lab: Lab, accounts: Callable[[str], str], tmp_path: Path
) -> None:
    stage = Stage(lab, run_module, PROJECTS[2:])
    stage.secret("guarded", stage.login(0), stage.host)
    (tmp_path / "retire.yml").write_text("- ansible.builtin.fail: {msg: the retirement begins}\n")
    variables = {
        "image_pull_kubeconfig": accounts("rotate"),
        "credential_rotation_registries": [stage.host],
        "credential_rotation_old": stage.login(0),
        "credential_rotation_new": stage.login(1),
        "credential_rotation_secrets": [{"namespaces": PROJECTS[2:], "name": "guarded"}],
        "credential_rotation_registry_ca_cert": lab.data["ca_cert"],
        "credential_rotation_probe": False,
        "credential_rotation_nodes": False,
        "credential_rotation_soak_seconds": 0,
        "credential_rotation_allow": ["remaining"],
        "credential_rotation_guard": "what_if",
        "credential_rotation_retire_tasks": str(tmp_path / "retire.yml"),
    }
    (tmp_path / "hosts.yml").write_text(variables_file({"all": {"hosts": {"east": variables}}}))
    output = play("rotate", tmp_path / "hosts.yml", cwd=tmp_path).text
    before, begins, _after = output.partition("the retirement begins")
    assert begins, output
    listed = re.search(
        r"can be missed, because the caller may not read (.*?)\. With credential_rotation_guard, an", before
    )
    assert listed, output
    assert "nodes" in listed[1].split(", ")
    # One sentence for all lists. Pods of other tests that are not known have reasons of their own.
    assert before.count("can be missed, because the caller may not read") == 1, output
    assert "could not be read: the caller may not" not in before, output
    assert "the rights of the jobs rotation and what_if" in before
    assert "Not read (sentences: " not in before


@pytest.mark.slow
def test_global_pull_secret_works_with_the_rights_of_its_job(
    lab: Lab, accounts: Callable[[str], str], tmp_path: Path
) -> None:
    login = {"registry": "registry.example.com", "username": "robot", "password": "Canary-nodes-9"}
    variables: dict[str, Any] = {
        "image_pull_kubeconfig": accounts("nodes"),
        "global_pull_secret_registries": [login],
        "global_pull_secret_wait_timeout": 60,
    }
    (tmp_path / "hosts.yml").write_text(variables_file({"all": {"hosts": {"east": variables}}}))
    well(play("global_pull_secret", tmp_path / "hosts.yml"), changed=True)
    well(play("global_pull_secret", tmp_path / "hosts.yml"), changed=False)


@pytest.mark.slow
def test_global_pull_secret_works_on_a_hosted_cluster_with_the_rights_of_its_job(
    lab_factory: Callable[..., Lab], tmp_path: Path
) -> None:
    hosted = lab_factory("--platform", "hosted", "--no-registries")
    hosted.namespace(HOME)
    kubeconfig = tmp_path / "account.kubeconfig"
    account = {
        "image_pull_kubeconfig": hosted.kubeconfig,
        "automation_account_namespace": HOME,
        "automation_account_jobs": ["hosted_pull_secret"],
        "automation_account_token_seconds": 3600,
        "automation_account_kubeconfig": str(kubeconfig),
    }
    (tmp_path / "accounts.yml").write_text(yaml.dump({"all": {"hosts": {"east": account}}}))
    well(play("automation_account", tmp_path / "accounts.yml", "--check"), changed=True)
    assert not kubeconfig.exists()
    well(play("automation_account", tmp_path / "accounts.yml"), changed=True)
    login = {"registry": "registry.example.com", "username": "robot", "password": "Canary-nodes-9"}
    variables = {"image_pull_kubeconfig": str(kubeconfig), "global_pull_secret_wait_timeout": 60}
    given = {**variables, "global_pull_secret_registries": [login]}
    (tmp_path / "hosts.yml").write_text(variables_file({"all": {"hosts": {"east": given}}}))
    well(play("global_pull_secret", tmp_path / "hosts.yml", "--check"), changed=True)
    well(play("global_pull_secret", tmp_path / "hosts.yml"), changed=True)
    well(play("global_pull_secret", tmp_path / "hosts.yml"), changed=False)
    gone = {**variables, "global_pull_secret_remove": [login["registry"]]}
    (tmp_path / "hosts.yml").write_text(variables_file({"all": {"hosts": {"east": gone}}}))
    well(play("global_pull_secret", tmp_path / "hosts.yml"), changed=True)


@pytest.mark.slow
def test_prune_works_with_the_rights_of_its_job(lab: Lab, accounts: Callable[[str], str]) -> None:
    login = {"registry": "quay.io", "username": "robot", "password": "Canary-prune-9"}
    secrets = [{"name": name, "namespaces": PROJECTS[:2], "registries": [login]} for name in ("kept", "gone")]
    made = run_module("pull_secret", kubeconfig=lab.kubeconfig, owner="team", secrets=secrets)
    assert not made["failed"], made["msg"]
    done = run_module(
        "pull_access_prune",
        kubeconfig=accounts("prune"),
        owner="team",
        secrets=secrets[:1],
        links=[],
        grants=[],
        max_prune="100%",
    )
    assert not done["failed"], done["msg"]
    assert [done["prune"][kind]["removed"] for kind in ("secrets", "links")] == [2, 0]
    assert RIGHTS_PAGE not in json.dumps(done.get("warnings"))


def test_a_missing_right_is_reported_with_the_fix(lab: Lab, accounts: Callable[[str], str], inventory: Path) -> None:
    done = play("site", inventory, *as_account(accounts("export"))).failed()
    assert "Give the caller that right, " in done.output
    assert RIGHTS_PAGE in done.output


def test_the_playbook_writes_the_objects_to_a_file_for_an_administrator(making: Path, directory: Path) -> None:
    """The last two tests remove all accounts, so they are at the end of this file."""
    file = directory / "objects.yml"
    play("automation_account", making, "--limit", "site", "-e", f"automation_account_manifests={file}").succeeded()
    kinds = [each["kind"] for each in yaml.safe_load_all(file.read_text())]
    assert kinds[0] == "ServiceAccount"
    assert kinds.count("RoleBinding") == len(PROJECTS) + 1


@pytest.mark.slow
def test_state_absent_removes_all_roles_and_bindings(lab: Lab, making: Path) -> None:
    play(
        "automation_account",
        making,
        "--check",
        "-e",
        "automation_account_token_seconds=0",
        "-e",
        "automation_account_kubeconfig=",
    ).succeeded().unchanged()
    play("automation_account", making, "-e", "automation_account_state=absent").succeeded()
    for kind in ("clusterroles", "clusterrolebindings", "rolebindings"):
        found = lab.api("GET", f"/apis/rbac.authorization.k8s.io/v1/{kind}")["items"]
        assert [each["metadata"]["name"] for each in found if each["metadata"]["name"].startswith("image-pull:")] == []
