# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An API server in memory with the faults of a real one: each request takes time, and one seed decides its fate.

Lists are pages of one state, and that state can be older than the last write. Watches tell all later changes. Answers are late, lost or
refused. Every request is recorded with its client, and every write with the object before and after it.
"""

from __future__ import annotations

import copy
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import parse_qs, urlsplit

from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError

from support.fake_api import LOST, FakeApi, Key
from support.scripted_pool import HOST, Answer, Request, status_object
from support.simulated_threads import Schedule

__all__ = ["FATES", "Conditions", "SimulatedApi", "Write"]

Object = dict[str, Any]

#: What can happen to a request, besides an answer.
FATES = (
    "refused",
    "429",
    "500",
    "500 after it",
    "503",
    "lost",
    "dropped",
    "hang",
    "hang before it",
    "slow",
    "conflict",
)
_OVERLOADED = {"Retry-After": "1"}
_CHANGED = (
    "Operation cannot be fulfilled: the object has been modified; please apply your changes to the latest version"
)


@dataclass
class Conditions:
    """How the server behaves.

    `fates` are the probabilities of FATES. `stale` is the probability that a read shows a state of up to `lag` seconds ago, `expired` that
    a page token has expired. `admission` changes each object that a client writes. `last_request` is the number of requests after
    which the login is refused. `fails` is a part of the paths for which only 503 comes: after `fails_after` of these requests, for `fails_for` seconds.
    `denied` is the probability that a client may not create an object that it has just deleted, `raced` that another user changes an object
    directly before a client does.
    """

    fates: Mapping[str, float] = field(default_factory=dict)
    stale: float = 0.0
    lag: float = 3.0
    expired: float = 0.0
    latency: float = 0.05
    admission: Callable[[Object], Object] | None = None
    last_request: int | None = None
    fails: str = ""
    fails_after: int = 0
    fails_for: float = float("inf")
    denied: float = 0.0
    raced: float = 0.0


@dataclass(frozen=True)
class Write:
    """One write that was carried out. `before` and `after` are the object, None if it did not exist or does not exist any more."""

    client: str
    method: str
    key: Key
    body: Any
    before: Object | None
    after: Object | None
    #: Whether the client had been told the version that it sent.
    is_known: bool
    at: float

    @property
    def changes_something(self) -> bool:
        return self.before != self.after


class SimulatedApi(FakeApi):
    """`judge` gets each write of a client at the moment at which it is carried out. `history` are the lines of all events."""

    def __init__(self, schedule: Schedule, random: Random, conditions: Conditions) -> None:
        super().__init__(namespaces_checked=True)
        self.schedule, self.random, self.conditions = schedule, random, conditions
        self.history: list[str] = []
        self.carried_out: list[Write] = []
        #: The version that a client sent in a write that was not carried out, and of which it may not know that.
        self.lost: dict[tuple[str, Key], str] = {}
        self.judge: Callable[[Write], None] = lambda _write: None
        #: Gets each broken law that is not one of writes.
        self.complain: Callable[[str], None] = lambda _problem: None
        #: Changes an object as another user, see `Conditions.raced`.
        self.rival: Callable[[Key], None] = lambda _key: None
        self.down_until = float("-inf")
        #: Watches of older versions get 410.
        self.oldest = 0
        #: The number of requests of a client that had another fate than an answer in time.
        self.troubles: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        #: The number of requests for the paths that fail, and the end of the time in which they do.
        self._asked, self._fails_until = 0, float("-inf")
        self._states: list[tuple[int, float, dict[Key, Object]]] = []
        self._events: list[tuple[int, str, Key, Object]] = []
        self._news: Any = []
        self._known: set[tuple[str, str, str]] = set()
        #: The versions for which a watch of a client got 410, by kind.
        self._expired: set[tuple[str, str, str]] = set()
        self._sent: dict[str, int] = {}

    # --- the store

    def _store(self, resource: str, namespace: str, name: str, body: Object) -> Object:
        is_new = (resource, namespace, name) not in self.objects
        found = super()._store(resource, namespace, name, body)
        self._tell("ADDED" if is_new else "MODIFIED", (resource, namespace, name), found)
        return found

    def _delete(self, place: Any, stored: Object, options: Mapping[str, Any], *, dry: bool) -> Answer:
        answer = super()._delete(place, stored, options, dry=dry)
        if place.key not in self.objects and not dry:
            del self._states[-1:], self._events[-1:]  # those of its last state
            self._tell("DELETED", place.key, {**stored, "metadata": {**stored["metadata"], **self._now}})
        return answer

    def remove(self, resource: str, namespace: str, name: str) -> None:
        found = self.objects.get((resource, namespace, name))
        if found is not None:
            self._version += 1
            super().remove(resource, namespace, name)
            self._tell(
                "DELETED", (resource, namespace, name), {**found, "metadata": {**found["metadata"], **self._now}}
            )

    @property
    def _now(self) -> Object:
        return {"resourceVersion": str(self._version)}

    def _tell(self, kind: str, key: Key, obj: Object) -> None:
        self._states.append((self._version, self.schedule.now, dict(self.objects)))
        self._events.append((self._version, kind, key, obj))
        self.schedule.wake(self._news)

    @contextmanager
    def _as_of(self, state: dict[Key, Object], version: int) -> Iterator[None]:
        objects, now = self.objects, self._version
        self.objects, self._version = state, version
        try:
            yield
        finally:
            self.objects, self._version = objects, now

    def _old_state(self) -> tuple[int, dict[Key, Object]]:
        """A state that was replaced within the last seconds, or the newest."""
        begin = bisect_right([at for _version, at, _state in self._states], self.schedule.now - self.conditions.lag)
        version, _at, state = self._states[self.random.randrange(max(begin - 1, 0), len(self._states))]
        return version, state

    def restart(self, seconds: float, *, forgets: bool) -> None:
        """Answer nothing for some seconds, in which a namespace appears. `forgets`: a watch cannot continue from a version before that."""
        self.down_until = self.schedule.now + seconds
        self.put("namespaces", "", f"late{self._version}")
        self.oldest = self._version if forgets else self.oldest
        self.schedule.wake(self._news)
        self.note("server", f"restarts until {self.down_until - 1000:.3f}, and knows no version before {self.oldest}")

    # --- requests

    def pool(self, client: str) -> Any:
        return _Pool(self, client)

    def exchange(self, client: str, method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        """Carry out one request of a client, or not, and return its answer."""
        assert url.startswith(HOST), url
        request = Request(method, url[len(HOST) :], dict(headers), json.loads(body) if body else None)
        self.schedule.sleep(self._delay())
        fate = self._fate(request)
        self._sent[client] = self._sent.get(client, 0) + 1
        if self.schedule.now < self.down_until or fate == "refused":
            self._note(client, request, "connection refused")
            self.troubles[client] += 2  # the first request of a task must reach the server
            raise NewConnectionError(None, "Connection refused")  # type: ignore[arg-type]
        if request.path == "/readyz":
            return Answer(200, b"ok")
        answer = self._before(client, request, fate)
        return self._after(client, request, fate) if answer is None else answer

    def _before(self, client: str, request: Request, fate: str) -> Answer | None:
        """The answer to a request that is not carried out, or None if it is."""
        self.troubles[client] += bool(fate)
        if fate in ("dropped", "hang before it", "500"):
            self._forget(client, request)
        last = self.conditions.last_request
        answer = _refusal(fate)
        if last is not None and self._sent[client] > last:
            answer = status_object(401, "Unauthorized", "Unauthorized")
            self.refused[client] += 1
        elif self._fails(request):
            answer = status_object(503, "ServiceUnavailable", "the server is currently unable to handle the request")
        elif self._is_denied(client, request):
            self.troubles[client] += 2  # nobody overcomes it
            answer = status_object(403, "Forbidden", "secrets is forbidden: exceeded quota: objects")
        if answer is not None or fate in ("dropped", "hang before it"):
            self._note(client, request, str(answer.status) if answer else fate)
        if answer is None and fate in ("dropped", "hang before it"):
            self._lose(fate)
        return answer

    def _fails(self, request: Request) -> bool:
        conditions, now = self.conditions, self.schedule.now
        if not conditions.fails or conditions.fails not in request.path:
            return False
        self._asked += 1
        if self._asked == conditions.fails_after + 1:
            self._fails_until = now + conditions.fails_for
        return now < self._fails_until

    def _is_denied(self, client: str, request: Request) -> bool:
        if request.method != "POST" or "dryRun" in request.path or not self.conditions.denied:
            return False
        name = request.body["metadata"].get("name")
        deleted = [each for each in self.carried_out if each.client == client and each.after is None]
        is_again = any(each.key[2] == name and f"/{each.key[1]}/" in request.path for each in deleted)
        return is_again and self.random.random() < self.conditions.denied

    def _after(self, client: str, request: Request, fate: str) -> Any:
        """Carry out the request, and return its answer unless that is lost."""
        answer = self._carry_out(client, request)
        self._note(client, request, f"{answer.status} {_versions(answer)}", fate)
        if answer.status >= 300:
            self._forget(client, request)  # it counts only if the answer is lost
        if fate == "500 after it":
            return status_object(500, "InternalError", "etcdserver: request timed out")
        self.schedule.sleep(self.random.uniform(1, 50) if fate == "slow" else self._delay())
        if fate in ("lost", "hang") or self.schedule.now < self.down_until:
            self.troubles[client] += not fate
            self._lose(fate)
        return answer

    def _delay(self) -> float:
        return self.random.expovariate(1 / self.conditions.latency)

    def _lose(self, fate: str) -> None:
        if fate.startswith("hang"):
            self.schedule.sleep(60)
            raise ReadTimeoutError(None, "", "Read timed out.")  # type: ignore[arg-type]
        raise LOST

    def _fate(self, request: Request) -> str:
        drawn = self.random.random()
        for fate, share in self.conditions.fates.items():
            drawn -= share
            if drawn < 0:
                is_write = request.method in ("PATCH", "DELETE")
                return "" if (fate == "conflict" and not is_write) or "watch=true" in request.path else fate
        return ""

    def _carry_out(self, client: str, request: Request) -> Any:
        parts = urlsplit(request.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if query.get("watch") == "true":
            return self._watched(client, parts.path, query)
        if request.method == "GET":
            answer = self._read_state(client, request, query)
            self._learn(client, answer)
            self._expired.discard((client, parts.path.rpartition("/")[2], _list_version(answer)))
            return answer
        self._race(client, request)
        if self.conditions.admission and request.method in ("POST", "PATCH") and not parts.path.endswith("reviews"):
            request = replace(request, body=self.conditions.admission(copy.deepcopy(request.body)))
        before, version = self.objects.copy(), self._version
        answer = self._answer(request)
        if answer.status < 300 and "dryRun" not in query and "reviews" not in parts.path:
            key = next((each[2] for each in self._events[::-1] if each[0] > version), None)
            if key is not None:
                old, sent = before.get(key), _sent_version(request.body)
                is_known = old is None or (client, old["metadata"]["uid"], sent) in self._known
                now = self.objects.get(key)
                write = Write(client, request.method, key, request.body, old, now, is_known, self.schedule.now)
                self.carried_out.append(write)
                self.judge(write)
        self._learn(client, answer)
        return answer

    def _race(self, client: str, request: Request) -> None:
        raced = self.conditions.raced
        if raced and request.method in ("PATCH", "DELETE") and self.random.random() < raced:
            self.troubles[client] += 1
            self.rival(_written_key(request))

    def _read_state(self, client: str, request: Request, query: Mapping[str, str]) -> Answer:
        if token := query.get("continue", ""):
            number = token.partition(".")[0]
            if self.random.random() < self.conditions.expired:
                self.troubles[client] += 1
                return status_object(410, "Expired", "The provided continue parameter is too old")
            version, state = next((each[0], each[2]) for each in self._states if each[0] == int(number))
            request = replace(request, path=request.path.replace(f"{number}.", ""))
        elif self.random.random() < self.conditions.stale:
            version, state = self._old_state()
        else:
            version, state = self._version, self.objects
        with self._as_of(state, version):
            answer = self._answer(request)
        rest = answer.body.get("metadata", {}).get("continue") if isinstance(answer.body, dict) else None
        if rest:
            answer.body["metadata"]["continue"] = f"{version}.{rest}"
        return answer

    def _learn(self, client: str, answer: Answer) -> None:
        body = answer.body if isinstance(answer.body, dict) and answer.status < 300 else {}
        items = body.get("items")
        for obj in items if isinstance(items, list) else [body]:
            meta = obj.get("metadata") or {}
            if isinstance(meta.get("uid"), str):
                self._known.add((client, meta["uid"], meta["resourceVersion"]))

    def _forget(self, client: str, request: Request) -> None:
        if request.method != "GET" and "/namespaces/" in request.path and "dryRun" not in request.path:
            # A read that goes back in time shows everything as lost.
            self.lost[client, _written_key(request)] = "" if self.conditions.stale else _sent_version(request.body)

    def _note(self, client: str, request: Request, outcome: str, fate: str = "") -> None:
        version = _sent_version(request.body)
        sent = f" version {version}" if version else ""
        told = f", then {fate}" if fate else ""
        self.note(client, f"{request.method} {request.path}{sent}: {outcome}{told}")

    def note(self, who: str, what: str) -> None:
        self.history.append(f"{self.schedule.now - 1000:9.3f}  {who:<14} {what}")

    # --- watches

    def _watched(self, client: str, path: str, query: Mapping[str, str]) -> Any:
        resource = path.rpartition("/")[2]
        if int(query["resourceVersion"]) < self.oldest:
            asked = (client, resource, query["resourceVersion"])
            if asked in self._expired:
                self.complain(f"{client}: it watches {resource} again from version {asked[2]}, which has expired")
            self._expired.add(asked)
            return status_object(410, "Expired", "too old resource version")
        return _WatchAnswer(self, resource, int(query["resourceVersion"]), float(query["timeoutSeconds"]))

    def events(self, resource: str, since: int, seconds: float) -> Iterator[bytes]:
        """Yield the lines of a watch until its end."""
        until, was_down = self.schedule.now + seconds, self.down_until
        while True:
            for version, kind, key, obj in [each for each in self._events if each[0] > since]:
                if (since := version) and key[0] == resource:
                    meta = {
                        "kind": "PartialObjectMetadata",
                        "apiVersion": "meta.k8s.io/v1",
                        "metadata": obj["metadata"],
                    }
                    yield json.dumps({"type": kind, "object": meta}).encode() + b"\n"
            if self.down_until != was_down:
                raise ProtocolError("the server was restarted")
            left = until - self.schedule.now
            if left <= 0:
                return
            self.schedule.wait(left, self._news)


def _refusal(fate: str) -> Answer | None:
    if fate == "429":
        return replace(
            status_object(429, "TooManyRequests", "Too many requests, please try again later."), headers=_OVERLOADED
        )
    if fate == "503":
        return replace(status_object(503, "ServiceUnavailable", "apiserver is shutting down"), headers=_OVERLOADED)
    if fate == "500":
        return status_object(500, "InternalError", "Internal error occurred: failed to encrypt")
    return status_object(409, "Conflict", _CHANGED) if fate == "conflict" else None


def _sent_version(body: Any) -> str:
    if not isinstance(body, dict):
        return ""
    given = (body.get("metadata") or {}).get("resourceVersion") or (body.get("preconditions") or {}).get(
        "resourceVersion"
    )
    return str(given or "")


def _written_key(request: Request) -> Key:
    parts = urlsplit(request.path).path.split("/")
    place, resource, *name = parts[parts.index("namespaces") + 1 :]
    return resource, place, name[0] if name else str(request.body["metadata"]["name"])


def _list_version(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    return str((body.get("metadata") or {}).get("resourceVersion") or "") if "items" in body else ""


def _versions(answer: Any) -> str:
    body = answer.body if isinstance(answer, Answer) else None
    if not isinstance(body, dict):
        return ""
    if "items" in body:
        return " ".join(f"{one['metadata']['name']}@{one['metadata']['resourceVersion']}" for one in body["items"])
    if body.get("kind") == "Status":
        return str(body.get("reason") or "")
    return f"@{(body.get('metadata') or {}).get('resourceVersion', '')}"


class _Pool:
    def __init__(self, api: SimulatedApi, client: str) -> None:
        self._api, self._client = api, client

    def request_encode_url(self, method: str, url: str, **keywords: Any) -> Any:
        answer = self._api.exchange(self._client, method, url, keywords.get("body"), keywords.get("headers") or {})
        return replace(answer, position=0) if isinstance(answer, Answer) else answer


class _WatchAnswer:
    status = 200
    headers: Mapping[str, str] = {}
    body = None

    def __init__(self, api: SimulatedApi, *what: Any) -> None:
        self._api, self._what = api, what

    def stream(self, _amount: int, decode_content: bool = True) -> Iterator[bytes]:
        return self._api.events(*self._what)

    def release_conn(self) -> None:
        """Do nothing: no connection is held."""

    close = release_conn
