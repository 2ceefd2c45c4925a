# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The architectures of the nodes of a cluster, from `status.nodeInfo`, and those to which a pod is limited. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from ..core.objects import Json, as_dict, as_list, as_str, as_strs, metadata, pick

__all__ = ["architectures_of", "limits_of_pod", "nodes_by_architecture", "trim_placement"]

#: The form of Go's names of architectures, such as `amd64` and `ppc64le`.
_ARCHITECTURE = re.compile(r"[a-z0-9]{1,20}", re.ASCII)
#: The label of a node with its architecture, and its old name. The kubelet writes both.
_LABELS = ("kubernetes.io/arch", "beta.kubernetes.io/arch")
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


def nodes_by_architecture(nodes: Iterable[Json]) -> Mapping[str, Sequence[str]]:
    """Return the names of the nodes of each architecture, sorted by architecture. Nodes without a known one are left out."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        architecture = as_str(as_dict(as_dict(node.get("status")).get("nodeInfo")).get("architecture"))
        if _ARCHITECTURE.fullmatch(architecture):
            found.setdefault(architecture, []).append(as_str(metadata(node).get("name")))
    return dict(sorted(found.items()))


def architectures_of(nodes: Iterable[Json]) -> Sequence[str]:
    """Return the different architectures of nodes, sorted."""
    return [*nodes_by_architecture(nodes)]


def limits_of_pod(spec: Json) -> tuple[str, ...]:
    """Return the architectures of the nodes on which a pod with this spec can run, sorted. Empty if they are not limited.

    The node selector and the required node affinity count, in which one of the terms has to match. Other fields of the spec can exclude
    nodes as well.
    """
    selector = as_dict(spec.get("nodeSelector"))
    limits = [{as_str(selector[label])} for label in _LABELS if label in selector]
    terms = [_values_of_term(as_dict(term)) for term in _terms(spec)]
    if terms and all(terms):
        limits.append(set().union(*terms))
    return tuple(sorted(set.intersection(*limits))) if limits else ()


def trim_placement(spec: Json) -> Json:
    """Return the parts of a pod's spec that `limits_of_pod` reads."""
    selector, terms = pick(as_dict(spec.get("nodeSelector")), *_LABELS), _terms(spec)
    return {
        **({"nodeSelector": selector} if selector else {}),
        **({"affinity": {"nodeAffinity": {_REQUIRED: {"nodeSelectorTerms": terms}}}} if terms else {}),
    }


def _terms(spec: Json) -> Sequence[object]:
    affinity = as_dict(as_dict(spec.get("affinity")).get("nodeAffinity"))
    return as_list(as_dict(affinity.get(_REQUIRED)).get("nodeSelectorTerms"))


def _values_of_term(term: Json) -> set[str]:
    """The architectures that a term allows. Empty if it does not limit them."""
    found = [
        set(as_strs(each.get("values")))
        for each in map(as_dict, as_list(term.get("matchExpressions")))
        if each.get("key") in _LABELS and each.get("operator") == "In"
    ]
    return set.intersection(*found) if found else set()
