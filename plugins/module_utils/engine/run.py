# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both engines share: the settings of a run, its progress, and what ends it early."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..clients.kube.client import Cluster
from ..clients.kube.errors import (
    ApiError,
    ClusterError,
    NamespaceMissing,
    NamespaceTerminating,
    Unanswered,
    WebhookUnanswered,
)
from ..core.errors import ImagePullError, unexpected
from ..core.phrases import pluralize
from ..core.protocols import Question
from .clock import Clock
from .namespaces import deleted_sentence, missing_sentence, require_namespace, terminating_sentence
from .progress import Progress
from .reader import View, read
from .result import NamespaceResult, Outcome
from .workers import Workers

__all__ = ["Run", "RunSettings", "internal_error", "running"]


#: What is said of each namespace that is only half done when the run stops; why it stopped is said once.
_CUT_SHORT = "the task stopped before this namespace was finished; its last write may have been carried out"


@dataclass(frozen=True)
class RunSettings:
    """How a task runs.

    `wait_timeout`: seconds to wait for objects that do not exist yet. `max_failures`: once the API server has failed in more namespaces than
    that, the others are not attempted; None goes on to the end. `say` is given the progress lines.
    """

    check_mode: bool
    concurrency: int = 8
    wait_timeout: float = 0.0
    max_failures: int | None = None
    task: str = ""
    say: Callable[[str], None] | None = None
    clock: Clock = field(default_factory=Clock)


@dataclass
class Run:
    """What all namespaces of one task share. `stopped` says why no further request makes sense; empty while one does.

    `unserved` are the namespaces in which the API server failed.
    """

    cluster: Cluster
    settings: RunSettings
    workers: Workers
    progress: Progress
    stopped: str = ""
    unserved: set[str] = field(default_factory=set)

    @property
    def is_over(self) -> bool:
        limit = self.settings.max_failures
        return limit is not None and len(self.unserved) > limit

    def count(self, namespace: str, error: ImagePullError) -> None:
        """Counts the failure of a read or a creation for `max_failures`, if it is one of the API server.

        Whoever administers a namespace causes all others at will: by an object, a role binding that is gone, a full quota, a policy or
        a webhook of their own, the end of the namespace. These never end the work in the namespaces of others.
        """
        if _is_of_server(error):
            self.unserved.add(namespace)

    def stop(self, error: ImagePullError) -> None:
        """Ends the run. The first reason is the one that is told, once."""
        self.stopped = self.stopped or str(error)

    def read(
        self, question: Question, namespaces: Sequence[str], *, leave_unread: bool = False
    ) -> Mapping[str, View | ImagePullError]:
        """What the question needs to see, or why not; nothing once the run is stopped.

        A list over all namespaces that fails stops the run, as an error of the cluster does: neither is one namespace's.
        """
        try:
            seen = read(self.cluster, self.workers, question, namespaces, leave_unread=leave_unread)
        except ImagePullError as error:
            self.stop(error)
            return {}
        for namespace, answer in seen.items():
            if isinstance(answer, ClusterError):
                self.stop(answer)
            elif isinstance(answer, ImagePullError):
                self.count(namespace, answer)
        return seen

    def failed(self, namespace: str, error: ImagePullError) -> NamespaceResult:
        """The result of a namespace in which nothing was changed before an error."""
        if isinstance(error, ClusterError):
            self.stop(error)
            return (
                NamespaceResult(namespace, "failed", error=_CUT_SHORT)
                if error.unanswered
                else self.not_attempted(namespace)
            )
        if isinstance(error, NamespaceTerminating):
            return NamespaceResult(namespace, "skipped", error=terminating_sentence(self.cluster))
        message = missing_sentence(self.cluster) if isinstance(error, NamespaceMissing) else str(error)
        return NamespaceResult(namespace, "failed", error=message)

    def not_attempted(self, namespace: str) -> NamespaceResult:
        """The result of a namespace that is left out."""
        reason = (
            f"the task stopped ({self.cluster.name} failed)"
            if self.stopped
            else f"the API server failed in more than {pluralize(self.settings.max_failures or 0, 'namespace')} (max_failures)"
        )
        return NamespaceResult(namespace, "skipped", error=f"not attempted: {reason}")

    def what_is_wrong_with(self, namespace: str, *, was_there: bool) -> str:
        """Why nothing can appear in a namespace; empty when it can, or when the caller may not know.

        `was_there`: whether the task has seen it before.
        """
        try:
            require_namespace(self.cluster, namespace)
        except NamespaceMissing:
            return deleted_sentence(self.cluster) if was_there else missing_sentence(self.cluster)
        except ImagePullError as error:
            return str(error)
        return ""

    def outcome(self, results: Sequence[NamespaceResult], retries: int = 0) -> Outcome:
        return Outcome(results, self.cluster.retries + retries, self.stopped)


def _is_of_server(error: ImagePullError) -> bool:
    if isinstance(error, ApiError):
        return error.status == 429 or error.status >= 500
    return isinstance(error, Unanswered) and not isinstance(error, WebhookUnanswered)


@contextmanager
def running(cluster: Cluster, namespaces: int, settings: RunSettings) -> Iterator[Run]:
    """A run with its threads."""
    with Workers(settings.concurrency) as workers:
        progress = Progress(settings.task, namespaces, settings.say, settings.clock.now)
        yield Run(cluster, settings, workers, progress)


def internal_error(error: Exception) -> ImagePullError:
    """An unexpected error is one namespace's failure too; the others go on."""
    return ImagePullError(f"an internal error: {unexpected(error)}; please report it, with the task's options")
