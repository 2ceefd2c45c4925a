# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a cluster's namespaces are meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any

from .errors import OptionError, Refusal
from .objects import Json, metadata
from .shapes import mapping, text

__all__ = ["NamespaceSelector", "from_options"]

#: The platform's own namespaces; `redhat-*` on managed clusters.
_SYSTEM = ("default", "kube-*", "openshift", "openshift-*", "redhat-*")

_TERMINATING = "Terminating"


@dataclass(frozen=True)
class NamespaceSelector:
    """`include` and `exclude` are globs; `phases` are namespace phases as the API server names them."""

    labels: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    phases: tuple[str, ...] = ("Active",)
    system: bool = False

    def choose(self, namespaces: Iterable[Json]) -> tuple[list[str], list[str]]:
        """The names that are meant, each once and in order, and those among them that are being deleted.

        :raises Refusal: for a namespace without a name: it may be one that is meant.
        """
        phases = {_name(namespace): _phase(namespace) for namespace in namespaces}
        meant = sorted(name for name in phases if self.means(name))
        chosen = [name for name in meant if phases[name] in self.phases and phases[name] != _TERMINATING]
        return chosen, [name for name in meant if phases[name] == _TERMINATING]

    def left_out(self, namespaces: Iterable[Json]) -> list[str]:
        """The names of the platform's namespaces that are not meant, but would be with `system`; as `choose` raises."""
        asked = replace(self, system=True)
        return sorted(name for name in map(_name, namespaces) if asked.means(name) and not self.means(name))

    def means(self, name: str) -> bool:
        """Whether a namespace of that name is meant, as far as the name alone says."""
        included = not self.include or _any(name, self.include)
        return included and not _any(name, self.exclude) and (self.system or not _any(name, _SYSTEM))


def from_options(options: Mapping[str, Any]) -> NamespaceSelector:
    """:raises OptionError: when nothing narrows the choice, since a forgotten line must not mean every namespace."""
    selector = NamespaceSelector(
        labels=(options.get("labels") or "").strip(),
        include=tuple(options.get("include") or ()),
        exclude=tuple(options.get("exclude") or ()),
        phases=tuple(options.get("phases") or ("Active",)),
        system=bool(options.get("system_namespaces")),
    )
    if not selector.labels and not selector.include:
        raise OptionError(
            "option 'namespace_selector' gives neither 'labels' nor 'include': for all namespaces write include: ['*']"
        )
    return selector


def _name(namespace: Json) -> str:
    name = text(metadata(mapping(namespace)).get("name"))
    if not name:
        raise Refusal("the list of namespaces holds one without a name, so it is not clear which are meant")
    return name


def _phase(namespace: Json) -> str:
    """The phase; `Terminating` also when only the time of deletion says so, `Active` when nothing is said."""
    going = metadata(namespace).get("deletionTimestamp")
    return _TERMINATING if going else text(mapping(namespace.get("status")).get("phase")) or "Active"


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
