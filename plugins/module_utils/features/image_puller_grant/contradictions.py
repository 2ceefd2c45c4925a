# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which grants, declared for one namespace, cannot hold together. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...core.contradictions import Contradiction
from ...rbac.subjects import Subject
from .desired import ImagePullerGrant

__all__ = ["contradictions"]


def contradictions(declared: Sequence[ImagePullerGrant]) -> Iterator[Contradiction]:
    """A subject that is granted and revoked, a binding with two roles, or one that another declaration has for itself."""
    for position, grant in enumerate(declared):
        for first, other in enumerate(declared[:position]):
            what = _between(other, grant)
            if what:
                yield Contradiction(first, position, what)


def _between(first: ImagePullerGrant, second: ImagePullerGrant) -> str:
    """What they disagree about; empty when they do not."""
    same_binding = first.binding_name == second.binding_name
    if same_binding and first.role != second.role:
        return f"role binding {first.binding_name} is to have role {first.role} and role {second.role}"
    if first.present is not second.present and first.role == second.role:
        absent = second if first.present else first
        both = [subject for subject in first.subjects if subject in second.subjects]
        if both and (same_binding or absent.everywhere):
            return f"{_names(both)} may pull by the one, and is revoked by the other"
    if same_binding and first.present and second.present:
        for grant, other in ((first, second), (second, first)):
            further = [subject for subject in other.subjects if subject not in grant.subjects]
            if grant.exclusive and further:
                return f"one is exclusive in role binding {grant.binding_name}, and the other grants {_names(further)}"
    return ""


def _names(subjects: Sequence[Subject]) -> str:
    return ", ".join(str(subject) for subject in subjects)
