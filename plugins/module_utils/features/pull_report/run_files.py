# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report: reads documents, and replaces each file atomically, after all of them have been stored."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from ...core.errors import OptionError
from ...core.files import describe_read_error, stage_file
from .documents import LARGEST_BYTES

__all__ = ["check_writable", "read_source", "select_changed", "write_files"]

#: The permissions of the files. They contain no credential, and a web server or another user can read them.
_MODE = 0o644
_TIME = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?Z?"
#: The creation times in the page, in its data, in JSON, and in JUnit XML, but not the time of the older report in a comparison. No text of a
#: cluster looks like one of them, because its quotes and angle brackets are escaped in each of the forms.
_CREATED = re.compile(
    rf'<time datetime="{_TIME}">{_TIME} UTC</time>'
    rf'|(?<!"compared":{{)(?<!"compared": {{\n  )"made": ?"{_TIME}"'
    rf'|(<testsuite [^>]*? )timestamp="{_TIME}"'
)


def read_source(path: str) -> bytes:
    """Return the content of a file, at most one byte more than the largest document has.

    :raises OptionError: when it cannot be read or is not a regular file.
    """
    try:
        place = Path(path)
        # Checked before it is opened: a pipe without a writer would block the task forever.
        if not stat.S_ISREG(place.stat().st_mode):
            raise OptionError(f"{path} is not a regular file, so it was not read. Nothing was written")
        with place.open("rb") as file:
            return file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = describe_read_error(path, error)
        raise OptionError(f"file {path} cannot be read on the controller: {why}. Nothing was written") from None


def check_writable(option: str, path: str) -> Path:
    """Return the path at which a file will be written. A link is followed.

    :raises OptionError: when its directory is missing, or the path exists and is not a file.
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
        raise OptionError(f"option {option!r}: {place} is not a file, so it was not replaced: choose another path")
    return place


def select_changed(texts: Mapping[Path, str]) -> dict[Path, str]:
    """Return the texts whose file is missing or differs in mode or in more than its creation times, by path."""
    return {path: text for path, text in texts.items() if not _is_there(path, text)}


def _is_there(path: Path, text: str) -> bool:
    try:
        if stat.S_IMODE(path.stat().st_mode) != _MODE or path.stat().st_size > LARGEST_BYTES:
            return False
        return _drop_times(text) == _drop_times(path.read_bytes().decode("utf-8"))
    except (OSError, UnicodeDecodeError):
        return False


def _drop_times(text: str) -> str:
    return _CREATED.sub(r"\1", text)


def write_files(texts: Mapping[Path, str]) -> None:
    """Replace the files. All are stored before the first is replaced.

    :raises OptionError: when one cannot be written.
    """
    done: list[Path] = []
    with ExitStack() as stack:
        try:
            ready = [
                (path, stack.enter_context(stage_file(path, text.encode(), _MODE))) for path, text in texts.items()
            ]
            for path, temporary in ready:
                temporary.replace(path)
                done.append(path)
        except OSError as error:
            left = f"Written before that: {', '.join(map(str, done))}" if done else "Nothing was written"
            name = error.filename2 or error.filename
            raise OptionError(f"{name} cannot be written on the controller: {error.strerror}. {left}") from None
