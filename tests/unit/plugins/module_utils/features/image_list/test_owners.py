# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The owner of the text of an object follows from its marks, and the last writer from its field managers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.snapshot import BUILD_CONFIG
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import WORKLOADS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.image_list.owners import (
    OWNER_KINDS,
    TextOwner,
    named_images_of,
    take_note,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_streams import IMAGE_STREAM

DEPLOYMENT = WORKLOADS["deployment"]
OWN_ID = "shop_app:apps/Deployment:a/web"


def owner(kind: Any = DEPLOYMENT, spec: Any = None, **meta: Any) -> TextOwner:
    return take_note(kind, {"metadata": {"name": "web", "namespace": "a", **meta}, "spec": spec or {}}).owner


def owned(kind: str, name: str, *, controller: bool = True) -> dict[str, Any]:
    return {"kind": kind, "name": name, "controller": controller, "uid": "1"}


@pytest.mark.parametrize(
    ("meta", "found"),
    [
        ({"annotations": {"argocd.argoproj.io/tracking-id": OWN_ID}}, TextOwner("argocd", "shop_app")),
        ({"labels": {"argocd.argoproj.io/instance": "shop"}}, TextOwner("argocd", "shop")),
        (
            {"annotations": {"argocd.argoproj.io/tracking-id": OWN_ID}, "labels": {"helm.sh/chart": "redis-20.1"}},
            TextOwner("argocd", "shop_app", "redis-20.1"),
        ),
        (
            {
                "annotations": {"meta.helm.sh/release-name": "cache", "meta.helm.sh/release-namespace": "shop"},
                "labels": {"helm.sh/chart": "redis-20.1"},
            },
            TextOwner("helm", "shop/cache", "redis-20.1"),
        ),
        (
            {"labels": {"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux"}},
            TextOwner("flux", "Kustomization flux/apps"),
        ),
        (
            {
                "labels": {"helm.toolkit.fluxcd.io/name": "cache", "helm.toolkit.fluxcd.io/namespace": "shop"},
                "annotations": {"meta.helm.sh/release-name": "cache"},
            },
            TextOwner("flux", "HelmRelease shop/cache"),
        ),
        ({"labels": {"olm.owner": "redis.v1", "olm.owner.kind": "ClusterServiceVersion"}}, TextOwner("olm", "redis.v1")),
        ({"ownerReferences": [owned("ClusterServiceVersion", "redis.v1")]}, TextOwner("olm", "redis.v1")),
        ({"ownerReferences": [owned("Redis", "cache")]}, TextOwner("controller", "Redis cache")),
        ({"ownerReferences": [owned("ClusterVersion", "version", controller=False)]},
         TextOwner("controller", "ClusterVersion version")),
        ({"labels": {"helm.sh/chart": "redis-20.1"}}, TextOwner("unknown", "", "redis-20.1")),
        ({}, TextOwner("unknown")),
    ],
)  # fmt: skip
def test_the_marks_of_each_tool_name_it(meta: dict[str, Any], found: TextOwner) -> None:
    assert owner(**meta) == found


@pytest.mark.parametrize("tracking", [
    "app:apps/Deployment:a/other", "app:apps/StatefulSet:a/web", "app:apps/Deployment:b/web", "app", ":::", "a:" * 5000,
])  # fmt: skip
def test_the_tracking_id_of_another_object_is_not_believed(tracking: str) -> None:
    """An operator copies the annotations of its own object to those that it creates."""
    assert owner(annotations={"argocd.argoproj.io/tracking-id": tracking}) == TextOwner("unknown")


def test_a_controller_counts_more_than_marks_that_it_may_have_copied() -> None:
    marks = {"meta.helm.sh/release-name": "cache"}
    assert owner(annotations=marks, ownerReferences=[owned("Redis", "cache")]).kind == "controller"


POD_SPEC = {
    "initContainers": [{"name": "init", "image": "a"}],
    "containers": [{"name": "app", "image": "b"}],
    "volumes": [{"name": "data", "image": {"reference": "c"}}, {"name": "none"}],
}


@pytest.mark.parametrize(
    ("kind", "spec", "root"),
    [
        (POD, POD_SPEC, "spec"),
        (DEPLOYMENT, {"template": {"spec": POD_SPEC}}, "spec.template.spec"),
        (
            WORKLOADS["cronjob"],
            {"jobTemplate": {"spec": {"template": {"spec": POD_SPEC}}}},
            "spec.jobTemplate.spec.template.spec",
        ),
    ],
)
def test_each_image_has_the_path_of_its_field(kind: Any, spec: Any, root: str) -> None:
    assert [(each.location, each.field, each.image) for each in named_images_of(kind, {"spec": spec})] == [
        ("init", f"{root}.initContainers[init].image", "a"),
        ("app", f"{root}.containers[app].image", "b"),
        ("volume data", f"{root}.volumes[data].image.reference", "c"),
    ]


def test_a_build_has_the_images_of_its_strategy_and_its_sources() -> None:
    origin = {"kind": "DockerImage", "name": "quay.io/builder:1"}
    note = take_note(BUILD_CONFIG, {"spec": {
        "strategy": {"sourceStrategy": {"from": origin, "pullSecret": {"name": "s"}}, "dockerStrategy": {"from": None}},
        "source": {"images": [{"from": {"kind": "ImageStreamTag", "name": "x:1"}}, {"from": origin}]},
    }})  # fmt: skip
    assert [(each.field, each.secrets) for each in note.images] == [
        ("spec.strategy.sourceStrategy.from.name", ("s",)),
        ("spec.source.images[1].from.name", ()),
    ]


def fields(*path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key in reversed(path):
        found = {key: found}
    return found


TEMPLATE = ("f:spec", "f:template", "f:spec")
APP = (*TEMPLATE, "f:containers", 'k:{"name":"app"}')
DEPLOYED = {"template": {"spec": POD_SPEC}}


def writer(manager: str, *path: str, time: str = "2026-01-01T00:00:00Z", **more: Any) -> dict[str, Any]:
    return {"manager": manager, "time": time, "fieldsV1": fields(*path), **more}


def managers(*entries: Any, kind: Any = DEPLOYMENT, spec: Any = None, **meta: Any) -> dict[str, str]:
    return {**take_note(kind, {"metadata": {"managedFields": [*entries], **meta}, "spec": spec or DEPLOYED}).managers}


def test_the_last_writer_of_a_field_is_its_manager() -> None:
    entries = [writer("helm", *APP, "f:image"), writer("kubectl-edit", *APP, "f:image", time="2026-02-01T00:00:00Z")]
    assert managers(*entries) == {"spec.template.spec.containers[app].image": "kubectl-edit"}
    assert managers(*reversed(entries)) == {"spec.template.spec.containers[app].image": "kubectl-edit"}


def test_a_writer_of_another_field_or_of_the_status_is_not_the_manager() -> None:
    others = (
        writer("a", *APP, "f:env"),
        writer("b", *TEMPLATE, "f:containers", 'k:{"name":"other"}', "f:image"),
        writer("c", *APP, "f:image", subresource="status"),
        writer("d", "f:metadata"),
    )
    assert managers(*others) == {}


def test_a_list_that_is_written_as_a_whole_belongs_to_its_writer() -> None:
    spec = {"tags": [{"name": "1.0", "from": {"kind": "DockerImage", "name": "x"}}]}
    assert managers(writer("oc", "f:spec", "f:tags"), kind=IMAGE_STREAM, spec=spec) == {
        "spec.tags[1.0].from.name": "oc"
    }


def test_a_controlled_object_has_no_managers() -> None:
    assert managers(writer("redis-operator", *APP, "f:image"), ownerReferences=[owned("Redis", "x")]) == {}


@pytest.mark.parametrize("odd", [None, "x", 1, [None], [{"fieldsV1": None}], [{"fieldsV1": []}], {"a": 1}])
@pytest.mark.parametrize("kind", [POD, DEPLOYMENT, BUILD_CONFIG, IMAGE_STREAM])
def test_odd_objects_have_no_known_owner(odd: Any, kind: Any) -> None:
    meta = dict.fromkeys(("managedFields", "labels", "annotations", "ownerReferences", "name"), odd)
    parts = dict.fromkeys(("containers", "volumes", "tags", "template", "strategy", "source"), odd)
    assert take_note(kind, {"metadata": meta, "spec": parts}).owner in (
        TextOwner("unknown"),
        TextOwner("controller", " "),
    )


def test_each_kind_of_owner_has_a_title_in_one_line() -> None:
    for kind in OWNER_KINDS:
        assert "\n" not in str(TextOwner(kind, "a\nb", "c\x1b[1m")) and str(TextOwner(kind))
