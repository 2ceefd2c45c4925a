# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The headers of a pull rate limit are read, and odd ones are ignored."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.https.exchange import HttpResponse
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.registry.transport import (
    RateLimit,
    rate_limit_of,
)


def found(*headers: tuple[str, str]) -> RateLimit | None:
    return rate_limit_of(HttpResponse(200, headers))


def test_the_headers_of_docker_hub_are_read() -> None:
    headers = (("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "76;w=21600"))
    assert found(*headers) == RateLimit(100, 76, 21600)


def test_a_header_that_is_missing_leaves_its_number_unknown() -> None:
    assert found() is None
    assert found(("RateLimit-Remaining", "0")) == RateLimit(None, 0, None)
    assert found(("RateLimit-Limit", " 100 ; w=60 ")) == RateLimit(100, None, 60)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "x",
        "-1",
        "1.5",
        "1e9",
        "9" * 10_000,
        "100;w=",
        "100;w=x",
        "100;w=1;w=2",
        "100, 100;w=60",
        "\u0661",
        "1\n",
        "1;w=" + "1" * 10,
        "\xff",
    ],
)
def test_hostile_values_are_ignored(value: str) -> None:
    assert found(("ratelimit-limit", value)) is None
    assert found(("ratelimit-limit", value), ("ratelimit-remaining", "5;w=60")) == RateLimit(None, 5, 60)


def test_a_header_that_appears_twice_is_ignored() -> None:
    assert found(("ratelimit-limit", "1"), ("RateLimit-Limit", "2")) is None
