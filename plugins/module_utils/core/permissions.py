# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A right that the caller lacks: how it is named, and the page that says which job needs it and how to give it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from .phrases import summarize

__all__ = ["RIGHTS_PAGE", "MissingPermission", "describe_missing"]

RIGHTS_PAGE = "https://github.com/openshift-ops/image_pull/blob/main/docs/docsite/rst/rights.rst"

#: So many namespaces or objects of one right are named.
_SHOWN = 3

#: What every API server says to who has no right (kubernetes apiserver pkg/endpoints/handlers/responsewriters/errors.go). Names that
#: hold anything else are not repeated.
_NAME = r"[\w.:/*-]{1,253}"
_REFUSAL = re.compile(
    rf'cannot ([a-z]{{1,20}}) resource "({_NAME})" in API group "({_NAME}|)"(?: in the namespace "({_NAME})"| at the cluster scope)'
)


@dataclass(frozen=True, order=True)
class MissingPermission:
    """One right. `namespace` is empty in the cluster's scope, `name` where no single object is meant."""

    verb: str
    resource: str
    group: str = ""
    namespace: str = ""
    name: str = ""

    @classmethod
    def of(cls, message: str, name: str) -> MissingPermission | None:
        """What an API server's refusal says; `name` is the object's that was asked for."""
        found = _REFUSAL.search(message)
        if found is None:
            return None
        verb, resource, group, namespace = found.groups(default="")
        # A namespace is asked for in itself.
        return cls(verb, resource, group, "" if resource == "namespaces" else namespace, name)

    def __str__(self) -> str:
        """Such as `get on secrets pull in namespace project-a`."""
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        which = f" {self.name}" if self.name else ""
        where = f" in namespace {self.namespace}" if self.namespace else ""
        return f"{self.verb} on {kind}{which}{where}"


def describe_missing(needs: Iterable[MissingPermission]) -> list[str]:
    """One sentence that names the rights that were missed, none when there are none. Of many objects of a kind, some are named."""
    alike: dict[MissingPermission, list[MissingPermission]] = {}
    for need in sorted(set(needs)):
        alike.setdefault(replace(need, namespace="", name=""), []).append(need)
    named = "; ".join(part for found in alike.values() for part in _named(found))
    if not named:
        return []
    return [
        f"the caller lacks rights, so something of this is not known or was left out; it needs {named}; see {RIGHTS_PAGE}"
    ]


def _named(found: list[MissingPermission]) -> Iterator[str]:
    yield summarize([*map(str, found)], _SHOWN)
