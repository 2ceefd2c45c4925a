# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks each write of a test against a small model of API server, kubelet and registry, at each point of the history.

The history is the audit log of the lab's API server: who wrote which version of an object, what was sent, and what it became. It includes
the writes of other clients and of killed runs, through any proxy. The logs of the registries have each login and its client.
Tests record the runs that they start, with everything that the user declares, as `operations`.
"""

from __future__ import annotations

import base64
import bisect
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

__all__ = [
    "Event",
    "History",
    "Model",
    "Operation",
    "in_order",
    "operation",
    "operations",
    "unnamed_logins",
    "unwanted_writes",
]

Object = Mapping[str, Any]
#: Resource, namespace and name.
Key = tuple[str, str, str]

_AGENT = "openshift_ops.image_pull"
_READS = (b'"verb":"get"', b'"verb":"list"', b'"verb":"watch"')
_WRITES = {"create", "update", "patch", "delete", "deletecollection"}
#: Requests to create something that is not stored.
_QUESTIONS = re.compile(r"reviews$|/token$|^imagestreamimports$")
#: Declarations that remove all other entries of a list, and the restore of a whole secret.
_WHOLE = re.compile(r"(?:\b|_)(exclusive|prune)\W+(?i:true|yes)\b|\bglobal_pull_secret_restore\W+/?\w")
#: Declarations that take access away: of removed objects and entries, of whole lists, and of new objects for existing ones.
_REVOKING = re.compile(
    r"""(?:\b|_)(state\W+(absent|remove)|mode\W+(replace|remove)|(exclusive|recreate)\W+(?i:true|yes))\b"""
)
#: Files that a kubelet or another client reads as a list of logins.
_AUTH_FILES = {".dockerconfigjson", ".dockercfg", "auth.json", "config.json"}


# --- the runs


@dataclass
class Operation:
    """A run. `text` is everything that the user declares. `changed` and `failed` are its result, None if unknown."""

    title: str
    text: str
    is_check: bool = False
    began: float = 0.0
    ended: float = float("inf")
    changed: bool | None = None
    failed: bool | None = None

    def overlaps(self, began: float, ended: float) -> bool:
        return self.began <= ended and began <= self.ended

    def names(self, *words: str) -> bool:
        return any(re.search(rf"(?<![\w.-]){re.escape(word)}(?![\w-]|\.\w)", self.text) for word in words)

    def names_key(self, registry: str) -> bool:
        """Whether it names the whole key: a declaration of a path below does not keep it."""
        return bool(re.search(rf"(?<![\w.-]){re.escape(registry)}(?![\w/-]|\.\w)", self.text))

    def declares_content(self, secret: str) -> bool:
        """Whether it declares all logins of a secret of this name, which is the default."""
        entries = re.split(r"\n\s*- |\{", self.text)
        return any(re.search(rf"""\bname\W+{re.escape(secret)}\b""", one) and "merge" not in one for one in entries)

    @property
    def revokes(self) -> bool:
        return self.removes_all or bool(_REVOKING.search(self.text))

    @property
    def removes_all(self) -> bool:
        """Whether it removes entries that the user does not name."""
        return "teardown" in self.title or bool(_WHOLE.search(self.text))


#: The runs of this process, since the last check.
operations: list[Operation] = []


@contextmanager
def operation(title: str, text: str, *, is_check: bool = False) -> Iterator[Operation]:
    """Record a run. The block sets its result."""
    found = Operation(title, text, is_check, began=datetime.now().timestamp())
    operations.append(found)
    try:
        yield found
    finally:
        found.ended = datetime.now().timestamp()


# --- the history


@dataclass(frozen=True)
class Event:
    """A request to write that the API server answered. `module` is the module of this collection that sent it, empty for other clients."""

    module: str
    verb: str
    key: Key
    sent: Object = field(default_factory=dict)
    got: Object = field(default_factory=dict)
    code: int = 200
    began: float = 0.0
    ended: float = 0.0
    is_dry: bool = False

    @classmethod
    def of(cls, line: Object) -> Event:
        """Return the event of a line of the audit log."""
        ref, got, agent = line.get("objectRef") or {}, line.get("responseObject") or {}, line.get("userAgent", "")
        return cls(
            module=re.split("[(.]", agent)[-1].rstrip(")") if agent.startswith(f"{_AGENT}/") else "",
            verb=line["verb"],
            key=(
                "/".join(filter(None, (ref.get("resource"), ref.get("subresource")))),
                ref.get("namespace", ""),
                ref.get("name") or _metadata(got).get("name", ""),
            ),
            sent=line.get("requestObject") or {},
            got=got,
            code=line["responseStatus"]["code"],
            began=_seconds(line["requestReceivedTimestamp"]),
            ended=_seconds(line["stageTimestamp"]),
            is_dry="dryRun=All" in line["requestURI"],
        )

    @property
    def is_write(self) -> bool:
        """Whether it changed an object."""
        return not self.is_dry and self.code < 300 and not _QUESTIONS.search(self.key[0])

    @property
    def version(self) -> int:
        """The resourceVersion of the written object, which is the position of the write among all writes. 0 after a deletion."""
        is_stored = self.verb in ("create", "update", "patch") and self.code < 300
        return int(_metadata(self.got).get("resourceVersion") or 0) if is_stored else 0

    def __str__(self) -> str:
        return f"{self.module or 'another client'}: {self.verb} {'/'.join(filter(None, self.key))}"


def in_order(lines: Iterable[bytes]) -> list[Event]:
    """Return the writes in the order in which the API server carried them out.

    A deletion has no version. It comes after all writes that ended before it began, and after those of its object.
    """
    read = (Event.of(json.loads(line)) for line in lines if not any(verb in line for verb in _READS))
    found = sorted((one for one in read if one.verb in _WRITES), key=lambda one: one.ended)
    ends, latest = [one.ended for one in found], [0]
    own: dict[Key, int] = {}
    places = []
    for number, one in enumerate(found):
        latest.append(max(latest[-1], one.version))
        own[one.key] = max(own.get(one.key, 0), one.version)
        after = one.version or max(latest[bisect.bisect_left(ends, one.began)], own[one.key])
        places.append((after, not one.version, number))
    return [found[number] for _after, _is_later, number in sorted(places)]


# --- the model


class Model:
    """The objects at one point of the history. `accounts`: the logins of each registry that is known to check them."""

    def __init__(self) -> None:
        self.accounts: dict[str, set[tuple[str, str]]] = {}
        self._namespaces: dict[str, dict[tuple[str, str], Object]] = defaultdict(dict)

    def apply(self, event: Event, running: Sequence[Operation]) -> list[str]:
        """Carry out the event. Return the problems of a write of ours, which the running operations can explain.

        The audit log has no content of other kinds of objects.
        """
        if not event.is_write or not event.got:
            return []
        resource, namespace, name = event.key
        objects = self._namespaces[namespace]
        before = objects.get((resource, name), {})
        could_pull = self._reach(event.key) if event.module else {}
        _carry_out(objects, event)
        if not event.module:
            return []
        after = objects.get((resource, name), {})
        named = _Named(event, running)
        problems = [*_version_problems(event, before), *_list_problems(before, after, named)]
        if resource == "secrets" and before and after:
            problems += _secret_problems(before, after, named)
        can_pull = self._reach(event.key)
        problems += [
            f"service account {account} can no longer pull from {key}"
            for account, keys in could_pull.items()
            for key in sorted(keys)
            if bare_key(key) not in {*map(bare_key, can_pull.get(account, ()))} and not named.is_revoked(key)
        ]
        return [f"{event}: {problem}" for problem in problems]

    def _reach(self, key: Key) -> dict[str, set[str]]:
        """The registry keys from which a kubelet can pull with each account that the object concerns."""
        resource, namespace, name = key
        objects = self._namespaces[namespace]
        accounts = {
            account: _names(obj.get("imagePullSecrets"))
            for (kind, account), obj in objects.items()
            if kind == "serviceaccounts" and resource in ("serviceaccounts", "secrets")
        }
        return {
            account: {
                registry
                for link in links
                for registry, entry in _auths(objects.get(("secrets", link), {})).items()
                if self._accepts(_host(registry), _login(entry))
            }
            for account, links in accounts.items()
            if (account == name if resource == "serviceaccounts" else name in links)
        }

    def _accepts(self, host: str, login: tuple[str, str]) -> bool:
        return login in self.accounts[host] if host in self.accounts else any(login)


def _carry_out(objects: dict[tuple[str, str], Object], event: Event) -> None:
    resource, _namespace, name = event.key
    if event.version:
        objects[resource, name] = event.got
    elif event.verb == "delete":
        objects.pop((resource, name), None)
    elif event.verb == "deletecollection":
        for item in event.got.get("items") or ():
            objects.pop((resource, _metadata(item).get("name", "")), None)


@dataclass(frozen=True)
class _Named:
    """The changes that the users of the running operations asked for. If no run is known, that is every change."""

    event: Event
    running: Sequence[Operation]

    def is_entry(self, *texts: str) -> bool:
        """Whether the user named the entry of a list, or asked for the removal of all entries that are not declared."""
        is_whole = self.event.module == "pull_access_prune" or self.is_content
        return is_whole or self._any(lambda one: one.names(*texts) or one.removes_all)

    @property
    def is_content(self) -> bool:
        """Whether the user declared all logins of the secret."""
        return self.event.module == "pull_secret" and self._any(lambda one: one.declares_content(self.event.key[2]))

    def is_revoked(self, registry: str) -> bool:
        is_object = self.event.module == "pull_access_prune" or self._any(lambda one: one.revokes)
        return is_object or (self.is_content and self._any(lambda one: not one.names_key(registry)))

    def _any(self, fits: Callable[[Operation], bool]) -> bool:
        return not self.running or any(map(fits, self.running))


def _version_problems(event: Event, before: Object) -> Iterator[str]:
    """A write names the version that was read."""
    version = _metadata(event.sent).get("resourceVersion")
    if event.verb == "delete":
        conditions = event.sent.get("preconditions") or {}
        version = conditions.get("resourceVersion") or (event.key[0] == "pods" and conditions.get("uid"))
    if event.verb != "create" and not version:
        yield "the write does not name the version that was read"
    elif event.verb in ("update", "patch") and before and _metadata(before).get("resourceVersion") != version:
        yield f"the history lacks version {version}"


def _list_problems(before: Object, after: Object, named: _Named) -> Iterator[str]:
    """A write keeps the entries of the version that it names, in their order, except those that the user named."""
    for part, entries in (_lists(before) if after else {}).items():
        left = _lists(after).get(part, [])
        for entry in entries:
            words = _subject_names(entry)[:1] if part == "subjects" else [entry, _host(entry)]
            if entry not in left and not named.is_entry(*words):
                yield f"{part}: {entry} of the version that was read is lost"
        if [entry for entry in left if entry in entries] != [entry for entry in entries if entry in left]:
            yield f"{part}: the entries changed their order"


def _subject_names(subject: str) -> list[str]:
    """The namespace, if there is one, and the name. Parts that users do not name are left out."""
    return [
        part for part in re.split("[/:]", subject) if part not in ("", "system", "serviceaccount", "serviceaccounts")
    ]


def _lists(obj: Object) -> dict[str, list[str]]:
    """The entries of the parts that belong to several writers."""
    found = {part: _names(obj.get(part)) for part in ("imagePullSecrets", "secrets")}
    found["subjects"] = [f"{one.get('namespace', '')}/{one.get('name', '')}" for one in obj.get("subjects") or ()]
    found["auths"] = sorted(_auths(obj))
    return {part: [*dict.fromkeys(names)] for part, names in found.items()}


def _secret_problems(before: Object, after: Object, named: _Named) -> Iterator[str]:
    """Of a secret, only the logins change that the user named."""
    if before.get("type") != after.get("type"):
        yield "the type changed"
    old, new = _auths(before), _auths(after)
    for key in old:
        if key in new and old[key] != new[key] and not named.is_entry(key, _host(key)):
            yield f"the login for {key} changed, which the user did not name"
    for part, is_ours in (("data", _AUTH_FILES), ("labels", ()), ("annotations", ())):
        kept = (after if part == "data" else _metadata(after)).get(part) or {}
        for name, value in ((before if part == "data" else _metadata(before)).get(part) or {}).items():
            if kept.get(name) != value and name not in is_ours and not named.is_entry(name):
                yield f"{part}: {name} changed"


def _auths(secret: Object) -> dict[str, Object]:
    """The entries that a kubelet reads."""
    data = secret.get("data") or {}
    try:
        if secret.get("type") == "kubernetes.io/dockerconfigjson":
            found = json.loads(base64.b64decode(data[".dockerconfigjson"]))["auths"]
        else:
            found = json.loads(base64.b64decode(data[".dockercfg"])) if "type" in secret else {}
        return {key: entry for key, entry in found.items() if isinstance(entry, dict)}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {}


def _login(entry: Object) -> tuple[str, str]:
    try:
        user, _colon, password = base64.b64decode(entry.get("auth") or "").decode().partition(":")
    except (TypeError, ValueError):
        user = password = ""
    return (user, password.strip("\0")) if user else (entry.get("username") or "", entry.get("password") or "")


def bare_key(key: str) -> str:
    """The key without scheme, user and version: the modules replace all spellings of a registry."""
    return key.rpartition("://")[2].rpartition("@")[2].removesuffix("/v1/").removesuffix("/v2/").strip("/")


def _host(registry: str) -> str:
    return registry.rpartition("://")[2].partition("/")[0]


def _names(entries: Any) -> list[str]:
    return [one.get("name", "") for one in entries or () if isinstance(one, dict)]


def _metadata(obj: Object) -> Object:
    found: Object = obj.get("metadata") or {}
    return found


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def unwanted_writes(events: Iterable[Event], runs: Sequence[Operation]) -> list[str]:
    """The writes of runs that only check, that report no change, or that repeat a finished run. A probe leaves nothing, and is no change."""
    written = [one for one in events if one.is_write]
    probes = {one.key for one in written if one.module and one.verb == "create" and one.key[0] == "pods"}
    written, found = [one for one in written if one.key not in probes], []
    for number, run in enumerate(runs):
        if any(other is not run and other.overlaps(run.began, run.ended) for other in runs):
            continue
        before = runs[number - 1] if number else run
        others = [one for one in written if not one.module and before.began <= one.ended <= run.ended]
        is_second = before is not run and (before.title, before.text) == (run.title, run.text) and not others
        is_finished = before.failed is False and not before.is_check
        if run.is_check:
            why = "only checks"
        elif run.changed is False and not run.failed:
            why = "reports no change"
        elif is_second and is_finished:
            why = "repeats a finished run"
        else:
            continue
        found += [
            f"{run.title} {why}, but sent {one}" for one in written if one.module and run.overlaps(one.began, one.ended)
        ]
    return found


_LOGIN = re.compile(r'(\S+ \S+) host=(\S+) agent="([^"]*)" (.*) authorization=basic')


def unnamed_logins(lines: Iterable[bytes], runs: Sequence[Operation]) -> Iterator[str]:
    """The logins that we sent to a host that the user did not name. The lines are those of a registry's log."""
    for line in lines:
        match = _LOGIN.match(line.decode(errors="replace"))
        if match and match[3].startswith(_AGENT):
            at = datetime.strptime(match[1], "%Y/%m/%d %H:%M:%S.%f").timestamp()
            running = [one for one in runs if one.overlaps(at, at)]
            if running and not any(one.names(match[2]) for one in running):
                yield f"a login went to {match[2]}, which the user did not name: {match[4]}"


@dataclass
class History:
    """The history of a lab. Each call reads on. `directory` is that of the lab."""

    directory: Path
    _model: Model = field(default_factory=Model)
    _offsets: dict[Path, int] = field(default_factory=dict)

    def problems(self) -> list[str]:
        """Return the problems since the last call. None after the lab has ended."""
        description = self.directory / "lab.json"
        if not description.exists():
            return []
        data = json.loads(description.read_text())
        for registry in data["registries"].values():
            if registry.get("accounts"):
                logins = {(each["username"], each["password"]) for each in registry["accounts"]}
                self._model.accounts[registry["host"]] = logins
        events = in_order(self._lines(Path(data["audit_log"])))
        found = [
            problem
            for event in events
            for problem in self._model.apply(
                event, [one for one in operations if one.overlaps(event.began, event.ended)]
            )
        ]
        found += unwanted_writes(events, operations)
        for log in sorted((self.directory / "logs").glob("registry-*.log")):
            found += unnamed_logins(self._lines(log), operations)
        return found

    def _lines(self, log: Path) -> list[bytes]:
        with log.open("rb") as file:
            file.seek(self._offsets.get(log, 0))
            whole, newline, _under_way = file.read().rpartition(b"\n")
        self._offsets[log] = self._offsets.get(log, 0) + len(whole) + len(newline)
        return whole.splitlines()
