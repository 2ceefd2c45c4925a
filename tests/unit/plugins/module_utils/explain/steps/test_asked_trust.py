# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A mirror on which the nodes will depend is asked for its certificate, with the authorities of the nodes. Nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.steps.asked import describe_loss_of_trust
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    IMAGE_QUESTION,
    TRUST_QUESTION,
    ImageQuestion,
    TrustQuestion,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import POOLS
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
from support.pull_evidence import AUTH, GOOD, REFUSED, known, mirrored, pod, secret, steps, summary

PEM = "-----BEGIN CERTIFICATE-----\nb25l\n-----END CERTIFICATE-----"
OWN = "-----BEGIN CERTIFICATE-----\nb3du\n-----END CERTIFICATE-----"
CONFIG = {"spec": {"additionalTrustedCA": {"name": "registry-ca"}}}
(BUNDLE,) = bundle_refs(None)
ADDITIONAL = additional_ref(CONFIG)
ONLY = {
    network_ref(host): {"reached": host != "q.io", "limited": True}
    for host in ("m.io", "l.io:5000", "q.io", "registry.infra.svc:5000")
}
MIRRORED = {**mirrored("m.io/x", source="q.io/team"), NODE_SECRET: secret({"m.io": AUTH})}
EMPTY: Mapping[ObjectRef, Any] = {PROXY: None, BUNDLE: None}
UNTRUSTED = (
    "the nodes do not trust the certificate of registry m.io. Add its authority under key m.io to the ConfigMap in additionalTrustedCA of "
    "images.config.openshift.io/cluster. For a hosted cluster, use spec.configuration.image of the HostedCluster"
)


def told(
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
    found, asked = told({}, "m.io")
    assert (found.verdict, found.effect, asked) == ("pulls", "pulls", [TrustQuestion("m.io", "")])


def test_an_untrusted_mirror_will_not_pull() -> None:
    found, _asked = told({})
    assert (summary(found), found.step, found.fix) == (("will_not_pull", UNTRUSTED), "certificate", ())
    assert steps(found, "certificate") == [("certificate", UNTRUSTED, False)]


def test_a_credential_provider_does_not_change_the_trust_of_the_nodes() -> None:
    assert summary(told({POOLS: REFUSED})[0]) == ("will_not_pull", UNTRUSTED)


def test_the_authorities_are_those_that_the_cluster_gives_its_nodes() -> None:
    data = {"ca-bundle.crt": PEM}
    assert ADDITIONAL is not None
    own = {IMAGE_CONFIG: CONFIG, BUNDLE: {"data": data}, ADDITIONAL: {"data": {"m.io": OWN, "other.io": "x"}}}
    assert told(own, "m.io")[1] == [TrustQuestion("m.io", f"{PEM}\n{OWN}")]
    proxy = {PROXY: {"spec": {"trustedCA": {"name": "proxy-ca"}}}}
    (_bundle, of_proxy) = bundle_refs(proxy[PROXY])
    assert told({**proxy, of_proxy: {"data": data}}, "m.io")[1] == [TrustQuestion("m.io", PEM)]


def test_the_next_mirror_serves_the_image_if_the_first_is_not_trusted() -> None:
    both = mirrored("l.io:5000/x", "m.io/x", source="q.io/team")
    found, asked = told(both, "m.io")
    assert (found.verdict, [each.host for each in asked]) == ("pulls", ["l.io:5000", "m.io"])
    assert "m.io/x/app:v1 pulls" in found.reason
    assert "under key l.io..5000" in told(both)[0].reason


@pytest.mark.parametrize(
    "network",
    [
        dict.fromkeys(ONLY),
        {**dict.fromkeys(ONLY), network_ref("q.io"): {"reached": False, "limited": False}},
        {**dict.fromkeys(ONLY), network_ref("q.io"): {"reached": True, "limited": True}},
    ],
)
def test_registries_that_the_nodes_use_today_are_not_judged(network: Mapping[ObjectRef, Any]) -> None:
    found, asked = told(network)
    assert (found.verdict, asked) == ("pulls", [])


def test_a_mirror_that_nodes_have_not_used_is_judged() -> None:
    network = {**dict.fromkeys(ONLY), network_ref("m.io"): {"unproven": True}}
    assert summary(told(network)[0])[0] == "pulls", "the source has the image as well"
    alone = {**network, **mirrored("m.io/x", source="q.io/team", only=True)}
    assert summary(told(alone)[0]) == ("will_not_pull", UNTRUSTED)
    assert told(alone, "m.io")[0].verdict == "pulls"


def test_a_registry_that_loses_an_authority_is_judged_like_a_new_mirror() -> None:
    """Even the source of an image, which the nodes use today."""
    lost = {**dict.fromkeys(ONLY), network_ref("q.io"): {"loss": "x"}, **dict.fromkeys(MIRRORED), NODE_SECRET: None}
    found, asked = told(lost)
    assert (summary(found)[0], found.step, asked) == ("will_not_pull", "certificate", [TrustQuestion("q.io", "")])
    assert told(lost, "q.io")[0].verdict == "pulls"
    doubtful = {**lost, network_ref("q.io"): {"loss": "x", "unread": "hidden"}}
    text = "which authorities the nodes trust for registry q.io is not known: hidden"
    assert summary(told(doubtful)[0]) == ("unknown", text)
    assert told(doubtful, "q.io")[0].verdict == "pulls"


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
    found, asked = told({IMAGE_CONFIG: config})
    assert (found.verdict, asked) == ("pulls", [])


def test_a_service_of_the_cluster_has_the_cluster_s_own_authority() -> None:
    service = "registry.infra.svc:5000"
    found, asked = told(mirrored(f"{service}/x", source="q.io/team"))
    assert (found.verdict, asked) == ("pulls", [])


@pytest.mark.parametrize("hidden", [PROXY, BUNDLE])
def test_authorities_that_cannot_be_read_leave_a_doubt(hidden: ObjectRef) -> None:
    found, _asked = told({hidden: REFUSED})
    assert summary(found) == (
        "unknown",
        f"which authorities the nodes trust for registry m.io is not known: {REFUSED}",
    )
    assert told({hidden: REFUSED}, "m.io")[0].verdict == "pulls"


@pytest.mark.parametrize("outcome", ["unanswered", "not_sent"])
def test_a_mirror_that_gives_no_answer_leaves_a_doubt(outcome: str) -> None:
    text = f"whether the nodes trust the certificate of registry m.io is not known: said {outcome}"
    assert summary(told({}, outcome=outcome)[0]) == ("unknown", text)


def test_a_hidden_image_config_leaves_a_doubt() -> None:
    found, _asked = told({IMAGE_CONFIG: ImagePullError("hidden")})
    assert found.verdict == "unknown"
