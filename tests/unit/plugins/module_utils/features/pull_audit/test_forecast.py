# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A forecast names the pulls that will fail, and the first version in which they do."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.node_settings import NodeSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import (
    ImageSignature,
    SignedImage,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.sources import (
    RegistrySignatures,
    RequiredSignature,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.forecast import (
    FORECASTS,
    is_due,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import (
    CLUSTER_POLICIES,
    SignatureRequirement,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import kubernetes_version
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.references import reference_of
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import INFRASTRUCTURE
from support.node_configs import groups_of, kubelet_config, node_in
from support.node_configs import pool as node_pool
from support.pull_evidence import DIGEST_SETS, OLD_SETS, REFUSED, TAG_SETS
from support.surveyed import account, auth, deployment, found_by, place, pod, replica_set, secret, survey, token

POLICY = "imagePullCredentialsVerificationPolicy"
NOT_YET = "OpenShift 4.20.3"


def by(rule, *places, version=NOT_YET, target="5.0", **more):
    return found_by(rule, survey(*places, version=version, is_openshift=True, **more), target_version=target)


class TestWhen:
    @pytest.mark.parametrize(
        ("rule", "current", "target", "due"),
        [
            ("forecast-cached-image", (1, 34), (1, 35), True),
            ("forecast-cached-image", (4, 21), (4, 22), True),
            ("forecast-cached-image", (4, 20), (4, 21), False),
            ("forecast-credential-provider", (4, 22), (5, 0), True),
            ("forecast-legacy-token", (4, 22), (4, 22), True),
        ],
    )
    def test_a_forecast_is_due_between_two_versions(self, rule, current, target, due):
        assert is_due(rule, current, target) is due

    @pytest.mark.parametrize("rule", FORECASTS)
    def test_no_forecast_is_made_without_a_target_version(self, rule):
        seen = place(
            workloads=[deployment(image="team/app")],
            secrets=[secret("s", {"q.io": auth(token(iss="kubernetes/serviceaccount"))})],
        )
        assert found_by(rule, seen) == []


def crio_node(runtime):
    return {"metadata": {"name": "n"}, "status": {"nodeInfo": {"containerRuntimeVersion": runtime}}}


class TestShortName:
    RULE = "forecast-short-name"

    def by(self, *places, runtime="cri-o://1.33.4", target="1.34", **more):
        whole = survey(*places, **{"version": "Kubernetes 1.33.1", "nodes": [crio_node(runtime)], **more})
        return found_by(self.RULE, whole, target_version=target)

    def test_a_template_is_reported_and_not_its_pods(self):
        image = "team/app:v1"
        seen = place(workloads=[deployment(image=image), replica_set(image=image)], pods=[pod(image=image, made=True)])
        (found,) = self.by(seen)
        assert (found.ref.kind.kind, found.message) == (
            "Deployment",
            "deployment a/web has image team/app:v1, which names no registry: CRI-O will refuse it, unless its nodes have an alias for it or "
            "exactly one search registry",
        )

    def test_a_pod_without_a_controller_is_reported(self):
        assert [found.ref.kind.kind for found in self.by(place(pods=[pod(image="app")]))] == ["Pod"]

    def test_a_name_with_a_registry_is_not_reported(self):
        assert self.by(place(workloads=[deployment()], pods=[pod()])) == []

    @pytest.mark.parametrize(
        ("runtime", "count"),
        [
            ("containerd://2.1", 0),
            ("cri-o://1.33", 1),
            ("cri-o://new", 1),
            ("cri-o://1.34.0", 0),
            ("cri-o://1.35.2", 0),
        ],
    )
    def test_plain_kubernetes_is_affected_only_with_an_older_crio(self, runtime, count):
        assert len(self.by(place(pods=[pod(image="app")]), runtime=runtime)) == count

    @pytest.mark.parametrize(("target", "count"), [("1.33", 0), ("1.34", 1), ("1.36", 1), ("4.21", 0), ("5.0", 0)])
    def test_names_are_refused_from_kubernetes_1_34_on(self, target, count):
        assert len(self.by(place(pods=[pod(image="app")]), target=target)) == count

    @pytest.mark.parametrize("target", ["4.21", "5.0", "1.34"])
    def test_openshift_never_refuses_them(self, target):
        assert self.by(place(pods=[pod(image="app")]), target=target, version=NOT_YET, is_openshift=True) == []


class TestImageName:
    RULE = "forecast-image-name"

    def by(self, image, *, version="OpenShift 4.22.1", target="4.23", settings=None, runtime="cri-o://1.35.2", **more):
        node = node_in("worker", kubelet="v1.35.4", runtime=runtime)
        configs = [kubelet_config("policy", "worker", settings, suffix="")] if settings else []
        groups = groups_of(node, pools=[node_pool("worker")], configs=configs)
        seen = place(pods=[pod(image=image, nodeName="n", **more)])
        return by(self.RULE, seen, version=version, target=target, node_groups=groups)

    @pytest.mark.parametrize(
        ("image", "old", "new"),
        [
            ("nginx", "docker.io/library/nginx", "nginx"),
            ("team/app:v1", "docker.io/team/app", "team/app"),
            ("docker.io/nginx:1", "docker.io/library/nginx", "docker.io/nginx"),
        ],
    )
    def test_a_name_that_is_recorded_in_another_way_is_info(self, image, old, new):
        (found,) = self.by(image)
        assert (found.effective_severity, str(found.ref), found.message) == (
            "info",
            "pod a/app",
            f"pod a/app has image {image}, which kubelet 1.35 records as {old}, and 1.36 as {new}: its next start on each node needs the registry",
        )

    def test_pull_policy_never_is_refused(self):
        (found,) = self.by("nginx", policy="Never")
        assert found.message.endswith(
            "its next start on a node is refused (ErrImageNeverPull), because its pull policy is Never"
        )

    @pytest.mark.parametrize("image", ["q.io/app:v1", "docker.io/library/nginx@sha256:" + 64 * "0"])
    def test_a_full_name_is_not_reported(self, image):
        assert self.by(image) == []

    @pytest.mark.parametrize(
        "more",
        [
            {"policy": "Always"},
            {"settings": {POLICY: "NeverVerify"}},
            {"runtime": "cri-o://1.35.1"},
            {"version": "OpenShift 4.23.0"},
            {"target": "4.22"},
        ],
        ids=["asked each time", "not verified", "no record is found", "upgraded", "an older target"],
    )
    def test_a_pull_that_the_upgrade_does_not_cause_is_not_reported(self, more):
        assert self.by("nginx", **more) == []

    def test_a_template_is_reported_and_not_its_pods(self):
        seen = place(
            workloads=[deployment(image="nginx"), replica_set(image="nginx")], pods=[pod(image="nginx", made=True)]
        )
        (found,) = by(self.RULE, seen, version="OpenShift 4.22.1")
        assert found.ref.kind.kind == "Deployment"


class TestCachedImage:
    RULE = "forecast-cached-image"
    WITH = place("b", secrets=[secret("s")], pods=[pod("s", runs=True)])

    def test_a_pod_that_relies_on_the_login_of_another_pod_is_reported(self):
        (found,) = by(self.RULE, place(pods=[pod(runs=True)]), self.WITH)
        assert found.ref.namespace == "a"
        assert [next(iter(set(task) - {"name"})).rpartition(".")[2] for task in found.fix] == [
            "pull_secret",
            "sa_link",
        ]

    @pytest.mark.parametrize(
        "own",
        [pod(), pod(runs=True, policy="Always"), pod(runs=True, image="q.io/other"), pod("t", runs=True)],
        ids=["not pulled", "asked each time", "another image", "a login of its own"],
    )
    def test_a_pod_that_does_not_rely_on_a_cached_image_is_not_reported(self, own):
        assert by(self.RULE, place(secrets=[secret("t")], pods=[own]), self.WITH) == []

    def test_an_image_without_any_login_is_not_reported(self):
        assert by(self.RULE, place(pods=[pod(runs=True)]), place("b", pods=[pod(runs=True)])) == []

    def found(
        self, settings=None, target="4.22", runtime="cri-o://1.34.1", kubelet="v1.34.1", version="OpenShift 4.21.3"
    ):
        """Return the messages for a pod on a node, whose pool has these settings."""
        node = node_in("worker", runtime=runtime, kubelet=kubelet)
        configs = [kubelet_config("policy", "worker", settings, suffix="")] if settings else []
        groups = groups_of(node, pools=[node_pool("worker")], configs=configs)
        own = place(pods=[pod(runs=True, nodeName="n")])
        return [
            each.message for each in by(self.RULE, own, self.WITH, version=version, target=target, node_groups=groups)
        ]

    def test_the_default_policy_exempts_images_until_the_kubelet_pulls_them(self):
        (message,) = self.found()
        assert message.endswith("will ask for it once it has pulled the image there. CRI-O before 1.35.2 prevents that")
        (message,) = self.found(runtime="containerd://2.1.0")
        assert message.endswith("will ask for it once it has pulled the image there")
        (message,) = self.found(target="4.23")
        assert message.endswith("will ask for it once it has pulled the image there")

    def test_the_policy_of_the_node_decides(self):
        assert self.found({POLICY: "NeverVerify"}) == []
        (message,) = self.found({POLICY: "AlwaysVerify"})
        assert (
            "will ask for it at the next start, because of the policy AlwaysVerify (kubelet config policy)" in message
        )

    @pytest.mark.parametrize(
        ("entry", "target", "count"),
        [("q.io/team/*", "4.22", 0), ("q.io/team/app", "4.22", 1), ("q.io/team/app", "4.23", 0), ("q.io/x", "5.0", 1)],
    )
    def test_an_allow_list_exempts_images_as_the_later_kubelet_does(self, entry, target, count):
        settings = {POLICY: "NeverVerifyAllowlistedImages", "preloadedImagesVerificationAllowlist": [entry]}
        assert len(self.found(settings, target=target)) == count

    def test_an_unknown_policy_is_reported(self):
        groups = groups_of(node_in("worker"), pools=[node_pool("worker", "old", "new")])
        groups = [replace(groups[0], coming=NodeSettings(None, why="no right"))]
        (found,) = by(self.RULE, place(pods=[pod(runs=True, nodeName="n")]), self.WITH, node_groups=groups)
        assert found.message.endswith("once it has pulled the image there. Its policy is not known: no right")

    def test_an_update_of_a_faulty_runtime_begins_to_verify(self):
        faulty = {"kubelet": "v1.35.1", "version": "OpenShift 4.22.1"}
        assert len(self.found(runtime="cri-o://1.35.1", target="4.23", **faulty)) == 1
        assert len(self.found(runtime="cri-o://1.35.1", target="4.22", **faulty)) == 1
        assert self.found(runtime="cri-o://1.35.1", target="4.21", **faulty) == []
        assert self.found(runtime="cri-o://1.35.2", target="4.23", **faulty) == []


@pytest.mark.parametrize(
    ("target", "kubernetes"),
    [((1, 35), (1, 35)), ((4, 22), (1, 35)), ((4, 23), (1, 36)), ((5, 0), (1, 36)), ((5, 1), (1, 37))],
)
def test_openshift_has_a_version_of_kubernetes(target, kubernetes):
    assert kubernetes_version(target) == kubernetes


class TestRecreated:
    RULE = "forecast-recreated-secret"

    @pytest.mark.parametrize(
        ("created", "runs", "count"),
        [
            ("2025-12-02T00:00:00Z", True, 1),
            ("2025-12-01T00:00:30Z", True, 0),
            ("2025-12-02T00:00:00Z", False, 0),
            ("?", True, 0),
        ],
    )
    def test_a_secret_that_is_younger_than_its_running_pod_is_reported(self, created, runs, count):
        seen = place(secrets=[secret("s", created=created)], pods=[pod("s", runs=runs), pod("s", name="b", runs=runs)])
        assert len(by(self.RULE, seen)) == count

    def test_a_secret_that_the_platform_generates_is_not_reported(self):
        made = secret("s", created="2025-12-02T00:00:00Z", generated=True)
        assert by(self.RULE, place(secrets=[made], pods=[pod("s", image="r.io/a", runs=True)])) == []


class TestLegacyToken:
    @pytest.mark.parametrize(
        ("claims", "generated", "count"),
        [
            ({"iss": "kubernetes/serviceaccount"}, False, 1),
            ({"iss": "kubernetes/serviceaccount"}, True, 0),
            ({"iss": "https://kubernetes.default.svc", "exp": 1}, False, 0),
        ],
    )
    def test_a_legacy_token_is_reported(self, claims, generated, count):
        seen = place(
            secrets=[secret("s", {"q.io": auth(token(**claims))}, generated=generated)], accounts=[account("s")]
        )
        assert len(by("forecast-legacy-token", seen)) == count


class TestProvider:
    @pytest.mark.parametrize(("images", "count"), [(["q.io", "*.r.io"], 1), ([], 0), (None, 0), ([1], 0)], ids=str)
    def test_a_config_that_names_images_is_reported(self, images, count):
        config = {"metadata": {"name": "cluster"}, "spec": {"matchImages": images}}
        found = by("forecast-credential-provider", place(), providers=[config])
        assert len(found) == count
        assert all("gives logins for q.io, *.r.io" in each.message for each in found)
        assert all("replaces them only at a mirror on the host of the image" in each.message for each in found)
        assert not any("bypass" in each.message for each in found)


RELEASE = "quay.io/openshift-release-dev"
COMPONENTS = f"{RELEASE}/ocp-v4.0-art-dev"


class TestReleaseSignature:
    RULE = "forecast-release-signature"

    def found(
        self,
        *sources,
        kind=DIGEST_SETS,
        version="OpenShift 4.21.3",
        target="4.22",
        is_openshift=True,
        more=None,
        release_signatures=None,
    ):
        field = {DIGEST_SETS: "imageDigestMirrors", TAG_SETS: "imageTagMirrors", OLD_SETS: "repositoryDigestMirrors"}[
            kind
        ]
        items = [{"source": source, "mirrors": ["m.io/release"]} for source in sources]
        seen = survey(place(), version=version, is_openshift=is_openshift, release_signatures=release_signatures)
        mirror_set = {"metadata": {"name": "m"}, "spec": {field: items}}
        seen.evidence.add({ObjectRef(kind, "", ""): {"items": [mirror_set]}, **(more or {})})
        return found_by(self.RULE, seen, target_version=target)

    @pytest.mark.parametrize("kind", [DIGEST_SETS, TAG_SETS, OLD_SETS])
    @pytest.mark.parametrize("source", [COMPONENTS, RELEASE, "quay.io", f"{COMPONENTS}/sub"])
    def test_a_mirror_of_the_component_images_is_reported(self, kind, source):
        (found,) = self.found(source, kind=kind)
        assert (found.ref, found.location) == (ObjectRef(kind, "", "m"), source)
        assert f"mirrors {source} at m.io/release: images of {COMPONENTS}" in found.message

    @pytest.mark.parametrize("source", ["quay.io/team", f"{RELEASE}/ocp-release", "m.io", ""])
    def test_other_mirrors_are_not_reported(self, source):
        assert self.found(source) == []

    @pytest.mark.parametrize(
        ("version", "target", "repositories"),
        [
            ("OpenShift 4.20.1", "4.21", ["ocp-release"]),
            ("OpenShift 4.20.1", "4.22", ["ocp-release", "ocp-v4.0-art-dev", "ocp-v5.0-art-dev"]),
            ("OpenShift 4.21.1", "5.0", ["ocp-v4.0-art-dev", "ocp-v5.0-art-dev"]),
            ("OpenShift 4.22.1", "5.0", []),
            ("OpenShift 4.20.1", "4.20", []),
            ("", "4.21", ["ocp-release"]),
        ],
    )
    def test_the_repositories_depend_on_the_versions(self, version, target, repositories):
        found = self.found(RELEASE, version=version, target=target)
        assert [
            each for one in found for each in one.message.replace(",", "").split() if each.startswith(f"{RELEASE}/")
        ] == [f"{RELEASE}/{each}" for each in repositories]

    def asked(self, *found, image=f"{COMPONENTS}@sha256:{64 * '0'}"):
        """Return the finding with these answers of registries, one for each image. None: it was not asked for."""
        reference = reference_of(image)
        user = ObjectRef(POD, "a", "app")
        subject = ContainerPull(user, "default", (), "c", image, True)
        required = RequiredSignature(subject, reference, SignatureRequirement(["policy"], COMPONENTS))
        answers = [ImageSignature(SignedImage(user, "c", 0, [required]), each) for each in found]
        (finding,) = self.found(COMPONENTS, release_signatures={"a": answers})
        return finding.effective_severity, finding.message.partition("serves the image")[2]

    def test_without_asking_nothing_is_claimed_about_the_images_in_use(self):
        (finding,) = self.found(COMPONENTS)
        assert finding.message.endswith("which nodes read at the mirror that serves the image")

    def test_a_signed_image_in_use_leaves_information_because_the_new_version_needs_its_own(self):
        severity, text = self.asked(RegistrySignatures(False, "it has one"))
        assert severity == "info"
        assert text == ". 1 image in use has it. Mirror the new version with its signatures as well"

    def test_an_unsigned_image_in_use_is_a_warning_with_the_answer(self):
        severity, text = self.asked(RegistrySignatures(True, "registry m.io has none"))
        assert (severity, text) == ("warning", ". Nodes would refuse 1 image in use now: registry m.io has none")

    @pytest.mark.parametrize(
        ("answer", "why"), [(None, "it was not asked for"), (RegistrySignatures(None, "no answer"), "no answer")]
    )
    def test_an_image_without_an_answer_is_not_known(self, answer, why):
        severity, text = self.asked(answer)
        assert severity == "warning"
        assert text.startswith(". Whether 1 image in use has it is not known. For quay.io/openshift-release-dev/")
        assert text.endswith(f": {why}")

    def test_images_of_other_mirrors_do_not_count(self):
        severity, text = self.asked(RegistrySignatures(False, "it has one"), image="quay.io/team/app:v1")
        assert (severity, text) == ("warning", ". The audited namespaces use no such image, so no registry was asked")

    def test_a_policy_that_exists_already_changes_nothing(self):
        policies = {"items": [{"metadata": {"name": "openshift"}, "spec": {"scopes": [COMPONENTS]}}]}
        assert self.found(COMPONENTS, more={CLUSTER_POLICIES: policies}) == []

    def test_hosted_and_plain_clusters_do_not_have_the_policy(self):
        hosted = {INFRASTRUCTURE: {"status": {"controlPlaneTopology": "External"}}}
        assert self.found(COMPONENTS, more=hosted) == []
        assert self.found(COMPONENTS, is_openshift=False) == []

    def test_unreadable_mirrors_are_reported_by_the_evidence_and_not_guessed(self):
        assert self.found(more={ObjectRef(DIGEST_SETS, "", ""): REFUSED}) == []

    def test_malformed_objects_raise_no_error(self):
        assert (
            self.found(more={ObjectRef(DIGEST_SETS, "", ""): {"items": [5, {"spec": {"imageDigestMirrors": [7]}}]}})
            == []
        )
