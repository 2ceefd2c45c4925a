# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `image_stream_import` become the selected streams, or an error."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_stream_import.plan import (
    ImportOptions,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from support.objects import raised

DEFAULTS = {"registries": None, "only_failed": True, "streams": None}


def asked(**options: Any) -> ImportOptions:
    return from_options({**DEFAULTS, **options})


def test_the_defaults_are_those_of_the_module() -> None:
    assert asked() == ImportOptions()


def test_all_options_are_taken() -> None:
    found = asked(registries=["https://Quay.io/"], only_failed=False, streams=["b", "a_1", "b"])
    assert found == ImportOptions(frozenset({"quay.io"}), False, ("b", "a_1"))


@pytest.mark.parametrize(
    ("registries", "image", "wanted"),
    [
        (["quay.io"], "quay.io/team/app:v1", True),
        (["quay.io"], "quay.io:443/team/app:v1", False),
        (["quay.io"], "", False),
        (["docker.io"], "app", True),
        (["https://index.docker.io/v1/"], "team/app", True),
        (["registry.example.com:5000"], "registry.example.com:5000/a/b@sha256:" + "0" * 64, True),
        (None, "", True),
    ],
)
def test_an_image_is_wanted_only_from_the_given_registries(
    registries: list[str] | None, image: str, wanted: bool
) -> None:
    assert asked(registries=registries).wants(reference_of(image) if image else None) is wanted


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"registries": []}, "option 'registries' is empty: give at least one, or leave it out for all"),
        ({"streams": []}, "option 'streams' is empty: give at least one, or leave it out for all"),
        ({"registries": ["quay.io/team"]}, "option 'registries': 'quay.io/team' has a path: give the host alone"),
        ({"registries": [" "]}, "option 'registries': registry ' ' is not host"),
        ({"registries": ["u:p@quay.io"]}, "option 'registries': registry '***@quay.io' is not host"),
        ({"streams": ["a/b"]}, "option 'streams': 'a/b' cannot be an object's name"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    assert raised(OptionError, lambda: asked(**options)).startswith(message)
