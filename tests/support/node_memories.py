# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of the lab that have the images of pods, with the records that the kubelet writes at different first pulls."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from support.objects import group_subject, role_binding

from .lab import Lab
from .registry_settings import auth_file, pull_secret

__all__ = ["MEMORIES", "NodeMemories"]

#: The first pull of each image: by a kubelet that writes no record, with the secret of another namespace, with the nodes' own login.
MEMORIES = ("preloaded", "other-secret", "node-login")
NAMESPACE = "first-pulls"
#: The option of a node whose runtime identifies a pulled image by its digest, so that the kubelet never finds the record of the pull.
BY_DIGEST = "--digest-refs"


class NodeMemories:
    """One memory for each member of `MEMORIES`. A node begins with a copy of one, so that its pulls change no other node."""

    def __init__(self, lab: Lab, hosts: Iterable[str]) -> None:
        self.lab, self.hosts = lab, tuple(hosts)
        self._numbers = itertools.count()
        self._images: dict[str, int] = {}

    def prepare(self) -> None:
        """Create a namespace with a login for all hosts. Hosts that no registry of the lab has get any login."""
        namespace = self.lab.namespace(NAMESPACE)
        group = group_subject(f"system:serviceaccounts:{namespace}")
        self.lab.create("project-b", "rolebindings", role_binding(namespace, group))
        logins = {**dict.fromkeys(self.hosts, ("any", "login")), **self.logins}
        self.lab.create(namespace, "secrets", pull_secret("every-login", auth_file(logins)))

    @property
    def logins(self) -> dict[str, tuple[str, str]]:
        """A login for each registry of the lab."""
        found = {self.lab.registry("integrated")["host"]: self.lab.integrated_login(NAMESPACE)}
        for name in ("private", "delegated"):
            account = self.lab.registry(name)["accounts"][0]
            found[self.lab.registry(name)["host"]] = (account["username"], account["password"])
        return found

    def number_of(self, image: str) -> int:
        """Return the number of an image, always the same one."""
        return self._images.setdefault(image, len(self._images))

    def fill(self, images: Iterable[str]) -> frozenset[str]:
        """Pull the images for the first time, in each way. The nodes need `logins`. Return the images that exist."""
        containers = [
            {"name": f"c-{number}", "image": image, "imagePullPolicy": "Always"} for number, image in enumerate(images)
        ]
        for name, secret in (("with-secret", "every-login"), ("without", "no-such-secret")):
            spec = {"containers": containers, "imagePullSecrets": [{"name": secret}]}
            self.lab.create(NAMESPACE, "pods", {"metadata": {"name": name}, "spec": spec})
        found = []
        for by_digest in ((), (BY_DIGEST,)):
            found += [
                self._pulled(_directory("preloaded", by_digest), "with-secret"),
                self._pulled(_directory("other-secret", by_digest), "with-secret", "--recheck", *by_digest),
                self._pulled(_directory("node-login", by_digest), "without", "--recheck", *by_digest),
            ]
        assert len(set(found)) == 1, found
        return found[0]

    def _pulled(self, memory: str, pod: str, *options: str) -> frozenset[str]:
        report = self.lab.pull(NAMESPACE, pod, "--node", memory, *options)
        return frozenset(image["image"] for image in report["images"] if image["pulled"])

    def start(
        self, memory: str, options: Sequence[str], pods: Sequence[tuple[str, str]]
    ) -> Sequence[Mapping[str, Any]]:
        """Start pods (namespace, name) on a new node with a copy of a memory. A pod that is given twice is started twice."""
        name, nodes = f"started-{next(self._numbers)}", Path(self.lab.dir) / "nodes"
        shutil.copytree(nodes / _directory(memory, options), nodes / name)
        return self.lab.pull_all(pods, "--node", name, *options)


def _directory(memory: str, options: Sequence[str]) -> str:
    """The node that has the memory, as the runtime of the options leaves it."""
    return f"{memory}-by-digest" if BY_DIGEST in options else memory
