# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report reads its files, and writes its outputs completely or not at all. It refuses paths that would overwrite each other."""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report import run as run_files
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.documents import (
    as_json,
    as_junit,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.merge import (
    compare_documents,
    merge_documents,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.page import as_page
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.run import (
    OUTPUTS,
    Report,
    check_writable,
    from_options,
    read_source,
    select_changed,
    write_files,
    write_report,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.report_page import page_renderer
from support import audits, what_ifs

ERROR, WARNING, INFO = (audits.finding(rule) for rule in ("secret-type-dead", "link-dangling", "secret-unused"))


class Reports:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.outputs = {name: str(directory / f"report.{name}") for name in OUTPUTS}

    def source(self, *clusters: Any, name: str = "a.json", **more: Any) -> str:
        path = self.directory / name
        path.write_text(json.dumps(audits.document(*clusters, **more)))
        return str(path)

    def make(self, *src: str, check_mode: bool = False, **more: Any) -> dict[str, Any]:
        wanted = Report(**{"src": src, "outputs": self.outputs, "title": "T", **more})
        return write_report(wanted, page_renderer(), check_mode=check_mode)

    @property
    def written(self) -> list[str]:
        return sorted(path.name for path in self.directory.glob("report.*"))

    def json(self) -> Any:
        return json.loads(Path(self.outputs["json"]).read_text())


@pytest.fixture
def reports(tmp_path: Path) -> Reports:
    return Reports(tmp_path)


def test_a_report_writes_all_files_and_lists_them(reports: Reports) -> None:
    found = reports.make(reports.source(audits.cluster("a", findings=[ERROR, INFO]), audits.cluster("b")))
    assert found == {
        "changed": True,
        "clusters": ["a", "b"],
        "counts": {"error": 1, "warning": 0, "info": 1},
        "not_known": 0,
        "not_tested": 6,
        "incomplete": [],
        "rules": {"error": {"secret-type-dead": 1}, "warning": {}},
        "failing": {},
        "files": [*reports.outputs.values()],
        "paths": reports.outputs,
    }
    assert reports.written == ["report.html", "report.json", "report.junit", "report.openmetrics"]


def test_a_second_run_at_any_time_changes_only_the_time_of_the_metrics(reports: Reports) -> None:
    """An alert compares that time with the clock."""
    clusters = [audits.lived_in("a"), audits.lived_in("b")]
    reports.make(reports.source(*clusters))
    before = {path: path.stat().st_mtime_ns for path in reports.directory.glob("report.*")}
    found = reports.make(reports.source(*clusters, made="2027-01-01T00:00:00Z"))
    assert found["files"] == [reports.outputs["openmetrics"]]
    after = {path: path.stat().st_mtime_ns for path in reports.directory.glob("report.*")}
    assert [path.suffix for path in after if after[path] != before[path]] == [".openmetrics"]
    found = reports.make(reports.source(clusters[0], audits.cluster("b")))
    assert found["files"] == [*reports.outputs.values()]


def test_answers_are_in_the_page_and_counted(reports: Reports) -> None:
    path = reports.directory / "w.json"
    path.write_text(json.dumps(what_ifs.document(*map(what_ifs.container, what_ifs.ANSWERS), others=3)))
    counts = {**dict.fromkeys(what_ifs.ANSWERS, 1), "not_affected": 3}
    found = reports.make(reports.source(audits.cluster("a")), what_if=[str(path)])
    assert found["what_if"] == counts
    assert "what_if" not in reports.json()
    page = {"html": reports.outputs["html"]}
    alone = reports.make(what_if=[str(path)], outputs=page)
    assert (alone["clusters"], alone["what_if"]) == ([], counts)
    assert "1 of 8 containers would no longer get its image." in Path(page["html"]).read_text(encoding="utf-8")


def test_an_invalid_answer_writes_nothing(reports: Reports) -> None:
    with pytest.raises(OptionError, match="Name it in option 'src'"):
        reports.make(what_if=[reports.source(audits.cluster("a"))], outputs={"html": reports.outputs["html"]})
    assert reports.written == []


def test_check_mode_writes_nothing_and_reports_the_same(reports: Reports) -> None:
    source = reports.source(audits.cluster(findings=[ERROR]))
    planned = reports.make(source, check_mode=True, fail_on="error")
    assert reports.written == []
    assert planned == reports.make(source, fail_on="error")
    assert planned["failed"]


def test_a_report_fails_after_the_files_are_written(reports: Reports) -> None:
    found = [audits.finding(name=f"s{number}") for number in range(3)]
    failed = reports.make(
        reports.source(audits.cluster("a", findings=[*found, WARNING, INFO]), audits.cluster("b")), fail_on="warning"
    )
    assert failed["failed"]
    assert failed["msg"] == (
        "3 errors, 1 warning in 1 of 2 clusters: a: secret project-a/s0 has type Opaque, which no node reads; "
        "a: secret project-a/s1 has type Opaque, which no node reads; a: secret project-a/s2 has type Opaque, which no node reads; "
        f"and 1 more. The report is in {reports.outputs['html']}"
    )
    assert failed["failing"] == {ERROR["rule"]: 3, WARNING["rule"]: 1}
    assert len(reports.written) == 4


def test_a_failed_report_names_each_cause_once(reports: Reports) -> None:
    found = [audits.finding(namespace=f"project-{number:04}") for number in range(3000)]
    source = reports.source(audits.cluster("a", findings=[*found, audits.finding(name="other")]))
    assert reports.make(source, fail_on="error")["msg"].startswith(
        "3,001 errors in 1 of 1 cluster: a: secret project-0000/pull has type Opaque, which no node reads (and 2,999 more of this cause); "
        "a: secret project-a/other has type Opaque, which no node reads. The report"
    )


@pytest.mark.parametrize(("fail_on", "fails"), [("never", False), ("error", False), ("warning", True), ("info", True)])
def test_a_report_fails_from_the_given_severity_on(reports: Reports, fail_on: str, fails: bool) -> None:
    found = reports.make(reports.source(audits.cluster(findings=[WARNING])), fail_on=fail_on)
    assert found.get("failed", False) is fails


def test_a_report_is_compared_with_an_older_one(reports: Reports) -> None:
    reports.make(reports.source(audits.cluster("a", findings=[ERROR, WARNING]), audits.cluster("c")))
    old = reports.outputs["json"]
    now = reports.source(audits.cluster("a", findings=[WARNING, INFO]), audits.cluster("b", findings=[ERROR]))
    found = reports.make(now, compare_with=old, fail_on="warning", fail_on_new=True)
    assert found["new"] == {"error": 0, "warning": 0, "info": 1}
    assert found["gone"] == {"error": 1, "warning": 0, "info": 0}
    assert (found["only_before"], found["only_now"]) == (["c"], ["b"])
    assert "failed" not in found
    assert reports.make(
        now, compare_with=reports.source(audits.cluster("a"), name="old.json"), fail_on="warning", fail_on_new=True
    )["msg"].startswith("new: 1 warning in 1 of 2 clusters")
    assert reports.json()["compared"]["only_now"] == ["b"]


def test_clusters_that_could_not_be_audited_are_listed(reports: Reports) -> None:
    missing = ({"name": "edge", "error": "login refused"},)
    reports.make(reports.source(), missing=missing)
    assert reports.json()["missing"] == [*missing]
    assert reports.make(reports.source(), missing=missing)["missing"] == ["edge"]
    assert "edge" not in reports.make(reports.source(), compare_with=reports.outputs["json"])["only_before"]


def test_the_title_is_escaped_as_text(reports: Reports) -> None:
    reports.make(reports.source(), title="<T>\ud800")
    assert "<h1>&lt;T&gt;\ufffd</h1>" in Path(reports.outputs["html"]).read_text()


def test_no_file_is_written_if_one_source_is_not_a_document(reports: Reports) -> None:
    good = reports.source()
    bad = reports.directory / "b.json"
    for content in (b"", b"{}", b"\xff", b"[" * 100_000):
        bad.write_bytes(content)
        for more in ({"src": (good, str(bad))}, {"src": (good,), "compare_with": str(bad)}):
            with pytest.raises(OptionError, match=f"file {bad} "):
                reports.make(**more) if "compare_with" not in more else reports.make(good, compare_with=str(bad))
    assert reports.written == []


def test_no_source_is_read_if_the_report_could_not_be_written(reports: Reports) -> None:
    with pytest.raises(OptionError, match="option 'html': directory"):
        reports.make("/nosuch.json", outputs={"html": str(reports.directory / "nosuch" / "r.html")})


def test_a_report_outside_ansibles_own_process_is_refused(reports: Reports) -> None:
    with pytest.raises(OptionError, match="must run in Ansible's own process"):
        write_report(Report((reports.source(),), {}, "T"), None, check_mode=False)


def test_no_label_is_in_any_file(reports: Reports) -> None:
    rows = [audits.login("a/s"), audits.login("b/s")]
    reports.make(reports.source(audits.cluster(logins=rows)))
    for path in reports.outputs.values():
        text = Path(path).read_text()
        assert rows[0]["login"] not in text
        assert rows[0]["password"] not in text


def test_findings_that_can_be_missing_fail_after_the_findings(reports: Reports) -> None:
    """A report of what could be read would pass although nothing is known about the rest."""
    one = audits.cluster(
        "a", findings=[ERROR], unreadable=["the pods of b could not be read", "the nodes could not be read"]
    )
    source, lost = reports.source(one), [{"name": "c", "error": "refused"}]
    found = reports.make(source, missing=lost, fail_on="error")
    assert found["failed"]
    assert found["msg"].startswith("1 error in 1 of 1 cluster: a: ")
    gaps = "findings can be missing, because not everything could be read: c: refused; a: the pods of b could not be read; a: the nodes"
    assert gaps in found["msg"]
    assert "set 'allow_unread: true'. The report is in" in found["msg"]
    assert (
        "findings can be missing" not in reports.make(source, missing=lost, fail_on="error", allow_unread=True)["msg"]
    )
    assert "failed" not in reports.make(source, missing=lost)


TEXT = '"made": "2026-11-25T17:10:00Z" \u00e9'


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestRead:
    def test_a_file_is_read_as_bytes(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"\xff")
        assert read_source("src", str(tmp_path / "a")) == b"\xff"

    def test_an_unreadable_file_is_refused(self, tmp_path: Path) -> None:
        for path, why in (
            (tmp_path / "nosuch", "No such file"),
            (tmp_path / "x" / "y", "No such file"),
            ("a\0b", "the path is not valid"),
        ):
            with pytest.raises(OptionError, match=rf"cannot be read on the controller: .*{why}.*. Nothing was written"):
                read_source("src", str(path))

    def test_no_device_is_read_and_no_pipe_is_waited_for(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe")
        with pytest.raises(OptionError, match="pipe is not a regular file"):
            read_source("src", str(tmp_path / "pipe"))
        with pytest.raises(OptionError, match="is not a regular file"):
            read_source("src", str(tmp_path))
        with pytest.raises(OptionError, match="/dev/zero is not a regular file"):
            read_source("src", "/dev/zero")


class TestPlaces:
    def test_a_link_is_resolved_for_a_new_and_an_existing_file(self, tmp_path: Path) -> None:
        (tmp_path / "real").mkdir()
        (tmp_path / "link").symlink_to(tmp_path / "real" / "a")
        assert check_writable("html", str(tmp_path / "link")) == tmp_path / "real" / "a"
        (tmp_path / "real" / "a").write_text("x")
        assert check_writable("html", str(tmp_path / "link")) == tmp_path / "real" / "a"

    def test_a_place_that_cannot_be_a_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match=r"option 'html': directory .*nosuch does not exist"):
            check_writable("html", str(tmp_path / "nosuch" / "a"))
        with pytest.raises(OptionError, match="is not a file, so it was not replaced"):
            check_writable("html", str(tmp_path))
        with pytest.raises(OptionError, match="cannot be a file: the path is not valid$"):
            check_writable("html", "a\0b")


class TestWrite:
    def test_files_are_written_whole_with_their_mode_and_without_leftovers(self, tmp_path: Path) -> None:
        paths = {tmp_path / "a": TEXT, tmp_path / "b": TEXT}
        write_files(select_changed(paths))
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys("ab", TEXT)
        assert mode(tmp_path / "a") == 0o644

    def test_an_unchanged_file_is_not_written_again(self, tmp_path: Path) -> None:
        path = tmp_path / "a"
        path.write_text('"made": "2020-01-01T00:00:00Z" \u00e9')
        path.chmod(0o644)
        assert select_changed({path: TEXT}) == {}
        path.chmod(0o600)
        assert [*select_changed({path: TEXT})] == [path]
        path.chmod(0o644)
        path.write_text('"made": "2020-01-01T00:00:00Z" e')
        assert [*select_changed({path: TEXT})] == [path]
        path.write_bytes(b"\xff")
        assert [*select_changed({path: TEXT})] == [path]
        path.unlink()
        assert select_changed({path: TEXT}) == {path: TEXT}

    def test_no_file_is_replaced_if_one_cannot_be_stored(self, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("old")
        with pytest.raises(
            OptionError, match="cannot be written on the controller: No such file or directory. Nothing was written"
        ):
            write_files({tmp_path / "a": "new", tmp_path / "nosuch" / "b": "new"})
        assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"a": "old"}

    def test_a_failed_replacement_names_the_files_already_written(self, tmp_path: Path) -> None:
        (tmp_path / "b").mkdir()
        (tmp_path / "b" / "x").touch()
        with pytest.raises(OptionError, match=rf"Written before that: {tmp_path}/a$"):
            write_files({tmp_path / "a": "new", tmp_path / "b": "new"})
        assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]

    def test_a_huge_file_is_not_compared(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "a").write_text("abc")
        (tmp_path / "a").chmod(0o644)
        assert select_changed({tmp_path / "a": "abc"}) == {}
        monkeypatch.setattr(run_files, "LARGEST_BYTES", 2)
        assert [*select_changed({tmp_path / "a": "abc"})] == [tmp_path / "a"]


LATER = "2027-01-02T09:59:00Z"
#: A text that looks like a creation time in each of the forms.
LIKE_TIMES = '"made": "{0}" "made":"{0}" <time datetime="{0}">{0} UTC</time> <testsuite name="x" timestamp="{0}"'


def document(made: str = audits.MADE, older: str = audits.MADE, text: str = "") -> dict[str, Any]:
    """A report that is compared with an older one."""
    finding = audits.finding("secret-unused", message=text, name="p")
    now = audits.document(audits.cluster(text or "a", findings=[finding]), audits.cluster("b"), made=made)
    return compare_documents(merge_documents({"a": now}), audits.document(audits.cluster("a"), made=older))


FORMS: dict[str, Callable[[dict[str, Any]], str]] = {
    "html": lambda document: as_page(document, "t", page_renderer()),
    "json": as_json,
    "junit": lambda document: as_junit(document, ["error"], "t"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
class TestTimes:
    def is_changed(self, path: Path, text: str, there: str) -> bool:
        path.write_text(there)
        path.chmod(0o644)
        return bool(select_changed({path: text}))

    def test_only_the_creation_times_make_no_difference(self, tmp_path: Path, form: Any) -> None:
        there = form(document())
        assert form(document(LATER)) != there
        assert not self.is_changed(tmp_path / "a", form(document(LATER)), there)
        assert self.is_changed(tmp_path / "a", form(document(LATER)), there.replace("project-a", "project-b"))
        assert self.is_changed(tmp_path / "a", form(document(LATER)), re.sub(r"2026-11-25[T ]17", "never", there))
        assert self.is_changed(tmp_path / "a", form(document(LATER)), there + "\n")

    def test_a_time_in_a_text_makes_a_difference(self, tmp_path: Path, form: Any) -> None:
        texts = [form(document(text=LIKE_TIMES.format(time))) for time in (audits.MADE, LATER)]
        assert self.is_changed(tmp_path / "a", *texts)

    def test_the_time_of_the_older_report_makes_a_difference(self, tmp_path: Path, form: Any) -> None:
        old, new = form(document()), form(document(older=LATER))
        assert self.is_changed(tmp_path / "a", new, old) is (new != old)


def options(**more: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"src": ["a.json"], "compare_with": None, "title": " T ", "missing": None, "what_if": None}
    given |= {
        "html": None,
        "json": None,
        "junit": None,
        "openmetrics": None,
        "fail_on": "never",
        "fail_on_new": False,
        "allow_unread": False,
    }
    return {**given, **more}


def test_all_options_are_taken() -> None:
    made = from_options(options(html="h", junit="x", compare_with="old", fail_on="error", fail_on_new=True))
    assert made == Report(("a.json",), {"html": "h", "junit": "x"}, "T", (), "old", "error", True)
    assert from_options(options(html="h", allow_unread=True)).allow_unread


def test_missing_clusters_need_at_least_one_audit() -> None:
    missing = [{"name": "a", "error": "refused"}, {"name": "b", "error": "timeout"}]
    assert from_options(options(missing=missing)).missing == tuple(missing)
    with pytest.raises(OptionError, match="no cluster was audited, so there is no report: a: refused; b: timeout"):
        from_options(options(missing=missing, src=[]))


def test_answers_need_no_audit() -> None:
    made = from_options(options(src=None, what_if=["w.json"], html="h"))
    assert (made.src, made.what_if, made.outputs) == ((), ("w.json",), {"html": "h"})


def test_an_empty_title_becomes_the_default() -> None:
    assert from_options(options(title="  ")).title == "Pull access"


def test_the_json_report_may_replace_the_report_that_it_is_compared_with() -> None:
    assert from_options(options(json="r.json", compare_with="r.json")).outputs == {"json": "r.json"}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"src": []}, "option 'src' is empty"),
        ({"src": ["a", "a"]}, "names a twice"),
        ({"what_if": ["a", "a"], "html": "h"}, "option 'what_if' names a twice"),
        ({"what_if": ["a"]}, "option 'what_if' needs the option 'html'"),
        ({"what_if": ["h"], "html": "h"}, "option 'html' would replace h, which 'what_if' names"),
        ({"src": None, "what_if": ["a"], "html": "h", "junit": "x"}, "option 'junit' needs audits"),
        ({"src": [], "what_if": ["a"], "html": "h", "fail_on": "error"}, "option 'fail_on' needs audits"),
        ({"html": "a.json"}, "option 'html' would replace a.json"),
        ({"html": "r", "junit": "r"}, "option 'html' names r, which another"),
        ({"fail_on_new": True, "fail_on": "error"}, "needs the older report"),
        ({"fail_on_new": True, "compare_with": "old"}, "needs a severity"),
    ],
)
def test_invalid_options_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        from_options(options(**given))
