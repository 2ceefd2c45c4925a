# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirrors, blocked and allowed registries match the results of the machine config operator and containers/image."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import Json, Kind
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
    Mirrors,
    is_nested,
    mirror_items,
    mirrors_for,
    registry_sources_of,
    why_sets_not_rendered,
)

BY_DIGEST, BY_TAG, OLD = MIRROR_KINDS
DIGEST = "sha256:" + "0" * 64
NEVER = "NeverContactSource"


def mirror_set(kind: Kind, source: str, *mirrors: str, policy: str = "", name: str = "m") -> dict[Kind, list[Json]]:
    item = {"source": source, "mirrors": [*mirrors], **({"mirrorSourcePolicy": policy} if policy else {})}
    return {kind: [{"metadata": {"name": name}, "spec": {MIRROR_KINDS[kind]: [item]}}]}


def found(image: str, *sets: dict[Kind, list[Json]]) -> Mirrors | None:
    reference = reference_of(image)
    assert reference is not None
    items = (item for each in sets for kind, objects in each.items() for item in mirror_items(kind, objects))
    return mirrors_for(reference, [*items])


def sources(**given: Any) -> Any:
    return registry_sources_of({"spec": {"registrySources": given}})


class TestMirrors:
    def test_digests_use_digest_mirror_sets_and_tags_use_tag_mirror_sets(self) -> None:
        both = (
            mirror_set(BY_DIGEST, "q.io", "d.io/x"),
            mirror_set(BY_TAG, "q.io", "t.io"),
            mirror_set(OLD, "q.io", "o.io"),
        )
        by_digest, by_tag = found(f"q.io/a/b:1@{DIGEST}", *both), found("q.io/a/b:1", *both)
        assert by_digest is not None
        assert by_tag is not None
        assert by_digest.mirrors == [f"d.io/x/a/b@{DIGEST}", f"o.io/a/b@{DIGEST}"]
        assert by_tag.mirrors == ["t.io/a/b:1"]
        assert by_tag.objects == [f"{kind.title} m" for kind in (BY_DIGEST, BY_TAG, OLD)]

    def test_only_the_most_specific_source_counts(self) -> None:
        result = found("q.io/a/b:1", mirror_set(BY_TAG, "q.io", "wide.io"), mirror_set(BY_TAG, "q.io/a", "near.io/z"))
        assert result is not None
        assert (result.source, result.mirrors) == ("q.io/a", ["near.io/z/b:1"])

    def test_a_host_is_more_specific_than_a_wildcard(self) -> None:
        result = found(
            "a.long.example.com/b:1",
            mirror_set(BY_TAG, "*.long.example.com", "w.io"),
            mirror_set(BY_TAG, "a.long.example.com", "h.io"),
        )
        assert result is not None
        assert result.mirrors == ["h.io/b:1"]

    def test_a_wildcard_replaces_the_host(self) -> None:
        result = found("a.example.com:5000/b:1", mirror_set(BY_TAG, "*.example.com", "w.io/z"))
        assert result is not None
        assert result.mirrors == ["w.io/z/b:1"]

    @pytest.mark.parametrize("source", ["q.io/a", "q.io/a/b", "q.io", "*.io"])
    def test_a_matching_source_has_mirrors(self, source: str) -> None:
        assert found("q.io/a/b:1", mirror_set(BY_TAG, source, "m.io")) is not None

    @pytest.mark.parametrize("source", ["q.io/a/bc", "q.io/", "io", "*.q.io", "", "q.i", "q.io/a/b:1"])
    def test_a_source_that_does_not_match_has_no_mirrors(self, source: str) -> None:
        assert found("q.io/a/b:1", mirror_set(BY_TAG, source, "m.io")) is None

    @pytest.mark.parametrize(
        ("source", "matches"), [("*.example.com:5000", True), ("*.example.com:443", False), ("*.example.com", True)]
    )
    def test_a_wildcard_with_a_port_means_that_port(self, source: str, matches: bool) -> None:
        assert (found("a.example.com:5000/b:1", mirror_set(BY_TAG, source, "m.io")) is not None) is matches

    def test_a_host_without_port_also_means_its_ports(self) -> None:
        assert found("q.io:5000/a:1", mirror_set(BY_TAG, "q.io", "m.io")) is not None

    @pytest.mark.parametrize(
        ("kind", "policy", "never"),
        [
            (BY_DIGEST, NEVER, True),
            (BY_TAG, NEVER, True),
            (OLD, NEVER, False),
            (BY_TAG, "AllowContactingSource", False),
            (BY_TAG, "", False),
        ],
    )
    def test_the_policy_decides_whether_the_source_is_contacted(self, kind: Kind, policy: str, never: bool) -> None:
        result = found("q.io/a:1", mirror_set(kind, "q.io", "m.io", policy=policy))
        assert result is not None
        assert result.never_source is never

    def test_the_never_policy_applies_to_tags_and_digests_alike(self) -> None:
        result = found("q.io/a:1", mirror_set(BY_DIGEST, "q.io", "m.io", policy=NEVER))
        assert result is not None
        assert (result.mirrors, result.never_source) == ([], True)

    def test_the_locations_are_those_of_tags_and_digests(self) -> None:
        sets = mirror_set(BY_DIGEST, "q.io/team", "m.io/z"), mirror_set(BY_TAG, "q.io/team", "n.io")
        result = found("q.io/team/a:1", *sets, mirror_set(BY_TAG, "q.io", "o.io"))
        assert result is not None
        assert (result.mirrors, result.locations) == (["n.io/a:1"], ["m.io/z", "n.io"])

    def test_mirrors_of_several_objects_are_listed_once(self) -> None:
        result = found(
            "q.io/a:1", mirror_set(BY_TAG, "q.io", "m.io", "n.io"), mirror_set(BY_TAG, "q.io", "n.io", "o.io")
        )
        assert result is not None
        assert result.mirrors == ["m.io/a:1", "n.io/a:1", "o.io/a:1"]

    @pytest.mark.parametrize(
        "spec", [None, [], {"imageTagMirrors": {}}, {"imageTagMirrors": [1, None, {}, {"source": 1}]}]
    )
    def test_malformed_objects_name_no_mirrors(self, spec: Any) -> None:
        assert found("q.io/a:1", {BY_TAG: [{"spec": spec}]}) is None


class TestNotRendered:
    """As validateRegistriesConfScopes of the machine config operator."""

    @staticmethod
    def why(*sets: dict[Kind, list[Json]]) -> str:
        return why_sets_not_rendered(
            [item for each in sets for kind, objects in each.items() for item in mirror_items(kind, objects)]
        )

    @pytest.mark.parametrize("kind", [BY_DIGEST, BY_TAG, OLD])
    def test_sets_that_disagree_about_a_source_stop_the_operator(self, kind: Kind) -> None:
        never = mirror_set(BY_DIGEST, "q.io", "m.io", policy=NEVER, name="never")
        also = mirror_set(kind, "q.io", "n.io", name="also")
        text = "mirrorSourcePolicy of source q.io is NeverContactSource in image digest mirror set never, but not in"
        assert self.why(never, also) == self.why(also, never) == f"{text} {kind.title} also"

    def test_a_source_that_is_never_contacted_and_its_own_mirror_stops_the_operator(self) -> None:
        assert self.why(mirror_set(BY_TAG, "q.io", "m.io", "q.io", policy=NEVER)) == (
            "mirrorSourcePolicy of source q.io is NeverContactSource in image tag mirror set m, which also has the source as a mirror"
        )

    def test_other_sets_do_not_stop_the_operator(self) -> None:
        never = [mirror_set(kind, "q.io", "m.io", policy=NEVER) for kind in (BY_DIGEST, BY_TAG)]
        assert self.why(*never, mirror_set(BY_TAG, "q.io/team", "m.io", "q.io/team")) == ""
        assert self.why(mirror_set(BY_TAG, "q.io", "m.io"), mirror_set(OLD, "q.io", "n.io")) == ""

    def test_the_source_may_be_contacted_if_the_sets_disagree(self) -> None:
        result = found(
            "q.io/a:1", mirror_set(BY_DIGEST, "q.io", "d.io", policy=NEVER), mirror_set(BY_TAG, "q.io", "m.io")
        )
        assert result is not None
        assert not result.never_source


class TestRegistrySources:
    @pytest.mark.parametrize("scope", ["q.io", "q.io/a", "q.io/a/b", "*.io"])
    def test_a_blocked_registry_is_reported_with_its_entry(self, scope: str) -> None:
        why = sources(blockedRegistries=["other.io", scope]).why_not("q.io/a/b")
        assert why == f"registrySources.blockedRegistries of {IMAGE_CONFIG} has {scope}"

    def test_a_blocked_host_is_blocked_with_any_port(self) -> None:
        assert sources(blockedRegistries=["q.io"]).why_not("q.io:5000/a")
        assert not sources(blockedRegistries=["q.io:5000"]).why_not("q.io/a")

    def test_only_allowed_registries_pass(self) -> None:
        found = sources(allowedRegistries=["q.io/a", "*.example.com"])
        assert not found.why_not("q.io/a/b")
        assert not found.why_not("x.example.com:5000/b")
        assert found.why_not("q.io/ab") == f"registrySources.allowedRegistries of {IMAGE_CONFIG} has no entry for it"
        assert found.why_not("q.io:5000/a")

    @pytest.mark.parametrize(
        "config", [None, {}, {"spec": None}, {"spec": {"registrySources": {"allowedRegistries": []}}}]
    )
    def test_all_registries_are_allowed_without_a_setting(self, config: Any) -> None:
        assert registry_sources_of(config).why_not("q.io/a") == ""


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
