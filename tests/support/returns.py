# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares results with the module's page: each member of a result, at any depth, must be in RETURN with its type."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

__all__ = ["FREE", "assert_documented", "misdescribed", "returned", "undocumented"]

PACKAGE = "ansible_collections.openshift_ops.image_pull.plugins.modules"
#: Members that any result may have: Ansible's own members, and members that the tests' runners add.
COMMON = {"_output", "changed", "deprecations", "diff", "exception", "failed", "invocation", "msg", "warnings"}
#: Members that AnsibleModule adds to a result with the path of a file.
OF_A_FILE = {"gid", "group", "mode", "owner", "size", "state", "uid"}
#: Values whose members the module's page does not name: they are names in the cluster, or described elsewhere.
FREE = {
    "declared_access": {"steps", "selectors"},  # results and options of other modules
    "pull_access_export": {
        "cross_project_pull_grants",  # a variable of a role, whose page describes it
        "private_registry_secrets",  # the same
        "namespaces.changes",  # always empty
    },
    "automation_account": {"manifests"},  # objects of Kubernetes
    "credential_rotation": {"namespaces.changes.registries.changed"},  # by registry
    "ocm_pull_secret_info": {"auth_config"},  # an auth file
    "pull_access_prune": {
        "guard.would_break.fix",  # tasks of a playbook
        "namespaces.changes.registries.changed",
        "prune.refused.registries.changed",
    },
    "pull_access_audit": {
        "audit.clusters",  # plugins/plugin_utils/pull_report/audit.schema.json describes it, and tests validate results against the schema
        "audit.rules",  # by the rule's id
        "counts.rules",  # by the rule's id
        "namespaces.changes",  # always empty
        "top_findings",  # as audit.clusters
    },
    "pull_access_images": {
        # plugins/plugin_utils/pull_report/images.schema.json describes them, and tests validate results against the schema
        "images_in_use.counts",
        "images_in_use.images",
        "images_in_use.to",
        "counts.copies",  # by the answer
        "namespaces.changes",  # always empty
    },
    "pull_access_info": {"namespaces.access.fix", "namespaces.changes"},  # tasks of a playbook; always empty
    "pull_access_report": {"rules", "failing"},  # by the rule's id
    "pull_access_what_if": {
        # plugins/plugin_utils/pull_report/what_if.schema.json describes them, and tests validate results against the schema
        "what_if.changes",
        "what_if.containers",
        "what_if.counts",
        "what_if.images_to_mirror",
        "what_if.summary",
        "namespaces.changes",  # always empty
    },
    "pull_probe": {"namespaces.pulls.node_selector"},  # by label
    "pull_secret": {"guard.would_break.fix", "namespaces.changes.registries.changed"},
    "sa_link": {"guard.would_break.fix"},
    "image_puller_grant": {"guard.would_break.fix"},
    "pull_secret_info": {"namespaces.changes", "outcomes"},  # always empty; by outcome
    "sa_wait": {"namespaces.changes"},
}


#: The Python types of each documented type.
TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,),
    "dict": (Mapping,),
    "float": (int, float),
    "int": (int,),
    "list": (list, tuple),
    "str": (str,),
}


@functools.cache
def returned(module: str) -> dict[str, Any]:
    """The RETURN of a module's page."""
    found: dict[str, Any] = yaml.safe_load(importlib.import_module(f"{PACKAGE}.{module}").RETURN)
    return found


def assert_documented(module: str, result: Mapping[str, Any]) -> None:
    missing = undocumented(module, result)
    assert not missing, f"RETURN of {module} does not name {', '.join(missing)}"
    wrong = misdescribed(module, result)
    assert not wrong, f"RETURN of {module} says something else of {', '.join(wrong)}"


def undocumented(module: str, result: Mapping[str, Any]) -> list[str]:
    """The paths of a result, such as `namespaces.pods.owner`, that the module's page does not name."""
    others = COMMON | OF_A_FILE if "dest" in result else COMMON
    own = {name: value for name, value in result.items() if name not in others}
    return sorted(set(_missing(returned(module), own, "", FREE.get(module, set()))))


def _missing(page: Mapping[str, Any], result: Mapping[str, Any], above: str, free: set[str]) -> Iterator[str]:
    for name, value in result.items():
        path = f"{above}{name}"
        if name not in page:
            yield path
        elif path not in free:
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, Mapping):
                    yield from _missing(page[name].get("contains") or {}, part, f"{path}.", free)


def misdescribed(module: str, result: Mapping[str, Any]) -> list[str]:
    """The paths of a result that contradict the page: in their type, by being null, or by missing from a mapping."""
    return sorted(set(_misdescribed(returned(module), result, "")))


def _misdescribed(page: Mapping[str, Any], result: Mapping[str, Any], above: str) -> Iterator[str]:
    for name, value in result.items():
        if name not in page:
            continue
        yield from (f"{above}{name}{fault}" for fault in _faults(value, page[name]))
        for part in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(part, Mapping):
                members = page[name].get("contains") or {}
                always = (one for one, told in members.items() if told.get("returned") == "always")
                yield from (f"{above}{name}.{one} (not there)" for one in always if one not in part)
                yield from _misdescribed(members, part, f"{above}{name}.")


def _faults(value: Any, told: Mapping[str, Any]) -> Iterator[str]:
    if value is None:
        if "null" not in str(told["description"]):
            yield " (null)"
    elif not _is(value, told["type"]):
        yield f" ({type(value).__name__})"
    elif told["type"] == "list":
        yield from (f"[] ({type(part).__name__})" for part in value if not _is(part, told["elements"]))


def _is(value: Any, kind: str) -> bool:
    """Whether the value has the type. Python counts a bool as an int, a page does not."""
    return kind not in TYPES or (isinstance(value, TYPES[kind]) and (kind == "bool" or not isinstance(value, bool)))
