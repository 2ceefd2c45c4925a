# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Credential providers of the nodes are named, but never decide the verdict."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import CRIO_PROVIDER
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import ImageQuestion
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBELET_FILE,
    NODES,
    POOLS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    MIRROR_KINDS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import INFRASTRUCTURE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import token_review
from support.pull_evidence import AUTH, REFUSED, known, mirrored, pod, secret, steps, summary, told

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


def on(platform: Any, says: str = "", **secrets: Any) -> PullVerdict:
    infrastructure = platform if platform is REFUSED else {"status": {"platformStatus": {"type": platform}}}
    subject = pod(*secrets, image=f"{ECR}/app:v1", says=says)
    return told(subject, known(more={INFRASTRUCTURE: infrastructure}, **secrets))


def asked(
    subject: ContainerPull,
    outcome: str,
    platform: Any = "AWS",
    mirrors: Any = None,
    at_mirror: str = "",
    **secrets: Any,
) -> PullVerdict:
    """The verdict if registries are asked. `at_mirror`: the outcome at the mirrors, by default that at the source."""
    cloud = {INFRASTRUCTURE: {"status": {"platformStatus": {"type": platform}}}}
    return answered(subject, Lookup(known(more={**cloud, **(mirrors or {})}, **secrets)), outcome, at_mirror)


def answered(subject: ContainerPull, evidence: Lookup, outcome: str, at_mirror: str = "") -> PullVerdict:
    """The verdict with this outcome at the registries."""
    while True:
        try:
            return explain(subject, evidence, asks=True)
        except ReadRequired:
            for ref in evidence.take_wanted():
                is_source = ImageQuestion.of(ref).image == subject.image
                said = outcome if is_source else at_mirror or outcome
                evidence.add({ref: {"outcome": said, "message": f"said {said}"}})


class TestClouds:
    @pytest.mark.parametrize(
        ("platform", "text", "ok"),
        [
            (
                "AWS",
                f"the nodes run on AWS, whose credential provider gives them a login for {ECR}: whether it may",
                None,
            ),
            ("VSphere", f"the nodes run on VSphere, so they have no credential provider of their own for {ECR}", False),
            (
                None,
                f"on AWS the nodes have a credential provider for {ECR}, but the platform of these nodes is not known",
                None,
            ),
            (REFUSED, "the platform of these nodes is not known: the caller may not read it", None),
        ],
    )
    def test_the_credential_provider_of_each_cloud_is_reported(self, platform: Any, text: str, ok: Any) -> None:
        found = on(platform)
        seen, _tokens = steps(found, "providers")
        assert (found.verdict, seen[2]) == ("unknown", ok)
        assert text in seen[1]

    def test_a_login_of_the_pod_needs_no_credential_provider(self) -> None:
        assert steps(on("AWS", a=secret({ECR: AUTH})), "providers") == []

    def test_a_login_that_is_known_to_be_refused_leaves_the_credential_provider(self) -> None:
        refused = {**secret({ECR: AUTH}), "refusedLogins": [[ECR, ECR]]}
        refusal = f"the registry refuses the login: secret a has the key {ECR}"
        assert summary(on("AWS", a=refused)) == ("unknown", f"{refusal}. {PROVIDED}")
        assert len(steps(on("AWS", a=refused), "providers")) == 2
        assert summary(on("VSphere", a=refused)) == ("will_not_pull", refusal)

    def test_a_denied_node_had_no_credential_provider(self) -> None:
        assert on("AWS", says="no basic auth credentials").verdict == "will_not_pull"

    @pytest.mark.parametrize(
        "text", ["no basic auth credentials", "denied", "authentication required", "manifest unknown"]
    )
    def test_the_provider_is_reported_for_a_denied_node_without_a_login(self, text: str) -> None:
        cloud, token = steps(on("AWS", says=text), "providers")
        assert cloud[1].startswith("the nodes run on AWS, whose credential provider gives them a login")
        assert token[1].startswith("if ecr-credential-provider uses tokens of service accounts")

    def test_no_provider_is_reported_for_another_error_or_next_to_a_login(self) -> None:
        assert steps(on("AWS", says="no such host"), "providers") == []
        assert steps(on("AWS", says="denied", a=secret({ECR: AUTH})), "providers") == []

    @pytest.mark.parametrize(("mirror", "number"), [("m.io/z", 0), (f"{ECR}/copy", 2)])
    def test_the_provider_is_reported_for_an_error_of_a_mirror_on_the_same_host(self, mirror: str, number: int) -> None:
        mirrors = mirrored(mirror, source=f"{ECR}/app", only=True)
        found = told(pod(image=f"{ECR}/app:v1", says="denied"), known(more=mirrors))
        assert (found.verdict, len(steps(found, "providers"))) == ("will_not_pull", number)


class TestOnlyMirrors:
    """The kubelet's credentials reach the only mirror if it has the host of the image."""

    @staticmethod
    def on_mirror(mirror: str, platform: str = "AWS", nodes: Any = None) -> PullVerdict:
        more = {INFRASTRUCTURE: {"status": {"platformStatus": {"type": platform}}}, NODE_SECRET: nodes}
        mirrors = mirrored(mirror, source=f"{ECR}/app", only=True)
        return told(pod(image=f"{ECR}/app:v1"), known(more={**more, **mirrors}))

    @pytest.mark.parametrize(("mirror", "number"), [("m.io/z", 0), (f"{ECR}/copy", 2)])
    def test_the_provider_is_reported_for_a_mirror_on_the_host_of_the_image(self, mirror: str, number: int) -> None:
        found = self.on_mirror(mirror)
        assert (found.verdict, len(steps(found, "providers"))) == ("unknown", number)
        gives = " or the credential provider of the nodes gives a login for it"
        assert found.reason.endswith(f"the pull works only if the mirror requires no login{gives if number else ''}")

    def test_nodes_of_another_platform_have_no_login_for_the_mirror(self) -> None:
        assert self.on_mirror(f"{ECR}/copy", "VSphere").reason.endswith("only if the mirror requires no login")

    def test_a_key_of_the_nodes_needs_no_provider(self) -> None:
        found = self.on_mirror(f"{ECR}/copy", nodes=secret({ECR: AUTH}))
        assert (found.verdict, steps(found, "providers")) == ("pulls", [])

    def test_a_mirror_that_refuses_the_login_of_the_nodes_leaves_the_provider(self) -> None:
        refused = {**secret({ECR: AUTH}), "refusedLogins": [[ECR, ECR]]}
        found = self.on_mirror(f"{ECR}/copy", nodes=refused)
        assert (found.verdict, found.reason.endswith(f". {PROVIDED}")) == ("unknown", True)
        assert self.on_mirror(f"{ECR}/copy", "VSphere", refused).verdict == "will_not_pull"


PROVIDED = "The pull works only if the credential provider of the nodes gives a login with the right to the image"


class TestAsked:
    """The kubelet tries the login of the provider after all others, and no registry can be asked about it."""

    @pytest.mark.parametrize("platform", ["AWS", None])
    @pytest.mark.parametrize("outcome", ["no_login", "not_found"])
    def test_a_refusal_without_a_login_leaves_the_provider_of_the_cloud(self, platform: Any, outcome: str) -> None:
        found = asked(pod(image=IMAGES["AWS"]), outcome, platform)
        assert (found.verdict, found.reason.endswith(f". {PROVIDED}")) == ("unknown", True)
        assert [ok for _name, _seen, ok in steps(found, "providers")] == [None, None]
        assert found.fix == (fixes.create_secret("ns", "default", ECR) if outcome == "no_login" else [])

    def test_a_refused_login_of_the_pod_leaves_the_provider_of_the_cloud(self) -> None:
        found = asked(pod("a", image=IMAGES["AWS"]), "bad_login", a=secret({ECR: AUTH}))
        refusal = f"the registry refuses the login: secret a has the key {ECR}"
        assert summary(found) == ("unknown", f"{refusal}. {PROVIDED}")

    @pytest.mark.parametrize(("platform", "image"), [("VSphere", "AWS"), ("AWS", "Azure")])
    def test_nodes_of_another_platform_have_no_provider(self, platform: str, image: str) -> None:
        assert asked(pod(image=IMAGES[image]), "no_login", platform).verdict == "will_not_pull"

    def test_a_registry_of_no_cloud_has_no_provider(self) -> None:
        found = asked(pod(), "no_login")
        assert (found.verdict, steps(found, "providers")) == ("will_not_pull", [])

    def test_an_image_that_pulls_needs_no_provider(self) -> None:
        found = asked(pod(image=IMAGES["AWS"]), "pulls")
        assert (found.verdict, steps(found, "providers")) == ("pulls", [])

    def test_a_silent_registry_does_not_hide_the_provider(self) -> None:
        found = asked(pod(image=IMAGES["AWS"]), "unanswered")
        assert (found.verdict, len(steps(found, "providers"))) == ("unknown", 2)

    def test_a_login_of_the_provider_does_not_reach_the_only_mirror_on_another_host(self) -> None:
        found = asked(pod(image=IMAGES["AWS"]), "no_login", mirrors=mirrored(source=ECR, only=True))
        assert (found.verdict, steps(found, "providers")) == ("will_not_pull", [])

    def test_a_login_of_the_provider_reaches_a_mirror_on_the_host_of_the_image(self) -> None:
        found = asked(
            pod(image=IMAGES["AWS"]), "no_login", mirrors=mirrored(f"{ECR}/copy", source=f"{ECR}/app", only=True)
        )
        assert (found.verdict, len(steps(found, "providers"))) == ("unknown", 2)

    def test_a_node_that_was_refused_had_no_login_of_the_provider(self) -> None:
        found = asked(pod(image=IMAGES["AWS"], says="no basic auth credentials"), "no_login")
        assert found.verdict == "will_not_pull"

    def test_an_error_that_proves_nothing_leaves_the_provider_of_the_cloud(self) -> None:
        assert asked(pod(image=IMAGES["AWS"], says="pull QPS exceeded"), "no_login").verdict == "unknown"


class TestMachineConfigs:
    """The rendered configurations of the pools show the providers of the kubelets."""

    ECR_PROVIDER: ClassVar = {"name": "ecr-credential-provider", "matchImages": ["*.dkr.ecr.*.amazonaws.com"]}
    TOKENS: ClassVar = {
        "name": "token-provider",
        "matchImages": ["q.io"],
        "tokenAttributes": {
            "serviceAccountTokenAudience": "registry",
            "requiredServiceAccountAnnotationKeys": ["example.com/role"],
        },
    }
    ANNOTATED: ClassVar = {"metadata": {"annotations": {"example.com/role": ""}}}
    CANNOT_BE_SEEN = "Whether its login may pull this image cannot be seen from here, and the pod never shows why a provider gives no login"

    def evidence(self, account: Any = None, allowed: Any = None, **pools: Any) -> dict[Any, Any]:
        """`pools` are the providers of each pool, or its settings if they are no list. Their configurations have the names of the pools."""
        listed = [
            {"metadata": {"name": name}, "spec": {"configuration": {"name": name}}, "status": {"machineCount": 1}}
            for name in pools
        ]
        files = {
            ObjectRef(KUBELET_FILE, "", name): {"credentialProviders": each} if isinstance(each, list) else each
            for name, each in pools.items()
        }
        review = {token_review("ns", "default", "registry"): allowed}
        cloud = {INFRASTRUCTURE: {"status": {"platformStatus": {"type": "AWS"}}}}
        return known(default=account, more={POOLS: {"items": listed}, **files, **review, **cloud})

    def seen(self, image: str, **given: Any) -> Any:
        return steps(told(pod(image=image), self.evidence(**given)), "providers")

    def test_a_provider_of_the_kubelet_is_named(self) -> None:
        text = f"the nodes of worker have the credential provider ecr-credential-provider for *.dkr.ecr.*.amazonaws.com. {self.CANNOT_BE_SEEN}"
        found = self.seen(IMAGES["AWS"], worker=[self.ECR_PROVIDER], master=[])
        assert found == [("providers", text, None)]

    def test_a_cloud_whose_provider_is_not_in_the_configurations_gives_no_login(self) -> None:
        text = f"the machine configs of the nodes have no credential provider for {ECR}"
        assert self.seen(IMAGES["AWS"], worker=[self.TOKENS]) == [("providers", text, False)]
        assert self.seen("r.io/app:v1", worker=[self.TOKENS]) == []

    @pytest.mark.parametrize("settings", [None, {}, REFUSED, []])
    def test_the_platform_counts_if_one_configuration_shows_no_provider(self, settings: Any) -> None:
        """The kubelets of older versions have the provider of their cloud without any option."""
        cloud, _token = self.seen(IMAGES["AWS"], worker=[self.TOKENS], infra=settings)
        assert cloud[1].startswith("the nodes run on AWS")
        evidence = self.evidence(worker=settings)
        assert answered(pod(image=IMAGES["AWS"]), Lookup(evidence), "no_login").verdict == "unknown"

    def test_providers_that_no_object_shows_are_a_doubt_for_every_registry(self) -> None:
        evidence = self.evidence(worker=[], infra={"credentialProviders": None})
        text = "the nodes of infra have credential providers that no object shows: whether one is for q.io is not known"
        assert steps(told(pod(), evidence), "providers") == [("providers", text, None)]
        assert answered(pod(), Lookup(evidence), "no_login").verdict == "unknown"

    def test_a_known_provider_counts_whatever_another_pool_has(self) -> None:
        provider = {"name": "p", "matchImages": ["q.io"]}
        for other in (None, {}, REFUSED, []):
            evidence = self.evidence(worker=[provider], infra=other)
            assert answered(pod(), Lookup(evidence), "no_login").verdict == "unknown"

    def test_the_platform_counts_for_pools_that_show_nothing_if_no_known_provider_is_run(self) -> None:
        lacking = {**self.ECR_PROVIDER, "tokenAttributes": {"requiredServiceAccountAnnotationKeys": ["a"]}}
        evidence = self.evidence(account={"metadata": {}}, worker=[lacking], infra=REFUSED)
        found = told(pod(image=IMAGES["AWS"]), evidence)
        assert [ok for _name, _text, ok in steps(found, "providers")] == [False, None, None]
        assert answered(pod(image=IMAGES["AWS"]), Lookup(evidence), "no_login").verdict == "unknown"

    def test_the_annotations_that_a_cloud_needs_are_named(self) -> None:
        tokens = {**self.ECR_PROVIDER, "tokenAttributes": {"serviceAccountTokenAudience": "registry"}}
        ((_name, text, _ok),) = self.seen(IMAGES["AWS"], worker=[tokens], allowed={"allowed": True})
        lacks = (
            "service account ns/default lacks eks.amazonaws.com/ecr-role-arn, so it pulls with the role of the nodes"
        )
        assert f"the nodes may request its tokens for registry. {lacks}" in text

    def test_a_missing_annotation_means_that_the_provider_is_not_run(self) -> None:
        found = self.seen("q.io/app:v1", worker=[self.TOKENS], account={"metadata": {}})
        text = "service account ns/default lacks example.com/role, so the kubelet does not run it for this pod"
        assert found == [
            ("providers", f"the nodes of worker have the credential provider token-provider for q.io: {text}", False)
        ]

    @pytest.mark.parametrize(
        ("account", "allowed", "text"),
        [
            (ANNOTATED, {"allowed": True},
             ", with tokens of service accounts: the nodes may request its tokens for registry"),
            (ANNOTATED, {"allowed": False},
             ", with tokens of service accounts: the nodes may not request its tokens for registry, so it gives no login, unless the pod "
             "has a volume with such a token"),
            (REFUSED, None,
             ", which needs annotations of service account ns/default, and these are not known: the caller may not read it"),
        ],
    )  # fmt: skip
    def test_the_facts_about_tokens_are_named(self, account: Any, allowed: Any, text: str) -> None:
        ((_name, seen, ok),) = self.seen("q.io/app:v1", worker=[self.TOKENS], account=account, allowed=allowed)
        begin = "the nodes of worker have the credential provider token-provider for q.io"
        assert (seen, ok) == (f"{begin}{text}. {self.CANNOT_BE_SEEN}", None)

    @pytest.mark.parametrize(
        ("account", "provider", "verdict"),
        [
            (ANNOTATED, TOKENS, "unknown"),
            ({"metadata": {}}, TOKENS, "will_not_pull"),
            (REFUSED, TOKENS, "unknown"),
            ({"metadata": {}}, ECR_PROVIDER, "will_not_pull"),
        ],
    )
    def test_a_refusal_is_a_doubt_only_if_a_provider_is_run_for_the_image(
        self, account: Any, provider: Any, verdict: str
    ) -> None:
        evidence = Lookup(self.evidence(account=account, worker=[provider]))
        assert answered(pod(image="q.io/app:v1"), evidence, "no_login").verdict == verdict

    @pytest.mark.parametrize(
        ("audiences", "allowed", "account", "verdict", "text"),
        [
            ((), {"allowed": False}, ANNOTATED, "will_not_pull", None),
            (("sts",), {"allowed": False}, REFUSED, "will_not_pull", None),
            (("registry",), {"allowed": False}, ANNOTATED, "unknown", "because a volume of the pod has such a token"),
            (None, {"allowed": False}, ANNOTATED, "unknown", "unless the pod has a volume with such a token"),
            ((), {"allowed": True}, ANNOTATED, "unknown", "the nodes may request its tokens for registry"),
            ((), REFUSED, ANNOTATED, "unknown", "whether the nodes may request its tokens for registry is not known"),
        ],
    )
    def test_a_provider_without_a_token_gives_no_login(
        self, audiences: Any, allowed: Any, account: Any, verdict: str, text: str | None
    ) -> None:
        """The node may request a token that a volume of the pod has, and another one only with the right."""
        evidence = Lookup(self.evidence(account=account, allowed=allowed, worker=[self.TOKENS]))
        found = answered(pod(image="q.io/app:v1", audiences=audiences), evidence, "no_login")
        ((_name, seen, ok),) = steps(found, "providers")
        assert (found.verdict, ok) == (verdict, None if text else False)
        if text is None:
            assert seen == (
                "the nodes of worker have the credential provider token-provider for q.io, with tokens of service accounts: the nodes may not "
                "request its tokens for registry, and no volume of the pod has such a token, so it gives no login"
            )
        else:
            assert text in seen

    NOT_RUN = (
        "the nodes of worker have the credential provider token-provider for q.io: service account ns/default lacks example.com/role, so the "
        "kubelet does not run it for this pod"
    )
    NO_TOKEN = (
        "the nodes of worker have the credential provider token-provider for q.io, with tokens of service accounts: the nodes may not request "
        "its tokens for registry, and no volume of the pod has such a token, so it gives no login"
    )
    SAYS = (
        "",
        "denied",
        "no basic auth credentials",
        "authentication required",
        "manifest unknown",
        "pull QPS exceeded",
    )

    @pytest.mark.parametrize("says", SAYS)
    @pytest.mark.parametrize("asks", [True, False])
    @pytest.mark.parametrize(
        ("account", "allowed", "why"),
        [({"metadata": {}}, None, NOT_RUN), (ANNOTATED, {"allowed": False}, NO_TOKEN)],
        ids=["no annotation", "no right"],
    )
    def test_a_provider_that_gives_no_login_is_the_first_reason(
        self, account: Any, allowed: Any, why: str, asks: bool, says: str
    ) -> None:
        evidence = Lookup(self.evidence(account=account, allowed=allowed, worker=[self.TOKENS]))
        subject = pod(image="q.io/app:v1", says=says, audiences=())
        found = answered(subject, evidence, "no_login") if asks else explain(subject, evidence)
        begin = "there is no such image, or the registry hides it: " if says == "manifest unknown" and not asks else ""
        assert found.reason.startswith(f"{begin}{why}, and no pull secret of pod ns/p is for q.io/app")
        passes = not asks and says in ("", "pull QPS exceeded")
        assert found.verdict == ("unknown" if passes else "will_not_pull")

    @pytest.mark.parametrize("says", SAYS[1:-1])
    @pytest.mark.parametrize("asks", [True, False])
    @pytest.mark.parametrize("outcome", ["no_login", "not_found", "unanswered"])
    @pytest.mark.parametrize("image", ["q.io/app:v1", "aws"])
    def test_a_node_that_was_refused_with_a_provider_is_told_as_it_says(
        self, image: str, outcome: str, asks: bool, says: str
    ) -> None:
        """The login of the provider is known to the node only, so its answer counts more than that of a registry without a login."""
        provider = {"name": "p", "matchImages": ["q.io"]}
        image = IMAGES["AWS"] if image == "aws" else image
        evidence = Lookup(self.evidence(worker=[provider, self.ECR_PROVIDER]))
        subject = pod(image=image, says=says)
        found = answered(subject, evidence, outcome) if asks else explain(subject, evidence)
        name = "p" if "q.io" in image else "ecr-credential-provider"
        assert found.verdict == "will_not_pull"
        assert (
            f"and the credential provider {name} of the nodes gives no login with the right to the image"
            in found.reason
        )
        assert found.reason.endswith(f", and the node says: {says}")
        assert "said" not in found.reason
        assert bool(found.fix) is (says != "manifest unknown")

    def test_an_entry_without_a_login_leaves_the_answer_of_the_node_with_the_provider(self) -> None:
        evidence = self.evidence(worker=[{"name": "p", "matchImages": ["q.io"]}])
        evidence[ObjectRef(SECRET, "ns", "a")] = secret({"q.io": {}})
        found = answered(pod("a", says="manifest unknown"), Lookup(evidence), "no_login")
        assert found.reason.startswith("there is no such image, or the registry hides it: secret a has the key q.io")

    def test_the_provider_that_may_give_a_login_is_named(self) -> None:
        evidence = Lookup(self.evidence(worker=[self.ECR_PROVIDER]))
        found = answered(pod(image=IMAGES["AWS"]), evidence, "no_login")
        named = PROVIDED.replace("provider of", "provider ecr-credential-provider of")
        assert (found.verdict, found.reason.endswith(f". {named}")) == ("unknown", True)

    def test_a_login_of_the_pod_that_the_registry_refuses_is_named_beside_a_provider(self) -> None:
        evidence = {**self.evidence(worker=[{"name": "p", "matchImages": ["q.io"]}])}
        evidence[ObjectRef(SECRET, "ns", "a")] = secret({"q.io": AUTH})
        found = answered(pod("a", says="denied"), Lookup(evidence), "bad_login")
        assert summary(found) == ("will_not_pull", "the registry refuses the login: secret a has the key q.io")

    def test_text_of_the_configuration_stays_in_its_line(self) -> None:
        odd = {"name": "x\n\x1b[2J", "matchImages": ["q.io", 5]}
        ((_name, text, _ok),) = self.seen("q.io/app:v1", worker=[odd, "odd", {}])
        assert "\n" not in text


UNREAD = "whether the nodes have a credential provider for q.io is not known: the caller may not read it"


class TestUnreadMachineConfigs:
    """A provider that the caller may not see can give a login to a pull that no node has tried yet."""

    @staticmethod
    def evidence(more: Any = None) -> Lookup:
        """The configuration of one pool cannot be read. The other pool has no provider."""
        return Lookup({**TestMachineConfigs().evidence(worker=[], infra=REFUSED), **(more or {})})

    def test_the_refusal_of_all_logins_is_a_doubt_with_its_reason(self) -> None:
        found = answered(pod(), self.evidence(), "no_login")
        assert summary(found) == (
            "unknown",
            f"no pull secret of pod ns/p is for q.io/team/app: said no_login. {PROVIDED}, and {UNREAD}",
        )
        assert (found.step, steps(found, "providers")) == ("providers", [("providers", UNREAD, None)])
        assert found.fix == fixes.create_secret("ns", "default", "q.io")

    def test_pools_that_cannot_be_listed_are_named(self) -> None:
        found = answered(pod(), Lookup(known(more={POOLS: REFUSED})), "no_login")
        assert found.verdict == "unknown"
        assert "q.io is not known: the machineconfigpools could not be read: the caller may not read it" in found.reason

    def test_a_login_that_is_known_to_be_refused_leaves_the_doubt(self) -> None:
        stored = {ObjectRef(SECRET, "ns", "a"): {**secret({"q.io": AUTH}), "refusedLogins": [["q.io", "q.io"]]}}
        found = explain(pod("a"), self.evidence(stored))
        assert (found.verdict, steps(found, "providers")) == ("unknown", [("providers", UNREAD, None)])

    @pytest.mark.parametrize("asks", [True, False])
    def test_the_refusal_of_the_node_decides(self, asks: bool) -> None:
        subject = pod(says="authentication required")
        found = answered(subject, self.evidence(), "no_login") if asks else explain(subject, self.evidence())
        assert (found.verdict, steps(found, "providers")) == ("will_not_pull", [])

    def test_a_user_of_a_project_gets_the_answers_of_one_who_may_only_not_read_the_secret_of_the_nodes(self) -> None:
        unread = [*(ObjectRef(kind, "", "") for kind in MIRROR_KINDS), IMAGE_CONFIG, NODES, INFRASTRUCTURE, POOLS]
        some = {**known(), NODE_SECRET: REFUSED}
        least = {**some, **dict.fromkeys(unread, REFUSED)}
        for subject, verdict in ((pod(says="unauthorized"), "will_not_pull"), (pod(), "unknown")):
            for evidence in (some, least):
                assert explain(subject, Lookup(evidence)).verdict == verdict
                assert answered(subject, Lookup(evidence), "no_login").verdict == verdict
        assert steps(answered(pod(), Lookup(least), "no_login"), "providers") == []

    @pytest.mark.parametrize(("platform", "says"), [("AWS", PROVIDED), ("VSphere", UNREAD.replace("q.io", ECR))])
    def test_the_provider_of_the_cloud_is_the_known_one(self, platform: str, says: str) -> None:
        cloud = {INFRASTRUCTURE: {"status": {"platformStatus": {"type": platform}}}}
        found = answered(pod(image=IMAGES["AWS"]), self.evidence(cloud), "no_login")
        assert (found.verdict, found.reason.endswith(says)) == ("unknown", True)

    def test_the_login_of_a_kubelet_does_not_reach_the_only_mirror_on_another_host(self) -> None:
        """A configuration for other images shows that CRI-O's provider is not for this one."""
        config = {CRIO_PROVIDER[0]: {"spec": {"matchImages": ["x.io"]}}}
        found = answered(pod(), self.evidence({**mirrored(only=True), **config}), "no_login")
        assert (found.verdict, steps(found, "providers")) == ("will_not_pull", [])


class TestCrioWithoutConfig:
    """Machine configs can set up the provider of CRI-O on their own. Then nothing is known about the login for a mirror."""

    CRIO: ClassVar = {"name": "crio-credential-provider", "matchImages": ["q.io"]}
    TEXT = (
        "the nodes of worker have the credential provider crio-credential-provider for q.io, but there is no CRI-O credential provider config "
        "cluster: the pull secrets of namespace ns may give a login for the mirrors, if service account ns/default may list them. This was "
        "not checked"
    )

    @staticmethod
    def evidence(providers: Any, mirror: str = "m.io/z", *, only: bool = True, more: Any = None) -> dict[Any, Any]:
        return {
            **TestMachineConfigs().evidence(worker=providers),
            **mirrored(mirror, only=only),
            **(more or {}),
        }

    @pytest.mark.parametrize("only", [True, False])
    def test_a_mirror_that_refuses_is_a_doubt(self, only: bool) -> None:
        found = answered(pod(), Lookup(self.evidence([self.CRIO], only=only)), "no_login")
        assert steps(found, "providers") == [("providers", self.TEXT, None)]
        assert (found.verdict, found.reason.endswith(f". {PROVIDED}")) == ("unknown", True)

    def test_a_doubt_about_the_only_mirror_names_the_provider(self) -> None:
        found = told(pod(), self.evidence([self.CRIO]))
        assert steps(found, "providers") == [("providers", self.TEXT, None)]
        assert found.reason.endswith(" or the credential provider of the nodes gives a login for it")

    @pytest.mark.parametrize(
        "providers", [[], [{**CRIO, "matchImages": ["x.io"]}], [TestMachineConfigs.TOKENS], {}, None]
    )
    def test_a_mirror_that_refuses_decides_without_the_provider(self, providers: Any) -> None:
        found = answered(pod(), Lookup(self.evidence(providers)), "no_login")
        assert (found.verdict, steps(found, "providers")) == ("will_not_pull", [])

    def test_a_mirror_that_refuses_is_a_doubt_if_the_machine_configs_cannot_be_read(self) -> None:
        found = answered(pod(), Lookup(self.evidence(REFUSED)), "no_login")
        assert (found.verdict, steps(found, "providers")) == ("unknown", [("providers", UNREAD, None)])

    def test_providers_that_no_object_shows_are_a_doubt_for_a_mirror(self) -> None:
        found = answered(pod(), Lookup(self.evidence({"credentialProviders": None})), "no_login")
        text = (
            "the nodes of worker have credential providers that no object shows: whether one is for q.io is not known"
        )
        assert (found.verdict, steps(found, "providers")) == ("unknown", [("providers", text, None)])

    def test_an_image_without_mirrors_does_not_get_its_logins(self) -> None:
        found = answered(pod(), Lookup(TestMachineConfigs().evidence(worker=[self.CRIO])), "no_login")
        assert (found.verdict, steps(found, "providers")) == ("will_not_pull", [])

    def test_an_existing_config_decides(self) -> None:
        config = {"spec": {"matchImages": ["x.io"]}}
        evidence = self.evidence([self.CRIO], more={CRIO_PROVIDER[0]: config})
        assert answered(pod(), Lookup(evidence), "no_login").verdict == "will_not_pull"

    def test_a_login_that_works_reads_no_machine_config(self) -> None:
        evidence = known(more={**mirrored(only=True), NODE_SECRET: secret({"m.io": AUTH})})
        del evidence[POOLS]
        assert told(pod(), evidence).verdict == "pulls"


IMAGES = {"AWS": f"{ECR}/app:v1", "Azure": "team.azurecr.io/app:v1", "GCP": "eu.gcr.io/team/app:v1"}
ACR = {"kubernetes.azure.com/acr-client-id": "c", "kubernetes.azure.com/acr-tenant-id": "t"}
ROLE = {"eks.amazonaws.com/ecr-role-arn": "arn"}
GCP = {"iam.gke.io/enable-wi-image-pull": "true"}
HAS = "service account ns/default has "
LACKS = "service account ns/default lacks "


def tokens(cloud: str, annotations: Any, allowed: Any = None) -> str:
    """The step about tokens of the pod's account."""
    account = annotations if annotations is REFUSED else {"metadata": {"annotations": annotations}}
    reviews = {
        token_review("ns", "default", audience): allowed
        for audience in ("sts.amazonaws.com", "api://AzureADTokenExchange")
    }
    evidence = known(default=account, more={INFRASTRUCTURE: {"status": {}}, **reviews})
    _cloud, (name, text, ok) = steps(told(pod(image=IMAGES[cloud]), evidence), "providers")
    assert (name, ok) == ("providers", None)
    begin, _colon, rest = text.partition(": ")
    assert begin.endswith("uses tokens of service accounts, which only the nodes' files show")
    end = ". The pod never shows why a provider gives no login"
    assert rest.endswith(end)
    return rest.removesuffix(end)


class TestTokens:
    @pytest.mark.parametrize(
        ("cloud", "annotations", "text"),
        [
            ("AWS", None,
             f"{LACKS}eks.amazonaws.com/ecr-role-arn, so it pulls with the role of the nodes (on OpenShift 4.21, it fails), or does not run if"),
            ("AWS", {"eks.amazonaws.com/ecr-role-arn": ""}, LACKS),
            ("Azure", {},
             f"{LACKS}kubernetes.azure.com/acr-client-id and kubernetes.azure.com/acr-tenant-id, so it does not run"),
            ("Azure", {**ACR, "kubernetes.azure.com/acr-client-id": 5},
             f"{LACKS}kubernetes.azure.com/acr-client-id, so"),
            ("GCP", {}, f"{LACKS}iam.gke.io/enable-wi-image-pull, so it pulls with the account of the nodes"),
            ("GCP", {"iam.gke.io/enable-wi-image-pull": "yes"}, LACKS),
            ("GCP", GCP,
             f"{HAS}iam.gke.io/enable-wi-image-pull, and if the exchange of the token fails, the pod gets no login"),
            ("AWS", REFUSED,
             "whether service account ns/default has eks.amazonaws.com/ecr-role-arn is not known: the caller may"),
        ],
    )  # fmt: skip
    def test_the_annotations_of_the_account_decide(self, cloud: str, annotations: Any, text: str) -> None:
        assert tokens(cloud, annotations).startswith(text)

    @pytest.mark.parametrize("annotations", [{}, GCP])
    @pytest.mark.parametrize("platform", ["GCP", "BareMetal"])
    def test_the_provider_of_openshift_for_gcp_takes_no_tokens(self, platform: str, annotations: Any) -> None:
        cloud = {INFRASTRUCTURE: {"status": {"platformStatus": {"type": platform}}}}
        evidence = known(default={"metadata": {"annotations": annotations}}, more=cloud)
        _cloud, (_name, text, ok) = steps(told(pod(image=IMAGES["GCP"]), evidence), "providers")
        begin = "gcr-credential-provider of OpenShift takes no tokens of service accounts"
        assert (text, ok) == (f"{begin}, so annotations of service account ns/default have no effect", False)

    @pytest.mark.parametrize(
        ("allowed", "text"),
        [
            ({"allowed": True}, "the nodes may request its tokens for {}"),
            (
                {"allowed": False},
                "the nodes may not request its tokens for {}, so the pod gets no login, unless the pod has a volume with such a token",
            ),
            (REFUSED, "whether the nodes may request its tokens for {} is not known: the caller may not read it"),
        ],
    )
    @pytest.mark.parametrize(
        ("cloud", "annotations", "audience"),
        [("AWS", ROLE, "sts.amazonaws.com"), ("Azure", ACR, "api://AzureADTokenExchange")],
    )
    def test_the_nodes_need_the_right_to_request_the_token(
        self, cloud: str, annotations: Any, audience: str, allowed: Any, text: str
    ) -> None:
        named = " and ".join(annotations)
        assert tokens(cloud, annotations, allowed) == f"{HAS}{named}, and {text.format(audience)}"
