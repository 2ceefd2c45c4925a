# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two entries that declare one secret are refused before any write, within one role and across the two roles that write secrets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab
from support.playbooks import COLLECTION, ROOT, Play, play

CANARY = "Canary-77"
LOGIN = {"registry": "quay.io", "username": "robot", "password": CANARY}
UNDO = "two entries for one secret would undo each other in every run, so give their secrets different names, or remove one entry"
#: Part of the message of a module that tried to connect.
NO_CLUSTER = "/nonexistent"


def secret(name: str, *namespaces: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "registries": [LOGIN], **({"namespaces": list(namespaces)} if namespaces else {}), **more}


def registry(*namespaces: str, **more: Any) -> dict[str, Any]:
    one = {**LOGIN, "registry": "registry.example.com", "realm_host": "sso.example.com"}
    return {**one, **({"namespaces": list(namespaces)} if namespaces else {}), **more}


def run(directory: Path, roles: list[str], **variables: Any) -> Play:
    """Run the roles in one play against a missing cluster, with these variables in the inventory."""
    (directory / "hosts.yml").write_text(
        yaml.safe_dump(
            {
                "all": {
                    "hosts": {"east": None},
                    "vars": {
                        "ansible_connection": "local",
                        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                        **variables,
                    },
                }
            }
        )
    )
    book = [{"hosts": "all", "gather_facts": False, "roles": [f"{COLLECTION}.{role}" for role in roles]}]
    (directory / "play.yml").write_text(yaml.safe_dump(book))
    done = play(directory / "play.yml", directory / "hosts.yml", "-vvv", K8S_AUTH_KUBECONFIG=NO_CLUSTER).failed()
    assert CANARY not in done.output
    return done


class TestRefused:
    @pytest.mark.parametrize(
        "roles", [["private_registry"], ["delegated_auth"], ["private_registry", "delegated_auth"]], ids="+".join
    )
    def test_a_secret_that_two_roles_declare_is_refused_even_if_one_runs_alone(
        self, tmp_path: Path, roles: list[str]
    ) -> None:
        done = run(
            tmp_path,
            roles,
            private_registry_secrets=[
                secret("other", "project-c"),
                secret("private-registry", "project-a", "project-c"),
            ],
            delegated_auth_registries=[registry("project-b"), registry("project-c")],
        )
        assert (
            "secret project-c/private-registry is declared by private_registry_secrets[1] and "
            f"delegated_auth_registries[1].registry_secret_name; {UNDO}"
        ) in done.output
        assert NO_CLUSTER not in done.output
        assert "declared by private_registry_secrets[0]" not in done.output


@pytest.mark.slow
class TestNotRefused:
    @pytest.mark.parametrize(
        ("secrets", "registries"),
        [
            ([secret("private-registry", "project-a")], [registry("project-b")]),
            ([secret("private-registry", namespace_selector={"include": ["project-*"]})], [registry("project-b")]),
            ([secret("one", "project-a", "project-a"), secret("two", "project-a")], []),
            ([secret("one", "project-a")], [registry("project-b"), registry("project-b")]),
        ],
        ids=["other namespaces", "a selector and names", "other names", "the other role's own matter"],
    )
    def test_entries_that_differ_or_cannot_be_compared_are_accepted(
        self, tmp_path: Path, secrets: Any, registries: Any
    ) -> None:
        done = run(
            tmp_path, ["private_registry"], private_registry_secrets=secrets, delegated_auth_registries=registries
        )
        assert NO_CLUSTER in done.output
        assert "is declared by" not in done.output

    def test_an_undefined_password_of_the_other_role_is_ignored(self, tmp_path: Path) -> None:
        """This run does not need the password, so the undefined variable must not fail it."""
        done = run(
            tmp_path,
            ["private_registry"],
            private_registry_secrets=[secret("one", "project-a")],
            delegated_auth_registries=[registry("project-b", password="{{ vaulted_and_not_here }}")],
        )
        assert NO_CLUSTER in done.output


class TestSelectors:
    """The task that writes the secrets knows the namespaces of both roles."""

    def site(self, lab: Lab, directory: Path, secrets: Any, registries: Any) -> Play:
        host = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        registry_ = lab.registry("delegated")
        login = {name: registry_["accounts"][0][name] for name in ("username", "password")}
        asked = {"registry": registry_["host"], "realm_host": registry_["realm_host"], **login}
        variables = {
            "image_pull_kubeconfig": lab.kubeconfig,
            "private_registry_secrets": secrets,
            "delegated_auth_registries": [{**asked, **one} for one in registries],
        }
        (directory / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"lab": host}, "vars": variables}}))
        return play("site", directory / "hosts.yml")

    def test_a_selector_and_a_name_of_the_other_role_are_refused_before_any_write(
        self, lab: Lab, namespaces: Callable[..., list[str]], tmp_path: Path
    ) -> None:
        one, other = namespaces(2)
        selected = secret("private-registry", namespace_selector={"include": [one, f"[{other[0]}]{other[1:]}"]})
        with lab.no_writes():
            done = self.site(lab, tmp_path, [secret("first", one), selected], [{"namespaces": [other]}]).failed()
        assert (
            "private_registry_secrets[1] (private-registry) and delegated_auth_registries[0] (private-registry) "
            f"contradict each other in namespace {other}: "
        ) in done.text

    def test_disjoint_selections_are_applied_and_a_second_run_changes_nothing(
        self, lab: Lab, namespaces: Callable[..., list[str]], tmp_path: Path
    ) -> None:
        one, other = namespaces(2)
        selected = secret(
            "private-registry", namespace_selector={"include": [one, other], "exclude": [f"[{other[0]}]{other[1:]}"]}
        )
        first, second = (self.site(lab, tmp_path, [selected], [{"namespaces": [other]}]) for _run in range(2))
        assert (first.status, second.status) == (0, 0), first.output
        assert "changed=0" not in first.output
        assert "changed=0" in second.output


def test_the_example_inventory_declares_each_name_once() -> None:
    """With unique names, a project can be added to any entry."""
    variables = ROOT / "playbooks" / "inventory" / "group_vars" / "all"
    read = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in variables.glob("*.yml")}
    names = [entry["name"] for entry in read["private_registry"]["private_registry_secrets"]]
    for entry in read["delegated_auth"]["delegated_auth_registries"]:
        names += [
            entry.get("registry_secret_name", "private-registry"),
            entry.get("realm_secret_name", "redhat-connect-sso"),
        ]
    assert sorted(names) == sorted(set(names))
