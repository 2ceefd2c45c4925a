# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored secrets become entries, or they are listed with a reason that shows no content."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import (
    ExportedSecret,
    LeftOut,
    config_of,
    further_data,
    secret_of,
)

REF = ObjectRef(SECRET, "a", "one")
DOCKERCONFIGJSON, DOCKERCFG = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"
PODMAN = "kubernetes.io/podmanconfigjson"
KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg", PODMAN: "auth.json"}


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


AUTH = b64("u:secret-1")


def stored(content: Any, kind: str = DOCKERCONFIGJSON, **more: Any) -> dict[str, Any]:
    raw = content if isinstance(content, (str, bytes)) else json.dumps(content)
    data = {KEYS[kind]: b64(raw), **more.pop("data", {})}
    return {"metadata": {"name": "one", **more.pop("metadata", {})}, "type": kind, "data": data, **more}


def auths(**fields: Any) -> dict[str, Any]:
    return {"auths": {"quay.io": {"auth": AUTH, **fields}}}


LOGIN = {"registry": "quay.io", "username": "u", "password": "secret-1"}


class TestAsValues:
    @pytest.mark.parametrize(
        "content",
        [
            auths(),
            auths(email=""),
            {"auths": {"quay.io": {"username": "u", "password": "secret-1"}}},
            {"auths": {"quay.io": {"auth": AUTH.rstrip("=") + "\n"}}, "credsStore": "desktop", "HttpHeaders": {}},
            {"Auths": {"quay.io": {"AUTH": AUTH}}},
        ],
    )
    def test_a_login_in_any_form_is_read(self, content: Any) -> None:
        found = secret_of(REF, stored(content), ())
        assert isinstance(found, ExportedSecret)
        assert found.logins == (LOGIN,)
        assert (found.name, found.type, found.immutable) == ("one", DOCKERCONFIGJSON, False)

    def test_an_email_address_is_kept(self) -> None:
        found = secret_of(REF, stored(auths(email="a@example.com")), ())
        assert isinstance(found, ExportedSecret)
        assert found.logins == ({**LOGIN, "email": "a@example.com"},)

    def test_a_field_that_is_not_utf8_is_read_with_replacement_characters(self) -> None:
        found = secret_of(
            REF, stored(b'{"auths": {"quay.io": {"auth": "%s", "email": "ren\xe9"}}}' % AUTH.encode()), ()
        )
        assert isinstance(found, ExportedSecret)
        assert found.logins == ({**LOGIN, "email": "ren\ufffd"},)

    def test_a_secret_of_the_legacy_type_is_read(self) -> None:
        legacy = secret_of(REF, stored(auths()["auths"], DOCKERCFG, immutable=True), ())
        assert isinstance(legacy, ExportedSecret)
        assert (legacy.type, legacy.logins, legacy.immutable) == (DOCKERCFG, (LOGIN,), True)


class TestAsAFile:
    @pytest.mark.parametrize(
        "fields", [{"identitytoken": "t"}, {"note": {"a": [1.5]}}, {"auth": b64(b"ren\xe9:secret-1")}]
    )
    def test_an_entry_with_more_than_a_login_is_exported_as_a_file(self, fields: dict[str, Any]) -> None:
        """This includes logins that are not UTF-8, because base64 can represent them."""
        found = secret_of(REF, stored(auths(**fields)), ())
        assert isinstance(found, ExportedSecret)
        assert found.logins is None
        assert config_of(found.auth_file)["auths"]["quay.io"] == {"auth": AUTH, **fields}


class TestThePlatforms:
    def test_generated_secrets_are_left_out(self) -> None:
        note = {"openshift.io/internal-registry-auth-token.service-account": "gone"}
        assert secret_of(REF, stored("", DOCKERCFG, metadata={"annotations": note}), ()) == LeftOut(
            "generated_pull_secrets"
        )
        owner = [{"kind": "ServiceAccount", "name": "default"}]
        account = {"metadata": {"name": "default"}}
        made = stored("", DOCKERCFG, metadata={"ownerReferences": owner})
        assert secret_of(REF, made, [account]) == LeftOut("generated_pull_secrets")

    def test_the_pull_secret_of_the_nodes_is_left_out(self) -> None:
        ref = ObjectRef(SECRET, "openshift-config", "pull-secret")
        assert secret_of(ref, stored(auths()), ()) == LeftOut("node_pull_secret")


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        (stored(auths(), metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}), "it is being deleted"),
        (
            stored(auths(), metadata={"ownerReferences": [{"kind": "ExternalSecret", "name": "x", "controller": True}]}),
            "it is managed by ExternalSecret x",
        ),
        (stored("no secret-1 json"), "its content is not valid JSON at line 1, column 1"),
        (stored('{"auths": {}, "auths": {}}'), "it has 'auths' twice"),
        (stored("{}"), "it contains no registry"),
        (stored({"auths": {"quay.io": {"username": "a:b", "password": "secret-1"}}}), "has a ':' in its user name"),
        (stored(auths()["auths"]), "is a .dockercfg, without 'auths'"),
        (stored({"auths": {"quay.io": {"auth": "!"}}}), "it stops every pull"),
        (stored({"auths": {"quay.io": {}}, "credsStore": "desktop"}), "no node can use its entry for quay.io"),
        (stored({"auths": {"u:secret-1@quay.io": {"auth": AUTH}}}), r"no node can use its entry for \*\*\*@quay.io"),
        (stored({"auths": {"quay.io?secret-1": {"auth": AUTH}}}), r"no node can use its entry for quay\.io\?\*\*\*"),
        (stored({"auths": {"quay.io": {"auth": AUTH}, "https://quay.io": {"auth": AUTH}}}), "two entries for quay.io"),
        (stored(b'{"auths": {"quay.io": {"auth": "%s", "n": "ren\xe9"}}}' % AUTH.encode()), "not UTF-8"),
        (stored(b'{"auths": {"quay.io": {"auth": "%s", "n": "\\ud83d"}}}' % AUTH.encode()), "not UTF-8"),
        (stored(json.dumps(auths(n="9" * 5000)).replace('"9', "9").replace('9"', "9")), "a number that is too l"),
        ({"metadata": {"name": "one"}, "type": PODMAN, "data": {"a": b64("{}"), "b": b64("{}")}}, "is not in one data key"),
        (
            stored(auths(), PODMAN),
            r"^it has type kubernetes.io/podmanconfigjson, which no node reads: convert it to kubernetes.io/dockerconfigjson "
            r"\(module pull_secret with 'recreate: true'\)$",
        ),
    ],
)  # fmt: skip
def test_a_secret_that_cannot_be_exported_has_a_reason_without_content(secret: dict[str, Any], reason: str) -> None:
    found = secret_of(REF, secret, ())
    assert isinstance(found, str)
    assert "secret-1" not in found
    assert re.search(reason, found), found


def test_a_secret_with_a_name_of_the_platform_is_not_exported() -> None:
    found = secret_of(ObjectRef(SECRET, "a", "x-dockercfg-y"), stored(auths()), ())
    assert isinstance(found, str)
    assert "its name has the form of generated secrets" in found


def test_further_data_is_named_and_not_shown() -> None:
    assert further_data(stored(auths())) == ""
    found = further_data(stored(auths(), data={"notes": b64("secret-1"), "b": ""}))
    assert "(b, notes)" in found
    assert b64("secret-1") not in found
