# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates label selectors locally, so that one list of namespaces serves many selectors. Pure.

The syntax is that of the API server (apimachinery pkg/labels/selector.go). Unclear selectors are left to the API server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .json_types import as_dict, as_list, as_str, as_strs

__all__ = ["LabelTest", "compile_selector", "is_selected", "required_keys"]

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
