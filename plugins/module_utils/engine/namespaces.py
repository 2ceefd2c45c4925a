# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the selected namespaces from the API server, and checks that each exists and is not being deleted."""

from __future__ import annotations

from collections.abc import Sequence

from ..clients.kube.client import Cluster
from ..clients.kube.errors import Forbidden, NamespaceMissing, NamespaceTerminating, NotFound
from ..core.namespaces import NamespaceSelector, Targets, compile_selector, missing_sentence, requester_of
from ..core.objects import NAMESPACE, Json, Kind, ObjectRef, as_dict, metadata


def require_namespace(cluster: Cluster, namespace: str) -> None:
    """Check that the namespace exists. Do nothing if the caller is not allowed to read it, or for objects without a namespace.

    :raises NamespaceMissing: if it does not exist. `NamespaceTerminating` if it is being deleted.
    """
    if not namespace:
        return
    try:
        found = cluster.get(ObjectRef(NAMESPACE, "", namespace))
    except Forbidden:
        return
    if found is None:
        raise NamespaceMissing(missing_in(cluster))
    if is_terminating(found):
        raise NamespaceTerminating(terminating_sentence(cluster))


def is_terminating(namespace: Json) -> bool:
    """Whether it is being deleted. Nothing can then be created in it."""
    status = namespace.get("status")
    phase = status.get("phase") if isinstance(status, dict) else None
    return bool(metadata(namespace).get("deletionTimestamp")) or phase == "Terminating"


def missing_in(cluster: Cluster) -> str:
    return missing_sentence(cluster.name, only_reads=cluster.is_read_only)


def deleted_sentence(cluster: Cluster) -> str:
    return f"the namespace was deleted on {cluster.name} while the task was running. Create it again, or remove it from the task"


def terminating_sentence(cluster: Cluster) -> str:
    return f"the namespace is being deleted on {cluster.name}"


#: On OpenShift, a caller who cannot list namespaces can list its own projects.
_PROJECT = Kind("project.openshift.io/v1", "Project", "projects", "project", namespaced=False)


def list_visible_namespaces(cluster: Cluster) -> list[Json]:
    """Return all namespaces or, on OpenShift, the caller's projects if it is not allowed to list namespaces.

    :raises ApiError: if it is not allowed to list either.
    """
    return list_namespaces(cluster)[0]


def list_namespaces(cluster: Cluster, label_selector: str = "") -> tuple[list[Json], str]:
    """Return namespaces as `list_visible_namespaces` does, and the refusal to list all of them. It is empty if all were listed.

    The steps of one task use the same list.

    :raises ApiError: if it is not allowed to list either.
    """
    known: dict[str, tuple[list[Json], str]] = {} if cluster.namespaces is None else cluster.namespaces
    if label_selector not in known:
        known[label_selector] = _list_namespaces(cluster, label_selector)
    return known[label_selector]


def _list_namespaces(cluster: Cluster, label_selector: str) -> tuple[list[Json], str]:
    try:
        return list(cluster.list(NAMESPACE, label_selector=label_selector)), ""
    except Forbidden as refusal:
        try:
            projects = list(cluster.list(_PROJECT, label_selector=label_selector))
        except NotFound:
            raise refusal from None
        # On OpenShift, such a caller can see only the projects, which are equivalent.
        cluster.forgive(refusal)
        return projects, str(refusal)


def resolve_targets(
    cluster: Cluster, wanted: Sequence[Targets | NamespaceSelector], every: Sequence[Json] | None = None
) -> list[Targets]:
    """Return the targets of each entry. The namespaces are read once for all selectors, or not at all if `every` contains the
    namespaces that `visible` has read.

    :raises ApiError: if the caller is allowed to list neither namespaces nor its projects.
    """
    labels = list(dict.fromkeys(one.labels for one in wanted if isinstance(one, NamespaceSelector)))
    by_labels = _list_by_selector(cluster, labels, every)
    return [
        _select_targets(one, *by_labels[one.labels]) if isinstance(one, NamespaceSelector) else one for one in wanted
    ]


def _select_targets(selector: NamespaceSelector, namespaces: Sequence[Json], unlisted: str) -> Targets:
    chosen, terminating = selector.choose(namespaces)
    requested = {metadata(one)["name"] for one in namespaces if requester_of(one)}
    return Targets(
        chosen,
        terminating,
        left_out=tuple(selector.left_out(namespaces)),
        open_to_users=() if selector.is_closed else tuple(name for name in chosen if name in requested),
        remarks=selector.remarks(namespaces),
        unlisted=unlisted,
    )


def _list_by_selector(
    cluster: Cluster, selectors: Sequence[str], every: Sequence[Json] | None
) -> dict[str, tuple[list[Json], str]]:
    """The namespaces for each label selector, as from `list_namespaces`. The server evaluates a single selector, and those that only it
    understands."""
    ours = len(selectors) > 1 or every is not None
    tests = {selector: compile_selector(selector) for selector in selectors} if ours else {}
    known = {selector: test for selector, test in tests.items() if test is not None}
    unlisted = ""
    if every is None:
        every, unlisted = list_namespaces(cluster) if known else ([], "")
    found = {
        selector: [namespace for namespace in every if test(as_dict(metadata(namespace).get("labels")))]
        for selector, test in known.items()
    }
    return {
        selector: (found[selector], unlisted) if selector in found else list_namespaces(cluster, selector)
        for selector in selectors
    }
