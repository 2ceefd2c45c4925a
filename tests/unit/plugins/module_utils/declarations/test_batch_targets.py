# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespaces of a declaration are checked before a request is sent."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Targets, from_options


class TestFromOptions:
    def test_namespaces_are_listed_once_in_the_given_order(self) -> None:
        assert from_options({"namespaces": ["b", "a", "b"]}) == Targets(["b", "a"])

    def test_an_empty_list_of_namespaces_is_refused(self) -> None:
        with pytest.raises(OptionError, match=r"^option 'namespaces' is empty: give at least one$"):
            from_options({"namespaces": []})

    def test_an_invalid_namespace_is_refused(self) -> None:
        with pytest.raises(OptionError, match=r"^option 'namespaces': 'a.b' cannot be a namespace"):
            from_options({"namespaces": ["a", "a.b"]})

    def test_a_selector_is_kept_for_the_cluster(self) -> None:
        assert from_options({"namespace_selector": {"labels": "a=b"}}) == NamespaceSelector(labels="a=b")

    def test_namespaces_or_a_selector_must_be_given(self) -> None:
        for options in ({}, {"namespaces": None, "namespace_selector": None}):
            with pytest.raises(
                OptionError, match="^give one of the options 'namespaces' and 'namespace_selector', such as"
            ):
                from_options(options)
