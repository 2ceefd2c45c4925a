# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the objects in a YAML file that an option names."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..clients.kube.stored_yaml import parse_objects
from ..core.errors import OptionError
from ..core.objects import Json
from .task import Task

__all__ = ["object_reader"]


def object_reader(task: Task) -> Callable[[str], Sequence[Json]]:
    """Return the function that returns the objects in a file, by its path. It raises OptionError if the file cannot be used."""

    def read(path: str) -> Sequence[Json]:
        try:
            return parse_objects(task.read_file(path))
        except ValueError as error:
            raise OptionError(f"file {path!r} cannot be used: {error}") from None

    return read
