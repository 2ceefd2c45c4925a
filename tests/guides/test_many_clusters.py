# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on many clusters works with two clusters and tokens, even if one cluster goes away."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

BINDING = {
    "metadata": {"name": "automation"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
    "subjects": [{"kind": "ServiceAccount", "name": "automation", "namespace": "default"}],
}


def token(lab) -> str:
    """A token of an account with all rights."""
    lab.create("default", "serviceaccounts", {"metadata": {"name": "automation"}})
    lab.api("POST", "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", BINDING)
    path = "/api/v1/namespaces/default/serviceaccounts/automation/token"
    return lab.api("POST", path, {"spec": {"expirationSeconds": 3600}})["status"]["token"]


@pytest.fixture(scope="module")
def own_lab(untouched_lab):
    """The guide creates an account with all rights."""
    return untouched_lab


def test_the_many_clusters_guide_works_as_written(installed, own_lab, lab_factory):
    west = lab_factory()
    home = Path(installed.environment["HOME"])
    for name, lab in {"east": own_lab, "west": west}.items():
        lab.namespace("project-a")
        installed.stand_ins[f"https://api.{name}.example.com:6443"] = lab.data["server"]
        installed.stand_ins[f"the token of {name}"] = token(lab)
        (home / f"{name}-ca.crt").write_bytes(Path(lab.data["ca_cert"]).read_bytes())

    def end() -> None:
        west.run("down", "--dir", str(west.dir))

    installed.follow(
        "many_clusters",
        before={"-i inventory --diff": end},
        status={"-i inventory --diff": 2, "image_pull.audit": 2},
    )
