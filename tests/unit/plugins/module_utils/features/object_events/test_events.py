# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of an event source that cannot work are all refused at once."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    KINDS,
    WatchedKind,
    from_options,
)
from support.objects import raised

USUAL: dict[str, Any] = {
    "kinds": [{"kind": "Namespace"}],
    "namespaces": ["*"],
    "exclude_namespaces": None,
    "system_namespaces": False,
    "batch_seconds": 2.0,
    "batch_size": 500,
    "resync_seconds": 600.0,
    "repeat_seconds": 3600.0,
}


def made(**options: Any) -> Any:
    return from_options({**USUAL, **options})


def refused(**options: Any) -> str:
    return raised(OptionError, lambda: made(**options))


def test_namespaces_are_watched_by_default() -> None:
    settings = made()
    (watched,) = settings.watched
    assert watched == WatchedKind(KINDS["Namespace"], changes=frozenset(("existing", "created", "changed")))
    assert (settings.batch_seconds, settings.batch_size) == (2.0, 500)
    assert (settings.resync_seconds, settings.repeat_seconds) == (600.0, 3600.0)


def test_namespaces_are_repeated_and_other_kinds_only_without_namespaces() -> None:
    secret = {"kind": "Secret"}
    assert [made(kinds=[{"kind": "Namespace"}, secret]).repeats(kind) for kind in ("Namespace", "Secret")] == [
        True,
        False,
    ]
    assert made(kinds=[secret]).repeats("Secret")
    assert not made(repeat_seconds=0).repeats("Namespace")


def test_a_kind_takes_all_its_options() -> None:
    kind = {"kind": "Secret", "label_selector": " a=b ", "include": ["p*"], "exclude": ["pq"], "changes": ["deleted"]}
    (watched,) = made(kinds=[kind]).watched
    assert (watched.kind.resource, watched.label_selector, watched.changes) == ("secrets", "a=b", {"deleted"})
    assert [name for name in ("p", "pq", "pr", "x") if watched.matches(name)] == ["p", "pr"]


def test_every_name_matches_without_globs() -> None:
    assert WatchedKind(KINDS["Secret"]).matches("anything")
    assert not WatchedKind(KINDS["Secret"], exclude=("any*",)).matches("anything")


@pytest.mark.parametrize(
    ("options", "meant"),
    [
        ({}, ["a", "b"]),
        ({"namespaces": ["a*"]}, ["a"]),
        ({"exclude_namespaces": ["a"]}, ["b"]),
        ({"system_namespaces": True}, ["a", "b", "kube-system", "openshift-x"]),
    ],
)
def test_namespaces_are_selected_by_globs(options: dict[str, Any], meant: list[str]) -> None:
    found = made(**options).namespaces
    assert [name for name in ("a", "b", "kube-system", "openshift-x") if found.matches(name)] == meant


def test_all_problems_are_reported_at_once() -> None:
    twice = [{"kind": "Secret"}, {"kind": "Secret", "changes": []}]
    said = refused(kinds=twice, batch_seconds=-1, batch_size=0, resync_seconds=9)
    for part in (
        "names Secret twice",
        "Secret has no 'changes'",
        "'batch_seconds'",
        "'batch_size'",
        "'resync_seconds'",
    ):
        assert part in said
    assert "names no kind" in refused(kinds=[])


@pytest.mark.parametrize(
    ("name", "best", "worst"),
    [
        ("batch_seconds", (0, 600), (-0.1, 600.1, float("nan"))),
        ("batch_size", (1, 10_000), (0, 10_001)),
        ("resync_seconds", (10, 86_400), (9.9, 86_401, float("inf"), float("nan"))),
        ("repeat_seconds", (0, 2_678_400), (-1, 2_678_401, float("nan"))),
    ],
)
def test_values_outside_the_bounds_are_refused(name: str, best: tuple[float, ...], worst: tuple[float, ...]) -> None:
    for value in best:
        assert getattr(made(**{name: value}), name) == value
    for value in worst:
        assert f"option '{name}'" in refused(**{name: value})
