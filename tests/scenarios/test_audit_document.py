# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of pull_access_audit matches the published schema, and the playbook prints no credential."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from support.audited import SCENARIOS, Scene
from support.lab import Lab
from support.playbooks import forms, leaks, play

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "plugins/plugin_utils/pull_report/audit.schema.json").read_text(encoding="utf-8")
)
CANARY, KEY = "canary-of-a-playbook", "canary-of-the-key-of-a-run"
#: Rules that together produce findings of most kinds, copies of logins, and grants.
TOGETHER = (
    "secret-type-unread", "secret-unparsable", "secret-key-never-matches", "credential-expires", "pod-secret-missing",
    "grant-to-everybody", "grant-dead-subject", "stream-import-fails", "workload-cannot-pull",
)  # fmt: skip


@pytest.fixture
def scenes(lab: Lab, namespaces: Callable[..., list[str]]) -> list[str]:
    names: list[str] = []
    for rule in TOGETHER:
        own = namespaces(2)
        SCENARIOS[rule](Scene(lab, own))
        names += own
    it = Scene(lab, namespaces(1))
    it.secret({it.host: it.entry(CANARY)})
    return [*names, it.name]


@pytest.mark.parametrize("verbosity", [(), ("-vvv",)], ids=["quiet", "verbose"])
def test_the_audit_document_fits_the_schema_and_contains_no_credential(
    lab: Lab, tmp_path: Path, scenes: list[str], verbosity: tuple[str, ...]
) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    hosts = tmp_path / "hosts.yml"
    hosts.write_text(yaml.dump({"all": {"hosts": {"east": {"ansible_connection": "local"}}}}))
    options = {
        "kubeconfig": lab.kubeconfig,
        "cluster_name": "{{ inventory_hostname }}",
        "namespaces": scenes,
        "target_version": "5.0",
        "search_credential": {"password": CANARY},
        "fingerprint_key": KEY,
        "dest": "audit.json",
    }
    audit = {"openshift_ops.image_pull.pull_access_audit": options, "register": "found"}
    shown = {"ansible.builtin.debug": {"var": "found"}}
    book = tmp_path / "audit.yml"
    book.write_text(yaml.dump([{"hosts": "all", "gather_facts": False, "tasks": [audit, shown]}]))
    done = play(book, hosts, *verbosity, cwd=tmp_path).succeeded()
    assert done.recap["changed"] == 1
    path = tmp_path / "audit.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    document = json.loads(path.read_text(encoding="utf-8"))
    assert list(Draft202012Validator(SCHEMA).iter_errors(document)) == []
    (cluster,) = document["clusters"]
    assert (cluster["name"], cluster["server"]) == ("east", lab.data["server"])
    assert {"secret-unparsable", "credential-found", "grant-dead-subject"} <= {
        each["rule"] for each in cluster["findings"]
    }
    assert {each["rule"] for each in cluster["findings"]} <= set(document["rules"])
    assert len({each["id"] for each in cluster["findings"]}) == len(cluster["findings"])
    assert cluster["logins"]
    secrets = forms(CANARY, lab.registry("private")["accounts"][1]["username"]) | {KEY}
    assert leaks(done.output + path.read_text(encoding="utf-8"), secrets) == []
