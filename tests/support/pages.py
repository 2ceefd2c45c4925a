# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report's page in Chromium, opened from a file and watched for errors and requests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    compare_documents,
    merge_documents,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.page import as_page
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.report_page import page_renderer
from playwright.sync_api import Browser, Page, sync_playwright

from support import audits, what_ifs

#: Flags that keep Debian's Chromium from sending network requests. (Playwright starts it headless, with its own user-data-dir.)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
VIEWS = ("overview", "findings", "matrix", "pullers", "logins", "changes", "whatif", "unreadable")


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ["IMAGE_PULL_CHROMIUM"], headless=True, args=list(FLAGS)
        )
        try:
            yield browser
        finally:
            browser.close()


def written(
    path: Path, document: Mapping[str, Any], title: str = "Pull access", answers: Sequence[Mapping[str, Any]] = ()
) -> Path:
    """Write the page of a document and of what-if documents to a file."""
    path.write_text(as_page(document, title, page_renderer(), answers), encoding="utf-8")
    return path


def supposed() -> list[dict[str, Any]]:
    """What-if documents of an audited cluster and of another one."""
    names = ("would_break", "would_break", "unknown", "still_broken", "would_work", "still_pulls")
    rows = [what_ifs.container(answer, name=f"web-{number}") for number, answer in enumerate(names)]
    other = what_ifs.container(
        image="registry.example.com/app:1", changes=[0, 1], when="at_once", container="", volume="model"
    )
    user = {**what_ifs.ACCESS, "workloads": ["Deployment web"], "entries": ["secrets[0] (pull)"]}
    grant = {
        **what_ifs.ACCESS,
        "how": "grant",
        "namespace": "b",
        "name": "robot",
        "project": "images",
        "through": ["pullers"],
    }
    access = {
        "gained": [user],
        "lost": [grant],
        "unknown": ["it is not known whether the grants of project c gain or lose access"],
        "unplanned": [{"namespace": "d", "entry": "links[0]", "reason": "the namespace does not exist"}],
    }
    changes = [what_ifs.change("secret pull is deleted"), what_ifs.change("the nodes do not reach quay.io")]
    return [
        what_ifs.document(
            *rows,
            others=120,
            unreadable=["nodes could not be listed: forbidden"],
            forecasts=["a forecast"],
            access=access,
        ),
        what_ifs.document(other, changes=changes, server="https://api.other.example.com:6443"),
    ]


def lived_in() -> dict[str, Any]:
    """A report over three clusters, compared with an older one."""
    rows = [audits.login("shop-1/pull"), audits.login("mail-2/pull", password="other")]
    now = [
        audits.lived_in(name, namespaces=number) for name, number in (("production", 80), ("staging", 20), ("edge", 4))
    ]
    now[2]["logins"], now[2]["unreadable"] = rows, ["secrets could not be listed: forbidden"]
    before = [
        audits.lived_in("production", namespaces=80, seed=2),
        audits.lived_in("staging", namespaces=20),
        audits.cluster("old"),
    ]
    old = merge_documents({"old.json": audits.document(*before, made="2026-11-18T17:10:00Z")})
    return compare_documents(
        merge_documents({"now.json": audits.document(*now)}, missing=[{"name": "plant-7", "error": "login refused"}]),
        old,
    )


class Watched:
    """An open page. `troubles` are errors, dialogs, and requests for anything except the file itself."""

    def __init__(self, browser: Browser, path: Path, **context: Any) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1600, "height": 1000}, **context})
        self.page: Page = self.context.new_page()
        self.address = path.as_uri()
        self.troubles: list[str] = []
        self.page.on("console", lambda message: self.troubles.append(f"{message.type}: {message.text}"))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.troubles.append(dialog.message), dialog.dismiss()))
        self.page.on("request", self._on_request)

    def _on_request(self, request: Any) -> None:
        if request.url.partition("#")[0] != self.address:
            self.troubles.append(request.url)

    def open(self, state: str = "") -> Page:
        """Open the page again, in the state that is given in its address."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}#{state}")
        self.page.wait_for_selector("html[data-ready]")
        return self.page

    def until(self, expression: str) -> None:
        """Wait until the expression is true. (Playwright's own method needs `eval`, which the page's policy forbids.)"""
        for _attempt in range(200):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(50)
        raise AssertionError(f"this never came true: {expression}")

    @property
    def state(self) -> str:
        return self.page.evaluate("location.hash.slice(1)")

    def rows(self, table: str = "findings") -> list[list[str]]:
        """The texts of a table's cells."""
        script = "table => [...document.querySelectorAll(`#${table} tbody tr`)].map(row => [...row.cells].map(cell => cell.innerText.trim()))"
        return self.page.evaluate(script, table)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()
