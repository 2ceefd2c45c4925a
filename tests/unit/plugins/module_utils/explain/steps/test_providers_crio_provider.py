# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The secrets that the nodes use for mirrors through CRI-O's credential provider decide the verdict, with the rights of the account."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.credential_providers import (
    CRIO_AUDIENCE,
    CRIO_PROVIDER,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import ImageQuestion
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_verification import NODES
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import POD_EVENTS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.subjects import secrets_review, token_review
from support.pull_evidence import (
    AUTH,
    GOOD,
    IMAGE,
    MIRROR_IMAGE,
    REFUSED,
    TAG_SETS,
    changed,
    known,
    mirror_says,
    mirrored,
    node,
    pod,
    pulling,
    secret,
    steps,
    summary,
    told,
)

NEW, OLD = CRIO_PROVIDER
NAME = "CRI-O credential provider config cluster"
M = MIRROR_IMAGE
LISTS, TOKENS = secrets_review("ns", "default"), token_review("ns", "default", CRIO_AUDIENCE)
ALLOWED, DENIED = {"allowed": True}, {"allowed": False}
RENDERED = {"type": "MachineConfigRendered", "status": "True"}
CONFIG = {"spec": {"matchImages": ["q.io"]}, "status": {"conditions": [RENDERED]}}
USED = f"{NAME} has q.io: for a mirror, the nodes use all pull secrets of namespace ns, because service account ns/default may list them"
PUBLIC = "the pull works only if the mirror requires no login"
OTHER = secret({"x.io": AUTH})


def evidence(
    *mirrors: str,
    config: Any = ...,
    old: Any = None,
    lists: Any = ...,
    tokens: Any = ...,
    only: bool = True,
    nodes: Any = None,
    own: Any = ...,
    of_digests: bool = False,
    more: Any = None,
    **stored: Any,
) -> dict[ObjectRef, Any]:
    """The evidence for an image with mirrors. `stored`: the secrets of the namespace that no pod lists."""
    config = CONFIG if config is ... else config
    lists, tokens = (ALLOWED if each is ... else each for each in (lists, tokens))
    secrets = {"own": GOOD if own is ... else own, **stored}
    listed = {
        "items": [
            {**each, "metadata": {**each["metadata"], "name": name, "namespace": "ns"}}
            for name, each in secrets.items()
        ]
    }
    found = {NEW: config, OLD: old, NODE_SECRET: nodes, LISTS: lists, TOKENS: tokens, **mirrored(*mirrors, only=only)}
    return known(more={**found, ObjectRef(SECRET, "ns", ""): listed, **(more or {})}, **secrets)


def asked(*mirrors: str, says: str = "", subject: Any = None, **more: Any) -> PullVerdict:
    return told(pod("own", says=says, **(subject or {})), evidence(*mirrors, **more))


class TestSecrets:
    def test_a_secret_that_the_account_may_list_gives_the_login_for_the_only_mirror(self) -> None:
        found = asked(far=secret({"m.io": AUTH}))
        assert summary(found) == (
            "pulls",
            f"secret ns/far has the key m.io for {M}, which the nodes use through {NAME}, but the mirror was not asked whether it accepts "
            "the login",
        )
        assert steps(found, "providers") == [("providers", f"{USED}: secret far, own", True)]

    def test_no_secret_for_the_mirror_is_fixed_in_the_namespace(self) -> None:
        found = asked(own=OTHER)
        assert summary(found) == (
            "unknown",
            f"the image comes only from {M}, and the nodes' pull secret has no key for {M}, and neither has a secret of namespace ns: {PUBLIC}",
        )
        assert found.fix == fixes.create_unlinked_secret("ns", "m.io")
        assert steps(found, "providers") == [("providers", f"{USED}: no secret there has a key for it", False)]

    @pytest.mark.parametrize(
        ("key", "verdict"),
        [
            ("m.io", "pulls"),
            ("https://m.io", "pulls"),
            ("m.io/z", "pulls"),
            ("m.i", "unknown"),
            ("m.io/z/team", "unknown"),
        ],
    )
    def test_a_key_must_begin_the_location_and_be_one_that_cri_o_reads(self, key: str, verdict: str) -> None:
        assert asked(far=secret({key: AUTH})).verdict == verdict

    def test_the_last_secret_by_name_wins(self) -> None:
        both = {"b": secret({"https://m.io": AUTH}), "a": secret({"m.io": AUTH})}
        assert asked(**both).reason.startswith("secret ns/b has the key https://m.io for")
        assert asked(**both, c=secret({"m.io": {}})).verdict == "unknown"

    def test_a_secret_replaces_the_equal_key_of_the_nodes_and_a_longer_key_wins(self) -> None:
        far = secret({"m.io": AUTH})
        assert asked(far=far, nodes=secret({"m.io": AUTH})).reason.startswith("secret ns/far has the key m.io")
        assert asked(far=far, nodes=secret({"m.io/z": AUTH})).reason.startswith(
            "the nodes' pull secret has the key m.io/z"
        )

    def test_secrets_of_other_types_are_not_used(self) -> None:
        old = {**secret({"m.io": AUTH}, "kubernetes.io/dockercfg"), "data": {".dockercfg": "e30="}}
        assert asked(far=old).verdict == asked(far=secret({"m.io": AUTH}, "Opaque")).verdict == "unknown"

    def test_an_undecodable_entry_does_not_affect_other_entries(self) -> None:
        assert asked(far=secret({"m.io": AUTH, "n.io": {"auth": "?"}})).verdict == "pulls"
        assert asked(far=secret({"m.io": AUTH, "n.io": {"auth": 5}})).verdict == "unknown"

    def test_a_mirror_on_the_host_of_the_source_gets_the_login_of_the_pod(self) -> None:
        sets = mirrored("q.io/copy", source="q.io/team", only=True)
        found = asked(far=secret({"q.io/copy": AUTH}), more=sets)
        assert found.reason.startswith("secret own has the key q.io, but")

    def test_the_source_gets_a_login_if_the_kubelet_sends_none(self) -> None:
        found = asked(only=False, own=OTHER, far=secret({"q.io": AUTH}))
        assert summary(found) == (
            "pulls",
            f"secret ns/far has the key q.io for {IMAGE}, which the nodes use through {NAME}, but the registry was not asked whether it "
            "accepts the login",
        )

    def test_a_login_of_the_pod_for_the_source_needs_no_provider(self) -> None:
        found = asked(only=False, far=secret({"m.io": AUTH}))
        assert found.reason.startswith("secret own has the key q.io, but")
        assert steps(found, "providers") == []


class TestRights:
    @pytest.mark.parametrize(
        ("rights", "problem", "ok"),
        [
            ({"lists": DENIED},
             "service account ns/default may not list the secrets of its namespace, so it gives no login", False),
            ({"tokens": DENIED},
             f"the nodes may not request a token of service account ns/default for {CRIO_AUDIENCE}, so it gives no login",
             False),
            ({"lists": REFUSED},
             "whether service account ns/default may list the secrets of its namespace is not known: the caller may not read it",
             None),
            ({"tokens": REFUSED},
             f"whether the nodes may request a token of service account ns/default for {CRIO_AUDIENCE} is not known: the caller may not "
             "read it", None),
            ({"more": {ObjectRef(SECRET, "ns", ""): REFUSED}},
             "which pull secrets namespace ns has is not known: the caller may not read it", None),
            ({"config": {"spec": {"matchImages": ["q.io"]}}},
             "whether the nodes use it is not known: it has no condition MachineConfigRendered, so nothing reports that the nodes have it",
             None),
        ],
    )  # fmt: skip
    def test_a_missing_or_unknown_right_is_reported(self, rights: Any, problem: str, ok: Any) -> None:
        found = asked(far=secret({"m.io": AUTH}), **rights)
        assert steps(found, "providers") == [("providers", f"{NAME} has q.io, but {problem}", ok)]
        assert summary(found) == (
            "unknown",
            f"the image comes only from {M}, and the nodes' pull secret has no key for {M} ({NAME}: {problem}): {PUBLIC}",
        )

    def test_the_nodes_key_still_counts_without_the_right(self) -> None:
        found = asked(lists=DENIED, nodes=secret({"m.io": AUTH}))
        assert found.reason.startswith("the nodes' pull secret has the key m.io for")


OLD_NODE, NEW_NODE = node("old"), node("new", "cri-o://1.35.2", "v1.35.1")
NO_FILES = "CRI-O 1.34.1 does not read the files of the provider"
DEPENDS = f"it depends on the node whether it is used: {NO_FILES}"


class TestNodes:
    """CRI-O reads the files of the provider only in newer versions."""

    @pytest.mark.parametrize(
        ("nodes", "problem", "ok"),
        [([OLD_NODE], NO_FILES, False), ([NEW_NODE, OLD_NODE], DEPENDS, None)],
    )
    def test_an_older_version_leaves_out_the_provider(self, nodes: Any, problem: str, ok: Any) -> None:
        found = asked(far=secret({"m.io": AUTH}), more={NODES: {"items": nodes}})
        assert steps(found, "providers") == [("providers", f"{NAME} has q.io, but {problem}", ok)]
        assert summary(found) == (
            "unknown",
            f"the image comes only from {M}, and the nodes' pull secret has no key for {M} ({NAME}: {problem}): {PUBLIC}",
        )

    def test_nodes_with_newer_versions_use_the_provider(self) -> None:
        found = asked(far=secret({"m.io": AUTH}), more={NODES: {"items": [NEW_NODE]}})
        assert (found.verdict, steps(found, "providers")) == (
            "pulls",
            [("providers", f"{USED}: secret far, own", True)],
        )

    def test_only_the_node_of_the_pod_counts(self) -> None:
        more = {NODES: {"items": [NEW_NODE, OLD_NODE]}}
        for name, verdict in (("new", "pulls"), ("old", "unknown")):
            assert asked(far=secret({"m.io": AUTH}), more=more, subject={"node": name}).verdict == verdict
        alone = {"node": "old", "is_asked_alone": True}
        more = {ObjectRef(NODES.kind, "", "old"): OLD_NODE}
        assert asked(far=secret({"m.io": AUTH}), more=more, subject=alone).verdict == "unknown"

    @pytest.mark.parametrize(
        ("nodes", "why"),
        [
            (REFUSED, "the caller may not read it"),
            ({"items": [NEW_NODE, node("other", "", "")]}, "some nodes do not report the version of CRI-O"),
        ],
    )
    def test_an_unknown_version_is_reported_and_changes_nothing(self, nodes: Any, why: str) -> None:
        found = asked(far=secret({"m.io": AUTH}), more={NODES: nodes})
        doubt = f"Whether all nodes read the files of the provider is not known: {why}"
        assert found.verdict == "pulls"
        assert steps(found, "providers") == [("providers", f"{USED}: secret far, own. {doubt}", True)]

    def test_a_right_that_is_missing_on_all_nodes_counts_more(self) -> None:
        found = asked(lists=DENIED, far=secret({"m.io": AUTH}), more={NODES: {"items": [NEW_NODE, OLD_NODE]}})
        (seen,) = steps(found, "providers")
        assert (seen[2], seen[1].endswith("may not list the secrets of its namespace, so it gives no login")) == (
            False,
            True,
        )


def refused_without_login(**more: Any) -> PullVerdict:
    """The verdict if the mirror requires a login when it is asked without one."""
    held = Lookup(evidence(far=secret({"m.io": AUTH}), **more))
    with pytest.raises(ReadRequired):
        explain(pod("own"), held, asks=True)
    (question,) = held.take_wanted()
    assert ImageQuestion.of(question).secret == ""
    held.add({question: {"outcome": "no_login", "message": "said no"}})
    return explain(pod("own"), held, asks=True)


class TestAsked:
    def test_older_nodes_ask_the_mirror_without_the_login_of_the_provider(self) -> None:
        found = refused_without_login(more={NODES: {"items": [OLD_NODE]}})
        said = f"said no: the nodes' pull secret has no key for {M} ({NAME}: {NO_FILES})"
        assert summary(found) == ("will_not_pull", said)

    def test_a_refusal_proves_nothing_if_only_some_nodes_are_older(self) -> None:
        found = refused_without_login(more={NODES: {"items": [NEW_NODE, OLD_NODE]}})
        assert summary(found) == ("unknown", f"{NAME} has q.io, but {DEPENDS}")

    def test_a_refusal_proves_nothing_about_secrets_that_cannot_be_read(self) -> None:
        found = refused_without_login(more={ObjectRef(SECRET, "ns", ""): REFUSED})
        why = "which pull secrets namespace ns has is not known: the caller may not read it"
        assert summary(found) == ("unknown", f"{NAME} has q.io, but {why}")

    def test_a_refusal_proves_nothing_if_the_config_cannot_be_read(self) -> None:
        found = refused_without_login(config=REFUSED, old=REFUSED)
        assert summary(found) == (
            "unknown",
            f"whether {NAME} is for the image is not known: the caller may not read it",
        )


class TestConfig:
    def test_the_older_version_of_the_config_counts(self) -> None:
        assert asked(config=None, old=CONFIG, far=secret({"m.io": AUTH})).verdict == "pulls"

    @pytest.mark.parametrize("config", [None, {**CONFIG, "spec": {"matchImages": ["x.io"]}}, {**CONFIG, "spec": {}}])
    def test_a_config_for_other_images_changes_nothing(self, config: Any) -> None:
        found = asked(config=config, far=secret({"m.io": AUTH}))
        assert (found.verdict, steps(found, "providers")) == ("unknown", [])
        assert found.fix == fixes.add_registry("openshift-config", "pull-secret", "m.io")

    def test_a_skipped_entry_is_not_on_the_nodes(self) -> None:
        skipped = {
            "type": "Validated",
            "status": "False",
            "reason": "ConfigurationPartiallyApplied",
            "message": "Skip rendering entries: [q.io].",
        }
        config = {**CONFIG, "status": {"conditions": [RENDERED, skipped]}}
        (seen,) = steps(asked(config=config, far=secret({"m.io": AUTH})), "providers")
        assert seen == (
            "providers",
            f"{NAME} has q.io, but the nodes do not have this entry, because it overlaps with the provider of their cloud",
            False,
        )

    def test_an_unreadable_config_leaves_a_doubt(self) -> None:
        found = asked(config=REFUSED, old=REFUSED)
        doubt = f"whether {NAME} is for the image is not known: the caller may not read it"
        assert steps(found, "providers") == [("providers", doubt, None)]
        assert doubt in found.reason

    def test_an_image_without_a_mirror_has_no_provider(self) -> None:
        evidence_without = evidence(own=OTHER)
        evidence_without[ObjectRef(TAG_SETS, "", "")] = {"items": []}
        found = told(pod("own"), evidence_without)
        assert steps(found, "providers") == []


class TestErrorOfAMirror:
    def test_a_refused_login_of_a_secret_is_fixed_in_that_secret(self) -> None:
        found = asked(says=mirror_says("invalid username/password: x"), far=secret({"m.io/z": AUTH}))
        assert found.verdict == "will_not_pull"
        assert found.fix == fixes.add_registry("ns", "far", "m.io/z")

    def test_an_entry_without_a_login_gets_one(self) -> None:
        found = asked(says=mirror_says("unauthorized: authentication required"), far=secret({"m.io/z": {}}))
        assert found.fix == fixes.add_registry("ns", "far", "m.io/z")

    def test_an_entry_that_only_the_kubelet_reads_gets_no_login(self) -> None:
        """The task would leave the entry, which has this login already."""
        fields = secret({"m.io/z": {"username": "u", "password": "p"}})
        found = asked(says=mirror_says("unauthorized: authentication required"), far=fields)
        assert "the entry m.io/z of secret ns/far has no valid 'auth', the only field that CRI-O reads" in found.reason
        assert found.fix == []

    def test_a_refusal_may_be_older_than_the_right(self) -> None:
        found = asked(says=mirror_says("unauthorized: authentication required"), far=secret({"m.io": AUTH}))
        assert found.verdict == "unknown"
        assert (
            "Either the mirror refuses this login, or the provider had it not yet: then the next attempt"
            in found.reason
        )

    def test_a_secret_changed_since_will_pull(self) -> None:
        events = {ObjectRef(POD_EVENTS, "ns", "p"): {"items": [pulling(1000)]}}
        far = changed(2000, secret({"m.io": AUTH}))
        found = asked(says=mirror_says("denied"), far=far, more=events, subject={"is_asked_alone": True})
        assert found.verdict == "pulls"
        assert "changed after the node's last attempt: the next attempt" in found.reason

    def test_a_missing_right_is_the_reason(self) -> None:
        found = asked(says=mirror_says("denied"), lists=DENIED, far=secret({"m.io": AUTH}))
        assert found.verdict == "will_not_pull"
        assert (
            "may not list the secrets of its namespace, so it gives no login), and the node says of the mirror"
            in found.reason
        )


def test_a_registry_is_asked_with_the_login_of_the_provider() -> None:
    held = Lookup(evidence(only=False, own=OTHER, far=secret({"m.io": AUTH, "q.io": AUTH})))
    with pytest.raises(ReadRequired):
        explain(pod("own"), held, asks=True)
    asked_with = [ImageQuestion.of(ref) for ref in held.take_wanted()]
    assert [(each.image, each.namespace, each.secret, each.key) for each in asked_with] == [
        (M, "ns", "far", "m.io"),
        (IMAGE, "ns", "far", "q.io"),
    ]


def test_only_the_first_login_of_the_kubelet_reaches_the_mirror_with_the_login_of_the_provider() -> None:
    """CRI-O uses the file of the provider for one pull. With its next login, the kubelet does not call the provider again."""
    own = secret({"q.io": AUTH, "q.io/team": AUTH})
    held = Lookup(evidence(own=own, far=secret({"m.io": AUTH}), nodes=secret({"m.io": AUTH})))
    with pytest.raises(ReadRequired):
        explain(pod("own"), held, asks=True)
    asked_with = [ImageQuestion.of(ref) for ref in held.take_wanted()]
    assert [(each.image, each.secret, each.key) for each in asked_with] == [
        (M, "far", "m.io"),
        (M, "pull-secret", "m.io"),
    ]


class TestImagesOfNodes:
    """The kubelet does not know the login of the provider, so it gives an image that was pulled with it to each pod of the node."""

    TEXT = (
        f"the kubelet does not know the login that {NAME} gives for the image, so it records a pull without a login: each pod on that node "
        "gets the image then, whatever its secrets are"
    )
    NODES: ClassVar = {NODES: {"items": [node("n", "cri-o://1.36.0", kubelet="v1.36.1")]}}
    FAR: ClassVar = {"far": secret({"m.io": AUTH})}

    def reported(self, *own: str, on: Any = None, **more: Any) -> bool:
        nodes = {NODES: {"items": [on]}} if on else self.NODES
        subject = pod(*own, is_asked_alone=True)
        found = told(subject, evidence(**{**self.FAR, "more": nodes, **more}))
        return ("cached", self.TEXT, None) in steps(found, "cached")

    def test_a_pod_without_a_login_of_its_own_is_told(self) -> None:
        assert self.reported()
        assert self.reported("own", own=OTHER)

    def test_the_source_counts_if_nodes_contact_it(self) -> None:
        source = secret({"q.io": AUTH})
        assert self.reported(far=source, only=False)
        assert not self.reported(far=source)

    def test_the_kubelet_records_a_login_that_it_has(self) -> None:
        assert not self.reported("own")
        assert not self.reported("own", own=secret({"q.io": {}}))
        assert not self.reported("own", more={ObjectRef(SECRET, "ns", "own"): REFUSED, **self.NODES})

    @pytest.mark.parametrize(
        "given", [{"config": None}, {"lists": DENIED}, {"far": OTHER}, {"far": secret({"m.io": {}})}]
    )
    def test_without_a_login_of_the_provider_nothing_is_reported(self, given: Any) -> None:
        assert not self.reported(**given)

    @pytest.mark.parametrize(
        "on",
        [
            node("n", "cri-o://1.34.11", kubelet="v1.34.1"),
            node("n", "containerd://2.2.0", kubelet="v1.36.1"),
            node("n", "cri-o://1.35.1", kubelet="v1.35.1"),
        ],
    )
    def test_nodes_on_which_no_record_decides_are_left_out(self, on: Any) -> None:
        assert not self.reported(on=on)
