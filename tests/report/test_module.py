# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module in a playbook writes, changes and fails as documented, and its JSON matches the published schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_report.documents import as_json
from support import audits
from support.pages import lived_in
from support.playbooks import ROOT, Play, play

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((ROOT / "plugins/plugin_utils/pull_report/audit.schema.json").read_text(encoding="utf-8"))
)


def problems(document: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in SCHEMA.iter_errors(document)]


class Job:
    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.outputs = {name: str(directory / f"report.{name}") for name in ("html", "json", "junit")}
        (directory / "inventory").write_text("localhost ansible_connection=local\n")

    def source(self, name: str, *clusters: Any) -> str:
        path = self.directory / name
        path.write_text(json.dumps(audits.document(*clusters)))
        return str(path)

    def run(self, src: list[str], *arguments: str, task: dict[str, Any] | None = None, **options: Any) -> Play:
        step = {
            "openshift_ops.image_pull.pull_access_report": {"src": src, **self.outputs, **options},
            "register": "found",
            **(task or {}),
        }
        playbook = self.directory / "play.yml"
        playbook.write_text(
            yaml.safe_dump(
                [{"hosts": "all", "gather_facts": False, "tasks": [step, {"ansible.builtin.debug": {"var": "found"}}]}]
            )
        )
        return play(playbook, self.directory / "inventory", *arguments)

    @property
    def written(self) -> list[str]:
        return sorted(path.name for path in self.directory.glob("report.*"))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def test_the_schema_is_a_valid_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA.schema)


def test_audits_and_reports_fit_the_schema() -> None:
    assert problems(audits.document(audits.lived_in("a"))) == []
    assert problems(json.loads(as_json(lived_in()))) == []
    assert problems({**audits.document(), "x": 1}) != []


def test_the_module_writes_the_report_once(job: Job) -> None:
    source = job.source("a.json", audits.lived_in("production"), audits.lived_in("staging"))
    planned = job.run([source], "--check")
    assert planned.recap["changed"] == 1
    assert job.written == []
    assert job.run([source]).recap["changed"] == 1
    assert job.written == ["report.html", "report.json", "report.junit"]
    assert problems(json.loads(Path(job.outputs["json"]).read_text())) == []
    again = job.run([source])
    assert (again.recap["changed"], again.recap["failed"]) == (0, 0)


def test_the_module_fails_after_it_has_written_the_report(job: Job) -> None:
    finding = audits.finding(name="<script>\x1b[31m")
    failed = job.run([job.source("a.json", audits.cluster(findings=[finding]))], fail_on="error")
    assert failed.status != 0
    assert "1 error in 1 of 1 cluster: production: secret project-a/<script> [31m has type Opaque" in failed.output
    assert f"The report is in {job.outputs['html']}" in failed.output
    assert "\x1b[31m" not in failed.output
    assert len(job.written) == 3


@pytest.mark.slow
def test_fail_on_new_fails_only_for_new_findings(job: Job) -> None:
    old = job.source("old.json", audits.cluster(findings=[audits.finding()]))
    now = job.source("now.json", audits.cluster(findings=[audits.finding(), audits.finding(name="b")]))
    assert job.run([old], compare_with=old, fail_on="error", fail_on_new=True).status == 0
    failed = job.run([now], compare_with=old, fail_on="error", fail_on_new=True)
    assert "new: 1 error in 1 of 1 cluster: " in failed.output


def test_the_text_of_a_finding_is_not_a_template(job: Job) -> None:
    text = "{{ lookup('pipe', 'echo hacked') }}"
    task = {"name": text, "openshift_ops.image_pull.pull_secret": {"name": text}}
    finding = audits.finding("secret-unused", fix=[task], message=text)
    done = job.run([job.source("a.json", audits.cluster(findings=[finding]))])
    assert done.status == 0, done.output
    (found,) = json.loads(Path(job.outputs["json"]).read_text())["clusters"][0]["findings"]
    assert found == finding
    assert "no task is offered, because the task is unusual" in Path(job.outputs["html"]).read_text()


def test_the_module_refuses_to_run_outside_the_process_of_ansible(job: Job) -> None:
    failed = job.run([job.source("a.json", audits.cluster())], task={"async": 60, "poll": 1})
    assert failed.status != 0
    assert "must run in Ansible's own process" in failed.output
    assert job.written == []


def test_a_file_that_is_not_an_audit_document_is_refused(job: Job) -> None:
    (job.directory / "bad.json").write_bytes(b'{"auths": {"quay.io": {"auth": "hunter2hunter2"}}}')
    failed = job.run([str(job.directory / "bad.json")])
    assert "bad.json is not a readable audit document: it lacks the member 'format'" in " ".join(failed.output.split())
    assert "hunter2" not in failed.output
    assert job.written == []
