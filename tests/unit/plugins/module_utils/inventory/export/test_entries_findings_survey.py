# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The survey lists each namespace, and a refused list is not treated as an empty one."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    ROLE_BINDING,
    SECRET,
    ObjectRef,
    trim_object,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import NamespaceQuestion

SECRETS, BINDINGS = (ObjectRef(kind, "a", "") for kind in (SECRET, ROLE_BINDING))


def test_secrets_are_listed_by_their_types() -> None:
    survey = NamespaceQuestion()
    assert survey.names("a") == ()
    assert survey.listed_by[SECRET] == (
        "type=kubernetes.io/dockerconfigjson",
        "type=kubernetes.io/dockercfg",
        "type=kubernetes.io/podmanconfigjson",
    )
    assert survey.related("a", {}) == [SECRETS, BINDINGS]


def test_tokens_of_the_platform_are_not_kept() -> None:
    (ref, _bindings) = NamespaceQuestion().related("a", {})
    note = {"openshift.io/internal-registry-auth-token.service-account": "default"}
    generated = {"metadata": {"name": "x", "annotations": note}, "data": {".dockercfg": "token"}}
    assert trim_object(ref.kind, generated)["data"] == {}
    theirs = {"metadata": {"name": "x", "managedFields": []}, "data": {".dockercfg": "theirs"}}
    assert trim_object(ref.kind, theirs) == {"metadata": {"name": "x"}, "data": {".dockercfg": "theirs"}}


def test_listed_objects_are_passed_on_by_name() -> None:
    secret, binding = {"metadata": {"name": "s"}}, {"metadata": {"name": "b"}}
    seen = NamespaceQuestion().objects(
        "a", {"default": {}}, {SECRETS: {"items": [secret]}, BINDINGS: {"items": [binding]}}
    )
    assert (seen.accounts, seen.secrets, seen.bindings) == ({"default": {}}, {"s": secret}, {"b": binding})


@pytest.mark.parametrize("missing", [SECRETS, BINDINGS])
def test_a_forbidden_list_is_an_error(missing: ObjectRef) -> None:
    found = {ref: {"items": []} for ref in (SECRETS, BINDINGS) if ref != missing}
    with pytest.raises(Refusal, match=f"the caller may not list {missing.kind.resource} in namespace a"):
        NamespaceQuestion().objects("a", {}, found)
