# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A service account can pull from the integrated registry, or the missing part is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import account_lists
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.account_lists import UNREADABLE, Verdict
from hypothesis import given
from hypothesis import strategies as st
from support.objects import b64

NAME = "default-dockercfg-x7k2p"
REFERENCE = "openshift.io/internal-registry-pull-secret-ref"
REF = {REFERENCE: NAME}
SERVICE_ACCOUNT = "openshift.io/internal-registry-auth-token.service-account"
BINDING = "openshift.io/internal-registry-auth-token.binding"
BOUND = {SERVICE_ACCOUNT: "default", BINDING: "bound"}
ADOPTED = {SERVICE_ACCOUNT: "default", BINDING: "legacy"}
LEGACY = {"openshift.io/token-secret.name": "default-token-abcde"}
HOST = "image-registry.openshift-image-registry.svc:5000"


def account(*listed: str, annotations: Any = None) -> dict[str, Any]:
    return {
        "metadata": {"name": "default", "uid": "new", "annotations": annotations},
        "imagePullSecrets": [{"name": name} for name in listed],
    }


def jwt(claims: Any) -> str:
    return f"e30.{b64(json.dumps(claims)).rstrip('=').replace('+', '-').replace('/', '_')}.c2ln"


def token_of(uid: str) -> str:
    return jwt({"kubernetes.io": {"serviceaccount": {"name": "default", "uid": uid}}})


def secret(
    token: str = token_of("new"), annotations: Any = None, kind: str = "kubernetes.io/dockercfg"
) -> dict[str, Any]:
    content = b64(json.dumps({HOST: {"auth": b64(f"<token>:{token}")}}))
    annotations = BOUND if annotations is None else annotations
    return {"metadata": {"annotations": annotations}, "type": kind, "data": {".dockercfg": content}}


def empty(text: str, annotations: Any = None) -> dict[str, Any]:
    return {**secret(annotations=annotations), "data": {".dockercfg": text}}


NO_TOKEN = f"secret {NAME} has no token yet"
NO_REGISTRY = f"secret {NAME} holds no registry yet"
OF_ANOTHER = f"secret {NAME} still holds the token of a deleted account of the same name"

UID_OF_A_LASTING_TOKEN = "kubernetes.io/serviceaccount/service-account.uid"


class TestJudge:
    @pytest.mark.parametrize(
        ("found", "missing"),
        [
            (secret(), ""),
            (secret(annotations=ADOPTED), ""),
            (secret("opaque-token", annotations=LEGACY), ""),
            (secret(jwt({"sub": "no uid"})), ""),
            (secret(jwt(["no object"])), ""),
            (secret("a.%%%.c"), ""),
            (None, f"secret {NAME} is listed but does not exist yet"),
            (secret(kind="Opaque"), f"secret {NAME} has type Opaque instead of kubernetes.io/dockercfg"),
            (secret(annotations={}), NO_TOKEN),
            (secret(annotations={SERVICE_ACCOUNT: "default"}), NO_TOKEN),
            (secret(annotations={BINDING: "bound"}), NO_TOKEN),
            (secret(annotations={**BOUND, SERVICE_ACCOUNT: "builder"}), NO_TOKEN),
            (empty(b64("{}")), NO_REGISTRY),
            (empty(b64("{}"), LEGACY), NO_REGISTRY),
            (empty(b64("[]")), f"secret {NAME} cannot be read: its content is a list, not an object"),
            (empty(""), NO_REGISTRY),
            (empty("%"), f"secret {NAME} cannot be read: its content is not base64"),
            ({**secret(), "data": None}, NO_REGISTRY),
            (secret(token_of("old")), OF_ANOTHER),
            (secret(token_of("old"), annotations=LEGACY), OF_ANOTHER),
            (secret(jwt({UID_OF_A_LASTING_TOKEN: "old"}), annotations=LEGACY), OF_ANOTHER),
            (secret(jwt({UID_OF_A_LASTING_TOKEN: "new"}), annotations=LEGACY), ""),
            (secret(jwt({"kubernetes.io": None})), ""),
            (secret(jwt({"kubernetes.io": {"serviceaccount": ["uid"]}})), ""),
            (secret(jwt({"kubernetes.io": {"serviceaccount": {"uid": None}}})), ""),
            (secret(f"x.{token_of('old')}"), ""),
            (secret(token_of("old").partition(".")[2]), ""),
            (secret("a." + b64("[" * 100_000) + ".c"), ""),
            (secret("a.\u00e4\u00e4\u00e4\u00e4.c"), ""),
            (secret(kind=None), f"secret {NAME} has type None instead of kubernetes.io/dockercfg"),
            (secret(annotations={**BOUND, BINDING: "unbound"}), NO_TOKEN),
            ({**secret(), "metadata": None}, NO_TOKEN),
            ({**secret(), "metadata": {"annotations": ["bound"]}}, NO_TOKEN),
        ],
    )
    def test_judge_names_the_missing_part(self, found: Any, missing: str) -> None:
        expected = Verdict(missing=missing, stale=NAME if missing == OF_ANOTHER else "") if missing else Verdict(NAME)
        assert account_lists.judge_account(account(NAME, annotations=REF), {NAME: found}) == expected

    @pytest.mark.parametrize("found", [account(), account("quay"), account(annotations=REF)])
    def test_a_name_that_is_not_in_the_list_proves_nothing(self, found: Any) -> None:
        """A dangling annotation remains after the registry was removed."""
        verdict = account_lists.judge_account(found, {NAME: secret()})
        assert verdict.missing == "no generated pull secret in imagePullSecrets"

    def test_one_entry_of_another_account_marks_the_secret_as_stale(self) -> None:
        entries = {host: {"auth": b64(f"<token>:{token_of(uid)}")} for host, uid in (("a", "new"), ("b", "old"))}
        found = {**secret(), "data": {".dockercfg": b64(json.dumps(entries))}}
        assert account_lists.judge_account(account(NAME), {NAME: found}) == Verdict(missing=OF_ANOTHER, stale=NAME)

    def test_a_listed_secret_that_was_not_read_counts_as_missing(self) -> None:
        verdict = account_lists.judge_account(account(NAME), {})
        assert verdict == Verdict(missing=f"secret {NAME} is listed but does not exist yet")

    def test_the_missing_part_of_the_last_secret_is_reported(self) -> None:
        other = "default-dockercfg-zzzzz"
        verdict = account_lists.judge_account(account(NAME, other), {NAME: secret(annotations={}), other: None})
        assert verdict == Verdict(missing=f"secret {other} is listed but does not exist yet")

    def test_one_good_secret_suffices(self) -> None:
        names = ("default-dockercfg-old", NAME)
        assert account_lists.judge_account(account(*names), {names[0]: None, NAME: secret()}) == Verdict(NAME)

    def test_a_secret_that_may_not_be_read_counts_with_a_note(self) -> None:
        verdict = account_lists.judge_account(account(NAME, annotations=REF), {NAME: UNREADABLE})
        note = f"secret {NAME} is listed, but the caller is not allowed to read it: its content was not verified"
        assert verdict == Verdict(NAME, missing="", note=note)

    @given(st.text(), st.text())
    def test_arbitrary_content_raises_no_error(self, token: str, text: str) -> None:
        for found in (secret(token), secret(f"a.{token}.c"), secret(jwt(text)), empty(b64(text))):
            account_lists.judge_account(account(NAME), {NAME: found})

    def test_the_verdict_shows_no_token(self) -> None:
        assert "canary" not in repr(
            account_lists.judge_account(account(NAME), {NAME: secret("canary", annotations={})})
        )
