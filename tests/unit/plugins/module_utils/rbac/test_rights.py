# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rights of a job become few rules, and an account gets no right to extend its own rights."""

from __future__ import annotations

from typing import get_args

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import (
    CLUSTER,
    EVERY,
    HOSTED_PULL_SECRETS,
    JOBS,
    Right,
    Without,
    options_of,
    rights_of,
    rules_of,
)


def test_rights_to_one_resource_are_joined_into_one_rule() -> None:
    rights = [
        Right("secrets", ("patch", "get"), "x"),
        Right("pods", ("get", "patch"), "x"),
        Right("secrets", ("list",), "x", "slower"),
        Right("jobs.batch", ("list",), "x"),
    ]
    assert rules_of(rights) == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "patch"]},
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list", "patch"]},
        {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["list"]},
    ]


def test_a_right_to_one_object_remains_a_separate_rule() -> None:
    rights = [Right("secrets", ("get",), "x", names=("a",)), Right("secrets", ("list",), "x")]
    assert rules_of(rights) == [
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["secrets"], "resourceNames": ["a"], "verbs": ["get"]},
    ]


def test_resources_with_the_same_verbs_are_one_rule() -> None:
    (rule,) = rules_of([Right(name, ("get",), "x") for name in ("b", "a")])
    assert rule == {"apiGroups": [""], "resources": ["a", "b"], "verbs": ["get"]}


def test_the_rights_of_several_jobs_are_joined() -> None:
    assert [*rights_of(["export", "probe"], {})] == [*JOBS["export"].rights, *JOBS["probe"].rights]


def test_a_right_to_named_objects_covers_no_others() -> None:
    (right,) = (
        right
        for right in rights_of(["management_pull_secret"], {HOSTED_PULL_SECRETS: ["a", "b"]})
        if right.names[:1] == ("a",)
    )
    assert (right.resource, right.verbs, right.names) == ("secrets", ("get", "patch"), ("a", "b"))


@pytest.mark.parametrize("named", [{}, {HOSTED_PULL_SECRETS: []}])
def test_a_right_to_named_objects_is_left_out_without_names(named: dict[str, list[str]]) -> None:
    assert "secrets" not in [right.resource for right in rights_of(["management_pull_secret"], named)]


def test_required_options_of_jobs_are_returned() -> None:
    assert options_of(["secrets", "management_pull_secret"]) == {HOSTED_PULL_SECRETS}
    assert options_of(["secrets"]) == frozenset()


@pytest.mark.parametrize("job", JOBS)
class TestEachJob:
    def test_no_right_is_listed_twice(self, job: str) -> None:
        every = [(right.resource, verb, right.where) for right in JOBS[job].rights for verb in right.verbs]
        assert sorted(every) == sorted(set(every))

    def test_no_right_covers_everything_or_grants_further_rights(self, job: str) -> None:
        """An account must not be able to extend its own rights."""
        for right in JOBS[job].rights:
            assert not {"*", "escalate", "impersonate", "update"} & {*right.verbs}
            assert "*" not in right.resource
            if "bind" in right.verbs:
                assert right.names == ("system:image-puller",)
            if right.plural in ("clusterroles", "clusterrolebindings", "roles"):
                assert {*right.verbs} <= {"get", "list", "bind"}

    def test_a_right_to_one_object_names_verbs_that_can_be_restricted(self, job: str) -> None:
        """A list or create request has no name (kubernetes docs, reference/access-authn-authz/rbac)."""
        for right in JOBS[job].rights:
            assert not (right.names or right.named_by) or not {"list", "create", "watch"} & {*right.verbs}

    def test_each_job_and_right_has_a_description(self, job: str) -> None:
        assert JOBS[job].what
        assert all(right.why for right in JOBS[job].rights)
        assert {right.without for right in JOBS[job].rights} <= {*get_args(Without)}

    def test_a_right_in_one_namespace_covers_one_object(self, job: str) -> None:
        """This holds where the verb can be restricted."""
        fixed = [right for right in JOBS[job].rights if right.where not in (EVERY, CLUSTER)]
        assert all(right.names or right.verbs == ("create",) for right in fixed)
