# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With image_pull_only_namespaces, site.yml and teardown.yml change only the given namespaces."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab
from support.playbooks import Play, play, variables_file

LOGIN = {"username": "developer", "password": "Kx7-correct-horse"}
OWNER = "team-a"


@pytest.fixture
def places(namespaces: Callable[..., list[str]], lab: Lab) -> dict[str, str]:
    """Namespaces by purpose. The last two are selected by a label."""
    found = dict(zip(("old", "new", "owner", "labelled", "labelled too"), namespaces(5), strict=True))
    for name in ("labelled", "labelled too"):
        lab.api("PATCH", f"/api/v1/namespaces/{found[name]}", {"metadata": {"labels": {"only": found["old"]}}})
    return found


@pytest.fixture
def inventory(lab: Lab, places: dict[str, str], tmp_path: Path) -> Path:
    """An inventory for all three roles, with names and a selector."""
    registry = lab.registry("delegated")
    account = {name: registry["accounts"][0][name] for name in ("username", "password")}
    variables = {
        "image_pull_kubeconfig": lab.kubeconfig,
        "image_pull_owner": OWNER,
        "private_registry_secrets": [
            {
                "name": "named",
                "namespaces": [places["old"], places["new"]],
                "registries": [{"registry": "registry.example.com", **LOGIN}],
            },
            {
                "name": "selected",
                "namespace_selector": {"labels": f"only={places['old']}"},
                "registries": [{"registry": "registry.example.com", **LOGIN}],
            },
        ],
        "delegated_auth_registries": [
            {
                "registry": registry["host"],
                "realm_host": registry["realm_host"],
                "namespaces": [places["old"], places["new"]],
                **account,
            }
        ],
        "cross_project_pull_grants": [
            {"namespaces": [places["owner"]], "projects": [places["old"], places["new"]], "binding_name": "pullers"}
        ],
    }
    hosts = {
        "all": {
            "hosts": {
                "lab": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
            }
        }
    }
    (tmp_path / "hosts.yml").write_text(yaml.safe_dump(hosts))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / "all.yml").write_text(variables_file(variables))
    return tmp_path


def run(playbook: str, inventory: Path, *options: str, **variables: Any) -> Play:
    return play(playbook, inventory / "hosts.yml", "-e", json.dumps(variables), *options).succeeded()


def ours(lab: Lab, namespace: str) -> list[str]:
    """Return the owner's objects and links in a namespace."""
    selector = f"labelSelector=app.kubernetes.io/instance%3D{OWNER}"
    found = [
        item["metadata"]["name"]
        for path in (
            f"/api/v1/namespaces/{namespace}/secrets",
            f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
        )
        for item in lab.api("GET", f"{path}?{selector}")["items"]
    ]
    linked = [
        entry["name"] for entry in lab.account(namespace)["imagePullSecrets"] if "-dockercfg-" not in entry["name"]
    ]
    return [*sorted(found), *(f"-> {name}" for name in sorted(linked))]


BOTH = ["named", "private-registry", "redhat-connect-sso"]
WHOLE = [*BOTH, *(f"-> {name}" for name in BOTH)]


def test_the_named_namespace_alone_gets_its_declared_objects(lab: Lab, places: dict[str, str], inventory: Path) -> None:
    audit = lab.audit()
    checked = run("site", inventory, "--check", image_pull_only_namespaces=[places["new"]])
    assert audit.writes() == []
    done = run("site", inventory, image_pull_only_namespaces=[places["new"]])
    assert done.recap == checked.recap, "check mode reports what the real run does"
    assert ours(lab, places["new"]) == WHOLE
    assert {write[2] for write in audit.writes()} == {places["new"], places["owner"]}
    subjects = lab.get(places["owner"], "rolebindings", "pullers")["subjects"]
    assert [one["name"] for one in subjects] == [f"system:serviceaccounts:{places['new']}"], (
        "a consumer is granted to alone"
    )
    for name in ("old", "labelled", "labelled too"):
        assert ours(lab, places[name]) == []

    with lab.no_writes():
        assert run("site", inventory, image_pull_only_namespaces=[places["new"]]).recap["changed"] == 0


@pytest.mark.slow
def test_a_selector_matches_only_the_named_namespaces(lab: Lab, places: dict[str, str], inventory: Path) -> None:
    run("site", inventory, image_pull_only_namespaces=[places["labelled"], places["owner"], "not-there"])
    assert ours(lab, places["labelled"]) == ["selected", "-> selected"]
    assert ours(lab, places["labelled too"]) == []
    subjects = lab.get(places["owner"], "rolebindings", "pullers")["subjects"]
    assert len(subjects) == 2, "the namespace that owns the images is given the grant as a whole"


@pytest.mark.slow
def test_an_empty_list_and_unknown_names_read_at_most_namespaces(lab: Lab, inventory: Path) -> None:
    audit = lab.audit()
    for only in ([], ["not-there"]):
        run("site", inventory, image_pull_only_namespaces=only)
    # The label selects none of these names, which only a request for the namespaces shows.
    assert {event["objectRef"]["resource"] for event in audit.ours()} <= {"namespaces"}
    assert audit.writes() == []


@pytest.mark.slow
def test_named_namespaces_switch_the_prune_off_and_limit_a_teardown(
    lab: Lab, places: dict[str, str], inventory: Path
) -> None:
    run("site", inventory)
    before = {name: ours(lab, place) for name, place in places.items()}
    assert before["old"] == before["new"] == WHOLE

    audit = lab.audit()
    done = run("site", inventory, image_pull_only_namespaces=[places["new"]], image_pull_prune=True)
    assert (done.recap["changed"], audit.writes()) == (0, [])

    run("teardown", inventory, image_pull_only_namespaces=[places["new"]])
    assert ours(lab, places["new"]) == []
    assert {name: ours(lab, places[name]) for name in ("old", "labelled")} == {
        "old": WHOLE,
        "labelled": before["labelled"],
    }
    subjects = lab.get(places["owner"], "rolebindings", "pullers")["subjects"]
    assert [one["name"] for one in subjects] == [f"system:serviceaccounts:{places['old']}"]
