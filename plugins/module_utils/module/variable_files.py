# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write files of variables on the controller: only in Ansible's own process, which has the vault passwords."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ..core.errors import OptionError
from ..core.files import Destination, FilesWanted, VariableFile, Write
from .task import Task

__all__ = ["backup_writer", "file_writer"]


def file_writer(task: Task, wanted: FilesWanted | None) -> Write | None:
    """Return the writer of the wanted files, which only returns their names in check mode. None if no file is wanted.

    :raises OptionError: when the files could not be written.
    """
    if wanted is None:
        return None
    write = _destination(task, wanted.option).prepare(wanted)
    return _dry_run_writer(wanted) if task.check_mode else write


def backup_writer(task: Task, directory: str, vault_id: str | None) -> Callable[[str], Write]:
    """Return a function that returns the writer of an encrypted copy for a file name. An existing file is kept.

    :raises OptionError: in a process that has no vault passwords.
    """
    _destination(task, "dest", is_required=True)

    def prepared(name: str) -> Write:
        wanted = FilesWanted(directory, (), (name,), vault_id)
        write = None if (Path(directory) / name).exists() else file_writer(task, wanted)
        return write or (lambda _files: ())

    return prepared


def _destination(task: Task, option: str, *, is_required: bool = False) -> Destination:
    """Return the destination of the task. :raises OptionError: in a process that has no vault passwords."""
    destination: Destination | None = task.controller
    if destination is None:
        without = "" if is_required else f". Without {option!r} the task runs with any Python"
        raise OptionError(
            f"option {option!r} writes files on the controller with Ansible's vault passwords, so the task must run in Ansible's own "
            "process, but it ran in another one: set 'connection: local' and 'ansible_python_interpreter: \"{{ ansible_playbook_python }}\"' "
            f"for this host or task, and leave out 'become' and 'async'{without}"
        )
    return destination


def _dry_run_writer(wanted: FilesWanted) -> Write:
    def name(files: Sequence[VariableFile]) -> Sequence[str]:
        return [str(Path(wanted.directory) / file.name) for file in files]

    return name
