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
    given registries. An entry whose C(auth_file) or C(auth_config) cannot be read on the controller is not included.
  - C(private_registry.replaced), C(delegated_auth.replaced) and C(global_pull_secret.replaced) list where the inventory declares the old
    login of a rotation, with the registry and, if the password is a variable, its name. The next run of these roles would write that login
    back.
  - C(problems) is one sentence with the problems of variable names, or nothing.
  - C(inventory) is one dictionary with the entries of all roles and the settings of the playbook C(site), as the change C(declared) of
    C(openshift_ops.image_pull.pull_access_what_if).
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
  reported:
    description:
      - Whether the module of the task, or of a later task, reports the problems of variable names. The plugin then returns nothing.
    type: bool
    default: false
  answer:
    description:
      - The result of an earlier task of the role that the entries depend on. The secrets of a rotation depend on C(registries) and
        C(usernames). Replaced logins depend on C(registries), C(old) and C(new).
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
from typing import Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..plugin_utils.known_variables import VARIABLES, declaring_variables, problems_of, refusal_of


class LookupModule(LookupBase):  # type: ignore[misc]
    """Read the variables of the host unevaluated, and evaluate the requested members."""

    def run(self, terms: list[str], variables: Mapping[str, Any] | None = None, **options: Any) -> list[Any]:
        variables = variables or {}
        refusal = refusal_of(problems_of(variables, self._templar))
        if terms == ["problems"]:
            return [refusal] if refusal else []
        if refusal and options.get("reported"):
            return []
        if refusal:
            raise AnsibleLookupError(refusal)
        if not any(_declaring_variables(term, variables) for term in terms):
            return []
        # Imported here because a role without declarations does not need it.
        from ..plugin_utils import declared_entries  # noqa: PLC0415

        self.set_options(var_options=variables, direct=options)
        return declared_entries.entries_of(terms, variables, self._templar, self.get_option("answer"))


def _declaring_variables(term: str, variables: Mapping[str, Any]) -> list[str]:
    """Return the variables in which the role of a term may have entries. Of another role than those with entries, all may count."""
    role = term.partition(".")[0]
    return declaring_variables(role, variables) if role in VARIABLES else [*variables]
