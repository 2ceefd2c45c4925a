# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report failed imports of image streams, images of a removed registry, and images without a required signature."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import (
    ReadRequired,
    UnreadableObject,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    ClusterSnapshot,
    ImageSignature,
    SignedImage,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.sources import (
    RegistrySignatures,
    RequiredSignature,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import Audit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import (
    Finding,
    PullAudit,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_images import (
    IMAGE_UNSIGNED,
    answer_of,
    share_evenly,
    signed_images,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    SIGNATURE_QUESTION,
    RegistryAccess,
    SignatureQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    SignatureRequirement,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import REGISTRY_CONFIG
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import SUBJECT_ACCESS_REVIEW
from hypothesis import given
from hypothesis import strategies as st
from support.surveyed import auth, deployment, found_by, place, pod, replica_set, secret, stream, survey

NO_LOGIN = (
    'you may not have access to the container image "q.io/team/app:v1" and did not have credentials to the repository'
)
REFUSED = 'incorrect username or password for image "q.io/team/app:v1"'


def written_names(found):
    """Return the secrets that the fix writes. The last task of the fix is the import."""
    *written, imported = found.fix
    assert imported["openshift_ops.image_pull.image_stream_import"] == {"namespaces": ["a"], "streams": ["app"]}
    return [task["openshift_ops.image_pull.pull_secret"]["name"] for task in written]


class TestFails:
    def test_a_failed_import_without_a_login_is_fixed_with_a_new_secret(self):
        (found,) = found_by("stream-import-fails", place(streams=[stream(why=NO_LOGIN)]))
        assert found.message.startswith("tag v1 of image stream a/app cannot be imported: you may not have access")
        assert (found.location, written_names(found)) == ("v1", ["import-q-io"])

    @pytest.mark.parametrize("why", [NO_LOGIN, "manifest unknown"])
    def test_a_failure_that_no_task_can_fix_has_no_fix(self, why):
        seen = place(secrets=[secret("s")] if why == NO_LOGIN else [], streams=[stream(why=why)])
        assert [found.fix for found in found_by("stream-import-fails", seen)] == [[]]

    def test_a_credential_in_the_message_is_not_shown(self):
        (found,) = found_by(
            "stream-import-fails", place(streams=[stream(why="https://u:canary@q.io/v2/?x=canary: no")])
        )
        assert "canary" not in str(found.report())

    @pytest.mark.parametrize("seen", [stream(), stream(why=REFUSED)], ids=["imported", "a refused login"])
    def test_a_successful_import_or_a_refused_login_is_not_reported(self, seen):
        assert found_by("stream-import-fails", place(streams=[seen])) == []


class TestStaleSecret:
    def test_the_single_login_is_named(self):
        seen = place(secrets=[secret("s"), secret("t", {"other.io": auth()})], streams=[stream(why=REFUSED)])
        (found,) = found_by("stream-import-stale-secret", seen)
        assert found.message.endswith("(the import uses the login of secret s with key q.io)")
        assert written_names(found) == ["s"]

    def test_several_possible_logins_are_all_named(self):
        seen = place(secrets=[secret("s"), secret("t", {"q.io/team": auth("b")})], streams=[stream(why=REFUSED)])
        (found,) = found_by("stream-import-stale-secret", seen)
        assert (
            "(the import uses only the first of these logins: secret s with key q.io, secret t with key q.io/team)"
            in found.message
        )
        assert written_names(found) == ["s", "t"]

    @pytest.mark.parametrize("seen", [stream(), stream(why=NO_LOGIN)], ids=["imported", "no login"])
    def test_a_successful_import_or_a_missing_login_is_not_reported(self, seen):
        assert found_by("stream-import-stale-secret", place(streams=[seen])) == []

    def test_an_unknown_image_has_no_fix(self):
        (found,) = found_by("stream-import-stale-secret", place(streams=[{**stream(why=REFUSED), "spec": None}]))
        assert found.fix == []


RULE = "forecast-registry-removed"
SERVICE = "image-registry.openshift-image-registry.svc:5000"
REMOVED = {"spec": {"managementState": "Removed"}}


def removed_by(seen: Any, state: Any = ..., target: str | None = "4.22", **more: Any) -> list[Finding]:
    of_project_b = {
        ObjectRef(SUBJECT_ACCESS_REVIEW, "b", "a/default"): {"allowed": True},
        ObjectRef(IMAGE_STREAM, "b", "app"): None,
    }
    whole = survey(seen, is_openshift=True, objects=of_project_b, **more)
    whole.evidence.add({REGISTRY_CONFIG: REMOVED if state is ... else state})
    return found_by(RULE, whole, target_version=target)


def with_policy(kind: Any) -> dict[str, Any]:
    found = stream()
    found["spec"]["tags"][0]["referencePolicy"] = {"type": kind}
    return found


@pytest.mark.parametrize(
    "host", [SERVICE, SERVICE.replace(":", ".cluster.local:"), "registry.internal", "default-route.example.com"]
)
def test_an_image_of_the_registry_is_reported_by_each_of_its_names(host: str) -> None:
    status = {
        "internalRegistryHostname": "registry.internal",
        "externalRegistryHostnames": ["default-route.example.com"],
    }
    (found,) = removed_by(place(pods=[pod(image=f"{host}/b/app:v1")]), config={"status": status})
    assert (found.location, found.effective_severity) == ("c", "warning")
    assert (
        found.message
        == f"pod a/app has image {host}/b/app:v1 of the integrated registry, whose images are deleted with it"
    )


DEFAULT_ROUTE = "default-route-openshift-image-registry.apps.example.com"
OF_THE_REGISTRY = " of the integrated registry, whose images are deleted with it"
MAYBE = ", whose host is the default route of an integrated registry: if it is the one of this cluster, its images are deleted with it"


@pytest.mark.parametrize(
    ("host", "config", "text"),
    [
        ("registry.example.com", {"spec": {"externalRegistryHostnames": ["registry.example.com"]}}, OF_THE_REGISTRY),
        (DEFAULT_ROUTE, {"status": {"externalRegistryHostnames": [DEFAULT_ROUTE]}}, OF_THE_REGISTRY),
        (DEFAULT_ROUTE, {"status": {}}, MAYBE),
        (DEFAULT_ROUTE, UnreadableObject("no"), MAYBE),
    ],
)
def test_a_route_is_reported_after_the_operator_has_removed_it(host: str, config: Any, text: str) -> None:
    (found,) = removed_by(place(pods=[pod(image=f"{host}/b/app:v1")]), config=config)
    assert found.message == f"pod a/app has image {host}/b/app:v1{text}"


@pytest.mark.parametrize("host", ["default-route-openshift-image-registry.other.example.com", "x" + DEFAULT_ROUTE])
def test_a_route_of_another_cluster_is_not_reported(host: str) -> None:
    status = {"externalRegistryHostnames": [DEFAULT_ROUTE]}
    assert removed_by(place(pods=[pod(image=f"{host}/b/app:v1")]), config={"status": status}) == []


def test_an_image_volume_is_reported_by_its_name() -> None:
    volumes = [{"name": "data", "image": {"reference": f"{SERVICE}/b/app:v1"}}]
    (found,) = removed_by(place(pods=[pod(volumes=volumes)]))
    assert found.location == "volume data"


def test_a_template_is_reported_and_not_its_pods() -> None:
    image = f"{SERVICE}/b/app:v1"
    seen = place(workloads=[deployment(image=image), replica_set(image=image)], pods=[pod(image=image, made=True)])
    assert [found.ref.kind.kind for found in removed_by(seen)] == ["Deployment"]


def test_other_images_are_not_reported() -> None:
    assert removed_by(place(pods=[pod()])) == []


@pytest.mark.parametrize(("policy", "count"), [("Local", 1), ("Source", 0), (None, 0), ({}, 0)], ids=str)
def test_a_stream_whose_tags_are_pulled_through_the_registry_is_reported(policy: Any, count: int) -> None:
    found = removed_by(place(streams=[with_policy(policy)]))
    assert len(found) == count
    assert all("image stream a/app has referencePolicy Local for tags v1:" in each.message for each in found)


@pytest.mark.parametrize(
    "state", [None, {}, {"spec": {"managementState": "Managed"}}, {"spec": []}, UnreadableObject("no")]
)
def test_a_registry_that_stays_is_not_reported(state: Any) -> None:
    assert removed_by(place(pods=[pod(image=f"{SERVICE}/b/app:v1")], streams=[with_policy("Local")]), state) == []


def test_it_is_a_forecast() -> None:
    assert removed_by(place(pods=[pod(image=f"{SERVICE}/b/app:v1")]), target=None) == []


def build(kind: str = "ImageStreamTag", **to: Any) -> dict[str, Any]:
    spec = {"output": {"to": {"kind": kind, "name": "app:v1", **to}}}
    return {"metadata": {"name": "app"}, "spec": spec}


class TestBuilds:
    def test_a_build_that_pushes_to_the_registry_is_reported(self) -> None:
        (found,) = removed_by(place(builds=[build()]))
        assert (str(found.ref), found.location) == ("build config a/app", "output")
        assert found.message == (
            "build config a/app pushes to image stream tag a/app:v1 of the integrated registry: its builds fail without it"
        )

    def test_the_stream_can_be_in_another_namespace(self) -> None:
        (found,) = removed_by(place(builds=[build(namespace="b")]))
        assert "image stream tag b/app:v1" in found.message

    @pytest.mark.parametrize("other", [build("DockerImage"), {"metadata": {"name": "app"}, "spec": {}}, {}])
    def test_an_external_output_is_not_reported(self, other: Any) -> None:
        assert removed_by(place(builds=[other])) == []

    def test_a_stream_of_an_external_repository_is_not_reported(self) -> None:
        external = stream(dockerImageRepository="q.io/team/app")
        assert removed_by(place(builds=[build()], streams=[external])) == []


class TestCompanionTokens:
    """A generated pull secret of before 4.16 has a token in a secret of its own. The platform deletes both."""

    CREATED = {"kubernetes.io/created-by": "openshift.io/create-dockercfg-secrets"}

    def found(self, *, mounted: str = "app-token-1", created: Any = None, named: str = "app-token-1") -> list[Finding]:
        pull = secret("app-dockercfg-1", generated=True)
        pull["metadata"]["annotations"] = {"openshift.io/token-secret.name": named}
        token = {
            "metadata": {"name": "app-token-1", "annotations": self.CREATED if created is None else created},
            "type": "kubernetes.io/service-account-token",
        }
        user = pod(volumes=[{"name": "t", "secret": {"secretName": mounted}}])
        return removed_by(place(secrets=[pull, token], pods=[user]))

    def test_a_token_that_a_pod_uses_is_reported(self) -> None:
        (found,) = self.found()
        assert (str(found.ref), found.message) == (
            "secret a/app-token-1",
            "secret a/app-token-1, which pod a/app uses, is deleted together with the generated pull secret app-dockercfg-1, as soon as no pod "
            "lists that",
        )

    def test_other_secrets_are_not_reported(self) -> None:
        assert self.found(mounted="other") == []
        assert self.found(created={}) == []
        assert self.found(named="gone") == []


ASKED = RegistryAccess()
MISSING = RegistrySignatures(True, "registry q.io has no signature of q.io/app:v1 that nodes read")


def signature(
    found: RegistrySignatures | None, image: str = "q.io/app:v1", others: int = 0, namespace: str = "a"
) -> ImageSignature:
    user, reference = ObjectRef(POD, namespace, "app"), reference_of(image)
    assert reference is not None
    subject = ContainerPull(user, "default", (), "c", image, True)
    required = RequiredSignature(subject, reference, SignatureRequirement(["cluster image policy signed"], "q.io"))
    return ImageSignature(SignedImage(user, "c", others, [required]), found)


def seen(**signatures: Any) -> ClusterSnapshot:
    return survey(*map(place, signatures), signatures=signatures)


def unknown(**signatures: Any) -> list[str]:
    audit = Audit(PullAudit(rules=(IMAGE_UNSIGNED,), registries=ASKED), seen(**signatures))
    assert audit.findings == []
    return list(audit.unread_sentences())


def test_an_image_without_a_signature_is_a_finding() -> None:
    (found,) = found_by(IMAGE_UNSIGNED, seen(a=[signature(MISSING, others=2)]), registries=ASKED)
    assert found.ref == ObjectRef(POD, "a", "app")
    assert found.location == "c"
    assert found.effective_severity == "warning"
    assert found.fix == ()
    assert found.message == (
        "q.io/app:v1 of pod a/app and 2 other objects: cluster image policy signed requires a signature for images in q.io, but registry "
        "q.io has no signature of q.io/app:v1 that nodes read"
    )
    (alone,) = found_by(IMAGE_UNSIGNED, seen(a=[signature(MISSING)]), registries=ASKED)
    assert alone.message.startswith("q.io/app:v1 of pod a/app: cluster image policy")


def test_a_signed_image_is_not_reported() -> None:
    assert unknown(a=[signature(RegistrySignatures(False, "registry q.io has a signature"))]) == []


def test_images_that_were_not_asked_for_are_reported_with_their_namespaces() -> None:
    assert unknown(a=[signature(None)] * 3, b=[signature(None, namespace="b")]) == [
        "whether 4 images of namespaces a, b have the signature that a policy requires is not known: one audit asks for 2,000 images, and "
        "shares them evenly among the namespaces. Audit these namespaces in a run of their own"
    ]


def test_images_without_an_answer_are_reported_with_the_first_reason() -> None:
    first, second = (RegistrySignatures(None, f"registry {name} is silent") for name in "xy")
    assert unknown(a=[signature(first, "x.io/z:1"), signature(second)]) == [
        "whether 2 images of namespace a have the signature that a policy requires is not known. For x.io/z:1: registry x is silent"
    ]


def test_without_an_answer_of_registries_the_rule_is_not_applied() -> None:
    audit = Audit(PullAudit(), seen(a=[]))
    assert IMAGE_UNSIGNED not in audit.rules
    assert IMAGE_UNSIGNED in Audit(PullAudit(registries=ASKED), seen(a=[])).rules


POLICY = {"metadata": {"name": "signed"}, "spec": {"scopes": ["q.io"]}}


def node_objects(**architectures: str) -> dict[ObjectRef, Any]:
    infos = {name: {"nodeInfo": {"architecture": each}} for name, each in architectures.items()}
    return {NODES: {"items": [{"metadata": {"name": name}, "status": status} for name, status in infos.items()]}}


def signed_survey(*pods: Any, workloads: Any = (), **architectures: str) -> ClusterSnapshot:
    more = {CLUSTER_POLICIES: {"items": [POLICY]}, **node_objects(**architectures)}
    return survey(place(pods=pods, workloads=workloads), objects=more)


def images(whole: ClusterSnapshot) -> list[SignedImage]:
    return signed_images(whole.accesses["a"], whole.evidence)


def users(whole: ClusterSnapshot) -> list[tuple[str, str, int]]:
    return [(str(each.required.reference), str(each.user), each.others) for each in images(whole)]


def answered(whole: ClusterSnapshot, **outcomes: str) -> RegistrySignatures:
    """The answer for the only image, with these outcomes by architecture."""
    (image,) = images(whole)
    while True:
        try:
            return answer_of(image, whole.evidence)
        except ReadRequired:
            for ref in whole.evidence.take_wanted():
                wanted = SignatureQuestion.of(ref).architectures if ref.kind == SIGNATURE_QUESTION else ()
                rows = [{"outcome": outcomes[each], "message": f"{outcomes[each]} for {each}"} for each in wanted]
                whole.evidence.add({ref: {"outcome": "pulls", "message": "it is there", "platforms": rows}})


class TestImages:
    def test_an_image_is_found_once_with_the_number_of_its_users(self) -> None:
        whole = signed_survey(
            pod(name="b"), pod(name="a"), pod(name="c", image="q.io/z:1"), pod(name="d", image="x.io/z:1")
        )
        assert users(whole) == [("q.io/team/app:v1", "pod a/a", 1), ("q.io/z:1", "pod a/c", 0)]

    def test_a_workload_represents_its_pods(self) -> None:
        whole = signed_survey(pod(made=True), workloads=[deployment(), replica_set()])
        assert users(whole) == [("q.io/team/app:v1", "deployment a/web", 1)]

    def test_a_container_that_only_the_pods_have_is_found(self) -> None:
        more = pod(made=True)
        more["spec"]["containers"].append({"name": "injected", "image": "q.io/proxy:v1"})
        found = images(signed_survey(more, workloads=[deployment(), replica_set()]))
        assert [(str(each.user), each.location) for each in found] == [
            ("pod a/app", "injected"),
            ("deployment a/web", "c"),
        ]

    def test_the_volumes_of_a_pod_are_found(self) -> None:
        (_container, volume) = images(
            signed_survey(pod(volumes=[{"name": "data", "image": {"reference": "q.io/z:1"}}]))
        )
        assert volume.location == "volume data"

    def test_a_cluster_without_policies_has_none(self) -> None:
        whole = survey(place(pods=[pod()]))
        assert images(whole) == []

    def test_a_container_that_can_pull_is_asked_for_first(self) -> None:
        (image,) = images(signed_survey(pod(name="a", says="unauthorized"), pod(name="b", runs=True)))
        assert (str(image.user), str(image.required.subject.ref)) == ("pod a/a", "pod a/b")


class TestArchitectures:
    def test_pods_show_for_which_architectures_a_signature_is_needed(self) -> None:
        whole = signed_survey(pod(name="a", nodeName="n"), workloads=[deployment()], n="amd64", m="arm64")
        assert answered(whole, amd64="signed").fails is False

    def test_a_template_without_pods_may_run_on_any_node(self) -> None:
        whole = signed_survey(workloads=[deployment()], n="amd64", m="arm64")
        found = answered(whole, amd64="signed", arm64="unsigned")
        assert (found.fails, found.said) == (None, "it depends on the architecture of the node: unsigned for arm64")

    def test_pods_on_nodes_of_two_architectures_need_both_signatures(self) -> None:
        whole = signed_survey(pod(name="a", nodeName="n"), pod(name="b", nodeName="m"), n="amd64", m="arm64")
        assert answered(whole, amd64="signed", arm64="unsigned") == RegistrySignatures(True, "unsigned for arm64")

    def test_an_unknown_answer_for_one_architecture_leaves_it_open(self) -> None:
        whole = signed_survey(pod(name="a", nodeName="n"), pod(name="b", nodeName="m"), n="amd64", m="arm64")
        assert answered(whole, amd64="signed", arm64="unknown") == RegistrySignatures(None, "unknown for arm64")


class TestShare:
    def test_each_namespace_gets_its_first_item_before_another_gets_its_second(self) -> None:
        wanted = {"mallory": list(range(10_000)), "a": [1, 2], "empty": [], "b": [7]}
        taken = share_evenly(wanted, 100)
        assert taken[:3] == [("mallory", 0), ("a", 1), ("b", 7)]
        assert [item for namespace, item in taken if namespace == "a"] == [1, 2]
        assert len(taken) == 100

    @given(st.dictionaries(st.text(max_size=2), st.lists(st.integers(), max_size=9), max_size=6), st.integers(0, 30))
    def test_no_namespace_has_less_than_its_share_or_more_than_another_lacks(self, wanted: Any, most: int) -> None:
        taken = share_evenly(wanted, most)
        assert len(taken) == min(most, sum(map(len, wanted.values())))
        counts = {name: sum(namespace == name for namespace, _item in taken) for name in wanted}
        for name, items in wanted.items():
            assert [item for namespace, item in taken if namespace == name] == items[: counts[name]]
            if counts[name] < len(items):
                assert max(counts.values()) <= counts[name] + 1


@pytest.mark.parametrize("most", [0, 1])
def test_a_share_of_nothing_is_empty(most: int) -> None:
    assert share_evenly({}, most) == []
