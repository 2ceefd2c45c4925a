# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API server in memory answers like kube-apiserver. tests/modules/test_api_requests.py sends the same requests to that one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.api_requests import CASES, Case, play
from support.fake_api import FakeApi
from support.scripted_pool import HOST

NAMESPACE = "test-of-requests"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_answer_is_that_of_kube_apiserver(case: Case) -> None:
    api = FakeApi(namespaces_checked=True)
    api.put("namespaces", "", NAMESPACE)

    def send(method: str, path: str, body: Any, accept: str) -> tuple[int, Any]:
        given = None if body is None else json.dumps(body).encode()
        found = api.request_encode_url(method, HOST + path, body=given, headers={"Accept": accept})
        return found.status, found.body if isinstance(found.body, dict) else None

    assert play(case, NAMESPACE, send) == case.answer


def test_the_cases_have_different_names() -> None:
    assert len({case.id for case in CASES}) == len(CASES) >= 40
