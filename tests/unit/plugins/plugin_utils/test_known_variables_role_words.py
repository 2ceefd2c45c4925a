# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages to users of a role contain the names of its variables instead of the module options."""

from __future__ import annotations

import time

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import translate_result


@pytest.mark.parametrize(
    ("role", "said", "told"),
    [
        ("credential_rotation", "option 'old' has no password", "variable credential_rotation_old has no password"),
        (
            "credential_rotation",
            "options 'old' and 'new' are alike",
            "variables credential_rotation_old and credential_rotation_new are alike",
        ),
        ("global_pull_secret", "name it in 'realm_hosts'", "name it in global_pull_secret_realm_hosts"),
        (
            "global_pull_secret",
            "option 'verify': name an image in 'verify_repositories', or set 'verify' to warn",
            "variable global_pull_secret_verify: name an image in global_pull_secret_verify_repositories, or set global_pull_secret_verify to "
            "warn",
        ),
        ("global_pull_secret", "option 'kubeconfig' is wrong", "variable image_pull_kubeconfig is wrong"),
        ("", "option 'max_prune' is wrong", "variable image_pull_max_prune is wrong"),
        ("", "option 'vault_id' is wrong", "variable image_pull_export_vault_id is wrong"),
        # Options without a variable, and a member of an entry.
        ("credential_rotation", "option 'nodes_pull_secret' is", "option 'nodes_pull_secret' is"),
        ("credential_rotation", "options 'old' and 'nothing' are", "options 'old' and 'nothing' are"),
        (
            "credential_rotation",
            "credential_rotation_secrets[0]: option 'old' is",
            "credential_rotation_secrets[0]: option 'old' is",
        ),
        ("credential_rotation", "secret 'old' is", "secret 'old' is"),
        # The role gives the option to all entries.
        (
            "private_registry",
            "private_registry_secrets[0] (x): option 'owner': a; private_registry_secrets[1]: option 'adopt': b",
            "private_registry_secrets[0] (x): variable image_pull_owner: a; private_registry_secrets[1]: variable image_pull_adopt: b",
        ),
        # Items of a list.
        (
            "pull_access_what_if",
            "option 'changes[0]': a; option 'changes[1]': b",
            "variable pull_access_what_if_changes[0]: a; variable pull_access_what_if_changes[1]: b",
        ),
        ("pull_access_what_if", "option 'nothing[0]': a", "option 'nothing[0]': a"),
        # A problem after that of an item, and a member of an option.
        (
            "pull_access_what_if",
            "option 'changes[0]': option 'show' is a; option 'fail_on' is b; option 'against.prune' is c",
            "variable pull_access_what_if_changes[0]: option 'show' is a; variable pull_access_what_if_fail_on is b; "
            "variable pull_access_what_if_against.prune is c",
        ),
        (
            "pull_access_what_if",
            "option 'changes[0]': secrets[0]: option 'show' is a; secrets[1]: option 'show' is b",
            "variable pull_access_what_if_changes[0]: secrets[0]: option 'show' is a; secrets[1]: option 'show' is b",
        ),
        # Ansible's own message.
        ("automation_account", "value of jobs must be one or", "value of automation_account_jobs must be one or"),
        ("automation_account", "value of job must be one of", "value of job must be one of"),
        (
            "private_registry",
            "private_registry_secrets[0]: value of state must be one of",
            "private_registry_secrets[0]: value of state must be one of",
        ),
    ],
)
def test_options_become_variables(role: str, said: str, told: str) -> None:
    assert translate_result(role, {"msg": said, "warnings": [said, {"msg": said}], "n": 1}) == {
        "msg": told,
        "warnings": [told, {"msg": said}],
        "n": 1,
    }


def test_a_result_without_messages_is_unchanged() -> None:
    assert translate_result("credential_rotation", {"changed": False}) == {"changed": False}


def test_a_long_text_is_converted_in_little_time() -> None:
    """The text may come from a server and contain repetitions."""
    started = time.process_time()
    translate_result("global_pull_secret", {"msg": "a" * 10_000 + " in 'registries'" * 20})
    assert time.process_time() - started < 1
