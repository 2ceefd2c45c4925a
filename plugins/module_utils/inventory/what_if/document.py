# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The document of a what-if question: what plugins/plugin_utils/pull_report/what_if.schema.json describes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.cluster_text import make_printable
from ...core.times import format_utc
from ...core.what_if_format import ANSWERS, FORMAT, NOT_AFFECTED
from .access import NO_ACCESS, AccessReview
from .changes import WhatIfChange
from .declared import InventoryLists
from .images import list_images
from .rows import WhatIfRow

__all__ = ["WhatIfAnswers", "document_of"]


@dataclass(frozen=True)
class WhatIfAnswers:
    """The answers for one cluster. `unread` are sentences about data that could not be read. `made` is in seconds since 1970.

    `forecasts` are sentences about an upgrade that no row includes: rows are about the next pull, not about an image that a node has.
    `unread_workloads` has the reason for each namespace that may have containers without a row, because its pods or workloads could not be
    read. `unread_images` are sentences about images of the platform that could not be read. `against` is the inventory that is
    applied before the changes. `without_effect` are the positions of changes that affect nothing. `asks`: registries were asked.
    `entries` are the titles of the entries of an inventory that break a pull, by the key of the row. `builds` is the number of build configs
    that name a changed secret.
    """

    changes: Sequence[WhatIfChange]
    rows: Sequence[WhatIfRow]
    unread: Sequence[str]
    made: float
    forecasts: Sequence[str] = ()
    access: AccessReview = NO_ACCESS
    unread_workloads: Mapping[str, str] = field(default_factory=dict)
    unread_images: Sequence[str] = ()
    against: InventoryLists | None = None
    without_effect: Collection[int] = ()
    asks: bool = False
    entries: Mapping[Hashable, Sequence[str]] = field(default_factory=dict)
    builds: int = 0

    @property
    def affected(self) -> list[WhatIfRow]:
        """The rows of the containers that a change affects, the worst and earliest first."""
        return sorted((row for row in self.rows if row.answer != NOT_AFFECTED), key=_order)


def document_of(found: WhatIfAnswers, server: str) -> dict[str, Any]:
    """Return the document. `server` is the address of the API server.

    Containers that no change affects are only counted.
    """
    return {
        "format": FORMAT,
        "made": format_utc(found.made),
        "server": server,
        "against": "" if found.against is None else str(found.against),
        "changes": [
            {
                "kind": each.kind,
                "title": make_printable(each.title),
                "has_effect": at not in found.without_effect,
                "cannot_know": list(each.cannot_know),
            }
            for at, each in enumerate(found.changes)
        ],
        "counts": _count(found.rows),
        "not_asked": sum(row.deciding.not_asked for row in found.rows),
        "builds": found.builds,
        "containers": [row.report(found.entries.get(row.key, ())) for row in found.affected],
        "summary": {
            "namespaces": _group(found.rows, lambda row: [row.namespace]),
            "registries": _group(found.rows, lambda row: [row.registry]),
            "images": _group(found.rows, lambda row: [row.image]),
            "changes": _group(found.rows, lambda row: [found.changes[at].title for at in row.deciding.causes]),
        },
        "access": found.access.report(),
        "images_to_mirror": list_images(found.rows, asks=found.asks),
        "forecasts": list(map(make_printable, found.forecasts)),
        "unreadable": list(map(make_printable, found.unread)),
        "unread_workloads": sorted(found.unread_workloads),
        "unread_images": list(map(make_printable, found.unread_images)),
    }


def _count(rows: Iterable[WhatIfRow]) -> dict[str, int]:
    counted = Counter(row.answer for row in rows)
    return {answer: counted[answer] for answer in ANSWERS}


def _group(rows: Iterable[WhatIfRow], names: Callable[[WhatIfRow], Sequence[str]]) -> list[dict[str, Any]]:
    """The numbers of answers by name, the worst first, without names for which no change affects anything."""
    found: dict[str, list[WhatIfRow]] = {}
    for row in rows:
        for name in names(row):
            found.setdefault(name, []).append(row)
    counted = [
        {"name": make_printable(name), **_count(each)}
        for name, each in found.items()
        if any(row.answer != NOT_AFFECTED for row in each)
    ]
    return sorted(counted, key=lambda each: (*(-each[answer] for answer in ANSWERS), each["name"]))


def _order(row: WhatIfRow) -> tuple[Any, ...]:
    moment = -1 if row.moment is None else row.moment.order
    return ANSWERS.index(row.answer), moment, row.namespace, row.ref.kind.kind, row.ref.name, row.location
