# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks values as coming from a playbook or an inventory: since ansible-core 2.19, only these can be templates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

try:
    from ansible.template import trust_as_template
except ImportError:  # before 2.19 every string can be a template
    trust_as_template = str  # type: ignore[assignment]


def trusted(value: Any) -> Any:
    """The same value with every string in it trusted."""
    if isinstance(value, dict):
        return {key: trusted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [trusted(item) for item in value]
    return trust_as_template(value) if isinstance(value, str) else value


class Resolver:
    """Evaluate templates of the form `<name>`, and remember which ones were requested."""

    def __init__(self, **values: Any) -> None:
        self.values, self.asked, self.prepared = values, [], []  # type: ignore[var-annotated]

    def prepare(self, values: Iterable[Any]) -> None:
        self.prepared.append([*values])

    def resolve(self, value: Any) -> Any:
        self.asked.append(value)
        if isinstance(value, str) and value.startswith("<"):
            return self.values[value[1:-1]]
        if isinstance(value, Mapping):
            return {key: self.resolve(item) for key, item in value.items()}
        return [self.resolve(item) for item in value] if isinstance(value, list) else value
