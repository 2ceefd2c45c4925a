# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Image names are read the same way as in distribution/reference."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import Reference, reference_of

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
