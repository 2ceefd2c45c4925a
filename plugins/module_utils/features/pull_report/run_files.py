# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report: reads documents, and writes each file at once and whole, or none of them."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from ...core.errors import OptionError
from ...core.file_errors import describe_read_error
from ...core.whole_files import stored
from .documents import LARGEST_BYTES
from .timestamps import differ, settled

__all__ = ["check_writable", "read", "to_write", "write"]


def read(path: str) -> bytes:
    """What a file holds.

    :raises OptionError: when it cannot be read, or is no file, or is too large.
    """
    try:
        place = Path(path)
        # Not opened before: a pipe that nobody writes to would hold the task forever.
        if not stat.S_ISREG(place.stat().st_mode):
            raise OptionError(f"{path} is no regular file, so it was not read; nothing was written")
        with place.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = describe_read_error(path, error)
        raise OptionError(f"file {path} cannot be read on the controller: {why}; nothing was written") from None


def check_writable(option: str, path: str) -> Path:
    """Where a file will be, behind a link if its path is one.

    :raises OptionError: when its directory is missing, or something else has its place.
    """
    try:
        place = Path(os.path.realpath(path))
        is_free = not os.path.lexists(place) or place.is_file()
        has_directory = place.parent.is_dir()
    except (OSError, ValueError) as error:
        raise OptionError(f"option {option!r}: {path!r} cannot be a file: {describe_read_error(path, error)}") from None
    if not has_directory:
        raise OptionError(
            f"option {option!r}: directory {place.parent} does not exist on the controller: create it first"
        )
    if not is_free:
        raise OptionError(f"option {option!r}: {place} is no file, so it was not replaced: choose another path")
    return place


def to_write(texts: Mapping[Path, str], mode: int) -> dict[Path, str]:
    """Those of the texts that are not there yet with that mode, but for the time that they were made; without their marks."""
    return {path: settled(text) for path, text in texts.items() if not _is_there(path, text, mode)}


def _is_there(path: Path, text: str, mode: int) -> bool:
    try:
        if stat.S_IMODE(path.stat().st_mode) != mode or path.stat().st_size > LARGEST_BYTES:
            return False
        return not differ(text, path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError):
        return False


def write(texts: Mapping[Path, str], mode: int) -> None:
    """Replaces the files. All are stored before the first is replaced.

    :raises OptionError: when one cannot be.
    """
    done: list[Path] = []
    with ExitStack() as stack:
        try:
            ready = [(path, stack.enter_context(stored(path, text.encode(), mode))) for path, text in texts.items()]
            for path, temporary in ready:
                temporary.replace(path)
                done.append(path)
        except OSError as error:
            left = f"written before that: {', '.join(map(str, done))}" if done else "nothing was written"
            name = error.filename2 or error.filename
            raise OptionError(f"{name} cannot be written on the controller: {error.strerror}; {left}") from None
