# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies that require a signature of an image are found as the machine config operator and containers/image find them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    ImagePolicies,
    PolicyScope,
    SignatureRequirement,
    registries_for,
    scopes_of_all,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import RegistrySources
from hypothesis import given
from support.anything import CHANGES, Changed

DIGEST = "sha256:" + "0" * 64
IMAGE = "q.io/team/app:v1"
OPEN = RegistrySources()


def policy(name: str, *scopes: Any, namespace: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"scopes": [*scopes]}}


def own(*scopes: Any, name: str = "own") -> dict[str, Any]:
    return policy(name, *scopes, namespace="ns")


def found(
    of_cluster: Any, of_namespace: Any = (), image: str = IMAGE, sources: RegistrySources = OPEN
) -> SignatureRequirement | None:
    reference = reference_of(image)
    assert reference is not None
    return ImagePolicies.of(of_cluster, of_namespace).requirement_for(reference, sources)


def required(scope: str, *objects: str) -> SignatureRequirement:
    return SignatureRequirement(objects, scope)


class TestRequirement:
    @pytest.mark.parametrize("scope", ["q.io", "q.io/team", "q.io/team/app", "q.io/team/app:v1", "*.io"])
    def test_a_scope_that_covers_the_image_selects_the_policy(self, scope: str) -> None:
        assert found([policy("p", scope)]) == required(scope, "cluster image policy p")

    @pytest.mark.parametrize("scope", ["q.io/te", "q.io:5000", "q.io/team/app:v2", "*.q.io", "", 5, None])
    def test_a_scope_of_other_images_selects_no_policy(self, scope: Any) -> None:
        assert found([policy("p", scope)]) is None

    def test_a_scope_with_a_digest_selects_the_image(self) -> None:
        assert found([policy("p", f"q.io/a@{DIGEST}")], image=f"q.io/a@{DIGEST}") is not None

    def test_the_most_specific_scope_counts(self) -> None:
        policies = [policy("wide", "*.io", "q.io"), policy("near", "q.io/team")]
        assert found(policies) == required("q.io/team", "cluster image policy near")

    def test_all_policies_of_the_same_scope_apply(self) -> None:
        policies = [policy("a", "q.io/team"), policy("b", "q.io", "q.io/team"), policy("c", "q.io")]
        assert found(policies) == required("q.io/team", "cluster image policy a", "cluster image policy b")
        assert found([], [own("q.io", name="x"), own("q.io", name="y")]) == required(
            "q.io", "image policy ns/x", "image policy ns/y"
        )

    def test_a_more_specific_scope_of_the_cluster_hides_the_scope_of_the_namespace(self) -> None:
        assert found([policy("all", "q.io/team/app")], [own("q.io/team")]) == required(
            "q.io/team/app", "cluster image policy all"
        )

    def test_a_more_specific_entry_of_allowed_registries_needs_no_signature(self) -> None:
        sources = RegistrySources(allowed=("q.io", "q.io/team/app"))
        assert found([policy("p", "q.io")], sources=sources) is None
        assert found([policy("p", "q.io")], image="q.io/team/other:v1", sources=sources) is not None

    def test_an_equal_entry_of_allowed_registries_still_needs_the_signature(self) -> None:
        sources = RegistrySources(allowed=("q.io/team",))
        assert found([policy("p", "q.io/team")], sources=sources) is not None
        assert found([], [own("q.io/team")], sources=sources) is not None


class TestHiddenScopes:
    @pytest.mark.parametrize("scope", ["q.io", "q.io/team", "q.io/team/app", "q.io/other"])
    def test_a_scope_of_the_namespace_inside_one_of_the_cluster_is_dropped(self, scope: str) -> None:
        policies = ImagePolicies.of([policy("all", "q.io")], [own(scope)])
        assert policies.hidden == [
            (PolicyScope("image policy ns/own", scope), PolicyScope("cluster image policy all", "q.io"))
        ]
        assert policies.of_namespace == []

    def test_a_scope_inside_a_wildcard_is_dropped(self) -> None:
        assert ImagePolicies.of([policy("all", "*.io")], [own("q.io/team")]).of_namespace == []

    @pytest.mark.parametrize("scope", ["q.io", "x.io", "q.io/teams", "q.io/team:v1"])
    def test_other_scopes_of_the_namespace_are_kept(self, scope: str) -> None:
        assert ImagePolicies.of([policy("all", "q.io/team")], [own(scope)]).hidden == []

    def test_the_requirement_is_that_of_the_cluster(self) -> None:
        both = [policy("all", "q.io")], [own("q.io/team/app")]
        assert found(*both) == required("q.io", "cluster image policy all")
        assert found([policy("all", "x.io")], [own("q.io/team/app")]) == required(
            "q.io/team/app", "image policy ns/own"
        )

    def test_only_hidden_scopes_of_the_image_are_returned(self) -> None:
        reference = reference_of(IMAGE)
        assert reference is not None
        policies = ImagePolicies.of([policy("all", "q.io")], [own("q.io/team", "q.io/other")])
        assert [each.scope for each, _outer in policies.hidden_for(reference)] == ["q.io/team"]


class TestNotRendered:
    @pytest.mark.parametrize("of_cluster", [True, False])
    @pytest.mark.parametrize(
        ("sources", "why"),
        [
            (RegistrySources(allowed=("x.io", "q.io/team/app")), "not inside allowedRegistries"),
            (RegistrySources(blocked=("q.io",)), "inside blockedRegistries"),
            (RegistrySources(blocked=("*.io",)), "inside blockedRegistries"),
            (RegistrySources(allowed=("q.io",), blocked=("x.io",)), ""),
            (RegistrySources(blocked=("q.io/team/app",)), ""),
            (OPEN, ""),
        ],
    )
    def test_a_scope_outside_the_allowed_registries_stops_the_operator(
        self, sources: RegistrySources, why: str, of_cluster: bool
    ) -> None:
        given = ([policy("p", "q.io/team")], []) if of_cluster else ([], [own("q.io/team", name="p")])
        name = "cluster image policy p" if of_cluster else "image policy ns/p"
        text = f"{name} has scope q.io/team, which is {why} in registrySources of image config cluster"
        assert ImagePolicies.of(*given).why_not_rendered(registries_for(sources, (), "")) == (text if why else "")

    def test_a_hidden_scope_does_not_stop_the_operator(self) -> None:
        policies = ImagePolicies.of([policy("all", "q.io")], [own("q.io/team")])
        assert policies.why_not_rendered(registries_for(RegistrySources(blocked=("q.io/team",)), (), "")) == ""

    def test_a_policy_of_another_namespace_stops_the_operator(self) -> None:
        policies, sources = ImagePolicies.of([policy("all", "x.io")], []), RegistrySources(allowed=("x.io",))
        scopes = scopes_of_all([own("x.io/a", "y.io", name="p"), own("y.io", name="other")])
        assert [each.object for each in scopes] == ["image policy ns/p", "image policy ns/p"]
        assert policies.why_not_rendered(registries_for(sources, (), ""), scopes).startswith(
            "image policy ns/p has scope y.io, which is not inside"
        )

    def test_a_hidden_scope_of_another_namespace_does_not_stop_the_operator(self) -> None:
        policies = ImagePolicies.of([policy("all", "q.io")], [])
        registries = registries_for(RegistrySources(blocked=("q.io/team",)), (), "")
        assert policies.why_not_rendered(registries, scopes_of_all([own("q.io/team")])) == ""


@given(CHANGES)
def test_malformed_policies_raise_no_error(change: Changed) -> None:
    one = change(policy("p", "q.io"))
    found([one if isinstance(one, dict) else {}], [one if isinstance(one, dict) else {}])
