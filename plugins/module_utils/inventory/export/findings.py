# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of one namespace, from which the entries of the inventory are built. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Union

from ...core.objects import ObjectRef
from ...dockerconfig.auth_file import AuthFile
from ...rbac.subjects import Subject

__all__ = ["ExportedGrant", "ExportedLinks", "ExportedSecret", "Findings", "LeftOut", "NotExported"]


@dataclass(frozen=True)
class LeftOut:
    """A platform object, counted under one word."""

    why: str


@dataclass(frozen=True)
class NotExported:
    """An object that no entry can express, with the reason, but without its content."""

    ref: ObjectRef
    reason: str


@dataclass(frozen=True)
class ExportedLinks:
    """Links of one secret: `link_for` on each of the `service_accounts`."""

    service_accounts: tuple[str, ...]
    link_for: tuple[str, ...] = ("pull",)


@dataclass(frozen=True, repr=False)
class ExportedSecret:
    """One secret. `logins` are its registries as values, None if only the whole auth file can express them.

    `require` is the option of its links, None for the role's default.
    """

    name: str
    type: str
    auth_file: AuthFile
    logins: tuple[Mapping[str, str], ...] | None
    immutable: bool = False
    links: tuple[ExportedLinks, ...] = ()
    require: str | None = None


@dataclass(frozen=True)
class ExportedGrant:
    """One role binding. `options` are the subjects as an entry gives them, `named` its role and binding name."""

    role: str
    binding_name: str
    subjects: tuple[Subject, ...]
    options: Mapping[str, Any]
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Findings:
    """All findings of one namespace. `order`: the linked names on each list of an account, in their order."""

    secrets: list[ExportedSecret] = field(default_factory=list)
    grants: list[ExportedGrant] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    unexpressed: list[NotExported] = field(default_factory=list)
    order: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def note(self, ref: ObjectRef, what: Union[LeftOut, str]) -> None:
        """Count a platform object, or record an object that cannot be expressed."""
        if isinstance(what, LeftOut):
            self.left_out[what.why] = self.left_out.get(what.why, 0) + 1
        else:
            self.unexpressed.append(NotExported(ref, what))
