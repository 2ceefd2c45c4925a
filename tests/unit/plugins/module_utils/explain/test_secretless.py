# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a pull without a stored secret names each missing part, and what could not be read is not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    ObjectRef,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.secretless import (
    ISSUER,
    plan_secretless,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import BUILD_CONFIG
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import (
    WORKLOADS,
    ContainerPull,
    pull_of_account,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import CRIO_AUDIENCE
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import (
    KUBELET_FILE,
    NODES,
    POOLS,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.provider_config import config_problems
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import IMAGE_CONFIG
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import (
    CLUSTER_VERSION,
    INFRASTRUCTURE,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import token_review
from support.provider_configs import config
from support.pull_evidence import AUTH, REFUSED, known, mirrored, node, openshift, pod, secret

IMAGE = "registry.example.com/team/app:v1"
ECR, ACR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:v1", "team.azurecr.io/app:v1"
ROLE = "eks.amazonaws.com/ecr-role-arn"
PUBLIC = "https://keys.example.com"
#: The account has the annotation that the provider of `config` requires.
ANNOTATED = {"metadata": {"annotations": {"example.com/role": ""}}, "imagePullSecrets": []}
BUILD = {"metadata": {"name": "b"}, "spec": {"strategy": {"dockerStrategy": {"pullSecret": {"name": "pull"}}}}}


def plan(
    *,
    subject: ContainerPull | None = None,
    given: Any = ...,
    allowed: Any = True,
    issuer: Any = PUBLIC,
    account: Any = ...,
    more: Any = None,
    audience: str = CRIO_AUDIENCE,
    is_of_all: bool = True,
    **secrets: Any,
) -> list[tuple[str, str, bool | None, str]]:
    """The checks of a plan. `given` is None for the machine configs. `more` are further objects, and everything else does not exist."""
    subject = subject or pull_of_account("ns", "default", IMAGE)
    evidence = known(default=ANNOTATED if account is ... else account, more={NODES: {"items": [node()]}}, **secrets)
    evidence[ISSUER] = {"issuer": issuer} if isinstance(issuer, str) else issuer
    evidence[token_review("ns", "default", audience)] = {"allowed": allowed} if isinstance(allowed, bool) else allowed
    lookup = Lookup({**evidence, **(more or {})})
    while True:
        try:
            found = plan_secretless(subject, lookup, config() if given is ... else given, is_of_all=is_of_all)
            break
        except ReadRequired:
            lookup.add(dict.fromkeys(lookup.take_wanted()))
    checks = found.report()["checks"]
    wrong = {each["ok"] for each in checks}
    assert found.verdict == ("not_ready" if False in wrong else "unknown" if None in wrong else "ready")
    return [(each["check"], each["message"], each["ok"], each["fix"]) for each in checks]


def problems(*names: str, **given: Any) -> list[tuple[str, str, bool | None]]:
    """The checks that do not succeed."""
    return [each[:3] for each in plan(**given) if each[2] is not True and each[0] in (names or (each[0],))]


def test_nothing_is_missing_if_each_part_is_there() -> None:
    found = plan()
    assert {ok for _check, _text, ok, _fix in found} == {True}
    assert [check for check, _text, _ok, _fix in found] == ["provider", "right", "issuer"]
    accepted = "the other side must accept it, with system:serviceaccount:ns:default"
    assert found[2][1] == f"the issuer of the tokens is {PUBLIC}: {accepted} and {CRIO_AUDIENCE}"


class TestConfigurations:
    def test_a_refusal_of_the_kubelet_is_named(self) -> None:
        given = config(tokens={"cacheType": "Pod"})
        text = "no kubelet starts with the credential providers of the given configuration: cacheType of tokenAttributes of provider echo is not"
        assert problems("configuration", given=given) == [("configuration", f"{text} ServiceAccount or Token", False)]

    def test_an_entry_that_never_matches_is_named_with_its_correction(self) -> None:
        found = problems(given=config(matchImages=["registry.example.com/*"]))
        assert [(check, ok) for check, _text, ok in found] == [("entry", False), ("provider", False)]
        assert found[0][1].startswith(
            "registry.example.com/* of echo of the given configuration never matches the image"
        )
        assert "has no credential provider for registry.example.com/team/app: add one with matchImages" in found[1][1]

    def test_a_provider_of_crio_is_for_mirrors_only(self) -> None:
        assert problems("provider", given=config(name="crio-credential-provider"))

    def test_a_provider_without_tokens_gives_the_login_of_the_node(self) -> None:
        found = plan(given=config(tokenAttributes=...))
        assert found[1][:3] == (
            "account",
            "echo gets no tokens of accounts: its login is the node's, for every pod there",
            True,
        )
        assert len(found) == 2


def with_pools(**pools: Any) -> dict[ObjectRef, Any]:
    """The machine config pools, with the settings of their kubelets."""
    listed = [
        {"metadata": {"name": each}, "spec": {"configuration": {"name": each}}, "status": {"machineCount": 1}}
        for each in pools
    ]
    files = {ObjectRef(KUBELET_FILE, "", name): each for name, each in pools.items()}
    return {POOLS: {"items": listed}, **files}


class TestPools:
    """Without a given configuration, the machine configs count."""

    @staticmethod
    def seen(**pools: Any) -> list[tuple[str, str, bool | None]]:
        return [each for each in problems(more=with_pools(**pools), given=None) if each[0] != "issuer"]

    SERVED = {"credentialProviders": config()["providers"]}

    def test_the_pool_without_a_provider_is_named(self) -> None:
        ((check, text, ok),) = self.seen(worker=self.SERVED, infra={"credentialProviders": []})
        assert (check, text[:37], ok) == ("provider", "pool infra has no credential provider", False)

    def test_the_nodes_of_the_control_plane_need_none(self) -> None:
        assert self.seen(worker=self.SERVED, master={"credentialProviders": []}) == []
        assert self.seen(master={"credentialProviders": []})[0][2] is False

    @pytest.mark.parametrize("unknown", [{}, {"credentialProviders": None}, REFUSED])
    def test_a_pool_that_does_not_show_them_is_not_known(self, unknown: Any) -> None:
        text = "no object shows the credential providers of pool worker"
        assert self.seen(worker=unknown) == [("provider", text, None)]

    def test_the_refusals_of_the_next_configuration_are_named(self) -> None:
        ((check, text, ok),) = self.seen(worker={**self.SERVED, "credentialProviderProblems": ["it is odd"]})
        assert (check, ok) == ("configuration", False)
        assert text == "no kubelet starts with the credential providers of pool worker: it is odd"

    @pytest.mark.parametrize(
        ("pools", "why"), [(None, "there are no machine config pools"), (REFUSED, "could not be read")]
    )
    def test_a_cluster_without_machine_configs_needs_the_file(self, pools: Any, why: str) -> None:
        ((check, text, ok),) = problems(more={POOLS: pools}, given=None)
        assert (check, ok, why in text) == ("provider", None, True)
        assert text.endswith("Give their file in 'credential_provider_config'")

    def test_the_file_for_a_pool_without_a_provider_has_all_its_providers(self) -> None:
        present = config(name="ecr", matchImages=["*.amazonaws.com"], tokenAttributes=...)["providers"]
        found = plan(more=with_pools(worker={"credentialProviders": present}), given=None)
        (fix,) = [each[3] for each in found if each[0] == "provider"]
        file = yaml.safe_load(fix)
        assert [(each["name"], each["matchImages"]) for each in file["providers"]] == [
            ("ecr", ["*.amazonaws.com"]),
            ("PROVIDER", ["registry.example.com"]),
        ]
        assert config_problems(file) == []


class TestOneFile:
    """A kubelet has one file, so a given configuration has the other providers of the nodes as well."""

    OTHER = config(name="ecr", matchImages=["*.amazonaws.com"], tokenAttributes=...)["providers"]

    def seen(self, given: Any = ..., **pools: Any) -> list[tuple[str, str, bool | None, str]]:
        evidence = with_pools(**{name: {"credentialProviders": each} for name, each in pools.items()})
        return [each for each in plan(more=evidence, given=given) if each[0] == "file"]

    def test_pools_whose_providers_would_be_dropped_are_named_with_one_file(self) -> None:
        ((_check, text, ok, fix),) = self.seen(worker=self.OTHER, infra=self.OTHER, edge=[], old=config()["providers"])
        dropped = "the given configuration drops ecr of pool worker and infra: a kubelet has one file for all"
        assert (text, ok) == (dropped, False)
        assert self.seen(given=yaml.safe_load(fix), worker=self.OTHER) == []
        assert config_problems(yaml.safe_load(fix)) == []

    def test_each_file_is_shown_once(self) -> None:
        found = self.seen(worker=self.OTHER, infra=config(name="acr")["providers"])
        assert [text[:52] for _check, text, _ok, _fix in found] == [
            "the given configuration drops ecr of pool worker: a ",
            "the given configuration drops acr of pool infra: a k",
        ]

    def test_pools_that_cannot_be_read_are_not_known(self) -> None:
        text = "the other providers of the nodes are not known: no object shows those of pool worker"
        assert self.seen(worker=None) == [("file", text, None, "")]
        ((_check, text, ok, fix),) = [each for each in plan(more={POOLS: REFUSED}) if each[0] == "file"]
        assert ("could not be read" in text, ok, fix) == (True, None, "")

    def test_an_invalid_configuration_or_one_for_other_images_has_no_file(self) -> None:
        assert self.seen(given=config(tokens={"cacheType": "Pod"}), worker=self.OTHER) == []
        assert self.seen(given=config(matchImages=["q.io"]), worker=self.OTHER) == []

    def test_no_login_of_an_entry_is_shown(self) -> None:
        odd = [{**self.OTHER[0], "name": "password=geheim", "matchImages": ["https://user:geheim@q.io"]}]
        ((_check, text, _ok, fix),) = self.seen(worker=odd)
        assert "geheim" not in text + fix


class TestAccount:
    def test_a_missing_annotation_has_its_command(self) -> None:
        ((_check, text, ok, fix),) = [each for each in plan(account={"metadata": {}}) if each[0] == "annotations"]
        assert (ok, fix) == (False, "kubectl annotate serviceaccount default -n ns example.com/role=VALUE")
        assert text == "service account ns/default lacks example.com/role, so no kubelet runs echo for it"

    def test_annotations_that_cannot_be_read_are_not_known(self) -> None:
        assert problems("annotations", account=REFUSED, subject=pod(image=IMAGE))[0][2] is None

    def test_a_missing_right_has_the_role_of_this_account_alone(self) -> None:
        ((_check, text, ok, fix),) = [each for each in plan(allowed=False) if each[0] == "right"]
        assert (text, ok) == (
            f"the nodes may not request tokens of service account ns/default for {CRIO_AUDIENCE}",
            False,
        )
        role, binding = yaml.safe_load_all(fix)
        verb = "request-serviceaccounts-token-audience"
        assert role["rules"] == [
            {"apiGroups": [""], "resources": [CRIO_AUDIENCE], "resourceNames": ["default"], "verbs": [verb]}
        ]
        assert (binding["metadata"]["namespace"], binding["roleRef"]["name"]) == ("ns", role["metadata"]["name"])
        assert binding["subjects"] == [
            {"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "system:nodes"}
        ]

    def test_no_account_has_the_role_of_another(self) -> None:
        """A user of a namespace names accounts. An applied role must not replace the role for another account or audience."""
        pairs = [
            ("a", "b-c"),
            ("a-b", "c"),
            ("a", "b/c"),
            ("a", "b~c"),
            ("a" * 253, "c"),
            ("a" * 252, "c"),
            ("a", "B-c"),
            ("a.b", "c"),
        ]
        names = []
        for account, audience in pairs:
            evidence = {token_review("ns", account, audience): {"allowed": False}}
            given = config(tokens={"serviceAccountTokenAudience": audience})
            found = plan(subject=pull_of_account("ns", account, IMAGE), given=given, more=evidence)
            names += [
                fix and next(yaml.safe_load_all(fix))["metadata"]["name"]
                for check, _text, _ok, fix in found
                if check == "right"
            ]
        assert len(names) == len(pairs)
        assert len({*names}) == len(pairs)
        assert all("/" not in each for each in names)

    @pytest.mark.parametrize("answer", [REFUSED, {}, {"allowed": "yes"}])
    def test_a_right_that_cannot_be_asked_about_is_not_known(self, answer: Any) -> None:
        assert problems("right", allowed=answer)[0][2] is None

    def test_a_volume_with_such_a_token_is_enough(self) -> None:
        subject = pod(image=IMAGE, audiences=(CRIO_AUDIENCE,))
        assert problems("right", subject=subject, allowed=False) == []

    def test_no_object_is_offered_with_an_unusual_text(self) -> None:
        given = config(tokens={"serviceAccountTokenAudience": "{{ a }}", "requiredServiceAccountAnnotationKeys": ["a"]})
        found = plan(given=given, audience="{{ a }}", allowed=False)
        assert [fix for check, _text, _ok, fix in found if check == "right"] == [""]


class TestClouds:
    @staticmethod
    def provider(name: str, image: str, audience: str, **tokens: Any) -> dict[str, Any]:
        cleared = {"serviceAccountTokenAudience": audience, "requiredServiceAccountAnnotationKeys": ..., **tokens}
        return config(name=name, matchImages=[image.partition("/")[0]], tokens=cleared)

    def ecr(self, audience: str = "sts.amazonaws.com", **given: Any) -> list[tuple[str, str, bool | None]]:
        return problems(
            subject=pull_of_account("ns", "default", ECR),
            given=self.provider("ecr-credential-provider", ECR, audience),
            audience=audience,
            **given,
        )

    ROLED = {"metadata": {"annotations": {ROLE: "arn"}}}

    def test_ecr_with_a_role_and_a_public_issuer_is_ready(self) -> None:
        assert self.ecr(account=self.ROLED) == []

    @pytest.mark.parametrize(("version", "ok"), [("4.21.3", False), ("4.22.0", None), ("", None)])
    def test_ecr_without_a_role_fails_on_one_release_only(self, version: str, ok: bool | None) -> None:
        ((check, text, found),) = self.ecr(more={**openshift(version)})
        assert (check, found) == ("annotations", ok)
        assert text.startswith(f"service account ns/default lacks {ROLE}, so it pulls with the role of the nodes")

    def test_a_role_in_a_variable_of_the_provider_is_enough(self) -> None:
        image = pull_of_account("ns", "default", ECR)
        for name, count in (("AWS_ECR_ROLE_ARN", 0), ("OTHER", 1)):
            given = self.provider("ecr-credential-provider", ECR, "sts.amazonaws.com")
            given["providers"][0]["env"] = [{"name": name, "value": "arn"}]
            found = problems(
                "annotations", subject=image, given=given, audience="sts.amazonaws.com", more={**openshift("4.21.3")}
            )
            assert len(found) == count

    def test_a_wrong_audience_is_named(self) -> None:
        found = self.ecr("registry", account=self.ROLED)
        host = ECR.partition("/")[0]
        text = f"ecr-credential-provider gets tokens for registry, but {host} takes only those for sts.amazonaws.com"
        assert found == [("audience", text, False)]

    @pytest.mark.parametrize(
        "issuer",
        [
            "https://kubernetes.default.svc",
            "https://10.0.0.1",
            "https://kubernetes",
            "https://api.corp.internal:6443",
            "https://[",
            "",
        ],
    )
    def test_a_cloud_cannot_read_the_keys_of_an_issuer_inside(self, issuer: str) -> None:
        ((check, _text, ok),) = self.ecr(account=self.ROLED, issuer=issuer)
        assert (check, ok) == ("issuer", False if issuer else None)

    @pytest.mark.parametrize("unknown", [REFUSED, None, {"issuer": 3}])
    def test_an_issuer_that_cannot_be_read_is_not_known(self, unknown: Any) -> None:
        ((check, _text, ok),) = self.ecr(account=self.ROLED, issuer=unknown)
        assert (check, ok) == ("issuer", None)

    def test_whether_another_registry_reads_the_keys_of_an_issuer_inside_is_not_known(self) -> None:
        text = "the issuer of the tokens is https://kubernetes.default.svc, whose keys nothing outside the cluster can read"
        accepts = f"A registry inside must accept it, with system:serviceaccount:ns:default and {CRIO_AUDIENCE}"
        assert problems(issuer="https://kubernetes.default.svc") == [("issuer", f"{text}. {accepts}", None)]

    def test_azure_needs_both_annotations(self) -> None:
        given = self.provider("acr-credential-provider", ACR, "api://AzureADTokenExchange")
        subject = pull_of_account("ns", "default", ACR)
        found = plan(subject=subject, given=given, audience="api://AzureADTokenExchange")
        ((_check, _text, ok, fix),) = [each for each in found if each[0] == "annotations"]
        assert (ok, fix.count("=VALUE")) == (False, 2)

    @pytest.mark.parametrize("name", ["auth-provider-gcp", "gcr-credential-provider"])
    @pytest.mark.parametrize(("infrastructure", "count"), [(None, 0), ({"status": {}}, 1)])
    def test_the_provider_of_openshift_for_gcp_takes_no_tokens(
        self, infrastructure: Any, count: int, name: str
    ) -> None:
        given = self.provider(name, "eu.gcr.io/app", "a")
        account = {"metadata": {"annotations": {"iam.gke.io/enable-wi-image-pull": "true"}}}
        subject = pull_of_account("ns", "default", "eu.gcr.io/app:v1")
        found = problems(
            subject=subject, given=given, audience="a", account=account, more={INFRASTRUCTURE: infrastructure}
        )
        assert [each[0] for each in found] == ["versions"] * count


class TestNodes:
    def test_a_kubelet_before_the_gate_is_named(self) -> None:
        old = {NODES: {"items": [node(), node("m", kubelet="v1.33.2")]}}
        assert problems(more=old) == [
            ("versions", "kubelet 1.33 gives no tokens to providers: 1.34 is the first", False)
        ]

    @pytest.mark.parametrize("nodes", [REFUSED, None, {"items": []}, {"items": [node(kubelet="")]}])
    def test_versions_that_cannot_be_read_are_not_known(self, nodes: Any) -> None:
        ((check, _text, ok),) = problems(more={NODES: nodes})
        assert (check, ok) == ("versions", None)

    def test_a_login_of_a_provider_reaches_no_mirror_on_another_host(self) -> None:
        mirrors = {**mirrored(source="registry.example.com", only=True)}
        assert [each[::2] for each in problems(more=mirrors)] == [("mirrors", False)]
        assert problems(more=mirrored(source="registry.example.com")) == []


class TestIntegrated:
    HOST = "image-registry.openshift-image-registry.svc:5000"

    def seen(self, audience: str, issuer: Any) -> list[str]:
        given = config(matchImages=[self.HOST], tokens={"serviceAccountTokenAudience": audience})
        subject = pull_of_account("ns", "default", f"{self.HOST}/b/app:v1")
        return [text for _check, text, _ok in problems(subject=subject, given=given, audience=audience, issuer=issuer)]

    def test_it_takes_only_tokens_for_the_api_server(self) -> None:
        assert self.seen(CRIO_AUDIENCE, CRIO_AUDIENCE) == []
        (text,) = self.seen("registry", CRIO_AUDIENCE)
        assert text == f"echo gets tokens for registry, but {self.HOST} takes only those for {CRIO_AUDIENCE}"

    def test_the_token_itself_needs_its_own_type_of_cache(self) -> None:
        given = config(matchImages=[self.HOST], tokens={"cacheType": "ServiceAccount"})
        subject = pull_of_account("ns", "default", f"{self.HOST}/b/app:v1")
        ((check, text, ok),) = problems(subject=subject, given=given, issuer=CRIO_AUDIENCE)
        assert (check, ok) == ("configuration", False)
        assert (
            text
            == "echo can only return the token itself, which the kubelet refuses with cacheType ServiceAccount: write Token"
        )

    def test_without_the_issuer_its_audience_is_not_known(self) -> None:
        assert self.seen("registry", REFUSED) == [f"the issuer of the tokens is not known: {REFUSED}"]


class TestReaders:
    HELD = {**ANNOTATED, "imagePullSecrets": [{"name": "pull"}]}
    GOOD = secret({"registry.example.com": AUTH})

    def test_the_other_readers_of_the_secret_are_named(self) -> None:
        builds = {ObjectRef(BUILD_CONFIG, "ns", ""): {"items": [BUILD]}}
        text = "secret pull has another reader: build config ns/b names it"
        assert problems(account=self.HELD, more=builds, pull=self.GOOD) == [("readers", text, False)]
        assert problems(more=builds, pull=self.GOOD) == []

    def test_a_secret_for_another_registry_does_not_go(self) -> None:
        other = {ObjectRef(SERVICE_ACCOUNT, "ns", ""): {"items": [{**self.HELD, "metadata": {"name": "other"}}]}}
        assert problems(account=self.HELD, pull=secret({"q.io": AUTH}), more=other, is_of_all=False) == []

    def test_other_accounts_matter_only_without_a_plan_of_their_own(self) -> None:
        own = {**self.HELD, "metadata": {"name": "default"}}
        accounts = {ObjectRef(SERVICE_ACCOUNT, "ns", ""): {"items": [own, {**own, "metadata": {"name": "other"}}]}}
        given = {"account": self.HELD, "pull": self.GOOD, "more": accounts}
        (found,) = problems(is_of_all=False, **given)
        assert found[1] == "secret pull has another reader: service account ns/other lists it: ask about it as well"
        assert problems(**given) == []

    def test_a_workload_that_mounts_the_secret_is_named_in_its_own_plan(self) -> None:
        subject = replace(pull_of_account("ns", "default", IMAGE), ref=ObjectRef(WORKLOADS["deployment"], "ns", "web"))
        spec = {
            "template": {
                "spec": {"imagePullSecrets": [{"name": "pull"}], "volumes": [{"secret": {"secretName": "pull"}}]}
            }
        }
        listed = {
            ObjectRef(WORKLOADS["deployment"], "ns", ""): {"items": [{"metadata": {"name": "web"}, "spec": spec}]}
        }
        found = problems("readers", subject=subject, account=self.HELD, pull=self.GOOD, more=listed, is_of_all=False)
        assert [text for _check, text, _ok in found] == ["secret pull has another reader: deployment ns/web mounts it"]

    def test_a_generated_secret_stays(self) -> None:
        marks = {"annotations": {"openshift.io/internal-registry-auth-token.service-account": "default"}}
        generated = secret({"registry.example.com": AUTH}, "kubernetes.io/dockercfg", **marks)
        generated["data"] = {".dockercfg": generated["data"].pop(".dockerconfigjson")}
        assert problems("readers", account=self.HELD, pull=generated) == []

    def test_lists_that_cannot_be_read_are_not_known(self) -> None:
        ((_check, text, ok),) = problems(
            account=self.HELD, pull=self.GOOD, more={ObjectRef(BUILD_CONFIG, "ns", ""): REFUSED}
        )
        assert (text, ok) == (
            f"other readers of secret pull are not known: the buildconfigs could not be read: {REFUSED}",
            None,
        )

    def test_a_secret_that_cannot_be_read_is_not_known(self) -> None:
        found = problems("readers", account=self.HELD, more={ObjectRef(SECRET, "ns", "pull"): REFUSED})
        assert found == [("readers", "the secrets that would go are not known: pull", None)]


@pytest.mark.parametrize("image", ["not a name", "registry.example.com/UPPER"])
def test_an_invalid_image_has_no_plan(image: str) -> None:
    assert problems(subject=pull_of_account("ns", "default", image))[0][::2] == ("image", None)


@pytest.mark.parametrize(
    "providers",
    [
        None,
        3,
        "x",
        {},
        [None, 3, "x", []],
        [{"name": [], "matchImages": {}, "args": {}, "env": [3], "tokenAttributes": 3}],
    ],
)
def test_an_odd_configuration_is_refused_and_no_error(providers: Any) -> None:
    for given in ({"providers": providers}, {**config(), "providers": providers}):
        assert ("configuration", False) in [each[::2] for each in problems(given=given)]
    members = [each for each in providers if isinstance(each, dict)] if isinstance(providers, list) else None
    assert [
        each for each in problems(more=with_pools(worker={"credentialProviders": members})) if each[0] == "file"
    ] or members == []


@pytest.mark.parametrize(
    "odd",
    [None, 3, [], "x", {"metadata": 3, "spec": [], "status": "x", "items": [None, 3], "allowed": 0, "issuer": {}}],
)
def test_odd_objects_are_not_known_and_no_error(odd: Any) -> None:
    refs = (
        NODES,
        CLUSTER_VERSION,
        INFRASTRUCTURE,
        IMAGE_CONFIG,
        POOLS,
        ISSUER,
        token_review("ns", "default", CRIO_AUDIENCE),
    )
    assert problems(more={ref: odd for ref in refs if odd is not None}, account=ANNOTATED) or odd is None
