# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rulebook works as in a controller for Event-Driven Ansible: login in the environment, ansible-rulebook filters at the source."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab, pull_names
from support.playbooks import ROOT, forms, leaks
from support.rulebooks import running

pytestmark = pytest.mark.slow

SHIPPED = ROOT / "extensions/eda/rulebooks/new_namespaces.yml"
PASSWORD = "Kx7-correct-horse-battery"
ENTRY = {
    "name": "pulls",
    "namespace_selector": {"include": ["eda-*"]},
    "registries": [{"registry": "registry.example.com", "username": "developer", "password": PASSWORD}],
}
#: All event fields that the rules use.
FIELDS = ["type", "count", "namespaces", "state", "cluster", "kind", "missing", "message"]
FILTERS = [
    {"eda.builtin.json_filter": {"include_keys": FIELDS, "exclude_keys": ["*"]}},
    {"eda.builtin.dashes_to_underscores": None},
    {"eda.builtin.normalize_keys": None},
]
RIGHTS: dict[str, list[str]] = {
    "namespaces": ["get", "list", "watch"],
    "serviceaccounts": ["get", "list", "watch", "patch"],
    "secrets": ["get", "list", "watch"],
}
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/eda"


def role(**more: list[str]) -> dict[str, Any]:
    rules = [{"apiGroups": [""], "resources": [name], "verbs": verbs} for name, verbs in {**RIGHTS, **more}.items()]
    return {"metadata": {"name": "eda"}, "rules": rules}


def token_of_the_source(lab: Lab) -> str:
    """A token of an account that is not allowed to create secrets yet."""
    lab.create("default", "serviceaccounts", {"metadata": {"name": "eda"}})
    lab.api("POST", ROLE.rpartition("/")[0], role())
    binding = {
        "metadata": {"name": "eda"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "eda"},
        "subjects": [{"kind": "ServiceAccount", "name": "eda", "namespace": "default"}],
    }
    lab.api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)
    asked = lab.api("POST", "/api/v1/namespaces/default/serviceaccounts/eda/token", {"spec": {}})
    token: str = asked["status"]["token"]
    return token


def rulebook(path: Path) -> str:
    """The shipped rulebook with filters, and with a short interval for repeated events."""
    (ruleset,) = yaml.safe_load(SHIPPED.read_text())
    (source,) = ruleset["sources"]
    options = next(value for name, value in source.items() if name.endswith("pull_access_objects"))
    options.update(resync_seconds=10, repeat_seconds=10)
    source["filters"] = FILTERS
    for rule in ruleset["rules"]:
        rule["action"].get("run_playbook", {}).update(retries=0)
    path.write_text(yaml.safe_dump([ruleset]))
    return str(path)


def inventory(path: Path) -> Path:
    host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    path.write_text(yaml.safe_dump({"all": {"hosts": {"lab": host}, "vars": {"private_registry_secrets": [ENTRY]}}}))
    return path


def test_a_failed_run_with_the_login_of_the_environment_is_repeated_until_done(
    lab_factory: Any, tmp_path: Path
) -> None:
    """The failed run is repeated until it succeeds. After that, nothing is written again."""
    lab = lab_factory("--no-registries")
    token = token_of_the_source(lab)
    environment = {
        "K8S_AUTH_HOST": lab.data["server"],
        "K8S_AUTH_API_KEY": token,
        "K8S_AUTH_VERIFY_SSL": "True",
        "K8S_AUTH_SSL_CA_CERT": lab.data["ca_cert"],
    }
    lab.namespace("eda-first")
    audit = lab.audit()
    with running(
        rulebook(tmp_path / "rulebook.yml"), inventory(tmp_path / "hosts.yml"), tmp_path / "log", environment
    ) as found:
        found.until(lambda: "create on secrets" in found.output, "a run fails for a right that is missing")
        assert {*found.events[-1]} <= {*FIELDS, "meta"}
        lab.api("PATCH", ROLE, {"rules": role(secrets=[*RIGHTS["secrets"], "create", "patch"])["rules"]})
        lab.namespace("eda-second")
        for name in ("eda-first", "eda-second"):
            found.until(lambda name=name: "pulls" in pull_names(lab.account(name)), f"{name} is served")
        told = found.told().count("eda-first")
        found.until(lambda: found.told().count("eda-first") > told + 1, "it is told again")
    assert leaks(found.output, forms(PASSWORD, token)) == []
    done = [event for event in audit.ours() if event["responseStatus"]["code"] < 300]
    requests = Counter(
        (event["verb"], event["objectRef"]["resource"], event["objectRef"].get("namespace")) for event in done
    )
    writes = {
        request: times for request, times in requests.items() if request[0] in ("create", "patch", "update", "delete")
    }
    places = [("create", "secrets"), ("patch", "serviceaccounts")]
    assert writes == {(*what, name): 1 for what in places for name in ("eda-first", "eda-second")}
