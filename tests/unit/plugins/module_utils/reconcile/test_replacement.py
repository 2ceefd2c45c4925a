# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A replacement happens whole or not at all, whatever the API server answers on the way."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import (
    AlreadyExists,
    Conflict,
    ConnectError,
    Forbidden,
    Unanswered,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change, replace
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.reconcile import replacement as recreate

REF = ObjectRef(SECRET, "project-a", "pull")
OLD = {
    "metadata": {
        "name": "pull",
        "namespace": "project-a",
        "uid": "u",
        "resourceVersion": "7",
        "labels": {"a": "b"},
        "managedFields": [],
    },
    "type": "Opaque",
    "data": {"k": "b2xk"},
}
CHANGE = replace(REF, OLD, {"type": "new", "data": {"k": "bmV3"}}, {}, before={}, after={})
Step = tuple[str, Any]


class Script:
    """An API server that answers each write as the script says: None carries it out, an error is raised, a pair does both."""

    def __init__(self, *answers: Any) -> None:
        self.answers, self.held, self.writes = iter(answers), OLD, []

    def write(self, change: Change, *, dry_run: bool = False) -> Any:
        self.writes.append("dry run" if dry_run else change.action)
        answer = next(self.answers, None)
        done, error = answer if isinstance(answer, tuple) else (answer is None, answer)
        if done and not dry_run:
            self.held = None if change.action == "delete" else change.body
        if error:
            raise error
        return self.held

    def get(self, _ref: ObjectRef) -> Any:
        return self.held


TAKEN, DENIED, LOST = AlreadyExists("taken"), Forbidden("creating it was refused"), Unanswered("no answer")


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recreate, "_PATIENCE_SECONDS", 0.6)
    monkeypatch.setattr(recreate.time, "sleep", lambda _seconds: None)


class TestCarriedOut:
    @pytest.mark.parametrize(
        ("answers", "writes"),
        [
            ([TAKEN], ["dry run", "delete", "create"]),
            ([TAKEN, (True, LOST)], ["dry run", "delete", "create"]),
            ([TAKEN, None, (False, LOST)], ["dry run", "delete", "create", "create"]),
            ([TAKEN, None, (True, LOST), TAKEN], ["dry run", "delete", "create", "create"]),
            ([TAKEN, None, ConnectError("down")], ["dry run", "delete", "create", "create"]),
        ],
        ids=["plainly", "delete unanswered", "create lost", "create unanswered", "server away"],
    )
    def test_whole(self, answers: list[Any], writes: list[str]) -> None:
        server = Script(*answers)
        assert recreate.carry_out(server, CHANGE)["type"] == "new"  # type: ignore[arg-type,index]
        assert server.writes == writes
        assert server.held["metadata"]["labels"]["a"] == "b"

    @pytest.mark.parametrize(
        ("answers", "error"),
        [([DENIED], Forbidden), ([TAKEN, Conflict("changed")], Conflict), ([TAKEN, (False, LOST)], Unanswered)],
        ids=["judged in the dry run", "changed meanwhile", "delete not carried out"],
    )
    def test_not_at_all(self, answers: list[Any], error: type[Exception]) -> None:
        server = Script(*answers)
        with pytest.raises(error):
            recreate.carry_out(server, CHANGE)  # type: ignore[arg-type]
        assert server.held is OLD

    @pytest.mark.parametrize(
        "then", [[None], [DENIED, None], [(True, LOST), TAKEN]], ids=["at once", "late", "unanswered"]
    )
    def test_the_old_one_is_put_back(self, then: list[Any]) -> None:
        server = Script(TAKEN, None, DENIED, *then)
        with pytest.raises(Refusal, match="^creating it was refused; the old secret project-a/pull was put back$"):
            recreate.carry_out(server, CHANGE)  # type: ignore[arg-type]
        assert (server.held["type"], server.held["data"]) == ("Opaque", {"k": "b2xk"})
        assert server.held["metadata"] == {"name": "pull", "namespace": "project-a", "labels": {"a": "b"}}

    def test_says_when_it_is_gone(self) -> None:
        server = Script(TAKEN, None, *[DENIED] * 1_000_000)
        with pytest.raises(Refusal, match="^secret project-a/pull is gone: .*putting the old one back failed too"):
            recreate.carry_out(server, CHANGE)  # type: ignore[arg-type]

    def test_who_else_made_one_meanwhile_is_heard(self) -> None:
        server = Script(TAKEN, None, TAKEN)
        with pytest.raises(AlreadyExists):
            recreate.carry_out(server, CHANGE)  # type: ignore[arg-type]
