# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A sync keeps a link if the list is not in Git, and removes it otherwise."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml
from support.guides import Guide, Reader
from support.lab import Lab, pull_names
from support.modules import run_module

pytestmark = pytest.mark.slow

LINK = {"namespaces": ["project-a"], "service_accounts": ["app"], "secrets": ["team"], "require": "none"}


def test_a_sync_keeps_a_link_that_is_not_in_git(reader: Reader, own_lab: Lab, kubectl: Path) -> None:
    own_lab.namespace("project-a")

    def links() -> list[str]:
        return pull_names(own_lab.account("project-a", "app"))

    def link() -> None:
        done = run_module("sa_link", kubeconfig=own_lab.kubeconfig, create=True, **LINK)
        assert not done["failed"], done
        assert "team" in links()

    reader.follow("gitops", before={"kubectl apply -f": link, "kubectl apply --server-side": link})
    assert "team" in links()
    block = next(one for one in Guide("gitops").blocks if one.title == "app.yml")
    in_git = {**yaml.safe_load(block.text), "imagePullSecrets": [{"name": "own"}]}
    for more in ([], ["--server-side", "--force-conflicts", "--field-manager=kustomize-controller"]):
        link()
        command = [kubectl, "apply", *more, "-f", "-"]
        subprocess.run(command, input=yaml.dump(in_git), env=reader.environment, check=True, text=True)
        assert "team" not in links(), more
