# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates examples: a task against its module's argument spec, variables against their role's.

A template counts as a value of the right type, because its result is not known here.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

__all__ = ["problems_of", "tasks_in"]

ROOT = Path(__file__).resolve().parents[2]
COLLECTION = "openshift_ops.image_pull"
_KINDS: dict[str, Any] = {"int": 1, "float": 1.5, "bool": True, "list": ["templated"], "dict": {}, "path": "templated"}


def tasks_in(value: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """All tasks at any depth: the name of the module or role without the collection's name, and its options or variables."""
    if isinstance(value, list):
        for part in value:
            yield from tasks_in(part)
    elif isinstance(value, dict):
        role = value.get("role") or (value.get("ansible.builtin.include_role") or {}).get("name", "")
        if str(role).startswith(f"{COLLECTION}."):
            yield f"role {role.rpartition('.')[2]}", value.get("vars") or {}
        for name, part in value.items():
            if str(name).startswith(f"{COLLECTION}.") and isinstance(part, dict):
                yield name.rpartition(".")[2], part
            else:
                yield from tasks_in(part)


def problems_of(what: str, given: Mapping[str, Any]) -> list[str]:
    """The options or variables that Ansible would refuse."""
    if what.startswith("role "):
        spec = _role(what.removeprefix("role "))
        return list(ArgumentSpecValidator(spec).validate(_without_templates(given, spec)).error_messages)
    module = importlib.import_module(f"ansible_collections.{COLLECTION}.plugins.modules.{what}").MODULE
    options = _without_templates(given, module.arguments)
    problems = ArgumentSpecValidator(module.arguments, **module.all_rules).validate(options).error_messages
    return [*problems, *filter(None, [module.problems(options)])]


@cache
def _role(name: str) -> dict[str, Any]:
    specs = yaml.safe_load((ROOT / f"roles/{name}/meta/argument_specs.yml").read_text(encoding="utf-8"))
    options: dict[str, Any] = specs["argument_specs"]["main"]["options"]
    return options


def _without_templates(given: Mapping[str, Any], spec: Mapping[str, Any]) -> dict[str, Any]:
    names = {alias: name for name, option in spec.items() for alias in option.get("aliases") or ()}
    return {name: _value(value, spec.get(names.get(name, name)) or {}) for name, value in given.items()}


def _value(value: Any, option: Mapping[str, Any]) -> Any:
    kind, inner = option.get("type", "str"), option.get("options") or {}
    if isinstance(value, str) and "{{" in value:
        if inner and kind == "list":
            return []
        # A validation adds defaults to a mapping.
        return (option.get("choices") or [None])[0] or copy.copy(_KINDS.get(kind, "templated"))
    if inner and isinstance(value, list):
        return [_without_templates(part, inner) if isinstance(part, Mapping) else part for part in value]
    return _without_templates(value, inner) if inner and isinstance(value, Mapping) else value
