# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real answers of the lab fit the published schema, and their files show hostile text of a cluster as text."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from support.audited import Scene
from support.junit import check
from support.playbooks import forms, leaks

SCHEMA = jsonschema.Draft202012Validator(
    json.loads(
        (Path(__file__).parents[2] / "plugins/plugin_utils/pull_report/what_if.schema.json").read_text(encoding="utf-8")
    )
)
DIGEST = "sha256:" + "1" * 64
#: Images that the API server accepts in a pod.
HOSTILE = (
    "[x](https://evil.example) @everyone | `a` <img src=https://evil.example/a.png onerror=alert(1)>",
    "</script></testcase>]]>",
    "{{ lookup('pipe', 'true') }}",
    "quay.io/team/a\u202eb:1",
    "UPPER:1",
    "quay.io/team/app:1`|x",
)


@pytest.fixture
def scene(lab, namespaces) -> Scene:
    """A namespace with a pod and a deployment that need the secret `pull`, and pods with hostile and odd images."""
    it = Scene(lab, namespaces(1))
    it.secret()
    it.link("pull")
    it.pod(own=["pull", "missing"])
    it.deployment(it.image)
    it.pod("quay.io/team/app", name="short-of-a-tag")
    it.pod(f"quay.io/team/app:1@{DIGEST}", name="by-digest")
    it.pod(f"registry.example.com:5000/team/app@{DIGEST}", name="by-digest-at-a-port")
    it.pod("nginx", name="short-name")
    for number, image in enumerate(HOSTILE):
        it.pod(image, name=f"hostile-{number}")
    return it


def supposed(run: Any, it: Scene, *changes: dict[str, Any], **options: Any) -> dict[str, Any]:
    return run("pull_access_what_if", namespaces=list(it.names), changes=list(changes), **options)


def problems(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in SCHEMA.iter_errors(document)]


CHANGES = {
    "secret": [{"remove_secrets": {"name": "pull"}}],
    "link": [{"remove_links": {"secrets": ["pull"]}}],
    "only": [{"only_registries": ["registry.site.example"]}, {"new_nodes": True}],
    "version": [{"target_version": "1.36"}],
    "grants": [{"remove_grants": {}}],
    "credential": [{"remove_credential": {"registry": "quay.io", "username": "<b>|`"}}],
    "several": [{"remove_secrets": {"name": "pull"}}, {"unreachable_registries": ["quay.io", "*.example.com"]}],
}


class TestSchema:
    @pytest.mark.parametrize("changes", CHANGES.values(), ids=CHANGES)
    def test_an_answer_fits_the_schema(self, run, scene, changes):
        result = supposed(run, scene, *changes)
        assert not result["failed"], result["msg"]
        assert problems(result["what_if"]) == []

    def test_an_answer_with_breaks_and_tasks_fits_the_schema(self, run, scene):
        document = supposed(run, scene, {"remove_secrets": {"name": "pull"}}, **scene.lab.asking)["what_if"]
        assert problems(document) == []
        broken = [row for row in document["containers"] if row["answer"] == "would_break"]
        assert {row["kind"] for row in broken} == {"Pod", "Deployment"}
        assert all(row["fix"] and row["advice"] for row in broken)
        assert [row["when"] for row in broken] == ["at_once", "at_rollout"]

    def test_an_answer_without_rights_fits_the_schema(self, lab, run, scene):
        result = run(
            "pull_access_what_if",
            namespaces=list(scene.names),
            changes=[{"remove_secrets": {"name": "pull"}}],
            impersonate_user="a-user-without-rights",
        )
        if "what_if" in result:
            assert problems(result["what_if"]) == []
            assert result["what_if"]["unreadable"]
        else:
            assert result["failed"]


class TestFiles:
    @pytest.fixture
    def paths(self, tmp_path) -> dict[str, str]:
        names = {"dest": "a.json", "junit": "a.xml", "markdown": "a.md"}
        return {option: str(tmp_path / name) for option, name in names.items()}

    def test_the_files_have_the_answer(self, run, scene, tmp_path, paths):
        change = {"remove_secrets": {"name": "pull"}}
        result = supposed(run, scene, change, fail_on="would_break", **paths, **scene.lab.asking)
        assert result["failed"]
        assert result["changed"]
        assert "what_if" not in result
        assert {name: result[name] for name in paths} == paths
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
        document = json.loads(Path(paths["dest"]).read_text())
        assert problems(document) == []
        root = check(Path(paths["junit"]).read_text(encoding="utf-8"))
        counts = document["counts"]
        assert int(root.get("failures", "")) == counts["would_break"] == 2
        cases = root.findall("*/testcase")
        classes = [case.get("classname", "") for case in cases if "could not be read" not in case.get("classname", "")]
        reviewed = [name for name in classes if name.endswith(".access")]
        assert len(reviewed) == len(document["access"]["lost"]) == 1
        assert len(classes) - len(reviewed) == len(document["containers"]) + 1
        markdown = Path(paths["markdown"]).read_text(encoding="utf-8")
        assert markdown.startswith(f"## 2 of {sum(counts.values())} containers would no longer get their image.")
        text = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
        assert leaks(text + result["_output"], forms(scene.login["password"], scene.login["username"])) == []

    def test_check_mode_writes_no_file(self, run, scene, tmp_path, paths):
        result = supposed(run, scene, {"new_nodes": True}, check=True, **paths)
        assert not result["failed"], result["msg"]
        assert result["changed"]
        assert list(tmp_path.iterdir()) == []

    def test_the_document_stays_in_the_result_without_a_file_for_it(self, run, scene, paths):
        result = supposed(run, scene, {"new_nodes": True}, junit=paths["junit"])
        assert result["changed"]
        assert result["what_if"]["format"] == SCHEMA.schema["properties"]["format"]["const"]
