# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide on the report works with the documents of two clusters and a document of last week."""

from __future__ import annotations

import json

import pytest
from support.guided import inventory
from support.modules import run_module

pytestmark = pytest.mark.slow


def test_the_report_guide_works_as_written(installed, own_lab):
    def audits():
        (installed.folder / "audit").mkdir()
        for name in ("audit/production", "audit/staging", "last-week"):
            dest = str(installed.folder / f"{name}.json")
            cluster = name.rpartition("/")[2].replace("last-week", "production")
            made = run_module("pull_access_audit", kubeconfig=own_lab.kubeconfig, cluster_name=cluster, dest=dest)
            assert not made["failed"], made

    inventory(installed)
    installed.follow("report", before={"Report over all clusters": audits})
    report = json.loads((installed.folder / "report.json").read_text(encoding="utf-8"))
    assert [cluster["name"] for cluster in report["clusters"]] == ["production", "staging"]
    assert report["compared"]["only_now"] == ["staging"]
    assert (installed.folder / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert "<testsuites" in (installed.folder / "report.xml").read_text(encoding="utf-8")
