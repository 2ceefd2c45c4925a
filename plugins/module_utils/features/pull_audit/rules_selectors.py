# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule about selectors of the inventory that users can join by the name of a project. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.audit_format import INFO
from ...core.objects import CLUSTER_ROLE, as_dict, as_list, as_str, metadata
from ...core.text import pluralize, summarize
from .drift import INVENTORY
from .findings import Finding
from .survey import CLUSTER_BINDINGS, ClusterSnapshot

__all__ = ["OPEN_TO_USERS", "find_open_selectors"]

OPEN_TO_USERS = "selector-open-to-users"

#: The role with which OpenShift lets users request projects.
_SELF_PROVISIONER = "self-provisioner"
_SHOWN = 10


def find_open_selectors(survey: ClusterSnapshot) -> Iterator[Finding]:
    """Yield one finding for each entry: for projects that users have requested or, less severe, because users may request them."""
    provisioners = list(_provisioners(survey))
    is_known = CLUSTER_BINDINGS not in survey.unread
    if provisioners:
        context = f"cluster role binding {summarize(provisioners, _SHOWN)} lets users request more"
    elif is_known:
        context = f"no cluster role binding gives users the role {_SELF_PROVISIONER}, which lets them request more"
    else:
        context = "it is unknown whether users may request more, because the cluster role bindings could not be read"
    for one in survey.open_selectors:
        selects = f"{one.title} selects namespaces by their names alone"
        if one.projects:
            requested = (
                f"{pluralize(len(one.projects), 'project')} that users requested: {summarize(one.projects, _SHOWN)}"
            )
            yield Finding(OPEN_TO_USERS, INVENTORY, one.title, f"{selects}, among them {requested} ({context})")
        elif provisioners:
            message = f"{selects}: users have requested none of them yet, but {context}"
            yield Finding(OPEN_TO_USERS, INVENTORY, one.title, message, severity=INFO)


def _provisioners(survey: ClusterSnapshot) -> Iterator[str]:
    """Yield the names of the cluster role bindings that let users request projects."""
    for binding in survey.cluster_bindings:
        role = as_dict(binding.get("roleRef"))
        if (role.get("kind"), role.get("name")) == (CLUSTER_ROLE.kind, _SELF_PROVISIONER) and as_list(
            binding.get("subjects")
        ):
            yield as_str(metadata(binding).get("name"))
