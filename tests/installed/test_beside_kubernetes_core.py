# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection, installed from its tarball, works in one playbook with kubernetes.core. Run by tests/tools/tarball.py."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from support.playbooks import COLLECTION, play

PLAYBOOK = """\
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/openshift_ops.image_pull.k8s:
      kubeconfig: "{{ the_kubeconfig }}"
  tasks:
    - kubernetes.core.k8s:
        definition:
          apiVersion: v1
          kind: ServiceAccount
          metadata: {name: builder-of-apps, namespace: "{{ the_namespace }}"}
    - openshift_ops.image_pull.pull_secret:
        name: private-registry
        namespaces: ["{{ the_namespace }}"]
        registries:
          - registry: registry.example.com
            username: robot
            password: not-a-real-password
    - openshift_ops.image_pull.sa_link:
        namespaces: ["{{ the_namespace }}"]
        secrets: [private-registry]
        service_accounts: [builder-of-apps]
    - kubernetes.core.k8s_info:
        kind: ServiceAccount
        name: builder-of-apps
        namespace: "{{ the_namespace }}"
      register: account
    - ansible.builtin.assert:
        that: "{'name': 'private-registry'} in account.resources[0].imagePullSecrets"
"""


def listed(collection: str) -> list[str]:
    """The folders in which Ansible finds a collection."""
    command = ["ansible-galaxy", "collection", "list", collection, "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [path for path, held in json.loads(done.stdout).items() if collection in held]


def test_the_installed_collection_is_the_only_one() -> None:
    installed = Path(os.environ["IMAGE_PULL_INSTALLED"])
    assert listed(COLLECTION) == [str(installed.parents[1])]
    assert (installed / "MANIFEST.json").is_file()
    assert not (installed / "tests" / "unit").exists()


def test_the_same_connection_settings_serve_both_collections(lab, namespace: str, tmp_path: Path) -> None:
    playbook, inventory = tmp_path / "both.yml", tmp_path / "hosts.yml"
    playbook.write_text(PLAYBOOK)
    hosts = {"localhost": {"ansible_connection": "local"}}
    values = {"the_kubeconfig": str(lab.kubeconfig), "the_namespace": namespace}
    inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": values}}))
    done = play(playbook, inventory)
    assert done.status == 0, done.output
    assert done.recap["changed"] == 3
