# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each view, on a phone and a large screen, light and dark, has no error, no request, no overflow, and no axe-core finding."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    compare_documents,
    merge_documents,
)
from axe_playwright_python.sync_playwright import Axe
from support import audits, what_ifs
from support.pages import VIEWS, Watched, written

pytestmark = pytest.mark.slow

WIDTHS = {400: 850, 1600: 1000}


def too_wide(watched: Watched) -> int:
    return watched.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")


def violations(watched: Watched) -> list[str]:
    found = Axe().run(watched.page).response["violations"]
    return [f"{one['id']}: {one['help']}: {node['html'][:200]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_fits_and_has_no_accessibility_violation(
    watch: Callable[..., Watched], view: str, width: int, scheme: str
) -> None:
    watched = watch(viewport={"width": width, "height": WIDTHS[width]}, color_scheme=scheme)
    page = watched.open(f"view={view}")
    assert page.locator(f"#view-{view}").is_visible()
    assert page.locator("section.view:visible").count() == 1
    assert page.locator("nav a[aria-current]").get_attribute("data-view") == view
    page.evaluate("for (const one of document.querySelectorAll('section:not([hidden]) details')) one.open = true")
    assert too_wide(watched) == 0
    assert violations(watched) == []


@pytest.mark.parametrize("width", WIDTHS)
def test_long_names_make_nothing_too_wide(watch: Callable[..., Watched], tmp_path: Path, width: int) -> None:
    name = "x" * 253
    cluster = audits.cluster(
        name,
        findings=[audits.finding(namespace=name, name=name, location=name)],
        unreadable=[name],
        matrix={"registries": [name], "accounts": [{"namespace": name, "name": name, "registries": [0]}]},
        pullers=[{"project": name, "subject": name, "namespace": name, "binding": name}],
        logins=[audits.login(f"{name}/a"), audits.login(f"{name}/b")],
    )
    document = merge_documents({"a": audits.document(cluster, audits.cluster("b"))})
    page = written(tmp_path / "a.html", document, name, [what_ifs.hostile(name), what_ifs.hostile(name)])
    watched = watch(page, viewport={"width": width, "height": 800})
    for view in VIEWS:
        watched.open(f"view={view}")
        assert (view, too_wide(watched)) == (view, 0)


@pytest.fixture(params=[1, 2], ids=["one cluster", "two clusters"])
def compared_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A report with current findings and gone findings."""

    def document(seed: int) -> dict[str, Any]:
        names = ["production", "staging"][: request.param]
        clusters = [audits.lived_in(name, namespaces=20, seed=seed) for name in names]
        return merge_documents({"a.json": audits.document(*clusters)})

    return written(tmp_path / "a.html", compare_documents(document(1), document(2)))


@pytest.mark.parametrize(("view", "table"), [("findings", "findings"), ("changes", "gone")])
def test_the_widest_column_is_the_finding(
    watch: Callable[..., Watched], compared_file: Path, view: str, table: str
) -> None:
    """This holds with and without the column of clusters, which comes before the other columns."""
    page = watch(compared_file, viewport={"width": 1280, "height": 900}).open(f"view={view}")
    assert page.locator(f"#{table} tbody tr").count() > 1
    found = page.evaluate(
        f"[...document.querySelectorAll('#{table} thead th')].filter((one) => one.offsetWidth)"
        ".map((one) => [one.textContent, one.offsetWidth])"
    )
    widths = dict(found)
    assert list(widths)[-1] == max(widths, key=widths.get) == "Finding", widths
    assert widths["Finding"] > 450, widths
    assert widths["Severity"] < 140 < widths["Namespace"] < widths["Object"] < 300, widths


def test_the_parts_of_the_overview_have_space_between_them(watch: Callable[..., Watched], compared_file: Path) -> None:
    """Consecutive parts of the first page have space between them."""
    page = watch(compared_file, viewport={"width": 1280, "height": 900}).open()
    boxes = page.evaluate(
        "[...document.querySelectorAll('#view-overview > *')].map((one) => [one.className || one.id || one.tagName, one])"
        ".filter(([, one]) => one.offsetHeight > 1).map(([name, one]) => [name, one.getBoundingClientRect()])"
        ".map(([name, box]) => [name, box.top, box.bottom])"
    )
    assert len(boxes) > 3
    gaps = {f"{above[0]} to {below[0]}": below[1] - above[2] for above, below in pairwise(boxes)}
    assert min(gaps.values()) >= 8, gaps


def test_the_dark_scheme_has_a_dark_background(watch: Callable[..., Watched]) -> None:
    def brightness(scheme: str) -> int:
        watched = watch(color_scheme=scheme)
        watched.open()
        color = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in color.strip("rgb()").split(","))

    assert brightness("dark") < 150
    assert brightness("light") > 600


def test_reduced_motion_turns_transitions_off(watch: Callable[..., Watched]) -> None:
    script = "getComputedStyle(document.querySelector('.rule > summary'), '::after').transitionDuration"
    for motion, duration in (("reduce", "0s"), ("no-preference", "0.12s")):
        watched = watch(reduced_motion=motion)
        watched.open()
        assert watched.page.evaluate(script) == duration


def test_the_keyboard_reaches_every_control_and_shows_the_focus(watched: Watched) -> None:
    page = watched.open("view=findings")
    seen: list[Any] = []
    for _step in range(40):
        page.keyboard.press("Tab")
        seen.append(
            page.evaluate(
                "(() => { const at = document.activeElement, style = getComputedStyle(at);"
                " return [at.dataset.view || at.id || at.dataset.sort || at.name || at.tagName, style.outlineStyle, parseFloat(style.outlineWidth)]; })()"
            )
        )
    names = [name for name, _style, _width in seen]
    for wanted in ("skip", *VIEWS, "cluster", "q", "namespace", "rule", "severity", "new", "cluster", "name"):
        assert wanted in names, wanted
    assert [name for name, style, width in seen if style == "none" or width < 2] == []


def test_the_skip_link_leads_to_the_content(watched: Watched) -> None:
    page = watched.open("view=findings")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    assert watched.state == "view=findings"


def test_the_page_shows_the_findings_without_javascript(watch: Callable[..., Watched], report: dict[str, Any]) -> None:
    watched = watch(java_script_enabled=False)
    watched.page.goto(watched.address)
    text = watched.text("body")
    assert "need JavaScript" in text
    titles = {
        report["rules"][finding["rule"]]["title"] for cluster in report["clusters"] for finding in cluster["findings"]
    }
    assert all(title in text for title in titles)
    assert not watched.page.locator(".bar-top").is_visible()
    rule = watched.page.locator(".rule", has_text="type that no node reads").first
    rule.locator("summary").first.click()
    assert "has type Opaque" in rule.inner_text()
    rule.locator(".fix summary").first.click()
    assert "openshift_ops.image_pull.pull_secret:" in rule.inner_text()
