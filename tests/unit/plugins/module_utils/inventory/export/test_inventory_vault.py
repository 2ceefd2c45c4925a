# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each login has its own variable, with a valid name."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.writers import TemplateText
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.inventory import Vault


def login(registry: str = "quay.io", username: str = "team+robot", password: str = "secret-1") -> dict[str, str]:
    return {"registry": registry, "username": username, "password": password}


def test_one_login_is_one_variable() -> None:
    vault = Vault()
    first = vault.password(login())
    assert first == vault.password({**login(), "email": "another"}) == "{{ vaulted_quay_io_team_robot | string }}"
    assert isinstance(first, TemplateText)
    assert vault.variables == {"vaulted_quay_io_team_robot": "secret-1"}


def test_another_password_has_a_number() -> None:
    vault = Vault()
    vault.password(login())
    assert vault.password(login(password="secret-2")) == "{{ vaulted_quay_io_team_robot_2 | string }}"
    # A different login with a similar user name.
    assert vault.password(login(username="team.robot")) == "{{ vaulted_quay_io_team_robot_3 | string }}"
    assert list(vault.variables.values()) == ["secret-1", "secret-2", "secret-1"]


def test_a_whole_auth_file_is_one_variable() -> None:
    vault = Vault()
    assert vault.auth_config("one", "m", {"auths": {}}) == "{{ vaulted_one_auth_config }}"
    assert vault.auth_config("one", "m", {"auths": {}}) == "{{ vaulted_one_auth_config }}"
    assert vault.auth_config("one", "other", {"auths": {"x": {}}}) == "{{ vaulted_one_auth_config_2 }}"


def test_variable_names_are_valid_for_any_login() -> None:
    vault = Vault()
    names = ["https://index.docker.io/v1/", "Q.IO:5000/A", "x" * 300, "é", "{{ x }}"]
    for name in names:
        vault.password(login(registry=name, username=name))
    found = list(vault.variables)
    assert all(name.isidentifier() and name.isascii() and len(name) < 120 for name in found)
    assert found[:2] == ["vaulted_index_docker_io_v1_index_docker_io_v1", "vaulted_q_io_5000_a_q_io_5000_a"]
    assert found[3] == "vaulted"
