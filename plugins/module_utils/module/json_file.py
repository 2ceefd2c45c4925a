# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a JSON file on the host that runs the task: atomically, and readable only by its owner."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..core.errors import OptionError
from ..core.redaction import mask
from ..core.whole_files import stage_file
from .task import Task

__all__ = ["json_writer"]


def json_writer(task: Task, path: str | None) -> Callable[[Mapping[str, Any]], None] | None:
    """Return the writer of a document, which does nothing in check mode. None without a path.

    :raises OptionError: when the path cannot be a file.
    """
    if path is None:
        return None
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        raise OptionError(
            f"option 'dest': {path!r} is a directory, or its directory does not exist on the host that runs the task: give the path of a file"
        )

    def write(document: Mapping[str, Any]) -> None:
        if not task.check_mode:
            _put(target, json.dumps(mask(dict(document), task.secrets), indent=1))

    return write


def _put(target: Path, content: str) -> None:
    try:
        with stage_file(target, f"{content}\n".encode()) as temporary:
            temporary.replace(target)
    except OSError as error:
        raise OptionError(
            f"file {str(target)!r} cannot be written on the host that runs the task: {error.strerror}. The cluster was only read"
        ) from None
