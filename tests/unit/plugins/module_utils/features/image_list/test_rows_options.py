# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a list of images in use."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_list.rows import (
    ImageListQuestion,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from support.image_lists import NO_OPTIONS
from support.objects import raised


def question(**given: Any) -> ImageListQuestion:
    return from_options({**NO_OPTIONS, **given})


def test_without_a_path_every_image_is_wanted() -> None:
    assert question().wants(["quay.io/team/app"]) and question(of=[]).wants(["quay.io/team/app"])


def test_one_of_the_names_in_one_of_the_paths_is_enough() -> None:
    asked = question(of=["docker.io/bitnami", "quay.io", "docker.io/bitnami"])
    assert [path.text for path in asked.of] == ["docker.io/bitnami", "quay.io"]
    assert asked.wants(["registry.example.com/x", "docker.io/bitnami/redis"]) and asked.wants(["quay.io/x"])
    assert not asked.wants(["docker.io/library/redis"]) and not asked.wants([])


@pytest.mark.parametrize("given", ["bitnami", "docker.io/bitnami/redis:7", ""])
def test_a_text_that_is_not_a_path_is_refused(given: str) -> None:
    assert raised(OptionError, lambda: question(of=["quay.io", given])).startswith("option 'of': ")


def test_one_path_moves_to_another_or_a_mapping_has_the_moves() -> None:
    assert moved(of=["docker.io/bitnami"], to="quay.io/acme") == {"docker.io/bitnami": "quay.io/acme"}
    mapping = {"docker.io/bitnami": "quay.io/acme", "docker.io/bitnami/redis": "quay.io/redis"}
    asked = question(to=mapping)
    assert moved(to=mapping) == mapping and [path.text for path in asked.of] == [*mapping]
    names = {"bitnami/nginx:1": "quay.io/acme/nginx:1", "bitnami/redis:1": "quay.io/redis:1", "quay.io/x": "None"}
    for image, copy in names.items():
        reference = reference_of(image)
        assert reference is not None and str(asked.copy_of(reference)) == copy


def moved(**given: Any) -> dict[str, str]:
    return {source.text: target.text for source, target in question(**given).moves}


@pytest.mark.parametrize("given", [
    {"to": "quay.io/acme"}, {"of": ["docker.io/a", "docker.io/b"], "to": "quay.io/acme"}, {"to": {}}, {"to": ["quay.io"]},
    {"to": {"docker.io": 1}}, {"to": {1: "quay.io"}}, {"to": {"docker.io/a": "quay.io/a:1"}}, {"to": {"a": "quay.io"}},
    {"ask_registries": True}, {"kustomize": "file"}, {"of": ["quay.io"], "to": ""},
])  # fmt: skip
def test_a_move_that_cannot_be_meant_is_refused(given: dict[str, Any]) -> None:
    assert "'to'" in raised(OptionError, lambda: question(**given))


def test_the_registry_of_the_copies_is_named_if_there_is_one() -> None:
    asked = question(of=["docker.io"], to="localhost:5000/x", ask_registries=True).registries
    assert asked is not None and asked.named == "localhost:5000"
    several = question(to={"docker.io": "a.example.com", "quay.io": "b.example.com"}, ask_registries=True).registries
    assert several is not None and several.named == ""
    assert question(of=["docker.io"], to="quay.io").registries is None
