# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A declaration is exported only if applying it would change nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import from_registries
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import (
    ExportCheck,
    ExportedGrant,
    ExportedLinks,
    ExportedSecret,
    NamespaceObjects,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import Subject
from support.objects import b64

KIND = "kubernetes.io/dockerconfigjson"
LOGIN = {"registry": "quay.io", "username": "u", "password": "secret-1"}
AUTH_FILE = from_registries([LOGIN])
FOUND = ExportedSecret("one", KIND, AUTH_FILE, (LOGIN,), links=(ExportedLinks(("x",)),))
CONTENT = b64(AUTH_FILE.text(legacy=False))
ROLE = "system:image-puller"
ALICE = Subject("User", "alice")
GRANT = ExportedGrant(ROLE, "mine", (ALICE,), {"users": ["alice"]})


def there(**more: Any) -> ExportCheck:
    meta = {"name": "one", "namespace": "a", "resourceVersion": "1"}
    secret = {"metadata": meta, "type": KIND, "data": {".dockerconfigjson": CONTENT}}
    account = {"metadata": {**meta, "name": "x"}, "imagePullSecrets": [{"name": "one"}]}
    binding = {
        "metadata": {**meta, "name": "mine"},
        "roleRef": {"kind": "ClusterRole", "name": ROLE},
        "subjects": [ALICE.to_api()],
    }
    seen = NamespaceObjects(
        {"x": {**account, **more.get("account", {})}},
        {"one": {**secret, **more.get("secret", {})}},
        {"mine": {**binding, **more.get("binding", {})}},
    )
    return ExportCheck("a", seen, {})


def test_unchanged_objects_are_proven() -> None:
    proof = there()
    assert (proof.of_secret(FOUND), proof.of_links(FOUND), proof.of_grant(GRANT)) == ("", "", "")
    assert proof.of_links(replace(FOUND, links=())) == ""
    assert there(secret={"immutable": True}).of_secret(replace(FOUND, immutable=True)) == ""


@pytest.mark.parametrize(
    ("secret", "found"),
    [
        ({"data": {}}, FOUND),
        ({"type": "kubernetes.io/dockercfg"}, FOUND),
        ({}, replace(FOUND, immutable=True)),
        ({}, replace(FOUND, name="two")),
        ({"metadata": {"ownerReferences": [{"controller": True}]}}, FOUND),
    ],
)
def test_a_secret_that_would_change_is_reported(secret: dict[str, Any], found: ExportedSecret) -> None:
    assert there(secret=secret).of_secret(found) != ""


@pytest.mark.parametrize(
    ("account", "links", "reason"),
    [
        ({}, ExportedLinks(("y",)), "it waits for service account y"),
        ({}, ExportedLinks(("x",), ("mount",)), "an entry for it would change it: update service account a/x"),
        ({"imagePullSecrets": [{"name": "one"}] * 2}, ExportedLinks(("x",)), "update service account a/x"),
        ({"imagePullSecrets": "odd"}, ExportedLinks(("x",)), "are not a list"),
    ],
)
def test_a_link_that_would_change_is_reported_with_the_reason(
    account: dict[str, Any], links: ExportedLinks, reason: str
) -> None:
    assert reason in there(account=account).of_links(replace(FOUND, links=(links,)))


def test_a_link_that_the_role_would_refuse_is_reported() -> None:
    proof = there(secret={"data": {".dockerconfigjson": "e30="}})
    assert "holds no entry with user and password" in proof.of_links(FOUND)
    assert proof.of_links(replace(FOUND, require="existing")) == ""


@pytest.mark.parametrize(
    ("binding", "reason"),
    [
        ({"subjects": []}, "an entry for it would change it: update role binding a/mine"),
        ({"roleRef": {"kind": "ClusterRole", "name": "other"}}, "the role of a binding cannot be changed"),
    ],
)
def test_a_grant_that_would_change_is_reported_with_the_reason(binding: dict[str, Any], reason: str) -> None:
    assert reason in there(binding=binding).of_grant(GRANT)
