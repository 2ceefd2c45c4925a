# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Combine lists of several kinds into one inventory: all declarations of a task, by option. Lists that are not given are not included."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

from ..core.errors import call_all
from ..core.namespaces import NamespaceSelector, Targets
from ..core.objects import Json, metadata
from ..declarations.batch import Batch, Declaration
from ..declarations.declare import ListForm, batch_of, read_declarations
from ..engine.namespaces import is_terminating, list_visible_namespaces, resolve_targets
from ..engine.result import Outcome
from .task import ClusterRun, Task

#: The declarations of each given list.
Lists = Mapping[str, Sequence[Declaration[Any]]]

_Result = TypeVar("_Result")


def read_lists(
    params: Mapping[str, Any],
    forms: Sequence[ListForm[Any]],
    common: Mapping[str, Any],
    read_file: Callable[[str], str],
) -> Lists:
    """Return the declarations of all lists in `params`. `common`: options that apply to entries without their own value.

    :raises OptionError: with all invalid entries.
    """

    def read(form: ListForm[Any]) -> list[Declaration[Any]]:
        items = params[form.option]
        defaults = {name: spec.get("default") for name, spec in form.arguments.items()}
        return read_declarations(form, {**defaults, **common, form.option: items}, read_file) if items else []

    return _each([form for form in forms if params.get(form.option) is not None], read)


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
            f"{one.entry}: its selector selects no namespace, so it declares nothing on this cluster"
            for one, meant in zip(ours, found, strict=True)
            if isinstance(one.targets, NamespaceSelector) and not meant.namespaces
        ]
        run.task.warn([*empty, *(remark for meant in found for remark in meant.remarks)])
        return batch_of(form, ours, found)

    return _each([form for form in forms if form.option in declared], batch)


def lists_reader(task: Task, forms: Sequence[ListForm[Any]]) -> Callable[[Mapping[str, Any]], Lists]:
    """Return the reader of an option that has the lists, with `owner` and `adopt` for all entries."""

    def read(options: Mapping[str, Any]) -> Lists:
        common = {name: options.get(name) for name in ("owner", "adopt")}
        return read_lists(options, forms, common, task.read_file)

    return read


def with_batches(
    task: Task,
    forms: Sequence[ListForm[Any]],
    inventories: Mapping[int, Lists],
    work: Callable[[ClusterRun, dict[int, dict[str, Batch[Any]]], list[str]], Outcome],
    *,
    system: bool = False,
) -> dict[str, Any]:
    """Return the result of `work` in the namespaces of the task, by default all except the platform's, and with `system` also these.

    It gets the declarations of each inventory for each namespace, by list, and the names of the cluster's namespaces. Without an inventory,
    these are not read.

    :raises OptionError: with all contradictory entries of an inventory.
    """
    with task.cluster(task.targets(everywhere=True, system=system)) as run:
        namespaces = list_visible_namespaces(run.cluster) if inventories else []
        found = call_all(*(partial(batch_lists, run, forms, each, namespaces) for each in inventories.values()))
        batches = dict(zip(inventories, found, strict=True))
        names = [metadata(each)["name"] for each in namespaces if not is_terminating(dict(each))]
        return run.result(work(run, batches, names))


def without_cluster(
    task: Task, forms: Sequence[ListForm[Any]], inventories: Sequence[Lists], work: Callable[..., Outcome]
) -> dict[str, Any]:
    """Return the result of `work`, which gets the declarations of each inventory for each namespace, by list. No request is sent.

    A selector counts as a namespace of its own, named by its content.

    :raises OptionError: with all contradictory entries of an inventory.
    """
    return task.result(work(*call_all(*(partial(_batch_unresolved, forms, each) for each in inventories))))


def _batch_unresolved(forms: Sequence[ListForm[Any]], declared: Lists) -> dict[str, Batch[Any]]:

    def batch(form: ListForm[Any]) -> Batch[Any]:
        ours = declared[form.option]
        return batch_of(form, ours, [_as_targets(one.targets) for one in ours])

    return _each([form for form in forms if form.option in declared], batch)


def _as_targets(wanted: Targets | NamespaceSelector) -> Targets:
    if isinstance(wanted, Targets):
        return wanted
    usual, given = asdict(NamespaceSelector()), asdict(wanted)
    parts = [f"{name}={_text_of(value)}" for name, value in sorted(given.items()) if value != usual[name]]
    return Targets([f"namespaces with {' '.join(parts)}"])


def _text_of(value: object) -> str:
    return ",".join(value) if isinstance(value, tuple) else str(value)


def _each(forms: Sequence[ListForm[Any]], work: Callable[[ListForm[Any]], _Result]) -> dict[str, _Result]:
    """The results of `work` by option. :raises OptionError: with the problems of all lists."""
    results = call_all(*(partial(work, form) for form in forms))
    return {form.option: result for form, result in zip(forms, results, strict=True)}
