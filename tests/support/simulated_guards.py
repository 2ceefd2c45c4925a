# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A guard of a client in a simulation. It judges each plan at random, and knows which writes may follow from the plans that it has approved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change, Entry
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.reconciliation import PlannedChanges
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Task

from support.fake_api import Key
from support.simulated_api import Write
from support.simulated_laws import COPY, KINDS

__all__ = ["Guard"]

_METHODS = {"create": "POST", "update": "PATCH", "delete": "DELETE"}


class Guard:
    """Refuses a share of the entries in each namespace, and fails in a share of its judgements."""

    def __init__(self, random: Random, refuses: float, fails: float) -> None:
        self._random, self._refuses, self._fails = random, refuses, fails
        self._refused: dict[tuple[str, Entry], bool] = {}
        self._approved: set[tuple[Key, str, str]] = set()
        self._replaced: set[Key] = set()
        self._has_failed = False
        self._is_asked = False

    def run(self, form: Any, task: Task) -> dict[str, Any]:
        """Do the work of a module that takes entries, with this guard."""
        self._has_failed, self._is_asked = False, True
        try:
            with task.cluster() as run:
                return run.result(run.reconcile(run.batch(form, task.declarations(form)), self.judge))
        finally:
            self._is_asked = False

    def judge(self, planned: PlannedChanges) -> Mapping[Any, str]:
        """The reason for each refused entry. :raises Refusal: instead of a judgement. Nothing may be written then."""
        if self._random.random() < self._fails:
            self._has_failed = True
            raise Refusal("the workloads could not be read")
        reasons: dict[tuple[str, Entry], str] = {}
        for change in planned:
            refused = [each for each in self._entries_of(change) if self._is_refused(each)]
            reasons.update(dict.fromkeys(refused, "a workload needs it"))
            if not refused:
                self._approve(change)
        return reasons

    def why_not(self, write: Write) -> str:
        """The law that the write breaks, empty if it follows from an approved plan or is not of a guarded module."""
        resource, place, name = write.key
        if not self._is_asked:
            return ""
        if self._has_failed:
            return "the guard has failed, and the run goes on writing"
        key = (resource, place, name.removesuffix(COPY))
        if key in self._replaced or (write.key, write.method, _text(write.body)) in self._approved:
            return ""
        return "it follows from no plan that the guard has approved"

    def _entries_of(self, change: Change) -> list[tuple[str, Entry]]:
        return [(change.ref.namespace, entry) for entry in change.entries]

    def _is_refused(self, key: tuple[str, Entry]) -> bool:
        return self._refused.setdefault(key, self._random.random() < self._refuses)

    def _approve(self, change: Change) -> None:
        key = (KINDS[change.ref.kind.kind], change.ref.namespace, change.ref.name)
        if change.action == "replace":
            self._replaced.add(key)
        else:
            self._approved.add((key, _METHODS[change.action], _text(change.body)))


def _text(body: Any) -> str:
    """The body without what a webhook adds."""
    meta = dict(body.get("metadata") or {})
    labels = {name: value for name, value in (meta.pop("labels", None) or {}).items() if name != "policy"}
    return json.dumps({**body, "metadata": {**meta, "labels": labels}}, sort_keys=True)
