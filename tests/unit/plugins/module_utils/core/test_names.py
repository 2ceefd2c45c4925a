# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Promise 5: a name that cannot exist is refused before a request is sent."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core import names
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError

BAD = ["", "A", "-a", "a-", "a_b", "a/b", "a..b", ".a", "a\n", "ä", "../x"]


class TestCheckName:
    @pytest.mark.parametrize("name", ["a", "0", "private-registry", "a.b-c.d", "a" * 253])
    def test_accepts_dns_subdomains(self, name: str) -> None:
        names.check_name("name", name)

    @pytest.mark.parametrize("name", [*BAD, "a" * 254])
    def test_refuses_the_rest_and_names_the_option(self, name: str) -> None:
        with pytest.raises(OptionError, match=r"^option 'name': .*cannot be an object's name"):
            names.check_name("name", name)


class TestCheckNames:
    def test_keeps_each_name_once_in_order(self) -> None:
        assert names.check_names("secrets", ["b", "a", "b"]) == ("b", "a")

    def test_refuses_an_empty_list(self) -> None:
        with pytest.raises(OptionError, match="^option 'secrets' is empty: give at least one$"):
            names.check_names("secrets", [])

    def test_refuses_one_bad_name(self) -> None:
        with pytest.raises(OptionError, match="'B!'"):
            names.check_names("secrets", ["a", "B!"])


class TestCheckNamespace:
    @pytest.mark.parametrize("name", ["a", "project-a", "a" * 63])
    def test_accepts_dns_labels(self, name: str) -> None:
        names.check_namespace("namespaces", name)

    @pytest.mark.parametrize("name", [*BAD, "a.b", "a" * 64])
    def test_refuses_the_rest(self, name: str) -> None:
        with pytest.raises(OptionError, match=r"^option 'namespaces': .*cannot be a namespace"):
            names.check_namespace("namespaces", name)


class TestIsPattern:
    @pytest.mark.parametrize(
        ("name", "pattern"), [("default", False), ("build*", True), ("app-?", True), ("[ab]", True)]
    )
    def test_tells_globs_from_names(self, name: str, pattern: bool) -> None:
        assert names.is_pattern(name) is pattern
