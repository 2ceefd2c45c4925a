# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of pull_secret_info select secrets, and options that cannot work are refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret_info import (
    PullSecrets,
    from_options,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import Verification

NONE: dict[str, Any] = {
    **dict.fromkeys(("names", "verify_repositories", "realm_hosts", "registry_ca_cert")),
    "verify": False,
    "registry_validate_certs": True,
    "registry_timeout": 10,
}


def asked(**given: Any) -> PullSecrets:
    return from_options({**NONE, **given})


def test_all_secrets_are_selected_without_names() -> None:
    assert asked() == PullSecrets()
    assert asked(verify=True) == PullSecrets(verification=Verification())


def test_names_and_globs_select_secrets() -> None:
    names = asked(names=["a", "b", "a"])
    assert (names.names, names.exact) == (("a", "b"), ("a", "b"))
    globs = asked(names=["a", "b-*"])
    assert globs.exact == (), "all have to be listed"
    assert [globs.named(name) for name in ("a", "b-1", "b", "ab-")] == [True, True, False, False]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"names": []}, "option 'names' is empty"),
        ({"names": ["Upper"]}, "option 'names': 'Upper' cannot be an object's name"),
        ({"names": ["a/b"]}, "option 'names'"),
        ({"verify_repositories": ["x"]}, "option 'verify_repositories': 'x' is not a repository"),
        ({"verify": True, "registry_timeout": 0}, "option 'registry_timeout' is in seconds"),
    ],
)
def test_invalid_options_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        asked(**given)
