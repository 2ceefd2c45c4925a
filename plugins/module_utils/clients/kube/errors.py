# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an API server's refusal means: one table from status and reason to an error with a way out.

Statuses and reasons: apimachinery pkg/api/errors/errors.go and apis/meta/v1/types.go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...core.errors import ImagePullError

__all__ = [
    "AlreadyExists",
    "ApiError",
    "ClusterError",
    "Conflict",
    "ConnectError",
    "Expired",
    "Forbidden",
    "NamespaceMissing",
    "NamespaceTerminating",
    "NotFound",
    "Unanswered",
    "Unauthorized",
    "api_error",
]


class ApiError(ImagePullError):
    """A request that the API server refused.

    `status` is the HTTP status. `retry_after`: seconds that the server asks to wait, None when it does not.
    """

    status: int = 0
    retry_after: float | None = None


class ClusterError(ImagePullError):
    """The cluster as a whole fails for this caller: no other request makes sense, and none is sent any more.

    `unanswered`: whether the request was a write that was sent and whose answer was lost, so that it may have been carried
    out. The message then says so.
    """

    unanswered: bool = False


class ConnectError(ClusterError):
    """The API server cannot be reached, or there is no usable login or certificate for it."""


class Unauthorized(ClusterError):
    """The API server accepts neither the login nor a renewed one, or the caller may not impersonate."""


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


#: What OpenShift's admission plugin says of a subject that no RoleBindingRestriction of the project admits
#: (openshift-kube-apiserver/admission/authorization/restrictusers).
_RESTRICTED = re.compile(r"rolebindings to \w+ .+ are not allowed in project ")

_WAY_OUT = {
    400: "the request was not understood: please report it",
    401: "give a valid token or certificate (api_key, kubeconfig, client_cert)",
    403: "give the caller that right, or use another one (README, 'Permissions')",
    413: "make the object smaller",
    422: "correct the option that the server names",
    429: "the server is overloaded: lower the concurrency, or try again later",
}


def api_error(
    attempt: str, status: int, body: bytes, *, resource: str = "", name: str = "", retry_after: str | None = None
) -> ApiError:
    """The error for one refused request.

    `attempt` says what was tried, on what and where, `resource` on which kind, `name` on which object; it is empty for
    an object that is to be created.
    """
    answer = _status_object(body)
    message = str(answer.get("message") or body[:200].decode("utf-8", "replace").strip() or "no explanation")
    kind, way_out = _classify(status, answer, message, (resource, name))
    error = kind(f"{attempt} was refused: {status} {' '.join(message.split())}; {way_out}")
    error.status, error.retry_after = status, _seconds(retry_after)
    return error


def _classify(
    status: int, answer: Mapping[str, Any], message: str, asked_for: tuple[str, str]
) -> tuple[type[ApiError], str]:
    if status == 403:
        return _forbidden(answer, message)
    if status == 404:
        return _not_found(answer.get("details") or {}, asked_for)
    if status == 410:
        return Expired, "run again"
    if status == 409 and answer.get("reason") == "AlreadyExists":
        return AlreadyExists, "it exists"
    if status == 409:
        return Conflict, "it was changed meanwhile; run again"
    return ApiError, _WAY_OUT.get(status, "try again, and look at the API server")


def _forbidden(answer: Mapping[str, Any], message: str) -> tuple[type[ApiError], str]:
    causes = (answer.get("details") or {}).get("causes") or []
    if "NamespaceTerminating" in {cause.get("reason") for cause in causes}:
        return NamespaceTerminating, "the namespace is being deleted"
    if "is attempting to grant" in message:
        return Forbidden, "give the caller the verb 'bind' on that cluster role (README, 'Permissions')"
    if _RESTRICTED.search(message):
        return Forbidden, (
            "a RoleBindingRestriction of that project admits only some subjects: have its administrator admit this one "
            "('oc get rolebindingrestrictions')"
        )
    return Forbidden, _WAY_OUT[403]


def _not_found(details: Mapping[str, Any], asked_for: tuple[str, str]) -> tuple[type[ApiError], str]:
    """Not found is what the answer names, and that need not be what was asked for.

    A role that does not exist is missed by who may not bind it: the server looks into it when a binding is written, and
    calls it a cluster role or, on another path, a role binding of the role's name
    (kubernetes pkg/registry/rbac/rolebinding/policybased/storage.go).
    """
    (resource, name), kind = asked_for, details.get("kind")
    if kind == "namespaces" and resource != "namespaces":
        return NamespaceMissing, "create the namespace first, or correct its name"
    is_other = kind != resource or details.get("name") != name
    if kind in ("clusterroles", "roles", "rolebindings") and resource == "rolebindings" and is_other:
        return Forbidden, "it is the role that does not exist, not the binding; grant one that does"
    return NotFound, "check the name"


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
