# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of variables that a task hands to the controller: what they hold, and who writes them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .objects import Json

__all__ = ["Destination", "FilesWanted", "VariableFile", "Write"]


@dataclass(frozen=True, repr=False)
class VariableFile:
    """`comment` is at the top, a line each. An `encrypted` file is never stored in clear text.

    `for_ansible`: Ansible reads the file as variables. Otherwise another reader does, such as `kubectl`, which knows no tags of Ansible.
    """

    name: str
    variables: Json
    comment: Sequence[str] = ()
    encrypted: bool = False
    for_ansible: bool = True


@dataclass(frozen=True)
class FilesWanted:
    """The `plain` and `encrypted` files, by name, that are to be written into a directory.

    `vault_id` names the vault password among several. `force`: files that exist are replaced. `option` is the one that asks for them.
    `otherwise`: the option that makes a vault password unnecessary, for messages; empty for none.
    """

    directory: str
    plain: Sequence[str]
    encrypted: Sequence[str] = field(default_factory=tuple)
    vault_id: str | None = None
    force: bool = False
    option: str = "dest"
    otherwise: str = ""


#: Writes the files, all or none, and returns their paths.
Write = Callable[[Sequence[VariableFile]], Sequence[str]]


class Destination(Protocol):
    """The controller's file system, and its vault passwords."""

    def prepare(self, wanted: FilesWanted) -> Write:
        """How the files are written. Nothing is written yet.

        :raises OptionError: when they could not be: one exists and may not be replaced, or there is no vault password.
        """
