# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each refusal and failure of the API server becomes an error with its cause and advice."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube import errors
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    FailedRequest,
    one_line,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import RIGHTS_PAGE, ImagePullError
from hypothesis import given
from hypothesis import strategies as st
from support.anything import ANYTHING

ATTEMPT = "creating secret a/quay on https://api"


def status(reason: str, message: str = "said the server", kind: str = "secrets", causes: Any = None) -> bytes:
    details = {"name": "quay", "kind": kind, "causes": causes}
    return json.dumps({"kind": "Status", "reason": reason, "message": message, "details": details}).encode()


def error_of(code: int, body: bytes, **more: Any) -> ImagePullError:
    return FailedRequest(ATTEMPT, code, body, **{"resource": "secrets", **more}).error()


ESCALATION = (
    'user "u" (groups=["g"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], ...}'
)
RESTRICTED = (
    'rolebindings.rbac.authorization.k8s.io "image-puller-grant" is forbidden: '
    'rolebindings to ServiceAccount "default" are not allowed in project "project-b"'
)
RBAC = 'secrets is forbidden: User "u" cannot create resource "secrets" in API group "" in the namespace "a"'
OLD = 'User "u" cannot create secrets in project "a"'
ANONYMOUS = 'secrets is forbidden: User "system:anonymous" cannot list resource "secrets" in API group ""'
IMPERSONATE = 'users "alice" is forbidden: User "u" cannot impersonate resource "users" in API group "" at the cluster'
IMPERSONATE_CONSTRAINED = 'users "alice" is forbidden: User "u" cannot impersonate:user-info resource "users"'
QUOTA = 'secrets "quay" is forbidden: exceeded quota: q, requested: secrets=1, used: secrets=10, limited: secrets=10'
FAILED_QUOTA = 'secrets "quay" is forbidden: failed quota: q: must specify limits'
LIMIT = (
    'imagestreams.image.openshift.io "app" is forbidden: requested usage of openshift.io/image-tags exceeds the maximum limit per '
    "openshift.io/ImageStream (11 > 10)"
)
NOT_ALLOWED = (
    'ImageStreamImport.image.openshift.io "app" is invalid: spec.images[0].from.name: Forbidden: importing images from registry '
    '"quay.io" is forbidden'
)
SCOPE_QUOTA = 'secrets "quay" is forbidden: insufficient quota to match these scopes: []'
WEBHOOK = 'admission webhook "validate.kyverno.svc-fail" denied the request: policy no-secrets'
MANAGED = (
    'admission webhook "w.managed.openshift.io" denied the request: Prevented from accessing Red Hat managed resources.'
)
POLICY = "secrets \"quay\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no"
DRY_RUN = 'admission webhook "w.example.com" does not support dry run'
NO_ACCOUNT = 'pods "p" is forbidden: error looking up service account a/robot: serviceaccount "robot" not found'
BROKEN_WEBHOOK = 'Internal error occurred: failed calling webhook "w.example.com": context deadline exceeded'

LOGIN = (
    "The login is invalid or has expired: log in again with 'oc login', and set 'api_key', if you use it, to the token that "
    "'oc whoami --show-token' then prints. Or give another 'kubeconfig' or 'client_cert'"
)
RIGHT = f"Give the caller that right, create on secrets in namespace a, or use another caller, see {RIGHTS_PAGE}"
UNNAMED_RIGHT = f"Give the caller that right, or use another caller, see {RIGHTS_PAGE}"
IMPERSONATION = "Give the caller the right to impersonate, or remove 'impersonate_user' and 'impersonate_groups'"
USED_UP = "Delete objects that the namespace no longer needs, or have its ResourceQuota raised"
FORBIDDEN_BY_POLICY = "A policy of the cluster forbids it: fix the problem that its message names, or ask the policy's owner for an exception"
NO_API_SERVER = (
    "This response is not from a Kubernetes API server: set 'host', or the kubeconfig, to the address that 'oc whoami --show-server' "
    "prints, or check the proxy"
)
UNKNOWN = "The API server has no such resource: check the address and the cluster's version"
REJECTED = "The API server rejected the request: fix the problem that the message names"
UNSUPPORTED = "The API server does not support this request: check its version"
FAILING = "Check the API server and its dependencies, then run again"

#: Status, body, class, reported text, advice.
TABLE = [
    (400, status("BadRequest"), errors.ApiError, "said the server", REJECTED),
    (400, b"<html>", errors.NoApiServer, "<html>", NO_API_SERVER),
    (400, b"Client sent an HTTP request to an HTTPS server.\n", errors.ApiError,
     "Client sent an HTTP request to an HTTPS server.", "Put https:// before the host"),
    (400, status("BadRequest", DRY_RUN), errors.ApiError, DRY_RUN,
     "That admission webhook cannot check a request in advance: have its owner declare sideEffects None"),
    (403, status("Forbidden", NO_ACCOUNT, "pods"), errors.Forbidden, NO_ACCOUNT,
     "Create that service account first, wait for it (sa_wait), or correct its name"),
    (403, status("Forbidden", MANAGED), errors.Forbidden, MANAGED,
     "On this managed cluster, only Red Hat is allowed to change this object, and another attempt will also be refused: use pull secrets in "
     "the namespaces instead (role private_registry), or ask Red Hat's support"),
    (401, status("Unauthorized", "Unauthorized"), errors.Unauthorized, "Unauthorized", LOGIN),
    (401, b"", errors.Unauthorized, "no explanation", LOGIN),
    (403, status("Forbidden", RBAC), errors.Forbidden, RBAC, RIGHT),
    (403, status("Forbidden", OLD), errors.Forbidden, OLD, UNNAMED_RIGHT),
    (403, status("Forbidden", ANONYMOUS), errors.Forbidden, ANONYMOUS,
     "The request had no login: give 'api_key', 'client_cert', or a 'kubeconfig' with a login"),
    (403, status("Forbidden", IMPERSONATE), errors.Unauthorized, IMPERSONATE, IMPERSONATION),
    (403, status("Forbidden", IMPERSONATE_CONSTRAINED), errors.Unauthorized, IMPERSONATE_CONSTRAINED, IMPERSONATION),
    (403, status("Forbidden", ESCALATION, "rolebindings"), errors.Forbidden, ESCALATION.replace("\n", " "),
     f"Give the caller the verb 'bind' on that cluster role, or 'escalate' if it writes the role itself, see {RIGHTS_PAGE}"),
    (403, status("Forbidden", RESTRICTED, "rolebindings"), errors.Forbidden, RESTRICTED,
     "A RoleBindingRestriction of that project allows only some subjects: have its administrator allow this one "
     "('oc get rolebindingrestrictions')"),
    (403, status("Forbidden", QUOTA), errors.Forbidden, QUOTA, USED_UP),
    (403, status("Forbidden", FAILED_QUOTA), errors.Forbidden, FAILED_QUOTA, USED_UP),
    (403, status("Forbidden", SCOPE_QUOTA), errors.Forbidden, SCOPE_QUOTA, USED_UP),
    (403, status("Forbidden", LIMIT, "imagestreams"), errors.Forbidden, LIMIT,
     "Delete tags that the image stream no longer needs, or have the project's LimitRange raised"),
    (422, status("Invalid", NOT_ALLOWED, "imagestreamimports"), errors.ApiError, NOT_ALLOWED,
     "Images can be imported only from some registries: have this one added to allowedRegistriesForImport of "
     "images.config.openshift.io/cluster (for a hosted cluster: spec.configuration.image of the HostedCluster), or import as a user who is "
     "allowed to create images"),
    (403, status("Forbidden", WEBHOOK), errors.Forbidden, WEBHOOK, FORBIDDEN_BY_POLICY),
    (400, status("BadRequest", WEBHOOK), errors.ApiError, WEBHOOK, FORBIDDEN_BY_POLICY),
    (403, status("Forbidden", POLICY), errors.Forbidden, POLICY, FORBIDDEN_BY_POLICY),
    (422, status("Invalid", POLICY), errors.ApiError, POLICY, FORBIDDEN_BY_POLICY),
    (403, status("Forbidden", causes=[{"reason": "NamespaceTerminating"}]), errors.NamespaceTerminating,
     "said the server", "The namespace is being deleted"),
    (403, b"blocked by a proxy", errors.Forbidden, "blocked by a proxy",
     "An admission rule of the cluster or a proxy forbids it: ask the administrator of the cluster"),
    (404, status("NotFound"), errors.NotFound, "said the server", "Check the name"),
    (404, b"404 page not found\n", errors.NoApiServer, "404 page not found", NO_API_SERVER),
    (404, b'{"kind": "Status", "details": {}}', errors.UnknownResource, '{"kind": "Status", "details": {}}', UNKNOWN),
    (404, b"<html>not here", errors.NoApiServer, "<html>not here", NO_API_SERVER),
    (404, status("NotFound", kind="namespaces"), errors.NamespaceMissing, "said the server",
     "Create the namespace first, or correct its name"),
    (405, status("MethodNotAllowed"), errors.ApiError, "said the server", UNSUPPORTED),
    (406, b"", errors.ApiError, "no explanation", UNSUPPORTED),
    (415, status("UnsupportedMediaType"), errors.ApiError, "said the server", UNSUPPORTED),
    (409, status("AlreadyExists"), errors.AlreadyExists, "said the server", "It already exists"),
    (409, status("Conflict"), errors.Conflict, "said the server", "It was changed in the meantime: run again"),
    (409, b"in use", errors.NoApiServer, "in use", NO_API_SERVER),
    (410, status("Expired"), errors.Expired, "said the server", "Run again"),
    (413, b"", errors.ApiError, "no explanation", "The object is too large for the API server: make it smaller"),
    (422, status("Invalid"), errors.ApiError, "said the server",
     "Correct the option for the field that the message names"),
    (422, b"no", errors.NoApiServer, "no", NO_API_SERVER),
    (429, b"Too many requests, please try again later.", errors.ApiError,
     "Too many requests, please try again later.",
     "The API server is overloaded: try again later, or lower 'concurrency' if the module has it"),
    (418, status("Teapot"), errors.ApiError, "said the server", REJECTED),
    (499, b"", errors.NoApiServer, "no explanation", NO_API_SERVER),
]  # fmt: skip
FAILURES = [
    (500, status("InternalError"), "said the server", FAILING),
    (503, b"<html>", "<html>", FAILING),
    (999, b"", "no explanation", FAILING),
    (
        500,
        status("InternalError", BROKEN_WEBHOOK),
        BROKEN_WEBHOOK,
        "That admission webhook does not work: have its owner fix it",
    ),
]


class TestTable:
    @pytest.mark.parametrize(("code", "body", "kind", "text", "way_out"), TABLE)
    def test_a_refusal_names_its_fix(
        self, code: int, body: bytes, kind: type[Exception], text: str, way_out: str
    ) -> None:
        error: Any = error_of(code, body)
        assert error.__class__ is kind
        assert str(error) == f"{ATTEMPT} was refused: {code} {text.removeprefix('404 ').rstrip('.')}. {way_out}"
        assert error.status == code

    def test_a_kind_that_not_every_api_server_has_may_be_unknown(self) -> None:
        error = error_of(404, b"404 page not found\n", resource="imagestreams")
        assert error.__class__ is errors.UnknownResource
        assert str(error) == f"{ATTEMPT} was refused: 404 page not found. {UNKNOWN}"

    @pytest.mark.parametrize(("code", "body", "text", "way_out"), FAILURES)
    def test_a_failure_is_not_a_refusal_and_reports_a_write_that_may_have_happened(
        self, code: int, body: bytes, text: str, way_out: str
    ) -> None:
        read, write = error_of(code, body), error_of(code, body, writes=True)
        kind = errors.WebhookUnanswered if text == BROKEN_WEBHOOK else errors.Unanswered
        assert {read.__class__, write.__class__} == {kind}
        assert str(read) == f"{ATTEMPT} failed: {code} {text.rstrip('.')}. {way_out}"
        assert str(write) == f"{ATTEMPT} failed: {code} {text}. It may have been carried out. {way_out}"
        assert isinstance(write, errors.Unanswered)
        assert write.what == f"{ATTEMPT} failed: {code} {text}"

    def test_a_503_with_retry_after_means_that_the_write_was_not_carried_out(self) -> None:
        error: Any = error_of(503, status("ServiceUnavailable"), writes=True, retry_after="3")
        assert error.__class__ is errors.ApiError
        assert str(error) == (
            f"{ATTEMPT} failed: 503 said the server. The API server is starting or overloaded: try again later"
        )
        assert (error.status, error.retry_after) == (503, 3.0)

    @pytest.mark.parametrize("code", [500, 504])
    def test_a_500_or_504_with_retry_after_leaves_the_write_in_doubt(self, code: int) -> None:
        assert error_of(code, b"", retry_after="3").__class__ is errors.Unanswered

    @pytest.mark.parametrize(
        ("location", "where"),
        [
            ("https://user:pw@login.example.com/oauth?token=secret", "https://login.example.com"),
            ("/login?token=secret", "another place"),
            (None, "another place"),
            ("http://[::1", "another place"),
            ("https://a\nb.example.com/", "https://ab.example.com"),
        ],
    )
    @pytest.mark.parametrize("code", [300, 301, 399])
    def test_a_redirect_means_a_wrong_address(self, code: int, location: str | None, where: str) -> None:
        error = error_of(code, b"moved", location=location)
        assert error.__class__ is errors.NoApiServer
        assert str(error) == (f"{ATTEMPT} returned a redirect to {where}: {code} moved. {NO_API_SERVER}")

    def test_a_rejected_label_selector_is_named(self) -> None:
        body = status("BadRequest", "unable to parse requirement")
        error = error_of(400, body, label_selector="a in b")
        assert error.__class__ is errors.ApiError
        option = "'namespace_selector.labels', or 'label_selector' of the event source"
        assert str(error).endswith(f". Correct the label selector 'a in b' ({option})")
        assert str(error_of(400, b"text", label_selector="a in b")).endswith(NO_API_SERVER)
        assert str(error_of(422, body, label_selector="a in b")).endswith("that the message names")


class TestNotFound:
    """The answer names the missing object, which may differ from the requested object."""

    @pytest.mark.parametrize("kind", ["clusterroles", "roles", "rolebindings"])
    @pytest.mark.parametrize("name", ["", "b"])
    def test_a_missing_role_on_writing_a_binding_is_not_taken_for_a_missing_binding(self, kind: str, name: str) -> None:
        """The binding is created (no name) or changed (b). The answer names the role, quay."""
        body = status("NotFound", f'{kind}.rbac.authorization.k8s.io "quay" not found', kind)
        error = error_of(404, body, resource="rolebindings", name=name)
        assert error.__class__ is errors.Forbidden
        assert str(error).endswith(". The role does not exist, not the binding: grant a role that exists")

    def test_a_missing_binding_is_simply_not_found(self) -> None:
        body = status("NotFound", kind="rolebindings")
        assert error_of(404, body, resource="rolebindings", name="quay").__class__ is errors.NotFound

    @pytest.mark.parametrize("kind", ["clusterroles", "namespaces", "secrets"])
    def test_a_404_of_the_requested_kind_means_not_found(self, kind: str) -> None:
        """A granted role, or a namespace, can be looked up."""
        assert error_of(404, status("NotFound", kind=kind), resource=kind).__class__ is errors.NotFound

    def test_a_404_of_another_kind_means_not_found(self) -> None:
        assert error_of(404, status("NotFound", kind="pods"), resource="rolebindings").__class__ is errors.NotFound


class TestText:
    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (status("Invalid", "two\nlines"), "two lines"),
            (status("Invalid", ""), status("Invalid", "").decode()),
            (b"plain\r\ntext", "plain text"),
            (b"", "no explanation"),
            (b" \n", "no explanation"),
            (b'{"kind": "Pod", "message": "x"}', '{"kind": "Pod", "message": "x"}'),
            (b'["Status"]', '["Status"]'),
            (b"\xff\xffa", "\ufffd\ufffda"),
            (b'{"kind": "Status", "message": "half \\ud800 pair"}', "half pair"),
            (b'{"kind": "Status", "message": ["x"]}', '{"kind": "Status", "message": ["x"]}'),
            (b"a\x1b[31mred\x00\xe2\x80\xaeb", "a [31mred b"),
            (b"[" * 100_000, "…"),
            (b"a " * 100_000, "a " * 149 + "a …"),
        ],
    )
    def test_the_text_of_an_answer_is_one_line_without_control_characters(self, body: bytes, said: str) -> None:
        assert str(error_of(413, body)) == f"{ATTEMPT} was refused: 413 {said}. " + (
            "The object is too large for the API server: make it smaller"
        )

    @pytest.mark.parametrize(
        ("text", "line"),
        [
            ("x" * 300, "x" * 300),
            ("x" * 301, "…"),
            ("y " + "x" * 298, "y " + "x" * 298),
            ("y z " + "x" * 297, "y z …"),
            (" " * 900 + "x" * 300, "x" * 300),
            (" " * 900 + "x" * 301, "…"),
            (" " * 900 + "y " + "x" * 299, "y …"),
            ("a \t b", "a b"),
        ],
    )
    def test_the_text_of_an_answer_is_bounded(self, text: str, line: str) -> None:
        assert one_line(text) == line
        assert f": 413 {line or 'no explanation'}." in str(error_of(413, text.encode()))


class TestHidden:
    """An answer may repeat the request, including its login."""

    @pytest.mark.parametrize("body", [b"token abc-def is bad", status("Unauthorized", "token abc-def is bad")])
    def test_the_login_is_not_shown_in_an_error(self, body: bytes) -> None:
        assert ": 401 token ******** is bad. " in str(error_of(401, body, hidden={"abc-def"}))

    def test_a_login_is_hidden_before_the_text_is_cut(self) -> None:
        text = "y " * 145 + "first second third"
        assert "y ********. " in str(error_of(401, text.encode(), hidden={"first second third"}))
        assert "y …. " in str(error_of(401, b"y" * 250 + b" " + b"hidden" * 20))


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            (None, None),
            ("", None),
            ("0", 0.0),
            ("1", 1.0),
            (" 32 ", 32.0),
            ("1000", 1000.0),
            ("9" * 400, 1000.0),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("nan", None),
            ("inf", None),
            ("-1", None),
            ("1.5", None),
            ("\u0661", None),
            ("\u00b2", None),
        ],
    )
    def test_retry_after_is_a_number_of_seconds_or_none(self, header: str | None, seconds: float | None) -> None:
        error: Any = error_of(429, b"Too many requests, please try again later.", retry_after=header)
        assert error.retry_after == seconds


STATUSES = st.fixed_dictionaries(
    {"kind": st.just("Status")},
    optional={
        "message": ANYTHING,
        "reason": ANYTHING | st.sampled_from(["AlreadyExists", "NotFound"]),
        "details": ANYTHING
        | st.fixed_dictionaries(
            {},
            optional={
                "kind": ANYTHING | st.sampled_from(["namespaces", "roles"]),
                "name": ANYTHING,
                "causes": ANYTHING | st.lists(ANYTHING | st.fixed_dictionaries({"reason": ANYTHING}), max_size=2),
            },
        ),
    },
)


class TestHostileAnswers:
    @given(
        code=st.integers(300, 999),
        body=st.binary()
        | ANYTHING.map(lambda value: json.dumps(value).encode())
        | STATUSES.map(lambda v: json.dumps(v).encode()),
        resource=st.sampled_from(["", "secrets", "rolebindings"]),
        writes=st.booleans(),
        header=st.none() | st.text(max_size=30),
    )
    def test_any_answer_becomes_an_error_of_one_line(
        self, code: int, body: bytes, resource: str, writes: bool, header: str | None
    ) -> None:
        error = error_of(code, body, resource=resource, writes=writes, retry_after=header, location=header)
        assert isinstance(error, ImagePullError)
        assert str(error).startswith(ATTEMPT)
        assert str(error).isprintable()
        assert len(str(error)) < 800
