# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A page over 100 clusters with 1,000 namespaces each opens and filters at once. The times are printed. The bounds are generous."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import merge_documents
from support import audits
from support.pages import Watched, written

pytestmark = pytest.mark.slow

#: Maximum number of seconds. The machine may be busy. docs/docsite/rst/report.rst documents the usual time for users.
TO_OPEN, TO_FILTER = 10, 10
STATES = (
    "view=findings",
    "view=findings&q=secret+shop-12",
    "view=findings&q=shop-12/pull&sort=name",
    "view=findings&severity=error&cluster=50",
    "view=overview&cluster=50",
    "view=matrix&account=shop-7",
    "view=pullers&puller=shop-1",
    "view=logins&login=mail",
)
FILTER = """state => new Promise(done => { const start = performance.now();
  addEventListener('hashchange', () => requestAnimationFrame(() => setTimeout(() => done(performance.now() - start))), { once: true });
  location.hash = state; })"""


def test_a_large_page_opens_and_filters_within_the_time_limits(
    watch: Callable[..., Watched], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = merge_documents({"a": audits.fleet(100, 1000)})
    findings = sum(len(cluster["findings"]) for cluster in document["clusters"])
    cells = sum(
        len(account["registries"]) for cluster in document["clusters"] for account in cluster["matrix"]["accounts"]
    )
    assert findings > 99_000
    assert cells > 250_000
    started = time.monotonic()
    path = written(tmp_path / "a.html", document)
    made = time.monotonic() - started
    size = path.stat().st_size / 2**20
    watched = watch(path)
    started = time.monotonic()
    page = watched.open()
    opened = time.monotonic() - started
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    times = {state: page.evaluate(FILTER, state) for state in STATES}
    with capsys.disabled():
        print(
            f"\n{findings:,} findings, {cells:,} cells, {size:.1f} MiB, made in {made:.1f} s, first paint {paint:.0f} ms, ready {opened:.2f} s"
        )
        for state, milliseconds in times.items():
            print(f"{milliseconds:6.0f} ms  {state}")
    assert size < 40
    assert opened < TO_OPEN
    assert max(times.values()) < TO_FILTER * 1000
