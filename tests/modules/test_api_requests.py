# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""kube-apiserver answers as the table says, by which tests/unit/test_fake_api.py checks the API server in memory."""

from __future__ import annotations

from typing import Any

import pytest
from support.api_requests import CASES, Case, play
from support.lab import Lab

pytestmark = pytest.mark.newest_core  # no module takes part


@pytest.fixture
def lab(plain_lab: Lab) -> Lab:
    """A cluster that stores nothing in new namespaces."""
    return plain_lab


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_the_answer_is_that_of_the_table(case: Case, plain_lab: Lab, namespaces: Any) -> None:
    (namespace,) = namespaces(1, wait=False)
    assert play(case, namespace, plain_lab.answer) == case.answer
