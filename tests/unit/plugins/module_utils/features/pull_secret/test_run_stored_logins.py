# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""If a registry on 127.0.0.1 refuses a login, the failure reports that the stored secret has a working one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Entry, Failure
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import Batch, Declaration
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult, Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret.plan import from_options
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_secret.run import (
    name_working_logins,
    verify_logins,
)
from support.certificates import server_context
from support.fake_api import FakeApi
from support.hostile_registry import HostileRegistry, asks_for, served
from support.objects import b64
from support.scripted_pool import Clock, status_object

NEW, OLD = "Canary-new", "Canary-old"
PULL = "kubernetes.io/dockerconfigjson"


def auth(password: str) -> str:
    return b64(f"alice:{password}")


@pytest.fixture
def server(certificate: str, no_outside_settings: None) -> Iterator[HostileRegistry]:
    """Serve a registry that accepts the new login."""
    with served(asks_for(f"alice:{NEW}"), server_context(certificate)) as found:
        yield found


class Case:
    """Failed entries by namespace, with the content of the secret `pull` there."""

    def __init__(self, certificate: str, host: str) -> None:
        self.api, self.certificate, self.host = FakeApi(), certificate, host

    def stored(self, namespace: str, password: str, key: str = "") -> None:
        content = json.dumps({"auths": {key or self.host: {"auth": auth(password)}}})
        data = {".dockerconfigjson": b64(content)}
        self.api.put("secrets", namespace, "pull", type=PULL, data=data)

    def errors(self, *namespaces: str, password: str = OLD, verify: bool = True, **more: Any) -> dict[str, str]:
        login = {"registry": self.host, "username": "alice", "password": password}
        options = {"name": "pull", "state": "present", "type": PULL, "registries": [login], "verify": verify}
        options |= {"registry_ca_cert": self.certificate, "registry_timeout": 60, **more}
        entry = Entry("secrets", 0, "pull")
        declared = [Declaration(from_options(options, lambda _path: ""), entry)]
        results = [
            NamespaceResult(name, "failed", failures=(Failure(entry, "refused"), Failure(Entry("secrets", 9), "other")))
            for name in namespaces
        ]
        clock = Clock()
        outcome = name_working_logins(
            verify_logins(declared).answers,
            self.api.cluster(clock),
            Batch(SECRET, dict.fromkeys(namespaces, declared)),
            Outcome(results),
            RunSettings(check_mode=False, clock=clock),
        )
        assert self.api.writes == []
        assert "anary" not in json.dumps(outcome.report())
        assert {result.failures[1].error for result in outcome.namespaces} == {"other"}
        return {result.name: result.failures[0].error for result in outcome.namespaces}


@pytest.fixture
def case(certificate: str, server: HostileRegistry) -> Case:
    return Case(certificate, server.host)


def test_a_stored_login_that_works_is_named_with_its_place(case: Case, server: HostileRegistry) -> None:
    case.stored("a", NEW, f"https://{case.host}/v2/")
    case.stored("b", OLD)
    case.stored("c", "Canary-guess")
    case.stored("d", NEW, "other.example.com")
    case.api.put("secrets", "f", "pull", type=PULL, data={".dockerconfigjson": "?"})
    case.api.put("secrets", "g", "pull", type=PULL, data={})
    case.api.fail("GET /api/v1/namespaces/h/secrets", status_object(403, "Forbidden", "no"))
    errors = case.errors(*"abcdefgh")
    assert errors.pop("a") == (
        f"refused. The secret has another login for {case.host}, and the registry accepts that one: it was probably renewed. Users of "
        "the namespace can write this secret, so give that login to this entry only if you know it. Without 'verify', the login that works "
        "would be replaced"
    )
    assert {*errors.values()} == {"refused"}
    assert len(server.requests) == 6, "each of the three logins once in the task, after a request without one"


@pytest.mark.parametrize("refusal", [b"401 No", b"403 No", b"404 No"])
def test_each_refusal_of_an_image_looks_at_the_stored_login(certificate: str, refusal: bytes) -> None:
    """A registry can deny the image to a login, or hide it."""

    def script(server: HostileRegistry) -> Iterator[bytes]:
        request = server.requests[-1]
        answer = b"401 No" if b"Authorization: " not in request else b"200 OK"
        if auth(OLD).encode() in request and b"/manifests/" in request:
            answer = refusal
        yield b'HTTP/1.1 %s\r\nWWW-Authenticate: Basic realm="r"\r\nConnection: close\r\n\r\n' % answer

    with served(script, server_context(certificate)) as server:
        case = Case(certificate, server.host)
        case.stored("a", NEW)
        errors = case.errors("a", verify_repositories=[f"{server.host}/team/app:v1"])
        assert "the registry accepts that one" in errors["a"]


def test_no_secret_is_read_for_a_login_that_works(case: Case, server: HostileRegistry) -> None:
    case.stored("a", "Canary-guess")
    assert case.errors("a", password=NEW) == {"a": "refused"}
    assert (len(server.requests), case.api.asked) == (2, [])


def test_no_registry_is_asked_without_verify(case: Case, server: HostileRegistry) -> None:
    case.stored("a", NEW)
    assert case.errors("a", verify=False) == {"a": "refused"}
    assert (server.requests, case.api.asked) == ([], [])


def test_secrets_of_many_namespaces_cost_a_limited_number_of_requests(case: Case) -> None:
    names = [f"n{number}" for number in range(150)]
    for name in names:
        case.stored(name, NEW)
    errors = case.errors(*names)
    assert len(case.api.asked) == 100
    assert sum(error != "refused" for error in errors.values()) == 100
