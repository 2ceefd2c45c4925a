# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What-if answers about generated clusters agree with a node that is written without the code of the collection.

`IMAGE_PULL_WORLDS` sets the number of clusters, each with one change.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.documents import NOT_AFFECTED
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import (
    UNKNOWN,
    WILL_NOT_PULL,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import WhatIfRow
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from support.supposed_changes import image_config, mirror_set
from support.supposed_node import SupposedNode
from support.supposed_worlds import (
    CHANGES,
    LIKELY_WORLDS,
    LOSSES,
    REALMS,
    RESTARTS,
    RUNNING_WORLDS,
    World,
    rows_with_answers,
)

COUNT = int(os.environ.get("IMAGE_PULL_WORLDS", "250"))

Change = Mapping[str, Any]
ANSWERS = {
    (True, True): "still_pulls",
    (True, False): "would_break",
    (False, False): "still_broken",
    (False, True): "would_work",
}
#: The part of a reason that leaves an answer open: no object shows it.
OPEN = ("the nodes keep their previous registry and policy files", "a signature for images in")


def _world(
    image: str,
    stored: Mapping[str, str],
    nodes: Mapping[str, str] | None = None,
    mirrors: Sequence[Any] = (),
    search: Sequence[str] = (),
) -> World:
    """A cluster with a secret that the pods list."""
    sources = {"containerRuntimeSearchRegistries": search} if search else {}
    return World({"s0": stored}, ((), ("s0",), ("s0",)), (image, image), nodes or {}, mirrors, (), sources, ())


def _judged(world: World, change: Change, *, asks: bool) -> Iterator[tuple[WhatIfRow, bool, bool]]:
    """The rows about registries outside the cluster, with the results of the node before and after the change."""
    node = SupposedNode(world)
    later = node.after(change)
    for row in rows_with_answers(world.survey(), change, asks=asks):
        if ".svc:5000" not in row.image:
            yield row, _pulls(node, row), _pulls(later, row)


def _pulls(node: SupposedNode, row: WhatIfRow) -> bool:
    """The API server gives the list of the account to a new pod without a list of its own."""
    linked, own, template = node.world.lists
    return node.pulls(own if row.ref.kind.kind == "Pod" else template or linked, row.image)


#: Only the mirror has the image, and the change blocks it.
BLOCKED_MIRROR = example(
    world=_world(
        "q.io/lost/app:v1", {"q.io": "right"}, {"m.io": "right"}, [mirror_set("tag", "m", "q.io/lost", "m.io/team")]
    ),
    change={"add_objects": {"definition": [image_config(blockedRegistries=["m.io/team"])]}},
)
#: The source refuses the login, and a mirror serves the image.
REFUSED_AT_SOURCE = example(
    world=_world("q.io/team/app:v1", {"q.io": "right"}, {"m.io": "right"}, [mirror_set("tag", "m", "q.io", "m.io")]),
    change={"remove_credential": {"registry": "q.io", "username": "user"}},
)
#: The nodes need the token service of Docker Hub.
NO_TOKENS = example(
    world=_world("docker.io/team/app:v1", {"docker.io": "right"}), change={"unreachable_registries": ["auth.docker.io"]}
)
#: A search registry gets the login for Docker Hub.
REFUSED_AT_SEARCH = example(
    world=_world("team/app:v1", {"docker.io": "robot"}, search=["r.io"]),
    change={"remove_credential": {"registry": "r.io", "username": "robot"}},
)
#: The new search registry does not have the image.
OTHER_SEARCH = example(
    world=_world(
        "lost/app:v1",
        {"docker.io": "right"},
        search=["m.io"],
        mirrors=[mirror_set("tag", "m", "m.io/lost", "r.io/team")],
    ),
    change={"add_objects": {"definition": [image_config(containerRuntimeSearchRegistries=["q.io"])]}},
)
#: No object names the authority of the first new mirror, and the nodes have no login for the second.
UNTRUSTED_MIRROR = example(
    world=_world("q.io/lost/app:v1", {"q.io": "right"}, {"r.io": "right"}),
    change={"add_objects": {"definition": [mirror_set("tag", "copy", "q.io/lost", "r.io/team", "m.io/team")]}},
)
#: The registry refuses the login of the pod, and the entry of the nodes has none.
REFUSED_AND_EMPTY = example(
    world=_world("q.io/public/app:v1", {"q.io": "robot"}, {"q.io": "empty"}),
    change={"remove_credential": {"registry": "q.io", "username": "robot"}},
)
EXAMPLES = (
    UNTRUSTED_MIRROR,
    BLOCKED_MIRROR,
    REFUSED_AT_SOURCE,
    NO_TOKENS,
    REFUSED_AT_SEARCH,
    OTHER_SEARCH,
    REFUSED_AND_EMPTY,
)


def _with_examples(law: Any) -> Any:
    for each in EXAMPLES:
        law = each(law)
    return settings(max_examples=COUNT)(law)


@_with_examples
@given(world=LIKELY_WORLDS, change=st.one_of(CHANGES, LOSSES))
def test_answers_with_registries_are_those_of_the_node(world: World, change: Change) -> None:
    assume("remove_grants" not in change)
    for row, before, after in _judged(world, change, asks=True):
        said = f"{row.answer}, but {before} and then {after}: {row.image}: {row.deciding}"
        reasons = row.deciding.before.reason + row.deciding.after.reason
        if row.answer == NOT_AFFECTED:
            assert before == after or any(text in reasons for text in OPEN), said
        elif row.answer == "unknown":
            assert any(text in reasons for text in OPEN), said
        elif row.deciding.before.verdict == UNKNOWN:
            assert (row.answer, after) == ("would_break", False), said
        else:
            assert row.answer == ANSWERS[before, after], said


@_with_examples
@given(world=LIKELY_WORLDS, change=st.one_of(CHANGES, LOSSES))
def test_answers_without_registries_are_not_against_the_node(world: World, change: Change) -> None:
    """Without registries, a login is assumed to work. A pull that works today is judged rightly, or is unknown.

    A lost token service is left out: only registries name theirs, and a warning says so.
    """
    assume("remove_grants" not in change and not {*change.get("unreachable_registries", ())} & {*REALMS.values()})
    for row, before, after in _judged(world, change, asks=False):
        said = f"{row.answer}, but {before} and then {after}: {row.image}: {row.deciding}"
        reasons = row.deciding.before.reason + row.deciding.after.reason
        assert row.deciding.after.verdict != WILL_NOT_PULL or not after, said
        if row.answer == NOT_AFFECTED:
            assert before == after or any(text in reasons for text in OPEN), said
        elif before and row.answer != "unknown":
            assert row.answer == ANSWERS[before, after], said


@settings(max_examples=COUNT)
@given(world=RUNNING_WORLDS, changes=st.lists(RESTARTS, min_size=1, max_size=2, unique_by=str))
def test_answers_for_running_pods_are_those_of_each_kubelet(world: World, changes: Sequence[Change]) -> None:
    """The record of the kubelet is in no object. The answer is unknown exactly if it decides about the next start on the node."""
    assert world.kubelet is not None
    assume(world.kubelet.version != "v1.34.2" or not any("add_objects" in each for each in changes))
    node = later = SupposedNode(world)
    for each in changes:
        later = later.after(each)
    for row in rows_with_answers(world.survey(), *changes, asks=True):
        if row.ref.kind.kind != "Pod":
            continue
        listed = world.lists[1]
        starts = later.starts(node, listed, row.image)
        said = f"{row.answer}: {row.image}: {starts}: {row.deciding}"
        results = node.pulls(listed, row.image), later.pulls(listed, row.image)
        if world.pull_policy == "Never":
            results = True, True
        if results == (True, False):
            assert row.answer == "would_break", said
        elif (True, False) not in starts:
            assert row.answer in (ANSWERS[results], *([NOT_AFFECTED] if results[0] == results[1] else [])), said
        else:
            assert row.answer == ("unknown" if (True, True) in starts else "would_break"), said
