# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: declared
short_description: What the inventory declares for the roles of this collection
version_added: 1.0.0
author:
  - The openshift_ops.image_pull authors (@openshift-ops)
description:
  - Joins the variables of a role, and makes the entries of its modules of them. The roles use it.
  - The variables are C(private_registry_secrets), C(delegated_auth_registries) and C(cross_project_pull_grants), each with all variables
    that begin with its name and an underscore, such as C(private_registry_secrets_team_a), in the order of their names.
  - Only what a task needs is read, so a task that links secrets never reads a password.
  - C(private_registry.rotated) and C(delegated_auth.rotated) are the secrets that are declared with a login of one of the given users for one
    of the given registries. An entry with C(auth_file) or C(auth_config) does not show its users, so it is not included.
  - Fails for a variable that is not a list, for unknown members of an entry, and when two entries declare the same secret. The
    message names the variable and the position.
options:
  _terms:
    description:
      - A role, such as V(private_registry), for the titles of its entries, or a role and a kind of entries, such as
        V(private_registry.secrets).
    type: list
    elements: str
    required: true
  state:
    description: With V(absent), every entry counts as absent.
    type: str
    choices: [present, absent]
    default: present
  check_mode:
    description: Whether the task runs in check mode, where secrets that an earlier task creates do not exist.
    type: bool
    default: false
  only:
    description:
      - Limits each entry to these namespaces, and leaves out those that declare nothing for them. Names that no entry declares are
        ignored. Without it, or with null, all that is declared counts; with an empty list, nothing does.
      - A grant also counts for the namespaces of its consumers. Unless it is exclusive, it is then limited to them as well.
    type: list
    elements: str
    version_added: 1.0.0
  answer:
    description:
      - The result of an earlier task of the role, which the entries depend on. For the secrets of a rotation, C(registries) and C(usernames).
    type: dict
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

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declaration_check import FIRST, refuse_invalid
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.declarations import (
    KINDS,
    DeclarationError,
    Declarations,
    Role,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import problems_of
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.templates import Templates


class LookupModule(LookupBase):  # type: ignore[misc]
    """Reads the variables of the host as they are written, and evaluates what is asked for."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **options: Any) -> list[Any]:
        self.set_options(var_options=variables, direct=options)
        only = self.get_option("only")
        usual = Role(
            "",
            absent=self.get_option("state") == "absent",
            check_mode=self.get_option("check_mode"),
            only=None if only is None else frozenset(map(str, only)),
        )
        found: list[Any] = []
        templates = Templates(self._templar)
        if problems := problems_of(variables or {}, self._templar):
            raise AnsibleLookupError(f"nothing was read or changed: {'; '.join(problems)}")
        try:
            for term in terms:
                name, _dot, kind = term.partition(".")
                role = replace(usual, name=name)
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
        return found
