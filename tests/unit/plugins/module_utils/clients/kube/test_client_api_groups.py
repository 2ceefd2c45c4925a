# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API groups are read from the list of a server."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.client import list_api_groups
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import Forbidden
from support.fake_api import FakeApi
from support.scripted_pool import Answer, status_object


def told(answer: Any) -> frozenset[str]:
    api = FakeApi()
    api.fail("GET /apis$", answer)
    return list_api_groups(api.cluster())


def test_api_groups_are_returned_by_their_names() -> None:
    assert told(Answer(200, {"groups": [{"name": "apps"}, {"name": 5}, None]})) == {"apps"}


@pytest.mark.parametrize("body", [{"groups": []}, {"groups": None}, {}, {"groups": "apps"}], ids=str)
def test_an_answer_without_api_groups_is_an_empty_set(body: Any) -> None:
    assert told(Answer(200, body)) == frozenset()


def test_a_forbidden_list_of_api_groups_raises_an_error() -> None:
    with pytest.raises(Forbidden):
        told(status_object(403, "Forbidden", "no"))
