# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirrors, blocked and allowed registries match the results of the machine config operator and containers/image.

tests/oracle compares generated settings with their code.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import Json, Kind
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    NodeRegistries,
    registries_for,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
    MirrorItems,
    Mirrors,
    mirror_items,
    registry_sources_of,
)

BY_DIGEST, BY_TAG, OLD = MIRROR_KINDS
DIGEST = "sha256:" + "0" * 64
NEVER = "NeverContactSource"


def mirror_set(kind: Kind, source: str, *mirrors: str, policy: str = "", name: str = "m") -> dict[Kind, list[Json]]:
    item = {"source": source, "mirrors": [*mirrors], **({"mirrorSourcePolicy": policy} if policy else {})}
    return {kind: [{"metadata": {"name": name}, "spec": {MIRROR_KINDS[kind]: [item]}}]}


def files(*sets: dict[Kind, list[Json]], release: str = "", **lists: Any) -> NodeRegistries:
    items = (MirrorItems(tuple(mirror_items(kind, objects))) for each in sets for kind, objects in each.items())
    return registries_for(registry_sources_of({"spec": {"registrySources": lists}}), tuple(items), release)


def found(image: str, *sets: dict[Kind, list[Json]], **lists: Any) -> Mirrors | None:
    reference = reference_of(image)
    assert reference is not None
    return files(*sets, **lists).mirrors_for(reference)


def mirrors_of(image: str, *sets: dict[Kind, list[Json]], **lists: Any) -> Mirrors:
    result = found(image, *sets, **lists)
    assert result is not None
    return result


def why_not(registries: NodeRegistries, image: str) -> str:
    reference = reference_of(image)
    assert reference is not None
    return registries.why_not(reference)


class TestMirrors:
    def test_digests_use_digest_mirror_sets_and_tags_use_tag_mirror_sets(self) -> None:
        both = (
            mirror_set(BY_DIGEST, "q.io", "d.io/x"),
            mirror_set(BY_TAG, "q.io", "t.io"),
            mirror_set(OLD, "q.io", "o.io"),
        )
        by_digest, by_tag = mirrors_of(f"q.io/a/b:1@{DIGEST}", *both), mirrors_of("q.io/a/b:1", *both)
        assert by_digest.mirrors == [f"d.io/x/a/b@{DIGEST}", f"o.io/a/b@{DIGEST}"]
        assert by_tag.mirrors == ["t.io/a/b:1"]
        assert by_tag.objects == [f"{kind.title} m" for kind in (BY_DIGEST, BY_TAG, OLD)]

    def test_only_the_most_specific_source_counts(self) -> None:
        result = mirrors_of(
            "q.io/a/b:1", mirror_set(BY_TAG, "q.io", "wide.io"), mirror_set(BY_TAG, "q.io/a", "near.io/z")
        )
        assert (result.source, result.mirrors) == ("q.io/a", ["near.io/z/b:1"])

    def test_a_host_is_more_specific_than_a_wildcard(self) -> None:
        result = mirrors_of(
            "ab.long.example.com/b:1",
            mirror_set(BY_TAG, "*.long.example.com", "w.io"),
            mirror_set(BY_TAG, "ab.long.example.com", "h.io"),
        )
        assert result.mirrors == ["h.io/b:1"]

    def test_a_host_with_a_name_of_one_letter_is_not(self) -> None:
        """containers/image compares only the length, and takes the first of equals."""
        sets = mirror_set(BY_TAG, "*.example.com", "w.io"), mirror_set(BY_TAG, "a.example.com", "h.io")
        assert mirrors_of("a.example.com/b:1", *sets).mirrors == ["w.io/b:1"]

    @pytest.mark.parametrize("source", ["q.io/a", "q.io/a/b", "q.io", "*.io"])
    def test_a_matching_source_has_mirrors(self, source: str) -> None:
        assert found("q.io/a/b:1", mirror_set(BY_TAG, source, "m.io")) is not None

    @pytest.mark.parametrize("source", ["q.io/a/bc", "q.io/", "io", "*.q.io", "", "q.i", "q.io/a/b:1"])
    def test_a_source_that_does_not_match_has_no_mirrors(self, source: str) -> None:
        assert found("q.io/a/b:1", mirror_set(BY_TAG, source, "m.io")) is None

    @pytest.mark.parametrize(
        ("image", "mirror", "name"),
        [
            ("a.example.com:5000/b/c:1", "m.io", "m.io:5000/b/c:1"),
            ("a.example.com/b/c:1", "m.io/z", "m.io/z/b/c:1"),
            ("a.b.example.com/c:1", "m.io", "m.io/c:1"),
        ],
    )
    def test_a_wildcard_stands_for_the_host_without_its_port(self, image: str, mirror: str, name: str) -> None:
        result = mirrors_of(image, mirror_set(BY_TAG, "*.example.com", mirror))
        assert (result.mirrors, result.invalid) == ([name], "")

    @pytest.mark.parametrize(
        ("image", "source", "mirror", "name"),
        [
            ("a.example.com:5000/b:1", "*.example.com", "m.io/z", "m.io/z:5000/b:1"),
            ("q.io/team/app:1", "q.io/team/app", "m.io", "m.io:1"),
            ("q.io/team/app:1", "q.io/team", "docker.io", "docker.io/app:1"),
            ("q.io/team/app:1", "q.io", "mirror", "mirror/team/app:1"),
        ],
    )
    def test_a_name_without_a_registry_and_a_repository_is_invalid(
        self, image: str, source: str, mirror: str, name: str
    ) -> None:
        """containers/image then refuses each pull, whatever the other mirrors are."""
        assert mirrors_of(image, mirror_set(BY_TAG, source, mirror)).invalid == name

    def test_a_mirror_for_digests_does_not_break_tags(self) -> None:
        result = mirrors_of("q.io/a:1", mirror_set(BY_DIGEST, "q.io/a", "m.io"), mirror_set(BY_TAG, "q.io/a", "m.io/z"))
        assert (result.mirrors, result.invalid) == (["m.io/z:1"], "")

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
        result = mirrors_of("q.io/a:1", mirror_set(kind, "q.io", "m.io", policy=policy))
        assert result.never_source is never

    def test_the_never_policy_applies_to_tags_and_digests_alike(self) -> None:
        result = mirrors_of("q.io/a:1", mirror_set(BY_DIGEST, "q.io", "m.io", policy=NEVER))
        assert (result.mirrors, result.never_source) == ([], True)

    def test_the_locations_are_those_of_tags_and_digests(self) -> None:
        sets = mirror_set(BY_DIGEST, "q.io/team", "m.io/z"), mirror_set(BY_TAG, "q.io/team", "n.io")
        result = mirrors_of("q.io/team/a:1", *sets, mirror_set(BY_TAG, "q.io", "o.io"))
        assert (result.mirrors, result.locations) == (["n.io/a:1"], ["m.io/z", "n.io"])

    def test_mirrors_of_several_objects_are_listed_once(self) -> None:
        result = mirrors_of(
            "q.io/a:1", mirror_set(BY_TAG, "q.io", "m.io", "n.io"), mirror_set(BY_TAG, "q.io", "n.io", "o.io")
        )
        assert result.mirrors == ["m.io/a:1", "n.io/a:1", "o.io/a:1"]

    @pytest.mark.parametrize(
        ("lists", "merged"),
        [
            ([["b.io", "c.io"], ["a.io", "b.io"]], ["a.io", "b.io", "c.io"]),
            ([["b.io"], ["a.io"]], ["a.io", "b.io"]),
            ([["a.io", "b.io"], ["b.io", "a.io"]], ["a.io", "b.io"]),
            ([["a.io", "q.io", "b.io"]], ["a.io", "q.io", "b.io"]),
            ([["a.io", "q.io"]], ["a.io"]),
        ],
    )
    def test_the_order_of_merged_mirrors_is_that_of_the_operator(
        self, lists: list[list[str]], merged: list[str]
    ) -> None:
        result = mirrors_of("q.io/a:1", *(mirror_set(BY_TAG, "q.io", *each) for each in lists))
        assert result.mirrors == [f"{each}/a:1" for each in merged]

    @pytest.mark.parametrize("own", [[], ["q.io/team"]], ids=str)
    def test_a_source_without_mirrors_does_not_count(self, own: list[str]) -> None:
        inner = mirror_set(BY_TAG, "q.io/team", *own, policy=NEVER if not own else "", name="inner")
        result = mirrors_of("q.io/team/a:1", mirror_set(BY_TAG, "q.io", "m.io/z"), inner)
        assert (result.source, result.mirrors, result.never_source) == ("q.io", ["m.io/z/team/a:1"], False)
        assert result.objects == [f"{BY_TAG.title} m"]

    def test_an_entry_of_a_list_inside_a_source_has_its_mirrors(self) -> None:
        outer, wide = mirror_set(BY_TAG, "q.io", "m.io/z"), mirror_set(BY_DIGEST, "*.io", "w.io")
        result = mirrors_of("q.io/team/a:1", outer, insecureRegistries=["q.io/team"])
        assert (result.source, result.mirrors, result.locations) == ("q.io", ["m.io/z/team/a:1"], ["m.io/z/team"])
        assert files(outer, wide, insecureRegistries=["q.io/team"]).problem

    def test_the_mirrors_of_an_entry_of_a_list_are_those_of_the_first_source_around_it(self) -> None:
        sets = mirror_set(BY_TAG, "q.io/team", "near.io"), mirror_set(BY_TAG, "q.io", "far.io")
        result = mirrors_of("q.io/team/a/b:1", *sets, insecureRegistries=["q.io/team/a"])
        assert result.mirrors == ["far.io/team/a/b:1"]

    @pytest.mark.parametrize(
        "spec", [None, [], {"imageTagMirrors": {}}, {"imageTagMirrors": [1, None, {}, {"source": 1}]}]
    )
    def test_malformed_objects_name_no_mirrors(self, spec: Any) -> None:
        assert found("q.io/a:1", {BY_TAG: [{"spec": spec}]}) is None


class TestNotRendered:
    """As validateRegistriesConfScopes of the machine config operator."""

    @staticmethod
    def why(*sets: dict[Kind, list[Json]], **lists: Any) -> str:
        return files(*sets, **lists).problem

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

    @pytest.mark.parametrize("name", ["blockedRegistries", "insecureRegistries"])
    def test_an_entry_of_a_list_inside_a_wildcard_with_mirrors_stops_the_operator(self, name: str) -> None:
        wide = mirror_set(BY_TAG, "*.example.com", "m.io")
        assert self.why(wide, **{name: ["a.example.com"]}) == (
            f"registrySources of {IMAGE_CONFIG} has a.example.com, which is inside the source *.example.com in {BY_TAG.title} m, and the operator "
            "cannot add the mirrors of a wildcard to it"
        )
        assert self.why(wide, mirror_set(BY_DIGEST, "a.example.com", "n.io"), **{name: ["a.example.com"]}) == ""

    @pytest.mark.parametrize("entry", ["", "a*.example.com", "*.example.com/team", "*.example.com:5000"])
    @pytest.mark.parametrize("name", ["blockedRegistries", "insecureRegistries", "allowedRegistries"])
    def test_an_invalid_entry_stops_the_operator(self, name: str, entry: str) -> None:
        assert self.why(**{name: [entry]}) == f"registrySources of {IMAGE_CONFIG} has the invalid entry {entry!a}"

    @pytest.mark.parametrize(
        "source", ["https://q.io", "q.io/Team", "q.io/", "q.io/team:v1", "*.q.io/team", "*.q.io:80"]
    )
    def test_an_invalid_source_stops_the_operator(self, source: str) -> None:
        assert self.why(mirror_set(OLD, source, "m.io")) == f"{OLD.title} m has the invalid name {source!a}"

    @pytest.mark.parametrize("mirror", ["", "https://m.io", "*.m.io", "m.io/z:v1"])
    def test_an_invalid_mirror_stops_the_operator(self, mirror: str) -> None:
        assert self.why(mirror_set(OLD, "*.q.io", mirror)) == f"{OLD.title} m has the invalid name {mirror!a}"

    def test_allowed_and_blocked_registries_together_stop_the_operator(self) -> None:
        why = self.why(blockedRegistries=["a.io"], allowedRegistries=["q.io"])
        assert why == f"registrySources of {IMAGE_CONFIG} has both blockedRegistries and allowedRegistries"

    def test_the_source_may_be_contacted_if_the_sets_disagree(self) -> None:
        result = mirrors_of(
            "q.io/a:1", mirror_set(BY_DIGEST, "q.io", "d.io", policy=NEVER), mirror_set(BY_TAG, "q.io", "m.io")
        )
        assert not result.never_source


class TestBlockedMirrors:
    """Each place of an image needs an entry that is not blocked."""

    SETS = mirror_set(BY_TAG, "q.io", "m.io/z", "n.io:5000", policy=NEVER)

    @pytest.mark.parametrize("scope", ["m.io", "m.io/z", "m.io/z/team/app"])
    def test_a_blocked_mirror_is_not_asked(self, scope: str) -> None:
        result = mirrors_of("q.io/team/app:1", self.SETS, blockedRegistries=[scope, "x.io"])
        why = f"registrySources.blockedRegistries of {IMAGE_CONFIG} has {scope}"
        assert result.blocked["m.io/z/team/app:1"] == why
        assert result.locations == ["m.io/z", "n.io:5000"]
        assert result.mirrors == ["n.io:5000/team/app:1"]

    def test_a_mirror_below_a_source_that_is_never_contacted_is_not_asked(self) -> None:
        result = mirrors_of("q.io/team/app:1", self.SETS, mirror_set(BY_DIGEST, "m.io", "o.io", policy=NEVER, name="d"))
        assert result.blocked == {
            "m.io/z/team/app:1": f"it is in source m.io, which is never contacted ({BY_DIGEST.title} d)"
        }

    def test_a_mirror_that_is_not_allowed_is_asked(self) -> None:
        result = mirrors_of("q.io/team/app:1", self.SETS, allowedRegistries=["q.io"])
        assert (len(result.mirrors), result.blocked) == (2, {})


class TestRegistrySources:
    @pytest.mark.parametrize("scope", ["q.io", "q.io/a", "q.io/a/b", "*.io"])
    def test_a_blocked_registry_is_reported_with_its_entry(self, scope: str) -> None:
        why = why_not(files(blockedRegistries=["other.io", scope]), "q.io/a/b")
        assert why == f"registrySources.blockedRegistries of {IMAGE_CONFIG} has {scope}"

    def test_a_blocked_host_is_blocked_with_any_port(self) -> None:
        assert why_not(files(blockedRegistries=["q.io"]), "q.io:5000/a")
        assert not why_not(files(blockedRegistries=["q.io:5000"]), "q.io/a")

    def test_only_allowed_registries_pass(self) -> None:
        found = files(allowedRegistries=["q.io/a", "*.example.com"])
        assert not why_not(found, "q.io/a/b")
        assert not why_not(found, "x.example.com:5000/b")
        assert why_not(found, "q.io/ab") == f"registrySources.allowedRegistries of {IMAGE_CONFIG} has no entry for it"
        assert why_not(found, "q.io:5000/a")

    @pytest.mark.parametrize(
        "config", [None, {}, {"spec": None}, {"spec": {"registrySources": {"allowedRegistries": []}}}]
    )
    def test_all_registries_are_allowed_without_a_setting(self, config: Any) -> None:
        assert why_not(registries_for(registry_sources_of(config), (), ""), "q.io/a") == ""

    def test_a_blocked_host_does_not_block_a_mirrored_source_with_a_port(self) -> None:
        """The operator compares scopes by name, and containers/image by the most specific entry."""
        inner = mirror_set(BY_TAG, "q.io:5000/team", "m.io/z")
        assert why_not(files(inner, blockedRegistries=["q.io"]), "q.io:5000/team/a") == ""
        result = mirrors_of("q.io:5000/team/a:1", inner, blockedRegistries=["q.io"])
        assert not result.never_source


class TestRelease:
    """The repository of the release can be blocked only if a mirror serves it (getValidBlockedAndAllowedRegistries)."""

    RELEASE = f"q.io/ocp/release@{DIGEST}"
    MIRROR = mirror_set(BY_DIGEST, "q.io/ocp/release", "m.io/release")

    @pytest.mark.parametrize("entry", ["q.io", "q.io/ocp", "q.io/ocp/release", "*.io"])
    def test_an_entry_around_the_release_is_dropped(self, entry: str) -> None:
        registries = files(release=self.RELEASE, blockedRegistries=[entry, "b.com"])
        assert why_not(registries, "q.io/team/app") == why_not(registries, "q.io/ocp/release") == ""
        assert why_not(registries, "b.com/app").endswith("has b.com")

    def test_a_mirror_of_the_release_keeps_the_entry(self) -> None:
        registries = files(self.MIRROR, release=self.RELEASE, blockedRegistries=["q.io"])
        assert why_not(registries, "q.io/team/app").endswith("has q.io")
        assert why_not(registries, f"q.io/ocp/release@{DIGEST}") == why_not(registries, "b.com/app") == ""
        assert why_not(registries, "q.io/ocp/release:v1").endswith("has q.io")
        assert registries.problem == ""

    @pytest.mark.parametrize(
        ("mirror", "blocked"),
        [
            (MIRROR, ["q.io", "m.io"]),
            (mirror_set(BY_TAG, "q.io", "m.io"), ["q.io"]),
            (mirror_set(BY_DIGEST, "q.io/ocp", "q.io/copy"), ["q.io"]),
        ],
    )
    def test_a_mirror_that_does_not_serve_the_release_does_not_keep_the_entry(self, mirror: Any, blocked: Any) -> None:
        assert why_not(files(mirror, release=self.RELEASE, blockedRegistries=blocked), "q.io/team/app") == ""

    def test_to_block_only_the_repository_of_the_release_rejects_everything_else(self) -> None:
        registries = files(self.MIRROR, release=self.RELEASE, blockedRegistries=["q.io/ocp/release"])
        assert why_not(registries, "b.com/app") == (
            f"registrySources.blockedRegistries of {IMAGE_CONFIG} has q.io/ocp/release, which is the repository of the release: policy.json of "
            "the nodes then allows only this repository and rejects all others"
        )
        assert why_not(registries, f"q.io/ocp/release@{DIGEST}") == ""
        assert (
            why_not(files(self.MIRROR, release=self.RELEASE, blockedRegistries=["q.io/ocp/release", "c.io"]), "b.com/a")
            == ""
        )

    def test_two_entries_around_the_release_stop_the_operator(self) -> None:
        """It allows the repository twice then, and refuses a list of two together with blocked registries."""
        registries = files(self.MIRROR, release=self.RELEASE, blockedRegistries=["q.io", "q.io/ocp"])
        assert registries.problem.endswith("to which the operator adds the repository of the release q.io/ocp/release")

    def test_an_allowed_repository_of_the_release_does_not_exclude_blocked_registries(self) -> None:
        registries = files(release=self.RELEASE, blockedRegistries=["b.com"], allowedRegistries=["q.io/ocp/release"])
        assert (registries.problem, bool(why_not(registries, "b.com/app"))) == ("", True)

    def test_a_mirror_with_an_invalid_name_drops_both_lists(self) -> None:
        bare = mirror_set(BY_DIGEST, "q.io/ocp/release", "m.io")
        registries = files(bare, release=self.RELEASE, blockedRegistries=["q.io", "b.com"])
        assert why_not(registries, "b.com/app") == why_not(registries, "q.io/app") == ""

    def test_an_empty_entry_drops_both_lists(self) -> None:
        registries = files(self.MIRROR, release=self.RELEASE, blockedRegistries=["q.io", "b.com", ""])
        assert why_not(registries, "b.com/app") == why_not(registries, "q.io/app") == registries.problem == ""

    def test_only_the_release_may_be_allowed_next_to_blocked_registries(self) -> None:
        lists = {"blockedRegistries": ["q.io/ocp", "b.com"], "allowedRegistries": ["q.io/ocp/release"]}
        assert files(release=self.RELEASE, **lists).problem == ""
        assert files(release=f"q.io/ocp/other@{DIGEST}", **lists).problem


class TestPolicies:
    """The operator writes the names of each scope of a policy at its mirrors (generateSigstoreRegistriesdConfig)."""

    @pytest.mark.parametrize(
        ("scope", "source", "mirror", "name"),
        [
            ("q.io/team/app", "q.io/team/app", "m.io", "m.io:latest"),
            ("q.io", "q.io/team", "m.io", "m.io:latest"),
            ("a.example.com:5000", "*.example.com", "m.io/z", "m.io/z:5000/a:latest"),
            ("q.io/team/app", "q.io/team", "docker.io", "docker.io/app:latest"),
            ("q.io/team/app:v1", "q.io/team/app", "m.io", "m.io:latest"),
        ],
    )
    def test_a_scope_with_an_invalid_name_at_a_mirror_stops_the_operator(
        self, scope: str, source: str, mirror: str, name: str
    ) -> None:
        why = files(mirror_set(BY_DIGEST, source, mirror)).why_scope_not_rendered(scope)
        assert why == f"the mirror {mirror} makes the invalid image name {name} of it"

    def test_a_short_name_of_docker_hub_stops_the_operator_if_the_nodes_have_an_entry_for_it(self) -> None:
        registries = files(insecureRegistries=["docker.io"])
        assert registries.why_scope_not_rendered("docker.io/app").startswith("docker.io/app is not the whole name")
        assert registries.why_scope_not_rendered("docker.io/library/app") == ""
        assert files().why_scope_not_rendered("docker.io/app") == ""

    @pytest.mark.parametrize("scope", ["q.io", "q.io/team/app/more", "*.example.com", "x.io/team", "q.io/team/app:v1"])
    def test_other_scopes_do_not(self, scope: str) -> None:
        sets = mirror_set(BY_TAG, "q.io/team", "m.io/z"), mirror_set(BY_TAG, "*.example.com", "m.io")
        assert files(*sets).why_scope_not_rendered(scope) == ""
