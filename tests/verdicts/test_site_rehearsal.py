# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A site is cut off from its upstream registry: what-if names exactly the workloads that lack something at the site.

After that is corrected, all of them pull from the site's registry while the upstream registry is closed. `IMAGE_PULL_WORKLOADS` sets the
number of workloads. The lab's node pulls an image without an index for another architecture, as CRI-O does. It starts no program.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.lab import Lab
from support.modules import run_module
from support.registry_settings import additional_authority, auth_file, pull_secret, registry_settings
from support.supposed_changes import image_config, made, mirror_set, signature_policy

COUNT = int(os.environ.get("IMAGE_PULL_WORKLOADS", "20"))
NAMESPACE = "site"
#: The problems of every tenth workload. All others have everything. `index`: the copy is an index without the architecture of the nodes.
#: `machine`: it is one image, for another architecture. `authority`: the nodes do not know that of the mirror's certificate.
PROBLEMS = {1: "image", 2: "index", 3: "login", 4: "machine", 5: "signature", 6: "authority", 7: "mirror"}
#: The folder of the image at the upstream registry.
FOLDERS = {"login": "locked", "signature": "signed", "mirror": "nowhere", "authority": "untrusted"}
BOTH = ("--architecture=amd64", "--architecture=arm64")
#: The flags of `lab sign` for the first copy at the site.
COPIES = {"index": ("--architecture=arm64",), "machine": ("--only=arm64",)}
NODE = {"architecture": "amd64", "kubeletVersion": "v1.34.2", "containerRuntimeVersion": "cri-o://1.34.1"}


class Site:
    """The workloads. `upstream` is the delegated registry, and `mirror` the private one, which is the site's.

    `untrusted` is another address of the site's registry. `authorities` is a file with those of both certificates.
    """

    def __init__(self, lab: Lab, authorities: Path) -> None:
        self.lab = lab
        self.upstream, self.mirror = (lab.registry(name)["host"] for name in ("delegated", "private"))
        self.untrusted = lab.registry("private")["untrusted_host"]
        self.untrusted_ca = Path(lab.registry("private")["untrusted_ca"]).read_text(encoding="ascii")
        self.authorities = authorities
        authorities.write_text(Path(lab.data["ca_cert"]).read_text(encoding="ascii") + self.untrusted_ca)
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
        self.lab.api("POST", "/api/v1/nodes", {"metadata": {"name": "worker-1"}, "status": {"nodeInfo": NODE}})
        self.lab.create(
            NAMESPACE, "secrets", pull_secret("upstream", auth_file(self.login("delegated", self.upstream)))
        )
        self.lab.set_account(NAMESPACE, imagePullSecrets=["upstream"])
        for number, problem in self.problems.items():
            self.lab.sign(f"{self.repository(number)}:v1", *(BOTH if problem == "index" else ()), registry="delegated")
            if problem not in ("image", "mirror"):
                self.copy(number, *COPIES.get(problem, ()))
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
        hosts = {"untrusted": self.untrusted}
        return [
            mirror_set("tag", folder, f"{self.upstream}/{folder}", f"{hosts.get(folder, self.mirror)}/{folder}")
            for folder in folders
        ]

    def changes(self, *folders: str) -> list[dict[str, Any]]:
        """The site is cut off, with mirrors for these folders and a policy for signatures."""
        policy = signature_policy("signed", f"{self.upstream}/signed", key=self.lab.data["signing_key"])
        objects = [*self.mirrors(*folders), policy]
        integrated = self.lab.registry("integrated")["host"]
        return [
            {"add_objects": {"definition": objects}},
            {"only_registries": [self.mirror, self.untrusted, integrated]},
        ]

    def ask(self, *folders: str, supposed: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
        """The document, with other supposed changes before those of the site."""
        return self.ask_about([*supposed, *self.changes(*folders), {"new_nodes": True}])

    def ask_about(self, changes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        result = run_module(
            "pull_access_what_if",
            kubeconfig=self.lab.kubeconfig,
            namespaces=[NAMESPACE],
            changes=changes,
            ask_registries=True,
            realm_hosts=self.lab.registry_hosts,
            registry_ca_cert=str(self.authorities),
        )
        assert not result["failed"], result["msg"]
        document: dict[str, Any] = result["what_if"]
        assert sum(document["counts"].values()) == COUNT
        return document

    def images_without_a_copy(self) -> set[str]:
        """The images that have no copy for the nodes at the site."""
        lacking = ("image", "mirror", "index", "machine")
        return {self.image(number) for number, problem in self.problems.items() if problem in lacking}

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


@pytest.mark.slow
def test_exactly_the_workloads_that_lack_something_are_named_and_all_pull_once_it_is_corrected(
    lab_factory: Any, tmp_path: Path
) -> None:
    site = Site(lab_factory(), tmp_path / "authorities.pem")
    site.make()
    private, mirrored = ("apps", "signed", "untrusted"), ("apps", "locked", "signed", "untrusted")
    keys = [f"{site.mirror}/{each}" for each in private] + [f"{site.untrusted}/untrusted"]
    with registry_settings(site.lab, node=site.login("private", *keys)):
        assert all(site.pulls("before").values())
        first = site.ask(*mirrored)
        assert named(first, "would_break") == site.lacking(*PROBLEMS.values())
        assert named(first, "unknown") == set()
        reasons = {row["name"]: row["after"]["reason"] for row in first["containers"]}
        for number, problem in site.problems.items():
            said = {
                "image": f"has no {site.mirror}/apps/app-{number}:v1",
                "index": f"registry {site.mirror} has no image for amd64 in {site.mirror}/apps/app-{number}:v1",
                "login": f"the nodes' pull secret has no key for {site.mirror}/locked/app-{number}:v1",
                "machine": "is only for arm64, and its programs do not run on node worker-1 with amd64",
                "signature": "has no signature",
                "authority": f"the nodes do not trust the certificate of registry {site.untrusted}",
                "mirror": "no other registry serves",
            }
            assert said.get(problem, "") in reasons[f"web-{number}"]
        assert {*first["images_to_mirror"]["images"]} == site.images_without_a_copy()
        with made(site.lab, site.changes(*mirrored)):
            done = site.pulls("broken")
        assert {name for name, pulled in done.items() if not pulled} == named(first, "would_break") - site.lacking(
            "machine"
        )

        # The same mirror without the closed network. The host of the task trusts it.
        folder, host = "untrusted", site.untrusted
        never = mirror_set("tag", "never", f"{site.upstream}/{folder}", f"{host}/{folder}", never_source=True)
        change = [{"add_objects": {"definition": [never]}}]
        assert named(site.ask_about(change), "would_break") == site.lacking("authority")
        with made(site.lab, change):
            assert {name for name, pulled in site.pulls("never").items() if not pulled} == site.lacking("authority")

    for number, problem in site.problems.items():
        if problem in ("image", "mirror", "machine"):
            site.copy(number)
        elif problem == "index":
            site.copy(number, *BOTH)
        elif problem == "signature":
            site.copy(number, "--part=image", f"--identity={site.image(number)}")
    folders = (*mirrored, "nowhere")
    login = site.login("private", site.mirror, site.untrusted)
    with registry_settings(site.lab, node=login), additional_authority(site.lab, site.untrusted, site.untrusted_ca):
        second = site.ask(*folders)
        assert named(second, "would_break") == set()
        # Which key made a signature cannot be seen from here.
        assert named(second, "unknown") == site.lacking("signature")
        without = site.ask(*folders, supposed=[{"add_objects": {"definition": [image_config()]}}])
        assert named(without, "would_break") == site.lacking("authority")
        with made(site.lab, site.changes(*folders)):
            assert all(site.pulls("after").values())
