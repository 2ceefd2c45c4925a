# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write a JSON file on the host that runs the task: atomically, and readable only by its owner."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .output_files import output_writer
from .task import Task

__all__ = ["json_writer"]


def json_writer(task: Task, path: str | None) -> Callable[[Mapping[str, Any]], None] | None:
    """Return the writer of a document, which does nothing in check mode. None without a path.

    :raises OptionError: when the path cannot be a file.
    """
    return output_writer(task, {"dest": path}, lambda document: {"dest": f"{json.dumps(document, indent=1)}\n"})
