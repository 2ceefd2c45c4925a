# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of an earlier release, applied to the objects that this release wrote, changes nothing, and teardown removes all of them.

tests/support/released/VERSION has what that release wrote: `objects.json` and `links.json`, for the projects of `inventory.yml`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.lab import Lab, mount_names, path_of, pull_names
from support.playbooks import play

RELEASES = sorted((Path(__file__).parents[1] / "support" / "released").iterdir())
PROJECTS = ("project-a", "project-b", "project-c")
ACCOUNTS = ("default", "builds")
OURS = "app.kubernetes.io/managed-by=openshift_ops.image_pull"
KINDS = {"Secret": "secrets", "RoleBinding": "rolebindings"}


class Release:
    """The objects and the inventory of a release, for projects of a lab with another prefix."""

    def __init__(self, folder: Path, lab: Lab, directory: Path) -> None:
        self.folder, self.lab, self.prefix = folder, lab, f"upgrade-{folder.name.replace('.', '-')}-"
        self.projects = [self.prefix + name for name in PROJECTS]
        self.inventory = directory / "hosts.yml"
        self.inventory.write_text(f"all:\n  hosts:\n    lab:\n      image_pull_kubeconfig: {lab.kubeconfig}\n")
        variables = directory / "group_vars" / "all.yml"
        variables.parent.mkdir()
        variables.write_text(self.text("inventory.yml"))

    def text(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8").replace("project-", f"{self.prefix}project-")

    def prepare(self) -> None:
        """Create the projects with a second account, with everything that the release wrote."""
        for project in self.projects:
            self.lab.namespace(project)
            self.lab.create(project, "serviceaccounts", {"metadata": {"name": "builds"}})
            self.lab.until(lambda name=project: self.lab.provisioned(name), "the account has its secret")

    def restore(self) -> None:
        for item in json.loads(self.text("objects.json")):
            meta = {name: value for name, value in item["metadata"].items() if name not in ("uid", "creationTimestamp")}
            self.lab.create(meta["namespace"], KINDS[item["kind"]], {**item, "metadata": meta})
        for project, accounts in json.loads(self.text("links.json")).items():
            for name, lists in accounts.items():
                account = self.lab.get(project, "serviceaccounts", name)
                merged = {
                    key: [*account.get(key, []), *({"name": each} for each in names)] for key, names in lists.items()
                }
                self.lab.api("PATCH", path_of(project, "serviceaccounts", name), merged)

    def found(self) -> tuple[list[str], dict[str, tuple[list[str], list[str]]]]:
        """The names of our objects, and both lists of each account."""
        kinds = (("secrets", "/api/v1"), ("rolebindings", "/apis/rbac.authorization.k8s.io/v1"))
        names, lists = [], {}
        for project in self.projects:
            for resource, group in kinds:
                selected = f"{group}/namespaces/{project}/{resource}?labelSelector={OURS}"
                names += [f"{project}/{item['metadata']['name']}" for item in self.lab.api("GET", selected)["items"]]
            for name in ACCOUNTS:
                account = self.lab.account(project, name)
                lists[f"{project}/{name}"] = pull_names(account), mount_names(account)
        return names, lists


@pytest.mark.parametrize("folder", RELEASES, ids=lambda folder: folder.name)
def test_an_inventory_of_a_release_changes_nothing_of_its_objects(lab: Lab, folder: Path, tmp_path: Path) -> None:
    it = Release(folder, lab, tmp_path)
    it.prepare()
    before = it.found()
    it.restore()
    assert len(it.found()[0]) == len(json.loads(it.text("objects.json"))) > 0
    with lab.no_writes():
        play("site", it.inventory).unchanged()
    play("teardown", it.inventory).succeeded()
    assert it.found() == before
