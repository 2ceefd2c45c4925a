# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tasks of a fix like a user who pastes them into a playbook."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["carry_out"]


def carry_out(
    run: Callable[..., dict[str, Any]], login: dict[str, str], tasks: Sequence[dict[str, Any]], **access: Any
) -> None:
    """Run the fix with a login that the registry accepts, and with the way to the registry, instead of the variables."""
    values = {"{{ registry_username }}": login["username"], "{{ registry_password }}": login["password"]}
    values["{{ registry_email }}"] = "you@example.com"
    for task in tasks:
        (module,) = set(task) - {"name"}
        options = json.loads(json.dumps(task[module]))
        for registry in options.get("registries", ()):
            registry.update({key: values.get(value, value) for key, value in registry.items()})
        assert all(options[name] == f"{{{{ image_pull_{name} }}}}" for name in access if name in options)
        options.update({name: value for name, value in access.items() if name in options})
        done = run(module.rpartition(".")[2], **options)
        assert not done["failed"], done["msg"]
