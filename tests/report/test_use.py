# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Users can search, sort, turn pages, follow links, copy and print on the page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    all_findings,
    merge_documents,
)
from support import audits
from support.pages import Watched, written


def found(report: dict[str, Any], **wanted: Any) -> list[dict[str, Any]]:
    every = [{**finding, "cluster": cluster} for cluster, finding in all_findings(report)]
    return [finding for finding in every if all(finding[name] == value for name, value in wanted.items())]


def result(watched: Watched) -> int:
    return int(watched.text("#found").partition(" ")[0].replace(",", ""))


class TestFilters:
    def test_the_findings_view_counts_all_findings(self, watched: Watched, report: dict[str, Any]) -> None:
        watched.open("view=findings")
        assert result(watched) == len(found(report))
        assert len(watched.rows()) == 100

    def test_findings_are_filtered_by_words(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("view=findings")
        some = next(one for one in found(report) if one["cluster"] == "production")
        page.fill("#q", f"{some['namespace']}/{some['name']} {some['message'].split()[0].upper()}")
        watched.until("document.getElementById('found').textContent.includes(' of ')")
        assert [row for row in watched.rows() if some["name"] in row[3] and some["namespace"] in row[2]]
        assert result(watched) < 20
        assert "q=" in watched.state

    def test_an_unknown_word_finds_nothing(self, watched: Watched) -> None:
        page = watched.open("view=findings&q=nosuchword")
        assert result(watched) == 0
        assert not page.locator("#findings").is_visible()

    def test_findings_are_filtered_by_severity(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("view=findings")
        page.uncheck("[value=info]")
        page.uncheck("[value=warning]")
        assert result(watched) == len(found(report, severity="error"))
        assert watched.state == "view=findings&severity=error"
        page.uncheck("[value=error]")
        assert result(watched) == 0

    def test_findings_are_filtered_by_cluster_namespace_and_rule(
        self, watched: Watched, report: dict[str, Any]
    ) -> None:
        page = watched.open("view=findings")
        page.select_option("#cluster", label="staging")
        assert result(watched) == len(found(report, cluster="staging"))
        page.select_option("#rule", "secret-unused")
        some = found(report, cluster="staging", rule="secret-unused")
        assert result(watched) == len(some)
        page.fill("#namespace", some[0]["namespace"])
        page.keyboard.press("Enter")
        watched.until("location.hash.includes('namespace')")
        assert result(watched) == len([one for one in some if some[0]["namespace"] in one["namespace"]])

    def test_the_new_filter_shows_only_new_findings(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("view=findings")
        page.check("#new")
        assert result(watched) == len(found(report, new=True)) > 0
        assert all("new" in row[0] for row in watched.rows())

    def test_the_clear_button_clears_all_filters_except_the_cluster(
        self, watched: Watched, report: dict[str, Any]
    ) -> None:
        page = watched.open("view=findings&q=x&severity=error&namespace=y&rule=secret-unused&new=1&cluster=1")
        page.click("text=Clear")
        assert watched.state == "view=findings&cluster=1"
        assert result(watched) == len(found(report, cluster=report["clusters"][1]["name"]))
        assert page.input_value("#q") == ""


class TestState:
    def test_an_address_can_be_shared(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("view=findings&q=pull&severity=error%2Cwarning&cluster=1&sort=name-down")
        assert page.input_value("#q") == "pull"
        assert [page.is_checked(f"[value={name}]") for name in ("error", "warning", "info")] == [True, True, False]
        assert page.input_value("#cluster") == "1"
        assert page.locator("[aria-sort=descending]").inner_text() == "Object"

    def test_wrong_values_in_an_address_are_ignored(self, watched: Watched) -> None:
        page = watched.open("view=nosuch&cluster=99&page=-3&sort=__proto__&x=<script>&rule=%E0%A4%A")
        assert page.locator("#view-overview").is_visible()
        assert watched.open("view=findings&page=999").locator("#findings tbody tr").count() > 0
        assert watched.open("view=findings&sort=constructor").locator("#findings tbody tr").count() > 0

    def test_the_back_button_leads_to_the_previous_view(self, watched: Watched) -> None:
        page = watched.open()
        page.click("nav >> text=Findings")
        page.click("nav >> text=Who may pull")
        page.go_back()
        assert page.locator("#view-findings").is_visible()
        page.go_forward()
        assert page.locator("#view-pullers").is_visible()

    def test_the_chosen_cluster_stays(self, watched: Watched) -> None:
        page = watched.open()
        page.click("#view-overview >> text=staging")
        for view in ("Findings", "Who may pull", "Overview"):
            page.click(f"nav >> text={view}")
            assert page.input_value("#cluster") == "2"

    def test_typed_text_is_not_lost(self, watched: Watched) -> None:
        page = watched.open("view=findings")
        page.type("#q", "registry-login pull", delay=25)
        page.wait_for_timeout(400)
        assert page.input_value("#q") == "registry-login pull"
        assert page.evaluate("document.activeElement.id") == "q"


class TestTable:
    def test_the_table_sorts_by_severity_and_by_namespace(self, watched: Watched) -> None:
        page = watched.open("view=findings&cluster=2")
        rank = {"Error": 0, "Warning": 1, "Info": 2}
        severities = [rank[row[0].split()[0]] for row in watched.rows()]
        assert severities == sorted(severities)
        page.click("[data-sort=namespace]")

        def namespaces() -> list[tuple[str, int]]:
            return [(name, int(number)) for name, _dash, number in (row[2].partition("-") for row in watched.rows())]

        assert namespaces() == sorted(namespaces()) != []
        page.click("[data-sort=namespace]")
        assert namespaces() == sorted(namespaces(), reverse=True)

    def test_the_table_turns_pages(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("view=findings")
        first = watched.rows()
        page.locator("[data-pager=findings] >> text=Next").first.click()
        assert watched.rows()[0] != first[0]
        assert watched.state == "view=findings&page=1"
        # The keyboard focus does not move.
        assert page.evaluate("document.activeElement.dataset.to") in ("next", "previous")
        page.uncheck("[value=info]")
        assert "page" not in watched.state

    def test_the_table_shows_the_fix_of_a_finding(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("view=findings&rule=secret-type-dead&cluster=1")
        page.locator("#findings .fix summary").first.click()
        effect = page.locator("#findings .fix .effect").first.inner_text()
        assert effect.startswith("This replaces the whole content of secret ")
        (task,) = yaml.safe_load(page.locator("#findings .fix pre").first.inner_text())
        assert task["openshift_ops.image_pull.pull_secret"]["recreate"] is True

    def test_the_copy_button_copies_all_fixes_of_a_rule(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("")
        watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
        rule = page.locator(".rule", has_text="type that no node reads").first
        rule.locator("summary").first.click()
        rule.locator("text=Copy all fixes").click()
        page.wait_for_selector("text=Copied")
        text = page.evaluate("navigator.clipboard.readText()")
        tasks = yaml.safe_load(text)
        assert len(tasks) == len(found(report, rule="secret-type-dead"))
        # A comment before each task names the login and the secret.
        assert text.count("\n- name: ") == text.count("# This replaces the whole content of ") == len(tasks)


class TestOverview:
    def test_the_overview_shows_a_single_cluster(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open()
        page.select_option("#cluster", label="staging")
        assert watched.text("[data-tile=warning]") == str(len(found(report, cluster="staging", severity="warning")))
        assert watched.text("[data-verdict=pulls]") == "20"
        assert watched.text("[data-verdict=untested]") == "80"
        totals = page.evaluate(
            "[...document.querySelectorAll('.rule:not([hidden]) .total')].map(one => Number(one.textContent))"
        )
        assert sum(totals) == len(found(report, cluster="staging"))

    def test_a_rule_leads_to_its_findings(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open()
        rule = page.locator(".rule", has_text="serves nothing").first
        rule.locator("summary").first.click()
        rule.locator("text=/Show all/").click()
        assert result(watched) == len(found(report, rule="secret-unused"))


class TestMatrix:
    def test_the_matrix_shows_the_accounts_and_their_registries(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("view=matrix&cluster=0")
        cluster = report["clusters"][0]
        wanted = {
            f"{account['namespace']}/{account['name']}": {
                cluster["matrix"]["registries"][at] for at in account["registries"]
            }
            for account in cluster["matrix"]["accounts"]
            if account["registries"]
        }
        script = """() => { const heads = [...document.querySelectorAll('#matrix thead th.up')].map(one => one.title);
            return [...document.querySelectorAll('#matrix tbody tr:not(.space)')].map(row => [row.cells[0].title,
              [...row.cells].slice(1).flatMap((cell, at) => cell.textContent === 'yes' ? [heads[at]] : [])]); }"""
        assert {name: set(registries) for name, registries in page.evaluate(script)} == wanted
        page.check("#without")
        assert page.locator("#matrix tbody tr:not(.space)").count() == len(cluster["matrix"]["accounts"])
        page.fill("#registry", next(iter(next(iter(wanted.values())))).upper())
        watched.until("document.querySelectorAll('#matrix thead th.up').length === 1")

    def test_long_registries_with_the_same_beginning_are_not_cut(
        self, watch: Callable[..., Watched], tmp_path: Path
    ) -> None:
        keys = [f"registry.apps.production.example.com/payments/backend-{name}" for name in ("blue", "green")]
        accounts = [{"namespace": "a", "name": "default", "registries": [0, 1]}]
        cluster = audits.cluster(matrix={"registries": keys, "accounts": accounts})
        page = watch(written(tmp_path / "a.html", merge_documents({"a": audits.document(cluster)}))).open("view=matrix")
        heads = page.locator("#matrix thead th.up span")
        script = "all => all.map(one => [one.scrollHeight - one.clientHeight, one.scrollWidth - one.clientWidth, one.offsetWidth])"
        for higher, wider, width in heads.evaluate_all(script):
            assert (higher <= 0, wider <= 0, width > 20) == (True, True, True), (higher, wider, width)
        assert heads.count() == 2
        boxes = [page.locator("#matrix thead th.up").nth(at).bounding_box() for at in range(2)]
        spans = [heads.nth(at).bounding_box() for at in range(2)]
        for box, span in zip(boxes, spans, strict=True):
            assert box and span
            assert box["x"] <= span["x"]
            assert span["x"] + span["width"] <= box["x"] + box["width"] + 1

    def test_the_matrix_draws_only_the_visible_rows(self, watch: Callable[..., Watched], tmp_path: Path) -> None:
        keys = [f"registry-{number}.example.com" for number in range(150)]
        accounts = [
            {"namespace": f"project-{number}", "name": "default", "registries": [number % 150]}
            for number in range(3000)
        ]
        cluster = audits.cluster(matrix={"registries": keys, "accounts": accounts})
        watched = watch(written(tmp_path / "a.html", merge_documents({"a": audits.document(cluster)})))
        page = watched.open("view=matrix")
        assert watched.text("#matrix-found") == "1,200 accounts, registries 1 to 60 of 150"
        rows = page.locator("#matrix tbody tr:not(.space)")
        assert rows.count() < 100
        page.evaluate("document.getElementById('matrix').scrollTop = 1e9")
        watched.until("document.querySelector('#matrix').innerText.includes('project-2909/default')")
        assert rows.count() < 100
        assert rows.last.get_attribute("aria-rowindex") == "1201"
        page.locator("[data-pager=matrix] >> text=Next").click()
        assert "registries 61 to 120 of 150" in watched.text("#matrix-found")


class TestPullers:
    def test_the_picture_and_the_table_show_the_same_pullers(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("view=pullers&cluster=0")
        rows = report["clusters"][0]["pullers"]
        assert {(row[0], row[1]) for row in watched.rows("pullers")} == {
            (row["project"] or "all projects", row["subject"]) for row in rows
        }
        lines = {(row["namespace"] or row["subject"], row["project"]) for row in rows}
        assert page.locator("#picture path").count() == len(lines)
        titles = {*page.locator("#picture title").all_text_contents()}
        assert titles == {name or "all projects" for line in lines for name in line}

    def test_the_picture_is_filtered_and_bounded(self, watched: Watched) -> None:
        page = watched.open("view=pullers&cluster=1")
        assert page.locator("#picture circle").count() <= 72
        lines = page.locator("#picture path").count()
        project = watched.rows("pullers")[5][0]
        page.fill("#puller", project)
        watched.until("location.hash.includes('&puller=')")
        assert 0 < page.locator("#picture path").count() < lines

    def test_long_names_with_the_same_beginning_differ_in_the_picture(
        self, watch: Callable[..., Watched], tmp_path: Path
    ) -> None:
        names = [f"payments-production-backend-services-{name}" for name in ("blue", "green")]
        usual = {"subject": "Group g", "binding": "system:image-puller"}
        pullers = [{**usual, "project": name, "namespace": f"{name}-ci"} for name in names]
        document = audits.document(audits.cluster(pullers=pullers))
        page = watch(written(tmp_path / "a.html", merge_documents({"a": document}))).open("view=pullers")
        shown = page.locator("#picture g text").all_text_contents()
        assert len({*shown}) == len(shown) == 4, shown

    def test_an_empty_picture_names_only_the_accounts_of_each_project(
        self, watch: Callable[..., Watched], tmp_path: Path
    ) -> None:
        watched = watch(written(tmp_path / "a.html", merge_documents({"a": audits.document()})))
        watched.open("view=pullers")
        assert watched.text("#picture-text") == "Only the accounts of each project itself."


class TestOthers:
    def test_the_logins_view_lists_the_places_of_each_login(self, watched: Watched, report: dict[str, Any]) -> None:
        watched.open("view=logins&login=edge")
        assert watched.text("#logins-found") == "0 places"
        watched.open("view=logins&cluster=0")
        assert [(row[1], row[3]) for row in watched.rows("logins")] == [
            ("login 1", "shop-1/pull"),
            ("login 1", "mail-2/pull"),
        ] or len({row[2] for row in watched.rows("logins")}) == 2

    def test_the_changes_view_lists_gone_findings_and_leads_to_new_ones(
        self, watched: Watched, report: dict[str, Any]
    ) -> None:
        page = watched.open("view=changes")
        gone = report["compared"]["gone"]
        assert watched.text("#gone-found") == f"{len(gone)} findings"
        assert "Only in this report, so not compared: edge." in watched.text("#view-changes")
        assert "Only in the older report, so not counted as gone: old." in watched.text("#view-changes")
        assert len(watched.rows("gone")) == min(100, len(gone)) > 0
        page.click("text=/new findings/")
        assert result(watched) == len(found(report, new=True))

    def test_the_changes_view_is_hidden_without_an_older_report(
        self, watch: Callable[..., Watched], tmp_path: Path
    ) -> None:
        watched = watch(written(tmp_path / "a.html", merge_documents({"a": audits.document(audits.lived_in("a"))})))
        page = watched.open("view=changes")
        assert page.locator("#view-overview").is_visible()
        assert not page.locator("#to-changes").is_visible()
        assert not page.locator(".only-compared").first.is_visible()


class TestPrint:
    def test_the_print_view_shows_all_findings_and_no_controls(self, watched: Watched, report: dict[str, Any]) -> None:
        page = watched.open("view=matrix")
        assert page.pdf(format="A4").startswith(b"%PDF")
        assert page.locator("#view-matrix").is_visible()
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert len(watched.rows()) == len(found(report))
        assert page.locator(".rule .body").first.is_visible()
        for control in (".bar-top", ".filters", ".pager", ".rule button"):
            assert [one for one in page.locator(control).all() if one.is_visible()] == [], control
        page.emulate_media(media="screen")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert not page.locator("#view-findings").is_visible()
        assert page.locator(".rule[open]").count() == 0

    def test_the_pdf_contains_the_findings(self, watched: Watched) -> None:
        """It has more pages than the overview alone."""
        page = watched.open()
        whole = page.pdf(format="A4").count(b"/Type /Page\n")
        page = watched.open("severity=error&view=findings")
        assert whole > page.pdf(format="A4").count(b"/Type /Page\n") >= 1

    @pytest.mark.slow
    def test_the_print_view_stops_at_2000_findings(self, watch: Callable[..., Watched], tmp_path: Path) -> None:
        many = [audits.finding(name=f"s{number}") for number in range(2100)]
        watched = watch(
            written(tmp_path / "a.html", merge_documents({"a": audits.document(audits.cluster(findings=many))}))
        )
        page = watched.open()
        page.emulate_media(media="print")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert len(watched.rows()) == 2000
        assert watched.text("#print-note") == "Only the first 2,000 of 2,100 findings are printed."
