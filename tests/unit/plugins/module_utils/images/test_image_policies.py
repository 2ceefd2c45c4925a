# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy that requires a signature of an image is found."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_policies import Policy, policy_for
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from hypothesis import given
from support.anything import CHANGES, Changed

DIGEST = "sha256:" + "0" * 64


def policy(name: str, *scopes: Any, namespace: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"scopes": [*scopes]}}


def found(of_cluster: Any, of_namespace: Any = (), image: str = "q.io/team/app:v1") -> Policy | None:
    reference = reference_of(image)
    assert reference is not None
    return policy_for(reference, of_cluster, of_namespace)


@pytest.mark.parametrize("scope", ["q.io", "q.io/team", "q.io/team/app", "q.io/team/app:v1", "*.io"])
def test_a_scope_that_covers_the_image_selects_the_policy(scope: str) -> None:
    assert found([policy("p", scope)]) == Policy("cluster image policy p", scope)


@pytest.mark.parametrize("scope", ["q.io/te", "q.io:5000", "q.io/team/app:v2", "*.q.io", "", 5, None])
def test_a_scope_of_other_images_selects_no_policy(scope: Any) -> None:
    assert found([policy("p", scope)]) is None


def test_a_scope_with_a_digest_selects_the_image() -> None:
    assert found([policy("p", f"q.io/a@{DIGEST}")], image=f"q.io/a@{DIGEST}") is not None


def test_the_most_specific_scope_counts() -> None:
    assert found([policy("wide", "*.io", "q.io"), policy("near", "q.io/team")]) == Policy(
        "cluster image policy near", "q.io/team"
    )


def test_a_policy_of_the_cluster_comes_first() -> None:
    own = [policy("own", "q.io/team/app", namespace="ns")]
    assert found([policy("all", "q.io")], own) == Policy("cluster image policy all", "q.io")
    assert found([policy("all", "x.io")], own) == Policy("image policy ns/own", "q.io/team/app")


@given(CHANGES)
def test_malformed_policies_raise_no_error(change: Changed) -> None:
    one = change(policy("p", "q.io"))
    found([one if isinstance(one, dict) else {}], [one if isinstance(one, dict) else {}])
