# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects in a file of an option, or an error that names the file."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.files import object_reader
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task


@pytest.fixture
def read(tmp_path):
    return object_reader(Task("pull_access_what_if", {}, False, False, str(tmp_path), set()))


def test_documents_and_lists_are_objects(read, tmp_path) -> None:
    path = tmp_path / "objects.yml"
    path.write_text("---\nkind: A\n---\n---\nkind: List\nitems: [{kind: B}, {kind: C}]\n")
    assert [each["kind"] for each in read(str(path))] == ["A", "B", "C"]


@pytest.mark.parametrize(
    ("text", "why"),
    [("{", "not valid YAML"), ("- a", "not an object"), ("text", "not an object"), ("!!python/name:os.system", "YAML")],
)
def test_other_content_is_refused_with_the_name_of_the_file(read, tmp_path, text, why) -> None:
    path = tmp_path / "objects.yml"
    path.write_text(text)
    with pytest.raises(OptionError, match=why) as caught:
        read(str(path))
    assert "objects.yml" in str(caught.value)


def test_a_missing_file_is_refused(read, tmp_path) -> None:
    with pytest.raises(OptionError, match="cannot be read"):
        read(str(tmp_path / "nothing.yml"))
