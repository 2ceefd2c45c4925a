# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A selector means what it says, and never the platform's own namespaces by accident."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import (
    NamespaceSelector,
    from_options,
)


def namespace(name: str, phase: str = "Active", **metadata: str) -> dict:
    return {"metadata": {"name": name, **metadata}, "status": {"phase": phase}}


ALL = [namespace(name) for name in ("team-b", "team-a", "other", "default", "kube-system", "openshift", "openshift-x")]


class TestChoose:
    @pytest.mark.parametrize(
        ("selector", "names"),
        [
            (NamespaceSelector(include=("*",)), ["other", "team-a", "team-b"]),
            (NamespaceSelector(include=("team-*",), exclude=("*-b",)), ["team-a"]),
            (NamespaceSelector(labels="a=b"), ["other", "team-a", "team-b"]),
            (NamespaceSelector(include=("kube-*",)), []),
            (NamespaceSelector(include=("kube-*",), system=True), ["kube-system"]),
            (NamespaceSelector(include=("openshift",), system=True), ["openshift"]),
        ],
    )
    def test_include_exclude_and_system(self, selector: NamespaceSelector, names: list[str]) -> None:
        assert selector.choose(ALL) == (names, [])

    def test_what_is_being_deleted_is_told_apart(self) -> None:
        going = [namespace("a", "Terminating"), namespace("b", deletionTimestamp="now"), namespace("c")]
        assert NamespaceSelector(include=("*",)).choose(going) == (["c"], ["a", "b"])

    def test_other_phases_only_when_asked(self) -> None:
        odd = [namespace("a", "Failed"), {"metadata": {"name": "b"}}]
        assert NamespaceSelector(include=("*",)).choose(odd) == (["b"], [])
        assert NamespaceSelector(include=("*",), phases=("Failed",)).choose(odd) == (["a"], [])


class TestFromOptions:
    @pytest.mark.parametrize("options", [{}, {"labels": " "}, {"include": []}, {"exclude": ["a"]}])
    def test_refuses_to_mean_every_namespace_unasked(self, options: dict) -> None:
        with pytest.raises(OptionError, match=r"include: \['\*'\]"):
            from_options(options)
