# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The groups of an API, as a server lists them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.api_groups import listed_groups
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import Forbidden
from support.fake_api import FakeApi
from support.scripted_pool import Answer, status_object


def told(answer: Any) -> frozenset[str]:
    api = FakeApi()
    api.fail("GET /apis$", answer)
    return listed_groups(api.cluster())


def test_by_their_names() -> None:
    assert told(Answer(200, {"groups": [{"name": "apps"}, {"name": 5}, None]})) == {"apps"}


@pytest.mark.parametrize("body", [{"groups": []}, {"groups": None}, {}, {"groups": "apps"}])
def test_a_list_without_any(body: Any) -> None:
    assert told(Answer(200, body)) == frozenset()


def test_that_may_not_be_read() -> None:
    with pytest.raises(Forbidden):
        told(status_object(403, "Forbidden", "no"))
