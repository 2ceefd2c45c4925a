# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found in one namespace, in parts from which entries of the inventory are made. Pure."""

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
    """Why an object is the platform's own business; the word under which it is counted."""

    why: str


@dataclass(frozen=True)
class NotExported:
    """What no entry can say: the object, and why, without any content of it."""

    ref: ObjectRef
    reason: str


@dataclass(frozen=True)
class ExportedLinks:
    """Links of one secret: `link_for` on each of the `service_accounts`."""

    service_accounts: tuple[str, ...]
    link_for: tuple[str, ...] = ("pull",)


@dataclass(frozen=True, repr=False)
class ExportedSecret:
    """One secret. `logins` are its registries as values, None where only the whole auth file says the same.

    `require` is what its links ask of it, None where the role's own default is right.
    """

    name: str
    type: str
    key: str
    auth_file: AuthFile
    logins: tuple[Mapping[str, str], ...] | None
    immutable: bool = False
    links: tuple[ExportedLinks, ...] = ()
    require: str | None = None


@dataclass(frozen=True)
class ExportedGrant:
    """One role binding. `options` name its subjects as an entry does, `named` what the entry says of role and binding besides."""

    role: str
    binding_name: str
    subjects: tuple[Subject, ...]
    options: Mapping[str, Any]
    named: Mapping[str, str] = field(default_factory=dict)


@dataclass
class Findings:
    """All that one namespace holds. `order`: the names on each list of an account that entries link, as they stand."""

    secrets: list[ExportedSecret] = field(default_factory=list)
    grants: list[ExportedGrant] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    unexpressed: list[NotExported] = field(default_factory=list)
    order: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def note(self, ref: ObjectRef, what: Union[LeftOut, str]) -> None:
        """Counts what is the platform's, lists what cannot be expressed."""
        if isinstance(what, LeftOut):
            self.left_out[what.why] = self.left_out.get(what.why, 0) + 1
        else:
            self.unexpressed.append(NotExported(ref, what))
