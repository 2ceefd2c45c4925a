# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module returns the pull secret of a service, and compares it with the cluster's without a value, all on loopback."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import credentials_in_text
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.dockerconfig.auth_file import (
    NOTHING,
    AuthFile,
    parse,
    parse_stored,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.ocm_pull_secret import (
    compare_registries,
    list_registries,
    ocm_pull_secret,
)
from support.fake_api import FakeApi
from support.in_memory import in_memory
from support.objects import b64
from support.ocm import (
    ACCESS_TOKEN,
    API_PATH,
    OFFLINE_TOKEN,
    PASSWORDS,
    TOKEN_PATH,
    Ocm,
    account,
    answer,
    entry,
    ocm_service,
    secrets,
)
from support.scripted_pool import status_object

Ask = Callable[..., dict[str, Any]]
NODE_SECRET = "/api/v1/namespaces/openshift-config/secrets/pull-secret"


@pytest.fixture(autouse=True)
def no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy") or name.startswith(("OCM_", "K8S_AUTH_", "REQUESTS_", "CURL_")):
            monkeypatch.delenv(name)


@pytest.fixture
def ocm(certificate: str) -> Iterator[Ocm]:
    with ocm_service(certificate) as service:
        yield service


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    api.put("namespaces", "", "openshift-config", status={"phase": "Active"})
    return api


@pytest.fixture
def ask(ocm: Ocm, api: FakeApi, certificate: str) -> Iterator[Ask]:
    """Return the module's result. It contains no credential outside of `auth_config`."""
    with in_memory(api) as modules:

        def call(**options: Any) -> dict[str, Any]:
            usual = {"offline_token": OFFLINE_TOKEN, "ocm_ca_cert": certificate, **ocm.options}
            given = {name: value for name, value in {**usual, **options}.items() if value is not None}
            result = modules.run("ocm_pull_secret_info", **given)
            shown = json.dumps({name: value for name, value in result.items() if name != "auth_config"})
            assert [secret for secret in secrets() if secret in shown] == []
            return result

        yield call


def hold(api: FakeApi, content: Any, *, name: str = "pull-secret") -> None:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    data = {".dockerconfigjson": b64(text)}
    api.put("secrets", "openshift-config", name, type="kubernetes.io/dockerconfigjson", data=data)


class TestContent:
    def test_the_option_include_selects_the_returned_entries(self, ask: Ask) -> None:
        result = ask(include=["quay.io", "registry.*"])
        assert sorted(result["auth_config"]["auths"]) == sorted({*PASSWORDS} - {"cloud.openshift.com"})
        assert len(result["registries"]) == 3

    def test_return_content_false_gives_names_only(self, ask: Ask) -> None:
        result = ask(return_content=False)
        assert "auth_config" not in result
        assert len(result["registries"]) == 4

    def test_fields_other_than_the_entries_are_left_out(self, ask: Ask, ocm: Ocm) -> None:
        ocm.content = account(HttpHeaders={"X": "y"})
        assert ask()["auth_config"] == account()

    def test_a_login_from_the_environment_is_used(self, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("OCM_TOKEN", f"{OFFLINE_TOKEN}\n")
        assert ask(offline_token=None)["auth_config"] == account()


def test_all_credentials_are_hidden(ocm: Ocm, api: FakeApi, certificate: str) -> None:
    """Later output contains neither the access token nor credentials from the service's answer or the cluster."""
    held = {"auths": {"mine.example.com": entry("quay.io", "canary-mine")}}
    hold(api, held)
    hidden: list[str] = []
    params = {
        "offline_token": OFFLINE_TOKEN,
        "client_id": None,
        "client_secret": None,
        "ocm_ca_cert": certificate,
        "ocm_validate_certs": True,
        "ocm_timeout": 10,
        "include": None,
        "return_content": False,
        "compare": True,
        "namespace": "openshift-config",
        "secret": "pull-secret",
        **ocm.options,
    }
    ocm_pull_secret(params, hidden.append, lambda: nullcontext(api.cluster()))
    found = set().union(*map(credentials_in_text, hidden))
    assert {ACCESS_TOKEN, "canary-mine", *PASSWORDS.values()} <= found


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"include": []}, "option 'include' is empty"),
            ({"offline_token": ""}, "there is no login"),
            ({"api_url": "http://api.example.com"}, "option 'api_url': only https is supported"),
            ({"compare": True, "namespace": "A b"}, "option 'namespace'"),
            ({"compare": True, "secret": "A b"}, "option 'secret'"),
            ({"ocm_timeout": 0}, "option 'ocm_timeout'"),
            ({"ocm_ca_cert": "/none"}, "option 'ocm_ca_cert'"),
        ],
    )
    def test_invalid_options_are_refused_before_any_request(
        self, ask: Ask, ocm: Ocm, api: FakeApi, options: Any, words: str
    ) -> None:
        assert words in ask(**options)["msg"]
        assert (ocm.asked, api.requests) == ([], [])

    def test_a_registry_that_the_account_lacks_is_refused(self, ask: Ask) -> None:
        found = ask(include=["quay.io", "registry.example.com"])
        assert found["failed"]
        assert "the account's pull secret has no entry that matches 'registry.example.com'" in found["msg"]
        assert "auth_config" not in found

    @pytest.mark.parametrize(
        "auths",
        [
            {},
            {"quay.io": None},
            {"quay.io": {}},
            {"quay.io": {"auth": "%%%"}},
            {"quay.io": ["x"]},
            {"": entry("quay.io")},
            {"quay.io": entry("quay.io"), "https://quay.io": entry("quay.io", "canary-other")},
        ],
    )
    def test_an_entry_that_no_node_could_use_is_refused(self, ask: Ask, ocm: Ocm, auths: Any) -> None:
        ocm.content = {"auths": auths}
        found = ask()
        assert found["failed"]
        assert "the account's pull secret" in found["msg"]
        assert "exception" not in found
        assert "auth_config" not in found

    @pytest.mark.parametrize(
        "extra",
        [
            b'{"auth": "dTpw", "x": %s}}' % (b"9" * 5000),
            b'{"auth": "dTpw", "x": %s%s}}' % (b"[" * 500, b"]" * 500),
            b'{"auth": "dTpw", "x": NaN}}',
            b'{"auth": "dTpw", "x": "\\ud800"}}',
            b'{"auth": "dTpw"}, "quay.io": {"auth": "dTpx"}}',
            b'{"auth": "dTpw"}}, "Auths": {"quay.io": {"auth": "dTpw"}}',
        ],
    )
    def test_content_that_only_some_readers_understand_causes_no_traceback(
        self, ask: Ask, ocm: Ocm, extra: bytes
    ) -> None:
        ocm.answers[API_PATH] = (200, {}, b'{"auths": {"quay.io": %s}' % extra)
        found = ask()
        assert "exception" not in found
        assert found["failed"] is ("auth_config" not in found)

    def test_a_service_that_is_out_of_order_is_an_error(self, ask: Ask, ocm: Ocm) -> None:
        ocm.answers[TOKEN_PATH] = answer(503, {"error": "x"})
        assert "answered 503 (x). The service is overloaded or out of order" in ask()["msg"]


class TestCompared:
    def test_secrets_are_compared_registry_by_registry(self, ask: Ask, api: FakeApi) -> None:
        held = account()["auths"]
        held["quay.io"] = entry("quay.io", "canary-old-password")
        held["registry.redhat.io"]["email"] = "old@example.com"
        held["mine.example.com"] = entry("quay.io", "canary-mine-password")
        del held["registry.connect.redhat.com"]
        hold(api, {"auths": held})
        result = ask(compare=True)
        assert [(row["registry"], row["status"], row["differs"]) for row in result["registries"]] == [
            ("cloud.openshift.com", "same", []),
            ("mine.example.com", "only_there", []),
            ("quay.io", "differs", ["password"]),
            ("registry.connect.redhat.com", "missing", []),
            ("registry.redhat.io", "differs", ["email"]),
        ]
        assert result["compared"] == {
            "namespace": "openshift-config",
            "secret": "pull-secret",
            "exists": True,
            "same": False,
        }
        assert result["auth_config"] == account()
        assert "canary" not in json.dumps({**result, "auth_config": None})
        assert api.asked == [f"GET {NODE_SECRET}"]

    def test_an_identical_secret_is_the_same(self, ask: Ask, api: FakeApi) -> None:
        hold(api, account())
        assert ask(compare=True)["compared"]["same"]

    def test_another_secret_is_compared_for_the_included_registries(self, ask: Ask, api: FakeApi) -> None:
        hold(api, {"auths": {"quay.io": entry("quay.io"), "mine.example.com": entry("quay.io")}}, name="other")
        result = ask(compare=True, secret="other", include=["quay.io"], return_content=False)
        assert [(row["registry"], row["status"]) for row in result["registries"]] == [("quay.io", "same")]

    def test_a_missing_secret_lacks_all_registries(self, ask: Ask) -> None:
        result = ask(compare=True)
        assert (result["compared"]["exists"], result["compared"]["same"]) == (False, False)
        assert {row["status"] for row in result["registries"]} == {"missing"}

    def test_a_missing_namespace_is_an_error(self, ask: Ask, ocm: Ocm) -> None:
        found = ask(compare=True, namespace="nowhere")
        assert found["failed"]
        assert "the namespace does not exist" in found["msg"]
        assert ocm.asked == []

    @pytest.mark.parametrize("content", [b"{", b"[]", b'{"auths": []}', b"\xff\xfe"])
    def test_unreadable_content_is_not_taken_for_empty(self, ask: Ask, ocm: Ocm, api: FakeApi, content: bytes) -> None:
        hold(api, content)
        found = ask(compare=True)
        assert found["failed"]
        assert "openshift-config/pull-secret" in found["msg"]
        assert "cannot be compared, because its content" in found["msg"]
        assert ocm.asked == [], "no token is asked for in vain"

    def test_a_secret_that_may_not_be_read_is_an_error(self, ask: Ask, ocm: Ocm, api: FakeApi) -> None:
        api.fail(f"GET {NODE_SECRET}", status_object(403, "Forbidden", "no"))
        assert ask(compare=True)["failed"]
        assert ocm.asked == []


def file_of(**passwords: str) -> AuthFile:
    auths = {
        name.replace("_", "."): {"username": "u", "password": password, "email": "e"}
        for name, password in passwords.items()
    }
    return parse({"auths": auths}, "test")


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    assert all(row["is_registry"] is (row["registry"] != "cloud.openshift.com") for row in rows)
    return [(row["registry"], row["status"], ",".join(row["differs"])) for row in rows]


def test_a_single_pull_secret_lists_its_names() -> None:
    assert list_registries(file_of(quay_io="canary", cloud_openshift_com="canary")) == [
        {"registry": "cloud.openshift.com", "is_registry": False},
        {"registry": "quay.io", "is_registry": True},
    ]


def test_each_registry_has_a_status() -> None:
    ours = file_of(cloud_openshift_com="canary-1", quay_io="canary-1", registry_redhat_io="canary-1")
    theirs = file_of(cloud_openshift_com="canary-1", quay_io="canary-2", mine_example_com="canary-3")
    rows = compare_registries(ours, theirs)
    assert told(rows) == [
        ("cloud.openshift.com", "same", ""),
        ("mine.example.com", "only_there", ""),
        ("quay.io", "differs", "password"),
        ("registry.redhat.io", "missing", ""),
    ]
    assert "canary" not in str(rows)


def test_an_empty_secret_misses_all_registries() -> None:
    assert told(compare_registries(file_of(quay_io="a"), NOTHING)) == [("quay.io", "missing", "")]


def test_a_filter_leaves_out_other_registries() -> None:
    theirs = file_of(quay_io="a", mine_example_com="b", other_example_com="c")
    assert told(compare_registries(file_of(quay_io="a"), theirs, ["quay.io", "mine*"])) == [
        ("mine.example.com", "only_there", ""),
        ("quay.io", "same", ""),
    ]


def test_the_spelling_of_an_entry_does_not_count() -> None:
    stored = parse_stored('{"auths": {"https://quay.io/v2/": {"auth": "dTph", "email": "e"}}}', legacy=False)
    assert told(compare_registries(file_of(quay_io="a"), stored)) == [("quay.io", "same", "")]


def test_each_spelling_of_a_registry_counts() -> None:
    text = '{"auths": {"quay.io": {"auth": "dTph", "email": "e"}, "https://quay.io": {"auth": "dTpi"}}}'
    stored = parse_stored(text, legacy=False)
    assert told(compare_registries(file_of(quay_io="a"), stored)) == [("quay.io", "differs", "email,password")]


def test_a_user_in_a_key_is_not_shown() -> None:
    stored = parse_stored('{"auths": {"bob:canary@mine.io": {"auth": "dTph"}}}', legacy=False)
    assert told(compare_registries(file_of(quay_io="a"), stored))[0] == ("mine.io", "only_there", "")
