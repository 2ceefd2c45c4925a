# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lists of service accounts become one entry for each secret, and all other list items are noted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import NOTHING_RELATED, Related
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import from_registries
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.export.entries import (
    ExportedLinks,
    ExportedSecret,
    Findings,
    NamespaceObjects,
    arrange_links,
    doubtful_secrets,
)
from support.objects import b64

LOGIN = {"registry": "quay.io", "username": "u", "password": "secret-1"}
AUTH_FILE = from_registries([LOGIN])
KIND = "kubernetes.io/dockerconfigjson"
PULL, MOUNT = "imagePullSecrets", "secrets"
GENERATED = "default-dockercfg-x7k2p"


def account(name: str, pull: Sequence[Any] = (), mount: Sequence[Any] = ()) -> dict[str, Any]:
    lists = {PULL: [{"name": each} for each in pull], MOUNT: [{"name": each} for each in mount]}
    return {"metadata": {"name": name}, **lists}


def seen(accounts: Sequence[Mapping[str, Any]], *secrets: str) -> NamespaceObjects:
    stored = {name: {"type": KIND, "data": {".dockerconfigjson": "e30="}} for name in secrets}
    return NamespaceObjects({each["metadata"]["name"]: each for each in accounts}, stored)


def arranged(there: NamespaceObjects, *names: str, found: Related = NOTHING_RELATED) -> Findings:
    findings = Findings([ExportedSecret(name, "Opaque", AUTH_FILE, (LOGIN,)) for name in names])
    arrange_links("a", there, found, findings)
    return findings


def reasons(findings: Findings) -> list[tuple[str, str]]:
    return [(each.ref.name, each.reason) for each in findings.unexpressed]


@pytest.mark.parametrize(
    ("accounts", "links"),
    [
        ([], ()),
        ([account("x", ["one"]), account("y", ["one"])], (ExportedLinks(("x", "y"), ("pull",)),)),
        ([account("x", [], ["one"])], (ExportedLinks(("x",), ("mount",)),)),
        ([account("x", ["one"], ["one"])], (ExportedLinks(("x",), ("pull", "mount")),)),
        ([account("x", ["one"]), account("y", [], ["one"])], (ExportedLinks(("x",), ("pull",)),
         ExportedLinks(("y",), ("mount",)))),
        ([account("z", [], ["one"]), account("y", ["one"]), account("x", ["one"], ["one"])],
         (ExportedLinks(("x",), ("pull", "mount")), ExportedLinks(("y",), ("pull",)),
         ExportedLinks(("z",), ("mount",)))),
    ],
)  # fmt: skip
def test_the_lists_of_accounts_become_links(accounts: list[dict[str, Any]], links: tuple[ExportedLinks, ...]) -> None:
    findings = arranged(seen(accounts, "one"), "one")
    assert findings.secrets[0].links == links
    assert reasons(findings) == []


def test_a_duplicate_link_is_noted() -> None:
    findings = arranged(seen([account("x", ["one", "one"])], "one"), "one")
    assert findings.secrets[0].links == ()
    assert reasons(findings) == [("x", f"{PULL} lists secret one more than once, which the module would clean up")]


def test_the_order_of_each_list_is_kept() -> None:
    there = seen([account("x", ["two", "other", "one"], ["one", "two"]), account("y", ["one"])], "one", "two", "other")
    findings = arranged(there, "one", "two")
    assert findings.order == {("x", PULL): ["two", "one"], ("x", MOUNT): ["one", "two"]}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ({}, "which the caller may not read"),
        ({"other": None}, "which does not exist"),
        ({"other": {"type": "Opaque"}}, "of type Opaque, which is not a pull secret"),
        ({"other": {}}, "of type Opaque, which is not a pull secret"),
    ],
)
def test_a_link_to_another_secret_is_noted_with_the_reason(found: dict[str, Any], reason: str) -> None:
    related = {ObjectRef(SECRET, "a", name): obj for name, obj in found.items()}
    ((name, said),) = reasons(arranged(seen([account("x", ["other"])]), found=related))
    assert name == "x"
    assert reason in said


def test_a_link_to_a_secret_without_an_entry_is_noted() -> None:
    ((_name, said),) = reasons(arranged(seen([account("x", ["broken"])], "broken")))
    assert "which has no entry itself" in said


def test_the_platforms_links_are_counted() -> None:
    there = seen([account("default", [GENERATED], [GENERATED, "default-token-b2c4d"])], GENERATED)
    findings = arranged(there)
    assert (findings.left_out, findings.unexpressed) == ({"generated_links": 3}, [])


def test_a_token_is_looked_up_and_then_counted_as_generated() -> None:
    tokens = ["default-token-b2c4d", "default-token-f6g7h"]
    there = seen([account("default", [], tokens)])
    assert [ref.name for ref in doubtful_secrets("a", there)] == tokens
    note = {"kubernetes.io/service-account.name": "default"}
    token = {"type": "kubernetes.io/service-account-token", "metadata": {"annotations": note}}
    findings = arranged(there, found={ObjectRef(SECRET, "a", name): token for name in tokens})
    assert (findings.left_out, findings.unexpressed) == ({"generated_links": 2}, [])


def test_only_secrets_missing_from_the_lists_are_doubtful() -> None:
    there = seen([account("default", ["one", "git", "git", GENERATED], [GENERATED])], "one")
    assert list(doubtful_secrets("a", there)) == [ObjectRef(SECRET, "a", "git")]


@pytest.mark.parametrize("odd", [None, "text", 5, [None, 5, {"name": 5}, {"name": ""}, {}]], ids=str)
def test_malformed_lists_have_no_links(odd: Any) -> None:
    there = NamespaceObjects({"x": {"metadata": {"name": "x"}, PULL: odd}}, {})
    assert list(doubtful_secrets("a", there)) == []
    assert arranged(there).unexpressed == []


@pytest.mark.parametrize(
    ("content", "require"), [(b"{}", "existing"), (b'{"auths": {"quay.io": {"auth": "dTpw"}}}', None)]
)
def test_a_link_to_an_unusable_secret_requires_only_an_existing_one(content: bytes, require: str | None) -> None:
    stored = {"type": KIND, "data": {".dockerconfigjson": b64(content)}}
    findings = Findings([ExportedSecret("one", KIND, AUTH_FILE, (LOGIN,))])
    arrange_links("a", NamespaceObjects({"x": account("x", ["one"])}, {"one": stored}), NOTHING_RELATED, findings)
    assert findings.secrets[0].require == require
