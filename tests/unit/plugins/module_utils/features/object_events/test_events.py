# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that cannot work are all refused at once, and Ansible never evaluates a text of the cluster as a template."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.text import is_plain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    KINDS,
    WatchedKind,
    WatchHealth,
    encode_name,
    escape_templates,
    first_labels,
    from_options,
    valid_labels,
    valid_time,
)
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
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
    return raised(OptionError, partial(made, **options))


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


HEADER = "#jinja2:variable_start_string:'[%',variable_end_string:'%]'\n[% x %]"


@pytest.mark.parametrize("name", ["a", "system:image-pullers", "Admin_1.b+c@d", "x" * 253])
def test_a_plain_name_is_shown_as_it_is(name: str) -> None:
    assert encode_name(name) == name


@pytest.mark.parametrize(
    "name", ["{{ x }}", HEADER, "", "-a", "a b", "a\n", "é", "!x", "&x", "a/b", "x" * 254, "\ud800"]
)
def test_an_unusual_name_is_shown_as_its_bytes(name: str) -> None:
    shown = encode_name(name)
    assert shown.startswith("hex/") and is_plain(shown) and len(shown) <= 4 + 2 * 253
    assert name.encode("utf-8", "surrogatepass").startswith(bytes.fromhex(shown.removeprefix("hex/")))


@given(st.text(), st.text())
def test_names_stay_different(first: str, second: str) -> None:
    assert is_plain(encode_name(first))
    if first != second and max(len(first.encode("utf-8", "surrogatepass")), len(second.encode())) <= 253:
        assert encode_name(first) != encode_name(second)


@pytest.mark.parametrize(
    ("key", "value", "is_valid"),
    [
        ("a", "b", True),
        ("example.com/A_b.c-d", "B_c.d-e", True),
        ("a", "", True),
        ("a", "x" * 63, True),
        ("a", "x" * 64, False),
        ("a" * 64, "", False),
        ("", "b", False),
        ("/a", "b", False),
        ("a/b/c", "b", False),
        ("A/b", "b", False),
        ("a", "b\n", False),
        ("a\n", "b", False),
        ("a", "{{ b }}", False),
        ("a", HEADER, False),
        ("a", "-b", False),
        ("a", "é", False),
        ("a", 1, False),
        ("a", None, False),
    ],
)
def test_labels_are_those_of_kubernetes(key: str, value: Any, is_valid: bool) -> None:
    assert valid_labels({key: value}) == ({key: value} if is_valid else {})


def test_labels_are_sorted_and_limited_in_number() -> None:
    assert [*valid_labels({"b": "1", "a": "2"})] == ["a", "b"]
    assert [*first_labels({f"l{number}": "" for number in range(101)})] == [f"l{number}" for number in range(100)]


def test_the_labels_of_an_object_are_not_too_long() -> None:
    labels = {f"l{number:02}": "x" * 63 for number in range(100)}
    assert first_labels(labels) == {f"l{number:02}": "x" * 63 for number in range(60)}


@pytest.mark.parametrize("time", ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.123456Z"])
def test_a_valid_time_is_kept(time: str) -> None:
    assert valid_time(time) == time


@pytest.mark.parametrize(
    "text", ["", "t", "2026-01-01T00:00:00Z\n", "2026-01-01T00:00:00+01:00", "{{ 2026-01-01T00:00:00Z }}"]
)
def test_an_invalid_time_is_left_out(text: str) -> None:
    assert valid_time(text) == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("{{ x }}", "?? x ??"),
        (HEADER.replace("\n", "\r\n"), "?jinja2:variable_start_string:'[?',variable_end_string:'?]'??[? x ?]"),
        ({"{{k}}": ["#v", 1, None, True, 1.5]}, {"??k??": ["?v", 1, None, True, 1.5]}),
        (("$a\\",), ["?a?"]),
        (
            'listing of "a" in b: 403 (https://[::1]:6443/x?y=z&a)',
            'listing of "a" in b: 403 (https://[::1]:6443/x?y=z&a)',
        ),
    ],
)
def test_each_character_that_could_be_part_of_a_template_is_a_question_mark(value: Any, shown: Any) -> None:
    assert escape_templates(value) == shown


@given(st.text(alphabet="{}%#[] ax-\n'", max_size=20), st.sampled_from(["{{", "[%", "<<", "#"]))
def test_jinja_finds_nothing_in_any_text(text: str, start: str) -> None:
    shown = escape_templates(text)
    assert {kind for _line, kind, _text in Environment(autoescape=True).lex(shown)} <= {"data"}
    assert not shown.startswith("#") and "\n" not in shown and escape_templates(shown) == shown


def connected(kinds: str, missing: str = "", unlisted: str = "") -> dict[str, Any]:
    lists = {"kinds": [*kinds], "missing": [*missing], "unlisted": [*unlisted]}
    return {"type": "health", "state": "connected", **lists}


def failed(state: str, kind: str, message: str) -> dict[str, Any]:
    return {"type": "health", "state": state, "kind": kind, "message": message}


def whole() -> WatchHealth:
    """Return a WatchHealth that has reported A and B as connected."""
    sight = WatchHealth(["A", "B"])
    sight.mark_healthy("A")
    assert sight.mark_healthy("B") == [connected("AB")]
    return sight


def test_the_cluster_is_connected_when_all_kinds_are() -> None:
    sight = WatchHealth(["A", "B"])
    assert sight.mark_healthy("A") == []
    assert sight.mark_healthy("A") == []
    assert sight.mark_healthy("B") == [connected("AB")]
    assert sight.mark_healthy("B") == []


def test_a_failure_of_the_cluster_is_reported_once_for_all_kinds() -> None:
    sight = whole()
    assert sight.mark_lost("A", "no answer", alone=False) == [failed("lost", "A", "no answer")]
    assert sight.mark_lost("B", "no answer", alone=False) == []
    assert sight.mark_lost("A", "still none", alone=False) == []
    assert sight.mark_healthy("A") == []
    assert sight.mark_healthy("B") == [connected("AB")]
    assert sight.mark_lost("B", "again", alone=False) == [failed("lost", "B", "again")]


def test_a_kind_that_is_refused_is_reported_and_the_others_go_on() -> None:
    sight = WatchHealth(["A", "B"])
    assert sight.mark_lost("B", "no right", alone=True) == [failed("lost", "B", "no right")]
    assert sight.is_undecided
    assert sight.mark_healthy("A") == [connected("A", missing="B")]
    assert sight.mark_lost("B", "no right", alone=True) == []
    assert not sight.is_undecided
    assert sight.mark_healthy("A") == []
    assert sight.mark_healthy("B") == [connected("AB")]


def test_each_refused_kind_is_reported() -> None:
    sight = whole()
    assert sight.mark_lost("A", "no right", alone=True) == [
        failed("lost", "A", "no right"),
        connected("B", missing="A"),
    ]
    assert sight.mark_lost("B", "no right to B", alone=True)[0] == failed("lost", "B", "no right to B")
    assert sight.mark_healthy("A") == [connected("A", missing="B")]


def test_the_cluster_can_be_lost_and_found_with_a_refused_kind() -> None:
    sight = whole()
    sight.mark_lost("B", "no right", alone=True)
    assert sight.mark_lost("A", "no answer", alone=False) == [failed("lost", "A", "no answer")]
    assert sight.mark_healthy("A") == [connected("A", missing="B")]


def test_a_failed_list_is_reported_once_and_when_it_recovers() -> None:
    sight = whole()
    assert sight.mark_listed("A") == []
    assert sight.mark_unlisted("A", "500", alone=False) == [failed("degraded", "A", "500")]
    assert sight.mark_unlisted("A", "500", alone=False) == []
    assert sight.mark_unlisted("B", "500", alone=False) == [], "one failure of the cluster"
    assert sight.mark_healthy("A") == [], "a watch that goes on is no news"
    assert sight.mark_listed("A") == [connected("AB", unlisted="B")]
    assert sight.mark_listed("B") == [connected("AB")]
    assert sight.mark_listed("B") == []


def test_a_kind_that_is_lost_is_not_reported_as_unlisted() -> None:
    sight = whole()
    sight.mark_unlisted("A", "500", alone=False)
    assert sight.mark_lost("B", "no answer", alone=False) == [failed("lost", "B", "no answer")]
    assert sight.mark_healthy("B") == [connected("AB", unlisted="A")]
    sight.mark_lost("A", "no answer", alone=False)
    assert sight.mark_healthy("A") == [connected("AB")]


def test_a_credential_in_a_message_is_hidden() -> None:
    (event,) = WatchHealth(["A"]).mark_lost("A", "asked https://u:pass-word@h/ in vain", alone=False)
    assert "pass-word" not in event["message"]
