# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of global_pull_secret_info become a question about the nodes' pull secret, or an error."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.global_pull_secret.question import (
    GlobalPullSecret,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.hosted import HOSTED_CLUSTER

TEXT = '{"auths": {"r.example.com": {"auth": "dTpw"}, "quay.io/team": {"auth": "dTpw"}}}'


def asked(**options: Any) -> GlobalPullSecret:
    return from_options(options, lambda _path: TEXT)


def test_the_registries_of_a_file_are_merged_too() -> None:
    assert asked(merge=["a"], auth_file="f", include=["quay.*"]).merge == ["a", "quay.io/team"]
    assert sorted(asked(auth_config=TEXT).merge) == ["quay.io/team", "r.example.com"]


def test_the_default_question_is_empty() -> None:
    assert asked(merge=None, rendered_before=None) == GlobalPullSecret([])


def test_all_options_become_parts_of_the_question() -> None:
    options = {"merge": ["quay.io"], "hosted_cluster": "clusters/prod", "wait": True, "allow_paused": True}
    found = asked(**options, rendered_before={"worker": "b"})
    ref = ObjectRef(HOSTED_CLUSTER, "clusters", "prod")
    assert found == GlobalPullSecret(["quay.io"], ref, True, True, {"worker": "b"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"merge": ["quay.io", ""]}, "option 'merge': registry '' is not host"),
        ({"hosted_cluster": "prod"}, "'prod' is not NAMESPACE/NAME"),
        ({"hosted_cluster": "/prod"}, "'/prod' is not NAMESPACE/NAME"),
        ({"hosted_cluster": "clusters/"}, "'clusters/' is not NAMESPACE/NAME"),
        ({"hosted_cluster": "clusters/prod/x"}, "'prod/x' cannot be an object's name"),
        ({"hosted_cluster": "Clusters/prod"}, "'Clusters' cannot be an object's name"),
        ({"include": ["quay.io"]}, "option 'include' selects entries of 'auth_file' or 'auth_config'"),
        ({"auth_config": "{"}, "option 'auth_config'"),
    ],
)
def test_invalid_options_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        asked(**options)
