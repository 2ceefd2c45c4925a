# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds contradictions between the secrets that are declared for one namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...declarations.declare import Contradiction
from ...dockerconfig.registry_keys import same_path
from .plan import PullSecret

__all__ = ["contradictions"]


def contradictions(declared: Sequence[PullSecret]) -> Iterator[Contradiction]:
    """Yield pairs of declarations of one secret that would undo each other in every run, or whose result would depend on their order.

    A declaration that merges registries and one that removes other registries do not contradict each other.
    """
    first: dict[str, int] = {}
    for position, secret in enumerate(declared):
        if secret.name in first and not _is_disjoint(declared[first[secret.name]], secret):
            what = f"both declare secret {secret.name}, so declare it once, with all its registries"
            yield Contradiction(first[secret.name], position, what)
        first.setdefault(secret.name, position)


def _is_disjoint(one: PullSecret, other: PullSecret) -> bool:
    """Whether one merges registries, and the other removes none of these."""
    ways = {each.mode: each for each in (one, other)}
    if set(ways) != {"merge", "remove"}:
        return False
    merged = {same_path(key) for key in ways["merge"].auth_file.entries}
    return not merged & {same_path(key) for key in ways["remove"].registries}
