# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures other clients of the API server during a run, and the same runs through a relay that delays each byte."""

from __future__ import annotations

import asyncio
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from audits import checked
from contenders import Contenders, Job, Process
from support.lab import Lab
from ways import SAME

__all__ = ["distance", "neighbours"]

#: Requests of the other client in a second, and seconds of the quiet measurement.
RATE, QUIET = 20, 10
#: Milliseconds of a round trip through the relay.
DELAYS = (50, 150)
#: The lab's administrator is exempt from the server's priority and fairness, and these users are not.
_OPERATOR, _NEIGHBOUR = "bench-operator", "bench-neighbour"


def neighbours(lab: Lab, contenders: Contenders, namespaces: Sequence[str]) -> dict[str, Any]:
    """The latencies of another client, in milliseconds, while nothing runs, and during a first run of site, an audit and a rotation."""
    _permit(lab)
    contenders.user = _OPERATOR
    runs: dict[str, Callable[[], Process]] = {
        "site": lambda: contenders.ours(Job(SAME, namespaces)),
        "audit": lambda: contenders.audit(with_report=False),
        "rotation": contenders.rotation,
    }
    found = {"quiet": latencies(lab, namespaces, lambda: time.sleep(QUIET))}
    found |= {name: latencies(lab, namespaces, lambda run=run: checked(run())) for name, run in runs.items()}
    return {"namespaces": len(namespaces), "rejected": _rejected(lab), "clients": found}


def latencies(lab: Lab, namespaces: Sequence[str], run: Callable[[], object]) -> dict[str, float]:
    """Read a small object and a small list in turns during a run. Errors count."""
    over, took, errors = threading.Event(), [], []

    def ask() -> None:
        position = 0
        while not over.is_set():
            name = namespaces[position % len(namespaces)]
            path = f"/api/v1/namespaces/{name}/{('configmaps', 'serviceaccounts/default')[position % 2]}"
            started = time.perf_counter()
            try:
                lab.api("GET", path, user=_NEIGHBOUR)
            except Exception as error:
                errors.append(error)
            took.append(time.perf_counter() - started)
            position += 1
            over.wait(max(0.0, 1 / RATE - took[-1]))

    client = threading.Thread(target=ask)
    client.start()
    try:
        run()
    finally:
        over.set()
        client.join()
    cuts = statistics.quantiles(took, n=100)
    return {"p50": cuts[49] * 1000, "p99": cuts[98] * 1000, "requests": len(took), "errors": len(errors)}


def _permit(lab: Lab) -> None:
    group = "rbac.authorization.k8s.io"
    subjects = [{"apiGroup": group, "kind": "User", "name": name} for name in (_OPERATOR, _NEIGHBOUR)]
    role = {"apiGroup": group, "kind": "ClusterRole", "name": "cluster-admin"}
    binding = {"metadata": {"name": "bench"}, "roleRef": role, "subjects": subjects}
    lab.api("POST", f"/apis/{group}/v1/clusterrolebindings", binding, expect=(201, 409))


def _rejected(lab: Lab) -> int:
    """The requests that the server's priority and fairness has rejected."""
    text = lab._send("GET", "/metrics", None, {}).data.decode()
    return round(
        sum(map(float, re.findall(r"^apiserver_flowcontrol_rejected_requests_total\{.*\} (\S+)$", text, re.M)))
    )


def distance(lab: Lab, contenders: Contenders, namespaces: Sequence[str]) -> dict[str, Any]:
    """The seconds of a second run of site and of an audit, near and through the relay."""
    checked(contenders.ours(Job(SAME, namespaces)))
    found: dict[str, dict[str, float]] = {}
    for delay in (0, *DELAYS):
        with relayed(contenders, delay):
            found[str(delay)] = {
                "site": checked(contenders.ours(Job(SAME, namespaces))).seconds,
                "audit": checked(contenders.audit(with_report=False)).seconds,
            }
    return {"namespaces": len(namespaces), "milliseconds": found}


@contextmanager
def relayed(contenders: Contenders, milliseconds: int) -> Iterator[None]:
    """Let the contenders use the relay. Without a delay, they use the server itself."""
    near = contenders.kubeconfig
    server = contenders.lab.data["server"]
    with _relay(urlsplit(server), milliseconds / 2000) as port:
        far = contenders.directory / "relay-kubeconfig"
        far.write_text(Path(near).read_text().replace(server, f"https://127.0.0.1:{port}"))
        contenders.kubeconfig = str(far) if milliseconds else near
        try:
            yield
        finally:
            contenders.kubeconfig = near


@contextmanager
def _relay(server: Any, delay: float) -> Iterator[int]:
    """Relay connections on loopback to a server. Each byte arrives `delay` seconds later."""
    loop = asyncio.new_event_loop()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Data is read without waiting for the delay, so that it delays and does not slow down."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def send() -> None:
            while (item := await waiting.get())[1]:
                await asyncio.sleep(item[0] - loop.time())
                writer.write(item[1])
            writer.close()

        sender = asyncio.ensure_future(send())
        while data := await reader.read(1 << 16):
            waiting.put_nowait((loop.time() + delay, data))
        waiting.put_nowait((0.0, b""))
        await sender

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(server.hostname, server.port)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer), return_exceptions=True)

    listener = loop.run_until_complete(asyncio.start_server(accept, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield listener.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
