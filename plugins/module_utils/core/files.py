# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of a task: their content, their atomic creation, and the errors of their paths."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from glob import escape
from pathlib import Path
from typing import Protocol

from .objects import Json


def describe_place(path: str | Path) -> str:
    """Return where a relative path begins, which the user of a playbook cannot see, and an absolute form. Empty for an absolute path."""
    if _is_absolute(path):
        return ""
    return f' in {Path.cwd()}, where a relative path begins. Give the whole path, such as "{{{{ inventory_dir }}}}/{Path(path).as_posix()}"'


def find_input(path: str, playbook: str) -> str:
    """Return the path of a file that a role or playbook of this collection reads: in the directory of the command, as the files that it writes.

    A file that is only in the directory of the playbook is found there. Ansible would search in that directory alone, which can be in a collection.
    """
    if not path or path.startswith(("~", "$")):
        return path
    here, there = Path.cwd() / path, Path(playbook) / path
    return str(there if not os.path.lexists(here) and os.path.lexists(there) else here)


def _is_absolute(path: str | Path) -> bool:
    return os.path.isabs(os.path.expanduser(path))  # noqa: PTH111, PTH117


def describe_read_error(path: str | Path, error: Exception) -> str:
    """Return why a file cannot be read. A ValueError means that it is not UTF-8, or that the path contains a NUL."""
    if isinstance(error, OSError):
        return f"{error.strerror}{describe_place(path)}"
    return "it is not text" if isinstance(error, UnicodeError) else "the path is not valid"


def advise_reader(path: str | Path, error: Exception) -> str:
    """Return the fix for a file of an option that cannot be read, as the next sentence. Empty if the error names it, or if none is known."""
    if isinstance(error, PermissionError):
        return ". Allow the user that runs the task to read it"
    if isinstance(error, FileNotFoundError) and _is_absolute(path):
        return ". Correct the path, or create the file there"
    return ". Name a file" if isinstance(error, IsADirectoryError) else ""


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


#: Maximum length of the prefix: some file systems limit names to 255 bytes, and the temporary name is longer than the file's own.
_LONGEST_PREFIX = 64


@contextmanager
def stage_file(path: Path, content: bytes, mode: int = 0o600) -> Iterator[Path]:
    """Yield a file with that content and mode in the directory of `path`. The caller moves or links it to `path`. Otherwise it is removed.

    What killed runs staged for `path` is removed as well.

    :raises OSError: if it cannot be stored. The error names `path`, even for a full disk, for which the system names no file.
    """
    with ExitStack() as stack:
        try:
            remove_leftovers(path)
            # A name that Ansible does not read as inventory. The file is created with mode 0600.
            number, name = tempfile.mkstemp(prefix=_prefix(path), dir=path.parent)
            lock = os.dup(number)
            stack.callback(os.close, lock)
            stack.callback(_remove, Path(name))
            fcntl.flock(lock, fcntl.LOCK_EX)
            with os.fdopen(number, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
        except OSError as error:
            error.filename = str(path)
            raise
        yield Path(name)


def leftovers(path: Path) -> list[Path]:
    """Return the files that killed runs staged for `path`. A running one has locked its file."""
    found = []
    for each in path.parent.glob(f"{escape(_prefix(path))}????????"):
        with suppress(OSError), os.fdopen(os.open(each, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found.append(each)
    return found


def remove_leftovers(path: Path) -> None:
    """Remove the files that killed runs staged for `path`."""
    for each in leftovers(path):
        _remove(each)


def _prefix(path: Path) -> str:
    return f".{path.name[:_LONGEST_PREFIX]}."


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
