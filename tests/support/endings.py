# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Produces the states in which a check of pulls ends: with modules on an API server in memory, and with the conditions of the roles."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.run import (
    from_options,
    write_report,
)
from ansible_collections.openshift_ops.image_pull.plugins.modules import pull_access_report
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.report_page import page_renderer

from support import audits
from support.certificates import loopback_certificate
from support.guarded_prunes import make_api, put_account, put_deployment, put_secret
from support.in_memory import in_memory
from support.rotations import decide
from support.scripted_pool import status_object
from support.templates import trusted

__all__ = [
    "Ending",
    "guarded",
    "guarded_nodes",
    "pruned",
    "reported",
    "retired",
    "rules_without_registries",
    "stated",
    "supposed",
]

ROLES = Path(__file__).parents[2] / "roles"
#: A port on which no registry answers.
SILENT = "127.0.0.9:1"
Json = dict[str, Any]


@dataclass(frozen=True)
class Ending:
    """Whether a check fails, and everything that it prints."""

    failed: bool
    text: str

    @classmethod
    def of(cls, result: Mapping[str, Any]) -> Ending:
        printed = [result.get("msg", ""), *result.get("warnings", ()), *result.get("text", ())]
        return cls(bool(result["failed"]), "\n".join(printed))

    @classmethod
    def of_step(cls, step: Mapping[str, Any]) -> Ending:
        return cls(bool(step["refusal"]), "\n".join(map(str, [*step["notes"], step["refusal"]])))


def _run(image: str, *, denied: str, module: str, **options: Any) -> Json:
    """Run a module that takes away the only secret of a deployment. `denied`: a kind of workloads that the caller may not list."""
    api = make_api("a")
    put_secret(api, "a", "pull", image.partition("/")[0])
    put_account(api, "a", "pull")
    put_deployment(api, "a", "web", image)
    if denied:
        api.fail(f"GET .*/{denied}", status_object(403, "Forbidden", "no right"), times=10**9)
        del api.objects["deployments", "a", "web"]
    with in_memory(api) as cluster:
        result = cluster.run(module, **options)
        return {**result, "left": (api.get("serviceaccounts", "a", "default") or {}).get("imagePullSecrets")}


def guarded(registry: str, guard: str, image: str, denied: str = "") -> Ending:
    """Remove the link with the guard."""
    access = {"registry_ca_cert": loopback_certificate(), "realm_hosts": [registry]}
    how = {"namespaces": ["a"], "secrets": ["pull"], "state": "absent", "guard": guard}
    result = _run(image, denied=denied, module="sa_link", **how, **access)
    assert bool(result["left"]) == result["failed"], "what fails is not removed, and the rest is"
    return Ending.of(result)


def guarded_nodes(registry: str, guard: str, image: str, denied: str = "") -> Ending:
    """Remove the registry from the pull secret of the nodes with the guard, as the role `global_pull_secret` does."""
    host, nodes = image.partition("/")[0], ("openshift-config", "pull-secret")
    api = make_api("a", nodes[0])
    put_secret(api, *nodes, host, "other.example.com")
    put_deployment(api, "a", "web", image)
    if denied:
        api.fail(f"GET .*/{denied}", status_object(403, "Forbidden", "no right"), times=10**9)
        del api.objects["deployments", "a", "web"]
    entry = {"title": "global_pull_secret_remove", "mode": "remove", "registries": [{"registry": host, "email": host}]}
    access = {"registry_ca_cert": loopback_certificate(), "realm_hosts": [registry]}
    how = {"name": nodes[1], "namespaces": [nodes[0]], "secrets": [entry], "guard": guard}
    with in_memory(api) as cluster:
        result = cluster.run("pull_secret", **how, **access)
    kept = base64.b64decode(api.get("secrets", *nodes)["data"][".dockerconfigjson"]).decode()
    assert (host in kept) == result["failed"], "what fails is not removed, and the rest is"
    return Ending.of(result)


def pruned(max_prune: str) -> Ending:
    """Remove everything of an owner, with a limit."""
    how = {"owner": "a", "secrets": [], "links": [], "grants": [], "prune_everything": True, "max_prune": max_prune}
    return Ending.of(_run(f"{SILENT}/team/app:v1", denied="", module="pull_access_prune", **how))


def rules_without_registries() -> Ending:
    """Audit without a question to a registry, and print the applied rules."""
    result = _run(f"{SILENT}/team/app:v1", denied="", module="pull_access_audit")
    return Ending(bool(result["failed"]), f"applied: {' '.join(result['audit']['rules'])}")


def supposed(registry: str, image: str, denied: str = "", **options: Any) -> Json:
    """Suppose that the secret is deleted, or other `changes`."""
    access = {
        "registry_ca_cert": loopback_certificate(),
        "realm_hosts": [registry],
        "registry_timeout": 1,
        "ask_registries": True,
    }
    changes = [{"remove_secrets": {"name": "pull"}}]
    return _run(image, denied=denied, module="pull_access_what_if", **{"changes": changes, **access, **options})


def reported(
    directory: Path, *, missing: bool = False, unreadable: tuple[str, ...] = (), rule: str = "", **options: Any
) -> Ending:
    """Create a report of one audit, with a finding of this rule."""
    found = [audits.finding(rule)] if rule else []
    source = directory / "audit.json"
    source.write_text(json.dumps(audits.document(audits.cluster("east", findings=found, unreadable=list(unreadable)))))
    lost = [{"name": "west", "error": "connection refused"}] if missing else []
    default = {name: spec.get("default") for name, spec in pull_access_report.MODULE.arguments.items()}
    wanted = from_options(
        {**default, "src": [str(source)], "missing": lost, "html": str(directory / "a.html"), **options}
    )
    return Ending.of({"failed": False, **write_report(wanted, page_renderer(), check_mode=False)})


def stated(role: str, file: str, **variables: Any) -> Ending:
    """Evaluate the conditions and messages of a file of tasks, over Ansible's own templating. A task that is not an assert prints only."""
    own = {
        part: yaml.safe_load((ROLES / role / part / "main.yml").read_text(encoding="utf-8"))
        for part in ("defaults", "vars")
    }
    templar = Templar(
        loader=DataLoader(),
        variables={**trusted({**own["defaults"], **own["vars"]}), "ansible_check_mode": False, **variables},
    )

    def holds(conditions: Any) -> bool:
        each = conditions if isinstance(conditions, list) else [conditions]
        return all(templar.template(trusted(f"{{{{ ({one}) | bool }}}}")) in (True, "True") for one in each)

    failed, texts = False, []
    for task in yaml.safe_load((ROLES / role / "tasks" / f"{file}.yml").read_text(encoding="utf-8")):
        checks, prints = task.get("ansible.builtin.assert"), task.get("ansible.builtin.debug")
        try:
            if not (checks or prints) or not holds(task.get("when", True)):
                continue
            if prints or not holds(checks["that"]):
                texts.append(templar.template(trusted(prints["msg"] if prints else checks["fail_msg"])))
                failed = failed or not prints
        except Exception as error:  # a task whose facts this state does not have
            if not any(part in str(error) for part in ("undefined", "has no attribute", "expects a dictionary")):
                raise
    return Ending(failed, "\n".join(map(str, texts)))


def retired(registry: str, image: str, guard: str, denied: str = "", *, verify: bool = True) -> Ending:
    """Judge the retirement of the login with the tasks of the rotation's guard."""
    result = supposed(registry, image, denied, ask_registries=verify)
    return Ending.of_step(decide("workloads", _supposed=result, guard=guard))
