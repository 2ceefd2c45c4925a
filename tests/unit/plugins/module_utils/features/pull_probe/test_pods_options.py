# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of `pull_probe` become a probe. Invalid options are refused before the first request."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_probe.pods import (
    PullProbe,
    from_options,
)

GIVEN: dict[str, Any] = {
    "images": ["q.io/a:1"],
    "service_account": "default",
    "image_pull_secrets": None,
    "node_selectors": None,
    "timeout": 120,
    "keep_failed": False,
}


def test_one_pod_on_any_node_is_the_default() -> None:
    asked = from_options(GIVEN)
    assert asked == PullProbe(("q.io/a:1",))
    assert asked.pods == [("q.io/a:1", {})]


def test_each_pair_of_image_and_selector_gets_one_pod() -> None:
    digest = "q.io/b@sha256:" + "0" * 64
    selectors = [{"node-role.kubernetes.io/worker": ""}, {"pool": "gpu"}, {"pool": "gpu"}]
    asked = from_options({**GIVEN, "images": ["q.io/a:1", digest, "q.io/a:1"], "node_selectors": selectors})
    assert asked.pods == [(image, selector) for image in ("q.io/a:1", digest) for selector in selectors[:2]]


def test_the_names_of_the_pods_own_list_are_given_once() -> None:
    assert from_options({**GIVEN, "image_pull_secrets": ["b", "a", "b"]}).image_pull_secrets == ("b", "a")
    assert from_options({**GIVEN, "image_pull_secrets": []}).image_pull_secrets == ()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": []}, "option 'images' is empty"),
        ({"images": ["q.io/UPPER"]}, "option 'images': 'q.io/UPPER' is not the name of an image"),
        ({"images": ["https://q.io/a"]}, "is not the name of an image"),
        ({"images": ["q.io/a:1", ""]}, "option 'images': '' is not the name of an image"),
        ({"images": ["x" * 300]}, f"option 'images': '{'x' * 120}...'"),
        ({"images": ["team/app:1"]}, "'team/app:1' names no registry.* such as docker.io/team/app:1"),
        ({"service_account": "A"}, "option 'service_account': 'A' cannot be an object's name"),
        ({"image_pull_secrets": ["a/b"]}, "option 'image_pull_secrets': 'a/b' cannot be an object's name"),
        ({"node_selectors": []}, "option 'node_selectors' is empty: give at least one, or leave it out"),
        (
            {"node_selectors": [{"a": "b"}, {"a": True}]},
            "the value of a is True, which is not a string: put it in quotes",
        ),
        ({"node_selectors": [{"a": None}]}, "the value of a is None, which is not a string"),
        ({"node_selectors": [{"a": "b c"}]}, "'b c' cannot be the value of label a"),
        ({"node_selectors": [{"a": "b" * 64}]}, "cannot be the value of label a"),
        ({"node_selectors": [{"": "b"}]}, "'' cannot be the key of a label"),
        ({"node_selectors": [{"A_B/c": "b"}]}, "'A_B/c' cannot be the key of a label"),
        ({"node_selectors": [{"/c": "b"}]}, "'/c' cannot be the key of a label"),
        ({"node_selectors": [{"x/y/c": "b"}]}, "'x/y/c' cannot be the key of a label"),
        ({"node_selectors": [{7: "b"}]}, "7 cannot be the key of a label"),
    ],
)
def test_invalid_options_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        from_options({**GIVEN, **given})
