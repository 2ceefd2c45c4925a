# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An event source of ansible-rulebook: its arguments, its connection, and the delivery to the rulebook's queue.

Arguments are validated like those of a module, the connection is that of the modules, and events contain no credentials.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Protocol

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..clients.kube.client import Cluster
from ..clients.kube.kubeconfig import IMPORT_ERROR
from ..core.errors import OptionError
from ..core.redaction import collect_credentials, mask
from .task import Task

_LOG = logging.getLogger("openshift_ops.image_pull")

#: Queue into which ansible-rulebook puts each event that it has taken, if the argument `feedback` is set.
_FEEDBACK = "eda_feedback_queue"
#: Arguments of all sources.
_OF_THE_RULEBOOK = ("feedback", _FEEDBACK)


class Queue(Protocol):
    """The queue that ansible-rulebook gives a source."""

    async def put(self, event: dict[str, Any]) -> None:
        """Put the event, and wait until it is taken."""


@dataclass(frozen=True)
class EventSource:
    """A source with its arguments. `secrets` are masked in each event. `warned` are the warnings already logged."""

    name: str
    params: Mapping[str, Any]
    secrets: frozenset[str]
    directory: str
    warned: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def cluster(self) -> Iterator[Cluster]:
        """Open a new connection to the cluster of the arguments, and read the login again. Each warning is logged once."""
        task = Task(
            self.name, self.params, check_mode=True, diff=False, temporary_directory=self.directory, secrets=set()
        )
        with task.connect() as cluster:
            self._warn(task.warnings)
            yield cluster

    def _warn(self, warnings: Sequence[str]) -> None:
        with self._lock:
            new = [warning for warning in warnings if warning not in self.warned]
            self.warned.update(new)
        for warning in new:
            _LOG.warning("%s: %s", self.name, mask(warning, self.secrets))

    def mask(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return the event with all credentials masked."""
        shown: dict[str, Any] = mask(event, self.secrets)
        return shown


@contextmanager
def event_source(name: str, arguments: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[EventSource]:
    """Return a source with the arguments of a rulebook. Empty texts count as not given, because a rulebook cannot omit arguments.

    :raises OptionError: with all invalid arguments.
    """
    if IMPORT_ERROR:
        raise OptionError(
            f"{name}: the Python of ansible-rulebook cannot import a package: install PyYAML, urllib3 and certifi there"
        )
    kept = {key: value for key, value in given.items() if key not in _OF_THE_RULEBOOK and value not in ("", None)}
    # Validation changes a default that is a list of dictionaries, and a second validation would refuse the changed list.
    validation = ArgumentSpecValidator(deepcopy(dict(arguments))).validate(kept)
    secrets = frozenset(collect_credentials(validation.validated_parameters, validation._no_log_values))
    if validation.error_messages:
        raise OptionError(mask(f"{name}: {'; '.join(validation.error_messages)}", secrets))
    with tempfile.TemporaryDirectory() as directory:
        yield EventSource(name, validation.validated_parameters, secrets, directory)


async def forward_events(
    queue: Queue,
    args: Mapping[str, Any],
    work: Callable[[Callable[[dict[str, Any]], None], threading.Event], None],
) -> None:
    """Run `work` in a thread until it ends or this is cancelled. `work` receives a function that puts an event, and a stop signal.

    The thread is a daemon, so a pending request does not delay the end of ansible-rulebook.
    """
    loop, stop = asyncio.get_running_loop(), threading.Event()
    emptying = loop.create_task(_drain_feedback(args.get(_FEEDBACK)))
    ended: asyncio.Future[None] = loop.create_future()

    def tell(event: dict[str, Any]) -> None:
        asyncio.run_coroutine_threadsafe(queue.put(event), loop).result()

    def run() -> None:
        outcome: BaseException | None = None
        try:
            work(tell, stop)
        except BaseException as error:
            outcome = error
        with suppress(RuntimeError):  # The loop is closed, so the result is not needed.
            loop.call_soon_threadsafe(_settle, ended, outcome)

    threading.Thread(target=run, name="event source", daemon=True).start()
    try:
        await ended
    finally:
        stop.set()
        emptying.cancel()


async def _drain_feedback(feedback: asyncio.Queue[Any] | None) -> None:
    """Discard returned events. A source does not need them, because it starts with all existing objects, but a full queue would block
    ansible-rulebook.
    """
    while feedback is not None:
        await feedback.get()


def _settle(ended: asyncio.Future[None], outcome: BaseException | None) -> None:
    if ended.done():
        return
    if outcome is None:
        ended.set_result(None)
    else:
        ended.set_exception(outcome)
