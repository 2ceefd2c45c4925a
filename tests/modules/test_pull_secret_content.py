# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pull_secret never treats unusual content of a secret as empty, and a teardown deletes only content of this collection."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from support.objects import b64, pull_secret

QUAY = {"registry": "quay.io", "username": "reader", "password": "Secret-new"}
#: An e-mail address with one byte that is not UTF-8, and a number whose format is easily lost.
LATIN_1 = b'{"auths": { "cloud.openshift.com": {"auth": "YTpi", "email": "ren\xe9@example.com"},\n "quay.io": {"auth":"cmVhZGVyOm9sZA=="} }, "n": 1.50}'


def secret(content: bytes, name: str = "pull", **more: Any) -> dict[str, Any]:
    return pull_secret(name, content, metadata=more)


def content_of(found: dict[str, Any]) -> bytes:
    return base64.b64decode(found["data"][".dockerconfigjson"])


class TestBytes:
    """Go, the API server and the kubelet accept a byte that is not UTF-8."""

    def test_merge_and_remove_keep_all_other_bytes(self, lab, run, namespace):
        lab.create(namespace, "secrets", secret(LATIN_1))
        options = {"name": "pull", "namespaces": [namespace]}
        merged = run("pull_secret", mode="merge", registries=[{**QUAY, "registry": "new.io"}], **options)
        assert merged["namespaces"][0]["changes"][0]["registries"]["added"] == ["new.io"]
        removed = run("pull_secret", mode="remove", registries=[{"registry": "new.io"}], **options)
        assert removed["namespaces"][0]["changes"][0]["registries"]["removed"] == ["new.io"]
        assert content_of(lab.get(namespace, "secrets", "pull")) == LATIN_1
        assert run("pull_secret", mode="merge", registries=[QUAY], **options)["changed"]
        stored = content_of(lab.get(namespace, "secrets", "pull"))
        assert (
            b'{ "cloud.openshift.com": {"auth": "YTpi", "email": "ren\xe9@example.com"},\n "quay.io": {"auth":"'
            in stored
        )
        assert stored.endswith(b' }, "n": 1.50}')
        assert not run("pull_secret", mode="merge", registries=[QUAY], **options)["changed"]


class TestStopsEveryPull:
    """require=usable refuses exactly the secrets that the kubelet's own code refuses."""

    @pytest.mark.parametrize(
        ("top", "why"),
        [
            ({"HttpHeaders": {"a": 1}}, "'HttpHeaders' has a value that is a number, not a string"),
            (
                {"auths": {"other.io": {"auth": "YTpiYg="}}},
                "the entry for 'other.io' has an 'auth' that is not standard base64",
            ),
            (
                {"auths": {"other.io": {"auth": "YTpi", "email": 5}}},
                "the entry for 'other.io' has a 'email' that is a number",
            ),
            ({"auths": {"other.io": {"auth": "YTpi", "identitytoken": 5}}}, ""),
            ({"HttpHeaders": {"a": "b", "c": None}}, ""),
        ],
    )
    def test_a_secret_is_linked_only_if_it_does_not_stop_every_pull(self, lab, run, namespace, top, why):
        registry = lab.registry("private")
        account = registry["accounts"][1]
        login = b64(f"{account['username']}:{account['password']}")
        auths = {registry["host"]: {"auth": login}, **top.get("auths", {})}
        lab.create(namespace, "secrets", secret(json.dumps({**top, "auths": auths}).encode()))
        linked = run("sa_link", namespaces=[namespace], secrets=["pull"], require="usable")
        assert linked["failed"] is bool(why)
        assert why in linked.get("msg", "")
        assert not why or "stops every pull" in linked["msg"]
        run("sa_link", namespaces=[namespace], secrets=["pull"], require="none")
        lab.pod(namespace, "app", registry["image"])
        assert lab.pull(namespace, "app")["pulled"] is not bool(why)


class TestTeardown:
    """only_managed and delete_empty never delete content that another client created."""

    def test_a_secret_created_by_merge_is_deleted_after_its_last_removal(self, lab, run, namespaces):
        mine, theirs = namespaces(2)
        lab.create(theirs, "secrets", secret(b'{"auths": {"a.io": {}}}'))
        options = {"name": "pull", "namespaces": [mine, theirs], "registries": [QUAY]}
        assert run("pull_secret", mode="merge", **options)["summary"]["changed"] == 2
        assert run("pull_secret", mode="remove", delete_empty=True, **options)["summary"]["changed"] == 2
        assert lab.get(mine, "secrets", "pull") is None
        assert content_of(lab.get(theirs, "secrets", "pull")) == b'{"auths": {"a.io": {}}}'
