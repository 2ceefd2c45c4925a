# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A file that appears at once and whole: it is stored beside its place first."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

__all__ = ["stored"]

#: Some file systems end a name at 255 bytes, and the temporary one is longer than the file's own.
_LONGEST_PREFIX = 64


@contextmanager
def stored(path: Path, content: bytes, mode: int = 0o600) -> Iterator[Path]:
    """A file on the disk with that content and mode, in the directory of `path`. Who asks moves or links it there; what is left is removed.

    :raises OSError: when it cannot be stored. It names `path`, even for a full disk, of which the system names no file.
    """
    with ExitStack() as stack:
        try:
            # A name that Ansible does not read as inventory. The file is made with mode 0600.
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
