# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests of the client to a scripted cluster, and the answers and failures that they can meet."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import Cluster
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import create, delete, update
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, Kind, ObjectRef
from urllib3.exceptions import NewConnectionError, ProtocolError, ReadTimeoutError, SSLError

from support.scripted_pool import Answer, Clock, ScriptedConnection, ScriptedPool, status_object

REF = ObjectRef(SECRET, "a", "pull")
REVIEW = Kind("authorization.k8s.io/v1", "SubjectAccessReview", "subjectaccessreviews", "review", namespaced=False)
PATH = "/api/v1/namespaces/a/secrets"
GET = f"GET {PATH}/pull"
FOUND = Answer(200, {"kind": "Secret", "metadata": {"name": "pull", "namespace": "a", "uid": "u"}})
CREATE = create(REF, {"data": {"k": "é"}}, {}, {})
UPDATE = update(REF, {"metadata": {"resourceVersion": "7"}}, {"data": {}}, {}, before={}, after={})
DELETE = delete(REF, {"metadata": {"uid": "u", "resourceVersion": "7"}}, {}, {})
WRITES = [
    (CREATE, f"POST {PATH}", "creating"),
    (UPDATE, f"PATCH {PATH}/pull", "updating"),
    (DELETE, f"DELETE {PATH}/pull", "deleting"),
]

REFUSED = status_object(401, "Unauthorized")
MISSING = status_object(404, "NotFound", 'secrets "pull" not found', kind="secrets", name="pull")
BUSY = Answer(429, b"Too many requests, please try again later.", {"Retry-After": "1"})
FAILING = Answer(500, b"etcd")
STARTING = Answer(503, b"starting", {"Retry-After": "2"})
DOWN = NewConnectionError(None, "")  # type: ignore[arg-type]
DOWN.__cause__ = ConnectionRefusedError(111, "connection refused")
CUT = ProtocolError("Connection aborted.", ConnectionResetError(104, "reset by peer"))
HANGS = ReadTimeoutError(None, "", "timed out")  # type: ignore[arg-type]
GONE = status_object(410, "Expired", "The provided continue parameter is too old")


def untrusted(message: str) -> SSLError:
    """A certificate that is not accepted, with the message of OpenSSL."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 18, message
    return SSLError(error)


def cluster_of(*script: tuple[str, Any], **connection: Any) -> tuple[Cluster, ScriptedPool, Clock]:
    pool, clock = ScriptedPool(*script), Clock()
    return Cluster(ScriptedConnection(pool, **connection), "tests/1", clock.sleep, clock.now), pool, clock


def after(clock: Clock, seconds: float, answer: Any) -> Callable[[Any], Any]:
    """Return the answer after this delay."""

    def wait(_request: Any) -> Any:
        clock.seconds += seconds
        if isinstance(answer, Exception):
            raise answer
        return answer

    return wait
