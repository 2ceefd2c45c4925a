# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page shows each container before and after the supposed changes, side by side and filtered."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    merge_documents,
    without_audits,
)
from axe_playwright_python.sync_playwright import Axe
from support import audits, what_ifs
from support.pages import Watched, supposed, written


@pytest.fixture
def alone(watch: Callable[..., Watched], tmp_path: Path) -> Watched:
    """A page with answers only."""
    page = written(tmp_path / "a.html", without_audits(what_ifs.MADE), answers=supposed())
    return watch(page, viewport={"width": 1280, "height": 900})


def test_both_verdicts_are_next_to_each_other(watch: Callable[..., Watched], page_file: Path) -> None:
    watched = watch(page_file, viewport={"width": 1280, "height": 900})
    page = watched.open("view=whatif")
    rows = watched.rows("whatif")
    assert len(rows) == 7
    answer, cluster, container, before, after = rows[0]
    assert (answer, cluster) == ("would break", "production")
    assert container.split("\n") == ["shop", "Deployment web-0", "container app", "quay.io/team/app:1"]
    assert before.startswith("pulls secret pull has the key quay.io")
    assert after.startswith("cannot pull no pull secret of the pod")
    assert "When: when the next pod is created" in after
    assert "To do: Link a pull secret to a service account" in after
    assert "Because of:" not in after
    (other,) = [row for row in rows if row[1] == "https://api.other.example.com:6443"]
    assert "Because of: secret pull is deleted and the nodes do not reach quay.io" in other[4]
    boxes = [
        page.locator(f"#whatif tbody tr >> nth=0 >> td[data-label='{name}']").bounding_box()
        for name in ("Before", "After")
    ]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[0]["y"] == boxes[1]["y"]
    assert boxes[0]["x"] + boxes[0]["width"] <= boxes[1]["x"] + 1
    assert watched.text("#n-whatif") == "3"


def test_answers_filter_the_rows(watched: Watched) -> None:
    page = watched.open("view=whatif")
    for answer in what_ifs.ANSWERS[1:]:
        page.locator(f"input[name=answer][value={answer}]").uncheck()
    watched.until("document.querySelectorAll('#whatif tbody tr').length === 3")
    assert {row[0] for row in watched.rows("whatif")} == {"would break"}
    assert "answer=would_break" in watched.state
    assert watched.text("#whatif-found") == "3 of 7 containers"
    watched.open("view=whatif&answer=would_work,still_broken")
    assert [row[0] for row in watched.rows("whatif")] == ["still broken", "would work"]
    assert page.locator("input[name=answer]:checked").count() == 2


def test_a_search_finds_images_names_and_reasons(watched: Watched) -> None:
    for words, number in (
        ("registry.example.com", 1),
        ("shop/web-3", 1),
        ("deployment web", 7),
        ("not known", 1),
        ("zzz", 0),
    ):
        watched.open(f"view=whatif&suppose={words}")
        assert (words, len(watched.rows("whatif"))) == (words, number)


def test_an_answer_can_be_chosen(watched: Watched) -> None:
    page = watched.open("view=whatif&question=1")
    assert len(watched.rows("whatif")) == 1
    assert page.locator("[data-question]:visible").count() == 1


def test_a_task_is_offered_for_a_break(watched: Watched) -> None:
    page = watched.open("view=whatif&answer=would_break&question=0")
    page.locator("#whatif .fix summary").first.click()
    page.locator("#whatif pre").first.wait_for()
    assert "openshift_ops.image_pull.sa_link:" in page.locator("#whatif pre").first.inner_text()


def test_a_page_of_answers_alone_shows_nothing_about_audits(alone: Watched) -> None:
    page = alone.open()
    assert page.locator("section.view:visible").evaluate_all("all => all.map((one) => one.id)") == ["view-whatif"]
    assert page.locator("nav a:visible").evaluate_all("all => all.map((one) => one.dataset.view)") == ["whatif"]
    assert "Audited" not in alone.text("header.head")
    assert "Evaluated 2026-11-25 17:10 UTC" in alone.text("header.head")
    assert page.locator("#cluster").is_hidden()
    alone.open("view=findings")
    assert page.locator("section.view:visible").count() == 1
    assert Axe().run(page).response["violations"] == []


def test_a_page_of_answers_alone_needs_no_javascript(watch: Callable[..., Watched], tmp_path: Path) -> None:
    page = written(tmp_path / "a.html", without_audits(what_ifs.MADE), answers=supposed())
    watched = watch(page, java_script_enabled=False)
    watched.page.goto(watched.address)
    text = watched.text("#view-whatif")
    left_out = "1 part of the inventory would not be applied and the upgrade has 1 forecast."
    assert f"2 of 126 containers would no longer get their image, and {left_out}" in text
    assert "no pull secret of the pod is for quay.io/team/app" in text
    assert not watched.page.locator("#whatif").is_visible()


def test_a_page_without_answers_has_no_view_for_them(watch: Callable[..., Watched], tmp_path: Path) -> None:
    watched = watch(written(tmp_path / "a.html", merge_documents({"a": audits.document(audits.cluster())})))
    page = watched.open("view=whatif")
    assert page.locator("#view-overview").is_visible()
    assert page.locator("#to-whatif").is_hidden()


def test_a_hostile_task_is_not_offered(watch: Callable[..., Watched], tmp_path: Path) -> None:
    task = {"name": "x", "openshift_ops.image_pull.sa_link": {"secrets": ["{{ lookup('pipe', 'id') }}"]}}
    answers: list[dict[str, Any]] = [what_ifs.document(what_ifs.container(fix=[task]))]
    watched = watch(written(tmp_path / "a.html", without_audits(what_ifs.MADE), answers=answers))
    page = watched.open()
    page.locator("#whatif .fix summary").first.click()
    page.locator("#whatif .fix").first.get_by_text("no task is offered, because").wait_for()
    assert page.locator("#whatif pre").count() == 0


def test_the_access_review_has_both_states_next_to_each_other(watched: Watched) -> None:
    page = watched.open("view=whatif")
    gained, lost = watched.rows("access")
    assert gained == [
        "gained",
        "production",
        "a\nServiceAccount default\nused by Deployment web",
        "no access",
        "quay.io as robot",
        "pull\ndeclared by secrets[0] (pull)",
    ]
    assert lost == [
        "lost",
        "production",
        "images\nServiceAccount b/robot",
        "image streams of project images",
        "no access",
        "pullers",
    ]
    assert watched.text("#access-found") == "2 gains and losses"
    notes = page.locator("[data-question='0'] details").all_inner_texts()
    assert [note for note in notes if note.startswith(("Not applied (1)", "Access that is not known (1)"))] == notes[:2]


def test_a_search_and_a_chosen_answer_filter_the_access_review(watched: Watched) -> None:
    for words, number in (("images/serviceaccount", 1), ("quay.io robot", 1), ("deployment web", 1), ("zzz", 0)):
        watched.open(f"view=whatif&suppose={words}")
        assert (words, len(watched.rows("access"))) == (words, number)
    page = watched.open("view=whatif&question=1")
    assert watched.rows("access") == []
    assert watched.text("#access-found") == "0 of 2 gains and losses"
    assert page.locator("#access").is_hidden()


def test_the_pages_of_both_tables_are_independent(watch: Callable[..., Watched], tmp_path: Path) -> None:
    gained = [{**what_ifs.ACCESS, "name": f"robot-{number}"} for number in range(150)]
    access = {"gained": gained, "lost": [], "unknown": [], "unplanned": []}
    rows = [what_ifs.container(name=f"web-{number}") for number in range(150)]
    answers = [what_ifs.document(*rows, access=access)]
    watched = watch(written(tmp_path / "a.html", without_audits(what_ifs.MADE), answers=answers))
    page = watched.open()
    page.locator("[data-pager=access] [data-to=next]").first.click()
    watched.until("document.querySelectorAll('#access tbody tr').length === 50")
    assert len(watched.rows("whatif")) == 100
    page.locator("[data-pager=whatif] [data-to=next]").first.click()
    watched.until("document.querySelectorAll('#whatif tbody tr').length === 50")
    assert len(watched.rows("access")) == 50


def test_an_access_review_without_a_cluster_needs_no_javascript(watch: Callable[..., Watched], tmp_path: Path) -> None:
    access = {"gained": [what_ifs.ACCESS], "lost": [], "unknown": [], "unplanned": []}
    answers = [what_ifs.document(server="", against="1 entry of secrets", access=access)]
    page = written(tmp_path / "a.html", without_audits(what_ifs.MADE), answers=answers)
    watched = watch(page, java_script_enabled=False)
    watched.page.goto(watched.address)
    text = watched.text("#view-whatif")
    assert "without a cluster" in text
    assert "Instead of another inventory: 1 entry of secrets" in text
    assert "1 gained and 0 lost in the access review." in text
    assert "gained a ServiceAccount default\nquay.io as robot" in text


def test_a_hostile_access_is_shown_as_text(watch: Callable[..., Watched], tmp_path: Path) -> None:
    text = "</script><img src=x onerror=window.hacked=1>"
    watched = watch(written(tmp_path / "a.html", without_audits(what_ifs.MADE), answers=[what_ifs.hostile(text)]))
    page = watched.open()
    gained, lost = watched.rows("access")
    assert gained[1] == f"{text}\nServiceAccount {text}\nused by {text}"
    assert gained[3] == f"{text}/{text} as {text}"
    assert gained[4] == f"{text}\ndeclared by {text}\nbecause of {text} and {text}"
    assert lost[2] == f"image streams of project {text}"
    assert page.evaluate("[window.hacked, document.images.length]") == [None, 0]
