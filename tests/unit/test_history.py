# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model of the histories finds each bad history and accepts the good ones. The lab's own histories are in tests/faults."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.history import Event, Model, Operation, in_order, unnamed_logins
from support.objects import auth_file, pull_secret

QUAY, THEIRS = "quay.io", "theirs.io"
LINKS = ("serviceaccounts", "a", "default")
SECRET = ("secrets", "a", "pull")
BINDING = ("rolebindings", "a", "pullers")


def login(password: str, *more: str, **parts: Any) -> dict[str, Any]:
    return pull_secret("pull", auth_file({QUAY: ("u", password), **dict.fromkeys(more, ("u", "p"))}), **parts)


def account(*names: str) -> dict[str, Any]:
    return {"imagePullSecrets": [{"name": name} for name in names]}


def binding(*names: str) -> dict[str, Any]:
    return {"subjects": [{"kind": "ServiceAccount", "namespace": name, "name": "default"} for name in names]}


class Cluster:
    """A cluster whose default account pulls with the secret `pull`. It gives the next version to each write."""

    def __init__(self, *linked: str) -> None:
        self.model, self.version = Model(), 0
        self.write(SECRET, login("old", THEIRS), module="")
        self.write(LINKS, account("platform", *(linked or ("pull",))), module="")
        self.write(BINDING, binding("b", "c"), module="")

    def write(self, key: Any, obj: Any, module: str = "sa_link", *, read: Any = None, text: str = "") -> list[str]:
        """`read`: the version that the write names, by default the current one. `obj` is None for a deletion."""
        current = self.model._namespaces["a"].get((key[0], key[2]), {}).get("metadata", {}).get("resourceVersion")
        named = {"resourceVersion": current if read is None else read}
        self.version += 1
        if obj is None:
            event = Event(module, "delete", key, sent={"preconditions": named}, got={"kind": "Status"})
        else:
            verb = "patch" if current else "create"
            meta = {**obj.get("metadata", {}), "resourceVersion": str(self.version)}
            event = Event(module, verb, key, sent={"metadata": named}, got={**obj, "metadata": meta})
        return self.model.apply(event, [Operation("a task", text)] if text else [Operation("a task", "nothing")])


GOOD: dict[str, list[tuple[Any, Any, str, str]]] = {
    "a link is added": [(LINKS, account("platform", "pull", "new"), "sa_link", "new")],
    "the platform links first": [(LINKS, account("generated", "platform", "pull"), "", "")],
    "a named link is removed": [(LINKS, account("platform"), "sa_link", "pull, state: absent")],
    "links that nobody declares are removed": [(LINKS, account("platform"), "pull_access_prune", "declared")],
    "only declared links stay": [(LINKS, account("pull"), "sa_link", "exclusive: true")],
    "a login is replaced": [(SECRET, login("new", THEIRS), "credential_rotation", QUAY)],
    "the content is declared": [(SECRET, login("old"), "pull_secret", f"name: pull, registries: [{QUAY}]")],
    "the content is declared next to a merge": [
        (SECRET, login("old"), "pull_secret", "secrets:\n- name: pull\n- mode: merge\n  name: other\n")
    ],
    "a login is added": [(SECRET, login("old", THEIRS, "new.io"), "pull_secret", "pull merge new.io")],
    "somebody else revokes": [(SECRET, None, "", "")],
    "a secret is removed": [(SECRET, None, "pull_secret", "pull, state: absent")],
    "a secret is removed by a variable": [(SECRET, None, "pull_secret", "private_registry_state=absent")],
    "a secret is replaced on request": [
        (SECRET, None, "pull_secret", "pull, recreate: true"),
        (SECRET, login("old", THEIRS), "pull_secret", "pull, recreate: true"),
    ],
    "an account of a project is revoked": [(BINDING, binding("c"), "image_puller_grant", "projects: [b]")],
}
BAD: dict[str, tuple[list[tuple[Any, Any, str, str]], str]] = {
    "the platform's link is lost": ([(LINKS, account("pull"), "sa_link", "pull")], "platform of the version"),
    "a link is lost": ([(LINKS, account("platform"), "sa_link", "new")], "can no longer pull from quay.io"),
    "the order changes": ([(LINKS, account("pull", "platform"), "sa_link", "pull")], "changed their order"),
    "a login of others is lost": (
        [(SECRET, login("old"), "pull_secret", "pull merge quay.io")],
        "theirs.io of the version",
    ),
    "a merge loses a login": (
        [(SECRET, login("old"), "pull_secret", "secrets:\n- mode: merge\n  name: pull\n- name: other\n")],
        "theirs.io of the version",
    ),
    "a rotation loses a login": (
        [(SECRET, login("new"), "credential_rotation", QUAY)],
        "can no longer pull from theirs.io",
    ),
    "another login changes": (
        [(SECRET, login("new", THEIRS), "credential_rotation", THEIRS)],
        "the login for quay.io changed",
    ),
    "the type changes": ([(SECRET, login("old", THEIRS, kind="Opaque"), "sa_link", "pull")], "the type changed"),
    "a linked secret is deleted": ([(SECRET, None, "credential_rotation", "pull")], "can no longer pull from quay.io"),
    "another subject is lost": (
        [(BINDING, binding("b"), "image_puller_grant", "projects: [b]")],
        "subjects: c/default",
    ),
    "another label is lost": (
        [
            (SECRET, login("old", THEIRS, metadata={"labels": {"team": "x"}}), "", ""),
            (SECRET, login("old", THEIRS), "pull_secret", "pull merge"),
        ],
        "labels: team changed",
    ),
    "a usable login becomes unreadable": (
        [(SECRET, {**login("old", THEIRS), "data": {".dockerconfigjson": "eA=="}}, "pull_secret", "merge")],
        "can no longer pull from quay.io",
    ),
}


def problems(writes: list[tuple[Any, Any, str, str]]) -> list[str]:
    cluster = Cluster()
    return [found for key, obj, module, text in writes for found in cluster.write(key, obj, module, text=text)]


@pytest.mark.parametrize("what", GOOD)
def test_a_good_history_is_accepted(what: str) -> None:
    assert problems(GOOD[what]) == []


@pytest.mark.parametrize("what", BAD)
def test_a_bad_history_is_found(what: str) -> None:
    writes, words = BAD[what]
    assert words in "\n".join(problems(writes))


@pytest.mark.parametrize(("key", "obj"), [(LINKS, account("platform", "pull", "new")), (SECRET, None)])
def test_a_write_without_the_version_that_was_read_is_found(key: Any, obj: Any) -> None:
    found = Cluster().write(key, obj, read="", text="pull, state: absent")
    assert [problem.partition(": ")[2].partition(": ")[2] for problem in found] == [
        "the write does not name the version that was read"
    ]


def test_a_gap_in_the_history_is_found() -> None:
    assert "the history lacks version 99" in str(Cluster().write(LINKS, account("platform", "pull"), read="99"))


def line(verb: str, name: str, began: int, ended: int, *, version: int = 0, code: int = 200, **parts: Any) -> bytes:
    got = {"metadata": {"name": name, **({"resourceVersion": str(version)} if version else {})}}
    return json.dumps(
        {
            "verb": verb,
            "userAgent": "openshift_ops.image_pull/1.0.0 (pull_secret)",
            "requestURI": "/api/v1/x",
            "objectRef": {"resource": "secrets", "namespace": "a", "name": name},
            "responseObject": got,
            "responseStatus": {"code": code},
            "requestReceivedTimestamp": f"2026-01-01T00:00:{began:02}.000000Z",
            "stageTimestamp": f"2026-01-01T00:00:{ended:02}.000000Z",
            **parts,
        },
        separators=(",", ":"),
    ).encode()


def test_writes_have_the_order_of_their_versions_and_deletions_come_after_what_ended_before() -> None:
    lines = [
        line("get", "one", 0, 1),
        line("create", "two", 1, 3, version=11),
        line("create", "one", 1, 2, version=12),
        line("delete", "two", 4, 6),
        line("create", "three", 5, 5, version=14),
        line("patch", "three", 8, 9, code=409),
        line("create", "four", 7, 8, version=20),
    ]
    found = in_order(lines)
    assert [(one.verb, one.key[2]) for one in found if one.is_write] == [
        ("create", "two"), ("create", "one"), ("delete", "two"), ("create", "three"), ("create", "four"),
    ]  # fmt: skip
    assert {one.module for one in found} == {"pull_secret"}
    dry = line("create", "five", 1, 2, requestURI="/api/v1/x?dryRun=All")
    assert not any(one.is_write for one in in_order([dry]))


def test_a_login_at_an_unnamed_host_is_found() -> None:
    head = b"2026/01/01 00:00:00.000000 host=127.0.0.2:5000 "
    login = b'agent="openshift_ops.image_pull" GET /v2/ authorization=basic status=200'
    lines = [
        head + login,
        head + login.replace(b"openshift_ops.image_pull", b"cri-o"),
        head + login.replace(b"basic", b"none"),
    ]
    (found,) = unnamed_logins(lines, [Operation("a task", "quay.io")])
    assert "a login went to 127.0.0.2:5000, which the user did not name: GET /v2/" in found
    assert list(unnamed_logins(lines, [Operation("a task", "verify 127.0.0.2:5000")])) == []
