# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site is cut off from its upstream registry: what-if names exactly the workloads that lack something at the site.

After that is corrected, all of them pull from the site's registry while the upstream registry is closed. `IMAGE_PULL_WORKLOADS` sets the
number of workloads.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest
from support.lab import Lab
from support.modules import run_module
from support.registry_settings import auth_file, pull_secret, registry_settings
from support.supposed_changes import made, mirror_set, signature_policy

pytestmark = pytest.mark.slow

COUNT = int(os.environ.get("IMAGE_PULL_WORKLOADS", "20"))
NAMESPACE = "site"
#: The problems of every tenth workload. All others have everything.
PROBLEMS = {1: "image", 3: "login", 5: "signature", 7: "mirror"}
#: The folder of the image at the upstream registry.
FOLDERS = {"login": "locked", "signature": "signed", "mirror": "nowhere"}


class Site:
    """The workloads. `upstream` is the delegated registry, and `mirror` the private one, which is the site's."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.upstream, self.mirror = (lab.registry(name)["host"] for name in ("delegated", "private"))
        self.problems = {number: PROBLEMS.get(number % 10, "") for number in range(COUNT)}

    def repository(self, number: int) -> str:
        return f"{FOLDERS.get(self.problems[number], 'apps')}/app-{number}"

    def image(self, number: int) -> str:
        return f"{self.upstream}/{self.repository(number)}:v1"

    def lacking(self, *problems: str) -> set[str]:
        return {f"web-{number}" for number, problem in self.problems.items() if problem in problems}

    def login(self, name: str, *places: str) -> dict[str, tuple[str, str]]:
        account = self.lab.registry(name)["accounts"][0]
        return dict.fromkeys(places, (account["username"], account["password"]))

    def make(self) -> None:
        self.lab.namespace(NAMESPACE)
        self.lab.create(
            NAMESPACE, "secrets", pull_secret("upstream", auth_file(self.login("delegated", self.upstream)))
        )
        self.lab.set_account(NAMESPACE, imagePullSecrets=["upstream"])
        for number, problem in self.problems.items():
            self.lab.sign(f"{self.repository(number)}:v1", registry="delegated")
            if problem not in ("image", "mirror"):
                self.copy(number)
            labels = {"app": f"web-{number}"}
            template = {"metadata": {"labels": labels}, "spec": self.spec(number)}
            spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
            path = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
            self.lab.api("POST", path, {"metadata": {"name": f"web-{number}"}, "spec": spec})

    def spec(self, number: int) -> dict[str, Any]:
        return {"containers": [{"name": "app", "image": self.image(number), "imagePullPolicy": "Always"}]}

    def copy(self, number: int, *flags: str) -> None:
        """Copy an image to the site's registry."""
        self.lab.sign(f"{self.repository(number)}:v1", *flags, registry="private")

    def mirrors(self, *folders: str) -> list[dict[str, Any]]:
        return [mirror_set("tag", folder, f"{self.upstream}/{folder}", f"{self.mirror}/{folder}") for folder in folders]

    def changes(self, *folders: str) -> list[dict[str, Any]]:
        """The site is cut off, with mirrors for these folders and a policy for signatures."""
        policy = signature_policy("signed", f"{self.upstream}/signed", key=self.lab.data["signing_key"])
        objects = [*self.mirrors(*folders), policy]
        integrated = self.lab.registry("integrated")["host"]
        return [{"add_objects": {"definition": objects}}, {"only_registries": [self.mirror, integrated]}]

    def ask(self, *folders: str) -> dict[str, Any]:
        result = run_module(
            "pull_access_what_if",
            kubeconfig=self.lab.kubeconfig,
            namespaces=[NAMESPACE],
            changes=[*self.changes(*folders), {"new_nodes": True}],
            ask_registries=True,
            realm_hosts=self.lab.registry_hosts,
            registry_ca_cert=self.lab.data["ca_cert"],
        )
        assert not result["failed"], result["msg"]
        document: dict[str, Any] = result["what_if"]
        assert sum(document["counts"].values()) == COUNT
        return document

    def pulls(self, prefix: str) -> dict[str, bool]:
        """Whether new pods of the workloads get their image."""
        names = [f"{prefix}-{number}" for number in self.problems]
        for number, name in enumerate(names):
            self.lab.create(NAMESPACE, "pods", {"metadata": {"name": name}, "spec": self.spec(number)})
        done = self.lab.pull_all([(NAMESPACE, name) for name in names])
        for name in names:
            self.lab.api("DELETE", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}?gracePeriodSeconds=0")
        return {f"web-{number}": one["pulled"] for number, one in enumerate(done)}


def named(document: Mapping[str, Any], answer: str) -> set[str]:
    return {row["name"] for row in document["containers"] if row["answer"] == answer}


def test_exactly_the_workloads_that_lack_something_are_named_and_all_pull_once_it_is_corrected(
    lab_factory: Any,
) -> None:
    site = Site(lab_factory())
    site.make()
    private = ("apps", "signed")
    with registry_settings(site.lab, node=site.login("private", *(f"{site.mirror}/{each}" for each in private))):
        assert all(site.pulls("before").values())
        first = site.ask("apps", "locked", "signed")
        assert named(first, "would_break") == site.lacking("image", "login", "signature", "mirror")
        assert named(first, "unknown") == set()
        reasons = {row["name"]: row["after"]["reason"] for row in first["containers"]}
        for number, problem in site.problems.items():
            said = {
                "image": f"has no {site.mirror}/apps/app-{number}:v1",
                "login": f"the nodes' pull secret has no key for {site.mirror}/locked/app-{number}:v1",
                "signature": "has no signature",
                "mirror": "no other registry serves",
            }
            assert said.get(problem, "") in reasons[f"web-{number}"]
        missing = {site.image(number) for number, problem in site.problems.items() if problem in ("image", "mirror")}
        assert {*first["images_to_mirror"]["images"]} == missing
        with made(site.lab, site.changes("apps", "locked", "signed")):
            done = site.pulls("broken")
        assert {name for name, pulled in done.items() if not pulled} == named(first, "would_break")

    for number, problem in site.problems.items():
        if problem in ("image", "mirror"):
            site.copy(number)
        elif problem == "signature":
            site.copy(number, "--part=image", f"--identity={site.image(number)}")
    folders = ("apps", "locked", "signed", "nowhere")
    with registry_settings(site.lab, node=site.login("private", site.mirror)):
        second = site.ask(*folders)
        assert named(second, "would_break") == set()
        # Which key made a signature cannot be seen from here.
        assert named(second, "unknown") == site.lacking("signature")
        with made(site.lab, site.changes(*folders)):
            assert all(site.pulls("after").values())
