# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mirrors are listed with the nodes' own key for each."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain import fixes
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import ImageQuestion
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.pull_messages import POD_EVENTS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.registry_sources import (
    IMAGE_CONFIG,
    network_ref,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import (
    CLUSTER_VERSION,
    INFRASTRUCTURE,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.protected import NODE_SECRET
from support.pull_evidence import (
    AUTH,
    DIGEST_SETS,
    GOOD,
    MIRROR_IMAGE,
    REFUSED,
    TAG_SETS,
    changed,
    known,
    mirror_says,
    mirrored,
    pod,
    pulling,
    secret,
    steps,
    summary,
    told,
)

M = MIRROR_IMAGE

ADVICE = (
    ". Check the image name and tag, copy the image to the mirror, or give the user of the login the right to pull it"
)
BY_KEY = f"the nodes' pull secret has the key m.io for {M}, but the mirror was not asked whether it accepts the login"


def asked(
    nodes: Any, *mirrors: str, only: bool = False, says: str = "", own: Any = None, more: Any = None, **subject: Any
) -> PullVerdict:
    evidence = {**mirrored(*mirrors, only=only), NODE_SECRET: nodes, **(more or {})}
    return told(pod("own", says=says, **subject), known(more=evidence, own=GOOD if own is None else own))


class TestKeys:
    @pytest.mark.parametrize(
        ("keys", "found"),
        [
            (["m.io", "m.io/z"], "has the key m.io/z for"),
            (["https://m.io/v1/"], "has the key https://m.io/v1/ for"),
            (["m.io/z/t", "*.io"], "has no key for"),
        ],
    )
    def test_keys_of_mirrors_are_chosen_like_in_containers_image(self, keys: list[str], found: str) -> None:
        seen = steps(asked(secret(dict.fromkeys(keys, AUTH))), "mirrors")[1]
        assert seen == (
            "mirrors",
            f"the nodes' pull secret {found} {M}",
            True if "key h" in found or "key m" in found else None,
        )

    def test_an_entry_without_a_login_is_not_a_key_for_a_mirror(self) -> None:
        nodes = secret({"m.io/z": {}, "m.io": AUTH})
        why = "the entry m.io/z of the nodes' pull secret has no login for m.io/z/team/app:v1"
        assert steps(asked(nodes), "mirrors")[1][1] == why
        # A login for the registry would not be read.
        assert asked(nodes, only=True).fix == fixes.add_registry("openshift-config", "pull-secret", "m.io/z")

    @pytest.mark.parametrize(
        "entry", [{"username": "u", "password": "p"}, {"auth": "dTpwYQ"}], ids=["fields", "no padding"]
    )
    @pytest.mark.parametrize("only", [False, True])
    def test_a_login_that_only_the_kubelet_reads_is_not_sent_to_a_mirror(self, entry: Any, only: bool) -> None:
        found = asked(secret({"m.io": entry}), only=only, own=secret({}))
        why = f"the entry m.io of the nodes' pull secret has no valid 'auth', the only field that CRI-O reads for {M}"
        assert ("mirrors", why, None) in steps(found)
        assert found.verdict == "unknown"
        if only:
            pulls = "the pull works only if the mirror requires no login. Give it 'auth', the base64 of USER:PASSWORD"
            assert summary(found)[1] == f"the image comes only from {M}, and {why}: {pulls}"
            assert found.fix == []

    @pytest.mark.parametrize("nodes", [REFUSED, secret({"x": {"auth": "?"}})])
    def test_an_unreadable_secret_of_the_nodes_leaves_a_doubt(self, nodes: Any) -> None:
        assert (
            "whether the nodes' pull secret has a key for m.io/z/team/app:v1 is not known: "
            in steps(asked(nodes), "mirrors")[1][1]
        )

    def test_each_mirror_has_its_own_key(self) -> None:
        found = asked(secret({"n.io": AUTH}), "m.io/z", "n.io")
        assert [ok for _name, _seen, ok in steps(found, "mirrors")] == [True, None, True]
        assert found.verdict == "pulls"


class TestOnlyMirrors:
    def test_the_login_of_the_pod_is_not_used_for_the_only_mirror(self) -> None:
        found = asked(None, only=True)
        assert summary(found) == (
            "unknown",
            f"the image comes only from {M}, and the nodes' pull secret has no key for {M}: the pull works only if the mirror requires no login",
        )
        assert found.fix == fixes.add_registry("openshift-config", "pull-secret", "m.io")

    def test_an_image_with_only_a_mirror_pulls_with_a_key_for_it(self) -> None:
        found = asked(secret({"m.io": AUTH}), only=True, own=secret({"x.io": AUTH}))
        assert summary(found) == ("pulls", BY_KEY)

    def test_a_mirror_on_the_host_of_the_source_gets_the_login_of_the_pod(self) -> None:
        found = asked(None, more=mirrored("q.io/copy", source="q.io/team", only=True))
        assert summary(found) == (
            "pulls",
            "secret own has the key q.io, but the registry was not asked whether it accepts the login",
        )


class TestHostedClusters:
    """The nodes' pull secret of a hosted cluster is a copy, so no task writes it."""

    COPY = f". {NODE_SECRET} is a copy: change the pull secret of the hosted cluster on its management cluster"
    UNREAD = f". {INFRASTRUCTURE} could not be read, so it is not known whether {NODE_SECRET} is the copy of a hosted cluster"
    KINDS = pytest.mark.parametrize(
        ("infrastructure", "hint"),
        [({"status": {"controlPlaneTopology": "External"}}, COPY), (REFUSED, UNREAD), ({"status": {}}, "")],
    )

    @KINDS
    def test_a_missing_key_for_the_only_mirror(self, infrastructure: Any, hint: str) -> None:
        found = asked(None, only=True, more={INFRASTRUCTURE: infrastructure})
        assert found.reason.endswith(f"the pull works only if the mirror requires no login{hint}")
        assert bool(found.fix) == (not hint)

    @KINDS
    def test_an_error_of_the_mirror(self, infrastructure: Any, hint: str) -> None:
        found = asked(None, says=mirror_says("denied"), more={INFRASTRUCTURE: infrastructure})
        assert found.verdict == "will_not_pull"
        assert found.reason.endswith(f"the node says of the mirror: denied{hint}")
        assert bool(found.fix) == (not hint)

    @KINDS
    def test_a_login_that_all_mirrors_refuse(self, infrastructure: Any, hint: str) -> None:
        refused = {**secret({"m.io": AUTH}), "refusedLogins": [["m.io", "m.io"]]}
        found = asked(refused, only=True, more={INFRASTRUCTURE: infrastructure})
        assert (found.verdict, bool(found.fix)) == ("will_not_pull", not hint)
        assert found.reason.endswith(f"has the key m.io for {M}{hint}")

    @KINDS
    def test_a_mirror_that_refuses_when_it_is_asked(self, infrastructure: Any, hint: str) -> None:
        evidence = {**mirrored(only=True), INFRASTRUCTURE: infrastructure}
        held = Lookup(known(more=evidence, own=GOOD))
        with pytest.raises(ReadRequired):
            explain(pod("own"), held, asks=True)
        (question,) = held.take_wanted()
        held.add({question: {"outcome": "no_login", "message": "said no"}})
        found = explain(pod("own"), held, asks=True)
        assert summary(found) == ("will_not_pull", f"said no: the nodes' pull secret has no key for {M}{hint}")
        assert bool(found.fix) == (not hint)


class TestBlockedMirrors:
    """Each attempt at a mirror fails if its own entry of registries.conf is blocked. The node goes on to the next place."""

    NODES = secret({"m.io": AUTH})
    BLOCKED = {IMAGE_CONFIG: {"spec": {"registrySources": {"blockedRegistries": ["m.io/z"]}}}}
    WHY = f"the nodes do not ask {M}, because registrySources.blockedRegistries of image config cluster has m.io/z"

    def test_the_only_mirror(self) -> None:
        found = asked(self.NODES, only=True, more=self.BLOCKED)
        by = "source q.io in image tag mirror set m"
        text = f"registry q.io is blocked: no mirror is left, and the source is never contacted ({by}): {self.WHY}"
        assert summary(found) == ("will_not_pull", text)
        assert steps(found, "registries") == [("registries", self.WHY, False)]

    def test_the_source_is_asked(self) -> None:
        found = asked(self.NODES, more=self.BLOCKED)
        assert found.reason.startswith("secret own has the key q.io, but the registry was not asked")
        assert asked(self.NODES, more=self.BLOCKED, own=secret({"x.io": AUTH})).verdict == "unknown"

    def test_another_mirror_is_asked(self) -> None:
        found = asked(secret({"n.io": AUTH}), "m.io/z", "n.io", only=True, more=self.BLOCKED)
        assert found.reason.startswith("the nodes' pull secret has the key n.io for n.io/team/app:v1, but")

    def test_a_mirror_below_a_source_that_is_never_contacted(self) -> None:
        found = asked(None, "q.io/copy", only=True)
        assert found.verdict == "will_not_pull"
        why = "because it is in source q.io, which is never contacted (image tag mirror set m)"
        assert found.reason.endswith(f": the nodes do not ask q.io/copy/team/app:v1, {why}")

    def test_a_mirror_that_is_not_among_the_allowed_registries_is_asked(self) -> None:
        """policy.json is for the name of the source."""
        config = {IMAGE_CONFIG: {"spec": {"registrySources": {"allowedRegistries": ["q.io"]}}}}
        assert asked(self.NODES, only=True, more=config).verdict == "pulls"

    def test_a_blocked_entry_may_have_no_effect(self) -> None:
        found = asked(self.NODES, only=True, more={**self.BLOCKED, CLUSTER_VERSION: REFUSED})
        doubt = "An entry around the repository of the release has no effect without a mirror of it, and this repository is not known"
        assert summary(found) == ("unknown", f"{self.WHY}. {doubt}: the caller may not read it")


class TestHiddenSets:
    """A mirror set that cannot be read may have a mirror for the image."""

    HIDDEN = {ObjectRef(DIGEST_SETS, "", ""): REFUSED}
    WHY = "which mirrors the image has is not known: the caller may not read it"

    def test_a_source_without_a_visible_mirror_may_have_another_one(self) -> None:
        item = {"source": "q.io", "mirrors": ["m.io"], "mirrorSourcePolicy": "NeverContactSource"}
        listed = {"items": [{"metadata": {"name": "m"}, "spec": {"imageDigestMirrors": [item]}}]}
        sets = {ObjectRef(DIGEST_SETS, "", ""): listed}
        assert told(pod("own"), known(more=sets, own=GOOD)).verdict == "will_not_pull"
        found = told(pod("own"), known(more={**sets, ObjectRef(TAG_SETS, "", ""): REFUSED}, own=GOOD))
        assert summary(found) == ("unknown", self.WHY)
        ((_name, text, ok),) = steps(found, "mirrors")
        assert (text.startswith("registry q.io is blocked: no mirror is for a pull by tag, "), ok) == (True, None)

    def test_an_unreachable_registry_may_have_a_mirror(self) -> None:
        lost = {network_ref("q.io"): {"reached": False}}
        assert told(pod("own"), known(more=lost, own=GOOD)).verdict == "will_not_pull"
        assert summary(told(pod("own"), known(more={**lost, **self.HIDDEN}, own=GOOD))) == ("unknown", self.WHY)


class TestRefusedLogins:
    """A login that the mirror is known to refuse. The node sends it, so a public image does not help."""

    NODES = {**secret({"m.io": AUTH, "x.io": AUTH}), "refusedLogins": [["m.io", "m.io"], ["x.io", "m.io"]]}

    def test_the_only_mirror_fails(self) -> None:
        found = asked(self.NODES, only=True)
        said = f"the mirror refuses the login: secret openshift-config/pull-secret has the key m.io for {M}"
        assert summary(found) == ("will_not_pull", f"the image comes only from {M}, and {said}")
        assert found.fix == fixes.add_registry("openshift-config", "pull-secret", "m.io")
        assert ("mirrors", said, False) in steps(found, "mirrors")

    def test_another_mirror_or_the_source_is_tried(self) -> None:
        assert asked(self.NODES, "m.io/z", "n.io", only=True).verdict == "unknown"
        assert asked(self.NODES, "m.io/z", "x.io/z", only=True).verdict == "pulls"
        assert asked(self.NODES).verdict == "pulls"

    OWN = {**GOOD, "refusedLogins": [["q.io", "q.io"]]}
    SAID = "the registry refuses the login: secret own has the key q.io"

    def test_a_mirror_can_serve_what_the_source_refuses(self) -> None:
        found = asked(secret({"m.io": AUTH}), own=self.OWN)
        assert summary(found) == ("pulls", f"{BY_KEY}, and {self.SAID}")
        found = asked(None, own=self.OWN)
        only = f"the nodes' pull secret has no key for {M}: the pull works only if the mirror requires no login"
        assert summary(found) == ("unknown", f"{self.SAID}. {only}")

    def test_a_mirror_that_refuses_as_well_cannot(self) -> None:
        assert summary(asked(self.NODES, own=self.OWN)) == ("will_not_pull", self.SAID)
        assert summary(asked(None, "q.io/copy", own=self.OWN)) == ("will_not_pull", self.SAID)

    def test_the_registry_is_asked_with_the_refused_login(self) -> None:
        lookup = Lookup(known(more={**mirrored("m.io/z", only=True), NODE_SECRET: self.NODES}, own=GOOD))
        with pytest.raises(ReadRequired):
            explain(pod("own"), lookup, asks=True)
        (question,) = map(ImageQuestion.of, lookup.take_wanted())
        assert (question.repository, question.secret, question.key) == ("m.io/z/team/app", "pull-secret", "m.io")


def test_a_mirror_with_a_key_is_enough_without_a_login_for_the_source() -> None:
    found = asked(secret({"m.io": AUTH}), own=secret({"x.io": AUTH}))
    assert summary(found) == ("pulls", BY_KEY)
    assert asked(secret({"n.io": AUTH}), own=secret({"x.io": AUTH})).verdict == "unknown"


class TestErrorOfAMirror:
    def test_the_error_of_a_mirror_is_the_cause_if_the_source_is_unreachable(self) -> None:
        found = asked(secret({"x.io": AUTH}), says=mirror_says("unauthorized: authentication required"))
        assert summary(found) == (
            "will_not_pull",
            f"the nodes' pull secret has no key for {M}, and the node says of the mirror: unauthorized: authentication required",
        )
        assert found.fix == fixes.add_registry("openshift-config", "pull-secret", "m.io")

    def test_a_refused_key_of_a_mirror_is_fixed_in_its_place(self) -> None:
        found = asked(secret({"m.io/z": AUTH}), says=mirror_says("invalid username/password: x"))
        assert found.fix == fixes.add_registry("openshift-config", "pull-secret", "m.io/z")

    @pytest.mark.parametrize(("second", "verdict"), [(2000, "pulls"), (100, "will_not_pull"), (1000, "will_not_pull")])
    def test_an_error_of_a_mirror_can_be_older_than_the_key(self, second: int, verdict: str) -> None:
        events = {ObjectRef(POD_EVENTS, "ns", "p"): {"items": [pulling(1000)]}}
        nodes = changed(second, secret({"m.io": AUTH}))
        found = asked(nodes, says=mirror_says("denied"), more=events, is_asked_alone=True)
        assert found.verdict == verdict
        text = "which was changed after the node's last attempt: the nodes have it some minutes later"
        assert (text in found.reason) is (verdict == "pulls")
        begin = f"the nodes' pull secret has the key m.io for {M}, {text}"
        assert found.reason.startswith(begin) is (verdict == "pulls")

    def test_an_image_that_the_mirror_lacks_is_reported(self) -> None:
        says = f"{M}, and the node says of the mirror: manifest unknown"
        begin = "the mirror has no such image, or hides it: the nodes' pull secret has"
        assert asked(None, says=mirror_says("manifest unknown")).reason == f"{begin} no key for {says}"
        with_login = asked(secret({"m.io": AUTH}), says=mirror_says("manifest unknown"))
        assert with_login.reason == f"{begin} the key m.io for {says}{ADVICE}"

    def test_the_error_of_the_only_mirror_is_reported_as_that_of_the_source(self) -> None:
        found = asked(None, "n.io", "m.io/z", only=True, says="reading manifest v1 in q.io/team/app: denied")
        assert found.reason == (
            f"the nodes' pull secret has no key for {M}, and the node says of the mirror: reading manifest v1 in q.io/team/app: denied"
        )

    def test_an_error_of_a_mirror_on_the_host_of_the_source_names_the_login_of_the_pod(self) -> None:
        found = asked(None, "q.io/copy", says=mirror_says("denied", "q.io/copy/team/app:v1"))
        assert found.reason == f"secret own has the key q.io, and the node says of the mirror: denied{ADVICE}"
        assert found.fix == []


def test_a_blocked_source_stays_blocked_with_a_mirror() -> None:
    config = {"spec": {"registrySources": {"blockedRegistries": ["q.io"]}}}
    found = asked(secret({"m.io": AUTH}), more={IMAGE_CONFIG: config})
    assert found.verdict == "will_not_pull"
    assert "blockedRegistries" in found.reason
