# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A credential becomes the headers that log a request in."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ConnectError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.kubeconfig import Pem
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.login import (
    Credential,
    basic_header,
    bearer_header,
    forms_of,
)
from support.objects import b64


class TestBearer:
    @pytest.mark.parametrize("given", ["abc.DEF-1~!", "abc.DEF-1~!\n", " abc.DEF-1~! "])
    def test_white_space_around_a_token_is_removed(self, given: str) -> None:
        assert bearer_header(given, "it") == "Bearer abc.DEF-1~!"

    @pytest.mark.parametrize("given", ["", " \n"])
    def test_an_empty_token_is_refused(self, given: str) -> None:
        with pytest.raises(ConnectError, match=r"^option 'api_key' is empty$"):
            bearer_header(given, "option 'api_key'")

    @pytest.mark.parametrize("given", ["a b", "a\nb", "ab\x7f", "é", "\x00", "漢"])
    def test_a_token_that_does_not_fit_in_a_header_is_refused_and_not_repeated(self, given: str) -> None:
        with pytest.raises(ConnectError) as caught:
            bearer_header(given, "it")
        assert str(caught.value) == "it is not a token: it contains a space, a line end or a character outside ASCII"


class TestBasic:
    @pytest.mark.parametrize(("user", "password"), [("u", "p"), ("ü", "ä:漢")])
    def test_a_basic_login_is_encoded_in_utf_8(self, user: str, password: str) -> None:
        assert basic_header(user, password) == "Basic " + b64(f"{user}:{password}")

    def test_half_a_letter_in_a_password_causes_no_traceback(self) -> None:
        assert basic_header("u", "\udc00") == "Basic dTrtsIA="


class TestFormsOf:
    def test_forms_of_a_token_include_its_base64_form(self) -> None:
        found = forms_of("Bearer some-token")
        assert {"some-token", b64(b"some-token")} <= found
        assert "Bearer" not in found

    def test_forms_of_a_password_include_the_encoded_forms(self) -> None:
        found = forms_of(basic_header("user", "pass:wörd"))
        assert {"pass:wörd", "user:pass:wörd", basic_header("user", "pass:wörd")[6:], "pass%3Aw%C3%B6rd"} <= found
        assert "user" not in found

    @pytest.mark.parametrize("authorization", ["", "Bearer "])
    def test_an_empty_login_has_no_forms(self, authorization: str) -> None:
        assert forms_of(authorization) == frozenset()


class TestCredential:
    @pytest.mark.parametrize(
        ("other", "is_other"),
        [
            (Credential("a"), False),
            (Credential("a", due=7.0), False),
            (Credential("b"), True),
            (Credential("a", Pem("p", data=b"c")), True),
        ],
    )
    def test_another_token_or_certificate_counts_as_another_credential(self, other: Credential, is_other: bool) -> None:
        assert other.is_other_than(Credential("a")) is is_other
        assert Credential("a").is_other_than(other) is is_other

    def test_the_repr_of_a_credential_hides_it(self) -> None:
        assert "secret" not in repr(Credential("secret"))
