# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a task is given by their paths."""

from __future__ import annotations

from pathlib import Path

__all__ = ["describe_place", "describe_read_error"]


def describe_place(path: str | Path) -> str:
    """Where a relative path begins, which a user of a playbook cannot see, and what to write; empty for an absolute one."""
    if Path(path).is_absolute():
        return ""
    return f" in {Path.cwd()}, where a relative path begins; give the whole path, such as {{{{ inventory_dir }}}}/{Path(path).as_posix()}"


def describe_read_error(path: str | Path, error: Exception) -> str:
    """Why a file cannot be read. A ValueError: it is not UTF-8, or the path holds a NUL."""
    if isinstance(error, OSError):
        return f"{error.strerror}{describe_place(path)}"
    return "it is not text" if isinstance(error, UnicodeError) else "the path is not valid"
