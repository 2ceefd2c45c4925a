# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the variables that the files of a playbook read, and the optional ones among them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declared_access import STEPS
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import VARIABLES
from jinja2 import Environment, nodes

ROOT = Path(__file__).parents[2]
OURS = "openshift_ops.image_pull."
#: Keys whose values are templates without delimiters.
_EXPRESSIONS = ("when", "that", "until", "failed_when", "changed_when")
#: The role whose decisions read its options in Python.
_DECIDED = {"credential_rotation": sorted((ROOT / "plugins" / "plugin_utils").glob("rotation*.py"))}
#: The steps of the task `declared_access`, which reads its settings from variables.
STEPS_FILE = ROOT / "plugins" / "plugin_utils" / "declared_access.py"
_VARIABLE = re.compile(r'"((?:image_pull|cross_project_pull)_\w+)"')
_OPTION = re.compile(r'(?:option|is_set)\("(\w+)"\)')


def reads(*paths: Path) -> dict[str, bool]:
    """The variables, and whether each is optional: each place that reads it has a default or a test for `defined`."""
    found: dict[str, bool] = {}
    for path in paths:
        for name, may_be_missing in _of(path):
            found[name] = found.get(name, True) and may_be_missing
    return found


@functools.cache
def _of(path: Path) -> tuple[tuple[str, bool], ...]:
    text = path.read_text(encoding="utf-8")
    if path == STEPS_FILE:
        settings = [name for step in STEPS.values() for name in step.settings.values()]
        return tuple((name, True) for name in (*settings, *_VARIABLE.findall(text)))
    for role, decisions in _DECIDED.items():
        if path in decisions:
            return tuple((f"{role}_{name}", True) for name in _OPTION.findall(text))
    content = yaml.safe_load(text)
    return tuple(name for template in _templates(content) for name in _names(template))


def all_files(playbook: Path) -> list[Path]:
    """The files of the playbook, of its imported playbooks and included tasks, and of their roles."""
    content = yaml.safe_load(playbook.read_text(encoding="utf-8"))
    found = [playbook]
    for key, value in _members(content):
        if key.endswith("import_playbook"):
            found += all_files(ROOT / "playbooks" / f"{value.removeprefix(OURS)}.yml")
        if key == f"{OURS}declared_access":
            found.append(STEPS_FILE)
        if key.endswith("include_tasks"):
            found += all_files(playbook.parent / value)
        if key.endswith(("import_role", "include_role")):
            folder = ROOT / "roles" / value["name"].removeprefix(OURS)
            found += sorted(path for part in ("tasks", "defaults", "vars") for path in folder.glob(f"{part}/*.yml"))
            found += [STEPS_FILE] if folder.name in VARIABLES else []
            found += _DECIDED.get(folder.name, ())
    return found


def _members(content: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield key, value
            yield from _members(value)
    elif isinstance(content, list):
        for value in content:
            yield from _members(value)


def _templates(content: Any) -> Iterator[str]:
    for key, value in _members(content):
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and "{{" in text:
                yield text
            elif key in _EXPRESSIONS and isinstance(text, str):
                yield "{{ " + text + " }}"


def _names(template: str) -> list[tuple[str, bool]]:
    tree = Environment().parse(template)
    guarded = {id(name) for name in _guarded(tree)}
    for choice in tree.find_all(nodes.CondExpr):
        asked = {name.name for name in _guarded(choice.test)}
        guarded |= {id(name) for name in _all_in(choice.expr1) if name.name in asked}
    return [(name.name, id(name) in guarded) for name in tree.find_all(nodes.Name) if name.ctx == "load"]


def _guarded(tree: nodes.Node) -> Iterator[nodes.Name]:
    for guard in _all_in(tree, nodes.Filter, nodes.Test):
        if guard.name in ("default", "defined") and isinstance(guard.node, nodes.Name):
            yield guard.node


def _all_in(tree: nodes.Node, *kinds: type[Any]) -> Iterator[Any]:
    """Find all nodes, including the node itself, which `find_all` leaves out."""
    wanted = kinds or (nodes.Name,)
    if isinstance(tree, wanted):
        yield tree
    yield from tree.find_all(wanted)


@dataclass(frozen=True)
class ModuleTask:
    """A task of a role or playbook that runs a module. `role` is empty in a playbook. `given` are its options as they are written."""

    path: Path
    role: str
    module: str
    given: Mapping[str, Any]


def module_tasks() -> Iterator[ModuleTask]:
    """Yield each task of the roles and playbooks with a module of the collection, with the defaults of the play site for connections.

    The last ones are the steps of `declared_access`, as if they were tasks of a file.
    """
    (play,) = yaml.safe_load((ROOT / "playbooks" / "site.yml").read_text(encoding="utf-8"))
    (connection,) = play["module_defaults"].values()
    for path in sorted(
        (*ROOT.glob("roles/*/tasks/*.yml"), *ROOT.glob("playbooks/*.yml"), *ROOT.glob("playbooks/tasks/*.yml"))
    ):
        role = path.parts[-3] if path.is_relative_to(ROOT / "roles") else ""
        for key, value in _members(yaml.safe_load(path.read_text(encoding="utf-8"))):
            if isinstance(key, str) and key.startswith(OURS) and isinstance(value, Mapping):
                yield ModuleTask(path, role, key.removeprefix(OURS), {**connection, **value})
    for step in STEPS.values():
        yield ModuleTask(
            STEPS_FILE,
            "",
            step.module,
            {**connection, **{option: f"{{{{ {variable} }}}}" for option, variable in step.settings.items()}},
        )
