# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The survey of a namespace describes its secrets, and lists the secrets that its objects name."""

from __future__ import annotations

import pytest
from support.surveyed import NOW, account, auth, deployment, place, pod, secret, survey


def held(*more, **given):
    return place(secrets=[secret("s", *more, **given)]).secrets["s"]


def test_a_secret_that_nodes_read_has_keys_and_logins() -> None:
    it = held({"q.io": auth("p", "u"), "empty.io": {}})
    assert (it.is_read, it.is_for_pulls, list(it.keys)) == (True, True, ["q.io", "empty.io"])
    assert [(one.key, one.username, one.password) for one in it.logins] == [("q.io", "u", "p")]


def test_an_invalid_entry_leaves_no_keys_and_all_other_logins() -> None:
    it = held({"q.io": auth("p", "u"), "bad.io": {"auth": "?"}})
    assert list(it.keys) == []
    assert [one.key for one in it.logins] == ["q.io"]


@pytest.mark.parametrize("kind", ["kubernetes.io/podmanconfigjson", "Opaque"])
def test_a_type_that_no_node_reads_has_logins_and_no_keys(kind) -> None:
    it = held(kind=kind)
    assert (it.is_read, list(it.keys), len(it.logins)) == (False, [], 1)


@pytest.mark.parametrize(
    ("content", "keys"), [({"r:5000": auth()}, ["r:5000"]), ("no JSON", []), ("[1]", []), ("[" * 100_000, [])]
)
def test_the_keys_of_a_generated_secret_are_read_from_any_content(content, keys) -> None:
    assert list(held(content, kind="kubernetes.io/dockercfg", generated=True).keys) == keys


def test_a_generated_secret_of_another_type_is_read_like_any_other() -> None:
    assert list(held({"q.io": auth()}, generated=True).keys) == ["q.io"]


def test_the_time_of_the_last_write_is_known() -> None:
    times = {"one": "2025-12-30T00:00:00Z", "two": "2026-01-01T00:00:00Z"}
    assert held(managers=times).written == NOW
    assert held(created="2026-01-01T00:00:00Z").written == NOW
    assert held(created="?").written == 0


def test_named_secrets_are_listed_with_their_purpose() -> None:
    seen = place(
        accounts=[account("a", secrets=[{"name": "mounted"}])],
        pods=[pod("p", volumes=[{"secret": {"secretName": "v"}}])],
        workloads=[deployment("w")],
    )
    assert dict(seen.named_for_pulls) == {
        "a": "service account a/default", "p": "pod a/app", "w": "deployment a/web"
    }  # fmt: skip
    assert seen.named - {""} == {"a", "p", "w", "v", "mounted"}


def test_the_containers_of_pods_are_distinguished_from_templates() -> None:
    seen = survey(place(secrets=[secret("s")], pods=[pod("s")], workloads=[deployment("s")]))
    assert [subject.ref.kind.kind for subject, _access in seen.subject_pods("a")] == ["Pod"]
    assert len(seen.accesses["a"]) == 2
