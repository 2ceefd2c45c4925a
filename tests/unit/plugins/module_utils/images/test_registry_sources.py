# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scopes are inside each other as the machine config operator decides."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    Mirrors,
    NodeNetwork,
    is_cluster_host,
    is_nested,
    limit_mirrors,
)


class TestNesting:
    @pytest.mark.parametrize(
        ("scope", "outer"),
        [
            ("q.io", "q.io"),
            ("q.io/team", "q.io"),
            ("q.io:5000/team", "q.io:5000"),
            ("a.q.io/team", "*.q.io"),
            ("a.q.io:5000/team", "*.q.io"),
            ("*.a.q.io", "*.q.io"),
        ],
    )
    def test_a_scope_is_inside_another_one(self, scope: str, outer: str) -> None:
        assert is_nested(scope, outer)

    @pytest.mark.parametrize(
        ("scope", "outer"),
        [
            ("q.io", "q.io/team"),
            ("q.io/teams", "q.io/team"),
            ("q.io:5000", "q.io"),
            ("q.io/team:v1", "q.io/team"),
            ("a.q.io/team:v1", "*.q.io"),
            ("q.io", "*.q.io"),
            ("q.io", ""),
        ],
    )
    def test_a_scope_is_not_inside_another_one(self, scope: str, outer: str) -> None:
        assert not is_nested(scope, outer)


# --- Nodes go on to the next place of an image if a registry does not answer

REFERENCE = reference_of("q.io/team/app:v1")

HUB = ("docker.io", "index.docker.io", "registry-1.docker.io", "auth.docker.io", "*.docker.io")

INTEGRATED = "image-registry.openshift-image-registry.svc:5000"


def mirrors(*locations: str, never_source: bool = False) -> Mirrors:
    return Mirrors("q.io", list(locations), never_source, ["set"])


@pytest.mark.parametrize(
    ("given", "host", "is_reached"),
    [
        ({}, "q.io", True),
        ({"unreachable": ["q.io"]}, "q.io", False),
        ({"unreachable": ["q.io"]}, "q.io:5000", False),
        ({"unreachable": ["q.io:5000"]}, "q.io", True),
        ({"unreachable": ["q.io"]}, "sub.q.io", True),
        ({"unreachable": ["*.q.io"]}, "sub.q.io", False),
        ({"unreachable": ["*.q.io"]}, "q.io", True),
        ({"only": ["site.example.com"]}, "q.io", False),
        ({"only": ["site.example.com"]}, "site.example.com:5000", True),
        ({"only": []}, INTEGRATED, True),
        ({"only": [], "unreachable": [INTEGRATED]}, INTEGRATED, False),
        ({"only": ["q.io"], "unreachable": ["q.io"]}, "q.io", False),
        ({"only": ["q.io:443"]}, "q.io", True),
        ({"only": ["q.io:443"]}, "q.io:443", True),
        ({"only": ["q.io:443"]}, "q.io:5000", False),
        ({"only": ["q.io"]}, "q.io:443", True),
        ({"only": ["*.q.io:443"]}, "sub.q.io", True),
        ({"unreachable": ["q.io:443"]}, "q.io", False),
        ({"unreachable": ["q.io:443"]}, "q.io:8443", True),
        ({"unreachable": ["q.io:5000"]}, "q.io:443", True),
        ({"unreachable": ["[2001:db8::1]"]}, "[2001:db8::1]:5000", False),
        ({"unreachable": ["[2001:db8::1]:443"]}, "[2001:db8::1]", False),
        ({"unreachable": ["[2001:db8::1]:443"]}, "[2001:db8::1]:5000", True),
        # Nodes ask registry-1.docker.io and auth.docker.io for images of docker.io, whose name stands for both.
        *(({"unreachable": [each]}, "docker.io", False) for each in HUB),
        *(({"unreachable": [each]}, "registry-1.docker.io", False) for each in HUB),
        ({"unreachable": ["hub.docker.io"]}, "docker.io", True),
        ({"unreachable": ["docker.io"]}, "auth.docker.io", False),
        ({"unreachable": ["docker.io"]}, "hub.docker.io", True),
        ({"unreachable": ["docker.io:443"]}, "docker.io", False),
        ({"only": ["docker.io"]}, "docker.io", True),
        ({"only": ["docker.io"]}, "auth.docker.io", True),
        ({"only": ["*.docker.io"]}, "docker.io", True),
        ({"only": ["registry-1.docker.io"]}, "docker.io", False),
        ({"only": ["registry-1.docker.io", "auth.docker.io"]}, "docker.io", True),
    ],
)
def test_hosts_within_reach(given, host, is_reached) -> None:
    assert NodeNetwork(**given).reaches(host) is is_reached


@pytest.mark.parametrize(
    ("path", "repository", "found"),
    [
        ("docker.io/bitnami", "docker.io/bitnami/redis", "docker.io/bitnami"),
        ("docker.io/bitnami", "docker.io/bitnami", "docker.io/bitnami"),
        ("docker.io/bitnami", "docker.io/bitnamilegacy/redis", ""),
        ("docker.io/bitnami", "quay.io/bitnami/redis", ""),
        ("docker.io/library", "docker.io/library/nginx", "docker.io/library"),
        ("docker.io/nginx", "docker.io/library/nginx", "docker.io/nginx"),
        ("q.io/a/b", "q.io/a/b/c", "q.io/a/b"),
        ("q.io/a/b", "q.io/a/c", ""),
        ("q.io/a", "q.io:5000/a/b", ""),
    ],
)
def test_a_path_is_closed_by_whole_components(path, repository, found) -> None:
    network = NodeNetwork(["other.io", path])
    assert network.closed_path(repository) == found
    assert network.reaches(repository.partition("/")[0])


def test_of_nested_paths_the_outermost_is_closed() -> None:
    for paths in (["q.io/a/b", "q.io/a"], ["q.io/a", "q.io/a/b"]):
        assert NodeNetwork(paths).closed_path("q.io/a/b/c") == "q.io/a"


def test_services_of_the_cluster_are_named_by_their_domain() -> None:
    assert is_cluster_host(INTEGRATED)
    assert is_cluster_host("image-registry.openshift-image-registry.svc.cluster.local:5000")
    assert not is_cluster_host("registry.svc.example.com")


def limited(found: Mirrors | None, *lost: str) -> Mirrors | None:
    return limit_mirrors(
        REFERENCE, found, lambda place: next((each for each in lost if place.startswith(f"{each}/")), "")
    )


class TestLimit:
    def test_places_within_reach_stay_as_they_are(self) -> None:
        found = mirrors("m.io/team/app:v1")
        assert limited(found, "other.io") is found
        assert limited(None, "other.io") is None

    def test_an_unreachable_mirror_is_left_out(self) -> None:
        found = limited(mirrors("m.io/team/app:v1", "n.io/team/app:v1"), "m.io")
        assert (found.mirrors, found.never_source, found.unreachable) == (["n.io/team/app:v1"], False, ("m.io",))

    def test_an_unreachable_source_is_never_contacted(self) -> None:
        found = limited(mirrors("m.io/team/app:v1"), "q.io")
        assert (found.mirrors, found.never_source, found.unreachable) == (["m.io/team/app:v1"], True, ("q.io",))

    def test_a_source_without_mirrors_is_lost(self) -> None:
        found = limited(None, "q.io")
        assert (found.mirrors, found.never_source, found.unreachable, found.objects) == ([], True, ("q.io",), ())
