# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name without a registry is explained for each runtime."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.sources import (
    ImageCandidates,
    resolve_short_name,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import IMAGE_CONFIG
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import CLUSTER_VERSION
from support.pull_evidence import AUTH, REFUSED, known, node, openshift, pod, secret, steps, told

HUB = secret({"docker.io": AUTH})
IMAGE = "team/app:v1"


def asked(more: dict[Any, Any], image: str = IMAGE, **options: Any) -> Any:
    return told(pod("hub", image=image, **options), known(more=more, hub=HUB))


def named(more: dict[Any, Any], image: str = IMAGE) -> ImageCandidates:
    reference = reference_of(image)
    assert reference is not None
    return resolve_short_name(pod(image=image), reference, Lookup(known(more=more)))


class TestOpenShift:
    @pytest.mark.parametrize("version", ["4.20.3", "4.21.0", "4.22.1", "5.0.0-rc.1", None, "", "new", 4.21])
    def test_all_search_registries_are_asked_in_each_version(self, version: Any) -> None:
        """From 4.21 on, the machine config operator sets short_name_mode = "disabled"."""
        found = asked(openshift(version, "a.io", "docker.io"))
        assert found.verdict == "pulls"
        assert [str(each) for each in named(openshift(version, "a.io", "docker.io")).references] == [
            "a.io/team/app:v1",
            "docker.io/team/app:v1",
        ]
        assert [seen for _name, seen, _ok in steps(found, "image")] == [
            "the kubelet looks for credentials of docker.io/team/app:v1",
            "team/app:v1 names no registry: CRI-O asks its search registries one after the other: a.io, docker.io. Write the image with its "
            "registry's host",
        ]

    def test_a_single_search_registry_is_asked(self) -> None:
        found = asked(openshift("4.21.0", "docker.io"))
        assert found.verdict == "pulls"
        assert "its only search registry, docker.io" in steps(found, "image")[1][1]

    def test_the_login_is_that_of_docker_hub_for_any_search_registry(self) -> None:
        text = "the kubelet uses credentials of Docker Hub, even for q.io. Write the image with its registry's host"
        assert ("image", text, None) in steps(asked(openshift("4.21.0", "q.io")))

    def test_an_alias_of_the_nodes_cannot_be_seen(self) -> None:
        found = asked(openshift("4.21.0"), image="ubi9/ubi")
        assert found.verdict == "unknown"
        assert found.reason.startswith("ubi9/ubi names no registry: the nodes may have an alias for it")
        found = asked(openshift("4.21.0", "a.io", "docker.io"), image="ubi9/ubi")
        assert "Without one, CRI-O asks a.io, docker.io. Write the image with" in found.reason

    def test_a_node_of_an_early_4_21_that_refuses_the_name_is_believed(self) -> None:
        denied = asked(openshift("4.21.0"), says="reading manifest v1: denied")
        assert (denied.verdict, denied.cause) == ("unknown", "denied")
        refused = asked(
            openshift("4.21.0"), says="short name mode is enforcing, but image name x returns ambiguous list"
        )
        assert (refused.verdict, refused.cause) == ("will_not_pull", "short_name_ambiguous")
        assert refused.reason.startswith(
            "the image name has no registry, and several could be meant (short name mode is"
        )

    def test_unreadable_search_registries_leave_a_doubt(self) -> None:
        found = asked({**openshift("4.21.0"), IMAGE_CONFIG: REFUSED})
        assert found.verdict == "unknown"
        assert (
            named({**openshift("4.21.0"), IMAGE_CONFIG: REFUSED})
            .seen[-1]
            .reason.endswith(
                "The runtime or the configuration of these nodes is not known: the caller may not read it. Write the image with its registry's host"
            )
        )

    def test_a_short_name_fails_only_if_every_search_registry_is_blocked(self) -> None:
        blocked = openshift("4.20.0", "a.io", "docker.io")
        sources = blocked[IMAGE_CONFIG]["spec"]["registrySources"]
        sources["blockedRegistries"] = ["a.io"]
        found = asked(blocked)
        assert found.verdict == "pulls"
        assert [ok for _name, _seen, ok in steps(found, "registries")] == [False]
        sources["blockedRegistries"] = ["a.io", "docker.io"]
        assert asked(blocked).reason.startswith("the nodes are not allowed to pull a.io/team/app:v1")


class TestNodes:
    def on(self, *runtimes: str, version: Any = None) -> dict[Any, Any]:
        nodes = [node(f"n{number}", runtime) for number, runtime in enumerate(runtimes)]
        return {NODES: {"items": nodes}, CLUSTER_VERSION: version}

    def test_containerd_takes_docker_hub(self) -> None:
        found = asked(self.on("containerd://2.0.1", "containerd://1.7.2"))
        assert found.verdict == "pulls"
        assert "team/app:v1 names no registry: containerd takes Docker Hub" in [
            seen for _name, seen, _ok in steps(found)
        ]

    def test_the_node_of_the_pod_decides(self) -> None:
        both = self.on("containerd://2.0.1", "cri-o://1.34.0")
        assert asked(both, node="n0").verdict == "pulls"
        assert asked(both, node="n1").verdict == "unknown"
        assert asked(both).verdict == "unknown"

    def test_cri_o_without_openshift_has_search_registries_that_cannot_be_seen(self) -> None:
        assert asked(self.on("cri-o://1.34.0")).verdict == "unknown"

    def test_an_image_config_shows_that_it_is_openshift_if_the_version_cannot_be_read(self) -> None:
        config = {IMAGE_CONFIG: openshift("")[IMAGE_CONFIG]}
        for runtimes in (["cri-o://1.33.4"], ["cri-o://1.34.0"], ["cri-o://1.34.0", "cri-o://1.33.0"]):
            assert asked({**self.on(*runtimes, version=REFUSED), **config}).verdict == "pulls"
            assert asked(self.on(*runtimes, version=REFUSED)).verdict == "unknown", "it may be plain Kubernetes"

    def test_unreadable_nodes_and_version_leave_a_doubt(self) -> None:
        found = asked({NODES: REFUSED, CLUSTER_VERSION: REFUSED})
        assert found.verdict == "unknown"
        assert (
            "The runtime or the configuration of these nodes is not known: the caller may not read it" in found.reason
        )


def test_a_name_with_a_registry_needs_no_cluster_version() -> None:
    reference = reference_of("q.io/a")
    assert reference is not None
    assert resolve_short_name(pod(image="q.io/a"), reference, Lookup()).references == [reference]
    short = reference_of("a")
    assert short is not None
    evidence = Lookup()
    with pytest.raises(ReadRequired):
        resolve_short_name(pod(image="a"), short, evidence)
    assert evidence.take_wanted() == [CLUSTER_VERSION]
