# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which keys a reader uses for an image. tests/oracle holds the same tables against the readers' own code."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.key_matching import (
    containers_keys,
    glob_matches,
    indexed_as,
    kubelet_keys,
    repository_of,
)
from support.matching_cases import QUIRKS, REGISTRY, ROWS

HEX = "0123456789abcdef" * 4


class TestRepositoryOf:
    @pytest.mark.parametrize(
        ("image", "repository"),
        [
            ("nginx", "docker.io/library/nginx"),
            ("nginx:1.2", "docker.io/library/nginx"),
            ("org/app", "docker.io/org/app"),
            ("index.docker.io/nginx", "docker.io/library/nginx"),
            ("index.docker.io/org/app", "docker.io/org/app"),
            ("docker.io/org/app", "docker.io/org/app"),
            ("localhost/app", "localhost/app"),
            ("local/app", "docker.io/local/app"),
            ("QUAY/app", "QUAY/app"),
            ("quay.io/a", "quay.io/a"),
            ("quay.io/a/b_c/d__e/f-g--h.i", "quay.io/a/b_c/d__e/f-g--h.i"),
            ("reg:5000/a", "reg:5000/a"),
            (f"quay.io/a@sha256:{HEX}", "quay.io/a"),
            (f"quay.io/a:v1@sha256:{HEX}", "quay.io/a"),
            ("quay.io/a@sha256:" + "A" * 32, "quay.io/a"),
            ("quay.io/a:" + "v" * 128, "quay.io/a"),
            ("quay.io/" + "a" * 255, "quay.io/" + "a" * 255),
            (HEX + "0", f"docker.io/library/{HEX}0"),
            (f"quay.io/{HEX}", f"quay.io/{HEX}"),
        ],
    )
    def test_is_without_tag_and_digest_and_with_docker_hubs_host(self, image: str, repository: str) -> None:
        assert repository_of(image) == repository

    @pytest.mark.parametrize(
        "image",
        [
            "", "/", "quay.io/", "quay.io//a", "quay.io/A", "quay.io/a/", "quay.io/a:", "quay.io/a:" + "v" * 129, "quay.io/a:-v", "quay.io/a b",
            "quay.io/a@sha256", "quay.io/a@sha256:" + "a" * 31, "quay.io/a@:" + "a" * 32, "quay.io/-a", "quay.io/a___b", "quay.io/a..b",
            "-quay.io/a", "quay-.io/a", "quay..io/a", "quay.io:x/a", "quay.io:/a", "quay.io/\u00e9", "qu\u00e4y.io/a", "quay.io/a\n", "[::1]/a",
            HEX, f"{HEX}:v1", "https://quay.io/a", "quay.io/a:v1:v2", "quay.io/" + "a" * 256, "quay.io/" + "a/" * 128, "a" * 248,
        ],
    )  # fmt: skip
    def test_is_none_for_what_is_no_image(self, image: str) -> None:
        assert repository_of(image) is None


class TestIndexedAs:
    @pytest.mark.parametrize(
        ("key", "stored"),
        [
            ("quay.io", "quay.io"),
            ("quay.io/", "quay.io"),
            ("https://quay.io/v1/", "quay.io"),
            ("https://quay.io/v2/org", "quay.io/org"),
            ("http://quay.io/v2", "quay.io/v2"),
            ("quay.io/v1/v2/org", "quay.io/v2/org"),
            ("quay.io/v3/org", "quay.io/v3/org"),
            ("https://https://quay.io", "https://quay.io"),
            ("robot:x@quay.io:443/a?b#c", "quay.io:443/a"),
            ("quay.io#x/y", "quay.io"),
            ("quay.io/%6frg", "quay.io/org"),
            ("[::1]:5000/a", "[::1]:5000/a"),
            ("[fe80::1.2.3.4]", "[fe80::1.2.3.4]"),
            ("qu%C3%A4y.io", "quäy.io"),
            ("quay.io/%FF", "quay.io/\udcff"),
            ("", ""),
        ],
    )
    def test_is_the_host_and_the_path(self, key: str, stored: str) -> None:
        assert indexed_as(key) == stored

    @pytest.mark.parametrize(
        "key",
        [
            "[::1", "::1]", "[::1]x", "[1]", "quay.io:5000x", "quay.io:a", "quay.io:1:2", "qu ay.io", "quay.io\x00", "quay.io/\x1f", "quay.io/\x7f",
            "qu%41y.io", "qu%zzy.io", "quay.io/%zz", "quay.io/%4", "quay.io/%", "q^y.io", "q`y.io", "q{y}.io", "q|y.io", "q\\y.io", "a[b.io",
            "quay.io:\u0661",
        ],
    )  # fmt: skip
    def test_is_none_for_what_does_not_parse(self, key: str) -> None:
        assert indexed_as(key) is None


class TestBoth:
    @pytest.mark.parametrize(("key", "image", "kubelet", "containers"), ROWS)
    def test_each_row_of_the_table(self, key: str, image: str, kubelet: bool, containers: bool) -> None:
        repository = repository_of(image) or ""
        assert kubelet_keys([key], repository) == ([key] if kubelet else [])
        assert containers_keys([key], repository) == ([key] if containers else [])

    @pytest.mark.parametrize(
        ("keys", "image", "kubelet", "containers"),
        [pytest.param(keys, image, kubelet, containers, id=what) for what, keys, image, kubelet, containers in QUIRKS],
    )
    def test_quirk(self, keys: list[str], image: str, kubelet: list[str], containers: list[str]) -> None:
        repository = repository_of(image) or ""
        assert kubelet_keys(keys, repository) == kubelet
        assert containers_keys(keys, repository) == containers


class TestKubelet:
    def test_tries_the_greatest_first_by_bytes(self) -> None:
        keys = ["*.example.com/team", REGISTRY, f"{REGISTRY}/team"]
        assert kubelet_keys(keys, f"{REGISTRY}/team/app") == [f"{REGISTRY}/team", REGISTRY, "*.example.com/team"]

    def test_takes_docker_hubs_entry_only_when_nothing_else_matches(self) -> None:
        keys = ["docker.io/myorg", "https://index.docker.io/v1/", "index.docker.io"]
        assert kubelet_keys(keys, "docker.io/myorg/app") == ["docker.io/myorg"]
        assert kubelet_keys(keys, "docker.io/other/app") == ["https://index.docker.io/v1/", "index.docker.io"]
        assert kubelet_keys(keys, "quay.io/other/app") == []

    @pytest.mark.parametrize(
        ("repository", "hub"),
        [
            ("docker.io/a/b", True),
            ("index.docker.io/a", True),
            ("local/a", True),
            ("local:1/a", False),
            ("", False),
            ("a", True),
        ],
    )
    def test_what_it_takes_for_docker_hubs(self, repository: str, hub: bool) -> None:
        assert kubelet_keys(["index.docker.io"], repository) == (["index.docker.io"] if hub else [])

    def test_compares_paths_letter_by_letter_and_labels_one_by_one(self) -> None:
        assert kubelet_keys(["quay.io/te"], "quay.io/team/app") == ["quay.io/te"]
        assert kubelet_keys(["*.*", "*", "*.*.*"], "quay.io/a") == ["*.*"]
        assert kubelet_keys(["q*", "q*:5000", "q*:*"], "quay:5000/a") == ["q*:5000"]

    @pytest.mark.parametrize(
        ("glob", "label"),
        [
            ("*", ""),
            ("*", "ab"),
            ("a*", "a"),
            ("*b", "ab"),
            ("a*b", "ab"),
            ("a*b*c", "abbc"),
            ("**", "a"),
            ("a*a", "aba"),
        ],
    )
    def test_a_star_is_any_text(self, glob: str, label: str) -> None:
        assert glob_matches(glob, label)

    @pytest.mark.parametrize(
        ("glob", "label"),
        [("", "a"), ("a", "b"), ("a*", "ba"), ("*b", "ba"), ("a*a", "a"), ("a*b*c", "acb"), ("a*bb*b", "abb")],
    )
    def test_and_nothing_else_is(self, glob: str, label: str) -> None:
        assert not glob_matches(glob, label)

    def test_any_number_of_stars_takes_no_time(self) -> None:
        """Whoever may write a secret chooses the key, and could keep an audit busy for years else."""
        assert kubelet_keys(["a*" * 40 + "b.com"], "a" * 63 + ".com/app") == []


class TestContainers:
    def test_takes_the_longest_of_whole_parts(self) -> None:
        keys = ["quay.io", "quay.io/team", "quay.io/te"]
        assert containers_keys(keys, "quay.io/team/app") == ["quay.io/team"]
        assert containers_keys(keys, "quay.io/teammates/app") == ["quay.io"]

    def test_falls_back_to_the_host_of_any_key(self) -> None:
        keys = ["https://quay.io/v1/", "http://quay.io", "https://quay.example.com"]
        assert containers_keys(keys, "quay.io/a") == ["http://quay.io", "https://quay.io/v1/"]

    @pytest.mark.parametrize("key", ["docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"])
    def test_knows_docker_hub_by_three_names(self, key: str) -> None:
        assert containers_keys([key], "docker.io/library/nginx") == [key]
        assert containers_keys([key], "registry-1.docker.io/a") == [key]
