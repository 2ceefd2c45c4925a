# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret is linked only if it serves its purpose."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import (
    why_not_usable,
    why_secret_missing,
)
from support.objects import b64

from unit.canaries import shown

REF = ObjectRef(SECRET, "project-a", "pull")
GOOD = {"auth": b64("alice:canary")}
JSON, LEGACY = "kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"
ANYWAY = "or link it without this check, with 'require: none'"
MISSING = f"secret project-a/pull does not exist: create it first (module pull_secret, but not in check mode), {ANYWAY}"
NO_LOGIN = f"secret project-a/pull holds no entry with user and password: write it again (module pull_secret), {ANYWAY}"


def secret(content: Any, kind: str = JSON, key: str = ".dockerconfigjson") -> dict[str, Any]:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return {"type": kind, "data": {key: b64(raw)}}


def stops(*why: str) -> str:
    return (
        f"secret project-a/pull stops every pull of a pod that uses it, because {'; '.join(why)}: write it again (module pull_secret), "
        f"{ANYWAY}"
    )


class TestWhyNotThere:
    def test_any_existing_secret_is_accepted(self) -> None:
        assert why_secret_missing(REF, {}) == ""
        assert why_secret_missing(REF, None) == MISSING


class TestWhyNotUsable:
    @pytest.mark.parametrize(
        "other",
        [{}, {"old.io": {}}, {"old.io": None}, {"old.io": {"identitytoken": "t"}}, {"old.io": {"registrytoken": 5}}, {"[::1": GOOD}],
    )  # fmt: skip
    def test_one_good_entry_is_enough_next_to_harmless_ones(self, other: dict[str, Any]) -> None:
        assert why_not_usable(REF, secret({"auths": {"quay.io": GOOD, **other}})) == ""

    @pytest.mark.parametrize(
        "found",
        [
            secret({"quay.io": GOOD}, LEGACY, ".dockercfg"),
            secret({"auths": {"quay.io": {"username": "a", "password": "b"}}, "HttpHeaders": {"a": "b"}}),
            secret(b'{"auths": {"quay.io": {"auth": "YTpi", "email": "ren\xe9"}}}'),
            secret(b'{"auths": {"quay.io": {"auth": "YTpi"}}, "Auths": {}}'),
            secret({"auths": {"robot@quay.io": GOOD}}),
        ],
    )
    def test_content_that_the_kubelet_reads_is_usable(self, found: dict[str, Any]) -> None:
        assert why_not_usable(REF, found) == ""

    @pytest.mark.parametrize(
        ("bad", "why"),
        [
            ({"auth": "%%%"}, "has an 'auth' that is not standard base64"),
            ({"auth": "YWxpY2U6YQ="}, "has an 'auth' that is not standard base64"),
            ({"auth": "YWxp=Y2U6YQ=="}, "has an 'auth' that is not standard base64"),
            ({"auth": "YWxpY2U="}, "has an 'auth' that is not base64 of USER:PASSWORD"),
            ({"auth": 1}, "has a 'auth' that is a number, not a string"),
            ({**GOOD, "email": ["canary"]}, "has a 'email' that is a list, not a string"),
            ("canary", "is a string, not an object"),
            ([], "is a list, not an object"),
        ],
    )
    def test_one_entry_that_does_not_decode_stops_every_pull(self, bad: Any, why: str) -> None:
        """The kubelet cannot build the keyring of the pod, whatever else the secret contains."""
        for found in (
            secret({"auths": {"quay.io": GOOD, "old.io": bad}}),
            secret({"quay.io": GOOD, "old.io": bad}, LEGACY, ".dockercfg"),
        ):
            message = why_not_usable(REF, found)
            assert message == stops(f"the entry for 'old.io' {why}")
            assert shown(message, "canary", "alice") == []

    @pytest.mark.parametrize(
        ("found", "why"),
        [
            (secret({"auths": {"quay.io": GOOD}, "HttpHeaders": []}), "'HttpHeaders' is a list, not an object"),
            (
                secret({"auths": {"quay.io": GOOD}, "HttpHeaders": {"a": 1}}),
                "'HttpHeaders' has a value that is a number, not a string",
            ),
            (secret({"auths": [GOOD]}), "'auths' is a list, not an object"),
            (secret(b"{"), "it is not valid JSON at line 1, column 2"),
            (secret([]), "it is a list, not an object"),
            ({"type": JSON, "data": {".dockerconfigjson": "%"}}, "it is not base64"),
        ],
    )
    def test_any_other_part_of_a_wrong_type_stops_every_pull(self, found: dict[str, Any], why: str) -> None:
        assert why_not_usable(REF, found) == stops(why)

    def test_the_first_five_bad_entries_are_named(self) -> None:
        entries = {f"{number}.io": 1 for number in range(9)}
        expected = [f"the entry for '{number}.io' is a number, not an object" for number in range(5)]
        assert why_not_usable(REF, secret({"auths": entries})) == stops(*expected, "and 4 more")

    @pytest.mark.parametrize(
        "entry",
        [{}, {"auth": b64("alice:")}, {"auth": b64(":canary")}, {"username": "alice"}, {"password": "canary"}, {"identitytoken": "canary"}],
    )  # fmt: skip
    def test_an_entry_without_user_or_password_is_not_usable(self, entry: dict[str, Any]) -> None:
        assert why_not_usable(REF, secret({"auths": {"quay.io": entry}})) == NO_LOGIN

    @pytest.mark.parametrize(
        "found",
        [
            secret({"auths": {"[::1": GOOD}}),
            secret({"quay.io": GOOD}),
            secret({"auths": {"quay.io": GOOD}}, LEGACY, ".dockercfg"),
            {"type": JSON},
            {"type": JSON, "data": None},
            secret({"auths": {"quay.io": GOOD}}, key="config.json"),
        ],
    )
    def test_a_login_that_no_node_reads_is_not_usable(self, found: dict[str, Any]) -> None:
        assert why_not_usable(REF, found) == NO_LOGIN

    @pytest.mark.parametrize(
        ("found", "kind"),
        [
            (secret({"auths": {"quay.io": GOOD}}, "Opaque"), "Opaque"),
            ({"data": {}}, "Opaque"),
            (secret({"auths": {"quay.io": GOOD}}, "kubernetes.io/podmanconfigjson"), "kubernetes.io/podmanconfigjson"),
        ],
    )
    def test_other_types_are_not_read(self, found: dict[str, Any], kind: str) -> None:
        assert why_not_usable(REF, found) == (
            f"secret project-a/pull has type {kind}, which no node reads: create it as kubernetes.io/dockerconfigjson "
            f"(module pull_secret with 'recreate: true'), {ANYWAY}"
        )

    def test_a_missing_secret_is_not_usable(self) -> None:
        assert why_not_usable(REF, None) == MISSING
