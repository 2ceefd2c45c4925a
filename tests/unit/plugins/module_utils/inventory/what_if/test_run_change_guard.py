# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guard reads only if something is removed, and names the workload, the image and the step. tests/modules/test_guard.py has its judgements."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import Change
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import Refusal
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import POD, SECRET, ObjectRef
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.reconciliation import PlannedChanges
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import Clock as EngineClock
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.run import RunSettings
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.subjects import ContainerPull
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.explain.verdict import PullVerdict, Step
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.images.image_questions import RegistryAccess
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.evaluation import Comparison
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.rows import WhatIfRow
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.inventory.what_if.run_change_guard import (
    ARGUMENTS,
    ChangeGuard,
    GuardAccess,
    GuardJudgement,
    GuardScope,
    describe_broken,
    guard_access_of,
    has_removal,
    judge_effects,
)
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import translate_result
from support.fake_api import FakeApi
from support.scripted_pool import Clock, status_object

SECRET_REF = ObjectRef(SECRET, "a", "pull")
ACCESS = GuardAccess(RegistryAccess())
DELETED, ADDED = Change("delete", SECRET_REF, {}), Change("create", SECRET_REF, {})
UNAUTHORIZED = status_object(401, "Unauthorized", "Unauthorized")


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    api.put("namespaces", "", "a")
    return api


def settings(clock: Clock) -> RunSettings:
    return RunSettings(check_mode=False, concurrency=1, clock=EngineClock(clock.now, clock.sleep))


def guard(api: FakeApi, access: GuardAccess | None) -> ChangeGuard:
    clock = Clock()
    return ChangeGuard(api.cluster(clock), access, settings(clock))


class TestChangeGuard:
    def test_without_the_option_nothing_is_read_and_the_result_is_unchanged(self, api: FakeApi) -> None:
        it = guard(api, None)
        assert it.judge is None
        assert it.add_to(Outcome([])) == Outcome([])
        assert api.asked == []

    def test_a_change_that_only_adds_is_not_judged(self, api: FakeApi) -> None:
        it = guard(api, ACCESS)
        assert it.judge is not None
        assert it.judge(PlannedChanges([ADDED])) == {}
        assert it.add_to(Outcome([])).extra == {"guard": {"would_break": [], "unknown": 0}}
        assert api.asked == []

    def test_a_failing_cluster_is_a_refusal_that_names_the_option(self, api: FakeApi) -> None:
        api.fail("GET", UNAUTHORIZED, times=1000)
        judge = guard(api, ACCESS).judge
        assert judge is not None
        with pytest.raises(Refusal, match="no removal was made, because option 'guard' could not check") as caught:
            judge(PlannedChanges([DELETED]))
        assert "set 'guard: false'" in str(caught.value)
        assert api.writes == []


class TestRemovals:
    def test_without_removals_nothing_is_read(self, api: FakeApi) -> None:
        clock = Clock()
        scope = GuardScope(api.cluster(clock), ["a"], ACCESS, settings(clock))
        assert judge_effects(scope, {}, lambda _refused, _places: []).refused == {}
        assert api.asked == []

    def test_a_cluster_that_fails_after_the_namespaces_is_a_refusal(self, api: FakeApi) -> None:
        clock = Clock()
        scope = GuardScope(api.cluster(clock), ["a"], ACCESS, settings(clock))
        api.fail("GET", UNAUTHORIZED, times=1000)
        with pytest.raises(Refusal, match="no removal was made"):
            judge_effects(scope, {SECRET_REF: [SECRET_REF]}, lambda _refused, _places: [DELETED])


OPTIONS = {name: spec.get("default") for name, spec in ARGUMENTS.items()}


def row(
    name: str = "web",
    *,
    step: str = "",
    volume: str = "",
    image: str = "quay.io/team/app:v1",
    answer: str = "would_break",
) -> WhatIfRow:
    ref = ObjectRef(POD, "project-a", name)
    subject = ContainerPull(ref, "default", (), "" if volume else "app", image, volume=volume)
    steps = [Step("pull_secrets", "the secrets"), *([Step(step, "no", ok=False)] if step else [])]
    verdict = PullVerdict(subject, "will_not_pull", "no secret has a login", steps, step=step)
    return WhatIfRow(ref, subject.location, answer, Comparison(subject, verdict, verdict, (0,), (0,)), 1)


class TestOptions:
    def test_the_default_has_no_guard(self) -> None:
        assert guard_access_of(OPTIONS) is None

    def test_the_guard_asks_registries_with_the_options_of_the_task(self) -> None:
        more = {"registry_ca_cert": "/ca", "registry_validate_certs": False, "realm_hosts": ["a"]}
        found = guard_access_of({**OPTIONS, **more, "guard": "what_if"})
        assert found is not None
        access = found.registries
        assert (access.ca_cert, access.validate_certs, access.realm_hosts) == ("/ca", False, ("a",))
        assert access.timeout == 10.0

    @pytest.mark.parametrize(("guard", "is_strict"), [("what_if", False), ("what_if_strict", True)])
    def test_only_the_strict_guard_is_strict(self, guard: str, is_strict: bool) -> None:
        found = guard_access_of({**OPTIONS, "guard": guard})
        assert found is not None
        assert found.is_strict is is_strict


def change(action: Any = "update", **details: Any) -> Change:
    return Change(action, ObjectRef(SECRET, "project-a", "pull"), {}, details)


class TestHasRemoval:
    @pytest.mark.parametrize(
        "found",
        [
            change("delete"),
            change("replace"),
            change(registries={"added": [], "changed": {}, "removed": ["quay.io"]}),
            change(registries={"added": [], "changed": {"quay.io": ["password"]}, "removed": []}),
            change(lists={"secrets": {"removed": []}, "imagePullSecrets": {"removed": ["pull"]}}),
            change(revoked=["User jane"]),
        ],
    )
    def test_a_change_that_takes_something_away_has_a_removal(self, found: Change) -> None:
        assert has_removal(found)

    @pytest.mark.parametrize(
        "found",
        [
            change("create", registries={"added": ["quay.io"], "changed": {}, "removed": []}),
            change(registries={"added": ["quay.io"], "changed": {}, "removed": []}),
            change(lists={"imagePullSecrets": {"added": ["pull"], "removed": []}}),
            change(labels=["team"]),
        ],
    )
    def test_a_change_that_only_adds_has_none(self, found: Change) -> None:
        assert not has_removal(found)


class TestSentences:
    def test_a_refusal_names_workload_image_step_reason_and_the_way_on(self) -> None:
        text = describe_broken("secret project-a/pull was not removed", [row(step="network")])
        assert text.startswith("secret project-a/pull was not removed, because option 'guard' found")
        for part in (
            "pod project-a/web, container app, image quay.io/team/app:v1",
            "at step network: no secret has a login",
            "or set 'guard: false' to do it anyway",
        ):
            assert part in text

    def test_each_reason_of_unread_workloads_is_named_once(self) -> None:
        (text,) = GuardJudgement(unread={"c": "one", "a": "two", "b": "one"}).remarks
        assert text.endswith(
            "the workloads of 3 namespaces are not known, and option 'guard' refuses nothing because of that: a, b, c: one; two"
        )

    def test_a_refusal_because_of_unknown_containers_says_so(self) -> None:
        rows = [row("other", answer="unknown"), row()]
        assert describe_broken("it was not removed", rows) == describe_broken("it was not removed", [row()])
        assert describe_broken("secret project-a/pull was not removed", rows[:1]) == (
            "secret project-a/pull was not removed, because of option 'guard': it is not known whether these would still get their image: pod "
            "project-a/other, container app, image quay.io/team/app:v1. The reason for the first one is: no secret has a login. To do it "
            "anyway, set 'guard: what_if'"
        )

    def test_a_step_that_is_not_known_is_left_out(self) -> None:
        assert "at step" not in describe_broken("it was not removed", [row()])

    def test_an_image_volume_is_named(self) -> None:
        assert "pod project-a/web, volume models, image" in describe_broken(
            "it was not removed", [row(volume="models")]
        )

    def test_of_many_workloads_the_first_are_named(self) -> None:
        text = describe_broken("it was not removed", [row(f"web-{number}") for number in range(5)])
        assert "web-2" in text
        assert "web-3" not in text
        assert "and 2 more" in text

    def test_text_of_a_cluster_stays_on_one_line(self) -> None:
        assert "\n" not in describe_broken("it was not removed", [row(image="a\nb")])


class TestJudgement:
    def test_without_unknown_containers_there_is_no_remark(self) -> None:
        assert GuardJudgement({"one": [row()]}).remarks == ()

    def test_the_remark_has_the_number_and_the_first_containers(self) -> None:
        (text,) = GuardJudgement(unknown=[row(f"web-{number}") for number in range(5)]).remarks
        assert "whether the removals break 5 containers, and" in text
        assert "web-2" in text
        assert "web-3" not in text
        assert "and 2 more" in text

    def test_namespaces_whose_workloads_could_not_be_read_are_named_with_the_reason(self) -> None:
        unread = {f"project-{number}": "pods could not be read (no)" for number in range(5)}
        (text,) = GuardJudgement(unread=unread).remarks
        assert "the workloads of 5 namespaces are not known, and" in text
        assert text.endswith("project-0, project-1, project-2 and 2 more: pods could not be read (no)")

    def test_the_report_has_each_container_once(self) -> None:
        found = GuardJudgement(
            {"one": [row(step="network")], "two": [row(step="network")]}, [row("other", answer="unknown")]
        ).report()
        assert found == {
            "would_break": [
                {
                    "namespace": "project-a",
                    "kind": "Pod",
                    "name": "web",
                    "container": "app",
                    "volume": "",
                    "image": "quay.io/team/app:v1",
                    "step": "network",
                    "reason": "no secret has a login",
                    "fix": [],
                }
            ],
            "unknown": 1,
        }

    def test_the_report_counts_unknown_containers_because_of_which_a_removal_was_refused(self) -> None:
        found = GuardJudgement(
            {"one": [row("other", answer="unknown"), row()], "two": [row("other", answer="unknown")]}
        )
        assert [each["name"] for each in found.report()["would_break"]] == ["web"]
        assert found.report()["unknown"] == 1

    def test_a_later_judgement_adds_to_the_earlier_one(self) -> None:
        first = GuardJudgement({"one": [row()]}, [row("other")], {"a": "no"})
        later = GuardJudgement({"one": [row("next")], "two": [row()]}, [row("other"), row("more")], {"b": "no"})
        found = first.join(later)
        assert found.refused == {"one": [row(), row("next")], "two": [row()]}
        assert found.unknown == [row("other"), row("more")]
        assert found.unread == {"a": "no", "b": "no"}
        assert found.unlisted == ""

    def test_a_refused_list_of_one_judgement_is_that_of_both(self) -> None:
        refused = GuardJudgement(unlisted="refused")
        assert refused.join(GuardJudgement()).unlisted == GuardJudgement().join(refused).unlisted == "refused"


class TestRoles:
    def test_the_sentences_name_the_variable_of_a_role_instead_of_the_option(self) -> None:
        def told(**messages: Any) -> dict[str, Any]:
            return translate_result({"guard": "global_pull_secret_guard"}, {}, messages)

        remarks = GuardJudgement(unknown=[row()], unread={"project-a": "no"}).remarks
        found = told(msg=describe_broken("secret project-a/pull was not removed", [row()]), warnings=list(remarks))
        assert "because variable global_pull_secret_guard found" in found["msg"]
        assert found["msg"].endswith("or set global_pull_secret_guard: false to do it anyway")
        unknown = told(msg=describe_broken("it was not removed", [row(answer="unknown")]))["msg"]
        assert unknown.endswith("To do it anyway, set global_pull_secret_guard: what_if")
        assert len(found["warnings"]) == 2
        assert all("and variable global_pull_secret_guard refuses nothing" in each for each in found["warnings"])
