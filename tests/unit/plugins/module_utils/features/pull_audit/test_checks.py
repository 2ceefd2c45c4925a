# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule is applied where its objects were read. The document has the findings, the counts, and the rules that were not applied."""

from __future__ import annotations

import dataclasses

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    NAMESPACE,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import (
    Audit,
    count_findings,
    document_of,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import (
    DIFFERS,
    DRIFT,
    NOT_APPLICABLE,
    IgnoreRule,
    PullAudit,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules import RULES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import (
    SUBJECT_ACCESS_REVIEW,
    secrets_review,
)
from support.surveyed import account, auth, binding, deployment, place, pod, secret, survey

BROKEN = {"secrets": [secret("s", "no JSON")], "accounts": [account("gone")]}


def test_a_rule_whose_objects_could_not_be_read_is_named_and_not_applied() -> None:
    seen = survey(place("a", **BROKEN), place("b", accounts=[account("gone")], unread={"secrets": "no right"}))
    audit = Audit(PullAudit(rules=("secret-unparsable", "link-dangling", "link-duplicate")), seen)
    assert {finding.ref.namespace for finding in audit.findings} == {"a"}
    assert list(audit.unread_sentences()) == [
        "the secrets of namespace b could not be read: no right. Not applied there: secret-unparsable, link-dangling"
    ]


@pytest.mark.parametrize(("count", "named"), [(2, "all 2 namespaces"), (1, "namespace n0"), (12, "all 12 namespaces")])
def test_namespaces_are_reported_together(count, named) -> None:
    seen = survey(*(place(f"n{number}", unread={"pods": "no right"}) for number in range(count)))
    (sentence,) = Audit(PullAudit(rules=("link-duplicate",)), seen).unread_sentences()
    assert sentence == f"the pods of {named} could not be read: no right"


def test_the_first_of_many_namespaces_are_named() -> None:
    places = [place(f"n{number}", unread={"pods": "no right"}) for number in range(12)]
    (sentence,) = Audit(PullAudit(rules=("link-duplicate",)), survey(*places, place("z"))).unread_sentences()
    assert "namespaces n0, n1, " in sentence
    assert "n9 and 2 more could not" in sentence


def test_unknown_facts_about_the_cluster_are_reported() -> None:
    seen = dataclasses.replace(survey(place()), unread={"cluster role bindings": "no right"}, none_will_come=None)
    sentences = list(Audit(PullAudit(), seen).unread_sentences())
    assert sentences == [
        "the cluster role bindings could not be read: no right. It is not known who may pull from all projects",
        "it is not known whether this cluster generates pull secrets. Not applied: account-not-provisioned",
    ]


@pytest.mark.parametrize(
    ("metadata", "keeper"),
    [({}, ""), ({"annotations": {"argocd.argoproj.io/tracking-id": "x"}}, ", and Argo CD manages it")],
)
def test_a_difference_from_the_inventory_has_advice(metadata, keeper) -> None:
    change = {"kind": "Secret", "name": "s", "action": "update"}
    drift = [{"namespaces": [{"name": "a", "changes": [change]}], "failures": [{"namespace": "a", "error": "why"}]}]
    seen = survey(place("a", secrets=[secret("s", **metadata)]))
    found = {each.rule: each.message for each in Audit(PullAudit(rules=DRIFT, drift=drift), seen).findings}
    assert found == {
        DIFFERS: f"secret a/s: it differs from its declaration{keeper}. Run the playbook site, or correct the inventory",
        NOT_APPLICABLE: "the declaration cannot be applied: why",
    }


def test_findings_are_chosen_and_ignored() -> None:
    seen = survey(place("a", **BROKEN), place("b", **BROKEN), none_will_come="no")
    rules = {finding.rule for finding in Audit(PullAudit(), seen).findings}
    assert rules == {"secret-unparsable", "link-dangling", "secret-unused"}
    asked = PullAudit(rules=("link-dangling",), ignore=(IgnoreRule("link-dangling", "a"),))
    assert [finding.ref.namespace for finding in Audit(asked, seen).findings] == ["b"]


def test_rules_that_depend_on_an_option_are_only_listed_with_it() -> None:
    audit = Audit(PullAudit(), survey(place()))
    options = ("forecast-", "declared-", "credential-found", "selector-open-to-users", "image-unsigned")
    assert not [rule for rule in audit.rules if rule.startswith(options)]
    later = Audit(PullAudit(target_version="5.0"), survey(place(), version="OpenShift 4.20.1"))
    assert {rule for rule in RULES if rule.startswith("forecast-")} <= {*later.rules}


class Failing(dict):  # type: ignore[type-arg]
    """Objects that raise an unexpected error."""

    def values(self):
        raise KeyError("an unforeseen fault")


def test_a_rule_that_fails_is_reported_and_stops_no_other() -> None:
    seen = dataclasses.replace(place(accounts=[account("s", "s")]), secrets=Failing(s=None))
    audit = Audit(PullAudit(rules=("secret-unused", "link-duplicate")), survey(seen))
    assert {finding.rule for finding in audit.findings} == {"link-duplicate"}
    (sentence,) = audit.unread_sentences()
    assert sentence.startswith(
        "rule secret-unused was not applied to namespace a because of an internal error: KeyError in values, "
    )
    assert sentence.endswith(". Please report it")
    assert "unforeseen" not in sentence


def test_objects_that_explanations_could_not_read_are_reported() -> None:
    seen = survey(place())
    reviews = {ObjectRef(SUBJECT_ACCESS_REVIEW, "b", f"a/{name}"): ImagePullError("not you") for name in "xyz"}
    reviews[secrets_review("b", "x")] = ImagePullError("not you")
    mirrors = {ObjectRef(next(iter(MIRROR_KINDS)), "", ""): ImagePullError("no right")}
    # It decides no verdict.
    project = {ObjectRef(NAMESPACE, "", "b"): ImagePullError("not you")}
    seen.evidence.add({IMAGE_CONFIG: ImagePullError("no right"), **reviews, **mirrors, **project})
    assert list(Audit(PullAudit(rules=("link-duplicate",)), seen).unread_sentences()) == [
        "the imagedigestmirrorsets could not be read: no right. Pulls that depend on it are not known",
        "image config cluster could not be read: no right. Pulls that depend on it are not known",
        "the right of accounts to pull from other projects could not be read (and 2 more): not you. Pulls that depend on it are not known",
        "the right of accounts that a credential provider needs could not be read: not you. Pulls that depend on it are not known",
    ]


def test_a_grant_to_an_unreadable_object_is_reported() -> None:
    refs = [ObjectRef(SERVICE_ACCOUNT, "b", name) for name in "xyz"]
    seen = survey(place(), known={**dict.fromkeys(refs[:2], ImagePullError("no right")), refs[2]: None})
    assert list(Audit(PullAudit(rules=("grant-dead-subject",)), seen).unread_sentences()) == [
        "service account b/x could not be read (and 1 more): no right. It is not known whether a grant to it is dead"
    ]
    assert list(Audit(PullAudit(rules=("link-duplicate",)), seen).unread_sentences()) == []


@pytest.mark.parametrize(
    ("rules", "openshift", "said"),
    [
        (("forecast-short-name",), False, ["the nodes could not be read: no. Not applied: forecast-short-name"]),
        (("forecast-short-name",), True, []),
        (
            ("forecast-credential-provider",),
            False,
            ["the credential provider configs could not be read: not so. Not applied: forecast-credential-provider"],
        ),
        (
            ("forecast-short-name", "verification-refuses-pod"),
            True,
            ["the nodes could not be read: no. Not applied: verification-refuses-pod"],
        ),
        (("link-duplicate",), False, []),
    ],
)
def test_objects_that_a_forecast_could_not_read_are_reported(rules, openshift, said) -> None:
    unread = {"nodes": "no", "credential provider configs": "not so"}
    seen = survey(place(), unread=unread, version="Kubernetes 1.33.1", is_openshift=openshift)
    assert list(Audit(PullAudit(target_version="1.36", rules=rules), seen).unread_sentences()) == said


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
