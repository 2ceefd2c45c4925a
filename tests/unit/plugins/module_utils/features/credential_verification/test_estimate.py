# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estimate counts the pulls of a node's restart, and names the pods that have no login for their image."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    Lookup,
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.credential_verification.estimate import (
    estimate_pulls,
    repositories_of,
    trim_pod_images,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import CRIO_PROVIDER
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    VerificationPolicy,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.kubelet_settings import (
    KUBELET_FILE,
    POOLS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import NodeVersions
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.node_configs import pool
from support.pull_evidence import AUTH, GOOD, secret

ALWAYS = VerificationPolicy("AlwaysVerify")
NEW = NodeVersions("new", (1, 36), "cri-o", (1, 36, 0))
BROKEN = NodeVersions("broken", (1, 35), "cri-o", (1, 35, 1))
OLD = NodeVersions("old", (1, 34), "cri-o", (1, 34, 1))
IMAGE = "q.io/team/app:v1"


def pod(name: str, *own: str, image: str = IMAGE, node: str = "new", **more: Any) -> dict[str, Any]:
    container = {
        "name": "app",
        "image": image,
        "imagePullPolicy": more.pop("policy", "IfNotPresent"),
        "env": [{"name": "A"}],
    }
    spec = {"nodeName": node, "imagePullSecrets": [{"name": each} for each in own], "containers": [container], **more}
    return {"metadata": {"name": name, "namespace": "ns"}, "spec": spec, "status": {"phase": "Running"}}


DIGEST_SETS, TAG_SETS, _OLD_SETS = (ObjectRef(kind, "", "") for kind in MIRROR_KINDS)
#: A cluster without mirrors and machine configs.
NOTHING = {
    NODE_SECRET: None,
    IMAGE_CONFIG: None,
    **dict.fromkeys((DIGEST_SETS, TAG_SETS, _OLD_SETS, *CRIO_PROVIDER, POOLS)),
}


def lookup(**secrets: Any) -> Lookup:
    known = {ObjectRef(SECRET, "ns", name): value for name, value in secrets.items()}
    return Lookup({**NOTHING, **known})


def mirrored(*mirrors: str, policy: str = "AllowContactingSource", **more: Any) -> Lookup:
    """Return a cluster whose nodes pull tags of q.io/team at the mirrors. `more`: other objects, by name of a constant."""
    item = {"source": "q.io/team", "mirrors": [*mirrors], "mirrorSourcePolicy": policy}
    sets = {"items": [{"metadata": {"name": "m"}, "spec": {"imageTagMirrors": [item]}}]}
    names = {
        "nodes": NODE_SECRET,
        "provider": CRIO_PROVIDER[0],
        "own": ObjectRef(SECRET, "ns", "s"),
        "digests": DIGEST_SETS,
        "config": IMAGE_CONFIG,
    }
    return Lookup({**NOTHING, TAG_SETS: sets, **{names[name]: value for name, value in more.items()}})


def estimated(
    *pods: dict[str, Any], policy: VerificationPolicy = ALWAYS, nodes: Any = (NEW,), **secrets: Any
) -> dict[str, Any]:
    return estimate_pulls(nodes, [trim_pod_images(each) for each in pods], policy, lookup(**secrets))


def row(found: dict[str, Any], image: str = IMAGE) -> dict[str, Any]:
    (only,) = (each for each in found["images"] if each["image"] == image)
    return dict(only)


def test_an_image_is_pulled_once_for_each_node_and_list_of_secrets() -> None:
    pods = [pod("a", "s"), pod("b", "s"), pod("c"), pod("d", "s", node="second")]
    found = estimated(*pods, nodes=[NEW, NodeVersions("second", (1, 36), "cri-o", (1, 36, 0))], s=GOOD)
    assert (found["pulls"], found["registries"]) == (3, [{"registry": "q.io", "pulls": 3}])
    assert found["busiest_node"] == {"name": "new", "pulls": 2}


def test_a_runtime_whose_records_are_never_found_pulls_at_each_start() -> None:
    pods = [pod("a", "s", node="broken"), pod("b", "s", node="broken")]
    found = estimated(*pods, nodes=[BROKEN], s=GOOD)
    assert (found["pulls"], row(found)["asks"]) == (2, "each_start")
    assert found["nodes"] == [{"kubelet": "1.35", "runtime": "cri-o 1.35.1", "effect": "always_asks", "nodes": 1}]


@pytest.mark.parametrize(
    ("node", "policy", "effect", "asks", "pulls"),
    [
        (NEW, ALWAYS, "verifies", "once", 1),
        (NEW, VerificationPolicy("NeverVerify"), "verifies_nothing", "never", 0),
        (NEW, VerificationPolicy("NeverVerifyAllowlistedImages", ("q.io/team/app",)), "verifies", "never", 0),
        (NEW, VerificationPolicy("NeverVerifyAllowlistedImages", ("q.io/other/*",)), "verifies", "once", 1),
        (BROKEN, VerificationPolicy(), "verifies_nothing", "never", 0),
        (OLD, VerificationPolicy(), "verifies_nothing", "never", 0),
        (NodeVersions("n", None, "", None), ALWAYS, "unknown", "once", 1),
    ],
)
def test_the_policy_and_the_versions_decide(
    node: NodeVersions, policy: VerificationPolicy, effect: str, asks: str, pulls: int
) -> None:
    found = estimated(pod("a", "s", node=node.name), policy=policy, nodes=[node], s=GOOD)
    assert (found["nodes"][0]["effect"], row(found)["asks"], found["pulls"]) == (effect, asks, pulls)


def test_pull_policy_always_pulls_at_each_start_whatever_the_policy_is() -> None:
    found = estimated(pod("a", policy="Always"), pod("b", policy="Always"), policy=VerificationPolicy("NeverVerify"))
    assert (row(found)["asks"], row(found)["without_login_total"], found["pulls"]) == ("always", 0, 2)


class TestLogins:
    def test_pods_without_a_login_are_named(self) -> None:
        found = row(estimated(pod("a", "s"), pod("b"), pod("c", "other"), s=GOOD, other=secret({"x.io": AUTH})))
        assert (found["logins"], found["without_login"], found["pods"]) == (["none", "pod"], ["ns/b", "ns/c"], 3)

    def test_the_nodes_own_login_counts(self) -> None:
        found = estimate_pulls([NEW], [pod("a")], ALWAYS, Lookup({**NOTHING, NODE_SECRET: GOOD}))
        assert (row(found)["logins"], row(found)["without_login"]) == (["nodes"], [])

    def test_a_secret_that_cannot_be_read_is_unknown_and_not_missing(self) -> None:
        found = row(estimated(pod("a", "s"), s=UnreadableObject("no")))
        assert (found["logins"], found["without_login"]) == (["unknown"], [])

    @pytest.mark.parametrize("host", ["1.dkr.ecr.eu-west-1.amazonaws.com", "team.azurecr.io", "gcr.io"])
    def test_the_provider_of_a_cloud_may_have_the_login(self, host: str) -> None:
        found = row(estimated(pod("a", image=f"{host}/app")), f"{host}/app")
        assert (found["logins"], found["without_login"]) == (["unknown"], [])

    def test_all_secrets_are_requested_at_once(self) -> None:
        evidence = Lookup()
        with pytest.raises(ReadRequired):
            estimate_pulls([NEW], [pod("a", "s"), pod("b", "t")], ALWAYS, evidence)
        assert {ref.name for ref in evidence.take_wanted()} >= {"s", "t"}

    def test_at_most_ten_pods_are_named(self) -> None:
        found = row(estimated(*(pod(f"p{number}") for number in range(12))))
        assert (len(found["without_login"]), found["without_login_total"]) == (10, 12)


class TestMirrors:
    """CRI-O asks the mirrors first, with a login of the nodes. A login of the pod is for the host of the source."""

    def found(self, evidence: Lookup, *own: str) -> dict[str, Any]:
        return estimate_pulls([NEW], [pod("a", *own)], ALWAYS, evidence)

    def test_pulls_count_at_the_registry_that_is_asked_first(self) -> None:
        found = self.found(mirrored("m.io/team", "n.io/team"))
        assert (found["registries"], row(found)["registry"]) == ([{"registry": "m.io", "pulls": 1}], "m.io")

    def test_a_blocked_source_without_a_mirror_for_tags_gets_no_pull(self) -> None:
        item = {"source": "q.io/team", "mirrors": ["m.io/team"], "mirrorSourcePolicy": "NeverContactSource"}
        digests = {"items": [{"metadata": {"name": "m"}, "spec": {"imageDigestMirrors": [item]}}]}
        found = self.found(mirrored(digests=digests))
        assert (found["registries"], found["pulls"], row(found)["registry"]) == ([], 0, "")

    @pytest.mark.parametrize(
        ("mirror", "policy", "more", "own", "login"),
        [
            ("m.io/team", "NeverContactSource", {"own": GOOD}, ["s"], "none"),
            ("m.io/team", "AllowContactingSource", {"own": GOOD}, ["s"], "pod"),
            ("q.io/copy", "NeverContactSource", {"own": GOOD}, ["s"], "pod"),
            ("m.io/team", "NeverContactSource", {"nodes": secret({"m.io": AUTH})}, [], "nodes"),
            ("m.io/team", "NeverContactSource", {"nodes": GOOD}, [], "none"),
            ("m.io/team", "NeverContactSource", {"nodes": UnreadableObject("no")}, [], "unknown"),
        ],
    )
    def test_the_login_is_that_of_a_registry_that_is_asked(
        self, mirror: str, policy: str, more: dict[str, Any], own: list[str], login: str
    ) -> None:
        found = row(self.found(mirrored(mirror, policy=policy, **more), *own))
        assert (found["logins"], found["without_login_total"]) == ([login], int(login == "none"))

    @pytest.mark.parametrize(
        ("provider", "login"),
        [
            ({"spec": {"matchImages": ["q.io"]}}, "unknown"),
            (UnreadableObject("no"), "unknown"),
            ({"spec": {"matchImages": ["x.io"]}}, "none"),
        ],
    )
    def test_the_login_that_a_provider_may_find_is_unknown(self, provider: Any, login: str) -> None:
        assert row(self.found(mirrored("m.io/team", provider=provider)))["logins"] == [login]

    @pytest.mark.parametrize("unread", ["digests", "config"])
    def test_a_mirror_set_that_cannot_be_read_makes_a_missing_login_unknown(self, unread: str) -> None:
        evidence = mirrored("m.io/team", **{unread: UnreadableObject("no")})
        assert row(self.found(evidence))["logins"] == ["unknown"]


class TestKubeletProviders:
    """The rendered configuration of a pool shows the providers of its kubelets. One of them may give a login that no secret has."""

    OF_KUBELET: ClassVar = {"name": "p", "matchImages": ["q.io"]}
    OF_CRIO: ClassVar = {"name": "crio-credential-provider", "matchImages": ["q.io"]}
    FILE = ObjectRef(KUBELET_FILE, "", "rendered-worker")

    def found(self, settings: Any, evidence: Lookup, *own: str) -> dict[str, Any]:
        worker = {**pool("worker"), "status": {"machineCount": 1, "configuration": {"name": self.FILE.name}}}
        evidence.add({POOLS: {"items": [worker]}, self.FILE: settings})
        return row(estimate_pulls([NEW], [pod("a", *own)], ALWAYS, evidence))

    @pytest.mark.parametrize(
        ("settings", "login"),
        [
            ({"credentialProviders": [OF_KUBELET]}, "unknown"),
            ({"credentialProviders": None}, "unknown"),
            (UnreadableObject("no"), "unknown"),
            ({"credentialProviders": [{**OF_KUBELET, "matchImages": ["x.io"]}]}, "none"),
            ({"credentialProviders": [OF_CRIO]}, "none"),
            ({"credentialProviders": []}, "none"),
            ({}, "none"),
            (None, "none"),
        ],
    )
    def test_the_login_that_a_provider_may_give_is_unknown(self, settings: Any, login: str) -> None:
        found = self.found(settings, lookup())
        assert (found["logins"], found["without_login_total"]) == ([login], int(login == "none"))

    @pytest.mark.parametrize(
        ("policy", "provider", "login"),
        [
            ("AllowContactingSource", OF_KUBELET, "unknown"),
            ("NeverContactSource", OF_KUBELET, "none"),
            ("NeverContactSource", OF_CRIO, "unknown"),
        ],
    )
    def test_only_the_provider_of_crio_gives_logins_for_a_mirror(self, policy: str, provider: Any, login: str) -> None:
        found = self.found({"credentialProviders": [provider]}, mirrored("m.io/team", policy=policy))
        assert found["logins"] == [login]

    def test_the_configurations_are_read_only_for_an_image_without_a_login(self) -> None:
        evidence = Lookup({ref: each for ref, each in NOTHING.items() if ref != POOLS})
        evidence.add({ObjectRef(SECRET, "ns", "s"): GOOD})
        assert row(estimate_pulls([NEW], [pod("a", "s")], ALWAYS, evidence))["logins"] == ["pod"]
        with pytest.raises(ReadRequired):
            estimate_pulls([NEW], [pod("a", "s"), pod("b")], ALWAYS, evidence)
        assert evidence.take_wanted() == [POOLS]


class TestPullPolicyNever:
    """The kubelet does not pull such an image. If it would have to ask the registry, it refuses the container (ErrImageNeverPull)."""

    def test_the_pod_may_be_refused_and_causes_no_pull(self) -> None:
        found = estimated(pod("a", policy="Never"), pod("b", "s", policy="Never"), s=GOOD)
        assert (found["pulls"], found["busiest_node"]["name"], row(found)["asks"]) == (0, "", "never")
        assert (row(found)["refused"], row(found)["refused_total"]) == (["ns/a", "ns/b"], 2)
        assert row(found)["without_login"] == []

    def test_an_exempted_image_is_not_refused(self) -> None:
        found = estimated(pod("a", policy="Never"), policy=VerificationPolicy("NeverVerify"))
        assert row(found)["refused_total"] == 0

    def test_other_pods_of_the_image_ask(self) -> None:
        found = estimated(pod("a", policy="Never"), pod("b"))
        assert (row(found)["asks"], row(found)["refused"], row(found)["without_login"]) == ("once", ["ns/a"], ["ns/b"])


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_ended_pods_and_other_nodes_and_odd_objects_do_not_count(phase: str) -> None:
    ended = {**pod("a"), "status": {"phase": phase}}
    odd: list[Any] = [
        {},
        {"spec": None},
        {"metadata": [], "spec": {"nodeName": "new", "containers": [None, {"image": 3}, {"image": "A B"}]}},
    ]
    found = estimated(ended, pod("b", node="master"), *odd)
    assert (found["images"], found["pulls"], found["busiest_node"]) == ([], 0, {"name": "", "pulls": 0})


def test_image_volumes_count() -> None:
    volumes = [{"name": "v", "image": {"reference": "q.io/data:v1", "pullPolicy": "IfNotPresent"}}]
    assert row(estimated(pod("a", volumes=volumes)), "q.io/data:v1")["pods"] == 1


def test_only_images_of_trusted_namespaces_become_entries() -> None:
    pods = [
        pod("a"),
        pod("b", image="nginx@sha256:" + 64 * "0"),
        {**pod("c", image="x.io/evil"), "metadata": {"namespace": "team"}},
    ]
    assert repositories_of(pods, NamespaceSelector(include=("ns",), system=True)) == ["nginx", "q.io/team/app"]
