# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When a secret's content was last changed, told by what the API server records."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.times import (
    ChangeTime,
    check_seconds,
    content_changed,
    seconds_of,
    utc,
    with_time_of_content,
)
from hypothesis import given
from support.anything import ANYTHING, CHANGES
from support.anything import Changed as AnyChange


def owner(time: Any, *fields: str) -> dict[str, Any]:
    return {"manager": "m", "time": time, "fieldsV1": {name: {} for name in fields}}


def secret(*entries: Any, created: Any = "2026-01-01T00:00:00Z") -> dict[str, Any]:
    return {"metadata": {"name": "s", "creationTimestamp": created, "managedFields": [*entries]}, "data": {"a": "b"}}


DATA = owner("2026-01-01T00:00:10Z", "f:data")
LABEL = owner("2026-01-01T00:00:50Z", "f:metadata")
TYPE = owner("2026-01-01T00:00:20Z", "f:type")
START = seconds_of("2026-01-01T00:00:00Z") or 0


class TestSeconds:
    @pytest.mark.parametrize(
        ("given", "seconds"),
        [
            ("1970-01-01T00:01:00Z", 60),
            ("1970-01-01t00:01:00z", 60),
            ("1970-01-01T00:01:00.999999Z", 60),
            ("1970-01-01T01:01:00+01:00", 60),
        ],
    )
    def test_of_a_time(self, given: str, seconds: int) -> None:
        assert seconds_of(given) == seconds

    @pytest.mark.parametrize(
        "given",
        [
            None,
            5,
            "",
            "now",
            "1970-01-01",
            "1970-13-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "1970-01-01T00:01:00Z ",
            "١٩٧٠-01-01T00:01:00Z",
        ],
    )
    def test_what_is_no_time(self, given: Any) -> None:
        assert seconds_of(given) is None

    @given(ANYTHING)
    def test_anything(self, given: Any) -> None:
        assert seconds_of(given) is None or isinstance(given, str)


class TestChange:
    def test_the_latest_writer_of_content_counts_and_no_other(self) -> None:
        assert content_changed(secret(DATA, LABEL, TYPE)) == ChangeTime(START + 20, is_exact=True)
        assert content_changed(secret(TYPE, DATA)) == ChangeTime(START + 20, is_exact=True)

    @pytest.mark.parametrize("entries", [(), (LABEL,), (owner("never", "f:data"),)])
    def test_without_a_record_it_is_not_before_the_creation(self, entries: Any) -> None:
        assert content_changed(secret(*entries)) == ChangeTime(START, is_exact=False)

    def test_nothing_is_known(self) -> None:
        assert content_changed(secret(created=None)) is None
        assert content_changed({}) is None

    @given(CHANGES)
    def test_whatever_it_holds(self, change: AnyChange) -> None:
        content_changed(change({"metadata": secret(DATA, LABEL)["metadata"]}))


class TestLists:
    def test_keep_what_tells_the_time_and_no_more(self) -> None:
        kept = with_time_of_content(secret(DATA, LABEL, TYPE))
        assert kept["data"] == {"a": "b"}
        assert kept["metadata"]["managedFields"] == [{"time": TYPE["time"], "fieldsV1": {"f:data": {}}}]
        assert content_changed(kept) == content_changed(secret(DATA, LABEL, TYPE))

    def test_keep_no_record_that_tells_nothing(self) -> None:
        assert "managedFields" not in with_time_of_content(secret(LABEL))["metadata"]

    @given(CHANGES)
    def test_change_nothing_of_the_answer(self, change: AnyChange) -> None:
        given = {"metadata": change(secret(DATA, LABEL)["metadata"])}
        assert content_changed(with_time_of_content(given)) == content_changed(given)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(60.9, "1970-01-01T00:01:00Z"), (-1, "1969-12-31T23:59:59Z"), (1e300, "an invalid date")],
)
def test_a_time_as_text(seconds: float, text: str) -> None:
    assert utc(seconds) == text


@pytest.mark.parametrize("seconds", [0.1, 1, 3600])
def test_seconds_in_which_an_answer_can_come(seconds: float) -> None:
    check_seconds("timeout", seconds)


@pytest.mark.parametrize("seconds", [0, -1, 3600.5, float("nan")])
def test_seconds_in_which_none_can(seconds: float) -> None:
    with pytest.raises(OptionError, match=r"^option 'x_timeout' is in seconds, from 1 to 3600$"):
        check_seconds("x_timeout", seconds)
