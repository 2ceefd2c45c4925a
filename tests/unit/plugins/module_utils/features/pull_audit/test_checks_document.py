# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of an audit contains the counts, the registries of each account, and the pullers of each project."""

from __future__ import annotations

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import (
    Audit,
    count_findings,
    document_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import PullAudit
from support.surveyed import account, auth, binding, deployment, place, pod, secret, survey


def made(*places, asked=None, **more):
    audit = Audit(asked or PullAudit(cluster_name="east"), survey(*places, **{"none_will_come": "no", **more}))
    return document_of(audit, "https://api.example.com", b"k" * 32)


def cluster(*places, **more):
    (found,) = made(*places, **more)["clusters"]
    return found


def test_a_document_describes_its_cluster() -> None:
    seen = place(secrets=[secret("s")], accounts=[account("s")], pods=[pod("s")], workloads=[deployment("s")])
    document = made(seen, version="OpenShift 4.20.1")
    assert (document["format"], document["made"]) == ("openshift_ops.image_pull/audit/1", "2026-01-01T00:00:00Z")
    (found,) = document["clusters"]
    assert (found["name"], found["server"], found["version"]) == ("east", "https://api.example.com", "OpenShift 4.20.1")
    assert found["counts"] == {"namespaces": 1, "pods": 1, "workloads": 1, "service_accounts": 1, "secrets": 1}
    assert found["verdicts"] == {"pulls": 0, "unknown": 0, "will_not_pull": 0, "untested": 2}
    assert (found["findings"], found["unreadable"], found["target_version"], found["logins"]) == ([], [], None, [])
    assert "secret-unused" in document["rules"]


@pytest.mark.parametrize("given", [(), ("registry_ca_cert",)])
def test_the_offered_tasks_verify_with_the_options_of_the_run(given: tuple[str, ...]) -> None:
    seen = place(pods=[pod("gone")], accounts=[account()])
    [found] = [each for each in cluster(seen, asked=PullAudit(access_options=given))["findings"] if each["fix"]]
    (task,) = found["fix"]
    options = task["openshift_ops.image_pull.pull_secret"]
    assert [name for name in options if name.startswith("registry_")] == [*given]


def test_unreadable_objects_are_reported_in_printable_text() -> None:
    unread = {"cluster role bindings": "a server says \x1b[31m"}
    (sentence,) = cluster(place(), unread=unread)["unreadable"]
    assert sentence.startswith("the cluster role bindings could not be read: a server says ")
    assert sentence.isprintable()


def test_findings_are_counted() -> None:
    document = made(place(secrets=[secret("s", "no JSON")], accounts=[account("gone")]))
    assert count_findings(document) == {
        "severities": {"error": 1, "warning": 1, "info": 1},
        "rules": {"link-dangling": 1, "secret-unparsable": 1, "secret-unused": 1},
    }


def test_the_matrix_lists_the_registries_of_each_account() -> None:
    secrets = [secret("s", {"https://q.io/v1/": auth(), "r.io/team": auth()}), secret("bad", "no JSON")]
    seen = place(secrets=secrets, accounts=[account("s", "bad", "gone"), account(name="builder")])
    assert cluster(seen, place("b", unread={"secrets": "no right"}))["matrix"] == {
        "registries": ["q.io", "r.io/team"],
        "accounts": [
            {"namespace": "a", "name": "builder", "registries": []},
            {"namespace": "a", "name": "default", "registries": [0, 1]},
        ],
    }


def test_the_pullers_of_a_project_are_listed() -> None:
    own = [{"kind": "Group", "name": "system:serviceaccounts:a"}, {"kind": "ServiceAccount", "name": "x"}]
    others = [
        {"kind": "Group", "name": "system:serviceaccounts:b"},
        {"kind": "ServiceAccount", "name": "x", "namespace": "c"},
        {"kind": "User", "name": "u"},
    ]
    seen = place(
        bindings=[
            binding("hand", *own, *others),
            binding("system:image-pullers", *others),
            binding("e", *others, role="edit"),
        ]
    )
    wide = binding("wide", {"kind": "Group", "name": "system:authenticated"}, namespace="")
    assert cluster(seen, cluster_bindings=[wide])["pullers"] == [
        {"project": "a", "subject": "Group system:serviceaccounts:b", "namespace": "b", "binding": "hand"},
        {"project": "a", "subject": "ServiceAccount c/x", "namespace": "c", "binding": "hand"},
        {"project": "a", "subject": "User u", "namespace": "", "binding": "hand"},
        {"project": "", "subject": "Group system:authenticated", "namespace": "", "binding": "wide"},
    ]
