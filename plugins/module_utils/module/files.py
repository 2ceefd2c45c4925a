# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a module on the host that runs the task: each whole, and readable only by its owner. Files of variables on the controller."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ..clients.kube.kubeconfig import parse_objects
from ..core.errors import OptionError, call_all
from ..core.files import Destination, FilesWanted, VariableFile, Write, remove_leftovers, stage_file
from ..core.objects import Json
from ..core.redaction import mask
from .task import Task


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


def json_writer(task: Task, path: str | None) -> Callable[[Mapping[str, Any]], None] | None:
    """Return the writer of a document, which does nothing in check mode. None without a path.

    :raises OptionError: when the path cannot be a file.
    """
    return output_writer(task, {"dest": path}, lambda document: {"dest": f"{json.dumps(document, indent=1)}\n"})


def file_writer(task: Task, wanted: FilesWanted | None) -> Write | None:
    """Return the writer of the wanted files, which only returns their names in check mode. None if no file is wanted.

    :raises OptionError: when the files could not be written.
    """
    if wanted is None:
        return None
    write = _destination(task, wanted.option).prepare(wanted)
    return _dry_run_writer(wanted) if task.check_mode else write


def backup_writer(task: Task, directory: str, vault_id: str | None) -> Callable[[str], Write]:
    """Return a function that returns the writer of an encrypted copy for a file name. An existing file is kept.

    :raises OptionError: in a process that has no vault passwords.
    """
    _destination(task, "dest", is_required=True)

    def prepared(name: str) -> Write:
        path = Path(directory) / name
        if path.exists() and not task.check_mode:
            remove_leftovers(path)
        write = None if path.exists() else file_writer(task, FilesWanted(directory, (), (name,), vault_id))
        return write or (lambda _files: ())

    return prepared


def _destination(task: Task, option: str, *, is_required: bool = False) -> Destination:
    """Return the destination of the task. :raises OptionError: in a process that has no vault passwords."""
    destination: Destination | None = task.controller
    if destination is None:
        without = "" if is_required else f". Without {option!r} the task runs with any Python"
        raise OptionError(
            f"option {option!r} writes files on the controller with Ansible's vault passwords, so the task must run in Ansible's own "
            "process, but it ran in another one: set 'connection: local' and 'ansible_python_interpreter: \"{{ ansible_playbook_python }}\"' "
            f"for this host or task, and leave out 'become' and 'async'{without}"
        )
    return destination


def _dry_run_writer(wanted: FilesWanted) -> Write:
    def name(files: Sequence[VariableFile]) -> Sequence[str]:
        return [str(Path(wanted.directory) / file.name) for file in files]

    return name


def object_reader(task: Task) -> Callable[[str], Sequence[Json]]:
    """Return the function that returns the objects in a file, by its path. It raises OptionError if the file cannot be used."""

    def read(path: str) -> Sequence[Json]:
        try:
            return parse_objects(task.read_file(path))
        except ValueError as error:
            raise OptionError(f"file {path!r} cannot be used: {error}") from None

    return read
