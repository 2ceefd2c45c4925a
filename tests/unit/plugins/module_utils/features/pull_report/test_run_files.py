# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report are written completely or not at all, with their mode, and only if their content differs."""

from __future__ import annotations

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
    check_writable,
    read_source,
    select_changed,
    write_files,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.report_page import page_renderer
from support import audits

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
