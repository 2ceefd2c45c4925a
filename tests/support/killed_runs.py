# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of a module or a playbook that SIGKILL ends after a number of writes, independent of the speed of the machine."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.history import operation
from support.hostile_proxy import HostileProxy, hanging
from support.lab import Lab
from support.logins import token_kubeconfig
from support.modules import PACKAGE, run_module
from support.playbooks import COLLECTION, declared_text
from support.proxy import Exchange

__all__ = ["FORKS", "GUARD", "WRITES", "KilledRuns"]

#: The requests that change an object: a question about a right is none.
WRITES = r"^(PUT|PATCH|DELETE) |^POST (?!\S*reviews)"
#: A request that only a guard sends, while it reads the cluster.
GUARD = r"^GET /apis/rbac.authorization.k8s.io/v1/clusterrolebindings\?"

#: Time limit for requests of the API server, and for the end of a killed run.
_SECONDS = 60.0

#: Forks from a process with one thread that has imported the modules, so that a run begins within milliseconds.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "ansible.cli.playbook",
        "support.modules",
        *(
            f"{PACKAGE}.{name}"
            for name in ("credential_rotation", "image_puller_grant", "pull_access_prune", "pull_secret", "sa_link")
        ),
    ]
)


@dataclass(frozen=True)
class KilledRuns:
    """Runs behind a proxy that lets a number of writes through. The next write gets no answer, and its run is killed."""

    lab: Lab
    folder: Path

    def kill(self, module: str, options: dict[str, Any], *, writes: int) -> None:
        """Run the module and kill it after `writes` writes. The last write may be in progress then. All writes are carried out."""
        reached = threading.Event()

        def hold(proxy: HostileProxy, exchange: Exchange) -> None:
            reached.set()
            hanging("request", _SECONDS)(proxy, exchange)

        with HostileProxy(self.lab).running() as proxy:
            proxy.rule("^(POST|PUT|PATCH|DELETE) ", hold, after=writes)
            kubeconfig = token_kubeconfig(self.lab, proxy.url, self.folder / "killed.kubeconfig")
            # A daemon process ends with the test, even if the test fails.
            run = FORKS.Process(
                target=run_module, args=(module,), kwargs={**options, "kubeconfig": kubeconfig}, daemon=True
            )
            with operation(module, json.dumps(options)):
                run.start()
                while not reached.wait(0.05):
                    assert run.is_alive(), f"{module} made {writes} writes at most"
                run.kill()
                run.join()
        proxy.settle(_SECONDS)

    def kill_play(
        self,
        playbook: str | Path,
        write_inventory: Callable[[str], Path],
        pattern: str = WRITES,
        *,
        after: int = 0,
        until: Callable[[], bool] = lambda: True,
    ) -> bool:
        """Run a playbook, and kill it at a request that matches, after the first `after` ones. This request is not carried out.

        `write_inventory` gets the kubeconfig. `until`: whether the moment has come. Return False if the playbook ended before.
        """
        reached = threading.Event()

        def hold(proxy: HostileProxy, exchange: Exchange) -> None:
            if not until():
                exchange.answer(proxy.ask(exchange))
                return
            reached.set()
            hanging("request", _SECONDS)(proxy, exchange)

        with HostileProxy(self.lab).running() as proxy:
            proxy.rule(pattern, hold, after=after)
            kubeconfig = token_kubeconfig(self.lab, proxy.url, self.folder / "killed.kubeconfig")
            name = playbook if isinstance(playbook, Path) else f"{COLLECTION}.{playbook}"
            python = ("-e", f"ansible_python_interpreter={sys.executable}")
            inventory = write_inventory(kubeconfig)
            command = ["ansible-playbook", "-i", str(inventory), *python, str(name)]
            with operation(f"playbook {name}", declared_text(name, inventory)):
                run = subprocess.Popen(
                    command,
                    cwd=self.folder,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
                while not reached.wait(0.05) and run.poll() is None:
                    pass
                is_killed = reached.is_set()
                if is_killed:
                    os.killpg(run.pid, signal.SIGKILL)
                run.wait()
        return is_killed
