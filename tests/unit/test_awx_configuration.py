# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AWX accepts the configuration, and each rule about its meaning fails for a wrong configuration.

tests/awx proves that AWX's own modules accept it, and tests/runner that its jobs do their work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.openshift_ops.image_pull.plugins.module_utils.rbac.rights import JOBS
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.known_variables import (
    KNOWN,
    SHORT_NAMES,
    SURVEYS,
)
from support.awx_rules import (
    EXTENSION,
    PROJECT,
    accepted,
    asked_by,
    configuration,
    extra_variables,
    named,
    of_rrule,
    problems,
    run_workflow,
    survey_defaults,
    workflow_variables,
)
from support.playbook_variables import _members, all_files, reads

ROOT = Path(__file__).parents[2]
TASKS = yaml.safe_load((EXTENSION / "tasks" / "apply.yml").read_text())


TEMPLATES = [one["name"] for one in configuration()["controller_templates"]]
#: Variables of Ansible, of the controller and of the inventory, and variables that hold results.
OF_OTHERS = re.compile(r"(ansible_|awx_|image_pull_|__)|(hostvars|inventory_hostname|lookup|query|omit)$")


WITHOUT_A_CLUSTER = {"openshift_ops.image_pull.ocm_pull_secret_info"}


@pytest.fixture
def found() -> dict[str, Any]:
    return configuration()


def test_awx_accepts_the_whole_configuration(found: dict[str, Any]) -> None:
    assert problems(found) == []


def of(found: dict[str, Any], kind: str, name: str) -> dict[str, Any]:
    one: dict[str, Any] = named(found, f"controller_{kind}")[f"Image pull: {name}"]
    return one


def question(found: dict[str, Any], template: str, variable: str) -> dict[str, Any]:
    spec = of(found, "templates", template)["survey_spec"]["spec"]
    return next(one for one in spec if one["variable"] == variable)


def defaults_of(playbook: Path) -> Iterator[Any]:
    """Yield the module defaults of each play with tasks that connect to a cluster."""
    for play in yaml.safe_load(playbook.read_text()):
        modules = {name for task in play.get("tasks", ()) for name in task if name.startswith("openshift_ops.")}
        if "module_defaults" in play or modules - WITHOUT_A_CLUSTER:
            yield play["module_defaults"]


def given_by(template: dict[str, Any]) -> set[str]:
    """Return the variables that a job can receive from the template."""
    asked = {one["variable"] for one in template.get("survey_spec", {}).get("spec", ())}
    return asked | set(template.get("extra_vars", ()))


def answered(template: dict[str, Any]) -> set[str]:
    """Return the variables that each job has and that are not null. From ansible-core 2.19 on, a blank answer is null."""
    asked = template.get("survey_spec", {}).get("spec", ())
    return {one["variable"] for one in asked if one["required"]} | set(template.get("extra_vars", ()))


def node(found: dict[str, Any], identifier: str) -> dict[str, Any]:
    return next(one for one in found["controller_workflows"][0]["workflow_nodes"] if one["identifier"] == identifier)


def login(found: dict[str, Any]) -> dict[str, Any]:
    return of(found, "credential_types", "registry login")


#: One change for each rule, and the expected message.
BROKEN: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "two of one name": (lambda f: f["controller_projects"].append(f["controller_projects"][0]), "is there twice"),
    "a kind of AWX's own": (lambda f: login(f).update(kind="ssh"), "kind 'ssh' is not for custom types"),
    "dependencies": (lambda f: login(f)["inputs"].update(dependencies={}), "inputs have no 'dependencies'"),
    "a field twice": (lambda f: login(f)["inputs"]["fields"].append({"id": "username", "label": "x"}), "'username' is there twice"),
    "an unknown required": (lambda f: login(f)["inputs"]["required"].append("email"), "required 'email' is no field"),
    "an unknown key of a field": (lambda f: login(f)["inputs"]["fields"][0].update(hidden=True), "a field has no 'hidden'"),
    "a field named tower": (lambda f: login(f)["inputs"]["fields"][0].update(id="tower"), "'tower' is no id"),
    "a field without a label": (lambda f: login(f)["inputs"]["fields"][0].update(label=""), "'registry' has no label"),
    "a field of a type": (lambda f: login(f)["inputs"]["fields"][0].update(type="int"), "'registry' has no type 'int'"),
    "a secret boolean": (lambda f: login(f)["inputs"]["fields"][2].update(type="boolean"), "is boolean and cannot be secret"),
    "an unknown injector": (lambda f: login(f)["injectors"].update(environment={}), "injectors have no 'environment'"),
    "a file of another name": (lambda f: login(f)["injectors"]["file"].update(auth="x"), "'auth' is not named template"),
    "two files, one unnamed": (lambda f: login(f)["injectors"]["file"].update(template="x"), "must be the only file"),
    "a variable of AWX": (lambda f: login(f)["injectors"]["env"].update(JOB_ID="x"), "'JOB_ID' is not allowed"),
    "a variable of Ansible": (lambda f: login(f)["injectors"]["env"].update(ANSIBLE_CONFIG="x"), "'ANSIBLE_CONFIG' is not allowed"),
    "a variable that is no ASCII": (lambda f: login(f)["injectors"]["env"].update(X="é"), "not made of ASCII"),
    "an unknown field in a template": (lambda f: login(f)["injectors"]["env"].update(X="{{ e_mail }}"), "'e_mail' is undefined"),
    "an unknown file in a template": (lambda f: login(f)["injectors"]["env"].update(X="{{ tower.filename.other }}"), "'other'"),
    "a credential of no type": (lambda f: of(f, "credentials", "registries").update(credential_type="x"), "no credential type 'x'"),
    "a credential's unknown input": (lambda f: of(f, "credentials", "cluster")["inputs"].update(token="x"), "no field 'token'"),
    "a credential that is overwritten": (lambda f: of(f, "credentials", "cluster").update(state="present"), "must be 'exists'"),
    "no such project": (lambda f: of(f, "templates", "audit").update(project="x"), "no project 'x'"),
    "no such inventory": (lambda f: of(f, "templates", "audit").update(inventory="x"), "no inventory 'x'"),
    "no such environment": (lambda f: of(f, "templates", "audit").update(execution_environment="x"), "no execution_environment 'x'"),
    "no such credential": (lambda f: of(f, "templates", "audit")["credentials"].append("x"), "no credential 'x'"),
    "two of one type": (
        lambda f: (
            f["controller_credentials"].append({**of(f, "credentials", "cluster"), "name": "other"}),
            of(f, "templates", "audit")["credentials"].append("other"),
        ),
        "two credentials of the type",
    ),
    "an unknown job type": (lambda f: of(f, "templates", "audit").update(job_type="scan"), "job_type 'scan' is none"),
    "no such playbook": (lambda f: of(f, "templates", "audit").update(playbook="x.yml"), "has no playbook 'x.yml'"),
    "one cluster for many hosts": (lambda f: of(f, "templates", "audit").update(inventory="Image pull: clusters in the east"), "is for one cluster"),
    "any inventory for one cluster": (lambda f: of(f, "templates", "audit").update(ask_inventory_on_launch=True), "is for one cluster"),
    "free variables": (lambda f: of(f, "templates", "audit").update(ask_variables_on_launch=True), "have its credentials"),
    "any limit": (lambda f: of(f, "templates", "check many clusters").update(ask_limit_on_launch=True), "have its credentials"),
    "any inventory": (lambda f: of(f, "templates", "check many clusters").update(ask_inventory_on_launch=True), "have its credentials"),
    "another branch": (lambda f: of(f, "templates", "audit").update(ask_scm_branch_on_launch=True), "have its credentials"),
    "a workflow's free variables": (lambda f: f["controller_workflows"][0].update(ask_variables_on_launch=True), "have its credentials"),
    "a survey without a question": (lambda f: of(f, "templates", "audit")["survey_spec"].update(spec=[]), "has no question"),
    "a survey without a name": (lambda f: of(f, "templates", "audit")["survey_spec"].pop("name"), "survey has no 'name'"),
    "a survey that is off": (lambda f: of(f, "templates", "audit").update(survey_enabled=False), "is not enabled"),
    "no survey that is on": (lambda f: of(f, "templates", "failed").update(survey_enabled=True), "is enabled and has no question"),
    "two questions for one variable": (lambda f: question(f, "explain", "pod").update(variable="image"), "two questions for 'image'"),
    "a question without a type": (lambda f: question(f, "explain", "pod").pop("type"), "has no 'type'"),
    "a question of no type": (lambda f: question(f, "explain", "pod").update(type="list"), "has no type 'list'"),
    "a question that is half required": (lambda f: question(f, "explain", "pod").update(required="no"), "by true or false"),
    "a question for no variable": (lambda f: question(f, "explain", "pod").update(variable=True), "a variable that is no text"),
    "a limit that is no number": (lambda f: question(f, "explain", "pod").update(max="512"), "limit that is no whole number"),
    "no choices": (lambda f: question(f, "explain", "ask_registries").pop("choices"), "has no choices"),
    "choices that YAML reads as booleans": (lambda f: question(f, "explain", "ask_registries").update(choices=[True]), "that are no text"),
    "a default that is no choice": (lambda f: question(f, "explain", "ask_registries").update(default="maybe"), "is no choice"),
    "a number as text": (lambda f: question(f, "audit", "pull_access_audit_expires_within").update(default="14"), "not of its type"),
    "a number that is too large": (lambda f: question(f, "audit", "pull_access_audit_expires_within").update(default=9999), "too large"),
    "a password as text": (lambda f: question(f, "rotate a login", "rotate_new_password").update(type="text"), "not of the type password"),
    "a password by default": (lambda f: question(f, "rotate a login", "rotate_new_password").update(default="x"), "a password as its default"),
    "no such instance group": (lambda f: of(f, "inventories", "clusters in the east").update(instance_groups=["x"]), "no instance group 'x'"),
    "a source of no inventory": (lambda f: f["controller_inventory_sources"][0].update(inventory="x"), "no inventory 'x'"),
    "a source of no file": (lambda f: f["controller_inventory_sources"][0].update(source_path="x.yml"), "has no file 'x.yml'"),
    "two nodes of one identifier": (lambda f: node(f, "plan").update(identifier="verify"), "two nodes have one identifier"),
    "a way to nowhere": (lambda f: node(f, "failed").update(related={"success_nodes": [{"identifier": "x"}]}), "leads to 'x', which is none"),
    "a circle": (lambda f: node(f, "failed").update(related={"success_nodes": [{"identifier": "verify"}]}), "in a circle"),
    "always and on success": (lambda f: node(f, "verify")["related"].update(always_nodes=[{"identifier": "plan"}]), "always and on one outcome"),
    "an approval for ever": (lambda f: node(f, "approve")["unified_job_template"].update(timeout=0), "waits for ever"),
    "a node of no template": (lambda f: node(f, "audit")["unified_job_template"].update(name="x"), "which is no job template"),
    "a variable that is dropped": (lambda f: node(f, "audit")["extra_data"].update(x=1), "would not get"),
    "a prompt that is dropped": (lambda f: node(f, "audit").update(limit="x"), "gives 'limit'"),
    "an answer without a question": (
        lambda f: f["controller_workflows"][0]["survey_spec"]["spec"][0].update(variable="x"),
        "no node takes its variable 'x'",
    ),
    "a schedule of nothing": (lambda f: f["controller_schedules"][0].update(unified_job_template="x"), "no template 'x'"),
    "a schedule's dropped variable": (lambda f: f["controller_schedules"][2]["extra_data"].update(x=1), "does not ask for 'x'"),
    "a question with a default and no answer": (lambda f: f["controller_schedules"][0].pop("extra_data"), "question 'remove_undeclared'"),
    "a job that waits for ever": (lambda f: f["controller_instance_groups"][1].update(max_forks=40), "more forks than the instance group"),
    "a question without an answer": (
        lambda f: f["controller_schedules"][0].update(unified_job_template="Image pull: rotate a login"),
        "there is no answer to the required question 'rotate_new_password'",
    ),
    "a schedule without an interval": (
        lambda f: f["controller_schedules"][0].update(rrule="DTSTART:20260101T000500Z RRULE:FREQ=HOURLY"),
        "INTERVAL is required",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_each_rule_can_fail(found: dict[str, Any], case: str) -> None:
    change, said = BROKEN[case]
    change(found)
    assert any(said in sentence for sentence in problems(found)), problems(found)


@pytest.mark.parametrize(
    ("rrule", "said"),
    [
        ("RRULE:FREQ=DAILY;INTERVAL=1", "needs one DTSTART"),
        ("DTSTART:20260101T000000 RRULE:FREQ=DAILY;INTERVAL=1", "no time zone"),
        ("DTSTART:20260101T000000Z", "has no RRULE"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=DAILY;INTERVAL=1 EXDATE:20260102", "EXDATE is not allowed"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=SECONDLY;INTERVAL=1", "FREQ SECONDLY is not supported"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=MONTHLY;INTERVAL=1;BYDAY=1MO", "BYDAY with a number"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=5;UNTIL=20270101T000000Z", "do not go together"),
        ("DTSTART:20260101T000000Z RRULE:FREQ=DAILY;INTERVAL=1;COUNT=1000", "COUNT over 999"),
    ],
)
def test_each_rule_of_schedules_can_fail(rrule: str, said: str) -> None:
    assert any(said in sentence for sentence in of_rrule(rrule))


def test_a_time_in_a_zone_is_accepted() -> None:
    assert list(of_rrule("DTSTART;TZID=Europe/Berlin:20260101T020000 RRULE:FREQ=DAILY;INTERVAL=1")) == []


class TestALaunch:
    """AWX filters the variables that a user gives at launch."""

    def test_a_launch_passes_only_answers_of_the_survey(self, found: dict[str, Any]) -> None:
        given = {"audit_namespaces": "a", "image_pull_host": "x", "ansible_connection": "ssh"}
        assert accepted(of(found, "templates", "audit"), given) == {"audit_namespaces": "a"}
        free = {**of(found, "templates", "audit"), "ask_variables_on_launch": True}
        assert accepted(free, given) == given

    @pytest.mark.parametrize(
        ("variable", "answer"),
        [
            ("audit_namespaces", ["a"]),
            ("audit_namespaces", 123),
            ("audit_namespaces", "x" * 65537),
            ("pull_access_audit_fail_on", "sometimes"),
            ("pull_access_audit_fail_on", "{{ x }}"),
            ("pull_access_audit_expires_within", "{{ x }}"),
            ("pull_access_audit_expires_within", -1),
            ("pull_access_audit_expires_within", True),
        ],
    )
    def test_a_launch_with_an_invalid_answer_is_refused(
        self, found: dict[str, Any], variable: str, answer: Any
    ) -> None:
        with pytest.raises(ValueError, match=variable):
            accepted(of(found, "templates", "audit"), {variable: answer})

    def test_a_launch_marks_each_text_as_unsafe(self, found: dict[str, Any]) -> None:
        text = extra_variables(of(found, "templates", "audit"), {"audit_namespaces": "{{ a }}"}, more="{{ b }}")
        assert all(f'!unsafe "{value}"' in text for value in ("{{ a }}", "{{ b }}", "never", "audit_namespaces"))


def test_the_zones_differ_only_in_name_and_inventory(found: dict[str, Any]) -> None:
    zones = {one["name"]: one for one in found["controller_templates"] if one["name"].endswith(" in the west")}
    assert len(zones) == 4
    for name, one in zones.items():
        east = of(found, "templates", name.removeprefix("Image pull: ").removesuffix(" in the west"))
        assert {key for key in one if one[key] != east[key]} == {"name", "inventory"}


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_answer_is_a_path_or_sets_the_connection(found: dict[str, Any], template: str) -> None:
    asked = given_by(named(found, "controller_templates")[template])
    assert not [
        name for name in asked if re.search("^(image_pull|ansible|awx)_|directory|file|path|_host$|proxy|cert", name)
    ]


class TestTheWorkflow:
    WHOLE = ("verify", "plan", "approve", "set-up", "audit")

    def run(self, *failing: str) -> tuple[list[str], bool]:
        workflow = configuration()["controller_workflows"][0]
        return run_workflow(workflow, lambda name: name not in (*failing, "failed"))

    def test_the_workflow_runs_from_the_logins_to_the_audit(self) -> None:
        assert self.run() == ([*self.WHOLE], True)

    @pytest.mark.parametrize("place", WHOLE)
    def test_the_workflow_fails_if_a_node_fails(self, place: str) -> None:
        ran, successful = self.run(place)
        assert not successful
        assert ran[: self.WHOLE.index(place) + 1] == [*self.WHOLE[: self.WHOLE.index(place) + 1]]

    @pytest.mark.parametrize("place", ["verify", "plan", "approve"])
    def test_the_workflow_sets_up_nothing_before_an_approval(self, place: str) -> None:
        assert "set-up" not in self.run(place)[0]

    def test_the_workflow_audits_after_a_failed_run(self) -> None:
        assert self.run("set-up")[0][-2:] == ["audit-after-failure", "failed"]

    def test_the_workflow_would_succeed_without_its_last_node(self, found: dict[str, Any]) -> None:
        """The last node exists because of this trap."""
        workflow = found["controller_workflows"][0]
        assert run_workflow(workflow, lambda name: name != "verify") == (["verify", "failed"], True)

    def test_the_workflow_plans_and_applies_with_the_same_answers(self, found: dict[str, Any]) -> None:
        (asked,) = found["controller_workflows"][0]["survey_spec"]["spec"]
        for name in ("check and diff", "set up"):
            assert question(found, name, asked["variable"])["choices"] == asked["choices"]


class TestTheWorkflowOfARotation:
    def run(self, *failing: str) -> tuple[list[str], bool]:
        found = of(configuration(), "workflows", "plan, approve, rotate a login")
        return run_workflow(found, lambda name: name not in (*failing, "failed"))

    def test_the_rotation_runs_after_an_approval(self) -> None:
        assert self.run() == (["plan", "approve", "rotate"], True)

    @pytest.mark.parametrize("place", ["plan", "approve", "rotate"])
    def test_the_rotation_workflow_fails_if_a_node_fails(self, place: str) -> None:
        ran, successful = self.run(place)
        assert (successful, "rotate" in ran) == (False, place == "rotate")

    def test_the_rotation_workflow_has_the_survey_of_its_jobs(self, found: dict[str, Any]) -> None:
        asked = of(found, "workflows", "plan, approve, rotate a login")["survey_spec"]
        for name in ("plan a rotation", "rotate a login"):
            assert of(found, "templates", name)["survey_spec"] == asked


class TestTheProject:
    def test_the_project_has_a_template_for_each_playbook(self, found: dict[str, Any]) -> None:
        ours = {path.name for path in (ROOT / "playbooks").glob("*.yml")}
        assert ours <= {one["playbook"] for one in found["controller_templates"]}

    def test_the_project_has_no_playbook_without_a_template(self, found: dict[str, Any]) -> None:
        assert {path.name for path in PROJECT.glob("*.yml")} == {
            one["playbook"] for one in found["controller_templates"]
        }

    @pytest.mark.parametrize("template", TEMPLATES)
    def test_a_survey_contains_only_variables_of_its_playbook(self, found: dict[str, Any], template: str) -> None:
        one = named(found, "controller_templates")[template]
        short = SHORT_NAMES.get(one["playbook"].removesuffix(".yml"), frozenset())
        assert given_by(one) <= set(reads(*all_files(PROJECT / one["playbook"]))) | short

    def test_the_answers_are_known_to_the_check_of_extra_variables(self, found: dict[str, Any]) -> None:
        """All others have a prefix, or are short names of the playbook. A name that no survey has is not let pass."""
        asked = {
            (one["playbook"].removesuffix(".yml"), name)
            for one in found["controller_templates"]
            for name in given_by(one)
        }
        others = {name for playbook, name in asked if name not in SHORT_NAMES.get(playbook, ())} - KNOWN
        assert others == SURVEYS

    @pytest.mark.parametrize("template", TEMPLATES)
    def test_a_template_provides_the_required_variables_of_its_playbook(
        self, found: dict[str, Any], template: str
    ) -> None:
        """Variables that a playbook reads and no file sets are answers: one of its templates must ask for them, and others may."""
        one = named(found, "controller_templates")[template]
        asked = [given_by(other) for other in found["controller_templates"] if other["playbook"] == one["playbook"]]
        taken = {
            name: may_be_missing
            for name, may_be_missing in reads(PROJECT / one["playbook"]).items()
            if not OF_OTHERS.match(name)
        }
        assert set(taken) <= set().union(*asked)
        assert {name for name, may_be_missing in taken.items() if not may_be_missing} <= answered(one)

    @pytest.mark.parametrize("playbook", [path.name for path in PROJECT.glob("*.yml") if path.name != "failed.yml"])
    def test_the_first_task_allows_the_questions_of_the_survey(self, found: dict[str, Any], playbook: str) -> None:
        """The list of the task and the surveys cannot drift apart."""
        surveys = [*found["controller_workflows"]]
        surveys += [one for one in found["controller_templates"] if one["playbook"] == playbook]
        kinds = {
            question["variable"]: kind_of(question)
            for survey in surveys
            for question in survey.get("survey_spec", {}).get("spec", ())
        }
        own = {question["variable"] for survey in surveys[2:] for question in survey["survey_spec"]["spec"]}
        expected = own | workflow_variables(found, playbook, artifacts_of)
        asked = asked_by(PROJECT / playbook)
        assert asked == {name: kinds.get(name, "any") for name in expected}

    @pytest.mark.parametrize("playbook", [path.name for path in PROJECT.glob("*.yml")])
    def test_the_first_play_uses_no_variable_of_a_launch(self, playbook: str) -> None:
        """Ansible evaluates the header of a play before its first task. `failed.yml` has no login and only fails."""
        first = yaml.safe_load((PROJECT / playbook).read_text())[0]
        header = {name: value for name, value in first.items() if name not in ("tasks", "vars", "name")}
        assert header.pop("any_errors_fatal", True) is True
        hosts = "localhost" if playbook == "failed.yml" else "all"
        assert header == {"hosts": hosts, "connection": "local", "gather_facts": False}
        task = first["tasks"][0]
        assert {*task} == {"name", "ansible.builtin.fail" if playbook == "failed.yml" else "ansible.builtin.assert"}

    def test_the_last_node_has_no_login(self, found: dict[str, Any]) -> None:
        assert of(found, "templates", "failed")["credentials"] == []

    def test_only_jobs_of_a_rotation_have_the_key_of_its_plans(self, found: dict[str, Any]) -> None:
        holders = {
            one["playbook"]: "Image pull: seal of plans" in one["credentials"] for one in found["controller_templates"]
        }
        assert [name for name, has_key in holders.items() if has_key] == ["rotate.yml"]

    def test_the_project_connects_like_the_playbooks_of_the_collection(self) -> None:
        """The connection variables of the inventory apply to each job."""
        (expected,) = {str(one) for one in defaults_of(ROOT / "playbooks" / "site.yml")}
        for path in PROJECT.glob("*.yml"):
            assert {str(one) for one in defaults_of(path)} <= {expected}, path.name

    def test_the_survey_offers_all_jobs_of_an_account(self, found: dict[str, Any]) -> None:
        assert question(found, "account for the automation", "account_jobs")["choices"] == list(JOBS)

    @pytest.mark.parametrize("playbook", ["site.yml", "plan.yml", "verify.yml", "rotate.yml"])
    def test_jobs_that_read_declared_logins_have_the_credential_of_the_registries(
        self, found: dict[str, Any], playbook: str
    ) -> None:
        """The inventory takes its logins from that credential, so a rotation without it cannot find the old login there."""
        jobs = [one["credentials"] for one in found["controller_templates"] if one["playbook"] == playbook]
        assert jobs and all("Image pull: registries" in credentials for credentials in jobs)

    def test_removals_have_a_separate_question(self, found: dict[str, Any]) -> None:
        confirmation = question(found, "take down", "teardown_confirmation")
        assert confirmation["required"] and "teardown_confirmation" in survey_defaults(
            of(found, "templates", "take down")
        )
        assert survey_defaults(of(found, "templates", "take down"))["teardown_confirmation"] != "REMOVE"
        assert survey_defaults(of(found, "templates", "set up"))["remove_undeclared"] == "no"

    @pytest.mark.parametrize("name", ["check and diff", "verify logins", "export", "plan a rotation", "what if"])
    def test_templates_that_write_nothing_are_check_jobs(self, found: dict[str, Any], name: str) -> None:
        assert of(found, "templates", name)["job_type"] == "check"


PROMPTS = {"variables", "inventory", "limit", "scm_branch", "tags", "skip_tags"}


@pytest.mark.parametrize("module", ["job_template", "workflow_job_template"])
def test_prompts_that_were_switched_on_are_switched_off(module: str) -> None:
    (options,) = (task[f"awx.awx.{module}"] for task in TASKS if f"awx.awx.{module}" in task)
    off = {name for name, value in options.items() if value is False}
    assert {f"ask_{prompt}_on_launch" for prompt in PROMPTS} <= off


def kind_of(question: dict[str, Any]) -> Any:
    kinds = {"integer": "number", "multiselect": "list", "multiplechoice": question.get("choices")}
    return kinds.get(question["type"], "text")


def artifacts_of(playbook: Path) -> set[str]:
    """Return the variables that a job of the playbook passes to later nodes of its workflow."""
    return {
        name
        for path in all_files(playbook)
        if path.suffix == ".yml"
        for key, value in _members(yaml.safe_load(path.read_text()))
        if key == "ansible.builtin.set_stats"
        for name in value["data"]
    }


def test_every_option_of_the_configuration_is_applied() -> None:
    """An option that apply.yml ignores would have no effect."""
    applied = {}
    for task in TASKS:
        (options,) = (value for name, value in task.items() if name.startswith("awx.awx."))
        applied[task["loop"].strip("{} ")] = set(options)
    found = configuration()
    for kind, objects in found.items():
        if kind.startswith("controller_"):
            assert {key for one in objects for key in one} <= applied[kind], kind


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["name"])
def test_every_applied_field_is_in_the_configuration(found: dict[str, Any], task: dict[str, Any]) -> None:
    """All objects have the fields that apply.yml reads without a default. Otherwise apply.yml would fail at the first object without it."""
    (options,) = (value for name, value in task.items() if name.startswith("awx.awx."))
    needed = {
        key.strip("'") for key in re.findall(r"item(?:\.|\[)('?\w+'?)\]? \}\}", " ".join(map(str, options.values())))
    }
    assert "name" in needed
    for one in found[task["loop"].strip("{} ")]:
        assert needed <= set(one), one["name"]


def test_no_secret_is_in_the_configuration(found: dict[str, Any]) -> None:
    types = named(found, "controller_credential_types")
    for one in found["controller_credentials"]:
        fields = types.get(one["credential_type"], {}).get("inputs", {}).get("fields", ())
        secrets = {field["id"] for field in fields if field.get("secret")} | {"bearer_token", "ssl_ca_cert"}
        given = {name: value for name, value in one["inputs"].items() if name in secrets}
        assert all("lookup('ansible.builtin.password', '/dev/null'" in value for value in given.values())
