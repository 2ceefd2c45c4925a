# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on pulls without pull secrets replaces a secret by tokens, which nodes then use, and sets up the provider for mirrors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from support.guided import deployment, inventory, pull_secret
from support.lab import Lab, path_of
from support.lab_nodes import ROOT
from support.provider import PROVIDERS
from support.provider_configs import write_echo

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def own_lab(lab_factory: Callable[..., Lab]) -> Lab:
    """A lab with machine configs."""
    return lab_factory("--platform", "standalone")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as entered:
        yield entered


def test_the_guide_without_pull_secrets_works_as_written(installed: Any, own_lab: Lab, stack: ExitStack) -> None:
    registry, folder = own_lab.registry("private"), installed.folder
    own_lab.namespace("project-a")
    pull_secret(own_lab, "project-a", "old-pull", registry["host"], registry["accounts"][0])
    own_lab.set_account("project-a", imagePullSecrets=["old-pull"])
    deployment(own_lab, "project-a", "web")
    own_lab.registry_set("private", "--trust", "zot=system:serviceaccount:project-a:default")
    inventory(installed)
    option, file = "--image-credential-provider", folder / "credential-providers.yml"
    write_echo(folder / "bin" / "token-provider")

    def start_node() -> None:
        """The nodes have the file that an administrator has reviewed."""
        stack.enter_context(
            own_lab.following("--status", f"{option}-config={file}", f"{option}-bin-dir={folder / 'bin'}", "project-a")
        )
        notes = {"lab.openshift-ops.example.com/credential-providers": file.read_text(encoding="utf-8")}
        pool = f"{ROOT}/machineconfigpools/worker"
        before = own_lab.api("PATCH", pool, {"metadata": {"annotations": notes}})["status"]["configuration"]
        own_lab.until(lambda: own_lab.api("GET", pool)["status"]["configuration"] != before, "the pool has the file")

    installed.follow(
        "no_pull_secret", before={"pull_probe:": start_node}, only_shown={"quay_robot:": "no lab has Quay"}
    )
    assert own_lab.get("project-a", "secrets", "old-pull") is None
    assert "old-pull" not in str(own_lab.account("project-a")["imagePullSecrets"])
    path = path_of("project-a", "pods")
    container = {"name": "app", "image": registry["image"]}
    own_lab.api("POST", path, {"metadata": {"name": "new"}, "spec": {"containers": [container]}})
    flags = [f"{option}-config={file}", f"{option}-bin-dir={folder / 'bin'}"]
    assert own_lab.pull("project-a", "new", *flags)["pulled"]
    assert not own_lab.pull("project-a", "new")["pulled"]
    # stands in for registry.example.com
    assert own_lab.api("GET", f"{PROVIDERS}/cluster")["spec"] == {"matchImages": [registry["host"]]}
    own_lab.api("GET", "/api/v1/namespaces/project-a/secrets", user="system:serviceaccount:project-a:default")
