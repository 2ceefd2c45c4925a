# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The site playbook runs with the settings for ansible-navigator, and leaves no files behind."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
SETTINGS = ROOT / "extensions" / "execution_environment" / "ansible-navigator.yml"
PASSWORD = "canary-of-navigator"


def navigate(directory: Path, *options: str, **variables: str) -> str:
    command = [
        Path(sys.executable).parent / "ansible-navigator",
        "run",
        "openshift_ops.image_pull.site",
        "-i",
        "inventory.yml",
    ]
    # Without a container, because no image is available. All other options come from the settings.
    done = subprocess.run(
        [*command, "--execution-environment", "false", *options],
        cwd=directory,
        env={**os.environ, "ANSIBLE_NAVIGATOR_CONFIG": str(SETTINGS), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout + done.stderr


def test_the_site_playbook_runs_with_the_settings(lab: Any, namespace: str, tmp_path: Path) -> None:
    auth = base64.b64encode(f"user:{PASSWORD}".encode()).decode()
    (tmp_path / "auth.json").write_text(f'{{"auths": {{"registry.example.com": {{"auth": "{auth}"}}}}}}')
    secret = {
        "name": "team-registry",
        "namespaces": [namespace],
        "auth_file": "{{ lookup('ansible.builtin.env', 'IMAGE_PULL_AUTH_FILE') }}",
    }
    common = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
        "private_registry_secrets": [secret],
    }
    (tmp_path / "inventory.yml").write_text(yaml.safe_dump({"all": {"hosts": {"cluster": {}}, "vars": common}}))
    variables = {"K8S_AUTH_KUBECONFIG": lab.kubeconfig, "IMAGE_PULL_AUTH_FILE": str(tmp_path / "auth.json")}
    first = navigate(tmp_path, **variables)
    second = navigate(tmp_path, "--check", "--diff", **variables)
    assert "changed=1 " in first and "changed=0 " in second
    assert set(lab.entries(namespace, "team-registry")) == {"registry.example.com"}
    left = sorted(path.name for path in tmp_path.iterdir() if path.name != "ansible-navigator.log")
    assert left == ["auth.json", "inventory.yml"]
    for text in (first, second):
        assert PASSWORD not in text and auth not in text


def test_the_settings_pass_the_environment_variables_of_the_credentials() -> None:
    passed = yaml.safe_load(SETTINGS.read_text())["ansible-navigator"]["execution-environment"][
        "environment-variables"
    ]["pass"]
    types = yaml.safe_load(
        (ROOT / "extensions" / "awx" / "configuration" / "credential_types.yml").read_text().replace("!unsafe", "")
    )["controller_credential_types"]
    injected = {name for one in types for name in one["injectors"]["env"] if not name.startswith("OCM_")}
    assert injected | {"K8S_AUTH_HOST", "K8S_AUTH_API_KEY", "K8S_AUTH_SSL_CA_CERT", "K8S_AUTH_VERIFY_SSL"} == set(
        passed
    )
