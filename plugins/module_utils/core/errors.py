# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The root of the collection's errors. Each message is one line without any credential."""

from __future__ import annotations

import traceback
from pathlib import Path

__all__ = ["ImagePullError", "OptionError", "Refusal", "printable", "unexpected"]


def printable(text: str) -> str:
    """A text in which others may have written, fit for one line of a terminal: a control character becomes a space."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


def unexpected(error: BaseException) -> str:
    """An error that nobody thought of, by its type and place. Its text may hold anything, also what stands in a secret."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" in {frames[-1].name}, line {frames[-1].lineno} of {Path(frames[-1].filename).name}" if frames else ""
    return f"{type(error).__name__}{where}"


class ImagePullError(Exception):
    """Anything that the collection reports to its user."""

    def __str__(self) -> str:
        """One line, whatever an object of the cluster that it speaks of holds."""
        return printable(super().__str__())


class OptionError(ImagePullError):
    """A task option that cannot work; found before any request is sent."""


class Refusal(ImagePullError):
    """What the cluster holds makes the requested change unsafe or impossible; nothing was written."""
