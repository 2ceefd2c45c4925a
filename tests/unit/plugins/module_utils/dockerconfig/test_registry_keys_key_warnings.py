# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys that readers treat differently cause a warning with a better key. Other keys cause no warning."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.registry_keys import (
    containers_keys,
    key_warnings,
    kubelet_keys,
    portable_key,
    refuse_unused,
    why_never_used,
)
from hypothesis import given
from hypothesis import strategies as st

KUBELET = "the kubelet uses it, but CRI-O, Podman and Skopeo do not"
OTHERS = "CRI-O, Podman and Skopeo use it, but the kubelet does not"
NOBODY = "neither the kubelet nor CRI-O, Podman and Skopeo use it"


class TestOneKey:
    @pytest.mark.parametrize(
        "key",
        [
            "quay.io",
            "quay.io/team",
            "quay.io/team/app",
            "https://quay.io",
            "https://quay.io/v2/",
            "registry.example.com:5000",
            "registry.example.com:5000/a/b",
            "10.0.0.1:5000",
            "localhost",
            "localhost:5000",
            "docker.io",
            "docker.io/myorg",
            "index.docker.io",
            "https://index.docker.io/v1/",
            "sso.redhat.com",
            "cloud.openshift.com",
            "image-registry.openshift-image-registry.svc:5000/project-b",
        ],
    )
    def test_a_usual_key_gives_no_warning(self, key: str) -> None:
        assert key_warnings([key]) == []

    @pytest.mark.parametrize(
        ("key", "who", "instead"),
        [
            ("quay.io/", KUBELET, "'quay.io'"),
            ("quay.io/org/", KUBELET, "'quay.io/org'"),
            ("quay.io/v2/", KUBELET, "'quay.io'"),
            ("quay.io/v2", NOBODY, "'quay.io'"),
            ("https://quay.io/v2", OTHERS, "'quay.io'"),
            ("https://index.docker.io/v1", OTHERS, "'docker.io'"),
            ("registry-1.docker.io", OTHERS, "'docker.io'"),
            ("index.docker.io/myorg", NOBODY, "'docker.io/myorg'"),
            ("hub.docker.com", NOBODY, "'docker.io'"),
            ("auth.docker.io", NOBODY, "'docker.io'"),
            ("www.docker.com", NOBODY, "'docker.io'"),
            ("docker.com", NOBODY, "'docker.io'"),
            ("registry.hub.docker.com/myorg", NOBODY, "'docker.io/myorg'"),
            ("quay.io:443", NOBODY, "'quay.io'"),
            ("http://quay.io:80", NOBODY, "'quay.io'"),
            ("quay.io/org/app:v1", NOBODY, "'quay.io/org/app'"),
            ("QUAY.IO", NOBODY, "'quay.io'"),
            ("quay.io/Team", NOBODY, "'quay.io/team'"),
            ("HTTPS://quay.io", NOBODY, "'quay.io'"),
            ("*.example.com", KUBELET, "one entry for each host"),
            ("reg*.example.com/team", KUBELET, "one entry for each host"),
            ("registry.example.com:*", NOBODY, "one entry for each host"),
            ("*", NOBODY, "one entry for each host"),
            ("registry.example.com/*/app", NOBODY, "host[:port]"),
            ("quay.io?x", KUBELET, "'quay.io' instead"),
            ("myregistry", NOBODY, "the registry's full host name"),
            ("registry.example.com:notaport", NOBODY, "a number as the port, or 'registry.example.com' instead"),
            ("myhost:notaport/team", NOBODY, "a number as the port"),
            ("foo_bar.example.com", NOBODY, "host[:port]"),
            ("quay..io", NOBODY, "host[:port]"),
            ("quay.io//team", NOBODY, "host[:port]"),
        ],
    )
    def test_the_warning_names_the_clients_and_the_better_key(self, key: str, who: str, instead: str) -> None:
        (warning,) = key_warnings([key])
        assert warning.startswith(f"registry {key!r}: ")
        assert who in warning
        assert f"Write {instead}" in warning
        assert len(warning.splitlines()) == 1

    @pytest.mark.parametrize("key", ["https://quay.io/?x", "http://quay.io/#x"])
    def test_a_query_in_a_key_is_reported_as_unread(self, key: str) -> None:
        assert key_warnings([key]) == [
            f"registry {key!r}: no client reads what follows '?' or '#', and it may be a credential. Write 'quay.io' instead"
        ]
        assert not why_never_used(key)

    @pytest.mark.parametrize(("key", "advised"), [("Quay.io", "quay.io"), ("QUAY.IO/Team", "quay.io/team")])
    def test_a_key_in_upper_case_is_reported_with_the_reason(self, key: str, advised: str) -> None:
        (warning,) = key_warnings([key])
        assert warning.endswith(f", because names of images have no upper-case letters. Write {advised!r} instead")

    @pytest.mark.parametrize("key", ["http://quay.io", "http://quay.io/"])
    def test_a_scheme_without_tls_is_reported_as_without_effect(self, key: str) -> None:
        assert key_warnings([key]) == [
            f"registry {key!r}: http:// has no effect, because a client's own settings decide about TLS. Write 'quay.io' instead"
        ]
        assert not why_never_used(key)

    @pytest.mark.parametrize("key", ["https://quay.io/org", "http://quay.io/v2/org/"])
    def test_a_url_with_a_path_is_reported_as_wider_than_it_seems(self, key: str) -> None:
        (warning,) = key_warnings([key])
        assert warning == (
            f"registry {key!r}: the kubelet uses it for images below quay.io/org, but CRI-O, Podman and Skopeo for all of "
            "quay.io. Write 'quay.io/org' or 'quay.io' instead"
        )

    @pytest.mark.parametrize(
        "key", ["quay.io/", "https://quay.io/v2/org", "quay.io:443", "hub.docker.com/x", "QUAY.IO/Team"]
    )
    def test_the_advised_key_works_for_both_kinds_of_client(self, key: str) -> None:
        advised = portable_key(key)
        assert advised is not None
        assert key_warnings([advised]) == []
        image = f"{advised}/image"
        assert kubelet_keys([advised], image) == containers_keys([advised], image) == [advised]


def hits(key: str, others: str) -> str:
    return (
        f"registry {key!r}: the kubelet compares paths character by character, so it also tries this credential for images of {others}, "
        "after their own. CRI-O, Podman and Skopeo do not. To prevent this, use secrets of different service accounts"
    )


class TestSeveralKeys:
    def test_the_warning_names_all_keys_that_a_prefix_matches(self) -> None:
        keys = ["quay.io/a", "quay.io/a-b", "quay.io/a-bc", "quay.io/a/b", "quay.io/b"]
        assert key_warnings(keys) == [
            hits("quay.io/a", "quay.io/a-b, quay.io/a-bc"), hits("quay.io/a-b", "quay.io/a-bc"),
        ]  # fmt: skip

    def test_a_key_with_its_own_warning_gets_no_second_warning(self) -> None:
        (warning,) = key_warnings(["quay.io/A", "quay.io/AB"])[:1]
        assert "Write 'quay.io/a' instead" in warning
        assert len(key_warnings(["quay.io/A", "quay.io/AB"])) == 2

    def test_the_warning_names_at_most_twenty_keys(self) -> None:
        keys = ["quay.io/a", *(f"quay.io/a{number:02}" for number in range(30))]
        told = [warning for warning in key_warnings(keys) if warning.startswith("registry 'quay.io/a':")]
        assert told == [hits("quay.io/a", ", ".join(keys[1:21]))]

    def test_a_prefix_is_reported_if_the_file_holds_a_key_that_it_matches(self) -> None:
        (warning,) = key_warnings(["quay.io", "quay.io/team", "quay.io/team/app", "quay.io/teammates"])
        assert warning == hits("quay.io/team", "quay.io/teammates")
        assert kubelet_keys(["quay.io/team", "quay.io/teammates"], "quay.io/teammates/app") == [
            "quay.io/teammates",
            "quay.io/team",
        ]

    @pytest.mark.parametrize(
        "keys", [["quay.io", "quay.io/team"], ["quay.io/a", "quay.io/b"], ["quay.io", "quay.io.example.com"]]
    )
    def test_separate_keys_give_no_warning(self, keys: list[str]) -> None:
        assert key_warnings(keys) == []

    @given(
        st.text(st.sampled_from("aQ.:/_-@?*5[]%")), st.sampled_from(["", "https://", "quay.io/", "reg.example.com:"])
    )
    def test_advice_never_repeats_the_key_itself(self, text: str, prefix: str) -> None:
        key = prefix + text
        for warning in key_warnings([key]):
            assert f"Write {key!r}" not in warning


class TestNeverUsed:
    @pytest.mark.parametrize(
        "key", ["quay.io/team:v1", "quay.io:443", "quay", "Quay.io", "quay.io/Team", "HTTPS://quay.io"]
    )
    def test_a_key_that_the_kubelet_never_uses_has_a_reason(self, key: str) -> None:
        assert "the kubelet" in why_never_used(key)
        assert [why_never_used(key)] == key_warnings([key])

    @pytest.mark.parametrize(
        "key", ["quay.io", "quay.io/team", "https://quay.io/v1/", "*.quay.io", "https://quay.io/team", "http://quay.io"]
    )
    def test_a_key_that_the_kubelet_uses_has_no_reason(self, key: str) -> None:
        assert why_never_used(key) == ""

    @pytest.mark.parametrize("key", ["quay.io/team:v1", "host/team/app:v1", "host:notaport", "quay.io:443?Canary"])
    def test_a_key_that_no_node_uses_is_refused(self, key: str) -> None:
        with pytest.raises(
            OptionError, match=r"^here: registry '.*': neither the kubelet nor CRI-O.*[.] Write "
        ) as error:
            refuse_unused("here", key)
        assert "Canary" not in str(error.value)

    @pytest.mark.parametrize("key", ["quay.io", "*.quay.io", "https://quay.io/v2", "quay.io/team/"])
    def test_a_key_that_some_nodes_use_is_accepted(self, key: str) -> None:
        refuse_unused("here", key)
