# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of variables that a task sends to the controller: their content, and the interface that writes them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from .objects import Json

__all__ = ["Destination", "FilesWanted", "VariableFile", "Write"]


@dataclass(frozen=True, repr=False)
class VariableFile:
    """A file of variables. The lines of `comment` are at the top. An `encrypted` file is never stored in clear text.

    `for_ansible`: Ansible reads the file as variables. Otherwise another program, such as `kubectl`, reads it without Ansible's tags.
    """

    name: str
    variables: Json
    comment: Sequence[str] = ()
    encrypted: bool = False
    for_ansible: bool = True


@dataclass(frozen=True)
class FilesWanted:
    """The names of the `plain` and `encrypted` files to write into a directory.

    `vault_id` selects one of several vault passwords. `force`: existing files are replaced. `option` is the option that requests the files.
    `otherwise`: the option that makes a vault password unnecessary, for messages. Empty for none.
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
        """Return the function that writes the files. Nothing is written yet.

        :raises OptionError: if they cannot be written: one exists and must not be replaced, or there is no vault password.
        """
