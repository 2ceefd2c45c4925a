# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of a module that are ended by SIGKILL after a number of their writes, whatever the speed of the machine."""

from __future__ import annotations

import multiprocessing
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.hostile_proxy import HostileProxy, hanging
from support.lab import Lab
from support.logins import token_kubeconfig
from support.modules import PACKAGE, run_module
from support.proxy import Exchange

__all__ = ["KilledRuns"]

#: For what the API server carries out, and until a run is killed.
_SECONDS = 60.0

#: Forks from a process of one thread, which has imported the modules: a run begins within milliseconds.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "support.modules",
        *(
            f"{PACKAGE}.{name}"
            for name in ("credential_rotation", "image_puller_grant", "pull_access_prune", "pull_secret", "sa_link")
        ),
    ]
)


@dataclass(frozen=True)
class KilledRuns:
    """Runs behind a proxy that lets a number of writes through. The one after them is never answered: its run is killed instead."""

    lab: Lab
    folder: Path

    def kill(self, module: str, options: dict[str, Any], *, writes: int) -> None:
        """Runs the module and kills it after `writes` writes, the last of which may be under way then: all are carried out."""
        reached = threading.Event()

        def hold(proxy: HostileProxy, exchange: Exchange) -> None:
            reached.set()
            hanging("request", _SECONDS)(proxy, exchange)

        with HostileProxy(self.lab).running() as proxy:
            proxy.rule("^(POST|PUT|PATCH|DELETE) ", hold, after=writes)
            kubeconfig = token_kubeconfig(self.lab, proxy.url, self.folder / "killed.kubeconfig")
            # A daemon: it ends with the test, also when that fails.
            run = _FORKS.Process(
                target=run_module, args=(module,), kwargs={**options, "kubeconfig": kubeconfig}, daemon=True
            )
            run.start()
            while not reached.wait(0.05):
                assert run.is_alive(), f"{module} made {writes} writes at most"
            run.kill()
            run.join()
        proxy.settle(_SECONDS)
