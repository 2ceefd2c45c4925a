# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options become an audit, or an error that names the invalid option. Findings are reported with all their fields, the worst first."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.fixes import remove_secret
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import (
    DIFFERS,
    NOT_APPLICABLE,
    Finding,
    IgnoreRule,
    PullAudit,
    find_drift,
    from_options,
    sort_findings,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules import RULES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import RegistryAccess
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import parse_version
from hypothesis import given
from support.anything import ANYTHING

TASKS = remove_secret("a", "s")


def finding(rule: str = "secret-unused", namespace: str = "a", location: str = "", severity: str = "") -> Finding:
    return Finding(rule, ObjectRef(SECRET, namespace, "s"), location, "m", TASKS, severity)


def test_a_finding_reports_all_its_fields() -> None:
    assert finding(location="q.io\n").report() == {
        "id": finding(location="q.io\n").id,
        "rule": "secret-unused",
        "severity": "info",
        "namespace": "a",
        "kind": "Secret",
        "name": "s",
        "location": "q.io ",
        "message": "m",
        "fix": TASKS,
        "fix_effects": [],
        "fix_refusal": "",
    }


def test_an_expiry_is_a_time_of_the_document_whatever_a_token_says() -> None:
    ref = ObjectRef(SECRET, "a", "s")
    written = [Finding("secret-unused", ref, "", "m", expires=at).report()["expires"] for at in (-1e14, 1.5e9, 9e14)]
    assert written == ["1970-01-01T00:00:00Z", "2017-07-14T02:40:00Z", "9999-12-31T23:59:59Z"]


def test_the_id_consists_of_rule_object_and_location() -> None:
    assert re.fullmatch("[0-9a-f]{16}", finding().id)
    assert finding().id == finding(severity="error").id
    assert len({finding().id, finding("secret-duplicate").id, finding(namespace="b").id, finding(location="x").id}) == 4
    assert finding(location="\ud800").id


def test_the_worst_findings_come_first_and_are_then_sorted_by_place() -> None:
    every = [finding(namespace="b"), finding(), finding("secret-unparsable", "z"), finding(severity="warning")]
    assert [(each.effective_severity, each.ref.namespace) for each in sort_findings(every)] == [
        ("error", "z"), ("warning", "a"), ("info", "a"), ("info", "b"),
    ]  # fmt: skip


def planned(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"namespaces": [{"name": "a", "changes": [*changes]}], "failures": [], **more}


def told(*results: Any) -> list[tuple[str, str, str, str, str, str]]:
    return [
        (each.rule, each.ref.namespace, each.ref.kind.kind, each.ref.name, each.location, each.message)
        for each in find_drift(results)
    ]


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ("create", "it is declared, but does not exist"),
        ("update", "it differs from its declaration"),
        ("replace", "it differs from its declaration, and must be recreated"),
        ("delete", "it is declared as absent, but exists"),
    ],
)
@pytest.mark.parametrize(
    ("kind", "title"), [("Secret", "secret"), ("ServiceAccount", "service account"), ("RoleBinding", "role binding")]
)
def test_each_change_is_a_finding(kind: str, title: str, action: str, said: str) -> None:
    change = {"kind": kind, "name": "x", "action": action, "registries": {}}
    assert told(planned(change)) == [(DIFFERS, "a", kind, "x", action, f"{title} a/x: {said}")]


def test_a_restarted_pod_is_not_a_finding() -> None:
    assert told(planned({"kind": "Pod", "name": "p", "action": "delete"})) == []


def test_an_entry_that_cannot_be_applied_is_a_finding() -> None:
    failure = {"namespace": "a", "error": "https://u:Canary@q.io/ refused", "title": "secrets[0] (x)"}
    (found,) = told(planned(failures=[failure], msg="failed in 1 of 1 namespace"))
    assert found[:5] == (NOT_APPLICABLE, "", "Namespace", "a", "secrets[0] (x)")
    assert found[5].startswith("the declaration cannot be applied: secrets[0] (x): https://")
    assert "Canary" not in found[5]


def test_a_task_that_was_refused_as_a_whole_is_a_finding() -> None:
    assert told({"failed": True, "msg": "no such option"}) == [
        (NOT_APPLICABLE, "", "Inventory", "", "", "the declaration cannot be applied: no such option")
    ]


@pytest.mark.parametrize("result", [{}, {"skipped": True}, {"changed": False, "namespaces": []}, planned()])
def test_a_result_without_changes_gives_no_finding(result: dict[str, Any]) -> None:
    assert told(result) == []


@given(ANYTHING)
def test_arbitrary_results_cause_no_error(anything: Any) -> None:
    list(find_drift([anything, {"namespaces": anything, "failures": anything, "msg": anything}]))
    list(find_drift([{"namespaces": [{"changes": anything, "name": anything}], "failures": [anything]}]))
    for declared in (anything, [anything], [{"name": anything, "namespaces": anything}]):
        assert not PullAudit(drift=[anything, {"declared": declared}]).declares(ObjectRef(SECRET, "team-a", "pull-1"))


DEFAULTS: dict[str, Any] = {
    "cluster_name": "",
    "rules": None,
    "ignore": None,
    "expires_within": 14,
    "target_version": None,
    "search_credential": None,
    "fingerprint_key": None,
    "dest": None,
    "drift": None,
    "declared_selectors": None,
    "ask_registries": False,
}
LEAKED = {"registry": None, "username": None, "password": None, "token": None}


def made(**options: Any):
    return from_options({**DEFAULTS, **options})


def test_all_rules_are_applied_without_a_search_by_default() -> None:
    asked = made()
    assert list(asked.rules) == list(RULES)
    assert (asked.search, asked.key, asked.target, asked.dest) == (None, None, None, None)


def test_registries_are_asked_only_if_an_option_says_so() -> None:
    how = {"registry_ca_cert": "/ca", "realm_hosts": ["sso.example.com"]}
    assert (made(**how).registries, made(**how).access_options) == (None, ("registry_ca_cert", "realm_hosts"))
    assert made(ask_registries=True, **how).registries == RegistryAccess("/ca", realm_hosts=("sso.example.com",))


def test_the_options_become_the_audit() -> None:
    asked = made(
        rules=["secret-unused", "secret-unused"],
        ignore=["secret-unused", {"rule": "link-dangling", "namespace": "team-*"}],
        target_version="4.22",
        search_credential={**LEAKED, "token": "a-long-token"},
        fingerprint_key="k" * 16,
    )
    assert (asked.rules, asked.target) == (("secret-unused",), (4, 22))
    assert asked.ignore == (IgnoreRule("secret-unused"), IgnoreRule("link-dangling", "team-*"))
    assert asked.key == b"k" * 16
    assert "kkkk" not in repr(asked)
    assert "a-long-token" not in repr(asked)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"rules": []}, "option 'rules' is empty"),
        ({"rules": ["secret-unusd"]}, "there is no rule 'secret-unusd'. Did you mean 'secret-unused'"),
        (
            {"rules": ["zzz"]},
            "The rules are listed in https://github.com/openshift-ops/image_pull/blob/main/docs/docsite/rst/audit.rst",
        ),
        ({"ignore": ["none"]}, "option 'ignore': there is no rule 'none'"),
        ({"ignore": [{"namespace": "a"}]}, "each item must be the id of a rule"),
        ({"ignore": [{"rule": "secret-unused", "kind": "x"}]}, "each item must be the id of a rule"),
        ({"ignore": [1]}, "each item must be the id of a rule"),
        ({"ignore": [{"rule": []}]}, "there is no rule"),
        ({"ignore": [{"rule": "secret-unused", "name": 1}]}, "must be globs"),
        ({"target_version": "next"}, "give a version in quotes, such as '4.22'"),
        ({"target_version": "4"}, "give a version in quotes, such as '4.22'"),
        ({"expires_within": -1}, "must not be negative"),
        ({"fingerprint_key": "k" * 15}, "fewer than 16 characters"),
        ({"registry_timeout": 0}, "option 'registry_timeout' is in seconds"),
        ({"search_credential": LEAKED}, "neither 'password' nor 'token' is set: give one of them"),
        (
            {"search_credential": {**LEAKED, "password": "p" * 8, "token": "t" * 8}},
            "'password' and 'token' are both set: give one of them",
        ),
        ({"search_credential": {**LEAKED, "password": "p" * 7}}, "fewer than 8 characters"),
    ],
)
def test_invalid_options_are_refused(options, error) -> None:
    with pytest.raises(OptionError, match=error):
        made(**options)


def test_an_ignore_item_matches_by_rule_namespace_and_name() -> None:
    finding = Finding("secret-unused", ObjectRef(SECRET, "team-a", "pull"), "", "m")
    assert IgnoreRule("secret-unused").matches(finding)
    assert IgnoreRule("secret-unused", "team-*", "p?ll").matches(finding)
    assert not IgnoreRule("link-dangling").matches(finding)
    assert not IgnoreRule("secret-unused", "other-*").matches(finding)
    assert not IgnoreRule("secret-unused", "*", "other").matches(finding)


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("4.22", (4, 22)),
        ("v1.36.3", (1, 36)),
        ("4.20.0-rc.1", (4, 20)),
        ("5.0", (5, 0)),
        ("", None),
        ("4.x", None),
        ("0.1", None),
    ],
)
def test_a_version_is_read_from_its_text(text, version) -> None:
    assert parse_version(text) == version


def test_selectors_that_users_can_join_are_found() -> None:
    def item(title: str, **selector: Any) -> dict[str, Any]:
        return {"title": title, "namespace_selector": selector}

    given = [
        item("open", include=["team-*"], labels=None),
        item("closed", labels="team=a"),
        item("requested", include=["*"], requesters=["ann"]),
        item("nothing"),
        item("odd", include="team-*"),
        item("odder", include=[1]),
        item("no-users", include=["*"], requesters=[]),
        {"title": "none"},
        "text",
    ]
    assert made(declared_selectors=given).open_selectors == (("open", NamespaceSelector(include=("team-*",))),)
