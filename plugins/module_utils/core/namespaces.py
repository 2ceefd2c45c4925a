# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Selects namespaces of a cluster, by names and by labels. Pure.

The syntax is that of the API server (apimachinery pkg/labels/selector.go). Unclear selectors are left to the API server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

from .errors import OptionError, Refusal
from .names import check_namespace, is_namespace
from .objects import Json, as_dict, as_list, as_str, as_strs, metadata
from .text import pluralize

#: Tests whether an object with these labels is selected.
LabelTest = Callable[[Mapping[str, Any]], bool]

_SPACE = r"[ \t\r\n]"
_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_NAME = r"[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?"
_KEY = rf"((?:(?=[^/]{{1,253}}/){_LABEL}(?:\.{_LABEL})*/)?{_NAME})"
_VALUE = rf"((?:{_NAME})?)"
_EXISTS = re.compile(rf"{_SPACE}*(!?){_SPACE}*{_KEY}{_SPACE}*\Z")
_EQUALS = re.compile(rf"{_SPACE}*{_KEY}{_SPACE}*(=|==|!=){_SPACE}*{_VALUE}{_SPACE}*\Z")
#: The server refuses a requirement without a value.
_IN = re.compile(rf"{_SPACE}*{_KEY}{_SPACE}+(in|notin){_SPACE}*\((?!{_SPACE}*\))([^()]*)\){_SPACE}*\Z")
_ITEM = re.compile(rf"{_SPACE}*{_VALUE}{_SPACE}*\Z")
_COMMA = re.compile(r",(?![^()]*\))")


def compile_selector(selector: str) -> LabelTest | None:
    """Return the selector as a function, or None if only the API server can evaluate it."""
    tests = [_requirement(part) for part in _COMMA.split(selector)] if selector.strip(" \t\r\n") else []
    known = [test for test in tests if test is not None]
    return (lambda labels: all(test(labels) for test in known)) if len(known) == len(tests) else None


def is_selected(labels: Mapping[str, Any], selector: Mapping[str, Any]) -> bool:
    """Whether a LabelSelector object, with `matchLabels` and `matchExpressions`, selects an object with these labels.

    An invalid selector selects nothing. An empty one selects nothing either, as for the selectors of machine config pools.
    """
    equal, expressions = as_dict(selector.get("matchLabels")), as_list(selector.get("matchExpressions"))
    return bool(equal or expressions) and (
        all(key in labels and labels[key] == value for key, value in equal.items())
        and all(_meets(labels, as_dict(each)) for each in expressions)
    )


def _meets(labels: Mapping[str, Any], expression: Mapping[str, Any]) -> bool:
    key, operator, values = as_str(expression.get("key")), expression.get("operator"), as_strs(expression.get("values"))
    if operator in ("Exists", "DoesNotExist"):
        return (key in labels) is (operator == "Exists")
    return operator in ("In", "NotIn") and _membership_test(key, tuple(values), negated=operator == "NotIn")(labels)


def required_keys(selector: str) -> frozenset[str]:
    """Return the labels that every selected object has, except those in parts that only the API server can evaluate."""
    return frozenset(key for part in _COMMA.split(selector) if (key := _required_key(part)))


def _required_key(text: str) -> str:
    """The label that a requirement needs. Empty if an object without the label also meets it."""
    if found := _EXISTS.match(text):
        negated, key = found.groups()
        return "" if negated else str(key)
    if found := _EQUALS.match(text) or _IN.match(text):
        key, operator, _values = found.groups()
        return "" if operator in ("!=", "notin") else str(key)
    return ""


def _requirement(text: str) -> LabelTest | None:
    if found := _EXISTS.match(text):
        negated, key = found.groups()
        return lambda labels: (key in labels) is not bool(negated)
    if found := _EQUALS.match(text):
        key, operator, value = found.groups()
        return _membership_test(key, (value,), negated=operator == "!=")
    if found := _IN.match(text):
        key, operator, listed = found.groups()
        items = [_ITEM.match(item) for item in listed.split(",")]
        values = tuple(item.group(1) for item in items if item)
        return _membership_test(key, values, negated=operator == "notin") if all(items) else None
    return None


def _membership_test(key: str, values: tuple[str, ...], *, negated: bool) -> LabelTest:
    """A missing label has none of the values, so a negated requirement selects the object."""
    return lambda labels: (key in labels and labels[key] in values) is not negated


#: The annotation with the user who requested a project on OpenShift. The project's administrators cannot change it: they can
#: update only the display name and the description (openshift-apiserver pkg/project/apis/project/validation/validation.go).
REQUESTER = "openshift.io/requester"

#: The platform's own namespaces. `redhat-*` exists on managed clusters.
_SYSTEM = ("default", "kube-*", "openshift", "openshift-*", "redhat-*")

#: Labels that a namespace has because of its name, or that the platform gives to every namespace, including requested projects.
_OF_EVERY = ("kubernetes.io/metadata.name", "pod-security.kubernetes.io/*", "security.openshift.io/*")

_TERMINATING = "Terminating"


@dataclass(frozen=True)
class NamespaceSelector:
    """Criteria that select namespaces.

    `labels` is a label selector. `include` and `exclude` are globs, `phases` are namespace phases of the API server. `requesters` are
    users who requested a project on OpenShift, or empty for any user. `system`: also select the platform's own namespaces.
    """

    labels: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    phases: tuple[str, ...] = ("Active",)
    system: bool = False
    requesters: tuple[str, ...] = ()

    @property
    def is_closed(self) -> bool:
        """Whether only cluster administrators decide which namespaces are selected: by a label, or by the requester.

        Users choose the names of the projects that they request.
        """
        keys = required_keys(self.labels)
        return bool(self.requesters) or any(not _is_any_match(key, _OF_EVERY) for key in keys)

    def choose(self, namespaces: Iterable[Json]) -> tuple[list[str], list[str]]:
        """Return the sorted names of the selected namespaces, and of those that are being deleted.

        :raises Refusal: for a namespace without a name, because it may be a selected one.
        """
        last = {_name(namespace): namespace for namespace in namespaces}
        phases = {name: _phase(namespace) for name, namespace in last.items() if self._selects(namespace)}
        meant = sorted(phases)
        chosen = [name for name in meant if phases[name] in self.phases and phases[name] != _TERMINATING]
        return chosen, [name for name in meant if phases[name] == _TERMINATING]

    def left_out(self, namespaces: Iterable[Json]) -> list[str]:
        """Return the names of the platform's namespaces that only `system` would select.

        :raises Refusal: as `choose`.
        """
        asked = replace(self, system=True)
        return sorted(_name(one) for one in namespaces if asked._selects(one) and not self._selects(one))

    def remarks(self, namespaces: Iterable[Json]) -> tuple[str, ...]:
        """Return a warning if `requesters` cannot select anything, because no namespace names its requester."""
        every = list(namespaces)
        if not self.requesters or not every or any(map(requester_of, every)):
            return ()
        return (
            f"option 'namespace_selector.requesters' selects nothing: none of {pluralize(len(every), 'namespace')} has the annotation {REQUESTER}, "
            "which only OpenShift sets, and only for requested projects. Select by labels that administrators set",
        )

    def matches(self, name: str) -> bool:
        """Whether the name of a namespace is selected. The other criteria are ignored."""
        included = not self.include or name in self._names or _is_any_match(name, self._globs)
        return included and not _is_any_match(name, self.exclude) and (self.system or not is_platform_namespace(name))

    # An `include` can be thousands of names.
    @cached_property
    def _names(self) -> frozenset[str]:
        return frozenset(self.include)

    @cached_property
    def _globs(self) -> tuple[str, ...]:
        return tuple(pattern for pattern in self.include if any(sign in pattern for sign in "*?["))

    def _selects(self, namespace: Json) -> bool:
        requested = not self.requesters or requester_of(namespace) in self.requesters
        return self.matches(_name(namespace)) and requested


def is_platform_namespace(name: str) -> bool:
    """Whether a namespace belongs to the platform by its name."""
    return _is_any_match(name, _SYSTEM)


def requester_of(namespace: Json) -> str:
    """Return the user who requested the project. Empty for a namespace that was created in another way."""
    return as_str(as_dict(metadata(as_dict(namespace)).get("annotations")).get(REQUESTER))


def selector_of(options: Mapping[str, Any]) -> NamespaceSelector:
    """Return the selector that the option `namespace_selector` describes.

    :raises OptionError: if nothing narrows the selection, because a forgotten line must not mean every namespace.
    """
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


@dataclass(frozen=True)
class Targets:
    """The namespaces to work in, selected namespaces that are being deleted, and the platform's namespaces that a selector leaves out.

    `open_to_users` are requested projects that are selected by a name that the user chose. `remarks` are for the user of the task.
    `unlisted` is the refusal to list all namespaces, if they were selected only from the caller's projects.
    """

    namespaces: Sequence[str]
    terminating: Sequence[str] = ()
    left_out: Sequence[str] = ()
    open_to_users: Sequence[str] = ()
    remarks: Sequence[str] = ()
    unlisted: str = ""


NO_TARGETS = Targets(())


def targets_of(options: Mapping[str, Any]) -> Targets | NamespaceSelector:
    """Return the targets or the selector from the options `namespaces` and `namespace_selector`. No request is sent.

    :raises OptionError: for an empty list, an invalid name, or a selector that unintentionally selects everything.
    """
    if options.get("namespace_selector") is not None:
        return selector_of(options["namespace_selector"])
    names = options.get("namespaces")
    if names is None:
        raise OptionError(
            "give one of the options 'namespaces' and 'namespace_selector', such as 'namespaces: [project-a]'"
        )
    if not names:
        raise OptionError("option 'namespaces' is empty: give at least one")
    for name in names:
        check_namespace("namespaces", name)
    return Targets(list(dict.fromkeys(names)))


def _name(namespace: Json) -> str:
    name = as_str(metadata(as_dict(namespace)).get("name"))
    if not name:
        raise Refusal(
            "the list of namespaces contains one without a name, so it is unclear which namespaces are selected"
        )
    return name


def _phase(namespace: Json) -> str:
    """The phase. `Terminating` if there is a time of deletion, `Active` by default."""
    going = metadata(namespace).get("deletionTimestamp")
    return _TERMINATING if going else as_str(as_dict(namespace.get("status")).get("phase")) or "Active"


def _is_any_match(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


_CREATE = "or create it: kubectl create namespace "


def missing_sentence(server: str, *, only_reads: bool = False) -> str:
    """Return the reason and the way out for a namespace that does not exist on a server. It is the same for each namespace.

    With `only_reads`, a task that changes nothing does not advise to create it.
    """
    advice = "" if only_reads else f", {_CREATE}NAME"
    return f"the namespace does not exist on {server}. Correct its name{advice}"


def name_missing(reason: str, names: Sequence[str]) -> str:
    """Return the reason with the name of the only namespace in its command. A name that no namespace can have does not become part of it."""
    return reason.replace(f"{_CREATE}NAME", _CREATE + names[0]) if is_namespace(" ".join(names)) else reason
