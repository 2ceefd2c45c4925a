# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of files whose paths a task gives."""

from __future__ import annotations

from pathlib import Path

__all__ = ["advise_reader", "describe_place", "describe_read_error"]


def describe_place(path: str | Path) -> str:
    """Return where a relative path begins, which the user of a playbook cannot see, and an absolute form. Empty for an absolute path."""
    if Path(path).is_absolute():
        return ""
    return f" in {Path.cwd()}, where a relative path begins. Give the whole path, such as {{{{ inventory_dir }}}}/{Path(path).as_posix()}"


def describe_read_error(path: str | Path, error: Exception) -> str:
    """Return why a file cannot be read. A ValueError means that it is not UTF-8, or that the path contains a NUL."""
    if isinstance(error, OSError):
        return f"{error.strerror}{describe_place(path)}"
    return "it is not text" if isinstance(error, UnicodeError) else "the path is not valid"


def advise_reader(path: str | Path, error: Exception) -> str:
    """Return the fix for a file of an option that cannot be read, as the next sentence. Empty if the error names it, or if none is known."""
    if isinstance(error, PermissionError):
        return ". Allow the user that runs the task to read it"
    if isinstance(error, FileNotFoundError) and Path(path).is_absolute():
        return ". Correct the path, or create the file there"
    return ""
