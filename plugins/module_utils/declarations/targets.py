# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The namespaces of a declaration, from its options: names, or a selector. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..core.errors import OptionError
from ..core.names import check_namespace
from ..core.namespaces import NamespaceSelector
from ..core.namespaces import from_options as selector_from_options

__all__ = ["NO_TARGETS", "Targets", "from_options"]


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


def from_options(options: Mapping[str, Any]) -> Targets | NamespaceSelector:
    """Return the targets or the selector from the options `namespaces` and `namespace_selector`. No request is sent.

    :raises OptionError: for an empty list, an invalid name, or a selector that unintentionally selects everything.
    """
    if options.get("namespace_selector") is not None:
        return selector_from_options(options["namespace_selector"])
    names = options.get("namespaces")
    if names is None:
        raise OptionError("give one of the options 'namespaces' and 'namespace_selector'")
    if not names:
        raise OptionError("option 'namespaces' is empty: give at least one")
    for name in names:
        check_namespace("namespaces", name)
    return Targets(list(dict.fromkeys(names)))
