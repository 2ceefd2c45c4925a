# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images that no workload of the evaluated namespaces names: the release, the operator catalogs, and the related images of operators. Pure.

An installed operator starts some of its related images only later (operator-framework/api ClusterServiceVersionSpec.RelatedImages). Nodes
pull the images of a release with their own login. A catalog can name secrets of its namespace (CatalogSourceSpec.Secrets).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from ...core.objects import Json, Kind, ObjectRef, as_dict, as_list, as_str, as_strs, metadata, pick
from ...explain.subjects import ContainerPull
from ...platform.cluster import CLUSTER_VERSION

__all__ = ["OPERATOR_KINDS", "subjects_of", "trim_platform_object"]

_GROUP = "operators.coreos.com/v1alpha1"
CATALOG = Kind(_GROUP, "CatalogSource", "catalogsources", "catalog source")
OPERATOR = Kind(_GROUP, "ClusterServiceVersion", "clusterserviceversions", "cluster service version")
#: The kinds that name images of operators. The ClusterVersion names that of the release.
OPERATOR_KINDS = (CATALOG, OPERATOR)

#: The namespace of the pods that apply a release.
_OF_RELEASE = "openshift-cluster-version"
#: The label of a copy of an operator in another namespace, which names the same images.
_COPY = "olm.copiedFrom"


def trim_platform_object(obj: Json) -> Json | None:
    """Keep the names of images. Return None for a copy of an operator."""
    meta, spec, status = metadata(obj), as_dict(obj.get("spec")), as_dict(obj.get("status"))
    if _COPY in as_dict(meta.get("labels")):
        return None
    return {
        "metadata": pick(meta, "name", "namespace"),
        "spec": pick(spec, "image", "secrets", "relatedImages"),
        "status": pick(status, "desired"),
    }


def subjects_of(kind: Kind, obj: Json) -> list[ContainerPull]:
    """Return the images of one object, as pulls of pods with exactly the secrets that it names. Each image once."""
    # The policies for the images of a namespace count, and the pods of a release are in this one.
    namespace = as_str(metadata(obj).get("namespace")) or _OF_RELEASE
    ref = ObjectRef(kind, namespace, as_str(metadata(obj).get("name")))
    spec = as_dict(obj.get("spec"))
    secrets = as_strs(spec.get("secrets")) if kind == CATALOG else ()
    images = {image: name for name, image in reversed([*_IMAGES[kind](obj)]) if image}
    return [
        ContainerPull(ref, "", tuple(secrets), name, image, is_pod=True) for image, name in reversed(images.items())
    ]


def _release_images(obj: Json) -> Iterator[tuple[str, str]]:
    yield "release", as_str(as_dict(as_dict(obj.get("status")).get("desired")).get("image"))


def _catalog_images(obj: Json) -> Iterator[tuple[str, str]]:
    yield "catalog", as_str(as_dict(obj.get("spec")).get("image"))


def _operator_images(obj: Json) -> Iterator[tuple[str, str]]:
    for each in map(as_dict, as_list(as_dict(obj.get("spec")).get("relatedImages"))):
        yield as_str(each.get("name")) or "image", as_str(each.get("image"))


_IMAGES: Mapping[Kind, Callable[[Json], Iterator[tuple[str, str]]]] = {
    CLUSTER_VERSION.kind: _release_images,
    CATALOG: _catalog_images,
    OPERATOR: _operator_images,
}
