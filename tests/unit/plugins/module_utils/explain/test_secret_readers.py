# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each kind of object that reads a pull secret besides the kubelet is found, in each version that a cluster may serve."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import Kind, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup, ReadRequired
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.secret_readers import find_readers
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import pull_of_account
from support.pull_evidence import REFUSED

HOST = "registry.example.com"
SUBJECT = pull_of_account("ns", "default", f"{HOST}/team/app:v1")


def found(objects: Any, *, is_of_all: bool = False) -> tuple[list[str], list[str]]:
    """The readers as sentences, and the lists that are not known. `objects` are the lists by resource and version, all others are empty."""
    lookup = Lookup()
    while True:
        try:
            readers, unread = find_readers(SUBJECT, ["pull"], HOST, lookup, is_of_all=is_of_all)
            return [f"{ref} {clause}" for ref, clause in readers.items()], [*unread]
        except ReadRequired:
            wanted = lookup.take_wanted()
            assert all(bool(ref.namespace) is ref.kind.namespaced for ref in wanted)
            lookup.add({ref: objects.get((ref.kind.api_version, ref.kind.resource)) for ref in wanted})


def one(spec: Any, **members: Any) -> dict[str, Any]:
    return {"items": [{"metadata": {"name": "it"}, "spec": spec, **members}]}


def tag(kind: str, name: str) -> dict[str, Any]:
    return {"tags": [{"name": "v1", "from": {"kind": kind, "name": name}}]}


LISTED = {"imagePullSecrets": [{"name": "pull"}]}
TEMPLATE = {"template": {"spec": LISTED}}
FLUX, KYVERNO = "toolkit.fluxcd.io", "policies.kyverno.io"
VERIFIED = {"rules": [{"verifyImages": [{"imageReferences": ["*"]}]}]}
OWN = {"rules": [{"verifyImages": [{"imageRegistryCredentials": {"secrets": ["other"]}}]}, {"validate": {}}]}
ASK, NAMES = "lists it: ask about it as well", "names it"
VERIFIES = "verifies images with the logins of the pod, or without any: give it its own"
READERS = {
    ("v1", "serviceaccounts"): (one(None, **LISTED), f"service account ns/it {ASK}"),
    ("apps/v1", "deployments"): (one(TEMPLATE), f"deployment ns/it {ASK}"),
    ("batch/v1", "cronjobs"): (one({"jobTemplate": {"spec": TEMPLATE}}), f"cron job ns/it {ASK}"),
    ("image.openshift.io/v1", "imagestreams"): (
        one(tag("DockerImage", f"{HOST}/team/app:v1")),
        "image stream ns/it imports images of the registry with the pull secrets of its namespace",
    ),
    ("build.openshift.io/v1", "buildconfigs"): (
        one({"output": {"pushSecret": {"name": "pull"}}}),
        f"build config ns/it {NAMES}",
    ),
    ("operators.coreos.com/v1alpha1", "catalogsources"): (one({"secrets": ["pull"]}), f"catalog source ns/it {NAMES}"),
    **{
        (f"{group}.{FLUX}/{version}", resource): (one({"secretRef": {"name": "pull"}}), f"Flux {title} ns/it {NAMES}")
        for version in ("v1", "v1beta2")
        for group, resource, title in (
            ("source", "ocirepositories", "OCI repository"),
            ("source", "helmrepositories", "Helm repository"),
            ("image", "imagerepositories", "image repository"),
        )
    },
    ("kyverno.io/v1", "policies"): (one(VERIFIED), f"Kyverno policy ns/it {VERIFIES}"),
    ("kyverno.io/v1", "clusterpolicies"): (one(VERIFIED), f"Kyverno cluster policy it {VERIFIES}"),
    **{
        (f"{KYVERNO}/{version}", f"{scope}imagevalidatingpolicies"): (
            one({"attestors": []}), f"Kyverno image policy {place}it {VERIFIES}"
        )
        for version in ("v1", "v1beta1")
        for scope, place in (("", ""), ("namespaced", "ns/"))
    },
    ("policy.sigstore.dev/v1beta1", "clusterimagepolicies"): (
        one({"authorities": [{"source": [{"signaturePullSecrets": [{"name": "pull"}]}]}]}),
        f"Sigstore image policy it {NAMES}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("place", READERS, ids=["/".join(each) for each in READERS])
def test_each_kind_of_reader_is_named(place: tuple[str, str]) -> None:
    listed, sentence = READERS[place]
    assert found({place: listed}) == ([sentence], [])
    is_of_kubelet = ASK in sentence
    assert found({place: listed}, is_of_all=True) == ([] if is_of_kubelet else [sentence], [])


@pytest.mark.parametrize(
    ("account", "secrets", "readers"),
    [
        ("builder", ["pull"], ["service account ns/builder gives it to builds"]),
        ("builder", ["a"], []),
        ("b", ["pull"], []),
    ],
)
def test_builds_use_the_secrets_of_their_account(account: str, secrets: list[str], readers: list[str]) -> None:
    obj = {"metadata": {"name": account}, "secrets": [{"name": each} for each in secrets]}
    assert found({("v1", "serviceaccounts"): {"items": [obj]}}, is_of_all=True) == (readers, [])


@pytest.mark.parametrize(
    "volume", [{"secret": {"secretName": "pull"}}, {"projected": {"sources": [{"secret": {"name": "pull"}}]}}]
)
def test_a_workload_that_mounts_the_secret_is_named_even_if_it_has_a_plan(volume: Any) -> None:
    listed = one({"template": {"spec": {**LISTED, "volumes": [volume]}}})
    assert found({("apps/v1", "deployments"): listed}, is_of_all=True) == (["deployment ns/it mounts it"], [])


@pytest.mark.parametrize("place", [(f"source.{FLUX}/v1", "ocirepositories"), (f"image.{FLUX}/v1", "imagerepositories")])
def test_flux_uses_the_pull_secrets_of_the_account_that_it_names(place: tuple[str, str]) -> None:
    assert len(found({place: one({"serviceAccountName": "default"})})[0]) == 1
    assert found({place: one({"serviceAccountName": "other"})}) == found({place: one({})}) == ([], [])


@pytest.mark.parametrize(
    ("place", "spec"),
    [
        (("build.openshift.io/v1", "buildconfigs"), {"output": {"pushSecret": {"name": "other"}}, "pull": "pull"}),
        (("build.openshift.io/v1", "buildconfigs"), {"triggers": [{"generic": {"secret": "pull"}}]}),
        (("image.openshift.io/v1", "imagestreams"), tag("DockerImage", "quay.io/team/app:v1")),
        (("image.openshift.io/v1", "imagestreams"), tag("ImageStreamTag", f"{HOST}/app:v1")),
        (("operators.coreos.com/v1alpha1", "catalogsources"), {"secrets": ["other"]}),
        (("kyverno.io/v1", "clusterpolicies"), OWN),
        (("kyverno.io/v1", "clusterpolicies"), {"rules": [{"validate": {"pattern": {}}}]}),
        ((f"{KYVERNO}/v1", "imagevalidatingpolicies"), {"credentials": {"secrets": ["other"]}}),
    ],
)
def test_an_object_that_does_not_read_it_is_not_named(place: tuple[str, str], spec: Any) -> None:
    assert found({place: one(spec)}) == ([], [])


def test_a_list_that_cannot_be_read_is_not_known() -> None:
    place = ("kyverno.io/v1", "clusterpolicies")
    assert found({place: REFUSED}) == ([], [f"the clusterpolicies could not be read: {REFUSED}"])


def test_an_older_version_counts_if_the_cluster_serves_only_that() -> None:
    place, newer = (f"source.{FLUX}/v1beta2", "ocirepositories"), (f"source.{FLUX}/v1", "ocirepositories")
    assert found({place: READERS[place][0], newer: None})[0] == [READERS[place][1]]


@pytest.mark.parametrize(
    "odd", [None, 3, "x", [None], {"rules": 3, "tags": [3, None, {"from": 5}], "secrets": [None, 3], "template": []}]
)
def test_odd_objects_raise_nothing(odd: Any) -> None:
    lists = {place: {"items": [odd, {"metadata": odd, "spec": odd, "imagePullSecrets": odd}]} for place in READERS}
    assert found(lists)[1] == []


def test_the_policies_of_a_cluster_are_listed_once_for_all_namespaces() -> None:
    kind = Kind("kyverno.io/v1", "ClusterPolicy", "clusterpolicies", "Kyverno cluster policy", namespaced=False)
    lookup = Lookup()
    with pytest.raises(ReadRequired):
        find_readers(SUBJECT, ["pull"], HOST, lookup, is_of_all=True)
    assert ObjectRef(kind, "", "") in lookup.take_wanted()
