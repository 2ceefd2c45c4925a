# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry that serves an image is asked for the architectures of the nodes. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.asked import describe_loss_of_trust
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    IMAGE_QUESTION,
    TRUST_QUESTION,
    ImageQuestion,
    TrustQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES, POOLS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.node_registries import CLUSTER_POLICIES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.nodes import (
    PROXY,
    additional_ref,
    bundle_refs,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    network_ref,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.pull_evidence import (
    AUTH,
    DIGEST,
    DIGEST_SETS,
    GOOD,
    IMAGE,
    REFUSED,
    TAG_SETS,
    known,
    mirrored,
    pod,
    secret,
    steps,
    summary,
    template,
)

AT_MIRROR = "m.io/x/app:v1"

COPY_ALL = ". Copy the image with all its architectures, as skopeo sync --all and oc-mirror do"

Answers = Callable[[ImageQuestion], Mapping[str, Any]]


def index(*names: str, **more: Any) -> dict[str, Any]:
    return {"is_index": True, "names": [*names], "unread": "", **more}


def single(*names: str, **more: Any) -> dict[str, Any]:
    return {"is_index": False, "names": [*names], "unread": "", **more}


def nodes(**architectures: str) -> dict[ObjectRef, Any]:
    items = [
        {"metadata": {"name": name}, "status": {"nodeInfo": {"architecture": each}}}
        for name, each in architectures.items()
    ]
    return {NODES: {"items": items}}


MIRRORED = {**mirrored("m.io/x", source="q.io/team"), NODE_SECRET: secret({"m.io": AUTH})}

ONE = nodes(a="amd64", b="amd64")

MIXED = nodes(a="amd64", b="amd64", c="arm64")


def told(
    subject: ContainerPull, more: Mapping[ObjectRef, Any], answers: Answers
) -> tuple[PullVerdict, list[ImageQuestion]]:
    """The verdict, and the questions about the image, each once."""
    held, asked = Lookup(known(a=GOOD, more={**more})), []
    while True:
        try:
            return explain(subject, held, asks=True), asked
        except ReadRequired:
            for ref in held.take_wanted():
                assert ref not in [each.ref for each in asked]
                assert ref.kind == IMAGE_QUESTION, ref
                asked.append(ImageQuestion.of(ref))
                held.add({ref: {"outcome": "pulls", "message": "said pulls", **answers(asked[-1])}})


def always(architectures: Any) -> Answers:
    return lambda _question: {"architectures": architectures}


def judged(
    architectures: Any,
    *,
    at_mirror: bool = True,
    cluster: Mapping[ObjectRef, Any] | None = None,
    subject: ContainerPull | None = None,
) -> PullVerdict:
    more = {**(MIRRORED if at_mirror else {}), **(ONE if cluster is None else cluster)}
    return told(subject or template("a"), more, always(architectures))[0]


class TestQuestion:
    def test_an_index_is_read_everywhere_and_a_configuration_at_mirrors_only(self) -> None:
        def answers(question: ImageQuestion) -> Mapping[str, Any]:
            return {"outcome": "not_found"} if question.image == AT_MIRROR else {}

        _found, asked = told(pod("a"), {**MIRRORED, **ONE}, answers)
        read = [(each.image, each.reads_index, each.reads_configuration) for each in asked]
        assert read == [(AT_MIRROR, True, True), (IMAGE, True, False)]

    def test_an_image_that_needs_a_signature_has_its_index_read_for_that(self) -> None:
        policy = {"metadata": {"name": "p"}, "spec": {"scopes": ["q.io/team"]}}
        held = Lookup(known(a=GOOD, more={**MIRRORED, **ONE, CLUSTER_POLICIES: {"items": [policy]}}))
        with pytest.raises(ReadRequired):
            explain(pod("a"), held, asks=True)
        questions = [ImageQuestion.of(ref) for ref in held.take_wanted()]
        assert [(each.image, each.reads_index, each.reads_configuration) for each in questions] == [
            (AT_MIRROR, False, True),
            (IMAGE, False, False),
        ]

    def test_no_node_is_read_without_architectures(self) -> None:
        hidden = {NODES: ImagePullError("the caller may not read it")}
        assert summary(told(pod("a"), {**MIRRORED, **hidden}, lambda _question: {})[0])[0] == "pulls"


class TestIndex:
    @pytest.mark.parametrize("names", [["amd64"], ["arm64", "amd64"], ["*"], ["arm64", "*"]], ids=str)
    def test_an_index_with_the_architecture_of_the_nodes_pulls(self, names: list[str]) -> None:
        found = judged(index(*names))
        assert (found.verdict, found.effect, steps(found, "copy", "platform")) == ("pulls", "pulls", [])

    @pytest.mark.parametrize(("at_mirror", "step"), [(True, "copy"), (False, "platform")])
    @pytest.mark.parametrize("names", [[], ["arm64"], ["arm64", "s390x"]], ids=str)
    def test_an_index_without_it_will_not_pull(self, at_mirror: bool, step: str, names: list[str]) -> None:
        found = judged(index(*names), at_mirror=at_mirror)
        host, image = ("m.io", AT_MIRROR) if at_mirror else ("q.io", IMAGE)
        text = f"registry {host} has no image for amd64 in {image}{COPY_ALL if at_mirror else ''}"
        assert (summary(found), found.effect, found.step) == (("will_not_pull", text), "will_not_pull", step)
        assert steps(found, step) == [(step, text, False)]

    def test_an_index_that_names_a_lost_image_is_reported_as_such(self) -> None:
        found = judged(index("arm64", lost=["amd64"]), at_mirror=False)
        text = f"registry q.io has no image for amd64 in {IMAGE}, although its index names one"
        assert summary(found) == ("will_not_pull", text)
        assert "although" not in judged(index("arm64", lost=["s390x"])).reason

    def test_a_pull_by_digest_is_judged_alike(self) -> None:
        item = {"source": "q.io/team", "mirrors": ["m.io/x"]}
        sets = {"items": [{"metadata": {"name": "m"}, "spec": {"imageDigestMirrors": [item]}}]}
        subject = template("a", image=f"q.io/team/app@{DIGEST}")
        more = {ObjectRef(DIGEST_SETS, "", ""): sets, NODE_SECRET: secret({"m.io": AUTH}), **ONE}
        found, asked = told(subject, more, always(index("arm64")))
        assert asked[0].image == f"m.io/x/app@{DIGEST}"
        assert found.verdict == "will_not_pull"

    def test_the_nodes_of_a_mixed_cluster_that_lack_an_image_are_named(self) -> None:
        found = judged(index("amd64"), cluster=MIXED)
        text = f"it depends on the architecture of the node: registry m.io has no image for arm64 in {AT_MIRROR}, which node c would need{COPY_ALL}"
        assert (summary(found), found.step) == (("unknown", text), "copy")
        assert judged(index("s390x"), cluster=MIXED).verdict == "will_not_pull"

    def test_many_nodes_are_counted(self) -> None:
        cluster = nodes(a="amd64", **{f"n{number}": "arm64" for number in range(5)})
        assert "which nodes n0, n1, n2 and 2 more would need" in judged(index("amd64"), cluster=cluster).reason

    @pytest.mark.parametrize(
        ("subject", "verdict"),
        [
            (pod("a", node="c"), "will_not_pull"),
            (pod("a", node="a"), "pulls"),
            (pod("a", node="gone"), "unknown"),
            (template("a", architectures=("amd64",)), "pulls"),
            (template("a", architectures=("arm64",)), "will_not_pull"),
            (template("a", architectures=("amd64", "arm64")), "unknown"),
            (template("a", architectures=("s390x",)), "will_not_pull"),
            (template("a", architectures=("ppc64le", "s390x")), "will_not_pull"),
        ],
    )
    def test_only_the_nodes_on_which_the_pod_can_run_count(self, subject: ContainerPull, verdict: str) -> None:
        assert judged(index("amd64"), cluster=MIXED, subject=subject).verdict == verdict

    def test_a_limit_to_nodes_that_do_not_exist_yet_counts(self) -> None:
        """A cluster can add nodes when such a pod waits. The present ones never pull its image."""
        later = template("a", architectures=("s390x",))
        assert judged(index("s390x"), cluster=MIXED, subject=later).verdict == "pulls"
        found = judged(index("amd64"), cluster=MIXED, subject=later)
        assert f"registry m.io has no image for s390x in {AT_MIRROR}" in found.reason
        either = judged(index("s390x"), cluster=MIXED, subject=template("a", architectures=("ppc64le", "s390x")))
        assert (either.verdict, "which such a node would need" in either.reason) == ("unknown", True)
        unread = judged(index("s390x"), cluster={NODES: REFUSED}, subject=later)
        assert (unread.verdict, "the architectures of the nodes are not known" in unread.reason) == ("unknown", True)

    def test_the_next_login_counts_after_a_pull_that_fails(self) -> None:
        """The mirror on the host of the source gets the login of the pod: with one login it serves the image, with the other it does not."""
        item = {"source": "q.io/team", "mirrors": ["q.io/mirror"]}
        mirrors = {
            ObjectRef(TAG_SETS, "", ""): {"items": [{"metadata": {"name": "m"}, "spec": {"imageTagMirrors": [item]}}]}
        }

        def answers(question: ImageQuestion) -> Mapping[str, Any]:
            if question.image == IMAGE:
                return {"architectures": index("amd64")}
            refused = {"outcome": "no_right"}
            return {"architectures": index("arm64")} if question.secret == "b" else refused

        more = {**mirrors, **ONE, ObjectRef(SECRET, "ns", "b"): secret({"q.io/team": AUTH})}
        assert told(pod("b", "a"), more, answers)[0].verdict == "pulls"
        assert told(pod("b"), more, answers)[0].verdict == "will_not_pull"


class TestImageWithoutAnIndex:
    def test_an_image_for_the_nodes_pulls_and_runs(self) -> None:
        found = judged(single("amd64"))
        assert (found.verdict, found.effect, found.runs, found.step) == ("pulls", "pulls", True, "")

    def test_an_image_for_other_nodes_pulls_and_does_not_run(self) -> None:
        found = judged(single("arm64"))
        text = f"the nodes pull {AT_MIRROR}, but it is only for arm64, and its programs do not run on nodes a, b with amd64{COPY_ALL}"
        assert (summary(found), found.effect, found.runs) == (("pulls", text), "will_not_pull", False)
        assert (found.step, steps(found, "copy")) == ("copy", [("copy", text, False)])

    def test_in_a_mixed_cluster_it_depends_on_the_node(self) -> None:
        found = judged(single("amd64"), cluster=MIXED)
        assert (found.verdict, found.effect, found.runs) == ("pulls", "unknown", None)
        assert found.reason.startswith("it depends on the architecture of the node: ")
        assert "on node c with arm64" in found.reason

    def test_no_program_of_a_volume_runs(self) -> None:
        subject = template("a", container="", volume="model")
        assert judged(single("arm64"), subject=subject).effect == "pulls"
        assert judged(index("arm64"), subject=subject).effect == "will_not_pull"


class TestCopy:
    """A moved image has a name whose registry has a copy: it is judged as that of a mirror."""

    @pytest.mark.parametrize("found", [index("arm64"), single("arm64")])
    def test_a_copy_for_other_nodes_is_a_copy_that_lacks_something(self, found: Any) -> None:
        verdict = judged(found, at_mirror=False, subject=template("a", is_copied=True))
        assert (verdict.effect, verdict.step) == ("will_not_pull", "copy")
        assert verdict.reason.endswith(COPY_ALL)

    def test_the_configuration_of_a_copy_is_read(self) -> None:
        _found, asked = told(template("a", is_copied=True), ONE, lambda _question: {})
        assert [(each.image, each.reads_configuration) for each in asked] == [(IMAGE, True)]


class TestUnknown:
    @pytest.mark.parametrize(
        ("answer", "verdict", "effect"),
        [(index(unread="timed out"), "unknown", "unknown"), (single(unread="timed out"), "pulls", "unknown")],
    )
    def test_a_mirror_whose_architectures_are_not_known_leaves_a_doubt(
        self, answer: Any, verdict: str, effect: str
    ) -> None:
        found = judged(answer)
        assert (summary(found), found.effect) == ((verdict, "timed out"), effect)
        assert steps(found, "copy") == [("copy", "timed out", None)]

    @pytest.mark.parametrize("answer", [index(unread="timed out"), single(unread="timed out")])
    def test_a_source_whose_architectures_are_not_known_pulls(self, answer: Any) -> None:
        found = judged(answer, at_mirror=False)
        assert (found.verdict, found.effect) == ("pulls", "pulls")
        assert steps(found, "platform") == [("platform", "timed out", None)]

    @pytest.mark.parametrize(("at_mirror", "effect"), [(True, "unknown"), (False, "pulls")])
    def test_hidden_nodes_leave_a_doubt_at_a_mirror(self, at_mirror: bool, effect: str) -> None:
        hidden = {NODES: ImagePullError("the caller may not read it")}
        found = judged(index("arm64", "amd64"), at_mirror=at_mirror, cluster=hidden)
        text = "the image is for amd64 and arm64, and the architectures of the nodes are not known: the caller may not read it"
        assert (found.effect, [seen for _name, seen, _ok in steps(found, "copy", "platform")]) == (effect, [text])

    def test_without_nodes_nothing_speaks_against_an_image(self) -> None:
        assert judged(index("arm64"), cluster=nodes()).effect == "pulls"

    @pytest.mark.parametrize(("answer", "verdict"), [(index("arm64"), "unknown"), (single("arm64"), "pulls")])
    def test_a_silent_mirror_could_serve_another_copy(self, answer: Any, verdict: str) -> None:
        silent = {**mirrored("l.io/x", "m.io/x", source="q.io/team"), NODE_SECRET: secret({"m.io": AUTH}), **ONE}

        def answers(question: ImageQuestion) -> Mapping[str, Any]:
            return {"outcome": "unanswered"} if question.image.startswith("l.io") else {"architectures": answer}

        found, _asked = told(template("a"), silent, answers)
        assert (found.verdict, found.effect) == (verdict, "unknown")
        assert [ok for _name, _seen, ok in steps(found, "copy")] == [None]

    def test_the_first_copy_of_several_counts(self) -> None:
        both = {**mirrored("l.io/x", "m.io/x", source="q.io/team"), **ONE}

        def answers(question: ImageQuestion) -> Mapping[str, Any]:
            return {"architectures": index("arm64" if question.image.startswith("l.io") else "amd64")}

        assert "registry l.io has no image for amd64" in told(template("a"), both, answers)[0].reason


# --- A mirror on which the nodes will depend is asked for its certificate, with the authorities of the nodes. Nothing is sent

PEM = "-----BEGIN CERTIFICATE-----\nb25l\n-----END CERTIFICATE-----"

OWN = "-----BEGIN CERTIFICATE-----\nb3du\n-----END CERTIFICATE-----"

CONFIG = {"spec": {"additionalTrustedCA": {"name": "registry-ca"}}}

(BUNDLE,) = bundle_refs(None)

ADDITIONAL = additional_ref(CONFIG)

ONLY = {
    network_ref(host): {"reached": host != "q.io", "limited": True}
    for host in ("m.io", "l.io:5000", "q.io", "registry.infra.svc:5000")
}

EMPTY: Mapping[ObjectRef, Any] = {PROXY: None, BUNDLE: None}

UNTRUSTED = (
    "the nodes do not trust the certificate of registry m.io. Add its authority under key m.io to the ConfigMap in additionalTrustedCA of "
    "images.config.openshift.io/cluster. For a hosted cluster, use spec.configuration.image of the HostedCluster"
)


def told_of_mirror(
    more: Mapping[ObjectRef, Any], *trusted: str, outcome: str = "untrusted"
) -> tuple[PullVerdict, list[TrustQuestion]]:
    """The verdict, and the questions about certificates, if the registries with these names are trusted, and have all images."""
    held, asked = Lookup(known(a=GOOD, more={**MIRRORED, **ONLY, **EMPTY, **more})), []
    while True:
        try:
            return explain(pod("a"), held, asks=True), asked
        except ReadRequired:
            for ref in held.take_wanted():
                if ref.kind == IMAGE_QUESTION:
                    held.add({ref: {"outcome": "pulls", "message": f"{ImageQuestion.of(ref).image} pulls"}})
                    continue
                assert ref.kind == TRUST_QUESTION, ref
                asked.append(TrustQuestion.of(ref))
                is_trusted = asked[-1].host in trusted
                held.add({ref: {"outcome": "trusted" if is_trusted else outcome, "message": f"said {outcome}"}})


def test_a_trusted_mirror_pulls() -> None:
    found, asked = told_of_mirror({}, "m.io")
    assert (found.verdict, found.effect, asked) == ("pulls", "pulls", [TrustQuestion("m.io", "")])


def test_an_untrusted_mirror_will_not_pull() -> None:
    found, _asked = told_of_mirror({})
    assert (summary(found), found.step, found.fix) == (("will_not_pull", UNTRUSTED), "certificate", ())
    assert steps(found, "certificate") == [("certificate", UNTRUSTED, False)]


def test_a_credential_provider_does_not_change_the_trust_of_the_nodes() -> None:
    assert summary(told_of_mirror({POOLS: REFUSED})[0]) == ("will_not_pull", UNTRUSTED)


def test_the_authorities_are_those_that_the_cluster_gives_its_nodes() -> None:
    data = {"ca-bundle.crt": PEM}
    assert ADDITIONAL is not None
    own = {IMAGE_CONFIG: CONFIG, BUNDLE: {"data": data}, ADDITIONAL: {"data": {"m.io": OWN, "other.io": "x"}}}
    assert told_of_mirror(own, "m.io")[1] == [TrustQuestion("m.io", f"{PEM}\n{OWN}")]
    proxy = {PROXY: {"spec": {"trustedCA": {"name": "proxy-ca"}}}}
    (_bundle, of_proxy) = bundle_refs(proxy[PROXY])
    assert told_of_mirror({**proxy, of_proxy: {"data": data}}, "m.io")[1] == [TrustQuestion("m.io", PEM)]


def test_the_next_mirror_serves_the_image_if_the_first_is_not_trusted() -> None:
    both = mirrored("l.io:5000/x", "m.io/x", source="q.io/team")
    found, asked = told_of_mirror(both, "m.io")
    assert (found.verdict, [each.host for each in asked]) == ("pulls", ["l.io:5000", "m.io"])
    assert "m.io/x/app:v1 pulls" in found.reason
    assert "under key l.io..5000" in told_of_mirror(both)[0].reason


@pytest.mark.parametrize(
    "network",
    [
        dict.fromkeys(ONLY),
        {**dict.fromkeys(ONLY), network_ref("q.io"): {"reached": False, "limited": False}},
        {**dict.fromkeys(ONLY), network_ref("q.io"): {"reached": True, "limited": True}},
    ],
)
def test_registries_that_the_nodes_use_today_are_not_judged(network: Mapping[ObjectRef, Any]) -> None:
    found, asked = told_of_mirror(network)
    assert (found.verdict, asked) == ("pulls", [])


def test_a_mirror_that_nodes_have_not_used_is_judged() -> None:
    network = {**dict.fromkeys(ONLY), network_ref("m.io"): {"unproven": True}}
    assert summary(told_of_mirror(network)[0])[0] == "pulls", "the source has the image as well"
    alone = {**network, **mirrored("m.io/x", source="q.io/team", only=True)}
    assert summary(told_of_mirror(alone)[0]) == ("will_not_pull", UNTRUSTED)
    assert told_of_mirror(alone, "m.io")[0].verdict == "pulls"


def test_a_registry_that_loses_an_authority_is_judged_like_a_new_mirror() -> None:
    """Even the source of an image, which the nodes use today."""
    lost = {**dict.fromkeys(ONLY), network_ref("q.io"): {"loss": "x"}, **dict.fromkeys(MIRRORED), NODE_SECRET: None}
    found, asked = told_of_mirror(lost)
    assert (summary(found)[0], found.step, asked) == ("will_not_pull", "certificate", [TrustQuestion("q.io", "")])
    assert told_of_mirror(lost, "q.io")[0].verdict == "pulls"
    doubtful = {**lost, network_ref("q.io"): {"loss": "x", "unread": "hidden"}}
    text = "which authorities the nodes trust for registry q.io is not known: hidden"
    assert summary(told_of_mirror(doubtful)[0]) == ("unknown", text)
    assert told_of_mirror(doubtful, "q.io")[0].verdict == "pulls"


class TestLoss:
    """The authorities of the nodes for a registry before and after changes."""

    def loss(self, *, before: Any = None, after: Any = None, host: str = "m.io") -> tuple[str, str]:
        usual = {IMAGE_CONFIG: CONFIG, **EMPTY, ADDITIONAL: {"data": {"m.io": OWN}}}
        return describe_loss_of_trust(
            host, Lookup({**usual, **(before or {})}), Lookup({**usual, **(before or {}), **(after or {})})
        )

    LOST = "the nodes lose a certificate authority for registry m.io"

    @pytest.mark.parametrize(
        "after",
        [{IMAGE_CONFIG: None}, {IMAGE_CONFIG: {"spec": {}}}, {ADDITIONAL: None}, {ADDITIONAL: {"data": {"m.io": PEM}}}],
    )
    def test_an_authority_that_is_gone_is_lost_for_its_registry(self, after: Any) -> None:
        assert self.loss(after=after) == (self.LOST, "")
        assert self.loss(after=after, host="other.io") == ("", "")

    @pytest.mark.parametrize(
        "after",
        [
            {},
            {IMAGE_CONFIG: {"spec": {**CONFIG["spec"], "registrySources": {"blockedRegistries": ["x.io"]}}}},
            {ADDITIONAL: {"data": {"m.io": f"{PEM}\n{OWN}"}}},
            {ADDITIONAL: None, BUNDLE: {"data": {"ca-bundle.crt": OWN}}},
        ],
    )
    def test_nothing_is_lost_if_all_authorities_are_left(self, after: Any) -> None:
        assert self.loss(after=after) == ("", "")

    def test_an_authority_of_all_registries_is_lost_for_each(self) -> None:
        bundle = {BUNDLE: {"data": {"ca-bundle.crt": PEM}}}
        assert self.loss(before=bundle, after={BUNDLE: None}, host="x.io")[0].endswith("for registry x.io")

    def test_an_authority_that_cannot_be_read_may_be_lost(self) -> None:
        hidden = {ADDITIONAL: REFUSED}
        assert self.loss(before=hidden, after={IMAGE_CONFIG: None}) == (self.LOST, str(REFUSED))
        assert self.loss(before=hidden) == ("", "")
        assert self.loss(after=hidden) == (self.LOST, str(REFUSED))

    def test_a_registry_that_is_no_longer_insecure_needs_an_authority(self) -> None:
        insecure = {IMAGE_CONFIG: {"spec": {"registrySources": {"insecureRegistries": ["m.io"]}}}}
        text = "the nodes will verify the certificate of registry m.io"
        assert self.loss(before=insecure, after={IMAGE_CONFIG: None}) == (text, "")
        assert self.loss(before=insecure) == ("", "")


def test_an_insecure_mirror_needs_no_authority() -> None:
    config = {"spec": {"registrySources": {"insecureRegistries": ["m.io"]}}}
    found, asked = told_of_mirror({IMAGE_CONFIG: config})
    assert (found.verdict, asked) == ("pulls", [])


def test_a_service_of_the_cluster_has_the_cluster_s_own_authority() -> None:
    service = "registry.infra.svc:5000"
    found, asked = told_of_mirror(mirrored(f"{service}/x", source="q.io/team"))
    assert (found.verdict, asked) == ("pulls", [])


@pytest.mark.parametrize("hidden", [PROXY, BUNDLE])
def test_authorities_that_cannot_be_read_leave_a_doubt(hidden: ObjectRef) -> None:
    found, _asked = told_of_mirror({hidden: REFUSED})
    assert summary(found) == (
        "unknown",
        f"which authorities the nodes trust for registry m.io is not known: {REFUSED}",
    )
    assert told_of_mirror({hidden: REFUSED}, "m.io")[0].verdict == "pulls"


@pytest.mark.parametrize("outcome", ["unanswered", "not_sent"])
def test_a_mirror_that_gives_no_answer_leaves_a_doubt(outcome: str) -> None:
    text = f"whether the nodes trust the certificate of registry m.io is not known: said {outcome}"
    assert summary(told_of_mirror({}, outcome=outcome)[0]) == ("unknown", text)


def test_a_hidden_image_config_leaves_a_doubt() -> None:
    found, _asked = told_of_mirror({IMAGE_CONFIG: ImagePullError("hidden")})
    assert found.verdict == "unknown"
