# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combine lists of several kinds into one inventory: all declarations of a task, by option. Lists that are not given are not included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from ..core.errors import OptionError
from ..core.namespaces import NamespaceSelector
from ..core.objects import Json
from ..declarations.batch import Batch, Declaration
from ..declarations.declare import ListForm, batch_of, read_declarations
from ..engine.selection import resolve_targets
from .task import ClusterRun, Task

__all__ = ["batch_lists", "read_lists"]

#: The declarations of each given list.
Lists = Mapping[str, Sequence[Declaration[Any]]]

_Result = TypeVar("_Result")


def read_lists(task: Task, forms: Sequence[ListForm[Any]], common: Mapping[str, Any]) -> Lists:
    """Return the declarations of all lists. `common`: options of the task that apply to entries without their own value.

    :raises OptionError: with all invalid entries.
    """

    def read(form: ListForm[Any]) -> list[Declaration[Any]]:
        items = task.params[form.option]
        defaults = {name: spec.get("default") for name, spec in form.arguments.items()}
        return read_declarations(form, {**defaults, **common, form.option: items}, task.read_file) if items else []

    return _each([form for form in forms if task.params[form.option] is not None], read)


def batch_lists(
    run: ClusterRun, forms: Sequence[ListForm[Any]], declared: Lists, namespaces: Sequence[Json]
) -> dict[str, Batch[Any]]:
    """Return the declarations of each list for each namespace. `namespaces` are those of the cluster, as the API server sent them.

    :raises OptionError: with all contradictory entries.
    """

    def batch(form: ListForm[Any]) -> Batch[Any]:
        ours = declared[form.option]
        found = resolve_targets(run.cluster, [one.targets for one in ours], namespaces)
        empty = [
            f"{one.entry}: its namespace_selector selects no namespace, so it declares nothing on this cluster"
            for one, meant in zip(ours, found, strict=True)
            if isinstance(one.targets, NamespaceSelector) and not meant.namespaces
        ]
        run.task.warn([*empty, *(remark for meant in found for remark in meant.remarks)])
        return batch_of(form, ours, found)

    return _each([form for form in forms if form.option in declared], batch)


def _each(forms: Sequence[ListForm[Any]], work: Callable[[ListForm[Any]], _Result]) -> dict[str, _Result]:
    """The results of `work` by option. :raises OptionError: with the problems of all lists."""
    found, problems = {}, []
    for form in forms:
        try:
            found[form.option] = work(form)
        except OptionError as error:
            problems.append(str(error))
    if problems:
        raise OptionError("; ".join(problems))
    return found
