# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example inventory works with its passwords in a file that ansible-vault encrypted.

Promise: the instructions in the inventory's README work as written, and the output shows neither the passwords nor the vault's own.
"""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECTS = ("project-a", "project-b", "project-c")
VAULT_PASSWORD = "canary of the vault"
#: The values for the placeholders of vault.example.yml, in its order.
PASSWORDS = ("canary-1:{{ x }}", "canary-2 {% y %}'", "canary-3 é", "[canary-4]")


@pytest.fixture
def inventory(lab: Any, tmp_path: Path) -> Path:
    """A copy of the example with a vaulted file and with auth files of docker and podman."""
    directory = tmp_path / "inventory"
    shutil.copytree(ROOT / "playbooks" / "inventory", directory)
    clear = []
    passwords = iter(PASSWORDS)
    for line in (ROOT / "playbooks" / "vars" / "vault.example.yml").read_text().splitlines():
        name, placeholder, _text = line.partition(' !unsafe "')
        clear.append(f'{name} !unsafe "{next(passwords)}"' if placeholder else line)
    (tmp_path / "vault-password").write_text(VAULT_PASSWORD)
    vault = directory / "group_vars" / "all" / "vault.yml"
    vault.write_text("\n".join(clear) + "\n")
    command = ["ansible-vault", "encrypt", "--vault-password-file", tmp_path / "vault-password", vault]
    subprocess.run(command, check=True, capture_output=True)
    assert vault.read_text().startswith("$ANSIBLE_VAULT;")
    for tool in ("docker", "podman"):
        lab.run("login", "--dir", str(lab.dir), "--registry", "private", f"--{tool}", str(tmp_path / f"{tool}.json"))
    return directory


def play(lab: Any, inventory: Path, playbook: str) -> str:
    """Run a playbook. Return its output."""
    here = inventory.parent
    collection = here / "collections" / "ansible_collections" / "openshift_ops" / "image_pull"
    if not collection.exists():
        collection.parent.mkdir(parents=True)
        collection.symlink_to(ROOT)
    extra = {"docker_config_json": here / "docker.json", "podman_auth_json": here / "podman.json"}
    extra |= {"image_pull_kubeconfig": lab.kubeconfig, "image_pull_context": "lab"}
    command = ["ansible-playbook", f"openshift_ops.image_pull.{playbook}", "-i", inventory, "-vvvv", "--diff"]
    command += ["--vault-password-file", here / "vault-password"]
    command += [f"-e{name}={value}" for name, value in extra.items()]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(here / "collections")}
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


@pytest.mark.slow
def test_the_example_inventory_works_with_vaulted_passwords(lab: Any, inventory: Path) -> None:
    for project in PROJECTS:
        lab.namespace(project)
    try:
        output = play(lab, inventory, "site")
        stored = lab.entries("project-a", "quay") | lab.entries("project-c", "redhat-connect-sso")
        stored |= lab.entries("project-a", "team-registry")
        found = {base64.b64decode(entry["auth"]).decode().partition(":")[2] for entry in stored.values()}
        assert found == set(PASSWORDS)
        output += (second := play(lab, inventory, "site"))
        output += play(lab, inventory, "teardown")
        output += (fourth := play(lab, inventory, "teardown"))
    finally:
        for project in PROJECTS:
            lab.api("DELETE", f"/api/v1/namespaces/{project}")
    assert "changed=0 " in second and "changed=0 " in fourth
    for secret in (VAULT_PASSWORD, *PASSWORDS):
        assert secret not in output
        assert base64.b64encode(secret.encode()).decode() not in output
    assert "canary-" not in output
