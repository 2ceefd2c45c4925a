# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clusters that change each write, that serve only a part of their API, or whose lists are old, and registries that refuse midway.

A login that ends amid the writes of a run is in `test_cluster_fails.py`.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from support.hostile import WORK, hostile
from support.hostile_proxy import Act, HostileProxy, answered
from support.lab import Lab, mount_names, path_of, pull_names
from support.objects import auth_file, b64
from support.proxy import Exchange, Reply

ADMISSION = "/apis/admissionregistration.k8s.io/v1"
RBAC = "rbac.authorization.k8s.io"
WRITTEN = {"sa_link": "serviceaccounts", "pull_secret": "secrets", "image_puller_grant": "rolebindings"}
#: An object of each kind, to find out whether a policy is in effect.
PROBES: dict[str, dict[str, Any]] = {
    "serviceaccounts": {},
    "secrets": {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": b64({"auths": {}})}},
    "rolebindings": {"roleRef": {"kind": "ClusterRole", "apiGroup": RBAC, "name": "view"}},
}

WITHOUT_OURS = """[JSONPatch{op: "replace", path: "/imagePullSecrets",
    value: has(object.imagePullSecrets) ? object.imagePullSecrets.filter(each, each.name != "theirs") : []}]"""
OTHER_LOGIN = f"""[JSONPatch{{op: "replace", path: "/data",
    value: {{".dockerconfigjson": "{b64(auth_file({"mirror.example.com": ("u", "p")}))}"}}}}]"""
ONE_MORE = """has(object.imagePullSecrets) ? [JSONPatch{op: "add", path: "/imagePullSecrets/-",
    value: Object.imagePullSecrets{name: "from-policy"}}] : []"""

TAKEN_BACK = {"sa_link": ("imagePullSecrets", WITHOUT_OURS), "pull_secret": ("data", OTHER_LOGIN)}


def put_policy(lab: Lab, namespace: str, resource: str, patch: str = "") -> None:
    """Let the API server change each written object of a kind in the namespace, by a JSON patch in CEL, and label it."""
    name = f"{resource}-{namespace}"
    groups = [RBAC if resource == "rolebindings" else ""]
    rule = {"apiGroups": groups, "apiVersions": ["v1"], "resources": [resource], "operations": ["CREATE", "UPDATE"]}
    label = 'Object{metadata: Object.metadata{labels: {"policy": "seen"}}}'
    mutations = [
        {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": label}},
        *([{"patchType": "JSONPatch", "jsonPatch": {"expression": patch}}] if patch else []),
    ]
    policy = {"matchConstraints": {"resourceRules": [rule]}, "mutations": mutations, "reinvocationPolicy": "Never"}
    here = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}}
    binding = {"policyName": name, "matchResources": here}
    for kind, spec in (("policies", policy), ("policybindings", binding)):
        lab.api("POST", f"{ADMISSION}/mutatingadmission{kind}", {"metadata": {"name": name}, "spec": spec})

    def is_in_effect() -> bool:
        probe = {"metadata": {"name": "probe"}, **PROBES[resource]}
        answer = lab.api("POST", f"{path_of(namespace, resource)}?dryRun=All", probe)
        return "labels" in answer["metadata"]

    lab.until(is_in_effect, "the policy is in effect")


class TestPolicies:
    @pytest.fixture(autouse=True)
    def linked(self, lab, namespace):
        lab.create(namespace, "secrets", {"metadata": {"name": "theirs"}, "type": "Opaque"})

    @pytest.mark.parametrize("module", TAKEN_BACK)
    def test_a_change_that_the_cluster_takes_back_is_an_error_of_each_run(self, lab, run, namespace, module):
        part, patch = TAKEN_BACK[module]
        put_policy(lab, namespace, WRITTEN[module], patch)
        for _run in range(2):
            audit = lab.audit()
            result = run(module, namespaces=[namespace], **WORK[module])
            assert result["failed"]
            assert f"the API server stored it with other {part} than it was sent" in result["msg"]
            assert len(audit.writes()) == 1

    @pytest.mark.parametrize("module", WRITTEN)
    def test_additions_of_the_cluster_leave_the_second_run_unchanged(self, lab, run, namespace, module):
        put_policy(lab, namespace, WRITTEN[module], ONE_MORE if module == "sa_link" else "")
        found = [run(module, namespaces=[namespace], **WORK[module]) for _run in range(2)]
        assert [(one["failed"], one["changed"]) for one in found] == [(False, True), (False, False)]


#: The answer of kube-aggregator for an API whose server is gone.
UNAVAILABLE = answered(503, "service unavailable\n")
DEAD = {
    "group": "dead.example.com",
    "version": "v1",
    "groupPriorityMinimum": 1000,
    "versionPriority": 10,
    "insecureSkipTLSVerify": True,
    "service": {"name": "gone", "namespace": "default"},
}
STREAMS = "the image streams of all 1 namespaces could not be read"


@pytest.mark.parametrize("group", ["dead.example.com", "image.openshift.io"])
def test_an_api_without_its_server_is_reported_only_if_it_matters(lab, namespace, group):
    """The core of the API works."""
    name = f"v1.{DEAD['group']}"
    path = "/apis/apiregistration.k8s.io/v1/apiservices"
    lab.api("POST", path, {"metadata": {"name": name}, "spec": DEAD})
    try:
        lab.until(lambda: lab.answer("GET", f"/apis/{DEAD['group']}/v1", None, "")[0] == 503, "the API is not served")
        pod = lab.pod(namespace, "one", lab.registry("private")["image"])
        with hostile(lab) as server:
            server.proxy.rule(rf"GET /apis/{group}/", UNAVAILABLE)
            for module in reversed(WRITTEN):
                options = {**WORK[module], **({"secrets": ["ours"]} if module == "sa_link" else {})}
                made = server.run(module, namespaces=[namespace], **options)
                assert (made["failed"], made["changed"], "503" in made["_output"]) == (False, True, False)
            explained = server.run("pull_access_info", namespaces=[namespace], pod=pod)
            audited = server.run("pull_access_audit", namespaces=[namespace])
    finally:
        lab.api("DELETE", f"{path}/{name}")
    assert not explained["failed"] and not audited["failed"]
    assert "503" not in explained["_output"], "the image is not of a stream"
    said = [line for line in audited["unreadable"] if "503 service unavailable" in line]
    assert len(said) == (group == "image.openshift.io")


def lagging() -> Act:
    """The first answer to each request, as from a member of the control plane that lags behind."""
    kept: dict[str, Reply] = {}

    def act(proxy: HostileProxy, exchange: Exchange) -> None:
        if exchange.path not in kept:
            kept[exchange.path] = proxy.ask(exchange)
        exchange.answer(kept[exchange.path])

    return act


class TestOldLists:
    @pytest.mark.parametrize("module", WRITTEN)
    def test_a_list_older_than_the_last_write_leads_to_no_second_change(self, lab, run, namespaces, module):
        names = namespaces(6)
        for name in names:
            lab.create(name, "secrets", {"metadata": {"name": "theirs"}, "type": "Opaque"})
        with hostile(lab) as server:
            server.proxy.rule(r"GET /api\S*\?", lagging())
            found = [server.run(module, namespaces=names, **WORK[module]) for _run in range(2)]
        assert [(one["failed"], one["changed"]) for one in found] == [(False, True), (False, False)]
        assert not run(module, namespaces=names, **WORK[module])["changed"]

    def test_prune_removes_a_link_that_another_client_made_since_the_list(self, lab, run, namespaces):
        names = namespaces(2)
        mine = {"owner": f"late-{names[0]}", "max_prune": "100%", "prune_everything": True}
        options = {**WORK["pull_secret"], "namespaces": names}
        assert run("pull_secret", owner=mine["owner"], **options)["changed"]

        def link(proxy: HostileProxy, exchange: Exchange) -> None:
            account = lab.account(names[0])
            links = {key: [*account.get(key, []), {"name": "ours"}] for key in ("imagePullSecrets", "secrets")}
            lab.api("PATCH", path_of(names[0], "serviceaccounts", "default"), links)
            exchange.answer(proxy.ask(exchange))

        with hostile(lab) as server:
            server.proxy.rule(rf"DELETE \S*/{names[0]}/secrets/ours", link, times=1)
            pruned = server.run("pull_access_prune", secrets=[], links=[], **mine)
        assert not pruned["failed"]
        first = next(row["changes"] for row in pruned["namespaces"] if row["name"] == names[0])
        assert [(change["action"], change["kind"]) for change in first] == [
            *[("delete", "Secret"), ("update", "ServiceAccount")]
        ]
        assert "ours" not in {*pull_names(lab.account(names[0])), *mount_names(lab.account(names[0]))}

    def test_prune_keeps_what_another_owner_took_over_since_the_list(self, lab, run, namespaces):
        names, other = namespaces(2), namespaces(1)
        mine = {"owner": f"lagging-{names[0]}", "max_prune": "100%"}
        options = {**WORK["pull_secret"], "namespaces": names}
        assert run("pull_secret", owner=mine["owner"], **options)["changed"]
        declared = {"secrets": [{**WORK["pull_secret"], "namespaces": other}]}
        assert run("pull_secret", owner=mine["owner"], **declared)["changed"]
        with hostile(lab) as server:
            server.proxy.rule(r"GET /api\S*\?", lagging())
            foreseen = server.run("pull_access_prune", check=True, **mine, **declared)
            assert foreseen["prune"]["secrets"]["removed"] == len(names), foreseen
            assert run("pull_secret", owner="team-b", adopt=True, **{**options, "namespaces": names[:1]})["changed"]
            pruned = server.run("pull_access_prune", **mine, **declared)
        assert not pruned["failed"]
        assert [lab.get(name, "secrets", "ours") is not None for name in names] == [True, False]


class TestOthersInBetween:
    """Another client writes while a write of ours is on its way."""

    def test_a_lost_change_of_an_account_that_is_gone_is_not_reported(self, lab, namespace):
        for kind, body in (("secrets", {"type": "Opaque"}), ("serviceaccounts", {})):
            lab.create(namespace, kind, {"metadata": {"name": "theirs"}, **body})

        def delete(_proxy: HostileProxy, exchange: Exchange) -> None:
            lab.api("DELETE", path_of(namespace, "serviceaccounts", "theirs"))
            exchange.cut(by_reset=False)

        with hostile(lab) as server:
            server.proxy.rule(r"PATCH \S*/serviceaccounts/theirs", delete, times=1)
            options = {**WORK["sa_link"], "namespaces": [namespace], "service_accounts": ["theirs"]}
            result = server.run("sa_link", **options)
        assert (result["failed"], result["changed"]) == (True, False)

    def test_a_replacement_that_another_client_completes_is_reported(self, lab, namespace):
        lab.create(namespace, "secrets", {"metadata": {"name": "ours"}, "immutable": True, **PROBES["secrets"]})

        def create(proxy: HostileProxy, exchange: Exchange) -> None:
            lab.api("POST", path_of(namespace, "secrets"), json.loads(exchange.content))
            exchange.answer(proxy.ask(exchange))

        with hostile(lab) as server:
            # The first one is the copy.
            server.proxy.rule(r"POST \S*/secrets$", create, after=1, times=1)
            result = server.run("pull_secret", recreate=True, namespaces=[namespace], **WORK["pull_secret"])
        assert not result["failed"]
        changes = [change for row in result["namespaces"] for change in row["changes"]]
        found = [(change["action"], change["name"]) for change in changes]
        assert found == [("replace", "ours"), ("delete", "ours.replaced")]


def test_a_rate_limit_amid_a_verification_fails_only_the_logins_that_meet_it(lab, run, namespace, no_outside_settings):
    private = lab.registry("private")
    secrets = [
        {
            "name": f"login-{number}",
            "registries": [{"registry": private["host"], "username": one["username"], "password": one["password"]}],
            "namespaces": [namespace],
        }
        for number, one in enumerate(private["accounts"])
    ]
    options = {"secrets": secrets, "verify": True, "registry_ca_cert": lab.data["ca_cert"]}
    lab.registry_set("private", "--rate-limit", "4")
    try:
        limited = run("pull_secret", **options)
    finally:
        lab.registry_set("private", "--rate-limit", "0")
    failed = {failure["entry"]: failure["error"] for failure in limited["failures"]}
    assert limited["failed"] and failed
    assert all("allows no more requests for now" in error for error in failed.values())
    stored = [number for number, one in enumerate(secrets) if lab.get(namespace, "secrets", one["name"])]
    assert stored == [number for number in range(len(secrets)) if number not in failed]
    again = run("pull_secret", **options)
    assert (again["failed"], again["changed"]) == (False, True)
