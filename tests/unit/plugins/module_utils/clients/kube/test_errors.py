# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the API server's refusals mean (facts 8.1 and 8.3), each with a way out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube import errors
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import api_error
from hypothesis import given
from hypothesis import strategies as st

ATTEMPT = "creating secret a/quay on https://api"


def status(reason: str, message: str = "said the server", kind: str = "secrets", causes: Any = None) -> bytes:
    details = {"name": "quay", "kind": kind, "causes": causes}
    return json.dumps({"kind": "Status", "reason": reason, "message": message, "details": details}).encode()


ESCALATION = (
    'user "u" (groups=["g"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], ...}'
)
RESTRICTED = (
    'rolebindings.rbac.authorization.k8s.io "image-puller-grant" is forbidden: '
    'rolebindings to ServiceAccount "default" are not allowed in project "project-b"'
)
RBAC = 'secrets is forbidden: User "u" cannot create resource "secrets" in API group "" in the namespace "a"'


class TestApiError:
    @pytest.mark.parametrize(
        ("code", "body", "kind", "way_out"),
        [
            (400, status("BadRequest"), errors.ApiError, "the request was not understood: please report it"),
            (
                401,
                status("Unauthorized"),
                errors.ApiError,
                "give a valid token or certificate (api_key, kubeconfig, client_cert)",
            ),
            (403, status("Forbidden", RBAC), errors.Forbidden, "give the caller that right, or use another one"),
            (403, status("Forbidden", ESCALATION, "rolebindings"), errors.Forbidden, "give the caller the verb 'bind'"),
            (
                403,
                status("Forbidden", RESTRICTED, "rolebindings"),
                errors.Forbidden,
                "a RoleBindingRestriction of that",
            ),
            (
                403,
                status("Forbidden", causes=[{"reason": "NamespaceTerminating"}]),
                errors.NamespaceTerminating,
                "the namespace is being deleted",
            ),
            (403, b"blocked by a proxy", errors.Forbidden, "give the caller that right"),
            (404, status("NotFound"), errors.NotFound, "check the name"),
            (404, b"404 page not found\n", errors.NotFound, "check the name"),
            (404, status("NotFound", kind="namespaces"), errors.NamespaceMissing, "create the namespace first"),
            (409, status("AlreadyExists"), errors.AlreadyExists, "it exists"),
            (409, status("Conflict"), errors.Conflict, "it was changed meanwhile; run again"),
            (413, b"", errors.ApiError, "make the object smaller"),
            (422, status("Invalid"), errors.ApiError, "correct the option that the server names"),
            (
                429,
                b"Too many requests, please try again later.",
                errors.ApiError,
                "the server is overloaded: lower the concurrency",
            ),
            (500, status("InternalError"), errors.ApiError, "try again, and look at the API server"),
            (503, b"<html>", errors.ApiError, "try again, and look at the API server"),
        ],
    )
    def test_table(self, code: int, body: bytes, kind: type[Exception], way_out: str) -> None:
        error = api_error(ATTEMPT, code, body)
        assert error.__class__ is kind
        assert str(error).startswith(f"{ATTEMPT} was refused: {code} ")
        assert f"; {way_out}" in str(error)
        assert len(str(error).splitlines()) == 1

    @pytest.mark.parametrize("kind", ["clusterroles", "roles", "rolebindings"])
    @pytest.mark.parametrize("name", ["", "b"])
    def test_a_missing_role_on_writing_a_binding_is_not_taken_for_a_missing_binding(self, kind: str, name: str) -> None:
        """To create a binding (no name) or to change the binding b; the answer names the role, quay."""
        body = status("NotFound", f'{kind}.rbac.authorization.k8s.io "quay" not found', kind)
        error = api_error("creating role binding a/b on https://api", 404, body, resource="rolebindings", name=name)
        assert not isinstance(error, (errors.NotFound, errors.NamespaceMissing))
        assert str(error).endswith("; it is the role that does not exist, not the binding; grant one that does")

    def test_a_missing_binding_is_simply_not_found(self) -> None:
        body = status("NotFound", kind="rolebindings")
        error = api_error("updating it", 404, body, resource="rolebindings", name="quay")
        assert error.__class__ is errors.NotFound

    @pytest.mark.parametrize("kind", ["clusterroles", "namespaces", "secrets"])
    def test_what_was_asked_for_itself_is_simply_not_found(self, kind: str) -> None:
        """So that a role that is granted can be looked for, and a namespace too."""
        error = api_error("reading it", 404, status("NotFound", kind=kind), resource=kind)
        assert error.__class__ is errors.NotFound

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            (status("Invalid", "two\nlines"), "422 two lines;"),
            (b"plain\r\ntext", "422 plain text;"),
            (b"", "422 no explanation;"),
            (b'{"kind": "Pod", "message": "x"}', '422 {"kind": "Pod", "message": "x"};'),
            (b"\xff" * 300, "422 \ufffd"),
        ],
    )
    def test_says_in_one_line_what_the_server_said(self, body: bytes, said: str) -> None:
        message = str(api_error(ATTEMPT, 422, body))
        assert said in message
        assert len(message) < 400

    @pytest.mark.parametrize(
        ("header", "seconds"),
        [
            (None, None),
            ("", None),
            ("1", 1.0),
            ("32", 32.0),
            ("Wed, 21 Oct 2026 07:28:00 GMT", None),
            ("nan", None),
            ("-1", None),
        ],
    )
    def test_keeps_how_long_the_server_asks_to_wait(self, header: str | None, seconds: float | None) -> None:
        assert (
            api_error(ATTEMPT, 429, b"Too many requests, please try again later.", retry_after=header).retry_after
            == seconds
        )

    @given(st.sampled_from([400, 403, 404, 409, 422, 500]), st.binary() | st.text().map(str.encode))
    def test_never_fails_on_what_a_proxy_sends(self, code: int, body: bytes) -> None:
        api_error(ATTEMPT, code, body)
