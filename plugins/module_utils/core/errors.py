# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Base classes of the collection's errors. Each message is one line and contains no credential."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .cluster_text import make_printable

__all__ = ["ImagePullError", "OptionError", "Refusal", "call_all", "describe_unexpected"]


def describe_unexpected(error: BaseException) -> str:
    """Describe an unexpected error by its type and location. Its text is left out, because it may contain the content of a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno} of {Path(frames[-1].filename).name}" if frames else ""
    return f"{type(error).__name__}{where}"


class ImagePullError(Exception):
    """An error that the collection reports to its user."""

    def __str__(self) -> str:
        """Return one printable line, even if the message quotes an object of the cluster."""
        return make_printable(super().__str__())


class OptionError(ImagePullError):
    """Invalid task options. They are detected before any request is sent. `problems` are sentences, each about one problem."""

    def __init__(self, *problems: str) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def call_all(*checks: Callable[[], Any]) -> list[Any]:
    """Call all functions, and return their results.

    :raises OptionError: with the problems of all functions that raise OptionError.
    """
    results: list[Any] = []
    problems: list[str] = []
    for check in checks:
        try:
            results.append(check())
        except OptionError as error:
            problems += error.problems
    if problems:
        raise OptionError(*problems)
    return results


class Refusal(ImagePullError):
    """The state of the cluster makes the requested change unsafe or impossible. Nothing was written."""
