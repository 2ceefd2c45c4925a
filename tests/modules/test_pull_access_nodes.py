# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_access_info on a lab whose nodes are configured: mirrors, signatures and search registries. Its node is the judge."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.lab import Lab, path_of
from support.openshift import CLUSTER_VERSION
from support.registry_settings import pull_secret, registry_settings

#: Nothing listens there.
SOURCE = "127.0.0.9:5001"


@pytest.fixture(scope="module")
def lab(lab_factory: Callable[..., Lab]) -> Lab:
    """One of its own: the configuration of its nodes changes."""
    return lab_factory()


def auths(lab: Lab, *keys: str) -> dict[str, Any]:
    account = lab.registry("private")["accounts"][1]
    auth = base64.b64encode(f"{account['username']}:{account['password']}".encode()).decode()
    return {key: {"auth": auth} for key in keys}


def pod(lab: Lab, namespace: str, image: str, *keys: str) -> None:
    """A pod whose only secret opens the private registry, under these keys."""
    lab.create(namespace, "secrets", pull_secret("pull", {"auths": auths(lab, *keys)}))
    spec = {"containers": [{"name": "app", "image": image}], "imagePullSecrets": [{"name": "pull"}]}
    lab.create(namespace, "pods", {"metadata": {"name": "app"}, "spec": spec})


def access(run: Any, namespace: str) -> dict[str, Any]:
    result = run("pull_access_info", namespaces=[namespace], pod="app")
    assert not result["failed"], result["msg"]
    (found,) = result["namespaces"][0]["access"]
    return found


class TestMirrors:
    @pytest.fixture(autouse=True)
    def mirrored(self, lab: Lab) -> Iterator[None]:
        mirrors = [f"{lab.registry('private')['host']}/team"]
        with registry_settings(lab, node={}, tag=[{"source": f"{SOURCE}/team", "mirrors": mirrors}]):
            yield

    def test_the_login_that_a_mirror_wants_is_written_for_the_nodes(self, lab: Lab, run: Any, namespace: str) -> None:
        private = lab.registry("private")["host"]
        pod(lab, namespace, f"{SOURCE}/team/app:v1", private)
        assert access(run, namespace)["verdict"] == "unknown"
        assert not lab.pull(namespace, "app", "--status")["pulled"]
        found = access(run, namespace)
        assert found["verdict"] == "will_not_pull"
        assert found["reason"].startswith(
            f"the nodes' pull secret has no key for {private}/team/app:v1; the node says of the mirror: "
        )
        (task,) = found["remedy"]
        options = task["openshift_ops.image_pull.pull_secret"]
        account = lab.registry("private")["accounts"][1]
        options["registries"][0].update(username=account["username"], password=account["password"])
        done = run("pull_secret", **options)
        assert not done["failed"], done["msg"]
        lab.api("PATCH", f"{path_of(namespace, 'pods', 'app')}/status", {"status": {"containerStatuses": None}})
        after = access(run, namespace)
        assert after["verdict"] == "pulls"
        assert after["reason"].startswith(f"the nodes' pull secret has the key {private} for {private}/team/app:v1")
        assert lab.pull(namespace, "app")["pulled"]


class TestSignatures:
    def test_a_policy_that_the_image_does_not_satisfy_is_named(self, lab: Lab, run: Any, namespace: str) -> None:
        private = lab.registry("private")["host"]
        pod(lab, namespace, lab.registry("private")["image"], private)
        begin = f"cluster image policy test-0 wants a signature of what is in {private}/team"
        with registry_settings(lab, policies=[(f"{private}/team", "")]):
            before = access(run, namespace)
            assert (before["verdict"], before["reason"]) == (
                "unknown",
                f"{begin}: whether the image has the right one cannot be seen from here",
            )
            assert not lab.pull(namespace, "app", "--status")["pulled"]
            found = access(run, namespace)
        assert (found["verdict"], found["cause"]) == ("will_not_pull", "signature")
        assert found["reason"].startswith(f"{begin}, and the node says: ")


class TestShortNames:
    @pytest.mark.parametrize("version", ["4.20.0", "4.21.0"])
    def test_what_the_search_registries_make_of_one(self, lab: Lab, run: Any, namespace: str, version: str) -> None:
        private, delegated = lab.registry("private")["host"], lab.registry("delegated")["host"]
        lab.api("PATCH", CLUSTER_VERSION, {"status": {"desired": {"version": version}}})
        mode = "enforcing" if version == "4.21.0" else "permissive"
        pod(lab, namespace, "team/app:v1", "docker.io")
        with registry_settings(lab, sources={"containerRuntimeSearchRegistries": [private, delegated]}):
            found = access(run, namespace)
            pulled = lab.pull(namespace, "app", "--short-names", mode)["pulled"]
            assert found["verdict"] == ("pulls" if pulled else "will_not_pull")
            assert pulled is (mode == "permissive")
        with registry_settings(lab, sources={"containerRuntimeSearchRegistries": [private]}):
            assert access(run, namespace)["verdict"] == "pulls"
            assert lab.pull(namespace, "app", "--short-names", mode)["pulled"]
