# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on changes names the pods that need a secret and a registry, and certifies a site once it has its images."""

from __future__ import annotations

import json

import pytest
import yaml
from support.audited import Scene
from support.guided import deployment, inventory, pull_secret
from support.lab import path_of
from support.registry_settings import registry_settings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own_lab(untouched_lab):
    """The site's registry is the delegated one, for which the nodes get a login."""
    return untouched_lab


def test_the_guide_on_changes_works_as_written(installed, own_lab, pulls):
    registry, site = own_lab.registry("private"), own_lab.registry("delegated")
    account = registry["accounts"][0]
    for project, names in (("project-a", ["old-pull"]), ("project-b", ["old-pull", "team-registry"])):
        own_lab.namespace(project)
        for name in names:
            pull_secret(own_lab, project, name, registry["host"], account)
        own_lab.set_account(project, imagePullSecrets=names)
        deployment(own_lab, project, "web")

    def image_of_another_pod():
        """A pod without a login runs with an image that the other one has pulled."""
        own_lab.namespace("project-e")
        pods = Scene(own_lab, ["project-a", "project-e"])
        for at, own in enumerate((["team-registry"], [])):
            pods.pod(own=own, at=at)
        pods.runs(at=1)

    def projects_of_the_review():
        for project in ("project-a", "project-e"):
            own_lab.api("DELETE", path_of(project, "pods", "app") + "?gracePeriodSeconds=0")
        for project in ("project-c", "project-d"):
            own_lab.namespace(project)
            deployment(own_lab, project, "web")

    inventory(installed)
    (installed.folder / "password").write_text(account["password"], encoding="utf-8")
    installed.environment["REGISTRY_PASSWORD"] = account["password"]
    # The site's registry of the lab has another host for its tokens.
    reached = f"only_registries: [{site['host']}, {site['realm_host']}]"
    installed.stand_ins |= {"only_registries: [registry.site.example]": reached, "registry.site.example": site["host"]}
    login = (site["accounts"][0]["username"], site["accounts"][0]["password"])
    with registry_settings(own_lab, node={site["host"]: login}):
        installed.follow(
            "before_a_change",
            before={
                "fail_on=unknown": lambda: own_lab.sign("copies/app:v1", registry="delegated"),
                "target_version=4.22.0": image_of_another_pod,
                "site -i clusters": projects_of_the_review,
            },
            status={"fail_on=would_break": 2},
            only_shown={"skopeo sync": "the lab pushes the copy itself"},
        )
        run_job(installed)
    assert own_lab.get("project-a", "secrets", "old-pull") is None
    assert pulls("project-a", registry["image"])
    assert pulls("project-b", registry["image"])
    document = json.loads((installed.folder / "certified" / "production.json").read_text(encoding="utf-8"))
    assert document["counts"]["still_pulls"] == 2
    assert (installed.folder / "imageset.yml").read_text(encoding="utf-8").count(registry["image"]) == 1


def run_job(reader):
    """Run the script of the job as GitLab does, until a command fails."""
    job = yaml.safe_load((reader.folder / ".gitlab-ci.yml").read_text(encoding="utf-8"))["review-pull-access"]
    *commands, review = job["script"]
    for command in commands:
        reader.type(".gitlab-ci.yml", command, [], 0)
    reader.type(".gitlab-ci.yml", review, ["...", "Lost access:", "..."], 2)
    (kept,) = job["artifacts"]["paths"]
    found = json.loads((reader.folder / kept / "production.json").read_text(encoding="utf-8"))
    assert {row["namespace"] for row in found["containers"] if row["answer"] == "would_break"} == {"project-d"}
    assert found["access"]["lost"]
    assert not found["access"]["gained"]
