# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forecast of pull_access_audit names exactly the pods that fail on the lab's node after the upgrade."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.audited import Scene
from support.lab import Lab, path_of
from support.lab_nodes import node_pulls
from support.openshift import described

IMAGES = "/apis/config.openshift.io/v1/images/cluster"


def named(run: Any, names: list[str], rule: str, target: str) -> set[tuple[str, str]]:
    result = run("pull_access_audit", namespaces=names, rules=[rule], target_version=target)
    assert not result["failed"], result["msg"]
    return {(each["namespace"], each["name"]) for each in result["audit"]["clusters"][0]["findings"]}


def test_pods_that_use_an_image_pulled_by_others_are_forecast_to_fail(lab, run, namespaces):
    first, second, third = namespaces(3)
    node = ("--node", f"node-of-{first}")
    scenes = {name: Scene(lab, [name]) for name in (first, second, third)}
    scenes[first].secret()
    scenes[first].pod(own=["pull"])
    scenes[second].pod()
    scenes[second].secret({"other.example.com": scenes[second].entry()}, name="other")
    scenes[second].pod(own=["other"], name="for-another-registry")
    scenes[third].secret()
    scenes[third].pod(own=["pull"], name="with-a-copy")
    pods = [(first, "app"), (second, "app"), (second, "for-another-registry"), (third, "with-a-copy")]
    for namespace, pod in pods:
        assert node_pulls(lab, namespace, pod, *node), (namespace, pod)
        scenes[namespace].runs(pod)
    with described(lab, version="4.21.1"):
        found = named(run, [first, second, third], "forecast-cached-image", "4.22")
    # Images that a kubelet pulled before it began to check count as preloaded. A node that checks from the start shows the effect at once.
    checking = ("--node", f"later-{first}", "--recheck")
    assert found == {pod for pod in pods if not node_pulls(lab, *pod, *checking)}
    assert found == {(second, "app"), (second, "for-another-registry")}


@contextmanager
def searching(lab: Lab, *registries: str) -> Iterator[None]:
    """Let the nodes search these registries for short names, with a login for the lab's registry."""
    before = lab.get("openshift-config", "secrets", "pull-secret")
    it = Scene(lab, ["openshift-config"])
    if lab.api("GET", "/api/v1/namespaces/openshift-config", expect=(200, 404)).get("kind") == "Status":
        lab.api("POST", "/api/v1/namespaces", {"metadata": {"name": "openshift-config"}})
    if before is None:
        it.secret(name="pull-secret")
    sources = {"containerRuntimeSearchRegistries": list(registries)}
    lab.api("PATCH", IMAGES, {"spec": {"registrySources": sources}})
    try:
        yield
    finally:
        lab.api("PATCH", IMAGES, {"spec": {"registrySources": None}})
        if before is None:
            lab.api("DELETE", path_of("openshift-config", "secrets", "pull-secret"))


def test_openshift_nodes_pull_short_image_names_in_each_version(lab, run, namespace):
    it = Scene(lab, [namespace])
    it.pod(image=it.image.partition("/")[2], name="short")
    with searching(lab, it.host, "docker.io"), described(lab, version="4.20.1"):
        assert node_pulls(lab, namespace, "short", "--short-names", "permissive")
        assert named(run, [namespace], "forecast-short-name", "4.21") == set()
