# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine gets one declaration for each namespace, even if several entries declare something for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    Desired,
    Entry,
    Failure,
    ListedBy,
    NamespaceNote,
    Plan,
    Prerequisite,
    Related,
    create,
    delete,
    update,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import (
    ImagePullError,
    Refusal,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    SERVICE_ACCOUNT,
    Kind,
    ObjectRef,
    Objects,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.batch import (
    Batch,
    Declaration,
    find_related,
    store_object,
    update_related,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.features.sa_link.pods import TRIMMED_POD

ROBOT = ObjectRef(SERVICE_ACCOUNT, "ns", "robot")

NONE = Plan()


@dataclass(eq=False)
class Asks:
    """Returns the plan of `work`, and records the arguments."""

    work: Callable[[Objects, Related], Plan] = lambda _objects, _found: NONE
    named: tuple[str, ...] = ()
    refers: tuple[ObjectRef, ...] = ()
    listed_by: ListedBy = field(default_factory=dict)
    seen: list[Any] = field(default_factory=list)
    kind: ClassVar[Kind] = SECRET
    objection = staticmethod(Desired.objection)

    def names(self, _namespace: str) -> tuple[str, ...]:
        return self.named

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return self.refers

    def plan(self, namespace: str, objects: Objects, found: Related) -> Plan:
        self.seen.append((namespace, dict(objects), dict(found)))
        return self.work(objects, found)


def entry(number: int) -> Entry:
    return Entry("secrets", number, f"name-{number}")


def batch(*desired: Asks) -> Batch[Asks]:
    return Batch(SECRET, {"ns": [Declaration(one, entry(number)) for number, one in enumerate(desired)]})


def ref(name: str) -> ObjectRef:
    return ObjectRef(SECRET, "ns", name)


def held(name: str, **more: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": "7"}, **more}


class TestReads:
    def test_batch_returns_the_declarations_of_a_namespace(self) -> None:
        one, two = Asks(), Asks()
        assert [declared.desired for declared in batch(one, two).declared("ns")] == [one, two]
        assert batch(one).declared("other") == ()

    def test_a_batch_is_made_of_one_declaration_for_several_namespaces(self) -> None:
        one = Asks()
        made = Batch.of_one(one, ["a", "b"])
        assert made.kind == SECRET
        assert list(made.namespaces) == ["a", "b"]
        assert made.declared("b") == (Declaration(one, None),)

    def test_the_batch_lists_every_name_once(self) -> None:
        assert batch(Asks(named=("b", "a")), Asks(named=("a", "c"))).names("ns") == ("b", "a", "c")

    @pytest.mark.parametrize("position", [0, 1])
    def test_the_batch_has_no_names_if_one_declaration_asks_for_all_objects(self, position: int) -> None:
        asks = [Asks(named=("a",)), Asks(named=("b",))]
        asks[position].named = ()
        assert batch(*asks).names("ns") == ()

    def test_the_batch_lists_every_related_reference_once(self) -> None:
        asks = [Asks(refers=(ROBOT, ref("x"))), Asks(refers=(ref("y"), ROBOT))]
        assert batch(*asks).related("ns", {}) == [ROBOT, ref("x"), ref("y")]

    def test_the_batch_lists_every_selector_once_in_the_given_order(self) -> None:
        both: ListedBy = {SECRET: ("type=b", "type=a"), SERVICE_ACCOUNT: ("",)}
        one, two = Asks(listed_by={SECRET: ("type=a",)}), Asks(listed_by=both)
        made = Batch(
            SECRET, {"a": [Declaration(one, entry(0))], "b": [Declaration(two, entry(1)), Declaration(one, entry(0))]}
        )
        assert made.listed_by == {SECRET: ("type=a", "type=b"), SERVICE_ACCOUNT: ("",)}


class TestPlan:
    def test_the_plan_of_the_only_declaration_is_unchanged(self) -> None:
        plan = Plan((create(ref("a"), {}, {}, {}),), (Prerequisite("it", 5),), ("note", "note"), {"extra": 1})
        assert Batch.of_one(Asks(lambda _objects, _found: plan), ["ns"]).plan("ns", {}) is plan

    def test_the_only_declaration_is_planned_whatever_is_left_out(self) -> None:
        plan = Plan((create(ref("a"), {}, {}, {}),))
        assert Batch.of_one(Asks(lambda _objects, _found: plan), ["ns"]).plan("ns", {}, without={None}) is plan

    def test_a_refusal_of_the_only_declaration_is_raised(self) -> None:
        def refuse(_objects: Objects, _found: Related) -> Plan:
            raise Refusal("no")

        with pytest.raises(Refusal, match="^no$"):
            Batch.of_one(Asks(refuse), ["ns"]).plan("ns", {})

    def test_a_refused_namespace_is_not_planned(self) -> None:
        asks = Asks()
        with pytest.raises(Refusal, match="^why$"):
            Batch(SECRET, {"ns": [Declaration(asks, entry(0))]}, {"ns": "why"}).plan("ns", {})
        assert asks.seen == []

    def test_the_only_entry_of_a_list_is_still_an_entry(self) -> None:
        made = batch(Asks(lambda _objects, _found: Plan((create(ref("a"), {}, {}, {}),), extra={"pods": []})))
        plan = made.plan("ns", {})
        assert [change.entries for change in plan.changes] == [(entry(0),)]
        assert plan.extra == {"entries": [{"entry": 0, "pods": []}]}

    def test_each_declaration_is_planned_on_the_result_of_the_previous_declarations(self) -> None:
        new = create(ref("new"), {"data": {"x": "1"}}, {}, {})
        edit = update(ref("old"), held("old"), {"data": {"y": "2"}}, {}, before={}, after={})
        gone = delete(ref("gone"), held("gone"), {}, {})
        account = update(ROBOT, held("robot"), {"secrets": [1]}, {}, before={}, after={})
        first, last = Asks(lambda _objects, _found: Plan((new, edit, gone, account))), Asks()
        given = {"old": held("old", data={"x": "1"}), "gone": held("gone"), "other": held("other")}
        found = {ROBOT: held("robot"), ref("third"): None}
        batch(first, last).plan("ns", given, found)
        assert first.seen == [("ns", given, found)]
        ((namespace, objects, related),) = last.seen
        assert namespace == "ns"
        assert sorted(objects) == ["new", "old", "other"]
        assert objects["old"]["data"] == {"x": "1", "y": "2"}
        assert objects["new"]["metadata"]["resourceVersion"] == "unwritten"
        assert related == {ROBOT: held("robot", secrets=[1]), ref("third"): None}
        assert sorted(given) == ["gone", "old", "other"], "what was observed is not touched"

    def test_updates_of_one_object_by_several_declarations_are_one_change(self) -> None:
        def append(objects: Objects, _found: Related) -> Plan:
            count = len(objects["a"].get("list", ()))
            patch = {"list": [*objects["a"].get("list", ()), count]}
            return Plan((update(ref("a"), objects["a"], patch, {}, before={}, after={}),))

        plan = batch(Asks(append), Asks(append), Asks(append)).plan("ns", {"a": held("a")})
        (change,) = plan.changes
        assert change.body["list"] == [0, 1, 2]
        assert change.entries == (entry(0), entry(1), entry(2))

    def test_changes_of_another_kind_come_last(self) -> None:
        """A pod that is restarted before the last link exists would miss it."""
        pods = [create(ObjectRef(SERVICE_ACCOUNT, "ns", name), {}, {}, {}) for name in ("x", "y")]
        first = Asks(lambda _objects, _found: Plan((create(ref("b"), {}, {}, {}), pods[0])))
        last = Asks(lambda _objects, _found: Plan((pods[1], create(ref("a"), {}, {}, {}))))
        assert [change.ref.name for change in batch(first, last).plan("ns", {}).changes] == ["b", "a", "x", "y"]

    def test_a_failed_entry_leaves_no_change_and_the_others_are_planned(self) -> None:
        def refuse(_objects: Objects, _found: Related) -> Plan:
            raise ImagePullError("no")

        first = Asks(lambda _objects, _found: Plan((create(ref("a"), {}, {}, {}),)))
        last = Asks(lambda _objects, _found: Plan((create(ref("b"), {}, {}, {}),)))
        plan = batch(first, Asks(refuse), last).plan("ns", {})
        assert [(change.ref.name, change.entries) for change in plan.changes] == [
            ("a", (entry(0),)),
            ("b", (entry(2),)),
        ]
        assert plan.failures == (Failure(entry(1), "no"),)
        assert list(last.seen[0][1]) == ["a"]

    def test_entries_without_login_are_skipped_and_the_others_are_planned(self) -> None:
        asks = [Asks(lambda _objects, _found, name=name: Plan((create(ref(name), {}, {}, {}),))) for name in "abc"]
        plan = batch(*asks).plan("ns", {}, without={entry(0): "why", entry(2): "why"})
        assert [(change.ref.name, change.entries) for change in plan.changes] == [("b", (entry(1),))]
        assert asks[1].seen == [("ns", {}, {})]
        assert (asks[0].seen, asks[2].seen) == ([], [])

    def test_a_note_about_a_namespace_names_the_entry(self) -> None:
        noted = Asks(lambda _objects, _found: Plan((), notes=(NamespaceNote("nothing matches"),)))
        notes = batch(noted, noted).plan("ns", {}).notes
        assert notes == (f"{entry(0)}: nothing matches", f"{entry(1)}: nothing matches")
        assert all(isinstance(note, NamespaceNote) for note in notes)

    def test_awaited_objects_are_listed_by_entry_and_notes_once(self) -> None:
        one = Asks(lambda _objects, _found: Plan((), (Prerequisite("x", 5),), ("n", "m"), {}))
        two = Asks(lambda _objects, _found: Plan((), (Prerequisite("y", 7),), ("m", "o"), {"exists": False}))
        plan = batch(one, two).plan("ns", {})
        assert plan.waiting_for == (Prerequisite("x", 5, entry(0)), Prerequisite("y", 7, entry(1)))
        assert plan.notes == ("n", "m", "o")
        assert plan.extra == {"entries": [{"entry": 1, "exists": False}]}
        assert (plan.changes, plan.failures) == ((), ())

    def test_a_plan_without_results_has_no_list_of_entries(self) -> None:
        assert batch(Asks(), Asks()).plan("ns", {}) == NONE


@dataclass(eq=False)
class Objector(Asks):
    """Objects to a secret that is left with `bad` data."""

    def objection(self, ref: ObjectRef, before: Any, after: Any, *, changed: bool) -> str:
        left = (after or {}).get("data") == {"bad": "1"}
        return f"{ref.namespace}: {'had it' if before else 'new'}, {'refused' if changed else 'known'}" if left else ""


class TestObjection:
    """An objection concerns the final state of an object after all entries, never a state between them."""

    BAD, GOOD = {"data": {"bad": "1"}}, {"data": {"bad": None, "good": "1"}}
    HELD = {"a": held("a", data={"bad": "1"})}

    @staticmethod
    def to(body: Any, name: str = "a") -> Objector:
        return Objector(lambda objects, _found: Plan((_change(objects, name, body),) if body else ()), named=(name,))

    def test_an_objection_refuses_the_only_declaration(self) -> None:
        with pytest.raises(Refusal, match="^ns: new, refused$"):
            Batch.of_one(self.to(self.BAD), ["ns"]).plan("ns", {})
        assert len(Batch.of_one(self.to(self.GOOD), ["ns"]).plan("ns", self.HELD).changes) == 1

    def test_an_objection_is_a_note_if_no_change_is_planned(self) -> None:
        assert Batch.of_one(self.to(None), ["ns"]).plan("ns", self.HELD).notes == ("ns: had it, known",)
        assert batch(self.to(None), self.to(None)).plan("ns", self.HELD).notes == ("ns: had it, known",)

    def test_an_objection_fails_the_last_entry_and_drops_only_the_writes_of_that_object(self) -> None:
        plan = batch(self.to(self.BAD), self.to(self.GOOD, "b"), self.to({"x": 1})).plan("ns", {})
        assert plan.failures == (Failure(entry(2), "ns: new, refused"),)
        assert [change.ref.name for change in plan.changes] == ["b"]

    def test_an_objection_fails_no_entry_that_has_already_failed(self) -> None:
        """Otherwise the entry whose write is dropped would be reported as done."""
        two = [Declaration(self.to(self.BAD), entry(0)), Declaration(self.to({"x": 1}), entry(1), "no login")]
        plan = Batch(SECRET, {"ns": two}).plan("ns", {})
        assert plan.changes == ()
        assert set(plan.failures) == {Failure(entry(1), "no login"), Failure(entry(0), "ns: new, refused")}

    def test_an_objection_ignores_the_state_between_two_entries(self) -> None:
        plan = batch(self.to(self.BAD), self.to(self.GOOD)).plan("ns", {})
        assert (len(plan.changes), plan.failures, plan.notes) == (1, (), ())


def _change(objects: Objects, name: str, body: Any) -> Any:
    seen = objects.get(name)
    return create(ref(name), body, {}, {}) if seen is None else update(ref(name), seen, body, {}, before={}, after={})


# --- The objects that a plan looked up are kept up to date while the engine writes

A, B, ALL = ObjectRef(TRIMMED_POD, "ns", "a"), ObjectRef(TRIMMED_POD, "ns", "b"), ObjectRef(TRIMMED_POD, "ns", "")

OTHER = ObjectRef(SECRET, "ns", "a")


def pod(name: str, version: str = "1") -> dict[str, Any]:
    return {"metadata": {"name": name, "resourceVersion": version}}


class TestRemember:
    def test_a_deleted_object_is_removed_from_every_list(self) -> None:
        found = {ALL: {"items": [pod("a"), pod("b")]}, B: pod("b"), OTHER: pod("a")}
        assert update_related(found, B, None) == {ALL: {"items": [pod("a")]}, B: None, OTHER: pod("a")}
        assert found[B] == pod("b"), "what was known before is not touched"

    def test_a_changed_object_is_known_in_its_new_state(self) -> None:
        found = {ALL: {"items": [pod("a"), pod("b")]}}
        assert update_related(found, A, pod("a", "2")) == {ALL: {"items": [pod("b"), pod("a", "2")]}}

    def test_an_object_that_was_not_looked_up_stays_unknown(self) -> None:
        assert update_related({}, A, pod("a")) == {}


class TestKnown:
    def test_an_object_is_known_by_itself_or_in_the_list_of_its_kind(self) -> None:
        assert find_related({A: pod("a", "2"), ALL: {"items": [pod("b"), pod("a")]}}, A) == pod("a", "2")
        assert find_related({ALL: {"items": [pod("b"), pod("a")]}}, A) == pod("a")

    def test_a_missing_or_unread_object_is_not_known(self) -> None:
        assert find_related({A: None, ALL: {"items": [pod("a")]}}, A) is None
        for found in ({}, {ALL: None}, {ALL: {}}, {ALL: {"items": [pod("b")]}}, {OTHER: pod("a")}):
            assert find_related(found, A) is None


class TestStored:
    def test_an_object_of_the_main_kind_is_stored_among_the_objects(self) -> None:
        objects, found = {"a": pod("a"), "b": pod("b")}, {OTHER: pod("a")}
        assert store_object(TRIMMED_POD, objects, found, A, pod("a", "2")) is found
        assert store_object(TRIMMED_POD, objects, found, B, None) is found
        assert store_object(TRIMMED_POD, objects, found, B, None) is found, "gone already"
        assert objects == {"a": pod("a", "2")}

    def test_an_object_of_another_kind_is_stored_among_the_related_objects(self) -> None:
        objects: dict[str, Any] = {"a": pod("a")}
        assert store_object(SECRET, objects, {A: pod("a")}, A, None) == {A: None}
        assert objects == {"a": pod("a")}
