# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list reads each kind once, needs no login of a registry, and writes nothing."""

from __future__ import annotations

from collections import Counter

from support.image_lists import cluster, list_images, run_list
from support.scripted_pool import Answer


def test_each_kind_is_listed_once_for_all_namespaces() -> None:
    names = [f"ns-{number:02}" for number in range(40)]
    api = cluster(*names)
    for name in names:
        template = {"spec": {"containers": [{"name": "app", "image": "docker.io/bitnami/redis:7"}]}}
        api.put("deployments", name, "web", spec={"template": template})
        api.put("pods", name, "alone", spec=template["spec"])
    document = list_images(api)
    assert document["counts"] == {"images": 1, "workloads": 80, "namespaces": 40, "containers": 40, "copies": {}}
    counted = Counter(request.path.partition("?")[0] for request in api.requests)
    assert {path: number for path, number in counted.items() if number > 1} == {}
    assert not any("rolebindings" in path for path in counted)


def test_a_cluster_that_fails_stops_the_list_and_skips_its_namespaces() -> None:
    api = cluster("a", "b")
    api.fail("GET /", Answer(401, {}), times=1000)
    outcome = run_list(api)
    assert outcome.stopped and [each.status for each in outcome.namespaces] == ["skipped", "skipped"]
    assert "images_in_use" not in outcome.extra


def test_a_namespace_that_does_not_exist_fails() -> None:
    api = cluster("a")
    outcome = run_list(api, "a", "gone")
    assert {each.name: each.status for each in outcome.namespaces} == {"a": "unchanged", "gone": "failed"}
    assert outcome.extra["images_in_use"]["images"] == []


def test_the_files_get_the_document() -> None:
    written: list[object] = []
    api = cluster("a")
    outcome = run_list(api, write=written.append)
    assert written == [outcome.extra["images_in_use"]] and outcome.extra["changed"] is True
