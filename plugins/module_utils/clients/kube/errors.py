# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an answer other than success means: one table from status and message to an error that says what to do. Pure.

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

from ...core.errors import ImagePullError
from ...core.permissions import RIGHTS_PAGE, MissingPermission
from ...core.redaction import mask

__all__ = [
    "AlreadyExists",
    "ApiError",
    "ClusterError",
    "Conflict",
    "ConnectError",
    "Expired",
    "FailedRequest",
    "Forbidden",
    "NamespaceMissing",
    "NamespaceTerminating",
    "NotFound",
    "Unanswered",
    "Unauthorized",
    "UnknownResource",
    "WebhookUnanswered",
    "one_line",
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
    """The API server accepts neither the login nor a renewed one (401), or the caller may not impersonate (403)."""

    status: int = 401


class Unanswered(ImagePullError):
    """The connection broke, timed out or failed on the way after the request was sent: it may have been carried out.

    `what` is the message without what to do.
    """

    def __init__(self, what: str, way_out: str = "") -> None:
        super().__init__(f"{what}; {way_out}" if way_out else what)
        self.what = what


class WebhookUnanswered(Unanswered):
    """The API server asked an admission webhook, and that one did not answer."""


class NotFound(ApiError):
    """The object is not there."""


class UnknownResource(NotFound):
    """The API server knows no such kind of object; whether an object is there is not said."""


class NamespaceMissing(ApiError):
    """The namespace is not there."""


class NamespaceTerminating(ApiError):
    """The namespace is being deleted; nothing can be created in it."""


class Forbidden(ApiError):
    """The caller has no right to it, or an admission rule forbids it. `need` is the right, where the answer says which."""

    need: MissingPermission | None = None


class Conflict(ApiError):
    """The object is no longer the one that was read."""


class Expired(ApiError):
    """The API server no longer has the list that is being read page by page."""


class AlreadyExists(ApiError):
    """The object to be created exists."""


#: Longest text of an answer that is shown. Others write it, and it may hold what must not be shown.
_MOST_TEXT = 300
#: So much of a body is looked at for it.
_MOST_BODY = 65536

_REFUSALS = range(400, 500)
_FAILURES = range(500, 1000)


@dataclass(frozen=True)
class _ErrorRule:
    """Answers with one of these statuses whose text matches the pattern: what to do, and the class of the error.

    Without a class it is `Forbidden` for 403, otherwise `ApiError`. `plain`: whether it also holds for an answer that is no
    Status object, so perhaps not from an API server.
    """

    statuses: Container[int]
    pattern: str
    way_out: str
    error: type[ImagePullError] | None = None
    plain: bool = True


def _give(right: object) -> str:
    return f"give the caller {right}, or use another one, see {RIGHTS_PAGE}"


#: Where the answer names the right, it is named here, too.
_RIGHT = _give("that right")

#: The first rule that fits counts. What other fields of the answer decide comes before: 404, 409, terminating namespaces.
_RULES = (
    _ErrorRule(range(300, 400), "", "this is not the address of an API server: correct 'host' or the kubeconfig"),
    _ErrorRule({400}, "HTTP request to an HTTPS server", "put https:// before the host"),
    _ErrorRule(
        {400},
        "does not support dry run",
        "that admission webhook cannot check a request in advance: have its owner declare sideEffects None",
    ),
    _ErrorRule(
        {401},
        "",
        "the login is not valid, or no longer: log in again, such as with 'oc login', or give a valid token or certificate (api_key, "
        "kubeconfig, client_cert; in the playbooks with image_pull_ before the name)",
        Unauthorized,
    ),
    _ErrorRule(
        {403},
        r"cannot impersonate\S* resource",
        "give the caller the right to impersonate, or leave out impersonate_user and impersonate_groups",
        Unauthorized,
    ),
    _ErrorRule(
        {403},
        "is attempting to grant",
        f"give the caller the verb 'bind' on that cluster role, or 'escalate' where it writes the role itself, see {RIGHTS_PAGE}",
    ),
    # OpenShift's admission plugin (openshift-kube-apiserver/admission/authorization/restrictusers).
    _ErrorRule(
        {403},
        r"rolebindings to \w+ .+ are not allowed in project ",
        "a RoleBindingRestriction of that project admits only some subjects: have its administrator admit this one "
        "('oc get rolebindingrestrictions')",
    ),
    _ErrorRule(
        {403},
        "(?:exceeded|failed|insufficient) quota",
        "delete objects that the namespace no longer needs, or have its ResourceQuota raised",
    ),
    # OpenShift's limits and rules for imports (openshift-apiserver pkg/image/apiserver/admission/limitrange, apis/image/validation).
    _ErrorRule(
        {403},
        r"exceeds the maximum limit per openshift\.io/",
        "delete tags that the image stream no longer needs, or have the project's LimitRange raised",
    ),
    _ErrorRule(
        {422},
        "importing images from registry .* is forbidden",
        "images may be imported from some registries only: have this one added to allowedRegistriesForImport of "
        "images.config.openshift.io/cluster, or import as a user who may create images",
    ),
    # openshift/managed-cluster-validating-webhooks: ROSA, OpenShift Dedicated.
    _ErrorRule(
        {403},
        "Prevented from accessing Red Hat managed ",
        "this is a managed cluster, on which only Red Hat may change this object, and another attempt is refused too: use pull secrets in "
        "the namespaces instead (role private_registry), or ask Red Hat's support",
    ),
    _ErrorRule(
        _REFUSALS,
        "admission webhook .* denied the request|ValidatingAdmissionPolicy .* denied request",
        "a policy of the cluster forbids it: change what its message names, or ask the policy's owner for an exception",
    ),
    _ErrorRule(
        {403},
        'User "system:anonymous" cannot ',
        "the request had no login: give api_key, client_cert, or a kubeconfig with a login",
    ),
    # kubernetes plugin/pkg/admission/serviceaccount, for a pod.
    _ErrorRule(
        {403},
        "error looking up service account ",
        "create that service account first, wait for it (sa_wait), or correct its name",
    ),
    _ErrorRule({403}, 'User ".*" cannot ', _RIGHT),
    _ErrorRule({403}, "", "an admission rule of the cluster or a proxy forbids it: ask who runs the cluster"),
    _ErrorRule({405, 406, 415}, "", "the API server does not support this request: check its version"),
    _ErrorRule({410}, "", "run again", Expired),
    _ErrorRule({413}, "", "the object is too large for the API server: make it smaller"),
    _ErrorRule({422}, "", "correct the option that sets the field which the message names", plain=False),
    _ErrorRule(
        {429}, "", "the API server is overloaded: try again later, or lower 'concurrency' where the module has it"
    ),
    _ErrorRule(_REFUSALS, "", "the API server rejected the request: correct what the message names", plain=False),
    _ErrorRule(
        _FAILURES,
        "failed calling webhook",
        "that admission webhook does not work: have its owner repair it",
        WebhookUnanswered,
    ),
    _ErrorRule(_FAILURES, "", "look at the API server and what it depends on, then run again", Unanswered),
)

_NO_API_SERVER = "this answer is not from a Kubernetes API server: check the address and the proxy"


@dataclass(frozen=True)
class FailedRequest:
    """What is known of a request that was answered with a status other than 2xx.

    `attempt` says in words what was tried, on what and where; `resource` on which kind, `name` on which object, empty for one
    that is to be created; `label_selector` which objects a list asked for. `writes`: whether it would change something.
    `retry_after` and `location` are the answer's headers of these names. `hidden` is what must not be shown of an answer that
    repeats the request: its login, in all forms.
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

    def error(self) -> ImagePullError:
        """`ApiError`, `Unanswered` for a failure after which a write may have happened, or `Unauthorized`."""
        answer = _status_object(self.body)
        text = one_line(mask(_message(answer, self.body), self.hidden)) or "no explanation"
        kind, way_out = self._meaning(answer, text)
        seconds = _seconds(self.retry_after)
        is_unanswered = issubclass(kind, Unanswered)
        if is_unanswered and self.status == 503 and seconds is not None:
            # The server says when to come again: it did nothing.
            kind, way_out = ApiError, "the API server is starting or overloaded: try again later"
        elif is_unanswered and self.writes:
            way_out = f"it may have been carried out; {way_out}"
        what = f"{self.attempt} {self._outcome} {text}"
        if issubclass(kind, Unanswered):
            return kind(what, way_out)
        need = MissingPermission.of(text, self.name) if way_out == _RIGHT else None
        error = kind(f"{what}; {way_out if need is None else _give(f'that right, {need}')}")
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
            return f"was answered with a redirect to {_origin(self.location)}: {self.status}"
        return f"{'was refused' if self.status in _REFUSALS else 'failed'}: {self.status}"

    def _meaning(self, answer: Mapping[str, Any], text: str) -> tuple[type[ImagePullError], str]:
        details = _mapping(answer.get("details"))
        if self.status == 404:
            return self._not_found(answer, details, text)
        if self.status == 409 and answer:
            return _at_odds(answer)
        if "NamespaceTerminating" in _reasons(details):
            return NamespaceTerminating, "the namespace is being deleted"
        if self.status == 400 and self.label_selector and answer:
            option = "namespace_selector.labels; of the event source, label_selector"
            return ApiError, f"correct the label selector {self.label_selector!r} ({option})"
        for rule in _RULES:
            if self.status in rule.statuses and re.search(rule.pattern, text) and (answer or rule.plain):
                return rule.error or (Forbidden if self.status == 403 else ApiError), rule.way_out
        return ApiError, _NO_API_SERVER

    def _not_found(
        self, answer: Mapping[str, Any], details: Mapping[str, Any], text: str
    ) -> tuple[type[ApiError], str]:
        """Not found is what the answer names, and that need not be what was asked for.

        The answer names a missing role only to a caller who may not bind it: the server looks into it when a binding is written, and
        calls it a cluster role or, on another path, a role binding of the role's name
        (kubernetes pkg/registry/rbac/rolebinding/policybased/storage.go).
        """
        if not answer and "404 page not found" not in text:
            return ApiError, _NO_API_SERVER
        kind, name = details.get("kind"), details.get("name")
        if not name:
            return UnknownResource, "the API server has no such resource: check the address and the cluster's version"
        if kind == "namespaces" and self.resource != "namespaces":
            return NamespaceMissing, "create the namespace first, or correct its name"
        is_other = kind != self.resource or name != self.name
        if kind in ("clusterroles", "roles", "rolebindings") and self.resource == "rolebindings" and is_other:
            return Forbidden, "it is the role that does not exist, not the binding: grant a role that exists"
        return NotFound, "check the name"


def one_line(text: str) -> str:
    """A text that others wrote, fit for a message: one line, no control characters, of bounded length.

    It is cut between words: of a credential in it, which is masked later, there must not be a part.
    """
    start = text[: 4 * _MOST_TEXT]
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in start).split())
    if len(start) == len(text) and len(line) <= _MOST_TEXT:
        return line
    return f"{line[:_MOST_TEXT].rpartition(' ')[0]} …".lstrip()


def _at_odds(answer: Mapping[str, Any]) -> tuple[type[ApiError], str]:
    """Two different errors have the status 409: the reason tells them apart."""
    if answer.get("reason") == "AlreadyExists":
        return AlreadyExists, "it exists"
    return Conflict, "it was changed meanwhile: run again"


def _message(answer: Mapping[str, Any], body: bytes) -> str:
    """What the answer says in words: a Status has a message, priority and fairness and proxies send plain text."""
    message = answer.get("message")
    return message if isinstance(message, str) and message else body[:_MOST_BODY].decode("utf-8", "replace")


def _status_object(body: bytes) -> Mapping[str, Any]:
    """The Status in a body, empty where there is none."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    answer = _mapping(answer)
    return answer if answer.get("kind") == "Status" else {}


def _reasons(details: Mapping[str, Any]) -> Iterator[Any]:
    causes = details.get("causes")
    for cause in causes if isinstance(causes, list) else ():
        yield _mapping(cause).get("reason")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _origin(location: str | None) -> str:
    """Where a redirect leads, without what may be a login or a token."""
    try:
        parts = urlsplit(location or "")
        host = parts.hostname
    except ValueError:
        host = None
    return one_line(f"{parts.scheme}://{host}") if host else "another place"


def _seconds(header: str | None) -> float | None:
    """A number of seconds, a thousand at most; a date, the header's other form, is not used by any API server."""
    text = (header or "").strip()
    return min(float(text), 1000.0) if text.isascii() and text.isdecimal() else None
