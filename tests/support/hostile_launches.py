# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of a bulk launch that would give a user with the Execute role the logins of a job, or let her run her own code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Each begins in its own way. `{ran}` is a file that a successful attack creates, and `{host}` is the attacker's server.
_MARKED = "{{{{ lookup('pipe', 'touch {ran}') }}}}"
_TOUCH = ["touch", "{ran}"]
_LOGIN = {"registry": "registry.example.com", "username": "mallory", "password": "own"}
_EXEC = {
    "current-context": "c",
    "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
    "users": [
        {
            "name": "u",
            "user": {"exec": {"command": "touch", "args": ["{ran}"], "apiVersion": "client.authentication.k8s.io/v1"}},
        }
    ],
}
_PROXY = {"ansible_ssh_common_args": "-o ProxyCommand='touch {ran}'", "ansible_host": "127.0.0.1"}
_PLANTED = {
    "server": "https://127.0.0.1:1",
    "registries": ["q.io"],
    "secrets": [{"namespace": "mallory", "name": "p", "uid": "1", "declared": True}],
}

SETS: Mapping[str, Mapping[str, Any]] = {
    "a command for the new password": {"credential_rotation_new_command": _TOUCH},
    "tasks that retire the old login": {"credential_rotation_retire_tasks": "{ran}"},
    "a rotation of the user's own secret": {"credential_rotation_secrets": [{"namespace": "mallory", "name": "planted"}]},
    "the file of a credential": {
        "private_registry_secrets": [{"name": "p", "namespaces": ["mallory"], "auth_file": "$IMAGE_PULL_AUTH_FILE"}]
    },
    "one more list of declarations": {
        "private_registry_secrets_mallory": [{"name": "p", "namespaces": ["kube-system"], "registries": [_LOGIN]}]
    },
    "a registry that sends logins elsewhere": {
        "delegated_auth_registries": [{"registry": "{host}", "realm_host": "{host}", "namespaces": ["mallory"]}]
    },
    "a grant of other images": {"cross_project_pull_grants": [{"namespaces": ["kube-system"], "projects": ["mallory"]}]},
    "an account in the user's namespace": {
        "automation_account_namespace": "mallory", "automation_account_name": "mine", "automation_account_kubeconfig": "{ran}",
    },
    "another API server": {"image_pull_host": "https://{host}", "image_pull_validate_certs": False, "image_pull_api_key": "own"},
    "a kubeconfig that runs a program": {"image_pull_kubeconfig": _EXEC},
    "a proxy": {"image_pull_proxy": "http://{host}", "image_pull_validate_certs": False},
    "an impersonation": {"image_pull_impersonate_user": "system:admin", "image_pull_impersonate_groups": ["system:masters"]},
    "another owner and no limit": {
        "image_pull_owner": "platform", "image_pull_prune": True, "image_pull_prune_everything": True, "image_pull_max_prune": "100%",
    },
    "other namespaces": {"image_pull_only_namespaces": ["kube-system"], "image_pull_adopt": True},
    "a connection that runs a command": {"ansible_connection": "ssh", **_PROXY},
    "a connection of another plugin": {"ansible_connection": "ansible.netcommon.network_cli", "ansible_network_os": "x", **_PROXY},
    "another Python": {"ansible_python_interpreter": "/bin/touch {ran}"},
    "another user of the host": {"ansible_become": True, "ansible_become_exe": "/bin/touch {ran};", "ansible_become_method": "sudo"},
    "another shell": {"ansible_shell_executable": "/bin/touch", "ansible_remote_tmp": "{ran}", "ansible_env": {"PATH": "{ran}"}},
    "another environment": {"K8S_AUTH_HOST": "https://{host}", "environment": {"K8S_AUTH_HOST": "https://{host}"}},
    "files of a report": {"pull_access_audit_directory": "{ran}", "pull_access_what_if_directory": "{ran}", "image_pull_export_dest": "{ran}"},
    "the pull secret of the nodes": {"global_pull_secret_registries": [_LOGIN], "global_pull_secret_restore": "{ran}"},
    "another manager of clusters": {"image_pull_ocm_api_url": "https://{host}", "image_pull_ocm_token_url": "https://{host}"},
    "hosts that get logins": {"realm_hosts": ["{host}"], "registry_ca_cert": "{ran}", "ask_registries": "yes"},
    "hosts that get logins in all templates": {"image_pull_realm_hosts": ["{host}"], "image_pull_registry_validate_certs": False},
    "changes with a file": {"changes": [{"definition": {"src": "/proc/self/environ"}}], "declared": True},
    "variables of the playbooks' own": {"__results": [], "__outcome": {"goes_on": True}, "__plan": {}, "__explain_what": _MARKED,
                                        "__credential_rotation_to_plan": _MARKED},
    "the functions of templates": {"query": "x", "lookup": "x", "omit": "{ran}", "dict": "x", "assert": "x"},
    "variables of Ansible's own": {"inventory_hostname": "x", "ansible_check_mode": False, "hostvars": {}, "groups": {}, "vars": {}, "play_hosts": []},
    "names that resemble questions": {" remove_undeclared": "yes", "REMOVE_UNDECLARED": "yes", "pod ": "a/b", "rotate_how\n": "back", "_awx_x": 1},
    "a tag and a limit": {"ansible_run_tags": ["never"], "ansible_skip_tags": ["all"], "ansible_limit": "@/proc/self/environ"},
    "a forged plan": {"image_pull_rotation_plans": {"cluster": _PLANTED}},
    "a path as the plan": {"image_pull_rotation_plans": {"cluster": "/proc/self/environ"}},
}  # fmt: skip


def filled(value: Any, **words: str) -> Any:
    """The value with the words in each of its texts."""
    if isinstance(value, Mapping):
        return {name: filled(part, **words) for name, part in value.items()}
    if isinstance(value, list):
        return [filled(part, **words) for part in value]
    return value.format(**words) if isinstance(value, str) else value


def of_questions(questions: list[Mapping[str, Any]], **words: str) -> dict[str, dict[str, Any]]:
    """Sets of wrong answers: one for each question and wrong kind. AWX checks no answer of a bulk launch."""
    wrong: dict[str, Any] = {
        "text": ["a"],
        "textarea": {"a": "b"},
        "password": 83,
        "integer": "x",
        "multiplechoice": "z",
        "multiselect": "z",
    }
    marked = filled(_MARKED, **words)
    found = {f"a wrong kind for {one['variable']}": {one["variable"]: wrong[one["type"]]} for one in questions}
    return {**found, **{f"a template for {one['variable']}": {one["variable"]: marked} for one in questions}}
