# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second API server of a lab, on the same store. It can be killed and restarted, like the server of a cluster with one master.

The lab's own API server keeps running, for the controllers and for other clients that create objects in the meantime.
"""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import urllib3
import yaml

from support.lab import OURS, Lab
from support.ports import reserve_port

__all__ = ["SecondApiServer", "second_api_server"]

_PART = "kube-apiserver"


class SecondApiServer:
    """`kubeconfig` leads only to this server."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self._lab, self._directory = lab, directory
        self._reserved = reserve_port()
        self.port = self._reserved.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self._audit = directory / "audit.log"
        own = {"--secure-port": self.port, "--audit-log-path": self._audit}
        kept = [flag for flag in _flags_of(lab) if flag.partition("=")[0] not in own]
        self._command = [lab.binary, _PART, *kept, *(f"{name}={value}" for name, value in own.items())]
        self._process: subprocess.Popen[bytes] | None = None
        config = yaml.safe_load(Path(lab.kubeconfig).read_text())
        config["clusters"][0]["cluster"]["server"] = self.url
        self.kubeconfig = str(directory / "kubeconfig")
        Path(self.kubeconfig).touch(mode=0o600)
        Path(self.kubeconfig).write_text(json.dumps(config))

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        with (self._directory / "api.log").open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while not self._is_ready():
            assert self._process.poll() is None, (self._directory / "api.log").read_text()[-2000:]
            assert time.monotonic() < deadline, "the second API server is not ready"
            time.sleep(0.1)

    def kill(self) -> None:
        """End the server without notice to any client."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()

    def end(self) -> None:
        """Kill the server for good, and release its port."""
        self.kill()
        self._reserved.close()

    def writes(self) -> list[tuple[str, str, str, str]]:
        """Our client's writes on this server: verb, resource, namespace, name."""
        found = []
        for line in self._audit.read_text().splitlines():
            event: dict[str, Any] = json.loads(line)
            if event["verb"] not in ("create", "update", "patch", "delete") or not event["userAgent"].startswith(OURS):
                continue
            if event["stage"] == "ResponseComplete" and event["responseStatus"]["code"] < 300:
                ref = event["objectRef"]
                found.append((event["verb"], ref["resource"], ref.get("namespace", ""), ref.get("name", "")))
        return found

    def _is_ready(self) -> bool:
        with urllib3.PoolManager(ca_certs=self._lab.data["ca_cert"], retries=False) as pool:
            try:
                return pool.request("GET", f"{self.url}/readyz", timeout=5).status == 200
            except urllib3.exceptions.HTTPError:
                return False


@contextmanager
def second_api_server(lab: Lab, directory: Path) -> Iterator[SecondApiServer]:
    """A ready API server, until the end of the block."""
    directory.mkdir(parents=True, exist_ok=True)
    found = SecondApiServer(lab, directory)
    try:
        found.start()
        yield found
    finally:
        found.end()


def _flags_of(lab: Lab) -> list[str]:
    """The flags of the lab's own API server, which is a child process of the lab."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = path.read_text().rpartition(")")[2].split()[1]
            command = (path.parent / "cmdline").read_bytes().decode().split("\0")
        except OSError:  # it has ended
            continue
        if parent == str(lab.data["pid"]) and command[:2] == [_PART, _PART]:
            return [argument for argument in command[2:] if argument]
    raise AssertionError("the lab has no API server")
