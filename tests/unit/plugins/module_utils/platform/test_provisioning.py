# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a service account can pull from the integrated registry, and when it never will: facts 7.3 to 7.5 as tables."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import generated, provisioning
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.provisioning import UNREADABLE, Verdict
from hypothesis import given
from hypothesis import strategies as st

from unit.canaries import b64

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


class TestGeneratedNames:
    @pytest.mark.parametrize(
        ("found", "names"),
        [
            (account(), []),
            (account(annotations=REF), []),
            (account("quay", "other-dockercfg-aaaaa"), []),
            (account("quay", NAME), [NAME]),
            (account("default-dockercfg-other", NAME, annotations=REF), [NAME, "default-dockercfg-other"]),
            (
                account("cut-name-dockercfg-0a", annotations={REFERENCE: "cut-name-dockercfg-0a"}),
                ["cut-name-dockercfg-0a"],
            ),
            ({"metadata": {"name": "default"}}, []),
        ],
    )
    def test_only_listed_names_count_and_the_annotated_one_comes_first(self, found: Any, names: list[str]) -> None:
        assert generated.generated_names(found) == names


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
        ],
    )
    def test_what_is_missing(self, found: Any, missing: str) -> None:
        expected = Verdict(missing=missing) if missing else Verdict(NAME)
        assert provisioning.judge(account(NAME, annotations=REF), {NAME: found}) == expected

    @pytest.mark.parametrize("found", [account(), account("quay"), account(annotations=REF)])
    def test_a_name_that_is_not_in_the_list_proves_nothing(self, found: Any) -> None:
        """A dangling annotation remains after the registry was removed; facts 7.5."""
        verdict = provisioning.judge(found, {NAME: secret()})
        assert verdict.missing == "no generated pull secret in imagePullSecrets"

    def test_one_good_secret_suffices(self) -> None:
        names = ("default-dockercfg-old", NAME)
        assert provisioning.judge(account(*names), {names[0]: None, NAME: secret()}) == Verdict(NAME)

    def test_a_secret_that_may_not_be_read_counts_with_a_note(self) -> None:
        verdict = provisioning.judge(account(NAME, annotations=REF), {NAME: UNREADABLE})
        assert (verdict.secret, verdict.missing) == (NAME, "")
        assert verdict.note == f"secret {NAME} is listed, but may not be read: its content was not verified"

    @given(st.text(), st.text())
    def test_never_fails_on_what_a_secret_holds(self, token: str, text: str) -> None:
        for found in (secret(token), secret(f"a.{token}.c"), secret(jwt(text)), empty(b64(text))):
            provisioning.judge(account(NAME), {NAME: found})

    def test_shows_no_token(self) -> None:
        assert "canary" not in repr(provisioning.judge(account(NAME), {NAME: secret("canary", annotations={})}))


def version(desired: str | None = "4.20.1", enabled: Any = ("ImageRegistry",), known: Any = ("ImageRegistry",)) -> Any:
    capabilities = {"enabledCapabilities": enabled, "knownCapabilities": known}
    return {"status": {"desired": {"version": desired}, "capabilities": capabilities}}


def operator(*reasons: str) -> Any:
    return {"status": {"conditions": [{"type": "Available", "reason": reason} for reason in reasons]}}


OPENSHIFT = {"apps", "config.openshift.io", "image.openshift.io"}
NOT_OPENSHIFT = "this cluster is not OpenShift, so nothing generates pull secrets"
OFF = "the ImageRegistry capability of this cluster is off, so nothing generates pull secrets"
REMOVED = "the image registry of this cluster is Removed, so nothing generates pull secrets"
