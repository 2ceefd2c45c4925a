# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory is complete: an object that leaves any team's variables leaves the cluster, and a teardown removes one owner's objects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab, pull_names
from support.playbooks import Play, play

LOGIN = {"registry": "quay.io", "username": "robot", "password": "Secret-1"}
Variables = dict[str, Any]


class Fleet:
    """An inventory for a lab, with the variables of each owner, and runs of the playbooks with it."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.lab, self.inventory = lab, directory / "hosts.yml"

    def play(self, playbook: str, owner: str, variables: Variables, *options: str, status: int = 0) -> Play:
        host = {
            "ansible_connection": "local",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}",
            "image_pull_kubeconfig": self.lab.kubeconfig,
            "image_pull_owner": owner,
            "image_pull_prune": True,
            "image_pull_max_prune": "100%",
            **variables,
        }
        self.inventory.write_text(yaml.safe_dump({"all": {"hosts": {"lab": host}}}))
        done = play(playbook, self.inventory, *options)
        assert done.status == status, done.output
        return done

    def site(self, owner: str, variables: Variables) -> Play:
        """Check, run and run again: check mode predicts the run, and the second run changes and writes nothing."""
        with self.lab.no_writes():
            checked = self.play("site", owner, variables, "--check")
        real = self.play("site", owner, variables)
        assert real.recap["changed"] == checked.recap["changed"]
        audit = self.lab.audit()
        again = self.play("site", owner, variables)
        assert (again.recap["changed"], audit.writes()) == (0, []), again.output
        return real

    def state(self, *namespaces: str) -> dict[str, list[str]]:
        """Return our secrets, the links to them and our bindings for each namespace."""
        found = {}
        for namespace in namespaces:
            names = []
            for resource, root in (("secrets", "/api/v1"), ("rolebindings", "/apis/rbac.authorization.k8s.io/v1")):
                path = f"{root}/namespaces/{namespace}/{resource}?labelSelector=app.kubernetes.io/managed-by"
                names += [f"{resource}/{item['metadata']['name']}" for item in self.lab.api("GET", path)["items"]]
            linked = [name for name in pull_names(self.lab.account(namespace)) if "-dockercfg-" not in name]
            found[namespace] = [*names, *(f"link/{name}" for name in linked)]
        return found


@pytest.fixture
def fleet(lab: Lab, tmp_path: Path) -> Fleet:
    return Fleet(lab, tmp_path)


def secret(name: str, *namespaces: str, **more: Any) -> Variables:
    return {"name": name, "namespaces": list(namespaces), "registries": [LOGIN], **more}


def test_objects_that_leave_the_inventory_leave_the_cluster(
    fleet: Fleet, namespaces: Callable[[int], list[str]]
) -> None:
    one, two = namespaces(2)
    full = {
        "private_registry_secrets": [secret("base", one, two)],
        "private_registry_secrets_team_a": [secret("team-a", one, two)],
        "cross_project_pull_grants_team_a": [{"namespaces": [one], "projects": [two]}],
        "delegated_auth_registries": [
            {**LOGIN, "registry": "r.example.com", "realm_host": "sso.example.com", "namespaces": [two]}
        ],
    }
    fleet.play("site", "platform", full)
    grant = "rolebindings/image-puller-grant-platform"
    delegated = ["secrets/private-registry", "secrets/redhat-connect-sso"]
    assert fleet.state(one, two) == {
        one: ["secrets/base", "secrets/team-a", grant, "link/base", "link/team-a"],
        two: [
            *("secrets/base", *delegated, "secrets/team-a", "link/base", "link/team-a"),
            *("link/private-registry", "link/redhat-connect-sso"),
        ],
    }
    less = {
        "private_registry_secrets": [secret("base", one)],
        "private_registry_secrets_team_a": [secret("team-a", two)],
    }
    fleet.site("platform", less)
    assert fleet.state(one, two) == {one: ["secrets/base", "link/base"], two: ["secrets/team-a", "link/team-a"]}


@pytest.mark.slow
def test_a_delegated_login_with_a_problem_keeps_its_secrets_and_links(
    fleet: Fleet, namespaces: Callable[[int], list[str]]
) -> None:
    """The prune continues for the rest."""
    (one,) = namespaces(1)
    entry = {**LOGIN, "registry": "r.example.com", "namespaces": [one]}
    known = {"delegated_auth_registries": [{**entry, "realm_host": "sso.example.com"}]}
    fleet.site("platform", {**known, "private_registry_secrets": [secret("base", one)]})
    done = fleet.play("site", "platform", {"delegated_auth_registries": [entry]}, status=2)
    assert "delegated_auth_registries[0]" in done.output
    assert fleet.state(one) == {
        one: [
            *("secrets/private-registry", "secrets/redhat-connect-sso"),
            *("link/private-registry", "link/redhat-connect-sso"),
        ]
    }


@pytest.mark.slow
def test_two_owners_share_a_project_and_each_is_torn_down_alone(
    fleet: Fleet, namespaces: Callable[[int], list[str]]
) -> None:
    one, two = namespaces(2)

    def variables(name: str) -> Variables:
        return {
            "private_registry_secrets": [secret(name, one)],
            "cross_project_pull_grants": [{"namespaces": [one], "projects": [two]}],
        }

    fleet.site("east", variables("of-east"))
    fleet.site("west", variables("of-west"))
    taken = fleet.play("site", "west", {"private_registry_secrets": [secret("of-east", one)]}, status=2)
    assert f"secret {one}/of-east belongs to owner east" in taken.output
    fleet.play("teardown", "east", {})
    assert fleet.state(one) == {one: ["secrets/of-west", "rolebindings/image-puller-grant-west", "link/of-west"]}
    fleet.play("teardown", "west", {})
    assert fleet.state(one) == {one: []}


@pytest.mark.slow
def test_an_empty_inventory_removes_nothing_without_prune_everything(
    fleet: Fleet, namespaces: Callable[[int], list[str]]
) -> None:
    (one,) = namespaces(1)
    fleet.site("lonely", {"private_registry_secrets": [secret("base", one)]})
    refused = fleet.play("site", "lonely", {}, status=2)
    assert "prune_everything" in refused.output
    assert fleet.state(one) == {one: ["secrets/base", "link/base"]}
    fleet.play("site", "lonely", {"image_pull_prune_everything": True})
    assert fleet.state(one) == {one: []}


@pytest.mark.slow
def test_a_prune_over_the_limit_is_refused_before_the_first_write(
    fleet: Fleet, namespaces: Callable[[int], list[str]]
) -> None:
    names = namespaces(3)
    fleet.site("big", {"private_registry_secrets": [secret("base", *names)]})
    with fleet.lab.no_writes():
        refused = fleet.play(
            "site",
            "big",
            {"private_registry_secrets": [secret("base", names[0])], "image_pull_max_prune": "10%"},
            status=2,
        )
    assert "image_pull_max_prune: 10% is exceeded" in refused.output
    assert "Check the lists, or set image_pull_max_prune: 2." in refused.output


@pytest.mark.slow
def test_prune_needs_an_owner(fleet: Fleet) -> None:
    refused = fleet.play("site", "", {"image_pull_owner": "{{ no_owner }}"}, status=2)
    assert "variable image_pull_owner: variable no_owner is undefined" in refused.text


class TestVariablesOfTeams:
    def test_a_contradiction_names_the_variable_of_each_entry(
        self, fleet: Fleet, namespaces: Callable[[int], list[str]]
    ) -> None:
        (one,) = namespaces(1)
        refused = fleet.play(
            "site",
            "x",
            {"private_registry_secrets_a": [secret("same", one)], "private_registry_secrets_b": [secret("same", one)]},
            status=2,
        )
        assert (
            f"secret {one}/same is declared by private_registry_secrets_a[0] and private_registry_secrets_b[0]"
            in refused.output
        )
        assert fleet.state(one) == {one: []}

    @pytest.mark.slow
    def test_overlapping_selectors_are_refused_with_both_variables(
        self, fleet: Fleet, namespaces: Callable[[int], list[str]]
    ) -> None:
        (one,) = namespaces(1)
        by_glob = {"name": "same", "registries": [LOGIN], "namespace_selector": {"include": [f"{one}*"]}}
        refused = fleet.play(
            "site",
            "x",
            {"private_registry_secrets_a": [secret("same", one)], "private_registry_secrets_b": [by_glob]},
            status=2,
        )
        for words in (
            "private_registry_secrets_a[0] (same)",
            "private_registry_secrets_b[0] (same)",
            f"in namespace {one}",
        ):
            assert words in refused.output
        assert fleet.state(one) == {one: []}
