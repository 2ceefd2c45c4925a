# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each cell of the table of endings in the guide: a check of pulls fails, or passes and reports it. No cell passes in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.endings import (
    SILENT,
    Ending,
    guarded,
    guarded_nodes,
    pruned,
    reported,
    retired,
    rules_without_registries,
    stated,
    supposed,
)
from support.rotations import decide, found
from support.small_registry import SmallRegistry, small_registry

GUIDE = Path(__file__).parents[2] / "docs" / "docsite" / "rst" / "before_a_change.rst"
COLUMNS = ("a pull breaks", "not known", "not asked", "not applied", "not read")
PLAIN, STRICT = "what_if", "what_if_strict"


@dataclass(frozen=True)
class Place:
    """Where a state is produced: the registry, a directory, and the images whose registry answers and does not."""

    registry: str
    directory: Path

    @property
    def needed(self) -> str:
        return f"{self.registry}/team/app:v1"

    @property
    def silent(self) -> str:
        return f"{SILENT}/team/app:v1"


@dataclass(frozen=True)
class Cell:
    """`fails` and `passes` are the states of a cell, each with a part of the text that it prints."""

    row: str
    column: str
    fails: tuple[tuple[Callable[[Place], Ending], str], ...] = ()
    passes: tuple[tuple[Callable[[Place], Ending], str], ...] = ()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with small_registry() as registry:
        assert isinstance(registry, SmallRegistry)
        yield Place(registry.host, tmp_path)


def what_if(*, image: str = "needed", denied: str = "", **options: Any) -> Callable[[Place], Ending]:
    return lambda place: Ending.of(supposed(place.registry, getattr(place, image), denied, **options))


def audit(**state: Any) -> Callable[[Place], Ending]:
    return lambda place: reported(place.directory, **state)


def guard(kind: str, image: str = "needed", denied: str = "") -> Callable[[Place], Ending]:
    return lambda place: guarded(place.registry, kind, getattr(place, image), denied)


def nodes(kind: str, image: str = "needed", denied: str = "") -> Callable[[Place], Ending]:
    return lambda place: guarded_nodes(place.registry, kind, getattr(place, image), denied)


def retire(kind: str, image: str = "needed", denied: str = "", **how: Any) -> Callable[[Place], Ending]:
    return lambda place: retired(place.registry, getattr(place, image), kind, denied, **how)


def checked(role: str, file: str, **variables: Any) -> Callable[[Place], Ending]:
    return lambda _place: stated(role, file, **variables)


def rest(**given: Any) -> Callable[[Place], Ending]:
    """The end of a rotation that has found these secrets."""
    return lambda _place: Ending.of_step(decide("rest", **given))


#: An inventory whose prune removes more than `max_prune` allows.
DECLARED_TOO_LITTLE = {
    "declared": {"secrets": [], "links": [], "grants": [], "owner": "a", "prune": True, "prune_everything": True,
                 "max_prune": "0"},
}  # fmt: skip
NODES = {
    "namespace": "openshift-config",
    "name": "pull-secret",
    "exists": True,
    "supported": True,
    "overridden": [],
    "notes": [],
}
ASKED = {"global_pull_secret_remove": ["old.example.com"]}
PAUSED = {**NODES, "cluster_kind": "standalone", "pools": [{"name": "worker", "paused": True}]}
LEFT = {"namespace": "a", "secret": "pull", "location": "auths", "reason": "its owner restored it"}
UNREAD = "the caller may not list secrets in namespace b"
CELLS = [
    Cell("what_if", "a pull breaks",
         fails=((what_if(fail_on="would_break"), "found 1 container with an answer of option 'fail_on'"),),
         passes=((what_if(), "web"),)),
    Cell("what_if", "not known",
         fails=((what_if(image="silent", fail_on="unknown"), "found 1 container with an answer of option 'fail_on'"),),
         passes=((what_if(image="silent", fail_on="would_break"), "is not known"),)),
    Cell(
        "what_if",
        "not asked",
        fails=((what_if(ask_registries=False, fail_on="would_break"), "the registries of 1 container were not asked"),),
        passes=((what_if(ask_registries=False, fail_on="certain_break"), "ask_registries"),),
    ),
    Cell("what_if", "not applied",
         fails=((what_if(changes=[DECLARED_TOO_LITTLE], fail_on="certain_break"),
                "1 part of the inventory would not be applied"),),
         passes=((what_if(changes=[DECLARED_TOO_LITTLE]), "1 part of the inventory would not be applied"),)),
    Cell("what_if", "not read",
         fails=((what_if(denied="deployments", fail_on="unknown"),
                "could not be read, so their containers are not known"),),
         passes=((what_if(denied="deployments", fail_on="would_break"), "could not be read"),)),
    Cell("audit", "a pull breaks",
         fails=((audit(rule="secret-type-dead", fail_on="error"), "1 error in 1 of 1 cluster"),),
         passes=((audit(rule="secret-type-dead", fail_on="never"), ""),)),
    Cell("audit", "not known",
         fails=((audit(rule="pod-older-than-link", fail_on="info"), "1 info in 1 of 1 cluster"),),
         passes=((audit(rule="pod-older-than-link", fail_on="error"), ""),)),
    Cell("audit", "not asked", passes=((lambda _place: rules_without_registries(), "applied: "),)),
    Cell("audit", "not applied",
         fails=((audit(missing=True, fail_on="error"), "not everything could be read: west: connection refused"),),
         passes=((audit(missing=True, fail_on="error", allow_unread=True), ""), (audit(missing=True), ""))),
    Cell("audit", "not read",
         fails=((audit(unreadable=("the pods of b could not be read",), fail_on="error"),
                "east: the pods of b could not be read. Give"),),
         passes=((audit(unreadable=("x",), fail_on="error", allow_unread=True), ""), (audit(unreadable=("x",)), ""))),
    Cell("guard", "a pull breaks", fails=((guard(PLAIN), "found that these would no longer get their image"),)),
    Cell("guard", "not known",
         fails=((guard(STRICT, "silent"), "it is not known whether these would still get their image"),),
         passes=((guard(PLAIN, "silent"), "it is not known whether the removals break 1 container"),)),
    Cell("guard", "not asked",
         fails=((guard(STRICT, "silent"), "it is not known whether these would still get their image"),),
         passes=((guard(PLAIN, "silent"), "it is not known whether the removals break 1 container"),)),
    Cell("guard", "not applied", fails=((lambda _place: pruned("0"), "max_prune"),),
         passes=((lambda _place: pruned("100%"), ""),)),
    Cell("guard", "not read",
         fails=((guard(STRICT, denied="deployments"), "option 'guard' could not check the removals"),),
         passes=((guard(PLAIN, denied="deployments"), "the workloads of 1 namespace are not known"),)),
    Cell("global_pull_secret", "a pull breaks",
         fails=((nodes(PLAIN), "found that these would no longer get their image"),)),
    Cell("global_pull_secret", "not known",
         fails=((nodes(STRICT, "silent"), "it is not known whether these would still get their image"),),
         passes=((nodes(PLAIN, "silent"), "it is not known whether the removals break 1 container"),)),
    Cell("global_pull_secret", "not read",
         fails=((nodes(STRICT, denied="deployments"), "could not check the removals: the pods or workloads"),),
         passes=((nodes(PLAIN, denied="deployments"), "the workloads of 2 namespaces are not known"),)),
    Cell("global_pull_secret", "not asked",
         fails=((checked("global_pull_secret", "main", **ASKED,
                         __global_pull_secret_before={**PAUSED, "cluster_kind": "hosted", "pools": []},
                         global_pull_secret_guard=PLAIN), "global_pull_secret_guard does not know its effect"),)),
    Cell("global_pull_secret", "not applied",
         fails=((checked("global_pull_secret", "main", **ASKED, __global_pull_secret_before=PAUSED,
                         __global_pull_secret_plan={"summary": {"changed": 1}}),
                "machines of paused pools would not get it: worker"),),
         passes=((checked("global_pull_secret", "main", **ASKED,
                          __global_pull_secret_before={**PAUSED, "notes": ["pool worker is paused"]},
                          __global_pull_secret_plan={"summary": {"changed": 1}}, global_pull_secret_allow_paused=True),
                 "pool worker is paused"),)),
    Cell("rotate", "a pull breaks", fails=((retire(PLAIN), "workloads would no longer get their image without it"),)),
    Cell("rotate", "not known", fails=((retire(STRICT, "silent"), "it is not known whether workloads need it"),),
         passes=((retire(PLAIN, "silent"), "need the old login, so they do not stop its retirement"),)),
    Cell("rotate", "not asked", fails=((retire(STRICT, verify=False), "it is not known whether workloads need it"),),
         passes=((retire(PLAIN, verify=False), "need the old login, so they do not stop its retirement"),)),
    Cell("rotate", "not applied",
         fails=((rest(_seen=found(remaining=[LEFT])), "do not disable the old login yet: it is still in 1 place"),),
         passes=((rest(_seen=found(remaining=[LEFT]), allow=["remaining"]), ""),)),
    Cell("rotate", "not read",
         fails=((rest(_seen=found(unreadable_secrets=[UNREAD])), UNREAD), (retire(STRICT, denied="deployments"),
                                                                           "it is not known whether workloads need it")),
         passes=((retire(PLAIN, denied="deployments"), "Workloads that need the old login can be missed"),)),
]  # fmt: skip


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.row}-{cell.column}".replace(" ", "-"))
def test_a_check_ends_as_the_guide_says(place: Place, cell: Cell) -> None:
    for state, text in cell.fails:
        ending = state(place)
        assert ending.failed and text in ending.text, ending
    for state, text in cell.passes:
        ending = state(place)
        assert not ending.failed and text in ending.text, ending


def test_an_audit_without_questions_does_not_claim_that_signatures_are_there() -> None:
    assert "image-unsigned" not in rules_without_registries().text


def table() -> dict[tuple[str, str], str]:
    """Return the cells of the guide, by the first word of the row and the column."""
    section = GUIDE.read_text(encoding="utf-8").partition("How each check ends\n")[2]
    rows = [re.split(r"\n     - ", f"\n     - {row}") for row in section.partition("\n   * - ")[2].split("\n   * - ")]
    (_empty, _check, *columns), *others = ([" ".join(cell.split()) for cell in row] for row in rows)
    assert tuple(columns) == COLUMNS
    return {
        (row[1].split()[0].strip("`:"), column): cell
        for row in others
        for column, cell in zip(columns, row[2:], strict=True)
    }


def test_the_guide_has_exactly_these_cells() -> None:
    found, cells = table(), {(cell.row, cell.column): cell for cell in CELLS}
    assert found.keys() == cells.keys()
    for key, cell in cells.items():
        assert bool(cell.fails) == ("fails" in found[key]), (key, found[key])
        assert bool(cell.passes) == ("passes" in found[key]), (key, found[key])
