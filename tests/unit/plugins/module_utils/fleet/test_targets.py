# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which namespaces a task is for."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.domain.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.fleet.targets import named


class TestNamed:
    def test_each_once_in_the_given_order(self) -> None:
        assert named(["b", "a", "b"]) == ["b", "a"]

    def test_refuses_an_empty_list(self) -> None:
        with pytest.raises(OptionError, match="^option 'namespaces' is empty: give at least one$"):
            named([])

    def test_refuses_a_name_that_cannot_exist(self) -> None:
        with pytest.raises(OptionError, match="^option 'namespaces': 'a.b' cannot be a namespace"):
            named(["a", "a.b"])
