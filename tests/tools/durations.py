# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usual duration of each step: that of its last run on this machine that passed, kept in the cache."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path

from prepare import cache


def file() -> Path:
    return cache() / "durations.json"


def known() -> dict[str, float]:
    """Seconds for each title. A missing or damaged file knows no title."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        return {str(title): float(seconds) for title, seconds in json.loads(file().read_text("utf-8")).items()}
    return {}


def remember(seconds: Mapping[str, float]) -> None:
    """Add durations to the file. Other runs write it at the same time, so one at a time reads and replaces it."""
    with file().with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = file().with_suffix(".new")
        new.write_text(json.dumps({**known(), **seconds}, indent=1, sort_keys=True), encoding="utf-8")
        new.replace(file())


def announced(titles: Collection[str], lanes: int) -> list[str]:
    """The lines that say which steps run and how long they usually last."""
    usual = known()
    lines = [f"  {title:<40}{text(usual.get(title)):>9}" for title in titles]
    unknown = sum(title not in usual for title in titles)
    found = [usual[title] for title in titles if title in usual]
    whole = max([*found, sum(found) / lanes]) if found else None
    note = f", without {unknown} of unknown duration" if found and unknown else ""
    steps = "1 step" if len(titles) == 1 else f"{len(titles)} steps, {lanes} side by side"
    return [f"{steps}, usual duration {text(whole)}{note}:", *lines]


def text(seconds: float | None) -> str:
    """`unknown`, seconds, or minutes from two minutes on."""
    if seconds is None:
        return "unknown"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
