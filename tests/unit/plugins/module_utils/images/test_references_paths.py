# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A path of a registry covers what is below it, in the spelling of images, and moves them to another path."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import (
    RegistryPath,
    move_image,
    reference_of,
)
from support.objects import raised


def path(text: str) -> RegistryPath:
    return RegistryPath.parse("option 'of'", text)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io/bitnami/", "docker.io/bitnami"),
        (" Quay.io/team", "quay.io/team"),
        ("registry.example.com:5000/a/b", "registry.example.com:5000/a/b"),
        ("localhost/team", "localhost/team"),
    ],
)
def test_a_path_has_the_spelling_of_images(given: str, text: str) -> None:
    assert path(given).text == text


@pytest.mark.parametrize(
    "given",
    ["", "/", "*.example.com", "quay.io/team/app:v1", "quay.io/Team", "ü.io"],
)
def test_anything_else_is_refused(given: str) -> None:
    assert raised(OptionError, lambda: path(given)).startswith(f"option 'of': {given!r} is not host[:port]")


@pytest.mark.parametrize("given", ["user:canary@quay.io", "quay.io/a@sha256:canary"])
def test_a_login_in_a_path_is_refused_and_not_shown(given: str) -> None:
    assert "canary" not in raised(OptionError, lambda: path(given))


def test_a_name_without_a_registry_is_refused_with_the_one_of_docker_hub() -> None:
    assert "Did you mean 'docker.io/bitnami'?" in raised(OptionError, lambda: path("bitnami"))


@pytest.mark.parametrize(
    ("text", "image", "covered"),
    [
        ("docker.io/bitnami", "bitnami/redis:7", True),
        ("docker.io/bitnami", "docker.io/bitnami/redis", True),
        ("docker.io/bitnami", "index.docker.io/bitnami/redis", True),
        ("docker.io/bitnami", "bitnamilegacy/redis", False),
        ("docker.io/bitnami", "quay.io/bitnami/redis", False),
        ("docker.io", "redis", True),
        ("docker.io/redis", "redis:7", True),
        ("docker.io/redis", "redis/redis-stack", True),
        ("docker.io/library/redis", "redis", True),
        ("docker.io/bitnami/redis", "bitnami/redis", True),
        ("docker.io/bitnami/redis", "bitnami/redis-cluster", False),
        ("r.example.com", "r.example.com:5000/a", False),
        ("quay.io/redis", "quay.io/library/redis", False),
    ],
)
def test_a_path_covers_itself_and_everything_below(text: str, image: str, covered: bool) -> None:
    reference = reference_of(image)
    assert reference is not None and path(text).covers(reference.repository) is covered


@pytest.mark.parametrize(
    ("text", "image", "moved"),
    [
        ("docker.io/bitnami", "bitnami/redis:7", "quay.io/acme/redis:7"),
        ("docker.io/bitnami", "bitnami/charts/redis", "quay.io/acme/charts/redis:latest"),
        ("docker.io", "redis:7", "quay.io/acme/library/redis:7"),
        ("docker.io/redis", "redis:7", "quay.io/acme:7"),
        ("docker.io/bitnami", f"bitnami/redis:7@sha256:{'a' * 64}", f"quay.io/acme/redis@sha256:{'a' * 64}"),
    ],
)
def test_a_moved_image_keeps_its_tag_or_digest(text: str, image: str, moved: str) -> None:
    reference = reference_of(image)
    assert reference is not None
    assert str(path(text).move(reference, path("quay.io/acme"))) == moved


def test_a_host_alone_is_no_name_of_an_image() -> None:
    reference = reference_of("redis:7")
    assert reference is not None and path("docker.io/redis").move(reference, path("registry.example.com")) is None


def test_a_name_that_would_be_too_long_has_no_move() -> None:
    reference = reference_of(f"quay.io/{'a' * 250}")
    assert reference is not None and path("quay.io").move(reference, path("r.example.com/long/path")) is None


@pytest.mark.parametrize(
    ("image", "moved"),
    [
        ("docker.io/bitnami/redis:7", "quay.io/acme/redis:7"),
        ("docker.io/bitnami/signed/redis:7", "quay.io/signed/redis:7"),
        ("docker.io/library/redis:7", "None"),
    ],
)
def test_the_longest_path_decides_which_move_an_image_has(image: str, moved: str) -> None:
    moves = {"docker.io/bitnami": "quay.io/acme", "docker.io/bitnami/signed": "quay.io/signed"}
    reference = reference_of(image)
    assert reference is not None
    assert str(move_image(reference, ((path(old), path(new)) for old, new in moves.items()))) == moved
