# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which namespaces a task is for: those that are named, or those that a selector finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden, NotFound
from ..core.errors import OptionError
from ..core.names import check_namespace
from ..core.namespaces import NamespaceSelector
from ..core.namespaces import from_options as selector_from_options
from ..core.objects import NAMESPACE, Kind

__all__ = ["Targets", "from_options", "resolve"]

#: On OpenShift, a caller who cannot list namespaces can list its own projects.
_PROJECT = Kind("project.openshift.io/v1", "Project", "projects", "project", namespaced=False)


@dataclass(frozen=True)
class Targets:
    """The namespaces to work in, and those that are meant but are being deleted."""

    namespaces: Sequence[str]
    terminating: Sequence[str] = ()


def from_options(options: Mapping[str, Any]) -> Targets | NamespaceSelector:
    """The options `namespaces` and `namespace_selector`; no request is sent.

    :raises OptionError: for an empty list, a name that cannot exist, or a selector that selects everything unasked.
    """
    if options.get("namespace_selector") is not None:
        return selector_from_options(options["namespace_selector"])
    names = options["namespaces"]
    if not names:
        raise OptionError("option 'namespaces' is empty: give at least one")
    for name in names:
        check_namespace("namespaces", name)
    return Targets(list(dict.fromkeys(names)))


def resolve(cluster: Cluster, wanted: Targets | NamespaceSelector) -> Targets:
    """The targets, read from the cluster where a selector is given: one list of namespaces, or of the caller's projects.

    :raises ApiError: when neither may be listed.
    """
    if isinstance(wanted, Targets):
        return wanted
    try:
        found = list(cluster.list(NAMESPACE, label_selector=wanted.labels))
    except Forbidden as refusal:
        try:
            found = list(cluster.list(_PROJECT, label_selector=wanted.labels))
        except NotFound:
            raise refusal from None
    return Targets(*wanted.choose(found))
