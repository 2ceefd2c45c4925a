# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures: one Chromium for the run, one page with three clusters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser
from support.pages import Watched, chromium, lived_in, supposed, written


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def report() -> dict[str, Any]:
    return lived_in()


@pytest.fixture(scope="session")
def page_file(report: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("report") / "report page #1.html", report, answers=supposed())


@pytest.fixture
def watch(browser: Browser, page_file: Path) -> Iterator[Callable[..., Watched]]:
    """Open a page. Each test also checks that the page causes no trouble."""
    opened: list[Watched] = []

    def start(path: Path = page_file, **context: Any) -> Watched:
        opened.append(Watched(browser, path, **context))
        return opened[-1]

    yield start
    for one in opened:
        one.context.close()
        assert one.troubles == []


@pytest.fixture
def watched(watch: Callable[..., Watched]) -> Watched:
    """The page with three clusters. A test opens it, because each time takes a second."""
    return watch()
