# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a cluster's namespaces are meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from .errors import OptionError, Refusal
from .json_types import as_dict, as_str
from .label_selectors import required_keys
from .objects import Json, metadata

__all__ = ["REQUESTER", "NamespaceSelector", "from_options", "requester_of"]

#: The annotation with the user who requested a project on OpenShift. The project's administrators cannot change it: they may update the
#: display name and the description only (openshift-apiserver pkg/project/apis/project/validation/validation.go).
REQUESTER = "openshift.io/requester"

#: The platform's own namespaces; `redhat-*` on managed clusters.
_SYSTEM = ("default", "kube-*", "openshift", "openshift-*", "redhat-*")

#: Labels that a namespace has because of its name, or that the platform gives to every namespace: whoever requests a project has them too.
_OF_EVERY = ("kubernetes.io/metadata.name", "pod-security.kubernetes.io/*", "security.openshift.io/*")

_TERMINATING = "Terminating"


@dataclass(frozen=True)
class NamespaceSelector:
    """`include` and `exclude` are globs; `phases` are namespace phases as the API server names them. `requesters` are users, as OpenShift
    names who requested a project; empty for whoever did."""

    labels: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    phases: tuple[str, ...] = ("Active",)
    system: bool = False
    requesters: tuple[str, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether only administrators of the cluster decide which namespaces it selects: by a label, or by who requested them.

        Users choose the names of the projects that they request.
        """
        keys = required_keys(self.labels)
        return bool(self.requesters) or any(not _any(key, _OF_EVERY) for key in keys)

    def choose(self, namespaces: Iterable[Json]) -> tuple[list[str], list[str]]:
        """The names that are meant, each once and in order, and those among them that are being deleted.

        :raises Refusal: for a namespace without a name: it may be one that is meant.
        """
        last = {_name(namespace): namespace for namespace in namespaces}
        phases = {name: _phase(namespace) for name, namespace in last.items() if self._selects(namespace)}
        meant = sorted(phases)
        chosen = [name for name in meant if phases[name] in self.phases and phases[name] != _TERMINATING]
        return chosen, [name for name in meant if phases[name] == _TERMINATING]

    def left_out(self, namespaces: Iterable[Json]) -> list[str]:
        """The names of the platform's namespaces that are not meant, but would be with `system`; as `choose` raises."""
        asked = replace(self, system=True)
        return sorted(_name(one) for one in namespaces if asked._selects(one) and not self._selects(one))

    def remarks(self, namespaces: Iterable[Json]) -> tuple[str, ...]:
        """What to know when no namespace says who requested it: then `requesters` select none."""
        every = list(namespaces)
        if not self.requesters or not every or any(map(requester_of, every)):
            return ()
        return (
            f"option 'namespace_selector.requesters' selects nothing: none of {len(every)} namespaces has the annotation {REQUESTER}, which "
            "only OpenShift sets, and only for requested projects; select by labels that administrators set",
        )

    def means(self, name: str) -> bool:
        """Whether a namespace of that name is meant, as far as the name alone says."""
        included = not self.include or name in self._names or _any(name, self._globs)
        return included and not _any(name, self.exclude) and (self.system or not _any(name, _SYSTEM))

    # An `include` can be thousands of names.
    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.include)

    @cached_property
    def _globs(self) -> tuple[str, ...]:
        return tuple(pattern for pattern in self.include if any(sign in pattern for sign in "*?["))

    def _selects(self, namespace: Json) -> bool:
        requested = not self.requesters or requester_of(namespace) in self.requesters
        return self.means(_name(namespace)) and requested


def requester_of(namespace: Json) -> str:
    """The user who requested the project; empty for a namespace that was created in another way."""
    return as_str(as_dict(metadata(as_dict(namespace)).get("annotations")).get(REQUESTER))


def from_options(options: Mapping[str, Any]) -> NamespaceSelector:
    """:raises OptionError: when nothing narrows the choice, since a forgotten line must not mean every namespace."""
    requesters = options.get("requesters")
    if requesters is not None and not all(requesters or [""]):
        raise OptionError(
            "option 'namespace_selector.requesters' names no user: give at least one, or leave the option out"
        )
    selector = NamespaceSelector(
        labels=(options.get("labels") or "").strip(),
        include=tuple(options.get("include") or ()),
        exclude=tuple(options.get("exclude") or ()),
        phases=tuple(options.get("phases") or ("Active",)),
        system=bool(options.get("system_namespaces")),
        requesters=tuple(requesters or ()),
    )
    if not (selector.labels or selector.include or selector.requesters):
        raise OptionError(
            "option 'namespace_selector' gives none of 'labels', 'include' and 'requesters': for all namespaces write include: ['*']"
        )
    return selector


def _name(namespace: Json) -> str:
    name = as_str(metadata(as_dict(namespace)).get("name"))
    if not name:
        raise Refusal("the list of namespaces holds one without a name, so it is not clear which are meant")
    return name


def _phase(namespace: Json) -> str:
    """The phase; `Terminating` also when only the time of deletion says so, `Active` when nothing is said."""
    going = metadata(namespace).get("deletionTimestamp")
    return _TERMINATING if going else as_str(as_dict(namespace.get("status")).get("phase")) or "Active"


def _any(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
