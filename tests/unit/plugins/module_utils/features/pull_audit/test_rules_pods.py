# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules report failing pulls of pods and templates, each problem once, and pods that use an image of their node without a login."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.listed_evidence import (
    ContainerExplanations,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import NamespaceSnapshot
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.checks import Audit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.findings import PullAudit
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.pull_audit.rules_pods import (
    find_pods_without_login,
    repositories_with_login,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import POOLS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import INFRASTRUCTURE
from support.surveyed import account, auth, deployment, found_by, place, pod, replica_set, secret, survey

DENIED = "requested access to the resource is denied"
REFUSED = "unable to retrieve auth token: invalid username/password: unauthorized"
OTHER = {"other.io": auth()}
BOTH = ("pod-cannot-pull", "workload-cannot-pull")


def both(seen: NamespaceSnapshot) -> tuple[list[str], list[str]]:
    """The pods with a finding of their own, and the messages about workloads."""
    found = Audit(PullAudit(rules=BOTH), survey(seen)).findings
    pods = [each.ref.name for each in found if each.rule == BOTH[0]]
    return pods, [each.message for each in found if each.rule == BOTH[1]]


class TestCannotPull:
    BROKEN = [secret("s", {"q.io": {"auth": "?"}})]

    def test_pods_and_workloads_each_have_a_rule(self):
        seen = place(secrets=self.BROKEN, pods=[pod("s")], workloads=[deployment("s")])
        (of_pod,) = found_by("pod-cannot-pull", seen)
        (of_workload,) = found_by("workload-cannot-pull", seen)
        assert (of_pod.ref.kind.kind, of_workload.ref.kind.kind) == ("Pod", "Deployment")
        assert of_pod.location == "c"
        assert "stops every pull" in of_pod.message
        assert of_pod.fix

    def test_pods_that_fail_like_their_workload_are_named_in_its_finding(self):
        pods = [pod("s", made=True, name=f"web-{number}", says=DENIED) for number in range(7)]
        other = [pod("s", made=True, name="other", says=REFUSED), pod("s", name="bare", says=DENIED)]
        seen = place(
            secrets=self.BROKEN,
            pods=[*pods, *other],
            workloads=[deployment("s"), replica_set("s"), deployment(name="z")],
        )
        of_pods, of_workloads = both(seen)
        assert of_pods == ["bare", "other"]
        (message,) = of_workloads
        assert "cannot pull q.io/team/app:v1: pod a/web-0 does not get its image" in message
        assert message.endswith(". Failing pods: web-0, web-1, web-2, web-3, web-4 and 2 more")

    def test_one_failing_pod_is_named_once(self):
        made = pod("s", made=True, name="web-0", says=DENIED)
        injected = {"name": "injected", "image": "q.io/team/app:v1"}
        made["spec"]["containers"].append(injected)
        waiting = {"state": {"waiting": {"reason": "ErrImagePull", "message": DENIED}}, "imageID": ""}
        made["status"]["containerStatuses"].append({"name": "injected", **waiting})
        workloads = [deployment("s"), replica_set("s")]
        of_pods, (message,) = both(place(secrets=self.BROKEN, pods=[made], workloads=workloads))
        assert (of_pods, message.count("web-0"), "Failing pods" in message) == (["web-0"], 1, False)

    @pytest.mark.parametrize("rules", [("pod-cannot-pull",), BOTH])
    def test_no_failing_pod_is_lost_if_its_workload_is_not_reported(self, rules):
        unread = {"workloads": "no right"} if rules == BOTH else {}
        seen = place(
            secrets=self.BROKEN, pods=[pod("s", made=True, says=DENIED)], workloads=[deployment("s"), replica_set("s")],
            unread=unread,
        )  # fmt: skip
        (found,) = Audit(PullAudit(rules=rules), survey(seen)).findings
        assert found.rule == "pod-cannot-pull"

    def test_a_working_or_doubtful_pull_is_not_reported(self):
        seen = place(
            secrets=[secret("s")],
            pods=[pod("s"), pod(name="public", image="docker.io/a/b")],
            workloads=[deployment("s")],
        )
        for rule in ("pod-cannot-pull", "workload-cannot-pull", "pod-pull-unknown"):
            assert found_by(rule, seen) == []

    def test_a_pod_that_has_ended_is_not_reported(self):
        ended = {**pod("s"), "status": {"phase": "Succeeded"}}
        assert found_by("pod-cannot-pull", place(secrets=self.BROKEN, pods=[ended])) == []

    def test_a_text_that_no_rule_explains_is_an_unknown_cause(self):
        seen = place(secrets=[secret("s")], pods=[pod("s", says="the moon is wrong")])
        (found,) = found_by("pod-pull-unknown", seen)
        assert "the node says: the moon is wrong" in found.message
        assert found.effective_severity == "warning"

    def test_a_limit_of_the_kubelet_that_passes_is_only_information(self):
        (found,) = found_by("pod-pull-unknown", place(pods=[pod(says="pull QPS exceeded")]))
        assert found.effective_severity == "info"

    @pytest.mark.parametrize("secrets", [[], [secret("s")]], ids=["no secret", "a linked secret"])
    def test_no_task_is_offered_for_a_static_pod_which_gets_no_list(self, secrets):
        static = pod(says="unauthorized: authentication required")
        static["metadata"]["ownerReferences"] = [{"kind": "Node", "name": "n", "uid": "u", "controller": True}]
        seen = place(pods=[static], secrets=secrets, accounts=[account("s")])
        (found,) = found_by("pod-cannot-pull", seen)
        assert (found.fix, "was created before" in found.message) == ([], False)
        assert found_by("pod-older-than-link", seen) == []


class TestNotKnown:
    """Each pull that is not known is listed with its reason."""

    def test_a_pod_without_a_login_is_listed_with_the_reason(self):
        (found,) = found_by("pull-not-known", place(secrets=[secret("s", OTHER)], pods=[pod("s")]))
        assert (str(found.ref), found.location, found.effective_severity) == ("pod a/app", "c", "info")
        assert found.message.startswith("it is not known whether pod a/app can pull q.io/team/app:v1: ")
        assert found.message.endswith("works only if the image is public or the nodes have credentials for it")

    def test_a_workload_names_its_pods(self):
        pods = [pod(made=True, name=f"web-{number}") for number in range(7)]
        bare, told = pod(name="bare"), pod(name="told", says="the moon is wrong")
        seen = place(pods=[*pods, bare, told], workloads=[deployment(), replica_set()])
        found = found_by("pull-not-known", seen)
        assert [str(each.ref) for each in found] == ["pod a/bare", "deployment a/web"]
        assert found[1].message.endswith(". Pods: web-0, web-1, web-2, web-3, web-4 and 2 more")

    def test_another_verdict_is_not_listed(self):
        broken = [secret("s"), secret("t", {"q.io": {"auth": "?"}})]
        assert found_by("pull-not-known", place(secrets=broken, pods=[pod("s"), pod("t", name="other")])) == []


class TestImageVolumes:
    """A volume is reported like a container, and not as one."""

    MODEL = "q.io/team/model:v1"
    VOLUMES = {"volumes": [{"name": "c", "image": {"reference": MODEL, "pullPolicy": "IfNotPresent"}}]}
    SAYS = f'Back-off pulling image "{MODEL}": ErrImagePull: initializing source docker://{MODEL}: {DENIED}'

    @staticmethod
    def mounting(made):
        containers = (made["spec"] if "containers" in made["spec"] else made["spec"]["template"]["spec"])["containers"]
        containers[0]["volumeMounts"] = [{"name": "c", "mountPath": "/model"}]
        return made

    def test_a_failing_volume_is_reported_with_its_name(self):
        made = self.mounting(pod("s", says=self.SAYS, **self.VOLUMES))
        (found,) = found_by("pod-cannot-pull", place(secrets=[secret("s", OTHER)], pods=[made]))
        assert (found.location, found.message.startswith(f"pod a/app cannot pull {self.MODEL}: ")) == ("volume c", True)

    def test_a_workload_names_the_failing_volume_of_its_pods(self):
        made = self.mounting(pod("s", name="web-0", made=True, says=self.SAYS, **self.VOLUMES))
        workloads = [deployment("s", **self.VOLUMES), replica_set("s", **self.VOLUMES)]
        for _kind, obj in workloads:
            self.mounting(obj)
        of_pods, (message,) = both(place(secrets=[secret("s", OTHER)], pods=[made], workloads=workloads))
        assert (of_pods, f"cannot pull {self.MODEL}" in message, "pod a/web-0" in message) == ([], True, True)

    def test_a_missing_secret_names_volumes_and_containers(self):
        (found,) = found_by("pod-secret-missing", place(pods=[pod("gone", **self.VOLUMES)]))
        assert "it may matter for container c and volume c" in found.message

    def test_a_refused_start_is_reported(self):
        made = pod("s")
        waiting = {"reason": "CreateContainerError", "message": 'checking signature of "q.io/team/app:v1": x'}
        made["status"]["containerStatuses"][0]["state"] = {"waiting": waiting}
        (found,) = found_by("pod-cannot-pull", place(secrets=[secret("s")], pods=[made]))
        assert "the node checks signatures again at every start" in found.message


class TestSecretMissing:
    def test_a_missing_secret_is_reported_with_its_effect(self):
        (found,) = found_by("pod-secret-missing", place(pods=[pod("gone")]))
        assert (found.effective_severity, found.location) == ("warning", "gone")
        assert "it may matter for container c" in found.message
        assert found.fix[0]["openshift_ops.image_pull.pull_secret"]["name"] == "gone"
        (found,) = found_by("pod-secret-missing", place(secrets=[secret("s")], pods=[pod("s", "gone")]))
        assert (found.effective_severity, "its images do not need it now" in found.message) == ("info", True)

    def test_a_template_is_reported_and_not_each_of_its_pods(self):
        workloads = [deployment("gone"), replica_set("gone")]
        seen = place(workloads=workloads, pods=[pod("gone", made=True, name=name) for name in "xyz"])
        assert [found.ref.kind.kind for found in found_by("pod-secret-missing", seen)] == ["Deployment"]

    def test_a_name_from_the_accounts_list_is_not_reported(self):
        assert found_by("pod-secret-missing", place(accounts=[account("gone")], pods=[pod("gone")])) == []

    def test_an_existing_secret_is_not_reported(self):
        assert found_by("pod-secret-missing", place(secrets=[secret("s")], pods=[pod("s")])) == []

    @pytest.mark.parametrize("what", ["secrets", "service accounts"])
    def test_a_secret_is_not_reported_as_missing_if_objects_are_unreadable(self, what):
        assert found_by("pod-secret-missing", place(pods=[pod("gone")], unread={what: "no right"})) == []


class TestHiddenList:
    SECRETS = [secret("s"), secret("own", OTHER)]

    @pytest.mark.parametrize(
        "who", [{"pods": [pod("own")]}, {"workloads": [deployment("own")]}], ids=["pod", "template"]
    )
    def test_a_pull_list_of_the_pod_hides_the_login_of_the_account(self, who):
        (found,) = found_by("pod-hides-account-list", place(secrets=self.SECRETS, accounts=[account("s")], **who))
        assert "lists own, which hides s of service account a/default" in found.message
        seen = place(secrets=self.SECRETS, accounts=[account("s")], **who)
        assert found_by("pod-older-than-link", seen) == []
        options = found.fix[0]["openshift_ops.image_pull.pull_secret"]
        assert (options["name"], options["registries"][0]["registry"]) == ("own", "q.io")

    @pytest.mark.parametrize("own", [("s",), ("s", "own"), ()], ids=["the account's", "both", "none"])
    def test_a_pull_list_that_hides_no_login_is_not_reported(self, own):
        seen = place(secrets=self.SECRETS, accounts=[account("s")], workloads=[deployment(*own)])
        assert found_by("pod-hides-account-list", seen) == []

    def test_a_pod_is_not_reported_in_addition_to_its_template(self):
        workloads = [deployment("own"), replica_set("own")]
        seen = place(secrets=self.SECRETS, accounts=[account("s")], workloads=workloads, pods=[pod("own", made=True)])
        assert [found.ref.kind.kind for found in found_by("pod-hides-account-list", seen)] == ["Deployment"]

    def test_a_hidden_login_that_the_image_does_not_need_is_not_reported(self):
        seen = place(secrets=[secret("s", OTHER), secret("own")], accounts=[account("s")], pods=[pod("own")])
        assert found_by("pod-hides-account-list", seen) == []

    def test_a_copy_from_before_the_link_is_older_and_hides_nothing(self):
        seen = place(secrets=self.SECRETS, accounts=[account("own", "s")], pods=[pod("own")])
        assert found_by("pod-hides-account-list", seen) == []
        (found,) = found_by("pod-older-than-link", seen)
        assert "was created before secret s was linked" in found.message
        assert (found.fix, found.message[-30:]) == ([], "delete it and create it again)")
        owned = pod("own")
        owned["metadata"]["ownerReferences"] = [{"kind": "ReplicaSet", "name": "r", "uid": "r", "controller": True}]
        (found,) = found_by(
            "pod-older-than-link", place(secrets=self.SECRETS, accounts=[account("own", "s")], pods=[owned])
        )
        assert found.fix[0]["openshift_ops.image_pull.sa_link"]["restart_pods"] == "stuck"

    @pytest.mark.parametrize(("policy", "count"), [("IfNotPresent", 0), ("Always", 1)])
    def test_a_running_pod_needs_the_link_only_with_pull_policy_always(self, policy, count):
        seen = place(secrets=[secret("s")], accounts=[account("s")], pods=[pod(runs=True, policy=policy)])
        assert len(found_by("pod-older-than-link", seen)) == count

    def test_an_init_container_is_pulled_again_with_its_pod(self):
        made = pod(runs=True)
        made["spec"]["initContainers"] = [{"name": "i", "image": "q.io/team/app:v1", "imagePullPolicy": "Always"}]
        made["status"]["initContainerStatuses"] = [{"name": "i", "state": {"terminated": {}}, "imageID": "sha256:0"}]
        seen = place(secrets=[secret("s")], accounts=[account("s")], pods=[made])
        (found,) = found_by("pod-older-than-link", seen)
        assert found.location == "i"

    def test_a_template_is_never_too_old(self):
        seen = place(secrets=self.SECRETS, accounts=[account("own", "s")], workloads=[deployment("own")])
        assert found_by("pod-older-than-link", seen) == []


class TestPublic:
    IMAGE = "quay.io/team/app:v1"

    @pytest.mark.parametrize(
        "image",
        [
            *("docker.io/library/nginx", "quay.io/podman/hello", "ghcr.io/linuxcontainers/alpine", "gcr.io/distroless/static"),
            *("registry.k8s.io/pause", "public.ecr.aws/docker/library/busybox", "mcr.microsoft.com/dotnet/runtime"),
            "registry.access.redhat.com/ubi9/ubi",
        ],
    )  # fmt: skip
    def test_a_refused_login_for_an_image_that_everyone_can_pull_is_reported(self, image):
        host = image.partition("/")[0]
        seen = place(secrets=[secret("s", {host: auth()})], pods=[pod("s", image=image, says=REFUSED)])
        (found,) = found_by("credential-breaks-public-pull", seen)
        assert "if everyone may pull this image" in found.message
        assert found.fix[0]["openshift_ops.image_pull.pull_secret"]["mode"] == "remove"

    @pytest.mark.parametrize(
        ("image", "host", "says"),
        [
            ("q.io/team/app:v1", "q.io", REFUSED),
            (IMAGE, "quay.io", DENIED),
            (IMAGE, "other.io", REFUSED),
            (IMAGE, "quay.io", ""),
        ],
        ids=["a private registry", "another error", "no login for it", "nothing said"],
    )
    def test_a_pull_without_a_refused_login_for_public_images_is_not_reported(self, image, host, says):
        seen = place(secrets=[secret("s", {host: auth()})], pods=[pod("s", image=image, says=says)])
        assert found_by("credential-breaks-public-pull", survey(seen)) == []

    def test_a_login_that_a_mirror_refused_is_another_one(self):
        """The nodes' own: the secret of the pod is sent to the public registry only."""
        down = "pinging container registry quay.io: dial tcp: lookup quay.io: no such host"
        says = f"(Mirrors also failed: [m.io/team/app:v1: {REFUSED}]): {self.IMAGE}: {down}"
        seen = place(secrets=[secret("s", {"quay.io": auth()})], pods=[pod("s", image=self.IMAGE, says=says)])
        assert found_by("credential-breaks-public-pull", seen) == []

    @pytest.mark.parametrize(("outcome", "count"), [("pulls", 0), ("bad_login", 1)])
    def test_a_login_that_the_registry_accepts_since_the_nodes_error_is_not_removed(self, outcome, count):
        here = place(secrets=[secret("s", {"quay.io": auth()})], pods=[pod("s", image=self.IMAGE, says=REFUSED)])
        seen = survey(here)
        asked = ContainerExplanations(seen.evidence, asks=True)
        with pytest.raises(ReadRequired):
            asked.of(here)
        answer = {"outcome": outcome, "message": "the registry answers", "realm_host": "quay.io"}
        seen.evidence.add(dict.fromkeys(seen.evidence.take_wanted(), answer))
        seen = replace(seen, accesses={"a": asked.of(here)})
        assert len(found_by("credential-breaks-public-pull", seen)) == count


WITH = place("b", secrets=[secret("s")], pods=[pod("s", runs=True)])


def test_repositories_are_those_for_which_a_pod_has_a_login() -> None:
    other = place("c", secrets=[secret("s")], pods=[pod("s", image="r.io/app"), pod("gone", image="q.io/other")])
    assert repositories_with_login(survey(WITH, other)) == {"q.io/team/app"}


def test_a_pod_with_its_image_and_without_a_login_is_found() -> None:
    own = place(
        pods=[
            pod(runs=True),
            pod("s", name="t", runs=True),
            pod(name="waits"),
            pod(name="a", runs=True, policy="Always"),
        ]
    )
    seen = survey(own, WITH)
    found = find_pods_without_login(own, seen, frozenset(["q.io/team/app"]))
    assert [(subject.ref.name, reference.host) for subject, reference in found] == [("app", "q.io"), ("t", "q.io")]
    assert list(find_pods_without_login(own, seen, frozenset())) == []


@pytest.mark.parametrize(("platform", "found"), [("AWS", []), ("VSphere", ["app"])], ids=str)
def test_a_credential_provider_of_the_nodes_is_a_login(platform: str, found: list[str]) -> None:
    image = "1.dkr.ecr.eu-west-1.amazonaws.com/app"
    own = place(pods=[pod(runs=True, image=image)])
    cloud = {INFRASTRUCTURE: {"status": {"platformStatus": {"type": platform}}}}
    seen = survey(own, objects={**cloud, POOLS: None})
    pods = find_pods_without_login(own, seen, frozenset([image]))
    assert [subject.ref.name for subject, _reference in pods] == found
