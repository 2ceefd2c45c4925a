# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role private_registry passes the options for existing secrets to pull_secret."""

from __future__ import annotations

import json

import yaml
from support.objects import b64
from support.playbooks import COLLECTION, play

DOCKERCONFIGJSON = "kubernetes.io/dockerconfigjson"


def test_the_role_merges_chosen_entries_into_a_secret_of_a_dead_type(lab, namespaces, tmp_path):
    one, two = namespaces(2)
    login = {"auth": b64(b"alice:Secret-1")}
    old = b64({"auths": {"old.io": login}})
    podman = {"metadata": {"name": "pull"}, "type": "kubernetes.io/podmanconfigjson", "data": {"auth.json": old}}
    lab.create(one, "secrets", podman)
    kept = lab.create(two, "secrets", {**podman, "metadata": {"name": "kept"}})
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"auths": {"quay.io/team": login, "mine.io": {}}, "credsStore": "desktop"}))
    common = {"auth_file": str(file), "include": ["quay.io/*"], "service_accounts": []}
    asked = {
        "mode": "merge",
        "recreate": True,
        "labels": {"team": "a"},
        "annotations": {"note": "b"},
        "immutable": True,
    }
    entries = [
        {"name": "pull", "namespaces": [one], **common, **asked},
        {"name": "kept", "namespaces": [two], **common, "update_existing": False},
    ]
    book = [
        {
            "name": "Options",
            "hosts": "localhost",
            "connection": "local",
            "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
            "gather_facts": False,
            "roles": [{"role": f"{COLLECTION}.private_registry", "vars": {"private_registry_secrets": entries}}],
        }
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(book))
    runs = [play(tmp_path / "play.yml", "localhost,", K8S_AUTH_KUBECONFIG=lab.kubeconfig) for _run in range(2)]
    assert [(run.status, run.recap["changed"]) for run in runs] == [(0, 1), (0, 0)], runs[0].output
    secret = lab.get(one, "secrets", "pull")
    assert (secret["type"], secret["immutable"]) == (DOCKERCONFIGJSON, True)
    assert secret["metadata"]["labels"]["team"] == "a"
    assert secret["metadata"]["annotations"] == {"note": "b"}
    assert sorted(lab.entries(one, "pull")) == ["old.io", "quay.io/team"]
    assert lab.get(two, "secrets", "kept") == kept
    assert "Secret-1" not in runs[0].output
