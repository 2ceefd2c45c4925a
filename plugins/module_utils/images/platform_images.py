# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The images that objects of the platform name: the release, catalogs of operators, and installed operators. Pure.

No workload names the image of the release, those of operator catalogs, and the related images of operators. An installed operator starts some
of these only later (operator-framework/api ClusterServiceVersionSpec.RelatedImages). Nodes pull the images of a release with their own login.
A catalog can name secrets of its namespace (CatalogSourceSpec.Secrets).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..core.objects import Json, Kind, as_dict, as_list, as_str, as_strs
from ..platform.cluster import CLUSTER_VERSION

_GROUP = "operators.coreos.com/v1alpha1"
CATALOG = Kind(_GROUP, "CatalogSource", "catalogsources", "catalog source")
OPERATOR = Kind(_GROUP, "ClusterServiceVersion", "clusterserviceversions", "cluster service version")
#: The kinds that name images of operators. The ClusterVersion names that of the release.
OPERATOR_KINDS = (CATALOG, OPERATOR)
#: The label selector without the copies of an operator in other namespaces, which name the same images.
NO_COPIES = "!olm.copiedFrom"


@dataclass(frozen=True)
class NamedImage:
    """An image in the text of an object. `location` is as that of a pull, `field` the path of the text. `secrets` are those for its pull."""

    location: str
    field: str
    image: str
    secrets: tuple[str, ...] = ()


def images_of_platform(kind: Kind, obj: Json) -> Iterator[NamedImage]:
    """Yield the images that an object of one of these kinds names. Empty for another kind."""
    spec = as_dict(obj.get("spec"))
    if kind == CLUSTER_VERSION.kind:
        image = as_str(as_dict(as_dict(obj.get("status")).get("desired")).get("image"))
        yield NamedImage("release", "status.desired.image", image)
    elif kind == CATALOG:
        yield NamedImage("catalog", "spec.image", as_str(spec.get("image")), tuple(as_strs(spec.get("secrets"))))
    elif kind == OPERATOR:
        for each in map(as_dict, as_list(spec.get("relatedImages"))):
            name = as_str(each.get("name")) or "image"
            yield NamedImage(name, f"spec.relatedImages[{name}].image", as_str(each.get("image")))
