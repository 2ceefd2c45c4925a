# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress is one line every few seconds with counts and, in a task that waits, the first awaited object."""

from __future__ import annotations

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Progress


class TestProgress:
    def test_a_short_task_reports_no_progress(self) -> None:
        lines: list[str] = []
        progress = Progress("sa_link", 2, lines.append, now=lambda: 0.0)
        progress.count_namespace(changed=True, failed=False)
        progress.count_namespace(changed=True, failed=False)
        assert lines == []

    def test_progress_reports_counts_and_the_remaining_time(self) -> None:
        lines: list[str] = []
        clock = iter([0.0, *(number * 0.001 for number in range(1, 4210)), 8.0])
        progress = Progress("sa_link", 10_000, lines.append, now=lambda: next(clock))
        for number in range(4210):
            progress.count_namespace(changed=number < 12, failed=number == 20)
        assert lines[-1] == "sa_link 4,210/10,000 namespaces, 12 changed, 1 failed, about 11 s left"
        assert len(lines) == 2

    def test_a_waiting_task_reports_its_progress(self) -> None:
        lines: list[str] = []
        clock = iter([0.0, 1.0, 4.0, 5.0])
        progress = Progress("sa_wait", 2, lines.append, now=lambda: next(clock))
        for _round in range(3):
            progress.tick("in a: service account never does not exist")
        assert lines == ["sa_wait 0/2 namespaces, 0 changed, 0 failed; in a: service account never does not exist"]

    def test_progress_is_reported_every_three_seconds(self) -> None:
        lines: list[str] = []
        clock = iter([0.0, 2.9, 3.0, 5.9, 6.0])
        progress = Progress("sa_link", 9, lines.append, now=lambda: next(clock))
        counted = []
        for number in range(4):
            progress.count_namespace(changed=False, failed=number < 2)
            counted.append(len(lines))
        assert counted == [0, 1, 1, 2]
        assert (progress.done, progress.changed, progress.failed) == (4, 0, 2)
        assert lines[0] == "sa_link 2/9 namespaces, 0 changed, 2 failed, about 10 s left"

    def test_progress_can_be_switched_off(self) -> None:
        clock = iter([0.0, 9.0])
        Progress("sa_link", 1, None, now=lambda: next(clock)).count_namespace(changed=True, failed=False)
