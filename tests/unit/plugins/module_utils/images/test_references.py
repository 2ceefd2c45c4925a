# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image names are read the same way as in distribution/reference."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import (
    Reference,
    RegistryPath,
    can_have_alias,
    candidates,
    hide_login,
    move_image,
    reference_of,
    search_registries,
)
from hypothesis import given
from support.anything import CHANGES, Changed
from support.objects import raised

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "repository", "tag", "digest", "is_short"),
    [
        ("app", "docker.io/library/app", "", "", True),
        ("app:v1", "docker.io/library/app", "v1", "", True),
        ("team/app:v1", "docker.io/team/app", "v1", "", True),
        ("docker.io/app", "docker.io/library/app", "", "", False),
        ("index.docker.io/team/app", "docker.io/team/app", "", "", False),
        ("quay.io/team/app:v1", "quay.io/team/app", "v1", "", False),
        ("host:5000/app", "host:5000/app", "", "", False),
        ("host:5000/team/app:v1", "host:5000/team/app", "v1", "", False),
        ("localhost/app", "localhost/app", "", "", False),
        ("UPPER/app", "UPPER/app", "", "", False),
        (f"quay.io/app@{DIGEST}", "quay.io/app", "", DIGEST, False),
        (f"quay.io/app:v1@{DIGEST}", "quay.io/app", "v1", DIGEST, False),
    ],
)
def test_an_image_name_is_split_into_its_parts(
    image: str, repository: str, tag: str, digest: str, is_short: bool
) -> None:
    assert reference_of(image) == Reference(repository, tag, digest, is_short)


@pytest.mark.parametrize(
    ("image", "shown"),
    [
        ("https://robot:Canary-1@quay.io/team/app:v1", "https://********@quay.io/team/app:v1"),
        ("docker://Canary-1@quay.io/team/app", "docker://********@quay.io/team/app"),
        ("robot:Canary-1@quay.io/team/app:v1", "********@quay.io/team/app:v1"),
        ("robot:Can@ary-1@quay.io/team/app:v1", "********@quay.io/team/app:v1"),
        (f"robot:Canary-1@quay.io/team/app@{DIGEST}", f"********@quay.io/team/app@{DIGEST}"),
        ("Canary-1@quay.io/team/app", "********@quay.io/team/app"),
        ("quay.io/team/app:v1?token=Canary-1", "quay.io/team/app:v1?********"),
    ],
)
def test_a_login_in_a_name_is_not_shown(image: str, shown: str) -> None:
    assert reference_of(image) is None
    assert hide_login(image) == shown


@pytest.mark.parametrize(
    "image",
    [
        "",
        "app",
        "quay.io/app:v1",
        f"app@{DIGEST}",
        f"q.io:5000/app:v1@{DIGEST}",
        "app@sha256:1",
        "app:v1@sha256:",
        "UPPER",
        "https://q.io/a",
    ],
)
def test_a_name_without_a_login_is_shown_as_it_is(image: str) -> None:
    assert hide_login(image) == image


@pytest.mark.parametrize(
    "image", ["", "UPPER", "https://quay.io/app", "/app", "quay.io/a b", "app@sha256:1", "a" * 64 + "/"]
)
def test_an_invalid_image_name_has_no_reference(image: str) -> None:
    assert reference_of(image) is None


@pytest.mark.parametrize(
    ("image", "shown", "by_digest"),
    [
        ("app", "docker.io/library/app:latest", False),
        ("q.io/a:1", "q.io/a:1", False),
        (f"q.io/a:1@{DIGEST}", f"q.io/a@{DIGEST}", True),
    ],
)
def test_a_reference_is_shown_as_a_node_pulls_it(image: str, shown: str, by_digest: bool) -> None:
    reference = reference_of(image)
    assert reference is not None
    assert (str(reference), reference.is_by_digest) == (shown, by_digest)


def test_a_reference_has_a_host_and_a_path() -> None:
    reference = reference_of("host:5000/team/app:1")
    assert reference is not None
    assert (reference.host, reference.path) == ("host:5000", "team/app")


# --- A path of a registry covers what is below it, in the spelling of images, and moves them to another path


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


# --- Names without a registry are recognized


def config(registries: Any) -> dict[str, Any]:
    return {"spec": {"registrySources": {"containerRuntimeSearchRegistries": registries}}}


@pytest.mark.parametrize("given_", [None, {}, config(None), config([]), config([5, ""]), config("x")])
def test_openshifts_default_search_registries_are_used_without_a_setting(given_: Any) -> None:
    assert [*search_registries(given_)] == ["registry.access.redhat.com", "docker.io"]


def test_the_image_config_sets_the_search_registries() -> None:
    assert search_registries(config(["b.io", "a.io", "b.io"])) == ["b.io", "a.io"]


def test_candidates_lists_the_image_in_each_registry() -> None:
    assert [str(each) for each in candidates("app:v1", ["docker.io", "q.io:5000", "NO/"])] == [
        "docker.io/library/app:v1",
        "q.io:5000/app:v1",
    ]


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("ubi9/ubi:latest", True),
        ("ubi9", True),
        ("rhel7:1", True),
        ("openshift3/x", True),
        ("team/ubi9", False),
        ("ubix", False),
        ("app", False),
    ],
)
def test_short_names_that_nodes_may_know_are_recognized(image: str, found: bool) -> None:
    assert can_have_alias(image) is found


@given(CHANGES)
def test_a_malformed_config_raises_no_error(change: Changed) -> None:
    given_ = change(config(["a.io"]))
    candidates("app", search_registries(given_ if isinstance(given_, dict) else None))
