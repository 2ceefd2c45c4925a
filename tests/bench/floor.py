# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plain floor: only the reads and writes of the three tasks, by pooled HTTPS from 8 threads.

It sends one list of each kind, then one write for each missing object. No retry, no check, no report.

usage: floor.py PLAN.json

PLAN.json holds server, ca_cert, client_pem, and either secret_selector with the bodies of secrets and bindings by namespace, or
lists, which are pairs of path and field selector that are only read.
"""

from __future__ import annotations

import json
import ssl
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import urllib3

THREADS = 8
RBAC = "/apis/rbac.authorization.k8s.io/v1"


class Floor:
    def __init__(self, plan: dict[str, Any]) -> None:
        self.plan, self.server = plan, plan["server"]
        context = ssl.create_default_context(cafile=plan["ca_cert"])
        context.load_cert_chain(plan["client_pem"])
        self.pool = urllib3.PoolManager(ssl_context=context, maxsize=THREADS)
        self.threads = ThreadPoolExecutor(max_workers=THREADS)

    def request(self, method: str, path: str, body: Any = None) -> Any:
        content = {"PATCH": "application/merge-patch+json"}.get(method, "application/json")
        response = self.pool.request(
            method,
            self.server + path,
            body=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": content, "User-Agent": "floor"},
            retries=False,
        )
        assert response.status < 300, response.data
        return json.loads(response.data)

    def list(self, path: str, selector: str = "") -> Iterator[Any]:
        token = ""
        while True:
            page = self.request("GET", f"{path}?fieldSelector={selector}&limit=1000&continue={token}")
            yield from page["items"]
            token = page["metadata"].get("continue", "")
            if not token:
                return

    def create_missing(self, root: str, resource: str, bodies: dict[str, Any], selector: str) -> None:
        """Create the missing objects. `bodies` are by namespace."""
        there = {
            (item["metadata"]["namespace"], item["metadata"]["name"])
            for item in self.list(f"{root}/{resource}", selector)
        }
        missing = [
            (namespace, body)
            for namespace, body in bodies.items()
            if (namespace, body["metadata"]["name"]) not in there
        ]

        def write(item: tuple[str, Any]) -> None:
            self.request("POST", f"{root}/namespaces/{item[0]}/{resource}", item[1])

        list(self.threads.map(write, missing))

    def work(self) -> None:
        if "lists" in self.plan:
            for path, selector in self.plan["lists"]:
                for _item in self.list(path, selector):
                    pass
            return
        for task in (self.secrets, self.links, self.grants):
            task()

    def secrets(self) -> None:
        self.create_missing("/api/v1", "secrets", self.plan["secrets"], self.plan["secret_selector"])

    def links(self) -> None:
        accounts = list(self.list("/api/v1/serviceaccounts", "metadata.name%3Ddefault"))
        # The secrets are read once more, as in the module, which does not link missing secrets.
        there = {
            (item["metadata"]["namespace"], item["metadata"]["name"])
            for item in self.list("/api/v1/secrets", self.plan["secret_selector"])
        }
        names = {namespace: body["metadata"]["name"] for namespace, body in self.plan["secrets"].items()}
        wanted = {namespace: name for namespace, name in names.items() if (namespace, name) in there}

        def write(account: dict[str, Any]) -> None:
            meta = account["metadata"]
            body = {
                "metadata": {"resourceVersion": meta["resourceVersion"]},
                "imagePullSecrets": [*account.get("imagePullSecrets", []), {"name": wanted[meta["namespace"]]}],
            }
            self.request("PATCH", f"/api/v1/namespaces/{meta['namespace']}/serviceaccounts/default", body)

        todo = [
            account
            for account in accounts
            if (name := wanted.get(account["metadata"]["namespace"]))
            and {"name": name} not in account.get("imagePullSecrets", [])
        ]
        list(self.threads.map(write, todo))

    def grants(self) -> None:
        # All bindings are read, as in the module, because a binding with another name may grant the same.
        self.create_missing(RBAC, "rolebindings", self.plan["bindings"], "")


def main() -> None:
    floor = Floor(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    started = time.perf_counter()
    floor.work()
    print(json.dumps({"seconds": time.perf_counter() - started}))


if __name__ == "__main__":
    main()
