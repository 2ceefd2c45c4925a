# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check whether the provider can work on a cluster, and explain images as pods of the accounts would pull them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ...core.objects import ObjectRef
from ...core.text import pluralize, summarize
from ...explain.chain import explain
from ...explain.lookup import Lookup, ReadRequired, items_of, require_all, try_lookup
from ...explain.subjects import pull_of_account
from ...images.credential_providers import CRIO_AUDIENCE, has_same_images, node_problem
from ...images.kubelet_settings import NODES
from ...images.nodes import nodes_of
from ...images.registry_sources import MIRROR_KINDS, mirror_items
from ...rbac.access_reviews import token_review

__all__ = ["explain_images", "find_obstacles"]

_SHOWN = 5
_MIRRORS = tuple(ObjectRef(kind, "", "") for kind in MIRROR_KINDS)


def find_obstacles(entries: Sequence[str], account: ObjectRef | None, evidence: Lookup) -> list[str]:
    """Return a sentence for each reason why nodes would add no login to pulls of the entries, and for each that is not known.

    `account` is one of the accounts that list secrets, None for none.

    :raises ReadRequired: when objects have to be read first.
    """
    reviews = [token_review(account.namespace, account.name, CRIO_AUDIENCE)] if account else []
    require_all(evidence, [*_MIRRORS, NODES, *reviews])
    found = [*_find_unmirrored(entries, evidence), *_find_nodes(evidence)]
    for review in reviews:
        answer, unread = try_lookup(evidence, review)
        if unread:
            found.append(
                f"whether the nodes may request a token of {account} for {CRIO_AUDIENCE} is not known: {unread}"
            )
        elif answer is not None and answer.get("allowed") is not True:
            found.append(
                f"the nodes may not request a token of {account} for {CRIO_AUDIENCE}, so they cannot run the provider for its pods: the machine "
                "config operator installs the cluster role node-credential-providers for that"
            )
    return found


def explain_images(images: Sequence[str], accounts: Sequence[ObjectRef], evidence: Lookup) -> list[dict[str, Any]]:
    """Return a row for each account and image, with the verdict about a new pod.

    :raises ReadRequired: when objects have to be read first. All of them are then requested.
    """
    rows, waits = [], False
    for account in accounts:
        for image in images:
            try:
                found = explain(pull_of_account(account.namespace, account.name, image), evidence)
            except ReadRequired:
                waits = True
                continue
            rows.append(
                {
                    "namespace": account.namespace,
                    "service_account": account.name,
                    "image": image,
                    "verdict": found.verdict,
                    "reason": found.reason,
                    "text": found.text(),
                }
            )
    if waits:
        raise ReadRequired
    return rows


def _find_unmirrored(entries: Sequence[str], evidence: Lookup) -> Iterator[str]:
    listed = {ref: try_lookup(evidence, ref) for ref in _MIRRORS}
    sources = {
        item.source for ref, (answer, _unread) in listed.items() for item in mirror_items(ref.kind, items_of(answer))
    }
    unmirrored = [entry for entry in entries if not any(has_same_images(entry, source) for source in sources)]
    unread = next((why for _answer, why in listed.values() if why), "")
    if unmirrored and unread:
        yield f"whether a mirror set has a source for {summarize(unmirrored, _SHOWN)} is not known: {unread}"
    elif unmirrored:
        yield (
            f"no mirror set has a source for {summarize(unmirrored, _SHOWN)}, and the provider does nothing for images without mirrors. Entries "
            "are images as pods name them, not mirrors: correct option 'match_images', or create an ImageDigestMirrorSet or ImageTagMirrorSet"
        )


def _find_nodes(evidence: Lookup) -> Iterator[str]:
    """Yield each problem of nodes, with the number of nodes."""
    listed, unread = try_lookup(evidence, NODES)
    if unread:
        yield f"whether the nodes can run the provider is not known: {unread}"
    problems: dict[str, list[str]] = {}
    for node in nodes_of(items_of(listed)).values():
        if problem := node_problem(node):
            problems.setdefault(problem, []).append(node.name)
    for problem, names in problems.items():
        yield f"{pluralize(len(names), 'node')} cannot run the provider: {problem} ({summarize(names, _SHOWN)})"
