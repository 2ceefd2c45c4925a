# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All known variables of the roles, playbooks and jobs of this collection.

Ansible does not report unused variables, so a misspelled `image_pull_kubeconfig` would lead to the default cluster.

A test derives the table from the argument specs of the roles, from the playbooks and from the jobs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.option_values import find_similar
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.unquoted import why_unquoted
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.variable_references import (
    follow_variable,
    is_used,
)

__all__ = [
    "KNOWN",
    "PLAYBOOKS",
    "SHORT_NAMES",
    "SURVEYS",
    "VARIABLES",
    "declaring_variables",
    "is_collection_task",
    "problems_of",
    "problems_of_command_line",
    "settings_of",
]

#: The variable of each role that declares entries.
VARIABLES = {
    "private_registry": "private_registry_secrets",
    "delegated_auth": "delegated_auth_registries",
    "cross_project_pull": "cross_project_pull_grants",
}

#: The known variables: each prefix, with the rests of the names.
_NAMES = {
    "automation_account_": "everywhere hosted_pull_secrets jobs kubeconfig manifests name namespace namespace_selector namespaces state token_seconds",
    "credential_provider_": "apply create_role images match_images namespace_selector namespaces result service_accounts state",
    "credential_rotation_": (
        "allow canary_namespaces canary_soak_seconds emergency guard namespace_selector new new_command "
        "next_rotation_seconds nodes nodes_allow_paused nodes_timeout old plan plan_dest plan_only probe probe_node_selectors "
        "probe_timeout pulls_timeout registries reimport retire_tasks rollback secrets soak_seconds verify verify_ca_cert "
        "verify_realm_hosts verify_repositories verify_revoked verify_timeout verify_validate_certs waves"
    ),
    "credential_verification_": "allow_images_of allow_list apply name policy pool result state",
    "cross_project_pull_": "grants state wait wait_timeout",
    "delegated_auth_": "registries state",
    "global_pull_secret_": (
        "allow_paused auth_config auth_file backup backup_vault_id drop_platform_registries guard hosted_cluster include registries remove "
        "restore verify verify_ca_cert verify_realm_hosts verify_repositories verify_timeout verify_validate_certs wait wait_timeout"
    ),
    "image_pull_": (
        "adopt api_key audit batch_seconds batch_size ca_cert client_cert client_key context exclude_namespaces export_credentials "
        "export_dest export_force export_namespace_selector export_namespaces export_vault_id exported guard guard_ca_cert guard_realm_hosts "
        "guard_validate_certs host ignored_variables impersonate_groups impersonate_user kubeconfig max_prune no_proxy ocm_api_url "
        "ocm_ca_cert ocm_token_url only_namespaces owner password plan planned_revision proxy prune prune_everything pruned "
        "red_hat_account registry_ca_cert rotation_plans serial username validate_certs what_if"
    ),
    "private_registry_": "secrets state",
    "pull_access_audit_": (
        "allow_unread ask_registries compare_with directory drift expires_within fail_on fail_on_new search_credential ignore name "
        "namespace_selector namespaces realm_hosts registry_ca_cert rules target_version title"
    ),
    "pull_access_what_if_": (
        "against ask_registries changes directory fail_on namespace_selector namespaces realm_hosts registry_ca_cert "
        "registry_timeout registry_validate_certs result show"
    ),
}

KNOWN = frozenset(prefix + rest for prefix, names in _NAMES.items() for rest in names.split())

_PREFIXES = tuple(_NAMES)
#: The prefixes of each playbook's own variables.
PLAYBOOKS = {
    "audit": ("pull_access_audit_",),
    "automation_account": ("automation_account_",),
    "explain": (),
    "export": ("image_pull_export_",),
    "global_pull_secret": ("global_pull_secret_",),
    "rotate": ("credential_rotation_",),
    "site": ("private_registry_", "delegated_auth_", "cross_project_pull_"),
    "teardown": ("private_registry_", "delegated_auth_", "cross_project_pull_"),
    "what_if": ("pull_access_what_if_",),
}
#: The variables of the two playbooks that are called by hand. They count on the command line only, so a variable `image` or `changes` of
#: an inventory, which is for another role, does not change the question.
_SHORT = {
    "explain": "account ask_registries image pod realm_hosts registry_ca_cert registry_timeout registry_validate_certs workload",
    "what_if": (
        "against ask_registries changes declared directory fail_on namespace_selector namespaces new_nodes only_reachable realm_hosts "
        "registry_ca_cert registry_timeout registry_validate_certs remove_credential remove_secret show target_version unreachable"
    ),
}
SHORT_NAMES = {playbook: frozenset(names.split()) for playbook, names in _SHORT.items()}
#: The answers of the surveys in AWX that the playbooks of its project convert.
_ANSWERS = (
    "account_everywhere account_hosted_pull_secrets account_jobs account_namespaces audit_namespaces audit_target_version "
    "export_namespaces new_namespaces nodes_action nodes_allow_paused nodes_remove remove_undeclared rotate_how rotate_new_password "
    "rotate_new_username rotate_nodes rotate_old_password rotate_old_username rotate_registries teardown_confirmation verify_unanswered "
    "what_if_namespaces"
)
SURVEYS = frozenset(_ANSWERS.split())
#: Extra variables of Ansible and AWX, and private ones.
_NEVER = ("ansible_", "awx_", "tower_", "_")
#: Minimum ratio of difflib at which two names are similar.
_SIMILAR = 0.8
#: Joined with the variable without the underscore and suffix. The author chooses the suffix.
_FAMILIES = tuple(f"{name}_" for name in VARIABLES.values())
#: Names of Kubernetes fields, which other roles use as variables.
_OF_OTHERS = frozenset({"image_pull_policy", "image_pull_secret", "image_pull_secrets"})
_IGNORED = "image_pull_ignored_variables"
#: Parts of a login, as variables and as members of variables. Nested entries are checked when they are read.
_LOGIN_VARIABLES = ("image_pull_username", "image_pull_password", "image_pull_api_key")
_LOGIN_MEMBERS = ("username", "password", "token")

_COLLECTION = Path(__file__).parents[2].resolve()


def is_collection_task(task: Any) -> bool:
    """Whether a task is in a role or a playbook of this collection. Elsewhere, authors choose all names."""
    path = str(task.get_path() or "").rpartition(":")[0]
    return (
        any(Path(path).resolve().is_relative_to(_COLLECTION / folder) for folder in ("roles", "playbooks"))
        if path
        else False
    )


def problems_of(variables: Mapping[str, Any], templar: Any) -> list[str]:
    """Return a sentence for each unknown variable with a prefix of this collection, and for each login that YAML has changed."""
    unknown = [name for name in variables if name.startswith(_PREFIXES) and not _is_known(name)]
    return [*map(_sentence, _not_ignored(unknown, variables, templar)), *_find_unquoted(variables)]


def problems_of_command_line(
    playbook: str, extra: Mapping[str, Any], variables: Mapping[str, Any], templar: Any
) -> list[str]:
    """Return a sentence for each extra variable that the playbook would ignore, although it resembles one of its variables.

    A name resembles ours if it is ours without the prefix. A similar name is enough if both have several words, or ours is a short name: a
    single word, such as `stage` for `state`, often belongs to others. So does a variable that the inventory uses.
    """
    short = SHORT_NAMES.get(playbook, frozenset())
    foreign = [name for name in extra if not name.startswith((*_PREFIXES, *_NEVER)) and name not in short | SURVEYS]
    meant = {name: found for name in foreign if (found := _meant(name, playbook)) and not is_used(name, variables)}
    unknown = (
        f"extra variable {name} is unknown to the playbook {playbook}: did you mean {meant[name]!r}? Correct it or, if it is for "
        f"something else, list its name in {_IGNORED}"
        for name in _not_ignored(meant, variables, templar)
    )
    twice = (
        f"extra variables {long.removeprefix(*PLAYBOOKS[playbook])} and {long} are the same option: leave one of them out"
        for long in sorted(settings_of(playbook, extra).keys() & extra.keys())
    )
    return [*unknown, *twice]


def settings_of(playbook: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given variables of the playbook's role, with the prefix of the role.

    The changes are left out, because the playbook joins all variables that are changes.
    """
    names = ((prefix + name, name) for prefix in PLAYBOOKS[playbook] for name in SHORT_NAMES.get(playbook, ()))
    return {long: given[name] for long, name in names if name in given and long in KNOWN and name != "changes"}


def _meant(name: str, playbook: str) -> str:
    """Return the variable of a playbook that was probably meant by a name; empty if none resembles it."""
    rests = {
        one.removeprefix(prefix): one
        for prefix in ("image_pull_", *PLAYBOOKS[playbook])
        for one in sorted(KNOWN)
        if one.startswith(prefix)
    }
    if name in rests:
        return rests[name]
    comparable = {one: long for one, long in rests.items() if "_" in name and "_" in one}
    comparable |= {one: one for one in SHORT_NAMES.get(playbook, ())}
    return next((comparable[one] for one in get_close_matches(name, comparable, 1, _SIMILAR)), "")


def _not_ignored(names: Collection[str], variables: Mapping[str, Any], templar: Any) -> list[str]:
    if not names:
        return []
    given = templar.template(variables.get(_IGNORED)) or ()
    ignored = given.split(",") if isinstance(given, str) else given
    return sorted(name for name in names if name not in ignored)


def declaring_variables(role: str, variables: Mapping[str, Any]) -> list[str]:
    """Return the variables in which a role may have entries."""
    first = VARIABLES[role]
    names = (name for name in variables if name == first or name.startswith(f"{first}_"))
    return [name for name in names if not _is_empty(variables[name])]


def _is_empty(value: Any) -> bool:
    """Whether a variable has no entry. The value of a template is not known."""
    return value is None or (isinstance(value, (list, tuple)) and not value)


def _is_known(name: str) -> bool:
    return name in KNOWN or name.startswith(_FAMILIES) or name in _OF_OTHERS


def _sentence(name: str) -> str:
    prefix = next(prefix for prefix in _PREFIXES if name.startswith(prefix))
    known = sorted(one for one in KNOWN if one.startswith(prefix))
    # Compare only the rests, because the prefix is the same.
    meant = find_similar(name.removeprefix(prefix), [one.removeprefix(prefix) for one in known])
    end = (
        f": did you mean {prefix + meant!r}?"
        if meant
        else f"; known variables with the prefix {prefix} are {', '.join(known)}."
    )
    return f"variable {name} is unknown{end} Correct it or, if it is for something else, list its name in {_IGNORED}"


def _find_unquoted(variables: Mapping[str, Any]) -> Iterator[str]:
    for name in _LOGIN_VARIABLES:
        if why := why_unquoted(f"variable {name}", follow_variable(variables.get(name), variables)):
            yield why
    for name in sorted(KNOWN & variables.keys()):
        value = follow_variable(variables[name], variables)
        for position, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, Mapping):
                index = f"[{position}]" if isinstance(value, list) else ""
                written = ((part, follow_variable(item.get(part), variables)) for part in _LOGIN_MEMBERS)
                yield from filter(None, (why_unquoted(f"{name}{index}.{part}", one) for part, one in written))
