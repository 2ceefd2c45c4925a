# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts of a host for the decisions of the role `credential_rotation`, with the defaults of the role."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.openshift_ops.image_pull.plugins.lookup.rotation import STEPS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_rotation.options import (
    label_users,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.rotation_facts import Facts

__all__ = ["KEY", "decide", "facts", "found"]

_ROLE = Path(__file__).parents[2] / "roles" / "credential_rotation"
_DEFAULTS = yaml.safe_load((_ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
#: The key of the rotation.
KEY = "key"


def found(**rotation: Any) -> dict[str, Any]:
    """Return the result of a plan or check. `rotation` replaces members of the empty one, and `copies` are joined."""
    lists = (
        "to_change", "secrets", "not_declared", "not_accepted", "other_users", "other_passwords", "remaining", "similar", "nodes",
        "nodes_changed", "failing", "undecided", "repositories", "probes", "unreadable_secrets",
    )  # fmt: skip
    counts = ("not_declared", "not_accepted", "other_users", "other_passwords", "remaining")
    copies = {"old": 1, "new": 1, "to_change": 0, "kept": 0, **rotation.pop("copies", {})}
    empty: dict[str, Any] = {name: [] for name in lists}
    empty |= {f"{name}_count": len(rotation.get(name, ())) for name in counts}
    empty |= {"not_declared_namespaces": 1, "old_login": "works", "pending_pulls_unknown": "", "has_ready_node": None}
    empty |= {"searched": {"secrets": 12, "for_registries": 3}}
    empty |= {"registries": ["quay.io"], "users": label_users("u", "n")}
    return {"rotation": {**empty, "copies": copies, **rotation}}


def facts(hosts: Mapping[str, Any] | None = None, active: Any = None, **given: Any) -> Facts:
    """Return the facts of host `a`. A name such as `verify` is an option of the role, and `_seen` is a fact."""
    defaults = {name: value for name, value in _DEFAULTS.items() if "undef" not in str(value)}
    login = {"username": "u", "password": "p"}
    base = {
        **defaults,
        "ansible_check_mode": False,
        "ansible_play_batch": ["a"],
        "inventory_hostname": "a",
        "credential_rotation_registries": ["quay.io"],
        "credential_rotation_old": login,
        "credential_rotation_new": {"username": "n", "password": "q"},
        "__credential_rotation_key": KEY,
        "__credential_rotation_logins": {KEY: login},
        "__credential_rotation_inputs": {KEY: None},
        "__credential_rotation_plan": found(),
        "__credential_rotation_seen": found(),
        "__credential_rotation_confirmed": [],
        "__credential_rotation_named": [],
        "__credential_rotation_inventory": [],
        "__credential_rotation_everywhere": {"include": ["*"], "system_namespaces": True},
        "__credential_rotation_way_back": "Go back",
    }
    values = {**base, **{_full(name): value for name, value in given.items()}}
    every = {"a": values} if hosts is None else hosts
    return Facts(values.get, every, [*every] if active is None else active, " ".join, _inspect)


def _inspect(path: str) -> str:
    return "" if path == "retire.yml" else f"there is no file /home/me/{path}"


def _full(name: str) -> str:
    """The variable of an option, or of a fact if the name begins with an underscore."""
    if name in ("ansible_check_mode", "ansible_play_batch", "inventory_hostname"):
        return name
    return f"__credential_rotation{name}" if name.startswith("_") else f"credential_rotation_{name}"


def decide(step: str, *args: Any, **given: Any) -> Any:
    """Return the decision about a step, with the arguments of `facts`."""
    return STEPS[step](facts(*args, **given))
