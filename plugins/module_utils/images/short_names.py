# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the runtimes make of an image's name without a registry. Pure.

containerd and cri-dockerd take Docker Hub. CRI-O asks its search registries (containers/image pkg/shortnames), before version 1.34 one
after the other; from then on it refuses a name that several of them could have (cri-o pull request 9401). It takes an alias first, from
files of the nodes. The kubelet looks for credentials of Docker Hub in each case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..core.json_types import as_dict, as_strs
from ..core.objects import Json
from .node_versions import Version
from .references import Reference, reference_of

__all__ = ["ENFORCING_SINCE", "candidates", "may_have_alias", "search_registries"]

#: Of CRI-O and of OpenShift.
ENFORCING_SINCE: dict[str, Version] = {"cri-o": (1, 34), "openshift": (4, 21)}

#: What OpenShift's nodes have without a setting (machine-config-operator templates, container-registries).
_DEFAULT = ("registry.access.redhat.com", "docker.io")

#: Red Hat's images, for which its nodes have aliases (001-rhel-shortnames.conf).
_ALIASED = re.compile(r"(?:ubi\d|rhel\d|rhscl|rhosp|rhceph|openshift\d|jboss|codeready)[\w-]*(?:/|:|@|\Z)", re.ASCII)


def search_registries(config: Json | None) -> Sequence[str]:
    """Those of an OpenShift cluster, by its image config."""
    sources = as_dict(as_dict(as_dict(config).get("spec")).get("registrySources"))
    given = as_strs(sources.get("containerRuntimeSearchRegistries"))
    return list(dict.fromkeys(given)) or _DEFAULT


def candidates(image: str, registries: Sequence[str]) -> list[Reference]:
    """The image in each of the registries, in their order."""
    found = [reference_of(f"{registry}/{image}") for registry in registries]
    return [reference for reference in found if reference is not None]


def may_have_alias(image: str) -> bool:
    """Whether the nodes may know the name by an alias: what they have cannot be seen."""
    return bool(_ALIASED.match(image))
