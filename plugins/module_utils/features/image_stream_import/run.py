# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Import tags of image streams again, with one request for each stream, and read the result of each tag from the answer.

The engine verifies a namespace by reading the written objects again. That does not work here, because imports are not stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ...clients.kube.client import Cluster, list_api_groups
from ...clients.kube.errors import (
    AlreadyExists,
    ApiError,
    Conflict,
    Forbidden,
    NamespaceMissing,
    NamespaceTerminating,
    NotFound,
    Unanswered,
    UnknownResource,
)
from ...core.changes import Change
from ...core.errors import ImagePullError, Refusal
from ...core.objects import Json
from ...core.text import summarize
from ...engine.fetching import View
from ...engine.result import NamespaceResult, Outcome, Status
from ...engine.run import NamespaceWork, Run, RunSettings, attempt, open_run
from .plan import (
    ImportOptions,
    Imports,
    LeftTag,
    StreamImport,
    TagImport,
    TagResult,
    advice,
    read_results,
    resource_version_of,
    tag_row,
)

_GROUP = "image.openshift.io"
#: Maximum number of tags in one request: the server queries the registry for one after the other, and a request must not take long.
_MOST_TAGS = 25
#: Maximum number of attempts for a stream that others keep changing.
_MOST_TRIES = 6
_PAUSE_SECONDS = 0.05
#: Maximum number of failed tags in the error of a namespace. The result lists all.
_SHOWN = 5
_PLANNED, _IMPORTED, _FAILED, _LEFT = "planned", "imported", "failed", "left"
_WHERE_NONE = (
    "this cluster has no image streams (API group image.openshift.io: OpenShift has it, plain Kubernetes and MicroShift do not), so there "
    "is nothing to import"
)


def import_streams(
    cluster: Cluster, asked: ImportOptions, namespaces: Sequence[str], settings: RunSettings, *, named: bool = False
) -> Outcome:
    """Import the tags, and return the outcome. `named`: the namespaces were given by name, so a missing one is an error.

    :raises ImagePullError: when it cannot be read whether the cluster has image streams.
    """
    groups = list_api_groups(cluster)
    if not groups:
        raise Refusal(f"{cluster.name} lists no API group under /apis, so it is not known whether it has image streams")
    if _GROUP not in groups:
        results = [NamespaceResult(name, "unchanged") for name in namespaces]
        return Outcome(results, cluster.retries, remarks=(_WHERE_NONE,), extra=_summary([], _WHERE_NONE))
    question = Imports(asked)
    with open_run(cluster, len(namespaces), settings) as run:
        seen = run.read(question, namespaces)
        works = [_NamespaceImports(name, run, question) for name in namespaces]
        run.share(works, seen, _NamespaceImports.plan)
        run.check_namespaces([work for work in works if named and work.found == frozenset()])
        run.count_finished(works)
        # The streams of all namespaces run in parallel: the registries take the time, and one project may have most streams.
        run.workers.map(_Stream.carry_out, [stream for work in works for stream in work.streams])
        outcome = run.outcome([work.finish() for work in works])
    rows = [row for work in works for row in work.rows]
    missing = [name for name in asked.streams if seen and not any(name in (work.found or ()) for work in works)]
    remarks = [
        f"image stream {name} does not exist in namespace{'s'[: len(namespaces) > 1]} {summarize(namespaces, 3)} on {cluster.name}: "
        f"correct option 'streams' ('oc get imagestreams -n {namespaces[0]}' lists the names)"
        for name in missing
    ]
    return replace(outcome, remarks=(*outcome.remarks, *remarks), extra=_summary(rows, ""))


def _summary(rows: Sequence[Mapping[str, Any]], reason: str) -> dict[str, Any]:
    count = Counter(row["status"] for row in rows)
    counts = {status: count[status] for status in (_PLANNED, _IMPORTED, _FAILED, _LEFT)}
    return {"supported": not reason, "reason": reason, "imports": {"tags": len(rows), **counts}}


@dataclass
class _NamespaceImports(NamespaceWork):
    """The imports of one namespace. `found` are the names of its streams, None if these are unknown, `streams` the planned imports, `left` the
    tags without one. `is_refused`: the caller is not allowed to import here, so nothing more is tried.
    """

    run: Run
    question: Imports
    found: frozenset[str] | None = None
    streams: list[_Stream] = field(default_factory=list)
    left: list[Json] = field(default_factory=list)
    is_refused: bool = False

    @property
    def has_more(self) -> bool:
        return not all(stream.is_done for stream in self.streams)

    @property
    def rows(self) -> list[Json]:
        """Return its tags as the result lists them; none if it was not attempted."""
        if self.result is not None:
            return []
        return [*self.left, *(row for stream in self.streams for row in stream.rows)]

    def plan(self, view: View) -> None:
        """Plan the imports, for the objects of the namespace."""
        if self.run.is_over:
            self.run.end(self)
            return
        self.found = frozenset(view.objects)
        planned, left = self.question.plan(self.namespace, view.objects)
        self.left = [tag_row(tag, _LEFT, reason=tag.reason) for tag in left]
        self.streams = [_Stream(self, each) for each in planned]

    def summarize(self) -> NamespaceResult:
        changes = tuple(change for stream in self.streams for change in stream.changes)
        error = self._error()
        status: Status = "failed" if error else "changed" if changes else "unchanged"
        result = NamespaceResult(self.namespace, status, changes, error=error)
        stopped = next((stream.error for stream in self.streams if stream.error is not None), None)
        if stopped is not None:
            ended = self.run.result_of_failure(self.namespace, stopped)
            if not (changes or error):
                return ended
            result = replace(result, status="failed", error="; ".join(filter(None, (error, ended.error))))
        return replace(result, extra={"tags": self.rows}, unremarkable=not self.rows)

    def _error(self) -> str:
        problems = [problem for stream in self.streams for problem in stream.problems]
        advices = dict.fromkeys(words for stream in self.streams for words in stream.advices)
        return "; ".join(filter(None, (summarize(problems, _SHOWN, "; ", listed="tags"), *advices)))


@dataclass
class _Stream:
    """The import of one stream. `rows` are its tags as the result lists them, `problems` the failures, `advices` their fixes.

    `error` is why it was not completed.
    """

    place: _NamespaceImports
    wanted: StreamImport
    rows: list[Json] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    advices: list[str] = field(default_factory=list)
    error: ImagePullError | None = None
    is_done: bool = False

    @property
    def run(self) -> Run:
        return self.place.run

    def carry_out(self) -> None:
        """Run the import. Called in a thread."""
        self.error = attempt(self._import)
        self.is_done = True
        self.run.count_finished([self.place])

    def _import(self) -> None:
        wanted = self.wanted
        if self.place.is_refused:
            self._note_left(wanted.tags, "not attempted: the caller may not import in this namespace")
            return
        if self.run.settings.check_mode:
            self.rows += [tag_row(tag, _PLANNED, reason=tag.problem) for tag in wanted.tags]
            self.changes.append(wanted.change({tag.tag: "imported again" for tag in wanted.tags}))
            return
        version = wanted.version
        for part in wanted.parts(_MOST_TAGS):
            version = self._part(replace(part, version=version)) or version

    def _part(self, wanted: StreamImport) -> str:
        """Send one request, and repeat it for a stream that was changed in between. Return the stream's new version, if known."""
        version, error = self._send(wanted)
        for _try in range(_MOST_TRIES):
            if error is None:
                return version
            self.run.settings.clock.sleep(_PAUSE_SECONDS)
            wanted = self._plan_again(wanted)
            version, error = self._send(wanted) if wanted.tags else (wanted.version, None)
        if error is not None:
            self._note_refusal(wanted, error)
        return version

    def _send(self, wanted: StreamImport) -> tuple[str, ApiError | None]:
        """Send one request. Return the stream's new version, empty if unknown, or why the stream has to be read again."""
        try:
            answer = self.run.cluster.write(wanted.change({}))
        except (NamespaceMissing, NamespaceTerminating, UnknownResource):
            raise
        except (Conflict, AlreadyExists, NotFound) as error:
            return "", error
        except Unanswered as error:
            return self._handle_lost_answer(wanted, error), None
        except ApiError as error:
            self._note_refusal(wanted, error)
            return "", None
        self._note_results(wanted, read_results(answer, wanted.tags))
        return resource_version_of(answer), None

    def _plan_again(self, wanted: StreamImport) -> StreamImport:
        """Return the import of the remaining tags, for the current stream."""
        now = self._read_current(wanted)
        if now is None:
            return replace(wanted, tags=())
        still = {tag.tag for tag in now.tags}
        others = [tag for tag in wanted.tags if tag.tag not in still]
        self._note_left(others, "another client imported or changed it in the meantime")
        return now

    def _read_current(self, wanted: StreamImport) -> StreamImport | None:
        """Return the current plan of the same tags, without those that need no import any more. None when the stream is gone."""
        stream = self.run.cluster.get(wanted.ref)
        if stream is None:
            self._note_left(wanted.tags, "the image stream was deleted in the meantime")
            return None
        names = {tag.tag for tag in wanted.tags}
        # The current cause does not matter: a login could fix the cause before.
        planned, _left = replace(self.place.question, any_cause=True).plan_of(wanted.ref, stream)
        return replace(planned, tags=tuple(tag for tag in planned.tags if tag.tag in names))

    def _handle_lost_answer(self, wanted: StreamImport, error: Unanswered) -> str:
        """Handle a request whose answer was lost: tags that no longer fail, or have another image, were imported."""
        try:
            now = self._read_current(wanted)
        except (ApiError, Unanswered) as unread:
            self._note_refusal(wanted, Refusal(f"{error}; the outcome is not known: {unread}"))
            return ""
        if now is None:
            return ""
        same = {tag.tag for tag in now.tags if tag.cause}
        same |= {old.tag for old in wanted.tags for tag in now.tags if not old.cause and old.digest == tag.digest}
        digests = {tag.tag: tag.digest for tag in now.tags}
        self._note_results(
            wanted, [TagResult(tag, digests.get(tag.tag, "")) for tag in wanted.tags if tag.tag not in same]
        )
        self._note_refusal(replace(wanted, tags=tuple(tag for tag in wanted.tags if tag.tag in same)), error)
        return now.version

    def _note_left(self, tags: Sequence[TagImport], reason: str) -> None:
        self.rows += [
            tag_row(LeftTag(tag.stream, tag.tag, tag.image, tag.cause, reason), _LEFT, reason=reason) for tag in tags
        ]

    def _note_refusal(self, wanted: StreamImport, error: ImagePullError) -> None:
        """Record a refused request as the failure of all its tags."""
        if wanted.tags:
            self.rows += [tag_row(tag, _FAILED, reason=str(error)) for tag in wanted.tags]
            names = ", ".join(tag.tag for tag in wanted.tags)
            self.problems.append(f"{'tag' if len(wanted.tags) == 1 else 'tags'} {names} of {wanted.ref}: {error}")
        if isinstance(error, Forbidden) and "cannot create resource" in str(error):
            self.place.is_refused = True

    def _note_results(self, wanted: StreamImport, found: Sequence[TagResult]) -> None:
        for each in found:
            if not each.problem:
                self.rows.append(tag_row(each.tag, _IMPORTED, digest=each.digest))
                continue
            self.rows.append(tag_row(each.tag, _FAILED, reason=each.problem, cause=each.cause))
            self.problems.append(f"tag {each.tag.tag} of {wanted.ref} was not imported: {each.problem}")
            self.advices.append(advice(each.cause, self.place.namespace))
        new = {each.tag.tag: each.digest or "imported" for each in found if each.is_new}
        if new:
            self.changes.append(wanted.change(new))
