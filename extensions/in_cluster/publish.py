# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes the report of an audit in its cluster: the metrics in a config map, and errors as events in their namespaces.

An event has only fixed texts and the object: users who may not read secrets may read events. Errors of secrets themselves have none.
"""

from __future__ import annotations

import json
import ssl
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

SERVER = "https://kubernetes.default.svc"
ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
#: Maximum number of events of a namespace and of a run. Users decide how many errors their namespaces have.
IN_NAMESPACE, IN_ALL = 10, 500
TIMEOUT = 30


def events_of(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield an event for each error of an object in a namespace of this cluster, at most as many as the limits allow.

    The first one of each namespace comes first: users with many namespaces must not use up the events of the others.
    """
    counts: Counter[str] = Counter()
    chosen: list[tuple[int, Mapping[str, Any]]] = []
    here = (cluster for cluster in document["clusters"] if cluster["server"] == SERVER)
    for finding in (one for cluster in here for one in cluster["findings"]):
        namespace = finding["namespace"]
        if finding["severity"] == "error" and namespace and finding["kind"] != "Secret":
            chosen.append((counts[namespace], finding))
            counts[namespace] += 1
    turns = sorted((each for each in chosen if each[0] < IN_NAMESPACE), key=lambda each: each[0])
    for _turn, finding in turns[:IN_ALL]:
        namespace = finding["namespace"]
        rule = document["rules"][finding["rule"]]
        yield {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"image-pull.{finding['id']}", "namespace": namespace},
            "involvedObject": {"kind": finding["kind"], "name": finding["name"], "namespace": namespace},
            "type": "Warning",
            "reason": finding["rule"].title().replace("-", ""),
            "message": f"{rule['title']}. {rule['meaning']} {rule['fix']}"[:1024],
            "source": {"component": "image-pull-audit"},
            "count": 1,
            "lastTimestamp": document["made"],
        }


def path_of(body: Mapping[str, Any]) -> str:
    kinds = {"Event": "events", "ConfigMap": "configmaps"}
    return f"/api/v1/namespaces/{body['metadata']['namespace']}/{kinds[body['kind']]}/{body['metadata']['name']}"


def apply(body: Mapping[str, Any], token: str, trust: ssl.SSLContext) -> None:
    """Create the object or replace our fields of it, in one request.

    :raises OSError: when the API server refuses it or cannot be reached, with the errors of urllib.
    """
    request = urllib.request.Request(  # noqa: S310 - the scheme is fixed
        f"{SERVER}{path_of(body)}?fieldManager=image-pull-audit&force=true",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/apply-patch+yaml"},
        method="PATCH",
    )
    urllib.request.urlopen(request, timeout=TIMEOUT, context=trust).close()  # noqa: S310 - the same request


def main(report: Path) -> int:
    """Publish the report in this directory. Return the exit status: 1 when an object could not be written."""
    token = (ACCOUNT / "token").read_text(encoding="utf-8").strip()
    trust = ssl.create_default_context(cafile=str(ACCOUNT / "ca.crt"))
    metrics = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "image-pull-metrics",
            "namespace": (ACCOUNT / "namespace").read_text(encoding="utf-8").strip(),
        },
        "data": {"metrics.txt": (report / "metrics.txt").read_text(encoding="utf-8")},
    }
    document = json.loads((report / "pull-access.json").read_text(encoding="utf-8"))
    failed = 0
    for body in (metrics, *events_of(document)):
        try:
            apply(body, token, trust)
        except OSError as error:
            failed += 1
            print(f"{path_of(body)} could not be written: {error}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
