# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shared parts of both engines: the settings of a run, its progress, and the reasons to end it early."""

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
from ..core.errors import ImagePullError, describe_unexpected
from ..core.phrases import pluralize
from ..core.protocols import Question
from .clock import Clock
from .namespaces import deleted_sentence, missing_sentence, require_namespace, terminating_sentence
from .progress import Progress
from .reader import View, read_views
from .result import NamespaceResult, Outcome
from .workers import Workers

__all__ = ["Run", "RunSettings", "internal_error", "open_run"]


#: The error of each namespace that is only partly done when the run stops. The reason for stopping is reported once.
_CUT_SHORT = "the task stopped before this namespace was finished. Its last write may have been carried out"


@dataclass(frozen=True)
class RunSettings:
    """Settings of a run.

    `wait_timeout`: seconds to wait for objects that do not exist yet. `max_failures`: when the API server has failed in more namespaces
    than that, the others are not attempted. None means no limit. `say` gets the progress lines.
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
    """The shared state of all namespaces of one task. `stopped` is the reason why no further request makes sense, and empty otherwise.

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
        """Count the failure of a read or a creation for `max_failures`, if it is a failure of the API server.

        The administrator of a namespace can cause all other failures: by an object, a missing role binding, a full quota, their own policy
        or webhook, or the deletion of the namespace. These never end the work in other namespaces.
        """
        if _is_server_error(error):
            self.unserved.add(namespace)

    def stop(self, error: ImagePullError) -> None:
        """End the run. Only the first reason is reported."""
        self.stopped = self.stopped or str(error)

    def read(
        self, question: Question, namespaces: Sequence[str], *, leave_unread: bool = False
    ) -> Mapping[str, View | ImagePullError]:
        """Return the objects that the question needs, or errors. Empty if the run has stopped.

        A failed list over all namespaces stops the run, like an error of the cluster, because neither belongs to one namespace.
        """
        try:
            seen = read_views(self.cluster, self.workers, question, namespaces, leave_unread=leave_unread)
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
        """Return the result of a namespace in which nothing was changed before an error."""
        if isinstance(error, ClusterError):
            self.stop(error)
            return (
                NamespaceResult(namespace, "failed", error=_CUT_SHORT)
                if error.unanswered
                else self.result_of_skip(namespace)
            )
        if isinstance(error, NamespaceTerminating):
            return NamespaceResult(namespace, "skipped", error=terminating_sentence(self.cluster))
        message = missing_sentence(self.cluster) if isinstance(error, NamespaceMissing) else str(error)
        return NamespaceResult(namespace, "failed", error=message)

    def result_of_skip(self, namespace: str) -> NamespaceResult:
        """Return the result of a namespace that was not attempted."""
        reason = (
            f"the task stopped ({self.cluster.name} failed)"
            if self.stopped
            else f"the API server failed in more than {pluralize(self.settings.max_failures or 0, 'namespace')} (max_failures)"
        )
        return NamespaceResult(namespace, "skipped", error=f"not attempted: {reason}")

    def namespace_problem(self, namespace: str, *, was_there: bool) -> str:
        """Return the reason why nothing can appear in a namespace. Empty if it can, or if the caller is not allowed to read the namespace.

        `was_there`: whether the task has read it before.
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


def _is_server_error(error: ImagePullError) -> bool:
    if isinstance(error, ApiError):
        return error.status == 429 or error.status >= 500
    return isinstance(error, Unanswered) and not isinstance(error, WebhookUnanswered)


@contextmanager
def open_run(cluster: Cluster, namespaces: int, settings: RunSettings) -> Iterator[Run]:
    """Yield a run with its threads."""
    with Workers(settings.concurrency) as workers:
        progress = Progress(settings.task, namespaces, settings.say, settings.clock.now)
        yield Run(cluster, settings, workers, progress)


def internal_error(error: Exception) -> ImagePullError:
    """Return the failure of one namespace for an unexpected error. The other namespaces continue."""
    return ImagePullError(f"an internal error: {describe_unexpected(error)}. Please report it, with the task's options")
