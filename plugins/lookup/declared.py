# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: declared
short_description: Read the inventory declarations for the roles of this collection
version_added: 1.0.0
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
description:
  - Joins the variables of a role, and builds the entries of its modules from them. The roles use this plugin.
  - The variables are C(private_registry_secrets), C(delegated_auth_registries) and C(cross_project_pull_grants). Each is joined with all
    variables that begin with its name and an underscore, such as C(private_registry_secrets_team_a), in the order of their names.
  - The plugin reads only the values that a task needs, so a task that links secrets never reads a password.
  - C(private_registry.rotated) and C(delegated_auth.rotated) are the declared secrets with a login of one of the given users for one of the
    given registries. An entry with C(auth_file) or C(auth_config) does not show its users, so it is not included.
  - C(private_registry.replaced), C(delegated_auth.replaced) and C(global_pull_secret.replaced) list where the inventory declares the old
    login of a rotation, with the registry and, if the password is a variable, its name. The next run of these roles would write that login
    back.
  - The plugin fails if a variable is not a list, if an entry has unknown members, and if two entries declare the same secret. The message
    names the variable and the position.
options:
  _terms:
    description:
      - A role, such as V(private_registry), for the titles of its entries, or a role and a kind of entries, such as
        V(private_registry.secrets).
    type: list
    elements: str
    required: true
  state:
    description: With V(absent), the plugin treats every entry as absent.
    type: str
    choices: [present, absent]
    default: present
  check_mode:
    description: Whether the task runs in check mode, where secrets that an earlier task creates do not exist.
    type: bool
    default: false
  namespaces:
    description:
      - Limits each entry to these namespaces, and omits entries that declare nothing for them. Names that no entry declares are ignored.
        Without this option, or with null, all declarations count. With an empty list, none of them counts.
      - A grant also counts for the namespaces of its consumers. It is then limited to them as well, unless it is exclusive.
    type: list
    elements: str
    version_added: 1.0.0
  answer:
    description:
      - The result of an earlier task of the role that the entries depend on. The secrets of a rotation depend on C(registries) and
        C(usernames). Replaced logins depend on C(registries), C(old) and C(new).
    type: dict
  written:
    description:
      - The result of the task that wrote the secrets. Links of entries with a C(namespace_selector) are limited to the namespaces that the
        selector selected for that task. A namespace that was created later gets its secrets and links in the next run. Links of an entry
        are omitted in the namespaces in which its secret failed.
    type: dict
    version_added: 1.0.0
"""

EXAMPLES = r"""
- name: Show how many secrets are declared
  ansible.builtin.debug:
    msg: "{{ query('openshift_ops.image_pull.declared', 'private_registry') | length }}"
"""

RETURN = r"""
_raw:
  description: The titles, or the entries for the module.
  type: list
  elements: raw
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declaration_check import FIRST, refuse_invalid
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declarations import (
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
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import problems_of
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.templates import Templates


class LookupModule(LookupBase):  # type: ignore[misc]
    """Read the variables of the host unevaluated, and evaluate the requested members."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **options: Any) -> list[Any]:
        self.set_options(var_options=variables, direct=options)
        namespaces = self.get_option("namespaces")
        usual = Role(
            "",
            absent=self.get_option("state") == "absent",
            check_mode=self.get_option("check_mode"),
            only=None if namespaces is None else frozenset(map(str, namespaces)),
            selected=_selected_namespaces(self.get_option("written")),
            failed=_failed_namespaces(self.get_option("written")),
        )
        found: list[Any] = []
        templates = Templates(self._templar)
        if problems := problems_of(variables or {}, self._templar):
            raise AnsibleLookupError(f"nothing was read or changed: {'; '.join(problems)}")
        try:
            for term in terms:
                name, _dot, kind = term.partition(".")
                role = replace(usual, name=name)
                if kind == "replaced":
                    entries = self._present(role, variables or {}, templates)
                    found += replaced_logins(entries, self.get_option("answer"), _read_file)
                    continue
                if (name, kind) in FIRST and not role.absent:
                    refuse_invalid(role, variables or {}, templates)
                declared = Declarations(role, variables or {}, templates)
                if not kind:
                    found += declared.titles
                    continue
                declared.refuse_conflicts()
                found += KINDS[name][kind](declared, self.get_option("answer"))
        except DeclarationError as error:
            raise AnsibleLookupError(str(error)) from None
        return [_as_data(one) for one in found]

    def _present(self, role: Role, variables: Mapping[str, Any], templates: Templates) -> list[RoleEntry]:
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
    return Path(os.path.expandvars(path)).expanduser().read_bytes().decode("utf-8", "surrogateescape")


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
