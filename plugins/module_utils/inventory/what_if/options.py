# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns the options into a what-if question. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...core.json_types import as_dict, as_str
from ...core.objects import Json
from ...core.what_if_format import NOT_KNOWN, WOULD_BREAK
from ...images.image_questions import RegistryAccess
from . import changes
from .changes import SupposedChange, parse_changes
from .outputs import OUTPUTS, render_outputs

__all__ = ["ARGUMENTS", "WhatIfQuestion", "from_options"]

ARGUMENTS: dict[str, Any] = {
    "changes": {"type": "list", "elements": "dict", "required": True, "options": changes.ARGUMENTS},
    "ask_registries": {"type": "bool", "default": False},
    "realm_hosts": {"type": "list", "elements": "str"},
    "registry_ca_cert": {"type": "path"},
    "registry_validate_certs": {"type": "bool", "default": True},
    "registry_timeout": {"type": "int", "default": 10},
    "fail_on": {"type": "str", "choices": ["never", WOULD_BREAK, NOT_KNOWN], "default": "never"},
    "dest": {"type": "path"},
    "junit": {"type": "path"},
    "markdown": {"type": "path"},
}


@dataclass(frozen=True)
class WhatIfQuestion:
    """`supposed` are the changes, applied together in the order given. `registries`: how registries are asked, None if they are not.

    `failing` are the answers that fail the task. `outputs` are the paths of the files to write, by their options, `sources` the files that
    the changes name.
    """

    supposed: Sequence[SupposedChange]
    registries: RegistryAccess | None = None
    failing: Sequence[str] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    sources: Sequence[str] = ()

    def render(self, document: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the text of each file, by its option. `rows` are those of all containers."""
        return render_outputs(self.outputs, document, rows, self.failing)

    @property
    def target_version(self) -> str | None:
        """The version of the last upgrade among the changes, or None without one."""
        return next((each.value for each in reversed(self.supposed) if each.version is not None), None)

    @property
    def is_about_network(self) -> bool:
        """Whether registries get out of reach, so that images count that no pod has today."""
        return any(each.kind in ("unreachable_registries", "only_registries") for each in self.supposed)

    @property
    def has_new_nodes(self) -> bool:
        return any(each.kind == "new_nodes" for each in self.supposed)


def from_options(options: Mapping[str, Any], read: Callable[[str], Sequence[Json]]) -> WhatIfQuestion:
    """Return the question. `read` returns the objects in a file.

    :raises OptionError: with all invalid changes, or for an invalid timeout.
    """
    access = RegistryAccess.of(options, "registry_", "realm_hosts")
    failing = {"never": (), WOULD_BREAK: (WOULD_BREAK,), NOT_KNOWN: (WOULD_BREAK, NOT_KNOWN)}[options["fail_on"]]
    given = [as_dict(each) for each in options["changes"]]
    return WhatIfQuestion(
        parse_changes(given, read),
        access if options["ask_registries"] else None,
        failing,
        {name: options[name] for name in OUTPUTS if options[name] is not None},
        [source for each in given if (source := as_str(as_dict(each.get("add_objects")).get("src")))],
    )
