# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates a file atomically: it is first stored under a temporary name in the same directory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

__all__ = ["stage_file"]

#: Maximum length of the prefix: some file systems limit names to 255 bytes, and the temporary name is longer than the file's own.
_LONGEST_PREFIX = 64


@contextmanager
def stage_file(path: Path, content: bytes, mode: int = 0o600) -> Iterator[Path]:
    """Yield a file with that content and mode in the directory of `path`. The caller moves or links it to `path`. Otherwise it is removed.

    :raises OSError: if it cannot be stored. The error names `path`, even for a full disk, for which the system names no file.
    """
    with ExitStack() as stack:
        try:
            # A name that Ansible does not read as inventory. The file is created with mode 0600.
            number, name = tempfile.mkstemp(prefix=f".{path.name[:_LONGEST_PREFIX]}.", dir=path.parent)
            stack.callback(_remove, Path(name))
            with os.fdopen(number, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), mode)
                os.fsync(file.fileno())
        except OSError as error:
            error.filename = str(path)
            raise
        yield Path(name)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
