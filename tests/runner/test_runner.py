# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Site, teardown and rotate work as jobs of ansible-runner in AWX's directory layout.

Promise: with K8S_AUTH_* variables as the only connection the job works, its second run changes nothing, and no credential is in
any job event, in the output, in the artifacts or in the fact cache.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ansible_runner
import pytest
import yaml
from support.playbooks import LAB_INVENTORY, variables_file

ROOT = Path(__file__).parents[2]
LAYOUT = Path(__file__).parent / "private_data_dir"
PROJECTS = tuple(f"runner-project-{letter}" for letter in "abc")


@pytest.fixture
def private_data(lab: Any, tmp_path: Path) -> Path:
    """AWX's job directory: project/ and env/ from the repository, inventory/ with the lab's data, the connection in env/envvars."""
    directory = tmp_path / "job"
    shutil.copytree(LAYOUT, directory)
    generator = [sys.executable, LAB_INVENTORY, "--projects-prefix", "runner-"]
    generator += ["--lab-dir", lab.dir, "--lab-binary", lab.binary, "--output-dir", directory / "inventory"]
    subprocess.run(generator, check=True, capture_output=True)
    cluster = directory / "inventory" / "host_vars" / "lab" / "cluster.yml"
    variables = yaml.safe_load(cluster.read_text())
    del variables["image_pull_kubeconfig"]
    cluster.write_text(yaml.safe_dump(variables))
    environment = yaml.safe_load((directory / "env" / "envvars").read_text())
    environment["K8S_AUTH_KUBECONFIG"] = lab.kubeconfig
    environment["ANSIBLE_COLLECTIONS_PATH"] = str(collections_path(tmp_path))
    (directory / "env" / "envvars").write_text(yaml.safe_dump(environment))
    return directory


def make_projects(lab: Any) -> None:
    for project in PROJECTS:
        if lab.api("GET", f"/api/v1/namespaces/{project}", expect=(200, 404))["kind"] != "Namespace":
            lab.namespace(project)


def collections_path(directory: Path) -> Path:
    """A collections path that contains this checkout as the collection."""
    path = directory / "collections"
    link = path / "ansible_collections" / "openshift_ops" / "image_pull"
    link.parent.mkdir(parents=True)
    link.symlink_to(ROOT)
    return path


def run(private_data: Path, playbook: str, ident: str) -> Any:
    job = ansible_runner.run(
        private_data_dir=str(private_data), playbook=playbook, ident=ident, quiet=True, verbosity=4, cmdline="--diff"
    )
    assert job.status == "successful", job.stdout.read()
    return job


def credentials(lab: Any) -> Iterator[str]:
    """Every password of the lab, in plain form and in the forms of secrets and JSON."""
    for registry in lab.data["registries"].values():
        for account in registry.get("accounts", []):
            user, password = account["username"], account["password"]
            yield password
            yield json.dumps(password)[1:-1]
            yield json.dumps(password, ensure_ascii=False)[1:-1]
            yield base64.b64encode(password.encode()).decode()
            yield base64.b64encode(f"{user}:{password}".encode()).decode()
            yield password[: len(password) // 2]
            yield base64.b64encode(f"{user}:{password}".encode()).decode()[-40:]


def test_a_job_and_its_opposite_show_no_credential(lab: Any, private_data: Path) -> None:
    make_projects(lab)
    first = run(private_data, "site.yml", "first")
    assert first.stats["changed"] == {"lab": 1}
    assert run(private_data, "teardown.yml", "back").stats["changed"] == {"lab": 1}

    assert any("private-registry" in event for event in events_of(first))
    assert leaks(lab, private_data, first) == set()


@pytest.mark.slow
def test_a_job_is_idempotent(lab: Any, private_data: Path) -> None:
    make_projects(lab)
    for playbook in ("site.yml", "teardown.yml"):
        assert run(private_data, playbook, f"first-{playbook}").stats["changed"] == {"lab": 1}
        assert run(private_data, playbook, f"second-{playbook}").stats["changed"] == {}


@pytest.mark.slow
def test_a_rotation_from_a_survey_shows_no_credential(lab: Any, private_data: Path) -> None:
    make_projects(lab)
    run(private_data, "site.yml", "site")
    registry = lab.registry("private")
    first, second = ({"username": one["username"], "password": one["password"]} for one in registry["accounts"])
    survey = {
        "credential_rotation_registries": [registry["host"]],
        "credential_rotation_old": first,
        "credential_rotation_new": second,
        "credential_rotation_registry_ca_cert": lab.data["ca_cert"],
        "credential_rotation_probe": False,
    }
    (private_data / "env" / "extravars").write_text(variables_file(survey))
    jobs = [run(private_data, "rotate.yml", "there")]
    assert jobs[0].stats["changed"] == {"lab": 1}
    assert run(private_data, "rotate.yml", "again").stats["changed"] == {}
    (private_data / "env" / "extravars").write_text(variables_file({**survey, "credential_rotation_rollback": True}))
    jobs.append(run(private_data, "rotate.yml", "back"))
    assert leaks(lab, private_data, *jobs) == set()
    (private_data / "env" / "extravars").unlink()
    run(private_data, "teardown.yml", "teardown")


def events_of(job: Any) -> list[str]:
    return [json.dumps(event, ensure_ascii=False) for event in job.events]


def leaks(lab: Any, private_data: Path, *jobs: Any) -> set[str]:
    """The artifacts and events that contain a credential."""
    files = [path for path in (private_data / "artifacts").rglob("*") if path.is_file()]
    assert any("job_events" in path.parts for path in files)
    texts = {str(path): path.read_text(encoding="utf-8") for path in files}
    texts["events"] = "\n".join(event for job in jobs for event in events_of(job))
    return {name for name, text in texts.items() for credential in credentials(lab) if credential in text}
