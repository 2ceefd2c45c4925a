# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answer the terms of the lookup `declared`, apart from it, because only a role with declarations needs these imports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declarations import (
    FIRST,
    KINDS,
    DeclarationError,
    Declarations,
    Role,
    RoleEntry,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.inventory_logins import (
    NODES,
    NodesDeclaration,
    replaced_logins,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.templates import Templates

__all__ = ["entries_of"]


def entries_of(
    terms: list[str], variables: Mapping[str, Any], templar: Any, get_option: Callable[[str], Any]
) -> list[Any]:
    """Return the entries of all terms. `get_option` returns the options of the lookup.

    :raises AnsibleLookupError: if declarations are invalid.
    """
    namespaces, written, answer = map(get_option, ("namespaces", "written", "answer"))
    usual = Role(
        "",
        absent=get_option("state") == "absent",
        check_mode=get_option("check_mode"),
        only=None if namespaces is None else frozenset(map(str, namespaces)),
        selected=_selected_namespaces(written),
        failed=_failed_namespaces(written),
    )
    templates = Templates(templar)
    try:
        found = [one for term in terms for one in _entries_of_term(term, usual, variables, templates, answer)]
    except DeclarationError as error:
        raise AnsibleLookupError(str(error)) from None
    return [_as_data(one) for one in found]


def _entries_of_term(
    term: str, usual: Role, variables: Mapping[str, Any], templates: Templates, answer: Any
) -> list[Any]:
    name, _dot, kind = term.partition(".")
    role = replace(usual, name=name)
    if kind == "replaced":
        return [*replaced_logins(_present(role, variables, templates), variables, answer, _read_file)]
    if (name, kind) in FIRST and not role.absent:
        # Imported here because it imports the modules of all roles, and a play without declarations ends with their titles.
        from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils import declaration_check  # noqa: PLC0415

        declaration_check.refuse_invalid(role, variables, templates)
    declared = Declarations(role, variables, templates, _read_file)
    if not kind:
        return declared.titles
    declared.refuse_conflicts()
    return KINDS[name][kind](declared, answer)


def _present(role: Role, variables: Mapping[str, Any], templates: Templates) -> list[RoleEntry]:
    if role.name == NODES:
        return NodesDeclaration(variables, templates).present
    return Declarations(role, variables, templates).present


def _as_data(value: Any) -> Any:
    """Return the value with dates as text, as a module gets them. Before ansible-core 2.19, one date would turn all entries into text."""
    if isinstance(value, Mapping):
        return {name: _as_data(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_as_data(item) for item in value]
    return value.isoformat() if isinstance(value, date) else value


def _read_file(path: str) -> str:
    """Read a file in the same way as a module on the controller."""
    return Path(path).expanduser().read_bytes().decode("utf-8", "surrogateescape")


def _selected_namespaces(written: Mapping[str, Any] | None) -> Mapping[str, list[str]] | None:
    """Return the namespaces that a task selected for each entry, by the title of the entry; None before any task."""
    if written is None:
        return None
    rows = written.get("selected", ())
    return {str(title): list(map(str, row["namespaces"])) for row in rows for title in row["titles"]}


def _failed_namespaces(written: Mapping[str, Any] | None) -> Mapping[str, set[str]]:
    """Return the namespaces in which a task failed for each entry, and under "" the namespaces in which it failed for all entries."""
    found: dict[str, set[str]] = {}
    for row in (written or {}).get("failures", ()):
        # The title of an entry is followed by its name in brackets.
        title = str(row.get("title") or "").partition(" ")[0]
        found.setdefault(title, set()).add(str(row.get("namespace")))
    return found
