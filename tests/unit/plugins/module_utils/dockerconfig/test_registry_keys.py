# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two entries for one path are found in any notation, and a key is shown for the registry that a node uses it for."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import (
    can_be_shown,
    check_key,
    host_of,
    is_match,
    redact_keys,
    registry_of,
    same_path,
    without_user,
)
from hypothesis import given
from hypothesis import strategies as st

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
