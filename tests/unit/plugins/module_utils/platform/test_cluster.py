# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reason why no pull secret will ever be generated, and the advice if one is missing."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform import cluster
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.platform.cluster import (
    CLUSTER_VERSION,
    HOSTED,
    IMAGE_REGISTRY,
    KUBERNETES,
    MANAGED,
    MANAGEMENT,
    MICROSHIFT,
    REGISTRY_SERVICE,
    STANDALONE,
    ClusterFacts,
    cluster_kind_of,
    has_openshift_config,
    platform_of,
    why_unsupported,
)

NOT_OPENSHIFT = "this cluster is not OpenShift, so nothing generates pull secrets"

OPENSHIFT = {"apps", "config.openshift.io", "image.openshift.io"}

OFF = "the ImageRegistry capability of this cluster is off, so nothing generates pull secrets"

REMOVED = "the image registry of this cluster is Removed, so nothing generates pull secrets"

ALL = ["ImageRegistry"]


def version(desired: Any = "4.20.1", **lists: Any) -> Any:
    """A cluster version. `lists` may contain `enabled` and `known`, which default to `ALL`."""
    capabilities = {f"{name}Capabilities": found for name, found in {"enabled": ALL, "known": ALL, **lists}.items()}
    return {"status": {"desired": {"version": desired}, "capabilities": capabilities}}


def operator(*reasons: str) -> Any:
    return {"status": {"conditions": [{"type": "Available", "reason": reason} for reason in reasons]}}


class TestWhyNoneWillCome:
    @pytest.mark.parametrize(
        ("facts", "reason"),
        [
            (ClusterFacts({"apps", "rbac.authorization.k8s.io"}), NOT_OPENSHIFT),
            (ClusterFacts({"apps", "route.openshift.io"}), NOT_OPENSHIFT),
            (ClusterFacts(None), ""),
            (ClusterFacts(OPENSHIFT), ""),
            (ClusterFacts(OPENSHIFT, version(), operator("Ready")), ""),
            (ClusterFacts(OPENSHIFT, {}, {}), ""),
            (ClusterFacts(OPENSHIFT, version(), operator("Ready", "Removed")), ""),
            (ClusterFacts(OPENSHIFT, version(), operator()), ""),
            (ClusterFacts(None, version(enabled=[])), OFF),
        ],
    )
    def test_the_kind_of_cluster_explains_missing_pull_secrets(self, facts: ClusterFacts, reason: str) -> None:
        """Unknown facts prove nothing. The task then waits, with a limit."""
        assert cluster.why_not_generated(facts) == reason

    @pytest.mark.parametrize(
        ("enabled", "known", "reason"),
        [
            (["Build", "ImageRegistry"], ["Build", "ImageRegistry"], ""),
            (["Build"], ["Build", "ImageRegistry"], OFF),
            ([], ALL, OFF),
            # An empty list is omitted: all known capabilities are disabled.
            (None, ALL, OFF),
            (None, ["Build", "ImageRegistry"], OFF),
            # That version does not have the capability yet (before 4.14), so it cannot be disabled.
            (["Build"], ["Build"], ""),
            (None, ["Build"], ""),
            (None, [], ""),
            ([], [], ""),
            # The known capabilities are missing.
            ([], None, OFF),
            (["Build"], None, OFF),
            (ALL, None, ""),
            (None, None, ""),
            # Values that no API server sends.
            ("ImageRegistry", ALL, ""),
            ({"ImageRegistry": True}, ALL, ""),
            (["Build"], "ImageRegistry", ""),
            ([None, {"a": "b"}], ALL, OFF),
        ],
    )
    def test_a_disabled_capability_explains_missing_pull_secrets(self, enabled: Any, known: Any, reason: str) -> None:
        assert cluster.why_not_generated(ClusterFacts(OPENSHIFT, version(enabled=enabled, known=known))) == reason

    def test_a_missing_list_of_enabled_capabilities_counts_as_empty(self) -> None:
        found = {"status": {"capabilities": {"knownCapabilities": ALL}}}
        assert cluster.why_not_generated(ClusterFacts(OPENSHIFT, found)) == OFF

    @pytest.mark.parametrize(
        ("desired", "reason"),
        [
            ("4.14.9", ""),
            ("4.9.0", ""),
            ("4.0.0", ""),
            ("3.11.0", ""),
            ("3.99.0", ""),
            ("v4.14.9", ""),
            ("4.14", ""),
            ("4.14.0-0.nightly-2024-01-01-000000", ""),
            ("4.15.0", REMOVED),
            ("4.15.0-rc.1", REMOVED),
            ("v4.15", REMOVED),
            ("4.20.1", REMOVED),
            ("4.100.0", REMOVED),
            ("5.0.0", REMOVED),
            ("5.3.0-ec.1", REMOVED),
            ("10.2.0", REMOVED),
            # An unreadable version counts as the newest.
            (None, REMOVED),
            ("", REMOVED),
            ("unknown", REMOVED),
            ("4", REMOVED),
            ("4.x", REMOVED),
            ("4.\u00b2", REMOVED),
            ("\u0664.14", REMOVED),
            ("-4.14", REMOVED),
            (" 4.14", REMOVED),
            ("4." + "1" * 5000, REMOVED),
            ("4.99999", REMOVED),
            (4.14, REMOVED),
            (["4.14"], REMOVED),
        ],
    )
    def test_a_removed_registry_counts_from_4_15_on(self, desired: Any, reason: str) -> None:
        facts = ClusterFacts(OPENSHIFT, version(desired), operator("Removed"))
        assert cluster.why_not_generated(facts) == reason

    @pytest.mark.parametrize("found", [None, {}, {"status": None}, {"status": {"desired": None}}], ids=str)
    def test_a_removed_registry_counts_if_the_version_is_unknown(self, found: Any) -> None:
        assert cluster.why_not_generated(ClusterFacts(OPENSHIFT, found, operator("Removed"))) == REMOVED

    @pytest.mark.parametrize(
        "odd", [None, [], "text", {"status": "text"}, {"status": {"capabilities": [], "conditions": {}}}]
    )
    def test_malformed_objects_prove_nothing(self, odd: Any) -> None:
        assert cluster.why_not_generated(ClusterFacts(OPENSHIFT, odd, odd)) == ""

    @pytest.mark.parametrize("conditions", [None, "Removed", {}, [None], ["Removed"], [{}], [{"reason": ["Removed"]}]])
    def test_malformed_conditions_prove_nothing(self, conditions: Any) -> None:
        facts = ClusterFacts(OPENSHIFT, version(), {"status": {"conditions": conditions}})
        assert cluster.why_not_generated(facts) == ""


class TestWhatIsUnknown:
    """A 403 is not the same as «not there»."""

    @pytest.mark.parametrize(
        ("facts", "names"),
        [
            (ClusterFacts(OPENSHIFT, unreadable=[IMAGE_REGISTRY]), "ClusterOperator image-registry"),
            (
                ClusterFacts(OPENSHIFT, unreadable=[CLUSTER_VERSION, IMAGE_REGISTRY]),
                "ClusterVersion version and ClusterOperator image-registry",
            ),
            (ClusterFacts(None), "the list of API groups (/apis)"),
            (
                ClusterFacts(None, unreadable=[CLUSTER_VERSION, IMAGE_REGISTRY]),
                "ClusterVersion version, ClusterOperator image-registry and the list of API groups (/apis)",
            ),
        ],
    )
    def test_unreadable_objects_are_named_with_the_fix(self, facts: ClusterFacts, names: str) -> None:
        assert cluster.describe_unknown(facts) == (
            f"the caller is not allowed to read {names}, so it is not known whether this cluster generates pull secrets at all. "
            "Allow it to 'get' them"
        )

    def test_a_failed_read_is_reported_with_its_message(self) -> None:
        failed = ClusterFacts(None, unreadable=[IMAGE_REGISTRY], failed=["this failed", "that failed"])
        unknown = "so it is not known whether this cluster generates pull secrets at all"
        assert cluster.describe_unknown(failed) == f"this failed; that failed; {unknown}"

    def test_readable_objects_yield_no_message(self) -> None:
        assert cluster.describe_unknown(ClusterFacts(OPENSHIFT, absent=[CLUSTER_VERSION])) == ""

    def test_an_unreadable_registry_service_is_not_reported(self) -> None:
        assert cluster.describe_unknown(ClusterFacts(OPENSHIFT, unreadable=[REGISTRY_SERVICE])) == ""
        both = ClusterFacts(OPENSHIFT, unreadable=[REGISTRY_SERVICE, IMAGE_REGISTRY])
        assert cluster.describe_unknown(both) == cluster.describe_unknown(UNREAD)


CONTROLLER = (
    "wait longer ('timeout: 300'); see 'oc describe clusteroperator openshift-controller-manager' and the pods of namespace "
    "openshift-controller-manager"
)

UNREAD = ClusterFacts(OPENSHIFT, unreadable=[IMAGE_REGISTRY])


class TestHint:
    @pytest.mark.parametrize(
        ("facts", "unfinished", "words"),
        [
            (ClusterFacts(OPENSHIFT), True, CONTROLLER),
            (ClusterFacts(OPENSHIFT), False, "wait longer ('timeout: 300')"),
            (UNREAD, True, f"wait longer ('timeout: 300'); {cluster.describe_unknown(UNREAD)}"),
            (ClusterFacts(OPENSHIFT, absent=[REGISTRY_SERVICE]), True,
             "wait longer ('timeout: 300'); service openshift-image-registry/image-registry does not exist, and generated pull "
             "secrets stay empty until it does: see 'oc describe clusteroperator image-registry'"),
            (ClusterFacts(OPENSHIFT, absent=[CLUSTER_VERSION, REGISTRY_SERVICE]), True,
             "ClusterVersion version does not exist, so this is probably not OpenShift: nothing generates pull secrets "
             "here"),
            (ClusterFacts(OPENSHIFT, absent=[CLUSTER_VERSION]), False, ""),
            (ClusterFacts(OPENSHIFT, absent=[REGISTRY_SERVICE]), False, "wait longer ('timeout: 300')"),
        ],
    )  # fmt: skip
    def test_the_hint_explains_missing_secrets(self, facts: ClusterFacts, unfinished: bool, words: str) -> None:
        assert cluster.hint(facts, unfinished=unfinished) == words

    @pytest.mark.parametrize(
        ("missing", "existing", "words"),
        [
            (["app"], [], "correct the name app, create it, or wait longer ('timeout: 300')"),
            (["app"], ["default", "builder"], "correct the name app, create it, or wait longer ('timeout: 300')"),
            (["bulider"], ["deployer", "builder", "default"],
             "correct the name bulider (there is a service account builder), or wait longer ('timeout: 300')"),
            (["defualt", "app"], {"default"},
             "correct the name defualt (there is a service account default), correct the name app, create it, "
             "or wait longer ('timeout: 300')"),
        ],
    )  # fmt: skip
    def test_the_hint_names_missing_accounts(self, missing: Any, existing: Any, words: str) -> None:
        assert cluster.hint(ClusterFacts(OPENSHIFT), missing=missing, existing=existing) == words

    def test_the_hint_names_a_missing_account_even_if_no_secret_will_come(self) -> None:
        words = cluster.hint(ClusterFacts(OPENSHIFT, absent=[CLUSTER_VERSION]), missing=["app"], unfinished=True)
        assert words.startswith(
            "correct the name app, create it, or wait longer ('timeout: 300'); ClusterVersion version does not exist"
        )

    def test_the_hint_covers_missing_accounts_and_secrets(self) -> None:
        words = cluster.hint(ClusterFacts(OPENSHIFT), missing=["app"], unfinished=True)
        assert words == f"correct the name app, create it, or {CONTROLLER}"


@pytest.mark.parametrize(
    ("config", "is_removed"),
    [
        ({"spec": {"managementState": "Removed"}}, True),
        ({"spec": {"managementState": "Managed"}}, False),
        ({"spec": 5}, False),
        (None, False),
    ],
)
def test_the_registry_is_removed_if_its_config_says_so(config: Any, is_removed: bool) -> None:
    assert cluster.is_registry_removed(config) is is_removed


# --- The kinds of clusters are distinguished by the manager of their nodes' pull secret

GROUPS = ("apps", "config.openshift.io")


def infrastructure(topology: str = "HighlyAvailable", **platform: Any) -> dict[str, Any]:
    return {"status": {"controlPlaneTopology": topology, "platformStatus": platform}}


def tags(name: str, key: str = "resourceTags") -> dict[str, Any]:
    return {key: [{"key": "other", "value": "x"}, {"key": name, "value": "true"}]}


@pytest.mark.parametrize(
    ("groups", "object_", "nature"),
    [
        (GROUPS, infrastructure(), STANDALONE),
        (GROUPS, infrastructure("SingleReplica", type="AWS", aws=tags("owner")), STANDALONE),
        (GROUPS, infrastructure("External"), HOSTED),
        # ROSA HCP has the tags of managed clusters as well.
        (GROUPS, infrastructure("External", aws=tags("red-hat-managed")), HOSTED),
        (GROUPS, infrastructure(aws=tags("red-hat-managed")), MANAGED),
        (GROUPS, infrastructure(gcp=tags("red-hat-managed", "resourceLabels")), MANAGED),
        ((*GROUPS, "upgrade.managed.openshift.io"), infrastructure(), MANAGED),
        ((*GROUPS, "managed.openshift.io"), infrastructure(), MANAGED),
        ((*GROUPS, "unmanaged.openshift.io"), infrastructure(), STANDALONE),
        (("apps",), None, KUBERNETES),
    ],
)
def test_the_kind_of_cluster_is_recognized(groups: tuple[str, ...], object_: Any, nature: str) -> None:
    assert cluster_kind_of(groups, object_, microshift=False) == nature


def test_microshift_identifies_itself() -> None:
    assert cluster_kind_of(("apps", "route.openshift.io"), None, microshift=True) == MICROSHIFT
    assert cluster_kind_of(GROUPS, infrastructure(), microshift=True) == STANDALONE


@pytest.mark.parametrize(
    "odd",
    [None, {}, {"status": None}, {"status": {"platformStatus": {"aws": None, "gcp": {"resourceTags": [None, 1, {}]}}}}],
)
def test_a_malformed_infrastructure_object_means_a_standalone_cluster(odd: Any) -> None:
    assert cluster_kind_of(GROUPS, odd, microshift=False) == STANDALONE


def test_openshift_config_exists_only_on_openshift() -> None:
    assert has_openshift_config(GROUPS)
    assert not has_openshift_config(("route.openshift.io",))


def test_kubernetes_and_microshift_have_no_cluster_pull_secret() -> None:
    assert "is not OpenShift" in why_unsupported(KUBERNETES)
    assert "/etc/crio/openshift-pull-secret" in why_unsupported(MICROSHIFT)
    assert {why_unsupported(each) for each in (STANDALONE, MANAGED, HOSTED, MANAGEMENT)} == {""}


@pytest.mark.parametrize(
    ("given", "platform"),
    [
        (infrastructure(type="KubeVirt"), "KubeVirt"),
        (infrastructure(), ""),
        (infrastructure(type=5), ""),
        (None, ""),
        ({"status": []}, ""),
    ],
)
def test_the_platform_is_that_of_the_status(given: Any, platform: str) -> None:
    assert platform_of(given) == platform
