# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Laws of what-if answers that hold for every cluster and every change."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.discovery.lookup_reader import QUESTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.chain import explain
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.lookup import Lookup
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import (
    PULLS,
    UNKNOWN,
    WILL_NOT_PULL,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import (
    IMAGE_QUESTION,
    ImageQuestion,
)
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from support.supposed_changes import mirror_set
from support.supposed_worlds import (
    CHANGES,
    HIDDEN,
    LOGIN,
    LOSSES,
    NO_AUTHORITIES,
    OWN_AUTHORITY,
    REALMS,
    REMOVED_GRANTS,
    WORLDS,
    World,
    answer_usually,
    lists_of_changes,
    rows_with_answers,
    verdicts_of,
)
from support.surveyed import deployment, place

Change = Mapping[str, Any]

IMAGES = ("q.io/team/app:v1", "q.io/team/app:v1")
INTEGRATED = "image-registry.openshift-image-registry.svc:5000/b/app:v1"
NEW_NODES = {"new_nodes": True}
EQUAL_CHANGES: Sequence[Callable[[World], Sequence[Change]]] = (
    lambda _world: [{"remove_secrets": {"name": "no-such-secret"}}],
    lambda _world: [{"remove_links": {"secrets": ["no-such-secret"]}}],
    lambda _world: [{"remove_credential": {"registry": "q.io", "username": "nobody"}}],
    lambda _world: [{"unreachable_registries": ["elsewhere.io"]}],
    lambda _world: [{"unreachable_registries": ["q.io/elsewhere"]}],
    lambda _world: [{"moved": {"q.io/elsewhere": "r.io", "r.io/tea": "q.io/tea"}}],
    lambda _world: [{"delete_objects": {"kind": "ClusterImagePolicy", "names": ["no-such-policy"]}}],
    lambda world: [{"add_objects": {"definition": [each]}} for each in (*world.mirrors, *world.policies)],
)


def _after(world: World, *changes: Change, asks: bool) -> dict[tuple[str, str], tuple[str, str]]:
    """The verdicts of all pulls: new nodes affect each of them, and change none of these."""
    return verdicts_of(rows_with_answers(world.survey(), *changes, NEW_NODES, asks=asks))


@pytest.mark.parametrize("make", EQUAL_CHANGES)
@settings(max_examples=20)
@given(world=WORLDS, asks=st.booleans())
def test_a_change_that_changes_nothing_affects_no_pull_and_asks_no_registry(
    make: Callable[[World], Sequence[Change]], world: World, asks: bool
) -> None:
    """Except for the host that gives out its tokens, if the network changes."""
    questions = []

    def answer(ref: ObjectRef, evidence: Lookup) -> Any:
        questions.extend([ref] if ref.kind in QUESTIONS and not _is_about_tokens(ref) else [])
        return answer_usually(ref, evidence)

    rows = rows_with_answers(world.survey(), *make(world), asks=asks, answer=answer)
    assert [row.answer for row in rows] == ["not_affected"] * 2
    assert questions == []


@settings(max_examples=20)
@given(world=WORLDS, asks=st.booleans())
def test_new_nodes_change_no_verdict(world: World, asks: bool) -> None:
    rows = rows_with_answers(world.survey(), NEW_NODES, asks=asks)
    assert len(rows) == 2
    for row in rows:
        found = row.deciding
        assert (found.after.verdict, found.after.reason) == (found.before.verdict, found.before.reason)
        assert (
            row.answer
            == {PULLS: "still_pulls", UNKNOWN: "unknown", WILL_NOT_PULL: "still_broken"}[found.before.verdict]
        )


@given(world=WORLDS, change=CHANGES, asks=st.booleans())
def test_a_pull_that_is_not_affected_keeps_its_verdict(world: World, change: Change, asks: bool) -> None:
    """If all registries are asked."""
    before, after = _after(world, asks=asks), _after(world, change, asks=asks)
    for row in rows_with_answers(world.survey(), change, asks=asks):
        key = row.ref.kind.kind, row.ref.name
        if row.answer == "not_affected":
            assert after[key][0] == before[key][0]


@given(world=WORLDS, change=st.one_of(CHANGES, LOSSES), hidden=st.sampled_from(HIDDEN))
def test_an_affected_pull_stays_affected_if_less_can_be_read(world: World, change: Change, hidden: str) -> None:
    known = {row.key: row.answer for row in rows_with_answers(world.survey(), change, asks=False)}
    for row in rows_with_answers(replace(world, hidden=hidden).survey(), change, asks=False):
        if row.answer == "not_affected":
            assert known[row.key] == "not_affected"


@given(world=WORLDS, change=CHANGES, asks=st.booleans())
def test_other_namespaces_never_change_an_answer(world: World, change: Change, asks: bool) -> None:
    """Whatever the images of their pods are. No registry is asked about them if the change concerns other namespaces, and not the nodes."""
    others = [place(f"n{at}", workloads=[deployment(image=f"host{at}.example.com/a:1")]) for at in range(3)]
    questions = []

    def answer(ref: ObjectRef, evidence: Lookup) -> Any:
        questions.extend([ref.name] if ref.kind in QUESTIONS and not _is_about_tokens(ref) else [])
        return answer_usually(ref, evidence)

    alone = rows_with_answers(world.survey(), change, asks=asks)
    among = rows_with_answers(world.survey(*others), change, asks=asks, answer=answer)
    assert [(row.key, row.answer) for row in among[:2]] == [(row.key, row.answer) for row in alone]
    is_of_nodes = bool(world.nodes) and "remove_credential" in change
    if not (is_of_nodes or {*change} & {"new_nodes", "only_registries", "add_objects", "delete_objects"}):
        assert [row.answer for row in among[2:]] == ["not_affected"] * 3
        assert not [name for name in questions if "example.com" in name]


@given(world=WORLDS)
def test_the_verdict_before_is_that_of_an_explanation(world: World) -> None:
    found = world.survey()
    for row in rows_with_answers(found, asks=False):
        alone = explain(row.deciding.subject, found.evidence)
        assert (row.deciding.before.verdict, row.deciding.before.reason) == (alone.verdict, alone.reason)


@given(world=WORLDS, asks=st.booleans())
def test_a_change_and_its_inverse_give_the_base(world: World, asks: bool) -> None:
    """An added object is deleted again, and deleted objects are added again."""
    new = mirror_set("tag", "new", "q.io", "r.io", never_source=True)
    changes = [{"add_objects": {"definition": [new]}}, {"delete_objects": {"kind": new["kind"], "names": ["new"]}}]
    for each in (*world.mirrors, *world.policies):
        changes.append({"delete_objects": {"kind": each["kind"], "names": [each["metadata"]["name"]]}})
        changes.append({"add_objects": {"definition": [each]}})
    assert _after(world, *changes, asks=asks) == _after(world, asks=asks)


@example(
    # The first state loses a login, and it is not known whether the other one works.
    world=World({"s0": {"q.io": "right"}, "s2": {"q.io": "robot"}}, ((), (), ("s0", "s2")), IMAGES, {}, [], [], {}, ()),
    earlier={"remove_secrets": {"name": "s0"}},
    later={"new_nodes": True},
    asks=False,
)
@given(world=WORLDS, earlier=CHANGES, later=CHANGES, asks=st.booleans())
def test_a_comparison_of_two_states_has_the_verdicts_of_each_state(
    world: World, earlier: Change, later: Change, asks: bool
) -> None:
    """The first state is that of an inventory, which has no mirrors. The second one would lose them. No inventory moves images."""
    assume(not {"add_objects", "moved"} & {*earlier} and "moved" not in later)
    rows = rows_with_answers(world.survey(), later, NEW_NODES, asks=asks, earlier=[earlier])
    before = {
        (row.ref.kind.kind, row.ref.name): (row.deciding.before.verdict, row.deciding.before.reason) for row in rows
    }
    assert before == _after(world, earlier, asks=asks)
    assert verdicts_of(rows) == _after(world, later, asks=asks)


@example(
    world=World({}, ((), (), ()), IMAGES, {}, [], [], {}, ()),
    changes=[{"unreachable_registries": ["q.io/team"]}, {"unreachable_registries": ["q.io/team/app"]}],
    asks=False,
)
@given(world=WORLDS, changes=lists_of_changes(2, 3), asks=st.booleans())
def test_the_order_of_independent_changes_does_not_matter(world: World, changes: list[Change], asks: bool) -> None:
    objects = [_object_of(each) for each in changes]
    assume(len(set(objects)) == len(objects))
    expected = _after(world, *changes, asks=asks)
    assert all(_after(world, *order, asks=asks) == expected for order in permutations(changes))


@given(world=WORLDS, change=st.one_of(CHANGES, LOSSES))
def test_an_answer_without_registries_is_not_better_than_theirs(world: World, change: Change) -> None:
    """Of a pull that works today. Of others, it assumes that their logins work."""
    asked, unasked = (
        {row.key: row for row in rows_with_answers(world.survey(), change, asks=asks)} for asks in (True, False)
    )
    for key, row in unasked.items():
        if row.answer == "still_pulls" and asked[key].deciding.before.verdict == PULLS:
            assert asked[key].answer in ("still_pulls", "unknown")


@given(world=WORLDS, change=CHANGES, asks=st.booleans())
def test_a_change_that_is_made_twice_is_made_once(world: World, change: Change, asks: bool) -> None:
    assume("moved" not in change)
    assert _after(world, change, change, asks=asks) == _after(world, change, asks=asks)


@given(world=WORLDS, limits=st.booleans())
def test_a_registry_without_its_token_service_is_like_one_out_of_reach(world: World, limits: bool) -> None:
    """Each request of a node needs a token of it, with or without a login."""
    ((registry, realm),) = REALMS.items()
    every = ["r.io", "m.io", "a.s.io", "docker.io"]
    changes: Sequence[Change] = [{"unreachable_registries": [host]} for host in (registry, realm)]
    if limits:
        changes = [{"only_registries": [*every, host]} for host in (realm, registry)]
    lost, without = (_after(world, change, asks=True) for change in changes)
    _assert_alike(without, lost)


@given(world=WORLDS)
def test_a_registry_without_its_authority_is_like_one_out_of_reach(world: World) -> None:
    images = (f"{OWN_AUTHORITY}/team/app:v1", world.images[1])
    world = replace(world, has_authority=True, sources={}, images=images, nodes={OWN_AUTHORITY: "right"})
    lost = _after(world, {"unreachable_registries": [OWN_AUTHORITY]}, asks=True)
    without = _after(world, NO_AUTHORITIES, asks=True)
    _assert_alike(without, lost)


@given(world=WORLDS, removed=st.permutations(sorted(REMOVED_GRANTS)), number=st.integers(1, 2))
def test_removed_grants_give_the_cluster_without_them(world: World, removed: list[str], number: int) -> None:
    left = World(**{**vars(world), "grants": [each for each in world.grants if each not in removed[:number]]})
    changes = [REMOVED_GRANTS[each] for each in removed[:number]]
    assert _after(world, *changes, asks=False) == _after(left, asks=False)


@given(world=WORLDS, first=CHANGES, second=CHANGES, asks=st.booleans())
def test_a_pull_that_two_changes_break_names_one_of_them(
    world: World, first: Change, second: Change, asks: bool
) -> None:
    assume(not ("moved" in first and "moved" in second))
    for row in rows_with_answers(world.survey(), first, second, asks=asks):
        if row.answer == "would_break":
            assert set(row.deciding.causes) <= {0, 1}
            assert row.deciding.causes


@given(world=WORLDS, changes=lists_of_changes(2, 4), asks=st.booleans())
def test_the_named_changes_break_the_pull_without_the_others(world: World, changes: list[Change], asks: bool) -> None:
    for row in rows_with_answers(world.survey(), *changes, asks=asks):
        if row.answer == "would_break":
            named = [changes[at] for at in row.deciding.causes]
            again = {
                (each.ref, each.location): each.answer for each in rows_with_answers(world.survey(), *named, asks=asks)
            }
            assert again[row.ref, row.location] == "would_break"


@given(world=WORLDS, change=CHANGES, asks=st.booleans())
def test_a_change_that_breaks_a_pull_is_its_cause(world: World, change: Change, asks: bool) -> None:
    for row in rows_with_answers(world.survey(), change, asks=asks):
        assert row.deciding.causes == ((0,) if row.answer == "would_break" else ())


class TestTasks:
    """An offered task keeps the pull working if the changes are made after it, and takes nothing away before."""

    @given(world=WORLDS, changes=lists_of_changes(1, 2), asks=st.booleans())
    @example(
        # The deleted secret has a second login, and a list names it.
        world=World({"s0": {"q.io": "right", "r.io": "right"}}, (("s0",), (), ()), IMAGES, {}, [], [], {}, ()),
        changes=[{"remove_secrets": {"name": "s0"}}],
        asks=True,
    )
    @example(
        # The new secret would have the name of a deleted one.
        world=World({"pull-q-io": {"q.io": "right"}}, (("pull-q-io",), (), ()), IMAGES, {}, [], [], {}, ()),
        changes=[{"remove_secrets": {"name": "pull-q-io"}}],
        asks=True,
    )
    @example(
        # The new secret would have the name of one that is unlinked.
        world=World(
            {"pull-q-io": {"q.io": "right", "r.io": "right"}}, (("pull-q-io",), (), ()), IMAGES, {}, [], [], {}, ()
        ),
        changes=[{"remove_links": {"secrets": ["pull-q-io"]}}],
        asks=True,
    )
    @example(
        # A secret of the new name exists.
        world=World(
            {"s0": {"q.io": "right"}, "pull-q-io": {"r.io": "right"}}, (("s0",), (), ()), IMAGES, {}, [], [], {}, ()
        ),
        changes=[{"remove_links": {"secrets": ["s0"]}}],
        asks=True,
    )
    @example(
        # No link changes the list of the template.
        world=World({"s0": {"q.io": "right"}}, ((), (), ("s0",)), IMAGES, {}, [], [], {}, ()),
        changes=[{"remove_secrets": {"name": "s0"}}],
        asks=True,
    )
    @example(
        # The account may pull only by the removed grant.
        world=World({}, ((), (), ()), ("app:v1", INTEGRATED), {}, [], [], {}, ("one",)),
        changes=[REMOVED_GRANTS["one"]],
        asks=False,
    )
    def test_a_task_lasts_and_takes_nothing_away(self, world: World, changes: list[Change], asks: bool) -> None:
        for row in rows_with_answers(world.survey(), *changes, asks=asks):
            tasks = row.report()["fix"]
            if not tasks:
                continue
            done = _carry_out(world, tasks)
            for name, stored in world.secrets.items():
                assert {*(stored or {})} <= {*(done.secrets[name] or {})}
            assert {*world.nodes} <= {*done.nodes}
            is_linked = any("sa_link" in key for task in tasks for key in task)
            if row.ref.kind.kind == "Pod" and is_linked:
                assert "create the pod again" in row.report()["advice"]
                done = _create_pod_again(done)
            (again,) = [each for each in rows_with_answers(done.survey(), *changes, asks=asks) if each.ref == row.ref]
            assert again.deciding.after.reason != row.deciding.after.reason

    @given(world=WORLDS, changes=lists_of_changes(1, 2), asks=st.booleans())
    @example(
        # The account already links another secret with the login.
        world=World(
            {"s0": {"q.io": "right"}, "s1": {"q.io": "right"}}, (("s0", "s1"), ("s0",), ()), IMAGES, {}, [], [], {}, ()
        ),
        changes=[{"remove_secrets": {"name": "s0"}}],
        asks=True,
    )
    @example(
        # The template has a list of its own, which the account has as well.
        world=World(
            {"s0": {"r.io": "right"}, "s1": {"q.io": "right"}, "s2": {"q.io": "right"}},
            (("s0", "s1"), (), ("s0", "s2")), IMAGES, {}, [], [], {}, (),
        ),
        changes=[{"remove_secrets": {"name": "s2"}}],
        asks=True,
    )  # fmt: skip
    def test_a_task_changes_something_and_links_a_secret_that_exists(
        self, world: World, changes: list[Change], asks: bool
    ) -> None:
        for row in rows_with_answers(world.survey(), *changes, asks=asks):
            report, present = row.report(), {*world.secrets}
            for task in report["fix"]:
                ((_module, options),) = [item for item in task.items() if item[0] != "name"]
                present |= {options["name"]} if "name" in options else set()
                assert {*options.get("secrets", ())} <= present
                assert not {*options.get("secrets", ())} or not {*options["secrets"]} <= {*world.lists[0]}
            if not report["fix"] and report["advice"].startswith("after the changes, create the pod again"):
                (again,) = [
                    each
                    for each in rows_with_answers(_create_pod_again(world).survey(), *changes, asks=asks)
                    if each.ref == row.ref
                ]
                assert again.deciding.after.reason != row.deciding.after.reason


class TestMoreCredentials:
    """More credentials never break a pull, except where the kubelet's order says so.

    The kubelet tries one credential after the other (Kubernetes 1.36 pkg/kubelet/images/image_manager.go, pullImage). It stops at a secret
    that it cannot parse. It pulls without a login only if no credential matches, so a wrong login stops the pull of a public image.
    """

    @given(world=WORLDS, name=st.sampled_from(("s0", "s1", "s2")))
    def test_a_removed_secret_repairs_only_these_pulls(self, world: World, name: str) -> None:
        stored = world.secrets.get(name, {})
        for row in rows_with_answers(world.survey(), {"remove_secrets": {"name": name}}, asks=True):
            if row.answer == "would_work":
                is_wrong = stored is not None and {"wrong", "empty"} & {*stored.values()}
                assert stored is None or ("/public/" in row.image and is_wrong)

    @given(world=WORLDS, name=st.sampled_from(("s0", "s1", "s2")))
    def test_a_right_login_never_breaks_a_pull(self, world: World, name: str) -> None:
        """The deployment gets one more secret."""
        right = dict.fromkeys(("q.io", "r.io", "m.io", "*.s.io"), "right")
        linked, own, template = world.lists
        assume(name not in template)
        before = World(**{**vars(world), "secrets": {**world.secrets, name: right}})
        after = World(**{**vars(before), "lists": (linked, own, (*template, name) if template else template)})
        was, now = (_after(each, asks=True)["Deployment", "web"][0] for each in (before, after))
        assert (was, now) != (PULLS, WILL_NOT_PULL)

    def test_a_secret_that_nodes_cannot_parse_stops_every_pull(self) -> None:
        world = _world({"s0": {"q.io": "right"}, "s1": None}, ("s0", "s1"), "q.io/team/app:v1")
        (row,) = _rows_of_pod(world, {"remove_secrets": {"name": "s1"}})
        assert row.answer == "would_work"

    def test_a_wrong_login_stops_the_pull_of_a_public_image(self) -> None:
        world = _world({"s0": {"q.io": "wrong"}}, ("s0",), "q.io/public/app:v1")
        (row,) = _rows_of_pod(world, {"remove_secrets": {"name": "s0"}})
        assert row.answer == "would_work"

    @pytest.mark.parametrize("order", [("s0", "s1"), ("s1", "s0")], ids=str)
    def test_a_wrong_login_next_to_a_right_one_breaks_nothing(self, order: tuple[str, str]) -> None:
        world = _world({"s0": {"q.io": "wrong"}, "s1": {"q.io": "right"}}, order, "q.io/team/app:v1")
        (row,) = _rows_of_pod(world, {"remove_secrets": {"name": "s0"}})
        assert row.answer == "still_pulls"


def _assert_alike(found: Mapping[Any, tuple[str, str]], lost: Mapping[Any, tuple[str, str]]) -> None:
    """The verdicts are those for a registry out of reach. Nodes with old files may have another mirror for that."""
    for key, (verdict, reason) in found.items():
        expected = {lost[key][0], *({WILL_NOT_PULL} if "previous registry" in lost[key][1] else ())}
        assert verdict in expected, (key, verdict, reason, lost[key])


def _is_about_tokens(ref: ObjectRef) -> bool:
    return ref.kind == IMAGE_QUESTION and "/" not in ImageQuestion.of(ref).repository


def _carry_out(world: World, tasks: Sequence[Mapping[str, Any]]) -> World:
    """The cluster after the tasks, with a login that the registries accept."""
    secrets, nodes, (linked, own, template), grants = {**world.secrets}, {**world.nodes}, world.lists, [*world.grants]
    for task in tasks:
        ((module, options),) = [(name.rpartition(".")[2], value) for name, value in task.items() if name != "name"]
        if module == "pull_secret":
            written = {each["registry"]: LOGIN for each in options["registries"]}
            is_merge = options.get("mode") == "merge"
            if options["namespaces"] == ["a"]:
                kept = secrets.get(options["name"], {}) if is_merge else {}
                assert kept is not None, "a merge cannot read the secret"
                secrets[options["name"]] = {**kept, **written}
            else:
                nodes = {**(nodes if is_merge else {}), **written}
        elif module == "sa_link":
            linked = (*linked, *options["secrets"])
        else:
            assert module == "image_puller_grant"
            grants.append("one")
    changed = {"secrets": secrets, "nodes": nodes, "lists": (linked, own, template), "grants": grants}
    return World(**{**vars(world), **changed})


def _create_pod_again(world: World) -> World:
    """The cluster with a pod that has the present list of its account."""
    linked, _own, template = world.lists
    return replace(world, lists=(linked, linked, template))


def _world(secrets: Mapping[str, Any], own: tuple[str, ...], image: str) -> World:
    return World(secrets, ((), own, ()), (image, image), {}, (), (), {}, ())


def _rows_of_pod(world: World, change: Change) -> list[Any]:
    return [row for row in rows_with_answers(world.survey(), change, asks=True) if row.ref.kind.kind == "Pod"]


def _object_of(change: Change) -> str:
    """The object that a change concerns. Changes of the same one depend on each other."""
    ((kind, value),) = change.items()
    if kind == "add_objects":
        (added,) = value["definition"]
        return f"{added['kind']} {added['metadata']['name']}"
    if kind == "delete_objects":
        return f"{value['kind']} {value['names'][0]}"
    return f"{kind} {value}"
