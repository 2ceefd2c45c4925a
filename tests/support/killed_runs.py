# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of a module that are ended by SIGKILL after a number of their writes, whatever the speed of the machine."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.lab import Lab
from support.logins import token_kubeconfig
from support.modules import PACKAGE, run_module
from support.proxy import Exchange, Proxy

__all__ = ["KilledRuns", "killed_runs"]

_WRITES = ("POST", "PUT", "PATCH", "DELETE")
#: For what the API server carries out.
_SECONDS = 60.0

#: Forks from a process of one thread, which has imported the modules: a run begins within milliseconds.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "support.modules",
        *(
            f"{PACKAGE}.{name}"
            for name in ("credential_rotation", "image_puller_grant", "prune", "pull_secret", "sa_link")
        ),
    ]
)


class KilledRuns:
    """Runs behind a proxy that lets a number of writes through. The one after them is never answered: its run is killed instead."""

    def __init__(self, proxy: _Gate, kubeconfig: str) -> None:
        self._proxy, self._kubeconfig = proxy, kubeconfig

    def kill(self, module: str, options: dict[str, Any], *, writes: int) -> None:
        """Runs the module and kills it after `writes` writes, of which the last may be under way."""
        self._proxy.let_through(writes)
        # A daemon: it ends with the test, also when that fails.
        run = _FORKS.Process(
            target=run_module, args=(module,), kwargs={**options, "kubeconfig": self._kubeconfig}, daemon=True
        )
        run.start()
        while not self._proxy.reached.wait(0.05):
            assert run.is_alive(), f"{module} made {writes} writes at most"
        run.kill()
        run.join()
        self._proxy.settle()


@contextmanager
def killed_runs(lab: Lab, folder: Path) -> Iterator[KilledRuns]:
    with _Gate(lab).running() as proxy:
        yield KilledRuns(proxy, token_kubeconfig(lab, proxy.url, folder / "killed.kubeconfig"))


class _Gate(Proxy):
    """`reached` is set when a write is held back."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.reached = threading.Event()
        self._changed = threading.Condition(self.lock)
        self._open, self._left, self._under_way = threading.Event(), 0, 0

    def let_through(self, writes: int) -> None:
        """That many writes from now on."""
        with self._changed:
            self.reached.clear()
            self._open = threading.Event()
            self._left = writes

    def settle(self) -> None:
        """After its run is gone: what was let through has been carried out, and what was held back is forgotten."""
        self._open.set()
        with self._changed:
            assert self._changed.wait_for(lambda: not self._under_way, _SECONDS)

    def handle(self, exchange: Exchange) -> None:
        if exchange.command not in _WRITES:
            exchange.answer(exchange.ask())
            return
        with self._changed:
            self._left -= 1
            let, gate = self._left >= 0, self._open
            self._under_way += let
        if let:
            self._carry_out(exchange)
        else:
            self.reached.set()
            gate.wait()
            exchange.cut(by_reset=True)

    def _carry_out(self, exchange: Exchange) -> None:
        try:
            reply = exchange.ask()
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()
        exchange.answer(reply)
