# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML of an object becomes plain data, and no error quotes it."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.kubeconfig import parse_yaml


def test_yaml_and_json_are_parsed() -> None:
    assert parse_yaml("a: [b, c]\nd: null\n") == {"a": ["b", "c"], "d": None}
    assert parse_yaml('{"a": {"b": true}}') == {"a": {"b": True}}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: [", "it is not valid YAML"),
        ("[" * 2000, "it is not valid YAML"),
        ("!!python/object/apply:os.system [canary]", "it is not valid YAML"),
        ("a: 9999-99-99", "it is not valid YAML"),
        ("canary", "it is not a mapping"),
        ("", "it is not a mapping"),
        (f"a: {'x' * 300_000}", "it is too long"),
    ],
)
def test_a_text_that_is_not_a_mapping_is_an_error(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as caught:
        parse_yaml(text)
    assert "canary" not in str(caught.value)
