# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""extensions/audit/event_query.yml, read as Automation Platform reads it, counts real results correctly and never fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jq
import pytest
import yaml
from support.lab import Lab

ROOT = Path(__file__).parents[2]
QUERIES: dict[str, dict[str, str]] = yaml.safe_load((ROOT / "extensions" / "audit" / "event_query.yml").read_text())
PREFIX = "openshift_ops.image_pull."


def nodes(module: str, result: dict[str, Any]) -> list[dict[str, Any]]:
    found = jq.compile(QUERIES[PREFIX + module]["query"]).input_value(result).all()
    assert isinstance(found, list)
    return found


def names(module: str, result: dict[str, Any]) -> list[str]:
    return [one["name"] for one in nodes(module, result)]


def test_each_query_is_for_a_module() -> None:
    modules = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")}
    assert {name.removeprefix(PREFIX) for name in QUERIES} <= modules
    writing = {path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if "_info" not in path.stem}
    # These modules only read the cluster, or leave nothing behind.
    writing -= {"global_pull_secret_backup", "pull_access_audit", "pull_access_export", "pull_access_report"}
    writing -= {"pull_probe", "pull_access_what_if", "sa_wait"}
    assert {PREFIX + name for name in writing} == set(QUERIES)


def test_each_namespace_that_is_managed_counts(run: Any, lab: Lab, namespaces: Any) -> None:
    wanted = sorted(namespaces(2))
    registries = [{"registry": "registry.example.com", "username": "u", "password": "canary-password"}]
    given = {"name": "counted", "registries": registries, "namespaces": [*wanted, "there-is-none"]}
    first, second = run("pull_secret", **given), run("pull_secret", **given)
    assert first["failed"] and names("pull_secret", first) == names("pull_secret", second) == wanted
    linked = run("sa_link", namespaces=wanted, secrets=["counted"])
    granted = run("image_puller_grant", namespaces=wanted, projects=["anything"])
    assert names("sa_link", linked) == names("image_puller_grant", granted) == wanted
    account = run("automation_account", namespace=wanted[0], namespaces=wanted, jobs=["secrets"])
    # The account's own namespace occurs twice, and the same facts count once.
    assert sorted(set(names("automation_account", account))) == wanted
    assert "canary-password" not in str(nodes("pull_secret", first))
    for one in nodes("pull_secret", first):
        # AWX uses them as the key of a record, so none of them may be null.
        assert one["canonical_facts"] == {"kind": "Namespace", "name": one["name"], "server": first["server"]}
        assert set(one["facts"]) == {"infra_type", "infra_bucket", "device_type"}
        assert all(isinstance(value, str) for value in one["facts"].values())


def test_each_step_of_declared_access_counts_except_the_wait(run: Any, namespaces: Any) -> None:
    wanted = sorted(namespaces(2))
    registries = [{"registry": "registry.example.com", "username": "u", "password": "canary-password"}]
    written = run("pull_secret", name="counted", registries=registries, namespaces=wanted[:1])
    granted = run("image_puller_grant", namespaces=wanted[1:], projects=["anything"])
    waited = {**granted, "namespaces": [{**granted["namespaces"][0], "name": "only-awaited"}]}
    steps = {"registries": {"results": []}, "secrets": written, "wait": waited, "grants": granted}
    result = {"changed": True, "steps": steps}
    assert sorted(set(names("declared_access", result))) == wanted
    assert nodes("declared_access", result)[0]["canonical_facts"]["server"] == written["server"]


def test_namespaces_of_the_same_name_on_two_clusters_count_twice() -> None:
    results = [
        {"server": f"https://{name}.example.com:6443", "namespaces": [{"name": "a", "status": "changed"}]}
        for name in ("east", "west")
    ]
    east, west = (nodes("sa_link", one)[0]["canonical_facts"] for one in results)
    assert east["name"] == west["name"] and east["server"] != west["server"]


def test_a_result_that_does_not_name_its_cluster_still_counts() -> None:
    for server in ({}, {"server": None}, {"server": 1}):
        (one,) = nodes("sa_link", {**server, "namespaces": [{"name": "a", "status": "changed"}]})
        assert one["canonical_facts"] == {"kind": "Namespace", "name": "a"}


def test_a_result_of_many_namespaces_counts_only_the_changed_ones(run: Any, namespaces: Any) -> None:
    wanted = sorted(namespaces(101, wait=False))
    registries = [{"registry": "registry.example.com", "username": "u", "password": "canary-password"}]
    given = {"name": "counted", "registries": registries, "namespaces": wanted}
    assert names("pull_secret", run("pull_secret", **given)) == wanted
    assert names("pull_secret", run("pull_secret", **given)) == []
    assert names("pull_secret", run("pull_secret", **given, report_unchanged=True)) == wanted


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"skipped": True, "changed": False},
        {"censored": "the output has been hidden", "changed": False},
        {"failed": True, "msg": "no cluster", "namespaces": None},
        {"namespaces": []},
        {"steps": None},
        {"steps": {"secrets": None, "links": {}, "grants": {"namespaces": [1]}}},
        {"namespaces": {"project-a": {"status": "changed"}}},
        {"namespaces": ["project-a", None, 1]},
        {"namespaces": [{"name": "a", "status": "failed"}, {"name": "b", "status": "skipped"}, {"name": "c"}]},
    ],
)
def test_no_result_ends_the_counting_of_a_job(result: dict[str, Any]) -> None:
    assert [nodes(name.removeprefix(PREFIX), result) for name in QUERIES] == [[]] * len(QUERIES)
