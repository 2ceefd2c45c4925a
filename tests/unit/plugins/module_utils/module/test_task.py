# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a module turns validated options into a result, with a server on loopback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import pytest
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.clients.kube.errors import ClusterError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.changes import (
    NO_SELECTORS,
    NOTHING_RELATED,
    Desired,
    ListedBy,
    Plan,
    create,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.errors import ImagePullError, OptionError
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.namespaces import NamespaceSelector, Targets
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.objects import (
    SECRET,
    Kind,
    ObjectRef,
    Objects,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.core.redaction import HIDDEN
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.declarations.declare import (
    Contradiction,
    ListForm,
)
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.engine.result import NamespaceResult, Outcome
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module import task as secret_registry
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.options import CONNECTION_OPTIONS
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.module.task import Module, Task, execute
from support.certificates import loopback_certificate
from support.fake_api import FakeApi
from support.objects import b64, raised
from support.scripted_pool import status_object

from unit.listed_things import FORM, LISTED

FORBIDDEN = status_object(403, "Forbidden", "no")
BROKEN = status_object(500, "InternalError", "etcdserver: leader changed")


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def host(api: FakeApi) -> Iterator[str]:
    with api.served() as found:
        yield found


@pytest.fixture
def task(host: str, tmp_path: Path) -> Task:
    options: dict[str, Any] = dict.fromkeys(CONNECTION_OPTIONS)
    options |= {
        "host": host,
        "api_key": "token",
        "ca_cert": loopback_certificate(),
        "namespaces": ["a", "b"],
        "namespace_selector": None,
    }
    options |= {"concurrency": 2, "max_failures": None, "report_unchanged": None, "progress": True}
    return Task("ns.name.module", options, False, True, str(tmp_path), set())


@dataclass(frozen=True)
class Keep(Desired):
    warnings: tuple[str, ...] = ()
    kind: ClassVar[Kind] = SECRET
    listed_by: ClassVar[ListedBy] = NO_SELECTORS

    def names(self, _namespace: str) -> tuple[str, ...]:
        return ("keep",)

    def related(self, _namespace: str, _objects: Objects) -> Sequence[ObjectRef]:
        return ()

    def plan(self, namespace: str, objects: Objects, _found: Any = NOTHING_RELATED) -> Plan:
        if objects:
            return Plan(notes=("it is there",))
        return Plan((create(ObjectRef(SECRET, namespace, "keep"), {}, {}, {"new": True}),))


def form(desired: Keep | None = None) -> ListForm[Keep]:
    return ListForm(
        "keeps",
        "name",
        kind=SECRET,
        declare=lambda _options, _read_file: desired or Keep(),
        contradictions=lambda _declared: (),
    )


def reconcile(task: Task, given: ListForm[Keep]) -> dict[str, Any]:
    """Run a module that applies its declarations."""
    declared = task.declarations(given)
    with task.cluster() as run:
        return run.result(run.reconcile(run.batch(given, declared)))


NOTHING_SELECTED = "'namespace_selector' selects no namespace: compare it with 'kubectl get namespaces --show-labels'"


class TestReconciling:
    def test_reconciling_applies_the_options_and_returns_the_outcome(self, api: FakeApi, task: Task) -> None:
        api.put("secrets", "b", "keep")
        result = reconcile(task, form(Keep(warnings=("said before",))))
        assert result["changed"] is True
        assert [(entry["name"], entry["status"]) for entry in result["namespaces"]] == [
            ("a", "changed"),
            ("b", "unchanged"),
        ]
        assert result["diff"][0]["after"] == {"new": True}
        assert result["failures"] == []
        assert "failed" not in result
        assert task.warnings == ["said before", "it is there"]
        assert api.writes == ["POST /api/v1/namespaces/a/secrets"]
        headers = api.requests[-1].headers
        assert headers["User-Agent"].startswith("openshift_ops.image_pull/")
        assert headers["User-Agent"].endswith(" (ns.name.module)")
        assert headers["Authorization"] == "Bearer token"

    def test_check_mode_writes_nothing(self, api: FakeApi, task: Task) -> None:
        for name in ("a", "b"):
            api.put("namespaces", "", name)
        task.check_mode = True
        assert reconcile(task, form())["changed"] is True
        assert api.writes == []

    def test_a_failed_namespace_fails_the_task_by_name(self, api: FakeApi, task: Task) -> None:
        api.fail("POST /api/v1/namespaces/b/", FORBIDDEN)
        result = reconcile(task, form())
        assert result["failed"] is True
        assert result["msg"].startswith("ns.name.module failed in 1 of 2 namespaces: b: creating secret b/keep")
        assert result["summary"] == {"total": 2, "changed": 1, "unchanged": 0, "failed": 1, "skipped": 0, "retries": 0}

    def test_a_stopped_task_has_failed(self, api: FakeApi, task: Task) -> None:
        api.fail("POST", status_object(401, "Unauthorized", "Unauthorized"), times=10**9)
        result = reconcile(task, form())
        assert result["failed"] is True
        assert result["msg"].startswith("ns.name.module stopped: creating secret")


class TestEntries:
    """Many declarations in one task."""

    def reconcile(self, task: Task, *items: Any, desired: Keep | None = None) -> dict[str, Any]:
        task.params = {**task.params, "keeps": list(items)}
        return reconcile(task, form(desired))

    def test_each_entry_is_applied_in_its_own_namespaces(self, api: FakeApi, task: Task) -> None:
        api.put("namespaces", "", "c", metadata={"labels": {"team": "red"}})
        result = self.reconcile(
            task, {"namespaces": ["b"]}, {"name": "keep"}, {"namespace_selector": {"labels": "team=red"}}
        )
        assert [(entry["name"], entry["status"]) for entry in result["namespaces"]] == [
            ("b", "changed"),
            ("a", "changed"),
            ("c", "changed"),
        ]
        assert [entry["changes"][0]["entries"] for entry in result["namespaces"]] == [[0], [1], [2]]
        assert len(api.writes) == 3

    def test_warnings_name_their_entry(self, task: Task) -> None:
        desired = Keep(warnings=("careful",))
        self.reconcile(task, {"name": "one"}, {"namespaces": ["c"]}, desired=desired)
        assert task.warnings[:2] == ["keeps[0] (one): careful", "keeps[1]: careful"]

    def test_invalid_entries_are_refused_before_any_request(self, api: FakeApi, task: Task) -> None:
        with pytest.raises(OptionError, match=r"changed: keeps\[0\]: .*; keeps\[2\] \(x\): "):
            self.reconcile(task, {"namespaces": []}, {}, {"name": "x", "namespaces": ["A"]})
        assert api.asked == []

    def test_contradictory_entries_are_refused_before_any_write(self, api: FakeApi, task: Task) -> None:
        for name in ("a", "b"):
            api.put("namespaces", "", name, metadata={"labels": {"team": "red"}})
        task.params = {**task.params, "keeps": [{"namespaces": ["b"]}, {"namespace_selector": {"labels": "team=red"}}]}
        refusing = replace(form(), contradictions=lambda declared: [Contradiction(0, 1, "both")])
        assert raised(OptionError, lambda: reconcile(task, refusing)) == (
            "keeps[0] and keeps[1] contradict each other in namespace b: both. Nothing was changed"
        )
        assert [line.split("?")[0] for line in api.asked] == ["GET /api/v1/namespaces"]

    def test_namespaces_that_are_being_deleted_are_reported_once(self, api: FakeApi, task: Task) -> None:
        api.put("namespaces", "", "gone", metadata={"deletionTimestamp": "now"})
        selector = {"namespace_selector": {"include": ["gone"]}}
        result = self.reconcile(task, selector, selector, {"namespaces": ["a"]})
        assert [(entry["name"], entry["status"]) for entry in result["namespaces"]] == [
            ("a", "changed"),
            ("gone", "skipped"),
        ]
        assert task.warnings == []

    def test_an_entry_that_selects_nothing_is_named_in_the_warning(self, task: Task) -> None:
        pattern = {"namespace_selector": {"include": ["none-*"]}, "title": "of team-a"}
        names = {"namespace_selector": {"include": ["none"]}}
        self.reconcile(task, names, {"namespaces": ["a"]})
        assert task.warnings == [], "it was limited to some names, which may be other entries'"
        self.reconcile(task, {"namespaces": ["a"]}, pattern)
        self.reconcile(task, names, pattern)
        told = [warning for warning in task.warnings if NOTHING_SELECTED in warning]
        assert told == [f"of team-a: {NOTHING_SELECTED}", f"keeps[0], of team-a: {NOTHING_SELECTED}"]

    def test_max_failures_counts_all_namespaces(self, api: FakeApi, task: Task) -> None:
        api.fail("POST .*/namespaces/[abc]/", BROKEN, times=10**9)
        task.params = {**task.params, "max_failures": "50%", "concurrency": 1}
        result = self.reconcile(task, *({"namespaces": [name]} for name in "abcd"))
        assert result["summary"]["failed"] == 3


class TestOverNamespaces:
    def run(self, task: Task, *given: str) -> tuple[dict[str, Any], list[Any]]:
        """Return the result of a module that changes nothing, and its cluster, its namespaces and its settings."""
        with task.cluster(task.targets(given or None)) as run:
            result = run.result(Outcome([NamespaceResult(name, "unchanged") for name in run.namespaces]))
            return result, [run.cluster, run.namespaces, run.settings(wait_timeout=7.0)]

    def test_settings_come_from_the_options(self, task: Task) -> None:
        task.params = {**task.params, "max_failures": "70%", "concurrency": 3}
        task.say = print
        _result, (_cluster, namespaces, settings) = self.run(task)
        assert namespaces == ["a", "b"]
        assert (settings.check_mode, settings.concurrency, settings.wait_timeout) == (False, 3, 7.0)
        assert (settings.max_failures, settings.task, settings.say) == (1, "module", print)

    def test_an_invalid_max_failures_is_refused(self, task: Task) -> None:
        task.params = {**task.params, "max_failures": "few"}
        with pytest.raises(OptionError, match="^option 'max_failures': 'few' is neither"):
            self.run(task)

    def test_all_invalid_options_are_reported_together(self, api: FakeApi, task: Task) -> None:
        task.check_options()
        task.params = {**task.params, "max_failures": "few", "concurrency": 0, "timeout": -1, "namespaces": []}
        with pytest.raises(OptionError) as refused:
            task.check_options()
        assert [problem.split("'")[1] for problem in refused.value.problems] == [
            "namespaces",
            "max_failures",
            "concurrency",
            "timeout",
        ]
        assert api.asked == []

    def test_the_result_names_the_cluster(self, task: Task, host: str) -> None:
        assert self.run(task)[0]["server"] == host

    def test_given_namespaces_override_the_options(self, task: Task) -> None:
        result, _seen = self.run(task, "given")
        assert [found["name"] for found in result["namespaces"]] == ["given"]

    def test_missing_proxy_headers_are_not_set(self, task: Task) -> None:
        headers = {"proxy_basic_auth": None, "basic_auth": None, "user_agent": None}
        task.params = {**task.params, "proxy": None, "proxy_headers": headers}
        assert self.run(task)[1][1] == ["a", "b"]

    def test_progress_can_be_switched_off(self, task: Task) -> None:
        task.params = {**task.params, "progress": False}
        task.say = print
        assert self.run(task)[1][2].say is None

    def test_a_selector_is_resolved_on_the_cluster(self, api: FakeApi, task: Task) -> None:
        for name in ("team-b", "team-a", "other"):
            api.put("namespaces", "", name)
        api.put("namespaces", "", "team-gone", metadata={"deletionTimestamp": "now"})
        task.params = {**task.params, "namespaces": None, "namespace_selector": {"include": ["team-*"]}}
        result, seen = self.run(task)
        assert seen[1] == ["team-a", "team-b"]
        assert result["namespaces"][-1] == {
            "name": "team-gone",
            "changed": False,
            "status": "skipped",
            "changes": [],
            "reason": f"the namespace is being deleted on {task.params['host']}",
        }

    def test_a_selector_without_a_namespace_is_reported(self, task: Task) -> None:
        task.params = {**task.params, "namespaces": None, "namespace_selector": {"include": ["none"]}}
        assert self.run(task)[0]["summary"]["total"] == 0
        assert task.warnings == [NOTHING_SELECTED]

    def test_a_caller_who_may_not_list_namespaces_is_told_about_the_others(self, api: FakeApi, task: Task) -> None:
        """A selector is documented to select among the caller's projects. Without options, all namespaces are meant."""
        api.fail("GET /api/v1/namespaces", FORBIDDEN, times=9)
        api.put("projects", "", "mine")
        for selector, count in (({"include": ["*"]}, 0), (None, 1)):
            task.params = {**task.params, "namespaces": None, "namespace_selector": selector}
            with task.cluster(task.targets(everywhere=True)) as run:
                assert (run.namespaces, len(task.warnings)) == (["mine"], count)
                assert run.unlisted.startswith("listing namespaces")
        assert task.warnings[0].startswith("only the caller's own projects were read")

    @pytest.mark.parametrize("concurrency", [0, -1])
    def test_a_concurrency_below_1_is_refused_before_any_request(
        self, api: FakeApi, task: Task, concurrency: int
    ) -> None:
        task.params = {**task.params, "concurrency": concurrency}
        with pytest.raises(OptionError, match="^option 'concurrency' must be at least 1$"):
            self.run(task)
        assert api.asked == []

    def test_a_negative_time_is_refused(self, api: FakeApi, task: Task) -> None:
        name = "timeout"
        task.params = {**task.params, name: 0}
        self.run(task)
        task.params = {**task.params, name: -1}
        with pytest.raises(
            OptionError, match=f"^option '{name}' must not be negative: give seconds, or 0 to look once$"
        ):
            self.run(task)
        assert api.asked == []

    @pytest.mark.parametrize(("unchanged", "listed"), [(None, 2), (False, 0), (True, 2)])
    def test_report_unchanged_decides_which_namespaces_are_listed(
        self, task: Task, unchanged: Any, listed: int
    ) -> None:
        task.params = {**task.params, "report_unchanged": unchanged}
        assert len(self.run(task)[0]["namespaces"]) == listed

    def test_no_request_is_sent_after_the_end(self, task: Task) -> None:
        """A thread that is still working when a task ends early must not write any more."""
        _result, (cluster, _namespaces, _settings) = self.run(task)
        with pytest.raises(ClusterError):
            cluster.get(ObjectRef(SECRET, "a", "b"))

    def test_no_request_is_sent_after_an_early_end(self, api: FakeApi, task: Task) -> None:
        with pytest.raises(KeyboardInterrupt), task.cluster() as run:
            raise KeyboardInterrupt
        with pytest.raises(ClusterError):
            run.cluster.get(ObjectRef(SECRET, "a", "b"))
        assert api.asked == []


class TestAsking:
    """A module that works without namespaces."""

    def test_settings_need_only_the_connection_options(self, task: Task, host: str) -> None:
        options = {name: task.params[name] for name in CONNECTION_OPTIONS}
        bare = replace(task, name="openshift_ops.image_pull.ask", params={**options, "timeout": 5}, check_mode=True)
        with bare.cluster() as run:
            settings = run.settings(wait_timeout=5)
        assert (run.cluster.name, run.namespaces) == (host, [])
        assert (settings.check_mode, settings.wait_timeout, settings.task) == (True, 5, "ask")
        assert (settings.concurrency, settings.max_failures, settings.say) == (8, None, None)

    @pytest.mark.parametrize(("namespaces", "most"), [(None, 1), (0, 0), (4, 4)])
    def test_max_failures_counts_one_namespace_if_none_is_selected(
        self, task: Task, namespaces: int | None, most: int
    ) -> None:
        task.params = {**task.params, "max_failures": "100%"}
        with task.cluster() as run:
            assert run.settings(namespaces).max_failures == most


class TestExecute:
    def module(self, run: Any) -> Module:
        return Module({}, run, import_error=None)

    def test_execute_returns_the_result_of_the_module(self, task: Task) -> None:
        assert execute(self.module(lambda given: {"name": given.name}), task) == {"name": "ns.name.module"}

    def test_a_refusal_is_one_line(self, task: Task) -> None:
        def refuse(_task: Task) -> Any:
            raise ImagePullError("no")

        assert execute(self.module(refuse), task) == {"failed": True, "msg": "no"}


class TestRules:
    def test_exactly_one_namespace_option_is_required(self) -> None:
        rules = {"mutually_exclusive": [("x", "y")], "required_if": [("a", "b", ["c"])]}
        module = Module({"namespaces": {}}, lambda _task: {}, None, rules)
        both = ("namespaces", "namespace_selector")
        assert module.all_rules == {
            "mutually_exclusive": [("x", "y"), both],
            "required_one_of": [both],
            "required_if": [("a", "b", ["c"])],
        }
        assert rules["mutually_exclusive"] == [("x", "y")]

    def test_namespaces_may_be_given_in_the_entries_of_a_list(self) -> None:
        made = Module({"namespaces": {}}, lambda _task: {}, None, form=form())
        both = ("namespaces", "namespace_selector")
        assert made.all_rules == {"mutually_exclusive": [both], "required_one_of": [(*both, "keeps")]}

    def test_a_module_for_all_namespaces_requires_no_namespace_option(self) -> None:
        module = Module({"namespaces": {}}, lambda _task: {}, None, everywhere=True)
        assert module.all_rules == {"mutually_exclusive": [("namespaces", "namespace_selector")]}

    def test_a_task_without_a_namespace_option_means_all_namespaces(self, task: Task) -> None:
        nowhere = replace(task, params={"namespaces": None, "namespace_selector": None})
        for system in (False, True):
            selector = NamespaceSelector(include=("*",), system=system)
            assert nowhere.targets(everywhere=True, system=system) == selector
        assert nowhere.targets(everywhere=True) == nowhere.targets(everywhere=True, system=False)
        assert task.targets(everywhere=True) == task.targets() == Targets(["a", "b"])
        with pytest.raises(OptionError, match="give one of the options 'namespaces' and 'namespace_selector'"):
            nowhere.targets()
        somewhere = replace(nowhere, params={"namespaces": None, "namespace_selector": {"labels": "a=b"}})
        assert somewhere.targets(everywhere=True) == NamespaceSelector(labels="a=b")

    def test_a_module_without_namespaces_has_only_its_own_rules(self) -> None:
        assert Module({}, lambda _task: {}, None).all_rules == {}

    def test_only_the_page_leaves_the_options_of_entries_to_other_pages(self) -> None:
        module = Module(LISTED, lambda _task: {}, None, lists=[FORM])
        things = {"type": "list", "elements": "dict", "no_log": False}
        assert module.arguments_of_page == {**LISTED, "things": things}
        assert replace(module, form=FORM, lists=()).arguments_of_page == LISTED

    def test_lists_within_other_options_are_left_to_other_pages_and_checked(self) -> None:
        nested = {"type": "list", "elements": "dict", "options": {"one": {"type": "dict", "options": LISTED}}}
        module = Module({"around": nested, "more": {"type": "str"}}, lambda _task: {}, None, lists=[FORM])
        (page,) = [module.arguments_of_page["around"]["options"]["one"]["options"]["things"]]
        assert page == {"type": "list", "elements": "dict", "no_log": False}
        assert module.arguments_of_page["more"] == {"type": "str"}
        given = {"around": [{"one": {"things": [{"colr": "canary"}]}}], "more": "x"}
        problems = module.problems(given)
        assert problems.startswith("option 'around[0].one': nothing was read or changed: ")
        assert "colr is unknown" in problems
        assert "canary" not in problems
        assert module.problems({"around": [{"one": None}], "more": "x"}) == ""


class TestSecrets:
    def test_the_cluster_login_is_masked_and_registered(self, task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
        registered: set[str] = set()
        monkeypatch.setattr(secret_registry, "register_secrets", registered.update)
        with task.cluster() as run:
            assert run.cluster.get(ObjectRef(SECRET, "a", "keep")) is None
        assert {"token", b64("token")} <= task.secrets & registered

    def test_credentials_of_users_are_masked_only_in_the_result(
        self, task: Task, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Otherwise users could choose words that are hidden in the log."""
        registered: set[str] = set()
        monkeypatch.setattr(secret_registry, "register_secrets", registered.update)
        task.hide_in_result('{"auths": {"a.io": {"username": "u", "password": "failed"}}}')
        task.hide('{"auths": {"a.io": {"username": "u", "password": "canary"}}}')
        assert {"failed", "canary"} <= task.secrets
        assert "canary" in registered and "failed" not in registered


class TestShow:
    def test_show_unmasks_parts_of_names_and_no_other_secret(self, task: Task) -> None:
        task.hide('{"auths": {"a.io": {"username": "u", "password": "payments"}, "b.io": {"auth": "dTpjYW5hcnk="}}}')
        task.show(["team-payments", "default"])
        assert "payments" not in task.secrets
        assert {"canary", "dTpjYW5hcnk="} <= task.secrets


class TestReadFile:
    def test_credentials_of_a_file_are_masked_after_it_is_read(self, task: Task, tmp_path: Path) -> None:
        path = tmp_path / "auth.json"
        path.write_text('{"auths": {"quay.io": {"username": "u", "password": "canary-password"}}}')
        assert task.read_file(str(path)) == path.read_text()
        assert "canary-password" in task.secrets

    def test_a_path_begins_at_home_and_contains_no_environment_variable(
        self, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "auth.json").write_text("{}")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("IMAGE_PULL_AUTH_FILE", str(tmp_path / "auth.json"))
        assert task.read_file("~/auth.json") == "{}"
        for path in ("$IMAGE_PULL_AUTH_FILE", "${IMAGE_PULL_AUTH_FILE}", "$HOME/auth.json"):
            with pytest.raises(OptionError, match="cannot be read on the host that runs the task: No such file"):
                task.read_file(path)

    def test_a_missing_file_is_reported(self, task: Task, tmp_path: Path) -> None:
        with pytest.raises(
            OptionError, match="^file '.*auth.json' cannot be read on the host that runs the task: No such file"
        ):
            task.read_file(str(tmp_path / "auth.json"))

    def test_a_missing_relative_path_is_reported_with_its_directory(
        self, task: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        with pytest.raises(
            OptionError,
            match=f"No such file or directory in {tmp_path}, where a relative path begins. Give the whole path, such as ",
        ):
            task.read_file("auth.json")


class TestHidden:
    """The value that a module returns on purpose is not masked. Everything around it is masked."""

    MODULE = Module({}, lambda task: {}, None, hidden=("auth_config",))

    def test_a_hidden_value_is_returned_without_masking(self) -> None:
        result = {"auth_config": {"auths": {"quay.io": "quay.io"}}, "msg": "quay.io", "changed": False}
        assert self.MODULE.mask_result(result, {"quay.io"}) == {**result, "msg": HIDDEN}

    def test_a_result_without_a_hidden_value_is_masked_completely(self) -> None:
        assert self.MODULE.mask_result({"registries": ["a quay.io"]}, {"quay.io"}) == {"registries": ["a ********"]}

    def test_a_module_without_hidden_values_is_masked_completely(self) -> None:
        module = Module({}, lambda task: {}, None)
        assert module.mask_result({"auth_config": "quay.io"}, {"quay.io"}) == {"auth_config": HIDDEN}
