# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user who requests a project controls only its name, so selectors by requester or label never give a stranger's project a login.

The lab has no project requests, so the tests create a namespace as OpenShift does for a request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support.project_user import ProjectUser

QUAY = {"registry": "quay.io", "username": "reader", "password": "Secret-1"}


def request_project(lab, name: str, user: str) -> str:
    body = {"metadata": {"name": name, "annotations": {"openshift.io/requester": user}}}
    lab.api("POST", "/api/v1/namespaces", body)
    return name


@pytest.fixture
def team(namespace) -> str:
    """The prefix of a team's projects."""
    return f"{namespace}-team"


@pytest.fixture
def projects(lab, team) -> Iterator[tuple[str, str]]:
    """A project of the team and one of a stranger."""
    names = (request_project(lab, f"{team}-dev", "ann"), request_project(lab, f"{team}-evil", "mallory"))
    yield names
    for name in names:
        lab.api("DELETE", f"/api/v1/namespaces/{name}")


def secret(name: str = "quay", **selector: Any) -> dict[str, Any]:
    return {"name": name, "namespace_selector": selector, "registries": [QUAY]}


def has(lab, namespace: str, name: str = "quay") -> bool:
    return lab.get(namespace, "secrets", name) is not None


class TestSelectors:
    def test_requesters_keep_a_stranger_out(self, lab, run, team, projects):
        own, evil = projects
        result = run("pull_secret", secrets=[secret(include=[f"{team}-*"], requesters=["ann"])])
        assert not result["failed"], result["msg"]
        assert (has(lab, own), has(lab, evil)) == (True, False)

    def test_labels_keep_a_stranger_out(self, lab, run, team, projects):
        own, evil = projects
        lab.api("PATCH", f"/api/v1/namespaces/{own}", {"metadata": {"labels": {"team": team}}})
        result = run("pull_secret", secrets=[secret(labels=f"team={team}")])
        assert not result["failed"], result["msg"]
        assert (has(lab, own), has(lab, evil)) == (True, False)

    @pytest.mark.parametrize("patch", [{"annotations": {"openshift.io/requester": "ann"}}, {"labels": {"team": "a"}}])
    def test_a_project_administrator_changes_neither_requester_nor_labels(self, lab, projects, patch):
        mallory = ProjectUser.create(lab, "mallory", projects[1])
        refused = mallory.request("PATCH", f"/api/v1/namespaces/{projects[1]}", {"metadata": patch}, expect=(403,))
        assert refused["reason"] == "Forbidden"

    def test_a_name_that_two_entries_select_stops_only_the_project_of_that_name(self, lab, run, team, projects):
        """The entries contradict each other in this project, which used to refuse the whole task."""
        own, evil = projects
        every = [secret(include=[f"{team}-*"]), secret(include=["*-evil"])]
        result = run("pull_secret", secrets=every)
        assert [failure["namespace"] for failure in result["failures"]] == [evil]
        assert "contradict each other" in result["msg"]
        assert (has(lab, own), has(lab, evil)) == (True, False)

    def test_an_own_project_does_not_count_for_the_guard_of_a_prune(self, lab, run, team, projects, namespaces):
        """A stranger's projects that matched a selector used to make a percentage allow more removals."""
        _own, evil = projects
        left, kept = namespaces(2)
        owner = f"{team}-owner"
        selected = secret(include=[evil])
        named = {"name": "quay", "registries": [QUAY]}
        site = [selected, {**named, "namespaces": [left, kept]}]
        assert not run("pull_secret", owner=owner, secrets=site)["failed"]
        result = run(
            "pull_access_prune",
            owner=owner,
            max_prune="34%",
            secrets=[selected, {**named, "namespaces": [kept]}],
            links=[],
        )
        assert "'max_prune: 34%' is exceeded" in result["msg"]
        assert has(lab, left)
