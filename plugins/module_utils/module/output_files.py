# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a module writes on the host that runs the task: each whole, and readable only by its owner."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..core.errors import OptionError, call_all
from ..core.files import stage_file
from ..core.redaction import mask
from .task import Task

__all__ = ["check_outputs", "options_checker", "output_writer", "write_outputs"]


def check_outputs(paths: Mapping[str, str | None], inputs: Collection[str] = ()) -> dict[str, Path]:
    """Return the path of each option that has one. `inputs` are files that the task reads.

    :raises OptionError: with all paths that cannot be a file, or that are named twice.
    """
    found = {option: Path(path) for option, path in paths.items() if path is not None}
    places = {option: os.path.realpath(path) for option, path in found.items()}
    read = {os.path.realpath(path) for path in inputs}
    problems = []
    for option, path in found.items():
        if path.is_dir() or not path.parent.is_dir():
            problems.append(
                f"option {option!r}: {str(path)!r} is a directory, or its directory does not exist on the host that runs the task: "
                "give the path of a file"
            )
        elif places[option] in read:
            problems.append(f"option {option!r} would replace {str(path)!r}, which the task reads: choose another path")
        elif same := [other for other in found if other != option and places[other] == places[option]]:
            problems.append(f"option {option!r} names {str(path)!r}, which option {same[0]!r} also names")
    if problems:
        raise OptionError(*problems)
    return found


def options_checker(task: Task) -> Callable[[Mapping[str, str | None], Collection[str]], None]:
    """Return a function that checks the paths of files to write, as `check_outputs`, and the options that all modules share.

    It raises OptionError with all problems.
    """

    def check(paths: Mapping[str, str | None], inputs: Collection[str]) -> None:
        call_all(lambda: check_outputs(paths, inputs), task.check_options)

    return check


def output_writer(
    task: Task,
    paths: Mapping[str, str | None],
    render: Callable[..., Mapping[str, str]],
    inputs: Collection[str] = (),
) -> Callable[..., None] | None:
    """Return a function that writes the files, and does nothing in check mode. None if no option has a path.

    It takes the JSON-like arguments of `render`, which returns the text of each option. `inputs` are files that the task reads.

    :raises OptionError: with all paths that cannot be a file.
    """
    places = check_outputs(paths, inputs)

    def write(*values: Any) -> None:
        if not task.check_mode:
            # Masked first, because a credential would not be found in an escaped text.
            texts = render(*mask(list(values), task.secrets))
            write_outputs({places[option]: text for option, text in texts.items()})

    return write if places else None


def write_outputs(texts: Mapping[Path, str]) -> None:
    """Replace the files with mode 0600. All are stored before the first is replaced.

    :raises OptionError: when one cannot be written.
    """
    try:
        with ExitStack() as stack:
            ready = [(stack.enter_context(stage_file(path, text.encode())), path) for path, text in texts.items()]
            for temporary, path in ready:
                temporary.replace(path)
    except OSError as error:
        raise OptionError(
            f"file {str(error.filename2 or error.filename)!r} cannot be written on the host that runs the task: {error.strerror}. "
            "The cluster was only read"
        ) from None
