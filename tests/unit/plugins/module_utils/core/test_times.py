# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of the last change of a secret's content is read from the API server's records."""

from __future__ import annotations

import time
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.times import (
    ChangeTime,
    check_seconds,
    content_change,
    format_utc,
    seconds_of,
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
    def test_seconds_of_reads_a_time(self, given: str, seconds: int) -> None:
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
    def test_seconds_of_any_other_value_is_none(self, given: Any) -> None:
        assert seconds_of(given) is None

    @given(ANYTHING)
    def test_seconds_of_accepts_any_value(self, given: Any) -> None:
        assert seconds_of(given) is None or isinstance(given, str)


class TestChange:
    def test_the_latest_writer_of_content_counts(self) -> None:
        assert content_change(secret(DATA, LABEL, TYPE)) == ChangeTime(START + 20, is_exact=True)
        assert content_change(secret(TYPE, DATA)) == ChangeTime(START + 20, is_exact=True)

    @pytest.mark.parametrize("entries", [(), (LABEL,), (owner("never", "f:data"),)])
    def test_a_change_without_a_record_is_not_before_the_creation(self, entries: Any) -> None:
        assert content_change(secret(*entries)) == ChangeTime(START, is_exact=False)

    def test_a_secret_without_any_time_has_no_known_change(self) -> None:
        assert content_change(secret(created=None)) is None
        assert content_change({}) is None

    @given(CHANGES)
    def test_content_changed_accepts_any_metadata(self, change: AnyChange) -> None:
        content_change(change({"metadata": secret(DATA, LABEL)["metadata"]}))


class TestLists:
    def test_lists_keep_only_the_records_of_content_changes(self) -> None:
        kept = with_time_of_content(secret(DATA, LABEL, TYPE))
        assert kept["data"] == {"a": "b"}
        assert kept["metadata"]["managedFields"] == [{"time": TYPE["time"], "fieldsV1": {"f:data": {}}}]
        assert content_change(kept) == content_change(secret(DATA, LABEL, TYPE))

    def test_lists_drop_records_without_a_content_change(self) -> None:
        assert "managedFields" not in with_time_of_content(secret(LABEL))["metadata"]

    @given(CHANGES)
    def test_lists_do_not_change_the_time_of_content(self, change: AnyChange) -> None:
        given = {"metadata": change(secret(DATA, LABEL)["metadata"])}
        assert content_change(with_time_of_content(given)) == content_change(given)


@pytest.mark.parametrize(
    ("seconds", "text"), [(60.9, "1970-01-01T00:01:00Z"), (-1, "1969-12-31T23:59:59Z"), (1e300, "an invalid date")]
)
def test_utc_shows_a_time_as_text(seconds: float, text: str) -> None:
    assert format_utc(seconds) == text


def test_the_time_zone_of_the_host_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as changed:
        changed.setenv("TZ", "XXX+5")
        time.tzset()
        assert format_utc(60) == "1970-01-01T00:01:00Z"
    time.tzset()


@pytest.mark.parametrize("seconds", [0.1, 1, 3600])
def test_check_seconds_accepts_a_valid_timeout(seconds: float) -> None:
    check_seconds("timeout", seconds)


@pytest.mark.parametrize("seconds", [0, -1, 3600.5, float("nan")])
def test_check_seconds_refuses_an_impossible_timeout(seconds: float) -> None:
    with pytest.raises(OptionError, match=r"^option 'x_timeout' is in seconds, from 1 to 3600$"):
        check_seconds("x_timeout", seconds)
