# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A malformed answer of a server or proxy leads to a one-line error, without a lost change and without a credential."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.anything import ANYTHING, CHANGES
from support.hostile import WORK, Hostile, hostile, judged
from support.hostile_proxy import altered, answered, cut, hanging, refused
from support.lab import Lab, path_of, pull_names
from support.modules import run_module
from support.statuses import times_said

#: The first request of a module that reads.
FIRST_READ = {
    "pull_secret": r"GET .*/secrets/ours",
    "sa_link": r"GET .*/serviceaccounts/default",
    "image_puller_grant": r"GET .*/rolebindings",
    "sa_wait": r"GET .*/serviceaccounts/default",
}
WRITE = {
    "pull_secret": r"POST .*/secrets",
    "sa_link": r"PATCH .*/serviceaccounts/default",
    "image_puller_grant": r"POST .*/rolebindings",
}
#: A number of namespaces that is read by one list.
MANY = 6

#: Bodies that are not Kubernetes objects.
NO_OBJECTS: dict[str, Any] = {
    "an empty body": b"",
    "a list": [],
    "null": None,
    "a string": b'"text"',
    "a number": b"1",
    "true": b"true",
    "text": "It works!",
    "HTML": "<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>",
    "half an object": b'{"kind": "Secret", "metadata": {"name": "ou',
    "no UTF-8": b'{"kind": "\xff\xfe"}',
    "NUL": b"\x00\x00\x00",
    "NaN": b"NaN",
    "a long number": b"9" * 5000,
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
}
#: Objects that lack mandatory fields.
NO_NAMES: dict[str, Any] = {
    "nothing": {},
    "metadata null": {"metadata": None},
    "metadata a list": {"metadata": []},
    "metadata a string": {"metadata": "x"},
    "no name": {"metadata": {}},
    "name null": {"metadata": {"name": None, "namespace": None}},
    "name a number": {"metadata": {"name": 1, "namespace": 2, "resourceVersion": 3}},
    "name a list": {"metadata": {"name": [], "namespace": {}}},
}
BODIES = {**NO_OBJECTS, **NO_NAMES}


@pytest.fixture(scope="module")
def one_server(lab) -> Iterator[Hostile]:
    with hostile(lab) as met:
        yield met


@pytest.fixture
def server(one_server) -> Hostile:
    """The proxy that all tests share, without the rules of the previous test."""
    one_server.proxy.forget()
    return one_server


@pytest.fixture(scope="module")
def here(lab) -> str:
    """A namespace that contains a secret to link."""
    lab.namespace("hostile-0")
    lab.create("hostile-0", "secrets", {"metadata": {"name": "theirs"}, "type": "Opaque"})
    return "hostile-0"


@pytest.fixture(scope="module")
def many(lab, here) -> list[str]:
    names = [f"hostile-{number}" for number in range(1, MANY)]
    for name in names:
        lab.namespace(name)
        lab.create(name, "secrets", {"metadata": {"name": "theirs"}, "type": "Opaque"})
    return [here, *names]


def undo(lab: Lab, *namespaces: str) -> None:
    """Delete our objects, so that the next run has something to do."""
    for namespace in namespaces:
        for resource, name in (("secrets", "ours"), ("rolebindings", "image-puller-grant")):
            lab.api("DELETE", path_of(namespace, resource, name), expect=(200, 404))
        if any("-dockercfg-" not in name for name in pull_names(lab.account(namespace))):
            lab.set_account(namespace, imagePullSecrets=[])


class TestReads:
    """A malformed answer is reported as an error and never treated as a missing or empty object."""

    @pytest.mark.parametrize(
        ("module", "body"),
        [("sa_link", body) for body in BODIES]
        + [(module, body) for module in WORK if module != "sa_link" for body in ("null", *NO_NAMES)],
    )
    def test_a_malformed_object_fails_the_task_before_any_write(self, server, here, module, body):
        server.proxy.rule(FIRST_READ[module], answered(200, BODIES[body]))
        result = server.run(module, namespaces=[here], **WORK[module])
        assert result["failed"]
        assert server.proxy.url in result["msg"]
        assert server.proxy.asked("^(POST|PATCH|PUT|DELETE)") == []

    @pytest.mark.parametrize("act", [answered(200, []), refused(400, "BadRequest"), refused(422, "Invalid")])
    def test_an_odd_answer_for_one_namespace_fails_only_that_namespace(self, server, many, act):
        few = many[:4]  # these are read one by one
        undo(server.lab, *few)
        server.proxy.rule(f"GET /api/v1/namespaces/{few[1]}/secrets/theirs", act)
        result = server.run("sa_link", namespaces=few, **WORK["sa_link"])
        assert [failure["namespace"] for failure in result["failures"]] == [few[1]]
        assert result["summary"]["changed"] == len(few) - 1

    @pytest.mark.parametrize("data", ["x", ["x"], 1, {".dockerconfigjson": 1}, {".dockerconfigjson": "%"}], ids=repr)
    def test_a_secret_with_malformed_data_is_not_merged(self, server, here, data):
        """Nothing is merged into unreadable content, and a replacement reports that the old content was unreadable."""
        undo(server.lab, here)
        run_module("pull_secret", kubeconfig=server.lab.kubeconfig, namespaces=[here], **WORK["pull_secret"])
        server.proxy.rule(r"GET .*/secrets/ours", altered(lambda secret: {**secret, "data": data}))
        other = {"registry": "quay.example.com", "username": "b", "password": "Zz9-battery-staple"}
        result = server.run("pull_secret", namespaces=[here], name="ours", registries=[other], mode="merge")
        assert result["failed"]
        assert server.proxy.asked("^(POST|PATCH|PUT|DELETE)") == []
        result = server.run("pull_secret", namespaces=[here], name="ours", registries=[other], mode="replace")
        assert result["failed"] or "it is not known" in str(result["warnings"])


class TestRefusals:
    """Any Status and any other body with the code of a refusal leads to a readable error."""

    @pytest.mark.parametrize("body", ["404 page not found\n", {"kind": "Status", "code": 404, "reason": "NotFound"}])
    def test_a_create_with_a_404_is_not_retried_for_long(self, server, here, body):
        """A proxy that knows only some paths answers like this, although the namespace exists."""
        undo(server.lab, here)
        server.proxy.rule("POST .*/secrets", answered(404, body), times=20)
        result = server.run("pull_secret", namespaces=[here], **WORK["pull_secret"])
        assert times_said(result["msg"], 404)
        assert len(server.proxy.asked("POST")) <= 3


class TestWrites:
    """A write with a useless answer is neither lost nor counted twice."""

    @pytest.mark.parametrize(
        ("module", "body"),
        [("pull_secret", body) for body in BODIES]
        + [(module, body) for module in WRITE for body in ("null", "nothing")],
    )
    def test_a_write_with_a_malformed_answer_is_neither_lost_nor_repeated(self, server, here, module, body):
        undo(server.lab, here)
        value = BODIES[body]
        sent = value if isinstance(value, bytes) else json.dumps(value).encode()
        server.proxy.rule(WRITE[module], altered(lambda _answer: sent), times=1)
        result = server.run(module, namespaces=[here], **WORK[module])
        assert result["summary"]["changed"] + result["summary"]["failed"] == 1
        assert len(server.proxy.asked(WRITE[module])) == 1
        again = server.run(module, namespaces=[here], **WORK[module])
        assert (again["failed"], again["changed"]) == (False, False)


class TestHalfAnswers:
    """A connection ends or hangs at any point of the exchange."""

    @pytest.mark.parametrize("by_reset", [True, False])
    @pytest.mark.parametrize("point", ["request", "answer", "head", "body"])
    @pytest.mark.parametrize("module", WRITE)
    def test_a_closed_connection_is_retried(self, server, here, module, point, by_reset):
        undo(server.lab, here)
        for pattern in (FIRST_READ[module], WRITE[module]):
            server.proxy.rule(pattern, cut(point, by_reset=by_reset), times=1)
        result = server.run(module, namespaces=[here], **WORK[module])
        assert not result["failed"], result["msg"]
        assert result["summary"]["changed"] == 1
        assert len(server.proxy.asked(WRITE[module])) == (2 if point == "request" else 1)

    @pytest.mark.parametrize("point", ["request", "answer", "head", "body"])
    def test_a_connection_that_hangs_and_closes_is_retried(self, server, here, point):
        undo(server.lab, here)
        for pattern in (FIRST_READ["sa_link"], WRITE["sa_link"]):
            server.proxy.rule(pattern, hanging(point, 0.3), times=1)
        result = server.run("sa_link", namespaces=[here], **WORK["sa_link"])
        assert not result["failed"], result["msg"]
        assert result["summary"]["changed"] == 1
        assert pull_names(server.lab.account(here))[-1] == "theirs"


# --- random faults

#: The module waits after a server failure (5xx), so only one occurs at a time here.
_STATUSES = st.sampled_from(
    [200, 200, 200, 201, 202, 204, 301, 400, 402, 403, 404, 409, 410, 413, 415, 422, 429, 500, 503]
)
_BODIES = st.binary(max_size=40) | st.text(max_size=40) | ANYTHING.map(lambda value: json.dumps(value).encode())
_ACTS = st.builds(answered, _STATUSES, _BODIES) | st.builds(altered, CHANGES, st.just(0) | _STATUSES)
_REQUESTS = st.sampled_from(
    ["GET .*/(secrets|serviceaccounts|rolebindings)", "PATCH", "POST", r"GET .*\?.*limit=", "GET /apis", ""]
)


class TestAnything:
    @pytest.mark.slow
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        module=st.sampled_from(list(WORK)),
        is_many=st.booleans(),
        rules=st.lists(st.tuples(_REQUESTS, _ACTS, st.integers(0, 2), st.integers(1, 2)), min_size=1, max_size=3),
    )
    def test_random_faults_leave_a_readable_result_and_the_next_run_finishes(
        self, server, many, module, is_many, rules
    ):
        """The result is one readable line without a credential, arrives quickly, and the next run finishes the work."""
        names = many if is_many else many[:1]
        undo(server.lab, *names)
        server.proxy.forget()
        for pattern, act, after, times in rules:
            server.proxy.rule(pattern, act, after=after, times=times)
        started = time.monotonic()
        server.run(module, namespaces=names, **WORK[module])
        assert time.monotonic() - started < 15
        again = judged(run_module(module, kubeconfig=server.lab.kubeconfig, namespaces=names, **WORK[module]))
        assert not again["failed"], again["msg"]
