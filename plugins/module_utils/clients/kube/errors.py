# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns an error response into an error with a fix, by one table of statuses and messages. Pure.

Statuses, reasons and messages: kubernetes apimachinery pkg/api/errors/errors.go, apis/meta/v1/types.go, apiserver
pkg/endpoints/handlers/responsewriters and pkg/admission.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ...core.errors import RIGHTS_PAGE, ImagePullError, MissingPermission
from ...core.redaction import MASKED, mask
from ...core.text import make_printable


class ApiError(ImagePullError):
    """A request that the API server refused.

    `status` is the HTTP status. `retry_after`: seconds that the server asks to wait, or None.
    """

    status: int = 0
    retry_after: float | None = None


class ClusterError(ImagePullError):
    """The whole cluster fails for this caller: no other request makes sense, and no more requests are sent.

    `unanswered`: whether the request was a write that was sent and whose response was lost, so that it may have been carried
    out. The message then mentions it.
    """

    unanswered: bool = False


class ConnectError(ClusterError):
    """The API server cannot be reached, or there is no usable login or certificate for it."""


class Unauthorized(ClusterError):
    """The API server accepts neither the login nor a renewed one (401), or the caller may not impersonate (403)."""

    status: int = 401


class Unanswered(ImagePullError):
    """The connection broke, timed out or failed after the request was sent: it may have been carried out.

    `what` is the message without the fix.
    """

    def __init__(self, what: str, way_out: str = "") -> None:
        super().__init__(f"{what}. {way_out[:1].upper()}{way_out[1:]}" if way_out else what)
        self.what = what


class WebhookUnanswered(Unanswered):
    """The API server called an admission webhook, which did not answer."""


class NotFound(ApiError):
    """The object does not exist."""


class UnknownResource(NotFound):
    """The API server does not have such a kind. It is not known whether the object exists."""


class NamespaceMissing(ApiError):
    """The namespace does not exist."""


class NamespaceTerminating(ApiError):
    """The namespace is being deleted. Nothing can be created in it."""


class Forbidden(ApiError):
    """The caller lacks the permission, or an admission rule forbids it. `need` is the permission, if the response names it."""

    need: MissingPermission | None = None


class NoApiServer(ApiError):
    """The response is not from an API server."""


class Conflict(ApiError):
    """The object has changed since it was read."""


class Expired(ApiError):
    """The API server no longer has the list that is being read page by page."""


class AlreadyExists(ApiError):
    """The object to create already exists."""


#: Maximum number of characters of a response in a message. Other people write it, and it may contain secrets.
_MOST_TEXT = 300
#: Maximum number of bytes of a body that are searched for it.
_MOST_BODY = 65536

_REFUSALS = range(400, 500)
_FAILURES = range(500, 1000)


@dataclass(frozen=True)
class _ErrorRule:
    """The fix and the error class for responses with one of these statuses whose text matches the pattern.

    The default class is `Forbidden` for 403, otherwise `ApiError`. `plain`: whether the rule also applies to a response that is not
    a Status object, and so perhaps not from an API server.
    """

    statuses: Container[int]
    pattern: str
    way_out: str
    error: type[ImagePullError] | None = None
    plain: bool = True


def _advise_right(right: object) -> str:
    return f"Give the caller {right}, or use another caller, see {RIGHTS_PAGE}"


NO_API_SERVER = (
    "This response is not from a Kubernetes API server: set 'host', or the kubeconfig, to the address that 'oc whoami --show-server' "
    "prints, or check the proxy"
)

#: If the response names the permission, the fix names it too.
_RIGHT = _advise_right("that right")

#: The first matching rule counts. Cases that depend on other fields of the response come before: 404, 409, terminating namespaces.
_RULES = (
    _ErrorRule(range(300, 400), "", NO_API_SERVER, NoApiServer),
    _ErrorRule({400}, "HTTP request to an HTTPS server", "Put https:// before the host"),
    _ErrorRule(
        {400},
        "does not support dry run",
        "That admission webhook cannot check a request in advance: have its owner declare sideEffects None",
    ),
    _ErrorRule(
        {401},
        "",
        "The login is invalid or has expired: log in again with 'oc login', and set 'api_key', if you use it, to the token that "
        "'oc whoami --show-token' then prints. Or give another 'kubeconfig' or 'client_cert'",
        Unauthorized,
    ),
    _ErrorRule(
        {403},
        r"cannot impersonate\S* resource",
        "Give the caller the right to impersonate, or remove 'impersonate_user' and 'impersonate_groups'",
        Unauthorized,
    ),
    _ErrorRule(
        {403},
        "is attempting to grant",
        f"Give the caller the verb 'bind' on that cluster role, or 'escalate' if it writes the role itself, see {RIGHTS_PAGE}",
    ),
    # OpenShift's admission plugin (openshift-kube-apiserver/admission/authorization/restrictusers).
    _ErrorRule(
        {403},
        r"rolebindings to \w+ .+ are not allowed in project ",
        "A RoleBindingRestriction of that project allows only some subjects: have its administrator allow this one "
        "('oc get rolebindingrestrictions')",
    ),
    _ErrorRule(
        {403},
        "(?:exceeded|failed|insufficient) quota",
        "Delete objects that the namespace no longer needs, or have its ResourceQuota raised",
    ),
    # OpenShift's limits and rules for imports (openshift-apiserver pkg/image/apiserver/admission/limitrange, apis/image/validation).
    _ErrorRule(
        {403},
        r"exceeds the maximum limit per openshift\.io/",
        "Delete tags that the image stream no longer needs, or have the project's LimitRange raised",
    ),
    _ErrorRule(
        {422},
        "importing images from registry .* is forbidden",
        "Images can be imported only from some registries: have this one added to allowedRegistriesForImport of "
        "images.config.openshift.io/cluster (for a hosted cluster: spec.configuration.image of the HostedCluster), or import as a user who is "
        "allowed to create images",
    ),
    # openshift/managed-cluster-validating-webhooks: ROSA, OpenShift Dedicated.
    _ErrorRule(
        {403},
        "Prevented from accessing Red Hat managed ",
        "On this managed cluster, only Red Hat is allowed to change this object, and another attempt will also be refused: use pull "
        "secrets in the namespaces instead (role private_registry), or ask Red Hat's support",
    ),
    _ErrorRule(
        _REFUSALS,
        "admission webhook .* denied the request|ValidatingAdmissionPolicy .* denied request",
        "A policy of the cluster forbids it: fix the problem that its message names, or ask the policy's owner for an exception",
    ),
    _ErrorRule(
        {403},
        'User "system:anonymous" cannot ',
        "The request had no login: give 'api_key', 'client_cert', or a 'kubeconfig' with a login",
    ),
    # kubernetes plugin/pkg/admission/serviceaccount, for a pod.
    _ErrorRule(
        {403},
        "error looking up service account ",
        "Create that service account first, wait for it (sa_wait), or correct its name",
    ),
    _ErrorRule({403}, 'User ".*" cannot ', _RIGHT),
    _ErrorRule(
        {403}, "", "An admission rule of the cluster or a proxy forbids it: ask the administrator of the cluster"
    ),
    _ErrorRule({405, 406, 415}, "", "The API server does not support this request: check its version"),
    _ErrorRule({410}, "", "Run again", Expired),
    _ErrorRule({413}, "", "The object is too large for the API server: make it smaller"),
    _ErrorRule({422}, "", "Correct the option for the field that the message names", plain=False),
    _ErrorRule({429}, "", "The API server is overloaded: try again later, or lower 'concurrency' if the module has it"),
    _ErrorRule(
        _REFUSALS, "", "The API server rejected the request: fix the problem that the message names", plain=False
    ),
    _ErrorRule(
        _FAILURES,
        "failed calling webhook",
        "That admission webhook does not work: have its owner fix it",
        WebhookUnanswered,
    ),
    _ErrorRule(_FAILURES, "", "Check the API server and its dependencies, then run again", Unanswered),
)

#: Kinds that every API server has.
_CORE = ("namespaces", "nodes", "pods", "secrets", "serviceaccounts")


@dataclass(frozen=True)
class FailedRequest:
    """A request whose response has a status other than 2xx.

    `attempt` describes the request and its object in messages. `resource` is the kind, `name` the object (empty for an object to
    create), `label_selector` the selector of a list. `writes`: whether the request would change an object.
    `retry_after` and `location` are headers of the response. `hidden` are strings to mask if the response repeats the request: its
    login, and the credentials in the content of a secret, in all forms. `sent` is that content, of which the response may repeat a part.
    """

    attempt: str
    status: int
    body: bytes
    resource: str = ""
    name: str = ""
    label_selector: str = ""
    writes: bool = False
    retry_after: str | None = None
    location: str | None = None
    hidden: Collection[str] = ()
    sent: Collection[str] = ()

    def error(self) -> ImagePullError:
        """Return the error: `ApiError`, `Unauthorized`, or `Unanswered` for a failure after which a write may have happened."""
        answer = _status_object(self.body)
        text = one_line(_hide_parts(mask(_message(answer, self.body), self.hidden), self.sent)) or "no explanation"
        kind, way_out = self._meaning(answer, text)
        seconds = _seconds(self.retry_after)
        is_unanswered = issubclass(kind, Unanswered)
        if is_unanswered and self.status == 503 and seconds is not None:
            # The server says when to try again, so it did nothing.
            kind, way_out = ApiError, "The API server is starting or overloaded: try again later"
        elif is_unanswered and self.writes:
            way_out = f"It may have been carried out. {way_out}"
        what = f"{self.attempt} {self._outcome} {text.removeprefix(f'{self.status} ').rstrip('.')}"
        if issubclass(kind, Unanswered):
            return kind(what, way_out)
        need = MissingPermission.of(text, self.name) if way_out == _RIGHT else None
        error = kind(f"{what}. {way_out if need is None else _advise_right(f'that right, {need}')}")
        if isinstance(error, Forbidden):
            error.need = need
        if isinstance(error, (ApiError, Unauthorized)):
            error.status = self.status
        if isinstance(error, ApiError):
            error.retry_after = seconds
        return error

    @property
    def _outcome(self) -> str:
        if 300 <= self.status < 400:
            return f"returned a redirect to {_origin(self.location)}: {self.status}"
        return f"{'was refused' if self.status in _REFUSALS else 'failed'}: {self.status}"

    def _meaning(self, answer: Mapping[str, Any], text: str) -> tuple[type[ImagePullError], str]:
        details = _as_mapping(answer.get("details"))
        if self.status == 404:
            return self._not_found(answer, details, text)
        if self.status == 409 and answer:
            return _conflict_error(answer)
        if "NamespaceTerminating" in _reasons(details):
            return NamespaceTerminating, "The namespace is being deleted"
        if self.status == 400 and self.label_selector and answer:
            option = "'namespace_selector.labels', or 'label_selector' of the event source"
            return ApiError, f"Correct the label selector {self.label_selector!r} ({option})"
        for rule in _RULES:
            if self.status in rule.statuses and re.search(rule.pattern, text) and (answer or rule.plain):
                return rule.error or (Forbidden if self.status == 403 else ApiError), rule.way_out
        return NoApiServer, NO_API_SERVER

    def _not_found(
        self, answer: Mapping[str, Any], details: Mapping[str, Any], text: str
    ) -> tuple[type[ApiError], str]:
        """The error for 404. The missing object is the one that the response names, which may differ from the requested one.

        The response names a missing role only to a caller who is not allowed to bind it: the server reads the role when a binding is
        written, and names it as a cluster role or, on another path, as a role binding with the role's name
        (kubernetes pkg/registry/rbac/rolebinding/policybased/storage.go).
        """
        if not answer and (self.resource in _CORE or "404 page not found" not in text):
            return NoApiServer, NO_API_SERVER
        kind, name = details.get("kind"), details.get("name")
        if not name:
            return UnknownResource, "The API server has no such resource: check the address and the cluster's version"
        if kind == "namespaces" and self.resource != "namespaces":
            return NamespaceMissing, "Create the namespace first, or correct its name"
        is_other = kind != self.resource or name != self.name
        if kind in ("clusterroles", "roles", "rolebindings") and self.resource == "rolebindings" and is_other:
            return Forbidden, "The role does not exist, not the binding: grant a role that exists"
        return NotFound, "Check the name"


#: A part of an encoded text that is no word of a message.
_ENCODED = re.compile(r"[A-Za-z0-9+/]{12,}")


def _hide_parts(text: str, sent: Collection[str]) -> str:
    """The text without parts of the content that was sent: a webhook may cut a value in the middle of a credential."""
    if not sent:
        return text
    found = _ENCODED.sub(lambda part: MASKED if any(part[0] in each for each in sent) else part[0], text[:_MOST_BODY])
    return found + " …" * (len(text) > _MOST_BODY)


def one_line(text: str) -> str:
    """Return a text of other people for a message: one line, without control characters, of bounded length.

    It is cut between words, because a part of a credential would not be found when the text is masked later.
    """
    start = text[: 4 * _MOST_TEXT]
    line = " ".join(make_printable(start).split())
    if len(start) == len(text) and len(line) <= _MOST_TEXT:
        return line
    return f"{line[:_MOST_TEXT].rpartition(' ')[0]} …".lstrip()


def _conflict_error(answer: Mapping[str, Any]) -> tuple[type[ApiError], str]:
    """Two different errors have the status 409. The reason distinguishes them."""
    if answer.get("reason") == "AlreadyExists":
        return AlreadyExists, "It already exists"
    return Conflict, "It was changed in the meantime: run again"


def _message(answer: Mapping[str, Any], body: bytes) -> str:
    """The text of the response: a Status has a message, while priority and fairness and proxies send plain text."""
    message = answer.get("message")
    return message if isinstance(message, str) and message else body[:_MOST_BODY].decode("utf-8", "replace")


def _status_object(body: bytes) -> Mapping[str, Any]:
    """The Status in a body. Empty if there is none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    answer = _as_mapping(answer)
    return answer if answer.get("kind") == "Status" else {}


def _reasons(details: Mapping[str, Any]) -> Iterator[Any]:
    causes = details.get("causes")
    for cause in causes if isinstance(causes, list) else ():
        yield _as_mapping(cause).get("reason")


def _as_mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _origin(location: str | None) -> str:
    """The target of a redirect, without a possible login or token."""
    try:
        parts = urlsplit(location or "")
        host = parts.hostname
    except ValueError:
        host = None
    return one_line(f"{parts.scheme}://{host}") if host else "another place"


def _seconds(header: str | None) -> float | None:
    """A number of seconds, at most 1000. No API server uses a date, the header's other form."""
    text = (header or "").strip()
    return min(float(text), 1000.0) if text.isascii() and text.isdecimal() else None
