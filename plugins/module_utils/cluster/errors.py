# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server's refusal means: one table from status and reason to an error with a way out.

Statuses and reasons: apimachinery pkg/api/errors/errors.go and apis/meta/v1/types.go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..domain.errors import ImagePullError

__all__ = [
    "AlreadyExists",
    "ApiError",
    "Conflict",
    "ConnectError",
    "Expired",
    "Forbidden",
    "NamespaceMissing",
    "NamespaceTerminating",
    "NotFound",
    "Unanswered",
    "api_error",
]


class ApiError(ImagePullError):
    """A request that the API server refused. C(retry_after): seconds that it asks to wait, None when it does not."""

    retry_after: float | None = None


class ConnectError(ImagePullError):
    """The API server could not be reached, or there is no way to know where it is."""


class Unanswered(ImagePullError):
    """The connection broke or timed out after the request was sent: it may have been carried out."""


class NotFound(ApiError):
    """The object is not there."""


class NamespaceMissing(ApiError):
    """The namespace is not there."""


class NamespaceTerminating(ApiError):
    """The namespace is being deleted; nothing can be created in it."""


class Forbidden(ApiError):
    """The caller may not, or an admission rule forbids it."""


class Conflict(ApiError):
    """The object is no longer the one that was read."""


class Expired(ApiError):
    """The server has forgotten the list that is being read page by page."""


class AlreadyExists(ApiError):
    """The object to be created is there."""


_WAY_OUT = {
    400: "the request was not understood: please report it",
    401: "give a valid token or certificate (api_key, kubeconfig, client_cert)",
    403: "give the caller that right, or use another one (README, 'Permissions')",
    413: "make the object smaller",
    422: "correct the option that the server names",
    429: "the server is overloaded: lower the concurrency, or try again later",
}


def api_error(
    attempt: str, status: int, body: bytes, *, resource: str = "", retry_after: str | None = None
) -> ApiError:
    """The error for one refused request. C(attempt) says what was tried, on what and where, C(resource) on which kind."""
    answer = _status_object(body)
    message = str(answer.get("message") or body[:200].decode("utf-8", "replace").strip() or "no explanation")
    kind, way_out = _classify(status, answer, message, resource)
    error = kind(f"{attempt} was refused: {status} {' '.join(message.split())}; {way_out}")
    error.retry_after = _seconds(retry_after)
    return error


def _classify(status: int, answer: Mapping[str, Any], message: str, resource: str) -> tuple[type[ApiError], str]:
    reason, details = answer.get("reason"), answer.get("details") or {}
    causes = {cause.get("reason") for cause in details.get("causes") or []}
    if status == 403 and "NamespaceTerminating" in causes:
        return NamespaceTerminating, "the namespace is being deleted"
    missing = details.get("kind") if status == 404 and details.get("kind") != resource else None
    if missing == "namespaces":
        return NamespaceMissing, "create the namespace first, or correct its name"
    if missing in ("clusterroles", "roles"):
        return Forbidden, "the role does not exist; grant one that does"
    if status == 404:
        return NotFound, "check the name"
    if status == 410:
        return Expired, "run again"
    if status == 409:
        return (
            (AlreadyExists, "it exists")
            if reason == "AlreadyExists"
            else (Conflict, "it was changed meanwhile; run again")
        )
    if status == 403 and "is attempting to grant" in message:
        return Forbidden, "give the caller the verb 'bind' on that cluster role (README, 'Permissions')"
    return (Forbidden if status == 403 else ApiError), _WAY_OUT.get(status, "try again, and look at the API server")


def _status_object(body: bytes) -> Mapping[str, Any]:
    """The Status of a refusal; priority and fairness answers plain text."""
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, Mapping) and answer.get("kind") == "Status" else {}


def _seconds(header: str | None) -> float | None:
    """A number of seconds; a date, the header's other form, is not used by any API server."""
    return float(header) if header and header.strip().isdecimal() else None
