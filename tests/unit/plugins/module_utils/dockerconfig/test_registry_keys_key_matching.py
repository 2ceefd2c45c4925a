# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each reader uses certain keys for an image. tests/oracle compares the same tables with the readers' own code."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import (
    containers_keys,
    is_glob_match,
    keyring_key,
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
    def test_repository_of_drops_tag_and_digest_and_completes_docker_hub(self, image: str, repository: str) -> None:
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
    def test_repository_of_an_invalid_image_is_none(self, image: str) -> None:
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
    def test_indexed_as_returns_the_host_and_the_path(self, key: str, stored: str) -> None:
        assert keyring_key(key) == stored

    @pytest.mark.parametrize(
        "key",
        [
            "[::1", "::1]", "[::1]x", "[1]", "quay.io:5000x", "quay.io:a", "quay.io:1:2", "qu ay.io", "quay.io\x00", "quay.io/\x1f", "quay.io/\x7f",
            "qu%41y.io", "qu%zzy.io", "quay.io/%zz", "quay.io/%4", "quay.io/%", "q^y.io", "q`y.io", "q{y}.io", "q|y.io", "q\\y.io", "a[b.io",
            "quay.io:\u0661",
        ],
    )  # fmt: skip
    def test_indexed_as_is_none_for_an_invalid_key(self, key: str) -> None:
        assert keyring_key(key) is None


class TestBoth:
    @pytest.mark.parametrize(("key", "image", "kubelet", "containers"), ROWS)
    def test_kubelet_and_containers_match_each_row_of_the_table(
        self, key: str, image: str, kubelet: bool, containers: bool
    ) -> None:
        repository = repository_of(image) or ""
        assert kubelet_keys([key], repository) == ([key] if kubelet else [])
        assert containers_keys([key], repository) == ([key] if containers else [])

    @pytest.mark.parametrize(
        ("keys", "image", "kubelet", "containers"),
        [pytest.param(keys, image, kubelet, containers, id=what) for what, keys, image, kubelet, containers in QUIRKS],
    )
    def test_each_quirk_of_kubelet_and_containers_is_reproduced(
        self, keys: list[str], image: str, kubelet: list[str], containers: list[str]
    ) -> None:
        repository = repository_of(image) or ""
        assert kubelet_keys(keys, repository) == kubelet
        assert containers_keys(keys, repository) == containers


class TestKubelet:
    def test_the_kubelet_tries_the_greatest_key_by_bytes_first(self) -> None:
        keys = ["*.example.com/team", REGISTRY, f"{REGISTRY}/team"]
        assert kubelet_keys(keys, f"{REGISTRY}/team/app") == [f"{REGISTRY}/team", REGISTRY, "*.example.com/team"]

    def test_the_kubelet_uses_the_docker_hub_entry_only_without_another_match(self) -> None:
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
    def test_the_kubelet_recognises_repositories_of_docker_hub(self, repository: str, hub: bool) -> None:
        assert kubelet_keys(["index.docker.io"], repository) == (["index.docker.io"] if hub else [])

    def test_the_kubelet_compares_paths_by_letter_and_hosts_by_label(self) -> None:
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
        assert is_glob_match(glob, label)

    @pytest.mark.parametrize(
        ("glob", "label"),
        [("", "a"), ("a", "b"), ("a*", "ba"), ("*b", "ba"), ("a*a", "a"), ("a*b*c", "acb"), ("a*bb*b", "abb")],
    )
    def test_a_label_that_does_not_fit_a_glob_does_not_match(self, glob: str, label: str) -> None:
        assert not is_glob_match(glob, label)

    def test_a_key_with_many_stars_is_matched_quickly(self) -> None:
        """Otherwise a user who may write a secret could choose a key that keeps an audit busy for years."""
        assert kubelet_keys(["a*" * 40 + "b.com"], "a" * 63 + ".com/app") == []


class TestContainers:
    def test_containers_use_the_longest_key_of_whole_path_parts(self) -> None:
        keys = ["quay.io", "quay.io/team", "quay.io/te"]
        assert containers_keys(keys, "quay.io/team/app") == ["quay.io/team"]
        assert containers_keys(keys, "quay.io/teammates/app") == ["quay.io"]

    def test_containers_fall_back_to_the_host_of_any_key(self) -> None:
        keys = ["https://quay.io/v1/", "http://quay.io", "https://quay.example.com"]
        assert containers_keys(keys, "quay.io/a") == ["http://quay.io", "https://quay.io/v1/"]

    @pytest.mark.parametrize("key", ["docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"])
    def test_containers_know_docker_hub_by_three_names(self, key: str) -> None:
        assert containers_keys([key], "docker.io/library/nginx") == [key]
        assert containers_keys([key], "registry-1.docker.io/a") == [key]
