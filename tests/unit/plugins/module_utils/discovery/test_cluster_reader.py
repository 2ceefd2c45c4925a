# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit needs few requests and reports the objects that the caller cannot read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.cluster_reader import ClusterReader
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings, open_run
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import SnapshotQuestion
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import PullAudit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.run import (
    audit_cluster,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.secrets.content import CredentialSearch
from hypothesis import given
from hypothesis import strategies as st
from support.anything import CHANGES, Changed
from support.fake_api import FakeApi
from support.node_configs import kubelet_config, node_in
from support.node_configs import pool as node_pool
from support.objects import b64
from support.scripted_pool import Answer, Clock, status_object

AUTH = {"auth": b64(b"u:canary-1")}
PULL = "kubernetes.io/dockerconfigjson"
ALWAYS = 10**9
FORBIDDEN = status_object(403, "Forbidden", "no right")
NO_KIND = status_object(404, "NotFound", "404 page not found")
#: Every kind that is listed for each namespace.
LISTED = 4 + len(WORKLOADS) + 3


def content(*hosts: str) -> dict[str, str]:
    return {".dockerconfigjson": b64(json.dumps({"auths": dict.fromkeys(hosts, AUTH)}))}


def account(namespace: str, name: str = "default") -> dict[str, str]:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


def grant(api: FakeApi, namespace: str, name: str, *subjects: dict[str, str]) -> None:
    role = {"kind": "ClusterRole", "name": "system:image-puller"}
    api.put("rolebindings", namespace, name, roleRef=role, subjects=[*subjects])


def team(api: FakeApi, namespace: str) -> None:
    """Create a namespace without problems that has an object of each kind."""
    api.put("namespaces", "", namespace)
    api.put("serviceaccounts", namespace, "default", imagePullSecrets=[{"name": "pull"}])
    api.put("secrets", namespace, "pull", type="kubernetes.io/dockerconfigjson", data=content("q.io"))
    api.put("secrets", namespace, "tls", type="kubernetes.io/tls", data={"tls.key": "eyJ4Ijoi"})
    spec = {"containers": [{"name": "c", "image": "q.io/a:1"}], "imagePullSecrets": [{"name": "pull"}]}
    api.put("pods", namespace, "app", spec=spec, status={"containerStatuses": [{"name": "c", "state": {}}]})
    api.put("deployments", namespace, "web", spec={"template": {"spec": spec}})
    grant(api, namespace, "grant", {"kind": "Group", "name": f"system:serviceaccounts:{namespace}"})
    api.put("imagestreams", namespace, "app", spec={"tags": []}, status={"tags": []})
    api.put("buildconfigs", namespace, "build", spec={"output": {"pushSecret": {"name": "push"}}})


@pytest.fixture
def api() -> FakeApi:
    return cluster("a")


def cluster(*names: str, group: str = "apps") -> FakeApi:
    api = FakeApi()
    for path, answer in (("/apis ", {"groups": [{"name": group}]}), ("/version ", {"gitVersion": "v1.36.3"})):
        api.fail(f"GET {path.strip()}$", Answer(200, answer), times=ALWAYS)
    for name in names:
        team(api, name)
    return api


def answer_instead(api: FakeApi, path: str, answer: Answer) -> None:
    """Give this answer instead of that of `cluster`."""
    api.fail(f"GET {path}$", answer, times=ALWAYS)
    api.faults.insert(0, api.faults.pop())


def settings_on(clock: Clock) -> RunSettings:
    return RunSettings(False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))


def audited(api: FakeApi, *names: str, asked: PullAudit | None = None, **more: Any) -> Outcome:
    clock = Clock()
    given = (api.cluster(clock), asked or PullAudit(), names or ("a",), settings_on(clock))
    return audit_cluster(*given, now=lambda: 1767225600.0, **more)


def test_a_reader_that_does_not_explain_reads_only_lists(api: FakeApi) -> None:
    grant(api, "a", "pullers", account("elsewhere", "builder"))
    clock = Clock()
    with open_run(api.cluster(clock), 1, settings_on(clock)) as run:
        snapshot = ClusterReader(run, SnapshotQuestion(verdicts=False), ["a"]).read(0.0)
    assert (len(snapshot.places["a"].pods), snapshot.accesses) == (1, {})
    more = ("pull-secret", "mirror", "builder")
    assert not [request for request in api.asked if any(name in request for name in more)]
    audited(api)
    assert all(any(name in request for request in api.asked) for name in more)


def found(outcome: Outcome) -> dict[str, Any]:
    (document,) = outcome.extra["audit"]["clusters"]
    return document


def rules_of(outcome: Outcome) -> list[str]:
    return [each["rule"] for each in found(outcome)["findings"]]


def dead_subjects(outcome: Outcome) -> list[str]:
    return [each["location"] for each in found(outcome)["findings"] if each["rule"] == "grant-dead-subject"]


class TestReading:
    def test_a_healthy_cluster_has_no_findings(self, api: FakeApi) -> None:
        outcome = audited(api)
        assert not outcome.has_failed
        document = found(outcome)
        assert (document["findings"], document["unreadable"], document["version"]) == ([], [], "Kubernetes 1.36.3")
        assert document["verdicts"] == {"pulls": 0, "untested": 2, "will_not_pull": 0, "unknown": 0}
        assert document["counts"] == {"namespaces": 1, "pods": 1, "workloads": 1, "service_accounts": 1, "secrets": 2}
        assert api.writes == []

    def test_many_namespaces_cost_as_many_requests_as_five(self) -> None:
        def requests(count: int) -> list[str]:
            names = [f"n{number:03}" for number in range(count)]
            api = cluster(*names)
            audited(api, *names)
            return api.asked

        assert len(requests(5)) == len(requests(60))
        many = requests(60)
        assert len(many) == len(set(many))
        assert not [request for request in many if "/namespaces/n" in request]
        lists = [request for request in many if "limit=" in request]
        # In addition to the kinds of the namespaces: cluster role bindings, nodes, the cluster's image policies, and three kinds of mirror sets.
        assert len(lists) == LISTED + 6

    def test_a_policy_of_a_namespace_that_is_not_audited_can_stop_the_operator(self) -> None:
        """The audited namespaces are listed together, and so the list has the policies of all namespaces."""
        names = [f"n{number}" for number in range(5)]
        api = cluster(*names, "other")
        api.put("images", "", "cluster", spec={"registrySources": {"allowedRegistries": ["q.io"]}})
        api.put("imagepolicies", "other", "p", spec={"scopes": ["x.io"]})
        assert found(audited(api, *names))["verdicts"] == {"pulls": 0, "untested": 0, "will_not_pull": 0, "unknown": 10}
        assert found(audited(api, *names[:1]))["verdicts"] == {
            "pulls": 0,
            "untested": 2,
            "will_not_pull": 0,
            "unknown": 0,
        }

    def test_charts_of_helm_are_left_to_the_server_unless_something_is_searched(self, api: FakeApi) -> None:
        audited(api)
        assert any("type%21%3Dhelm.sh" in request for request in api.asked)
        api.requests.clear()
        audited(api, asked=PullAudit(search=CredentialSearch("canary-1")))
        assert not any("helm" in request for request in api.asked)

    def test_subjects_of_grants_are_looked_up_if_no_list_has_them(self, api: FakeApi) -> None:
        team(api, "b")
        accounts = [account(place, name) for place in ("a", "b") for name in ("default", "gone")]
        grant(api, "a", "more", *accounts, {"kind": "Group", "name": "system:serviceaccounts:no"})
        assert dead_subjects(audited(api)) == [
            "Group system:serviceaccounts:no",
            "ServiceAccount a/gone",
            "ServiceAccount b/gone",
        ]

    def test_a_list_of_the_whole_cluster_shows_accounts_in_all_namespaces(self) -> None:
        names = [f"n{number}" for number in range(6)]
        api = cluster(*names, "other")
        grant(api, "n0", "more", account("other"), account("nowhere"))
        outcome = audited(api, *names)
        assert dead_subjects(outcome) == ["ServiceAccount nowhere/default"]
        assert found(outcome)["counts"]["service_accounts"] == 6
        assert not [request for request in api.asked if "/serviceaccounts/" in request or "/nowhere" in request]

    @pytest.mark.parametrize(("rule", "kind"), [("node-secret-unusable", "Opaque"), ("node-secret-unlinked", PULL)])
    def test_one_rule_about_the_pull_secret_of_the_nodes_reads_it(self, rule: str, kind: str) -> None:
        """The namespace has no pods, so no explanation reads it."""
        api = cluster(group="config.openshift.io")
        api.put("namespaces", "", "a")
        api.put("secrets", "openshift-config", "pull-secret", type=kind, data=content("q.io"))
        assert rules_of(audited(api, asked=PullAudit(rules=(rule,)))) == [rule]

    def test_the_forecast_about_a_release_reads_its_objects(self) -> None:
        """The namespace has no pods, so no explanation reads them."""
        api = cluster(group="config.openshift.io")
        api.put("namespaces", "", "a")
        api.put("clusterversions", "", "version", status={"desired": {"version": "4.21.3"}})
        item = {"source": "quay.io/openshift-release-dev/ocp-v4.0-art-dev", "mirrors": ["m.example.com/ocp"]}
        api.put("imagedigestmirrorsets", "", "release", spec={"imageDigestMirrors": [item]})
        asked = PullAudit(target_version="4.22", rules=("forecast-release-signature",))
        assert rules_of(audited(api, asked=asked)) == [*asked.rules]
        for what in ("/clusterimagepolicies?", "/infrastructures/cluster"):
            assert [request for request in api.asked if what in request], what

    def test_a_forecast_reads_the_nodes_too(self, api: FakeApi) -> None:
        api.put("nodes", "", "n", status={"nodeInfo": {"containerRuntimeVersion": "cri-o://1.33"}})
        api.put("pods", "a", "short", spec={"containers": [{"name": "c", "image": "app"}]})
        document = found(audited(api, asked=PullAudit(target_version="1.37")))
        assert (document["target_version"], document["version"]) == ("1.37", "Kubernetes 1.36.3")
        assert [request for request in api.asked if "/nodes?" in request]

    def test_an_audit_without_a_forecast_reads_no_credential_providers(self, api: FakeApi) -> None:
        audited(api)
        assert not [request for request in api.asked if "criocredential" in request]

    def test_nodes_and_their_settings_are_read_only_for_rules_that_need_them(self, api: FakeApi) -> None:
        api.put("nodes", "", "n", status={"nodeInfo": {"kubeletVersion": "v1.36.0"}})
        audited(api, asked=PullAudit(rules=("link-duplicate",)))
        of_nodes = ("/nodes", "/machineconfigpools", "/kubeletconfigs", "/kubelet-config")
        assert not [request for request in api.asked if any(each in request for each in of_nodes)]
        audited(api)
        counts = [sum(each in request for request in api.asked) for each in of_nodes]
        assert counts == [1, 1, 1, 1]

    def test_the_settings_of_old_nodes_are_not_read(self, api: FakeApi) -> None:
        api.put("nodes", "", "n", status={"nodeInfo": {"kubeletVersion": "v1.32.0"}})
        audited(api)
        assert not [request for request in api.asked if "/kubeletconfigs" in request]

    def test_settings_with_which_kubelets_do_not_start_are_found(self, api: FakeApi) -> None:
        api.put("nodes", "", "n", status={"nodeInfo": {"kubeletVersion": "v1.34.0"}})
        text = "imagePullCredentialsVerificationPolicy: AlwaysVerify"
        api.put("configmaps", "kube-system", "kubelet-config", data={"kubelet": text})
        assert rules_of(audited(api)) == ["verification-stops-kubelet"]

    def test_settings_that_may_not_be_read_are_reported(self, api: FakeApi) -> None:
        api.put("nodes", "", "n", status={"nodeInfo": {"kubeletVersion": "v1.36.0"}})
        api.fail(r"GET .*/kubelet-config", FORBIDDEN, times=ALWAYS)
        assert found(audited(api))["unreadable"] == [
            "kubelet configuration kube-system/kubelet-config could not be read: the caller may not read config map "
            "kube-system/kubelet-config. It may not be known which nodes verify access to images, and which credential providers they have"
        ]

    def test_a_forecast_judges_by_nodes_and_credential_providers(self, api: FakeApi) -> None:
        provider, short = "forecast-credential-provider", "forecast-short-name"
        asked = PullAudit(target_version="1.34", rules=(short,))
        api.put("pods", "a", "short", spec={"containers": [{"name": "c", "image": "team/app"}]})
        assert rules_of(audited(api, asked=asked)) == []
        api.put("nodes", "", "n", status={"nodeInfo": {"containerRuntimeVersion": "cri-o://1.33.0"}})
        api.put("criocredentialproviderconfigs", "", "cluster", spec={"matchImages": ["q.io"]})
        assert rules_of(audited(api, asked=asked)) == [short]
        asked = PullAudit(target_version="5.0", rules=(provider, short))
        assert rules_of(audited(api, asked=asked)) == [provider]

    def test_a_cluster_without_openshift_kinds_is_audited(self, api: FakeApi) -> None:
        api.fail(r"GET /apis/[a-z.]*openshift", NO_KIND, times=ALWAYS)
        document = found(audited(api))
        assert (document["unreadable"], document["findings"]) == ([], [])

    def test_openshift_reports_its_version(self) -> None:
        api = cluster("a", group="config.openshift.io")
        api.put("clusterversions", "", "version", status={"desired": {"version": "4.20.1"}})
        document = found(audited(api))
        assert document["version"] == "OpenShift 4.20.1"
        assert [each["rule"] for each in document["findings"]] == ["account-not-provisioned"]


class TestFile:
    def test_the_document_is_written_to_its_destination(self, api: FakeApi) -> None:
        api.put(
            "serviceaccounts", "a", "default", imagePullSecrets=[{"name": f"gone-{number:03}"} for number in range(120)]
        )
        written: list[Any] = []
        outcome = audited(api, asked=PullAudit(dest="d"), write=written.append)
        assert set(outcome.extra) == {"counts", "verdicts", "unreadable", "top_findings", "dest", "changed"}
        assert (len(outcome.extra["top_findings"]), outcome.extra["counts"]["rules"]["link-dangling"]) == (100, 120)
        assert outcome.extra["top_findings"] == written[0]["clusters"][0]["findings"][:100]


class TestUnreadable:
    @pytest.mark.parametrize("count", [1, 6], ids=["one by one", "over all"])
    @pytest.mark.parametrize(
        ("resource", "what"),
        [
            ("secrets", "secrets"),
            ("serviceaccounts", "service accounts"),
            ("pods", "pods"),
            ("jobs", "workloads"),
            ("rolebindings", "role bindings"),
            ("imagestreams", "image streams"),
            ("buildconfigs", "build configs"),
        ],
    )
    def test_each_unreadable_kind_is_reported_and_not_taken_for_absence(self, resource, what, count) -> None:
        names = [f"n{number}" for number in range(count)]
        api = cluster(*names)
        api.fail(rf"GET .*/{resource}\?", FORBIDDEN, times=ALWAYS)
        outcome = audited(api, *names)
        assert not outcome.has_failed
        document = found(outcome)
        which = "namespace n0" if count == 1 else "all 6 namespaces"
        assert any(
            each.startswith(f"the {what} of {which} could not be read: the caller may not list them")
            for each in document["unreadable"]
        )
        assert {each["rule"] for each in document["findings"]} <= {"credential-in-many-places", "pull-not-known"}

    def test_a_caller_who_may_list_one_project_gets_findings_of_that_project(self) -> None:
        names = [f"n{number}" for number in range(6)]
        api = cluster(*names)
        api.put("serviceaccounts", "n3", "default", imagePullSecrets=[{"name": "gone"}])
        api.fail(r"GET /(api|apis/[^/]+)/[^/]+/(?!namespaces/n3/)", FORBIDDEN, times=ALWAYS)
        document = found(audited(api, *names))
        dangling = [each for each in document["findings"] if each["rule"] == "link-dangling"]
        assert [each["namespace"] for each in dangling] == ["n3"]
        assert any("namespaces n0, n1, n2, n4, n5 could not be read" in each for each in document["unreadable"])

    def test_a_cluster_that_fails_while_its_version_is_read_ends_the_audit(self, api: FakeApi) -> None:
        answer_instead(api, "/version", status_object(401, "Unauthorized", "no"))
        assert audited(api).stopped.startswith("reading /version on https://api.example.com:6443 was refused: 401 no.")

    def test_an_error_of_a_list_is_reported_with_its_words(self, api: FakeApi) -> None:
        team(api, "b")
        api.fail(r"GET .*/secrets\?", status_object(400, "BadRequest", "not so"), times=ALWAYS)
        assert any("not so" in each for each in found(audited(api))["unreadable"])

    @pytest.mark.parametrize(
        ("answer", "why"), [(FORBIDDEN, "the caller may not list them"), (status_object(500, "Odd", "odd"), "listing ")]
    )
    def test_unreadable_cluster_role_bindings_are_reported(self, api: FakeApi, answer: Answer, why: str) -> None:
        api.fail("clusterrolebindings", answer, times=ALWAYS)
        answer_instead(api, "/version", FORBIDDEN)
        document = found(audited(api))
        (sentence,) = document["unreadable"]
        assert document["version"] == ""
        assert sentence.startswith(f"the cluster role bindings could not be read: {why}")
        assert sentence.endswith(". It is not known who may pull from all projects")

    @pytest.mark.parametrize(
        ("answer", "why"), [(FORBIDDEN, "the caller may not read it"), (status_object(500, "Odd", "odd"), "reading ")]
    )
    def test_an_unreadable_subject_of_a_grant_is_reported(self, api: FakeApi, answer: Answer, why: str) -> None:
        grant(api, "a", "more", account("b", "x"))
        api.fail(r"serviceaccounts/x$", answer, times=ALWAYS)
        document = found(audited(api))
        assert document["findings"] == []
        (sentence,) = document["unreadable"]
        assert sentence.startswith(f"service account b/x could not be read: {why}")
        assert sentence.endswith(". It is not known whether a grant to it is dead")

    def test_credential_providers_of_one_readable_version_are_enough(self, api: FakeApi) -> None:
        """A version that the caller cannot list does not matter if another version has the information."""
        asked = PullAudit(target_version="5.0", rules=("forecast-credential-provider",))
        api.fail("criocredentialproviderconfigs", FORBIDDEN)
        assert found(audited(api, asked=asked))["unreadable"] == []
        api.fail("criocredentialproviderconfigs", FORBIDDEN, times=ALWAYS)
        (sentence,) = found(audited(api, asked=asked))["unreadable"]
        assert sentence.startswith("the credential provider configs could not be read: the caller may not list them. ")

    def test_an_unknown_kind_of_cluster_is_reported(self, api: FakeApi) -> None:
        answer_instead(api, "/apis", FORBIDDEN)
        document = found(audited(api))
        assert document["findings"] == []
        assert (
            "it is not known whether this cluster generates pull secrets. Not applied: account-not-provisioned"
            in document["unreadable"]
        )

    def test_nodes_that_may_not_be_listed_are_reported(self, api: FakeApi) -> None:
        api.fail(r"GET /api/v1/nodes", FORBIDDEN, times=ALWAYS)
        asked = PullAudit(target_version="1.34", rules=("forecast-short-name",))
        (sentence,) = found(audited(api, asked=asked))["unreadable"]
        assert sentence == "the nodes could not be read: the caller may not list them. Not applied: forecast-short-name"

    def test_an_unreadable_config_of_the_registry_is_reported(self, api: FakeApi) -> None:
        names = ("config.openshift.io", "imageregistry.operator.openshift.io")
        answer_instead(api, "/apis", Answer(200, {"groups": [{"name": name} for name in names]}))
        api.fail("imageregistry.operator", FORBIDDEN, times=ALWAYS)
        asked = PullAudit(target_version="5.0", rules=("forecast-registry-removed",))
        (sentence,) = [
            each for each in found(audited(api, asked=asked))["unreadable"] if "image registry config" in each
        ]
        assert sentence.startswith("image registry config cluster could not be read: ")
        assert sentence.endswith(". Not applied: forecast-registry-removed")

    def test_openshift_without_a_readable_version_is_reported(self) -> None:
        """An object that does not exist here states whether the cluster generates pull secrets."""
        document = found(audited(cluster("a", group="config.openshift.io")))
        assert document["findings"] == []
        assert (
            "it is not known whether this cluster generates pull secrets. Not applied: account-not-provisioned"
            in document["unreadable"]
        )

    def test_a_cluster_that_fails_stops_the_task(self, api: FakeApi) -> None:
        api.fail("GET .*/pods", status_object(401, "Unauthorized", "no"), times=ALWAYS)
        outcome = audited(api)
        assert outcome.stopped
        assert outcome.extra == {}


RESOURCES = (
    "pods", "secrets", "serviceaccounts", "deployments", "rolebindings", "imagestreams", "buildconfigs", "nodes", "clusterrolebindings",
    "criocredentialproviderconfigs", "machineconfigpools", "kubeletconfigs", "configmaps",
)  # fmt: skip


@given(st.lists(st.tuples(st.sampled_from(RESOURCES), CHANGES), min_size=1, max_size=4))
def test_arbitrary_objects_cause_no_internal_error(changes: list[tuple[str, Changed]]) -> None:
    api = cluster("a")
    api.put(
        "nodes",
        "",
        "n",
        status={"nodeInfo": {"containerRuntimeVersion": "cri-o://1.35.1", "kubeletVersion": "v1.35.0"}},
    )
    settings = {"imagePullCredentialsVerificationPolicy": "NeverVerifyAllowlistedImages"}
    listed = {**settings, "preloadedImagesVerificationAllowlist": ["q.io/*"]}
    in_pool = node_in("worker", name="m", kubelet="v1.36.0")
    api.put("nodes", "", "m", **{key: in_pool[key] for key in ("metadata", "status")})
    for resource, made in (
        ("machineconfigpools", node_pool("worker")),
        ("kubeletconfigs", kubelet_config("k", "worker", listed)),
    ):
        api.put(resource, "", made["metadata"]["name"], **made)
    api.put("configmaps", "kube-system", "kubelet-config", data={"kubelet": json.dumps(settings)})
    role = {"kind": "ClusterRole", "name": "system:image-puller"}
    api.put(
        "clusterrolebindings", "", "wide", roleRef=role, subjects=[{"kind": "Group", "name": "system:authenticated"}]
    )
    api.put("criocredentialproviderconfigs", "", "cluster", spec={"matchImages": ["q.io"]})
    for resource, change in changes:
        for key, stored in list(api.objects.items()):
            if key[0] == resource:
                changed = change(json.loads(json.dumps(stored)))
                api.objects[key] = {
                    **(changed if isinstance(changed, dict) else {}),
                    "metadata": _named(changed, stored),
                }
    asked = PullAudit(target_version="5.0", search=CredentialSearch("canary-1"))
    document = found(audited(api, asked=asked))
    json.dumps(document, allow_nan=False)
    assert not [each for each in document["unreadable"] if "internal error" in each]


class TestSearch:
    """A credential is also searched for in the namespaces in which OpenShift keeps logins of administrators."""

    ASKED = PullAudit(rules=("credential-found", "secret-unused"), search=CredentialSearch("canary-1"))
    PLACES = ("kube-system", "openshift-config", "openshift-machine-config-operator")

    @pytest.fixture
    def api(self) -> FakeApi:
        return cluster("a", group="config.openshift.io")

    def searched(self, api: FakeApi, *names: str, asked: PullAudit = ASKED) -> tuple[list[str], list[str]]:
        api.put("clusterversions", "", "version", status={"desired": {"version": "4.22.1"}})
        for name in self.PLACES:
            api.put("namespaces", "", name)
            api.put("secrets", name, "push", type="kubernetes.io/dockerconfigjson", data=content("q.io"))
        api.put("machineosconfigs", "", "worker", spec={"renderedImagePushSecret": {"name": "push"}})
        document = found(audited(api, *names, asked=asked))
        messages = [each["message"] for each in document["findings"] if each["namespace"] != "a"]
        return messages, document["unreadable"]

    def test_platform_namespaces_are_searched_although_they_are_not_audited(self, api: FakeApi) -> None:
        messages, unreadable = self.searched(api)
        begin = "the searched credential is in secret"
        assert messages == [
            f"{begin} kube-system/push, at q.io",
            f"{begin} openshift-config/push, at q.io",
            f"{begin} openshift-machine-config-operator/push, at q.io. secret openshift-machine-config-operator/push is renderedImagePushSecret "
            "of machine OS config worker, and a wrong login shows at the next build of a node image",
        ]
        assert unreadable == []

    def test_an_audited_namespace_is_searched_once(self, api: FakeApi) -> None:
        messages, _unreadable = self.searched(api, "a", *self.PLACES)
        assert len([message for message in messages if "searched credential" in message]) == 3

    @pytest.mark.parametrize("rule", ["credential-found", "credential-in-many-places"])
    def test_each_rule_about_places_names_the_builds_of_a_secret(self, api: FakeApi, rule: str) -> None:
        messages, _unreadable = self.searched(
            api, *self.PLACES, asked=PullAudit(rules=(rule,), search=self.ASKED.search)
        )
        assert "is renderedImagePushSecret of machine OS config worker" in "".join(messages)

    def test_a_namespace_that_cannot_be_searched_is_reported(self, api: FakeApi) -> None:
        api.fail("namespaces/openshift-config/secrets", FORBIDDEN, times=ALWAYS)
        messages, unreadable = self.searched(api)
        assert len(messages) == 2
        assert (
            "the secrets of namespace openshift-config could not be read: the caller may not list them. The credential was not searched for there"
            in (unreadable)
        )

    @pytest.mark.parametrize("asked", [PullAudit(), PullAudit(rules=("secret-unused",), search=ASKED.search)])
    def test_without_a_search_they_are_not_read(self, api: FakeApi, asked: PullAudit) -> None:
        self.searched(api, asked=asked)
        assert not [request for request in api.asked if "namespaces/kube-system/secrets" in request]

    def test_other_clusters_have_no_such_namespaces(self) -> None:
        api = cluster("a")
        audited(api, asked=self.ASKED)
        assert not [request for request in api.asked if "namespaces/kube-system/secrets" in request]


def _named(changed: Any, stored: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata that the client guarantees: a name, and a namespace."""
    meta = changed.get("metadata") if isinstance(changed, dict) else None
    own = {name: stored["metadata"][name] for name in ("name", "namespace") if name in stored["metadata"]}
    return {**(meta if isinstance(meta, dict) else {}), **own}


@pytest.mark.parametrize(
    ("auths", "beside"),
    [
        ({"u:canary-2@q.io": AUTH}, {"HttpHeaders": {"a": 1}}),
        ({"u:canary-2@q.io": {"auth": 1}, "v:canary-2@q.io": AUTH}, {}),
        ({"canary-2@registry/path": AUTH}, {}),
        ({"https://q.io/?token=canary-2": AUTH}, {}),
        ({"q.io/a?token=canary-2": AUTH, "q.io": AUTH}, {}),
        ({"q.io#canary-2": AUTH}, {}),
    ],
)
def test_a_credential_in_a_key_is_nowhere_in_the_document(
    api: FakeApi, auths: dict[str, Any], beside: dict[str, Any]
) -> None:
    data = {".dockerconfigjson": b64(json.dumps({"auths": auths, **beside}))}
    api.put("secrets", "a", "pull", type="kubernetes.io/dockerconfigjson", data=data)
    document = json.dumps(audited(api).extra)
    assert '"rule": "secret-' in document
    assert "canary-2" not in document
