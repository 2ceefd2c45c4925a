# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that end directly after a chosen write: killed with everything that they started, or without the answer to this write.

A run is a module or a playbook, in processes of its own that are forked from a process which has imported Ansible. A playbook can have
several hosts. Each host has a proxy, and its own write at which the run stops. The run is killed when every host has come to its write.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import processes
import yaml
from ansible import constants
from ansible.cli.playbook import PlaybookCLI

from support.history import operation
from support.killed_runs import FORKS, WRITES
from support.lab import Lab
from support.logins import administrator_token, user_kubeconfig
from support.modules import run_module
from support.playbooks import COLLECTION, variables_file
from support.proxy import Exchange, Proxy

__all__ = ["FAULTS", "Fault", "Ran", "Site", "run"]

#: What happens directly after a write: the run is killed, or it gets no answer and continues.
Fault = str
FAULTS: tuple[Fault, ...] = ("killed", "answer lost")

#: Time limit of a run in seconds.
_SECONDS = 240.0
#: The operations on files that change something, as Python's audit events.
_FILE_EVENTS = frozenset(("open", "os.mkdir", "os.chmod", "os.rename", "os.link", "os.remove", "os.truncate"))


#: What a playbook declares by its name.
_MORE = {"playbook teardown": " state: absent, prune: true"}


class WriteProxy(Proxy):
    """Counts the writes that the API server carried out. `at` is the number of the one with the fault, 0 for none."""

    def __init__(self, lab: Lab, *, at: int = 0, fault: Fault = "") -> None:
        super().__init__(lab)
        self.at, self.fault = at, fault
        self.writes: list[str] = []
        #: Set when the write with a kill was carried out. Nothing is answered after that.
        self.reached = threading.Event()
        self._one_write = threading.Lock()

    def handle(self, exchange: Exchange) -> None:
        request = f"{exchange.command} {exchange.path}"
        if not re.search(WRITES, request) or "dryRun=" in request:
            exchange.answer(exchange.ask())
            return
        with self._one_write:
            if self.reached.is_set():
                self.ended.wait()
                return
            reply = exchange.ask()
            if reply[0] < 300:
                self.writes.append(request)
            is_met = bool(self.at) and reply[0] < 300 and len(self.writes) == self.at
            if is_met and self.fault == "killed":
                self.reached.set()
        if is_met and self.fault == "killed":
            self.ended.wait()
        elif is_met:
            exchange.cut(by_reset=self.at % 2 == 0)
        else:
            exchange.answer(reply)


@dataclass(frozen=True)
class Site:
    """One host of a run. `given` are its variables or options, without the connection.

    `at` is the number of the write with the `fault`, 0 for none. If it has a `directory`, the operations on its files count as writes.
    """

    name: str
    given: Mapping[str, Any]
    at: int = 0
    fault: Fault = ""
    directory: Path | None = None


@dataclass(frozen=True)
class Ran:
    """A finished or killed run: its status, its output, and the writes of each host."""

    status: int
    output: str
    writes: Mapping[str, Sequence[str]]


def run(lab: Lab, folder: Path, work: str, sites: Sequence[Site], arguments: Sequence[str] = ()) -> Ran:
    """Run a module (`module NAME`) or a playbook to its end. If all sites have a kill, kill it there.

    :raises AssertionError: if it ends before, or takes too long.
    """
    folder.mkdir(exist_ok=True)
    output, user = folder / "output", {**_client_certificate(lab), "token": administrator_token(lab)}
    files = folder / "files"
    files.write_text("")
    is_killed = all(site.at and site.fault == "killed" for site in sites)
    of_cluster = [site for site in sites if site.directory is None]
    with ExitStack() as stack:
        proxies = {
            site.name: stack.enter_context(
                WriteProxy(lab, at=0 if site.directory else site.at, fault=site.fault).running()
            )
            for site in sites
        }
        given = {
            site.name: {
                **site.given,
                "kubeconfig": user_kubeconfig(lab, proxies[site.name].url, folder / f"{site.name}.kubeconfig", user),
            }
            for site in sites
        }
        stops = {str(site.directory): site.at for site in sites if site.directory}
        process = FORKS.Process(
            target=_work, args=(work, given, list(arguments), str(output), (stops, str(files))), daemon=False
        )
        declared = json.dumps([work, given, *arguments])
        stack.enter_context(operation(work, declared + _MORE.get(work, "")))
        process.start()
        assert process.pid is not None

        def have_all_stopped() -> bool:
            counts = Counter(files.read_text().splitlines())
            return all(proxies[site.name].reached.is_set() for site in of_cluster) and all(
                counts[place] >= at for place, at in stops.items()
            )

        deadline = time.monotonic() + _SECONDS
        try:
            while process.is_alive() and time.monotonic() < deadline:
                if is_killed and have_all_stopped():
                    break
                process.join(0.02)
            is_alive = process.is_alive()
        finally:
            processes.kill(process.pid)
            process.join()
        text = output.read_text() if output.exists() else ""
        assert is_alive == is_killed, f"{work} {'ended' if is_killed else 'did not end'} in time: {text[-6000:]}"
        for proxy in proxies.values():
            proxy.ended.set()
            proxy.settle(_SECONDS)
        counts = Counter(files.read_text().splitlines())
        writes = {
            site.name: [str(site.directory)] * counts[str(site.directory)]
            if site.directory
            else list(proxies[site.name].writes)
            for site in sites
        }
    left = [path for path in (folder / "tmp").rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert left == [], "a key is left in a file"
    return Ran(process.exitcode or 0, text, writes)


def _client_certificate(lab: Lab) -> dict[str, str]:
    """Return a certificate with its key, as a kubeconfig has them. The proxies do not ask for it."""
    user = yaml.safe_load(Path(lab.kubeconfig).read_text())["users"][0]["user"]
    return {name: user[name] for name in ("client-certificate-data", "client-key-data")}


def _work(
    work: str,
    given: Mapping[str, Mapping[str, Any]],
    arguments: list[str],
    output: str,
    counted: tuple[Mapping[str, int], str],
) -> None:
    """Run in the forked process. Its exit status is that of the run."""
    os.setsid()
    number = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(number, stream)
    tempfile.tempdir = constants.DEFAULT_LOCAL_TMP = str(Path(output).parent / "tmp")
    Path(tempfile.tempdir).mkdir()
    if counted[0]:
        _count_files(*counted)
    kind, _space, name = work.rpartition(" ")
    if kind == "module":
        (options,) = given.values()
        result = run_module(name, **options)
        print(result["_output"], flush=True)
        os._exit(int(result["failed"]))
    # Ansible loads the collection itself.
    for each in [each for each in sys.modules if each.partition(".")[0] == "ansible_collections"]:
        del sys.modules[each]
    folder = Path(output).parent
    hosts = {
        name: {
            "ansible_connection": "local",
            "ansible_python_interpreter": sys.executable,
            "image_pull_kubeconfig": variables["kubeconfig"],
            **{key: value for key, value in variables.items() if key != "kubeconfig"},
        }
        for name, variables in given.items()
    }
    (folder / "hosts.yml").write_text(variables_file({"all": {"hosts": hosts}}))
    os.chdir(folder)
    command = ["ansible-playbook", "-i", "hosts.yml", "-f", str(len(hosts)), *arguments, f"{COLLECTION}.{name}"]
    PlaybookCLI.cli_executor(command)


def _count_files(stops: Mapping[str, int], path: str) -> None:
    """Write a line for each operation on a file below one of these directories. Before the operation with its number, wait to be killed.

    Forked workers inherit this. Each host has its own worker.
    """
    log = os.open(path, os.O_WRONLY | os.O_APPEND)
    counts: Counter[str] = Counter()

    def see(event: str, given: tuple[Any, ...]) -> None:
        if event not in _FILE_EVENTS or (event == "open" and not _writes(given)):
            return
        paths = [os.fsdecode(name) for name in given if isinstance(name, (str, bytes, os.PathLike))]
        names = [str(Path.cwd() / path) for path in paths]
        if event == "os.chmod" and isinstance(given[0], int):
            names.append(str(Path(f"/proc/self/fd/{given[0]}").readlink()))
        for place, at in stops.items():
            if any(name == place or name.startswith(f"{place}/") for name in names):
                counts[place] += 1
                os.write(log, f"{place}\n".encode())
                if counts[place] == at:
                    time.sleep(_SECONDS)

    sys.addaudithook(see)


def _writes(given: tuple[Any, ...]) -> bool:
    _path, _mode, flags = given
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC))
