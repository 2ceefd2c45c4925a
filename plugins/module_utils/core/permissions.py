# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions that the caller lacks: their names, and the page that lists the permissions of each job and how to grant them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .phrases import summarize

__all__ = ["RIGHTS_PAGE", "MissingPermission", "describe_missing"]

RIGHTS_PAGE = "https://github.com/openshift-ops/image_pull/blob/main/docs/docsite/rst/rights.rst"

#: Maximum number of namespaces or objects that a message names for one permission.
_SHOWN = 3

#: The message of every API server for a missing permission (kubernetes apiserver pkg/endpoints/handlers/responsewriters/errors.go). Names
#: with other characters are not repeated.
_NAME = r"[\w.:/*-]{1,253}"
_REFUSAL = re.compile(
    rf'cannot ([a-z]{{1,20}}) resource "({_NAME})" in API group "({_NAME}|)"(?: in the namespace "({_NAME})"| at the cluster scope)'
)


@dataclass(frozen=True, order=True)
class MissingPermission:
    """One permission. `namespace` is empty for the whole cluster, `name` if it is not about a single object."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    @classmethod
    def of(cls, message: str, name: str) -> MissingPermission | None:
        """Return the permission that an API server's refusal names, or None. `name` is the name of the requested object."""
        found = _REFUSAL.search(message)
        if found is None:
            return None
        verb, resource, group, namespace = found.groups(default="")
        # The server names a namespace as its own namespace.
        return cls(verb, resource, group, "" if resource == "namespaces" else namespace, name)

    def __str__(self) -> str:
        """Return the permission as text, such as `get on secrets pull in namespace project-a`."""
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        which = f" {self.name}" if self.name else ""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} on {kind}{which}{where}"


def describe_missing(needs: Iterable[MissingPermission]) -> list[str]:
    """Return a list with one sentence that names the missing permissions, or an empty list. Of many objects of a kind, some are named."""
    alike: dict[MissingPermission, list[MissingPermission]] = {}
    for need in sorted(set(needs)):
        alike.setdefault(replace(need, namespace="", name=""), []).append(need)
    named = "; ".join(part for found in alike.values() for part in _format_needs(found))
    if not named:
        return []
    return [f"results are incomplete: the caller lacks permissions and needs {named}. See {RIGHTS_PAGE}"]


def _format_needs(found: list[MissingPermission]) -> Iterator[str]:
    yield summarize([*map(str, found)], _SHOWN)
