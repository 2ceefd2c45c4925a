# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source reports every change exactly once and never ends, however the cluster fails."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube import client, requester
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events import run
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.events import (
    KINDS,
    WatchedKind,
    WatchSettings,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.object_events.run import follow_objects
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.event_source import event_source
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import CONNECTION_OPTIONS
from support.certificates import loopback_certificate
from support.ports import reserve_port
from support.watched_api import HANG, WatchedApi, status

ALL = frozenset(("existing", "created", "changed", "terminating", "deleted"))
BOTH = (WatchedKind(KINDS["Namespace"], changes=ALL), WatchedKind(KINDS["ServiceAccount"], changes=ALL))
SETTINGS = WatchSettings(BOTH[:1], NamespaceSelector(), batch_seconds=0.05, watch_seconds=5)
PARTIAL = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"


@dataclass
class Source:
    """A running source with its reported `events`."""

    events: list[dict[str, Any]] = field(default_factory=list)

    @property
    def told(self) -> list[str]:
        """Return each change of an object, in order."""
        found = [one for event in self.events if event["type"] == "objects" for one in event["objects"]]
        return [
            f"{one['change']} {one['namespace']}" + (f"/{one['name']}" if one["kind"] != "Namespace" else "")
            for one in found
        ]

    @property
    def health(self) -> list[str]:
        return [event["state"] for event in self.events if event["type"] == "health"]

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + 60
        while not condition():
            assert time.monotonic() < deadline, self.events
            time.sleep(0.01)

    def until_told(self, *changes: str) -> None:
        """Wait for these changes and assert that there were no others."""
        self.until(lambda: len(self.told) >= len(changes))
        assert self.told == [*changes]


@contextmanager
def source(
    host: str,
    settings: WatchSettings = SETTINGS,
    *,
    clock: Clock | None = None,
    before: Callable[[], Any] = bool,
    **options: Any,
) -> Iterator[Source]:
    """Run a source. `before` is called before each event is taken."""
    given = (
        {"host": host, "api_key": "token-1", "ca_cert": loopback_certificate(), **options}
        if "kubeconfig" not in options
        else options
    )
    found, stop = Source(), threading.Event()

    def take(event: dict[str, Any]) -> None:
        before()
        found.events.append(event)

    with event_source("tests", CONNECTION_OPTIONS, given) as opened:
        arguments = (settings, opened.cluster, take, stop, clock)
        thread = threading.Thread(target=follow_objects, args=arguments, daemon=True)
        thread.start()
        try:
            yield found
            assert thread.is_alive(), "it never ends by itself"
        finally:
            stop.set()
            thread.join(10)


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_LOOK_SECONDS", 0.02)
    monkeypatch.setattr(run, "_FIRST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(run, "_LONGEST_PAUSE_SECONDS", 0.1)
    monkeypatch.setattr(run, "_FIRST_RESYNC_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(run, "_RESYNC_PATIENCE_SECONDS", 0.5)
    monkeypatch.setattr(run, "_SETTLING_SECONDS", 0.3)
    monkeypatch.setattr(client, "_GRACE_SECONDS", 1.0)
    monkeypatch.setattr(run, "_SHORTEST_SECONDS", 0.02)


@pytest.fixture
def api() -> WatchedApi:
    return api_with_namespace()


def api_with_namespace(second: float = 0.15) -> WatchedApi:
    found = WatchedApi(second=second)
    found.namespace("old")
    return found


def check_all(check: Callable[[WatchedApi, str], None], cases: Iterable[str]) -> None:
    """Check several cases at the same time, each with its own API server, because they mostly wait.

    Their watches last longer: one whose answer a busy machine reads too late would count as failed.
    """
    with ThreadPoolExecutor(4) as pool:
        checks = {case: pool.submit(check, api_with_namespace(second=0.3), case) for case in cases}
    assert {case: error for case, one in checks.items() if (error := one.exception())} == {}


class TestWhatIsTold:
    def test_existing_created_changed_and_deleted_objects_are_reported(self, api: WatchedApi) -> None:
        with api.served() as host, source(host) as found:
            found.until_told("existing old")
            api.namespace("new")
            found.until_told("existing old", "created new")
            api.namespace("new", labels={"a": "b"})
            found.until_told("existing old", "created new", "changed new")
            api.namespace("new", labels={"a": "b"}, deletionTimestamp="2026-01-01T00:00:00Z")
            api.remove("namespaces", "", "old")
            found.until(lambda: len(found.told) == 5)
            assert sorted(found.told[3:]) == ["deleted old", "terminating new"]
            lists = {"kinds": ["Namespace"], "missing": [], "unlisted": []}
            assert found.events[0] == {"type": "health", "state": "connected", "cluster": host, **lists}
            first = next(event for event in found.events if event["type"] == "objects")
            assert (first["namespaces"], first["count"], first["cluster"]) == (["old"], 1, host)
        assert found.health == ["connected"]

    def test_requests_ask_for_metadata_only(self, api: WatchedApi) -> None:
        with api.served() as host, source(host) as found:
            found.until_told("existing old")
            found.until(lambda: api.asked["watch namespaces"])
        assert api.accepted == {PARTIAL, PARTIAL.replace("Metadata;", "MetadataList;")}

    def test_no_text_of_the_cluster_is_a_template(self, api: WatchedApi) -> None:
        bindings = WatchedKind(KINDS["RoleBinding"])
        api.namespace("odd", annotations={"a": "{{ lookup('pipe', 'id') }}"}, labels={"{{ a }}": "{% b %}"})
        api.put("rolebindings", "odd", "#jinja2:variable_start_string:'[%'\n[% lookup('pipe', 'id') %]")
        with api.served() as host, source(host, replace(SETTINGS, watched=(*SETTINGS.watched, bindings))) as found:
            found.until(lambda: len(found.told) == 3)
        told = [one for event in found.events for one in event.get("objects", ())]
        assert not [mark for mark in "{}#%[" if mark in "".join(text for one in told for text in one.values())]
        assert [one["name"][:8] for one in told if one["kind"] == "RoleBinding"] == ["hex/236a"]

    def test_a_message_of_the_cluster_is_not_a_template(self, api: WatchedApi) -> None:
        api.trouble("list", status(403, "Forbidden", "#jinja2: {{ lookup('pipe', 'id') }} {% x %}"), times=3)
        with api.served() as host, source(host) as found:
            found.until_told("existing old")
        (lost,) = [event for event in found.events if event.get("state") == "lost"]
        assert "?jinja2: ?? lookup('pipe', 'id') ??" in lost["message"] and not {*lost["message"]} & {*"{}#%"}

    def test_many_simultaneous_changes_are_one_event(self, api: WatchedApi) -> None:
        settings = replace(SETTINGS, batch_seconds=1.5)
        with api.served() as host, source(host, settings) as found:
            found.until_told("existing old")
            with api._changed:  # no watch reports a part of them
                for number in range(500):
                    api.namespace(f"n{number}")
            found.until(lambda: len(found.told) == 501)
        assert [event["count"] for event in found.events if event["type"] == "objects"] == [1, 500]

    def test_a_list_of_several_pages_is_read_whole(self, api: WatchedApi) -> None:
        api.page = 2
        for name in "abcd":
            api.namespace(name)
        with api.served() as host, source(host) as found:
            found.until_told(*(f"existing {name}" for name in ("a", "b", "c", "d", "old")))

    def test_several_kinds_are_watched_together(self, api: WatchedApi) -> None:
        api.put("serviceaccounts", "old", "robot")
        with api.served() as host, source(host, replace(SETTINGS, watched=BOTH, batch_seconds=0.3)) as found:
            found.until(lambda: len(found.told) == 2)
            assert sorted(found.told) == ["existing old", "existing old/robot"]
            assert [event["count"] for event in found.events if event["type"] == "objects"] == [1]
            api.put("serviceaccounts", "old", "builder")
            found.until(lambda: len(found.told) == 3)
            assert found.events[-1]["namespaces"] == ["old"]
        assert found.health == ["connected"]

    def test_the_first_lists_are_reported_together(self, api: WatchedApi) -> None:
        """Otherwise each namespace would be processed twice."""
        api.put("serviceaccounts", "old", "robot")
        api.trouble("list", status(503, "ServiceUnavailable", "starting"), resource="serviceaccounts", times=2)
        with api.served() as host, source(host, replace(SETTINGS, watched=BOTH)) as found:
            found.until(lambda: len(found.told) == 2)
        assert [event["namespaces"] for event in found.events if event["type"] == "objects"] == [["old"]]

    def test_a_first_list_without_an_answer_does_not_block_the_others(
        self, api: WatchedApi, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run, "_FIRST_LISTS_SECONDS", 0.5)
        api.trouble("list", HANG, resource="serviceaccounts")
        with api.served() as host, source(host, replace(SETTINGS, watched=BOTH)) as found:
            found.until_told("existing old")
            assert found.health == []

    def test_a_resync_finds_changes_that_no_watch_reported(self, api: WatchedApi) -> None:
        with api.served() as host, source(host, replace(SETTINGS, resync_seconds=0.3)) as found:
            found.until_told("existing old")
            api.remove("namespaces", "", "old", told=False)
            found.until_told("existing old", "deleted old")
            assert api.asked["list namespaces"] >= 2

    def test_existing_namespaces_are_reported_again_after_a_while(self, api: WatchedApi) -> None:
        """This repeats work that a run could not finish. It includes the objects in the namespace."""
        api.put("serviceaccounts", "old", "robot")
        settings = replace(SETTINGS, watched=BOTH, resync_seconds=0.2, repeat_seconds=0.1)
        with api.served() as host, source(host, settings) as found:
            found.until(lambda: len(found.told) >= 5)
        assert sorted(found.told[:2]) == ["existing old", "existing old/robot"]
        assert {*found.told[2:]} == {"existing old"}

    def test_existing_namespaces_are_reported_once_until_the_repeat(self, api: WatchedApi) -> None:
        with api.served() as host, source(host, replace(SETTINGS, resync_seconds=0.2)) as found:
            found.until(lambda: api.asked["list namespaces"] > 4)
            found.until_told("existing old")

    def test_quiet_watches_follow_each_other_without_a_list(self, api: WatchedApi) -> None:
        with api.served() as host, source(host, replace(SETTINGS, watch_seconds=1)) as found:
            found.until(lambda: api.asked["watch namespaces"] >= 3)
            api.namespace("new")
            found.until_told("existing old", "created new")
        assert api.asked["list namespaces"] == 1
        assert found.health == ["connected"]


OBJECT = {"kind": "PartialObjectMetadata", "metadata": {"name": "liar", "uid": "l", "resourceVersion": "7"}}


def line(type_: str, **parts: Any) -> bytes:
    return json.dumps({"type": type_, "object": {**OBJECT, **parts}}).encode() + b"\n"


#: Answers to a watch after which the source must continue as if nothing had happened.
BAD_WATCHES: dict[str, Any] = {
    "a hang": HANG,  # the longest case begins first
    "refused": status(403, "Forbidden", 'User "x" cannot watch'),
    "overloaded": status(429, "TooManyRequests", "busy"),
    "failing": status(500, "InternalError", "etcd"),
    "starting": status(503, "ServiceUnavailable", "starting"),
    "expired": status(410, "Expired", "too old"),
    "expired on the way": json.dumps({"type": "ERROR", "object": status(410, "Expired", "too old")}).encode() + b"\n",
    "failed on the way": json.dumps({"type": "ERROR", "object": status(500, "InternalError", "etcd")}).encode() + b"\n",
    "an error without a code": b'{"type": "ERROR", "object": {}}\n',
    "an error with an odd code": b'{"type": "ERROR", "object": {"kind": "Status", "code": "410"}}\n',
    "cut at once": b"",
    "cut in a line": line("ADDED")[:40],
    "no JSON": b"<html>login</html>\n",
    "no UTF-8": b'{"type": "ADDED", "object": "\xff"}\n',
    "null": b"null\n",
    "nulls": b'{"type": null, "object": null}\n',
    "a number": b"1e999\n",
    "half a character": line("ADDED", metadata={**OBJECT["metadata"], "name": "\ud800"}),  # type: ignore[dict-item]
    "another type": line("SURPRISE"),
    "a whole object": line("ADDED", kind="Namespace", data={"a": "b"}),
    "no name": line("ADDED", metadata={"resourceVersion": "7"}),
    "no version": line("ADDED", metadata={"name": "liar"}),
    "a bookmark without a version": line("BOOKMARK", metadata={}),
}
#: Answers to a list.
BAD_LISTS: dict[str, Any] = {
    "refused": status(403, "Forbidden", 'User "x" cannot list'),
    "failing": status(500, "InternalError", "etcd"),
    "expired": status(410, "Expired", "too old"),
    "cut": b'{"kind": "PartialObjectMetadataList", "items": [',
    "no JSON": b"<html>",
    "whole objects": json.dumps(
        {"kind": "NamespaceList", "metadata": {"resourceVersion": "7"}, "items": [OBJECT]}
    ).encode(),
    "no version": b'{"kind": "PartialObjectMetadataList", "metadata": {}, "items": []}',
    "null": b"null",
    "items that are none": b'{"kind": "PartialObjectMetadataList", "metadata": {"resourceVersion": "7"}, "items": [null]}',
    "no UTF-8": b'{"kind": "PartialObjectMetadataList", "metadata": {"resourceVersion": "\xff"}, "items": []}',
    "a null for metadata": b'{"kind": "PartialObjectMetadataList", "metadata": null, "items": []}',
    "an item with a null for metadata": b'{"kind": "PartialObjectMetadataList", "metadata": {"resourceVersion": "7"}, '
    b'"items": [{"metadata": null}]}',
    "overloaded": status(429, "TooManyRequests", "busy"),
    "starting": status(503, "ServiceUnavailable", "starting"),
    "a hang": HANG,
}


class TestTrouble:
    @pytest.mark.parametrize("times", [1, 3])
    def test_a_watch_that_fails_loses_nothing(self, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
        """A single failure is not reported. Repeated failures are."""
        monkeypatch.setattr(run, "_SETTLING_SECONDS", 1.0)

        def check(api: WatchedApi, trouble: str) -> None:
            api.trouble("watch", BAD_WATCHES[trouble], times=times)
            settings = replace(SETTINGS, watch_seconds=1) if trouble == "a hang" else SETTINGS
            with api.served() as host, source(host, settings) as found:
                found.until(lambda: api.troubles[0].times == 0)
                found.until(lambda: found.told)
                api.namespace("new")
                found.until(lambda: len(found.told) > 1 and found.health[-1:] == ["connected"])
                assert [change.split()[1] for change in found.told] == ["old", "new"]
                # A hanging watch counts as running until its time is over.
                assert found.health.count("lost") == (0 if times == 1 else 2 if trouble == "a hang" else 1)

        check_all(check, BAD_WATCHES)

    def test_a_list_that_fails_again_and_again_ends_no_watch(self) -> None:
        """The failure is reported once. Changes are still reported, and no object counts as deleted."""

        def check(api: WatchedApi, trouble: str) -> None:
            with api.served() as host, source(host, replace(SETTINGS, resync_seconds=0.5)) as found:
                found.until_told("existing old")
                api.trouble("list", BAD_LISTS[trouble], times=10_000)
                found.until(lambda: found.health == ["connected", "degraded"])
                api.namespace("new")
                found.until_told("existing old", "created new")
                event = next(event for event in found.events if event.get("state") == "degraded")
                assert event["kind"] == "Namespace"
                assert f"listing the metadata of namespaces in all namespaces on {host}" in event["message"]
                api.remove("namespaces", "", "old", told=False)
                api.troubles.clear()
                found.until_told("existing old", "created new", "deleted old")
                assert found.health == ["connected", "degraded", "connected"]

        check_all(check, BAD_LISTS)

    def test_a_list_that_fails_once_is_not_reported(self, api: WatchedApi) -> None:
        with api.served() as host, source(host, replace(SETTINGS, resync_seconds=0.2)) as found:
            found.until_told("existing old")
            api.trouble("list", status(500, "InternalError", "etcd"))
            before = api.asked["list namespaces"]
            found.until(lambda: api.asked["list namespaces"] > before + 2)
            assert found.health == ["connected"]

    @pytest.mark.parametrize("trouble", [status(410, "Expired", "too old"), status(500, "InternalError", "etcd")])
    def test_a_list_that_breaks_between_two_pages_is_read_from_its_start(self, api: WatchedApi, trouble: Any) -> None:
        api.page = 1
        api.namespace("new")
        api.trouble("page", trouble)
        with api.served() as host, source(host) as found:
            found.until_told("existing new", "existing old")

    def test_a_kind_that_is_refused_does_not_block_the_others(self, api: WatchedApi) -> None:
        words = 'serviceaccounts is forbidden: User "x" cannot list resource "serviceaccounts" in API group "" at the cluster scope'
        api.trouble("list", status(403, "Forbidden", words), times=10_000, resource="serviceaccounts")
        api.put("serviceaccounts", "old", "robot")
        with api.served() as host, source(host, replace(SETTINGS, watched=BOTH)) as found:
            found.until_told("existing old")
            found.until(lambda: found.health == ["lost", "connected"])
            lost, connected = (event for event in found.events if event["type"] == "health")
            assert lost["kind"] == "ServiceAccount"
            for part in ("403", "Give the caller that right, list on serviceaccounts", "rst/rights.rst"):
                assert part in lost["message"]
            assert (connected["kinds"], connected["missing"]) == (["Namespace"], ["ServiceAccount"])
            api.namespace("new")
            found.until_told("existing old", "created new")
            before = api.asked["list serviceaccounts"]
            found.until(lambda: api.asked["list serviceaccounts"] > before + 1)
            assert found.health == ["lost", "connected"], "it is told once"
            api.troubles.clear()
            found.until(lambda: "existing old/robot" in found.told and found.health[2:] == ["connected"])

    @pytest.mark.parametrize(
        ("trouble", "reports"),
        [
            (status(403, "Forbidden", "no right"), 2),
            (status(404, "NotFound", "the server could not find the requested resource"), 2),
            (status(410, "Expired", "too old"), 2),
            (status(500, "InternalError", "etcd"), 1),
        ],
    )
    def test_a_failure_that_is_not_of_one_kind_is_reported_once(
        self, api: WatchedApi, trouble: Any, reports: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(requester, "_REPEAT_SECONDS", 1.0)
        for resource in ("namespaces", "serviceaccounts"):
            api.trouble("list", trouble, times=10_000, resource=resource)
        with api.served() as host, source(host, replace(SETTINGS, watched=BOTH)) as found:
            found.until(lambda: min(api.asked[f"list {name}"] for name in ("namespaces", "serviceaccounts")) > 1)
            found.until(lambda: len(found.health) >= reports)
            assert found.health == ["lost"] * reports

    def test_a_watch_waits_as_long_as_it_is_asked_to(self, api: WatchedApi) -> None:
        api.trouble("watch", status(429, "TooManyRequests", "busy"), retry_after=1)
        with api.served() as host, source(host) as found:
            found.until(lambda: api.asked["watch namespaces"] == 2)
            first, second = (at for what, at in api.asked_at if what == "watch namespaces")
            assert second - first >= 1
            api.namespace("new")
            found.until_told("existing old", "created new")

    @pytest.mark.parametrize(
        "trouble", ["no JSON", "cut in a line", "failing", "failed on the way", "no version", "no UTF-8"]
    )
    def test_changes_after_a_broken_watch_are_found_by_a_list(self, api: WatchedApi, trouble: str) -> None:
        """For example, an API server restored from a backup does not have the version yet."""
        api.trouble("watch", BAD_WATCHES[trouble], times=10_000)
        with api.served() as host, source(host) as found:
            found.until_told("existing old")
            api.namespace("new")
            found.until_told("existing old", "created new")
            assert (found.health[-1], found.health.count("lost")) == ("lost", 1)

    @pytest.mark.parametrize("ends", [True, False])
    def test_a_watch_that_ends_after_one_line_counts_as_lost(self, api: WatchedApi, ends: bool) -> None:
        """Otherwise the source would send requests without a pause and report nothing."""
        api.trouble("watch", line("BOOKMARK"), times=10_000, ends=ends)
        with api.served() as host, source(host) as found:
            found.until(lambda: found.health == ["connected", "lost"])

    def test_a_repeated_event_is_reported_once(self, api: WatchedApi) -> None:
        api.trouble("watch", 2 * line("ADDED") + 2 * line("MODIFIED") + line("ADDED"), ends=True)
        with api.served() as host, source(host) as found:
            found.until_told("existing old", "created liar")
            api.namespace("new")
            found.until_told("existing old", "created liar", "created new")

    @pytest.mark.parametrize("jump", [86_400.0, -300.0])
    def test_a_clock_that_jumps_loses_nothing(self, api: WatchedApi, jump: float) -> None:
        offset = [0.0]
        clock = Clock(now=lambda: time.monotonic() + offset[0])
        with api.served() as host, source(host, clock=clock) as found:
            found.until_told("existing old")
            offset[0] = jump
            api.namespace("new")
            found.until_told("existing old", "created new")

    def test_no_change_is_lost_while_the_reader_is_busy(self, api: WatchedApi, monkeypatch: pytest.MonkeyPatch) -> None:
        """The rulebook is busy. The number of waiting changes is limited, and the rest waits at the API server."""
        monkeypatch.setattr(run, "_MOST_WAITING", 10)
        free = threading.Event()
        free.set()
        with api.served() as host, source(host, replace(SETTINGS, batch_seconds=0.0), before=free.wait) as found:
            found.until_told("existing old")
            free.clear()
            for number in range(300):
                api.namespace(f"n{number}")
            api.cut()
            # Longer than any limited wait: if the source gave up, namespaces would be lost.
            free.wait(0.5)
            assert found.told == ["existing old"]
            free.set()
            found.until_told("existing old", *(f"created n{number}" for number in range(300)))

    def test_a_recreated_namespace_is_reported_again(self, api: WatchedApi) -> None:
        with api.served() as host, source(host) as found:
            found.until_told("existing old")
            api.remove("namespaces", "", "old")
            api.namespace("old")
            found.until(lambda: found.told[-1] == "created old")
            assert found.events[-1]["namespaces"] == ["old"]

    def test_ten_thousand_namespaces_are_twenty_events(self, api: WatchedApi) -> None:
        names = [f"n{number:05}" for number in range(10_000)]
        for name in names:
            api.namespace(name)
        api.remove("namespaces", "", "old")
        with api.served() as host, source(host) as found:
            found.until_told(*(f"existing {name}" for name in names))
        assert [event["count"] for event in found.events if event["type"] == "objects"] == [500] * 20

    def test_no_annotation_is_reported(self, api: WatchedApi) -> None:
        jwt = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrdWJlcm5ldGVzIn0.c2lnbmF0dXJl"
        api.namespace("new", annotations={"openshift.io/token-secret.value": jwt, "a": "Kx7Y29ycmVjdA=="})
        with api.served() as host, source(host) as found:
            found.until(lambda: len(found.told) == 2)
        told = json.dumps(found.events)
        assert not [part for part in ("Kx7", "eyJ", "c2lnbm", "annotations") if part in told]

    def test_the_message_has_the_problem_the_place_and_the_fix(self, api: WatchedApi) -> None:
        api.trouble("list", status(403, "Forbidden", 'User "x" cannot list resource "namespaces"'), times=3)
        with api.served() as host, source(host) as found:
            found.until_told("existing old")
        (lost,) = [event for event in found.events if event.get("state") == "lost"]
        assert (lost["kind"], lost["type"]) == ("Namespace", "health")
        for part in ("listing the metadata of namespaces", host, "403", "Give the caller that right"):
            assert part in lost["message"]

    def test_a_watch_with_an_expired_version_leads_to_a_new_list(self, api: WatchedApi) -> None:
        with api.served() as host, source(host) as found:
            found.until_told("existing old")
            found.until(lambda: api.asked["watch namespaces"])
            with api._changed:  # no watch reports the change
                api.objects["namespaces", "", "missed"] = {"name": "missed", "uid": "m", "resourceVersion": "1"}
            api.compact()
            api.cut()
            found.until_told("existing old", "created missed")
        assert api.asked["list namespaces"] == 2
        assert found.health == ["connected"]

    def test_a_server_that_comes_back_is_watched_again(self, api: WatchedApi) -> None:
        reserved = reserve_port()
        port = reserved.getsockname()[1]
        with api.served(port) as host, source(host) as found:
            found.until_told("existing old")
            found.until(lambda: api.asked["watch namespaces"])
            with _closed(api):
                found.until(lambda: found.health[-1] == "lost")
                api.namespace("made-meanwhile")
        # The first server is down now, and another one uses its port.
        with reserved, source(host) as found, api.served(port):
            found.until(lambda: len(found.told) == 2)
            assert sorted(found.told) == ["existing made-meanwhile", "existing old"]

    def test_a_login_that_ends_is_renewed(self, api: WatchedApi, tmp_path: Path) -> None:
        tokens = tmp_path / "token"
        tokens.write_text("token-1")
        with api.served() as host, source(host, kubeconfig=kubeconfig(host, tokens)) as found:
            found.until_told("existing old")
            api.token = "token-2"
            tokens.write_text("token-2")
            api.cut()
            api.namespace("new")
            found.until_told("existing old", "created new")
        assert found.health == ["connected"]

    def test_a_login_that_cannot_be_renewed_is_read_again_later(self, api: WatchedApi, tmp_path: Path) -> None:
        tokens = tmp_path / "token"
        tokens.write_text("token-1")
        with api.served() as host, source(host, kubeconfig=kubeconfig(host, tokens)) as found:
            found.until_told("existing old")
            api.token = "token-2"
            api.cut()
            found.until(lambda: "lost" in found.health)
            lost = found.events[-1]
            assert "The login is invalid" in lost["message"]
            assert "token-1" not in json.dumps(found.events)
            api.namespace("new")
            tokens.write_text("token-2")
            found.until_told("existing old", "created new")
            found.until(lambda: found.health == ["connected", "lost", "connected"])

    def test_a_missing_kubeconfig_is_reported_and_tried_again(self, api: WatchedApi, tmp_path: Path) -> None:
        path = tmp_path / "kubeconfig"
        with api.served() as host, source(host, kubeconfig=str(path)) as found:
            found.until(lambda: found.health == ["lost"])
            assert found.events[-1]["cluster"] == ""
            tokens = tmp_path / "token"
            tokens.write_text("token-1")
            path.write_text(json.dumps(kubeconfig(host, tokens)))
            found.until_told("existing old")

    def test_an_internal_error_does_not_end_the_source(self, api: WatchedApi, monkeypatch: pytest.MonkeyPatch) -> None:
        broken = [True]

        def odd(*arguments: Any) -> Any:
            if broken:
                raise KeyError("an unforeseen fault")
            return seen(*arguments)

        seen = run.observe_object
        monkeypatch.setattr(run, "observe_object", odd)
        with api.served() as host, source(host) as found:
            found.until(lambda: found.health == ["lost"])
            assert found.events[-1]["message"].startswith("internal error: KeyError in odd, line ")
            assert "unforeseen" not in found.events[-1]["message"]
            broken.clear()
            found.until_told("existing old")


@contextmanager
def _closed(api: WatchedApi) -> Iterator[None]:
    """Let every request fail in this block."""
    api.trouble("watch", status(503, "ServiceUnavailable", "shutting down"), times=10_000)
    api.trouble("list", status(503, "ServiceUnavailable", "shutting down"), times=10_000)
    api.cut()
    yield
    api.troubles.clear()


def kubeconfig(host: str, tokens: Path) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": host, "certificate-authority": loopback_certificate()}}],
        "users": [{"name": "c", "user": {"tokenFile": str(tokens)}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    }
