# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another client that overwrites an account's whole list some time after our entry was added."""

from __future__ import annotations

import threading
from typing import Any

from support.lab import Lab, path_of, pull_names


class Overwriter:
    """During the block, replaces the pull list once by `names`, `delay` seconds after `entry` is in the list.

    `way`: `put` (the whole account as it was read before), `patch` (a merge patch) or `apply` (server-side, with force).
    """

    def __init__(self, lab: Lab, namespace: str, entry: str, *, names: list[str], delay: float, way: str) -> None:
        self.lab, self.path, self.entry = lab, path_of(namespace, "serviceaccounts", "default"), entry
        self.names, self.delay, self.way = names, delay, way
        self.has_written = False
        self._before = lab.account(namespace)
        self._watch = lab.watch(f"{path_of(namespace, 'serviceaccounts')}?fieldSelector=metadata.name%3Ddefault")
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._failure: BaseException | None = None
        self._ended = threading.Event()

    def __enter__(self) -> Overwriter:
        self._events = self._watch.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        # This change causes an event, which ends the wait for events.
        self.lab.api("PATCH", self.path, {"metadata": {"annotations": {"example.com/ended": "true"}}})
        self._thread.join()
        self._watch.__exit__(None, None, None)
        assert self._failure is None, self._failure

    def _work(self) -> None:
        try:
            for event in self._events:
                if self._ended.is_set():
                    return
                if not self.has_written and self.entry in pull_names(event["object"]):
                    self._ended.wait(self.delay)
                    self._overwrite()
                    self.has_written = True
        except BaseException as error:
            self._failure = error

    def _overwrite(self) -> None:
        names: list[dict[str, Any]] = [{"name": name} for name in self.names]
        if self.way == "put":
            metadata = {**self._before["metadata"], "resourceVersion": None, "managedFields": None}
            body = {**self._before, "metadata": metadata, "imagePullSecrets": names}
            self.lab.api("PUT", f"{self.path}?fieldManager=pipeline", body)
        elif self.way == "apply":
            body = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
            query = "?fieldManager=pipeline&force=true"
            content = "application/apply-patch+yaml"
            self.lab.api("PATCH", self.path + query, {**body, "imagePullSecrets": names}, content=content)
        else:
            self.lab.api("PATCH", f"{self.path}?fieldManager=pipeline", {"imagePullSecrets": names})
