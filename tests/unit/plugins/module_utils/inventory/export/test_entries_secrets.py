# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stored secrets become entries, or they are listed with a reason. A declaration is exported only if applying it would change nothing."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    ROLE_BINDING,
    SECRET,
    ObjectRef,
    trim_object,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import from_registries
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import (
    ExportCheck,
    ExportedGrant,
    ExportedLinks,
    ExportedSecret,
    Findings,
    LeftOut,
    NamespaceObjects,
    NamespaceQuestion,
    NotExported,
    config_of,
    further_data,
    secret_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import Subject
from support.objects import b64

REF = ObjectRef(SECRET, "a", "one")
DOCKERCONFIGJSON, DOCKERCFG = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"
PODMAN = "kubernetes.io/podmanconfigjson"
KEYS = {DOCKERCONFIGJSON: ".dockerconfigjson", DOCKERCFG: ".dockercfg", PODMAN: "auth.json"}


def encoded(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


AUTH = encoded("u:secret-1")


def stored(content: Any, kind: str = DOCKERCONFIGJSON, **more: Any) -> dict[str, Any]:
    raw = content if isinstance(content, (str, bytes)) else json.dumps(content)
    data = {KEYS[kind]: encoded(raw), **more.pop("data", {})}
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
        "fields", [{"identitytoken": "t"}, {"note": {"a": [1.5]}}, {"auth": encoded(b"ren\xe9:secret-1")}]
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
        ({"metadata": {"name": "one"}, "type": PODMAN, "data": {"a": encoded("{}"), "b": encoded("{}")}}, "is not in one data key"),
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
    found = further_data(stored(auths(), data={"notes": encoded("secret-1"), "b": ""}))
    assert "(b, notes)" in found
    assert encoded("secret-1") not in found


def test_findings_count_left_out_objects_and_list_unexpressed_ones() -> None:
    findings, ref = Findings(), ObjectRef(SECRET, "a", "one")
    findings.note(ref, LeftOut("theirs"))
    findings.note(ref, LeftOut("theirs"))
    findings.note(ref, "it cannot be")
    assert findings.left_out == {"theirs": 2}
    assert findings.unexpressed == [NotExported(ref, "it cannot be")]


def test_the_repr_of_a_found_secret_shows_no_credential() -> None:
    login = {"registry": "quay.io", "username": "u", "password": "secret-1"}
    assert "secret-1" not in repr(ExportedSecret("one", "t", from_registries([login]), (login,)))


KIND = "kubernetes.io/dockerconfigjson"
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
