# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A secret is linked only when it does what it is linked for."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.usable import why_not_usable

REF = ObjectRef(SECRET, "project-a", "pull")
GOOD = {"auth": base64.b64encode(b"alice:Secret-1").decode()}


def secret(auths: dict, kind: str = "kubernetes.io/dockerconfigjson") -> dict:
    content = base64.b64encode(json.dumps({"auths": auths}).encode()).decode()
    return {"type": kind, "data": {".dockerconfigjson": content}}


class TestWhyNotUsable:
    @pytest.mark.parametrize("other", [{}, {"old.io": {}}, {"old.io": None}, {"old.io": {"identitytoken": "t"}}])
    def test_one_good_entry_is_enough_beside_those_that_do_no_harm(self, other: dict) -> None:
        assert why_not_usable(REF, secret({"quay.io": GOOD, **other})) == ""

    @pytest.mark.parametrize("bad", [{"auth": "%%%"}, {"auth": "YWxpY2U="}, {"auth": 1}, "text", []])
    def test_one_that_does_not_decode_stops_every_pull(self, bad: object) -> None:
        """kubelet: the keyring of the pod cannot be built, whatever else is in it."""
        message = why_not_usable(REF, secret({"quay.io": GOOD, "old.io": bad}))
        assert "an entry for old.io that does not decode" in message
        assert "Secret-1" not in message

    @pytest.mark.parametrize(
        ("found", "words"),
        [
            (None, "does not exist"),
            (secret({"quay.io": GOOD}, "Opaque"), "has type Opaque, which no node reads"),
            (secret({"quay.io": GOOD}, "kubernetes.io/podmanconfigjson"), "which no node reads"),
            (secret({"quay.io": {}}), "holds no entry with user and password"),
        ],
    )
    def test_says_why(self, found: dict, words: str) -> None:
        assert words in why_not_usable(REF, found)
