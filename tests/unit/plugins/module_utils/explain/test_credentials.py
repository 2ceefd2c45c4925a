# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pull secrets give the credentials for an image, in the order in which a node tries them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.credentials import (
    Credentials,
    KubeletLogin,
    PullSecretStatus,
    credentials_of,
    logins_of,
    nearest_key,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from support.objects import b64

AUTH = {"auth": b64(b"u:p")}


def secret(auths: Any, kind: str = "kubernetes.io/dockerconfigjson", **metadata: Any) -> dict[str, Any]:
    key, content = (".dockercfg", auths) if kind.endswith("dockercfg") else (".dockerconfigjson", {"auths": auths})
    return {"metadata": metadata, "type": kind, "data": {key: b64(json.dumps(content))}}


def of(repository: str = "q.io/team/app", **secrets: Any) -> Credentials:
    known = {ObjectRef(SECRET, "ns", name): each for name, each in secrets.items()}
    return credentials_of("ns", [*secrets], repository, Lookup(known))


class TestStates:
    @pytest.mark.parametrize(
        ("stored", "state", "detail"),
        [
            (None, "missing", ""),
            (ImagePullError("refused"), "unread", "refused"),
            (secret({}, "Opaque"), "wrong_type", "Opaque"),
            ({"data": {}}, "wrong_type", "Opaque"),
            (secret({}, "kubernetes.io/podmanconfigjson"), "wrong_type", "kubernetes.io/podmanconfigjson"),
            (secret({"q.io": AUTH}), "usable", ""),
            (secret({"q.io": AUTH}, "kubernetes.io/dockercfg"), "usable", ""),
        ],
    )
    def test_each_secret_has_its_state(self, stored: Any, state: str, detail: str) -> None:
        (found,) = of(a=stored).secrets
        assert (found.name, found.state, found.detail) == ("a", state, detail)
        assert of(a=stored).in_state(state) == [found]
        assert of(a=stored).in_state("other") == []

    def test_one_invalid_entry_makes_a_secret_unparsable(self) -> None:
        found = of(a=secret({"q.io": AUTH, "x": {"auth": "?"}}))
        assert found.secrets[0].state == "unparsable"
        assert "the entry for 'x' has an 'auth' that is not standard base64" in found.secrets[0].detail
        assert found.logins == []

    def test_generated_secrets_are_recognised(self) -> None:
        mark = {"annotations": {"openshift.io/internal-registry-auth-token.service-account": "default"}}
        assert of(a=secret({}, **mark)).secrets[0].is_generated
        assert not of(a=secret({})).secrets[0].is_generated

    def test_all_missing_secrets_are_wanted_at_once(self) -> None:
        evidence = Lookup()
        with pytest.raises(ReadRequired):
            credentials_of("ns", ["a", "b"], "q.io/a", evidence)
        assert [ref.name for ref in evidence.take_wanted()] == ["a", "b"]


class TestLogins:
    def test_logins_are_in_the_order_of_the_kubelet_and_then_of_the_list(self) -> None:
        found = of(a=secret({"q.io": AUTH}), b=secret({"q.io/team": AUTH, "q.io": AUTH, "other.io": AUTH}))
        assert found.logins == [
            KubeletLogin("b", "q.io/team", False),
            KubeletLogin("a", "q.io", False),
            KubeletLogin("b", "q.io", False),
        ]

    @pytest.mark.parametrize("entry", [{}, {"username": "u"}, {"password": "p"}], ids=str)
    def test_an_entry_without_a_login_matches_and_is_marked_as_empty(self, entry: Any) -> None:
        assert of(a=secret({"q.io": entry})).logins == [
            KubeletLogin("a", "q.io", True, is_nameless="username" not in entry)
        ]

    def test_unusable_secrets_give_no_login(self) -> None:
        assert of(a=secret({"q.io": AUTH}, "Opaque"), b=None).logins == []


class TestNearest:
    @pytest.mark.parametrize(
        ("keys", "nearest"),
        [
            (["other.io", "https://quay.io:443/x"], "https://quay.io:443/x"),
            (["other.io", "quai.io"], "quai.io"),
            (["quay.io.example.com", "other.io/quay.io", "ghcr.io", "uay.example.com"], ""),
            (["q" * 100_000, ""], ""),
            (["completely.different.example.com"], ""),
            ([], ""),
        ],
    )
    def test_the_nearest_key_is_found(self, keys: list[str], nearest: str) -> None:
        assert nearest_key([PullSecretStatus("a", "usable", "", keys)], "quay.io/team/app") == nearest

    @pytest.mark.parametrize(
        ("repository", "key", "is_near"),
        [
            ("registry.example.com:5000/team/app", "registry.example.com", True),
            ("registry.example.com/team/app", "https://registry.exmaple.com:8443/v2/", True),
            ("gcr.io/team/app", "ghcr.io", False),
            ("gcr.io/team/app", "gcr.oi", True),
            ("quay.io/team/app", "qauy.io", True),
            ("registry.example.com/team/app", "registri.exmple.com", True),
            ("registry.example.com/team/app", "registry.other.com", False),
            ("192.0.2.1:5000/app", "192.0.2.2:5000", False),
            ("192.0.2.1:5000/app", "192.0.2.1", True),
            ("[2001:db8::1]:5000/app", "[2001:db8::2]:5000", False),
        ],
    )
    def test_the_nearest_key_has_the_same_or_a_mistyped_host(self, repository: str, key: str, is_near: bool) -> None:
        assert nearest_key([PullSecretStatus("a", "usable", "", [key])], repository) == (key if is_near else "")

    def test_a_secret_with_many_long_keys_takes_little_time(self) -> None:
        for length in (92, 240):
            host = "ab" * (length // 2) + ".example"
            secrets = [PullSecretStatus("a", "usable", "", [f"{number}{host[::-1]}" for number in range(1000, 4000)])]
            began = time.process_time()
            assert nearest_key(secrets, f"{host}/app") == ""
            assert time.process_time() - began < 1


@pytest.mark.parametrize(
    ("form", "images", "found"),
    [
        ("r{}.example.com", 500, 1),
        ("r1.example.com/p{}", 500, 0),
        ("*{}.example.com", 30, 1),
        ("r*/{}", 50, 0),
        ("r1.*?{}", 20, 4000),
    ],
)
def test_many_keys_take_little_time_for_each_image(form: str, images: int, found: int) -> None:
    """A user with a large secret, and pods with many images, could otherwise keep an audit of all namespaces busy for hours."""
    keys = tuple(form.format(number) for number in range(4000 if found > 1 else 20_000))
    status = PullSecretStatus("pull", "usable", keys=keys, empty_keys=keys[:1], nameless_keys=())
    started = time.process_time()
    logins = [logins_of([status], f"r1.{'example.com' if found < 2 else 'x'}/a{number}") for number in range(images)]
    assert time.process_time() - started < 5
    assert {len(each) for each in logins} == {found}
