# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find contradictory grants that are declared for one namespace. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...declarations.declare import Contradiction
from ...rbac.subjects import Subject
from .plan import ImagePullerGrant

__all__ = ["contradictions"]


def contradictions(declared: Sequence[ImagePullerGrant]) -> Iterator[Contradiction]:
    """Yield contradictions: a subject both granted and revoked, a binding with two roles, or one that another entry owns or prunes.

    All other combinations reach their state in one run, except grants that another binding holds until a later
    entry makes that binding exclusive.
    """
    for position, grant in enumerate(declared):
        for first, other in enumerate(declared[:position]):
            what = _find_conflict(other, grant)
            if what:
                yield Contradiction(first, position, what)


def _find_conflict(first: ImagePullerGrant, second: ImagePullerGrant) -> str:
    """Return the contradiction, empty if there is none. `first` is planned first."""
    if first.binding_name == second.binding_name:
        return _conflict_in_binding(first, second)
    return _conflict_across_bindings(first, second)


def _conflict_in_binding(first: ImagePullerGrant, second: ImagePullerGrant) -> str:
    if first.role != second.role:
        return f"role binding {first.binding_name} is declared with role {first.role} and with role {second.role}"
    if first.present is not second.present and (both := _shared_subjects(first, second)):
        return _describe_opposites(both)
    for grant, other in ((first, second), (second, first)):
        further = [subject for subject in other.subjects if subject not in grant.subjects] if other.present else []
        if grant.exclusive and further:
            return f"one is exclusive in role binding {grant.binding_name}, and the other grants {_names(further)}"
        prunable = [subject for subject in further if subject.ref is not None]
        if grant.prune and prunable:
            # While one of them does not exist, each run would add and remove it.
            return (
                f"one prunes role binding {grant.binding_name}, and the other grants {_names(prunable)}, which would be pruned "
                "until it exists; grant it in the entry with 'prune: true', or in another binding"
            )
    return ""


def _conflict_across_bindings(first: ImagePullerGrant, second: ImagePullerGrant) -> str:
    both = _shared_subjects(first, second) if first.present is not second.present and first.role == second.role else []
    absent = second if first.present else first
    if both and absent.everywhere:
        return _describe_opposites(both)
    if both and absent is second:
        # The first entry adds no grant that the other binding has already, and the second entry then removes that one.
        return (
            f"{_names(both)} is granted by one entry and revoked by the other in role binding {absent.binding_name}: to move it "
            f"to role binding {first.binding_name}, put the entry that revokes before the one that grants"
        )
    return ""


def _shared_subjects(first: ImagePullerGrant, second: ImagePullerGrant) -> list[Subject]:
    return [subject for subject in first.subjects if subject in second.subjects]


def _describe_opposites(both: Sequence[Subject]) -> str:
    return f"{_names(both)} is granted by one entry and revoked by the other"


def _names(subjects: Sequence[Subject]) -> str:
    return ", ".join(str(subject) for subject in subjects)
