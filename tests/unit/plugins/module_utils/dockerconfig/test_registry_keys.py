# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 5: two entries for the same path are found, however they are spelt."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import (
    check_key,
    same_path,
    without_user,
)
from hypothesis import given
from hypothesis import strategies as st

HOSTS = st.from_regex(r"[a-zA-Z0-9]([-a-zA-Z0-9]{0,8}[a-zA-Z0-9])?(\.[a-z]{1,5}){0,2}(:[0-9]{1,5})?", fullmatch=True)
SEGMENTS = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True).filter(lambda part: part not in ("v1", "v2"))
KEYS = st.builds(
    lambda scheme, host, api, segments, end: f"{scheme}{host}{api}/{'/'.join(segments)}{end}",
    st.sampled_from(["", "https://", "http://", "HTTPS://"]),
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
            "quay.io/?a=b",
            "u:p@quay.io#c",
        ],
    )
    def test_spellings_of_one_registry_are_one(self, key: str) -> None:
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
    def test_forms_of_docker_hub_are_one(self, key: str) -> None:
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
    def test_paths_and_ports_tell_registries_apart(self, key: str, path: str) -> None:
        assert same_path(key) == path

    @given(KEYS)
    def test_is_idempotent(self, key: str) -> None:
        assert same_path(same_path(key)) == same_path(key)

    @given(st.text())
    def test_never_raises(self, key: str) -> None:
        same_path(key)


class TestCheckKey:
    @given(KEYS)
    def test_accepts_every_host_and_path(self, key: str) -> None:
        check_key("option 'x'", key)

    @pytest.mark.parametrize(
        "key", ["", " quay.io", "quay.io\n", "quay .io", "quay.io\u2028", "/team", "https://", "https:///team"]
    )
    def test_refuses_what_no_client_reads_as_a_registry(self, key: str) -> None:
        with pytest.raises(OptionError, match=r"^option 'x': registry .* is not host\[:port\]\[/path\]") as caught:
            check_key("option 'x'", key)
        assert len(str(caught.value).splitlines()) == 1

    @pytest.mark.parametrize(
        "key", ["robot:canary@quay.io", "https://robot:can/ary@quay.io/team", "robot:can ary@quay.io"]
    )
    def test_refuses_a_login_in_the_key_without_showing_it(self, key: str) -> None:
        with pytest.raises(OptionError, match=r"^option 'x': registry .*quay\.io") as caught:
            check_key("option 'x'", key)
        assert "ary" not in str(caught.value)


class TestWithoutUser:
    @pytest.mark.parametrize(
        ("key", "shown"),
        [
            ("quay.io/team", "quay.io/team"),
            ("https://robot:p@ss@quay.io/team", "***@quay.io/team"),
            ("https://quay.io/v2/?token=x", "https://quay.io/v2/?***"),
            ("a:b@quay.io#c?d", "***@quay.io?***"),
            ("", ""),
        ],
    )
    def test_leaves_out_the_login_only(self, key: str, shown: str) -> None:
        assert without_user(key) == shown
