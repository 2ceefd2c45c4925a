# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role `credential_provider` shows its changes by default, makes them once on request, and removes them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.lab import Lab
from support.playbooks import Play, play
from support.provider import PROVIDERS, create_reader_role, remove_provider
from support.registry_settings import auth_file, pull_secret, registry_settings

NAME = "image-pull-credential-provider"
SOURCE, MIRROR = "source.example.com", "mirror.example.com"
PLAYBOOK = """
- hosts: all
  connection: local
  gather_facts: false
  module_defaults:
    group/openshift_ops.image_pull.k8s:
      kubeconfig: "{{ image_pull_kubeconfig }}"
  roles:
    - openshift_ops.image_pull.credential_provider
"""
Run = Callable[..., Play]


@pytest.fixture
def cluster(lab: Lab) -> Iterator[Lab]:
    remove_provider(lab)
    create_reader_role(lab)
    with registry_settings(lab, tag=[{"source": SOURCE, "mirrors": [MIRROR]}]):
        yield lab
    remove_provider(lab)


@pytest.fixture
def run(cluster: Lab, tmp_path: Path) -> Run:
    """Run the role with options of ansible-playbook and its variables, without their prefix."""

    def call(*options: str, **variables: Any) -> Play:
        named = {f"credential_provider_{name}": value for name, value in variables.items()}
        host = {"image_pull_kubeconfig": cluster.kubeconfig, "credential_provider_match_images": [SOURCE], **named}
        (tmp_path / "play.yml").write_text(PLAYBOOK)
        (tmp_path / "hosts.yml").write_text(yaml.dump({"all": {"hosts": {"east": host}}}))
        return play(tmp_path / "play.yml", tmp_path / "hosts.yml", "--diff", *options, no_proxy="*")

    return call


def is_set_up(lab: Lab, *namespaces: str) -> bool:
    found = lab.api("GET", f"{PROVIDERS}/cluster", expect=(200, 404))
    bound = [lab.get(namespace, "rolebindings", NAME) is not None for namespace in namespaces]
    assert len({found.get("spec") == {"matchImages": [SOURCE]}, *bound}) == 1, (found, bound)
    return all(bound)


def test_the_role_shows_makes_and_removes_its_changes(cluster: Lab, run: Run, namespaces: Any) -> None:
    names = namespaces(2)
    for name in names:
        cluster.create(name, "secrets", pull_secret("mirror", auth_file({MIRROR: ("u", "Canary-provider-3")})))
    given = {"namespaces": names, "images": [f"{SOURCE}/team/app:v1"]}
    for options, more in (((), {}), (("--check",), {"apply": True})):
        shown = run(*options, **given, **more)
        assert (shown.status, is_set_up(cluster, *names)) == (0, False), shown.output
        assert f"Namespaces whose accounts change: {', '.join(names)}" in shown.output
        assert "every pod of the node can use the image" in shown.output
    assert "unknown: " in shown.output
    done = run(**given, apply=True)
    assert (done.status, done.recap["changed"], is_set_up(cluster, *names)) == (0, 1, True), done.output
    again = run(**given, apply=True)
    assert (again.status, again.recap["changed"]) == (0, 0), again.output
    gone = run(**given, apply=True, create_role=True, state="absent")
    assert (gone.status, gone.recap["changed"], is_set_up(cluster, *names)) == (0, 1, False), gone.output
    assert "Canary-provider-3" not in "".join(each.output for each in (shown, done, again, gone))


def test_a_failed_namespace_fails_the_play_after_the_others(cluster: Lab, run: Run, namespaces: Any) -> None:
    broken, fine = namespaces(2)
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    cluster.create(broken, "rolebindings", {"metadata": {"name": NAME}, "roleRef": role, "subjects": []})
    done = run(namespaces=[broken, fine], apply=True)
    assert done.status != 0
    assert f"{broken}: role binding {broken}/{NAME} was not created by this module" in done.output
    assert cluster.get(fine, "rolebindings", NAME) is not None
