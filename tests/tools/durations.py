# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The usual duration of each step and test file: the last successful run on this machine, kept in the cache."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from prepare import cache


def file() -> Path:
    return cache() / "durations.json"


def known() -> dict[str, float]:
    """Seconds for each title and test file. Empty if the file is missing or damaged."""
    with suppress(OSError, ValueError, TypeError, AttributeError):
        return {str(title): float(seconds) for title, seconds in json.loads(file().read_text("utf-8")).items()}
    return {}


def remember(seconds: Mapping[str, float]) -> None:
    """Add durations to the file. Other runs write it at the same time, so a lock allows only one at a time."""
    with file().with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        new = file().with_suffix(".new")
        new.write_text(json.dumps({**known(), **seconds}, indent=1, sort_keys=True), encoding="utf-8")
        new.replace(file())


def announced(steps: Mapping[str, Sequence[str]], lanes: int) -> list[str]:
    """The lines that announce the steps and their usual durations: each title, with the names that its duration sums up."""
    usual = known()
    seconds = {title: _sum([usual.get(name) for name in names]) for title, names in steps.items()}
    lines = [f"  {title:<40}{text(duration):>9}" for title, duration in seconds.items()]
    found = [duration for duration in seconds.values() if duration is not None]
    unknown = len(steps) - len(found)
    whole = max([*found, sum(found) / lanes]) if found else None
    note = f", without {unknown} of unknown duration" if found and unknown else ""
    steps = "1 step" if len(steps) == 1 else f"{len(steps)} steps, {lanes} side by side"
    return [f"{steps}, usual duration {text(whole)}{note}:", *lines]


def _sum(parts: Sequence[float | None]) -> float | None:
    found = [part for part in parts if part is not None]
    return sum(found) if len(found) == len(parts) else None


def text(seconds: float | None) -> str:
    """`unknown`, seconds, or minutes from two minutes on."""
    if seconds is None:
        return "unknown"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
