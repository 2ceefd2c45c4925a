# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The keys of registries: duplicates, their form as URLs, and the keys that each reader uses for an image."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import (
    KeyIndex,
    KeyUrl,
    can_be_shown,
    check_key,
    containers_keys,
    host_of,
    is_glob_match,
    is_image_host,
    is_match,
    keyring_key,
    kubelet_keys,
    parse_url,
    redact_keys,
    registry_of,
    repository_of,
    same_path,
    without_any_scheme,
    without_scheme,
    without_user,
)
from hypothesis import given
from hypothesis import strategies as st
from support.matching_cases import QUIRKS, REGISTRY, ROWS

# --- Two entries for one path are found in any notation, and a key is shown for the registry that a node uses it for

HOSTS = st.from_regex(r"[a-zA-Z0-9]([-a-zA-Z0-9]{0,8}[a-zA-Z0-9])?(\.[a-z]{1,5}){0,2}(:[0-9]{1,5})?", fullmatch=True)

SEGMENTS = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True).filter(lambda part: part not in ("v1", "v2"))

KEYS = st.builds(
    lambda scheme, host, api, segments, end: f"{scheme}{host}{api}/{'/'.join(segments)}{end}",
    st.sampled_from(["", "https://", "http://"]),
    HOSTS,
    st.sampled_from(["", "/v1", "/v2"]),
    st.lists(SEGMENTS, max_size=3),
    st.sampled_from(["", "/"]),
)


class TestSamePath:
    @pytest.mark.parametrize(
        "key",
        [
            "quay.io",
            "quay.io/",
            "https://quay.io",
            "http://quay.io/",
            "https://quay.io/v2/",
            "quay.io/v1",
            "QUAY.IO",
            "quay.io:",
            "http://https://quay.io",
            "quay.io#@vault.example.com",
            "vault.example.com@quay.io",
            "quay.io/?a=b",
            "u:p@quay.io#c",
        ],
    )
    def test_all_forms_of_one_registry_have_the_same_path(self, key: str) -> None:
        assert same_path(key) == "quay.io"

    @pytest.mark.parametrize(
        "key",
        [
            "docker.io",
            "https://index.docker.io/v1/",
            "https://index.docker.io/v1",
            "registry-1.docker.io",
            "index.docker.io",
        ],
    )
    def test_all_forms_of_docker_hub_have_the_same_path(self, key: str) -> None:
        assert same_path(key) == "docker.io"

    @pytest.mark.parametrize(
        ("key", "path"),
        [
            ("quay.io/team", "quay.io/team"),
            ("https://quay.io/v2/team/", "quay.io/team"),
            ("quay.io:443", "quay.io:443"),
            ("Registry.example.com:5000/Team", "registry.example.com:5000/Team"),
            ("quay.io/v2team", "quay.io/v2team"),
            ("hub.docker.com", "hub.docker.com"),
        ],
    )
    def test_paths_and_ports_distinguish_registries(self, key: str, path: str) -> None:
        assert same_path(key) == path

    @given(KEYS)
    def test_same_path_is_idempotent(self, key: str) -> None:
        assert same_path(same_path(key)) == same_path(key)

    @given(st.text())
    def test_same_path_accepts_any_text(self, key: str) -> None:
        same_path(key)


class TestCheckKey:
    @given(KEYS)
    def test_check_key_accepts_every_host_and_path(self, key: str) -> None:
        check_key("option 'x'", key)

    @pytest.mark.parametrize(
        "key", ["", " quay.io", "quay.io\n", "quay .io", "quay.io\u2028", "/team", "https://", "https:///team"]
    )
    def test_check_key_refuses_a_key_that_no_client_reads_as_a_registry(self, key: str) -> None:
        with pytest.raises(OptionError, match=r"^option 'x': registry .* is not host\[:port\]\[/path\]") as caught:
            check_key("option 'x'", key)
        assert len(str(caught.value).splitlines()) == 1

    @pytest.mark.parametrize(
        "key", ["robot:canary@quay.io", "https://robot:can/ary@quay.io/team", "robot:can ary@quay.io"]
    )
    def test_check_key_refuses_a_login_in_the_key_without_showing_it(self, key: str) -> None:
        with pytest.raises(OptionError, match=r"^option 'x': registry '\*\*\*") as caught:
            check_key("option 'x'", key)
        assert "ary" not in str(caught.value)


class TestWithoutUser:
    @pytest.mark.parametrize(
        ("key", "shown"),
        [
            ("quay.io/team", "quay.io/team"),
            ("https://robot:p@ss@quay.io/team", "***@quay.io/team"),
            ("registry.example.com:5000#@vault.example.com", "registry.example.com:5000?***"),
            ("registry.example.com?@vault.example.com", "registry.example.com?***"),
            ("vault.example.com@registry.example.com#@vault.example.com", "***@registry.example.com?***"),
            ("registry.example.com/x@vault.example.com", "registry.example.com/***"),
            ("registry.example.com:5000/x@vault.example.com", "registry.example.com:***/***"),
            ("https://robot:can/ary@quay.io/team", "***"),
            ("robot:12/ary@quay.io", "***"),
            ("robot:12#ary@quay.io", "***"),
            ("token/ary@quay.io", "***"),
            ("ro bot@quay.io", "***"),
            ("robot:100%@quay.io", "***"),
            ("vault.example.com\\@quay.io", "***"),
            ("quay.io#%zz", "***"),
            ("[::1", "[::1"),
            ("HTTPS://quay.io", "HTTPS://quay.io"),
            ("https://quay.io/v2/?token=x", "https://quay.io/v2/?***"),
            ("a:b@quay.io#c?d", "***@quay.io?***"),
            ("", ""),
        ],
    )
    def test_removing_the_user_changes_nothing_but_the_login_and_the_query(self, key: str, shown: str) -> None:
        assert without_user(key) == shown

    @given(st.text())
    def test_removing_the_user_is_idempotent(self, key: str) -> None:
        assert without_user(without_user(key)) == without_user(key)

    @given(st.text("ab.:/@?#%* "))
    def test_removing_the_user_leaves_no_user_and_no_query(self, key: str) -> None:
        assert "@" not in without_user(key).removeprefix("***@")
        assert "#" not in without_user(key)

    def test_keys_are_shown_once_and_in_order(self) -> None:
        assert redact_keys(["b.io", "u:p@a.io", "v:q@a.io"]) == ["***@a.io", "b.io"]
        assert can_be_shown("https://a.io/b")
        assert not can_be_shown("u@a.io")


#: No client reads one of these as the key of a registry.
NO_REGISTRIES = [
    "",
    "/vault.example.com",
    "//vault.example.com",
    "https:///vault.example.com",
    "https://#vault.example.com",
    "vault.example.com:port",
    "vault.example.com:1:2",
    "vault.example.com\\",
    "vault.example.com ",
    "\tvault.example.com",
    "vault.example.com/\x00",
    "vault.example.com/%zz",
    "vault.example.com#%zz",
    "vault%2eexample.com",
    "[vault.example.com]",
    "[::1%25eth0]",
    "vault%25.example.com",
    "vault.example.com/%25zz",
    "ro bot@vault.example.com",
    "%@vault.example.com",
    "HTTPS://vault.example.com",
    "https://http://vault.example.com",
    "http://https://v1",
    "user@https://vault.example.com",
    "https://v2/\t",
]


class TestNoRegistry:
    @pytest.mark.parametrize("key", NO_REGISTRIES)
    def test_an_invalid_key_has_no_registry(self, key: str) -> None:
        assert (registry_of(key), host_of(key)) == ("", "")
        assert same_path(key) not in {same_path("vault.example.com"), "vault.example.com"}
        assert not same_path(key).partition("/")[0]

    def test_an_invalid_key_is_equal_to_itself(self) -> None:
        assert same_path("[::1") == same_path("[::1") != same_path("[::2")

    @pytest.mark.parametrize("host", ["\u212a.example.com", "\u0131.example.com", "\uff56.example.com"])
    def test_letters_that_are_not_ascii_stay(self, host: str) -> None:
        assert host_of(host) == host

    @pytest.mark.parametrize("key", ["https://quay.io/%zz", "https://quay.io/\x01", "https://quay.io/#%zz"])
    def test_a_url_that_only_crio_reads_has_a_host(self, key: str) -> None:
        assert host_of(key) == "quay.io"


class TestHostOf:
    @pytest.mark.parametrize(
        ("key", "host"),
        [
            ("https://Quay.io:5000/team", "quay.io:5000"),
            ("u:p@quay.io/team?x", "quay.io"),
            ("https://index.docker.io/v1/", "docker.io"),
            ("quay.io/x@vault.example.com", ""),
            ("robot:12#ary@quay.io", ""),
        ],
    )
    def test_host_of_returns_the_host_and_no_login(self, key: str, host: str) -> None:
        assert host_of(key) == host


class TestMatches:
    @pytest.mark.parametrize("pattern", ["quay.io", "https://quay.io/", "quay.*", "https://*"])
    def test_matches_compares_the_key_and_its_normalized_form(self, pattern: str) -> None:
        assert is_match("https://quay.io/", pattern)

    @pytest.mark.parametrize(
        "key", ["quay.io#@vault.example.com", "vault.example.com@quay.io", "quay.io?vault.example.com"]
    )
    def test_matches_ignores_user_and_query(self, key: str) -> None:
        assert not is_match(key, "*vault*")
        assert is_match(key, "quay.io")

    def test_an_invalid_key_is_matched_by_its_text(self) -> None:
        assert is_match("[::1", "*")
        assert not is_match("vault.example.com:port", "vault.example.com")


# --- Keys are read the way Go reads URLs. tests/oracle compares all of this with Go itself


class TestParse:
    @pytest.mark.parametrize(
        ("text", "url"),
        [
            ("quay.io", KeyUrl("quay.io", "")),
            ("quay.io:5000/a//b/", KeyUrl("quay.io:5000", "/a//b/")),
            ("quay.io/%6frg", KeyUrl("quay.io", "/org")),
            ("%c3%a9.io", KeyUrl("\u00e9.io", "")),
            ("a:b@c@quay.io/x@y", KeyUrl("quay.io", "/x@y", has_user=True)),
            ("quay.io#a?b@c", KeyUrl("quay.io", "")),
            ("quay.io?%zz\x80", KeyUrl("quay.io", "")),
            ("quay.io#\x01", KeyUrl("quay.io", "")),
            ("[::1]:5000/a", KeyUrl("[::1]:5000", "/a")),
            ("", KeyUrl("", "")),
            ("*.io", KeyUrl("*.io", "")),
        ],
    )
    def test_parse_url_returns_host_and_path(self, text: str, url: KeyUrl) -> None:
        assert parse_url(text) == url

    @pytest.mark.parametrize(
        "text",
        [
            "quay.io\n", "quay.io?\x00", "a b", "a\\b", "a^b", "a:b:c", "a:5x", "a:\u0665", "[::1", "::1]", "a[", "[1.2.3.4]", "x[::1]", "[::1]x",
            "[::1%25eth0]", "%41.io", "%zz", "a/%", "a/%4", "a#%g0", "\u00e9@a", "a b@c", "%@c", "a/b\x7f",
        ],
    )  # fmt: skip
    def test_parse_url_refuses_an_invalid_key(self, text: str) -> None:
        assert parse_url(text) is None

    @given(st.text())
    def test_parse_url_accepts_any_text_without_an_error(self, text: str) -> None:
        parse_url(text)


class TestNameAndPort:
    @pytest.mark.parametrize(
        ("text", "name", "port"),
        [
            ("a.io:5000", "a.io", "5000"),
            ("a.io", "a.io", ""),
            ("a.io:", "a.io", ""),
            ("[::1]", "[::1]", ""),
            ("[::1]:80", "[::1]", "80"),
        ],
    )
    def test_name_and_port_are_separated_at_the_last_colon(self, text: str, name: str, port: str) -> None:
        url = parse_url(text)
        assert url is not None
        assert url.name_and_port == (name, port)


def test_one_scheme_in_lower_case_is_dropped() -> None:
    assert [without_scheme(key) for key in ("https://a", "http://https://a", "HTTPS://a", "a")] == [
        "a", "https://a", "HTTPS://a", "a",
    ]  # fmt: skip


def test_one_scheme_in_any_case_is_dropped() -> None:
    assert [without_any_scheme(key) for key in ("hTTps://a", "HTTP://a", "a://b")] == ["a", "a", "a://b"]


@pytest.mark.parametrize(
    ("host", "is_one"),
    [("a.io", True), ("a:5000", True), ("a_b", False), ("a.io\n", False), ("-a", False), ("", False), ("a:", False)],
)
def test_hosts_of_images_are_recognised(host: str, is_one: bool) -> None:
    assert is_image_host(host) is is_one


# --- Each reader uses certain keys for an image. tests/oracle compares the same tables with the readers' own code

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
            ("quay.io/a@sha384:" + "0a" * 48, "quay.io/a"),
            ("quay.io/a@sha512:" + "0a" * 64, "quay.io/a"),
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
            "quay.io/a@sha256", "quay.io/a@sha256:" + "a" * 31, "quay.io/a@:" + "a" * 32, f"quay.io/a@sha256:{HEX[1:]}",
            f"quay.io/a@sha256:{HEX}0", f"quay.io/a@sha256:{HEX.upper()}", f"quay.io/a@sha512:{HEX}", f"quay.io/a@SHA256:{HEX}",
            "quay.io/-a", "quay.io/a___b", "quay.io/a..b",
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


#: Keys that are often for the same images.
_SIMILAR = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "https://", "http://", "user@"]),
    st.sampled_from(
        [
            "quay.io",
            "*.io",
            "q*y.io",
            "*",
            "quay.io:443",
            "quay.io:*",
            "[::1]:5",
            "docker.io",
            "index.docker.io",
            "QUAY.io",
            "localhost",
        ]
    ),
    st.sampled_from(
        [
            "",
            "/",
            "/v1/",
            "/v2/",
            "/v1",
            "/v2/org",
            "/org",
            "/org/",
            "/o",
            "/org/app",
            "/*",
            "/%6frg",
            "/org?x",
            "/org#x",
        ]
    ),
    st.sampled_from(["", "", "", "?x", "/"]),
)
_IMAGES_OF = [
    "quay.io/org/app", "quay.io:443/org/app", "quay.io/o", "docker.io/library/app", "docker.io/org/app", "index.docker.io/org/app", "localhost/app",
    "[::1]:5/org/app", "app", "",
]  # fmt: skip


class TestIndex:
    @given(st.lists(_SIMILAR, max_size=12), st.sampled_from(_IMAGES_OF))
    def test_the_keys_for_an_image_are_found_as_among_all_keys(self, keys: list[str], repository: str) -> None:
        index = KeyIndex(keys)
        assert kubelet_keys(index.find(repository), repository) == kubelet_keys(keys, repository)
        assert index.keys == {*keys}

    @given(st.lists(st.text(), max_size=5), st.text())
    def test_any_text_is_a_key(self, keys: list[str], repository: str) -> None:
        assert kubelet_keys(KeyIndex(keys).find(repository), repository) == kubelet_keys(keys, repository)

    @pytest.mark.parametrize(("key", "image", "used", "_other"), ROWS)
    def test_each_row_of_the_table_is_found(self, key: str, image: str, used: bool, _other: bool) -> None:
        repository = repository_of(image)
        assert repository
        assert kubelet_keys(KeyIndex([key]).find(repository), repository) == ([key] if used else [])
