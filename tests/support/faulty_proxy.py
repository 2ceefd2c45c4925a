# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of the lab's API server that refuses, cuts and delays a share of the requests.

Whether a request meets a fault depends only on the seed, its method and path, and the number of earlier requests with both. The
faults are the same for any order of threads.
"""

from __future__ import annotations

import json
import random
import time
from collections import Counter

from support.lab import Lab
from support.proxy import Exchange, Proxy, Reply

#: All faults are equally likely. `cut before`: the API server never sees the request. `cut after`: the server carries it out, but
#: the caller gets no answer. `cut during`: like `cut after`, but the caller may look before the server has carried it out.
FAULTS = ("429", "503", "cut before", "cut during", "cut after", "delayed")


class FaultyProxy(Proxy):
    """`share` of the requests meet a fault. `injected` counts the faults by kind."""

    def __init__(self, lab: Lab, *, share: float, seed: int = 5) -> None:
        super().__init__(lab)
        self.share, self.seed = share, seed
        self.injected: Counter[str] = Counter()
        self._seen: Counter[tuple[str, str]] = Counter()

    def handle(self, exchange: Exchange) -> None:
        fault, chance = self._draw(exchange.command, exchange.path)
        if fault in _REFUSALS:
            exchange.answer(_REFUSALS[fault])
        elif fault == "cut before":
            _cut(exchange, chance)
        elif fault == "cut during":
            _cut(exchange, chance)
            time.sleep(chance.uniform(0.0, 0.3))
            exchange.ask()
        else:
            if fault == "delayed":
                time.sleep(chance.uniform(0.1, 1.0))
            reply = exchange.ask()
            if fault == "cut after":
                _cut(exchange, chance)
            else:
                exchange.answer(reply)

    def _draw(self, method: str, path: str) -> tuple[str, random.Random]:
        """Draw the fault for the next request of that kind. Empty for no fault."""
        with self.lock:
            attempt = self._seen[method, path]
            self._seen[method, path] += 1
            chance = random.Random(f"{self.seed} {method} {path} {attempt}")
            fault = chance.choice(FAULTS) if chance.random() < self.share else ""
            if fault:
                self.injected[fault] += 1
        return fault, chance


def _cut(exchange: Exchange, chance: random.Random) -> None:
    exchange.cut(by_reset=chance.random() < 0.5)


_UNAVAILABLE = json.dumps(
    {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": "apiserver is shutting down",
        "reason": "ServiceUnavailable",
        "details": {"retryAfterSeconds": 1},
        "code": 503,
    }
).encode()
#: 429 as priority and fairness answers: kubernetes pkg/server/filters/priority-and-fairness.go
_REFUSALS: dict[str, Reply] = {
    "429": (
        429,
        [("Content-Type", "text/plain"), ("Retry-After", "1")],
        b"Too many requests, please try again later.\n",
    ),
    "503": (503, [("Content-Type", "application/json"), ("Retry-After", "1")], _UNAVAILABLE),
}
